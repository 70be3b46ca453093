"""The similarity report as one HTML file: what it is and is not, ranked pairs, each pair side by side."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

from aicourse.paths import write_atomically
from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.publishing.fingerprints import GUARANTEED
from aicourse.tooling.grading.publishing.pages import page
from aicourse.tooling.grading.publishing.similarity import Pair, Shared, SimilarityReport, Span, compare

_STYLE = """
body { max-width: 96em } .sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1em }
.sides > div { min-width: 0 } mark { background: #f4c20d66; color: inherit; border-bottom: 2px solid #c98a00 }
"""


def write_similarity(assignment: Assignment, folder: GradesFolder) -> Path:
    """Compare all answers of a folder and write similarity.html; returns its path."""
    write_atomically(folder.similarity, render(compare(assignment, folder.results())))
    return folder.similarity


def render(report: SimilarityReport) -> str:
    """The page."""
    rows = "".join(_row(number, pair) for number, pair in enumerate(report.pairs, start=1))
    head = "".join(
        f"<th scope='col'>{name}</th>"
        for name in ("", "Pair", "Shared", "of the first", "of the second", "Rarity")
    )
    table = (
        f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        if rows
        else "<p>No two submissions share three rare passages or more.</p>"
    )
    details = "".join(_details(number, pair) for number, pair in enumerate(report.pairs, start=1))
    return page(
        f"{report.assignment}: similar answers", _introduction(report) + table + details, style=_STYLE
    )


def _introduction(report: SimilarityReport) -> str:
    return (
        f"<h1>{escape(report.assignment)}: similar answers</h1>"
        "<div class='card bad'><b>This is evidence to read, not a verdict.</b><p>It shows which passages two "
        "submissions share and few others have. It does not show who wrote them, whether anybody copied, or "
        "whether working together was allowed. Two honest students can write the same short function. Read "
        "both sides and talk to both people before you conclude anything.</p></div>"
        f"<p class='quiet'>{report.students} submissions; names, layout, comments and texts do not "
        f"count; code that was handed out, and passages that more than {report.common_limit} submissions "
        f"have, are left out. A shared run of {GUARANTEED} tokens is always found (winnowing: "
        "Schleimer, Wilkerson, Aiken, SIGMOD 2003). Rarity adds up, in bits, how few submissions have each "
        "shared passage.</p>"
    )


def _row(number: int, pair: Pair) -> str:
    same = " <b>(the same text)</b>" if pair.identical else ""
    return (
        f"<tr><td class='number'>{number}</td><th scope='row'><a href='#pair-{number}'>{escape(pair.left)} – "
        f"{escape(pair.right)}</a>{same}</th><td class='number'>{pair.fingerprints}</td>"
        f"<td class='number'>{100 * pair.left_share:.0f} %</td>"
        f"<td class='number'>{100 * pair.right_share:.0f} %</td>"
        f"<td class='number'>{pair.rarity:.0f}</td></tr>"
    )


def _details(number: int, pair: Pair) -> str:
    title = f"{number}. {escape(pair.left)} – {escape(pair.right)}"
    questions = "".join(_question(pair, one) for one in pair.shared)
    return f"<section id='pair-{number}'><h2>{title}</h2>{questions}</section>"


def _question(pair: Pair, shared: Shared) -> str:
    sides = (
        f"<div><p class='quiet'>{escape(name)}</p><pre>{''.join(_marked(text, spans))}</pre></div>"
        for name, text, spans in (
            (pair.left, shared.left, shared.left_spans),
            (pair.right, shared.right, shared.right_spans),
        )
    )
    return f"<h3>{escape(shared.question)}</h3><div class='sides'>{''.join(sides)}</div>"


def _marked(text: str, spans: tuple[Span, ...]) -> Iterator[str]:
    done = 0
    for start, end in spans:
        yield escape(text[done:start])
        yield f"<mark>{escape(text[start:end])}</mark>"
        done = end
    yield escape(text[done:])
