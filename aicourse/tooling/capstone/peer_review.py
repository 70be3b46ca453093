"""Peer review of three: who reads whom, forms to fill in, and the medians as points of a gradebook.

    reviews/assignment.csv      reviewer, work, author, code: for the instructor alone
    reviews/forms/<code>.csv    one form per reviewer, a line for each work and criterion

Students sit in a circle, each group together; with three different steps, none shorter than the largest group
on either way round, everybody reads three others, is read by three, and never meets the own group. Forms come
back from strangers: what is in them is text and numbers, checked line by line, and never a formula.
"""

from __future__ import annotations

import csv
import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from aicourse import paths
from aicourse.csv_text import read_csv, to_csv
from aicourse.errors import GradingError
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.results import (
    CheckOutcome,
    QuestionOutcome,
    SubmissionResult,
    plain_number,
)

REVIEWS, MOST_POINTS, LEAST_REVIEWS = 3, 2, 2
FORM_BYTES, LONGEST_COMMENT = 1 << 20, 2_000
_FORM = ("code", "work", "criterion", "points", "comment", "0", "1", "2")


@dataclass(frozen=True)
class RubricLine:
    """One line of the rubric: its name, its question, and what earns 0, 1 and 2 points."""

    name: str
    question: str
    levels: tuple[str, str, str]


@dataclass(frozen=True)
class PeerReview:
    """One task: `reviewer` reads `author`'s work, which the form calls `work`."""

    reviewer: str
    work: str
    author: str
    code: str


@dataclass(frozen=True)
class Merged:
    """The result of a merge: students with points, and sentences that an instructor has to read."""

    students: int
    remarks: tuple[str, ...]


def rubric() -> tuple[RubricLine, ...]:
    """The capstone's rubric, from the course's files."""
    lines = _table(
        paths.course_dir() / "homework" / "capstone" / "rubric.csv", "criterion", "question", "0", "1", "2"
    )
    return tuple(
        RubricLine(one["criterion"], one["question"], (one["0"], one["1"], one["2"])) for one in lines
    )


def assign(roster: Path, seed: int, out: Path, *, anonymous: bool = False) -> int:
    """Write the assignment and the forms into `out`; returns how many works each student reads.

    `roster` has the columns student and, if there are groups, group. `anonymous` calls works by number.

    Raises:
        GradingError: nobody, or a name twice; the class is too small for a single review each; or `out` has
            another assignment, or forms that are filled in.
    """
    lines = _table(roster, "student")
    groups = {one["student"]: one.get("group") or f"\0{one['student']}" for one in lines}
    if len(groups) < len(lines):
        raise GradingError(f"{roster} names a student twice. Give each one line.")
    reviews = _reviews(groups, seed, anonymous)
    head = ["reviewer", "work", "author", "code"]
    rows = [[one.reviewer, one.work, one.author, one.code] for one in reviews]
    files = {out / "assignment.csv": to_csv([head, *rows])}
    for code in {one.code for one in reviews}:
        mine = [one for one in reviews if one.code == code]
        files[out / "forms" / f"{code}.csv"] = to_csv(_form(mine))
    kept = [path for path in out.rglob("*.csv") if path.read_bytes() != files.get(path)]
    if kept:
        raise GradingError(
            f"{out} holds another assignment, or forms that are filled in: {min(kept).relative_to(out)}. "
            "Nothing was written. Name another folder with --out."
        )
    for path, content in files.items():
        paths.write_atomically(path, content)
    return len(reviews) // len(groups)


def _reviews(groups: Mapping[str, str], seed: int, anonymous: bool) -> list[PeerReview]:
    dice, sizes = random.Random(seed), Counter(groups.values())
    order = {group: dice.random() for group in sorted(sizes)}
    circle = sorted(sorted(groups), key=lambda student: (order[groups[student]], dice.random()))
    largest = max(sizes.values(), default=0)
    steps = range(largest, len(circle) - largest + 1) if largest else range(0)
    if not steps:
        raise GradingError(
            f"{len(circle)} students, and the largest group has {largest}: nobody can be read by others. "
            "Make smaller groups, or grade by hand."
        )
    taken = sorted(dice.sample(steps, min(REVIEWS, len(steps))))
    numbers = dice.sample(range(1, len(circle) + 1), len(circle))
    called = {
        student: f"work {number:03}" if anonymous else student
        for number, student in zip(numbers, circle, strict=True)
    }
    codes = {student: hashlib.sha256(f"{seed} {student}".encode()).hexdigest()[:10] for student in circle}
    pairs = (
        (student, circle[(place + step) % len(circle)])
        for place, student in enumerate(circle)
        for step in taken
    )
    return sorted(
        (PeerReview(one, called[other], other, codes[one]) for one, other in pairs),
        key=lambda one: (one.reviewer, one.work),
    )


def _form(reviews: Iterable[PeerReview]) -> Iterable[list[str]]:
    yield list(_FORM)
    for review in reviews:
        for one in rubric():
            yield [review.code, review.work, one.name, "", "", *one.levels]


