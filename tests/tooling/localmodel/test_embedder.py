"""MiniLM through onnxruntime: shapes, order of similarity, and one text computed step by step."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tokenizers import Tokenizer

from aicourse.errors import DownloadError
from aicourse.tooling.localmodel import model_files
from aicourse.tooling.localmodel.embedder import DIMENSIONS, MAX_TOKENS, Embedder
from aicourse.tooling.localmodel.local_models import EMBEDDING_MODEL


@pytest.fixture(scope="module")
def loaded() -> dict[Path, Embedder]:
    """The embedder of this module, by the cache it comes from; loaded once."""
    return {}


@pytest.fixture
def embedder(real_model_cache: Path, loaded: dict[Path, Embedder]) -> Embedder:
    if model_files.local_path(EMBEDDING_MODEL) is None:
        pytest.skip(f"needs the embedding model; get it with: aicourse model pull {EMBEDDING_MODEL}")
    if real_model_cache not in loaded:
        loaded[real_model_cache] = Embedder.load()
    return loaded[real_model_cache]


def test_without_the_file_it_says_how_to_get_it() -> None:
    with pytest.raises(DownloadError, match="aicourse model pull all-minilm-l6-v2"):
        Embedder.load()


@pytest.mark.live_model
def test_one_unit_vector_per_text(embedder: Embedder) -> None:
    vectors = embedder.embed(["a blue jacket", "", "x" * 5_000, "汉字 🙂"])
    assert vectors.shape == (4, DIMENSIONS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert embedder.embed([]).shape == (0, DIMENSIONS)


@pytest.mark.live_model
def test_what_means_the_same_is_near(embedder: Embedder) -> None:
    jacket, coat, form, weather = embedder.embed(
        ["a blue jacket", "an azure coat", "how to fill in a tax form", "the weather in Rome"]
    )
    assert jacket @ coat > jacket @ form + 0.2
    assert jacket @ coat > jacket @ weather + 0.2


@pytest.mark.live_model
def test_company_in_a_batch_changes_next_to_nothing(embedder: Embedder) -> None:
    texts = [f"listing {index}: " + "a red wool coat, " * (index % 7) for index in range(70)]
    together = embedder.embed(texts)
    alone = np.vstack([embedder.embed([text]) for text in texts[::10]])
    # int8 activations are scaled per batch, so the last digits differ
    assert np.min(np.sum(together[::10] * alone, axis=1)) > 0.98
    # each row is nearest to its own text: no row was put in another's place
    np.testing.assert_array_equal(np.argmax(alone @ together.T, axis=1), np.arange(0, 70, 10))


@pytest.mark.live_model
def test_one_text_step_by_step(embedder: Embedder, real_model_cache: Path) -> None:
    """As the model card says, with the tokens looked up by hand in the vocabulary."""
    folder = real_model_cache / "models" / EMBEDDING_MODEL
    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    ids = np.array([[vocabulary[word] for word in ("[CLS]", "a", "blue", "jacket", "[SEP]")]], dtype=np.int64)
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    tokens = session.run(None, {entry.name: feed[entry.name] for entry in session.get_inputs()})[0][0]
    mean = sum(tokens) / len(tokens)
    expected = mean / sum(mean**2) ** 0.5
    np.testing.assert_allclose(embedder.embed(["A blue jacket"])[0], expected, atol=1e-5)


@pytest.mark.live_model
def test_tokens_are_counted_as_the_model_reads_them(embedder: Embedder, real_model_cache: Path) -> None:
    tokenizer = Tokenizer.from_file(str(real_model_cache / "models" / EMBEDDING_MODEL / "tokenizer.json"))
    tokenizer.no_padding()
    texts = ["a blue jacket", "", "torn"]
    assert embedder.count_tokens(texts) == sum(len(tokenizer.encode(text).ids) for text in texts) == 5 + 2 + 3
    assert embedder.count_tokens(["word " * 1_000]) == MAX_TOKENS
