"""GBNF, the grammars that llama.cpp keeps a model to: pieces of JSON, and the rules they are made of.

White space, numbers and the order of properties are those of llama.cpp's own conversion of JSON schemas.
Format: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
"""

from __future__ import annotations

import json
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

_JSON = r"""
space ::= | " " | "\n"{1,2} [ \t]{0,20}
char ::= [^"\\\x7F\x00-\x1F] | [\\] (["\\bfnrt] | "u" unit)
unit ::= ([0-9a-cefA-CEF] [0-9a-fA-F] | [dD] [0-7]) [0-9a-fA-F]{2}
string ::= "\"" char* "\"" space
integral ::= [0] | [1-9] [0-9]{0,15}
integer ::= "-"? integral space
number ::= "-"? integral ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,2})? space
boolean ::= ("true" | "false") space
null ::= "null" space
object ::= "{" space (string ":" space value ("," space string ":" space value)*)? "}" space
array ::= "[" space (value ("," space value)*)? "]" space
value ::= object | array | string | number | boolean | null
"""
MOST_DIGITS = 15  # of a bound; a number of JSON keeps that many exactly


class Grammar:
    """Rules of one grammar; equal ones are kept once, and repeating a rule costs llama.cpp least."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def rule(self, body: str) -> str:
        """The name of the rule with this body."""
        return self._names.setdefault(body, f"r{len(self._names)}")

    def text(self, root: str) -> str:
        """The whole grammar of what `root` describes."""
        rules = "".join(f"{name} ::= {body}\n" for body, name in self._names.items())
        return f"root ::= {root}{_JSON}{rules}"

    def constant(self, *values: Any) -> str:
        """One of these JSON values.

        Raises:
            ValueError: one is no number in JSON (infinite).
        """
        texts = (json.dumps(value, ensure_ascii=False, allow_nan=False) for value in values)
        return self.rule(f"({' | '.join(map(literal, texts))}) space")

    def of_object(self, required: dict[str, str], optional: dict[str, str], *, filled: bool = False) -> str:
        """An object of these properties, each with the rule of its value; `filled` if it has one at least."""
        must, may = ([self._pair(*item) for item in group.items()] for group in (required, optional))
        if must:
            body = ' "," space '.join(must) + "".join(f' ("," space {pair})?' for pair in may)
        else:
            firsts = " | ".join(
                pair + "".join(f' ("," space {later})?' for later in may[number + 1 :])
                for number, pair in enumerate(may)
            )
            body = f"({firsts}){'' if filled else '?'}" if may else ""
        return self.rule(f'"{{" space {body} "}}" space')

    def of_map(self, key: str, value: str, least: int, most: int) -> str:
        """An object of `least` to `most` properties whose names and values follow rules."""
        return self._enclosed("{}", self.rule(f'{key} ":" space {value}'), least, most)

    def of_list(self, fixed: list[str], item: str | None, least: int, most: int) -> str:
        """A list that begins with `fixed` and goes on with `least` to `most` times `item`."""
        if not fixed:
            return self._enclosed("[]", item or "", least, most if item else 0)
        more = f'("," space {item}){{{least},{most}}}' if item and most else ""
        return self.rule(f'"[" space {self._joined(fixed)} {more} "]" space')

    def _pair(self, name: str, value: str) -> str:
        return self.rule(f'{literal(json.dumps(name, ensure_ascii=False))} space ":" space {value}')

    def _joined(self, parts: list[str]) -> str:
        return ' "," space '.join(parts)

    def _enclosed(self, brackets: str, one: str, least: int, most: int) -> str:
        body = ""
        if most:
            more = self.rule(f'"," space {one}')
            body = f"{one} {more}{{{max(least - 1, 0)},{most - 1}}}" if most > 1 else one
            body = body if least else f"({body})?"
        return self.rule(f'"{brackets[0]}" space {body} "{brackets[1]}" space')


def literal(text: str) -> str:
    """A text as a grammar's literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def integers(low: int | None, high: int | None) -> str | None:
    """The whole numbers from `low` to `high`; None when there is none.

    >>> integers(-3, 12)
    '"-" ([1-3]) | [0-9] | "1" ([0-2])'
    """
    signs = []
    if low is None or low < 0:
        negative = _naturals(max(1, -high if high is not None else 1), None if low is None else -low)
        signs += [f'"-" ({negative})'] if negative else []
    if high is None or high >= 0:
        signs += [_naturals(max(low or 0, 0), high) or ""]
    return " | ".join(filter(None, signs)) or None


