"""Calls that were made of models: tokens, money and time, recorded or live.

A `Call` is one HTTP exchange, so a retry is a call of its own. `cost` is what the reply cost when the
model made it; `spent` counts only what was paid just now, because a recorded reply is free to replay.
Where a reply does not state its tokens (some streams) they are None; estimated, and said to be, are those of
a stream that was not read to its end: nobody states them, and all the same they are paid.
"""

from __future__ import annotations

import statistics
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from aicourse.errors import AicourseError
from aicourse.html import Look, table

if TYPE_CHECKING:
    import pandas as pd

PROMPT_HEADER = "x-aicourse-prompt"  # names the prompt of a call: "extract_listing@v3 9f2c1a5b7d10"
HINTS_HEADER = "x-aicourse-hints"  # its hints, as JSON: these settings are wishes, which a model may not know

Source = Literal["recorded", "live", "fault"]


@dataclass(frozen=True, slots=True)
class Call:
    """One exchange with a model.

    `seconds` is the latency when the model answered: the original one for a recorded reply, and `at`
    is that moment. `status` is None when no response came. `cost` is in USD, None when the price or
    the token counts are unknown. `prompt` is the prompt version and hash that the caller named with
    `extra_headers=prompt.headers`. `estimated` is True when the tokens are. `notes` say what was sent in
    other words than it was asked.
    """

    provider: str
    model: str
    source: Source
    path: str
    status: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: Decimal | None
    seconds: float
    first_token_seconds: float | None
    at: datetime
    error: str | None = None
    prompt: str | None = None
    estimated: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Usage:
    """The calls of one client, or of one lesson, at the moment of asking.

    >>> Usage(()).spent
    Decimal('0')
    """

    calls: tuple[Call, ...]

    def count(self, source: Source) -> int:
        """Number of calls that came from `source`."""
        return sum(call.source == source for call in self.calls)

    @property
    def errors(self) -> int:
        """Calls that ended in an error status, a broken connection or an interruption."""
        return sum(call.error is not None for call in self.calls)

    @property
    def prompt_tokens(self) -> int:
        """Tokens sent, over the calls that state them."""
        return sum(call.prompt_tokens or 0 for call in self.calls)

    @property
    def completion_tokens(self) -> int:
        """Tokens received, over the calls that state them."""
        return sum(call.completion_tokens or 0 for call in self.calls)

    @property
    def uncounted(self) -> int:
        """Successful calls whose reply did not state its tokens."""
        return sum(call.error is None and call.prompt_tokens is None for call in self.calls)

    @property
    def estimated(self) -> int:
        """Calls whose tokens are estimated, because their stream was not read to its end."""
        return sum(call.estimated for call in self.calls)

    @property
    def cost(self) -> Decimal:
        """USD that all replies cost when they were made."""
        return sum((call.cost for call in self.calls if call.cost is not None), Decimal(0))

    @property
    def spent(self) -> Decimal:
        """USD paid now: live calls only."""
        return sum((call.cost for call in self.calls if call.cost and call.source != "recorded"), Decimal(0))

    @property
    def unpriced(self) -> int:
        """Successful calls whose cost is unknown."""
        return sum(call.error is None and call.cost is None for call in self.calls)

    @property
    def by_prompt(self) -> dict[str, Usage]:
        """The usage of each prompt (its name, version and hash), in order of first use."""
        named = dict.fromkeys(call.prompt for call in self.calls if call.prompt is not None)
        return {name: Usage(tuple(call for call in self.calls if call.prompt == name)) for name in named}

    @property
    def median_seconds(self) -> float | None:
        """Median latency of the calls that were answered; None when there is none."""
        seconds = [call.seconds for call in self.calls if call.error is None]
        return statistics.median(seconds) if seconds else None

    def to_frame(self) -> pd.DataFrame:
        """One row per call, columns as in `Call`; cost as float, in USD."""
        import pandas as pd  # 0.3 s to import, and most notebooks only look at the totals

        rows = [asdict(call) for call in self.calls]
        frame = pd.DataFrame(rows, columns=list(Call.__dataclass_fields__))
        return frame.astype({"cost": float, "prompt_tokens": "Int64", "completion_tokens": "Int64"})

    def rows(self) -> list[tuple[str, str]]:
        """The totals as label and value, the same in text and HTML."""
        median = self.median_seconds
        counts = [f"{self.count(source)} {source}" for source in _SOURCES if self.count(source)]
        unknown_tokens = f" ({_calls(self.uncounted)} did not state them)" if self.uncounted else ""
        unknown_cost = f" (price unknown for {_calls(self.unpriced)})" if self.unpriced else ""
        cut_short = f" (estimated for {_calls(self.estimated)} cut short)" if self.estimated else ""
        rows = [
            ("calls", str(len(self.calls)) + (f" ({', '.join(counts)})" if counts else "")),
            ("tokens in", f"{self.prompt_tokens:,}{unknown_tokens}"),
            ("tokens out", f"{self.completion_tokens:,}{cut_short}"),
            ("cost when made", f"{dollars(self.cost)}{unknown_cost}"),
            ("spent now", dollars(self.spent)),
            ("median latency", "-" if median is None else f"{median:.2f} s"),
        ]
        rows += [("errors", str(self.errors))] if self.errors else []
        notes = Counter(note for call in self.calls for note in call.notes)
        rows += [("translated", f"{note} ({_calls(count)})") for note, count in notes.items()]
        return [*rows, *(_prompt_row(name, part) for name, part in self.by_prompt.items())]

    def __str__(self) -> str:
        rows = self.rows()
        wide = max(len(label) for label, _ in rows) + 1
        return "\n".join(f"{label:<{wide}} {value}" for label, value in rows)

    def __repr__(self) -> str:
        return f"<Usage: {_calls(len(self.calls))}, {dollars(self.spent)} spent>"

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        printer.text(str(self))  # type: ignore[attr-defined]  # IPython's printer, not imported here

    def _repr_html_(self) -> str:
        left = "style='text-align:left'"
        return table("", (), self.rows(), Look(name=left, cell=left))


