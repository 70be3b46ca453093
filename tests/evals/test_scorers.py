"""Scores and scorers, against scikit-learn, hand-made tables and properties."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from sklearn.metrics import precision_recall_fscore_support

from aicourse.evals import scorers
from aicourse.evals.scores import Context, Score, Value, reasoned, score_all, scorer_name

COLOURS = ["black", "blue", "green", "grey", "red", "white"]


class Listing(BaseModel):
    brand: str | None
    colours: list[str] = []


def value(scorer: Any, output: Any, expected: Any = None, **case: Any) -> Value | None:
    (score,) = score_all([scorer], Context(output=output, expected=expected, **case))
    assert score.error is None
    return score.value


# what a scorer may return


@pytest.mark.parametrize(
    ("returned", "kind"),
    [
        (True, "assertion"),
        (np.bool_(True), "assertion"),
        (3, "number"),
        (np.float32(0.5), "number"),
        ("ironic", "label"),
    ],
)
def test_the_type_of_a_score_is_its_meaning(returned: Any, kind: str) -> None:
    def tone(context: Context) -> Any:
        return returned

    (score,) = score_all([tone], Context(output="x"))
    assert (score.name, score.kind) == ("tone", kind)


def test_a_scorer_may_give_reasons_and_several_scores() -> None:
    def words(context: Context) -> dict[str, Value | Score]:
        return {"count": 2, "short": reasoned(True, "fewer than five")}

    assert score_all([words], Context(output="red chair")) == (
        Score("count", 2),
        Score("short", True, "fewer than five"),
    )


def test_a_scorer_that_raises_is_a_record_and_leaves_the_others_alone() -> None:
    def broken(context: Context) -> bool:
        return bool(context.output["colour"])

    failed, fine = score_all([broken, scorers.contains("red")], Context(output="red"))
    assert failed.kind == "error"
    assert re.fullmatch(r"TypeError: .* \(test_scorers.py, line \d+\)", str(failed.error))
    assert fine.value is True


def test_a_scorer_that_returns_something_else_is_told_what_it_may_return() -> None:
    (score,) = score_all([lambda context: [1, 2]], Context(output=""))  # type: ignore[list-item]
    assert "returned list; return a bool, a number, a str or a Score" in str(score.error)


def test_an_object_may_be_a_scorer() -> None:
    class Judge:
        def __call__(self, context: Context) -> bool:
            return True

    assert scorer_name(Judge()) == "Judge"


# fields


@pytest.mark.parametrize("output", [{"brand": "IKEA"}, Listing(brand="IKEA"), '{"brand": "IKEA"}'])
def test_fields_are_found_in_mappings_models_and_json(output: Any) -> None:
    assert value(scorers.exact("brand"), output, {"brand": "IKEA"}) is True
    assert value(scorers.exact("brand"), output, {"brand": None}) is False


def test_an_output_that_is_no_object_is_wrong_even_where_nothing_is_expected() -> None:
    assert value(scorers.exact("brand"), "no idea", {"brand": None}) is False
    assert value(scorers.exact("brand"), None, {"brand": None}) is False
    assert value(scorers.exact("brand"), {}, {"brand": None}) is True
    scores = score_all([scorers.set_match("colours")], Context(output="[]", expected={"colours": []}))
    assert [(score.name, score.value) for score in scores] == [
        ("colours.precision", 0.0),
        ("colours.recall", 0.0),
        ("colours.f1", 0.0),
    ]


def test_a_case_without_the_expected_field_is_a_mistake_of_the_case() -> None:
    (score,) = score_all([scorers.exact("brand")], Context(output={}, expected={"size": "M"}, id="L7"))
    assert "case 'L7' has no field 'brand'" in str(score.error)


# each scorer


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        ("levis", "Levi's", True),
        ("  KÄRCHER\n", "Karcher", True),
        ("Ikea", "Ikeaa", False),
        (None, None, True),
        (None, "x", False),
    ],
)
def test_normalised(got: str | None, expected: str | None, same: bool) -> None:
    assert value(scorers.normalised(), got, expected) is same


@settings(max_examples=40)
@given(st.sets(st.sampled_from(COLOURS)), st.sets(st.sampled_from(COLOURS)))
def test_set_scores_are_those_of_scikit_learn(got: set[str], expected: set[str]) -> None:
    scores = score_all(
        [scorers.set_match("c")], Context(output={"c": sorted(got)}, expected={"c": list(expected)})
    )
    truth, found = [[int(colour in chosen) for colour in COLOURS] for chosen in (expected, got)]
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, found, average="binary", zero_division=0
    )
    if not got and not expected:
        precision = recall = f1 = 1.0
    values = [float(score.value) for score in scores]  # type: ignore[arg-type]
    assert values == pytest.approx([precision, recall, f1])


def test_set_scores_name_what_was_missed_and_invented() -> None:
    score = score_all([scorers.set_match()], Context(output=["red", "tan"], expected=["red", "blue"]))[2]
    assert score.reason == "missed: blue; invented: tan"


def test_a_single_text_is_a_set_of_one_not_of_letters() -> None:
    score = score_all([scorers.set_match()], Context(output="red", expected=["red"]))[2]
    assert score.value == 1.0


@pytest.mark.parametrize(
    ("got", "expected", "close"),
    [
        (101, 100, True),
        ("99.5", 100, True),
        (102, 100, False),
        (None, 100, False),
        (None, None, True),
        ("ten", 10, False),
    ],
)
def test_close_to(got: Any, expected: Any, close: bool) -> None:
    assert value(scorers.close_to(relative=0.01), got, expected) is close


def test_close_to_takes_the_wider_of_its_two_limits() -> None:
    assert value(scorers.close_to(absolute=5, relative=0.01), 104, 100) is True
    assert value(scorers.close_to(absolute=0.5, relative=0.01), 101, 100) is True


def test_matches() -> None:
    assert value(scorers.matches(r"^\d+ €$"), "12 €") is True
    assert value(scorers.matches("ikea", "brand"), {"brand": "IKEA"}) is False
    assert value(scorers.matches("ikea", "brand", flags=re.IGNORECASE), {"brand": "IKEA"}) is True
    assert value(scorers.matches("x"), None) is False


def test_valid_json() -> None:
    assert value(scorers.valid_json(), '{"a": 1}') is True
    assert value(scorers.valid_json(), "Here is the JSON: {}") is False
    assert value(scorers.valid_json(Listing), '{"brand": null}') is True
    (score,) = score_all([scorers.valid_json(Listing)], Context(output='{"colours": []}'))
    assert score.value is False
    assert "Field required" in score.reason
    assert value(scorers.valid_json(), None) is False


def test_contains() -> None:
    assert value(scorers.contains(), "You get your money\nback within 14 days.", "money BACK") is True
    assert value(scorers.contains("refund"), "no") is False


@pytest.mark.parametrize(
    ("quotes", "right"),
    [(["one scratch"], True), ("Oak table", True), ([], False), ([""], False), (["as new"], False)],
)
def test_cites(quotes: Any, right: bool) -> None:
    listing = {"text": "Oak  table, one\nscratch."}
    assert value(scorers.cites("text"), {"quotes": quotes}, input=listing) is right
