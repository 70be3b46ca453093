"""Validation of a judge: how it agrees with careful labels, kept in a file, and what it may decide.

    validation = validate(judge, labelled)                    # `judge` makes it
    validation.save("build/judges/agreement.json")
    corrected_rate(41, 60, validation.true_passes, validation.true_fails)

A *pass* is the positive class: TPR is the share of outputs labelled pass that the judge passes, TNR the share
of those labelled fail that it fails. A verdict that could not be read is wrong in both. The file holds counts
and says what they are of: prompt, model, answers and threshold of the judge, and the labelled items. It is
plain JSON; it records what was found and protects nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, TypeAdapter

from aicourse import json_text
from aicourse.errors import EvaluationError
from aicourse.evals.annotators import kappa_interval
from aicourse.evals.statistics import Interval, proportion
from aicourse.html import NOTEBOOK, table
from aicourse.paths import write_atomically

LEAST = 0.7  # for the lower ends of TPR and TNR: 19 of 20 right reach 0.76, 18 of 20 do not
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class JudgeFacts:
    """All that makes a judge the one it is; two prompts with the same hash ask the same.

    `answers` are the one that passes and the one that fails; `threshold` is None for a judge with reasons.
    """

    prompt: str = field(compare=False)
    hash: str
    model: str
    answers: tuple[str, str]
    threshold: float | None

    def __str__(self) -> str:
        told = "" if self.threshold is None else f", threshold {self.threshold:.4g}"
        return f"{self.prompt} ({self.hash}, {self.model}, {self.answers[0]} passes{told})"


@dataclass(frozen=True)
class Verdicts:
    """A judge's verdicts on the items of one label, counted; `unreadable` ones were no verdicts."""

    passed: Count
    failed: Count
    unreadable: Count = 0

    @property
    def total(self) -> int:
        """The number of items."""
        return self.passed + self.failed + self.unreadable


@dataclass(frozen=True)
class Validation:
    """A judge measured as a classifier: its verdicts on the items labelled pass, and on those labelled fail.

    `labels` says where the items are from, `digest` which they are. `stable` is the number of items on which
    all `repeats` gave the same verdict; the first of them is the one that counts elsewhere.
    """

    judge: JudgeFacts
    labels: str
    digest: str
    passes: Verdicts
    fails: Verdicts
    stable: Count
    repeats: Annotated[int, Field(ge=1)] = 1

    def __post_init__(self) -> None:
        """Refuse counts that cannot be, of a file that was written by hand."""
        if not self.passes.total or not self.fails.total or self.stable > self.items:
            raise ValueError("there must be items of both labels, and no more stable ones than that")

    @property
    def items(self) -> int:
        """The number of labelled items."""
        return self.passes.total + self.fails.total

    @property
    def true_passes(self) -> tuple[int, int]:
        """The items labelled pass: how many the judge passes, and how many they are."""
        return self.passes.passed, self.passes.total

    @property
    def true_fails(self) -> tuple[int, int]:
        """The items labelled fail: how many the judge fails, and how many they are."""
        return self.fails.failed, self.fails.total

    @property
    def tpr(self) -> Interval:
        """The share of items labelled pass that the judge passes, with Wilson's interval."""
        return proportion(*self.true_passes)

    @property
    def tnr(self) -> Interval:
        """The share of items labelled fail that the judge fails, with Wilson's interval."""
        return proportion(*self.true_fails)

    @property
    def kappa(self) -> Interval:
        """Agreement of judge and labels beyond chance (see `annotators`); no verdict is a label, too."""
        rows = [[one.passed, one.failed, one.unreadable] for one in (self.passes, self.fails)]
        return kappa_interval(np.array([*rows, [0, 0, 0]], dtype=float), 1.0 - np.eye(3))

    @property
    def stability(self) -> Interval | None:
        """The share of items with the same verdict in every repeat; None when each was judged once."""
        return proportion(self.stable, self.items) if self.repeats > 1 else None

    def doubt(self, least: float = LEAST) -> str:
        """The reason not to trust this judge, in words; "" if the lower ends of TPR and TNR reach `least`."""
        weak = {"TPR": self.tpr, "TNR": self.tnr}
        told = [f"{name} {_told(rate)}" for name, rate in weak.items() if not rate.low >= least]
        return f"too weak: {' and '.join(told)}, and the lower end must reach {least:g}" if told else ""

    def rows(self) -> list[tuple[str, str, str]]:
        """The figures as (what, value and interval, counts), the same in text and HTML."""
        rows = [
            ("TPR, of those labelled pass", _told(self.tpr), "{} of {}".format(*self.true_passes)),
            ("TNR, of those labelled fail", _told(self.tnr), "{} of {}".format(*self.true_fails)),
            ("kappa", _told(self.kappa), f"{self.items} items"),
        ]
        if self.stability:
            counts = f"{self.stable} of {self.items}, {self.repeats} times each"
            rows.append(("the same verdict each time", _told(self.stability), counts))
        if unreadable := self.passes.unreadable + self.fails.unreadable:
            rows.append(("no verdict", f"{unreadable} of {self.items}", "counted as wrong"))
        return [*rows, ("may decide", "no" if self.doubt() else "yes", self.doubt())]

    def save(self, path: Path | str) -> Path:
        """Keep it in a file."""
        write_atomically(Path(path), json_text.dumps({"validation": asdict(self)}) + b"\n")
        return Path(path)

    def __str__(self) -> str:
        rows = [("  ".join(row)).rstrip() for row in self.rows()]
        return "\n".join([self._title, *rows])

    def _repr_html_(self) -> str:
        return table(self._title, ("", "value, 95 % interval", "counts"), self.rows(), NOTEBOOK)

    @property
    def _title(self) -> str:
        return f"Judge {self.judge} on {self.labels}"


def _told(rate: Interval) -> str:
    return f"{rate.estimate:.2f} ({rate.low:.2f} to {rate.high:.2f})"


_FILE = TypeAdapter(dict[str, Validation])


def read_validation(path: Path | str) -> Validation:
    """The validation in a file.

    Raises:
        EvaluationError: it is missing or no validation.
    """
    try:
        return _FILE.validate_python(json_text.loads(Path(path).read_bytes()))["validation"]
    except (OSError, ValueError, KeyError) as error:  # pydantic's ValidationError is a ValueError
        reason = error.strerror if isinstance(error, OSError) else "not the validation of a judge"
        raise EvaluationError(
            f"{path}: {reason}. Write one with evals.validate(judge, labelled).save({str(path)!r}).",
            path=path,
        ) from None


@dataclass(frozen=True)
class UsedJudge:
    """A judge that scored a run, and the validation that it had then."""

    facts: JudgeFacts
    validation: Validation | None = None


def judges_of(scorers: Sequence[Any]) -> dict[str, UsedJudge]:
    """The scorers that ask a model, by name (a `judge.Judge`)."""
    used = ((scorer.name, scorer.used) for scorer in scorers if hasattr(scorer, "used"))
    return {name: one for name, one in used if isinstance(one, UsedJudge)}


def doubt_of(judge: JudgeFacts, validations: Iterable[Validation | None], least: float = LEAST) -> str:
    """The reason why a judge must not decide, in words; "" if each validation of it is good enough."""
    known = [one for one in validations if one and one.judge == judge]
    if not known:
        return f"judge {judge} has no validation"
    return next((f"judge {judge} is {doubt}" for one in known if (doubt := one.doubt(least))), "")
