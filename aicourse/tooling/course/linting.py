"""Check notebooks against the rules of the course without running them: `aicourse lint`.

Rules are grouped by what they look at: `rules.content`, `rules.structure`, `rules.rhythm`,
`rules.prose`, `rules.references`, `rules.code`. A lesson may relax a rule with a reason, in its metadata:

    {"aicourse": {"relax": {"rhythm-row": "four providers, one cell each"}}}
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aicourse.tooling.course.notebooks import Lesson, lessons, read_notebook
from aicourse.tooling.course.rules import (
    Breach,
    LintRule,
    Subject,
    code,
    content,
    prose,
    references,
    rhythm,
    structure,
)

RULES: tuple[LintRule, ...] = (
    *content.RULES,
    *structure.RULES,
    *rhythm.RULES,
    *prose.RULES,
    *references.RULES,
    *code.RULES,
)
UNREADABLE = "unreadable"
RELAX = "relax"


def lint(names: Sequence[str | Path] | None = None) -> list[Breach]:
    """The breaches of rules in the lessons in `names` (all by default), in the order of the cells.

    Raises:
        LessonError: unknown lesson.
    """
    return [breach for lesson in lessons(names) for breach in _lint(lesson)]


def paces(names: Sequence[str | Path] | None = None) -> list[tuple[Lesson, rhythm.Pace]]:
    """Each readable lesson in `names` (all by default) with its size and rhythm."""
    readable = [lesson for lesson in lessons(names) if not lesson.problem]
    return [(lesson, rhythm.pace(read_notebook(lesson.path))) for lesson in readable]


def _lint(lesson: Lesson) -> list[Breach]:
    if lesson.problem:
        return [Breach(None, lesson.problem, "", lesson.name, UNREADABLE)]
    notebook = read_notebook(lesson.path)
    relaxed = notebook.metadata.get("aicourse", {}).get("relax", {})
    subject = Subject(lesson, notebook)
    found = [
        replace(breach, lesson=lesson.name, rule=rule.name)
        for rule in RULES
        for breach in rule.breaches(subject)
    ]
    kept = [breach for breach in found if breach.rule not in relaxed]
    kept += [
        replace(breach, lesson=lesson.name, rule=RELAX)
        for breach in _idle_relaxations(relaxed, {breach.rule for breach in found})
    ]
    return sorted(kept, key=lambda breach: breach.cell.number if breach.cell else 0)


def _idle_relaxations(relaxed: Mapping[str, str], broken: Container[str]) -> Iterator[Breach]:
    for name, reason in relaxed.items():
        if name not in broken:
            yield Breach(None, f"Rule {name!r} is relaxed, and nothing breaks it.", "Take the entry out.")
        elif not str(reason).strip():
            yield Breach(None, f"Rule {name!r} is relaxed without a reason.", "Write the reason.")
