from __future__ import annotations

import base64
import json
import random
import re
import sqlite3
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
from aicourse.monitoring import Tracing, note, open_metrics, read_metrics, record_score, span, start_tracing
from aicourse.testing import ScriptedModel
from aicourse.testing.scripted import BASE_URL

PROMPT = {"x-aicourse-prompt": "extract_listing@v3 9f2c1a5b7d10"}


def stored(tracing: Tracing) -> list[sqlite3.Row]:
    """What has been written, the newest first."""
    tracing.flush()
    return tracing.store._connection.execute("SELECT * FROM spans ORDER BY started_ns DESC").fetchall()


def ask(client: openai.OpenAI, **settings: Any) -> Any:
    messages: Any = [{"role": "user", "content": "A blue coat"}]
    return client.chat.completions.create(
        model="gpt-6-luna", messages=messages, extra_headers=PROMPT, **settings
    )


def test_a_request_is_a_trace_with_the_call_as_child(tracing: Tracing) -> None:
    with span("propose", client="ios 4.2", experiment="form", variant="short") as current:
        ask(ScriptedModel("blue").client())
        note(current, category="coat", valid=True, empty_fields=2, brand=None)
    call, root = stored(tracing)
    kept = [root[name] for name in ("name", "parent_id", "client", "category", "valid", "empty_fields")]
    assert kept == ["propose", None, "ios 4.2", "coat", 1, 2]
    assert (root["experiment"], root["variant"]) == ("form", "short")
    assert (call["trace_id"], call["parent_id"]) == (root["trace_id"], root["span_id"])
    assert (call["name"], call["operation"], call["model"]) == ("chat gpt-6-luna", "chat", "gpt-6-luna")
    prompt = (call["prompt"], call["prompt_version"], call["prompt_hash"])
    assert prompt == ("extract_listing", "v3", "9f2c1a5b7d10")
    assert (call["input_tokens"], call["output_tokens"]) == (3, 1)
    (said,) = json.loads(json.loads(call["attributes"])["gen_ai.output.messages"])
    assert said["parts"][0]["content"] == "blue"


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
    (call,) = stored(tracing)
    assert (call["input_tokens"], call["cached_tokens"]) == (1_000_000, 600_000)
    assert call["cost_usd"] == pytest.approx(0.4 * 0.10 + 0.6 * 0.01 + 0.50)


def test_a_stream_is_noted_at_its_end(tracing: Tracing) -> None:
    assert [*ask(ScriptedModel("a blue coat").client(), stream=True)]
    (call,) = stored(tracing)
    assert (call["output_tokens"], call["prompt_version"]) == (3, "v3")


def test_a_failure_is_an_error_with_its_type(tracing: Tracing) -> None:
    def propose() -> None:
        with span("propose"):
            raise KeyError("no such seller")

    with pytest.raises(KeyError):
        propose()
    with pytest.raises(openai.APIStatusError):
        ask(ScriptedModel(Fault(status=429)).client())
    call, failed = stored(tracing)
    assert (failed["status"], failed["error_type"]) == ("error", "KeyError")
    assert (call["status"], call["error_type"]) == ("error", "openai.RateLimitError")


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
    sale, propose, call = sorted(stored(tracing), key=lambda row: row["started_ns"])
    assert json.loads(call["attributes"])["aicourse.source"] == "recorded"
    assert call["cost_usd"] == 0
    assert 100 <= call["seconds"] <= propose["seconds"] <= sale["seconds"] < 160  # what a busy machine adds


def test_scores_of_open_and_of_ended_spans(tracing: Tracing) -> None:
    with span("propose"):
        record_score("fits", source="rule", value=1.0)
    (root,) = stored(tracing)
    record_score(
        "thumb", source="user", label="down", explanation="wrong size", of=(root["trace_id"], root["span_id"])
    )
    tracing.flush()
    assert [row["name"] for row in stored(tracing)] == ["evaluate thumb", "propose"]
    rows = tracing.store._connection.execute(
        "SELECT span_id, name, value, label, source, explanation FROM scores"
    )
    assert [tuple(row) for row in rows] == [
        (root["span_id"], "fits", 1.0, None, "rule", None),
        (root["span_id"], "thumb", None, "down", "user", "wrong size"),
    ]
    with pytest.raises(ValueError, match="source must be one of user, annotator"):
        record_score("x", source="me", value=1)  # type: ignore[arg-type]


