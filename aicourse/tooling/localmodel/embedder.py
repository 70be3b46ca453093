"""Text embeddings with all-MiniLM-L6-v2: ONNX on the CPU, its own tokenizer, no deep-learning framework.

Mean pooling over the tokens that are not padding, then length 1, as the model card says
(https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2). Text beyond 256 tokens is not seen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import SessionOptions  # type: ignore[attr-defined]
from onnxruntime.capi.onnxruntime_inference_collection import InferenceSession
from tokenizers import Tokenizer

from aicourse.errors import DownloadError
from aicourse.tooling.localmodel import model_files
from aicourse.tooling.localmodel.local_models import EMBEDDING_MODEL

MAX_TOKENS = 256
BATCH = 32
DIMENSIONS = 384


class Embedder:
    """Texts -> unit vectors of 384 dimensions; their dot product is the cosine similarity."""

    def __init__(self, model: Path, tokenizer: Path) -> None:
        options = SessionOptions()
        # threads that spin while they wait take twice the CPU for one text
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._inputs = {entry.name for entry in self._session.get_inputs()}
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()

    @classmethod
    def load(cls, name: str = EMBEDDING_MODEL) -> Embedder:
        """The embedder whose files are here.

        Raises:
            DownloadError: they are not.
        """
        path = model_files.local_path(name)
        if path is None:
            raise DownloadError(f"{name} is not here. Fetch it with: aicourse model pull {name}", model=name)
        return cls(path, path.parent / "tokenizer.json")

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """One row per text: shape (len(texts), 384), each of length 1."""
        # texts of similar length share a batch, so that little of it is padding
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            vectors[rows] = self._embed_batch([texts[row] for row in rows])
        return vectors

    def count_tokens(self, texts: list[str]) -> int:
        """The tokens that the model reads of these texts."""
        return sum(sum(encoding.attention_mask) for encoding in self._tokenizer.encode_batch(texts))

    def _embed_batch(self, texts: list[str]) -> NDArray[np.float32]:
        encodings = self._tokenizer.encode_batch(texts)
        mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
        given: dict[str, Any] = {
            "input_ids": np.array([encoding.ids for encoding in encodings], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        output, *_ = self._session.run(None, {name: given[name] for name in self._inputs})
        tokens = np.asarray(output, dtype=np.float32)
        weights = mask[:, :, None].astype(np.float32)
        means = (tokens * weights).sum(axis=1) / weights.sum(axis=1)
        unit: NDArray[np.float32] = means / np.linalg.norm(means, axis=1, keepdims=True)
        return unit
