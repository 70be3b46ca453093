"""HTML files that need nothing else and can do nothing else: the frame around every page that grading writes.

Texts in them come from strangers. Everything is escaped, and a Content-Security-Policy in the page forbids
all but its own style and its own script, by their hashes: a `<script>` that slipped through would not run,
and nothing is ever loaded. Source: https://www.w3.org/TR/CSP3/ (hashes; `meta` delivery).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from aicourse.html import asset

_TEMPLATES = Path(__file__).parent / "templates"


def page(title: str, body: str, *, style: str = "", script: str = "", data: Any = None) -> str:
    """A whole page; `body` is ready HTML, `data` plain data that `script` finds in the element `data`."""
    sheet = asset("templates/page.css") + style
    policy = f"default-src 'none'; style-src '{_hash(sheet)}'; base-uri 'none'; form-action 'none'"
    end = ""
    if script:
        policy += f"; script-src '{_hash(script)}'; connect-src 'self'"
        end = f"{_data(data)}<script>{script}</script>"
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{sheet}</style></head>\n"
        f"<body><main>{body}</main>{end}</body></html>\n"
    )


@functools.cache
def template(name: str) -> str:
    """A file of the folder `templates`: style, script or HTML that is the same for everybody."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _data(data: Any) -> str:
    """JSON in a script element that is not run; `<` is written so that nothing in it can end the element."""
    text = json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")
    return f"<script type='application/json' id='data'>{text}</script>"


def prose(text: str) -> str:
    """Escaped text in which `backticks` become code.

    >>> prose("`None` < b")
    '<code>None</code> &lt; b'
    """
    pieces = re.split(r"`([^`\n]+)`", text)
    return "".join(
        f"<code>{escape(part)}</code>" if odd % 2 else escape(part) for odd, part in enumerate(pieces)
    )


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Figures in a row: what is counted, and how many."""
    return (
        "<ul class='facts'>"
        + "".join(f"<li><b>{escape(value)}</b>{escape(name)}</li>" for name, value in pairs)
        + "</ul>"
    )


def table(
    caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()
) -> str:
    """A table of escaped cells whose first column names the row; `numbers` are the columns to align right."""
    right = set(numbers)

    def kind(column: int) -> str:
        return " class='number'" if column in right else ""

    head = "".join(f"<th scope='col'{kind(column)}>{escape(name)}</th>" for column, name in enumerate(header))
    body = "".join(
        f"<tr><th scope='row'>{escape(first)}</th>"
        + "".join(f"<td{kind(column)}>{prose(cell)}</td>" for column, cell in enumerate(rest, start=1))
        + "</tr>"
        for first, *rest in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f"<div class='wide'><table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
