"""Winnowed fingerprints of Python code: the passages that two programs share, whatever their names.

    tokens -> hashes of every K tokens in a row -> of each WINDOW of hashes the smallest

After Schleimer, Wilkerson & Aiken, "Winnowing: Local Algorithms for Document Fingerprinting", SIGMOD 2003
(MOSS): a shared run of at least K + WINDOW - 1 tokens is always found, one shorter than K never. Names of the
student's own become one token, so renaming changes nothing; comments, layout and texts do not count either.
"""

from __future__ import annotations

import builtins
import functools
import hashlib
import io
import keyword
import re
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass

K = 12
WINDOW = 5
GUARANTEED = K + WINDOW - 1
_PRIME, _BASE = 2**61 - 1, 1_000_003
_KEPT_NAMES = frozenset(keyword.kwlist) | frozenset(dir(builtins))
_IGNORED = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Token:
    """One normalised token and where it stands in the text."""

    text: str
    start: int
    end: int


def tokens(source: str) -> list[Token]:
    """The tokens of Python code, as far as it can be read; of anything else its words.

    >>> [token.text for token in tokens("size = int(text)  # cm")]
    ['name', '=', 'int', '(', 'name', ')', 'newline']
    """
    found = []
    starts = _line_starts(source)
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in _IGNORED:
                continue
            start = starts[token.start[0] - 1] + token.start[1]
            end = min(starts[min(token.end[0], len(starts)) - 1] + token.end[1], len(source))
            found.append(Token(_normal(token), start, end))
    except (tokenize.TokenError, SyntaxError, IndexError):
        rest = found[-1].end if found else 0
        found += [
            Token(_plain(match[0]), match.start() + rest, match.end() + rest)
            for match in _WORD.finditer(source[rest:])
        ]
    return found


def _line_starts(source: str) -> list[int]:
    starts = [0]
    for line in io.StringIO(source):
        starts.append(starts[-1] + len(line))
    return starts


def _normal(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.NAME:
        return _plain(token.string)
    if token.type == tokenize.NUMBER:
        return "number"
    if token.type == tokenize.STRING:
        return "text"
    names = {tokenize.NEWLINE: "newline", tokenize.INDENT: "indent", tokenize.DEDENT: "dedent"}
    return names.get(token.type, token.string)


def _plain(word: str) -> str:
    return word if word in _KEPT_NAMES or not (word[0].isalpha() or word[0] == "_") else "name"


def winnow(items: Sequence[Token]) -> dict[int, list[int]]:
    """Fingerprint -> the positions (of its first token) at which it was chosen.

    Of equal smallest hashes in a window the rightmost is taken, as in the paper: it stays smallest longest.
    """
    values = hashes(items)
    chosen: dict[int, list[int]] = {}
    last = -1
    for start in range(max(1, len(values) - WINDOW + 1) if values else 0):
        window = values[start : start + WINDOW]
        position = start + len(window) - 1 - window[::-1].index(min(window))
        if position != last:
            chosen.setdefault(values[position], []).append(position)
            last = position
    return chosen


def hashes(items: Sequence[Token]) -> list[int]:
    """The hash of every K tokens in a row, each from the one before it (Karp & Rabin 1987)."""
    numbers = [_number(item.text) for item in items]
    if len(numbers) < K:
        return []
    value = 0
    for number in numbers[:K]:
        value = (value * _BASE + number) % _PRIME
    found, first = [value], pow(_BASE, K - 1, _PRIME)
    for leaving, entering in zip(numbers, numbers[K:], strict=False):
        value = ((value - leaving * first) * _BASE + entering) % _PRIME
        found.append(value)
    return found


@functools.lru_cache(maxsize=4_096)
def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=7).digest(), "big")
