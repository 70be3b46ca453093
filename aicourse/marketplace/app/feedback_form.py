"""The form in which sellers say how good a proposal was: a thumb, a reason, words of their own."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from aicourse.marketplace.app.store import Listing, Store
from aicourse.marketplace.extraction.attributes import ListingAttributes
from aicourse.monitoring.feedback import record_thumb

REASONS = (*(f"wrong {field}" for field in ListingAttributes.model_fields), "left things out", "too slow")
LONGEST = 1_000  # characters


class ThumbForm(BaseModel):
    """The form as it is sent; without a thumb, nothing is said."""

    thumb: Literal["", "1", "-1"] = ""
    reason: str = ""
    text: str = ""


def give_thumb(store: Store, listing: Listing, form: ThumbForm) -> None:
    """Keep the thumb of a form, if one was given and there is a proposal that it is about."""
    trace_id = _trace_of(store, listing)
    if form.thumb and trace_id:
        given = {"listing_id": listing.listing_id, "seller_id": listing.seller_id}
        reason = form.reason if form.reason in REASONS else ""
        with store.changing() as connection:
            record_thumb(
                connection, trace_id, thumb=int(form.thumb), reason=reason, text=form.text[:LONGEST], **given
            )


def thumb_values(store: Store, listing: Listing) -> dict[str, Any]:
    """The values of the template `thumb`: can one be given, and the one that was."""
    trace_id = _trace_of(store, listing)
    query = "SELECT thumb FROM feedback WHERE trace_id = ? AND seller_id = ? AND kind = 'explicit'"
    with store.reading() as connection:
        row = connection.execute(query, (trace_id, listing.seller_id)).fetchone()
    return {"can_thumb": trace_id is not None, "given": row[0] if row else None, "reasons": REASONS}


def _trace_of(store: Store, listing: Listing) -> str | None:
    """The trace of the proposal that a thumb is about."""
    proposal = store.proposal(listing.listing_id)
    return proposal.trace_id if proposal and proposal.attributes else None
