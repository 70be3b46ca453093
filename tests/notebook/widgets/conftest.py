"""A reader of HTML that is harder to please than a browser, and a text that would like to be a program."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)> & \"quotes\" 'single' </details>\0\u202e"
VOID = {"img", "br"}


class Page(HTMLParser):
    """Checks that tags close in order, that nothing is loaded, and keeps text and tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(str(text))  # not `Markup`, whose parts escape each other
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in ("href", "src") or str(value).startswith("data:image/")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def read_page() -> type[Page]:
    """Call it with HTML."""
    return Page


@pytest.fixture
def evil() -> str:
    """What a stranger might write into a listing."""
    return EVIL
