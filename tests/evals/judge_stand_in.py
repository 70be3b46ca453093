"""A model that a test gives its opinions, and labelled items for it to judge.

The model is a genuine client over a transport of its own; it gives probabilities of tokens when asked to.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import httpx2
import openai

from aicourse import prompts
from aicourse.evals.cases import Case
from aicourse.evals.judge import Judge
from aicourse.llm.catalog import Provider
from aicourse.llm.replay import Mode
from aicourse.llm.stack import MeasuredClient, Stack
from aicourse.llm.transport import network

URL = "http://m.invalid/v1"
Sent = dict[str, Any]
Reply = str | None | list[tuple[str, float]]  # a text, or candidates for the first token: (token, logprob)


def model(
    opinion: Callable[[Sent], Reply | dict[str, Any]], sent: list[Sent] | None = None, replay: str = "off"
) -> openai.OpenAI:
    """A client of a model that replies with `opinion(body)`; a dict replaces fields of the first choice."""

    def handle(request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        if sent is not None:
            sent.append(body)
        reply = opinion(body)
        said = reply if isinstance(reply, str) else "yes"
        choice: dict[str, Any] = {
            "index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop",
            "logprobs": {"content": [_token(reply)]} if isinstance(reply, list) else None,
        }  # fmt: skip
        choice |= reply if isinstance(reply, dict) else {}
        content = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
        return httpx2.Response(200, content=json.dumps(content))

    stack = Stack(network, Provider(name="m", base_url=URL, key_required=False), openai, mode=Mode(replay))
    http_client = MeasuredClient(stack, httpx2.MockTransport(handle))
    return openai.OpenAI(base_url=URL, api_key="x", max_retries=0, http_client=http_client)


def _token(candidates: Sequence[tuple[str, float]]) -> dict[str, Any]:
    top = [{"token": token, "logprob": logprob, "bytes": None} for token, logprob in candidates]
    return {**(top[0] if top else {"token": "", "logprob": 0.0, "bytes": None}), "top_logprobs": top}


def said(verdict: str, reason: str = "because") -> str:
    return json.dumps({"reason": reason, "verdict": verdict})


def odds(probability: float) -> list[tuple[str, float]]:
    """The candidates of a model that says yes with this probability."""
    return [("yes", math.log(max(probability, 1e-30))), (" No", math.log(max(1 - probability, 1e-30)))]


def text(body: Sent) -> str:
    return str(body["messages"][-1]["content"])


def judge(opinion: Callable[[Sent], Any], version: int = 1, **settings: Any) -> Judge:
    prompt = prompts.load(f"judge_agrees@{version}")
    client = settings.pop("client", None) or model(opinion)
    return Judge(prompt, client, settings.pop("model", "m"), **settings)


def item(number: int, output: str, passes: bool) -> Case:
    seen = {"article": "We keep 8 %.", "question": "What do you keep?", "output": output}
    return Case(id=f"J{number:02}", input=seen, expected=passes, provenance="made up")


def items(passes: int = 20, fails: int = 20) -> list[Case]:
    """Answers that say 8 % pass, those that say 12 % fail; each differs by its number."""
    good = [item(n, f"8 %, says clerk {n}", True) for n in range(passes)]
    return good + [item(100 + n, f"12 %, says clerk {n}", False) for n in range(fails)]


def right(body: Sent) -> str:
    """The opinion of a judge that is always right."""
    return said("yes" if "8 %, says" in text(body) else "no")
