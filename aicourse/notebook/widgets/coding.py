"""Open coding: read one failure at a time, say in your own words what is wrong, and go on another day.

    code_failures(run, "build/notes.jsonl", n=30, score="colours.f1")

The notes are those of `aicourse.evals.error_analysis`; `NoteBook("build/notes.jsonl")` reads them, and
`taxonomy` groups and counts them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import Timeout

from aicourse.errors import AicourseError, EvaluationError
from aicourse.evals.error_analysis import Note, NoteBook, sample_failures
from aicourse.evals.runs import CaseRecord, Run
from aicourse.notebook import pieces
from aicourse.notebook.live import Keep, LiveView, load_ipywidgets
from aicourse.notebook.widgets.browsing import moved
from aicourse.notebook.widgets.case_view import CaseView, photo_of

if TYPE_CHECKING:
    from aicourse.notebook.widgets.case_view import Photos

_LISTED = 12  # cases of the table where nobody can press a button
_UNFOLDED = 2  # failures in full there
_CHARACTERS = 1_500  # of each text there
_ENTER = {"event": "submit"}  # what the browser says of the key
_TEXT_SECONDS = 0.5
_AUTO = {"width": "auto"}
_WRAP = {"flex_flow": "row wrap", "grid_gap": "4px"}


def code_failures(
    run: Run,
    path: Path | str,
    n: int = 30,
    *,
    score: str | None = None,
    below: float = 1.0,
    seed: int = 0,
    photos: Photos | None = None,
) -> CodingSession:
    """Show `n` failures of `run`, drawn at random, to write down what is wrong with each in `path`.

    A failure is a case whose task failed or whose `score` is False or under `below`; `score` may be left out
    when the run has only one. Notes that `path` already holds are kept, and work goes on after them.

    Raises:
        EvaluationError: no such score, several to choose from, or a file that does not hold notes.
    """
    records = sample_failures(run, n, score or _only_score(run), seed, below=below)
    return CodingSession(run.info.name, tuple(records), NoteBook(path), photos).at_open()


def _only_score(run: Run) -> str:
    names = [summary.name for summary in run.summary.scores if summary.mean is not None]
    if len(names) != 1:
        choices = ", ".join(names) or "none"
        raise EvaluationError(
            f"Say which score a failure fails: score=… (there are: {choices}).", scores=names
        )
    return names[0]


@dataclass(frozen=True, repr=False)
class CodingSession(LiveView):
    """A sample of failures, the notebook of what was seen in them, and the place where the reader is."""

    run: str
    records: tuple[CaseRecord, ...]
    notebook: NoteBook
    photos: Photos | None = None
    place: int = 0

    @property
    def record(self) -> CaseRecord | None:
        """The failure that is shown; None when the sample is empty."""
        return self.records[self.place] if self.records else None

    @property
    def note(self) -> Note | None:
        """The note about it."""
        return self.notes.get(self.record.id) if self.record else None

    @property
    def notes(self) -> dict[str, Note]:
        """The notes about failures of this sample, by case id; read from the file."""
        ids = {record.id for record in self.records}
        return {note.case_id: note for note in self.notebook.notes() if note.case_id in ids}

    @property
    def is_done(self) -> bool:
        """True if every failure has a note."""
        return len(self.notes) == len(self.records)

    @property
    def progress(self) -> str:
        """The state of the work, in a few words."""
        if not self.records:
            return "No case fails: nothing to code."
        done = f"{len(self.notes)} of {len(self.records)} failures coded"
        return f"{done}; all done." if self.is_done else done

    def save(self, codes: Sequence[str], comment: str) -> CodingSession:
        """Keep the note about the failure shown, and go on to the next one without a note.

        No code at all means: nothing is wrong here.
        """
        if self.record is None:
            return self
        self.notebook.note(self.record.id, codes, comment)
        return self.at_open(self.place + 1)

    def moved(self, steps: int) -> CodingSession:
        """The same session some failures on, never past an end."""
        return replace(self, place=moved(self.place, steps, len(self.records)))

    def view(self, *, with_photo: bool = True) -> CaseView | None:
        """The failure that is shown."""
        if self.record is None:
            return None
        photo = photo_of(self.record.id, self.photos) if with_photo else None
        return CaseView(self.record, photo=photo)

    def at_open(self, start: int = 0) -> CodingSession:
        """At the next failure without a note, from `start` round to the first; here when all have one."""
        return replace(self, place=next(iter(self._open(start)), self.place))

    def _open(self, start: int = 0) -> list[int]:
        notes, count = self.notes, len(self.records)
        places = ((start + step) % count for step in range(count))
        return [place for place in places if self.records[place].id not in notes]

    def __repr__(self) -> str:
        lines = [f"Open coding of run {self.run}: {self.progress}"]
        lines += [f"  {cases:>3}  {code}" for code, cases in self.notebook.codes().items()]
        return "\n".join(lines + [f"  next: {self.records[place].id}" for place in self._open()[:1]])

    def _repr_html_(self) -> str:
        heading = pieces.heading(f"Open coding of run {self.run}: {self.progress}")
        cases = [
            pieces.folded(f"Not coded yet: {record.id}", CaseView(record).to_html(_CHARACTERS))
            for record in (self.records[place] for place in self._open()[:_UNFOLDED])
        ]
        return pieces.view("coding", heading, codes_table(self.notebook), self._cases_table(), *cases)

    def _cases_table(self) -> str:
        """The failures with their notes."""
        notes = self.notes
        rows = []
        for record in self.records[:_LISTED]:
            note = notes.get(record.id)
            seen = "not coded yet" if note is None else "; ".join(note.codes) or "nothing wrong"
            cells = (record.id, CaseView(record).wrong, seen, note.comment if note else "")
            rows.append([pieces.text(cell, _CHARACTERS) for cell in cells])
        if not rows:
            return ""
        more = len(self.records) - len(rows)
        table = pieces.table("Failures", ("case", "what is wrong", "codes", "comment"), rows)
        return table + (pieces.line(f"{more} more failures are not listed here.") if more else "")

    def _controls(self, keep: Keep) -> Any:
        return CodingControls(self, keep).box


def codes_table(notebook: NoteBook) -> str:
    """The number of cases that have each code so far, as HTML."""
    rows = [(pieces.text(code), str(cases)) for code, cases in notebook.codes().items()]
    return pieces.table("Codes so far", ("code", "cases"), rows) if rows else pieces.line("No codes yet.")


@dataclass(frozen=True)
class FormContent:
    """The words in the form about one failure, saved or not."""

    pressed: frozenset[str] = frozenset()
    new_code: str = ""
    comment: str = ""


class CodingControls:
    """A session whose place and notes follow the buttons; `box` is what is displayed."""

    def __init__(self, session: CodingSession, keep: Keep) -> None:
        widgets = load_ipywidgets()
        self.session, self._keep = session, keep
        self._drafts: dict[str, FormContent] = {}  # of the failures that were left without saving
        self._entered = False
        self.progress = widgets.HTML()
        self.case = widgets.HTML(layout={"flex": "2 1 30em"})
        self.codes = widgets.HBox(layout=_WRAP)
        self.new_code = widgets.Text(
            description="New code",
            placeholder="several: brand missed; flaw ignored – Enter saves",
            continuous_update=False,  # letters on their way would be overtaken by the Enter key
            layout={"width": "98%"},
        )
        self.comment = widgets.Textarea(description="Comment", rows=2, layout={"width": "98%"})
        self.save = widgets.Button(description="Save and next", button_style="primary", layout=_AUTO)
        self.back = widgets.Button(description="◀ Previous", layout=_AUTO)
        self.forth = widgets.Button(description="Next ▶", layout=_AUTO)
        self.saved = widgets.HTML()
        self.counts = widgets.HTML()
        self.save.on_click(lambda _: self._save())
        self.new_code.on_msg(lambda _, message, __: self._enter() if message == _ENTER else None)
        self.new_code.observe(lambda _: self._save() if self._entered else None, names="value")
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
    def _content(self) -> FormContent:
        pressed = frozenset(button.code for button in self.codes.children if button.value)
        return FormContent(pressed, self.new_code.value, self.comment.value)

    def _move(self, steps: int) -> None:
        """Show a neighbour; what was written about this one waits for the way back."""
        record = self.session.record
        if record is not None and self._content != _kept(self.session.note):
            self._drafts[record.id] = self._content
        self._show(self.session.moved(steps))

    def _enter(self) -> None:
        """Save as soon as the text is here, which a browser sends after the key, if it has changed."""
        self._entered = True
        asyncio.get_running_loop().call_later(_TEXT_SECONDS, self._enter_without_text)

    def _enter_without_text(self) -> None:
        if self._entered and self._content != FormContent(comment=self.comment.value):
            self._save()
        self._entered = False

    def _save(self) -> None:
        self._entered = False
        draft, record = self._content, self.session.record
        pressed = [button.code for button in self.codes.children if button.value]
        codes = [*pressed, *filter(None, map(str.strip, draft.new_code.split(";")))]
        try:
            after = self.session.save(codes, draft.comment)
        except (AicourseError, OSError, Timeout) as error:  # what a button raises is seen by nobody
            self.saved.value = pieces.line(f"✗ Not saved: {error}")
            return
        if record is not None:
            self._drafts.pop(record.id, None)
        self._show(after)
        if record is not None:
            self.saved.value = pieces.line(f"✓ Saved {record.id}: {'; '.join(codes) or 'nothing wrong'}")
        self.new_code.focus()

    def _show(self, session: CodingSession) -> None:
        self.session = session
        record, view, note = session.record, session.view(), session.note
        draft = _kept(note) if record is None else self._drafts.get(record.id, _kept(note))
        self.new_code.value, self.comment.value = draft.new_code, draft.comment  # first: somebody types on
        where = f" · showing {session.place + 1} of {len(session.records)}" if session.records else ""
        self.progress.value = f"<strong>{pieces.text(session.progress + where)}</strong>"
        self.case.value = "" if view is None else view.shown()
        self.form.layout.display = "none" if view is None else ""
        self.codes.children = [
            _toggle(code, cases, code in draft.pressed) for code, cases in session.notebook.codes().items()
        ]
        remarks = [] if note is None else ["This case has a note; saving replaces it."]
        remarks += ["Not saved yet."] if draft != _kept(note) else []
        self.saved.value = pieces.line(" ".join(remarks)) if remarks else ""
        self.counts.value = pieces.view("codes", codes_table(session.notebook))
        self._keep(session._repr_html_())


def _kept(note: Note | None) -> FormContent:
    """The form when nothing was changed since the note was saved."""
    return FormContent() if note is None else FormContent(frozenset(note.codes), comment=note.comment)


def _toggle(code: str, cases: int, is_pressed: bool) -> Any:
    button = load_ipywidgets().ToggleButton(description=f"{code} ({cases})", value=is_pressed, layout=_AUTO)
    button.code = code
    return button
