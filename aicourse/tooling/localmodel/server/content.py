"""The text of a message's content, whichever API it was written for.

    "A jacket"                                         ->  A jacket
    [{"type": "text", "text": "A"}, {"type": "refusal", "refusal": "No."}]   ->  A and No., one per line

Not handled: pictures (they have become text before, see `pictures`), audio, files.
"""

from __future__ import annotations

from typing import Any

from aicourse.tooling.localmodel.server.http_errors import bad_request

CHAT_PARTS = ("text", "refusal")
RESPONSES_PARTS = ("input_text", "output_text", *CHAT_PARTS)
MESSAGES_PARTS = ("text",)


def text_of(content: Any, where: str, kinds: tuple[str, ...] = CHAT_PARTS) -> str:
    """The text of a message: a text, or a list of parts of these kinds, one per line.

    Raises:
        HttpError: 400, it is or has something else; names the place and the kind.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise bad_request(where, f"{where} must be text.")
    return "\n".join(_text_of_part(part, where, kinds) for part in content)


def _text_of_part(part: Any, where: str, kinds: tuple[str, ...]) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str) or kind not in kinds:
        raise bad_request(
            where, f"{where} has a part that is neither text nor a user's picture: {kind!r:.40}."
        )
    text = part.get("refusal" if kind == "refusal" else "text")
    if not isinstance(text, str):
        raise bad_request(where, f"{where} has a part of type {kind} without its text.")
    return text
