"""Tools over MCP: the official client in process and over stdio, in both forms of the protocol."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import mcp
import pytest
from mcp import StdioServerParameters, types

from aicourse.agents.loop import HANDED_OVER, Agent
from aicourse.agents.mcp import mcp_server, remote_tools
from aicourse.agents.scenarios import load_scenarios
from aicourse.agents.tools import Tools
from aicourse.errors import AgentError
from aicourse.marketplace.support.desk import Desk, open_shop
from aicourse.marketplace.support.snapshot import fill
from aicourse.testing import ScriptedModel, ToolCall

REFUND = ("refund_order", {"order_id": 4001})
ROWS = {
    "customers": [{"customer_id": one, "name": one.title()} for one in ("mia", "tom")],
    "orders": [
        {
            "order_id": number,
            "buyer": buyer,
            "seller": "tom",
            "item": "globe",
            "price_cents": 2000,
            "paid_cents": 2640,
            "status": "lost",
            "ordered_at": "2026-11-02T10:00:00",
            "address": "Dam 1, 9000 Gent",
        }
        for number, buyer in ((4001, "mia"), (4002, "tom"))
    ],
}


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    connection = open_shop(tmp_path / "shop.sqlite")
    fill(connection, ROWS)
    return Desk(connection, "mia").tools()


def refunds(tools: Tools) -> list[int]:
    assert tools.writes is not None
    return [row[0] for row in tools.writes.connection.execute("SELECT order_id FROM refunds")]


def said(result: Any) -> tuple[bool, str]:
    return bool(result.is_error), result.content[0].text


def answering(action: Any, content: Any = None) -> tuple[list[str], Any]:
    """A user who answers each question like this, and the questions."""
    questions: list[str] = []

    async def callback(context: Any, params: Any) -> Any:
        questions.append(params.message)
        if isinstance(action, Exception):
            raise action
        return types.ElicitResult(action=action, content=content)

    return questions, callback


def with_client(server: Any, work: Callable[[mcp.Client], Any], **options: Any) -> Any:
    async def main() -> Any:
        async with mcp.Client(server, **options) as client:
            return await work(client)

    return anyio.run(main)


MODES = pytest.mark.parametrize("mode", ["legacy", "auto"])


@MODES
def test_a_client_lists_the_tools_as_they_are_and_calls_them(tools: Tools, mode: str) -> None:
    async def work(client: mcp.Client) -> Any:
        listed = (await client.list_tools()).tools
        calls = [
            ("list_my_orders", {}),
            ("order_status", {"order_id": 4002}),
            ("nothing", {}),
            ("order_status", {}),
        ]
        return listed, [said(await client.call_tool(*call)) for call in calls]

    listed, results = with_client(mcp_server(tools), work, mode=mode)
    assert [(one.name, one.description, one.input_schema) for one in listed] == [
        tuple(one["function"][key] for key in ("name", "description", "parameters")) for one in tools.schemas
    ]
    assert {one.name for one in listed if not one.annotations.read_only_hint} == {
        one.name for one in tools if one.writes
    }
    assert results[0] == (False, "4001 globe (lost)")
    assert [error for error, _ in results[1:]] == [True] * 3
    assert "has no order 4002" in results[1][1]
    assert "there is no tool 'nothing'" in results[2][1]
    assert "Field required" in results[3][1]


@MODES
def test_a_write_is_done_after_the_users_yes_and_once(tools: Tools, mode: str) -> None:
    questions, callback = answering("accept", {"yes": True})

    async def work(client: mcp.Client) -> Any:
        return [said(await client.call_tool(*REFUND)) for _ in range(2)]

    first, second = with_client(mcp_server(tools), work, mode=mode, elicitation_callback=callback)
    assert first == (False, "26.40 € for order 4001 go back by card.")
    assert second[0]
    assert "were refunded" in second[1]
    assert questions == ["Refund 26.40 € for order 4001 (globe)?"]
    assert refunds(tools) == [4001]


@MODES
@pytest.mark.parametrize(
    ("action", "content"),
    [
        ("decline", None),
        ("cancel", None),
        ("accept", None),
        ("accept", {}),
        ("accept", {"yes": False}),
        ("accept", {"yes": "true"}),
        ("accept", {"yes": 1}),
        ("accept", {"confirm": True}),
    ],
)
def test_anything_but_a_yes_changes_nothing(tools: Tools, mode: str, action: Any, content: Any) -> None:
    _, callback = answering(action, content)

    async def work(client: mcp.Client) -> Any:
        return said(await client.call_tool(*REFUND))

    result = with_client(mcp_server(tools), work, mode=mode, elicitation_callback=callback)
    assert result == (True, "Nothing was changed.")
    assert refunds(tools) == []
    assert tools.writes is not None
    assert tools.writes.waiting() == []


@MODES
def test_a_client_that_cannot_ask_or_fails_to_changes_nothing(tools: Tools, mode: str) -> None:
    async def work(client: mcp.Client) -> Any:
        try:
            return said(await client.call_tool(*REFUND))
        except Exception as error:  # the client's own, in whatever wrapping
            return True, str(error)

    error, text = with_client(mcp_server(tools), work, mode=mode)
    assert (error, "cannot ask its user" in text) == (True, True)
    _, callback = answering(ValueError("the dialog is broken"))
    error, _ = with_client(mcp_server(tools), work, mode=mode, elicitation_callback=callback)
    assert error
    assert refunds(tools) == []


def test_an_answer_to_a_question_that_was_not_asked_is_none(tools: Tools) -> None:
    """The form with repeated calls: a forged answer needs the token, which only the question brings."""
    _, callback = answering("decline")
    yes = types.ElicitResult(action="accept", content={"yes": True})

    async def work(client: mcp.Client) -> Any:
        found = []
        for state in (None, "", "forged", "yes"):
            found.append(
                await client.session.call_tool(
                    *REFUND, input_responses={"confirm": yes}, request_state=state, allow_input_required=True
                )
            )
        other = await client.session.call_tool(
            "cancel_order",
            {"order_id": 4001},
            input_responses={"confirm": yes},
            request_state=found[0].request_state,
            allow_input_required=True,
        )
        return found, other

    found, other = with_client(mcp_server(tools), work, elicitation_callback=callback)
    assert all(isinstance(one, types.InputRequiredResult) for one in found)
    assert other.is_error
    assert refunds(tools) == []


# --------------------------------------------------------------- over stdio, and into our loop


def started(
    *arguments: str, module: str = "aicourse.marketplace.support.mcp_server"
) -> StdioServerParameters:
    return StdioServerParameters(command=sys.executable, args=["-m", module, *arguments])


def test_the_desk_serves_a_client_over_stdio(tmp_path: Path, tools: Tools) -> None:
    questions, callback = answering("accept", {"yes": True})

    async def work(client: mcp.Client) -> Any:
        listed = [one.name for one in (await client.list_tools()).tools]
        return (
            listed,
            said(await client.call_tool("list_my_orders", {})),
            said(await client.call_tool(*REFUND)),
        )

    server = started("mia", str(tmp_path / "shop.sqlite"))
    listed, orders, refunded = with_client(server, work, elicitation_callback=callback)
    assert listed == [one.name for one in tools]
    assert orders == (False, "4001 globe (lost)")
    assert refunded == (False, "26.40 € for order 4001 go back by card.")
    assert (len(questions), refunds(tools)) == (1, [4001])


def test_our_loop_takes_its_tools_from_a_server_in_process(tools: Tools) -> None:
    asked: list[str] = []

    def confirm(question: str) -> bool:
        asked.append(question)
        return True

    model = ScriptedModel(ToolCall("order_status", '{"order_id": '), ToolCall(*REFUND), "It is on its way.")
    with remote_tools(mcp_server(tools), confirm=confirm) as remote:
        assert remote.schemas == tools.schemas
        conversation = Agent(model.client(), "qwen2.5-coder-1.5b", "Help.").start(remote, "mia")
        assert conversation.say("My globe was lost") == "It is on its way."
        assert conversation.waiting == []
        assert conversation.answer("forged", yes=True) == "That question is no longer open."
    assert [(one.tool, one.status, one.writes) for one in conversation.trajectory.calls] == [
        ("order_status", "invalid", False),
        ("refund_order", "done", True),
    ]
    assert (asked, refunds(tools)) == (["Refund 26.40 € for order 4001 (globe)?"], [4001])


def test_without_somebody_to_ask_our_loop_changes_nothing(tools: Tools) -> None:
    with remote_tools(mcp_server(tools)) as remote:
        assert "cannot ask its user" in remote.call(*REFUND).text
    assert refunds(tools) == []


CRASHING = """
import os, anyio
from aicourse.agents.mcp import serve
from aicourse.agents.tools import Tools, tool
@tool
def crash() -> str:
    "End."
    os._exit(3)
