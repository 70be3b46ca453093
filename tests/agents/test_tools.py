from __future__ import annotations

import sqlite3
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from aicourse.agents.tools import Tool, Tools, tool
from aicourse.agents.writes import Write, Writes
from aicourse.errors import AgentError, ToolRefused


@tool
def weather(town: Annotated[str, Field(max_length=20)], day: Literal["today", "tomorrow"] = "today") -> str:
    """Say what the weather is like.

    Only in Belgium.

    Args:
        town: The town's name,
            in English.
        day: For which day.
    """
    if town == "Atlantis":
        raise ToolRefused("No such town. Ask for another.")
    if town == "Hell":
        raise OSError("/secret/path")
    return f"Sunny in {town} {day}"


def test_a_schema_has_the_types_the_limits_and_the_words_of_the_docstring() -> None:
    assert weather.schema == {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Say what the weather is like. Only in Belgium.",
            "parameters": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "town": {
                        "type": "string",
                        "maxLength": 20,
                        "description": "The town's name, in English.",
                    },
                    "day": {
                        "type": "string",
                        "enum": ["today", "tomorrow"],
                        "default": "today",
                        "description": "For which day.",
                    },
                },
                "required": ["town"],
            },
        },
    }


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        ('{"town": "Ghent"}', "done", "Sunny in Ghent today"),
        ({"town": "Ghent", "day": "tomorrow"}, "done", "Sunny in Ghent tomorrow"),
        ('{"town": "Atlantis"}', "refused", "No such town. Ask for another."),
        ('{"town": "Ghent", "day": "yesterday"}', "invalid", "Input should be 'today' or 'tomorrow'"),
        ('{"town": "Ghent", "admin": true}', "invalid", "admin: Extra inputs are not permitted"),
        ("{}", "invalid", "Correct the call, or ask the customer for what is missing."),
        ("", "invalid", "town: Field required"),
        ('{"town": "a", "town": "b"}', "invalid", "the key 'town' occurs twice"),
        ("[" * 5_000, "invalid", "no JSON"),
        ("[]", "invalid", "no JSON (not an object)"),
        ("null", "invalid", "no JSON"),
        ('{"town": ' + "9" * 9_000 + "}", "invalid", "no JSON"),
        ('{"town": "' + "x" * 20_000 + '"}', "invalid", "too long"),
        ({"town": "\ud83d" * 19}, "invalid", "town:"),
        ('{"town": "Hell"}', "failed", "out of order (OSError)"),
    ],
)
def test_whatever_a_model_sends_is_a_result(arguments: Any, status: str, text: str) -> None:
    result = Tools([weather]).call("weather", arguments)
    assert result.status == status
    assert text in result.text
    assert "/secret/path" not in result.text
    assert len(result.text) < 600


def test_an_unknown_tool_is_answered_with_the_known_ones() -> None:
    result = Tools([weather]).call("wether" + "!" * 500, "{}")
    assert result.status == "invalid"
    assert "Use one of: weather." in result.text
    assert len(result.text) < 200
    assert Tools([weather]).call("wether", "{}").text == (
        "Error: there is no tool 'wether'. Did you mean weather? Use one of: weather."
    )


class Counter:
    """A service whose methods are tools."""

    def __init__(self, step: int) -> None:
        self.step, self.total = step, 0

    @property
    def broken(self) -> str:
        raise AssertionError("looking for tools must not run this")

    @tool
    def count(self, times: int = 1) -> str:
        """Count on."""
        self.total += self.step * times
        return str(self.total)

    def hidden(self) -> str:
        return "not a tool"


class Louder(Counter):
    @tool
    def shout(self) -> str:
        """Say the total aloud."""
        return f"{self.total}!"


def test_methods_are_tools_of_their_own_object() -> None:
    first, second = Louder(1), Louder(10)
    tools = Tools.of(first)
    assert [one.name for one in tools] == ["count", "shout"]
    assert "self" not in str(tools.schemas)
    assert tools.call("count", {"times": "3"}).text == "3"
    assert (Tools.of(second).call("count", {}).text, first.count()) == ("10", "4")
    assert isinstance(Louder.count, Tool)


def without_words(town: str) -> str:
    return town


def without_type(town) -> str:  # type: ignore[no-untyped-def]
    """Say the weather."""
    return str(town)


def without_question() -> str:
    """Pay."""
    return "paid"


def with_question() -> Write:
    """Pay."""
    yield "Pay?"
    return "paid"


@pytest.mark.parametrize(
    ("function", "writes", "words"),
    [
        (without_words, False, "has no docstring"),
        (without_type, False, "gives town no type"),
        (without_question, True, "must ask with yield"),
        (with_question, False, "must be writes=True"),
    ],
)
def test_a_tool_that_a_model_could_not_use_is_refused_at_once(
    function: Any, writes: bool, words: str
) -> None:
    with pytest.raises(AgentError, match=words):
        tool(writes=writes)(function)


def test_a_tool_that_writes_needs_a_place_for_its_confirmations() -> None:
    pay = tool(writes=True)(with_question)
    with pytest.raises(AgentError, match="with_question: tools that write need"):
        Tools([pay])
    tools = Tools([pay], Writes(sqlite3.connect(":memory:"), "mia"))
    asked = tools.call("with_question", "{}")
    assert (asked.status, asked.confirmation and asked.confirmation.question) == ("asks", "Pay?")
    assert asked.confirmation is not None
    assert tools.confirm(asked.confirmation.token).text == "paid"
