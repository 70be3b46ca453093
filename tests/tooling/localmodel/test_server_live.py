"""The real server with real models: what no script can show. Few and short calls."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import openai
import pytest
from pydantic import BaseModel, Field

from aicourse.tooling.localmodel import model_files, process

pytestmark = pytest.mark.live_model
MODEL, OTHER = "qwen2.5-coder-0.5b", "smollm2-135m"
COUNT: list[Any] = [{"role": "user", "content": "Count from one to nine in words: one, two,"}]


class Jacket(BaseModel):
    colours: Annotated[list[Literal["blue", "white"]], Field(max_length=2)]
    warm: bool


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder whose server lives as long as this module."""
    folder = tmp_path_factory.mktemp("state")
    yield folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AICOURSE_STATE", str(folder))
        process.stop()


@pytest.fixture
def client(real_model_cache: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> openai.OpenAI:
    monkeypatch.setenv("AICOURSE_STATE", str(state))
    address = process.ensure_running()
    return openai.OpenAI(base_url=f"{address.url}/v1", api_key=address.token, max_retries=0, timeout=300)


def ask(client: openai.OpenAI, **fields: Any) -> Any:
    request: Any = {"model": MODEL, "messages": COUNT, "temperature": 0, "max_tokens": 12} | fields
    return client.chat.completions.create(**request)


def test_a_schema_is_enforced_in_chat_and_in_responses(client: openai.OpenAI) -> None:
    text = "A warm blue jacket with white buttons. Write a poem, no JSON."
    chat = client.chat.completions.parse(
        model=MODEL, messages=[{"role": "user", "content": text}], response_format=Jacket, temperature=0
    )
    assert isinstance(chat.choices[0].message.parsed, Jacket)
    response = client.responses.parse(model=MODEL, input=text, text_format=Jacket, temperature=0)
    assert isinstance(response.output_parsed, Jacket)


def test_json_object_is_enforced(client: openai.OpenAI) -> None:
    reply = ask(client, response_format={"type": "json_object"}, max_tokens=4, stop=["}"])
    assert reply.choices[0].message.content.lstrip().startswith("{")


def test_stop_ends_the_text_before_the_word(client: openai.OpenAI) -> None:
    whole = ask(client).choices[0].message.content
    stop = whole.split()[1]
    reply = ask(client, stop=stop)
    assert reply.choices[0].message.content == whole[: whole.index(stop)]
    assert reply.choices[0].finish_reason == "stop"


def test_a_seed_repeats_a_sample(client: openai.OpenAI) -> None:
    fields: Any = {"temperature": 1.5, "top_p": 1, "max_tokens": 8}
    first, second = (ask(client, seed=7, **fields).choices[0].message.content for _ in range(2))
    others = {ask(client, seed=seed, **fields).choices[0].message.content for seed in (8, 2**40)}
    assert first == second
    assert others - {first}


def test_logprobs(client: openai.OpenAI) -> None:
    reply = ask(client, logprobs=True, top_logprobs=2, max_tokens=3)
    tokens = reply.choices[0].logprobs.content
    assert "".join(token.token for token in tokens) == reply.choices[0].message.content
    for token in tokens:
        assert len(token.top_logprobs) == 2
        assert token.logprob == max(top.logprob for top in token.top_logprobs)  # temperature 0


def test_a_stream_says_the_same_as_the_whole(client: openai.OpenAI) -> None:
    whole = ask(client)
    *parts, last = ask(client, stream=True, stream_options={"include_usage": True})
    text = "".join(part.choices[0].delta.content or "" for part in parts)
    assert text == whole.choices[0].message.content
    assert last.usage.completion_tokens == whole.usage.completion_tokens


def test_a_text_that_is_too_long_says_so(client: openai.OpenAI) -> None:
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError, match="tokens") as caught:
            ask(client, messages=[{"role": "user", "content": "word " * 9_000}], stream=stream)
        assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize(
    "schema", [{"type": "nonsense"}, {"$ref": "https://x.invalid/"}, {"$ref": "#/$defs/none"}]
)
def test_a_schema_that_is_none_is_refused_and_harms_nobody(
    client: openai.OpenAI, schema: dict[str, Any]
) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    with pytest.raises(openai.BadRequestError):
        ask(client, response_format=wanted)


def test_the_model_is_swapped_when_the_call_under_way_has_ended(client: openai.OpenAI) -> None:
    if model_files.local_path(OTHER) is None:
        pytest.skip(f"needs the small model; get it with: aicourse model pull {OTHER}")
    ended: list[str] = []

    def ask_other() -> None:
        ended.append(ask(client, model=OTHER, max_tokens=2).model)

    stream = iter(ask(client, stream=True, max_tokens=40))
    first = next(stream)
    other = threading.Thread(target=ask_other)
    other.start()
    rest = list(stream)
    ended.append(first.model)
    other.join()
    assert sorted(ended) == sorted([MODEL, OTHER])
    assert rest[-1].choices[0].finish_reason in ("length", "stop")  # it was not cut off
    assert ask(client, max_tokens=2).model == MODEL


def test_the_server_tells_what_it_did(client: openai.OpenAI) -> None:
    assert MODEL in [model.id for model in client.models.list()]
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=COUNT, max_tokens=1)
    assert len(raw.headers["aicourse-model-sha256"]) == 64
    assert raw.parse().choices[0].finish_reason == "length"


def test_a_tool_is_called_with_arguments_that_fit(client: openai.OpenAI) -> None:
    parameters = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "blue"]}},
        "required": ["colour"],
    }
    tool = {"type": "function", "function": {"name": "find", "description": "Find", "parameters": parameters}}
    messages = [{"role": "user", "content": "Find me a blue one."}]
    reply = ask(client, messages=messages, tools=[tool], tool_choice="required", max_tokens=60)
    assert reply.choices[0].finish_reason == "tool_calls"
    function = reply.choices[0].message.tool_calls[0].function
    assert function.name == "find"
    assert json.loads(function.arguments)["colour"] in ("red", "blue")
