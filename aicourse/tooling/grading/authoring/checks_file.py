"""The `checks.py` of an assignment, which stands beside its master notebook: plain Python, never released.

    checks = [Check("reads centimetres", ["80 cm", "6 cm"], reference=read_size, question="q1", …), …]
    planted = [Planted("q1", "first number", loses=2, shows="Which one has a unit?", source="def …")]
    alternatives = {"q1": ["def read_size(text): ..."]}   # other right answers: they must earn all points
    seed = "spring 2027"                                  # other drawn inputs than last year's

Checks are written as in lessons (see `aicourse.notebook.checks`); `homework/README.md` has a longer example.
Student code never sees any of it: a submission is called with the inputs, and judged in the grader.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aicourse.errors import AssignmentError
from aicourse.notebook.checks import Arguments, Check
from aicourse.notebook.checks.calling import describe, describe_error
from aicourse.notebook.checks.files import run_file
from aicourse.notebook.checks.language import SECONDS
from aicourse.tooling.grading.sandbox.execution import Dialogue, Limits


@dataclass(frozen=True)
class PromptCase:
    """One hidden case: what the prompt is filled in with, and what is right."""

    id: str
    variables: Mapping[str, str]
    expected: Any


@dataclass(frozen=True, kw_only=True, eq=False)
class LevelCheck:
    """A check with levels: the mean score over hidden cases earns the points of the best level reached.

    - `levels`: (least mean score, points) pairs.
    - `measure`: what the score is called in feedback ("mean F1"); `message`: advice below the best level.
    """

    question: str
    name: str
    target: str
    levels: Sequence[tuple[float, float]]
    measure: str = "mean score"
    message: str = ""
    public: bool = False

    def __post_init__(self) -> None:
        if not self.levels:
            raise AssignmentError(f"{self.place} needs levels. Give it at least one.")

    @property
    def place(self) -> str:
        """Its name in errors."""
        return f"checks.py: the check {self.name!r} of {self.question}"

    @property
    def points(self) -> float:
        """Points of the best level."""
        return max(points for _, points in self.levels)

    def points_for(self, score: float) -> float:
        """The points of the best level that `score` reaches."""
        return max((points for least, points in self.levels if score >= least), default=0)


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredCheck(LevelCheck):
    """A function that the student wrote, called with hidden inputs, each answer scored outside.

    - `inputs`: the hidden inputs, the same for all students: one value each, or `arguments(…)`.
    - `score(answer, given)`: `worst` to 1 for one answer; whatever it raises counts as 0, as does no answer.
    - `seconds`: the time that one call may take.
    - `dialogue(given)`: for functions that are called step by step, the grader's side of it; then `seconds`
      are for the whole, and `answer` is what it gives. `summary(answers)` is told with the score.
    """

    inputs: Sequence[Any]
    score: Callable[[Any, Arguments], float]
    seconds: float = SECONDS
    worst: float = 0
    dialogue: Callable[[Arguments], Dialogue] | None = None
    summary: Callable[[Sequence[Any]], str] = lambda answers: ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.inputs:
            raise AssignmentError(f"{self.place} needs inputs. Give it at least one.")

    def draw(self) -> tuple[Arguments, ...]:
        """The inputs as arguments."""
        return tuple(one if isinstance(one, Arguments) else Arguments((one,)) for one in self.inputs)


@dataclass(frozen=True, kw_only=True, eq=False)
class PromptCheck(LevelCheck):
    """A prompt that the student wrote; the *grader* asks the model with it, on cases nobody has seen.

    - `target`: the variable that holds the prompt (a text).
    - `request(prompt, case)`: the body of a chat completion, all of it (model, messages, sampling).
    - `score(reply, case)`: 0 to 1 for one case; the mean counts. It must not raise on any text.
    - `problem(prompt)`: a sentence when the prompt cannot be asked at all, else "".
    """

    cases: Sequence[PromptCase]
    request: Callable[[str, PromptCase], dict[str, Any]]
    score: Callable[[str, PromptCase], float]
    problem: Callable[[str], str] = lambda prompt: ""
    most_characters: int = 4_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.cases:
            raise AssignmentError(f"{self.place} needs cases. Give it at least one.")

    @property
    def seconds(self) -> float:
        """Time to read a variable."""
        return SECONDS


AnyCheck = Check | PromptCheck | ScoredCheck


@dataclass(frozen=True)
class Planted:
    """A wrong solution that `aicourse homework verify` tries: `source` replaces the question's answer cell.

    It must lose exactly `loses` of the question's points, none elsewhere, and show the text `shows`.
    """

    question: str
    name: str
    loses: float
    shows: str
    source: str


@dataclass(frozen=True)
class ChecksFile:
    """Everything that a `checks.py` defines.

    `alternatives` are other right answers by question; `files` are names beside it that students get and
    submissions may read; `notice` is for whoever grades, and read before it begins. With `embeddings`,
    submissions may embed texts (`sandbox.embedding`); recorded vectors stand in `vectors.jsonl`.
    """

    checks: tuple[AnyCheck, ...]
    planted: tuple[Planted, ...] = ()
    alternatives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seed: str = ""
    limits: Limits = field(default_factory=Limits)
    files: tuple[str, ...] = ()
    notice: str = ""
    embeddings: bool = False
    sha256: str = ""


def load_checks(path: Path) -> ChecksFile:
    """Run `checks.py` and take what it defines.

    Raises:
        AssignmentError: there is none, it does not run, or `checks` or `planted` hold something else.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise AssignmentError(
            f"No {path.name} in {path.parent} ({error.strerror}). Write the hidden checks there; "
            "homework/README.md shows how.",
            path=path,
        ) from error
    found = _run(path)
    listed = _records(found, "checks", (Check, PromptCheck, ScoredCheck), path)
    for check in listed:
        _validate(check)
    return ChecksFile(
        checks=listed,
        planted=_records(found, "planted", (Planted,), path),
        alternatives=_alternatives(found, path),
        seed=str(found.get("seed", "")),
        limits=_limits(found, path),
        files=_file_names(found, path),
        notice=str(found.get("notice", "")),
        embeddings=found.get("embeddings") is True,
        sha256=_hash(source, listed),
    )


