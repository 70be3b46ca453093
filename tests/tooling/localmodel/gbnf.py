"""A small reader of GBNF, llama.cpp's grammars, independent of the code that writes them.

`sample` writes a text that a grammar allows, `as_regex` and `allows` say of a text whether it is allowed.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from typing import Any


@dataclass
class Grammar:
    """The rules of a grammar: alternatives of sequences of (atom, least, most)."""

    rules: dict[str, list[list[tuple[Any, int, int]]]]

    @classmethod
    def read(cls, text: str) -> Grammar:
        """The grammar that a text describes; fails on what llama.cpp would not read, or not so."""
        rules = {}
        for line in text.strip().splitlines():
            name, body = line.split(" ::= ")
            assert body.strip(), f"{name} is empty: llama.cpp would read on in the next line"
            tokens = re.findall(
                r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|\{\d+(?:,\d*)?\}|[\w-]+|[()|*+?]', body
            )
            assert "".join(tokens) == re.sub(r'("(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\])| ', r"\1", body), line
            rules[name] = cls._alternatives(tokens)
            assert not tokens
        return cls(rules)

    @classmethod
    def _alternatives(cls, tokens: list[str]) -> list[list[tuple[Any, int, int]]]:
        found: list[list[tuple[Any, int, int]]] = [[]]
        while tokens and tokens[0] != ")":
            token = tokens.pop(0)
            if token == "|":
                found.append([])
                continue
            atom: Any = token
            if token == "(":
                atom = cls._alternatives(tokens)
                assert tokens.pop(0) == ")"
            least, most = 1, 1
            if tokens and tokens[0][0] in "*+?{":
                times = tokens.pop(0)
                bounds = [int(bound) for bound in re.findall(r"\d+", times)]
                least, most = {"*": (0, 1_999), "+": (1, 1_999), "?": (0, 1)}.get(times) or (
                    bounds[0],
                    bounds[-1],
                )
                assert most - least < 2_000  # llama.cpp refuses more, or takes it for "without end"
            found[-1].append((atom, least, most))
        return found

    def sample(self, draw: random.Random, rule: str = "root") -> str:
        """A text that the grammar allows."""
        return self._write(self.rules[rule], draw, 0)

    def _write(self, options: Any, draw: random.Random, depth: int) -> str:
        option = options[-1] if depth > 40 else draw.choice(options)
        text = ""
        for atom, least, most in option:
            times = least if depth > 40 else draw.choice([least, min(most, least + 1), min(most, least + 3)])
            times = most if draw.random() < 0.02 and depth < 12 and most < 500 else times
            text += "".join(self._one(atom, draw, depth + 1) for _ in range(times))
        return text

    def _one(self, atom: Any, draw: random.Random, depth: int) -> str:
        if isinstance(atom, list):
            return self._write(atom, draw, depth)
        if atom[0] == '"':
            return unescaped(atom[1:-1])
        if atom[0] == "[":
            accepted = re.compile(atom)
            points = re.findall(r"[^\\^-]", unescaped(atom[2:-1] if atom[1] == "^" else atom[1:-1]))
            points += list('aZ09 é€😀"\\\n-_.,x') + [chr(draw.randint(32, 0x2FFF)) for _ in range(30)]
            return draw.choice([point for point in points if accepted.fullmatch(point)])
        return self._write(self.rules[atom], draw, depth)

    def as_regex(self, rule: str = "root") -> str:
        """The regular expression of a grammar that does not refer to itself."""
        return self._regex(self.rules[rule])

    def allows(self, value: Any) -> bool:
        """True if the value can be written as JSON; for a grammar that does not refer to itself."""
        return re.fullmatch(self.as_regex(), json.dumps(value, ensure_ascii=False)) is not None

    def _regex(self, options: Any) -> str:
        parts = []
        for option in options:
            text = ""
            for atom, least, most in option:
                one = atom if atom[0] == "[" else self._regex_of(atom)
                text += one if (least, most) == (1, 1) else f"{one}{{{least},{most}}}"
            parts.append(text)
        return f"(?:{'|'.join(parts)})"

    def _regex_of(self, atom: Any) -> str:
        if isinstance(atom, list):
            return self._regex(atom)
        return f"(?:{re.escape(unescaped(atom[1:-1]))})" if atom[0] == '"' else self._regex(self.rules[atom])


def unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        kind, digits = match[1][0], match[1][1:]
        return chr(int(digits, 16)) if kind in "xuU" else {"n": "\n", "r": "\r", "t": "\t"}.get(kind, kind)

    return re.sub(r"\\(x[0-9A-F]{2}|u[0-9A-F]{4}|U[0-9A-F]{8}|.)", one, text)
