"""The pieces of HTML that cards and views in notebooks are made of.

Text comes from models and strangers: every function here escapes what it is given as text, and takes ready
HTML only where its docstring says so. Styles are inline because JupyterLab, VS Code, nbviewer and the site
all keep them. Colours come from JupyterLab's theme where it has them and otherwise inherit or are mid-tones
that stand out on white and on black; nothing is said by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from markupsafe import Markup

from aicourse import html
from aicourse.html import Look, Row, escape, visible

Tone = Literal["good", "bad", "neutral"]
_COLOURS: dict[Tone, str] = {"good": "#009e73", "bad": "#d55e00", "neutral": "#808080"}
_BORDER = "var(--jp-border-color2, rgba(128, 128, 128, 0.4))"
_FONT = "color: var(--jp-content-font-color1, inherit); font-size: var(--jp-content-font-size1, 14px)"
_CODE_FONT = "font-family: var(--jp-code-font-family, monospace); font-size: 0.92em"
_CODE = (
    f"{_CODE_FONT}; padding: 0 3px; border-radius: 3px; background: rgba(128, 128, 128, 0.15); "
    "color: inherit; overflow-wrap: anywhere; white-space: pre-wrap"
)
_SHADE = "background: rgba(128, 128, 128, 0.12); color: inherit; border-radius: 3px; padding: 6px 10px"
_WRAP = "white-space: pre-wrap; overflow-wrap: anywhere"
LIST = "list-style: none; margin: 6px 0; padding: 0"
DETAILS = "margin: 2px 0 6px 1.4em"

_TABLE = "border-collapse: collapse; margin: 4px 0; color: inherit; background: transparent"
_CAPTION = 'style="text-align: left; font-weight: 600; padding: 6px 0; white-space: nowrap"'
_LINED = f"padding: 3px 12px 3px 0; text-align: left; border-bottom: 1px solid {_BORDER}"
_TOP = "padding: 3px 12px 3px 0; text-align: left; vertical-align: top"
CARD_TABLE = Look(
    table=f'style="{_TABLE}"',
    caption=_CAPTION,
    head=f'scope="col" style="{_LINED}"',
    name=f'scope="row" style="{_LINED}; font-weight: 400"',
    cell=f'style="{_LINED}"',
)
_VIEW_TABLE = Look(
    table=f'style="{_TABLE}"',
    caption=_CAPTION,
    head=f'scope="col" style="{_TOP}"',
    row=f'style="border-bottom: 1px solid {_BORDER}; background: transparent"',
    name=f'scope="row" style="{_TOP}; font-weight: 400"',
    cell=f'style="{_TOP}; {_WRAP}"',
)
_PANES = replace(_VIEW_TABLE, table=f'style="table-layout: fixed; width: 100%; {_TABLE}"', name=None)


def text(value: str, limit: int | None = None) -> Markup:
    """Escaped text; what cannot be seen becomes U+FFFD, what is over `limit` characters is counted.

    >>> str(text("a < b")), str(text("abcdef", 3))
    ('a &lt; b', 'abc … (3 more characters)')
    """
    left_out = len(value) - limit if limit is not None and len(value) > limit else 0
    kept = value[:limit] if left_out else value
    remark = f" … ({left_out:,} more character{'s' * (left_out > 1)})" if left_out else ""
    return escape(visible(kept) + remark)


def prose(words: str) -> Markup:
    """Escaped text in which `backticks` become code."""
    return html.prose(words, f'<code style="{_CODE}">')


def code(words: str) -> Markup:
    """Escaped text as code."""
    return Markup(f'<code style="{_CODE}">{escape(words)}</code>')


def paragraph(content: str) -> Markup:
    """A paragraph of ready HTML."""
    return Markup(f'<p style="margin: 6px 0">{content}</p>')


def heading(words: str) -> Markup:
    """A line in bold."""
    return Markup(f'<p style="margin: 8px 0 2px 0"><strong>{text(words)}</strong></p>')


def line(words: str) -> Markup:
    """A line of text."""
    return Markup(f'<p style="margin: 2px 0 6px 0">{text(words)}</p>')


def mark(words: str, tone: Tone) -> Markup:
    """A coloured border beside words that say the same."""
    style = f"border-left: 4px solid {_COLOURS[tone]}; padding-left: 6px; font-weight: 600"
    return Markup(f'<span style="{style}">{escape(words)}</span>')


def card(heading: str, body: str, tone: Tone) -> Markup:
    """A titled box; `body` is ready HTML."""
    style = (
        f"border: 1px solid {_BORDER}; border-left: 6px solid {_COLOURS[tone]}; border-radius: 4px; "
        f"padding: 8px 14px; margin: 4px 0; max-width: 52em; line-height: 1.5; {_FONT}"
    )
    return Markup(f'<div class="aicourse-card" style="{style}"><strong>{prose(heading)}</strong>{body}</div>')


def view(name: str, *parts: str) -> Markup:
    """The outermost box of a view, of ready HTML."""
    style = f"{_FONT}; line-height: 1.5; max-width: 72em"
    return Markup(f'<div class="aicourse-{name}" style="{style}">{"".join(parts)}</div>')


def block(content: str) -> Markup:
    """Ready HTML of somebody's text as they wrote it, its line breaks kept."""
    return Markup(f'<div style="{_SHADE}; {_WRAP}">{content}</div>')


def raw(words: str, limit: int | None = None) -> Markup:
    """A machine's words, letter by letter."""
    return Markup(f'<div style="{_SHADE}; {_WRAP}; {_CODE_FONT}">{text(words, limit)}</div>')


def folded(summary: str, content: str, *, is_open: bool = False) -> Markup:
    """A part to unfold; `content` is ready HTML."""
    opened = " open" if is_open else ""
    return Markup(
        f'<details{opened} style="margin: 4px 0"><summary style="cursor: pointer">{text(summary)}</summary>'
        f"{content}</details>"
    )


def table(caption: str, header: Sequence[str], rows: Iterable[Row]) -> Markup:
    """A captioned table; the first cell of each row names it. A wide one scrolls by itself."""
    return _scrolling(caption, header, rows, _VIEW_TABLE)


def panes(caption: str, header: tuple[str, str], rows: Iterable[tuple[str, str]]) -> Markup:
    """Two texts beside each other, row by row; each gets half of the width."""
    return _scrolling(caption, header, rows, _PANES)


def _scrolling(caption: str, header: Sequence[str], rows: Iterable[Row], look: Look) -> Markup:
    content = html.table(visible(caption), [visible(name) for name in header], rows, look)
    return Markup(f'<div style="overflow-x: auto">{content}</div>')


def picture(source: str, alternative: str, height: str = "20em") -> Markup:
    """A picture from a data URL, no higher than `height`, with words for those who do not see it."""
    style = (
        f"max-width: 100%; max-height: {height}; margin: 4px 0; border-radius: 3px; background: transparent"
    )
    return Markup(f'<img src="{escape(source)}" alt="{text(alternative)}" style="{style}">')


def beside(left: str, right: str) -> Markup:
    """Two pieces of ready HTML side by side, below each other where there is no room."""
    pane = "flex: 1 1 20em; min-width: 0"
    return Markup(
        f'<div style="display: flex; flex-wrap: wrap; gap: 0 1.5em"><div style="{pane}">{left}</div>'
        f'<div style="{pane}">{right}</div></div>'
    )