@tool
def fine() -> str:
    "Work."
    return "fine"
anyio.run(serve, Tools([crash, fine]))
"""


def test_a_server_that_crashes_is_one_sentence() -> None:
    server = StdioServerParameters(command=sys.executable, args=["-c", CRASHING])
    with remote_tools(server) as remote:
        assert remote.call("fine", {}).text == "fine"
        model = ScriptedModel(ToolCall("crash", {}), "Sorry.")
        conversation = Agent(model.client(), "qwen2.5-coder-1.5b", "Help.").start(remote)
        assert conversation.say("Hello") in ("Sorry.", HANDED_OVER)
        (call,) = conversation.trajectory.calls
        assert (call.status, call.text) == (
            "failed",
            "Error: the server of the tools has ended or does not answer. Hand over.",
        )
        assert remote.call("fine", {}).status == "failed"


def test_a_server_that_never_answers_does_not_hold_up_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = "import threading\n" + CRASHING.replace("os._exit(3)", "threading.Event().wait()")
    server = StdioServerParameters(command=sys.executable, args=["-c", silent])
    monkeypatch.setattr("aicourse.agents.mcp.CALL_SECONDS", 0.5)
    monkeypatch.setattr("aicourse.agents.mcp.QUESTION_SECONDS", 0.5)
    with remote_tools(server) as remote:
        assert remote.call("crash", {}).status == "failed"


@pytest.mark.parametrize(
    "server",
    [
        StdioServerParameters(command="/no/such/command", args=[]),
        StdioServerParameters(command=sys.executable, args=["-c", "raise SystemExit(1)"]),
        started("nobody"),
    ],
)
def test_a_server_that_does_not_start_is_one_sentence(server: StdioServerParameters) -> None:
    with pytest.raises(AgentError, match="did not start"), remote_tools(server):
        pass


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Say whose desk"),
        (["mia", "shop.sqlite", "tom"], "Say whose desk"),
        (["nobody"], "has no customer 'nobody'"),
        (["mia", "new.sqlite"], r"No database new\.sqlite\. Check the path"),
        (["mia", "notes.sqlite"], "is no support database"),
        (["mia", "notes.txt"], "cannot be opened"),
    ],
)
def test_the_command_says_what_is_wrong_and_leaves_files_as_they_are(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from aicourse.marketplace.support import mcp_server as command

    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("notes.sqlite")) as notes:
        notes.execute("CREATE TABLE notes (text)")
    Path("notes.txt").write_text("milk", encoding="utf-8")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(sys, "argv", ["mcp_server", *arguments])
    with pytest.raises(SystemExit, match=words):
        command.main()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_course_shop_has_the_customers_of_its_scenarios() -> None:
    from aicourse.marketplace.support.snapshot import course_shop

    rows = course_shop().execute("SELECT customer_id FROM customers")
    assert {one.customer for one in load_scenarios() if "customers" not in one.start} <= {
        row[0] for row in rows
    }


def test_without_the_extra_the_command_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from aicourse.marketplace.support import mcp_server as command

    monkeypatch.setattr(sys, "argv", ["mcp_server", "mia"])
    monkeypatch.delitem(sys.modules, "aicourse.agents.mcp")
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(SystemExit, match=r"mcp.* is not installed. Install it with: pip install"):
        command.main()
