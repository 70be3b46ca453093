"""Chunks: the pieces of a document that are indexed, found and shown to a model.

    fixed(document, size=60)          at most 60 words, cut where a reader would (semchunk), maybe overlapping
    by_heading(document)              a section each, with its path of headings; long ones cut as by `fixed`
    by_sentences(document, window=3)  every three neighbouring sentences: each stands once in the middle

A chunk is a span of its document's text: `document.text[chunk.start:chunk.end] == chunk.text`. Indexed is
the chunk *situated*: below the title and the headings, which often hold the words that a question has.

Sizes are in words unless `count` says otherwise (a model's tokenizer, say). Not handled: headings underlined
with === or ---; abbreviations, which end a sentence here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from semchunk.semchunk import chunkerify

from aicourse.errors import RetrievalError
from aicourse.rag.documents import Document

Count = Callable[[str], int]
Span = tuple[int, int]

_HEADING = re.compile(r"(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*")
_CODE = re.compile(r"[ ]{0,3}(`{3,}(?=[^`]*$)|~{3,})[ \t]*(.*)")
_SENTENCE = re.compile(r"[^\s](?:[^.!?\n]|[.!?](?!\s|$))*[.!?]*")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document: characters `start` to `end` of its text, below `headings`."""

    id: str
    document: str
    text: str
    start: int
    end: int
    title: str = ""
    headings: tuple[str, ...] = ()
    version: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    context: str = ""  # a sentence on where it stands, written by a model

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Chunk:
        """The chunk that `record` gives, read from JSON again."""
        return cls(**{**record, "headings": tuple(record["headings"])})

    @property
    def record(self) -> dict[str, Any]:
        """Its fields as they are: `asdict` copies everything in them, which takes ten times as long."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def situated(self) -> str:
        """The text below its title, headings and context: what is indexed and embedded."""
        path = " › ".join(part for part in (self.title, *self.headings) if part)
        return "\n".join(part for part in (path, self.context, self.text) if part)

    @property
    def digest(self) -> str:
        """The content hash of what is indexed: the same text is embedded once."""
        return hashlib.sha256(self.situated.encode()).hexdigest()


def words(text: str) -> int:
    """The number of words: the unit of sizes here, about 0.75 of a model's tokens in English.

    >>> words("We keep 8 % of the price.")
    7
    """
    return len(text.split())


def fixed(document: Document, size: int = 60, *, overlap: int = 0, count: Count = words) -> list[Chunk]:
    """Chunks of at most `size` words, of which `overlap` stand in the one before, too.

    Raises:
        RetrievalError: the size is below 1, or the overlap is not smaller.
    """
    _check(size, overlap)
    spans = _spans(document.text, 0, size, overlap, count)
    return _chunks(document, ((span, ()) for span in spans))


def by_heading(document: Document, most: int = 150, *, count: Count = words) -> list[Chunk]:
    """A chunk for each section; one with more than `most` words is cut as by `fixed`.

    Raises:
        RetrievalError: `most` is below 1.
    """
    _check(most)

    def pieces() -> Iterator[tuple[Span, tuple[str, ...]]]:
        for (start, end), headings in _sections(document.text):
            text = document.text[start:end]
            for span in _spans(text, start, most, 0, count) if count(text) > most else [(start, end)]:
                yield span, headings

    return _chunks(document, pieces())


def by_sentences(document: Document, window: int = 3, *, step: int = 1) -> list[Chunk]:
    """A chunk for each `window` neighbouring sentences of a section, `step` sentences further each time.

    Raises:
        RetrievalError: window or step is below 1, or the step leaves sentences out.
    """
    _check(window, window - step if step >= 1 else window)

    def pieces() -> Iterator[tuple[Span, tuple[str, ...]]]:
        for (start, end), headings in _sections(document.text):
            found = [match.span() for match in _SENTENCE.finditer(document.text, start, end)]
            for first in range(0, max(1, len(found) - window + step), step):
                if chosen := found[first : first + window]:
                    yield (chosen[0][0], chosen[-1][1]), headings

    return _chunks(document, pieces())


def _check(size: int, overlap: int = 0) -> None:
    if size < 1 or not 0 <= overlap < size:
        raise RetrievalError(
            f"Chunks of {size} with an overlap of {overlap} cannot be cut. The size is at least 1, "
            "the overlap smaller than it.",
            size=size,
        )


def _spans(text: str, offset: int, size: int, overlap: int, count: Count) -> list[Span]:
    """The spans into which semchunk cuts a text that begins at `offset` of its document."""
    cut: Any = chunkerify(count, size)  # its type says neither what it takes nor what comes back
    _, offsets = cut(text, offsets=True, overlap=overlap or None)
    return [(offset + start, offset + end) for start, end in offsets]


def _sections(text: str) -> Iterator[tuple[Span, tuple[str, ...]]]:
    """Each section without its heading, and the headings above it; lines of code are no headings."""
    path: list[tuple[int, str]] = []
    begin, position, fence = 0, 0, ""
    for line in text.splitlines(keepends=True):
        code = _CODE.fullmatch(line.rstrip("\n"))
        if code and not fence:
            fence = code[1]
        elif code and code[1].startswith(fence) and not code[2]:  # as long as the first one, and bare
            fence = ""
        found = None if fence else _HEADING.fullmatch(line.rstrip("\n"))
        if found:
            yield (begin, position), tuple(title for _, title in path)
            path = [above for above in path if above[0] < len(found[1])] + [(len(found[1]), found[2])]
            begin = position + len(line)
        position += len(line)
    yield (begin, len(text)), tuple(title for _, title in path)


def _chunks(document: Document, pieces: Iterable[tuple[Span, tuple[str, ...]]]) -> list[Chunk]:
    """Chunks of the spans that hold more than space, numbered in the order of the text."""
    found: list[Chunk] = []
    for (start, end), headings in pieces:
        text = document.text[start:end]
        start, end = start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip())
        if start < end:
            found.append(
                Chunk(
                    id=f"{document.id}#{len(found)}",
                    document=document.id,
                    text=document.text[start:end],
                    start=start,
                    end=end,
                    title=document.title,
                    headings=headings,
                    version=document.version,
                    metadata=document.metadata,
                )
            )
    return found
