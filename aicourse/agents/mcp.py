"""Tools over the Model Context Protocol: served to any client, or taken from any server into our loop.

    asyncio.run(serve(desk.tools(), "support"))                   # over stdio, for a client that starts us
    async with mcp.Client(mcp_server(desk.tools())) as client:    # in process
    with remote_tools(StdioServerParameters(command=…, args=…), confirm=ask) as tools:
        Agent(client, model, instructions).start(tools)

A refusal is an error result, with the tool's sentence. A write asks through the client (elicitation): only
"accept" with yes does it. A client that cannot ask, that answers anything else or not at all, changes
nothing. Its user is trusted to be the customer of these tools: serve one customer's, over stdio. Both forms
of the protocol are spoken, the one in which a question interrupts a call (until 2025-11-25), and the one in
which the call is repeated with the answer (2026-07-28); there the confirmation's token travels through the
client, never through the model. Needs the extra `mcp`. Not handled: HTTP, resources, prompts.

Source: https://modelcontextprotocol.io/specification/2026-07-28
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import mcp
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import types
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server

from aicourse.agents.tools import ToolResult, Tools, read_arguments
from aicourse.agents.writes import Confirmation, Writes
from aicourse.errors import AgentError

CALL_SECONDS = 60.0  # for a server's answer
QUESTION_SECONDS = 900.0  # for its answer where its user is asked first: as long as a confirmation is good
REPEATED_CALLS_SINCE = "2026-07-28"  # from this version on, a question ends the call, which is then repeated
_QUESTION = "confirm"
_FORM: Any = {"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": ["yes"]}
_CANNOT_ASK = "Nothing was changed: this client cannot ask its user. Use one with elicitation, or the app."
_ENDED = "Error: the server of the tools has ended or does not answer. Hand over."
Answer = types.CallToolResult | types.InputRequiredResult


def mcp_server(tools: Tools, name: str = "tools") -> Server:
    """A server of these tools, in the session of their customer; clients show its `name`."""

    async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(one.schema["function"], one.writes) for one in tools])

    async def call_tool(context: ServerRequestContext[Any], params: types.CallToolRequestParams) -> Answer:
        result = tools.call(params.name, params.arguments or {})
        if result.confirmation is None:
            return _told(result)
        return await _asked(tools, result.confirmation, context, params)

    return Server(name, on_list_tools=list_tools, on_call_tool=call_tool)


async def serve(tools: Tools, name: str = "tools") -> None:
    """Serve the tools over stdio until the client leaves; nothing else may print meanwhile."""
    server = mcp_server(tools, name)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


async def _asked(
    tools: Tools,
    asked: Confirmation,
    context: ServerRequestContext[Any],
    params: types.CallToolRequestParams,
) -> Answer:
    """The result of a write, after the user's yes; all else changes nothing."""
    capabilities = context.session.client_capabilities
    form = types.ElicitRequestFormParams(message=asked.question, requested_schema=_FORM)
    if capabilities is None or capabilities.elicitation is None:
        tools.decline(asked.token)
        return _told(ToolResult("refused", _CANNOT_ASK))
    if context.protocol_version < REPEATED_CALLS_SINCE:
        try:
            answer: Any = await context.session.elicit_form(asked.question, _FORM, context.request_id)
        except mcp.MCPError:
            answer = None
    elif params.request_state != asked.token:  # not asked yet, or another question than now
        requests: Any = {_QUESTION: types.ElicitRequest(params=form)}
        return types.InputRequiredResult(input_requests=requests, request_state=asked.token)
    else:
        answer = (params.input_responses or {}).get(_QUESTION)
    yes = isinstance(answer, types.ElicitResult) and answer.action == "accept"
    if yes and (answer.content or {}).get("yes") is True:
        return _told(tools.confirm(asked.token))
    return _told(tools.decline(asked.token))


def _described(function: Mapping[str, Any], writes: bool) -> types.Tool:
    return types.Tool(
        name=function["name"],
        description=function["description"],
        input_schema=function["parameters"],
        annotations=types.ToolAnnotations(read_only_hint=not writes),
    )


def _told(result: ToolResult) -> types.CallToolResult:
    text = types.TextContent(text=result.text)
    return types.CallToolResult(content=[text], is_error=result.status != "done")


# the other way round


class RemoteTools:
    """Tools of an MCP server, as our loop calls them; `writes` are kept there, so nothing waits here."""

    writes: Writes | None = None

    def __init__(self, client: mcp.Client, portal: BlockingPortal, listed: list[types.Tool]) -> None:
        self._client, self._portal, self._listed = client, portal, {one.name: one for one in listed}

    def __contains__(self, name: object) -> bool:
        return name in self._listed

    def is_write(self, name: str) -> bool:
        """True unless the server says that the tool only reads."""
        hints = self._listed[name].annotations if name in self else None
        return name in self and not (hints and hints.read_only_hint)

    @property
    def schemas(self) -> list[dict[str, Any]]:
        """All tools, as `chat.completions` wants them."""
        functions = [
            {"name": one.name, "description": one.description or "", "parameters": one.input_schema}
            for one in self._listed.values()
        ]
        return [{"type": "function", "function": function} for function in functions]

    def call(self, name: str, arguments: str | Mapping[str, Any]) -> ToolResult:
        """Call a tool; a server that is gone or keeps silent is a result with status "failed"."""
        try:
            given = read_arguments(arguments)
        except ValueError as error:
            return ToolResult("invalid", str(error))
        try:
            seconds = QUESTION_SECONDS if self.is_write(name) else CALL_SECONDS
            result = self._portal.call(self._client.call_tool, name, given, seconds)
        except Exception:  # however the connection broke, or whatever the server sent
            return ToolResult("failed", _ENDED)
        texts = [part.text for part in result.content if isinstance(part, types.TextContent)]
        return ToolResult("refused" if result.is_error else "done", "\n".join(texts))

    def confirm(self, token: str) -> ToolResult:
        """Nothing: what waits for a yes was asked by `confirm` of `remote_tools`."""
        return ToolResult("refused", "That question is no longer open.")

    decline = confirm


@contextmanager
def remote_tools(server: Any, *, confirm: Callable[[str], bool] | None = None) -> Iterator[RemoteTools]:
    """The tools of a server: its `StdioServerParameters`, or one of this process. `confirm` asks the user.

    Raises:
        AgentError: the server does not start or does not speak the protocol.
    """

    async def answered(context: Any, params: Any) -> types.ElicitResult:
        yes = confirm is not None and confirm(params.message)
        return types.ElicitResult(action="accept", content={"yes": True}) if yes else _NO

    client = mcp.Client(server, elicitation_callback=answered if confirm else None)
    with ExitStack() as stack:
        try:
            portal = stack.enter_context(start_blocking_portal())
            stack.enter_context(_closing(portal.wrap_async_context_manager(client)))
            listed = portal.call(client.list_tools).tools
        except Exception as error:  # whatever goes wrong in a command that is not ours
            why = type(error).__name__
            raise AgentError(
                f"The server of the tools did not start ({why}). Try its command in a terminal."
            ) from None
        yield RemoteTools(client, portal, listed)


@contextmanager
def _closing(connection: Any) -> Iterator[None]:
    """The connection around the body; a server that is gone need not say goodbye."""
    connection.__enter__()
    try:
        yield
    finally:
        with suppress(mcp.MCPError, OSError, BaseExceptionGroup):
            connection.__exit__(None, None, None)


_NO = types.ElicitResult(action="decline")
