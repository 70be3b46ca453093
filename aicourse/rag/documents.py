"""Documents: the texts that answers are looked for in, from the help centre or from a folder of Markdown.

A folder may come from strangers. One bad file (not UTF-8, empty, too large, front matter that is no YAML) is
refused in a sentence and stops nobody else's. Links out of the folder are not followed.
Not handled: PDF, HTML, pictures. Convert them to Markdown first.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from aicourse.datasets import HelpArticle
from aicourse.errors import RetrievalError

LARGEST_BYTES = 2_000_000
SUFFIXES = (".md", ".markdown", ".txt")
_FENCE = "---\n"
_PLAIN = (str, int, float, bool)


@dataclass(frozen=True, slots=True)
class Document:
    """A text with a title, a version and metadata that searches can be limited by."""

    id: str
    title: str
    text: str
    version: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)  # plain values, or lists of them


@dataclass(frozen=True, slots=True)
class Folder:
    """The documents of a folder, and a sentence for each file that is none."""

    documents: tuple[Document, ...]
    refused: tuple[str, ...]


def from_articles(articles: Iterable[HelpArticle]) -> list[Document]:
    """The articles of the help centre as documents; their metadata: category, status, updated, applies_to."""
    return [
        Document(
            id=article.slug,
            title=article.title,
            text=article.text,
            version=str(article.version),
            metadata={
                "category": article.category,
                "status": article.status,
                "updated": str(article.updated),
                "applies_to": list(article.applies_to),
            },
        )
        for article in articles
    ]


def read_folder(folder: Path) -> Folder:
    """All Markdown and text files below a folder; a document's id is its path without the suffix.

    Raises:
        RetrievalError: there is no such folder, or no file of that kind in it.
    """
    paths = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and not path.is_dir()
    )
    if not paths:
        raise RetrievalError(
            f"{folder} has no documents. Give a folder with {', '.join(SUFFIXES)} files.", path=folder
        )
    documents, refused = [], []
    for path in paths:
        try:
            documents.append(_read(path, folder))
        except RecursionError:
            refused.append(
                f"{path.relative_to(folder).as_posix()}: its front matter is nested too deep. Flatten it."
            )
        except (OSError, ValueError) as error:
            refused.append(f"{path.relative_to(folder).as_posix()}: {_reason(error)}")
    taken: dict[str, Document] = {}
    for document in documents:
        if document.id in taken:
            refused.append(f"{document.id}: two files have this name. Rename one.")
        taken.setdefault(document.id, document)
    return Folder(tuple(taken.values()), tuple(refused))


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _read(path: Path, folder: Path) -> Document:
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):  # resolve() fails on loops
        raise ValueError("links out of the folder. Copy the file into it.")
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):  # a pipe would be waited for
        raise ValueError("no plain file. Remove it.")
    if about.st_size > LARGEST_BYTES:
        raise ValueError(f"larger than {LARGEST_BYTES // 1_000_000} MB. Split it.")
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start}). Save it as UTF-8.") from None
    front, text = _front_matter(text)
    if not text.strip():
        raise ValueError("empty. Write something or delete the file.")
    version = front.pop("version", "")
    title = front.pop("title", None)
    title = str(title) if title is not None else _first_heading(text) or path.stem
    metadata = {str(name): _plain(value) for name, value in front.items()}
    return Document(path.relative_to(folder).with_suffix("").as_posix(), title, text, str(version), metadata)


class _NoAliases(yaml.SafeLoader):
    """Front matter without aliases, of which nine lines can make a text of gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise ValueError("its front matter has an alias (*). Write the value out.")
        return super().compose_node(parent, index)


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    if not text.startswith(_FENCE):
        return {}, text
    parts = text.split(_FENCE, 2)
    try:
        fields = yaml.load(parts[1], _NoAliases) if len(parts) == 3 else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 2}" if mark else ""
        raise ValueError(f"its front matter is no YAML{place}. Repair it.") from None
    if not isinstance(fields, dict):
        raise ValueError("begins with --- and has no front matter in YAML up to a second ---. Repair it.")
    return fields, parts[2]


def value_of(text: str) -> Any:
    """The value that a text is in front matter: 1.50 is the number 1.5, yes is true."""
    try:
        return _plain(yaml.safe_load(text))
    except yaml.YAMLError:
        return text


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [one if isinstance(one, _PLAIN) else str(one) for one in value]
    return value if isinstance(value, _PLAIN) else str(value)


def _first_heading(text: str) -> str:
    lines = (line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#"))
    return next(lines, "")
