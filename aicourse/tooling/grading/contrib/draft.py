"""An assignment while it is converted from another tool: what the readers of nbgrader and otter build."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aicourse.notebook_json import new_cell
from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.authoring.markers import has_solution

RUBRIC = "graded by hand (imported: write out what earns the points)"
_LEFT = ", not converted:"


@dataclass
class ImportDraft:
    """Cells of the new master, sources of checks, files to hand out, and what is left to a person."""

    title: str = ""
    cells: list[dict[str, Any]] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def add(
        self,
        kind: str,
        cell_id: str,
        source: str,
        stated: Mapping[str, Any] | None = None,
        attachments: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Append a cell to the master, and return it; its id is made unique."""
        base = re.sub(r"[^A-Za-z0-9_-]+", "-", cell_id).strip("-")[:50] or "cell"
        metadata = {"aicourse": dict(stated)} if stated else {}
        name = _new_name(base, [cell["id"] for cell in self.cells])
        pictures = {"attachments": dict(attachments)} if attachments else {}
        self.cells.append(new_cell(kind, source, name, metadata) | pictures)
        return self.cells[-1]

    def add_manual(
        self, kind: str, name: str, source: str, question: str, points: float, rubric: str = RUBRIC
    ) -> None:
        """Append the first answer cell of a question that a person grades; code counts as its solution."""
        self.add(kind, name, manual_source(kind, source), manual(question, points, rubric))

    def leave(self, question: str, sources: Sequence[str]) -> None:
        """Note tests that a person must write anew."""
        for source in sources:
            first = source.splitlines()[0]
            self.notes.append(f"{question}: this test could not be converted: {first}")
            commented = "\n".join(f"    # {line}" for line in source.splitlines())
            self.comments.append(f"    # {question}{_LEFT}\n{commented}\n")


def left_to_do(assignment: Assignment) -> tuple[str, ...]:
    """Work that an import left in an assignment: tests that are comments, rubrics that nobody wrote."""
    source = (assignment.folder / "checks.py").read_text(encoding="utf-8")
    tests = re.findall(rf"^\s*# (\S+){re.escape(_LEFT)}$", source, re.MULTILINE)
    blank = [one.id for one in assignment.questions if any(line.text == RUBRIC for line in one.rubric)]
    return tuple(
        [f"{name}: {count} of its tests in checks.py not converted" for name, count in Counter(tests).items()]
        + [f"{name}: its rubric is not written yet" for name in blank]
    )


def manual(question: str, points: float, rubric: str = RUBRIC) -> dict[str, Any]:
    """The metadata of a cell that a person grades."""
    lines = [{"text": rubric, "points": plain_points(points)}]
    return {"question": question, "role": "manual", "points": plain_points(points), "rubric": lines}


def manual_source(kind: str, source: str) -> str:
    """A cell that a person grades, with its solution marked."""
    return source if kind == "markdown" or has_solution(source) else wrapped(source)


def wrapped(source: str) -> str:
    """Code that is a solution as a whole, between our markers."""
    return f"### BEGIN SOLUTION\n{source.strip()}\n### END SOLUTION"


def plain_points(points: float) -> float:
    """Points as people write them: 2, not 2.0."""
    return int(points) if points == int(points) else round(points, 2)


def question_id(name: str, taken: Sequence[str]) -> str:
    """A valid, new id from another tool's name: `cell-1a2b` stays, `1 b` becomes `q-1-b`."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-") or "q"
    return _new_name(plain if plain[0].isalpha() else f"q-{plain}", taken)


def _new_name(name: str, taken: Sequence[str]) -> str:
    """`name`, with a number behind it if it is taken."""
    count, found = 2, name
    while found in taken:
        found, count = f"{name}-{count}", count + 1
    return found
