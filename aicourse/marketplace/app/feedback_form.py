"""The form in which sellers say how good a proposal was: a thumb, a reason, words of their own."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from aicourse.marketplace.app.store import Listing, Store
from aicourse.marketplace.extraction.attributes import ListingAttributes

REASONS = (*(f"wrong {field}" for field in ListingAttributes.model_fields), "left things out", "too slow")
LONGEST = 1_000  # characters


class ThumbForm(BaseModel):
    """The form as it is sent; without a thumb, nothing is said."""

    thumb: Literal["", "1", "-1"] = ""
    reason: str = ""
    text: str = ""


def give_thumb(store: Store, listing: Listing, form: ThumbForm) -> None:
    """Keep the thumb of a form, if one was given and there is a proposal that it is about."""
    proposal = store.proposal(listing.listing_id)
    if form.thumb and proposal and proposal.attributes and proposal.trace_id:
        reason = form.reason if form.reason in REASONS else ""
        store.give_thumb(listing, proposal.trace_id, int(form.thumb), reason, form.text[:LONGEST])


def thumb_values(store: Store, listing: Listing) -> dict[str, Any]:
    """The values of the template `thumb`: can one be given, and the one that was."""
    proposal = store.proposal(listing.listing_id)
    trace_id = proposal.trace_id if proposal and proposal.attributes else None
    given = store.thumb(trace_id) if trace_id else None
    return {"can_thumb": trace_id is not None, "given": given, "reasons": REASONS}
