"""Other ways to grade the benchmark's homework: a bare fork, papermill; nbgrader and otter-grader if named.

`NBGRADER_BIN` and `OTTER_BIN` are the bin folders of virtual environments with nbgrader, and with
otter-grader[grading]; both need ipykernel, pandas, numpy and pydantic too. Each function returns `Run`.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grading_homework as homework
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


@dataclass(frozen=True)
class Run:
    """How long grading took, its CPU seconds, and the points it gave."""

    seconds: float
    cpu_seconds: float
    points: dict[str, float]


def timed(work: Callable[[], dict[str, float]]) -> Run:
    """Run `work`; CPU is that of this process and of its children."""
    before, started = os.times(), time.perf_counter()
    points = work()
    after = os.times()
    return Run(time.perf_counter() - started, sum(after[:4]) - sum(before[:4]), points)


def bare_fork(students: dict[str, tuple[str, ...]]) -> Run:
    """A fork per submission from a process that imports everything once: the least that Python can do."""
    code = (
        "import json, os, sys\n"
        "import numpy, pandas, pydantic, re\n"
        "for line in sys.stdin:\n"
        "    name, script = json.loads(line)\n"
        "    if os.fork() == 0:\n"
        "        space = {}\n"
        "        exec(script, space)\n"
        "        print(json.dumps([name, space['score']]), flush=True)\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
    )

    def work() -> dict[str, float]:
        lines = "".join(json.dumps([name, homework.script(kinds)]) + "\n" for name, kinds in students.items())
        done = subprocess.run(
            [sys.executable, "-c", code], input=lines, capture_output=True, text=True, check=True
        )
        return dict(json.loads(line) for line in done.stdout.splitlines())

    return timed(work)


def papermill(students: dict[str, tuple[str, ...]], folder: Path) -> Run:
    """papermill's own engine, sequentially; tests are cells of the notebook."""
    import papermill as library

    def work() -> dict[str, float]:
        return {name: _papermill_one(library, kinds, folder) for name, kinds in students.items()}

    return timed(work)


def _papermill_one(library: Any, kinds: tuple[str, ...], folder: Path) -> float:
    tests = [
        exercise.test(case) for exercise in homework.EXERCISES for case in (exercise.public, exercise.hidden)
    ]
    tagged = {"tags": ["raises-exception"]}
    book = new_notebook(
        metadata=KERNEL, cells=[new_code_cell(s, metadata=tagged) for s in [*homework.cells(kinds), *tests]]
    )
    source, done = folder / "in.ipynb", folder / "out.ipynb"
    nbformat.write(book, source)
    with contextlib.suppress(library.PapermillExecutionError):  # raised at the end, for the first error
        library.execute_notebook(source, done, progress_bar=False, kernel_name="python3")
    graded = [cell for cell in nbformat.read(done, as_version=4).cells if cell.source in tests]
    return float(sum(not any(o.output_type == "error" for o in cell.outputs) for cell in graded))


def nbgrader(students: dict[str, tuple[str, ...]], folder: Path, bin_folder: str) -> Run:
    """`nbgrader autograde`, two processes at a time over one database."""
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.root = {str(folder)!r}\n"
    )
    _write(_nbgrader_source(), folder / "source/hw/hw.ipynb")
    _call([f"{bin_folder}/nbgrader", "generate_assignment", "hw"], folder, environment)
    for name, kinds in students.items():
        book = nbformat.read(folder / "release/hw/hw.ipynb", as_version=4)
        answers = {
            exercise.name: exercise.code(kind)
            for exercise, kind in zip(homework.EXERCISES, kinds, strict=True)
        }
        for cell in book.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            if grade_id.startswith("answer-"):
                cell.source = answers[grade_id.removeprefix("answer-")]
        _write(book, folder / f"submitted/{name}/hw/hw.ipynb")

    def work() -> dict[str, float]:
        with ThreadPoolExecutor(2) as pool:
            commands = [
                [f"{bin_folder}/nbgrader", "autograde", "hw", f"--student=s*{half}"]
                for half in ("[02468]", "[13579]")
            ]
            list(pool.map(lambda command: _call(command, folder, environment), commands))
        return {}

    run = timed(work)
    _call([f"{bin_folder}/nbgrader", "export", "--to", str(folder / "grades.csv")], folder, environment)
    with (folder / "grades.csv").open() as file:
        points = {row["student_id"]: float(row["score"] or 0) for row in csv.DictReader(file)}
    return Run(run.seconds, run.cpu_seconds, points)


