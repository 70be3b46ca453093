"""Open coding: read one failure at a time, say in your own words what is wrong, and go on another day.

    code_failures(run, "build/notes.jsonl", n=30, score="colours.f1")

The notes are those of `aicourse.evals.error_analysis`; `NoteBook("build/notes.jsonl")` reads them, and
`taxonomy` groups and counts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aicourse.errors import EvaluationError
from aicourse.evals.error_analysis import Note, NoteBook, sample_failures
from aicourse.evals.records import CaseRecord
from aicourse.evals.runs import Run
from aicourse.notebook.widgets import html
from aicourse.notebook.widgets.case_view import CaseView
from aicourse.notebook.widgets.live import mimebundle
from aicourse.notebook.widgets.photos import photo_of

if TYPE_CHECKING:
    from aicourse.notebook.widgets.photos import Photos

_LISTED = 12  # cases of the table where nobody can press a button
_UNFOLDED = 2  # failures in full there
_CHARACTERS = 1_500  # of each text there


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
    return CodingSession.of(run.info.name, records, NoteBook(path), photos)


def _only_score(run: Run) -> str:
    names = [summary.name for summary in run.summary.scores if summary.mean is not None]
    if len(names) != 1:
        choices = ", ".join(names) or "none"
        raise EvaluationError(
            f"Say which score a failure fails: score=… (there are: {choices}).", scores=names
        )
    return names[0]


@dataclass(frozen=True, repr=False)
class CodingSession:
    """A sample of failures, the notebook of what was seen in them, and the place where the reader is."""

    run: str
    records: tuple[CaseRecord, ...]
    notebook: NoteBook
    photos: Photos | None = None
    place: int = 0

    @classmethod
    def of(
        cls, run: str, records: Sequence[CaseRecord], notebook: NoteBook, photos: Photos | None = None
    ) -> CodingSession:
        """A session that begins at the first failure without a note."""
        return cls(run, tuple(records), notebook, photos)._at_first_open()

    @property
    def record(self) -> CaseRecord | None:
        """The failure that is shown; None when the sample is empty."""
        return self.records[self.place] if self.records else None

    @property
    def note(self) -> Note | None:
        """What was noted about it."""
        return self.notes.get(self.record.id) if self.record else None

    @property
    def notes(self) -> dict[str, Note]:
        """The notes about failures of this sample, by case id; read from the file."""
        ids = {record.id for record in self.records}
        return {note.case_id: note for note in self.notebook.notes() if note.case_id in ids}

    @property
    def is_done(self) -> bool:
        """Whether every failure has a note."""
        return len(self.notes) == len(self.records)

    @property
    def progress(self) -> str:
        """How far the work is."""
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
        return self._after()

    def moved(self, steps: int) -> CodingSession:
        """The same session some failures on, never past an end."""
        return replace(self, place=max(0, min(self.place + steps, len(self.records) - 1)))

    def view(self, *, with_photo: bool = True) -> CaseView | None:
        """The failure that is shown."""
        if self.record is None:
            return None
        photo = photo_of(self.record.id, self.photos) if with_photo else None
        return CaseView(self.record, photo=photo)

    def _at_first_open(self) -> CodingSession:
        notes = self.notes
        open_places = (place for place, record in enumerate(self.records) if record.id not in notes)
        return replace(self, place=next(open_places, 0))

    def _after(self) -> CodingSession:
        """At the next failure without a note, from here round to the first; here when all have one."""
        notes, count = self.notes, len(self.records)
        places = ((self.place + step) % count for step in range(1, count))
        unnoted = (place for place in places if self.records[place].id not in notes)
        return replace(self, place=next(unnoted, self.place))

    def __repr__(self) -> str:
        lines = [f"Open coding of run {self.run}: {self.progress}"]
        lines += [f"  {cases:>3}  {code}" for code, cases in self.notebook.codes().items()]
        return "\n".join(lines + [f"  next: {record.id}" for record in self._open()[:1]])

    def _open(self) -> list[CaseRecord]:
        notes = self.notes
        return [record for record in self.records if record.id not in notes]

    def _repr_html_(self) -> str:
        heading = html.heading(f"Open coding of run {self.run}: {self.progress}")
        cases = [
            html.folded(f"Not coded yet: {record.id}", CaseView(record).to_html(_CHARACTERS))
            for record in self._open()[:_UNFOLDED]
        ]
        return html.view("coding", heading, codes_table(self.notebook), self._cases_table(), *cases)

    def _cases_table(self) -> str:
        """The failures with their notes."""
        notes = self.notes
        rows = []
        for record in self.records[:_LISTED]:
            note = notes.get(record.id)
            seen = "not coded yet" if note is None else "; ".join(note.codes) or "nothing wrong"
            cells = (record.id, CaseView(record).wrong, seen, note.comment if note else "")
            rows.append([html.text(cell, _CHARACTERS) for cell in cells])
        if not rows:
            return ""
        more = len(self.records) - len(rows)
        table = html.table("Failures", ("case", "what is wrong", "codes", "comment"), rows)
        return table + (html.line(f"{more} more failures are not listed here.") if more else "")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return mimebundle(self, self._controls)

    def _controls(self) -> Any:
        from aicourse.notebook.widgets.coding_live import CodingControls  # loads ipywidgets, 0.2 s

        return CodingControls(self).box


def codes_table(notebook: NoteBook) -> str:
    """How many cases have each code so far, as HTML."""
    rows = [(html.text(code), str(cases)) for code, cases in notebook.codes().items()]
    return html.table("Codes so far", ("code", "cases"), rows) if rows else html.line("No codes yet.")
