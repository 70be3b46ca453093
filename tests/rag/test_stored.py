"""A stored index comes back as it was, or is refused in a sentence that says how to make it anew."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aicourse.errors import RetrievalError
from aicourse.rag import BM25Index, Chunk, VectorIndex
from aicourse.rag.stored import index_folder, load_index, save_index


@pytest.fixture
def stored(tmp_path: Path, help_chunks: list[Chunk], embedder: Any) -> Path:
    index = VectorIndex(embedder)
    index.update(help_chunks)
    save_index(tmp_path / "help.index", index, chunker="heading 150")
    return tmp_path / "help.index"


def test_an_index_comes_back_as_it_was(stored: Path, help_chunks: list[Chunk], embedder: Any) -> None:
    embedder.asked.clear()
    words, meaning = load_index(stored, embedder)
    assert embedder.asked == []
    assert meaning.chunks == words.chunks == tuple(help_chunks)
    before = VectorIndex(embedder)
    before.update(help_chunks)
    query, where = "When do I get my money?", {"status": "current"}
    assert meaning.search(query, 5, where) == before.search(query, 5, where)
    rebuilt = BM25Index()
    rebuilt.update(help_chunks)
    assert words.search(query, 10) == rebuilt.search(query, 10) != []
    assert sorted(path.name for path in stored.parent.iterdir()) == ["help.index"]


def test_an_empty_index(tmp_path: Path, embedder: Any) -> None:
    save_index(tmp_path / "empty", VectorIndex(embedder))
    words, meaning = load_index(tmp_path / "empty", embedder)
    assert words.search("coat") == meaning.search("coat") == []


def test_the_vectors_of_another_embedder_are_refused(stored: Path, other_embedder: Any) -> None:
    with pytest.raises(RetrievalError, match=r"scripted, not of another.*aicourse rag index FOLDER --out"):
        load_index(stored, other_embedder)


@pytest.mark.parametrize("name", ["manifest.json", "chunks.jsonl", "vectors.npy", "words.npy"])
@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x80" + path.read_bytes()[1:]),
    ],
    ids=["missing", "truncated", "empty", "changed"],
)
def test_a_damaged_index_is_refused(
    stored: Path, embedder: Any, name: str, harm: Callable[[Path], None]
) -> None:
    (file,) = stored.glob(f"*{name}")
    harm(file)
    with pytest.raises(RetrievalError, match=rf"{name} .*aicourse rag index FOLDER --out"):
        load_index(stored, embedder)


@pytest.mark.parametrize("manifest", ["[]", "{}", "null", '{"format": 2}', '{"format": 2, "digests": []}'])
def test_a_manifest_that_is_none(stored: Path, embedder: Any, manifest: str) -> None:
    (stored / "manifest.json").write_text(manifest)
    with pytest.raises(RetrievalError, match="damaged"):
        load_index(stored, embedder)


def test_another_format_is_refused(stored: Path, embedder: Any) -> None:
    record = json.loads((stored / "manifest.json").read_text()) | {"format": 1}
    (stored / "manifest.json").write_text(json.dumps(record))
    with pytest.raises(RetrievalError, match="has format 1; this version reads 2"):
        load_index(stored, embedder)


def test_no_index_at_all(tmp_path: Path, embedder: Any) -> None:
    with pytest.raises(RetrievalError, match=r"manifest\.json cannot be read"):
        load_index(tmp_path / "none", embedder)


def test_another_folder_is_not_overwritten(tmp_path: Path, embedder: Any) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    for place in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(RetrievalError, match="no index"):
            save_index(place, VectorIndex(embedder))
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_failed_save_leaves_the_old_index(
    stored: Path, embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, before = os.replace, sorted(os.listdir(stored))

    def replace(source: Path, target: Path) -> None:
        if Path(target).name == "manifest.json":
            raise OSError(28, "No space left on device")
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        with pytest.raises(RetrievalError, match="No space left"):
            save_index(stored, VectorIndex(embedder))
    assert len(load_index(stored, embedder)[1].chunks) > 100
    assert sorted(os.listdir(stored)) == before


KILLED = """
import os, sys
from pathlib import Path
from aicourse.rag import Chunk, VectorIndex
from aicourse.rag.stored import save_index

class Embedder:
    name = "scripted"

moves, real = 0, os.replace

def replace(source, target):
    global moves
    if moves == int(sys.argv[2]):
        os._exit(9)
    moves += 1
    real(source, target)

os.replace = replace
save_index(Path(sys.argv[1]), VectorIndex(Embedder()))
"""


@pytest.mark.parametrize(("first", "moves"), [(True, 0), (True, 3), (False, 2), (False, 3), (False, 4)])
def test_a_writer_that_is_killed_leaves_an_index_or_none(
    stored: Path, embedder: Any, help_chunks: list[Chunk], moves: int, first: bool
) -> None:
    place = stored.parent / "another" if first else stored
    ended = subprocess.run([sys.executable, "-c", KILLED, str(place), str(moves)]).returncode
    assert ended == (9 if moves < 4 else 0)
    if first and moves < 4:
        with pytest.raises(RetrievalError, match="cannot be read"):
            load_index(place, embedder)
    else:
        assert len(load_index(place, embedder)[1].chunks) == (0 if moves == 4 else len(help_chunks))
    index = VectorIndex(embedder)
    index.update(help_chunks[:3])
    save_index(place, index)
    assert len(load_index(place, embedder)[0].chunks) == 3
    names = sorted(re.sub("^[0-9a-f]{12}-", "", path.name) for path in place.iterdir())
    assert names == [".lock", "chunks.jsonl", "manifest.json", "vectors.npy", "words.npy"]


@pytest.mark.parametrize(
    "arrays",
    [
        [[1.0], [7], [0, 1], [97]],
        [[1.0], [-1], [0, 1], [97]],
        [[1.0], [0], [0, 2], [97]],
        [[1.0, 1.0], [0], [0, 1], [97]],
        [[1.0], [0], [0, 1], [97, 10, 98]],
        [[1.0, 1.0], [0, 0], [0, 3, 2], [97, 10, 98]],
        [[1.0], [0], [0, 1], [255]],
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays: list[list[float]], chunk: Callable[..., Chunk]) -> None:
    kinds = ("f4", "i4", "i8", "u1")
    with pytest.raises(ValueError, match=r"fit|chunks|decode"):
        BM25Index.of([chunk("a")], [np.array(*one) for one in zip(arrays, kinds, strict=True)])


def test_a_folder_is_indexed_again_by_its_changes(tmp_path: Path, embedder: Any, other_embedder: Any) -> None:
    articles, out = tmp_path / "articles", tmp_path / "index"
    articles.mkdir()
    (articles / "a.md").write_text("# Coats\nWarm.")
    (articles / "b.md").write_text("# Hats\nRound.")
    (articles / "bad.md").write_bytes(b"\xff")
    changes, refused = index_folder(articles, out, embedder)
    assert (str(changes), len(refused)) == ("2 added, 0 kept, 0 removed", 1)
    (articles / "b.md").write_text("# Hats\nFlat.")
    embedder.asked.clear()
    assert str(index_folder(articles, out, embedder)[0]) == "1 added, 1 kept, 0 removed"
    assert len(embedder.asked) == 1
    index_folder(articles, out, other_embedder)  # the way out that the refusals name
    next(out.glob("*vectors.npy")).write_bytes(np.zeros(3).tobytes())
    index_folder(articles, out, other_embedder)
    assert len(load_index(out, other_embedder)[1].chunks) == 2
