"""A fortnight for each student of a class, and where its incidents lie: for instructors.

    python homework/hw03-incidents/fortnights.py names.txt --out build/fortnights

`names.txt` has a student on each line, named as `aicourse grade` names them (the column `student` of an
earlier gradebook.csv). Written are a folder with `fortnight.csv` for each, to be handed out, and
`incidents.csv`, which is not. The first run makes the secret, `salt.txt` beside this file: keep it, grading
needs the same one.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from aicourse.csv_text import to_csv
from aicourse.errors import AicourseError
from aicourse.notebook.checks import Check
from aicourse.paths import write_atomically
from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.judging.folder import file_stem
from aicourse.tooling.grading.judging.judging import plan

FOLDER = Path(__file__).parent
OWN = "names the incidents of your own fortnight"  # the check whose input is handed out
KINDS = ("outage", "dearer prompt", "truncated descriptions", "new kind of item")


def main() -> None:
    """Read the command line, write the files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", type=Path, help="a text file with a student on each line")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    given = parser.parse_args()
    try:
        students = read_names(given.names)
        make_salt(FOLDER / "salt.txt")
        write_fortnights(students, given.out)
    except (AicourseError, OSError) as error:
        sys.exit(str(error))


def read_names(path: Path) -> list[str]:
    """The students of a text file, each on a line; what Notepad puts before the first is no part of it."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        sys.exit(f"{path} is not UTF-8. Save it as UTF-8 text.")
    students = [line.strip() for line in lines if line.strip()]
    if twice := [student for student, count in Counter(students).items() if count > 1]:
        sys.exit(f"{path} names {twice[0]!r} more than once. Name each student once.")
    return students


def make_salt(path: Path) -> None:
    """Draw the secret, unless there is one."""
    if not path.is_file() or not path.read_text(encoding="utf-8").strip():
        write_atomically(path, secrets.token_hex(32) + "\n")
        print(f"Made the secret {path}. Keep a copy: without it these fortnights cannot be graded.")


def write_fortnights(students: Sequence[str], out: Path) -> None:
    """Write each student's file, and one with everybody's incidents."""
    assignment = load_assignment(FOLDER)
    lines = [["student", "folder", *KINDS]]
    for student in students:
        table, incidents = own_fortnight(assignment, student)
        text = table.to_csv(index=False, lineterminator="\n")
        write_atomically(out / file_stem(student) / "fortnight.csv", text)
        lines.append([student, file_stem(student), *(incidents[kind] for kind in KINDS)])
    write_atomically(out / "incidents.csv", to_csv(lines))
    print(f"{len(students)} fortnights in {out}. Each folder is for its student, incidents.csv for graders.")


def own_fortnight(assignment: Assignment, student: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """The rows that grading will draw for this student, and the day of each incident."""
    (check,) = (one for one in assignment.checks if isinstance(one, Check) and one.name == OWN)
    (planned,) = plan(replace(assignment, checks=(check,)), student).checks
    (given,) = planned.inputs
    return pd.DataFrame(given.positional[0]), check.expected(given)


if __name__ == "__main__":
    main()
