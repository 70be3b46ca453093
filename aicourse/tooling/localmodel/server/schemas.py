"""JSON schemas as grammars: what the model then writes is valid, or the schema is refused by name.

    {"type": "array", "items": {"enum": ["red", "blue"]}}  ->  "[" space (r0 ("," space r0){0,23})? "]" space

A keyword is enforced, or an annotation (a title, a default), or a 400 that names it and its place. The model
may be kept to less than the schema allows, never to more: objects get no properties that are not named, and
what has no bound gets one, because a small model runs on: strings, lists, maps, references to themselves.
Only `{}` and `{"type": "object"}`, which ask for any JSON, stay unbounded.

Keywords: https://json-schema.org/draft/2020-12/json-schema-validation
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from aicourse.suggestions import did_you_mean
from aicourse.tooling.localmodel.server.grammar import MOST_DIGITS, Grammar, integers, numbers
from aicourse.tooling.localmodel.server.http_errors import HttpError
from aicourse.tooling.localmodel.server.patterns import Lengths, NotWritable, expression

MAX_STRING = 400  # characters, where none are stated; a listing's longest attribute is far below
MAX_ITEMS = 24  # of a list or map, where none are stated
MOST = 1_900  # characters or items; llama.cpp takes 2,000 and more for "without end"
MAX_RECURSION = 8  # references to themselves inside each other
MAX_GRAMMAR = 1_000_000  # characters
_MAX_MULTIPLES = 500
_ANNOTATIONS = {
    "$schema", "$id", "$comment", "title", "description", "default", "examples", "example", "deprecated",
    "readOnly", "writeOnly", "contentEncoding", "contentMediaType", "contentSchema", "discriminator",
}  # fmt: skip
_OF_TYPE = {
    "object": {
        "properties", "required", "additionalProperties", "unevaluatedProperties", "patternProperties",
        "propertyNames", "minProperties", "maxProperties",
    },
    "array": {
        "items", "prefixItems", "additionalItems", "unevaluatedItems", "minItems", "maxItems", "uniqueItems",
    },
    "string": {"minLength", "maxLength", "pattern", "format"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"},
    "boolean": set(), "null": set(),
}  # fmt: skip
_DEFINITIONS = {"$defs", "definitions"}
_ANYWHERE = {"type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"} | _DEFINITIONS
_KNOWN = _ANYWHERE.union(*_OF_TYPE.values())
_DAY = "((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))"
_DATE, _ZONE = f"[12]\\d{{3}}-{_DAY}", "(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)"
_TIME = f"([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{{1,6}})?{_ZONE}"
_HOST = "([a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\\.){1,4}[a-z]{2,12}"
_BYTE, _HEX = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)", "[0-9a-f]"
_UUID = f"{_HEX}{{8}}-{_HEX}{{4}}-%s{_HEX}{{3}}-[89ab]{_HEX}{{3}}-{_HEX}{{12}}"
_FORMATS = {
    "date": _DATE,
    "time": _TIME,
    "date-time": f"{_DATE}T{_TIME}",
    "duration": "P([1-9]\\d{0,3}Y)?([1-9]\\d{0,2}M)?([1-9]\\d{0,3}D)(T[1-9]\\d{0,3}H)?",
    "email": f"[a-z0-9_+-]{{1,32}}(\\.[a-z0-9_+-]{{1,32}})?@{_HOST}",
    "hostname": _HOST,
    "ipv4": f"{_BYTE}(\\.{_BYTE}){{3}}",
    "ipv6": f"{_HEX}{{1,4}}(:{_HEX}{{1,4}}){{7}}",
    "uri": f"https?://{_HOST}(/[A-Za-z0-9._~-]{{1,40}}){{0,6}}/?(\\?[A-Za-z0-9._~=&-]{{1,80}})?",
    "uuid": _UUID % "[1-8]",
    **{f"uuid{version}": _UUID % version for version in range(1, 9)},
}
_NUMBER_FORMATS = {"float", "double", "int64"}  # as wide as a number of the grammar
Rule = str | None  # the name of a grammar's rule; None where no value fits


class Schemas:
    """The schemas of one answer; a schema and those in it refer to each other by `#/…` from its own top."""

    def __init__(self) -> None:
        self.grammar = Grammar()

    def rule(self, schema: Any, where: str) -> str:
        """The rule of the values that fit `schema`, which is the field `where` of the request.

        Raises:
            HttpError: 400, it is no schema, or has something that cannot be enforced.
        """
        try:
            rule = _Document(self.grammar, schema, where).rule()
        except RecursionError:
            raise _refusal(where, "is nested too deep") from None
        if rule is None:
            raise _refusal(where, "fits no value that could be written here")
        return rule

    def text(self, root: str) -> str:
        """The grammar of what the rule `root` describes.

        Raises:
            HttpError: 400, it would be too large.
        """
        text = self.grammar.text(root)
        if len(text) > MAX_GRAMMAR:
            raise _refusal("The schema", "is too large for a grammar. Ask for less at once")
        return text


class _Document:
    """One schema that stands for itself; `level` counts the references to themselves that are open."""

    def __init__(self, grammar: Grammar, root: Any, where: str) -> None:
        self._grammar = grammar
        self._root = root
        self._where = where
        self._level = 0
        self._done: dict[tuple[str, int], Rule] = {}

    def rule(self) -> Rule:
        return self._referred("#", self._where)

    def _schema(self, schema: Any, where: str) -> Rule:
        """The rule of a schema anywhere in the document."""
        if isinstance(schema, bool):
            return "value" if schema else None
        schema = self._checked(schema, where)
        if not schema:
            return "value"
        target = schema.get("$ref")
        if target is not None and schema.keys() <= {"$ref"}:
            return self._referred(target, where)
        if target is not None or "allOf" in schema:
            return self._joined(schema, where)
        for name in ("anyOf", "oneOf"):
            if name in schema:
                return self._union(schema, name, where)
        if schema.keys() & {"enum", "const"}:
            return self._constants(schema, where)
        rules = [self._typed(kind, schema, where) for kind in self._types(schema, where)]
        return self._any_of(rules)

    def _checked(self, schema: Any, where: str) -> dict[str, Any]:
        """The schema without annotations and definitions."""
        if not isinstance(schema, dict):
            raise _refusal(where, "must be a JSON schema")
        kept = {
            name: value
            for name, value in schema.items()
            if name not in _ANNOTATIONS and not name.startswith("x-")
        }
        for name in kept:
            if name not in _KNOWN:
                hint = did_you_mean(name, _KNOWN | _ANNOTATIONS)
                raise _refusal(f"{where}.{name}", f"cannot be enforced by the embedded model's server.{hint}")
        return {name: value for name, value in kept.items() if name not in _DEFINITIONS}

    def _any_of(self, rules: list[Rule]) -> Rule:
        possible = list(dict.fromkeys(rule for rule in rules if rule is not None))
        if len(possible) < 2:
            return possible[0] if possible else None
        return self._grammar.rule(" | ".join(possible))

    def _typed(self, kind: str, schema: dict[str, Any], where: str) -> Rule:
        own = {name: value for name, value in schema.items() if name in _OF_TYPE[kind]}
        makers: dict[str, Callable[[dict[str, Any], str], Rule]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "number": self._number,
            "integer": lambda own, where: self._number(own, where, whole=True),
        }
        return makers[kind](own, where) if own else _UNBOUND.get(kind) or makers[kind](own, where)

    def _types(self, schema: dict[str, Any], where: str) -> list[str]:
        """The types that a schema names, else those that its keywords speak of."""
        kinds = schema.get("type")
        if kinds is None:
            return [kind for kind in _OF_TYPE if kind != "integer" and schema.keys() & _OF_TYPE[kind]]
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if not all(isinstance(kind, str) and kind in _OF_TYPE for kind in kinds):
            raise _refusal(f"{where}.type", f"must be one or more of {', '.join(_OF_TYPE)}")
        return kinds

    # ------------------------------------------------------------------------------- references and unions

    def _referred(self, pointer: Any, where: str) -> Rule:
        target = self._target(pointer, where)
        if not self._is_recursive(pointer):
            level, self._level = self._level, 0  # what it refers to cannot lead back here
            try:
                return self._remembered(pointer, target)
            finally:
                self._level = level
        if self._level == MAX_RECURSION:
            return None
        self._level += 1
        try:
            return self._remembered(pointer, target)
        finally:
            self._level -= 1

    def _remembered(self, pointer: str, target: Any) -> Rule:
        key = (pointer, self._level)
        if key not in self._done:
            self._done[key] = self._schema(target, self._where + unquote(pointer[1:]).replace("/", "."))
        return self._done[key]

    def _target(self, pointer: Any, where: str) -> Any:
        if not isinstance(pointer, str) or (pointer != "#" and not pointer.startswith("#/")):
            raise _refusal(f"{where}.$ref", "must begin with # and point into this schema")
        found = self._root
        for step in unquote(pointer[2:]).split("/") if pointer != "#" else []:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            elif isinstance(found, dict) and name in found:
                found = found[name]
            else:
                raise _refusal(f"{where}.$ref", f"points to {pointer}, and there is nothing")
        return found

    def _is_recursive(self, pointer: str) -> bool:
        """True if a schema leads back to itself."""
        seen: set[str] = set()
        left = [self._target(pointer, self._where)]
        while left:
            value = left.pop()
            if isinstance(value, list):
                left += value
            elif isinstance(value, dict):
                left += value.values()
                found = value.get("$ref")
                if isinstance(found, str) and found not in seen:
                    seen.add(found)
                    left.append(self._target(found, self._where))
        return pointer in seen

    def _joined(self, schema: dict[str, Any], where: str) -> Rule:
        """A schema that must hold together with others: `allOf`, or beside a `$ref`."""
        level = self._level
        try:
            whole = self._conjunction(schema, where)
            return None if self._level > MAX_RECURSION else self._schema(whole, where)
        finally:
            self._level = level

    def _conjunction(self, schema: Any, where: str) -> dict[str, Any]:
        if schema is True:
            return {}
        own = self._checked(schema, where)
        parts, target = own.pop("allOf", []), own.pop("$ref", None)
        if not isinstance(parts, list):
            raise _refusal(f"{where}.allOf", "must be a list of schemas")
        if target is not None:
            self._level += self._is_recursive(target)
            parts = [*parts, self._target(target, where)] if self._level <= MAX_RECURSION else parts
        for part in parts:
            own = _both(own, self._conjunction(part, where), where)
        return own

    def _union(self, schema: dict[str, Any], name: str, where: str) -> Rule:
        options, rest = schema[name], {key: value for key, value in schema.items() if key != name}
        if not isinstance(options, list) or not options:
            raise _refusal(f"{where}.{name}", "must be a list of schemas")
        if name == "oneOf" and not self._are_apart(options, where):
            why = "cannot be enforced where two of its schemas may fit at once; anyOf can"
            raise _refusal(f"{where}.oneOf", why)
        places = [f"{where}.{name}[{number}]" for number in range(len(options))]
        return self._any_of(
            [
                self._schema({**rest, "allOf": [option]} if rest else option, place)
                for option, place in zip(options, places, strict=True)
            ]
        )

    def _are_apart(self, options: list[Any], where: str) -> bool:
        """True if no value can fit two of the schemas: other types, other constants, another tag."""
        marks = [self._marks(option, where) for option in options]
        return all(
            any(not (one[key] & other[key]) for key in one.keys() & other.keys())
            for number, one in enumerate(marks)
            for other in marks[:number]
        )

    def _marks(self, schema: Any, where: str) -> dict[str, set[str]]:
        """A schema's types, and the constants of the schema and of its required properties."""
        while isinstance(schema, dict) and "$ref" in schema:
            schema = self._target(schema["$ref"], where) if len(schema) == 1 else {}
        if not isinstance(schema, dict):
            return {}
        marks = {}
        kinds = schema.get("type")
        if kinds is not None:
            kinds = set(kinds) if isinstance(kinds, list) else {str(kinds)}
            marks["type"] = kinds | ({"integer"} if "number" in kinds else set())
        properties, required = schema.get("properties"), schema.get("required")
        places = {"": schema}
        if kinds == {"object"} and isinstance(properties, dict) and isinstance(required, list):
            places |= {f".{name}": inner for name, inner in properties.items() if name in required}
        for name, inner in places.items():
            values = [inner["const"]] if isinstance(inner, dict) and "const" in inner else None
            values = inner.get("enum") if isinstance(inner, dict) and values is None else values
            if isinstance(values, list):
                marks[name] = {repr(value) for value in values}
        return marks

    def _constants(self, schema: dict[str, Any], where: str) -> Rule:
        values = schema["enum"] if "enum" in schema else [schema["const"]]
        if not isinstance(values, list):
            raise _refusal(f"{where}.enum", "must be a list of values")
        if "enum" in schema and "const" in schema:
            values = [value for value in values if repr(value) == repr(schema["const"])]
        for name in schema.keys() - {"enum", "const", "type"}:
            raise _refusal(f"{where}.{name}", "cannot be enforced beside enum or const")
        if "type" in schema:
            kinds = self._types(schema, where)
            values = [value for value in values if any(_is_a(value, kind) for kind in kinds)]
        try:
            return self._grammar.constant(*values) if values else None
        except ValueError:
            raise _refusal(where, "has a number that JSON cannot hold") from None

    # ----------------------------------------------------------------------------------- the types of JSON

    def _object(self, own: dict[str, Any], where: str) -> Rule:
        properties, required = own.get("properties", {}), own.get("required", [])
        if not isinstance(properties, dict):
            raise _refusal(f"{where}.properties", "must be an object of schemas")
        if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
            raise _refusal(f"{where}.required", "must be a list of names")
        others = own.get("additionalProperties", own.get("unevaluatedProperties", True))
        least, most = _whole(own, "minProperties", where), _whole(own, "maxProperties", where)
        if not properties and not required and "properties" not in own:
            return self._map(own, others, (least or 0, most), where)
        for name in ("patternProperties", "propertyNames"):
            if name in own:
                raise _refusal(f"{where}.{name}", "cannot be enforced beside properties")
        named = {**properties, **{name: others for name in required if name not in properties}}
        rules = {name: self._schema(inner, f"{where}.properties.{name}") for name, inner in named.items()}
        must = {name: rule for name, rule in rules.items() if name in required and rule is not None}
        may = {name: rule for name, rule in rules.items() if name not in required and rule is not None}
        if len(must) < len(set(required)) or (most is not None and len(must) > most):
            return None
        if most is not None and len(must) + len(may) > most:
            raise _refusal(f"{where}.maxProperties", "cannot be enforced below the number of properties")
        if (least or 0) > max(len(must), 1 if may else 0):
            raise _refusal(f"{where}.minProperties", "cannot be enforced: require the properties by name")
        return self._grammar.of_object(must, may, filled=bool(least))

    def _map(self, own: dict[str, Any], others: Any, limits: tuple[int, int | None], where: str) -> Rule:
        """An object whose properties have no names given."""
        key, value = own.get("propertyNames", True), others
        place = f"{where}.additionalProperties"
        if patterns := own.get("patternProperties"):
            if not isinstance(patterns, dict) or len(patterns) > 1:
                raise _refusal(f"{where}.patternProperties", "can be enforced with one pattern only")
            ((pattern, value),) = patterns.items()
            key, place = {"allOf": [key, {"pattern": pattern}]}, f"{where}.patternProperties"
        least, most = limits
        if least > 1:
            raise _refusal(f"{where}.minProperties", "can be enforced up to 1, because names may be repeated")
        if value is True and key is True and not least and most is None:
            return "object"
        key_rule = self._schema({"allOf": [{"type": "string"}, key]}, f"{where}.propertyNames")
        value_rule = self._schema(value, place)
        most = MAX_ITEMS if most is None else min(most, MOST)
        if key_rule is None or value_rule is None or not most:
            return None if least else self._grammar.of_object({}, {})
        return self._grammar.of_map(key_rule, value_rule, least, most)

    def _array(self, own: dict[str, Any], where: str) -> Rule:
        items, fixed = own.get("items", True), own.get("prefixItems", [])
        if isinstance(items, list):  # as before draft 2020-12
            items, fixed = own.get("additionalItems", True), items
        elif "additionalItems" in own:
            raise _refusal(f"{where}.additionalItems", "has a meaning only beside a list of items")
        if not isinstance(fixed, list):
            raise _refusal(f"{where}.prefixItems", "must be a list of schemas")
        if own.get("unevaluatedItems", True) is not True and "items" not in own:
            items = own["unevaluatedItems"]
        least, most = _whole(own, "minItems", where) or 0, _whole(own, "maxItems", where)
        if own.get("uniqueItems") and (most is None or most > 1):
            raise _refusal(f"{where}.uniqueItems", "cannot be enforced: check the list yourself")
        least, most = max(least, len(fixed)), max(MAX_ITEMS, least, len(fixed)) if most is None else most
        if least > MOST:
            raise _refusal(f"{where}.minItems", f"can be enforced up to {MOST:,}")
        rules = [self._schema(one, f"{where}.prefixItems[{i}]") for i, one in enumerate(fixed)]
        more = (least - len(fixed), min(most, MOST) - len(fixed))
        item = self._schema(items, f"{where}.items") if more[1] > 0 else None
        beginning = [rule for rule in rules if rule is not None]
        if len(beginning) < len(rules) or more[1] < more[0] or (item is None and more[0]):
            return None
        return self._grammar.of_list(beginning, item, *more)

    def _string(self, own: dict[str, Any], where: str) -> Rule:
        least, most = _whole(own, "minLength", where) or 0, _whole(own, "maxLength", where)
        if least > MOST:
            raise _refusal(f"{where}.minLength", f"can be enforced up to {MOST:,}")
        lengths = Lengths(least, min(max(MAX_STRING, least) if most is None else most, MOST))
        if lengths.least > lengths.most:
            return None
        keyword = next((name for name in ("pattern", "format") if name in own), None)
        if keyword is None:
            return self._grammar.rule(f'"\\"" char{{{lengths.least},{lengths.most}}} "\\"" space')
        given, place = own[keyword], f"{where}.{keyword}"
        if "pattern" in own and "format" in own:
            raise _refusal(place, "cannot be enforced beside a format")
        if keyword == "format" and given not in _FORMATS:
            raise _refusal(
                place, f"{given!r} is not one of those that can be enforced: {', '.join(_FORMATS)}"
            )
        if not isinstance(given, str):
            raise _refusal(place, "must be text")
        pattern = f"^({_FORMATS[given]})$" if keyword == "format" else given
        try:
            inside = expression(pattern, lengths, self._grammar)
        except NotWritable as error:
            raise _refusal(place, f"{given!r} cannot be enforced: {error}") from None
        return self._grammar.rule(f'"\\"" {inside} "\\"" space')

    def _number(self, own: dict[str, Any], where: str, *, whole: bool = False) -> Rule:
        if own.get("format", "double") not in _NUMBER_FORMATS:
            why = f"{own['format']!r} cannot be enforced: state minimum and maximum"
            raise _refusal(f"{where}.format", why)
        step = own.get("multipleOf", 1)
        whole = whole or ("multipleOf" in own and step == 1)
        low, high = self._bounds(own, where, Decimal(1) if whole else None)
        if not whole and step == 1:
            return self._number_rule(numbers(low, high)) if (low, high) != (None, None) else "number"
        first = None if low is None else math.ceil(low)
        last = None if high is None else math.floor(high)
        if step == 1:
            return self._number_rule(integers(first, last)) if (low, high) != (None, None) else "integer"
        if not _is_whole(step) or step < 1 or first is None or last is None:
            why = "can be enforced for whole numbers between a minimum and a maximum only"
            raise _refusal(f"{where}.multipleOf", why)
        multiples = range(math.ceil(first / step) * step, last + 1, step)
        if len(multiples) > _MAX_MULTIPLES:
            raise _refusal(f"{where}.multipleOf", f"can be enforced for up to {_MAX_MULTIPLES} numbers")
        return self._grammar.constant(*multiples) if multiples else None

    def _number_rule(self, body: str | None) -> Rule:
        return None if body is None else self._grammar.rule(f"({body}) space")

    def _bounds(
        self, own: dict[str, Any], where: str, step: Decimal | None
    ) -> tuple[Decimal | None, Decimal | None]:
        """The least and the greatest number; an excluded one moves by `step`, or by its last decimal."""
        bounds: dict[str, Decimal] = {}
        for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if (value := own.get(name)) is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise _refusal(f"{where}.{name}", "must be a number (true and false are of an older draft)")
            bound = Decimal(repr(value))
            places = -int(bound.as_tuple().exponent)
            if abs(bound) >= 10**MOST_DIGITS or places > MOST_DIGITS:
                raise _refusal(f"{where}.{name}", f"can be enforced up to {MOST_DIGITS} digits")
            if name.startswith("exclusive"):
                is_exact = step is None or bound == int(bound)
                by = (step or Decimal(1).scaleb(-max(2, places))) if is_exact else Decimal(0)
                bound += by if name.endswith("Minimum") else -by
            bounds[name] = bound
        lows = [bounds[name] for name in ("minimum", "exclusiveMinimum") if name in bounds]
        highs = [bounds[name] for name in ("maximum", "exclusiveMaximum") if name in bounds]
        return max(lows, default=None), min(highs, default=None)


