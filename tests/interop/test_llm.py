"""llm, with the model in its extra-openai-models.yaml as its documentation says."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel

pytest.importorskip("llm.models", exc_type=ModuleNotFoundError)  # `llm` alone may be tests/llm
llm = pytest.importorskip("llm")

QUESTION = "Name three colours of a jacket."
MODELS = """
- model_id: embedded
  model_name: {model}
  api_base: {v1}
  api_key_name: embedded
  supports_schema: true
  supports_tools: true
  vision: true
- model_id: gone
  model_name: gone
  api_base: {v1}
  api_key_name: embedded
- model_id: text
  model_name: {model}
  api_base: {v1}
  api_key_name: embedded
  completion: true
"""


class Jacket(BaseModel):
    colour: Literal["blue", "red"]
    price: int


@pytest.fixture
def model(endpoint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    text = MODELS.format(model=endpoint.model, v1=endpoint.v1)
    (tmp_path / "extra-openai-models.yaml").write_text(text)
    (tmp_path / "keys.json").write_text(json.dumps({"embedded": endpoint.token}))

    def get(name: str = "embedded", *, asynchronous: bool = False) -> Any:
        return llm.get_async_model(name) if asynchronous else llm.get_model(name)

    return get


class TestChat:
    def test_chat(self, model: Any) -> None:
        reply = model().prompt(QUESTION, system="Be brief", max_tokens=8, stream=False)
        assert reply.text()
        assert model("text").prompt("Once upon", max_tokens=8, stream=False).text()

    def test_stream(self, model: Any) -> None:
        assert len(list(model().prompt(QUESTION, max_tokens=8))) > 1

    def test_structured_output(self, model: Any) -> None:
        reply = model().prompt("Blue jacket, 20 euros", schema=Jacket, max_tokens=60)
        Jacket.model_validate_json(reply.text())

    def test_tools(self, model: Any) -> None:
        reply = model().prompt("What is the weather in Rome?", tools=[weather_into([])], max_tokens=40)
        (call,) = reply.tool_calls()
        assert (call.name, call.arguments.keys()) == ("weather", {"city"})

    def test_tool_round_trip(self, model: Any) -> None:
        cities: list[str] = []
        first = model().prompt("What is the weather in Rome?", tools=[weather_into(cities)], max_tokens=40)
        results = first.execute_tool_calls()
        conversation = first.conversation or model().conversation()
        conversation.responses.append(first)
        assert conversation.prompt("", tool_results=results, max_tokens=40).text()
        assert len(cities) == 1

    def test_built_in_tools(self, not_offered: Any) -> None:
        not_offered("functions only")

    def test_multi_turn(self, model: Any) -> None:
        conversation = model().conversation()
        assert conversation.prompt("My name is Ada.", max_tokens=8).text()
        assert conversation.prompt("What is my name?", max_tokens=8).text()

    def test_images(self, model: Any, endpoint: Any) -> None:
        import base64

        picture = llm.Attachment(type="image/png", content=base64.b64decode(endpoint.picture))
        assert model().prompt("Which colour? One word.", attachments=[picture], max_tokens=8).text()

    def test_embeddings(self, not_offered: Any) -> None:
        not_offered("of other servers only with a plugin")

    def test_async(self, model: Any) -> None:
        async def ask() -> str:
            return str(await model(asynchronous=True).prompt(QUESTION, max_tokens=8).text())

        assert asyncio.run(ask())

    def test_errors(self, model: Any) -> None:
        with pytest.raises(Exception, match="gone"):
            model("gone").prompt("x", stream=False).text()


def weather_into(cities: list[str]) -> Any:
    def weather(city: str) -> str:
        """The weather in a city."""
        cities.append(city)
        return "Sunny"

    return weather