def _run(path: Path) -> dict[str, Any]:
    try:
        return run_file(path)
    except AssignmentError:
        raise
    except (Exception, SystemExit) as error:
        line = _line_in(error, path)
        raise AssignmentError(
            f"{path.name}{line} does not run ({type(error).__name__}: {error}). Correct it there.", path=path
        ) from error


def _line_in(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError):
        return f", line {error.lineno},"
    line, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = f", line {trace.tb_lineno},"
        trace = trace.tb_next
    return line


def _records(found: dict[str, Any], name: str, kinds: tuple[type, ...], path: Path) -> tuple[Any, ...]:
    listed = found.get(name, () if name == "planted" else None)
    wanted = " or ".join(kind.__name__ for kind in kinds)
    if not isinstance(listed, (list, tuple)) or not all(isinstance(item, kinds) for item in listed):
        raise AssignmentError(
            f"{path.name} must define `{name}` as a list of {wanted}. Correct it.", path=path
        )
    return tuple(listed)


def _validate(check: AnyCheck) -> None:
    """Refuse a check that could not be asked, or whose points do not count."""
    problem = _problem(check) if isinstance(check, Check) else ""
    if not all(part.isidentifier() for part in check.target.split(".")):
        problem = f"has the target {check.target!r}, which is no name in Python. Correct it."
    points = check.points
    if isinstance(points, bool) or not isinstance(points, (int, float)) or not 0 <= points < 1_000:
        problem = f"has {points!r} points. Give a number from 0 up."
    if problem:
        raise AssignmentError(f"{check.place} {problem}")


def reference_failed(check: Check, given: Arguments | None, error: Exception) -> AssignmentError:
    """The error to raise when a check's own reference cannot be run."""
    shown = describe(given.positional if given is not None else ())
    return AssignmentError(
        f"{check.place}: its reference fails on {shown} ({describe_error(error)}). "
        "Correct the reference, or use raises."
    )


def _problem(check: Check) -> str:
    if not check.raises and check.reference is None and check.predicate is None:
        return "compares with nothing: give reference, predicate or raises."
    if check.raises and not check.inputs:
        return "has raises but no inputs to raise for. Give it inputs."
    if callable(check.reference) and not check.inputs and not check.predicate:
        return "has a function as reference but no inputs. Give it inputs."
    if check.public and callable(check.inputs):
        return "is public, so its inputs must be fixed: write them as a list."
    return ""


def _alternatives(found: dict[str, Any], path: Path) -> dict[str, tuple[str, ...]]:
    stated = found.get("alternatives", {})
    try:
        return {str(question): tuple(map(str, sources)) for question, sources in stated.items()}
    except (AttributeError, TypeError):
        raise AssignmentError(
            f'{path.name}: `alternatives` must be like {{"q1": ["def …", "def …"]}}. Correct it.', path=path
        ) from None


def _limits(found: dict[str, Any], path: Path) -> Limits:
    limits = found.get("limits", Limits())
    if not isinstance(limits, Limits):
        raise AssignmentError(
            f"{path.name}: `limits` must be a Limits(…) of aicourse.tooling.grading.sandbox.execution."
        )
    return limits


def _file_names(found: dict[str, Any], path: Path) -> tuple[str, ...]:
    names = tuple(str(name) for name in found.get("files", ()))
    for name in names:
        if Path(name).name != name or not (path.parent / name).is_file():
            raise AssignmentError(
                f"{path.name}: `files` names {name!r}, which is no file beside it. Put it there."
            )
    return names


def _hash(source: bytes, checks: tuple[AnyCheck, ...]) -> str:
    """Of the source and of hidden cases and inputs, which may come from another file."""
    digest = hashlib.sha256(source)
    for check in checks:
        if isinstance(check, ScoredCheck):
            digest.update(repr(check.draw()).encode())
        if isinstance(check, PromptCheck):
            digest.update(
                repr([(case.id, dict(case.variables), case.expected) for case in check.cases]).encode()
            )
    return digest.hexdigest()
