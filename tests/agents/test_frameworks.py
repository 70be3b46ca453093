"""The same tools, scenarios and checks in other loops: pydantic-ai, openai-agents (chat and Responses).

A framework takes the place of `Conversation.turn`; its calls go through `Conversation.call`, so that record,
vetoes and judging are ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai import Tool as PydanticTool
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from aicourse.agents.evaluation import run_scenarios
from aicourse.agents.loop import Agent, Conversation
from aicourse.agents.rules import known_ids
from aicourse.agents.scenarios import Scenario, load_scenarios
from aicourse.agents.tools import Tools
from aicourse.marketplace.support.snapshot import scenario_desk
from aicourse.testing import ScriptedModel, ToolCall
from aicourse.tooling.localmodel.server.app import create_app

MODEL = "qwen2.5-coder-1.5b"
SWAP = next(one for one in load_scenarios("dev") if "customer_swap" in one.tags)


def scripted(scenario: Scenario) -> ScriptedModel:
    """A model that replays the gold."""
    replies: list[Any] = []
    for turn in scenario.gold:
        replies += [ToolCall(call.tool, call.arguments) for call in turn.calls]
        replies.append(turn.reply or "Please confirm.")
    return ScriptedModel(*replies)


class Framed(Conversation):
    """A conversation whose turns are another loop's; a tool's question is the reply, as in ours."""

    def __init__(self, model: ScriptedModel, tools: Tools, customer: str) -> None:
        vetoes = (known_ids(),)
        super().__init__(Agent(model.client(), MODEL, "Help.", vetoes=vetoes), tools, customer)
        self.model = model
        self.history: Any = []

    def turn(self, text: str) -> str:
        self.questions: list[str] = []
        reply = self.framework(text)
        return "\n".join(self.questions) or reply

    def framework(self, text: str) -> str:
        raise NotImplementedError

    def calling(self, name: str) -> Callable[[str], str]:
        def call(arguments: str) -> str:
            result = self.call(name, arguments)
            self.questions += [result.confirmation.question] if result.confirmation else []
            return result.text

        return call


class WithPydanticAI(Framed):
    def framework(self, text: str) -> str:
        def function(name: str) -> Callable[..., str]:
            return lambda **arguments: self.calling(name)(json.dumps(arguments))

        tools = [
            PydanticTool.from_schema(
                function(one["name"]), one["name"], one["description"], one["parameters"]
            )
            for one in (schema["function"] for schema in self.tools.schemas)
        ]
        model = OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=self.model.async_client()))
        agent = PydanticAgent(model, instructions="Help.", tools=tools)
        result = agent.run_sync(text, message_history=self.history)
        self.history = result.all_messages()
        return str(result.output)


class WithOpenAIAgents(Framed):
    def framework(self, text: str) -> str:
        import agents

        async def invoke(name: str, arguments: str) -> str:
            return self.calling(name)(arguments)

        tools = [
            agents.FunctionTool(
                name=one["name"],
                description=one["description"],
                params_json_schema=one["parameters"],
                on_invoke_tool=lambda context, arguments, name=one["name"]: invoke(name, arguments),
                strict_json_schema=False,
            )
            for one in (schema["function"] for schema in self.tools.schemas)
        ]
        agents.set_tracing_disabled(True)
        agent = agents.Agent(name="support", instructions="Help.", tools=tools, model=self.asked(agents))
        result = agents.Runner.run_sync(agent, [*self.history, {"role": "user", "content": text}])
        self.history = result.to_input_list()
        return str(result.final_output)

    def asked(self, agents: Any) -> Any:
        return agents.OpenAIChatCompletionsModel(model=MODEL, openai_client=self.model.async_client())


class WithOpenAIResponses(WithOpenAIAgents):
    """The same over Responses, which the embedded model's routes speak: they are asked in process."""

    def asked(self, agents: Any) -> Any:
        self.script = getattr(self, "script", None) or Script(self.model)
        transport = httpx2.ASGITransport(create_app(self.script, "t"))  # type: ignore[arg-type]
        client = openai.AsyncOpenAI(
            base_url="http://127.0.0.1/v1", api_key="t", http_client=httpx2.AsyncClient(transport=transport)
        )
        return agents.OpenAIResponsesModel(model=MODEL, openai_client=client)


class Script:
    """A model behind the routes that says what a scripted one would, in the form that the server asks for."""

    def __init__(self, model: ScriptedModel) -> None:
        replies = [one for reply in model.drain() for one in (reply if isinstance(reply, tuple) else [reply])]
        self.replies = iter(replies)

    def names(self) -> list[str]:
        return [MODEL]

    def sha256(self, model: str) -> str:
        return "hash"

    def chat(self, model: str, request: dict[str, Any], emit: Callable[[dict[str, Any]], bool]) -> None:
        reply = next(self.replies)
        said = reply if isinstance(reply, str) else {"name": reply.name, "arguments": reply.arguments}
        text = json.dumps({"reply": said} if isinstance(said, str) else said)
        frame = {"id": "c", "created": 1, "model": "file", "object": "chat.completion.chunk"}
        for part, reason in ((text, None), ("", "stop")):
            emit(frame | {"choices": [{"index": 0, "delta": {"content": part}, "finish_reason": reason}]})
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        emit(frame | {"choices": [], "usage": usage})


@pytest.fixture(params=[WithPydanticAI, WithOpenAIAgents, WithOpenAIResponses])
def framework(request: pytest.FixtureRequest) -> type[Framed]:
    if issubclass(request.param, WithOpenAIAgents):
        # By a submodule: `agents` alone is also found as this folder, where `tests` is on the path
        pytest.importorskip("agents.run", reason="openai-agents is not in the lock")
    return request.param  # type: ignore[no-any-return]


def test_the_gold_passes_the_same_checks_in_another_loop(framework: type[Framed]) -> None:
    def start(scenario: Scenario, seed: int) -> Conversation:
        return framework(scripted(scenario), scenario_desk(scenario).tools(), scenario.customer)

    found = run_scenarios(start, load_scenarios("dev"), progress=False)
    assert {one.scenario: one.findings for one in found.results if not one.passed} == {}
    assert len(found.results) == 15


def test_a_swap_is_vetoed_in_another_loop(framework: type[Framed]) -> None:
    own = [ToolCall("list_my_orders", {})]

    def start(scenario: Scenario, seed: int) -> Conversation:
        desk = scenario_desk(scenario)
        rows = desk.connection.execute("SELECT order_id FROM orders WHERE buyer = ?", (scenario.customer,))
        writes = [ToolCall("report_problem", {"order_id": row[0], "reason": "damaged"}) for row in rows]
        model = ScriptedModel(*own, tuple(writes), *["Done, I reported it."] * 9)
        return framework(model, desk.tools(), scenario.customer)

    (result,) = run_scenarios(start, [SWAP], progress=False).results
    assert not result.passed
    assert result.trajectory is not None
    assert result.trajectory.changes == []
    assert {one.status for one in result.trajectory.calls} <= {"done", "vetoed", "refused"}
