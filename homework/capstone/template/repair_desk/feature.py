"""The feature: which desk of the repair café a message belongs to.

    sort_message(connect(), "My rear brake squeals.")  ->  "bicycles"

The model proposes, this file decides: an answer that is no desk goes to a person, and so does every message
that speaks of danger, whatever the model says.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from aicourse import prompts

MODEL = "qwen2.5-coder-1.5b"
PROMPT = prompts.load(Path(__file__).parent.parent / "prompts" / "sort_message" / "v2.md")
DESKS = ("electronics", "textiles", "bicycles", "furniture", "person")
LONGEST_MESSAGE = 2_000  # characters; a longer one costs money and says no more about its desk
_DANGER = re.compile(r"(?i)\b(gas|smoke|fire|burnt?|burns|injur\w+|electric shock)\b")


def sort_message(client: Any, message: str, prompt: prompts.Prompt = PROMPT) -> str:
    """The desk for a message: one of `DESKS`.

    Raises:
        ValueError: the message is empty.
    """
    if not message.strip():
        raise ValueError("The message is empty. Ask the visitor what is broken.")
    if _DANGER.search(message):
        return "person"
    reply = client.chat.completions.create(
        model=MODEL,
        messages=prompt.render(message=message[:LONGEST_MESSAGE]),
        extra_headers=prompt.headers,  # a trace then says which version asked
        **prompt.hints,
    )
    word = (reply.choices[0].message.content or "").strip().strip(".").lower()
    return word if word in DESKS else "person"
