"""Regular expressions as GBNF, llama.cpp's grammars: the inside of a JSON string that matches a pattern.

    ^[A-Z]{2}-\\d+$, at most 20 characters  ->  [\\x41-\\x5A]{2,2} [\\x2D] [\\x30-\\x39]{1,17}

What is written always matches, in ECMA's, Python's and Rust's reading of the pattern; not all that matches
can be written: `\\D` stays below the first digits beyond ASCII, `\\W` within ASCII, every repetition ends.
Characters that JSON escapes are written escaped. Not handled, so refused: look-around, back references, word
boundaries, flags, anchors inside, possessive repetition, ECMA's `\\p{…}`.

Grammar: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from re import _constants as code  # type: ignore[attr-defined]  # the parser of the standard library, unchanged
from re import _parser  # type: ignore[attr-defined]  # from 3.11 to 3.14; a second one would be 300 lines
from typing import Any

from aicourse.tooling.localmodel.server.grammar import Grammar, literal

Ranges = tuple[tuple[int, int], ...]

ANY: Ranges = ((0, 0xD7FF), (0xE000, 0x10FFFF))
_ESCAPED = {ord('"'): r"\"", ord("\\"): r"\\", ord("\n"): r"\n", ord("\r"): r"\r", ord("\t"): r"\t"}
_UNWRITABLE: Ranges = ((0, 0x1F), (0x22, 0x22), (0x5C, 0x5C), (0x7F, 0x7F))
_DIGITS: Ranges = ((0x30, 0x39),)
_WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACE: Ranges = ((0x09, 0x0A), (0x0D, 0x0D), (0x20, 0x20))
_ALL_SPACE: Ranges = (
    (0x09, 0x0D), (0x1C, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x180E, 0x180E),
    (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
_LINE_ENDS: Ranges = ((0x0A, 0x0D), (0x85, 0x85), (0x2028, 0x2029))


def _without(ranges: Ranges, holes: Ranges) -> Ranges:
    """The code points of `ranges` that are in none of `holes`."""
    left = list(ranges)
    for low, high in holes:
        left = [
            part
            for start, end in left
            for part in ((start, min(end, low - 1)), (max(start, high + 1), end))
            if part[0] <= part[1]
        ]
    return tuple(sorted(set(left)))


_CATEGORIES: dict[Any, Ranges] = {
    code.CATEGORY_DIGIT: _DIGITS,
    code.CATEGORY_WORD: _WORD,
    code.CATEGORY_SPACE: _SPACE,
    code.CATEGORY_NOT_DIGIT: _without(((0x20, 0x65F),), _DIGITS),  # U+0660 is a digit to Python and Rust
    code.CATEGORY_NOT_WORD: _without(((0x20, 0x7E),), _WORD),
    code.CATEGORY_NOT_SPACE: _without(ANY, _ALL_SPACE),
}
_OPPOSITES = {
    code.CATEGORY_DIGIT: code.CATEGORY_NOT_DIGIT,
    code.CATEGORY_WORD: code.CATEGORY_NOT_WORD,
    code.CATEGORY_SPACE: code.CATEGORY_NOT_SPACE,
    code.CATEGORY_NOT_DIGIT: code.CATEGORY_DIGIT,
    code.CATEGORY_NOT_WORD: code.CATEGORY_WORD,
    code.CATEGORY_NOT_SPACE: code.CATEGORY_SPACE,
}


class NotWritable(ValueError):
    """A pattern, or a combination of bounds, that a grammar cannot hold; says why."""


@dataclass(frozen=True)
class Lengths:
    """The least and the greatest number of characters of a string."""

    least: int
    most: int


@dataclass(frozen=True)
class _Character:
    ranges: Ranges

    def widths(self, cap: int) -> Lengths:
        return Lengths(1, 1)

    def text(self, cap: int, grammar: Grammar) -> str:
        plain = _without(self.ranges, _UNWRITABLE)
        options = [f"[{''.join(map(_range, plain))}]"] if plain else []
        options += [
            literal(text)
            for point, text in _ESCAPED.items()
            if any(low <= point <= high for low, high in self.ranges)
        ]
        return options[0] if len(options) == 1 else f"({' | '.join(options)})"


@dataclass(frozen=True)
class _Sequence:
    parts: tuple[_Node, ...]

    def widths(self, cap: int) -> Lengths:
        found = [part.widths(cap) for part in self.parts]
        return Lengths(sum(one.least for one in found), sum(one.most for one in found))

    def text(self, cap: int, grammar: Grammar) -> str:
        return " ".join(filter(None, (part.text(cap, grammar) for part in self.parts)))


@dataclass(frozen=True)
class _Choice:
    options: tuple[_Node, ...]

    def widths(self, cap: int) -> Lengths:
        found = [option.widths(cap) for option in self.options]
        return Lengths(min(one.least for one in found), max(one.most for one in found))

    def text(self, cap: int, grammar: Grammar) -> str:
        return f"({' | '.join(option.text(cap, grammar) for option in self.options)})"


@dataclass(frozen=True)
class _Repeat:
    least: int
    most: int
    part: _Node

    def capped(self, cap: int) -> Lengths:
        return Lengths(self.least, max(self.least, min(self.most, cap)))

    def widths(self, cap: int) -> Lengths:
        times, one = self.capped(cap), self.part.widths(cap)
        return Lengths(times.least * one.least, times.most * one.most)

    def text(self, cap: int, grammar: Grammar) -> str:
        times, one = self.capped(cap), self.part.text(cap, grammar)
        if times.most == 0 or not one:
            return ""
        return f"{grammar.rule(one)}{{{times.least},{times.most}}}"


_Node = _Character | _Sequence | _Choice | _Repeat
_ANYTHING = _Repeat(0, code.MAXREPEAT, _Character(ANY))


_NAMES = {
    code.ASSERT: "look-around",
    code.ASSERT_NOT: "look-around",
    code.GROUPREF: "a back reference",
    code.AT: "an anchor or word boundary inside",
    code.SUBPATTERN: "flags",
}


def expression(pattern: str, lengths: Lengths, grammar: Grammar) -> str:
    """The grammar of all strings (without quotes) that `pattern` finds a match in and that are so long.

    Raises:
        NotWritable: the pattern has something that is not handled, or allows strings of another length.
    """
    try:
        parsed = _parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise NotWritable(f"it cannot be read ({error})") from None
    if parsed.state.flags & ~re.UNICODE:
        raise NotWritable("it sets flags")
    node = _line(list(parsed), begun=False, ended=False)
    most = lengths.most
    cap = bisect.bisect_right(range(most + 1), most, key=lambda cap: node.widths(cap).most) - 1
    if cap < 0:
        raise NotWritable(f"it allows more than {most:,} characters")
    if node.widths(cap).least < lengths.least:
        if not (isinstance(node, _Repeat) and isinstance(node.part, _Character)):
            raise NotWritable(f"it allows fewer than {lengths.least:,} characters")
        node = _Repeat(lengths.least, max(lengths.least, node.capped(cap).most), node.part)
    return node.text(cap, grammar)


def _line(items: list[Any], *, begun: bool, ended: bool) -> _Node:
    """A whole pattern: where it is not anchored, anything may stand around it."""
    if items and items[0] in ((code.AT, code.AT_BEGINNING), (code.AT, code.AT_BEGINNING_STRING)):
        return _line(items[1:], begun=True, ended=ended)
    if items and items[-1] in ((code.AT, code.AT_END), (code.AT, code.AT_END_STRING)):
        return _line(items[:-1], begun=begun, ended=True)
    if len(items) == 1 and items[0][0] is code.BRANCH:
        options = (_line(list(option), begun=begun, ended=ended) for option in items[0][1][1])
        return _Choice(tuple(options))
    if len(items) == 1 and items[0][0] is code.SUBPATTERN and not any(items[0][1][1:3]):
        return _line(list(items[0][1][3]), begun=begun, ended=ended)
    before, after = () if begun else (_ANYTHING,), () if ended else (_ANYTHING,)
    parts = (*before, *map(_node, items), *after)
    return parts[0] if len(parts) == 1 else _Sequence(parts)


def _node(item: tuple[Any, Any]) -> _Node:
    kind, value = item
    if kind in (code.LITERAL, code.NOT_LITERAL, code.ANY, code.IN):
        return _character(_ranges(kind, value))
    if kind is code.BRANCH:
        return _Choice(tuple(_sequence(option) for option in value[1]))
    if kind is code.SUBPATTERN and not any(value[1:3]):
        return _sequence(value[3])
    if kind in (code.MAX_REPEAT, code.MIN_REPEAT):  # greedy or not, the same strings match
        least, most, part = value
        return _Repeat(int(least), int(most), _sequence(part))
    raise NotWritable(f"it uses {_NAMES.get(kind, str(kind).lower().replace('_', ' '))}")


def _sequence(items: Any) -> _Node:
    nodes = tuple(map(_node, items))
    return nodes[0] if len(nodes) == 1 else _Sequence(nodes)


def _character(ranges: Ranges) -> _Character:
    if not _without(ranges, _without(_UNWRITABLE, tuple((point, point) for point in _ESCAPED))):
        raise NotWritable("it asks for a character that cannot be written here")
    return _Character(ranges)


def _ranges(kind: Any, value: Any) -> Ranges:
    if kind is code.LITERAL:
        return ((value, value),)
    if kind is code.RANGE:
        return (value,)
    if kind is code.NOT_LITERAL:
        return _without(ANY, ((value, value),))
    if kind is code.ANY:
        return _without(ANY, _LINE_ENDS)
    if kind is code.CATEGORY:
        return _CATEGORIES[value]
    if value[0] != (code.NEGATE, None):
        return tuple(sorted(one for item in value for one in _ranges(*item)))
    left = ANY
    for kind_of_one, one in value[1:]:
        opposite = _CATEGORIES[_OPPOSITES[one]] if kind_of_one is code.CATEGORY else None
        left = _without(left, _ranges(kind_of_one, one) if opposite is None else _without(ANY, opposite))
    return left


def _range(bounds: tuple[int, int]) -> str:
    low, high = map(_point, bounds)
    return low if low == high else f"{low}-{high}"


def _point(code_point: int) -> str:
    for limit, form in ((0x100, "\\x{:02X}"), (0x10000, "\\u{:04X}")):
        if code_point < limit:
            return form.format(code_point)
    return f"\\U{code_point:08X}"
