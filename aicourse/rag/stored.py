"""Stored indexes: chunks and their vectors as a folder that another process opens, or refuses in a sentence.

    index_folder(Path("articles"), Path("help.index"), embeddings)    # again later: only what changed
    words, meaning = load_index(Path("help.index"), embeddings)       # BM25Index, VectorIndex

The folder has `manifest.json` (format, embedder, dimensions, chunker, digests) and the files that it names:
chunks as JSON Lines, vectors and BM25 as numpy's arrays. A file's name begins with its digest, and the
manifest is replaced last, so that nobody reads half of an index, whenever its writer is killed. Nothing in it
is code.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock

from aicourse.errors import RetrievalError
from aicourse.paths import write_atomically
from aicourse.rag.chunking import Chunk, by_heading
from aicourse.rag.documents import Document, read_folder
from aicourse.rag.embedding import Embeds
from aicourse.rag.index import Arrays, BM25Index, Changes, VectorIndex

Cut = Callable[[Document], list[Chunk]]

FORMAT = 2
MANIFEST, LOCK = "manifest.json", ".lock"
CHUNKS, VECTORS, WORDS = "chunks.jsonl", "vectors.npy", "words.npy"
# with a dot in front: half a file of a writer that was killed
_OURS = re.compile(r"\.lock|\.?(manifest\.json|[0-9a-f]{12}-(chunks\.jsonl|(vectors|words)\.npy))(\..+)?")
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
    """Write an index, with BM25 of its chunks; an older one in the folder is replaced as a whole.

    Raises:
        RetrievalError: the folder holds something else, or it cannot be written.
    """
    if not (folder / MANIFEST).is_file() and _holds_others(folder):
        raise RetrievalError(f"{folder} holds something that is no index. Name another folder.", path=folder)
    words = BM25Index()
    words.update(index.chunks)
    contents = {
        CHUNKS: _lines(index.chunks),
        VECTORS: _binary([index.vectors]),
        WORDS: _binary(words.arrays),
    }
    manifest = Manifest(
        format=FORMAT,
        embedder=index.embeddings.name,
        dimensions=index.vectors.shape[1],
        chunker=chunker,
        chunks=len(index.chunks),
        digests={name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    )
    try:
        _put(folder, manifest, contents)
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
        index = load_index(out, embeddings)[1]
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
    manifest = read_manifest(folder)
    if manifest.embedder != embeddings.name:
        raise RetrievalError(
            f"{folder} has vectors of {manifest.embedder}, not of {embeddings.name}: they do not compare. "
            + _ANEW,
            path=folder,
        )
    contents = {name: _read(folder, name, manifest) for name in (CHUNKS, VECTORS, WORDS)}
    try:
        chunks = [Chunk.of(json.loads(line)) for line in contents[CHUNKS].decode().split("\n")[:-1]]
        (vectors,), arrays = _arrays(contents[VECTORS], 1), _arrays(contents[WORDS], 4)
        return BM25Index.of(chunks, arrays), VectorIndex.of(embeddings, chunks, vectors)
    except (ValueError, TypeError, KeyError, IndexError, EOFError, MemoryError) as error:
        raise _damaged(folder / CHUNKS) from error


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a stored index.

    Raises:
        RetrievalError: the folder is no index, or one of another format.
    """
    try:
        record = json.loads(_bytes(folder / MANIFEST))
        if record["format"] != FORMAT:
            raise RetrievalError(
                f"{folder} has format {record['format']}; this version reads {FORMAT}. {_ANEW}",
                path=folder,
            )
        digests = {name: str(digest) for name, digest in record["digests"].items()}
        return Manifest(**{**record, "digests": digests})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(folder / MANIFEST) from error


def _read(folder: Path, name: str, manifest: Manifest) -> bytes:
    """One of the files, if its content is what the manifest says."""
    digest = manifest.digests.get(name, "")
    path = folder / _file(name, digest)
    content = _bytes(path)
    if hashlib.sha256(content).hexdigest() != digest:
        raise _damaged(path)
    return content


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RetrievalError(f"{path} cannot be read: {error.strerror}. {_ANEW}", path=path) from error


def _damaged(path: Path) -> RetrievalError:
    return RetrievalError(f"{path} is damaged or was changed. {_ANEW}", path=path)


def _lines(chunks: Sequence[Chunk]) -> bytes:
    lines = (json.dumps(chunk.record, ensure_ascii=False) + "\n" for chunk in chunks)
    return "".join(lines).encode()


def _binary(arrays: Arrays) -> bytes:
    file = io.BytesIO()
    for array in arrays:
        np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _arrays(content: bytes, number: int) -> Arrays:
    file = io.BytesIO(content)
    return [np.load(file, allow_pickle=False) for _ in range(number)]


def _holds_others(folder: Path) -> bool:
    """True for a file, and for a folder with files of somebody else."""
    if not folder.is_dir():
        return folder.exists()
    return not all(_OURS.fullmatch(path.name) for path in folder.iterdir())


def _put(folder: Path, manifest: Manifest, contents: dict[str, bytes]) -> None:
    """Write files under new names, then the manifest that names them: whoever reads has the old or the new.

    What an interrupted writer left is removed by the next one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / LOCK):
        try:
            for name, digest in manifest.digests.items():
                write_atomically(folder / _file(name, digest), contents[name])
            write_atomically(folder / MANIFEST, json.dumps(asdict(manifest), indent=2))
        finally:
            _tidy(folder)


def _tidy(folder: Path) -> None:
    """Remove files of ours that the manifest does not name."""
    try:
        kept = {_file(*one) for one in read_manifest(folder).digests.items()} | {MANIFEST, LOCK}
    except RetrievalError:  # nothing was ever written whole
        kept = {LOCK}
    for path in folder.iterdir():
        if _OURS.fullmatch(path.name) and path.name not in kept:
            path.unlink()


def _file(name: str, digest: str) -> str:
    return f"{digest[:12]}-{name}"
