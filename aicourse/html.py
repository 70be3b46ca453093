"""HTML: escaped text, tables, and whole pages that can do nothing but be read.

Text comes from students, sellers and models, so everything is escaped that is not `Markup` (markupsafe's mark
for ready HTML, which only pieces written in this package carry):

    table("Sizes", ("size", "listings"), [("S & M", "12")])     # a cell that is `Markup` stays as it is
    page("Sizes", Markup("<h1>{}</h1>").format(seller))         # `format` escapes, too
    render("evals/templates/report.html", run=run)              # Jinja2, with autoescape

A page stands alone: it loads nothing, and its Content-Security-Policy forbids all but its own style and its
own script, by their hashes, so a `<script>` that slipped through would not run
(https://www.w3.org/TR/CSP3/: hashes; delivery in a `meta` element).
Jinja2 is loaded with the first page or template: that takes longer than all tables of a lesson.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    import jinja2

_PACKAGE = Path(__file__).parent
_BREAKS = re.compile("[\t\n\r\u2028\u2029]")
_UNSEEN = re.compile("[\0-\b\v\f\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def escape(text: object) -> Markup:
    """Text as HTML, quotes included, as far as it is `visible`; what is `Markup` already stays as it is.

    >>> str(escape("a < 'b'")), str(escape(Markup("<b>")))
    ('a &lt; &#x27;b&#x27;', '<b>')
    """
    return text if isinstance(text, Markup) else Markup(html.escape(visible(str(text))))


def visible(text: str) -> str:
    """The text with U+FFFD for what no reader can see: control characters, lone surrogates, turned writing.

    >>> visible("red\u202e")
    'red\ufffd'
    """
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """The text as far as it is `visible`, on one line: so that no name forges another line.

    >>> one_line("Ada\\nBob: graded")
    'Ada\ufffdBob: graded'
    """
    return visible(_BREAKS.sub("\N{REPLACEMENT CHARACTER}", text))


def join(parts: Iterable[str], separator: str = "") -> Markup:
    """Pieces in a row; those that are not `Markup` are escaped."""
    return Markup(escape(separator).join(map(escape, parts)))


def prose(text: str, opening: str = "<code>") -> Markup:
    """Escaped text in which `backticks` become code; `opening` is the tag of that code.

    >>> str(prose("`None` < b"))
    '<code>None</code> &lt; b'
    """
    parts = map(escape, re.split(r"`([^`\n]+)`", text))
    return Markup("".join(f"{opening}{part}</code>" if odd % 2 else part for odd, part in enumerate(parts)))


@dataclass(frozen=True)
class TableCell:
    """A cell with attributes of its own, such as the key that its column is sorted by."""

    content: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """The attributes of a table's elements, ready HTML; `name` is for the first cell of a row.

    Without a `name`, the first cell is one like the others.
    """

    table: str = ""
    caption: str = ""
    head: str = "scope='col'"
    row: str = ""
    name: str | None = "scope='row'"
    cell: str = ""


Row = Sequence[str | TableCell]
PLAIN = Look()  # for pages, which have a style sheet
_LEFT = "style='text-align:left'"
NOTEBOOK = Look(
    "", _LEFT, f"scope='col' {_LEFT}", "", f"scope='row' {_LEFT}", _LEFT
)  # small tables in outputs
NUMBER = {"class": "number"}  # the attributes of a cell that is aligned right on a page


def table(caption: str, header: Row, rows: Iterable[Row], look: Look = PLAIN) -> Markup:
    """A table whose first column names the row; without `caption` or `header` where those are empty.

    >>> str(table("", (), [("brand", "A & B")]))
    "<table><tbody><tr><th scope='row'>brand</th><td>A &amp; B</td></tr></tbody></table>"
    """
    head, body = "", []
    if header:
        names = "".join(_cell("th", look.head, name) for name in header)
        head = f"<thead>{_tag('tr', look.row)}{names}</tr></thead>"
    for first, *rest in rows:
        name = _cell("td", look.cell, first) if look.name is None else _cell("th", look.name, first)
        others = "".join(_cell("td", look.cell, cell) for cell in rest)
        body.append(f"{_tag('tr', look.row)}{name}{others}</tr>")
    title = f"{_tag('caption', look.caption)}{escape(caption)}</caption>" if caption else ""
    return Markup(f"{_tag('table', look.table)}{title}{head}<tbody>{''.join(body)}</tbody></table>")


def wide(content: Markup, name: str) -> Markup:
    """Content that scrolls sideways where the screen is narrow, also by keys; `name` says what it is."""
    opening = Markup("<div class='wide' tabindex='0' role='region' aria-label='{}'>").format(name)
    return opening + content + Markup("</div>")


def sort_button(name: str) -> Markup:
    """A heading by which a column is sorted, on pages with the script `templates/sort.js`."""
    return Markup("<button type='button'>{}</button>").format(name)


def _cell(tag: str, attributes: str, cell: str | TableCell) -> str:
    if isinstance(cell, TableCell):
        own = (f"{name}='{escape(value)}'" for name, value in cell.attributes.items())
        attributes, cell = " ".join([*([attributes] if attributes else []), *own]), cell.content
    return f"{_tag(tag, attributes)}{escape(cell)}</{tag}>"


def _tag(name: str, attributes: str) -> str:
    return f"<{name} {attributes}>" if attributes else f"<{name}>"


def page(
    title: str,
    body: Markup,
    *,
    style: str = "",
    script: str = "",
    data: Any = None,
    connects: bool = False,
    pictures: bool = False,
    inline_styles: bool = False,
) -> str:
    """A whole page; `data` is plain data that `script` finds in the element `data`.

    `connects` lets the script talk to the server that the page came from, `pictures` lets it show some that
    are data. `inline_styles` is for bodies that
    bring `style` attributes and pictures of their own (executed notebooks).
    """
    sheet = asset("templates/page.css") + Markup(style)
    whole = render(
        "templates/page.html",
        title=title,
        body=body,
        policy=_policy(sheet, script, connects, pictures, inline_styles),
        style=sheet,
        script=Markup(script),
        data=_json(data) if data is not None else "",
    )
    return visible(whole)  # what templates filled in has not been through `escape`


def _policy(style: str, script: str, connects: bool, pictures: bool, inline_styles: bool) -> str:
    rules = ["default-src 'none'"]
    rules += ["style-src 'unsafe-inline'"] if inline_styles else [f"style-src {_hash(style)}"]
    rules += ["img-src data:"] if pictures or inline_styles else []
    rules += [f"script-src {_hash(script)}"] if script else []
    rules += ["connect-src 'self'"] if connects else []
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(data: Any) -> Markup:
    """JSON for a script element that is not run; `<` is written so that nothing in it can end the element."""
    return Markup(json.dumps(data, ensure_ascii=True).replace("<", "\\u003c"))


@functools.cache
def asset(name: str) -> Markup:
    """The text of a style, a script or ready HTML of this package, named from the package's folder."""
    return Markup((_PACKAGE / name).read_text(encoding="utf-8"))


def render(template: str, **values: Any) -> Markup:
    """A Jinja2 template of this package, named from the package's folder, with `values` escaped."""
    return Markup(_templates().get_template(template).render(values))


@functools.cache
def _templates() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PACKAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
