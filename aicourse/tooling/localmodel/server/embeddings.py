"""OpenAI's Embeddings API: https://platform.openai.com/docs/api-reference/embeddings

Not handled: token numbers instead of text, and shortened vectors (see `fields`).
"""

from __future__ import annotations

import base64
import struct
from typing import Any

from aicourse.tooling.localmodel.server.http_errors import bad_request

MAX_TEXTS = 256  # in one request


def texts_in(request: dict[str, Any]) -> list[str]:
    """The texts to embed.

    Raises:
        HttpError: 400, none, too many, or not text.
    """
    given = request.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise bad_request(
            "input", "'input' must be a text or a list of texts, none empty; token numbers are not taken."
        )
    if len(texts) > MAX_TEXTS:
        raise bad_request("input", f"'input' has {len(texts)} texts; send at most {MAX_TEXTS} at once.")
    return texts


def answer(request: dict[str, Any], vectors: list[list[float]], tokens: int) -> dict[str, Any]:
    """The response, with vectors as lists or, as OpenAI's client asks, as base64 of little-endian floats."""
    encode = _as_base64 if request.get("encoding_format") == "base64" else list
    data = [
        {"object": "embedding", "index": index, "embedding": encode(vector)}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": request["model"], "data": data, "usage": usage}


def _as_base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
