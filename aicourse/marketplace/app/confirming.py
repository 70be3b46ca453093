"""The second step of selling: correct what the model proposed, publish, say how good it was.

    GET /sell/ID (progress, then the form) -> POST /sell/ID -> GET /listings/ID

Each step is a plain form and works without JavaScript; with it, the page notices by itself that the model is
done (htmx). Whatever the model did or did not do, the same form is there and can be published.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from pydantic import Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from aicourse.datasets import COLOURS, CONDITIONS, MATERIALS
from aicourse.html import visible
from aicourse.marketplace.app.feedback_form import ThumbForm, give_thumb, thumb_values
from aicourse.marketplace.app.pages import page, seller_of
from aicourse.marketplace.app.store import Listing, Store
from aicourse.marketplace.extraction.attributes import ListingAttributes

NAME = 60  # characters at most
SECONDS = 1  # between two looks at a proposal

WHY_EMPTY = {
    "down": "Our assistant cannot be reached right now",
    "slow": "Our assistant took too long",
    "over budget": "Our assistant has worked enough for today",
    "no use": "Our assistant did not understand this one",
}
EMPTY: dict[str, Any] = dict.fromkeys(ListingAttributes.model_fields) | {"colours": [], "materials": []}
PROBLEMS = {
    "category": "Choose a category.",
    "colours": "Choose at most five colours of the list.",
    "materials": "Choose at most five materials of the list.",
    "size": "At most 40 characters.",
    "condition": "Choose one of the list.",
    "brand": "At most 40 characters.",
}


class AttributesForm(ThumbForm):
    """The second form, as it is sent."""

    name: str = ""
    category: str = ""
    colours: list[str] = Field(default_factory=list)
    materials: list[str] = Field(default_factory=list)
    size: str = ""
    condition: str = ""
    brand: str = ""

    @property
    def attributes(self) -> dict[str, Any]:
        """The fields of a listing, with None for what is left empty."""
        names = ("category", "size", "condition", "brand")
        texts = {name: visible(getattr(self, name)).strip() or None for name in names}
        return texts | {"colours": self.colours, "materials": self.materials}


def confirming_routes(store: Store, limit_seconds: float) -> APIRouter:
    """The routes over `store`; a proposal takes `limit_seconds` at most."""
    router = APIRouter()

    @router.get("/sell/{listing_id}")
    def draft(request: Request, listing_id: str) -> Response:
        listing = _own(request, store, listing_id)
        if listing.is_published:
            return RedirectResponse(f"/listings/{listing_id}", status_code=303)
        proposal = store.proposal(listing_id)
        if proposal and proposal.is_working:
            return page(request, "working", listing=listing, seconds=SECONDS, limit=round(limit_seconds))
        return _form(request, store, listing)

    @router.get("/sell/{listing_id}/state")
    def state(request: Request, listing_id: str) -> Response:
        _own(request, store, listing_id)
        proposal = store.proposal(listing_id)
        working = proposal is not None and proposal.is_working
        return Response(status_code=204, headers={} if working else {"HX-Refresh": "true"})

    @router.post("/sell/{listing_id}")
    def publish(request: Request, listing_id: str, form: Annotated[AttributesForm, Form()]) -> Response:
        listing = _own(request, store, listing_id)
        attributes, problems = read_attributes(form.attributes)
        name = " ".join(visible(form.name).split())
        if not 0 < len(name) <= NAME:
            problems["name"] = f"Tell buyers your name, in at most {NAME} characters."
        if attributes is None or problems:
            values = form.attributes | {"name": name}
            return _form(request, store, listing, values, problems)
        if not store.publish(listing, name, attributes):
            raise HTTPException(409)
        give_thumb(store, listing, form)
        return RedirectResponse(f"/listings/{listing_id}", status_code=303)

    @router.post("/listings/{listing_id}/thumb")
    def thumb(request: Request, listing_id: str, form: Annotated[ThumbForm, Form()]) -> Response:
        listing = _own(request, store, listing_id)
        give_thumb(store, listing, form)
        if "hx-request" in request.headers:
            return page(request, "thumb", listing=listing, **thumb_values(store, listing))
        return RedirectResponse(f"/listings/{listing_id}#thumb", status_code=303)

    @router.get("/mine")
    def mine(request: Request) -> Response:
        seller = seller_of(request)
        return page(request, "mine", listings=store.listings_of(seller) if seller else [])

    return router


def read_attributes(values: dict[str, Any]) -> tuple[ListingAttributes | None, dict[str, str]]:
    """The second form's attributes, and a sentence for each field that cannot be used."""
    try:
        return ListingAttributes(**values), {}
    except ValidationError as error:
        return None, {str(one["loc"][0]): PROBLEMS[str(one["loc"][0])] for one in error.errors()}


def _form(
    request: Request,
    store: Store,
    listing: Listing,
    values: dict[str, Any] | None = None,
    problems: dict[str, str] | None = None,
) -> Response:
    """The form with every attribute: as proposed, as sent before, or empty."""
    proposal = store.proposal(listing.listing_id)
    start = EMPTY | dict(proposal.attributes) if proposal else EMPTY
    problem = None if proposal and proposal.attributes else (proposal and proposal.problem) or "down"
    return page(
        request,
        "draft",
        422 if problems else 200,
        listing=listing,
        why_empty=WHY_EMPTY[problem] if problem else "",
        unsure=proposal.unsure if proposal else {},
        values={"name": listing.seller_name} | start | (values or {}),
        problems=problems or {},
        choices={"colours": COLOURS, "materials": MATERIALS, "condition": CONDITIONS},
        **thumb_values(store, listing),
    )


def _own(request: Request, store: Store, listing_id: str) -> Listing:
    """A listing of the seller who asks."""
    seller = seller_of(request)
    listing = store.listing(listing_id, seller)
    if listing is None or listing.seller_id != seller:
        raise HTTPException(404)
    return listing
