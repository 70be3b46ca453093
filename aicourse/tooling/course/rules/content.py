"""Rules about what is stored: nothing private, nothing broken, nothing left over from a machine."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache

from aicourse import paths
from aicourse.llm.keys import contains_key
from aicourse.notebook.checks.calling import shorten
from aicourse.notebook_json import Cell, text
from aicourse.tooling.course.leaks import machine_paths, secret_lines
from aicourse.tooling.course.notebooks import WIDGET_VIEW
from aicourse.tooling.course.rules import Breach, LintRule, Subject, has_picture, output_texts

_PROGRESS = re.compile(r"\r[^\n]|\d+%\|.*\||\d(?:it/s|s/it)\b")
_MARKER = re.compile(r"^\s*#\s*(NBVAL_\w+)(.*)$", re.MULTILINE)
_TAG = re.compile(r"<[^>]*>")
BEGINNING, TITLE = 30, 20  # letters by which a text is known (tables cut it off); at least
_UNCHECKED = {"NBVAL_IGNORE_OUTPUT", "NBVAL_SKIP", "NBVAL_RAISES_EXCEPTION", "RAISES_EXCEPTION"}
_MARKDOWN_IMAGE = re.compile(r"!\[(.*?)\]\(|<img\b(?![^>]*\balt=[\"'][^\"']+)[^>]*>")
_RUN = "Run it and store the outputs: aicourse run {number} --save"


def _texts(cell: Cell) -> Iterator[tuple[str, str]]:
    yield "source", cell.source
    for content in output_texts(cell):
        yield "output", content


def _secret(subject: Subject) -> Iterator[Breach]:
    for cell in subject.notebook.cells:
        for place, content in _texts(cell):
            if contains_key(content) or any(secret_lines(content)):
                yield Breach(
                    cell,
                    f"Something that looks like a key is in the {place}.",
                    "Take it out, read keys from the environment or .env, and if it is real, revoke it.",
                )


def _absolute_path(subject: Subject) -> Iterator[Breach]:
    for cell in subject.notebook.cells:
        for place, content in _texts(cell):
            if found := machine_paths(content):
                yield Breach(
                    cell,
                    f"The {place} has {found[0]}, a path of one machine.",
                    "Use a path relative to the notebook, or OUT_DIR.",
                )


def _widget_state(subject: Subject) -> Iterator[Breach]:
    fix = "Give the widget a text and HTML form, and store outputs with: aicourse run --save"
    if "widgets" in subject.notebook.metadata:
        yield Breach(None, "The notebook's metadata hold widget state.", fix)
    for cell in subject.notebook.cells:
        if any(WIDGET_VIEW in output.get("data", {}) for output in cell.outputs):
            yield Breach(cell, "A widget view is stored, which shows nothing without its kernel.", fix)


def _standard_error(subject: Subject) -> Iterator[Breach]:
    for cell in subject.notebook.cells:
        for output in cell.outputs:
            if output.get("name") == "stderr":
                said = shorten(text(output.get("text", "")), 200)
                yield Breach(cell, f"Stored on stderr: {said!r}.", "Mend its cause.")
                break


def _error_output(subject: Subject) -> Iterator[Breach]:
    for cell in subject.notebook.cells:
        for output in cell.outputs:
            if output.get("output_type") == "error":
                yield Breach(
                    cell,
                    f"An error is stored: {output.get('ename')}: {shorten(str(output.get('evalue')), 200)}.",
                    "Mend it, or catch it and show what readers should see.",
                )


def _progress_bar(subject: Subject) -> Iterator[Breach]:
    for cell in subject.notebook.cells:
        if any(_PROGRESS.search(content) for content in output_texts(cell)):
            yield Breach(
                cell,
                "The remains of a progress bar are stored.",
                "Show no bar when AICOURSE_UNATTENDED is set.",
            )


def _alt_text(subject: Subject) -> Iterator[Breach]:
    for cell in subject.notebook.cells:
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if cell.is_code and has_picture(cell) and len(alt.split()) < 3:
            yield Breach(
                cell,
                "The picture has no alternative text.",
                'Say what it shows in the cell\'s metadata: {"mystnb": {"image": {"alt": "…"}}}',
            )
        if cell.is_markdown and any(not found[1] for found in _MARKDOWN_IMAGE.finditer(cell.source)):
            yield Breach(cell, "A picture has no alternative text.", "Write ![what it shows](file).")


def _execution_order(subject: Subject) -> Iterator[Breach]:
    fix = _RUN.format(number=subject.lesson.number)
    for expected, cell in enumerate(subject.notebook.code_cells, start=1):
        if cell.execution_count != expected:
            found = (
                "was not run" if cell.execution_count is None else f"was run as number {cell.execution_count}"
            )
            yield Breach(cell, f"Code cell {expected} {found}: the outputs are not of one fresh run.", fix)
            return


def _unchecked_output(subject: Subject) -> Iterator[Breach]:
    for cell in subject.notebook.code_cells:
        markers = list(_MARKER.finditer(cell.source))
        for marker in markers:
            if marker[2].strip():
                yield Breach(
                    cell,
                    f"nbval does not read {marker[1]} with words behind it.",
                    "Put the marker alone on its line, and the reason on the next.",
                )
        tags = {tag.upper().replace("-", "_") for tag in cell.tags}  # nbval reads tags as well
        unchecked = _UNCHECKED & tags.union(marker[1] for marker in markers)
        comments = [line for line in cell.source.splitlines() if line.lstrip().startswith("#")]
        if unchecked and len(comments) <= len(markers):
            yield Breach(
                cell,
                f"{min(unchecked)} without a reason: this output may say anything.",
                "Say in a comment below the marker why the output cannot be compared.",
            )


def _test_item(subject: Subject) -> Iterator[Breach]:
    named = _test_listings()
    for cell in subject.notebook.cells:
        shown = " ".join(content for _, content in _texts(cell))
        plain = " ".join(html.unescape(_TAG.sub("", shown)).split())
        if found := {listing for words, listing in named.items() if words in plain}:
            listing, others = min(found), f" and {len(found) - 1} more" if len(found) > 1 else ""
            yield Breach(
                cell,
                f"Listing {listing}{others} of the test split is shown or named.",
                "Look at dev. Test is opened once per decision, for its figures: who knows its items "
                "chooses by them.",
            )


@cache
def _test_listings() -> Mapping[str, str]:
    """Signs of the listings of the test split (id, beginning of description or title) -> the id.

    Short titles are left out: "wheelbarrow" and "Ergobaby carrier" are words of the language.
    """
    lines = (paths.datasets_dir() / "listings" / "test.jsonl").read_text("utf-8").splitlines()
    return {
        " ".join(words.split())[:BEGINNING]: listing["id"]
        for listing in map(json.loads, lines)
        for words in (listing["id"], listing["description"], listing["title"])
        if words == listing["id"] or len(words) >= TITLE
    }


def _cell_id(subject: Subject) -> Iterator[Breach]:
    seen: set[str] = set()
    for cell in subject.notebook.cells:
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell.id):
            yield Breach(cell, "The cell has no valid id.", "Give it one: 1-64 letters, digits, - or _.")
        elif cell.id in seen:
            yield Breach(cell, f"Two cells have the id {cell.id!r}.", "Rename one of them.")
        seen.add(cell.id)


RULES = (
    LintRule("secret", "No keys, in sources or outputs.", _secret),
    LintRule("absolute-path", "No path that exists on one machine only.", _absolute_path),
    LintRule("widget-state", "No stored widget state.", _widget_state),
    LintRule("standard-error", "No warnings or other output on stderr.", _standard_error),
    LintRule("error-output", "No stored errors.", _error_output),
    LintRule("progress-bar", "No remains of progress bars.", _progress_bar),
    LintRule("alt-text", "Every picture says in words what it shows.", _alt_text),
    LintRule("execution-order", "Outputs come from one fresh run, top to bottom.", _execution_order),
    LintRule("unchecked-output", "nbval compares every output, or the cell says why not.", _unchecked_output),
    LintRule("test-item", "No listing of the test split is shown or named.", _test_item),
    LintRule("cell-id", "Every cell has an id of its own.", _cell_id),
)
