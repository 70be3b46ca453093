"""Stored indexes: chunks and their vectors as a folder that another process opens, or refuses in a sentence.

    index_folder(Path("articles"), Path("help.index"), embeddings)    # again later: only what changed
    words, meaning = load_index(Path("help.index"), embeddings)       # BM25Index, VectorIndex

The folder has `manifest.json` (format, embedder, dimensions, chunker, digests), `chunks.jsonl` and
`vectors.npy`. It is written beside its place and moved there, so nobody reads half of it. BM25 is built anew
on loading.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from aicourse.errors import RetrievalError
from aicourse.rag.chunking import Chunk, by_heading
from aicourse.rag.documents import Document, read_folder
from aicourse.rag.embedding import Embeds, Vectors
from aicourse.rag.index import BM25Index, Changes, VectorIndex

Cut = Callable[[Document], list[Chunk]]

FORMAT = 1
MANIFEST, CHUNKS, VECTORS = "manifest.json", "chunks.jsonl", "vectors.npy"
_ANEW = "Make it anew with: aicourse rag index FOLDER --out INDEX"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The settings that a stored index was made with, and the SHA-256 of its files."""

    format: int
    embedder: str
    dimensions: int
    chunker: str
    chunks: int
    digests: dict[str, str]


def save_index(folder: Path, index: VectorIndex, *, chunker: str = "") -> Manifest:
    """Write an index; the folder may hold an older one, which is replaced as a whole.

    Raises:
        RetrievalError: the folder holds something else, or it cannot be written.
    """
    if folder.exists() and not (folder / MANIFEST).is_file() and (folder.is_file() or any(folder.iterdir())):
        raise RetrievalError(f"{folder} holds something that is no index. Name another folder.", path=folder)
    contents = {CHUNKS: _lines(index.chunks), VECTORS: _array(index.vectors)}
    manifest = Manifest(
        format=FORMAT,
        embedder=index.embeddings.name,
        dimensions=index.vectors.shape[1],
        chunker=chunker,
        chunks=len(index.chunks),
        digests={name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    )
    contents[MANIFEST] = json.dumps(asdict(manifest), indent=2).encode()
    try:
        _replace(folder, contents)
    except OSError as error:
        raise RetrievalError(
            f"{folder} cannot be written: {error.strerror}. Name another folder.", path=folder
        ) from error
    return manifest


def index_folder(
    folder: Path, out: Path, embeddings: Embeds, *, cut: Cut = by_heading, chunker: str = "heading"
) -> tuple[Changes, tuple[str, ...]]:
    """Store an index of a folder's documents: the changes, and a sentence for each file that was refused.

    What `out` holds from an earlier time is not embedded again; an index that cannot be used is replaced.

    Raises:
        RetrievalError: the folder has no documents, or `out` holds something else.
    """
    found = read_folder(folder)
    try:
        index = _load_vectors(out, embeddings)
    except RetrievalError:  # none, damaged, or of another embedder: this is the command that makes it anew
        index = VectorIndex(embeddings)
    changes = index.update([chunk for document in found.documents for chunk in cut(document)])
    save_index(out, index, chunker=chunker)
    return changes, found.refused


def load_index(folder: Path, embeddings: Embeds) -> tuple[BM25Index, VectorIndex]:
    """The two indexes of a stored one; nothing is embedded.

    Raises:
        RetrievalError: there is no such index, it is damaged, or made with another embedder or format.
    """
    meaning, words = _load_vectors(folder, embeddings), BM25Index()
    words.update(meaning.chunks)
    return words, meaning


def _load_vectors(folder: Path, embeddings: Embeds) -> VectorIndex:
    manifest = read_manifest(folder)
    if manifest.embedder != embeddings.name:
        raise RetrievalError(
            f"{folder} has vectors of {manifest.embedder}, not of {embeddings.name}: they do not compare. "
            + _ANEW,
            path=folder,
        )
    contents = {name: _read(folder / name) for name in (CHUNKS, VECTORS)}
    for name, content in contents.items():
        if hashlib.sha256(content).hexdigest() != manifest.digests.get(name):
            raise _damaged(folder / name)
    try:
        chunks = [Chunk.of(json.loads(line)) for line in contents[CHUNKS].decode().split("\n")[:-1]]
        vectors = np.load(io.BytesIO(contents[VECTORS]), allow_pickle=False)
        return VectorIndex.of(embeddings, chunks, vectors)
    except (ValueError, TypeError, KeyError) as error:
        raise _damaged(folder / CHUNKS) from error


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a stored index.

    Raises:
        RetrievalError: the folder is no index, or one of another format.
    """
    try:
        record = json.loads(_read(folder / MANIFEST))
        if record["format"] != FORMAT:
            raise RetrievalError(
                f"{folder} has format {record['format']}; this version reads {FORMAT}. {_ANEW}",
                path=folder,
            )
        return Manifest(**record)
    except (ValueError, TypeError, KeyError) as error:
        raise _damaged(folder / MANIFEST) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RetrievalError(f"{path} cannot be read: {error.strerror}. {_ANEW}", path=path) from error


def _damaged(path: Path) -> RetrievalError:
    return RetrievalError(f"{path} is damaged or was changed. {_ANEW}", path=path)


def _lines(chunks: Sequence[Chunk]) -> bytes:
    lines = (json.dumps(chunk.record, ensure_ascii=False) + "\n" for chunk in chunks)
    return "".join(lines).encode()


def _array(vectors: Vectors) -> bytes:
    file = io.BytesIO()
    np.save(file, vectors, allow_pickle=False)
    return file.getvalue()


def _replace(folder: Path, contents: dict[str, bytes]) -> None:
    """Write a new folder beside the old one, then let them change places: a half is never there."""
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        (beside / "new").mkdir()
        for name, content in contents.items():
            (beside / "new" / name).write_bytes(content)
        if folder.exists():
            os.replace(folder, beside / "old")
        try:
            os.replace(beside / "new", folder)
        except OSError:
            if (beside / "old").exists():
                os.replace(beside / "old", folder)
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
