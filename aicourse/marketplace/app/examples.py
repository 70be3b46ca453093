"""Listings to begin with: those of the course's dev split that have a photo, with their gold attributes."""

from __future__ import annotations

from aicourse.datasets import ATTRIBUTES, load_listings, load_photos
from aicourse.marketplace.app.store import Draft, Store
from aicourse.marketplace.app.uploads import made_anew
from aicourse.marketplace.extraction.attributes import ListingAttributes

NAMES = ("Amina", "Bram", "Chiara", "Dilan", "Edda", "Farid", "Greta", "Hugo")


def add_examples(store: Store) -> None:
    """Publish the examples where nothing is for sale yet; interrupted, it goes on the next time.

    Raises:
        DatasetError: the course's datasets are missing or broken.
    """
    if store.published():
        return
    photos = load_photos("dev")["path"]
    found = load_listings("dev").loc[photos.index]
    for number, (key, row) in enumerate(found.iterrows()):
        seller = f"example-{number % len(NAMES)}"
        price = None if row["price_eur"] != row["price_eur"] else float(row["price_eur"])  # NaN: forgotten
        draft = Draft(seller, f"example-{key}", row["title"], row["description"], price)
        listing_id, _ = store.add_draft(draft, made_anew(photos[str(key)].read_bytes()))
        listing = store.listing(listing_id, seller)
        if listing:
            store.publish(listing, NAMES[number % len(NAMES)], ListingAttributes(**row[list(ATTRIBUTES)]))
