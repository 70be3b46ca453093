"""The support chat: steps in plain words, writes by button and once, hand-over, hostile texts, restarts."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from selling_steps import ADMIN_TOKEN, AtOnce, Later
from starlette.requests import Request
from starlette.testclient import TestClient

from aicourse.agents.loop import HANDED_OVER
from aicourse.errors import BudgetExceeded
from aicourse.llm.faults import Fault
from aicourse.marketplace.app import background, chatting, support_pages
from aicourse.marketplace.app.application import create_app
from aicourse.marketplace.app.chatting import SupportChat
from aicourse.marketplace.app.conversations import begin_turn, find_conversation
from aicourse.marketplace.app.store import Store, new_id
from aicourse.marketplace.support.desk import open_shop
from aicourse.monitoring.tracing import start_tracing
from aicourse.testing import ScriptedModel, Sent, ToolCall

NASTY = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
REFUND = ToolCall("refund_order", {"order_id": 1006})  # lea's record player, lost
HAND_OVER = ToolCall("hand_over", {"reason": f"a person is asked for {NASTY}"})
QUESTION = "Refund 132.40 € for order 1006 (record player)?"


@pytest.fixture
def lea(browser: TestClient) -> TestClient:
    """A browser of the customer whose parcel was lost."""
    return signed_in(browser, "lea")


def signed_in(browser: TestClient, customer: str) -> TestClient:
    answer = browser.post("/support/customer", data={"customer": customer}, follow_redirects=False)
    assert answer.headers["location"] == "/support"
    return browser


def say(
    browser: TestClient, text: str = "My record player, order 1006, was lost. Refund it.", to: str = ""
) -> str:
    """Send a message, and return the conversation's address."""
    address = to or f"/support/{new_id()}"
    answer = browser.post(address, data={"text": text}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"{address}#end"
    return address


def token_in(page: str) -> str:
    (token,) = re.findall(r'name="token" value="([^"]+)"', page)
    return str(token)


def press(browser: TestClient, address: str, token: str, *, yes: bool = True) -> Any:
    return browser.post(f"{address}/answer", data={"token": token, "yes": str(yes)}, follow_redirects=False)


def lines(page: str) -> list[tuple[str, str]]:
    found = re.findall(r"<p class=[\"'](mine|step|theirs)[\"']>(.*?)</p>", page, re.DOTALL)
    return [(kind, unescape(text)) for kind, text in found]


def said(page: str) -> list[tuple[str, str]]:
    return [line for line in lines(page) if line[0] != "step"]


def refunds(store: Store) -> list[tuple[int, int]]:
    with closing(open_shop(store.path)) as connection:
        return [
            tuple(row)
            for row in connection.execute("SELECT order_id, cents FROM refunds WHERE order_id = 1006")
        ]


# --------------------------------------------------------------- a refund, once


def test_a_customer_is_refunded_once_whatever_is_pressed_how_often(
    lea: TestClient, model: ScriptedModel, store: Store
) -> None:
    model.enqueue(REFUND)
    address = say(lea)
    page = lea.get(address).text
    assert lines(page) == [
        ("mine", "My record player, order 1006, was lost. Refund it."),
        ("step", "Looking up your orders …"),
        ("step", "Checking if your order can be refunded …"),
        ("theirs", QUESTION),
    ]
    assert refunds(store) == []
    token = token_in(page)
    for _ in range(2):
        answer = press(lea, address, token)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{address}#end")
    done = lea.get(address).text
    assert lines(done)[4:] == [("mine", "Yes"), ("theirs", "132.40 € for order 1006 go back by card.")]
    assert token not in done
    assert press(lea, address, token, yes=False).status_code == 409
    assert refunds(store) == [(1006, 13240)]
    assert all(token not in str(sent.body) for sent in model.history)


def test_presses_at_the_same_moment_refund_once(lea: TestClient, model: ScriptedModel, store: Store) -> None:
    model.enqueue(REFUND)
    address = say(lea)
    token = token_in(lea.get(address).text)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(press, lea, address, token) for _ in range(8)]
    assert {one.result().status_code for one in answers} == {303}
    assert refunds(store) == [(1006, 13240)]
    assert [kind for kind, text in lines(lea.get(address).text) if text == "Yes"] == ["mine"]