_UNBOUND = {kind: kind for kind in ("object", "number", "integer", "boolean", "null")}


def _both(one: dict[str, Any], other: dict[str, Any], where: str) -> dict[str, Any]:
    """One schema for two that must both hold.

    Raises:
        HttpError: 400, a keyword of both cannot be joined.
    """
    for closed, opened in ((one, other), (other, one)):
        names = opened.get("properties", {}).keys() - closed.get("properties", {}).keys()
        if closed.get("additionalProperties", True) is not True and (names or opened.get("required")):
            why = "cannot be enforced beside properties of another schema"
            raise _refusal(f"{where}.additionalProperties", why)
    joined = {**one, **other}
    for name in (one.keys() & other.keys()) - {"additionalProperties"}:
        mine, theirs = one[name], other[name]
        if mine == theirs and type(mine) is type(theirs):
            continue
        if name == "required" and isinstance(mine, list) and isinstance(theirs, list):
            joined[name] = [*mine, *theirs]
        elif name == "properties" and isinstance(mine, dict) and isinstance(theirs, dict):
            shared = {key: {"allOf": [mine[key], theirs[key]]} for key in mine.keys() & theirs.keys()}
            joined[name] = {**mine, **theirs, **shared}
        elif name.startswith(("min", "max", "exclusive")) and _is_number(mine) and _is_number(theirs):
            joined[name] = (min if "max" in name.lower() else max)(mine, theirs)
        elif name == "type":
            kinds = [set(kind) if isinstance(kind, list) else {kind} for kind in (mine, theirs)]
            kinds = [kind | {"integer"} if "number" in kind else kind for kind in kinds]
            joined[name] = sorted(kinds[0] & kinds[1])
        else:
            raise _refusal(f"{where}.{name}", "stands twice, and that cannot be enforced: write one schema")
    return joined


def _whole(own: dict[str, Any], name: str, where: str) -> int | None:
    value = own.get(name)
    if value is not None and (not _is_whole(value) or value < 0):
        raise _refusal(f"{where}.{name}", "must be a whole number, 0 or more")
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def _is_a(value: Any, kind: str) -> bool:
    """True if a value of JSON has this type."""
    if kind in ("number", "integer"):
        return _is_number(value) and (kind == "number" or value == int(value))
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    return isinstance(value, kinds[kind])


def _refusal(where: str, why: str) -> HttpError:
    param = where.partition(".")[0]
    return HttpError(400, f"{where} {why}.", code="unsupported_schema", param=param)
