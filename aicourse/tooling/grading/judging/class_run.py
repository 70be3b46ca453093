"""`aicourse grade` as one function: the assignment, where student code runs, who answers prompts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.authoring.checks_file import PromptCheck
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.grade import Options, Summary, grade
from aicourse.tooling.grading.sandbox.execution import Executor


@dataclass(frozen=True)
class Place:
    """The place where student code runs: a level of protection here, or on the workers of `scheduler`."""

    level: str | None = None
    trust_notebooks: bool = False
    scheduler: str | None = None


def grade_class(
    name: str | Path,
    source: Path,
    out: Path,
    place: Place,
    options: Options,
    tell: Callable[[str], None] = lambda notice: None,
) -> Summary:
    """Grade the submissions in `source` to the assignment `name`, into the folder `out`.

    `tell` is told the assignment's notice first, if it has one, and how long its prompts will take at most
    before the first of them is asked live.

    Raises:
        AicourseError: the assignment is wrong, nothing was handed in, or code cannot be run protected.
    """
    assignment = load_assignment(name)
    if assignment.notice:
        tell(assignment.notice)
    if options.ask is None and any(isinstance(check, PromptCheck) for check in assignment.checks):
        from aicourse.tooling.grading.judging.prompting import model_asker

        asker = model_asker(assignment, replies=GradesFolder(out).replies, tell=tell)
        options = dataclasses.replace(options, ask=asker, expect=asker.expect)
    with _executor(assignment, place) as (execute, level, slots):
        options = dataclasses.replace(options, jobs=options.jobs or slots)
        return grade(assignment, source, out, execute, level=level, options=options)


@contextmanager
def _executor(assignment: Assignment, place: Place) -> Iterator[tuple[Executor, str | None, int | None]]:
    """The executor, the level it gives if known here, and how many at a time if not one per core."""
    if place.scheduler is not None:
        from aicourse.tooling.grading.cluster import ClusterExecutor

        cluster = ClusterExecutor(place.scheduler, level=place.level, trust_notebooks=place.trust_notebooks)
        with cluster:
            yield cluster.execute, place.level, cluster.slots
        return
    from aicourse.tooling.grading.sandbox.executor import Sandbox

    with Sandbox(place.level, trust_notebooks=place.trust_notebooks) as sandbox:
        yield sandbox.execute, sandbox.level, None