def numbers(low: Decimal | None, high: Decimal | None) -> str | None:
    """The numbers from `low` to `high`, without exponent; None when there is none.

    Next to a bound that is not whole they have as many decimals as it has.
    """
    signs = []
    if low is None or low < 0:
        least = -high if high is not None and high < 0 else Decimal(0)
        negative = _not_negative(least, None if low is None else -low)
        signs += [f'"-" ({negative})'] if negative else []
    if high is None or high >= 0:
        signs += [_not_negative(max(low or Decimal(0), Decimal(0)), high) or ""]
    return " | ".join(filter(None, signs)) or None


def _not_negative(low: Decimal, high: Decimal | None) -> str | None:
    if high is not None and low > high:
        return None
    first = int(low.to_integral_value(ROUND_CEILING))
    fraction = '("." [0-9]{1,16})?'
    if high is None:
        options = [f"({_naturals(first, None)}) {fraction}"]
        last = None
    else:
        last = int(high.to_integral_value(ROUND_FLOOR))
        inside, top = _naturals(first, last - 1), _naturals(last, last)
        options = [f"({inside}) {fraction}"] if inside else []
        options += [str(top)] if first <= last else []
    if first != low:
        options.append(_fractions(first - 1, low, high if last == first - 1 else None))
    if high is not None and last is not None and last != high and last >= first:
        options.append(_fractions(last, None, high))
    return " | ".join(options) or None


def _fractions(whole: int, low: Decimal | None, high: Decimal | None) -> str:
    """The numbers `whole`.… from `low` to `high`, with as many decimals as these have, two at least."""
    bounds = [bound for bound in (low, high) if bound is not None]
    places = max(2, *(-int(bound.as_tuple().exponent) for bound in bounds))
    least = "0" * places if low is None else f"{low - whole:.{places}f}"[2:]
    most = "9" * places if high is None else f"{high - whole:.{places}f}"[2:]
    return f'"{whole}." ({_between(least, most)})'


def _naturals(low: int, high: int | None) -> str | None:
    """The whole numbers from `low` (0 or more) to `high`."""
    options = []
    for digits in range(len(str(low)), len(str(high if high is not None else low)) + 1):
        least, most = max(low, 10 ** (digits - 1) if digits > 1 else 0), 10**digits - 1
        most = most if high is None else min(high, most)
        options += [_between(str(least), str(most))] if least <= most else []
    if high is None:
        options.append(f"[1-9] [0-9]{{{len(str(low))},{MOST_DIGITS}}}")
    return " | ".join(options) or None


def _between(low: str, high: str) -> str:
    """The digits from `low` to `high`, which are equally long."""
    if low == high:
        return f'"{low}"'
    first, last, rest = int(low[0]), int(high[0]), len(low) - 1
    if not rest:
        return f"[{first}-{last}]"
    if first == last:
        return f'"{first}" ({_between(low[1:], high[1:])})'
    options, tail = [], []
    if low[1:] != "0" * rest:
        options.append(f'"{first}" ({_between(low[1:], "9" * rest)})')
        first += 1
    if high[1:] != "9" * rest:
        tail.append(f'"{last}" ({_between("0" * rest, high[1:])})')
        last -= 1
    if first <= last:
        options.append(f"[{first}-{last}] [0-9]{{{rest}}}")
    return " | ".join(options + tail)
