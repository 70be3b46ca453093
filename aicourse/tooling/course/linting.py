"""Check notebooks against the rules of the course without running them: `aicourse lint`.

Rules are grouped by what they look at: `rules.content`, `rules.structure`, `rules.rhythm`,
`rules.references`. A lesson may relax a rule with a reason, in its metadata:

    {"aicourse": {"relax": {"rhythm-row": "four providers, one cell each"}}}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aicourse.tooling.course.notebooks import Lesson, lessons, read_notebook
from aicourse.tooling.course.rules import content, references, rhythm, structure
from aicourse.tooling.course.rules.rule import Problem, Rule, Subject

RULES: tuple[Rule, ...] = (
    *content.RULES,
    *structure.RULES,
    *rhythm.RULES,
    *references.RULES,
)
UNREADABLE = "unreadable"
RELAX = "relax"


@dataclass(frozen=True)
class Finding:
    """One breach of one rule; `cell` is the number in the notebook, None when it concerns the whole."""

    lesson: str
    cell: int | None
    cell_id: str
    rule: str
    message: str
    fix: str

    def __str__(self) -> str:
        where = f" cell {self.cell} ({self.cell_id})" if self.cell else ""
        return f"{self.lesson}{where}: {self.message} {self.fix} [{self.rule}]"


def lint(names: Sequence[str | Path] | None = None) -> list[Finding]:
    """What the lessons in `names` (all by default) do that a rule forbids, in the order of the cells.

    Raises:
        LessonError: unknown lesson.
    """
    return [finding for lesson in lessons(names) for finding in _lint(lesson)]


def _lint(lesson: Lesson) -> list[Finding]:
    if lesson.problem:
        return [Finding(lesson.name, None, "", UNREADABLE, lesson.problem, "")]
    notebook = read_notebook(lesson.path)
    relaxed = notebook.metadata.get("aicourse", {}).get("relax", {})
    subject = Subject(lesson, notebook)
    problems = [(rule.name, problem) for rule in RULES for problem in rule.problems(subject)]
    kept = [(name, problem) for name, problem in problems if name not in relaxed]
    kept += [(RELAX, problem) for problem in _idle_relaxations(relaxed, {name for name, _ in problems})]
    found = [
        Finding(
            lesson.name,
            problem.cell.number if problem.cell else None,
            problem.cell.id if problem.cell else "",
            name,
            problem.message,
            problem.fix,
        )
        for name, problem in kept
    ]
    return sorted(found, key=lambda finding: finding.cell or 0)


def _idle_relaxations(relaxed: dict[str, str], broken: set[str]) -> Iterator[Problem]:
    for name, reason in relaxed.items():
        if name not in broken:
            yield Problem(None, f"Rule {name!r} is relaxed, and nothing breaks it.", "Take the entry out.")
        elif not str(reason).strip():
            yield Problem(None, f"Rule {name!r} is relaxed without a reason.", "Write the reason.")
