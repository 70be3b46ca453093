"""The few pieces of HTML that checks, hints, predictions and progress share.

Styles are inline because JupyterLab, VS Code, nbviewer and the site all keep them. Colours come from
JupyterLab's theme where it has them and otherwise inherit or are mid-tones that stand out on white and on
black; nothing is said by colour alone.
"""

from __future__ import annotations

import re
from html import escape
from typing import Literal

Tone = Literal["good", "bad", "neutral"]
_COLOURS: dict[Tone, str] = {"good": "#009e73", "bad": "#d55e00", "neutral": "#808080"}
_BORDER = "var(--jp-border-color2, rgba(128, 128, 128, 0.4))"
_CODE = (
    "font-family: var(--jp-code-font-family, monospace); font-size: 0.92em; padding: 0 3px; "
    "border-radius: 3px; background: rgba(128, 128, 128, 0.15); color: inherit; "
    "overflow-wrap: anywhere; white-space: pre-wrap"
)
LIST = "list-style: none; margin: 6px 0; padding: 0"
DETAILS = "margin: 2px 0 6px 1.4em"


def prose(text: str) -> str:
    """Escaped text in which `backticks` become code.

    >>> prose("a < b")
    'a &lt; b'
    """
    pieces = re.split(r"`([^`]+)`", text)
    return "".join(code(piece) if index % 2 else escape(piece) for index, piece in enumerate(pieces))


def code(text: str) -> str:
    """Escaped text as code."""
    return f'<code style="{_CODE}">{escape(text)}</code>'


def paragraph(content: str) -> str:
    """A paragraph of ready HTML."""
    return f'<p style="margin: 6px 0">{content}</p>'


def mark(words: str, tone: Tone) -> str:
    """A coloured border beside words that say the same."""
    style = f"border-left: 4px solid {_COLOURS[tone]}; padding-left: 6px; font-weight: 600"
    return f'<span style="{style}">{escape(words)}</span>'


def card(heading: str, body: str, tone: Tone) -> str:
    """A titled box; `body` is ready HTML."""
    style = (
        f"border: 1px solid {_BORDER}; border-left: 6px solid {_COLOURS[tone]}; border-radius: 4px; "
        "padding: 8px 14px; margin: 4px 0; max-width: 52em; line-height: 1.5; "
        "color: var(--jp-content-font-color1, inherit); font-size: var(--jp-content-font-size1, 14px)"
    )
    return f'<div class="aicourse-card" style="{style}"><strong>{prose(heading)}</strong>{body}</div>'


def table(caption: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table of escaped cells whose first column names the row."""
    cell = f"padding: 3px 12px 3px 0; text-align: left; border-bottom: 1px solid {_BORDER}"
    head = "".join(f'<th scope="col" style="{cell}">{escape(name)}</th>' for name in header)
    body = "".join(
        f'<tr><th scope="row" style="{cell}; font-weight: 400">{escape(first)}</th>'
        + "".join(f'<td style="{cell}">{escape(value)}</td>' for value in rest)
        + "</tr>"
        for first, *rest in rows
    )
    heading = "text-align: left; font-weight: 600; padding: 6px 0; white-space: nowrap"
    title = f'<caption style="{heading}">{escape(caption)}</caption>'
    style = "border-collapse: collapse; margin: 4px 0; color: inherit; background: transparent"
    return f'<table style="{style}">{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
