"""The controls of open coding: the failure, known codes to press, a new code, a comment, save and next."""

from __future__ import annotations

from typing import Any

import ipywidgets
from filelock import Timeout

from aicourse.errors import AicourseError
from aicourse.widgets import html
from aicourse.widgets.coding import CodingSession, codes_table

widgets: Any = ipywidgets  # its classes have no annotations
_AUTO = {"width": "auto"}
_WRAP = {"flex_flow": "row wrap", "grid_gap": "4px"}


class CodingControls:
    """A session whose place and notes follow the buttons; `box` is what is displayed."""

    def __init__(self, session: CodingSession) -> None:
        self.session = session
        self.progress = widgets.HTML()
        self.case = widgets.HTML(layout={"flex": "2 1 30em"})
        self.codes = widgets.HBox(layout=_WRAP)
        self.new_code = widgets.Text(
            description="New code",
            placeholder="in your own words, such as: colour taken from the model's name",
            layout={"width": "98%"},
        )
        self.comment = widgets.Textarea(description="Comment", rows=2, layout={"width": "98%"})
        self.save = widgets.Button(description="Save and next", button_style="primary", layout=_AUTO)
        self.back = widgets.Button(description="◀ Previous", layout=_AUTO)
        self.forth = widgets.Button(description="Next ▶", layout=_AUTO)
        self.saved = widgets.HTML()
        self.counts = widgets.HTML()
        self.save.on_click(lambda _: self._save())
        self.back.on_click(lambda _: self._show(self.session.moved(-1)))
        self.forth.on_click(lambda _: self._show(self.session.moved(1)))
        steps = widgets.HBox([self.back, self.forth, self.save], layout={"grid_gap": "8px"})
        known = widgets.VBox([widgets.HTML("Codes (press all that fit):"), self.codes])
        self.form = widgets.VBox([known, self.new_code, self.comment, steps, self.saved])
        side = widgets.VBox([self.form, self.counts], layout={"flex": "1 1 22em"})
        both = widgets.HBox([self.case, side], layout=_WRAP)
        self.box = widgets.VBox([self.progress, both])
        self._show(session)

    def _save(self) -> None:
        pressed = [button.code for button in self.codes.children if button.value]
        codes = [*pressed, *filter(None, map(str.strip, self.new_code.value.split(";")))]
        record = self.session.record
        try:
            after = self.session.save(codes, self.comment.value)
        except (AicourseError, OSError, Timeout) as error:  # what a button raises is seen by nobody
            self.saved.value = html.line(f"✗ Not saved: {error}")
            return
        self._show(after)
        if record is not None:
            self.saved.value = html.line(f"✓ Saved {record.id}: {'; '.join(codes) or 'nothing wrong'}")

    def _show(self, session: CodingSession) -> None:
        self.session = session
        view, note = session.view(), session.note
        where = f" · showing {session.place + 1} of {len(session.records)}" if session.records else ""
        self.progress.value = f"<strong>{html.text(session.progress + where)}</strong>"
        self.case.value = "" if view is None else view.shown()
        self.form.layout.display = "none" if view is None else ""
        self.codes.children = [
            _toggle(code, cases, note is not None and code in note.codes)
            for code, cases in session.notebook.codes().items()
        ]
        self.new_code.value, self.comment.value = "", note.comment if note else ""
        self.saved.value = "" if note is None else html.line("This case has a note; saving replaces it.")
        self.counts.value = html.view("codes", codes_table(session.notebook))


def _toggle(code: str, cases: int, is_pressed: bool) -> Any:
    button = widgets.ToggleButton(description=f"{code} ({cases})", value=is_pressed, layout=_AUTO)
    button.code = code
    return button
