"""Text inside Markdown: in a fence that it cannot break out of, or as plain words."""

from __future__ import annotations

import re


def fenced(text: str) -> str:
    """A block of text, in a fence longer than any that it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def plain(text: str) -> str:
    r"""Words whose signs mean nothing.

    >>> print(plain("max_tokens"))
    max\_tokens
    """
    return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", text)
