"""One record of a run as a reader needs it: listing, photo, expected against got, reasons, raw reply.

The bytes of a photo are embedded as they are, so that the same file gives the same page everywhere. Not
handled: shrinking; a file above `MAX_BYTES` is named instead of shown.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from aicourse.evals.runs import CaseRecord
from aicourse.evals.scores import Score
from aicourse.llm.calls import dollars
from aicourse.notebook import pieces
from aicourse.notebook.widgets.fields import REPLY, WARNINGS, FieldRow, compare_fields, shown

if TYPE_CHECKING:
    import pandas as pd

    Photos = pd.DataFrame | Mapping[str, Path | str]

LIVE_LIMIT = 20_000  # characters of one text; more would make the page slow
MAX_BYTES = 2_000_000
_KINDS = ((b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"RIFF", "webp"))


@dataclass(frozen=True)
class CasePhoto:
    """A picture of a case: `source` is a data URL, None when it cannot be shown; `words` say what it is."""

    source: str | None
    words: str


@dataclass(frozen=True)
class CaseView:
    """A record, with the same case of the run before (called `before_name`) and a photo, where there are."""

    record: CaseRecord
    before: CaseRecord | None = None
    before_name: str | None = None
    photo: CasePhoto | None = None

    @property
    def title(self) -> str:
        """The case and its slices."""
        record = self.record
        repeat = f", repeat {record.repeat + 1}" if record.repeat else ""
        return f"{record.id}{repeat}" + (f" · {', '.join(record.tags)}" if record.tags else "")

    @property
    def rows(self) -> tuple[FieldRow, ...]:
        """Expected against got."""
        return compare_fields(self.record, self.before)

    @property
    def wrong(self) -> str:
        """The fields to look at, in a few words."""
        if self.record.error is not None:
            return "task failed"
        names: dict[str, list[str]] = {}
        for row in self.rows:
            if row.is_wrong:
                names.setdefault(row.verdict, []).append(row.name)
        return "; ".join(f"{verdict}: {', '.join(found)}" for verdict, found in names.items()) or "-"

    def shown(self) -> str:
        """The case as a view of its own, with its title."""
        return pieces.view("case", pieces.heading(self.title), self.to_html())

    def to_html(self, limit: int = LIVE_LIMIT) -> str:
        """Everything about the case but its title; texts are cut off after `limit` characters, and say so."""
        text = pieces.block(pieces.text(pretty(self.record.input), limit))
        left = pieces.heading("Listing") + (pieces.beside(text, _photo(self.photo)) if self.photo else text)
        parts = [left, self._error(limit), self._fields(limit), self._warnings(limit), self._scores(limit)]
        return "".join([*parts, self._raw(limit), pieces.line(self.took)])

    @property
    def took(self) -> str:
        """Tokens, latency and cost of the model's calls; times of a task without calls are not repeatable."""
        record = self.record
        if not record.calls:
            return "No call of a model was counted."
        cost = "price unknown" if record.cost is None else dollars(record.cost)
        tokens = f"{record.prompt_tokens:,} tokens in, {record.completion_tokens:,} out"
        calls = f"{record.calls} call" + ("s" if record.calls > 1 else "")
        return f"{calls}, {tokens}, {record.seconds:.2f} s, {cost}"

    def _error(self, limit: int) -> str:
        if self.record.error is None:
            return ""
        return pieces.heading("✗ The task failed") + pieces.raw(self.record.error, limit)

    def _fields(self, limit: int) -> str:
        earlier = [] if self.before is None else [f"got before ({self.before_name})"]
        header = ["field", "expected", "got", *earlier, "verdict"]
        rows = [self._field(row, limit) for row in self.rows]
        return pieces.table("Expected against got", header, rows)

    def _field(self, row: FieldRow, limit: int) -> list[str]:
        got = pieces.text(shown(row.got), limit)
        verdict = pieces.mark(row.marked, "bad") if row.is_wrong else pieces.text(row.marked)
        failed = self.record.error is not None
        cells: list[str] = [pieces.text(row.name), pieces.text(shown(row.expected), limit)]
        strong = Markup(f"<strong>{got}</strong>")
        cells.append("-" if failed else strong if row.is_wrong else got)
        if self.before is not None:
            was = "task failed" if self.before.error is not None else shown(row.before)
            cells.append(pieces.text(was, limit))
        return [*cells, verdict]

    def _warnings(self, limit: int) -> str:
        output = self.record.output
        warnings = output.get(WARNINGS) if isinstance(output, Mapping) else None
        if not isinstance(warnings, list) or not warnings:
            return ""
        return pieces.heading("Warnings") + pieces.block(pieces.text("\n".join(map(pretty, warnings)), limit))

    def _scores(self, limit: int) -> str:
        if not self.record.scores:
            return ""
        before = {score.name: score for score in self.before.scores} if self.before else None
        earlier = [] if before is None else ["before"]
        rows = []
        for score in self.record.scores:
            was = [] if before is None else [pieces.text(score_text(before.get(score.name)))]
            reason = pieces.text(score.error or score.reason, limit)
            rows.append([pieces.text(score.name), pieces.text(score_text(score)), *was, reason])
        return pieces.table("Scores", ["score", "value", *earlier, "reason"], rows)

    def _raw(self, limit: int) -> str:
        name, words = raw_reply(self.record.output)
        parts = pieces.folded(name, pieces.raw(words, limit))
        if self.before is not None and self.before.output != self.record.output:
            name, words = raw_reply(self.before.output)
            parts += pieces.folded(f"{name} before ({self.before_name})", pieces.raw(words, limit))
        return parts