def _nbgrader_source() -> Any:
    def marked(name: str, **flags: Any) -> dict[str, Any]:
        facts = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
        return {"nbgrader": {**facts, "grade_id": name, **flags}}

    cells = [new_code_cell(homework.IMPORTS, metadata=marked("imports", locked=True))]
    for exercise in homework.EXERCISES:
        name = exercise.name
        solution = f"### BEGIN SOLUTION\n{exercise.code('right')}\n### END SOLUTION"
        cells.append(new_code_cell(solution, metadata=marked(f"answer-{name}", solution=True)))
        graded = {"grade": True, "locked": True, "points": 1}
        cells.append(
            new_code_cell(exercise.test(exercise.public), metadata=marked(f"public-{name}", **graded))
        )
        hidden = f"### BEGIN HIDDEN TESTS\n{exercise.test(exercise.hidden)}\n### END HIDDEN TESTS"
        cells.append(new_code_cell(hidden, metadata=marked(f"hidden-{name}", **graded)))
    return new_notebook(metadata=KERNEL, cells=cells)


def otter(students: dict[str, tuple[str, ...]], folder: Path, bin_folder: str) -> Run:
    """`otter run`, two processes at a time."""
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    _write(_otter_master(), folder / "hw.ipynb")
    _call(
        [f"{bin_folder}/otter", "assign", "hw.ipynb", "dist", "--no-pdfs", "--no-run-tests"],
        folder,
        environment,
    )
    autograder = next((folder / "dist/autograder").glob("*.zip"))
    for name, kinds in students.items():
        book = nbformat.read(folder / "dist/student/hw.ipynb", as_version=4)
        answers = iter(homework.cells(kinds)[1:])
        for cell in book.cells:
            if cell.cell_type == "code" and cell.source.strip() == "...":
                cell.source = next(answers)
        _write(book, folder / f"submissions/{name}.ipynb")

    def grade(name: str) -> float:
        out = folder / "out" / name
        out.mkdir(parents=True)
        command = [
            f"{bin_folder}/otter",
            "run",
            f"submissions/{name}.ipynb",
            "-a",
            str(autograder),
            "-o",
            str(out),
        ]
        _call([*command, "--no-logo"], folder, environment)
        return float(
            sum(test.get("score") or 0 for test in json.loads((out / "results.json").read_text())["tests"])
        )

    def work() -> dict[str, float]:
        with ThreadPoolExecutor(2) as pool:
            return dict(zip(students, pool.map(grade, students), strict=True))

    return timed(work)


def _otter_master() -> Any:
    head = "# ASSIGNMENT CONFIG\ninit_cell: true\nexport_cell: false\ncheck_all_cell: false\n"
    head += "generate:\n    pdf: false\n"
    cells = [new_raw_cell(head), new_markdown_cell("# hw"), new_code_cell(homework.IMPORTS)]
    for exercise in homework.EXERCISES:
        cells += [
            new_raw_cell(f"# BEGIN QUESTION\nname: {exercise.name}\npoints: 2\n"),
            new_markdown_cell(exercise.name),
        ]
        solution = f"# BEGIN SOLUTION\n{exercise.code('right')}\n# END SOLUTION"
        cells += [new_raw_cell("# BEGIN SOLUTION"), new_code_cell(solution), new_raw_cell("# END SOLUTION")]
        cells.append(new_raw_cell("# BEGIN TESTS"))
        for case, more in ((exercise.public, ""), (exercise.hidden, "hidden: true\n")):
            config = f'""" # BEGIN TEST CONFIG\npoints: 1\n{more}""" # END TEST CONFIG\n'
            cells.append(new_code_cell(config + exercise.test(case)))
        cells += [new_raw_cell("# END TESTS"), new_raw_cell("# END QUESTION")]
    return new_notebook(metadata=KERNEL, cells=cells)


def _write(book: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)


def _call(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
