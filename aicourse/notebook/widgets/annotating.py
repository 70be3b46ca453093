"""Annotation: one proposed value at a time, judged from the keyboard, kept with its inclusion probability.

    annotate(connection, sample_corrected(traces, 40), texts, annotator="A")

    r   right       w   wrong, the seller's is right       w red, blue   wrong, this is right (-: nothing)
    u   unsure      b   back to the value before           each with Enter

The sample is one of `aicourse.monitoring`, `texts` are the listings' by id. An annotator sees the seller's
value, because confirming it is the task; whoever wants to know if that sways them judges a part without.
"""

from __future__ import annotations

import json
import math
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from aicourse.errors import AicourseError, FeedbackError
from aicourse.marketplace.extraction.attributes import ListingAttributes
from aicourse.monitoring.feedback import Verdict, record_annotation
from aicourse.notebook import pieces
from aicourse.notebook.live import Keep, LiveView, load_ipywidgets
from aicourse.notebook.widgets.browsing import moved
from aicourse.notebook.widgets.fields import shown

KEYS = (
    "r right · w wrong, the seller's value is right · w VALUE wrong, this is right (several: commas; "
    "nothing: -) · u unsure · b back"
)
_LISTED = 12  # values of the table where nobody can press a key
_CHARACTERS = 1_500
_ENTER = {"event": "submit"}  # sent by the browser right before the text, which comes if it has changed
_SECONDS = 1.0  # in which it comes; a later text was left by Tab, after an Enter that had changed nothing
_AUTO = {"width": "auto"}
_BUTTONS = {"Right (r)": "r", "Wrong, as the seller has it (w)": "w", "Unsure (u)": "u", "Back (b)": "b"}


@dataclass(frozen=True)
class ProposedValue:
    """A field of a published listing: what was proposed, what the seller made of it, how it was drawn."""

    trace_id: str
    listing_id: str
    field: str
    proposed: Any
    published: Any
    probability: float
    sampler: str

    @property
    def key(self) -> tuple[str, str, str]:
        """The names by which its verdict is found."""
        return self.trace_id, self.field, self.sampler


def annotate(
    connection: sqlite3.Connection, sample: pd.DataFrame, texts: Mapping[str, str], *, annotator: str
) -> AnnotationSession:
    """Show each field of the sampled traces to be judged; what is judged already is kept, and work goes on.

    Raises:
        FeedbackError: none of the traces has a published listing.
    """
    values = []
    for trace, row in sample.iterrows():
        fields = connection.execute(
            "SELECT listing_id, field, proposed, published FROM proposed_fields "
            "WHERE trace_id = ? ORDER BY id",
            (trace,),
        )
        values += [
            ProposedValue(
                str(trace),
                listing,
                field,
                json.loads(before),
                json.loads(after),
                row["probability"],
                row["sampler"],
            )
            for listing, field, before, after in fields
        ]
    if not values:
        raise FeedbackError("No trace of the sample has a published proposal. Draw from published_traces.")
    return AnnotationSession(connection, tuple(values), texts, annotator).at_open()


@dataclass(frozen=True, repr=False)
class AnnotationSession(LiveView):
    """The values of a sample, what this annotator said of them, and the place where they are."""

    connection: sqlite3.Connection
    values: tuple[ProposedValue, ...]
    texts: Mapping[str, str]
    annotator: str
    place: int = 0

    @property
    def value(self) -> ProposedValue:
        """The value that is shown."""
        return self.values[self.place]

    @property
    def verdicts(self) -> dict[tuple[str, str, str], str]:
        """This annotator's verdicts on these values, in words, by their keys; read from the database."""
        rows = self.connection.execute(
            "SELECT trace_id, field, sampler, verdict, gold FROM annotations WHERE annotator = ?",
            (self.annotator,),
        )
        told = {
            tuple(key): f"wrong: {shown(json.loads(gold))}" if verdict == "wrong" else verdict
            for *key, verdict, gold in rows
        }
        return {one.key: told[one.key] for one in self.values if one.key in told}

    @property
    def progress(self) -> str:
        """The state of the work, in a few words."""
        return f"{len(self.verdicts)} of {len(self.values)} values judged by {self.annotator}"

    def answered(self, words: str) -> AnnotationSession:
        """Keep what was typed, and go on to the next value without a verdict.

        Raises:
            FeedbackError: no such key, or no value that the field may have.
        """
        key, _, typed = words.strip().partition(" ")
        if key == "b":
            return replace(self, place=moved(self.place, -1, len(self.values)))
        value, verdict = self.value, _VERDICTS.get(key)
        if verdict is None:
            raise FeedbackError(f"{key!r} is no key. Type one of these: {KEYS}.")
        gold = _gold(value, typed) if verdict == "wrong" else None
        record_annotation(
            self.connection,
            value.trace_id,
            annotator=self.annotator,
            field=value.field,
            verdict=verdict,
            gold=gold,
            probability=value.probability,
            sampler=value.sampler,
        )
        return self.at_open(self.place + 1)

    def at_open(self, start: int = 0) -> AnnotationSession:
        """At the next value without a verdict, from `start` round to the first; here when all have one."""
        verdicts, count = self.verdicts, len(self.values)
        places = ((start + step) % count for step in range(count))
        return replace(
            self, place=next((one for one in places if self.values[one].key not in verdicts), self.place)
        )

    def view(self) -> str:
        """The listing and its fields, the one that is asked for in bold."""
        value, verdicts = self.value, self.verdicts
        rows = []
        for one in self.values:
            if one.trace_id == value.trace_id:
                cells = (
                    one.field,
                    shown(one.proposed),
                    shown(one.published),
                    verdicts.get(one.key, "not judged"),
                )
                mark = "▶ " if one == value else ""
                rows.append(
                    [pieces.text(mark + cells[0]), *(pieces.text(cell, _CHARACTERS) for cell in cells[1:])]
                )
        text = self.texts.get(value.listing_id, "The text of this listing is missing.")
        heading = pieces.heading(f"Listing {value.listing_id}: is {value.field} right?")
        table = pieces.table("Fields", ("field", "proposed", "the seller's", "verdict"), rows)
        return heading + pieces.block(pieces.text(text, _CHARACTERS)) + table

    def __repr__(self) -> str:
        return f"Annotation: {self.progress}\n  next: {self.value.listing_id}, {self.value.field}"

    def _repr_html_(self) -> str:
        verdicts = self.verdicts
        rows = [
            [
                pieces.text(cell, _CHARACTERS)
                for cell in (one.listing_id, one.field, shown(one.proposed), shown(one.published), words)
            ]
            for one in self.values[:_LISTED]
            for words in [verdicts.get(one.key, "not judged")]
        ]
        header = ("listing", "field", "proposed", "the seller's", "verdict")
        more = len(self.values) - len(rows)
        rest = pieces.line(f"{more} more values are not listed here.") if more else ""
        heading = pieces.heading(f"Annotation: {self.progress}")
        table = pieces.table("Values", header, rows)
        return pieces.view("annotating", heading, table, rest, pieces.folded("Next", self.view()))

    def _controls(self, keep: Keep) -> Any:
        return AnnotationControls(self, keep).box


