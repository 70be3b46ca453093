"""Error analysis: look at failures, write down in your own words what is wrong, then group and count.

    failures = sample_failures(run, 30, score="exact")
    notebook = NoteBook("build/notes.jsonl")
    notebook.note("L061", ["colour taken from the model's name"], "'Graphite' is a series, not a colour")
    taxonomy(notebook.notes(), {"colour taken from the model's name": "invented"})

Open coding first (free notes, no list of categories), then a taxonomy: the order that qualitative research
uses (Strauss & Corbin 1990), and that Shankar and Husain teach for language models. The sample is drawn so
that each failure is as likely as any other, so the shares of the taxonomy estimate those of all failures.
Not handled: several people who code the same failures (compare their codes with `agreement`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock
from pydantic import TypeAdapter

from aicourse import json_text
from aicourse.errors import EvaluationError
from aicourse.evals.cases import read_lines
from aicourse.evals.runs import CaseRecord, Run
from aicourse.evals.statistics import Interval, proportion
from aicourse.html import NOTEBOOK, table
from aicourse.paths import write_atomically

if TYPE_CHECKING:
    import pandas as pd

UNGROUPED = "not grouped yet"
_EXAMPLES = 3
_LOCK_SECONDS = 10


# which failures to look at


def sample_failures(run: Run, n: int, score: str, seed: int = 0, *, below: float = 1.0) -> list[CaseRecord]:
    """At most `n` failed cases, in random order: the task raised, or `score` is False or under `below`.

    Each failure is as likely to be drawn as any other, and each slice (a case's tags) gets its share of the
    sample to within one case: a systematic sample over failures that are ordered by slice. Of a case with
    repeats, the first failed one counts. The same seed draws the same.

    Raises:
        EvaluationError: the run has no number or assertion `score`.
    """
    run.values(score)  # says which scores there are when this is none of them
    failed: dict[str, tuple[tuple[str, ...], int]] = {}
    for record in run.records():
        if (
            _has_failed(record, score, below)
            and record.repeat <= failed.get(record.id, ((), record.repeat))[1]
        ):
            failed[record.id] = record.tags, record.repeat
    chance = random.Random(seed)
    ids = sorted(failed)
    chance.shuffle(ids)
    ids.sort(key=lambda id: failed[id][0])  # stable: random within each slice
    size = min(n, len(ids))
    step = len(ids) / size if size else 1.0
    start = chance.random() * step
    chosen = {ids[min(int(start + step * place), len(ids) - 1)] for place in range(size)}
    records = {
        record.id: record
        for record in run.records()
        if record.id in chosen and record.repeat == failed[record.id][1]
    }
    order = sorted(records)
    chance.shuffle(order)
    return [records[id] for id in order]


def _has_failed(record: CaseRecord, score: str, below: float) -> bool:
    if record.error is not None:
        return True
    value = next((one.value for one in record.scores if one.name == score), None)
    return isinstance(value, bool | int | float) and float(value) < below


# what was seen in them


@dataclass(frozen=True, slots=True)
class Note:
    """One person's remarks on one case: codes in their own words, a comment, when.

    No code means: looked at, and nothing is wrong with it (then the case's expected value may be).
    """

    case_id: str
    codes: tuple[str, ...]
    comment: str
    at: datetime


_NOTE = TypeAdapter(Note)


def _now() -> datetime:
    return datetime.now(UTC)


class NoteBook:
    """The notes in one JSON Lines file, one per case; a case noted again replaces its note.

    The file is replaced as a whole and under a lock, so that neither a crash nor a second notebook can leave
    half of it: go on where you stopped by opening the same path.
    """

    def __init__(self, path: Path | str, *, clock: Callable[[], datetime] = _now) -> None:
        self.path = Path(path)
        self._clock = clock

    def note(self, case_id: str, codes: Sequence[str], comment: str = "") -> Note:
        """Keep what was seen in a case; codes are compared without regard to case and spacing.

        Raises:
            EvaluationError: the id is empty, or the file holds something else than notes.
        """
        if not case_id:
            raise EvaluationError("A note needs the id of its case. Pass the record's `id`.")
        if isinstance(codes, str):
            codes = [codes]
        note = Note(case_id, _tidy(codes), comment.strip(), self._clock())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=_LOCK_SECONDS):
            notes = {known.case_id: known for known in self.notes()} | {case_id: note}
            write_atomically(
                self.path, b"".join(json_text.dumps(asdict(one)) + b"\n" for one in notes.values())
            )
        return note

    def notes(self) -> list[Note]:
        """All notes, in the order of the cases' first ones; none when there is no file yet.

        Raises:
            EvaluationError: a line is not a note; the message names it.
        """
        if not self.path.exists():
            return []
        return [_read(line, f"{self.path}, line {number}") for number, line in read_lines(self.path)]

    def codes(self) -> dict[str, int]:
        """The number of cases with each code, most frequent first: what a taxonomy has to group."""
        return dict(Counter(code for note in self.notes() for code in note.codes).most_common())

    def to_frame(self) -> pd.DataFrame:
        """One row per note: case, codes, comment, when."""
        import pandas as pd  # 0.3 s to import, and most readers only look at the table

        names = ("case_id", "codes", "comment", "at")
        return pd.DataFrame([[getattr(note, name) for name in names] for note in self.notes()], columns=names)

    def _repr_html_(self) -> str:
        rows = [
            (note.case_id, "; ".join(note.codes) or "nothing wrong", note.comment) for note in self.notes()
        ]
        return table(f"{len(rows)} cases coded", ("case", "codes", "comment"), rows, NOTEBOOK)


def _tidy(codes: Sequence[str]) -> tuple[str, ...]:
    words = (" ".join(code.casefold().split()) for code in codes)
    return tuple(dict.fromkeys(word for word in words if word))


def _read(line: str, place: str) -> Note:
    try:
        return _NOTE.validate_python(json_text.loads(line))
    except ValueError:
        raise EvaluationError(
            f"{place}: not a note. Correct or delete the line, or choose another file.", place=place
        ) from None


# groups of codes, counted


@dataclass(frozen=True)
class Category:
    """A kind of failure: how many of the cases looked at have it, and which codes it gathers."""

    name: str
    cases: int
    share: Interval
    codes: tuple[str, ...]
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Taxonomy:
    """Kinds of failure, most frequent first. A case may have several, so shares may add up to more than 1.

    `ungrouped` are codes without a category (they are counted under "not grouped yet"), `unused` are codes of
    the mapping that no note has: a slip of the pen in one of the two, as a rule.
    """

    cases: int
    categories: tuple[Category, ...]
    ungrouped: tuple[str, ...]
    unused: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per category: cases, share with its 95 % interval (Wilson), codes, examples."""
        import pandas as pd  # 0.3 s to import, and most readers only look at the table

        rows = [
            {
                "category": category.name,
                "cases": category.cases,
                "share": category.share.estimate,
                "low": category.share.low,
                "high": category.share.high,
                "codes": "; ".join(category.codes),
                "examples": ", ".join(category.examples),
            }
            for category in self.categories
        ]
        names = ["category", "cases", "share", "low", "high", "codes", "examples"]
        return pd.DataFrame(rows, columns=names).set_index("category")

    def rows(self) -> list[tuple[str, ...]]:
        """The cells of the table."""
        return [
            (
                category.name,
                str(category.cases),
                f"{100 * category.share.estimate:.0f} % "
                f"({100 * category.share.low:.0f} to {100 * category.share.high:.0f})",
                "; ".join(category.codes),
                ", ".join(category.examples),
            )
            for category in self.categories
        ]

    @property
    def caption(self) -> str:
        """A sentence on what was counted, and what to look at again."""
        remarks = [f"; {len(self.ungrouped)} codes {UNGROUPED}"] if self.ungrouped else []
        remarks += [f"; in no note: {', '.join(self.unused)}"] if self.unused else []
        return f"Kinds of failure among {self.cases} cases (95 % intervals)" + "".join(remarks)

    def __str__(self) -> str:
        return "\n".join([self.caption, *(f"{row[1]:>4}  {row[2]:<18}  {row[0]}" for row in self.rows())])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        header = ("category", "cases", "share of cases", "codes", "examples")
        return table(self.caption, header, self.rows(), NOTEBOOK)


def taxonomy(notes: Iterable[Note], mapping: Mapping[str, str]) -> Taxonomy:
    """Count the cases of each category; `mapping` gives each code its category.

    >>> note = Note("L1", ("size from the photo", "brand guessed"), "", datetime(2026, 1, 1))
    >>> found = taxonomy([note], {"brand guessed": "invented"})
    >>> [(category.name, category.cases) for category in found.categories], found.ungrouped
    ([('invented', 1), ('not grouped yet', 1)], ('size from the photo',))
    """
    known = list(notes)
    groups = {code: category for raw, category in mapping.items() for code in _tidy([raw])}
    used = tuple(dict.fromkeys(code for note in known for code in note.codes))
    members: dict[str, list[str]] = {}
    codes: dict[str, list[str]] = {}
    for note in known:
        for name in dict.fromkeys(groups.get(code, UNGROUPED) for code in note.codes):
            members.setdefault(name, []).append(note.case_id)
    for code in used:
        codes.setdefault(groups.get(code, UNGROUPED), []).append(code)
    ordered = sorted(members, key=lambda name: (name == UNGROUPED, -len(members[name]), name))
    categories = tuple(
        Category(
            name,
            len(members[name]),
            proportion(len(members[name]), len(known)),
            tuple(codes[name]),
            tuple(members[name][:_EXAMPLES]),
        )
        for name in ordered
    )
    ungrouped = tuple(code for code in used if code not in groups)
    return Taxonomy(len(known), categories, ungrouped, tuple(code for code in groups if code not in used))
