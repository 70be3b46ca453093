"""The gradebook as learning platforms take it in. A total that is not final stays empty, and is counted.

- Canvas, "Grades > Import": CSV with Student, ID, SIS User ID, SIS Login ID, Section and one column per
  assignment; the row `Points Possible` comes second. Source: canvas-lms, lib/gradebook_importer.rb.
  Safest is Canvas' own export (`roster`): its rows are kept, and its column of this assignment is filled.
- Moodle, "Upload grading worksheet": CSV with Identifier (`Participant 1234567`), Grade, Last modified
  (grade) and Feedback comments. Source: moodle, mod/assign/feedback/offline/importgradeslib.php. Tick "Allow
  updating records that have been modified more recently in Moodle than in the spreadsheet".
- Gradescope takes no grades by CSV; it runs an "autograder". The zip made here is one that runs no student
  code: it looks the student up and hands over the result graded here. Source:
  https://gradescope-autograders.readthedocs.io/en/latest/specs/ (setup.sh, run_autograder, results.json).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aicourse.csv_text import to_csv
from aicourse.errors import GradingError
from aicourse.paths import write_atomically
from aicourse.tooling.grading.judging.folder import GradesFolder, file_stem
from aicourse.tooling.grading.judging.packing import zipped
from aicourse.tooling.grading.judging.results import plain_number
from aicourse.tooling.grading.publishing.gradebook import Gradebook, StudentRow, read_gradebook

Platform = Literal["canvas", "moodle", "gradescope"]
_CANVAS_STUDENT = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_MOODLE = (
    *("Identifier", "Full name", "Email address", "Status", "Grade", "Maximum grade", "Grade can be changed"),
    *("Last modified (submission)", "Last modified (grade)", "Feedback comments"),
)
_SETUP = "#!/usr/bin/env bash\n# nothing to install: the results are in this zip\n"
_RUN = '''#!/usr/bin/env python3
"""Hand over the result that was graded elsewhere. The submission is not run."""
import json, os, pathlib, re

root = pathlib.Path(os.environ.get("AUTOGRADER_ROOT", "/autograder"))
source = root / "source" / "results"
index = json.loads((source / "index.json").read_text())
users = json.loads((root / "submission_metadata.json").read_text()).get("users", [])
wanted = [str(user.get(key) or "") for user in users for key in ("sid", "email", "name")]
wanted += [name.split("@")[0] for name in wanted if "@" in name]
names = [index[re.sub(r"\\W+", " ", name).strip().casefold()] for name in wanted
         if re.sub(r"\\W+", " ", name).strip().casefold() in index]
if names:
    result = json.loads((source / names[0]).read_text())
else:
    result = {"score": 0, "output": "There is no result for this student here. Ask the instructor."}
(root / "results").mkdir(exist_ok=True)
(root / "results" / "results.json").write_text(json.dumps(result))
'''


@dataclass(frozen=True)
class Export:
    """A finished export: the file, whose total was left empty, and who was not found in the roster."""

    path: Path
    students: int
    open: tuple[str, ...]
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.path}: {self.students} students."]
        if self.open:
            lines.append(
                f"Left empty, because a question is open or it could not be graded: {_few(self.open)}."
            )
        if self.unknown:
            lines.append(f"Not in the roster, so not exported: {_few(self.unknown)}.")
        return "\n".join(lines)


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def export(folder: GradesFolder, platform: Platform, roster: Path | None = None) -> Export:
    """Write the gradebook for `platform`; `roster` is the platform's own export, to be filled in.

    Raises:
        GradingError: no results, or the roster is no export of that platform.
    """
    book = read_gradebook(folder)
    unfinished = tuple(row.student for row in book.open_rows)
    if platform == "gradescope":
        path = folder.root / "gradescope-autograder.zip"
        write_atomically(path, _gradescope(book))
        return Export(path, len(book.rows), unfinished)
    path = folder.root / f"gradebook-{platform}.csv"
    unknown: tuple[str, ...] = ()
    if roster is not None:
        lines, unknown = _filled(book, platform, _read_roster(roster))
    else:
        lines = list(_canvas(book) if platform == "canvas" else _moodle(book))
    write_atomically(path, to_csv(lines))
    return Export(path, len(book.rows) - len(unknown), unfinished, unknown)


def _canvas(book: Gradebook) -> Iterator[list[str]]:
    yield [*_CANVAS_STUDENT, book.assignment]
    yield ["    Points Possible", "", "", "", "", plain_number(book.points)]
    for row in book.rows:
        # without Canvas' number the name given here has to be the login
        login = "" if row.result.lms_id else row.student
        yield [row.student, row.result.lms_id, "", login, "", plain_number(row.total)]


def _moodle(book: Gradebook) -> Iterator[list[str]]:
    yield list(_MOODLE)
    for row in book.rows:
        identifier = f"Participant {row.result.lms_id}" if row.result.lms_id else ""
        grade, most = plain_number(row.total), plain_number(book.points)
        yield [identifier, row.student, "", "", grade, most, "Yes", "-", "-", comment(book, row)]


def comment(book: Gradebook, row: StudentRow) -> str:
    """A few lines of text: points per question, lateness, and comments given by hand."""
    if row.result.status == "failed":
        return f"Could not be graded: {row.result.sentence}"
    lines = [
        f"{column.id}: {plain_number(row.points(column.id)) or 'open'} of {plain_number(column.points)}"
        for column in book.columns
    ]
    if row.result.late:
        lines.append(f"{row.result.late.days} days late: {plain_number(row.result.late.percent)} % off")
    lines += [f"{question}: {text}" for question, text in row.comments]
    return "; ".join(lines)


def _read_roster(path: Path) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GradingError(f"{path} cannot be read as CSV ({error}). Export it again.", path=path) from None


def _filled(
    book: Gradebook, platform: Platform, roster: list[list[str]]
) -> tuple[list[list[str]], tuple[str, ...]]:
    """The platform's own table with the grades in it; rows without a result stay as they are."""
    head = roster[0] if roster else []
    needed = ("Student", "ID") if platform == "canvas" else ("Identifier", "Grade")
    if any(name not in head for name in needed):
        raise GradingError(f"The roster lacks {' and '.join(needed)}. Use the file that {platform} exports.")
    lines = [[*line, *[""] * (len(head) - len(line))] for line in roster]
    column = _grade_column(book, platform, lines)
    index = {key: row for row in book.rows for key in _keys(row)}
    used = set()
    for line in lines[1:]:
        row = next((index[key] for key in _line_keys(lines[0], line) if key in index), None)
        if row is None:
            continue
        used.add(row.student)
        line[column] = plain_number(row.total)
        if platform == "moodle" and "Feedback comments" in head:
            line[head.index("Feedback comments")] = comment(book, row)
    return lines, tuple(row.student for row in book.rows if row.student not in used)