def test_a_no_changes_nothing_and_is_final(lea: TestClient, model: ScriptedModel, store: Store) -> None:
    model.enqueue(REFUND)
    address = say(lea)
    token = token_in(lea.get(address).text)
    assert press(lea, address, token, yes=False).status_code == 303
    assert lines(lea.get(address).text)[-2:] == [("mine", "No"), ("theirs", "Nothing was changed.")]
    assert press(lea, address, token).status_code == 409
    assert refunds(store) == []


@pytest.mark.parametrize("token", ["", "x", "yes", NASTY, "0" * 32])
def test_a_made_up_token_does_nothing(
    lea: TestClient, model: ScriptedModel, store: Store, token: str
) -> None:
    model.enqueue(REFUND)
    address = say(lea)
    answer = press(lea, address, token)
    assert answer.status_code == 409
    assert "That question has expired" in answer.text
    assert refunds(store) == []
    assert token_in(lea.get(address).text)  # the real one still waits


def test_a_question_that_has_expired_says_so(lea: TestClient, model: ScriptedModel, store: Store) -> None:
    model.enqueue(REFUND)
    address = say(lea)
    token = token_in(lea.get(address).text)
    with closing(open_shop(store.path)) as connection, connection:
        connection.execute(
            "UPDATE confirmations SET expires_at = ?", ((datetime.now(UTC) - timedelta(1)).isoformat(),)
        )
    assert "That question has expired, so nothing was changed." in lea.get(address).text
    answer = press(lea, address, token)
    assert answer.status_code == 409
    assert "Ask for it once more" in answer.text
    assert refunds(store) == []


