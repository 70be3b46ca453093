"""Situating: a sentence by a model on where each chunk stands, which is indexed with it.

    chunks = situate(chunks, documents, connect(), "qwen2.5-coder-1.5b", kept=Path("build/contexts.jsonl"))

"It rose to 40 €." is found by nobody who does not know what rose (Anthropic 2024, contextual retrieval). It
costs a call for each chunk. What was said is kept by content, so that a job that is interrupted goes on, and
of a changed collection only the changed documents' chunks are asked about.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aicourse import prompts
from aicourse.errors import RetrievalError
from aicourse.prompts import Prompt
from aicourse.prompts.template import harmless
from aicourse.rag.chunking import Chunk
from aicourse.rag.documents import Document

if TYPE_CHECKING:
    import openai

_BAR_FROM = 10  # chunks: a model takes about a second for each
_BEGINS = b'{"key": "'
AROUND = 3_000  # characters of the document before and after the chunk that the model reads
_FIRST_SENTENCE = re.compile(r".{,300}?[.!?](?=\s|$)")


def situate(
    chunks: Sequence[Chunk],
    documents: Iterable[Document],
    client: openai.OpenAI,
    model: str,
    *,
    kept: Path,
    prompt: Prompt | None = None,
) -> list[Chunk]:
    """The chunks with their `context`: the first sentence of the model's reply, "" if it has none.

    Raises:
        RetrievalError: a chunk is of none of the documents, or `kept` cannot be used.
    """
    from tqdm.auto import tqdm

    prompt = prompt or prompts.load("situate_chunk")
    texts = {document.id: document.text for document in documents}
    if missing := {chunk.document for chunk in chunks} - texts.keys():
        raise RetrievalError(f"No document {min(missing)!r} is given. Give all that the chunks are of.")
    known, situated = _known(kept), []
    for chunk in tqdm(chunks, desc="Situating", unit="chunk", disable=len(chunks) < _BAR_FROM):
        text = texts[chunk.document][max(0, chunk.start - AROUND) : chunk.end + AROUND]
        asked = {"title": chunk.title, "document": text, "chunk": chunk.text}
        key = hashlib.sha256(json.dumps([prompt.hash, model, asked]).encode()).hexdigest()
        if key not in known:
            known[key] = _said(client, model, prompt, asked)
            with _using(kept), kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, "context": known[key]}) + "\n")
        situated.append(replace(chunk, context=known[key]))
    return situated


def _known(path: Path) -> dict[str, str]:
    """The contexts in a file; a last line that its writer did not end is removed."""
    with _using(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        found = {one["key"]: str(one["context"]) for one in map(json.loads, whole.splitlines())}
        if half := content[len(whole) :]:
            if not half.startswith(_BEGINS[: len(half)]):
                raise ValueError("its last line is no context")
            os.truncate(path, len(whole))
        return found


@contextmanager
def _using(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RetrievalError(
            f"{path} cannot be used for contexts: {error}. Delete it, or name another file.", path=path
        ) from error


def _said(client: openai.OpenAI, model: str, prompt: Prompt, asked: dict[str, str]) -> str:
    reply = client.chat.completions.create(
        model=model,
        messages=prompt.render(**{name: harmless(text) for name, text in asked.items()}),  # type: ignore[arg-type]
        extra_headers=prompt.headers,
        **prompt.hints,
    )
    text = " ".join((reply.choices[0].message.content or "").split())
    found = _FIRST_SENTENCE.match(text)
    return found[0] if found else ""
