"""The pieces of HTML that the views share, on top of those of `aicourse.notebook.exercises.html`.

All text comes from models and strangers: every function here escapes what it is given as text, and takes
ready HTML only where its docstring says so. Colours follow the reader's theme, and words say what they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from aicourse.html import visible

_BORDER = "var(--jp-border-color2, rgba(128, 128, 128, 0.4))"
_ROW = f"border-bottom: 1px solid {_BORDER}; background: transparent"
_CELL = "padding: 3px 12px 3px 0; text-align: left; vertical-align: top"
_WRAP = "white-space: pre-wrap; overflow-wrap: anywhere"
_SHADE = "background: rgba(128, 128, 128, 0.12); color: inherit; border-radius: 3px; padding: 6px 10px"
_FONT = (
    "color: var(--jp-content-font-color1, inherit); font-size: var(--jp-content-font-size1, 14px); "
    "line-height: 1.5; max-width: 72em"
)


def text(value: str, limit: int | None = None) -> str:
    """Escaped text; what cannot be seen becomes U+FFFD, what is over `limit` characters is counted.

    >>> text("a < b"), text("abcdef", 3)
    ('a &lt; b', 'abc … (3 more characters)')
    """
    left_out = len(value) - limit if limit is not None and len(value) > limit else 0
    kept = value[:limit] if left_out else value
    remark = f" … ({left_out:,} more character{'s' * (left_out > 1)})" if left_out else ""
    return escape(visible(kept)) + remark


def view(name: str, *parts: str) -> str:
    """The outermost box of a view, of ready HTML."""
    return f'<div class="aicourse-{name}" style="{_FONT}">{"".join(parts)}</div>'


def heading(words: str) -> str:
    """A line in bold."""
    return f'<p style="margin: 8px 0 2px 0"><strong>{text(words)}</strong></p>'


def line(words: str) -> str:
    """A line of text."""
    return f'<p style="margin: 2px 0 6px 0">{text(words)}</p>'


def block(words: str, limit: int | None = None) -> str:
    """Somebody's text as they wrote it, its line breaks kept."""
    return ready_block(text(words, limit))


def ready_block(content: str) -> str:
    """The same around ready HTML."""
    return f'<div style="{_SHADE}; {_WRAP}">{content}</div>'


def raw(words: str, limit: int | None = None) -> str:
    """A machine's words, letter by letter."""
    font = "font-family: var(--jp-code-font-family, monospace); font-size: 0.92em"
    return f'<div style="{_SHADE}; {_WRAP}; {font}">{text(words, limit)}</div>'


def folded(summary: str, content: str, *, is_open: bool = False) -> str:
    """A part to unfold; `content` is ready HTML."""
    opened = " open" if is_open else ""
    return (
        f'<details{opened} style="margin: 4px 0"><summary style="cursor: pointer">{text(summary)}</summary>'
        f"{content}</details>"
    )


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A captioned table of ready cells; the first of each row names it. A wide one scrolls by itself."""
    name = f'<th scope="row" style="{_CELL}; font-weight: 400">'
    body = "".join(f'<tr style="{_ROW}">{name}{row[0]}</th>{_cells(row[1:])}</tr>' for row in rows)
    return _table(caption, header, body, "")


def panes(caption: str, header: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    """Two texts beside each other, ready HTML, row by row; each gets half of the width."""
    body = "".join(f'<tr style="{_ROW}">{_cells(row)}</tr>' for row in rows)
    return _table(caption, header, body, "table-layout: fixed; width: 100%; ")


def _cells(cells: Sequence[str]) -> str:
    return "".join(f'<td style="{_CELL}; {_WRAP}">{cell}</td>' for cell in cells)


def _table(caption: str, header: Sequence[str], body: str, layout: str) -> str:
    names = "".join(f'<th scope="col" style="{_CELL}">{text(name)}</th>' for name in header)
    head = f'<thead><tr style="{_ROW}">{names}</tr></thead>'
    heading = "text-align: left; font-weight: 600; padding: 6px 0; white-space: nowrap"
    title = f'<caption style="{heading}">{text(caption)}</caption>'
    style = f"{layout}border-collapse: collapse; margin: 4px 0; color: inherit; background: transparent"
    return (
        f'<div style="overflow-x: auto"><table style="{style}">{title}{head}'
        f"<tbody>{body}</tbody></table></div>"
    )


def picture(source: str, alternative: str) -> str:
    """A picture from a data URL, with words for those who do not see it."""
    style = "max-width: 100%; max-height: 20em; margin: 4px 0; border-radius: 3px; background: transparent"
    return f'<img src="{escape(source)}" alt="{text(alternative)}" style="{style}">'


def beside(left: str, right: str) -> str:
    """Two pieces of ready HTML side by side, below each other where there is no room."""
    pane = "flex: 1 1 20em; min-width: 0"
    return (
        f'<div style="display: flex; flex-wrap: wrap; gap: 0 1.5em"><div style="{pane}">{left}</div>'
        f'<div style="{pane}">{right}</div></div>'
    )
