"""Recording a lesson against a provider on loopback: what is asked, what is kept, what is told."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aicourse.llm.recordings import RecordingFile
from aicourse.tooling import course
from aicourse.tooling.course import RecordingReport

FIXTURE = Path(__file__).parents[2] / "notebooks" / "record" / "90-asks.ipynb"


class Provider(ThreadingHTTPServer):
    """Answers each question with itself and `mood`, and remembers the questions."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.questions: list[str] = []
        self.mood = "!"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Answer(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        question = body["messages"][-1]["content"]
        self.server.questions.append(question)
        message = {"role": "assistant", "content": question + self.server.mood}
        reply = {
            "id": f"chat-{len(self.server.questions)}",
            "object": "chat.completion",
            "created": 1_800_000_000 + len(self.server.questions),
            "model": body["model"],
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        }
        content = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with Provider() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AICOURSE_PROVIDER", server.url)
        yield server
        server.shutdown()


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course of one lesson that asks two questions, none of them recorded."""
    (tmp_path / "datasets").mkdir()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setenv("AICOURSE_HOME", str(tmp_path))
    return Path(shutil.copy(FIXTURE, tmp_path / "notebooks"))


def recorded(notebook: Path) -> dict[str, str]:
    file = RecordingFile(notebook.parent / "recordings" / "90-asks.jsonl")
    found = file.recordings().values()
    return {
        recording.request["body"]["messages"][-1]["content"]: recording.body["choices"][0]["message"][
            "content"
        ]
        for recording in found
    }


def rewrite(notebook: Path, old: str, new: str) -> None:
    notebook.write_text(notebook.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def one(reports: list[RecordingReport]) -> RecordingReport:
    assert len(reports) == 1
    return reports[0]


@pytest.mark.slow
def test_a_lesson_is_recorded_checked_and_recorded_again(provider: Provider, notebook: Path) -> None:
    report = one(course.record(["90"]))
    assert (report.kept, len(report.added), report.error) == (0, 2, None)
    assert recorded(notebook) == {"first": "first!", "second": "second!"}
    assert provider.questions == ["first", "second"]

    assert one(course.record(["90"], check=True)).complete
    assert provider.questions == ["first", "second"]

    rewrite(notebook, "second", "third")
    before = recorded(notebook)
    checked = one(course.record(["90"], check=True))
    assert checked.error is not None
    assert checked.error.name == "RecordingMissing"
    assert "aicourse record 90" in str(checked)
    assert recorded(notebook) == before

    provider.questions.clear()
    completed = one(course.record(["90"], missing_only=True))
    assert (completed.kept, len(completed.added), len(completed.unused)) == (1, 1, 1)
    assert provider.questions == ["third"]
    assert recorded(notebook) == {"first": "first!", "third": "third!"}


@pytest.mark.slow
def test_a_check_finds_what_is_not_asked_for_and_what_changed(provider: Provider, notebook: Path) -> None:
    course.record(["90"])
    rewrite(notebook, ', \\"second\\"', "")
    assert '"second"' not in notebook.read_text(encoding="utf-8")

    unused = one(course.record(["90"], check=True))
    assert [len(unused.unused), len(unused.changed), unused.complete] == [1, 0, False]
    assert "1 not asked for" in str(unused)

    provider.mood = "?"
    changed = one(course.record(["90"], check=True, live=True))
    assert len(changed.changed) == 1
    assert recorded(notebook) == {"first": "first!", "second": "second!"}


@pytest.mark.slow
def test_a_lesson_that_fails_keeps_its_recordings(provider: Provider, notebook: Path) -> None:
    course.record(["90"])
    before = recorded(notebook)
    provider.mood = "?"
    rewrite(notebook, "QUESTIONS:", "[*QUESTIONS, 1 / 0]:")
    report = one(course.record(["90"]))
    assert report.error is not None
    assert report.error.name == "ZeroDivisionError"
    assert recorded(notebook) == before


@pytest.mark.slow
def test_what_lessons_share_is_neither_copied_nor_missed(provider: Provider, notebook: Path) -> None:
    course.record(["90"])
    own = notebook.parent / "recordings" / "90-asks.jsonl"
    shared = notebook.parent / "recordings" / "shared" / "label_things" / "v1.jsonl"
    shared.parent.mkdir(parents=True)
    first, second = own.read_text(encoding="utf-8").splitlines(keepends=True)
    shared.write_text(first, encoding="utf-8")
    own.write_text(second, encoding="utf-8")

    assert one(course.record(["90"], check=True)).complete
    provider.questions.clear()
    course.record(["90"])
    assert provider.questions == ["second"]
    assert recorded(notebook) == {"second": "second!"}


@pytest.mark.slow
def test_a_check_names_the_file_and_line_of_what_is_broken_there_twice_or_not_asked_for(
    provider: Provider, notebook: Path
) -> None:
    course.record(["90"])
    own = notebook.parent / "recordings" / "90-asks.jsonl"
    first, second = own.read_text(encoding="utf-8").splitlines(keepends=True)
    stale = second.replace(json.loads(second)["key"], "f" * 64)
    shared = notebook.parent / "recordings" / "shared" / "label_things" / "v1.jsonl"
    shared.parent.mkdir(parents=True)
    shared.write_text(first + "{half\n" + first + stale, encoding="utf-8")
    own.write_text(second + second + stale, encoding="utf-8")

    with pytest.warns(UserWarning, match="line"):
        lesson, common = course.record(check=True)

    assert (lesson.complete, common.complete, common.kept) == (False, False, 1)
    mine, theirs = "notebooks/recordings/90-asks.jsonl", "notebooks/recordings/shared/label_things/v1.jsonl"
    assert lesson.faults == (
        f"{mine}, line 2 repeats line 1; the last one counts.",
        f"{mine}, line 3 is not asked for: 'second'.",
    )
    assert [fault.partition(":")[0] for fault in common.faults] == [
        f"{theirs}, line 2 is not a recording and is skipped",
        f"{theirs}, line 3 repeats line 1; the last one counts.",
        f"{theirs}, line 4 is not asked for",
    ]
    assert str(common).startswith("shared: 1 recorded\n  notebooks/recordings/shared/")


@pytest.mark.slow
def test_a_deleted_recording_is_missed_although_an_earlier_run_left_its_files(
    provider: Provider, notebook: Path
) -> None:
    """Beside the lesson, where JupyterLab writes, and where `run` itself did."""
    unless_done = "from pathlib import Path; QUESTIONS = [] if Path('build').exists() else "
    rewrite(notebook, "QUESTIONS = ", unless_done)
    rewrite(notebook, "client = connect()", "Path('build').mkdir(); client = connect()")
    course.record(["90"])
    assert course.run(["90"])[0].error is None
    (notebook.parent / "build").mkdir()
    own = notebook.parent / "recordings" / "90-asks.jsonl"
    own.write_text(own.read_text(encoding="utf-8").splitlines(keepends=True)[0], encoding="utf-8")

    assert "RecordingMissing" in str(course.run(["90"])[0].error)
    (result,) = course.validate(["90"], once=True, cells=True)
    assert "RecordingMissing" in str(result.failures[0])
