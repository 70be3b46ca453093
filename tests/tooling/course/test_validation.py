"""nbval in our kernels, twice, and the figures: each fixture fails for its own reason."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure
from PIL import Image

from aicourse import paths
from aicourse.notebook_json import new_cell, new_notebook, notebook_text
from aicourse.tooling import course
from aicourse.tooling.course.figures import figure_faults
from aicourse.tooling.course.notebooks import Lesson
from aicourse.tooling.course.validation import SANITIZE, deal

FOLDER = Path(__file__).parents[2] / "notebooks"
FIXTURES = sorted((FOLDER / "validate").glob("*.ipynb"))
PLOTS = {
    "bars": 'ax.bar(["coats", "mugs"], [3, 5])',
    "rising": 'ax.plot([1, 2], [3, 4])\nax.set_title("Up")',
    "falling": 'ax.plot([1, 2], [4, 3])\nax.set_title("Down")',
    "models": 'prices = {"small": 1, "large": 4}\nax.barh(list(prices), list(prices.values()))',
    "pixels": 'ax.set_title("Empty")',
}
AXES = """import matplotlib.pyplot as plt

ax = plt.figure().add_subplot(xlabel="x", ylabel="y", title="Title")
"""


def sabotage(notebook: dict[str, Any]) -> dict[str, Any]:
    """Bars times three, two pictures swapped, a model added, and a picture that nobody drew."""
    bars, rising, falling, models, pixels = (
        next(cell for cell in notebook["cells"] if cell["id"] == name) for name in PLOTS
    )
    bars["source"] = bars["source"].replace("[3, 5]", "[9, 15]")
    rising["outputs"], falling["outputs"] = falling["outputs"], rising["outputs"]
    models["source"] = models["source"].replace("4}", '4, "larger": 9}')
    (picture,) = [output["data"] for output in pixels["outputs"] if "image/png" in output.get("data", {})]
    drawn = io.BytesIO()
    Image.new("RGB", (9, 9)).save(drawn, "PNG")
    picture["image/png"] = base64.b64encode(drawn.getvalue()).decode()
    return notebook


WRONG_SOLUTION = [
    new_cell("code", "def middle(values): ...\n\n\nmiddle_solution = max", "answers"),
    new_cell("code", "def check(id, answer): ...\n\n\ncheck('91.1', middle)", "check", {"tags": ["check"]}),
]
DIES = [new_cell("code", "# NBVAL_SKIP", "skips"), new_cell("code", "import os\n\nos._exit(3)", "dies")]
WARNS = {**new_cell("code", "import warnings\n\nwarnings.warn('careful')", "warns"), "execution_count": 3}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, course.LessonValidation]:
    """The fixtures, the good lesson in a course of its own, and a file that is no notebook; in one go."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(FOLDER / "lint" / "checks", home / "notebooks" / "checks")
    checks = (home / "notebooks" / "checks" / "lesson_90.py").read_text(encoding="utf-8")
    for number, change in (("90", "del exercises[3]"), ("91", "exercises = exercises[:1]")):
        path = home / "notebooks" / "checks" / f"lesson_{number}.py"
        path.write_text(f"{checks.replace('90.', f'{number}.')}\n{change}\n", encoding="utf-8")
    wrong = home / "notebooks" / "91-wrong.ipynb"
    wrong.write_text(notebook_text(new_notebook([*WRONG_SOLUTION, WARNS])), encoding="utf-8")
    dies = home / "notebooks" / "94-dies.ipynb"
    dies.write_text(notebook_text(new_notebook(DIES)), encoding="utf-8")
    (home / "datasets").mkdir()
    shutil.copy(paths.notebooks_dir() / SANITIZE, home / "notebooks")
    good = shutil.copy(FOLDER / "lint" / "good.ipynb", home / "notebooks" / "90-good.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AICOURSE_HOME", str(home))
        patch.setenv("AICOURSE_STATE", str(home / "state"))
        plots, sabotaged = home / "notebooks" / "92-plots.ipynb", home / "notebooks" / "93-sabotaged.ipynb"
        cells = [
            {**new_cell("code", "", name), "source": f"{AXES}{source};"} for name, source in PLOTS.items()
        ]
        plots.write_text(notebook_text(new_notebook(cells)), encoding="utf-8")
        course.run([good, plots], out=home / "build", save=True)  # what is stored is what this version shows
        sabotaged.write_text(notebook_text(sabotage(json.loads(plots.read_text(encoding="utf-8")))))
        unreadable = FOLDER / "run" / "not-json.ipynb"
        found = course.validate([*FIXTURES, good, plots, sabotaged, wrong, dies, unreadable])
        once = course.validate([FOLDER / "validate" / "second-run.ipynb", wrong], once=True)
        (cells,) = course.validate([wrong], once=True, cells=True)
    named = {result.lesson.path.stem: result for result in found}
    return named | {f"{result.lesson.path.stem}, once": result for result in once} | {"91, cells": cells}


