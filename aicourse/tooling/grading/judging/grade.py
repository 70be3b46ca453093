"""Grade a class: many submissions at a time, resumed by default, and no bad file stops the batch.

    summary = grade(load_assignment("hw01"), Path("submissions"), Path("grades"), sandbox.execute, level="L3")

Each result is written the moment it is known, atomically, one file per student; running again grades
only what is new or changed (the submission's bytes, the checks, the level). A killed run costs the
submissions that were running, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path

from aicourse.errors import AicourseError, GradingError, SubmissionError
from aicourse.html import one_line
from aicourse.processes import core_count
from aicourse.suggestions import close_matches
from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.judging.apart import Work, work_apart
from aicourse.tooling.grading.judging.folder import GradesFolder, file_stem
from aicourse.tooling.grading.judging.grade_one import failed_result, grade_one, merged
from aicourse.tooling.grading.judging.judging import Ask
from aicourse.tooling.grading.judging.late import LatePolicy, evidence, for_class, with_lateness
from aicourse.tooling.grading.judging.results import STATUS_WORDS, Status, SubmissionResult
from aicourse.tooling.grading.sandbox.execution import Executor
from aicourse.tooling.grading.sandbox.levels import isolation
from aicourse.tooling.grading.submissions.collecting import Found, Submission, collect
from aicourse.tooling.grading.submissions.people import Groups, directory, grouped, named


@dataclass(frozen=True)
class Options:
    """Choices for one run: `regrade` names the questions to judge anew (others stay), `again` does all.

    `expect` is told before the first one how many submissions there are to grade.
    `groups` hand in one work for all of their members.
    """

    jobs: int | None = None
    only: tuple[str, ...] = ()
    regrade: frozenset[str] = frozenset()
    again: bool = False
    late: LatePolicy | None = None
    groups: Groups = field(default_factory=dict)
    ask: Ask | None = None
    expect: Callable[[int], None] = lambda count: None
    progress: bool = True


@dataclass(frozen=True)
class Handled:
    """The end of one submission, on one line; `kept` when an earlier result was still right."""

    student: str
    status: Status
    sentence: str
    level: str = ""
    kept: bool = False


@dataclass(frozen=True)
class Summary:
    """The end of a run; `stale` are results in the folder without a submission any more.

    `remarks` are sentences on hand-in times, and on groups and extensions of people who did not hand in.
    """

    folder: Path
    outcomes: tuple[Handled, ...]
    stale: tuple[str, ...] = field(default=())
    remarks: tuple[str, ...] = ()

    def count(self, status: Status) -> int:
        """The number that ended so."""
        return sum(outcome.status == status for outcome in self.outcomes)

    def __str__(self) -> str:
        kept = sum(outcome.kept for outcome in self.outcomes)
        counts = ", ".join(f"{self.count(status)} {words}" for status, words in STATUS_WORDS.items())
        lines = [f"{len(self.outcomes)} submissions: {counts}" + (f" ({kept} from before)." if kept else ".")]
        lines += filter(None, [isolation(outcome.level for outcome in self.outcomes)])
        for status in ("failed", "warning"):
            shown = [outcome for outcome in self.outcomes if outcome.status == status]
            lines += [f"  {one.student}: {STATUS_WORDS[one.status]}. {one.sentence}" for one in shown[:20]]
            lines += [f"  … and {len(shown) - 20} more" for _ in range(len(shown) > 20)]
        if self.stale:
            lines.append(
                f"In {self.folder} are results without a submission: {', '.join(self.stale[:5])}"
                f"{' …' if len(self.stale) > 5 else ''}. Delete them if these students are not to be graded."
            )
        return "\n".join([*lines, *self.remarks])


def grade(
    assignment: Assignment,
    source: Path,
    out: Path,
    execute: Executor,
    *,
    level: str | None = None,
    options: Options | None = None,
) -> Summary:
    """Grade what stands in `source` into the folder `out`; `level` is the protection that `execute` gives.

    Raises:
        SubmissionError: there is nothing to grade, or `only` names nobody.
        GradingError: another run grades into `out`, or a name of a group or an extension is two people's.
        AssignmentError: `regrade` names no question.
    """
    options = options or Options()
    for question in options.regrade:
        assignment.question(question)
    everyone, idle = grouped(collect(source, assignment.name), options.groups)
    unused: tuple[str, ...] = ()
    if options.late:
        late, unused = for_class(options.late, everyone)
        options = replace(options, late=late)
    chosen = _chosen(everyone, options.only)
    folder = GradesFolder(out)
    with work_apart(assignment) as work, folder.lock():
        batch = _Batch(assignment, folder, execute, work, level, options)
        options.expect(sum(map(batch.is_open, chosen)))
        outcomes = sorted(batch.run(chosen), key=lambda outcome: outcome.student)
        stored = (folder.find(one.student) for one in outcomes)
        remarks = tuple(_remarks(options.late, idle, unused, [one for one in stored if one]))
        return Summary(out, tuple(outcomes), tuple(_stale(folder, everyone)), remarks)


def _remarks(
    late: LatePolicy | None,
    idle: Sequence[str],
    unused: Sequence[str],
    results: Sequence[SubmissionResult],
) -> Iterator[str]:
    if idle:
        yield f"Groups of whom nobody handed in: {', '.join(idle)}."
    if late and (times := evidence(late, results)):
        yield times
    if unused:
        yield f"Extensions of people who did not hand in: {', '.join(unused)}."


def _chosen(found: Sequence[Found], only: Sequence[str]) -> list[Found]:
    if not only:
        return list(found)
    listed = directory(found)
    chosen = {name: named(listed, name) for name in only}
    for name, one in chosen.items():
        if one is None:
            near = close_matches(name, (other.student for other in found))
            meant = f" Did you mean {' or '.join(near)}?" if near else ""
            raise SubmissionError(f"Nobody called {name!r} handed in.{meant}", student=name)
    return list({one.student: one for one in chosen.values() if one}.values())


def _stale(folder: GradesFolder, found: Iterable[Found]) -> Iterator[str]:
    present = {file_stem(one.student) for one in found}
    yield from (
        path.stem for path in sorted(folder.results_dir.glob("[!.]*.json")) if path.stem not in present
    )


class _Batch:
    """One run over many submissions."""

    def __init__(
        self,
        assignment: Assignment,
        folder: GradesFolder,
        execute: Executor,
        work: Work,
        level: str | None,
        options: Options,
    ) -> None:
        self._assignment = assignment
        self._folder = folder
        self._execute = execute
        self._work = work
        self._level = level
        self._options = options

    def run(self, found: Sequence[Found]) -> Iterator[Handled]:
        """Grade them, some at a time; Ctrl-C keeps what is done."""
        from tqdm import tqdm

        jobs = self._options.jobs or core_count()
        hidden = None if self._options.progress else True  # None: shown in terminals, not in log files
        with (
            ThreadPoolExecutor(jobs, thread_name_prefix="grade") as pool,
            tqdm(total=len(found), unit="submission", disable=hidden, smoothing=0.1) as bar,
        ):
            try:
                for future in as_completed([pool.submit(self._grade, one) for one in found]):
                    outcome = future.result()
                    bar.update()
                    if outcome.status == "failed":
                        bar.write(f"{outcome.student}: could not be graded. {outcome.sentence}", end="\n")
                    yield outcome
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _grade(self, found: Found) -> Handled:
        """Whatever happens with one submission ends as its result."""
        submission: Submission | Found = found
        try:
            submission = found.read()
            stored = self._folder.find(submission.student)
            if stored and self._is_current(stored, submission.sha256):
                return self._keep(stored)
            result = grade_one(self._assignment, submission, self._execute, self._options.ask, self._work)
            if stored and self._options.regrade and stored.submission_sha256 == submission.sha256:
                result = merged(stored, result, self._options.regrade)
        except GradingError:
            raise  # not this submission's: the cluster is gone, the folder cannot be written
        except AicourseError as error:
            result = failed_result(self._assignment, submission, error.message)
        except Exception as error:  # a fault of the grader is one submission's, and says so
            sentence = (
                f"The grader itself failed ({type(error).__name__}: {error}). Grade again; then report it."
            )
            result = failed_result(self._assignment, submission, sentence)
        result = with_lateness(result, self._options.late)
        self._folder.write(result)
        return _handled(result)

    def is_open(self, found: Found) -> bool:
        """True if there is no result yet that may be kept; what was handed in is not read for that."""
        stored = self._folder.find(found.student)
        return stored is None or not self._is_current(stored, stored.submission_sha256)

    def _is_current(self, stored: SubmissionResult, submission_sha256: str) -> bool:
        if self._options.again or self._options.regrade or stored.status == "failed":
            return False
        if any(check.kind == "pending" for question in stored.questions for check in question.checks):
            return False
        same_level = self._level is None or stored.level == self._level
        same_checks = stored.checks_hash == self._assignment.checks_hash
        return same_level and same_checks and stored.submission_sha256 == submission_sha256

    def _keep(self, stored: SubmissionResult) -> Handled:
        """An earlier result, with today's late policy."""
        current = with_lateness(stored, self._options.late)
        if current != stored:
            self._folder.write(current)
        return _handled(stored, kept=True)


def _handled(result: SubmissionResult, *, kept: bool = False) -> Handled:
    return Handled(one_line(result.student), result.status, result.sentence, result.level, kept)