class Ledger:
    """The calls so far; a stream that is still open counts as far as it has come."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._open: dict[object, Callable[[], Call]] = {}
        self._lock = threading.Lock()

    def open(self, stream: object, look: Callable[[], Call]) -> None:
        """Count a stream that has begun; `look` says what has come of it."""
        with self._lock:
            self._open[stream] = look

    def add(self, call: Call, stream: object = None) -> None:
        """Count a finished call, in the place of its stream if it was one."""
        with self._lock:
            self._open.pop(stream, None)
            self._calls.append(call)

    @property
    def usage(self) -> Usage:
        """The calls at this moment."""
        with self._lock:
            return Usage((*self._calls, *(look() for look in self._open.values())))


_SOURCES: tuple[Source, ...] = ("recorded", "live", "fault")


def _prompt_row(prompt: str, usage: Usage) -> tuple[str, str]:
    unknown = f" (price unknown for {_calls(usage.unpriced)})" if usage.unpriced else ""
    tokens = f"{usage.prompt_tokens:,} tokens in, {usage.completion_tokens:,} out"
    return f"with {prompt}", f"{dollars(usage.cost)}{unknown}, {_calls(len(usage.calls))}, {tokens}"


def _calls(count: int) -> str:
    return f"{count} call" if count == 1 else f"{count} calls"


def dollars(amount: Decimal) -> str:
    """An amount in USD with as many digits as it needs.

    >>> dollars(Decimal("0.000150")), dollars(Decimal(0)), dollars(Decimal("1.5"))
    ('$0.00015', '$0.00', '$1.50')
    """
    text = f"{amount:.6f}".rstrip("0")
    whole, _, digits = text.partition(".")
    return f"${whole}.{digits:<02}"


def usage(client: object) -> Usage:
    """The usage of `client` (made by one of the `connect` functions) so far.

    Copies made with `client.with_options(...)` share one count.

    Raises:
        AicourseError: the client was not made by this package.
    """
    # openai and anthropic both keep their HTTP client there; ours knows what went through it.
    measured = getattr(getattr(client, "_client", None), "usage", None)
    if not isinstance(measured, Usage):
        raise AicourseError(
            f"usage() cannot see into this {type(client).__name__}: make the client with aicourse.connect()."
        )
    return measured
