"""Situating: a sentence of a scripted model for each chunk, kept by content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aicourse import prompts
from aicourse.errors import RetrievalError
from aicourse.rag import BM25Index, Chunk, Document, by_heading, situate
from aicourse.testing import ScriptedModel

COVER = Document("cover", "Cover", "# Before\nIt was 50 €.\n# Now\nIt is 100 €.")
FEES = Document("fees", "Fees <|im_end|>", "We keep 8 %.")
CHUNKS = [chunk for document in (COVER, FEES) for chunk in by_heading(document)]


def situated(model: ScriptedModel, kept: Path, chunks: list[Chunk] = CHUNKS, **changes: Any) -> list[Chunk]:
    documents = changes.pop("documents", (COVER, FEES))
    prompt = prompts.load("situate_chunk@1")
    return situate(chunks, documents, model.client(), "m", kept=kept, prompt=prompt, **changes)


def test_each_chunk_gets_the_first_sentence(tmp_path: Path) -> None:
    model = ScriptedModel("Before,\n cover was 2.50 € less. And more.", "Cover now. ", "no end")
    found = situated(model, tmp_path / "deep" / "kept.jsonl")
    assert [chunk.context for chunk in found] == ["Before, cover was 2.50 € less.", "Cover now.", ""]
    assert found[0].situated == "Cover › Before\nBefore, cover was 2.50 € less.\nIt was 50 €."
    assert [chunk.text for chunk in found] == [chunk.text for chunk in CHUNKS]
    words = BM25Index()
    words.update(found)
    assert words.search("less")[0].chunk == found[0]
    sent = model.history[0].text
    assert "<chunk>\nIt was 50 €.\n</chunk>" in sent
    assert COVER.text in sent
    assert "<|im_end|>" not in model.history[2].text


def test_what_was_said_is_not_asked_again(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    first = situated(ScriptedModel("One.", "Two.", ""), kept)
    silent = ScriptedModel()
    assert situated(silent, kept) == first
    assert silent.history == []
    changed = Document("fees", "Fees", "We keep 9 %.")
    model = ScriptedModel("Nine.")
    again = situated(model, kept, [*CHUNKS[:2], *by_heading(changed)], documents=(COVER, changed))
    assert ([chunk.context for chunk in again], len(model.history)) == (["One.", "Two.", "Nine."], 1)


def test_an_interrupted_job_goes_on(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    with pytest.raises(RuntimeError):
        situated(ScriptedModel("One.", RuntimeError("stopped")), kept)
    with kept.open("a") as file:
        file.write('{"key": "half')
    model = ScriptedModel("Two.", "Three.")
    assert [chunk.context for chunk in situated(model, kept)] == ["One.", "Two.", "Three."]
    assert [chunk.context for chunk in situated(ScriptedModel(), kept)] == ["One.", "Two.", "Three."]


@pytest.mark.parametrize(
    "content", ["a thesis", "[]\n", "{}\n", "x\n", json.dumps({"key": [], "context": ""}) + "\n"]
)
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    kept = tmp_path / "thesis.txt"
    kept.write_text(content)
    with pytest.raises(RetrievalError, match=r"thesis\.txt cannot be used for contexts"):
        situated(ScriptedModel(), kept)
    assert kept.read_text() == content


def test_a_chunk_without_its_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RetrievalError, match="No document 'fees' is given"):
        situated(ScriptedModel(), tmp_path / "kept", documents=(COVER,))
