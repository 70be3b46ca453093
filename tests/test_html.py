"""Escaping in every place, tables, and the frame around pages."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from html.parser import HTMLParser

import jinja2
import pytest
from markupsafe import Markup

from aicourse.html import Look, TableCell, escape, join, page, prose, render, table, wide

EVIL = "</td></table><script>alert(1)</script><img src=x onerror='alert(2)'>\" ' & `<b>`"


class Page(HTMLParser):
    """The elements and attributes that a browser would find, and the texts between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(str(text))  # not `Markup`, whose parts escape each other

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_what_is_escaped_stays_so_and_is_escaped_once() -> None:
    assert Page(escape(EVIL)).names == []
    assert Page(escape(EVIL)).text == EVIL
    assert escape(escape(EVIL)) == escape(EVIL)
    assert escape(3) == "3"


def test_pieces_in_a_row() -> None:
    assert join([Markup("<b>a</b>"), "<i>"], "<br>") == "<b>a</b>&lt;br&gt;&lt;i&gt;"


def test_code_in_prose_is_escaped_too() -> None:
    piece = Page(prose(EVIL))
    assert piece.names == ["code"]
    assert piece.text == EVIL.replace("`", "")
    assert Page(prose("a `b` c", "<code class='x'>")).attributes == [("class", "x")]


@pytest.mark.parametrize("place", ["caption", "header", "name", "cell", "own attribute", "own content"])
def test_a_table_escapes_text_in_every_place(place: str) -> None:
    evil = dict.fromkeys(["caption", "header", "name", "cell", "own attribute", "own content"], "fine")
    evil[place] = EVIL
    own = TableCell(evil["own content"], {"data-key": evil["own attribute"]})
    drawn = Page(table(evil["caption"], ("", evil["header"]), [(evil["name"], evil["cell"], own)]))
    assert drawn.names == ["table", "caption", "thead", "tr", "th", "th", "tbody", "tr", "th", "td", "td"]
    assert [name for name, _ in drawn.attributes] == ["scope", "scope", "scope", "data-key"]
    assert ("data-key", evil["own attribute"]) in drawn.attributes
    assert EVIL in drawn.text or place == "own attribute"


def test_ready_cells_stay_and_a_look_dresses_every_element() -> None:
    look = Look("class='t'", "class='c'", "class='h'", "class='r'", None, "class='d'")
    drawn = table("C", ("H",), [(Markup("<b>1</b>"), "2")], look)
    assert drawn == (
        "<table class='t'><caption class='c'>C</caption>"
        "<thead><tr class='r'><th class='h'>H</th></tr></thead>"
        "<tbody><tr class='r'><td class='d'><b>1</b></td><td class='d'>2</td></tr></tbody></table>"
    )


def policy(text: str) -> str:
    found = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    assert found
    return found[1]


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_a_page_allows_its_own_style_and_script_and_nothing_else() -> None:
    text = page(EVIL, Markup("<p>{}</p>").format(EVIL), style="p { color: red }", script="alert(1 < 2)")
    style, script = (
        re.search(r"<style>(.*?)</style>", text, re.S),
        re.search(r"<script>(.*?)</script>", text, re.S),
    )
    assert style
    assert style[1].endswith("p { color: red }")
    assert script
    assert script[1] == "alert(1 < 2)"
    assert policy(text) == (
        f"default-src 'none'; style-src {digest(style[1])}; script-src {digest(script[1])}; "
        "base-uri 'none'; form-action 'none'"
    )
    assert Page(text).names.count("script") == 1
    assert text.startswith("<!doctype html>\n")
    assert text.index("charset") < text.index("Content-Security-Policy") < text.index("<title>")


def test_a_page_without_script_forbids_all_scripts() -> None:
    text = page("Title", Markup("<p>"))
    assert "script" not in Page(text).names
    assert "script-src" not in policy(text)
    assert policy(text).startswith("default-src 'none'; style-src 'sha256-")


def test_what_a_page_may_do_more_must_be_asked_for() -> None:
    assert "connect-src" not in policy(page("t", Markup("")))
    assert "connect-src 'self'" in policy(page("t", Markup(""), script="x", connects=True))
    assert "style-src 'unsafe-inline'; img-src data:;" in policy(page("t", Markup(""), inline_styles=True))


def test_a_body_that_is_text_is_shown_as_text() -> None:
    assert Page(page("t", EVIL)).names == Page(page("t", Markup(""))).names  # type: ignore[arg-type]


def test_data_cannot_end_its_element() -> None:
    text = page("t", Markup(""), script="x", data={"answer": "</script><script>alert(1)</script><!--"})
    assert Page(text).names.count("script") == 2
    assert "</script><script>alert" not in text


def test_nothing_is_loaded_from_anywhere() -> None:
    assert not re.search(r"https?:|//|@import|url\(", page("t", Markup(""), inline_styles=True))


def test_templates_escape_and_miss_no_value() -> None:
    with pytest.raises(jinja2.UndefinedError):
        render("templates/page.html", title="alone")
    values = dict.fromkeys(("title", "body", "style", "data", "script"), EVIL)
    drawn = Page(render("templates/page.html", policy="", **values))
    assert "img" not in drawn.names
    assert drawn.names.count("script") == 2


def test_jinja_is_loaded_with_the_first_page_only() -> None:
    code = "import sys, aicourse.html as h; h.table('a', (), [('b', 'c')]); print('jinja2' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_what_scrolls_can_be_reached_by_keys_and_has_a_name() -> None:
    assert str(wide(table("", (), [("a", "b")]), "Who & what")).startswith(
        "<div class='wide' tabindex='0' role='region' aria-label='Who &amp; what'><table>"
    )
