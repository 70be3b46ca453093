"""Running lessons: what a run reports, how it fails, and that nothing of it stays behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook

from aicourse.errors import LessonError
from aicourse.notebook_json import new_cell, new_notebook, notebook_text
from aicourse.tooling import course
from aicourse.tooling.course import runner
from aicourse.tooling.course.figures import EXTENSION
from aicourse.tooling.course.notebooks import WIDGET_VIEW
from aicourse.tooling.course.runner import store_outputs

FOLDER = Path(__file__).parents[2] / "notebooks" / "run"
NAMES = ["fails", "dies", "not-json", "parameters", "calls", "same"]
RUN = """
import signal
import sys
from pathlib import Path
from aicourse.tooling import course

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background begins deaf to it
course.run(sys.argv[2:], out=Path(sys.argv[1]))
"""
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and FIFOs")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, course.LessonRun]:
    """All fixture notebooks, run once, with a stale file of a killed run in the way."""
    out = tmp_path_factory.mktemp("course")
    (out / ".partial").mkdir()
    (out / ".partial" / "calls.journal.jsonl").write_text('{"call": {"half')
    finished = course.run([FOLDER / f"{name}.ipynb" for name in NAMES], out=out)
    assert [run.lesson.name for run in finished] == NAMES
    return {run.lesson.name: run for run in finished}


def cells(run: course.LessonRun) -> list[dict[str, Any]]:
    assert run.path is not None
    found: list[dict[str, Any]] = json.loads(run.path.read_text(encoding="utf-8"))["cells"]
    return found


def outputs(run: course.LessonRun, cell_id: str) -> list[str]:
    cell = next(cell for cell in cells(run) if cell["id"] == cell_id)
    found = [output.get("text") or output["data"]["text/plain"] for output in cell["outputs"]]
    return ["".join(lines) for lines in found]


def test_a_failing_cell_is_named_and_stops_only_its_own_lesson(runs: dict[str, course.LessonRun]) -> None:
    error = runs["fails"].error
    assert error is not None
    assert (error.cell and error.cell.id, error.line, error.name) == ("wrong", 2, "NameError")
    assert str(error) == "cell 3 (wrong), line 2: NameError: name 'missing_name' is not defined"
    assert (runs["fails"].result, runs["fails"].cells) == ("failed", 2)
    assert runs["calls"].result == "passed"


def test_a_failed_lesson_is_saved_with_papermills_banner(runs: dict[str, course.LessonRun]) -> None:
    for name in ("fails", "dies"):
        assert "An Exception was encountered" in "".join(cells(runs[name])[0]["source"])


def test_a_kernel_that_dies_is_told_in_a_word(runs: dict[str, course.LessonRun]) -> None:
    assert str(runs["dies"].error) == "cell 3 (wrong): DeadKernelError: Kernel died"
    assert outputs(runs["dies"], "fine") == ["alive\n"]


def test_a_file_that_is_no_notebook_is_a_failed_lesson(runs: dict[str, course.LessonRun]) -> None:
    run = runs["not-json"]
    assert (run.path, run.cells, run.result) == (None, 0, "failed")
    assert str(run.error).startswith("before the first cell: LessonError: not-json.ipynb is not a notebook")


def test_calls_are_counted_by_where_the_reply_came_from(runs: dict[str, course.LessonRun]) -> None:
    run = runs["calls"]
    assert (run.calls, run.recorded, run.live, run.cost) == (3, 1, 2, Decimal("0.25"))
    assert run.journal.places == {("key", 0)}
    assert runs["fails"].calls == 0


def test_the_kernel_is_told_how_to_behave(runs: dict[str, course.LessonRun]) -> None:
    assert outputs(runs["calls"], "environment") == ["('only', '1')"]


def test_a_lesson_works_in_a_folder_of_its_own_that_is_empty_at_first(tmp_path: Path) -> None:
    """What an earlier run left, there or beside the lesson, is not found; what this one leaves is kept."""
    cell = "from pathlib import Path\n\nprint(Path('build').exists())\nPath('build').mkdir()"
    source = tmp_path / "notebooks" / "writes.ipynb"
    (source.parent / "build").mkdir(parents=True)
    source.write_text(notebook_text(new_notebook([new_cell("code", cell, "a")])), encoding="utf-8")
    for _ in range(2):
        (run,) = course.run([source], out=tmp_path / "out")
        assert outputs(run, "a") == ["False\n"], run.error
    assert (tmp_path / "out" / "writes" / "build").is_dir()


@pytest.mark.slow
def test_a_forked_kernel_shows_what_stock_papermill_shows(
    runs: dict[str, course.LessonRun], tmp_path: Path
) -> None:
    """Tables, pictures, settings, paths, the terminal, the shell and an error's traceback."""
    with pytest.raises(PapermillExecutionError, match="division by zero"):
        execute_notebook(  # type: ignore[no-untyped-call]
            FOLDER / "same.ipynb",
            tmp_path / "stock.ipynb",
            cwd=FOLDER,
            progress_bar=False,
            extra_arguments=[EXTENSION],
        )
    stock = json.loads((tmp_path / "stock.ipynb").read_text(encoding="utf-8"))["cells"]
    assert len(stock) == len(cells(runs["same"]))
    for theirs, ours in zip(stock, cells(runs["same"]), strict=True):
        assert whole_streams(ours.get("outputs", [])) == whole_streams(theirs.get("outputs", []))


