"""Pages for buyers: browse and search, a listing, its photo."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from aicourse.html import visible
from aicourse.marketplace.app.feedback_form import thumb_values
from aicourse.marketplace.app.pages import page, seller_of
from aicourse.marketplace.app.store import PAGE, Store


def shop_routes(store: Store) -> APIRouter:
    """The routes over `store`."""
    router = APIRouter()

    @router.get("/")
    def browse(request: Request, q: str = "", category: str = "", before: str = "") -> Response:
        found = store.published(visible(q), category, before)
        shown = found[:PAGE]
        values: dict[str, Any] = {"listings": shown, "q": q, "category": category, "before": before}
        following = shown[-1].listing_id if len(found) > PAGE else None
        return page(request, "browse", following=following, **values)

    @router.get("/listings/{listing_id}")
    def listing(request: Request, listing_id: str) -> Response:
        seller = seller_of(request)
        found = store.listing(listing_id, seller)
        if found is None or not found.is_published:
            raise HTTPException(404)
        own = found.seller_id == seller
        return page(request, "listing", listing=found, own=own, **thumb_values(store, found))

    @router.get("/photos/{listing_id}/{size}.jpg")
    def photo(request: Request, listing_id: str, size: Literal["small", "large"]) -> Response:
        content = store.photo(listing_id, seller_of(request), size)
        if content is None:
            raise HTTPException(404)
        return Response(content, media_type="image/jpeg", headers={"cache-control": "private, max-age=86400"})

    return router
