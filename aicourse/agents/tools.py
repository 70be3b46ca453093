"""Tools: functions that a model may call, told of by their own signature, types and docstring.

    @tool
    def order_status(order_id: Annotated[int, Field(ge=1)]) -> str:
        '''Look up one order: item, price, status.

        Args:
            order_id: The number of the order.
        '''

    @tool(writes=True)
    def refund_order(order_id: int) -> Write:
        '''Pay an order back.'''
        ...                                   # the rules: raise ToolRefused("why. What to do next.")
        yield "Refund 45.00 €?"               # the question to the customer; only after a yes it goes on
        connection.execute(...)               # the effect
        return "45.00 € are on their way."

A model's arguments are a stranger's: they are read strictly, checked by pydantic, and whatever is wrong
comes back as a result with the next step, never as an exception. Who the customer is, no argument says: a
tool knows it from the object that it is a method of. A write ends at its `yield` until the customer has
confirmed it (`writes`). Not handled: asynchronous tools, and results that are no text.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MethodType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, overload

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.json_schema import GenerateJsonSchema

from aicourse.agents.writes import Confirmation, RowChange, Write
from aicourse.errors import AgentError, ToolRefused, first_problem
from aicourse.json_text import dumps, loads
from aicourse.suggestions import did_you_mean

if TYPE_CHECKING:
    from aicourse.agents.writes import Writes

LARGEST_ARGUMENTS = 10_000  # characters
Status = Literal["done", "asks", "refused", "invalid", "failed"]


@dataclass(frozen=True)
class ToolResult:
    """The outcome of a call: `text` is for the model.

    `status`: "done"; "asks" (a write that waits for the customer: see `confirmation`); "refused" (by the
    tool's rules) and "invalid" (no such tool, other arguments), both with the next step; "failed" (the tool
    itself broke: not the model's fault).
    """

    status: Status
    text: str
    confirmation: Confirmation | None = None
    changes: tuple[RowChange, ...] = ()


@dataclass(frozen=True)
class Tool:
    """A function with the form of its arguments; as an attribute of a class it is a method."""

    name: str
    description: str
    function: Callable[..., Any]
    form: type[BaseModel]
    writes: bool = False

    def __get__(self, instance: object, owner: type | None = None) -> Self:
        return self if instance is None else replace(self, function=MethodType(self.function, instance))

    def __call__(self, *values: Any, **arguments: Any) -> Any:
        """The function itself, as it was written."""
        return self.function(*values, **arguments)

    @property
    def schema(self) -> dict[str, Any]:
        """The tool as `chat.completions` wants it."""
        parameters = self.form.model_json_schema(schema_generator=_Untitled)
        parameters = {key: value for key, value in parameters.items() if key not in ("title", "description")}
        function = {"name": self.name, "description": self.description, "parameters": parameters}
        return {"type": "function", "function": function}

    def checked(self, arguments: str | Mapping[str, Any]) -> dict[str, Any]:
        """The arguments in their types: "1001" is 1001 where a whole number is wanted.

        Raises:
            ValueError: no JSON object, too long, or not what the tool takes; the text says what to do.
        """
        if len(arguments if isinstance(arguments, str) else dumps(arguments)) > LARGEST_ARGUMENTS:
            raise ValueError(f"Error: the arguments of {self.name} are too long. Send only what it asks for.")
        given = read_arguments(arguments)
        try:
            form = self.form.model_validate(given)
        except ValidationError as error:
            wanted = ", ".join(self.form.model_fields) or "none"
            raise ValueError(
                f"Error: {first_problem(error)[:200]}. {self.name} takes these arguments: {wanted}. "
                "Correct the call, or ask the customer for what is missing."
            ) from None
        return {name: getattr(form, name) for name in self.form.model_fields}


def read_arguments(arguments: str | Mapping[str, Any]) -> dict[str, Any]:
    """The object that a call's arguments are.

    Raises:
        ValueError: they are none; the text says what to do.
    """
    try:
        given = loads(arguments or "{}") if isinstance(arguments, str) else dict(arguments)
        if not isinstance(given, dict):
            raise ValueError("not an object")
    except ValueError as error:
        raise ValueError(f"Error: the arguments are no JSON ({error}). Send a JSON object.") from None
    return given


class _Untitled(GenerateJsonSchema):
    """JSON schema without titles: they repeat the names, and a model pays for each word."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@overload
def tool(function: Callable[..., Any]) -> Tool: ...
@overload
def tool(*, writes: bool = False) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(function: Callable[..., Any] | None = None, *, writes: bool = False) -> Any:
    """A function as a tool; `writes=True` for one that changes something, which asks with `yield`.

    The types of its parameters are pydantic's (`Literal`, `Annotated[str, Field(max_length=80)]`, …), their
    descriptions are in the docstring (Google style).

    >>> @tool
    ... def add(first: int, second: int) -> str:
    ...     "Add two numbers."
    ...     return str(first + second)
    >>> Tools([add]).call("add", '{"first": 2, "second": "3"}').text
    '5'

    Raises:
        AgentError: no docstring, a parameter without a type, or a write that never asks.
    """
    if function is None:
        return functools.partial(_made, writes=writes)
    return _made(function, writes=writes)


def _made(function: Callable[..., Any], *, writes: bool) -> Tool:
    name = function.__name__
    description, told = _documented(function)
    if not description:
        raise AgentError(f"The tool {name} has no docstring. Say in one what it does: the model reads it.")
    if inspect.isgeneratorfunction(function) is not writes:
        raise AgentError(
            f"The tool {name} must "
            + ("ask with yield before it writes." if writes else "be writes=True: it asks.")
        )
    types = typing.get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.name not in types:
            raise AgentError(f"The tool {name} gives {parameter.name} no type. Annotate it.", tool=name)
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (
            types[parameter.name],
            Field(default, description=told.get(parameter.name)),
        )
    form = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
    return Tool(name, description, function, form, writes)


def _documented(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """The text of a docstring and its descriptions of parameters."""
    from griffe import Docstring, Parser  # half a second to import

    sections = Docstring(inspect.getdoc(function) or "").parse(Parser.google, warnings=False)
    texts = [section.value for section in sections if section.kind.value == "text"]
    listed = [section.value for section in sections if section.kind.value == "parameters"]
    told = {one.name: " ".join(one.description.split()) for one in (listed[0] if listed else ())}
    return " ".join("\n".join(texts).split()), told


class Toolset(Protocol):
    """The form of tools that a loop needs: `Tools`, or those of a server elsewhere."""

    writes: Writes | None

    @property
    def schemas(self) -> list[dict[str, Any]]:
        """All tools, as `chat.completions` wants them."""

    def __contains__(self, name: object) -> bool: ...

    def is_write(self, name: str) -> bool:
        """True for a known tool that writes."""

    def call(self, name: str, arguments: str | Mapping[str, Any]) -> ToolResult:
        """The result of a call, whatever a model sends."""

    def confirm(self, token: str) -> ToolResult:
        """The result of what the customer has said yes to."""

    def decline(self, token: str) -> ToolResult:
        """The result of a no."""


class Tools:
    """The tools of one conversation; `writes` keeps what they change, and is needed for tools that write."""

    def __init__(self, tools: Iterable[Tool], writes: Writes | None = None) -> None:
        self._tools = {one.name: one for one in tools}
        self.writes = writes
        if writes is None and (writing := [one.name for one in self if one.writes]):
            raise AgentError(f"{', '.join(writing)}: tools that write need writes=Writes(connection, …).")

    @classmethod
    def of(cls, service: object, writes: Writes | None = None) -> Tools:
        """The tools among the methods of an object, in the order of its class."""
        found = [
            name
            for kind in reversed(type(service).__mro__)
            for name, value in vars(kind).items()
            if isinstance(value, Tool)
        ]
        return cls((getattr(service, name) for name in found), writes)

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def __getitem__(self, name: str) -> Tool:
        return self._tools[name]

    def is_write(self, name: str) -> bool:
        """True for a known tool that writes."""
        return name in self and self[name].writes

    @property
    def schemas(self) -> list[dict[str, Any]]:
        """All tools, as `chat.completions` wants them."""
        return [one.schema for one in self]

    def call(self, name: str, arguments: str | Mapping[str, Any]) -> ToolResult:
        """Call a tool as a model asks for it; a write is only prepared, and its question asked.

        Never raises for what a model may send. A tool that breaks is a result as well, with status "failed".
        """
        if name not in self._tools:
            return ToolResult("invalid", _unknown(name, list(self._tools)))
        chosen = self._tools[name]
        try:
            given = chosen.checked(arguments)
        except ValueError as error:
            return ToolResult("invalid", str(error))
        try:
            if chosen.writes:
                assert self.writes is not None
                asked = self.writes.ask(name, given, lambda: chosen.function(**given))
                return ToolResult("asks", f"Not done yet: the customer is asked «{asked.question}»", asked)
            text = str(chosen.function(**given))
        except ToolRefused as refusal:
            return ToolResult("refused", refusal.message)
        except Exception as error:
            return ToolResult("failed", f"Error: {name} is out of order ({type(error).__name__}). Hand over.")
        return ToolResult("done", text, changes=self._changes())

    def confirm(self, token: str) -> ToolResult:
        """The result of what the customer has said yes to: done once, whatever is pressed how often."""
        assert self.writes is not None
        try:
            text = self.writes.perform(token, self._begun)
        except ToolRefused as refusal:
            return ToolResult("refused", refusal.message)
        except Exception as error:
            return ToolResult("failed", f"Error: it could not be done ({type(error).__name__}). Try again.")
        return ToolResult("done", text, changes=self._changes())

    def decline(self, token: str) -> ToolResult:
        """Note the customer's no."""
        if self.writes is not None and self.writes.decline(token):
            return ToolResult("refused", "Nothing was changed.")
        return ToolResult("refused", "That question is no longer open.")

    def _begun(self, name: str, arguments: dict[str, Any]) -> Write:
        if name not in self:
            raise ToolRefused(f"{name} is not offered any more. Ask for something else.")
        return self[name].function(**self[name].checked(arguments))  # type: ignore[no-any-return]

    def _changes(self) -> tuple[RowChange, ...]:
        return self.writes.new_changes() if self.writes else ()


def _unknown(name: str, known: list[str]) -> str:
    return (
        f"Error: there is no tool {name[:60]!r}.{did_you_mean(name, known)} Use one of: {', '.join(known)}."
    )
