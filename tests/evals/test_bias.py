"""Bias probes: each finds the bias that a judge was given, and none in a judge without it."""

from __future__ import annotations

from typing import Any

import pytest
from judge_stand_in import Sent, item, items, judge, model, odds, right, said, text
from statsmodels.stats.contingency_tables import mcnemar

from aicourse import prompts
from aicourse.errors import EvaluationError
from aicourse.evals.bias import label_order, length_padding, polarity, position_swap
from aicourse.evals.cases import Case
from aicourse.evals.judge import Judge
from aicourse.evals.statistics import paired_proportions, proportion, sign_test


def test_a_fair_judge_shows_none() -> None:
    for found in (label_order(judge(right), items()), length_padding(judge(right), items())):
        assert (found.items, found.unreadable) == (40, 0)
        assert found.flipped == proportion(0, 40)
        assert found.passing == found.right == paired_proportions(0, 0, 40)


def test_a_judge_that_likes_length_lets_padded_answers_pass() -> None:
    sent: list[Sent] = []

    def impressed(body: Sent) -> str:
        return said("yes") if "glad to help" in text(body) else right(body)

    found = length_padding(judge(None, client=model(impressed, sent)), items(24, 16))
    assert found.flipped == proportion(16, 40)
    assert found.passing == paired_proportions(16, 0, 40)
    assert found.right == paired_proportions(0, 16, 40)
    assert "12 %, says clerk 0 We hope that" in "".join(map(text, sent))
    assert "verdicts changed  +0.400" in str(found)
    assert "right verdicts" in found._repr_html_()


def test_another_field_and_other_words_may_be_padded() -> None:
    sent: list[Sent] = []
    length_padding(judge(None, client=model(right, sent)), items(), field="question", padding=" Please?")
    assert "<question>What do you keep? Please?</question>" in "".join(map(text, sent))


def test_a_judge_that_says_the_first_word_it_reads() -> None:
    sent: list[Sent] = []

    def first_word(body: Sent) -> Any:
        return odds(0.9 if "only yes or no" in text(body) else 0.1)

    asked = judge(None, 2, threshold=0.5, client=model(first_word, sent))
    found = label_order(asked, items(24, 16))
    assert found.flipped == proportion(40, 40)
    assert found.passing == paired_proportions(0, 40, 40)
    assert found.right == paired_proportions(16, 24, 40)
    systems = {str(body["messages"][0]["content"])[-22:] for body in sent}
    assert systems == {"Answer only yes or no.", "Answer only no or yes."}


def test_a_prompt_that_does_not_name_its_answers_together_is_told() -> None:
    other = judge(right, answers=("agrees", "differs"))
    with pytest.raises(EvaluationError, match="says neither 'agrees or differs' nor 'differs or agrees'"):
        label_order(other, items())


def test_polarity_compares_two_questions_on_the_same_items() -> None:
    def yea_sayer(body: Sent) -> str:
        return said("yes")

    opposite = judge(yea_sayer, answers=("no", "yes"))
    found = polarity(judge(right), opposite, items(24, 16))
    assert found.flipped == proportion(24, 40)
    assert found.passing == paired_proportions(0, 24, 40)
    assert found.right == paired_proportions(0, 24, 40)
    assert sign_test(0, 24) == pytest.approx(mcnemar([[16, 24], [0, 0]], exact=True).pvalue)


# pairs

PAIR = """---
name: judge_titles
version: 1
parent:
changelog: Which title is better.
parameters: [first, second]
---
# user
A: {{first}}
B: {{second}}
Which is better, A or B?
"""


def pairs() -> list[Case]:
    """Pairs of a good and a bad title; in half of them the first one is good."""
    good = [
        Case(id=f"a{n}", input={"first": f"good {n}", "second": f"bad {n}"}, expected=True) for n in range(10)
    ]
    bad = [
        Case(id=f"b{n}", input={"first": f"bad {n}", "second": f"good {n}"}, expected=False)
        for n in range(10)
    ]
    return good + bad


def of_pairs(opinion: Any, tmp_path: Any) -> Judge:
    (tmp_path / "v1.md").write_text(PAIR)
    return Judge(prompts.read_prompt(tmp_path / "v1.md"), model(opinion), "m", answers=("A", "B"))


def test_a_swap_of_places_finds_who_looks_at_the_place(tmp_path: Any) -> None:
    def by_content(body: Sent) -> str:
        return said("A" if "A: good" in text(body) else "B")

    def first_place(body: Sent) -> str:
        return said("A")

    def second_if_close(body: Sent) -> str:
        return said("B") if any(f" {n}\n" in text(body) for n in range(4)) else by_content(body)

    fair = position_swap(of_pairs(by_content, tmp_path), pairs())
    assert fair.flipped == proportion(0, 20)
    first = position_swap(of_pairs(first_place, tmp_path), pairs())
    assert first.flipped == proportion(20, 20)
    assert first.passing.estimate == -1
    second = position_swap(of_pairs(second_if_close, tmp_path), pairs())
    assert second.flipped == proportion(8, 20)
    assert second.passing == paired_proportions(8, 0, 20)


# no verdicts


def test_items_without_a_verdict_are_left_out_and_counted() -> None:
    def shy(body: Sent) -> str:
        return "?" if "clerk 3" in text(body) and "glad" in text(body) else right(body)

    found = length_padding(judge(shy), items())
    assert (found.items, found.unreadable) == (38, 2)
    assert "no verdict, left out  2" in str(found)
    with pytest.raises(EvaluationError, match="gave no verdict on any item"):
        length_padding(judge(lambda body: "?"), [item(1, "8 %", True), item(2, "12 %", False)])
