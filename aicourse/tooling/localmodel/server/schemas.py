"""JSON schemas as llama.cpp's grammars should get them: every string and every list has an end.

A grammar lets a small model write only what fits the schema, and white space or a string without an end fits
many schemas: unbounded text runs on to the token limit. So strings and arrays without a bound get one; a
bound that the caller set is never changed.

Keywords: https://json-schema.org/draft/2020-12/json-schema-validation. What a schema forbids or tests (`not`,
`if`, `contains`) stays as it is, because a bound there would loosen the whole. A value without a `type` can
be anything, and a `pattern` has the length it says: both stay unbounded.
"""

from __future__ import annotations

from typing import Any

MAX_STRING = 400  # characters; a listing's longest attribute is far below
MAX_ITEMS = 24
_SCHEMA = {
    "items",
    "additionalItems",
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
    "then",
    "else",
}
_SCHEMAS = {"anyOf", "oneOf", "allOf", "prefixItems", "items"}
_NAMED_SCHEMAS = {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
_STRINGS_WITH_AN_END = ("date", "time", "date-time", "uuid", *(f"uuid{version}" for version in range(1, 6)))


def bounded(schema: Any) -> Any:
    """The same JSON schema with a bound on every string and array that has none.

    >>> bounded({"type": "array", "items": {"type": "string"}})
    {'type': 'array', 'items': {'type': 'string', 'maxLength': 400}, 'maxItems': 24}
    """
    if not isinstance(schema, dict):
        return schema
    result = {keyword: _inside(keyword, value) for keyword, value in schema.items()}
    kinds = _kinds(schema)
    if "string" in kinds and not _has_an_end(schema):
        result["maxLength"] = max(MAX_STRING, _whole_number(schema.get("minLength")))
    if "array" in kinds and not schema.keys() & {"maxItems", "enum", "const"}:
        fixed = schema.get("prefixItems")
        least = len(fixed) if isinstance(fixed, list) else 0
        result["maxItems"] = max(MAX_ITEMS, least, _whole_number(schema.get("minItems")))
    return result


def _inside(keyword: str, value: Any) -> Any:
    """A keyword's value with the schemas in it bounded; in `properties` the keys are names, not keywords."""
    if keyword in _NAMED_SCHEMAS and isinstance(value, dict):
        return {name: bounded(schema) for name, schema in value.items()}
    if keyword in _SCHEMAS and isinstance(value, list):
        return [bounded(schema) for schema in value]
    return bounded(value) if keyword in _SCHEMA else value


def _kinds(schema: dict[str, Any]) -> list[Any]:
    """The types that a schema names, or that llama.cpp infers from its other keywords."""
    kinds = schema.get("type")
    if kinds is None:
        return ["array"] if schema.keys() & {"items", "prefixItems"} else []
    return kinds if isinstance(kinds, list) else [kinds]


def _has_an_end(schema: dict[str, Any]) -> bool:
    if schema.keys() & {"maxLength", "enum", "const", "pattern"}:
        return True
    # llama.cpp takes a format that it does not know, such as email, for any string
    return schema.get("format") in _STRINGS_WITH_AN_END


def _whole_number(value: Any) -> int:
    return value if isinstance(value, int) else 0