def score_text(score: Score | None) -> str:
    """A score's value, a sign before it that says good or bad without colour."""
    if score is None:
        return "-"
    match score.value:
        case bool():
            return "✓ yes" if score.value else "✗ no"
        case float() | int():
            return f"{score.value:.3f}"
        case None:
            return "scorer failed"
    return score.value


def raw_reply(output: Any) -> tuple[str, str]:
    """The words of the model, as far as the run kept them, under a name for them.

    >>> raw_reply({"brand": None, "reply": "Sure! {}"}), raw_reply(None)
    (('Raw reply', 'Sure! {}'), ('Raw reply', '(nothing)'))
    """
    if output is None or isinstance(output, str):
        return "Raw reply", "(nothing)" if output is None else output
    if isinstance(output, Mapping) and isinstance(output.get(REPLY), str):
        return "Raw reply", output[REPLY]
    return "Output as JSON", pretty(output)


def pretty(value: Any) -> str:
    """Text as it is; anything else as JSON that people can read."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)


def _photo(photo: CasePhoto) -> str:
    return pieces.line(photo.words) if photo.source is None else pieces.picture(photo.source, photo.words)


def photo_of(case_id: str, photos: Photos | None) -> CasePhoto | None:
    """The photo of a case, None when it has none.

    `photos` is what `datasets.load_photos` returns, or a mapping of case ids to files.
    """
    if photos is None:
        return None
    if isinstance(photos, Mapping):
        return _read(case_id, Path(photos[case_id]), "") if case_id in photos else None
    if case_id not in photos.index:
        return None
    row = photos.loc[case_id]
    return _read(case_id, Path(row["path"]), _labelled(row))


def _labelled(row: Any) -> str:
    """The dataset's own words about the photo."""
    parts = [", ".join([*row.get("colours", ()), *row.get("materials", ())])]
    parts += [f"size tag {row['size_tag']}"] if isinstance(row.get("size_tag"), str) else []
    if len(row.get("contradicts", ())):
        parts.append(f"contradicts the text in {', '.join(row['contradicts'])}")
    return "; ".join(filter(None, parts))


def _read(case_id: str, path: Path, labels: str) -> CasePhoto:
    words = f"Photo of {case_id}" + (f" ({labels})" if labels else "")
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return CasePhoto(None, f"{words}: {path.name} cannot be read ({error.strerror})")
    kind = next((kind for start, kind in _KINDS if data.startswith(start)), None)
    if kind is None or len(data) > MAX_BYTES:
        problem = "is no JPEG, PNG or WebP" if kind is None else f"is larger than {MAX_BYTES:,} bytes"
        return CasePhoto(None, f"{words}: {path.name} {problem}")
    return CasePhoto(f"data:image/{kind};base64,{b64encode(data).decode()}", words)
