"""A project whose tests use the plugin, and a model behind an address of this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import aicourse.testing.verdicts  # noqa: F401
from aicourse.testing import ScriptedModel

# pytester takes the modules away that its inner runs import, and openai's must not come twice: so all that
# a call needs is loaded here, by a call.
ScriptedModel("warm").client().chat.completions.create(model="m", messages=[])

SHOP = """
import json

def colours(client, text, model="some-model"):
    system = "Name the colours of the thing.\\nAnswer with a JSON list."
    messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
    reply = client.chat.completions.create(model=model, messages=messages)
    return json.loads(reply.choices[0].message.content)
"""


class Model:
    """What the address answers, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.reply: Callable[[str], str] = lambda text: json.dumps(text.lower().split()[1:2])

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body)
        message = {"role": "assistant", "content": self.reply(body["messages"][-1]["content"])}
        return {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105},
        }


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    """A model that the environment configures: it names the second word of what it is asked."""
    asked = Model()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            reply = json.dumps(asked.answer(json.loads(content))).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AICOURSE_PROVIDER", f"http://127.0.0.1:{server.server_port}/v1")
        yield asked
        server.shutdown()


class Project:
    """A project of someone else, with one file of tests."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.recordings = pytester.path / "recordings" / "test_shop.jsonl"
        pytester.makepyprojecttoml("[tool.pytest.ini_options]\npythonpath = ['.']\n")
        pytester.makepyfile(shop=SHOP)

    def tests(self, source: str) -> None:
        """Write its test file."""
        head = "import pytest\nfrom shop import colours\n\n"
        (self.pytester.path / "test_shop.py").write_text(head + source, encoding="utf-8")

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in this process, or with `-n` in others."""
        options = ("-p", "no:cacheprovider", *arguments)
        workers = any(argument.startswith("-n") for argument in arguments)
        run = self.pytester.runpytest_subprocess if workers else self.pytester.runpytest_inprocess
        return run(*options)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The recordings."""
        if not self.recordings.exists():
            return []
        return [json.loads(line) for line in self.recordings.read_text("utf-8").splitlines()]

    def change(self, before: str, after: str, file: str = "shop.py") -> None:
        """Replace text in one of its files."""
        path = Path(self.pytester.path / file)
        text = path.read_text("utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    return Project(pytester)
