"""The Markdown fence that models like to write around JSON: allowed by the grammar, not part of the answer.

A small model that must not begin with its accustomed "```json" answers worse, and llama.cpp's own conversion
of schemas lets it: so do we, and cut off the fence and white space around the JSON.
"""

from __future__ import annotations

from typing import Any

from aicourse.tooling.localmodel.server.grammar import Grammar

_OPENING, _CLOSING = "```json", " \t\n`"


def fenced(grammar: Grammar, rule: str) -> str:
    """The rule of the same answer, bare or in a fence."""
    name = grammar.rule(rule)
    return f'{name} | "{_OPENING}" space {name} "```"'


class Bare:
    """The text of a stream without the fence: what may belong to it waits until it is clear."""

    def __init__(self) -> None:
        self._begun = False
        self._waiting = ""

    def chunk(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The chunk with what can be said by now."""
        choices = [self._choice(choice) for choice in payload["choices"]]
        return payload | {"choices": choices}

    def _choice(self, choice: dict[str, Any]) -> dict[str, Any]:
        delta, reason = choice["delta"], choice.get("finish_reason")
        said = self._said(delta.get("content") or "")
        if reason == "length":  # cut off inside the JSON: what waited belongs to it
            said, self._waiting = said + self._waiting, ""
        if not said and not delta.get("content"):
            return choice
        return choice | {"delta": delta | {"content": said}}

    def _said(self, text: str) -> str:
        text = self._waiting + text
        if not self._begun:
            rest = text.removeprefix(_OPENING).lstrip()
            self._waiting = text
            if not rest or _OPENING.startswith(text):
                return ""
            self._begun, text = True, rest
        said = text.rstrip(_CLOSING)
        self._waiting = text[len(said) :]
        return said
