"""The first step of selling: a photo, a title, a description, a price.

    POST /sell -> a draft, the model begins to work -> GET /sell/ID (`confirming`)

The form carries a key of its own, so that one that is sent twice is one draft.
"""

from __future__ import annotations

import math
import re
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from starlette.responses import RedirectResponse

from aicourse.errors import PhotoError
from aicourse.html import visible
from aicourse.llm.photos.files import MAX_BYTES
from aicourse.marketplace.app.pages import known_seller, page
from aicourse.marketplace.app.proposing import Proposer
from aicourse.marketplace.app.store import Draft, Store, new_id
from aicourse.marketplace.app.uploads import made_anew

LARGEST_BODY = MAX_BYTES + 100_000  # a photo and the words around it
TITLE, DESCRIPTION = 120, 4_000  # characters at most
CLIENT = "web 1"  # the version of this page, which its form carries: an old one may stay open for days
NOTHING = {"client": CLIENT} | dict.fromkeys(("title", "description", "price"), "")
_EUROS = re.compile(r"[0-9]{1,9}([.,][0-9]{1,2})?")
_CLIENT = re.compile(r"(web|ios|android) [0-9]{1,3}(\.[0-9]{1,3}){0,2}")  # monitoring groups by it

Text = Annotated[str, Form()]


def describing_routes(store: Store, proposer: Proposer) -> APIRouter:
    """The routes over `store`; `proposer` fills in the form of the next step."""
    router = APIRouter()

    @router.get("/sell")
    def new(request: Request) -> Response:
        known_seller(request)
        return page(request, "sell", values=NOTHING | {"key": new_id()}, problems={})

    @router.post("/sell", max_body_size=LARGEST_BODY)
    def describe(
        request: Request,
        key: Text,
        client: Text = "",
        title: Text = "",
        description: Text = "",
        price: Text = "",
        photo: Annotated[UploadFile | None, File()] = None,
    ) -> Response:
        values = {"key": key, "client": client, "title": title, "description": description, "price": price}
        values = {name: visible(value) for name, value in values.items()}
        upload = photo.file.read(MAX_BYTES + 1) if photo and photo.filename else b""
        draft, problems = read_draft(known_seller(request), values, upload)
        try:
            made = made_anew(upload) if upload else None
        except PhotoError as error:
            problems["photo"] = error.message
        if problems:
            return page(request, "sell", 422, values=values, problems=problems)
        listing_id, is_new = store.add_draft(draft, made)
        if is_new:
            proposer.begin(listing_id, draft)
        return RedirectResponse(f"/sell/{listing_id}", status_code=303)

    return router


def read_draft(seller: str, values: dict[str, str], photo: bytes) -> tuple[Draft, dict[str, str]]:
    """The first form's content, and a sentence for each field that cannot be used."""
    title, description = " ".join(values["title"].split()), values["description"].strip()
    problems = {}
    if not 0 < len(title) <= TITLE:
        problems["title"] = f"Give it a title of at most {TITLE} characters."
    if not 0 < len(description) <= DESCRIPTION:
        problems["description"] = f"Describe it in at most {DESCRIPTION:,} characters."
    price = _euros(values["price"])
    if price is not None and not 0 <= price < 1e7:  # also what is no number
        problems["price"] = "Write the price as a number, such as 12.50, or leave it empty."
    client = values["client"] if _CLIENT.fullmatch(values["client"]) else "other"
    return Draft(seller, values["key"][:64], title, description, price, client, photo), problems


def _euros(text: str) -> float | None:
    """A number with at most two places after a point or comma; None for nothing, else not-a-number.

    >>> _euros("€ 12,50"), _euros("1,200"), _euros("")
    (12.5, nan, None)
    """
    text = text.strip().strip("€ ")
    if not text:
        return None
    return float(text.replace(",", ".")) if _EUROS.fullmatch(text) else math.nan
