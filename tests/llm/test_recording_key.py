from __future__ import annotations

import hashlib
import json
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicourse.llm.recording_key import LABELS, canonical_request, key_of, summary

URL = "https://api.openai.com/v1/chat/completions"
BODY: dict[str, Any] = {
    "model": "gpt-x",
    "messages": [
        {"role": "system", "content": "Answer in JSON."},
        {"role": "user", "content": "Grüne Jacke, wie neu"},
    ],
    "temperature": 0.5,
    "seed": 7,
    "max_tokens": 50,
    "stream": False,
    "tools": [{"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
}


def request_key(request: httpx2.Request) -> str:
    return key_of(canonical_request(request))


def request(body: Any, url: str = URL, **headers: str) -> httpx2.Request:
    return httpx2.Request("POST", url, headers=headers, content=json.dumps(body))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
bodies = st.fixed_dictionaries(
    {
        "model": st.text(),
        "messages": st.lists(st.fixed_dictionaries({"role": st.text(), "content": json_values})),
    }
)


def shuffled(value: Any, draw: st.DataObject) -> Any:
    if isinstance(value, dict):
        names = draw.draw(st.permutations(list(value)))
        return {name: shuffled(value[name], draw) for name in names}
    return [shuffled(item, draw) for item in value] if isinstance(value, list) else value


def test_the_key_is_the_hash_of_canonical_json_written_out_by_hand() -> None:
    body = {
        "temperature": 0.0,
        "model": "m",
        "user": "ana",
        "messages": [{"role": "user", "content": "größer?"}],
    }
    by_hand = (
        '{"body":{"messages":[{"content":"größer?","role":"user"}],"model":"m","temperature":0},'
        '"path":"POST chat/completions"}'
    )
    assert request_key(request(body)) == hashlib.sha256(by_hand.encode()).hexdigest()


@given(body=bodies, data=st.data())
def test_the_key_ignores_order_spacing_headers_host_and_labels(
    body: dict[str, Any], data: st.DataObject
) -> None:
    labels = {name: data.draw(st.text()) for name in LABELS}
    indent = data.draw(st.sampled_from([None, 0, 3]))
    other = httpx2.Request(
        "POST",
        "https://elsewhere.example/openai/v1/chat/completions",
        headers={"authorization": "Bearer x", "x-stainless-retry-count": "1"},
        content=json.dumps(shuffled({**body, **labels}, data), indent=indent, ensure_ascii=indent is None),
    )
    assert request_key(request(body)) == request_key(other)


@given(body=bodies, data=st.data())
def test_the_key_tells_any_two_messages_apart(body: dict[str, Any], data: st.DataObject) -> None:
    other = data.draw(st.text().filter(lambda text: all(text != one["content"] for one in body["messages"])))
    changed = {**body, "messages": [*body["messages"], {"role": "user", "content": other}]}
    assert request_key(request(body)) != request_key(request(changed))


@pytest.mark.parametrize(
    "change",
    [
        {"model": "gpt-y"},
        {"messages": [BODY["messages"][1]]},
        {"messages": list(reversed(BODY["messages"]))},
        {"messages": [BODY["messages"][0], {"role": "user", "content": "Grüne Jacke, wie neu "}]},
        {"temperature": 0.51},
        {"seed": 8},
        {"max_tokens": 51},
        {"stream": True},
        {"tools": []},
        {"response_format": {"type": "json_object"}},
        {"n": 2},
        {"stop": ["\n"]},
        {"logprobs": True},
        {"a_field_that_is_not_invented_yet": 1},
    ],
)
def test_the_key_changes_with_what_can_change_the_reply(change: dict[str, Any]) -> None:
    assert request_key(request(BODY)) != request_key(request({**BODY, **change}))


def test_the_limit_s_older_name_and_a_model_s_own_temperature_ask_the_same() -> None:
    question = {"model": "qwen2.5-coder-0.5b", "messages": BODY["messages"]}
    key = request_key(request({**question, "max_completion_tokens": 50}))
    assert request_key(request({**question, "max_tokens": 50, "temperature": 0.0})) == key
    assert request_key(request({**question, "max_tokens": 50, "temperature": 0.1})) != key
    assert request_key(request({**question, "max_tokens": 50, "max_completion_tokens": 50})) != key
    hosted = {**question, "model": "gpt-6-luna"}
    assert request_key(request({**hosted, "temperature": 0})) != request_key(request(hosted))


def test_the_key_changes_with_the_endpoint_the_method_and_the_query() -> None:
    models = "https://api.openai.com/v1/models"
    keys = {
        request_key(request(BODY)),
        request_key(request(BODY, URL.replace("chat/completions", "responses"))),
        request_key(httpx2.Request("GET", models)),
        request_key(httpx2.Request("DELETE", models)),
        request_key(httpx2.Request("GET", f"{models}?limit=2")),
    }
    assert len(keys) == 5


def tool_round(call_id: str, *, other: str | None = None) -> dict[str, Any]:
    call = {"id": call_id, "type": "function", "function": {"name": "find", "arguments": "{}"}}
    return {
        "model": "m",
        "messages": [
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": other or call_id, "content": "12"},
        ],
    }


SCHEMAS = {
    "response_format": lambda schema: {"json_schema": {"name": "verdict", "schema": schema}},
    "text": lambda schema: {"format": {"type": "json_schema", "name": "verdict", "schema": schema}},
    "tools": lambda schema: [{"type": "function", "function": {"name": "judge", "parameters": schema}}],
    "output_config": lambda schema: {"format": {"type": "json_schema", "schema": {"$defs": {"V": schema}}}},
}


@pytest.mark.parametrize("field", SCHEMAS)
def test_the_order_of_a_schema_s_properties_is_a_part_of_the_question(field: str) -> None:
    """A model writes properties in their order: a reason before the verdict changes the verdict."""
    reason, verdict = {"type": "string"}, {"enum": ["pass", "fail"], "type": "string"}

    def key(*properties: tuple[str, Any]) -> str:
        schema = {"type": "object", "properties": dict(properties)}
        return request_key(request({"model": "m", field: SCHEMAS[field](schema)}))

    first = key(("reason", reason), ("verdict", verdict))
    assert key(("verdict", verdict), ("reason", reason)) != first
    assert key(("reason", reason), ("verdict", dict(reversed(verdict.items())))) == first


def test_a_stored_request_can_be_asked_again_as_it_was() -> None:
    schema = {"type": "object", "properties": {"verdict": {"type": "string"}, "reason": {"type": "string"}}}
    asked = canonical_request(request({"model": "m", "response_format": {"schema": schema}}))
    read_back = json.loads(json.dumps(asked))
    assert list(read_back["body"]["response_format"]["schema"]["properties"]) == ["verdict", "reason"]
    assert key_of(read_back) == key_of(asked)


def test_ids_of_tool_calls_count_by_what_they_connect_not_by_their_name() -> None:
    assert request_key(request(tool_round("call_9a"))) == request_key(request(tool_round("call_77")))
    assert request_key(request(tool_round("call_9a"))) != request_key(request(tool_round("a", other="b")))


def test_the_order_of_keys_does_not_change_how_ids_are_counted() -> None:
    one = {"type": "function_call", "id": "fc_1", "call_id": "call_1"}
    other = {"call_id": "call_1", "id": "fc_1", "type": "function_call"}
    result = {"type": "function_call_output", "call_id": "call_1", "output": "12"}
    keys = {request_key(request({"model": "m", "input": [call, result]})) for call in (one, other)}
    assert len(keys) == 1


def test_an_id_that_is_no_tool_call_is_kept() -> None:
    keys = {
        request_key(request({"model": "m", "input": [{"type": "item_reference", "id": name}]}))
        for name in ("one", "two")
    }
    assert len(keys) == 2


@pytest.mark.parametrize(
    "part",
    [
        lambda data: {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
        lambda data: {"type": "input_image", "image_url": f"data:image/png;base64,{data}"},
        lambda data: {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
    ],
)
def test_a_picture_is_in_the_key_but_not_in_the_recording(part: Any) -> None:
    first, second = "A" * 5_000, "A" * 4_999 + "B"
    asked = [
        request({"model": "m", "messages": [{"role": "user", "content": [part(one)]}]})
        for one in (first, second)
    ]
    assert request_key(asked[0]) != request_key(asked[1])
    stored = json.dumps(canonical_request(asked[0]))
    assert len(stored) < 400
    assert "sha256=" in stored


def test_an_upload_is_keyed_by_its_bytes() -> None:
    url = "https://api.openai.com/v1/files"
    keys = {
        request_key(httpx2.Request("POST", url, content=content))
        for content in (b"\xff\x00", b"\xff\x01", b"[1]")
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"messages": [{"role": "user", "content": "first"}, {"role": "user", "content": "the\n last"}]},
            "the last",
        ),
        ({"messages": [{"role": "system", "content": "only rules"}]}, "only rules"),
        ({"input": "a question"}, "a question"),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": "hello"}]}]}, "hello"),
        ({"messages": [{"role": "user", "content": "x" * 80}]}, "x" * 59 + "…"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url"}, {"type": "text", "text": "what?"}]}
                ]
            },
            "[image_url] what?",
        ),
        ({}, "POST chat/completions"),
    ],
)
def test_the_summary_is_the_start_of_what_the_user_said_last(body: dict[str, Any], expected: str) -> None:
    assert summary(canonical_request(request(body))) == expected
