"""Passages that two answers share and few others have: ranked pairs, evidence to read, not a verdict.

Answers to code questions are fingerprinted (`fingerprints`). Taken away is what was handed out or stands in
the master (solutions, other right answers, planted mistakes), and what half of the class has. The rest
weighs by how rare it is (in bits, as an inverse document frequency), and a pair ranks by the bits that it
shares times the share that they are of both (cosine): two who chose the same way five times stand out,
though each way is common. Two honest students can write the same short function; a copier who rewrites
every line is not found: `tests/benchmarks/bench_similarity.py` has the figures. Read both sides, and talk
to both people.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from scipy import sparse

from aicourse import html
from aicourse.html import NUMBER, Row, TableCell, escape, join, page, table, wide
from aicourse.paths import write_atomically
from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.results import SubmissionResult
from aicourse.tooling.grading.publishing.fingerprints import GUARANTEED, K, hashes, tokens, winnow

_FEWEST = 3  # fingerprints that a pair shares
_STANDS_OUT = 2  # times the score of the pair in the middle
_ROWS = 128  # students whose scores with all others are in memory at a time
_FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PAIRS = 30
_MOST_LOOKED_AT = 300  # pairs, before those that share too little are left out
_STYLE = """
body { max-width: 96em } .sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1em }
.sides > div { min-width: 0 } mark { background: #f4c20d66; color: inherit; border-bottom: 2px solid #c98a00 }
"""

Span = tuple[int, int]


@dataclass(frozen=True)
class Shared:
    """One question of a pair: both texts and the character ranges that the other has too."""

    question: str
    left: str
    right: str
    left_spans: tuple[Span, ...]
    right_spans: tuple[Span, ...]


@dataclass(frozen=True)
class Pair:
    """Two students: how much of what is rare in each one's answers the other has too (0 to 1), and where.

    `fingerprints` counts what they share, `rarity` adds up how rare that is in the class (in bits).
    """

    left: str
    right: str
    left_share: float
    right_share: float
    fingerprints: int
    rarity: float
    identical: bool
    shared: tuple[Shared, ...]


@dataclass(frozen=True)
class SimilarityReport:
    """The most similar pairs of a class, and how the class was looked at."""

    assignment: str
    students: int
    common_limit: int
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class _Document:
    """One student's answers, and their fingerprints: those that are not common ground."""

    student: str
    answers: Mapping[str, str]
    prints: frozenset[int]


def _document(result: SubmissionResult, questions: Container[str], ignored: frozenset[int]) -> _Document:
    answers = {one.id: one.answer for one in result.questions if one.id in questions and one.answer}
    found = chain.from_iterable(winnow(tokens(answer)) for answer in answers.values())
    return _Document(result.student, answers, frozenset(found) - ignored)


def write_similarity(assignment: Assignment, folder: GradesFolder) -> Path:
    """Compare all answers of a folder and write similarity.html; returns its path."""
    write_atomically(folder.similarity, render(compare(assignment, folder.results())))
    return folder.similarity


def compare(assignment: Assignment, results: Iterable[SubmissionResult]) -> SimilarityReport:
    """The most similar pairs among `results`, by how rare what they share is."""
    questions = [
        question.id
        for question in assignment.questions
        if any(cell.kind == "code" for cell in assignment.answer_cells(question.id))
    ]
    ignored = frozenset(value for text in _common_ground(assignment) for value in hashes(tokens(text)))
    documents = [_document(result, questions, ignored) for result in results if result.status != "failed"]
    owners = Counter(chain.from_iterable(document.prints for document in documents))
    limit = max(2, len(documents) // 2)
    weights = {value: math.log2(len(documents) / count) for value, count in owners.items() if count <= limit}
    documents = [replace(document, prints=document.prints & weights.keys()) for document in documents]
    ranked = ((documents[left], documents[right]) for left, right in _rank(documents, weights))
    enough = (pair for pair in ranked if len(pair[0].prints & pair[1].prints) >= _FEWEST)
    pairs = tuple(_pair(left, right, weights) for left, right in islice(enough, _PAIRS))
    return SimilarityReport(assignment.name, len(documents), limit, pairs)


def _common_ground(assignment: Assignment) -> Iterator[str]:
    """Code that a student may have without having it from another one."""
    for cell in assignment.cells:
        yield from (cell.released, cell.solution)
        yield from (
            (fenced[1] for fenced in _FENCED.finditer(cell.released)) if cell.kind == "markdown" else ()
        )
    yield from chain.from_iterable(assignment.alternatives.values())
    yield from (planted.source for planted in assignment.planted)


def _rank(documents: Sequence[_Document], weights: Mapping[int, float]) -> list[tuple[int, int]]:
    """Pairs of documents that stand out of the class, the highest score first.

    Of all scores only the best and the median count, so the others are kept in single precision.
    """
    count = len(documents)
    if count < 2:
        return []
    has, bits = _occurrences(documents, weights)
    own = np.maximum(has @ bits, 1e-9)
    all_scores = np.empty(count * (count - 1) // 2, np.float32)
    best: list[tuple[float, int, int]] = []
    done = 0
    for start in range(0, count, _ROWS):
        rows = has[start : start + _ROWS]
        shared = (rows.multiply(bits).tocsr() @ has.T).toarray()
        left, right = np.triu_indices(len(shared), start + 1, count)
        scores = shared[left, right] ** 2 / np.sqrt(own[left + start] * own[right])
        all_scores[done : done + len(scores)] = scores
        done += len(scores)
        first = np.argsort(-scores, kind="stable")[:_MOST_LOOKED_AT]
        chosen = (scores[first], left[first] + start, right[first])
        best += zip(*(column.tolist() for column in chosen), strict=True)
    least = max(_STANDS_OUT * float(np.median(all_scores, overwrite_input=True)), 1e-6)
    outstanding = sorted((one for one in best if one[0] > least), key=lambda one: -one[0])
    return [(left, right) for _, left, right in outstanding[:_MOST_LOOKED_AT]]


def _occurrences(documents: Sequence[_Document], weights: Mapping[int, float]) -> tuple[Any, Any]:
    """A sparse matrix with a 1 where a document (row) has a fingerprint (column), and the columns' bits."""
    column = {value: number for number, value in enumerate(weights)}
    columns = [column[value] for document in documents for value in sorted(document.prints)]
    ends = np.cumsum([0, *(len(document.prints) for document in documents)])
    shape = (len(documents), len(weights))
    has = sparse.csr_array((np.ones(len(columns)), columns, ends), shape=shape)
    return has, np.fromiter(weights.values(), np.float64, len(weights))


def _pair(left: _Document, right: _Document, weights: Mapping[int, float]) -> Pair:
    common = left.prints & right.prints
    shared = []
    for question, answer in left.answers.items():
        other = right.answers.get(question, "")
        left_spans, right_spans = _spans(answer, common), _spans(other, common)
        if left_spans or right_spans:
            shared.append(Shared(question, answer, other, left_spans, right_spans))
    return Pair(
        left=left.student,
        right=right.student,
        left_share=len(common) / max(1, len(left.prints)),
        right_share=len(common) / max(1, len(right.prints)),
        fingerprints=len(common),
        rarity=math.fsum(weights[value] for value in common),
        identical=left.answers == right.answers,
        shared=tuple(shared),
    )


def _spans(answer: str, common: Container[int]) -> tuple[Span, ...]:
    """The character ranges of one answer that shared fingerprints cover, joined where they touch."""
    items = tokens(answer)
    ranges = sorted(
        (items[position].start, items[min(position + K, len(items)) - 1].end)
        for value, positions in winnow(items).items()
        if value in common
        for position in positions
    )
    joined: list[Span] = []
    for start, end in ranges:
        if joined and start <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def render(report: SimilarityReport) -> str:
    """The page."""
    header: Row = (
        "Pair",
        *(TableCell(name, NUMBER) for name in ("Shared", "of the first", "of the second", "Rarity")),
    )
    rows = [_row(number, pair) for number, pair in enumerate(report.pairs, start=1)]
    body = html.render(
        "tooling/grading/publishing/templates/similarity.html",
        report=report,
        guaranteed=GUARANTEED,
        table=wide(table("", header, rows), "Pairs"),
        marked=_marked,
    )
    return page(f"{report.assignment}: similar answers", body, style=_STYLE)


def _row(number: int, pair: Pair) -> Row:
    same = Markup(" <b>(the same text)</b>") if pair.identical else ""
    link = Markup("<a href='#pair-{}'>{}. {} – {}</a>{}")
    figures = (
        f"{pair.fingerprints}",
        f"{100 * pair.left_share:.0f} %",
        f"{100 * pair.right_share:.0f} %",
        f"{pair.rarity:.0f}",
    )
    name = link.format(number, number, pair.left, pair.right, same)
    return (name, *(TableCell(figure, NUMBER) for figure in figures))


def _marked(text: str, spans: tuple[Span, ...]) -> Markup:
    """The text with a mark around each span."""
    parts, done = [], 0
    for start, end in spans:
        parts += [escape(text[done:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        done = end
    return join([*parts, text[done:]])
