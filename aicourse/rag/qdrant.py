"""The same index on Qdrant, a vector database: for collections that outgrow one machine's memory.

    QdrantIndex(embeddings)                                   # in this process, to try it
    QdrantIndex(embeddings, url="http://localhost:6333")      # a server, with as many machines as it has

Vectors and chunks are in a collection that notes the embedder. An update adds new points before it removes
old ones, so that what is interrupted leaves chunks that are found twice, never chunks that are missing; the
next update ends it. The server searches approximately (HNSW) when a collection is large; in this process,
exactly.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException

from aicourse.errors import RetrievalError
from aicourse.rag.chunking import Chunk
from aicourse.rag.embedding import Embeds
from aicourse.rag.index import Changes, Hit, Where, changes_between, check_k, digests_of, texts_of

_PAGE = 1_000  # points that are read in one go


class QdrantIndex:
    """Search by meaning in a collection of Qdrant; the same results as `VectorIndex`."""

    def __init__(
        self, embeddings: Embeds, *, url: str | None = None, collection: str = "chunks", **settings: Any
    ) -> None:
        """Use the collection of a server, else one in this process; `settings` go to `QdrantClient`.

        Raises:
            RetrievalError: the server does not answer, or the collection is another embedder's.
        """
        self.embeddings, self._collection, self._place = embeddings, collection, url or "this process"
        with self._asking():
            self._client = QdrantClient(url, **settings) if url else QdrantClient(":memory:")
            if self._client.collection_exists(collection):
                made_by = (self._client.get_collection(collection).config.metadata or {}).get("embeddings")
                if made_by != embeddings.name:
                    raise RetrievalError(
                        f"The collection {collection!r} has vectors of {made_by or 'another program'}, not "
                        f"of {embeddings.name}. Name another collection.",
                        collection=collection,
                    )

    def update(self, chunks: Sequence[Chunk]) -> Changes:
        """Make the collection hold exactly these chunks; only new and changed ones are embedded and sent.

        Raises:
            RetrievalError: two chunks have one id, or the server goes away; what it has stays searchable.
        """
        with self._asking():
            before = dict(self._points())
            # an update that was interrupted may have left two versions of a chunk: one of them counts
            held = [Chunk.of(payload["chunk"]) for payload in before.values()]
            changes = changes_between({chunk.id: chunk.digest for chunk in held}, digests_of(chunks))
            wanted = {_point_id(chunk): chunk for chunk in chunks}
            new = {id: chunk for id, chunk in wanted.items() if id not in before}
            vectors = self.embeddings.embed([chunk.situated for chunk in new.values()])
            if new:
                self._make_collection(vectors.shape[1])
                points = [
                    models.PointStruct(id=id, vector=vector.tolist(), payload=_payload(chunk))
                    for (id, chunk), vector in zip(new.items(), vectors, strict=True)
                ]
                self._client.upload_points(self._collection, points, wait=True)
            if gone := [id for id in before if id not in wanted]:
                self._client.delete(self._collection, models.PointIdsList(points=[*gone]), wait=True)
        return changes

    def search(self, query: str, k: int = 10, where: Where | None = None) -> list[Hit]:
        """The `k` chunks nearest to the query, with their cosine similarity, best first.

        Raises:
            RetrievalError: `k` is below 1, or the server does not answer.
        """
        check_k(k)
        with self._asking():
            if not self._client.collection_exists(self._collection):
                return []
            vector = self.embeddings.embed([query])[0].tolist()
            found = self._client.query_points(
                self._collection, vector, limit=k, query_filter=_filter(where) if where else None
            )
        return [Hit(Chunk.of((point.payload or {})["chunk"]), point.score) for point in found.points]

    def _make_collection(self, dimensions: int) -> None:
        if not self._client.collection_exists(self._collection):
            self._client.create_collection(
                self._collection,
                models.VectorParams(size=dimensions, distance=models.Distance.COSINE),
                metadata={"embeddings": self.embeddings.name},
            )

    def _points(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The id and the payload of every point."""
        if not self._client.collection_exists(self._collection):
            return
        page: Any = None
        while True:
            points, page = self._client.scroll(self._collection, limit=_PAGE, offset=page)
            yield from ((str(point.id), point.payload or {}) for point in points)
            if page is None:
                return

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Tell what the server does in a sentence."""
        try:
            yield
        except (ApiException, QdrantException, OSError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise RetrievalError(
                f"Qdrant at {self._place} does not do what was asked: {reason}. Is it running? "
                "Nothing was removed; update again when it is.",
                url=self._place,
            ) from error


def _payload(chunk: Chunk) -> dict[str, Any]:
    return {
        "chunk": chunk.record,
        "metadata": {name: sorted(texts_of(value)) for name, value in chunk.metadata.items()},
    }


def _point_id(chunk: Chunk) -> str:
    """The id of a point: the same chunk, with the same metadata, is the same point."""
    whole = json.dumps(chunk.record, sort_keys=True, default=str)
    return str(uuid.UUID(bytes=sha256(whole.encode()).digest()[:16]))


def _filter(where: Where) -> models.Filter:
    return models.Filter(must=[_condition(f"metadata.{name}", wanted) for name, wanted in where.items()])


def _condition(key: str, wanted: Any) -> models.Condition:
    texts = sorted(texts_of(wanted))
    found = models.FieldCondition(key=key, match=models.MatchAny(any=texts))
    missing = models.IsEmptyCondition(is_empty=models.PayloadField(key=key))
    return models.Filter(should=[found, missing]) if "" in texts else found