def _grade_column(book: Gradebook, platform: Platform, lines: list[list[str]]) -> int:
    """The column for the grade; Canvas calls it `Homework 1 (12345)`, a new column is a new assignment."""
    head = lines[0]
    if platform == "moodle":
        return head.index("Grade")
    wanted = {book.assignment.casefold(), book.title.casefold()}
    for position, name in enumerate(head):
        if re.sub(r"\s*\(\d+\)\s*\Z", "", name).strip().casefold() in wanted:
            return position
    head.append(book.assignment)
    for line in lines[1:]:
        is_points = line[0].strip() == "Points Possible"
        line.append(plain_number(book.points) if is_points else "")
    return len(head) - 1


def _keys(row: StudentRow) -> Iterator[str]:
    if row.result.lms_id:
        yield f"id {row.result.lms_id}"
    yield f"name {row.student.casefold()}"


def _line_keys(head: list[str], line: list[str]) -> Iterator[str]:
    cells: Mapping[str, str] = dict(zip(head, line, strict=False))
    for column in ("ID", "Identifier"):
        if number := re.search(r"(\d+)\s*\Z", cells.get(column, "")):
            yield f"id {number[1]}"
    for column in ("SIS Login ID", "SIS User ID", "Email address", "Student", "Full name"):
        if name := cells.get(column, "").strip():
            yield f"name {name.casefold()}"
            yield f"name {name.casefold().partition('@')[0]}"


def _gradescope(book: Gradebook) -> bytes:
    index = {
        re.sub(r"\W+", " ", row.student).strip().casefold(): f"{file_stem(row.student)}.json"
        for row in book.rows
    }
    files = {"setup.sh": _SETUP, "run_autograder": _RUN, "results/index.json": json.dumps(index, indent=1)}
    files |= {
        f"results/{file_stem(row.student)}.json": json.dumps(gradescope_result(book, row), indent=1)
        for row in book.rows
    }
    contents = {name: text.encode() for name, text in files.items()}
    return zipped(contents, executable=("setup.sh", "run_autograder"))


def gradescope_result(book: Gradebook, row: StudentRow) -> dict[str, Any]:
    """One student's results.json: points per question, as text only (`output_format`)."""
    if row.result.status == "failed":
        return {"score": 0, "output": f"Could not be graded: {row.result.sentence} This is not a grade of 0."}
    tests = []
    for question in row.result.questions:
        lines = [
            f"{check.name}: {check.message} {check.hint}".strip()
            for check in question.checks
            if not check.passed
        ]
        lines += [text for name, text in row.comments if name == question.id]
        tests.append(
            {
                "name": f"{question.id}: {question.title}",
                "score": question.earned or 0,
                "max_score": question.points,
                "output": "\n".join(lines)
                if question.earned is not None
                else "This answer has no points yet.",
                "output_format": "text",
            }
        )
    score = row.total if row.total is not None else row.result.earned
    return {"score": score, "output": comment(book, row), "output_format": "text", "tests": tests}
