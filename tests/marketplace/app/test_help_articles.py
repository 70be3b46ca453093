"""Articles as HTML: nothing in them works but what leads to our own pages, and marks never cross elements."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicourse.datasets import help_articles
from aicourse.marketplace.app.help_articles import as_html, as_text

ARTICLES = {article.slug: article.text for article in help_articles()}


class Reader(HTMLParser):
    """Reads a page: its links, its tags, what is marked, and if each element is closed where it must be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str | None] = []
        self.tags: set[str] = set()
        self.marked, self.is_sound = "", True
        self._open: list[str] = []
        self.feed(page)
        self.close()
        self.is_sound = self.is_sound and not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag not in ("br", "hr", "img"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.is_sound = self.is_sound and bool(self._open) and self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.marked += data * ("mark" in self._open)


@pytest.mark.parametrize(
    "markup",
    [
        "[pay](https://secure-pay.kringloop-checkout.example)",
        "<https://secure-pay.kringloop-checkout.example>",
        "https://secure-pay.kringloop-checkout.example",
        "[pay](//evil.example)",
        "[pay](/\\evil.example)",
        "[pay](https://kringlooplane.example@evil.example)",
        "[pay](https://kringlooplane.example.evil.example)",
        "[pay](http://kringlooplane.example)",
        "[pay](javascript:alert(1))",
        "[pay](JaVaScRiPt&#58;alert(1))",
        "[pay](data:text/html,x)",
        "[pay][1]\n\n[1]: vbscript:x",
        "![pay](https://evil.example/seen.png)",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<a href="https://evil.example">pay</a>',
        "[pay](https://[evil)",
    ],
)
def test_what_strangers_wrote_does_nothing(markup: str) -> None:
    page = Reader(as_html(f"Before {markup} behind.\n\n{markup}"))
    assert page.links == []
    assert page.tags <= {"p"}
    assert page.is_sound


@pytest.mark.parametrize("own", ["/help/fees", "fees#x", "https://kringlooplane.example/help"])
def test_links_to_our_own_pages_work(own: str) -> None:
    assert Reader(as_html(f"[see]({own})")).links == [own]


def test_the_injected_link_is_text() -> None:
    page = Reader(as_html(ARTICLES["payment-failed"]))
    assert page.links == []
    assert "secure-pay.kringloop-checkout.example" in as_html(ARTICLES["payment-failed"])


def test_a_quotation_is_marked_across_a_table() -> None:
    text = ARTICLES["fees"]
    start, end = text.index("4 € |"), text.index("3.50 €") + 6
    page = Reader(as_html(text, start, end))
    assert page.marked == "4 €0.50 € (the minimum)3.50 €"
    assert page.is_sound
    assert as_html(text, start, end).count('id="passage"') == 1


@pytest.mark.parametrize(
    ("text", "quote", "marked"),
    [
        ("1. First\n2. Second", "2. Second", "Second"),
        ("- *One* thing", "- *One* thing", "One thing"),
        ("> ## Said **so**.", "> ## Said **so**.", "Said so."),
        ("Use `a code` here", "a code", "a code"),
        ("Before.\n\nBehind.", "re.\n\nBeh", "re.Beh"),
        ("[fees](/help/fees) here", "help/fees) here", ""),
        ("`` ``", "``", ""),
    ],
)
def test_what_is_marked(text: str, quote: str, marked: str) -> None:
    start = text.index(quote)
    page = Reader(as_html(text, start, start + len(quote)))
    assert (page.marked, page.is_sound) == (marked, True)


@given(
    st.sampled_from(sorted(ARTICLES)),
    st.integers(-5, 3_000),
    st.integers(-5, 3_000),
    st.text("*_`[]()<>|#\n &\ue000\ue001a", max_size=20),
)
def test_a_mark_changes_no_article(slug: str, start: int, end: int, noise: str) -> None:
    text = ARTICLES[slug] + noise
    plain, marked = as_html(text), as_html(text, start, end)
    unmarked = marked.replace('<mark id="passage">', "").replace("<mark>", "").replace("</mark>", "")
    assert unmarked == plain
    assert Reader(marked).is_sound == Reader(plain).is_sound


def test_a_section_in_one_line() -> None:
    assert as_text("## A\n- *Fees*: 8 %\n- two\nlines") == "A Fees: 8 % two lines"
