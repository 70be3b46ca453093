"""Recipes: how the reply to each prompt version is constrained and checked, beside the version's text.

    extract_listing   v1 JSON in words   v2, v3 the schema is enforced   v4 only what the listing names

A version that is not listed (a student's own) is used as its nearest listed ancestor, by `parent`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from aicourse.errors import PromptError
from aicourse.marketplace.extraction.attributes import ListingAttributes, LooseAttributes, Schema
from aicourse.prompts import Prompt, load

Grounding = Literal["off", "warn", "drop", "retry", "offer"]


@dataclass(frozen=True)
class Recipe:
    """`schema` constrains the reply; `grounding` is what happens to values that occur nowhere in the listing.

    `warn` reports them, `drop` also takes them out, `retry` asks the model again first and drops the rest,
    `offer` puts only those colours and materials into the schema that the listing has words for, so that the
    model cannot write another, and drops an invented size or brand.
    """

    schema: Schema = ListingAttributes
    grounding: Grounding = "warn"

    @property
    def facts(self) -> dict[str, str]:
        """The facts that a run notes."""
        return {"schema": self.schema.__name__, "grounding": self.grounding}


RECIPES: Mapping[str, Mapping[int, Recipe]] = {
    "extract_listing": {
        1: Recipe(LooseAttributes, "off"),
        2: Recipe(ListingAttributes, "off"),
        3: Recipe(ListingAttributes, "off"),
        4: Recipe(ListingAttributes, "offer"),
        5: Recipe(ListingAttributes, "offer"),
        6: Recipe(ListingAttributes, "offer"),
        7: Recipe(ListingAttributes, "offer"),
    }
}


def recipe_of(prompt: Prompt) -> Recipe:
    """The recipe of a prompt version, or of its nearest ancestor that has one; else schema and warnings."""
    known = RECIPES.get(prompt.name, {})
    version, parent = prompt.version, prompt.parent
    while version not in known:
        if parent is None:
            return Recipe()
        try:
            ancestor = load(f"{prompt.name}@v{parent}")
        except PromptError:  # a student may have deleted it
            return Recipe()
        version, parent = ancestor.version, ancestor.parent
    return known[version]
