"""Five kinds of tests of code that asks a model, each without asking it."""

import pytest
from inline_snapshot import snapshot
from shop import colours

from aicourse import Fault

LISTINGS = {
    "Red wool coat, size M": "red",
    "Desk lamp, matt black, barely used": "black",
    "Kids' bicycle in light blue with a bell": "blue",
    "White porcelain vase, 30 cm": "white",
    "Brown leather satchel from the seventies": "brown",
    "Yellow raincoat for children": "yellow",
    "Office chair, grey fabric": "grey",
    "Pink plush rabbit, washed": "pink",
    "Orange tent for two": "orange",
}


def test_an_empty_reply_is_no_colour(scripted_model):
    scripted_model.enqueue("")
    assert colours(scripted_model.client(), "Red wool coat") == []


def test_what_is_sent(scripted_model):
    scripted_model.enqueue('["red"]')
    colours(scripted_model.client(), "Red wool coat")
    assert scripted_model.history[0].messages == snapshot(
        [
            {
                "role": "system",
                "content": "Which colours does the thing for sale have? "
                "Answer with a JSON list of colour words, nothing else.",
            },
            {"role": "user", "content": "Red wool coat"},
        ]
    )


def test_a_coat_is_red(recorded_client):
    assert colours(recorded_client, "Red wool coat, size M") == ["red"]


def test_a_rate_limit_is_waited_for(recorded_client, faults):
    faults.append(Fault(status=429, retry_after=0.01))
    assert colours(recorded_client, "Red wool coat, size M") == ["red"]


@pytest.mark.repeat_model(20, at_least=0.8)
def test_a_lamp_is_black_most_of_the_time(recorded_client):
    assert "black" in colours(recorded_client, "Desk lamp, matt black, barely used")


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.aggregate_model("accuracy", at_least=0.7)
def test_listings(recorded_client, listing):
    assert colours(recorded_client, listing) == [LISTINGS[listing]]
