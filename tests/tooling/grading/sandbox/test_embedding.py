"""Embeddings for submissions: recorded or live, each text once, within a budget, never a silent failure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sandboxes import notebook, open_sandbox, printed, run

from aicourse.errors import AssignmentError, DownloadError, SandboxError
from aicourse.tooling.grading.sandbox import embedding
from aicourse.tooling.grading.sandbox.embedding import EmbeddingDesk, VectorStore
from aicourse.tooling.grading.sandbox.encoding import encode
from aicourse.tooling.grading.sandbox.execution import Execution, Job, StudentCall
from aicourse.tooling.grading.sandbox.executor import Sandbox
from aicourse.tooling.grading.sandbox.launching import ZygoteStarter
from aicourse.tooling.grading.sandbox.plain import PlainStarter
from aicourse.tooling.grading.sandbox.proxy import BusyTime
from aicourse.tooling.grading.sandbox.running import Attempt, RunState

MODEL = "all-minilm-l6-v2"
EMBED = """
from aicourse import connect
from aicourse.rag import Embeddings
embeddings = Embeddings(connect("embedded"))
def similarity(one, other):
    first, second = embeddings.embed([one, other])
    return round(float(first @ second), 3)
"""


class FakeEmbedder:
    """Counts what it is asked; a text's vector points along its length."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: list[str]) -> Any:
        self.asked += texts
        return np.array([np.eye(384)[len(text) % 384] for text in texts], dtype=np.float32)


@pytest.fixture
def store(tmp_path: Path) -> VectorStore:
    """An empty store with a fake model behind it."""
    store = VectorStore(tmp_path / "vectors.jsonl")
    store._embedder = FakeEmbedder()  # type: ignore[assignment]
    return store


