"""The probability of one of two answers, from the first token's candidates."""

from __future__ import annotations

import math

import pytest
from openai.types.chat.chat_completion import Choice

from aicourse.llm.one_token import probability


def choice(**masses: float) -> Choice:
    tops = [{"token": word, "logprob": math.log(mass), "bytes": None} for word, mass in masses.items()]
    first = {**tops[0], "top_logprobs": tops} if tops else {}
    return Choice.model_validate(
        {
            "index": 0,
            "finish_reason": "length",
            "message": {"role": "assistant", "content": "yes"},
            "logprobs": {"content": [first] if first else [], "refusal": None},
        }
    )


def test_both_answers_share_what_is_theirs() -> None:
    assert probability(choice(yes=0.6, No=0.15, ye=0.15, maybe=0.1), ("yes", "no")) == pytest.approx(
        0.75 / 0.9
    )


def test_another_word_is_no_answer() -> None:
    with pytest.raises(ValueError, match="neither 'yes' nor 'no', rather 'Maybe'"):
        probability(choice(Maybe=0.8, yes=0.1), ("yes", "no"))


def test_a_reply_without_probabilities() -> None:
    with pytest.raises(LookupError):
        probability(choice(), ("yes", "no"))