def merge(forms: Path, assignment: Path, into: GradesFolder, *, named: bool = False) -> Merged:
    """Write medians per criterion as results, from which `aicourse gradebook build` makes the gradebook.

    A criterion with fewer than two reviews stays open. `named` shows reviewers' names in the feedback.
    Points that an instructor gives (`aicourse gradebook merge`) win over the median, before and after.

    Raises:
        GradingError: no assignment, no form, or `into` holds results of something else.
    """
    if into.results_dir.is_dir() and any(one.assignment != "capstone" for one in into.results()):
        raise GradingError(f"{into.root} holds results of another assignment. Name another folder.")
    columns = ("reviewer", "work", "author", "code")
    tasks = [PeerReview(*(one[name] for name in columns)) for one in _table(assignment, *columns)]
    given, remarks = _given(forms, tasks)
    authors = sorted({task.author for task in tasks})
    for author in authors:
        mine = [task for task in tasks if task.author == author]
        missing = [task.reviewer for task in mine if not given.get((task.code, task.work))]
        remarks += [f"{author}: no review by {', '.join(missing)}"] if missing else []
        questions = []
        for criterion in rubric():
            marks = [
                (task, *given[task.code, task.work][criterion.name])
                for task in mine
                if criterion.name in given.get((task.code, task.work), {})
            ]
            points = [mark[1] for mark in marks]
            if points and max(points) - min(points) == MOST_POINTS:
                remarks.append(
                    f"{author}, {criterion.name}: {', '.join(map(plain_number, points))} points. Read it."
                )
            questions.append(_question(criterion, marks, named))
        into.write(_result(author, questions, len(mine) - len(missing), len(mine)))
    return Merged(len(authors), tuple(remarks))


Given = dict[
    tuple[str, str], dict[str, tuple[float, str]]
]  # by code and work: points and comment by criterion


def _given(forms: Path, tasks: list[PeerReview]) -> tuple[Given, list[str]]:
    """The points of all forms, and remarks on forms that do not count."""
    given: Given = {}
    sources: dict[str, Path] = {}
    remarks: list[str] = []
    files = sorted(path for path in forms.rglob("*.csv") if path.is_file() and not path.is_symlink())
    if not files:
        raise GradingError(f"There is no form in {forms}. Put the CSV files there that reviewers handed in.")
    known, names = {(task.code, task.work) for task in tasks}, {one.name for one in rubric()}
    twice = set()
    for path in files:
        try:
            lines = _table(path, *_FORM[:4])
            codes = {line["code"] for line in lines}
            read = _filled(lines, known, names)
        except GradingError as error:
            remarks.append(f"{path.name} does not count: {error.message}")
            continue
        twice |= {code for code in codes if code in sources}
        sources |= dict.fromkeys(codes, path)
        given |= read
    for code in sorted(twice):
        who = next(task.reviewer for task in tasks if task.code == code)
        remarks.append(f"{who}: two forms with one code, and neither counts. Ask which is theirs.")
        given = {key: value for key, value in given.items() if key[0] != code}
    return given, remarks


def _filled(lines: list[dict[str, str]], known: set[tuple[str, str]], names: set[str]) -> Given:
    """The lines of a form that have points.

    Raises:
        GradingError: a line that is not of the form as it was handed out, or points other than 0, 1 and 2.
    """
    given: Given = defaultdict(dict)
    for number, line in enumerate(lines, start=2):
        key, criterion, points = (
            (line["code"], line["work"]),
            line["criterion"],
            line["points"].replace(",", "."),
        )
        if key not in known or criterion not in names or criterion in given[key]:
            raise GradingError(
                f"line {number} is of no review that was asked for. Fill in the form that you were given."
            )
        if points in ("", "0", "1", "2", "0.0", "1.0", "2.0"):
            given[key] |= (
                {criterion: (float(points), line.get("comment", "")[:LONGEST_COMMENT])} if points else {}
            )
        else:
            raise GradingError(f"line {number}: {points[:20]!r} points; write 0, 1 or 2.")
    return {key: value for key, value in given.items() if value}


def _question(
    criterion: RubricLine, marks: list[tuple[PeerReview, float, str]], named: bool
) -> QuestionOutcome:
    shown = tuple(
        CheckOutcome(
            name=task.reviewer if named else f"reviewer {number}",
            points=MOST_POINTS,
            earned=points,
            passed=points == MOST_POINTS,
            kind="passed" if points == MOST_POINTS else "failed",
            message=comment,
            hint=criterion.levels[2] if points < MOST_POINTS else "",
        )
        for number, (task, points, comment) in enumerate(marks, start=1)
    )
    earned = float(median(mark[1] for mark in marks)) if len(marks) >= LEAST_REVIEWS else None
    return QuestionOutcome(
        id=criterion.name,
        title=criterion.question,
        kind="manual",
        points=MOST_POINTS,
        earned=earned,
        checks=shown,
        answer="The project as it was handed in.",
    )


def _result(author: str, questions: list[QuestionOutcome], have: int, wanted: int) -> SubmissionResult:
    return SubmissionResult(
        student=author,
        submission="capstone",
        assignment="capstone",
        title="Capstone",
        status="graded" if have == wanted else "warning",
        sentence=f"Reviewed by {have} of {wanted} peers.",
        questions=tuple(questions),
    )


def _table(path: Path, *wanted: str) -> list[dict[str, str]]:
    """The lines of a CSV file by column; also with semicolons, as some editions of Excel write it.

    Raises:
        GradingError: it cannot be read, is too large, or has not all columns.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FORM_BYTES + 1)
        delimiter = ";" if data.split(b"\n")[0].count(b";") else ","
        lines = read_csv(data, delimiter)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GradingError(f"{path} cannot be read ({error}). Save it as CSV UTF-8.") from None
    head = [cell.strip().lower() for cell in lines[0]] if lines else []
    if len(data) > FORM_BYTES or not set(wanted) <= set(head) or len(lines) < 2:
        raise GradingError(
            f"{path} needs the columns {', '.join(wanted)}, lines, and at most {FORM_BYTES:,} bytes."
        )
    return [
        {name: cell.strip() for name, cell in zip(head, line, strict=False)}
        | dict.fromkeys(head[len(line) :], "")
        for line in lines[1:]
        if any(line)
    ]
