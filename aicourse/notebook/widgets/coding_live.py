"""The controls of open coding: the failure, known codes to press, a new code, a comment, save and next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ipywidgets
from filelock import Timeout

from aicourse.errors import AicourseError
from aicourse.evals.error_analysis import Note
from aicourse.notebook.widgets import html
from aicourse.notebook.widgets.coding import CodingSession, codes_table

widgets: Any = ipywidgets  # its classes have no annotations
_AUTO = {"width": "auto"}
_WRAP = {"flex_flow": "row wrap", "grid_gap": "4px"}


@dataclass(frozen=True)
class Draft:
    """What the form holds about one failure, saved or not."""

    pressed: frozenset[str] = frozenset()
    new_code: str = ""
    comment: str = ""


class CodingControls:
    """A session whose place and notes follow the buttons; `box` is what is displayed."""

    def __init__(self, session: CodingSession) -> None:
        self.session = session
        self._drafts: dict[str, Draft] = {}  # of the failures that were left without saving
        self.progress = widgets.HTML()
        self.case = widgets.HTML(layout={"flex": "2 1 30em"})
        self.codes = widgets.HBox(layout=_WRAP)
        self.new_code = widgets.Text(
            description="New code",
            placeholder="several: brand missed; flaw ignored",
            layout={"width": "98%"},
        )
        self.comment = widgets.Textarea(description="Comment", rows=2, layout={"width": "98%"})
        self.save = widgets.Button(description="Save and next", button_style="primary", layout=_AUTO)
        self.back = widgets.Button(description="◀ Previous", layout=_AUTO)
        self.forth = widgets.Button(description="Next ▶", layout=_AUTO)
        self.saved = widgets.HTML()
        self.counts = widgets.HTML()
        self.save.on_click(lambda _: self._save())
        self.back.on_click(lambda _: self._move(-1))
        self.forth.on_click(lambda _: self._move(1))
        steps = widgets.HBox([self.back, self.forth, self.save], layout={"grid_gap": "8px"})
        known = widgets.VBox([widgets.HTML("Codes (press all that fit):"), self.codes])
        self.form = widgets.VBox([known, self.new_code, self.comment, steps, self.saved])
        side = widgets.VBox([self.form, self.counts], layout={"flex": "1 1 22em"})
        both = widgets.HBox([self.case, side], layout=_WRAP)
        self.box = widgets.VBox([self.progress, both])
        self._show(session)

    @property
    def _draft(self) -> Draft:
        pressed = frozenset(button.code for button in self.codes.children if button.value)
        return Draft(pressed, self.new_code.value, self.comment.value)

    def _move(self, steps: int) -> None:
        """Show a neighbour; what was written about this one waits for the way back."""
        record = self.session.record
        if record is not None and self._draft != _kept(self.session.note):
            self._drafts[record.id] = self._draft
        self._show(self.session.moved(steps))

    def _save(self) -> None:
        draft, record = self._draft, self.session.record
        pressed = [button.code for button in self.codes.children if button.value]
        codes = [*pressed, *filter(None, map(str.strip, draft.new_code.split(";")))]
        try:
            after = self.session.save(codes, draft.comment)
        except (AicourseError, OSError, Timeout) as error:  # what a button raises is seen by nobody
            self.saved.value = html.line(f"✗ Not saved: {error}")
            return
        if record is not None:
            self._drafts.pop(record.id, None)
        self._show(after)
        if record is not None:
            self.saved.value = html.line(f"✓ Saved {record.id}: {'; '.join(codes) or 'nothing wrong'}")

    def _show(self, session: CodingSession) -> None:
        self.session = session
        record, view, note = session.record, session.view(), session.note
        draft = _kept(note) if record is None else self._drafts.get(record.id, _kept(note))
        where = f" · showing {session.place + 1} of {len(session.records)}" if session.records else ""
        self.progress.value = f"<strong>{html.text(session.progress + where)}</strong>"
        self.case.value = "" if view is None else view.shown()
        self.form.layout.display = "none" if view is None else ""
        self.codes.children = [
            _toggle(code, cases, code in draft.pressed) for code, cases in session.notebook.codes().items()
        ]
        self.new_code.value, self.comment.value = draft.new_code, draft.comment
        remarks = [] if note is None else ["This case has a note; saving replaces it."]
        remarks += ["Not saved yet."] if draft != _kept(note) else []
        self.saved.value = html.line(" ".join(remarks)) if remarks else ""
        self.counts.value = html.view("codes", codes_table(session.notebook))


def _kept(note: Note | None) -> Draft:
    """What the form holds when nothing was changed since the note was saved."""
    return Draft() if note is None else Draft(frozenset(note.codes), comment=note.comment)


def _toggle(code: str, cases: int, is_pressed: bool) -> Any:
    button = widgets.ToggleButton(description=f"{code} ({cases})", value=is_pressed, layout=_AUTO)
    button.code = code
    return button
