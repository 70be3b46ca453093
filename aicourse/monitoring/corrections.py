"""Corrections that become evaluation cases, once an annotator has confirmed them, and examples in a prompt.

    cases = annotated_cases(connection, texts)              # texts of listings by their id
    prompts.new("extract_listing", text=with_examples(prompt, cases[:3]), changelog=…)

A seller's edit proves "better than proposed". A case needs gold for every field, from at least one
annotator, and no other from anybody.
Use a case as an example or to measure, never for both: a model repeats what it was shown.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping

from aicourse.errors import FeedbackError, PromptError
from aicourse.evals.cases import Case
from aicourse.prompts.prompt import Prompt
from aicourse.prompts.template import (
    BrokenTemplateError,
    Section,
    body_text,
    harmless,
    parse_body,
    unix_lines,
)

_JUDGED = """
    SELECT trace_id, listing_id, field, proposed, published, MIN(gold) AS gold,
           json_group_array(DISTINCT annotator) AS annotators,
           COUNT(gold) = COUNT(*) AND COUNT(DISTINCT gold) = 1 AS settled
    FROM proposed_fields LEFT JOIN annotations USING (trace_id, field)
    WHERE trace_id IN (SELECT trace_id FROM annotations)
    GROUP BY trace_id, field ORDER BY MIN(proposed_fields.id)"""


def annotated_cases(connection: sqlite3.Connection, texts: Mapping[str, str]) -> list[Case]:
    """A case per listing whose every field annotators agree on; of a listing's traces, the first one.

    Tagged "corrected" if the seller changed a field that annotators call wrong as well. Traces with a field
    that is not judged, unsure or disputed make no case: finish their annotation first.

    Raises:
        FeedbackError: the text of a listing is missing.
    """
    traces: dict[str, list[sqlite3.Row]] = {}
    for row in connection.execute(_JUDGED):
        traces.setdefault(row["trace_id"], []).append(row)
    cases: dict[str, Case] = {}
    for rows in traces.values():
        if all(row["settled"] for row in rows) and rows[0]["listing_id"] not in cases:
            cases[rows[0]["listing_id"]] = _case(rows, texts)
    return list(cases.values())


def _case(rows: list[sqlite3.Row], texts: Mapping[str, str]) -> Case:
    trace, listing = rows[0]["trace_id"], rows[0]["listing_id"]
    if listing not in texts:
        raise FeedbackError(f"Listing {listing!r} of trace {trace!r} has no text. Add it to the texts.")
    confirmed = [row["field"] for row in rows if row["proposed"] not in (row["published"], row["gold"])]
    who = ", ".join(sorted({name for row in rows for name in json.loads(row["annotators"])}))
    told = f"; {', '.join(confirmed)} corrected by the seller" if confirmed else ""
    return Case(
        id=trace,
        input=texts[listing],
        expected={row["field"]: json.loads(row["gold"]) for row in rows},
        tags=("corrected",) if confirmed else (),
        provenance=f"production, trace {trace}, listing {listing}{told}; every field confirmed by {who}",
    )


def with_examples(prompt: Prompt, cases: Iterable[Case]) -> str:
    """The text of a new version: each case as the user's question and the right answer, before the last one.

    Raises:
        PromptError: the last message has not one placeholder, or a case's text would become part of the
            template (a line `# user`, a placeholder).
    """
    *before, asked = prompt.sections
    if len(asked.placeholders) != 1:
        raise PromptError(f"The last message of {prompt.ref} needs one placeholder, for the case's text.")
    turns: list[Section] = []
    for case in cases:
        text = unix_lines(harmless(str(case.input))).strip()
        answer = json.dumps(case.expected, ensure_ascii=False)
        turn = Section("user", asked.filled({asked.placeholders[0]: text})), Section("assistant", answer)
        if not _is_kept((*turn, asked)):
            raise PromptError(
                f"Case {case.id!r} has a line `# …` or braces that a template takes for its own. "
                "Choose another."
            )
        turns += turn
    return body_text((*before, *turns, asked))


def _is_kept(sections: tuple[Section, ...]) -> bool:
    """True if a file says of these sections what they are, and none but the last is a template."""
    try:
        return parse_body(body_text(sections)) == sections and not any(
            section.placeholders for section in sections[:-1]
        )
    except BrokenTemplateError:
        return False
