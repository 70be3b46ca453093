from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from opentelemetry import trace

from aicourse import Fault, connect
from aicourse.errors import StoreError
from aicourse.llm import session
from aicourse.llm.recording_key import canonical_request, key_of, summary
from aicourse.llm.recordings import Recording, RecordingFile
from aicourse.monitoring import Tracing, note, record_score, span, start_tracing
from aicourse.testing import ScriptedModel
from aicourse.testing.scripted import BASE_URL

PROMPT = {"x-aicourse-prompt": "extract_listing@v3 9f2c1a5b7d10"}


def ask(client: openai.OpenAI, **settings: Any) -> Any:
    messages: Any = [{"role": "user", "content": "A blue coat"}]
    return client.chat.completions.create(
        model="gpt-6-luna", messages=messages, extra_headers=PROMPT, **settings
    )


def test_a_request_is_a_trace_with_the_call_as_child(tracing: Tracing) -> None:
    with span("propose", client="ios 4.2", experiment="form", variant="short") as current:
        ask(ScriptedModel("blue").client())
        note(current, category="coat", valid=True, empty_fields=2, brand=None)
    tracing.flush()
    (root,) = tracing.store.page(roots=True)
    assert (root.name, root.client, root.category, root.valid, root.empty_fields) == (
        *("propose", "ios 4.2", "coat"),
        *(1, 2),
    )
    assert (root.attributes["feature_flag.key"], root.attributes["feature_flag.result.variant"]) == (
        "form",
        "short",
    )
    above, call = tracing.store.trace(root.trace_id)
    assert above == root
    assert (call.name, call.parent_id, call.operation) == ("chat gpt-6-luna", root.span_id, "chat")
    assert (call.prompt, call.prompt_version, call.prompt_hash) == ("extract_listing", "v3", "9f2c1a5b7d10")
    assert (call.input_tokens, call.output_tokens, call.model) == (3, 1, "gpt-6-luna")
    assert json.loads(call.attributes["gen_ai.output.messages"])[0]["parts"][0]["content"] == "blue"


def test_cached_and_uncached_input_have_prices_of_their_own(tracing: Tracing) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        body = {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": "gpt-6-luna",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}
            ],
            "usage": {
                "prompt_tokens": 1_000_000,
                "completion_tokens": 1_000_000,
                "total_tokens": 2_000_000,
                "prompt_tokens_details": {"cached_tokens": 600_000},
            },
        }
        return httpx2.Response(200, json=body)

    model = ScriptedModel()
    model._handle = answer  # type: ignore[method-assign]  # a scripted reply states no cached tokens
    ask(model.client())
    tracing.flush()
    (call,) = tracing.store.page()
    assert (call.input_tokens, call.cached_tokens) == (1_000_000, 600_000)
    assert call.cost_usd == pytest.approx(0.4 * 0.10 + 0.6 * 0.01 + 0.50)


def test_a_stream_is_noted_at_its_end(tracing: Tracing) -> None:
    assert [*ask(ScriptedModel("a blue coat").client(), stream=True)]
    tracing.flush()
    (call,) = tracing.store.page()
    assert (call.output_tokens, call.prompt_version) == (3, "v3")


def test_a_failure_is_an_error_with_its_type(tracing: Tracing) -> None:
    def propose() -> None:
        with span("propose"):
            raise KeyError("no such seller")

    with pytest.raises(KeyError):
        propose()
    with pytest.raises(openai.APIStatusError):
        ask(ScriptedModel(Fault(status=429)).client())
    tracing.flush()
    call, failed = tracing.store.page()
    assert (failed.status, failed.error_type) == ("error", "KeyError")
    assert (call.status, call.error_type) == ("error", "openai.RateLimitError")


