"""Rules about how a lesson is built: the parts that every lesson has (the curriculum's list).

An exercise is three cells: the stub (tag "exercise"), then its check (tag "check") as the next code
cell, then the solution (tag "solution", folded) as the one after; Markdown may stand between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aicourse.errors import ExerciseError
from aicourse.notebook.exercises.authoring import Exercise, load_checks
from aicourse.notebook_json import Cell
from aicourse.tooling.course.exercises import check_calls
from aicourse.tooling.course.notebooks import assigned_names
from aicourse.tooling.course.rules import Breach, LintRule, Subject, has_picture

PARAMETERS = ("MODEL", "N_CASES", "SEED", "OUT_DIR")
EXERCISES = range(3, 6)
PREDICTIONS = 2
RECAP_LINES = 5
_STATED = ("lesson", "title", "question", "minutes", "builds_on", "live_calls")
_DEFINES = r"(?m)^(def |class )?{}\b"
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.MULTILINE)


def _header(subject: Subject) -> Iterator[Breach]:
    stated = subject.notebook.metadata.get("aicourse", {})
    if missing := [name for name in _STATED if name not in stated]:
        yield Breach(
            None,
            f"The metadata do not say: {', '.join(missing)}.",
            'Add them under "aicourse" in the notebook\'s metadata.',
        )
    cells = subject.notebook.cells
    lesson = subject.lesson
    wanted = f"# {lesson.number} · {lesson.title}"
    if not cells or not cells[0].is_markdown or cells[0].source.partition("\n")[0] != wanted:
        yield Breach(
            cells[0] if cells else None, "The lesson does not begin with its title.", f"Write: {wanted}"
        )
    elif "?" not in cells[0].source or "minutes" not in cells[0].source:
        yield Breach(
            cells[0],
            "The header does not say which question the lesson answers, and how long it takes.",
            "Write the question, what you will be able to do, minutes, calls and cost, what it builds on.",
        )
    if not any(f'start("{lesson.number}")' in cell.source for cell in subject.notebook.code_cells[:1]):
        yield Breach(
            None, "The first code cell does not start the lesson.", f'Write: start("{lesson.number}")'
        )


def _parameters(subject: Subject) -> Iterator[Breach]:
    found = subject.notebook.tagged("parameters")
    if len(found) != 1:
        yield Breach(
            None,
            f"There are {len(found)} cells tagged parameters, not one.",
            f"Tag the cell that sets {', '.join(PARAMETERS)}.",
        )
        return
    if missing := [name for name in PARAMETERS if name not in assigned_names(found[0].source)]:
        yield Breach(
            found[0], f"No value for {', '.join(missing)}.", "Set it, even when the lesson ignores it."
        )


def _predictions(subject: Subject) -> Iterator[Breach]:
    found = [cell for cell in subject.notebook.tagged("prediction") if "predict(" in cell.source]
    if len(found) < PREDICTIONS:
        yield Breach(
            None,
            f"{len(found)} of at least {PREDICTIONS} predictions.",
            "Ask before a surprising result, with predict(…) in a cell tagged prediction.",
        )


def _touch(subject: Subject) -> Iterator[Breach]:
    if not subject.notebook.tagged("touch"):
        yield Breach(None, "Nothing to touch.", "Add a slider, button or explorer, in a cell tagged touch.")


def _plot(subject: Subject) -> Iterator[Breach]:
    if not any(has_picture(cell) for cell in subject.notebook.code_cells):
        yield Breach(None, "No plot.", "Show one finding as a picture, then store outputs.")


def _exercise_count(subject: Subject) -> Iterator[Breach]:
    count = len(subject.notebook.tagged("exercise"))
    if count not in EXERCISES:
        yield Breach(
            None,
            f"{count} exercises.",
            f"A lesson has {EXERCISES[0]} to {EXERCISES[-1]}; tag their cells exercise.",
        )


def _following(subject: Subject, cell: Cell, steps: int) -> Cell | None:
    later = [other for other in subject.notebook.code_cells if other.number > cell.number]
    return later[steps - 1] if len(later) >= steps else None


def _exercise_check(subject: Subject) -> Iterator[Breach]:
    for cell in subject.notebook.tagged("exercise"):
        beside = _following(subject, cell, 1)
        if beside is None or "check" not in beside.tags or not check_calls(beside.source):
            yield Breach(
                cell,
                "No check beside the exercise.",
                f'Let the next code cell be tagged check and call check("{subject.lesson.number}.N", …).',
            )


def _exercise_solution(subject: Subject) -> Iterator[Breach]:
    for cell in subject.notebook.tagged("exercise"):
        beside, after = _following(subject, cell, 1), _following(subject, cell, 2)
        wanted = [call.solution for call in check_calls(beside.source)] if beside else []
        if after is None or "solution" not in after.tags:
            yield Breach(cell, "No solution after the check.", "Add one in a cell tagged solution.")
        elif not after.metadata.get("jupyter", {}).get("source_hidden"):
            yield Breach(after, "The solution is open.", 'Fold it: {"jupyter": {"source_hidden": true}}.')
        elif missing := [name for name in wanted if not re.search(_DEFINES.format(name), after.source)]:
            fix = "It is the answer that the check cell passes, with _solution behind it."
            yield Breach(after, f"The solution does not define {missing[0]}.", fix)


def _exercise_hint(subject: Subject) -> Iterator[Breach]:
    try:
        known = {exercise.id: exercise for exercise in _exercises(subject)}
    except (ExerciseError, OSError) as error:
        yield Breach(None, f"The checks cannot be read: {error}.", f"Write {subject.lesson.checks.name}.")
        return
    for cell in subject.notebook.tagged("check"):
        for call in check_calls(cell.source):
            if call.exercise not in known:
                yield Breach(cell, f"Exercise {call.exercise} has no checks.", "Add it to the checks file.")
            elif not known[call.exercise].hints:
                yield Breach(cell, f"Exercise {call.exercise} has no hints.", "Add hints in the checks file.")


def _exercises(subject: Subject) -> tuple[Exercise, ...]:
    if not subject.notebook.tagged("check"):
        return ()
    return load_checks(subject.lesson.checks)


def _sections(subject: Subject) -> Iterator[Breach]:
    holders = {
        heading: cell
        for cell in subject.notebook.cells
        if cell.is_markdown
        for heading in _HEADING.findall(cell.source)
    }
    for title in ("In your product", "Recap"):
        if title not in holders:
            yield Breach(None, f"No section {title!r}.", f"End the lesson with it: ## {title}")
    if recap := holders.get("Recap"):
        lines = re.findall(r"^\s*(?:[-*]|\d+\.)\s", recap.source, re.MULTILINE)
        if len(lines) != RECAP_LINES:
            yield Breach(recap, f"The recap has {len(lines)} lines.", f"Say it in {RECAP_LINES}.")


RULES = (
    LintRule("header", "Title, question, minutes and what it builds on; then start().", _header),
    LintRule("parameters", f"One cell of parameters for papermill: {', '.join(PARAMETERS)}.", _parameters),
    LintRule("predictions", f"At least {PREDICTIONS} predictions.", _predictions),
    LintRule("touch", "At least one slider, button or explorer.", _touch),
    LintRule("plot", "At least one plot.", _plot),
    LintRule("exercise-count", f"{EXERCISES[0]} to {EXERCISES[-1]} exercises.", _exercise_count),
    LintRule("exercise-check", "Every exercise has a check in the next code cell.", _exercise_check),
    LintRule("exercise-solution", "Every exercise has a folded solution after it.", _exercise_solution),
    LintRule("exercise-hint", "Every exercise has hints in the checks file.", _exercise_hint),
    LintRule("sections", "Sections 'In your product' and 'Recap' (five lines).", _sections),
)
