"""The help centre: its articles, and their search by words and meaning.

The index by words is made at the first search. Vectors are made behind it, in a thread, where the embedding
model is on this computer; each article is embedded once, as the vectors are kept in a file. Until they are
there, without the model, or when it fails or is busy, words alone are searched. Outdated articles are found
only by those who ask for them. Readers' comments can be read below an article and are never found: what was
not indexed cannot talk a model into anything (lesson 16).
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai import OpenAI, OpenAIError

from aicourse import paths
from aicourse.datasets import HelpArticle, help_articles
from aicourse.errors import AicourseError
from aicourse.llm.catalog import EMBEDDED
from aicourse.llm.client import connect
from aicourse.marketplace.app.help_articles import as_text
from aicourse.tooling import localmodel

if TYPE_CHECKING:
    from aicourse.rag.chunking import Chunk
    from aicourse.rag.embedding import Vectors
    from aicourse.rag.index import BM25Index, Hit, VectorIndex, Where

MODEL = "all-minilm-l6-v2"
CURRENT = {"status": "current"}
QUERY_SECONDS = 2.0  # a search does not wait longer for the meaning of its words,
REST_SECONDS = 30.0  # and after such a failure no other one waits for so long
COMMENTS = "Comments"  # the heading above what readers wrote
SNIPPET = 160  # characters
_FAILURES = (AicourseError, OpenAIError)
_log = logging.getLogger(__name__)


def embedding_client() -> OpenAI | None:
    """A client of the embedding model if its files are here; nothing is fetched for a search."""
    is_here = localmodel.local_path(MODEL)
    return connect(EMBEDDED, model=MODEL, replay="off") if is_here else None


@dataclass(frozen=True)
class _Queries:
    """Embeddings of queries, each asked for quickly and forgotten: visitors may send any number."""

    client: OpenAI
    name: str = MODEL

    def embed(self, texts: Sequence[str]) -> Vectors:
        from aicourse.rag.embedding import Embeddings

        hurried = self.client.with_options(timeout=QUERY_SECONDS, max_retries=0)
        return Embeddings(hurried, self.name).embed(texts)


class HelpCenter:
    """The articles by their slug, and a retriever of their sections; safe to use from many threads."""

    def __init__(
        self,
        read: Callable[[], Sequence[HelpArticle]] = help_articles,
        client: Callable[[], OpenAI | None] = embedding_client,
    ) -> None:
        self._read, self._client = read, client
        self._making = threading.Lock()
        self._words: BM25Index | None = None
        self._meaning: VectorIndex | None = None
        self._rests_until = 0.0
        self.is_making = False

    @functools.cached_property
    def articles(self) -> dict[str, HelpArticle]:
        """The articles by their slug, outdated ones too.

        Raises:
            DatasetError: the folder is missing, or a file is no article.
        """
        return {article.slug: article for article in self._read()}

    def search(self, query: str, k: int = 10, where: Where | None = CURRENT) -> list[Hit]:
        """The `k` best sections, by words and meaning if both can be had."""
        from aicourse.rag.fusion import Hybrid  # with numpy and bm25s: the shop starts without

        words = self._by_words()
        if self._meaning and time.monotonic() > self._rests_until:
            try:
                return Hybrid(words, self._meaning).search(query, k, where)
            except _FAILURES as error:
                self._rests_until = time.monotonic() + REST_SECONDS
                _log.warning("Help is searched by words alone: %s", error)
        return words.search(query, k, where)

    def _by_words(self) -> BM25Index:
        from aicourse.rag.chunking import by_heading
        from aicourse.rag.documents import from_articles
        from aicourse.rag.index import BM25Index

        with self._making:
            if self._words is None:
                documents = from_articles(self.articles.values())
                chunks = [chunk for document in documents for chunk in by_heading(document)]
                self._words = BM25Index()
                self._words.update([chunk for chunk in chunks if COMMENTS not in chunk.headings])
                if client := self._client():
                    self.is_making = True
                    work = (client, self._words.chunks)
                    threading.Thread(target=self._embed, args=work, name="help index", daemon=True).start()
            return self._words

    def _embed(self, client: OpenAI, chunks: Sequence[Chunk]) -> None:
        from aicourse.rag.embedding import Embeddings
        from aicourse.rag.index import VectorIndex

        try:
            keeping = Embeddings(client, cache=paths.cache_dir() / "embeddings.sqlite")
            vectors = keeping.embed([chunk.situated for chunk in chunks])
            Embeddings(client).embed(["help"])  # no query has to wait for the model to be loaded
            self._meaning = VectorIndex.of(_Queries(client), chunks, vectors)
        except _FAILURES as error:
            _log.warning("Help is searched by words alone: %s", error)
        finally:
            self.is_making = False


def snippet(hit: Hit) -> str:
    """The beginning of a section's words."""
    words = as_text(hit.chunk.text)
    return words if len(words) <= SNIPPET else f"{words[:SNIPPET].rsplit(' ', 1)[0]} …"


def address(document: str, start: int | None = None, end: int | None = None) -> str:
    """The page of an article, at a passage that it marks.

    >>> address("fees", 0, 12)
    '/help/fees?start=0&end=12#passage'
    """
    return f"/help/{document}" + (f"?start={start}&end={end}#passage" if end else "")
