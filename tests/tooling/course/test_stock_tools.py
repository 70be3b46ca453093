"""A repeated request is counted within each run of a cell, whichever tool runs the cell."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from aicourse.llm import session
from aicourse.llm.catalog import Provider
from aicourse.llm.replay import Mode
from aicourse.llm.stack import MeasuredClient, Stack
from aicourse.llm.transport import network
from aicourse.notebook_json import new_cell, new_notebook, notebook_text
from aicourse.tooling.course.notebooks import read_notebook

MODEL = "qwen2.5-coder-0.5b"
REQUEST: dict[str, Any] = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "A colour?"}],
    "temperature": 0.7,  # at 0 the last reply would stand for further ones
}
START = f"""from aicourse import connect

client = connect(model="{MODEL}")


def ask():
    return client.chat.completions.create(**{REQUEST}).choices[0].message.content"""
CELLS = {  # source -> what it prints: each cell begins with the first recorded reply
    "print(ask(), ask())": "reply 1 reply 2\n",
    "print(*[ask() for _ in range(3)])": "reply 1 reply 2 reply 3\n",
    "print(ask())": "reply 1\n",
}
TOOLS = {
    "nbval": "pytest -q -p no:cacheprovider --nbval repeated.ipynb",
    "papermill": "papermill --no-progress-bar repeated.ipynb out.ipynb",
    "nbconvert": "nbconvert --to notebook --execute --output out.ipynb repeated.ipynb",
}


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Three replies to the same request."""
    replies = itertools.count(1)

    def answer(request: httpx2.Request) -> httpx2.Response:
        message = {"role": "assistant", "content": f"reply {next(replies)}"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
        whole = {"id": "c", "object": "chat.completion", "created": 0, "model": MODEL}
        return httpx2.Response(200, json={**whole, "choices": [choice], "usage": usage})

    session.begin(None, path := tmp_path / "recordings.jsonl")
    stack = Stack(
        network,
        Provider("somebody", "http://model.invalid/v1", key_required=False),
        openai,
        mode=Mode.RECORD,
    )
    http_client = MeasuredClient(stack, httpx2.MockTransport(answer))
    client = openai.OpenAI(base_url="http://model.invalid/v1", api_key="none", http_client=http_client)
    for _ in range(3):
        client.chat.completions.create(**REQUEST)
    session.begin(None, None)
    return path


@pytest.fixture
def environment(recordings: Path) -> dict[str, str]:
    return {**os.environ, "AICOURSE_REPLAY": "only", "AICOURSE_RECORDINGS": str(recordings)}


@pytest.fixture
def kernel(environment: dict[str, str], tmp_path: Path) -> Iterator[BlockingKernelClient]:
    manager, client = start_new_kernel(env=environment, cwd=str(tmp_path))
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(kernel: BlockingKernelClient, source: str, **options: Any) -> str:
    """What a cell prints, or the sentence of its error."""
    content = {"code": source, "silent": False, "store_history": True, "user_expressions": {}}
    metadata = {"cellId": options.pop("cell_id")} if "cell_id" in options else {}
    content |= {"allow_stdin": False, "stop_on_error": True, **options}
    message = kernel.session.msg("execute_request", content, metadata=metadata)
    kernel.shell_channel.send(message)
    printed = ""
    while True:
        told = kernel.get_iopub_msg(timeout=60)
        if told["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue
        if told["msg_type"] == "stream":
            printed += told["content"]["text"]
        elif told["msg_type"] == "error":
            return str(told["content"]["evalue"])
        elif told["msg_type"] == "status" and told["content"]["execution_state"] == "idle":
            return printed


def test_clients_with_and_without_history_and_cell_ids(kernel: BlockingKernelClient) -> None:
    assert run(kernel, START) == ""
    for history, named in itertools.product((False, True), repeat=2):
        for _ in range(2):  # each cell is run again
            for number, (source, printed) in enumerate(CELLS.items()):
                name = {"cell_id": f"cell-{number}"} if named else {}
                assert run(kernel, source, store_history=history, **name) == printed
    assert "4 times and has 3 recorded" in run(kernel, "[ask() for _ in range(4)]")


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    cells = [new_cell("code", START, "start")]
    for number, (source, printed) in enumerate(CELLS.items()):
        output = {"output_type": "stream", "name": "stdout", "text": [printed]}
        cell = new_cell("code", source, f"cell-{number}")
        cells.append({**cell, "outputs": [output], "execution_count": number + 2})
    path = tmp_path / "repeated.ipynb"
    path.write_text(notebook_text(new_notebook(cells)), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("tool", TOOLS)
def test_stock_tools(tool: str, notebook: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *TOOLS[tool].split()],
        cwd=notebook.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if (written := notebook.with_name("out.ipynb")).exists():
        cells = read_notebook(written).code_cells[1:]
        texts = ["".join(map("".join, (output["text"] for output in cell.outputs))) for cell in cells]
        assert texts == list(CELLS.values())
    else:
        assert f"{len(CELLS) + 1} passed" in done.stdout