_VERDICTS: Mapping[str, Verdict] = {"r": "right", "w": "wrong", "u": "unsure"}


def _gold(value: ProposedValue, typed: str) -> Any:
    """The right value: what was typed, or else the seller's."""
    is_list = isinstance(value.proposed, list) or isinstance(value.published, list)
    gold: Any = value.published
    if typed.strip() == "-":
        gold = [] if is_list else None
    elif typed.strip():
        gold = [word.strip() for word in typed.split(",")] if is_list else typed.strip()
    if field := ListingAttributes.model_fields.get(value.field):
        allowed: Any = Annotated[field.annotation, field]
        try:
            gold = TypeAdapter(allowed).validate_python(gold)
        except ValidationError as error:
            told = error.errors(include_url=False)[0]["msg"]
            raise FeedbackError(f"{shown(gold)} is no {value.field}: {told}.") from None
    return gold


class AnnotationControls:
    """A session that follows the keys and buttons; `box` is what is displayed."""

    def __init__(self, session: AnnotationSession, keep: Keep) -> None:
        widgets = load_ipywidgets()
        self.session, self._keep, self._entered = session, keep, -math.inf
        self.progress, self.case, self.told = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.words = widgets.Text(
            description="Verdict", placeholder="r, w or u, then Enter", continuous_update=False
        )
        self.words.on_msg(lambda _, message, __: self._enter() if message == _ENTER else None)
        self.words.observe(lambda _: self._take(), names="value")
        self.buttons = [widgets.Button(description=told, layout=_AUTO) for told in _BUTTONS]
        for button in self.buttons:
            button.on_click(lambda pressed: self._answer(_BUTTONS[pressed.description]))
        row = widgets.HBox([self.words, *self.buttons], layout={"flex_flow": "row wrap", "grid_gap": "4px"})
        keys = widgets.HTML(pieces.line(KEYS))
        self.box = widgets.VBox([self.progress, self.case, row, keys, self.told])
        self._show(session, "")

    def _enter(self) -> None:
        self._entered = time.monotonic()

    def _take(self) -> None:
        if time.monotonic() - self._entered < _SECONDS:
            self._answer(self.words.value)

    def _answer(self, words: str) -> None:
        self._entered = -math.inf
        value = self.session.value
        try:
            after = self.session.answered(words)
        except (AicourseError, sqlite3.Error) as error:  # what a callback raises is seen by nobody
            self.told.value = pieces.line(f"✗ Not saved: {error}")
            return
        said = after.verdicts.get(value.key) if words.strip() != "b" else None
        self._show(after, f"✓ Saved {value.listing_id}, {value.field}: {said}" if said else "")
        self.words.focus()

    def _show(self, session: AnnotationSession, told: str) -> None:
        self.session = session
        self.words.value = ""
        where = f"{session.progress} · showing {session.place + 1} of {len(session.values)}"
        self.progress.value = f"<strong>{pieces.text(where)}</strong>"
        self.case.value = pieces.view("annotating", session.view())
        self.told.value = pieces.line(told) if told else ""
        self._keep(session._repr_html_())
