"""Embeddings for submissions: recorded vectors first, then the small model in the grader's own process.

    desk = EmbeddingDesk(vector_store("homework/hw05-retrieval/vectors.jsonl"))    # one for each submission
    desk({"model": "all-minilm-l6-v2", "input": ["a text"]})                       # -> 200, OpenAI's reply

A class shares one store, so a text costs once, whoever asks first; a submission's calls, and what is new in
them, have a budget.
Texts are embedded one by one, so that submissions take turns; their vectors are those of a batch, for less
CPU, as nothing is padded. A line of the file is {"text": SHA-256, "vector": base64 of 384 float16}.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aicourse.errors import AssignmentError, DownloadError
from aicourse.llm.replay import Mode, choose_mode
from aicourse.paths import write_atomically
from aicourse.tooling.localmodel.local_models import EMBEDDING_MODEL

if TYPE_CHECKING:
    from aicourse.tooling.localmodel.embedder import Embedder

CALLS = 500
NEW_CHARACTERS = 300_000  # of texts that nobody has asked for yet: about 25 s of CPU
_MOST_KEPT = 100_000  # vectors, about 100 MB
_CHARACTERS_PER_TOKEN = 4  # an estimate: recorded texts are not counted again


class VectorStore:
    """Vectors by the text's hash: those of a file, and those embedded since. Safe to share by threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._vectors = _read(path)
        self._lock = threading.Lock()
        self._embedder: Embedder | None = None

    def __contains__(self, text: object) -> bool:
        return _digest(str(text)) in self._vectors

    def embed(self, text: str) -> list[float]:
        """The vector of a text, of length 1.

        Raises:
            DownloadError: it is not recorded, and the model is not here or may not be asked.
        """
        digest = _digest(text)
        with self._lock:
            known = self._vectors.get(digest)
            if known is None:
                known = self._model().embed([text])[0].astype("<f2").tobytes()
                if len(self._vectors) < _MOST_KEPT:
                    self._vectors[digest] = known
        vector: list[float] = np.frombuffer(known, dtype="<f2").astype(float).tolist()
        return vector

    def save(self) -> None:
        """Write all that is known to the file, in an order of its own."""
        lines = (
            json.dumps({"text": digest, "vector": base64.b64encode(vector).decode()})
            for digest, vector in sorted(self._vectors.items())
        )
        write_atomically(self.path, "".join(f"{line}\n" for line in lines))

    def _model(self) -> Embedder:
        if self._embedder is None:
            if choose_mode(None) is Mode.ONLY:
                raise DownloadError(
                    f"A text has no recorded vector, and {EMBEDDING_MODEL} may not be asked "
                    "(AICOURSE_REPLAY=only). Unset it, and grade again.",
                    model=EMBEDDING_MODEL,
                )
            from aicourse.tooling.localmodel.embedder import Embedder  # onnxruntime: 0.5 s

            self._embedder = Embedder.load()
        return self._embedder


class EmbeddingDesk:
    """Answers what one submission asks at `/embeddings`, within its budget of calls and of new text."""

    def __init__(self, store: VectorStore) -> None:
        self._store, self._calls, self._left = store, CALLS, NEW_CHARACTERS
        self._lock = threading.Lock()

    def __call__(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """A status and a reply, as a provider gives them.

        Raises:
            DownloadError: a text is not recorded, and the model cannot be asked.
        """
        from aicourse.tooling.localmodel.server import embeddings
        from aicourse.tooling.localmodel.server.http_errors import HttpError

        with self._lock:
            self._calls -= 1
            is_allowed = self._calls >= 0
        if not is_allowed:
            return _refused(429, f"The budget of {CALLS} calls is used up.")
        if body.get("model") != EMBEDDING_MODEL:
            return _refused(404, f"Here is one model, for embeddings: {EMBEDDING_MODEL}.")
        try:
            texts = embeddings.texts_in(body)
        except HttpError as error:
            return _refused(error.status, error.message)
        if not self._may_embed(texts):
            return _refused(429, f"The budget of {NEW_CHARACTERS:,} characters of new text is used up.")
        tokens = sum(map(len, texts)) // _CHARACTERS_PER_TOKEN
        return 200, embeddings.answer(body, [self._store.embed(text) for text in texts], tokens)

    def _may_embed(self, texts: Sequence[str]) -> bool:
        """Take what is new in these texts from the budget."""
        new = sum(len(text) for text in dict.fromkeys(texts) if text not in self._store)
        with self._lock:
            if new > self._left:
                return False
            self._left -= new
            return True


@functools.cache
def vector_store(path: str) -> VectorStore:
    """The store of the vectors recorded in a file, one for each in this process; without a file it is empty.

    Raises:
        AssignmentError: the file is damaged.
    """
    return VectorStore(Path(path))


def _read(path: Path) -> dict[str, bytes]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        pairs = map(json.loads, lines)
        return {pair["text"]: base64.b64decode(pair["vector"], validate=True) for pair in pairs}
    except (ValueError, KeyError, TypeError) as error:
        raise AssignmentError(
            f"{path.name} is damaged ({type(error).__name__}). Restore it, or delete it and record it anew "
            "with: aicourse homework verify HOMEWORK --record",
            path=path,
        ) from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _refused(status: int, message: str) -> tuple[int, dict[str, Any]]:
    return status, {"error": {"message": message, "type": "aicourse_proxy", "param": None, "code": None}}
