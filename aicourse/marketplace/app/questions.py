"""Questions to the help centre in the product's SQLite file: what came of each, and those for the editor.

Keys and private data are taken out of a question before it is stored. Questions of the same words
count as one, whatever their capitals and punctuation. What a person called no help becomes an evaluation
case without an expected answer: an editor writes that.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aicourse.csv_text import to_csv
from aicourse.evals.cases import Case
from aicourse.llm.keys import masked
from aicourse.marketplace.app.store import Store, new_id
from aicourse.monitoring.feedback import record_thumb
from aicourse.monitoring.private_data import without_private

if TYPE_CHECKING:
    from aicourse.rag.answering import GroundedAnswer

State = Literal["working", "answered", "abstained", "failed"]
Order = Literal["newest", "often"]
MINUTE_NS = 60 * 10**9

_QUESTION = """
    SELECT questions.*, thumb FROM questions
    LEFT JOIN feedback ON feedback.trace_id = questions.trace_id AND kind = 'explicit'
    WHERE question_id = ? AND person_id = ?"""
# beside max() the other columns are those of the row that has it: the newest question
_UNANSWERED = """
    SELECT question_id, question, state, why, answer, document, questions.trace_id,
        max(asked_ns) AS newest_ns, count(*) AS times,
        count(*) FILTER (WHERE state = 'abstained') AS abstained,
        count(*) FILTER (WHERE thumb = -1) AS disliked,
        group_concat(DISTINCT feedback.reason) AS reasons, group_concat(DISTINCT text) AS words
    FROM questions LEFT JOIN feedback ON feedback.trace_id = questions.trace_id AND kind = 'explicit'
    WHERE state = 'abstained' OR thumb = -1
    GROUP BY alike ORDER BY {} LIMIT ?"""
_ORDER = {"newest": "newest_ns DESC", "often": "times DESC, newest_ns DESC"}

_COLUMNS = ("question", "times", "abstained", "disliked", "reason", "document", "newest_ns", "trace_id")


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question and what came of it; `start` and `end` are characters of the article that is cited."""

    question_id: str
    question: str
    state: State
    why: str | None
    answer: str
    quote: str | None
    document: str | None
    start: int | None
    end: int | None
    nearest: tuple[str, ...]
    trace_id: str
    thumb: int | None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Questions of the same words that had no answer or no good one; the newest stands for all of them."""

    question_id: str
    question: str
    state: State
    why: str | None
    answer: str
    document: str | None
    trace_id: str
    newest_ns: int
    times: int
    abstained: int
    disliked: int
    reasons: str | None
    words: str | None

    @property
    def reason(self) -> str:
        """The reason that the newest has no answer, and what people said."""
        from aicourse.rag.answering import REASONS  # with numpy: not before it is needed

        told = (REASONS.get(self.why or "", self.why), self.reasons, self.words)
        return "; ".join(part.replace(",", ", ") for part in told if part) or "not helpful"

    @property
    def case(self) -> Case:
        """The evaluation case of it; an editor writes what is expected."""
        said = f"answered from {self.document}: {_clean(self.answer)}" if self.answer else "no answer"
        tags = ("abstained",) * bool(self.abstained) + ("not helpful",) * bool(self.disliked)
        told = f"production, trace {self.trace_id}, {self.times} times; {said}; {self.reason}"
        return Case(id=self.question_id, input=self.question, tags=tags, provenance=told)


def add_question(store: Store, person_id: str, question: str, seconds: float) -> str:
    """Keep a question that is being answered; its id."""
    now, question_id, kept = time.time_ns(), new_id(), _clean(question)
    with store.changing() as connection:
        connection.execute(
            "INSERT INTO questions "
            "(question_id, person_id, question, alike, trace_id, asked_ns, deadline_ns) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (question_id, person_id, kept, alike(kept), question_id, now, now + int(seconds * 1e9)),
        )
    return question_id


def asked_lately(store: Store, person_id: str) -> int:
    """The number of a person's questions in the last minute."""
    query = "SELECT count(*) FROM questions WHERE person_id = ? AND asked_ns > ?"
    with store.reading() as connection:
        (count,) = connection.execute(query, (person_id, time.time_ns() - MINUTE_NS)).fetchone()
    return int(count)


