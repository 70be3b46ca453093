"""One evaluation tool over the same cases against the same endpoint: run as a script, by any Python.

    python evals_peers.py serve                          prints its address, answers every chat with "red"
    python evals_peers.py ours|pool|inspect|pydantic ADDRESS CASES FOLDER

`bench_evals` starts it with the Python that has the tool. Each tool asks the endpoint with its own OpenAI
client, 8 requests at a time, compares each answer with what is expected, and keeps its log in FOLDER.
"""

from __future__ import annotations

import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

AT_ONCE = 8
QUESTION, ANSWER = "Which colour?", "red"
REPLY = {
    "id": "1",
    "object": "chat.completion",
    "created": 0,
    "model": "m",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}},
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


class Endpoint(asyncio.Protocol):
    """Answers each request on a kept connection at once; it reads no more of it than its length."""

    def connection_made(self, transport: Any) -> None:
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, rest = self.received.partition(b"\r\n\r\n")
            fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
            length = int(fields.get(b"content-length", b"0"))
            if len(rest) < length:
                return
            self.received = rest[length:]
            body = json.dumps(REPLY).encode()
            self.transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
                + body
            )


async def serve() -> None:
    """Serve until this process is ended."""
    server = await asyncio.get_running_loop().create_server(Endpoint, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


def ask_with(address: str) -> Any:
    """A function that asks the endpoint with the openai client."""
    import openai

    client = openai.OpenAI(base_url=address, api_key="none")

    def ask(_: Any) -> str | None:
        messages: Any = [{"role": "user", "content": QUESTION}]
        return client.chat.completions.create(model="m", messages=messages).choices[0].message.content

    return ask


def pool(address: str, cases: int, folder: Path) -> None:
    """No tool at all: a thread pool."""
    with ThreadPoolExecutor(AT_ONCE) as executor:
        answers = list(executor.map(ask_with(address), range(cases)))
    assert answers.count(ANSWER) == cases


def ours(address: str, cases: int, folder: Path) -> None:
    """aicourse's runner."""
    from aicourse.evals import runner
    from aicourse.evals.cases import Case
    from aicourse.evals.scorers import exact

    several = [Case(id=str(number), input=QUESTION, expected=ANSWER) for number in range(cases)]
    path = folder / f"{cases}.jsonl"
    run = runner.run(ask_with(address), several, [exact()], path=path, workers=AT_ONCE, progress=False)
    assert run.summary.scores[0].mean is not None
    assert run.summary.scores[0].mean.estimate == 1


def inspect(address: str, cases: int, folder: Path) -> None:
    """inspect-ai with its own OpenAI provider."""
    from inspect_ai import Task
    from inspect_ai import eval as evaluate
    from inspect_ai.dataset import Sample
    from inspect_ai.model import get_model
    from inspect_ai.scorer import exact

    model = get_model("openai/m", base_url=address, api_key="none", responses_api=False)
    samples = [Sample(input=QUESTION, target=ANSWER, id=number + 1) for number in range(cases)]
    task = Task(dataset=samples, scorer=exact())
    (log,) = evaluate(
        task, model=model, display="none", max_connections=AT_ONCE, max_samples=AT_ONCE, log_dir=str(folder)
    )
    assert log.results is not None
    assert log.results.scores[0].metrics["mean"].value == 1


def pydantic(address: str, cases: int, folder: Path) -> None:
    """pydantic-evals over an asynchronous OpenAI client."""
    import openai
    from pydantic_evals import Case, Dataset
    from pydantic_evals.evaluators import EqualsExpected

    client = openai.AsyncOpenAI(base_url=address, api_key="none")

    async def ask(question: str) -> str | None:
        messages: Any = [{"role": "user", "content": question}]
        reply = await client.chat.completions.create(model="m", messages=messages)
        return reply.choices[0].message.content

    several = [Case(name=str(number), inputs=QUESTION, expected_output=ANSWER) for number in range(cases)]
    dataset: Any = Dataset(name="bench", cases=several, evaluators=[EqualsExpected()])
    report = dataset.evaluate_sync(ask, max_concurrency=AT_ONCE, progress=False)
    assert report.averages().assertions == 1


def promptfoo_config(address: str, cases: int) -> str:
    """The same for promptfoo, which is a program of its own."""
    provider = {"id": "openai:chat:m", "config": {"apiBaseUrl": address, "apiKey": "none"}}
    tests = [{"vars": {"n": n}, "assert": [{"type": "equals", "value": ANSWER}]} for n in range(cases)]
    return json.dumps({"prompts": [f"{QUESTION} {{{{n}}}}"], "providers": [provider], "tests": tests})


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve())
    else:
        tool, address, number, folder = sys.argv[1:]
        {"ours": ours, "pool": pool, "inspect": inspect, "pydantic": pydantic}[tool](
            address, int(number), Path(folder)
        )
