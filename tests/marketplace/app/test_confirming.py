"""A seller's journey: every field can be changed, and whatever the model does, the thing is published."""

from __future__ import annotations

import httpx2
import pytest
from selling_steps import CONFIRMED, PROPOSED, describe, sell
from starlette.testclient import TestClient

from aicourse.llm.faults import Fault
from aicourse.marketplace.app.proposing import Proposer
from aicourse.marketplace.app.store import Store
from aicourse.testing import ScriptedModel


def checked(page: str, value: str) -> bool:
    return f'value="{value}" checked' in page


def test_a_proposal_fills_in_the_form(browser: TestClient, model: ScriptedModel) -> None:
    model.enqueue(PROPOSED)
    page = browser.get(f"/sell/{describe(browser)}").text
    assert '<option value="clothing" selected>' in page
    assert checked(page, "blue")
    assert not checked(page, "red")
    assert 'value="Zara"' in page
    assert "Navy coat\nNavy coat of wool, size M, from Zara." in model.history[0].text


def test_what_is_published_is_what_the_seller_says(
    browser: TestClient, model: ScriptedModel, store: Store
) -> None:
    model.enqueue(PROPOSED)
    listing_id = sell(browser, colours=["red", "blue"], brand="", condition="fair")
    listing = store.listing(listing_id, None)
    assert listing is not None
    assert listing.attributes == PROPOSED.model_copy(
        update={"colours": ["red", "blue"], "brand": None, "condition": "fair"}
    )
    assert listing.price_eur == 12.5
    page = browser.get(f"/listings/{listing_id}").text
    assert "Red, blue" in page
    assert "Sold by Ida" in page


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Fault(status=503), "cannot be reached"),
        (httpx2.ReadTimeout("slow"), "took too long"),
        (httpx2.ConnectError("no route"), "cannot be reached"),
        ("I am a teapot", "did not understand"),
        ('{"category": "ships"}', "did not understand"),
        (ValueError("a defect of ours"), "cannot be reached"),
    ],
)
def test_a_model_that_fails_leaves_an_empty_form_that_can_be_published(
    reply: object, said: str, browser: TestClient, model: ScriptedModel, store: Store
) -> None:
    model.enqueue(reply, reply)  # type: ignore[arg-type]  # asked again once, where that may help
    listing_id = describe(browser)
    page = browser.get(f"/sell/{listing_id}").text
    assert said in page
    assert "checked" not in page
    assert browser.post(f"/sell/{listing_id}", data=CONFIRMED).status_code == 200
    assert store.listing(listing_id, None) is not None


def test_a_model_over_budget_leaves_an_empty_form(
    store: Store, browser: TestClient, proposer: Proposer
) -> None:
    from aicourse.errors import BudgetExceeded

    def connect() -> object:
        raise BudgetExceeded("The next call could cost more than is left.")

    proposer.connect = connect  # type: ignore[assignment]
    assert "worked enough for today" in browser.get(f"/sell/{describe(browser)}").text


def test_what_the_listing_has_no_word_for_is_marked(browser: TestClient, model: ScriptedModel) -> None:
    model.enqueue(PROPOSED.model_copy(update={"brand": "Gucci"}))
    page = browser.get(f"/sell/{describe(browser)}").text
    assert 'id="brand-unsure"' in page
    assert 'aria-describedby="brand-unsure"' in page
    assert "occurs nowhere in the listing" in page
    assert 'id="size-unsure"' not in page


def test_while_the_model_works_the_page_says_so_with_and_without_javascript(
    browser: TestClient, store: Store, proposer: Proposer
) -> None:
    proposer.begin = lambda listing_id, draft: store.begin_proposal(listing_id, 60)  # type: ignore[method-assign]
    listing_id = describe(browser)
    page = browser.get(f"/sell/{listing_id}").text
    assert f'hx-get="/sell/{listing_id}/state"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    state = browser.get(f"/sell/{listing_id}/state")
    assert (state.status_code, "hx-refresh" in state.headers) == (204, False)
    store.end_proposal(listing_id, PROPOSED.model_dump(), {}, None)
    assert browser.get(f"/sell/{listing_id}/state").headers["hx-refresh"] == "true"
    assert "Check and publish" in browser.get(f"/sell/{listing_id}").text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"category": ""}, "category"),
        ({"category": "ships"}, "category"),
        ({"colours": ["red", "blue", "green", "grey", "gold", "white"]}, "colours"),
        ({"materials": ["butter"]}, "materials"),
        ({"size": "x" * 41}, "size"),
        ({"condition": "mint"}, "condition"),
        ({"brand": "y" * 41}, "brand"),
        ({"name": " "}, "name"),
        ({"name": "z" * 61}, "name"),
    ],
)
def test_a_field_that_cannot_be_used_gets_a_sentence_and_publishes_nothing(
    change: dict[str, object], field: str, browser: TestClient, model: ScriptedModel, store: Store
) -> None:
    model.enqueue(PROPOSED)
    listing_id = describe(browser)
    answer = browser.post(f"/sell/{listing_id}", data={**CONFIRMED, "size": "kept", **change})
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert field == "size" or 'value="kept"' in answer.text
    assert store.published() == []


def test_a_publish_sent_twice_is_one_listing(browser: TestClient, model: ScriptedModel, store: Store) -> None:
    model.enqueue(PROPOSED)
    listing_id = sell(browser)
    again = browser.post(f"/sell/{listing_id}", data=CONFIRMED, follow_redirects=False)
    assert again.headers["location"] == f"/listings/{listing_id}"
    assert len(store.published()) == 1
    with store.changing() as connection:
        connection.execute("UPDATE proposals SET trace_id = 't'")
    other = browser.post(f"/sell/{listing_id}", data={**CONFIRMED, "brand": "Other", "thumb": "-1"})
    assert other.status_code == 409
    assert "already published" in other.text
    with store.reading() as connection:  # "Nothing was changed"
        assert connection.execute("SELECT count(*) FROM feedback WHERE kind = 'explicit'").fetchone()[0] == 0


def test_a_draft_that_no_model_saw_says_that_it_is_empty(browser: TestClient, store: Store) -> None:
    browser.get("/sell")
    listing_id = describe(browser)
    with store.changing() as connection:  # the process ended before it could ask
        connection.execute("DELETE FROM proposals")
    page = browser.get(f"/sell/{listing_id}").text
    assert "so the details are empty" in page
    assert "We filled in" not in page


def test_a_key_in_a_text_is_not_stored(browser: TestClient, model: ScriptedModel, store: Store) -> None:
    secret = "sk-" + "abcdefghijklmnop1234"
    model.enqueue(PROPOSED)
    listing_id = describe(browser, description=f"My key is {secret}")
    for _ in range(2):  # sent again, it is the same
        sent = browser.post(f"/sell/{listing_id}", data={**CONFIRMED, "brand": secret, "name": secret})
        assert sent.status_code == 200
    files = store.path.parent.glob(f"{store.path.name}*")
    assert not any(secret.encode() in file.read_bytes() for file in files)