def whole_streams(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The outputs, with what one stream said in a row as one piece: load decides where a kernel cuts it."""
    joined: list[dict[str, Any]] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        text = {"text": "".join(output["text"])} if "text" in output else {}
        if text and last.get("name") == output.get("name"):
            last["text"] += text["text"]
        else:
            joined.append({**output, **text})
    return joined


def test_nothing_but_whole_notebooks_is_left(runs: dict[str, course.LessonRun]) -> None:
    path = runs["fails"].path
    assert path is not None
    names = {file.name for file in path.parent.iterdir()} - {".lock"}
    assert names == {f"{name}.ipynb" for name in NAMES if name != "not-json"} | {
        "parameters"
    }  # it wrote a file


def test_parameters_reach_the_lesson(tmp_path: Path) -> None:
    (run,) = course.run([FOLDER / "parameters.ipynb"], out=tmp_path, parameters={"SEED": 8})
    assert run.error is None
    assert outputs(run, "show") == ["8\n"]


def test_an_unknown_parameter_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(LessonError, match=r"no parameter 'SEDE'. It has: OUT_DIR, SEED\.") as caught:
        course.run([FOLDER / "parameters.ipynb"], out=tmp_path / "out", parameters={"SEDE": 8})
    assert caught.value.parameter == "SEDE"
    assert not (tmp_path / "out").exists()


def test_outputs_for_other_parameters_are_not_stored(tmp_path: Path) -> None:
    with pytest.raises(LessonError, match="leave out -p, or --save"):
        course.run([FOLDER / "parameters.ipynb"], out=tmp_path, parameters={"SEED": 8}, save=True)


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with FileLock(tmp_path / ".lock"), pytest.raises(LessonError, match="Another run is writing to"):
        course.run([FOLDER / "calls.ipynb"], out=tmp_path)


def test_saving_stores_clean_outputs_and_saving_again_changes_nothing(tmp_path: Path) -> None:
    source = tmp_path / "parameters.ipynb"
    notebook = json.loads((FOLDER / "parameters.ipynb").read_text(encoding="utf-8"))
    notebook["cells"][2]["metadata"] = {"execution": {"iopub.execute_input": "2026"}, "tags": ["kept"]}
    notebook["metadata"]["widgets"] = {"state": {}}
    source.write_text(json.dumps(notebook), encoding="utf-8")

    course.run([source], out=tmp_path / "out", save=True)
    first = source.read_text(encoding="utf-8")
    course.run([source], out=tmp_path / "out", save=True)

    assert source.read_text(encoding="utf-8") == first
    saved = json.loads(first)
    assert first == json.dumps(saved, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    assert [cell["id"] for cell in saved["cells"]] == [cell["id"] for cell in notebook["cells"]]
    assert [cell.get("execution_count") for cell in saved["cells"]] == [None, 1, 2, 3]
    assert saved["cells"][2]["metadata"] == {"tags": ["kept"]}
    assert saved["cells"][2]["outputs"][0]["text"] == ["7\n"]
    assert saved["metadata"].keys() == {"kernelspec", "language_info"}


def test_a_stored_output_shows_what_readers_without_a_kernel_see(tmp_path: Path) -> None:
    cell = new_cell("code", "slider", "a")
    data = {WIDGET_VIEW: {"model_id": "1"}, "text/plain": ["5"]}
    ran = {**cell, "outputs": [{"output_type": "display_data", "data": data, "metadata": {}}]}
    source, executed = tmp_path / "source.ipynb", tmp_path / "executed.ipynb"
    source.write_text(notebook_text(new_notebook([cell])), encoding="utf-8")
    executed.write_text(notebook_text(new_notebook([ran])), encoding="utf-8")
    store_outputs(source, executed)
    (stored,) = json.loads(source.read_text(encoding="utf-8"))["cells"]
    assert stored["outputs"][0]["data"] == {"text/plain": ["5"]}


def test_a_failing_lesson_keeps_its_stored_outputs(tmp_path: Path) -> None:
    source = Path(shutil.copy(FOLDER / "fails.ipynb", tmp_path))
    before = source.read_bytes()
    (run,) = course.run([source], out=tmp_path / "out", save=True)
    assert run.result == "failed"
    assert source.read_bytes() == before


@posix
@pytest.mark.parametrize(
    ("number", "forked"),
    [
        ("SIGINT", True),
        pytest.param("SIGINT", False, marks=pytest.mark.slow),
        pytest.param("SIGKILL", True, marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_a_stopped_run_leaves_no_kernel_and_the_next_one_works(
    tmp_path: Path, number: str, forked: bool
) -> None:
    names = [shutil.copy(FOLDER / "waits.ipynb", tmp_path), *([FOLDER / "calls.ipynb"] if forked else [])]
    os.mkfifo(tmp_path / "started")
    out = tmp_path / "out"
    command = [sys.executable, "-c", RUN, str(out), *names]
    environment = {**os.environ, "STARTED": str(tmp_path / "started")}
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)
    with ThreadPoolExecutor(1) as pool:  # reading waits until the cell runs
        try:
            started = pool.submit((tmp_path / "started").read_text).result(timeout=120)
        except BaseException:
            (tmp_path / "started").write_text("")  # so that the reader ends
            process.kill()
            raise
    kernel = psutil.Process(int(started))
    process.send_signal(getattr(signal, number))

    assert process.wait(timeout=120) != 0
    psutil.wait_procs([kernel], timeout=120)
    assert not kernel.is_running()
    assert not (out / "waits.ipynb").exists()
    (run,) = course.run([FOLDER / "calls.ipynb"], out=out)
    assert run.result == "passed"
    assert not (out / ".partial").exists()


@pytest.mark.parametrize(
    ("replay", "jobs", "side_by_side"), [("only", None, 2), ("off", None, 1), ("off", 2, 2)]
)
def test_live_lessons_run_one_after_the_other_unless_asked_otherwise(
    replay: str, jobs: int | None, side_by_side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at a time would push each other's prompts out of the embedded model's cache."""
    workers: list[int] = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, number: int) -> None:
            workers.append(number)
            super().__init__(number)

    monkeypatch.setattr(runner, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(runner, "core_count", lambda: 2)
    unreadable = FOLDER / "not-json.ipynb"
    course.run([unreadable, unreadable], out=tmp_path, replay=replay, jobs=jobs)
    assert workers == [side_by_side]


def test_the_longest_lessons_start_first_and_results_keep_the_order_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []

    class Pool(ThreadPoolExecutor):
        def map(self, run: Any, lessons: Any, **settings: Any) -> Any:
            started.extend(lesson.name for lesson in lessons)
            return super().map(run, lessons, **settings)

    names = ["short", "new", "long"]
    for name in names:
        (tmp_path / f"{name}.ipynb").write_text("no notebook")
    monkeypatch.setattr(runner, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(runner, "usual_seconds", lambda: {"short": 2.0, "long": 40.0})
    finished = course.run([tmp_path / f"{name}.ipynb" for name in names], out=tmp_path, jobs=2)
    assert started == ["long", "short", "new"]
    assert [run.lesson.name for run in finished] == names