def test_a_good_lesson_passes_twice(results: dict[str, course.LessonValidation]) -> None:
    result = results["90-good"]
    assert result.failures == ()
    assert result.checks == 2 * 17 + 2


def test_the_badge_is_masked_and_cells_are_counted(results: dict[str, course.LessonValidation]) -> None:
    assert results["badge"].failures == ()


def test_an_output_that_differs_is_named_once(results: dict[str, course.LessonValidation]) -> None:
    (failure,) = results["differs"].failures
    assert str(failure) == (
        "cell 3 (wrong): Cell outputs differ\nstdout:\n--- stored\n+++ new\n@@ -1 +1 @@\n-3\n+2"
    )


def test_another_result_in_the_second_run_is_told_as_such(
    results: dict[str, course.LessonValidation],
) -> None:
    (failure,) = results["second-run"].failures
    assert failure.again
    assert str(failure).startswith("cell 3 (wrong), run a second time: Cell outputs differ")


def test_unlabelled_axes_are_found_where_they_are_drawn(results: dict[str, course.LessonValidation]) -> None:
    (failure,) = results["unlabelled-axes"].failures
    assert failure.part == "figures"
    assert "cell 2 (wrong): no label on the y axis" in failure.message
    assert "x axis" not in failure.message
    assert "without a title" in failure.message


def test_the_same_plots_pass_twice(results: dict[str, course.LessonValidation]) -> None:
    assert results["92-plots"].failures == ()


@pytest.mark.parametrize(
    ("cell", "stored", "new"),
    [
        ("bars", "0.4 3 -0.4 3", "0.4 9 -0.4 9"),
        ("rising", "text 'Down'", "text 'Up'"),
        ("falling", "text 'Up'", "text 'Down'"),
        ("models", "ticks at 0 1: small | large", "ticks at 0 1 2: small | large | larger"),
        ("pixels", "a picture of ", "text 'Empty'"),
    ],
)
def test_a_picture_that_shows_something_else_is_told_in_words(
    results: dict[str, course.LessonValidation], cell: str, stored: str, new: str
) -> None:
    assert {failure.cell.id for failure in results["93-sabotaged"].failures} == set(PLOTS)
    (failure,) = [failure for failure in results["93-sabotaged"].failures if failure.cell.id == cell]
    assert stored in failure.message
    assert new in failure.message


def test_a_warning_that_is_not_stored_is_shown_and_its_cell_named(
    results: dict[str, course.LessonValidation],
) -> None:
    warned, _ = results["91-wrong"].failures
    assert str(warned).startswith("cell 3 (warns): Cell outputs differ\nstderr:\n--- stored\n+++ new\n")
    assert "UserWarning: careful" in warned.message


def test_a_kernel_that_dies_is_told_at_once_and_a_skipped_cell_is_no_failure(
    results: dict[str, course.LessonValidation],
) -> None:
    (failure,) = results["94-dies"].failures
    assert (
        str(failure) == "cell 2 (dies): The kernel died. Does the cell end its process, or need much memory?"
    )


def test_once_leaves_out_the_second_run_alone(results: dict[str, course.LessonValidation]) -> None:
    assert results["second-run, once"].failures == ()
    assert results["91-wrong, once"].failures[-1] == results["91-wrong"].failures[-1]


def test_cells_leaves_out_figures_and_exercises(results: dict[str, course.LessonValidation]) -> None:
    with_parts, cells = results["91-wrong, once"], results["91, cells"]
    assert [failure.cell for failure in cells.failures] == [
        failure.cell for failure in with_parts.failures[:-1]
    ]
    assert cells.checks == with_parts.checks - 2


def test_an_exercise_whose_solution_is_wrong_is_found(results: dict[str, course.LessonValidation]) -> None:
    failure = results["91-wrong"].failures[-1]
    assert str(failure).startswith("exercises: Exercise 91.1: `middle_solution` does not pass.\n✗ Not yet")
    assert "✗ missing     finds the middle" in str(failure)