def end_question(store: Store, question_id: str, answer: GroundedAnswer, trace_id: str | None) -> None:
    """Store an answer, or why there is none, if the question's time is not over."""
    nearest = list(dict.fromkeys(hit.document for hit in answer.hits))
    quoted: tuple[str | int | None, ...] = (None, nearest[0] if nearest else None, None, None)
    if cited := answer.citation:
        start = cited.chunk.start + cited.start
        quoted = (cited.quote, cited.chunk.document, start, start + cited.end - cited.start)
    state = "abstained" if answer.abstained else "answered"
    values = (state, answer.why_not or None, masked(answer.text), *quoted, json.dumps(nearest), trace_id)
    now = time.time_ns()
    with store.changing() as connection:
        connection.execute(
            "UPDATE questions SET state = ?, why = ?, answer = ?, quote = ?, document = ?, start = ?, "
            '"end" = ?, nearest = ?, trace_id = coalesce(?, trace_id), finished_ns = ? '
            "WHERE question_id = ? AND state = 'working' AND deadline_ns > ?",
            (*values, now, question_id, now),
        )


def fail_question(store: Store, question_id: str, why: str, trace_id: str | None = None) -> None:
    """Note why there is neither an answer nor an abstention."""
    with store.changing() as connection:
        connection.execute(
            "UPDATE questions "
            "SET state = 'failed', why = ?, trace_id = coalesce(?, trace_id), finished_ns = ? "
            "WHERE question_id = ? AND state = 'working'",
            (why, trace_id, time.time_ns(), question_id),
        )


def find_question(store: Store, question_id: str, person_id: str | None) -> AskedQuestion | None:
    """A person's own question; one whose time is over has failed."""
    with store.reading() as connection:
        row = connection.execute(_QUESTION, (question_id, person_id)).fetchone()
    if row is None:
        return None
    fields = {name: row[name] for name in AskedQuestion.__dataclass_fields__}
    if row["state"] == "working" and row["deadline_ns"] <= time.time_ns():
        fields |= {"state": "failed", "why": "slow"}
    return AskedQuestion(**fields | {"nearest": tuple(json.loads(row["nearest"]))})


def judge_answer(
    store: Store, question: AskedQuestion, person_id: str, thumb: int, reason: str, words: str
) -> None:
    """Keep a person's thumb on an answer, with the reason and words of their own."""
    with store.changing() as connection:
        record_thumb(
            connection, question.trace_id, thumb=thumb, reason=reason, text=words, seller_id=person_id
        )


def unanswered(store: Store, order: Order = "newest", most: int = -1) -> list[Unanswered]:
    """The questions for the editor: without an answer, or with one that somebody called no help."""
    with store.reading() as connection:
        rows: Iterable[sqlite3.Row] = connection.execute(_UNANSWERED.format(_ORDER[order]), (most,))
        return [Unanswered(**dict(zip(row.keys(), row, strict=True))) for row in rows]


def as_file(rows: Iterable[Unanswered], form: Literal["csv", "jsonl"]) -> bytes:
    """The questions for a spreadsheet, or as evaluation cases, one in a line."""
    if form == "jsonl":
        return "".join(f"{row.case.model_dump_json(exclude_defaults=True)}\n" for row in rows).encode()
    lines = ([str(getattr(row, name) or "") for name in _COLUMNS] for row in rows)
    return to_csv([_COLUMNS, *lines])


def alike(question: str) -> str:
    """The words of a question, the same for the same question.

    >>> alike("  Where's my MONEY?! ")
    'where s my money'
    """
    return " ".join(re.findall(r"\w+", question.casefold()))


def _clean(text: str) -> str:
    return without_private(masked(text))
