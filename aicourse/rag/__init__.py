"""Retrieval: documents in, the right pieces of them out, and how often they are right.

One journey, file by file: a *document* (`documents`) is cut into *chunks* (`chunking`); an *index*
(`index`, with vectors of `embedding`; `qdrant` where one machine is too small) finds the best for a
*query*; several rankings become one (`fusion`), or the first of one are ranked again (`reranking`). A model
may say where a chunk stands before it is indexed (`situating`). `metrics` say how good a ranking is and
`evaluation` how sure that is. From what is found, `answering` answers with a citation or abstains, and
`answer_metrics` count what that is worth.

    from aicourse.rag import BM25Index, Embeddings, Hybrid, VectorIndex, by_heading

Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.rag.answering import Assistant as Assistant
    from aicourse.rag.chunking import Chunk as Chunk
    from aicourse.rag.chunking import by_heading as by_heading
    from aicourse.rag.chunking import by_sentences as by_sentences
    from aicourse.rag.chunking import fixed as fixed
    from aicourse.rag.documents import Document as Document
    from aicourse.rag.documents import from_articles as from_articles
    from aicourse.rag.documents import read_folder as read_folder
    from aicourse.rag.embedding import Embeddings as Embeddings
    from aicourse.rag.evaluation import Retrieval as Retrieval
    from aicourse.rag.evaluation import evaluate as evaluate
    from aicourse.rag.fusion import Hybrid as Hybrid
    from aicourse.rag.fusion import fuse as fuse
    from aicourse.rag.index import BM25Index as BM25Index
    from aicourse.rag.index import Hit as Hit
    from aicourse.rag.index import Index as Index
    from aicourse.rag.index import Retriever as Retriever
    from aicourse.rag.index import VectorIndex as VectorIndex
    from aicourse.rag.qdrant import QdrantIndex as QdrantIndex
    from aicourse.rag.reranking import CrossFeatures as CrossFeatures
    from aicourse.rag.reranking import ModelScorer as ModelScorer
    from aicourse.rag.reranking import Reranker as Reranker
    from aicourse.rag.situating import situate as situate

_NAMES = {
    "answering": ("Assistant",),
    "chunking": ("Chunk", "by_heading", "by_sentences", "fixed"),
    "documents": ("Document", "from_articles", "read_folder"),
    "embedding": ("Embeddings",),
    "evaluation": ("Retrieval", "evaluate"),
    "fusion": ("Hybrid", "fuse"),
    "index": ("BM25Index", "Hit", "Index", "Retriever", "VectorIndex"),
    "qdrant": ("QdrantIndex",),
    "reranking": ("CrossFeatures", "ModelScorer", "Reranker"),
    "situating": ("situate",),
}
_HOME = {name: f"aicourse.rag.{module}" for module, names in _NAMES.items() for name in names}

__all__ = sorted(_HOME)
__getattr__, __dir__ = lazily(__name__, _HOME)
