"""A listing's text (and photo) becomes validated attributes.

    from aicourse.marketplace.extraction import ListingAttributes, extract

Read in this order: `attributes` (what is asked for), `replies` (a reply becomes attributes or a problem),
`words` and `grounding` (is it in the listing at all), `conflicts` (does the photo agree), `recipes` (what
each prompt version uses of this), `extract` (all of it together).
"""

from __future__ import annotations

from aicourse.marketplace.extraction.attributes import (
    Attributes,
    ListingAttributes,
    LooseAttributes,
    Schema,
    response_format,
)
from aicourse.marketplace.extraction.conflicts import conflicts, photo_colours
from aicourse.marketplace.extraction.extract import Extraction, extract
from aicourse.marketplace.extraction.grounding import Finding, drop, ungrounded
from aicourse.marketplace.extraction.recipes import Grounding, Recipe, recipe_of

__all__ = [
    "Attributes",
    "Extraction",
    "Finding",
    "Grounding",
    "ListingAttributes",
    "LooseAttributes",
    "Recipe",
    "Schema",
    "conflicts",
    "drop",
    "extract",
    "photo_colours",
    "recipe_of",
    "response_format",
    "ungrounded",
]
