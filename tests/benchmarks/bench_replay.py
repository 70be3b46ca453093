"""What replaying a recorded call costs, over the bare openai client that has the same reply from a stub.

The file holds 2,000 recordings of realistic size. The stub answers at once, so the difference is ours: the
client's own share (2 to 4 ms a call, more for a stream, whose chunks it parses) depends on the machine.
Replaying waits for nothing, so CPU time is measured: a busy machine does not distort it.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

import httpx2
import openai

from aicourse import connect
from aicourse.llm import session
from aicourse.llm.catalog import DEFAULT_MODEL
from aicourse.llm.recording_key import canonical_request, key_of, summary
from aicourse.llm.recordings import Recording, RecordingFile
from aicourse.testing import ScriptedModel
from aicourse.testing.scripted import BASE_URL

RECORDINGS = 2_000
CALLS = 300
TARGET_MILLISECONDS = 3.0
RULES = "You extract attributes from second-hand listings. Answer in JSON, with what is stated only. " * 15
ANSWER = '{"category": "jacket", "colours": ["navy", "white"], "materials": ["cotton"], "size": "38"}'


def measure() -> list[dict[str, Any]]:
    """The figures of one run: name, value, unit, target, ok."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recordings.jsonl"
        recordings = list(_recordings())
        RecordingFile(path).write(recordings)
        session.begin("bench", path)
        started = process_time()
        client = connect(model=DEFAULT_MODEL, replay="only")
        _ask(client, RECORDINGS // 2 - 1, stream=False)
        first = (process_time() - started) * 1_000
        replayed = [_median_milliseconds(client, stream=stream) for stream in (False, True)]
        session.begin(None, None)
    whole, streamed = recordings[0], recordings[-1]
    bare = [_median_milliseconds(_bare_client(one), stream=bool(one.chunks)) for one in (whole, streamed)]
    names = "a call", f"a stream of {len(streamed.chunks or [])} chunks"
    rows = [_row(f"connecting and reading {RECORDINGS:,} recordings, once", first, None)]
    for name, ours, theirs in zip(names, replayed, bare, strict=True):
        rows += [
            _row(f"{name}: what replay adds", ours - theirs, TARGET_MILLISECONDS),
            _row(f"{name}: replayed", ours, None),
            _row(f"{name}: from a stub, bare openai client", theirs, None),
        ]
    return rows


def _bare_client(recording: Recording) -> openai.OpenAI:
    """A client of a stub that gives the recorded reply at once."""
    body = "".join(text for _, text in recording.chunks or []) or json.dumps(recording.body)

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers=recording.headers, text=body)

    stub = httpx2.Client(transport=httpx2.MockTransport(answer))
    return openai.OpenAI(base_url=BASE_URL, api_key="none", http_client=stub)


def _row(name: str, value: float, target: float | None) -> dict[str, Any]:
    ok = None if target is None else value <= target
    return {"name": name, "value": round(value, 3), "unit": "CPU ms", "target": target, "ok": ok}


def _ask(client: openai.OpenAI, number: int, *, stream: bool) -> None:
    messages: Any = [
        {"role": "system", "content": RULES},
        {"role": "user", "content": f"Listing {number}: navy jacket with white stripes, cotton, size 38."},
    ]
    reply = client.chat.completions.create(
        model=DEFAULT_MODEL, messages=messages, temperature=0, stream=stream
    )
    if stream:
        list(reply)


def _recordings() -> Iterator[Recording]:
    """Half whole replies, half streams, of requests that `_ask` makes."""
    model = ScriptedModel(ANSWER, ANSWER)
    replies: list[Any] = []
    client = model.client()
    client._client.event_hooks["response"].append(lambda response: replies.append(response.read()))
    _ask(client, 0, stream=False)
    _ask(client, 0, stream=True)
    for sent, reply in zip(model.history, replies, strict=True):
        streamed = sent.body.get("stream", False)
        chunks = [(0.1, f"{event}\n\n") for event in reply.decode().split("\n\n") if event]
        for number in range(RECORDINGS // 2):
            body = json.loads(json.dumps(sent.body).replace("Listing 0:", f"Listing {number}:"))
            asked = canonical_request(httpx2.Request("POST", f"{BASE_URL}/chat/completions", json=body))
            yield Recording(
                key=key_of(asked),
                position=0,
                model=DEFAULT_MODEL,
                summary=summary(asked),
                request=asked,
                status=200,
                headers={"content-type": "text/event-stream" if streamed else "application/json"},
                seconds=1.1,
                recorded_at="2026-11-23T10:00:00+00:00",
                body=None if streamed else json.loads(reply),
                chunks=chunks if streamed else None,
            )


def _median_milliseconds(client: openai.OpenAI, *, stream: bool) -> float:
    times = []
    for number in range(CALLS):
        started = process_time()
        _ask(client, number, stream=stream)
        times.append(process_time() - started)
    return statistics.median(times) * 1_000


if __name__ == "__main__":
    for row in measure():
        print(f"{row['value']:9.3f} {row['unit']}  {row['name']}  (target {row['target']})")
