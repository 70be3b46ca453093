"""Articles of the help centre as HTML, with the words that an answer quotes marked in them.

Articles carry what strangers wrote (readers' comments), so they can do nothing but be read: HTML in them is
text, there are no pictures, and a link leads to the marketplace's own pages or stays the text that it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

HOST = "kringlooplane.example"  # the marketplace's own, in the course's datasets
_BEGIN, _END = "\ue000", "\ue001"  # for private use: they mean nothing to Markdown
_SENTINELS = re.compile(f"({_BEGIN}|{_END})")
_AS_URL = re.compile(f"{_BEGIN}|{_END}|%EE%80%8[01]")
_LINE_START = re.compile(r"[ \t>#*+|-]*(?:\d{1,9}[.)][ \t]+)?")
_MARKUP = " \t\n*_`|~[](#>"


class _Articles(MarkdownIt):
    """CommonMark with tables, without HTML and pictures."""

    def validateLink(self, url: str) -> bool:  # noqa: N802
        """Without a scheme and a host, or to this marketplace over HTTPS."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        own = parts.scheme == "https" and parts.netloc in (HOST, f"www.{HOST}")
        return own or (not parts.scheme and not parts.netloc and "\\" not in url and "%5C" not in url.upper())


_MARKDOWN = _Articles("commonmark", {"html": False}).enable("table").disable("image")


def as_html(text: str, start: int = 0, end: int = 0) -> Markup:
    """An article's Markdown as HTML; characters `start` to `end` of it are in `mark`, the first `#passage`.

    >>> str(as_html("We *keep* 8 %.", 3, 12))
    '<p>We <em><mark id="passage">keep</mark></em><mark> 8</mark> %.</p>\\n'
    """
    tokens = _MARKDOWN.parse(_with_sentinels(text, start, end))
    _mark(tokens)
    return Markup(_AS_URL.sub("", _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})))


def as_text(markdown: str) -> str:
    """The words of a piece of Markdown in one line.

    >>> as_text("- *Fees*: 8 %\\n- | a |")
    'Fees: 8 % | a |'
    """
    lines = (token.children or [] for token in _MARKDOWN.parse(markdown))
    texts = ("".join(" " if "break" in child.type else child.content for child in line) for line in lines)
    return " ".join(" ".join(texts).split())


def _with_sentinels(text: str, start: int, end: int) -> str:
    """The text with a character before and one behind the passage, where neither can disturb the Markdown."""
    text = _SENTINELS.sub("\N{REPLACEMENT CHARACTER}", text)
    if not 0 <= start < end <= len(text):
        return text
    line = _LINE_START.match(text, text.rfind("\n", 0, start) + 1)
    word = re.compile(r"\w").search(text, max(start, line.end() if line else 0), end)
    if not word:
        return text
    end = word.start() + len(text[word.start() : end].rstrip(_MARKUP))
    return f"{text[: word.start()]}{_BEGIN}{text[word.start() : end]}{_END}{text[end:]}"


def _mark(tokens: list[Token]) -> None:
    """Put each stretch of the passage into a mark of its own, so that no mark crosses another element."""
    inside, first = False, True
    for token in tokens:
        children: list[Token] = []
        for child in token.children or []:
            if child.type not in ("text", "code_inline"):
                children.append(child)
                continue
            for piece in _SENTINELS.split(child.content):
                if piece in (_BEGIN, _END):
                    inside = piece == _BEGIN
                elif piece:
                    children += _marked(child, piece, first=first) if inside else [_with(child, piece)]
                    first = first and not inside
        if token.children is not None:
            token.children = children


def _marked(child: Token, piece: str, *, first: bool) -> Iterator[Token]:
    yield Token("mark_open", "mark", 1, attrs={"id": "passage"} if first else {})
    yield _with(child, piece)
    yield Token("mark_close", "mark", -1)


def _with(child: Token, piece: str) -> Token:
    other = copy(child)
    other.content = piece
    return other
