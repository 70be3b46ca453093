from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from aicourse import usage
from aicourse.errors import BudgetExceeded, CatalogError
from aicourse.llm import catalog, session
from aicourse.llm.budget import upper_estimate
from aicourse.llm.catalog import Provider
from aicourse.llm.recording_key import canonical_request
from aicourse.llm.replay import Mode
from aicourse.llm.stack import MeasuredClient, Stack
from aicourse.llm.transport import network

MODEL = "gpt-4o-mini"  # 0.15 USD a million prompt tokens, 0.60 a million completion tokens
QUESTION: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "?"}]}
ANSWER_COST = Decimal("0.00075")  # 1,000 prompt and 1,000 completion tokens


def answer(request: httpx2.Request) -> httpx2.Response:
    message = {"role": "assistant", "content": "red"}
    body = {"id": "c", "object": "chat.completion", "created": 0, "model": MODEL}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    counts = {"prompt_tokens": 1_000, "completion_tokens": 1_000, "total_tokens": 2_000}
    return httpx2.Response(200, json={**body, "choices": [choice], "usage": counts})


def client(budget: float | Decimal, handler: Any = answer, mode: str = "off") -> openai.OpenAI:
    provider = Provider("openai", "http://model.invalid/v1", key_required=False)
    layers = Stack(network, provider, openai, mode=Mode(mode), budget=budget)
    http_client = MeasuredClient(layers, httpx2.MockTransport(handler))
    return openai.OpenAI(
        base_url="http://model.invalid/v1", api_key="none", max_retries=0, http_client=http_client
    )


def estimate(**fields: Any) -> Decimal:
    url = "http://model.invalid/v1/chat/completions"
    return upper_estimate(
        canonical_request(httpx2.Request("POST", url, content=json.dumps({**QUESTION, **fields})))
    )


@pytest.fixture(autouse=True)
def prices_as_in_the_examples() -> None:
    model = catalog.model(MODEL)
    assert (model.input_price, model.output_price) == (Decimal("0.15"), Decimal("0.60"))


def test_the_estimate_is_length_over_three_plus_all_tokens_it_may_write() -> None:
    # {"messages": [{"content": "?", "role": "user"}], "model": "gpt-4o-mini", "max_completion_tokens": 500}
    # has 102 bytes
    assert estimate(max_completion_tokens=500) == (35 * Decimal("0.15") + 500 * Decimal("0.60")) / 1_000_000


@pytest.mark.parametrize(
    ("fields", "completion_tokens"),
    [
        ({"max_completion_tokens": 500}, 500),
        ({"max_tokens": 500, "n": 3}, 1_500),
        ({"max_tokens": None}, 4_096),
        ({}, 4_096),
    ],
)
def test_the_estimate_grows_with_what_may_be_written(fields: dict[str, Any], completion_tokens: int) -> None:
    written = completion_tokens * Decimal("0.60") / 1_000_000
    assert written < estimate(**fields) < written + Decimal("0.00001")


def test_a_picture_counts_as_tokens_not_as_its_bytes() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 3_000_000}}
    messages = [{"role": "user", "content": [picture]}]
    more = estimate(messages=messages) - estimate()
    assert Decimal("0.0003") < more < Decimal("0.00032")


def test_a_call_that_could_exceed_the_budget_is_not_sent() -> None:
    sent: list[httpx2.Request] = []
    asked = client(0.001, lambda request: sent.append(request) or answer(request))  # type: ignore[func-returns-value]
    with pytest.raises(
        BudgetExceeded, match=r"could cost \$0\.0024.*\$0\.00 of the budget of \$0\.001"
    ) as caught:
        asked.chat.completions.create(**QUESTION)
    assert sent == []
    assert usage(asked).calls == ()
    assert (caught.value.spent, caught.value.budget) == (Decimal(0), Decimal("0.001"))
    assert caught.value.estimate == estimate()


def test_the_real_cost_replaces_the_estimate() -> None:
    asked = client(Decimal("0.0047"))  # the estimate of 0.00246 fits while at most 0.00224 is spent
    for _ in range(3):
        asked.chat.completions.create(**QUESTION)
    assert usage(asked).spent == 3 * ANSWER_COST
    with pytest.raises(BudgetExceeded) as caught:
        asked.chat.completions.create(**QUESTION)
    assert caught.value.spent == 3 * ANSWER_COST


def test_a_recorded_reply_costs_nothing(tmp_path: Path) -> None:
    session.begin("01", tmp_path / "01.jsonl")
    client(1, mode="record").chat.completions.create(**QUESTION)
    session.begin("01", tmp_path / "01.jsonl")
    replaying = client(0, mode="auto")
    replaying.chat.completions.create(**QUESTION)
    assert (usage(replaying).cost, usage(replaying).spent) == (ANSWER_COST, 0)


def test_an_error_costs_nothing() -> None:
    asked = client(Decimal("0.0025"), lambda request: httpx2.Response(500, json={}))
    for _ in range(3):
        with pytest.raises(openai.InternalServerError):
            asked.chat.completions.create(**QUESTION)


def test_a_connection_that_fails_costs_nothing() -> None:
    def failing(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("slow")

    asked = client(Decimal("0.0025"), failing)
    for _ in range(3):
        with pytest.raises(openai.APITimeoutError):
            asked.chat.completions.create(**QUESTION)


def test_a_stream_that_does_not_state_its_tokens_costs_the_estimate() -> None:
    def streaming(request: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, content=b"data: [DONE]\n\n")

    asked = client(Decimal("0.0026"), streaming)
    assert list(asked.chat.completions.create(**QUESTION, stream=True)) == []
    with pytest.raises(BudgetExceeded) as caught:
        asked.chat.completions.create(**QUESTION, stream=True)
    assert caught.value.spent == estimate(stream=True)
    assert usage(asked).unpriced == 1


def test_parallel_calls_cannot_exceed_the_budget_together() -> None:
    one_is_out = threading.Event()
    go_on = threading.Event()

    def slow(request: httpx2.Request) -> httpx2.Response:
        one_is_out.set()
        assert go_on.wait(10)
        return answer(request)

    asked = client(Decimal("0.004"), slow)  # room for one estimate, not for two
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(asked.chat.completions.create, **QUESTION)
        assert one_is_out.wait(10)
        with pytest.raises(BudgetExceeded):
            asked.chat.completions.create(**QUESTION)
        go_on.set()
        first.result()
    assert usage(asked).spent == ANSWER_COST


def test_a_budget_without_a_price_is_refused() -> None:
    with pytest.raises(CatalogError, match="price of 'gpt-unheard-of' is not in the catalogue"):
        client(1).chat.completions.create(**{**QUESTION, "model": "gpt-unheard-of"})


def test_the_embedded_model_fits_any_budget() -> None:
    asked = client(0)
    asked.chat.completions.create(**{**QUESTION, "model": "qwen2.5-coder-0.5b"})
    assert usage(asked).cost == 0