def test_a_file_that_is_no_notebook_fails_alone(results: dict[str, course.LessonValidation]) -> None:
    (failure,) = results["not-json"].failures
    assert "git checkout" in str(failure)


@pytest.mark.slow
def test_stock_nbval_agrees(tmp_path: Path) -> None:
    """The same verdict on single outputs from nbval as its own command runs it."""
    settings = tmp_path / "pytest.ini"
    settings.write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "--tb=no", "-p", "no:cacheprovider"]
    options = [f"--nbval-sanitize-with={paths.notebooks_dir() / SANITIZE}", f"--config-file={settings}"]
    file = str(FOLDER / "validate" / "differs.ipynb")
    done = subprocess.run([*command, *options, file], capture_output=True, text=True, check=False)
    assert re.findall(r"^FAILED .*::(Cell \d+)", done.stdout, re.MULTILINE) == ["Cell 1"]
    assert "1 failed, 1 passed" in done.stdout


@pytest.fixture
def figure() -> Iterator[Figure]:
    """A figure that lacks nothing, on a backend without a window."""
    mpl.use("agg")
    drawn, axes = plt.subplots()
    axes.plot([1, 2], [3, 4])
    axes.set(xlabel="day", ylabel="price (EUR)", title="Prices rise")
    yield drawn
    plt.close("all")


def test_a_labelled_figure_has_no_faults(figure: Figure) -> None:
    assert figure_faults(figure) == []


def test_each_missing_part_is_a_fault(figure: Figure) -> None:
    figure.axes[0].set(xlabel="", ylabel="")
    assert figure_faults(figure) == [
        "no label on the x axis of the figure 'Prices rise'",
        "no label on the y axis of the figure 'Prices rise'",
    ]
    figure.axes[0].set(title="", xlabel="day", ylabel="price")
    assert figure_faults(figure) == ["a figure without a title that states the finding"]


def test_titles_and_labels_of_the_whole_figure_count(figure: Figure) -> None:
    figure.axes[0].set(xlabel="", ylabel="", title="")
    figure.suptitle("Prices rise")
    figure.supxlabel("day")
    figure.supylabel("price (EUR)")
    assert figure_faults(figure) == []


def test_a_title_on_the_left_is_a_title(figure: Figure) -> None:
    figure.axes[0].set_title("")
    figure.axes[0].set_title("Prices rise", loc="left")
    assert figure_faults(figure) == []


def test_inner_axes_that_share_ticks_need_no_label() -> None:
    drawn, (top, bottom) = plt.subplots(2, sharex=True)
    for axes in (top, bottom):
        axes.plot([1, 2], [3, 4])
        axes.set(ylabel="price (EUR)", title="Prices rise")
    bottom.set_xlabel("day")
    assert figure_faults(drawn) == []
    plt.close(drawn)


def test_axes_that_are_off_and_colour_bars(figure: Figure) -> None:
    drawn, axes = plt.subplots()
    image = axes.imshow([[0, 1], [2, 3]])
    axes.set_axis_off()
    axes.set_title("A gradient")
    bar = drawn.colorbar(image)
    assert figure_faults(drawn) == ["no label on the colour axis of the figure 'untitled'"]
    bar.set_label("count")
    assert figure_faults(drawn) == []


def test_lessons_are_dealt_evenly_by_their_usual_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lesson(cells: int) -> Lesson:
        path = tmp_path / f"{cells}.ipynb"
        code = '{"cell_type": "code", "id": "a", "metadata": {}, "source": "1", "outputs": []}'
        path.write_text(f'{{"nbformat": 4, "metadata": {{}}, "cells": [{", ".join([code] * cells)}]}}')
        return Lesson(str(cells), str(cells), path, "")

    hands = deal([lesson(cells) for cells in (9, 5, 4, 1)], 2)
    assert sorted(sorted(int(one.number) for one in hand) for hand in hands) == [[1, 9], [4, 5]]
    (tmp_path / "seconds.json").write_text('{"1": 5.5}')
    monkeypatch.setattr(paths, "notebooks_dir", lambda: tmp_path)
    hands = deal([lesson(cells) for cells in (9, 5, 4, 1)], 2)
    assert sorted(sorted(int(one.number) for one in hand) for hand in hands) == [[1, 4], [5, 9]]
    assert deal([], 2) == []
    assert len(deal([lesson(1)], 2)) == 1
