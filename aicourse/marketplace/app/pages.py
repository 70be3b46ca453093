"""Pages of the app: templates filled in with escaped text, one frame, and the sentence for each error."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response, StreamingResponse

from aicourse import html
from aicourse.datasets import CATEGORIES
from aicourse.marketplace.app.store import new_id

STATIC = Path(__file__).parent / "static"
HTMX = "htmx-2.0.11.min.js"
_FOLDER = "marketplace/app/templates"
_NAMES = {
    "bags_accessories": "Bags & accessories",
    "home_decor": "Home décor",
    "toys_games": "Toys & games",
    "sports_outdoors": "Sports & outdoors",
    "books_media": "Books & media",
    "tools_garden": "Tools & garden",
}
SENTENCES = {
    400: "This request cannot be read. Go back, shorten what you wrote, and send it again.",
    403: "This page is not yours to see.",
    404: "There is nothing here. Drafts and conversations are shown to those alone whose they are.",
    405: "This address takes no such request.",
    401: "This page takes the token that the terminal or notebook of the marketplace shows.",
    409: "This listing is already published, as it was first sent. Nothing was changed.",
    429: "Too many questions are waiting. Try again in a minute, or search the articles.",
    413: "That is too much at once, and nothing was kept. Go back and send less: a question may have 300 "
    "characters, a message 1,000, a description 4,000, and a photo 20 MB.",
    422: "Something in this form or address is not as this page sends it. Go back and try again.",
}


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page from a template of this app."""
    whole = html.render(
        f"{_FOLDER}/{template}.html",
        htmx=HTMX,
        path=request.url.path,
        categories=CATEGORIES,
        named=named,
        price=price,
        ago=ago,
        **values,
    )
    return HTMLResponse(html.visible(whole), status)


def growing_page(
    request: Request, template: str, pieces: AsyncIterator[str], **values: Any
) -> StreamingResponse:
    """A page whose `body` is sent in pieces as they come, so that it grows without JavaScript."""
    place = new_id()
    whole = bytes(page(request, template, body=place, **values).body).decode()
    head, _, tail = whole.partition(place)

    async def content() -> AsyncIterator[str]:
        yield head
        async for piece in pieces:
            yield piece
        yield tail

    return StreamingResponse(content(), media_type="text/html")


def named(value: str) -> str:
    """A value of the vocabularies as people write it.

    >>> named("toys_games"), named("like_new")
    ('Toys & games', 'Like new')
    """
    return _NAMES.get(value) or value.replace("_", " ").capitalize()


def price(euros: float | None) -> str:
    """A price, without cents where there are none.

    >>> price(12.5), price(1200.0), price(None)
    ('€12.50', '€1,200', 'Price on request')
    """
    if euros is None:
        return "Price on request"
    return f"€{euros:,.0f}" if euros == int(euros) else f"€{euros:,.2f}"


def ago(at_ns: int) -> str:
    """The time that has passed, in the largest unit that fits."""
    minutes = max(0, time.time_ns() - at_ns) / 60e9
    for unit, length in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes >= length:
            count = int(minutes // length)
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


def seller_of(request: Request) -> str | None:
    """The seller whose signed cookie came with the request."""
    return request.session.get("seller")


def known_seller(request: Request) -> str:
    """The same, or a new seller's id, which the answer's cookie carries; nothing is stored yet."""
    return str(request.session.setdefault("seller", new_id()))


def error_page(request: Request, error: Exception) -> Response:
    """One sentence for what a request was refused for, or for a defect."""
    status = 500
    if isinstance(error, HTTPException):
        status = error.status_code
    elif isinstance(error, RequestValidationError):
        status = 422
    sentence = SENTENCES.get(status, "Something broke on our side. Your drafts are kept; try again.")
    return page(request, "error", status, sentence=sentence)
