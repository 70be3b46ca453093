"""Correctness: every reference passes; those of other questions and wrong answers by hand seldom do."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from aicourse import datasets, prompts
from aicourse.datasets import HelpQuestion
from aicourse.errors import EvaluationError
from aicourse.evals import Context, Judge, Validation
from aicourse.evals.scores import score_all
from aicourse.rag.correctness import correct, correctness
from aicourse.testing import ScriptedModel

GRADER = datasets.datasets_dir() / "help_center" / "grader" / "questions.jsonl"
QUESTIONS = {
    one.id: one
    for questions in (
        datasets.help_questions("dev"),
        datasets.help_questions("test"),
        datasets.read_help_questions(GRADER),
    )
    for one in questions
}
WRONG = {
    "Q001": "No, a frame number can be left out.",
    "Q003": "Up to 150 books may be offered as one lot.",
    "Q007": "14.20 €.",
    "Q010": "After 17:00.",
    "Q021": "No, shops owe nothing: the guarantee of one year is for new goods.",
    "Q027": "The link is valid for 120 minutes.",
    "Q033": "Yes, for 24 hours after paying.",
    "Q040": "Once a month, though not twice in a row.",
    "Q056": "It expires after a year, even if the account stays open.",
    "Q057": "From 22:00 to 8:00.",
    "Q069": "Yes, you learn who reported you.",
    "Q076": "In 10 €, 25 € and 500 €.",
    "Q080": "600 requests a minute.",
    "Q094": "Yes, wine may be sold, but not spirits.",
    "Q096": "13 €.",
}
# the rule wants an hour, twice, and stays
PASSING = {"Q033", "Q040", "Q056"}


def test_every_reference_is_right() -> None:
    assert len(QUESTIONS) == 300
    assert [id for id, one in QUESTIONS.items() if not correct(one.answer, one).value] == []


def test_references_of_other_questions_are_seldom_right() -> None:
    """Nearly half of those that pass are a yes where any yes is enough for the rule."""
    answered = [one for one in QUESTIONS.values() if one.relevant]
    passes = [correct(other.answer, one).value for one in answered for other in answered if other is not one]
    assert len(passes) == 48_180
    assert sum(map(bool, passes)) == 610  # 1.3 %


def test_no_answer_is_right_where_nothing_answers_and_there_alone() -> None:
    assert [id for id, one in QUESTIONS.items() if correct("", one).value != (not one.relevant)] == []
    assert correct("Yes.", QUESTIONS["Q002"]).reason == "nothing answers this question"
    assert correct("", QUESTIONS["Q001"]).reason == "no answer, and there is one"


def test_wrong_answers_by_hand() -> None:
    found = {id: correct(answer, QUESTIONS[id]) for id, answer in WRONG.items()}
    assert {id for id, score in found.items() if score.value} == PASSING
    assert found["Q001"].reason == "says no, the reference yes"
    assert found["Q003"].reason == "does not say '50'"


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("After 16:00.", True),
        ("after 16h", True),
        ("At 16.", True),
        ("At 4.16 pm", False),
        ("At 16.30", False),
        ("116", False),
        ("Q16", False),
    ],
)
def test_a_number_stands_alone(answer: str, right: bool) -> None:
    assert correct(answer, QUESTIONS["Q010"]).value is right


@pytest.mark.parametrize(
    ("answer", "right"), [("It doesn’t, alcohol is out.", True), ("Note: alcohol.", False)]
)
def test_a_negation_is_a_word_or_its_end(answer: str, right: bool) -> None:
    assert correct(answer, QUESTIONS["Q094"]).value is right


def test_it_is_a_scorer() -> None:
    scorer = correctness(QUESTIONS.values())
    (score,) = score_all([scorer], Context("After 16:00.", id="Q010"))
    assert (score.name, score.value) == ("correct", True)
    assert score_all([scorer], Context(None, id="Q010"))[0].value is False
    assert "KeyError" in (score_all([scorer], Context("", id="Q999"))[0].error or "")


# with a judge

PROMPT = """---
name: same
version: 1
parent:
changelog: "Same?"
parameters: [question, expected, output]
---
# user
{{question}}|{{expected}}|{{output}}
"""


@pytest.fixture
def judge(tmp_path: Any) -> Any:
    path = tmp_path / "same.md"
    path.write_text(PROMPT)

    def make(model: ScriptedModel, right: int = 30, told: bool = True) -> Judge:
        one = Judge(prompts.load(path), model.client(), "m")
        measured = Validation(one.facts, "by hand", "d", (right, 30), (30, 30), (0, 0), 60)
        return replace(one, validation=measured) if told else one

    return make


def verdict(word: str) -> str:
    return json.dumps({"reason": "because", "verdict": word})


def without_rule(id: str) -> HelpQuestion:
    return replace(QUESTIONS[id], must=())


def test_a_judge_decides_where_there_is_no_rule(judge: Any) -> None:
    model = ScriptedModel(verdict("no"), verdict("yes"))
    fit, question = judge(model), without_rule("Q010")
    assert correct("Whenever.", question, fit).reason == "because"
    assert correct("After four.", question, fit).value is True
    assert f"{question.question}|After 16:00.|Whenever." in model.history[0].text
    with pytest.raises(EvaluationError, match="Q010 has no rule"):
        correct("After four.", question)


def test_a_judge_confirms_yes_and_no_and_is_not_asked_of_numbers(judge: Any) -> None:
    model = ScriptedModel(verdict("no"))
    fit = judge(model)
    assert correct("Yes, for 24 hours after paying.", QUESTIONS["Q033"], fit).value is False
    assert correct("No.", QUESTIONS["Q033"], fit).value is False
    assert correct("After 16:00.", QUESTIONS["Q010"], fit).value is True
    assert len(model.history) == 1


@pytest.mark.parametrize(
    ("right", "told", "why"), [(20, True, "too weak: TPR"), (30, False, "not validated")]
)
def test_an_unfit_judge_is_refused(judge: Any, right: int, told: bool, why: str) -> None:
    model = ScriptedModel()
    with pytest.raises(EvaluationError, match=why):
        correct("After four.", without_rule("Q010"), judge(model, right, told))
    assert model.history == []
