"""The product that the course carries from lesson to lesson: a second-hand marketplace.

A seller uploads a photo and a description instead of filling in a form (`sellers` simulates the form); the
model proposes attributes (`extraction`); the seller corrects what is wrong. `evaluation` runs a prompt over
the course's labelled listings and scores each field; `sizes` knows when two sizes are the same; `traffic`
simulates a fortnight of production, `production` loads the course's own.

    from aicourse.marketplace import extract, run_listings

Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.marketplace.evaluation import FIELD_SCORES as FIELD_SCORES
    from aicourse.marketplace.evaluation import LISTING_SCORERS as LISTING_SCORERS
    from aicourse.marketplace.evaluation import listing_cases as listing_cases
    from aicourse.marketplace.evaluation import output_of as output_of
    from aicourse.marketplace.evaluation import partial_size as partial_size
    from aicourse.marketplace.evaluation import run_listings as run_listings
    from aicourse.marketplace.evaluation import shared_recordings as shared_recordings
    from aicourse.marketplace.extraction.attributes import ListingAttributes as ListingAttributes
    from aicourse.marketplace.extraction.attributes import LooseAttributes as LooseAttributes
    from aicourse.marketplace.extraction.attributes import response_format as response_format
    from aicourse.marketplace.extraction.extracting import Extraction as Extraction
    from aicourse.marketplace.extraction.extracting import extract as extract
    from aicourse.marketplace.extraction.grounding import ungrounded as ungrounded
    from aicourse.marketplace.extraction.photo_conflicts import conflicts as conflicts
    from aicourse.marketplace.extraction.photo_conflicts import photo_colours as photo_colours
    from aicourse.marketplace.extraction.recipes import Recipe as Recipe
    from aicourse.marketplace.extraction.recipes import recipe_of as recipe_of
    from aicourse.marketplace.extraction.words import COLOUR_WORDS as COLOUR_WORDS
    from aicourse.marketplace.production import load_production as load_production
    from aicourse.marketplace.sellers import FORM_SECONDS as FORM_SECONDS
    from aicourse.marketplace.sellers import simulate_form as simulate_form

_NAMES = {
    "evaluation": (
        "FIELD_SCORES", "LISTING_SCORERS", "listing_cases", "output_of", "partial_size", "run_listings",
        "shared_recordings",
    ),
    "extraction.attributes": ("ListingAttributes", "LooseAttributes", "response_format"),
    "extraction.photo_conflicts": ("conflicts", "photo_colours"),
    "extraction.extracting": ("Extraction", "extract"),
    "extraction.grounding": ("ungrounded",),
    "extraction.recipes": ("Recipe", "recipe_of"),
    "extraction.words": ("COLOUR_WORDS",),
    "production": ("load_production",),
    "sellers": ("FORM_SECONDS", "simulate_form"),
}  # fmt: skip
_HOME = {name: f"aicourse.marketplace.{module}" for module, names in _NAMES.items() for name in names}

__all__ = sorted(_HOME)
__getattr__, __dir__ = lazily(__name__, _HOME)
