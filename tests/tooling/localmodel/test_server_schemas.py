"""Schemas as grammars: whatever a grammar allows is valid, and what cannot be enforced is refused by name.

`gbnf` reads the grammars. Whether values are valid is for `jsonschema` to say, and for `re`.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import random
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from gbnf import Grammar
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from aicourse.tooling.localmodel.server import schemas
from aicourse.tooling.localmodel.server.fence import Bare
from aicourse.tooling.localmodel.server.http_errors import HttpError
from aicourse.tooling.localmodel.server.requests import chat_request
from aicourse.tooling.localmodel.server.schemas import MAX_ITEMS, MAX_RECURSION, MAX_STRING, MOST, Schemas

WHERE = "response_format.json_schema.schema"


def grammar(schema: Any) -> Grammar:
    made = Schemas()
    return Grammar.read(made.text(made.rule(schema, WHERE)))


def allows(schema: Any, value: Any) -> bool:
    return grammar(schema).allows(value)


def written(schema: Any, count: int = 40) -> Iterator[Any]:
    """Values that the grammar of a schema allows; all of them fit the schema."""
    read = grammar(schema)
    for seed in range(count):
        value = json.loads(read.sample(random.Random(seed)))
        jsonschema.Draft202012Validator(schema).validate(value)
        yield value


# --------------------------------------------------------------------------------------------- what is valid

NAMES = st.sampled_from(["a", "type", "enum", 'with "quotes"', "größe", "$ref", ""])
STRINGS = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", ["string", "null"]])},
    optional={
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(3, 30),
        "pattern": st.sampled_from([r"^\d{3}$", r"\w", r"^[^\d]*$", r"^(\S+ )*\S$", r'["\\]', r"^a|b$"]),
        "default": st.just({"type": "string"}),
    },
)
NUMBERS = st.fixed_dictionaries(
    {"type": st.sampled_from(["number", "integer"])},
    optional={
        "minimum": st.sampled_from([-120, -1.5, 0, 0.25, 7]),
        "exclusiveMinimum": st.sampled_from([-1, 0, 0.5]),
        "maximum": st.sampled_from([0, 0.3, 9, 10.75, 1234]),
        "exclusiveMaximum": st.sampled_from([1, 2.5, 100]),
    },
)
OTHERS = st.sampled_from(
    [{}, True, False, {"const": {"type": "x"}}, {"enum": [1, "1", None, [2.5], "ü"]}, {"type": "boolean"}]
)


def composed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.fixed_dictionaries(
        {"type": st.just("array")},
        optional={
            "items": inner,
            "prefixItems": st.lists(inner, max_size=2),
            "minItems": st.integers(0, 3),
            "maxItems": st.integers(1, 4),
        },
    )
    objects = st.fixed_dictionaries(
        {"type": st.just("object")},
        optional={
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "required": st.lists(NAMES, max_size=2),
            "additionalProperties": inner,
            "minProperties": st.integers(0, 1),
        },
    )
    joined = st.builds(lambda one, other: {"allOf": [one, other]}, inner, inner)
    unions = st.builds(
        lambda name, options, rest: {name: options} | rest,
        st.sampled_from(["anyOf", "oneOf"]),
        st.lists(inner, min_size=1, max_size=3),
        st.sampled_from([{}, {"title": "x"}, {"type": "string"}, {"minLength": 1}]),
    )
    return st.one_of(lists, objects, unions, joined)


SCHEMAS = st.recursive(STRINGS | NUMBERS | OTHERS, composed, max_leaves=6)


@settings(max_examples=150)
@given(SCHEMAS, st.integers(0, 2**32))
def test_whatever_a_grammar_allows_is_valid(schema: Any, seed: int) -> None:
    try:
        read = grammar(schema)
    except HttpError as error:
        refusal = error
    else:
        for number in range(4):
            value = json.loads(read.sample(random.Random(seed + number)))
            jsonschema.Draft202012Validator(schema).validate(value)
        return
    assert refusal.status == 400
    assert refusal.message.startswith(WHERE)


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        (r"^\d{4}-\d{2}$", ["2026-11"], ["2026-1", "x2026-11"]),
        (r"^\w+$", ["Jacket_2"], ["two words", "", "é"]),
        (r"^\s*\S+\s*$", ["  é€😀 "], ["a b"]),
        (r"^[^\d,]+$", ["blau grün"], ["a1", "a,"]),
        (r"\d", ["no. 7 here"], ["none"]),
        (r"^a|b$", ["axx", "xxb"], ["xax"]),
        (r"^(?:\+\d{1,3} )?\d{3,}$", ["+49 123", "1234567"], ["+49123"]),
        (r"^(red|blue)(, (red|blue))*$", ["red, blue, red"], ["red,blue", "green"]),
        (r'^"[^"]*"\\?$', ['"quoted"', '"q"\\'], ["quoted"]),
        (r"^\D\W\S$", ["x-x"], ["1-x", "xxx", "x- "]),
        (r"^.$", ["x", "é", "😀", '"'], ["", "xx", "\n"]),
        (r"^a+?b*?$", ["aab"], ["b"]),
        (r"^[\w.-]+@[\w-]+\.\w{2,}$", ["a.b@c-d.org"], ["a@b"]),
        (r"^$", [""], [" "]),
        (r"^(a|)$", ["", "a"], ["b"]),
        (r"^\u00e9\x41\/\-$", ["éA/-"], ["eA/-"]),
    ],
)
def test_a_pattern_is_enforced(pattern: str, fits: list[str], does_not: list[str]) -> None:
    schema = {"type": "string", "pattern": pattern}
    assert all(re.search(pattern, value) for value in written(schema))
    assert all(len(value) <= MAX_STRING for value in written(schema))
    assert [value for value in fits if not allows(schema, value)] == []
    assert [value for value in does_not if allows(schema, value)] == []


@pytest.mark.parametrize(
    "pattern",
    [r"^(?=a)b", r"(?!x)", r"(?<=a)b", r"(a)\1", r"\bword\b", r"(?i)abc", r"a^b", r"\p{L}", "[", r"^\x00$",
     r"(?i:a)b", "a{2000}"],
)  # fmt: skip
def test_a_pattern_that_cannot_be_enforced_is_named(pattern: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}
    with pytest.raises(HttpError) as caught:
        grammar(schema)
    assert repr(pattern) in caught.value.message
    assert f"{WHERE}.properties.a.pattern" in caught.value.message
    assert (caught.value.status, caught.value.code, caught.value.param) == (
        400, "unsupported_schema", "response_format"
    )  # fmt: skip


def test_a_pattern_keeps_to_the_lengths_beside_it() -> None:
    word = {"type": "string", "pattern": r"^\w*$", "minLength": 3, "maxLength": 5}
    assert {len(value) for value in written(word)} == {3, 4, 5}
    assert max(len(value) for value in written({"type": "string", "pattern": r"x", "maxLength": 9})) <= 9
    for lengths in ({"maxLength": 2}, {"minLength": 5}):
        with pytest.raises(HttpError, match="pattern"):
            grammar({"type": "string", "pattern": r"^\d{3}(-\d)?$", **lengths})


FORMATS: dict[str, Any] = {
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "date-time": datetime.datetime.fromisoformat,
    "ipv4": ipaddress.IPv4Address,
    "ipv6": ipaddress.IPv6Address,
    "email": re.compile(r"[^@ ]+@[a-z0-9.-]+\.[a-z]+").fullmatch,
    "hostname": re.compile(r"(?!-)[a-z0-9.-]{1,253}(?<!-)").fullmatch,
    "uri": re.compile(r"https?://[a-z0-9.-]+(/[^ ]*)?(\?[^ ]*)?").fullmatch,
    "duration": re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+D)?(T\d+H)?").fullmatch,
    "uuid": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").fullmatch,
    "uuid4": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").fullmatch,
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_enforced(name: str) -> None:
    values = list(written({"type": "string", "format": name}, 60))
    assert all(FORMATS[name](value) for value in values)
    assert len(set(values)) > 20


@pytest.mark.parametrize("value", ["2026-02-28", "2026-04-30", "2026-12-31", "1999-09-09"])
def test_real_dates_are_allowed(value: str) -> None:
    assert allows({"type": "string", "format": "date"}, value)
    assert allows({"type": "string", "format": "date-time"}, f"{value}T23:59:59Z")


@pytest.mark.parametrize(
    ("bounds", "fits", "does_not"),
    [
        ({"minimum": 0, "maximum": 1}, [0, 1, 0.5, 0.123456, 0.95], [1.01, -0.1, 2]),
        ({"minimum": 0}, [0, 12.99, 1000000, 0.5], [-1, -0.01]),
        ({"exclusiveMinimum": 0}, [0.01, 1, 19.99], [0, 0.0, -5]),
        ({"maximum": -2.5}, [-2.5, -2.75, -3, -100.1], [-2.4, 0, 2]),
        ({"minimum": -1.5, "exclusiveMaximum": 2}, [-1.5, -1, 0, 1.99, -0.5], [2, -1.51, 2.01]),
        ({"minimum": 0.25, "maximum": 0.75}, [0.25, 0.75, 0.50], [0.24, 0.76, 1]),
        ({"minimum": 95, "maximum": 1203}, [95, 100, 999, 1203, 1000.5], [94, 1204, 1203.5]),
    ],
)
def test_a_number_keeps_to_its_bounds(
    bounds: dict[str, float], fits: list[float], does_not: list[float]
) -> None:
    schema = {"type": "number", **bounds}
    list(written(schema))
    two_decimals = {value: f"{value:.2f}" for value in fits}  # beside a bound that is not whole
    regex = grammar(schema).as_regex()
    for value in fits:
        assert any(re.fullmatch(regex, text) for text in (str(value), two_decimals[value])), value
    assert [value for value in does_not if allows(schema, value)] == []
    whole = {"type": "integer", **bounds}
    valid = [value for value in range(-4, 4) if jsonschema.Draft202012Validator(whole).is_valid(value)]
    if bounds != {"minimum": 0.25, "maximum": 0.75}:  # no whole number fits
        assert [value for value in range(-4, 4) if allows(whole, value)] == valid


def test_multiples() -> None:
    assert set(written({"type": "integer", "multipleOf": 25, "minimum": 1, "maximum": 100})) == {
        25,
        50,
        75,
        100,
    }
    assert all(isinstance(value, int) for value in written({"type": "number", "multipleOf": 1}))


REFUSED: dict[str, Any] = {
    "not": {"not": {"type": "null"}},
    "if": {"if": True, "then": {"type": "null"}},
    "then": {"then": {"type": "null"}},
    "contains": {"type": "array", "contains": {"const": 1}},
    "minContains": {"minContains": 1},
    "dependentRequired": {"dependentRequired": {"a": ["b"]}},
    "dependentSchemas": {"dependentSchemas": {}},
    "uniqueItems": {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True},
    "multipleOf": {"type": "number", "multipleOf": 0.01},
    "patternProperties": {"patternProperties": {"^a": True}, "properties": {"ab": True}},
    "propertyNames": {"propertyNames": {"maxLength": 3}, "properties": {"long name": True}},
    "minProperties": {"type": "object", "minProperties": 2, "properties": {"a": True, "b": True}},
    "maxProperties": {"type": "object", "maxProperties": 1, "properties": {"a": True, "b": True}},
    "format": {"type": "string", "format": "iban"},
    "oneOf": {"oneOf": [{"type": "integer"}, {"type": "number"}]},
    "$dynamicRef": {"$dynamicRef": "#a"},
    "$anchor": {"$anchor": "a"},
    "maxlength": {"type": "string", "maxlength": 3},
    "nullable": {"type": "string", "nullable": True},
    "additionalItems": {"type": "array", "additionalItems": False},
    "type": {"type": "text"},
    "minLength": {"type": "string", "minLength": -1},
    "maxItems": {"type": "array", "maxItems": 2.5},
    "enum": {"enum": "red"},
    "required": {"required": "a"},
    "properties": {"properties": ["a"]},
    "exclusiveMinimum": {"type": "integer", "minimum": 1, "exclusiveMinimum": True},
    "maximum": {"type": "number", "maximum": 1e30},
    "$ref": {"$ref": "https://example.org/schema.json"},
}


@pytest.mark.parametrize("keyword", REFUSED)
def test_what_cannot_be_enforced_is_refused_by_name(keyword: str) -> None:
    for schema in (REFUSED[keyword], {"type": "array", "items": REFUSED[keyword]}):
        with pytest.raises(HttpError) as caught:
            grammar(schema)
        assert caught.value.status == 400
        assert re.match(rf"{re.escape(WHERE)}(\.items)?\.{re.escape(keyword)} ", caught.value.message)


def test_a_misspelt_keyword_is_recognised() -> None:
    with pytest.raises(HttpError, match="maxLength"):
        grammar(REFUSED["maxlength"])


def test_annotations_change_nothing() -> None:
    plain = {"type": "string", "maxLength": 5}
    noted = {"$schema": "x", "$id": "y", "title": "t", "description": "d", "default": 1, "examples": [],
             "deprecated": True, "readOnly": True, "writeOnly": True, "$comment": "c", "x-a": 3}  # fmt: skip
    assert grammar(plain | noted) == grammar(plain)


@pytest.mark.parametrize(
    "schema",
    [False, {"enum": []}, {"type": "string", "enum": [1]}, {"minimum": 2, "maximum": 1, "type": "integer"},
     {"type": "string", "minLength": 5, "maxLength": 2}, {"$ref": "#"},
     {"allOf": [{"type": "string"}, {"type": "null"}]},
     {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
     {"type": "array", "minItems": 3, "maxItems": 2}, {"required": ["a"], "additionalProperties": False}],
)  # fmt: skip
def test_a_schema_that_nothing_fits_is_refused(schema: Any) -> None:
    with pytest.raises(HttpError, match="fits no value"):
        grammar(schema)


# ------------------------------------------------------------------------------------------------- references

TREE = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 3},
        "parts": {"type": "array", "items": {"$ref": "#"}},
    },
    "required": ["name", "parts"],
}
WORD = {"type": "string", "pattern": "^[a-c]$"}


@pytest.mark.parametrize(
    "schema",
    [
        {"$defs": {"N": WORD}, "$ref": "#/$defs/N"},
        {"definitions": {"N": WORD}, "items": {"$ref": "#/definitions/N"}, "type": "array", "minItems": 1},
        {
            "type": "object",
            "properties": {"a": WORD, "b": {"$ref": "#/properties/a"}},
            "required": ["a", "b"],
        },
        {"$defs": {"a/b ~c": WORD}, "$ref": "#/$defs/a~1b%20~0c"},
        {"prefixItems": [WORD, {"$ref": "#/prefixItems/0"}], "type": "array"},
        {"$defs": {"A": {"$ref": "#/$defs/B"}, "B": WORD}, "$ref": "#/$defs/A"},
        {
            "$defs": {"N": WORD},
            "properties": {"a": {"$ref": "#/$defs/N", "description": "x"}},
            "required": ["a"],
        },
        {"$defs": {"N": {"type": "string"}}, "$ref": "#/$defs/N", "pattern": "^[a-c]$"},
        {
            "allOf": [{"$ref": "#/$defs/N"}, {"maxLength": 1}],
            "$defs": {"N": {"type": "string", "minLength": 1}},
        },
    ],
)
def test_references(schema: Any) -> None:
    seen = {character for value in written(schema) for character in json.dumps(value)}
    assert seen & set("abc")


@pytest.mark.slow
def test_references_to_themselves_have_an_end() -> None:
    depths = set()
    read = grammar(TREE)
    for seed in range(200):
        value = json.loads(read.sample(random.Random(seed)))
        jsonschema.Draft202012Validator(TREE).validate(value)
        depth = 0
        while value["parts"]:
            value, depth = value["parts"][0], depth + 1
        depths.add(depth)
    assert max(depths) == MAX_RECURSION - 1


def test_a_list_linked_by_two_definitions() -> None:
    schema = {
        "$defs": {
            "A": {"type": "object", "properties": {"b": {"anyOf": [{"$ref": "#/$defs/B"}, {"type": "null"}]}},
                  "required": ["b"]},
            "B": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A", "minProperties": 1}}},
        },
        "$ref": "#/$defs/A",
    }  # fmt: skip
    assert any(value["b"] and value["b"].get("a") for value in written(schema, 80))


class Part(BaseModel):
    name: str
    parts: list[Part]
    code: dict[str, str]


class Wool(BaseModel):
    kind: Literal["wool"]
    grams: Annotated[int, Field(ge=1, le=999)]


class Silk(BaseModel):
    kind: Literal["silk"]
    momme: Annotated[float, Field(gt=0, lt=50)]


class Offer(BaseModel):
    material: Annotated[Wool | Silk, Field(discriminator="kind")]
    sold: datetime.date | None = None
    sizes: Annotated[list[Literal["S", "M"]], Field(max_length=2)]
    pair: tuple[int, str]
    notes: dict[Annotated[str, Field(pattern=r"^[a-z]+$", max_length=5)], bool]


@pytest.mark.slow
@pytest.mark.parametrize("model", [Part, Offer])
def test_a_pydantic_model_reads_what_is_written(model: type[BaseModel]) -> None:
    for value in written(model.model_json_schema()):
        model.model_validate(value)


def test_what_has_no_bound_gets_one() -> None:
    text = {"type": "string"}
    assert allows(text, "x" * MAX_STRING)
    assert not allows(text, "x" * (MAX_STRING + 1))
    assert allows(text | {"maxLength": 500}, "x" * 500)
    assert not allows(text | {"maxLength": 5000}, "x" * (MOST + 1))
    for schema in ({"type": "array", "items": {"const": 1}}, {"items": {"const": 1}}):
        assert allows(schema, [1] * MAX_ITEMS)
        assert not allows(schema, [1] * (MAX_ITEMS + 1))
    names = {"additionalProperties": {"const": 1}}
    assert allows(names, {str(number): 1 for number in range(MAX_ITEMS)})
    assert not allows(names, {str(number): 1 for number in range(MAX_ITEMS + 1)})


def test_half_a_character_is_never_written() -> None:
    read = re.compile(grammar({"type": "string"}).as_regex())
    assert read.fullmatch(r'"\u00e9\ud7ff\ue000"')
    for half in ("d800", "DBFF", "dc00", "dfff"):
        assert not read.fullmatch(rf'"\u{half}"')


def test_the_order_of_properties_is_the_schemas_required_ones_first() -> None:
    schema = {"properties": {"a": {"const": 1}, "b": {"const": 2}, "c": {"const": 3}}, "required": ["b"]}
    assert allows(schema, {"b": 2, "a": 1, "c": 3})
    assert allows(schema, {"b": 2, "c": 3})
    assert not allows(schema, {"a": 1, "b": 2})
    assert not allows(schema, {"b": 2, "d": 4})


def test_a_schema_too_large_for_a_grammar_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "MAX_GRAMMAR", 2_000)
    with pytest.raises(HttpError, match="too large"):
        grammar({"enum": [f"value {number}" for number in range(200)]})


# ------------------------------------------------------------------------------------------------- the fence


@pytest.mark.parametrize(
    ("written", "reason", "said"),
    [
        ('```json\n{"a": 1}\n```', "stop", '{"a": 1}'),
        ('{"a": "``` "}\n  ', "stop", '{"a": "``` "}'),
        ('```json{"a": "b `', "length", '{"a": "b `'),
        ("12 ", "stop", "12"),
        ("```js", "length", "```js"),
    ],
)
def test_a_fence_is_allowed_and_cut_off(written: str, reason: str, said: str) -> None:
    for size in (1, 2, 3, 50):
        bare, text = Bare(), ""
        pieces = [written[start : start + size] for start in range(0, len(written), size)]
        for delta, end in [*(({"content": piece}, None) for piece in pieces), ({}, reason)]:
            chunk = bare.chunk({"choices": [{"index": 0, "delta": delta, "finish_reason": end}]})
            text += chunk["choices"][0]["delta"].get("content") or ""
        assert text == said


def test_the_grammar_of_a_request_allows_the_fence() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"const": 1}}}
    request = chat_request({"messages": [{"role": "user", "content": "x"}], "response_format": form})
    read = re.compile(Grammar.read(request["grammar"]).as_regex())
    assert [text for text in ("1", "```json\n1\n```", "```json1```") if not read.fullmatch(text)] == []
    assert [text for text in ("```1```", "```json 1", "1```") if read.fullmatch(text)] == []
