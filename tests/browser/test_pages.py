"""Every page that a command writes can be read by everybody: judged by axe, on a laptop and a phone.

How it is judged: `accessibility`.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aicourse.evals import Case, report, run
from aicourse.evals.scorers import exact
from aicourse.llm.calls import Usage
from aicourse.tooling import course
from aicourse.tooling.course.lesson_run import CellError, Journal
from aicourse.tooling.course.notebooks import Lesson
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.grade import Options, grade
from aicourse.tooling.grading.publishing import feedback, reviewing, similarity
from aicourse.tooling.grading.publishing.report import write_report

sys.path.insert(0, str(Path(__file__).parents[1] / "tooling" / "grading"))
from accessibility import FIND, TOO_WIDE, axe_source
from fakes import FIRST_NUMBER, RIGHT_Q2, hand_in, run_in_process, small_assignment, submission

VIEWS = (("light", 1280), ("light", 390), ("dark", 1280))
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = ("08-comparing-prompts",)  # it has tables, plots, widgets and Markdown
WORDS = "a hand-knitted cardigan with wooden buttons, worn twice, pet-free and smoke-free home " * 6


def course_report(folder: Path) -> Iterator[Path]:
    runs = []
    for name in LESSONS:
        executed = Path(shutil.copy(NOTEBOOKS / f"{name}.ipynb", folder))
        lesson = Lesson(name[:2], name, executed, name[3:], "What & why?")
        runs.append(course.LessonRun(lesson, executed, 12.34, 17, Journal(Usage(()))))
    broken = Lesson("91", "91-broken", folder / "91-broken.ipynb", "Broken")
    error = CellError(None, None, "LessonError", f"it is not a notebook\n{'at all ' * 40}")
    yield course.write_report([*runs, course.LessonRun(broken, None, 0.0, 0, error=error)], folder)
    yield from (folder / f"{name}.html" for name in LESSONS)


def eval_reports(folder: Path) -> Iterator[Path]:
    tags = ("short", "a-slice-with-a-rather-long-name")
    expected = {"brand": "IKEA", "colours": ["red", "blue"], "reply": WORDS}
    cases = [Case(id=f"case-{n}", input=WORDS, expected=expected, tags=tags) for n in range(12)]

    def answer(case: Case, *, worse: int) -> Any:
        if case.id == "case-3":
            raise ValueError(f"no answer: {'x' * 90}")
        return {**expected, "brand": None} if int(case.id[5:]) < worse else expected

    def made(name: str, worse: int) -> Any:
        task = lambda case: answer(case, worse=worse)  # noqa: E731
        facts = {"prompt": "extract_listing@v4 " + "9f2c" * 16}
        return run(task, cases, [exact()], name=name, facts=facts, retries=0, progress=False)

    before, after = made("extract_listing@v4-dev", 9), made("extract_listing@v5-dev", 3)
    yield report.write_report(after, folder / "report.html")
    yield report.write_report(after, folder / "against.html", before=before)


def grading_pages(folder: Path) -> Iterator[Path]:
    students = {
        "ada": submission(q3=WORDS),
        "bo": submission(q1=FIRST_NUMBER, q2=RIGHT_Q2 + f"\nprint({WORDS!r})"),
        "cem": submission(q1=FIRST_NUMBER + "\n# " + "long comment " * 20),
        "dana": submission(q1=FIRST_NUMBER + "\n# " + "another comment " * 20, q3=""),
        **{f"student-with-a-long-name-{n}": submission() for n in range(6)},
    }
    assignment = small_assignment(folder / "hw")
    source = hand_in(folder / "in", **students)
    (source / "broken.ipynb").write_bytes(b"{")
    grade(assignment, source, folder / "out", run_in_process, options=Options(progress=False))
    grades = GradesFolder(folder / "out")
    yield write_report(grades)
    made = {path.stem: path for path in feedback.write_feedback(grades)}
    yield from (made[name] for name in ("ada", "bo", "broken"))
    yield similarity.write_similarity(assignment, grades)
    page = folder / "review.html"
    page.write_text(reviewing.render(reviewing.Review(assignment, grades).data()), encoding="utf-8")
    yield page


PAGES = (
    *("course/index", *(f"course/{name}" for name in LESSONS), "evals/report", "evals/against"),
    *(
        "grading/out/report",
        "grading/out/feedback/ada",
        "grading/out/feedback/bo",
        "grading/out/feedback/broken",
    ),
    *("grading/out/similarity", "grading/review"),
)
MAKERS = {"course": course_report, "evals": eval_reports, "grading": grading_pages}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every page by name, each written by what its command calls."""
    root = tmp_path_factory.mktemp("pages")
    made = []
    for name, make in MAKERS.items():
        (root / name).mkdir()
        made += make(root / name)
    return {path.relative_to(root).with_suffix("").as_posix(): path for path in made}


@pytest.fixture(scope="module")
def window(browser: Any) -> Iterator[Any]:
    """A window that is resized for each page."""
    opened = browser.new_page()
    yield opened
    opened.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_serious_finding_and_fits_a_phone(
    name: str, written: dict[str, Path], window: Any
) -> None:
    window.goto(written[name].as_uri())
    window.evaluate(axe_source())
    window.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")
    faults = []
    for scheme, width in VIEWS:
        window.emulate_media(color_scheme=scheme)
        window.set_viewport_size({"width": width, "height": 900})
        faults += [f"{scheme}, {width} px: {found}" for found in window.evaluate(FIND)]
        if (wide := window.evaluate("() => document.documentElement.scrollWidth")) > width:
            faults.append(f"{width} px: the page is {wide} px wide: {window.evaluate(TOO_WIDE)}")
    assert faults == []


def test_every_page_of_this_list_is_written(written: dict[str, Path]) -> None:
    assert set(written) == set(PAGES)
