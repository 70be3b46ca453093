"""Validation of a judge: how it agrees with careful labels, kept in a file, and what it may decide.

    validation = validate(judge, labelled)                    # `judge` makes it
    validation.save("build/judges/agreement.json")
    corrected_rate(41, 60, validation.true_passes, validation.true_fails)

A *pass* is the positive class: TPR is the share of items labelled pass that the judge passes, TNR the share
of those labelled fail that it fails. A verdict that could not be read is wrong in both. The file holds counts
and says what they are of: prompt, model, answers and threshold of the judge, and the labelled items. It is
plain JSON; it records what was found and protects nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

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
class Validation:
    """A judge measured as a classifier on labelled items.

    `true_passes`: how many of the items labelled pass it passes, and how many they are; `true_fails` the same
    of fail; `unreadable`: on how many of either it gave no verdict. `labels` says where the items are from,
    `digest` which they are. `stable` counts those on which all `repeats` agree; elsewhere the first counts.
    """

    judge: JudgeFacts
    labels: str
    digest: str
    true_passes: tuple[Count, Count]
    true_fails: tuple[Count, Count]
    unreadable: tuple[Count, Count]
    stable: Count
    repeats: Annotated[int, Field(ge=1)] = 1

    def __post_init__(self) -> None:
        """Refuse counts that cannot be: a file may be written by hand."""
        pairs = zip((self.true_passes, self.true_fails), self.unreadable, strict=True)
        if any(not total or right + none > total for (right, total), none in pairs):
            raise ValueError("there must be items of both labels, and no more verdicts than items")
        if self.stable > self.items:
            raise ValueError("there are more stable items than items")

    @property
    def items(self) -> int:
        """The number of labelled items."""
        return self.true_passes[1] + self.true_fails[1]

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
        (good, goods), (bad, bads), (none, no) = self.true_passes, self.true_fails, self.unreadable
        counts = [[good, goods - good - none, none], [bads - bad - no, bad, no], [0, 0, 0]]
        return kappa_interval(np.array(counts, dtype=float), 1.0 - np.eye(3))

    @property
    def stability(self) -> Interval | None:
        """The share of items with the same verdict in every repeat; None when each was judged once."""
        return proportion(self.stable, self.items) if self.repeats > 1 else None

    def doubt(self, least: float = LEAST) -> str:
        """The reason not to trust this judge, in words; "" if the lower ends of TPR and TNR reach `least`."""
        rates = {"TPR": self.tpr, "TNR": self.tnr}
        weak = [f"{name} {_told(rate)}" for name, rate in rates.items() if not rate.low >= least]
        return f"too weak: {' and '.join(weak)}, and the lower end must reach {least:g}" if weak else ""

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
        if unreadable := sum(self.unreadable):
            rows.append(("no verdict", f"{unreadable} of {self.items}", "counted as wrong"))
        return [*rows, ("may decide", "no" if self.doubt() else "yes", self.doubt())]

    def save(self, path: Path | str) -> Path:
        """Keep it in a file."""
        write_atomically(Path(path), json_text.dumps({"validation": asdict(self)}) + b"\n")
        return Path(path)

    def __str__(self) -> str:
        rows = ["  ".join(row).rstrip() for row in self.rows()]
        return "\n".join([f"judge {self.judge} on {self.labels}", *rows])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        caption = f"judge {self.judge} on {self.labels}"
        return table(caption, ("", "value, 95 % interval", "counts"), self.rows(), NOTEBOOK)


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


def doubt_of(judge: JudgeFacts, validations: Iterable[Validation], least: float = LEAST) -> str:
    """The reason why a judge must not decide, in words; "" if each validation of it is good enough."""
    doubts = [one.doubt(least) for one in validations if one.judge == judge]
    doubt = next(filter(None, doubts), "" if doubts else "not validated")
    return f"judge {judge} is {doubt}" if doubt else ""
