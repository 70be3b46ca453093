"""The six attributes of a listing as pydantic models, and what a model is told of them.

`ListingAttributes` allows only what the labelling guide allows (datasets/listings/ANNOTATION.md); its JSON
schema is what constrained decoding enforces. `LooseAttributes` takes whatever a model writes when it was only
asked for JSON in words; that is the baseline. "Not stated" is null, or an empty list. Subclass to extend.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from aicourse.datasets import Category, Colour, Condition, Material

MAX_VALUES = 5  # no listing names more colours or materials
MAX_TEXT = 40  # characters; an unbounded text lets a small model write until its token limit
_NOTHING = {
    "",
    "-",
    "n/a",
    "na",
    "nil",
    "none",
    "null",
    "not given",
    "not specified",
    "not stated",
    "unknown",
}
T = TypeVar("T")
_SEPARATORS = re.compile(r"\s*(?:[,;/&+]|\band\b)\s*")


def _once(values: list[T]) -> list[T]:
    """Each value once: small models repeat themselves."""
    return list(dict.fromkeys(values))


def _stated(value: Any) -> Any:
    """None for the many words that mean "not stated"."""
    return None if isinstance(value, str) and value.strip().lower() in _NOTHING else value


def _words(value: Any) -> Any:
    """A list of lower-case words from a list, a text with commas, or nothing."""
    value = _stated(value)
    if value is None:
        return []
    values = _SEPARATORS.split(value) if isinstance(value, str) else value
    if not isinstance(values, list):
        return values  # refused by the type
    stated = [_stated(item) for item in values]
    return [item.strip().lower() if isinstance(item, str) else item for item in stated if item is not None]


def _label(value: Any) -> Any:
    """ "Like new" as like_new."""
    value = _stated(value)
    return re.sub(r"[\s-]+", "_", value.strip().lower()) if isinstance(value, str) else value


def _as_text(value: Any) -> Any:
    """A number as text: sizes come as 42."""
    value = _stated(value)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str, Field(max_length=MAX_TEXT)]
LooseLabel = Annotated[str | None, BeforeValidator(_label)]
LooseText = Annotated[str | None, BeforeValidator(_as_text)]
LooseWords = Annotated[list[str], BeforeValidator(_words), AfterValidator(_once)]


class ListingAttributes(BaseModel):
    """The attributes a buyer may rely on, in the vocabularies of the labelling guide.

    >>> ListingAttributes(category="shoes", colours=["red"], materials=[], size=None, condition=None,
    ...     brand=None).colours
    ['red']
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: Category
    colours: Annotated[list[Colour], Field(max_length=MAX_VALUES), AfterValidator(_once)]
    materials: Annotated[list[Material], Field(max_length=MAX_VALUES), AfterValidator(_once)]
    size: Text | None
    condition: Condition | None
    brand: Text | None


class LooseAttributes(BaseModel):
    """The same fields without constraints: any words, any "not stated", further fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    category: LooseLabel = None
    colours: LooseWords = Field(default_factory=list)
    materials: LooseWords = Field(default_factory=list)
    size: LooseText = None
    condition: LooseLabel = None
    brand: LooseText = None


Attributes = ListingAttributes | LooseAttributes
Schema = type[ListingAttributes] | type[LooseAttributes]


def response_format(schema: Schema, only: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any] | None:
    """The `response_format` that makes a provider enforce `schema`; None for a loose one.

    `only` narrows lists to some of their values, for one listing: with none, the list must stay empty.
    Titles and descriptions are left out: a grammar has no use for them, and they would be paid for as tokens.
    """
    if issubclass(schema, LooseAttributes):
        return None
    plain = json.loads(_grammar_of(schema))
    for name, values in (only or {}).items():
        field = plain["properties"][name]
        field["maxItems"] = min(len(values), field["maxItems"])
        if values:  # an empty enum is no schema
            field["items"]["enum"] = list(values)
    return {
        "type": "json_schema",
        "json_schema": {"name": "listing_attributes", "schema": plain, "strict": True},
    }


@cache
def _grammar_of(schema: Schema) -> str:
    """The JSON schema of a form, as a text: pydantic needs longer to make it than a replay takes."""
    return json.dumps(_without_notes(schema.model_json_schema()))


def _without_notes(schema: Any, *, names: bool = False) -> Any:
    """A JSON schema without titles and descriptions; in `properties`, keys are names of fields."""
    if isinstance(schema, list):
        return [_without_notes(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_notes(value, names=key == "properties" and not names)
        for key, value in schema.items()
        if names or key not in ("title", "description")
    }