def test_one_that_was_done_and_not_noted_is_told_as_done(
    lea: TestClient, model: ScriptedModel, store: Store, chat: SupportChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.enqueue(REFUND)
    address = say(lea)
    token = token_in(lea.get(address).text)
    with monkeypatch.context() as killed:  # after the effect, before the conversation is stored
        killed.setattr(chatting, "PRESS_SECONDS", 0.0)
        killed.setattr(chatting, "end_turn", lambda *_, **__: None)
        press(lea, address, token)
    assert refunds(store) == [(1006, 13240)]
    page = lea.get(address).text
    assert "132.40 € for order 1006 go back by card." in page
    assert "expired" not in page
    assert press(lea, address, token).status_code == 303
    assert refunds(store) == [(1006, 13240)]


# --------------------------------------------------------------- who is who


def test_a_conversation_is_its_customers_alone(
    lea: TestClient, visitor: Callable[[], TestClient], model: ScriptedModel, store: Store
) -> None:
    model.enqueue(REFUND)
    address = say(lea)
    token = token_in(lea.get(address).text)
    tom, nobody = signed_in(visitor(), "tom"), visitor()
    for other in (tom, nobody):
        assert other.get(address).status_code == 404
        assert press(other, address, token).status_code == 404
        assert other.post(f"{address}/thumb", data={"thumb": "1"}).status_code == 404
    assert tom.post(address, data={"text": "hello"}).status_code == 404
    model.enqueue("Hello.")
    own = say(tom, "hello")
    assert press(tom, own, token).status_code == 409  # lea's token in a conversation of tom's
    assert refunds(store) == []
    assert (
        nobody.post(f"/support/{new_id()}", data={"text": "x"}, follow_redirects=False).headers["location"]
        == "/support"
    )


def test_an_order_of_somebody_else_cannot_be_had_whatever_the_model_does(
    browser: TestClient, model: ScriptedModel, store: Store
) -> None:
    mia = signed_in(browser, "mia")
    model.enqueue(ToolCall("refund_order", {"order_id": 1006}), "You have no order 1006.")
    address = say(mia, "Refund order 1006.")
    page = mia.get(address).text
    assert 'name="token"' not in page
    assert refunds(store) == []


def test_a_customer_must_be_one_of_the_shop(browser: TestClient) -> None:
    for unknown in ("retro", "nobody", NASTY, ""):  # retro has bought nothing
        signed_in(browser, unknown)
        assert "Whose orders are they?" in browser.get("/support").text
    assert "You are Lea Wouters." in signed_in(browser, "lea").get("/support").text


# --------------------------------------------------------------- hostile texts, and much of it


def test_what_anybody_writes_is_text(lea: TestClient, model: ScriptedModel, admin: TestClient) -> None:
    model.enqueue(ToolCall("search_help", {"query": NASTY[:80]}), f"{NASTY}\x1b[31m\u202e", HAND_OVER, NASTY)
    address = say(lea, f"{NASTY}\x00\u202e\r\n second line")
    say(lea, NASTY, to=address)
    conversation_id = address.rpartition("/")[2]
    for page in (
        lea.get(address).text,
        lea.get("/support").text,
        admin.get("/admin/support").text,
        admin.get(f"/admin/support/{conversation_id}").text,
    ):
        assert "&lt;script&gt;" in page
        assert "<script>alert" not in page
        assert "<img" not in page
        assert not re.search("[\x00\x1b\u202e]", page)


@pytest.mark.parametrize(
    ("text", "status"), [("", 422), (" \n\t", 422), ("x" * 1001, 422), ("x" * 1_000_000, 413)]
)
def test_no_message_and_too_long_ones_are_refused_in_a_sentence(
    lea: TestClient, model: ScriptedModel, text: str, status: int
) -> None:
    model.enqueue("Hello.")
    for address in (say(lea, "Hello"), f"/support/{new_id()}"):
        answer = lea.post(address, data={"text": text})
        assert answer.status_code == status
        assert ("1 to 1,000 characters" if status == 422 else "a message 1,000") in answer.text
    assert len(model.history) == 1


@pytest.mark.parametrize("name", ["short", "x" * 22 + "y", "..%2f..%2fetc", "'--", "%00" * 22])
def test_a_conversation_cannot_have_any_name(lea: TestClient, name: str) -> None:
    assert lea.post(f"/support/{name}", data={"text": "x"}).status_code == 404


def test_keys_are_masked_before_anything_is_stored_or_sent(
    lea: TestClient, model: ScriptedModel, store: Store
) -> None:
    model.enqueue("Never write that.")
    say(lea, "Authorization: Bearer 0123456789abcdef01")
    assert "0123456789abcdef01" not in model.history[0].text
    assert b"0123456789abcdef01" not in store.path.read_bytes()


# --------------------------------------------------------------- one turn at a time


@pytest.fixture
def later(chat: SupportChat) -> Later:
    chat.pool = Later()
    return chat.pool


def test_a_second_message_waits_for_the_answer_to_the_first(
    lea: TestClient, model: ScriptedModel, later: Later
) -> None:
    model.enqueue("Hello.", "Goodbye.")
    address = say(lea, "First")
    second = lea.post(address, data={"text": "Second"})
    assert second.status_code == 409
    assert "still answering your last message" in second.text
    say(lea, "First", to=address)  # the same one pressed twice
    assert len(later.waiting) == 1
    pressed = press(lea, address, "x")
    assert pressed.status_code == 409
    assert "still at work" in pressed.text
    later.run()
    say(lea, "Second", to=address)
    later.run()
    assert said(lea.get(address).text) == [
        ("mine", "First"), ("theirs", "Hello."), ("mine", "Second"), ("theirs", "Goodbye."),
    ]  # fmt: skip


def test_messages_at_the_same_moment_become_one_turn(
    lea: TestClient, model: ScriptedModel, later: Later
) -> None:
    address = f"/support/{new_id()}"
    with ThreadPoolExecutor(8) as pool:
        sent = [
            pool.submit(lea.post, address, data={"text": f"Message {n}"}, follow_redirects=False)
            for n in range(8)
        ]
    assert sorted(one.result().status_code for one in sent) == [303] + [409] * 7
    assert len(later.waiting) == 1


def test_one_visitor_takes_so_many_places_at_most(
    lea: TestClient, visitor: Callable[[], TestClient], model: ScriptedModel, later: Later
) -> None:
    addresses = [say(lea, "x") for _ in range(background.MOST_OF_ONE)]
    say(lea, "x", to=addresses[0])  # the same one pressed twice
    refused = signed_in(lea, "tom").post(f"/support/{new_id()}", data={"text": "And mine?"})
    assert refused.status_code == 429
    assert "Wait for an answer, or a minute, then send this one again." in refused.text
    assert ">And mine?</textarea>" in refused.text
    say(signed_in(visitor(), "lea"), "x")  # another visitor
    model.enqueue(*["Hello."] * len(later.waiting))
    later.run()
    say(lea, "And mine?")


def test_so_many_turns_wait_at_most_however_they_come(
    visitor: Callable[[], TestClient], model: ScriptedModel, later: Later
) -> None:
    visitors = [
        signed_in(visitor(), "lea") for _ in range(background.MOST_WAITING // background.MOST_OF_ONE + 1)
    ]
    with ThreadPoolExecutor(8) as pool:
        sent = [
            pool.submit(one.post, f"/support/{new_id()}", data={"text": "x"}, follow_redirects=False)
            for _ in range(background.MOST_OF_ONE)
            for one in visitors
        ]
    codes = sorted(one.result().status_code for one in sent)
    assert codes == [303] * background.MOST_WAITING + [429] * (len(sent) - background.MOST_WAITING)
    assert len(later.waiting) == background.MOST_WAITING
    model.enqueue("Hello.")
    later.waiting.pop(0)()
    address = say(new := signed_in(visitor(), "lea"), "x")
    assert new.post(address, data={"text": "More"}).status_code == 409  # its place is taken already
    assert new.post(f"/support/{new_id()}", data={"text": "x"}).status_code == 429


def test_steps_are_shown_as_they_happen(
    lea: TestClient, model: ScriptedModel, chat: SupportChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(support_pages, "GLANCE_SECONDS", 0)
    seen, go_on = threading.Event(), threading.Event()

    def second(sent: Sent) -> Any:
        seen.set()
        assert go_on.wait(20)
        return REFUND

    model.enqueue(second)
    chat.pool = ThreadPoolExecutor(1)
    address = say(lea)
    conversation_id = address.rpartition("/")[2]
    assert seen.wait(20)
    told = chat.progress(conversation_id)
    assert told is not None
    request = Request({"type": "http", "session": {"customer": "lea"}, "headers": []})

    async def read() -> tuple[list[str], list[str]]:
        pieces = support_pages._as_it_comes(request, chat, conversation_id, told)
        before = [await anext(pieces), await anext(pieces)]
        go_on.set()
        return before, [piece async for piece in pieces]

    before, after = asyncio.run(read())
    assert "at work" in before[0]
    assert lines(before[1]) == [("step", "Looking up your orders …")]
    assert QUESTION in "".join(after)
    assert token_in(after[-1])
    chat.pool.shutdown()
    assert lines(lea.get(address).text)[-1] == ("theirs", QUESTION)


# --------------------------------------------------------------- restarts, failures, hand-over


def test_a_conversation_goes_on_after_a_restart(
    lea: TestClient, model: ScriptedModel, store: Store, proposer: Any, helper: Any
) -> None:
    model.enqueue(REFUND)
    address = say(lea)
    chat = SupportChat(store, model.client, "m", pool=AtOnce())
    app = create_app(store, proposer, helper, chat, secret="s", admin_token=ADMIN_TOKEN)
    again = TestClient(app, base_url="http://127.0.0.1", cookies=lea.cookies)
    press(again, address, token_in(again.get(address).text))
    assert refunds(store) == [(1006, 13240)]
    model.enqueue("You are welcome.")
    say(again, "Thank you!", to=address)
    messages = model.history[-1].messages
    assert "132.40 € for order 1006 go back by card." in [one["content"] for one in messages]
    assert (
        sum(one["content"] == "My record player, order 1006, was lost. Refund it." for one in messages) == 1
    )


def test_a_turn_that_was_killed_asks_for_the_message_again(
    lea: TestClient, store: Store, model: ScriptedModel
) -> None:
    conversation_id = new_id()
    address = f"/support/{conversation_id}"
    begin_turn(store, conversation_id, "lea", "Are you there?", 60)
    assert "Load this page again in a moment" in lea.get(address).text
    assert lea.post(address, data={"text": "Hello?"}).status_code == 409
    with store.changing() as connection:
        connection.execute("UPDATE conversations SET busy_until_ns = 1")
    page = lea.get(address).text
    assert "We were interrupted" in page
    assert ">Are you there?</textarea>" in page
    model.enqueue("Yes.")
    say(lea, "Are you there?", to=address)
    assert said(lea.get(address).text) == [("mine", "Are you there?"), ("theirs", "Yes.")]


def test_a_button_does_not_lose_a_message_that_was_interrupted(
    lea: TestClient, model: ScriptedModel, store: Store
) -> None:
    model.enqueue(REFUND)
    address = say(lea)
    token = token_in(lea.get(address).text)
    begin_turn(store, address.rpartition("/")[2], "lea", "And where is my chair?", 60)  # then it is killed
    with store.changing() as connection:
        connection.execute("UPDATE conversations SET busy_until_ns = 1")
    press(lea, address, token)
    page = lea.get(address).text
    assert "132.40 € for order 1006 go back by card." in page
    assert ">And where is my chair?</textarea>" in page
    model.enqueue("It is paid.")
    say(lea, "And where is my chair?", to=address)
    assert "We were interrupted" not in lea.get(address).text


def test_a_model_that_is_down_leads_to_a_colleague(lea: TestClient, model: ScriptedModel) -> None:
    model.enqueue(Fault(status=500))
    page = lea.get(say(lea)).text
    assert lines(page)[-1] == ("theirs", HANDED_OVER)
    assert "A colleague has taken over" in page


def test_a_budget_that_is_used_up_is_said_and_the_message_kept(lea: TestClient, model: ScriptedModel) -> None:
    model.enqueue(BudgetExceeded("over"))
    address = say(lea)
    page = lea.get(address).text
    assert "Our assistant has worked enough for today." in page
    assert lines(page)[0] == ("mine", "My record player, order 1006, was lost. Refund it.")
    model.enqueue("Hello again.")
    say(lea, "Hello?", to=address)
    assert "worked enough" not in lea.get(address).text


def test_a_client_that_cannot_be_made_keeps_the_message(
    lea: TestClient, chat: SupportChat, store: Store
) -> None:
    def broken() -> Any:
        raise LookupError("no key")

    chat.connect = broken
    address = say(lea, "Hello")
    page = lea.get(address).text
    assert "cannot be reached right now" in page
    assert ">Hello</textarea>" in page


def test_a_hand_over_ends_the_conversation_and_the_admin_sees_it(
    lea: TestClient, model: ScriptedModel, admin: TestClient
) -> None:
    model.enqueue("Hello.")
    other = say(lea, "Just a greeting").rpartition("/")[2]
    model.enqueue(HAND_OVER, "A colleague takes over.")
    address = say(lea, "I want a person")
    conversation_id = address.rpartition("/")[2]
    page = lea.get(address).text
    assert "A colleague has taken over" in page
    assert "<textarea" not in page
    assert lea.post(address, data={"text": "more"}).status_code == 422
    every = admin.get("/admin/support").text
    assert every.index(conversation_id) < every.index(other)
    handed = admin.get("/admin/support?handed_over=true").text
    assert conversation_id in handed
    assert other not in handed
    drawn = admin.get(f"/admin/support/{conversation_id}").text
    assert "Turns: 1, model calls: 2, tool calls: 2" in unescape(drawn)
    assert "insert hand_overs" in drawn
    assert admin.get("/admin/support/nothing").status_code == 404


@pytest.fixture
def admin(visitor: Callable[[], TestClient]) -> TestClient:
    opened = visitor()
    opened.headers["authorization"] = f"Bearer {ADMIN_TOKEN}"
    return opened


def test_the_trajectories_are_the_admins_alone(browser: TestClient) -> None:
    assert browser.get("/admin/support").status_code == 401
    assert browser.get("/admin/support/x").status_code == 401


# --------------------------------------------------------------- traces and thumbs


def test_a_turn_is_a_trace_and_has_a_thumb(
    lea: TestClient, model: ScriptedModel, store: Store, admin: TestClient
) -> None:
    model.enqueue("You have two orders.")
    with start_tracing(store.path):
        address = say(lea, "What did I order?")
        lea.post(f"{address}/thumb", data={"thumb": "-1", "reason": "wrong", "text": NASTY})
    assert "You found this not helpful" in lea.get(address).text
    found = find_conversation(store, address.rpartition("/")[2])
    assert found is not None
    (trace_id,) = found.traces
    trace = admin.get(f"/admin/traces/{trace_id}").text
    for name in ("support", "agent_turn", "list_my_orders"):
        assert f"<b>{name}</b>" in trace
    assert "not helpful: wrong" in trace
    assert "Corrections" not in trace
    assert f"/admin/traces/{trace_id}" in admin.get(f"/admin/support/{found.conversation_id}").text


def test_thumbs_down_on_a_help_answer_leads_here(browser: TestClient, model: ScriptedModel) -> None:
    model.enqueue("nonsense")
    answer = browser.post("/help/ask", data={"q": "Are unicorns prohibited?"}, follow_redirects=False)
    address = answer.headers["location"]
    assert 'href="/support"' in browser.get(address).text.partition("<main")[2]
    browser.post(f"{address}/thumb", data={"thumb": "-1"})
    assert "Ask our support assistant</a></p>" in browser.get(address).text
