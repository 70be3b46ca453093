"""Schemas get bounds and lose nothing; what else a request may ask is in `test_server_app`."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from aicourse.tooling.localmodel.server.requests import chat_request
from aicourse.tooling.localmodel.server.schemas import MAX_ITEMS, MAX_STRING, bounded

# names that are keywords elsewhere in a schema
NAMES = st.sampled_from(
    ["a", "type", "enum", "const", "default", "examples", "items", "properties", "not", "$defs"]
)
STRINGS = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", ["string", "null"]])},
    optional={
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(3, 900),
        "format": st.sampled_from(["date", "email", "uuid"]),
        "enum": st.just(["x", "a much longer value"]),
        "default": st.just({"type": "string"}),
        "title": st.text(max_size=3),
    },
)
OTHERS = st.sampled_from([{}, True, {"type": "integer"}, {"const": {"type": "string"}}, {"type": "object"}])


def composed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.fixed_dictionaries(
        {"type": st.just("array"), "items": inner},
        optional={"maxItems": st.integers(1, 40), "minItems": st.just(1)},
    )
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(NAMES, inner, max_size=3)},
        optional={"additionalProperties": inner, "$defs": st.dictionaries(NAMES, inner, max_size=2)},
    )
    unions = st.builds(lambda options: {"anyOf": options}, st.lists(inner, min_size=1, max_size=3))
    tuples = st.builds(lambda fixed: {"type": "array", "prefixItems": fixed}, st.lists(inner, max_size=3))
    negations = st.builds(lambda schema: {"not": schema}, inner)
    return st.one_of(lists, objects, unions, tuples, negations)


SCHEMAS = st.recursive(STRINGS | OTHERS, composed, max_leaves=8)
VALUES = st.recursive(
    st.none() | st.integers(0, 3) | st.sampled_from(["", "x", "long" * 200, "2026-11-23"]),
    lambda inner: st.lists(inner, max_size=2) | st.lists(st.just("x"), min_size=30, max_size=30)
    | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def places(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema in `schema` that a grammar would follow, found independently of the code under test."""
    if not isinstance(schema, dict):
        return
    yield schema
    for name in ("properties", "$defs"):
        for inner in schema.get(name, {}).values():
            yield from places(inner)
    for name in ("anyOf", "prefixItems"):
        for inner in schema.get(name, []):
            yield from places(inner)
    for name in ("items", "additionalProperties"):
        yield from places(schema.get(name))


@given(SCHEMAS)
def test_every_string_and_array_gets_an_end(schema: Any) -> None:
    for place in places(bounded(schema)):
        kinds = place.get("type", [])
        if "string" in kinds and "enum" not in place and place.get("format") not in ("date", "uuid"):
            assert place["maxLength"] >= place.get("minLength", 0)
        if "array" in kinds:
            assert place["maxItems"] >= max(place.get("minItems", 0), len(place.get("prefixItems", [])))


@given(SCHEMAS)
def test_only_bounds_are_added_and_none_is_changed(schema: Any) -> None:
    before = copy.deepcopy(schema)
    after = bounded(schema)
    assert schema == before
    for old, new in zip(places(schema), places(after), strict=True):
        added = new.keys() - old.keys()
        assert added <= {"maxLength", "maxItems"}
        for keyword in old.keys() - {
            "properties",
            "$defs",
            "anyOf",
            "prefixItems",
            "items",
            "additionalProperties",
        }:
            assert new[keyword] == old[keyword]
    assert bounded(after) == after


@given(SCHEMAS, VALUES)
def test_what_fits_the_bounded_schema_fits_the_callers(schema: Any, value: Any) -> None:
    if jsonschema.Draft202012Validator(bounded(schema)).is_valid(value):
        jsonschema.Draft202012Validator(schema).validate(value)


def test_properties_may_be_named_like_keywords() -> None:
    text = {"type": "string"}
    schema = {
        "type": "object",
        "properties": dict.fromkeys(("type", "enum", "const", "default", "not"), text),
    }
    for name, inner in bounded(schema)["properties"].items():
        assert inner == {"type": "string", "maxLength": MAX_STRING}, name


@pytest.mark.parametrize("keyword", ["enum", "const", "default", "examples", "not", "if", "contains"])
def test_values_and_conditions_stay_as_they_are(keyword: str) -> None:
    schema = {keyword: [{"type": "string"}] if keyword in ("enum", "examples") else {"type": "string"}}
    assert bounded(schema) == schema


@pytest.mark.parametrize(
    ("schema", "added"),
    [
        ({"type": "string", "minLength": 500}, {"maxLength": 500}),
        ({"type": "string", "format": "email"}, {"maxLength": MAX_STRING}),
        ({"type": "string", "format": "date-time"}, {}),
        ({"type": "string", "format": ["date"]}, {"maxLength": MAX_STRING}),
        ({"type": "string", "pattern": "^[A-Z]{3}$"}, {}),
        ({"type": "array", "minItems": 60}, {"maxItems": 60}),
        ({"items": {"const": 1}}, {"maxItems": MAX_ITEMS}),
        ({"type": "array", "prefixItems": [{"const": 1}] * 30}, {"maxItems": 30}),
        ({"type": "array", "const": [1]}, {}),
        ({"type": 5}, {}),
        ({"type": None, "minLength": "x"}, {}),
    ],
)
def test_bounds_by_example(schema: dict[str, Any], added: dict[str, int]) -> None:
    assert bounded(schema) == schema | added


class Part(BaseModel):
    name: str
    parts: list[Part]
    code: dict[str, str]


def test_a_recursive_pydantic_schema() -> None:
    asked = {
        "type": "json_schema",
        "json_schema": {"name": "part", "schema": Part.model_json_schema(), "strict": True},
    }
    request = {"messages": [{"role": "user", "content": "x"}], "response_format": asked}
    schema = chat_request(request)["response_format"]["json_schema"]["schema"]
    part = schema["$defs"]["Part"]["properties"]
    assert part["name"]["maxLength"] == MAX_STRING
    assert part["parts"]["maxItems"] == MAX_ITEMS
    assert part["code"]["additionalProperties"]["maxLength"] == MAX_STRING


def test_json_object_becomes_a_grammar() -> None:
    request = {"messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_object"}}
    assert chat_request(request)["response_format"]["json_schema"] == {"schema": {"type": "object"}}