def test_a_replay_keeps_the_recorded_latency_and_so_does_what_is_around(
    tracing: Tracing, tmp_path: Path
) -> None:
    model = "qwen2.5-coder-0.5b"
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
    asked = canonical_request(httpx2.Request("POST", f"{BASE_URL}/chat/completions", json=body))
    reply = {
        **{"id": "1", "object": "chat.completion", "created": 0, "model": model},
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
    }
    recording = Recording(
        key=key_of(asked),
        position=0,
        model=model,
        summary=summary(asked),
        request=asked,
        status=200,
        headers={"content-type": "application/json"},
        seconds=100.0,
        recorded_at="2026-11-23T10:00:00+00:00",
        body=reply,
        chunks=None,
    )
    RecordingFile(tmp_path / "recordings.jsonl").write([recording])
    session.begin("test", tmp_path / "recordings.jsonl")
    try:
        client = connect(model=model, replay="only")
        with span("sale"), span("propose"):
            client.chat.completions.create(**body)
    finally:
        session.begin(None, None)
    tracing.flush()
    sale, propose, call = sorted(tracing.store.page(), key=lambda record: record.started_ns)
    assert call.attributes["aicourse.source"] == "recorded"
    assert call.cost_usd == 0
    assert 100 <= call.seconds <= propose.seconds <= sale.seconds < 160  # what a busy machine adds


def test_scores_of_open_and_of_ended_spans(tracing: Tracing) -> None:
    with span("propose"):
        record_score("fits", source="rule", value=1.0)
    tracing.flush()
    (root,) = tracing.store.page()
    record_score(
        "thumb", source="user", label="down", explanation="wrong size", of=(root.trace_id, root.span_id)
    )
    tracing.flush()
    assert [record.name for record in tracing.store.trace(root.trace_id)] == ["propose", "evaluate thumb"]
    rows = tracing.store._reader.execute(
        "SELECT span_id, name, value, label, source, explanation FROM scores"
    )
    assert [tuple(row) for row in rows] == [
        (root.span_id, "fits", 1.0, None, "rule", None),
        (root.span_id, "thumb", None, "down", "user", "wrong size"),
    ]
    with pytest.raises(ValueError, match="source must be one of user, annotator"):
        record_score("x", source="me", value=1)  # type: ignore[arg-type]


def test_without_content_there_are_figures_alone(tmp_path: Path) -> None:
    with start_tracing(tmp_path / "product.sqlite", content=False) as tracing:
        ask(ScriptedModel("SECRET").client())
        tracing.flush()
        (call,) = tracing.store.page()
    assert call.output_tokens == 1
    assert "SECRET" not in str(call.attributes)


def test_starting_again_ends_what_was_before(tracing: Tracing, tmp_path: Path) -> None:
    provider = trace.get_tracer_provider()
    with span("before"):
        pass
    with start_tracing(tmp_path / "other.sqlite") as other, span("after"):
        pass
    assert trace.get_tracer_provider() is provider
    with start_tracing(tmp_path / "other.sqlite") as other:
        assert [record.name for record in other.store.page()] == ["after"]
    with start_tracing(tmp_path / "product.sqlite") as first:
        assert [record.name for record in first.store.page()] == ["before"]


def test_after_the_end_calls_go_on_untraced(tmp_path: Path) -> None:
    with start_tracing(tmp_path / "product.sqlite"):
        pass
    with span("propose"):
        assert ask(ScriptedModel("blue").client()).choices
    with start_tracing(tmp_path / "product.sqlite") as tracing:
        assert tracing.store.page() == []


def test_a_full_queue_costs_spans_that_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aicourse.monitoring.tracing.QUEUE", 3)
    monkeypatch.setattr("aicourse.monitoring.tracing._BATCH", 3)
    with start_tracing(tmp_path / "product.sqlite") as tracing:
        with tracing.store._writing:  # a writer that hangs; the first batch waits for it outside the queue
            for number in range(20):
                with span(f"span {number}"):
                    pass
        tracing.flush()
        kept = len(tracing.store.page())
        with span("last"):
            pass
        tracing.flush()
        assert 3 <= kept <= 6
        assert tracing.store.dropped() == {"queue full": 20 - kept}


def test_a_file_that_cannot_be_opened_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "product.sqlite").write_bytes(b"no database" * 99)
    with pytest.raises(StoreError, match="cannot be opened"):
        start_tracing(tmp_path / "product.sqlite")
