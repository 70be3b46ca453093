"""The gate's rules as an instructor or a CI file writes them: on the command line, in YAML or in TOML.

brand.exact=0.05            all cases: proven to be at most 0.05 worse
brand.exact=0.05:0.10       and slices are shown that are more than 0.10 worse; they do not decide

strict: false               # gate.yaml; the same keys in TOML
rules:
  - {score: brand.exact, tolerance: 0.05, slice_tolerance: 0.10, slices: {shade: 0.05}}   # shade decides
  - {score: brand.exact, tolerance: 0.05, mode: no loss shown, allow_cannot_tell: true}
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aicourse.errors import EvaluationError
from aicourse.evals import noninferiority
from aicourse.evals.runs import Run
from aicourse.evals.validation import LEAST

DEFAULT_TOLERANCE = 0.05
DEFAULT_SLICE_TOLERANCE = 0.15

Mode = Literal["proof", "no loss shown"]
Tolerance = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class Rule:
    """The most that a score may lose: over all cases, and in the slices that it names.

    `mode` "proof": a loss beyond the tolerance must be ruled out; "no loss shown": it must not be shown,
    which is no proof. Slices that are not named are shown with `slice_tolerance` (None: none is), and do not
    decide. A named one in which no loss could be shown fails unless `allow_cannot_tell`. Where a model gave
    the score, the lower ends of its TPR and TNR must reach `judge_at_least` (see `validation`).
    """

    score: str
    tolerance: float = DEFAULT_TOLERANCE
    slice_tolerance: float | None = None
    slices: Mapping[str, float] = field(default_factory=dict)
    mode: Mode = "proof"
    allow_cannot_tell: bool = False
    judge_at_least: float = LEAST


def refuse_unreachable(rules: Sequence[Rule], cases: int) -> None:
    """Refuse rules that so many cases could not prove, even if nothing changed: before a model is asked.

    Raises:
        EvaluationError: there is one; the message says how many cases it needs.
    """
    for rule in rules:
        needed = noninferiority.cases_needed(rule.tolerance) if rule.tolerance < 1 else 0
        if rule.mode == "proof" and (needed is None or needed > cases):
            least = noninferiority.smallest_tolerance(cases)
            takes = f"takes {needed}" if needed else "no number of cases can"
            raise EvaluationError(
                f"{cases} cases cannot rule out that {rule.score} loses {rule.tolerance:g}, even if nothing "
                f"changes: that {takes}. Take more cases, a tolerance of at least {least:g}, "
                'or the mode "no loss shown", which is no proof.',
                rule=rule,
                needed=needed,
            )


@dataclass(frozen=True)
class RuleSet:
    """The content of a rules file."""

    rules: tuple[Rule, ...]
    strict: bool = False


class _WrittenRule(BaseModel):
    model_config = ConfigDict(extra="forbid")

    score: str = Field(min_length=1)
    tolerance: Tolerance = DEFAULT_TOLERANCE
    slice_tolerance: Tolerance | None = None
    slices: dict[str, Tolerance] = {}
    mode: Mode = "proof"
    allow_cannot_tell: bool = False
    judge_at_least: float = Field(LEAST, ge=0, le=1, allow_inf_nan=False)

    def rule(self) -> Rule:
        """The same as the gate takes it."""
        return Rule(**self.model_dump())


class _WrittenRules(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rules: list[_WrittenRule] = Field(min_length=1)
    strict: bool = False


def parse_rule(text: str) -> Rule:
    """A rule as it stands on a command line.

    >>> parse_rule("brand.exact=0.05:0.10").slice_tolerance
    0.1

    Raises:
        EvaluationError: it is not `score=tolerance` or `score=tolerance:slice_tolerance`.
    """
    score, _, limits = text.rpartition("=")
    numbers = [_number(part) for part in limits.split(":")]
    if not score or len(numbers) > 2 or any(number is None for number in numbers):
        raise EvaluationError(
            f"{text!r} is no rule. Write score=tolerance or score=tolerance:slice_tolerance, "
            "such as brand.exact=0.05:0.10.",
            rule=text,
        )
    tolerance, slice_tolerance = (*numbers, None)[:2]
    return Rule(score, tolerance or 0.0, slice_tolerance)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number >= 0 and math.isfinite(number) else None


def read_rules(path: Path | str) -> RuleSet:
    """The rules in a YAML or TOML file.

    Raises:
        EvaluationError: the file cannot be read, or a rule in it is wrong; the message says which.
    """
    written = _read(Path(path))
    try:
        rules = _WrittenRules.model_validate(written)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise EvaluationError(
            f"{path}: {where or 'the file'}: {problem['msg']}. "
            "Write a list `rules` of objects with score, tolerance, slice_tolerance, slices, mode, "
            "allow_cannot_tell and judge_at_least.",
            path=path,
        ) from None
    return RuleSet(tuple(rule.rule() for rule in rules.rules), rules.strict)


def _read(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise EvaluationError(f"{path} cannot be read ({reason}). Correct the file.", path=path) from None


def main_scores(*runs: Run) -> list[str]:
    """The numbers and assertions that all these runs have; of a set's three, F1 alone stands for them.

    Raises:
        EvaluationError: there is none.
    """
    known = [[summary.name for summary in run.summary.scores if summary.mean is not None] for run in runs]
    shared = [name for name in known[0] if all(name in names for names in known[1:])]
    chosen = [name for name in shared if not _is_part_of_f1(name, shared)]
    if not chosen:
        names = " and ".join(repr(run.info.name) for run in runs)
        raise EvaluationError(
            f"{names} have no number or assertion in common. Score both with the same scorers."
        )
    return chosen


def _is_part_of_f1(name: str, names: Sequence[str]) -> bool:
    prefix, _, part = name.rpartition(".")
    return part in ("precision", "recall") and f"{prefix}.f1".lstrip(".") in names


def default_rules(before: Run, after: Run) -> list[Rule]:
    """A rule for each main score: proven to lose at most 0.05 over all cases, up to 0.10 if they are few.

    Where a score `….mean` sums up the others, as the listings' `attributes.mean` does, it alone decides over
    small losses; one field changes in jumps, and 100 cases cannot tell 0.05 from chance: 0.15 for those.
    Slices are exploratory: which ones may not pay for the others, only you can name.
    """
    names = main_scores(before, after)
    cases = max(1, len(before.identities().keys() & after.identities().keys()))
    least = min(0.10, max(DEFAULT_TOLERANCE, noninferiority.smallest_tolerance(cases)))
    summed_up = any(_is_mean(name) for name in names)
    return [_default_rule(name, least, is_part=summed_up and not _is_mean(name)) for name in names]


def _default_rule(name: str, least: float, *, is_part: bool) -> Rule:
    return Rule(name, 0.15, 0.30) if is_part else Rule(name, least, DEFAULT_SLICE_TOLERANCE)


def _is_mean(name: str) -> bool:
    return name.rpartition(".")[2] == "mean"