@pytest.fixture
def recorded(store: VectorStore, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the vectors of two texts; nothing else may be embedded."""
    for text in ("fees", "refund"):
        store.embed(text)
    store.save()
    monkeypatch.setenv("AICOURSE_REPLAY", "only")
    embedding.vector_store.cache_clear()
    return store.path


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    yield from open_sandbox()


def asked(desk: EmbeddingDesk, *texts: str, **options: Any) -> tuple[int, dict[str, Any]]:
    return desk({"model": MODEL, "input": list(texts), **options})


def test_a_text_is_embedded_once_for_the_whole_class(store: VectorStore) -> None:
    desks = [EmbeddingDesk(store) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda desk: asked(desk, "fees", "refund", "fees"), desks))
    assert [status for status, _ in replies] == [200] * 8
    assert all(reply["data"] == replies[0][1]["data"] for _, reply in replies)
    assert sorted(store._embedder.asked) == ["fees", "refund"]  # type: ignore[union-attr]


def test_what_is_saved_is_read_again_bit_by_bit(recorded: Path, store: VectorStore) -> None:
    again = VectorStore(recorded)
    assert ("fees" in again, "payout" in again) == (True, False)
    assert again.embed("fees") == store.embed("fees") == np.eye(384)[4].tolist()
    before = recorded.read_bytes()
    again.save()
    assert recorded.read_bytes() == before


def test_a_reply_is_that_of_openais_api(store: VectorStore) -> None:
    _, reply = asked(EmbeddingDesk(store), "fees", encoding_format="base64")
    vector = np.frombuffer(base64.b64decode(reply["data"][0]["embedding"]), dtype="<f4")
    assert (reply["object"], reply["model"], vector.shape, vector[4]) == ("list", MODEL, (384,), 1.0)


def test_new_text_has_a_budget_and_known_text_has_none(
    store: VectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "NEW_CHARACTERS", 10)
    desk = EmbeddingDesk(store)
    assert asked(desk, "12345678")[0] == 200
    assert asked(desk, *["12345678"] * 50)[0] == 200
    status, reply = asked(desk, "abc")
    assert (status, "budget of 10 characters" in reply["error"]["message"]) == (429, True)
    assert asked(desk, "ab")[0] == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": "text-embedding-3-large", "input": "x"}, 404),
        ({"model": MODEL, "input": [1, 2]}, 400),
        ({"model": MODEL, "input": [""]}, 400),
        ({"model": MODEL, "input": ["x"] * 5_000}, 400),
        ({"model": [], "input": "x"}, 404),
    ],
)
def test_nothing_else_is_answered(body: dict[str, Any], status: int, store: VectorStore) -> None:
    found, reply = EmbeddingDesk(store)(body)
    assert (found, bool(reply["error"]["message"])) == (status, True)


def test_without_the_model_the_sentence_names_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AICOURSE_REPLAY", "only")
    with pytest.raises(DownloadError, match="may not be asked"):
        VectorStore(tmp_path / "none.jsonl").embed("fees")


def test_calls_have_a_budget_whatever_they_ask(store: VectorStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "CALLS", 3)
    desk = EmbeddingDesk(store)
    assert [asked(desk, "fees")[0], desk({})[0], desk({"model": MODEL, "input": 7})[0]] == [200, 404, 400]
    status, reply = asked(desk, "fees")
    assert (status, reply["error"]["message"]) == (429, "The budget of 3 calls is used up.")


@pytest.mark.parametrize("line", ["{", "[]", '{"text": "a"}', json.dumps({"text": "a", "vector": "%%%"})])
def test_a_damaged_file_is_said_to_be(line: str, tmp_path: Path) -> None:
    path = tmp_path / "vectors.jsonl"
    path.write_text(line)
    with pytest.raises(AssignmentError, match=r"vectors\.jsonl is damaged"):
        VectorStore(path)


CALLS = [
    StudentCall("similarity", ("fees", "fees"), seconds=30),
    StudentCall("similarity", ("fees", "refund"), seconds=30),
]


def values(execution: Execution) -> list[Any]:
    return [answer.value for answer in execution.answers]


def test_a_submission_embeds_without_network_or_model(sandbox: Sandbox, recorded: Path) -> None:
    chat = (
        "import httpx2\nprint(httpx2.post('http://127.0.0.1:8000/v1/chat/completions', json={}).status_code)"
    )
    execution = run(sandbox, EMBED, chat, calls=CALLS, vectors=str(recorded))
    assert values(execution) == [1.0, 0.0], execution
    assert printed(execution)[1] == "404\n"


def test_a_text_that_nobody_can_embed_makes_it_ungraded_and_no_zero(sandbox: Sandbox, recorded: Path) -> None:
    with pytest.raises(SandboxError, match="has no recorded vector"):
        run(sandbox, EMBED, "similarity('fees', 'another text')", vectors=str(recorded))


class SlowModelKernel:
    """A kernel whose answer comes after its time is up, 40 seconds of which the grader's model took."""

    def __init__(self) -> None:
        self.channel = self
        self.received, self.asked = 0, 0
        self.now, self.waits = 1_000.0, 0

    def send(self, frame: dict[str, Any], seconds: float) -> None:
        self.asked = frame["id"]

    def receive(self, until: float) -> dict[str, Any]:
        self.waits += 1
        self.now += 40
        if self.waits == 1:
            raise TimeoutError
        return {"answer": self.asked, "kind": "returned", "value": encode(7)}

    def model_seconds(self) -> float:
        return 40.0 * self.waits

    def cpu_seconds(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return self.now

    def interrupt(self) -> None:
        raise AssertionError("the call was interrupted")


def test_the_time_of_the_graders_model_is_not_the_submissions(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = SlowModelKernel()
    monkeypatch.setattr("aicourse.tooling.grading.sandbox.running.time", kernel)
    state = RunState(Job(notebook()), started=kernel.now)
    attempt = Attempt(state, kernel, [])  # type: ignore[arg-type]
    left = attempt._left(attempt._notebook), state.left()
    assert attempt._ask(0, StudentCall("retrieve", ("fees",), seconds=5)).value == 7
    assert kernel.now == 1_080
    assert (attempt._left(attempt._notebook), state.left(kernel.model_seconds())) == left


def test_requests_side_by_side_take_their_time_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([10.0, 13.0, 14.0, 20.0, 20.5, 21.0])
    clock = SimpleNamespace(monotonic=lambda: next(now))
    monkeypatch.setattr("aicourse.tooling.grading.sandbox.proxy.time", clock)
    busy = BusyTime()
    with busy, busy:
        assert busy.seconds == 3.0
    assert busy.seconds == 4.0
    with busy:
        assert busy.seconds == 4.5


def test_without_a_sandbox_ones_own_notebook_embeds_too(recorded: Path) -> None:
    sandbox = Sandbox("L0", trust_notebooks=True)
    sandbox.level, sandbox._starter = "L0", PlainStarter()
    execution = sandbox.execute(Job(notebook(EMBED), CALLS, vectors=str(recorded)))
    assert values(execution) == [1.0, 0.0], execution


def test_a_level_that_cannot_reach_a_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aicourse.tooling.grading.sandbox.launching.Zygote", lambda level: None)
    with pytest.raises(SandboxError, match="cannot reach at L2"):
        ZygoteStarter("L2").start(Job(notebook(), vectors="vectors.jsonl"))
