"""The gate's rules as an instructor or a CI file writes them: on the command line, in YAML or in TOML.

brand.exact=0.03            all cases: at most 0.03 worse
brand.exact=0.03:0.10       and no slice shown to be more than 0.10 worse

strict: false               # gate.yaml; the same keys in TOML
rules:
  - {score: brand.exact, tolerance: 0.03, slice_tolerance: 0.10, slices: {shade: 0.05}}
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aicourse.errors import EvaluationError
from aicourse.evals.runs import Run

DEFAULT_TOLERANCE = 0.05
DEFAULT_SLICE_TOLERANCE = 0.15

Tolerance = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class Rule:
    """The most that a score may lose: over all cases, in each slice (None: any), in named slices."""

    score: str
    tolerance: float = 0.02
    slice_tolerance: float | None = None
    slices: Mapping[str, float] = field(default_factory=dict)

    def tolerance_of(self, slice_name: str) -> float | None:
        """The tolerance of one slice."""
        return self.slices.get(slice_name, self.slice_tolerance)


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

    def rule(self) -> Rule:
        """The same as the gate takes it."""
        return Rule(self.score, self.tolerance, self.slice_tolerance, dict(self.slices))


class _WrittenRules(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rules: list[_WrittenRule] = Field(min_length=1)
    strict: bool = False


def parse_rule(text: str) -> Rule:
    """A rule as it stands on a command line.

    >>> parse_rule("brand.exact=0.03:0.10")
    Rule(score='brand.exact', tolerance=0.03, slice_tolerance=0.1, slices={})

    Raises:
        EvaluationError: it is not `score=tolerance` or `score=tolerance:slice_tolerance`.
    """
    score, _, limits = text.rpartition("=")
    numbers = [_number(part) for part in limits.split(":")]
    if not score or len(numbers) > 2 or any(number is None for number in numbers):
        raise EvaluationError(
            f"{text!r} is no rule. Write score=tolerance or score=tolerance:slice_tolerance, "
            "such as brand.exact=0.03:0.10.",
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
            "Write a list `rules` of objects with score, tolerance, slice_tolerance and slices.",
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
    """A rule for each main score: over all cases at most 0.05 worse, and 0.15 in any slice.

    Where a score `….mean` sums up the others, as the listings' `attributes.mean` does, it decides: at most
    0.03 worse. One field changes in jumps, and a hundred cases cannot tell 0.05 from chance: 0.10 for those.
    """
    names = main_scores(before, after)
    summed_up = any(_is_mean(name) for name in names)
    return [_default_rule(name, summed_up) for name in names]


def _default_rule(name: str, summed_up: bool) -> Rule:
    if not summed_up:
        return Rule(name, DEFAULT_TOLERANCE, DEFAULT_SLICE_TOLERANCE)
    return Rule(name, 0.03, 0.15) if _is_mean(name) else Rule(name, 0.10, 0.30)


def _is_mean(name: str) -> bool:
    return name.rpartition(".")[2] == "mean"
