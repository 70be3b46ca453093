from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import openai
import pytest

from aicourse import Fault, usage
from aicourse.errors import AicourseError
from aicourse.llm.calls import Call, Usage
from aicourse.testing import ScriptedModel

QUESTION = [{"role": "user", "content": "Which colours?"}]


def call(source: str = "live", **changes: object) -> Call:
    fields: dict[str, object] = {
        "provider": "openai",
        "model": "gpt-4o-mini",
        "source": source,
        "path": "chat/completions",
        "status": 200,
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "cost": Decimal("0.0001"),
        "seconds": 1.0,
        "first_token_seconds": None,
        "at": datetime(2026, 11, 23, tzinfo=UTC),
    }
    return Call(**{**fields, **changes})  # type: ignore[arg-type]


MIXED = Usage(
    (
        call("recorded", seconds=3.0),
        call("live", seconds=1.0),
        call("live", prompt_tokens=None, completion_tokens=None, cost=None, seconds=2.0),
        call(
            "fault", status=429, error="HTTP 429", prompt_tokens=None, completion_tokens=None, cost=Decimal(0)
        ),
    )
)


def test_totals_keep_recorded_and_live_apart() -> None:
    assert (MIXED.count("recorded"), MIXED.count("live"), MIXED.count("fault")) == (1, 2, 1)
    assert (MIXED.prompt_tokens, MIXED.completion_tokens) == (200, 40)
    assert MIXED.cost == Decimal("0.0002")
    assert MIXED.spent == Decimal("0.0001")


def test_what_is_unknown_is_said_and_not_counted_as_zero() -> None:
    assert (MIXED.uncounted, MIXED.unpriced, MIXED.errors) == (1, 1, 1)
    assert "1 call did not state them" in str(MIXED)
    assert "price unknown for 1 call" in str(MIXED)


def test_the_median_latency_leaves_errors_out() -> None:
    assert MIXED.median_seconds == 2.0
    assert Usage(()).median_seconds is None


def test_text_and_html_show_the_same_rows() -> None:
    shown = MIXED._repr_html_()
    for label, value in MIXED.rows():
        assert label in str(MIXED)
        assert value in str(MIXED)
        assert f">{label}</th>" in shown
        assert f">{value}</td>" in shown


def test_a_frame_has_a_row_for_each_call_and_money_as_float() -> None:
    frame = MIXED.to_frame()
    assert list(frame["source"]) == ["recorded", "live", "live", "fault"]
    assert frame["cost"].sum() == pytest.approx(0.0002)
    assert frame["prompt_tokens"].isna().sum() == 2
    assert list(Usage(()).to_frame().columns) == list(frame.columns)


def test_usage_of_a_client_counts_each_exchange_retries_included() -> None:
    client = ScriptedModel("red", "blue").client(faults=[Fault(status=429, retry_after=0.001)], max_retries=1)
    for _ in range(2):
        client.chat.completions.create(model="m", messages=QUESTION)  # type: ignore[arg-type]
    seen = usage(client)
    assert [(one.source, one.status, one.error) for one in seen.calls] == [
        ("fault", 429, "HTTP 429"),
        ("live", 200, None),
        ("live", 200, None),
    ]
    assert (seen.prompt_tokens, seen.completion_tokens) == (4, 2)


def test_copies_of_a_client_share_one_count() -> None:
    client = ScriptedModel("red").client()
    client.with_options(timeout=5).chat.completions.create(model="m", messages=QUESTION)  # type: ignore[arg-type]
    assert len(usage(client).calls) == 1


def test_usage_of_a_foreign_client_says_what_to_do() -> None:
    with pytest.raises(AicourseError, match=r"aicourse\.connect\(\)"):
        usage(openai.OpenAI(api_key="none"))