def test_a_photo_stays_out_and_the_words_beside_it_stay(
    tracing: Tracing, caplog: pytest.LogCaptureFixture
) -> None:
    photo = base64.b64encode(random.Random(7).randbytes(60_000)).decode()
    parts: Any = [
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{photo}"}},
        {"type": "text", "text": "A blue coat"},
    ]
    ScriptedModel("blue").client().chat.completions.create(
        model="gpt-6-luna", messages=[{"role": "user", "content": parts}]
    )
    (call,) = stored(tracing)
    asked = json.loads(json.loads(call["attributes"])["gen_ai.input.messages"])
    assert [part["content"] for part in asked[0]["parts"]] == ["[base64]", "A blue coat"]
    assert photo[1_000:1_040] not in call["attributes"]
    assert caplog.records == []


def test_what_ends_after_the_span_around_it_changes_nothing(
    tracing: Tracing, caplog: pytest.LogCaptureFixture
) -> None:
    tracer = trace.get_tracer("test")
    with tracer.start_as_current_span("around"):
        late = tracer.start_span("late", attributes={"aicourse.saved_seconds": 5.0})
    late.end()
    late, around = stored(tracing)
    assert late["seconds"] > 5 > around["seconds"]
    assert caplog.records == []


def test_without_content_there_are_figures_alone(tmp_path: Path) -> None:
    with start_tracing(tmp_path / "product.sqlite", content=False) as tracing:
        ask(ScriptedModel("SECRET").client())
        (call,) = stored(tracing)
    assert call["output_tokens"] == 1
    assert "SECRET" not in call["attributes"]


def test_starting_again_ends_what_was_before(tracing: Tracing, tmp_path: Path) -> None:
    provider = trace.get_tracer_provider()
    with span("before"):
        pass
    with start_tracing(tmp_path / "other.sqlite") as other, span("after"):
        pass
    assert trace.get_tracer_provider() is provider
    with start_tracing(tmp_path / "other.sqlite") as other:
        assert [row["name"] for row in stored(other)] == ["after"]
    with start_tracing(tmp_path / "product.sqlite") as first:
        assert [row["name"] for row in stored(first)] == ["before"]


def test_after_the_end_calls_go_on_untraced(tmp_path: Path) -> None:
    with start_tracing(tmp_path / "product.sqlite"):
        pass
    with span("propose") as current:
        assert not current.is_recording()
        assert ask(ScriptedModel("blue").client()).choices
    with start_tracing(tmp_path / "product.sqlite") as tracing:
        assert stored(tracing) == []


def test_a_full_queue_costs_spans_that_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aicourse.monitoring.tracing.QUEUE", 3)
    monkeypatch.setattr("aicourse.monitoring.tracing._BATCH", 3)
    with start_tracing(tmp_path / "product.sqlite") as tracing:
        with tracing.store._using:  # a writer that hangs; the first batch waits for it outside the queue
            for number in range(20):
                with span(f"span {number}"):
                    pass
        kept = len(stored(tracing))
        with span("last"):
            pass
        tracing.flush()
        assert 3 <= kept <= 6
        dropped = tracing.store._connection.execute("SELECT reason, spans FROM dropped").fetchall()
        assert dict(dropped) == {"queue full": 20 - kept}


def test_a_file_that_cannot_be_opened_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "product.sqlite").write_bytes(b"no database" * 99)
    with pytest.raises(StoreError, match="cannot be opened"):
        start_tracing(tmp_path / "product.sqlite")


def test_the_example_of_the_page_gives_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(program, {})
    (day,) = read_metrics(open_metrics(tmp_path / "product.sqlite")).to_dict("records")
    assert (day["requests"], day["empty_fields"], day["corrected"], day["disliked"]) == (1, 1, 1, 1)
