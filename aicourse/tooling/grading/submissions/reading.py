"""A notebook's bytes, whatever they are, as clean nbformat 4 cells; what had to be mended is said in notes.

Handled: a byte-order mark, UTF-16, Windows-1252, Windows line ends, notebooks of format 2 and 3, missing or
double cell ids, sources as one text or a list of lines, cells that are no cells. Refused, with a sentence:
no JSON (and whether it is a merge conflict, cut off, or a web page), another language than Python, too large.
Pictures inside a text, attached or pasted, are kept for whoever grades by hand; metadata and outputs are left
behind: nothing a student wrote there is needed to grade.
Format: https://nbformat.readthedocs.io/en/latest/format_description.html (importing nbformat takes 1.4 s).
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aicourse.errors import SubmissionError
from aicourse.html import one_line
from aicourse.tooling.grading.submissions.archives import NOTEBOOK_BYTES

CellKind = Literal["code", "markdown", "raw"]
_MAX_CELLS = 5_000
_MAX_CHARACTERS = 8_000_000  # of all sources: pictures that were pasted into texts, too
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_PICTURE_CHARACTERS = 6_000_000  # of base64, in one cell
_PASTED = re.compile(r"data:(image/(?:png|jpeg|gif));base64,([A-Za-z0-9+/=\r\n]+)")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_VALID_ID = re.compile(r"[a-zA-Z0-9-_]{1,64}\Z")


@dataclass(frozen=True)
class Picture:
    """A picture in a text: the `name` by which that shows it, a PNG, JPEG or GIF, `data` in base64."""

    name: str
    kind: str
    data: str


@dataclass(frozen=True)
class ReadCell:
    """One cell as handed in; `id` is unique in its notebook, `stated_id` what the file says ("" if nothing).

    `labels` are other names that metadata give it: nbgrader's grade_id, ours.
    """

    id: str
    stated_id: str
    kind: CellKind
    source: str
    labels: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class ReadNotebook:
    """The cells in order, and one sentence for each thing that had to be mended."""

    cells: tuple[ReadCell, ...]
    notes: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


def read_notebook(data: bytes, name: str = "The notebook") -> ReadNotebook:
    """The cells of a notebook file.

    Raises:
        SubmissionError: it cannot be read; says why and what to ask the student for.
    """
    if len(data) > NOTEBOOK_BYTES:
        raise SubmissionError(
            f"{name} has {len(data):,} bytes; {NOTEBOOK_BYTES:,} are allowed. Ask for it without outputs.",
            submission=name,
        )
    text, notes = _decode(data)
    notebook = _parse(text, name)
    if language := other_language(notebook):
        raise SubmissionError(f"{name} is written for {language}, not Python.", submission=name)
    raw_cells, version_notes = _raw_cells(notebook, name)
    cells = tuple(_cells(raw_cells))
    if len(cells) < len(raw_cells):
        version_notes.append("Some entries of the file are no cells and were left out.")
    if not any(cell.source.strip() for cell in cells):
        raise SubmissionError(
            f"{name} has no cell with anything in it. Ask for the notebook again.", submission=name
        )
    if (characters := sum(len(cell.source) for cell in cells)) > _MAX_CHARACTERS:
        raise SubmissionError(
            f"{name} has {characters:,} characters in its cells; {_MAX_CHARACTERS:,} are allowed. Ask for it "
            "without pasted data.",
            submission=name,
        )
    if any("\r" in _joined(_source(raw)) for raw in raw_cells if isinstance(raw, dict)):
        notes.append("Its lines end as on Windows; they were read as usual.")
    metadata = notebook.get("metadata")
    return ReadNotebook(cells, (*notes, *version_notes), metadata if isinstance(metadata, dict) else {})


def _decode(data: bytes) -> tuple[str, list[str]]:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace"), [f"The file begins with a byte-order mark ({encoding})."]
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
        return text, ["The file is not UTF-8; it was read as Windows-1252, so accented letters may be wrong."]


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        notebook = json.loads(text)
    except RecursionError:
        raise SubmissionError(f"{name} is nested too deeply to be a notebook. Ask for it again.") from None
    except ValueError as error:
        raise SubmissionError(f"{name} {_why_no_json(text, error)}", submission=name) from None
    if not isinstance(notebook, dict):
        raise SubmissionError(f"{name} is JSON but no notebook. Ask for the .ipynb file.", submission=name)
    return notebook


def _why_no_json(text: str, error: ValueError) -> str:
    start = text.lstrip()[:200].lower()
    if not start:
        return "is empty. Ask for it again."
    if "<<<<<<< " in text and ">>>>>>> " in text:
        return "holds an unresolved merge conflict. Ask the student to resolve it and hand in again."
    if start.startswith(("<!doctype", "<html")):
        return "is a web page, not a notebook. Ask for the .ipynb file itself."
    if start.startswith("{") and not text.rstrip().endswith("}"):
        return "is cut off: the upload did not finish. Ask for it again."
    if isinstance(error, json.JSONDecodeError) and start.startswith("{"):
        return f"is no notebook: it is damaged in line {error.lineno:,}. Ask for it again."
    return "is no notebook. Ask for the .ipynb file."


def other_language(notebook: Mapping[str, Any]) -> str:
    """The language that a notebook says it is in, on one line; "" for Python, and where none is said."""
    metadata = notebook.get("metadata")
    for part, key in (("language_info", "name"), ("kernelspec", "language")):
        info = metadata.get(part) if isinstance(metadata, dict) else None
        language = info.get(key) if isinstance(info, dict) else None
        if isinstance(language, str) and language and not language.lower().startswith(("python", "ipython")):
            return one_line(language[:40])
    return ""


def _raw_cells(notebook: Mapping[str, Any], name: str) -> tuple[list[Any], list[str]]:
    """The cells of any version of the format; before 4 they lie in worksheets."""
    cells = notebook.get("cells")
    if isinstance(cells, list) and len(cells) <= _MAX_CELLS:
        return cells, []
    worksheets = notebook.get("worksheets")
    if isinstance(worksheets, list):
        sheets = [sheet.get("cells") for sheet in worksheets if isinstance(sheet, dict)]
        old = [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
        if len(old) <= _MAX_CELLS:
            return old, ["It is saved in an old notebook format; it was converted."]
    problem = "has no cells" if not isinstance(cells, list) else f"has more than {_MAX_CELLS:,} cells"
    raise SubmissionError(f"{name} {problem}. Ask for the .ipynb file.", submission=name)


def _cells(raw_cells: list[Any]) -> Iterator[ReadCell]:
    seen: set[str] = set()
    for number, raw in enumerate(raw_cells, start=1):
        if not isinstance(raw, dict):
            continue
        kind, source = _kind_and_source(raw)
        stated = raw.get("id") if isinstance(raw.get("id"), str) else ""
        labels = tuple(_labels(raw.get("metadata")))
        unique = stated if stated and _VALID_ID.match(stated) and stated not in seen else f"cell-{number}"
        while unique in seen:
            unique += "-"
        seen.add(unique)
        source, pictures = _with_pictures(source, raw) if kind != "code" else (source, ())
        yield ReadCell(unique, stated or "", kind, source, labels, pictures)


def _with_pictures(source: str, raw: Mapping[str, Any]) -> tuple[str, tuple[Picture, ...]]:
    """A text and its pictures; one that is pasted into the text is attached to it."""
    attached = raw.get("attachments")
    found = [
        Picture(str(name)[:200], kind, data)
        for name, forms in (attached.items() if isinstance(attached, dict) else ())
        for kind, data in (forms.items() if isinstance(forms, dict) else ())
        if kind in ("image/png", "image/jpeg", "image/gif") and isinstance(data, str)
        if _BASE64.fullmatch(data)
    ]

    def attach(match: re.Match[str]) -> str:
        found.append(Picture(f"pasted-{len(found) + 1}", match[1], match[2]))
        return f"attachment:{found[-1].name}"

    source = _PASTED.sub(attach, source)
    return source, tuple(found) if sum(len(one.data) for one in found) <= _PICTURE_CHARACTERS else ()


def _kind_and_source(raw: Mapping[str, Any]) -> tuple[CellKind, str]:
    source = _joined(_source(raw)).replace("\r\n", "\n").replace("\r", "\n")
    kind = raw.get("cell_type")
    if kind == "heading":  # format 3
        level = raw.get("level")
        return "markdown", "#" * (level if isinstance(level, int) and 0 < level < 7 else 1) + " " + source
    return (kind if kind in ("code", "raw") else "markdown"), source


def _source(raw: Mapping[str, Any]) -> Any:
    return raw.get("source", raw.get("input", ""))  # `input` in format 3


def _joined(lines: Any) -> str:
    if isinstance(lines, list):
        return "".join(line for line in lines if isinstance(line, str))
    return lines if isinstance(lines, str) else ""


def _labels(metadata: Any) -> Iterator[str]:
    if not isinstance(metadata, dict):
        return
    for tool, key in (("nbgrader", "grade_id"), ("aicourse", "cell")):
        stated = metadata.get(tool)
        if isinstance(stated, dict) and isinstance(stated.get(key), str):
            yield stated[key]
