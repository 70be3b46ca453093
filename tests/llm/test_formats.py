"""The three APIs' replies, as their references show them (fields that do not matter here are left out)."""

from __future__ import annotations

import pytest

from aicourse.llm.formats import EVENT_STREAM, Tokens, endpoint, is_whole, tokens

JSON = "application/json"
CHAT_STREAM = """data: {"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}

data: {"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}

data: {"choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29}}

data: [DONE]

"""
LLAMA_STREAM = """data: {"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}

data: {"choices":[{"finish_reason":"stop","delta":{}}],"timings":{"cache_n":30,"prompt_n":1,"predicted_n":35}}

data: [DONE]

"""
MESSAGES_STREAM = """event: message_start
data: {"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 25, "output_tokens": 1}}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}

event: message_delta
data: {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}}

event: message_stop
data: {"type": "message_stop"}

"""
RESPONSES_STREAM = """event: response.output_text.delta
data: {"type":"response.output_text.delta","delta":"Hi"}

event: response.completed
data: {"type":"response.completed","response":{"usage":{"input_tokens":37,"output_tokens":11}}}

"""


@pytest.mark.parametrize(
    ("text", "content_type", "expected"),
    [
        ('{"usage": {"prompt_tokens": 19, "completion_tokens": 10}}', JSON, Tokens(19, 10)),
        ('{"usage": {"input_tokens": 36, "output_tokens": 87}}', JSON, Tokens(36, 87)),
        ('{"usage": {"prompt_tokens": 8, "total_tokens": 8}, "data": []}', JSON, Tokens(8, 0)),
        (
            '{"usage": {"input_tokens": 5, "cache_read_input_tokens": 100, "output_tokens": 7,'
            ' "cache_creation_input_tokens": null}}',
            JSON,
            Tokens(105, 7, cached=100),
        ),
        (
            '{"usage": {"prompt_tokens": 90, "prompt_tokens_details": {"cached_tokens": 64},'
            ' "completion_tokens": 1}}',
            JSON,
            Tokens(90, 1, cached=64),
        ),
        (
            '{"usage": {"input_tokens": 90, "input_tokens_details": {"cached_tokens": 999},'
            ' "output_tokens": 1}}',
            JSON,
            Tokens(90, 1, cached=90),
        ),
        (
            '{"usage": {"prompt_tokens": 9, "prompt_tokens_details": ["x"], "completion_tokens": 1}}',
            JSON,
            Tokens(9, 1),
        ),
        (CHAT_STREAM, f"{EVENT_STREAM}; charset=utf-8", Tokens(19, 10)),
        (LLAMA_STREAM, EVENT_STREAM, Tokens(31, 35)),
        (MESSAGES_STREAM, EVENT_STREAM, Tokens(25, 15)),
        (RESPONSES_STREAM, EVENT_STREAM, Tokens(37, 11)),
        ("<html>Bad gateway</html>", "text/html", Tokens(None, None)),
        ('["a list"]', JSON, Tokens(None, None)),
    ],
)
def test_tokens_are_read_where_each_api_states_them(text: str, content_type: str, expected: Tokens) -> None:
    assert tokens(text, content_type) == expected


@pytest.mark.parametrize("stream", [CHAT_STREAM, LLAMA_STREAM, MESSAGES_STREAM, RESPONSES_STREAM])
def test_a_stream_is_whole_with_its_last_event_and_not_before(stream: str) -> None:
    events = stream.split("\n\n")[:-1]
    for number in range(len(events)):
        assert not is_whole("\n\n".join(events[:number]) + "\n\n", EVENT_STREAM)
    assert is_whole(stream, EVENT_STREAM)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/chat/completions", "chat/completions"),
        ("/openai/v1/chat/completions", "chat/completions"),
        ("/v1beta/openai/chat/completions", "chat/completions"),
        ("/api/v1/embeddings", "embeddings"),
        ("/chat/completions", "chat/completions"),
        ("/v1/models/v2", "models/v2"),
        ("/api/v1/models/openai/gpt-6", "models/openai/gpt-6"),
    ],
)
def test_the_endpoint_is_what_providers_have_in_common(path: str, expected: str) -> None:
    assert endpoint(path) == expected
