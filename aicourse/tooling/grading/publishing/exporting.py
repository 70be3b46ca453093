"""The gradebook as learning platforms take it in. A total that is not final stays empty, and is counted.

- Canvas, "Grades > Import": CSV with Student, ID, SIS User ID, SIS Login ID, Section and one column per
  assignment; the row `Points Possible` comes second. Source: canvas-lms, lib/gradebook_importer.rb.
  Safest is Canvas' own export (`roster`): it comes back as it is, its column of this assignment filled in.
- Moodle, "Upload grading worksheet": CSV with Identifier (`Participant 1234567`), Grade, Last modified
  (grade) and Feedback comments. Source: moodle, mod/assign/feedback/offline/importgradeslib.php. Tick "Allow
  updating records that have been modified more recently in Moodle than in the spreadsheet".
- Gradescope takes no grades by CSV; it runs an "autograder". The zip made here is one that runs no student
  code: it looks the student up and hands over the result graded here. Without a final one it fails, so that
  Gradescope shows no points: an unknown student is unknown, never 0. Source:
  https://gradescope-autograders.readthedocs.io/en/latest/specs/ (setup.sh, run_autograder, results.json).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aicourse.csv_text import to_csv
from aicourse.errors import GradingError
from aicourse.paths import write_atomically
from aicourse.tooling.grading.judging.folder import GradesFolder, file_stem
from aicourse.tooling.grading.judging.packing import zipped
from aicourse.tooling.grading.judging.results import plain_number
from aicourse.tooling.grading.publishing.gradebook import Gradebook, StudentRow, read_gradebook
from aicourse.tooling.grading.publishing.rosters import filled, match, read_roster
from aicourse.tooling.grading.submissions.people import read_records

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
files = {index[name] for name in (re.sub(r"\\W+", " ", one).strip().casefold() for one in wanted)
         if name in index}
if len(files) != 1:
    raise SystemExit("There is no final result for this student here. Ask the instructor.")
(root / "results").mkdir(exist_ok=True)
(root / "results" / "results.json").write_text((source / files.pop()).read_text())
'''


@dataclass(frozen=True)
class Export:
    """A finished export: the file, whose total was left empty, and who was not found in the roster.

    `unclear` has the rows that a student could be: none of them was filled in. Without a roster,
    `unnumbered` are those of whom the platform's number is not known.
    """

    path: Path
    students: int
    open: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    unclear: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unnumbered: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.path}: {self.students} students."]
        if self.open:
            lines.append(
                f"Left empty, because a question is open or it could not be graded: {_few(self.open)}."
            )
        if self.unnumbered:
            lines.append(
                f"Without a number of the platform's, so it may not know who they are: "
                f"{_few(self.unnumbered)}. Name its own export with --roster."
            )
        if self.unknown:
            lines.append(f"Not in the roster, so not exported: {_few(self.unknown)}.")
        if self.unclear:
            lines.append("Unclear, so not exported:")
            lines += [f"  {student}: {' or '.join(rows[:5])}" for student, rows in self.unclear.items()]
            student, rows = next(iter(self.unclear.items()))
            lines.append(
                "Say who they are in a CSV with the columns student,roster (such as "
                f"{student},{rows[0].partition(',')[0]}) and add: --match FILE"
            )
        return "\n".join(lines)


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def export(
    folder: GradesFolder, platform: Platform, roster: Path | None = None, decided: Path | None = None
) -> Export:
    """Write the gradebook for `platform`; `roster` is the platform's own export, to be filled in.

    `decided` is a CSV with the columns student and roster: who is whom where names leave it open.

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
    if roster is None:
        write_atomically(path, to_csv(_canvas(book) if platform == "canvas" else _moodle(book)))
        unnumbered = tuple(row.student for row in book.rows if row.platform != platform or not row.lms_id)
        return Export(path, len(book.rows), unfinished, unnumbered=unnumbered)
    table = read_roster(roster, platform, book)
    matches = match(book, table, _decisions(decided) if decided else {})
    rows = [row for row in book.rows if row.student in matches.rows]
    cells = ((matches.rows[row.student], plain_number(row.total), comment(book, row)) for row in rows)
    write_atomically(path, filled(book, table, cells))
    return Export(path, len(rows), unfinished, matches.unknown, matches.unclear)


def _decisions(path: Path) -> dict[str, str]:
    said: dict[str, str] = {}
    for place, (student, identifier) in read_records(path, "student", "roster"):
        if said.setdefault(student, identifier) != identifier:
            raise GradingError(f"{place}: {student} is {said[student]!r} already. Leave one of the rows.")
    return said


def _canvas(book: Gradebook) -> Iterator[list[str]]:
    yield [*_CANVAS_STUDENT, book.assignment]
    yield ["    Points Possible", "", "", "", "", plain_number(book.points)]
    for row in book.rows:
        # without Canvas' number the name given here has to be the login
        number = row.lms_id if row.platform == "canvas" else ""
        login = "" if number else row.student
        yield [row.student, number, "", login, "", plain_number(row.total)]


def _moodle(book: Gradebook) -> Iterator[list[str]]:
    yield list(_MOODLE)
    for row in book.rows:
        identifier = f"Participant {row.lms_id}" if row.platform == "moodle" else ""
        grade, most = plain_number(row.total), plain_number(book.points)
        yield [identifier, row.student, "", "", grade, most, "Yes", "", "", comment(book, row)]


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


def _gradescope(book: Gradebook) -> bytes:
    rows = [row for row in book.rows if row.total is not None]
    keys = [(_plain(name), row) for row in rows for name in {row.student, row.lms_id} if name]
    count = Counter(key for key, _ in keys)
    index = {key: f"{file_stem(row.student)}.json" for key, row in keys if count[key] == 1}
    files = {"setup.sh": _SETUP, "run_autograder": _RUN, "results/index.json": json.dumps(index, indent=1)}
    files |= {
        f"results/{file_stem(row.student)}.json": json.dumps(gradescope_result(book, row), indent=1)
        for row in rows
    }
    contents = {name: text.encode() for name, text in files.items()}
    return zipped(contents, executable=("setup.sh", "run_autograder"))


def _plain(name: str) -> str:
    return re.sub(r"\W+", " ", name).strip().casefold()


def gradescope_result(book: Gradebook, row: StudentRow) -> dict[str, Any]:
    """One student's results.json with final points, as text only (`output_format`)."""
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
                "score": question.earned,
                "max_score": question.points,
                "output": "\n".join(lines),
                "output_format": "text",
            }
        )
    return {"score": row.total, "output": comment(book, row), "output_format": "text", "tests": tests}
