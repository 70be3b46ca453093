"""A seller sells with the keyboard alone, on a laptop and a phone, in light and dark; the admin sees it.

Every page on the way is judged by axe and must fit its window. The model is a script; all else is real: the
server on its port, the browser, the photo, the database, the trace.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from accessibility import FIND, TOO_WIDE, axe_source
from openai import OpenAI

from aicourse.datasets import load_photos
from aicourse.errors import BudgetExceeded
from aicourse.marketplace.app import Marketplace, help_center, serve
from aicourse.marketplace.extraction.attributes import ListingAttributes
from aicourse.rag.answering import Assistant
from aicourse.testing import ScriptedModel, ToolCall

SLOW = pytest.mark.slow
VIEWS = (
    ("light", 390),
    *(pytest.param(*view, marks=SLOW) for view in (("light", 1280), ("dark", 1280), ("dark", 390))),
)
OpenShop = Callable[..., Marketplace]
MOST_TABS = 150
PATIENCE_MILLISECONDS = 90_000  # an end for what hangs
PROPOSED = ListingAttributes(
    category="clothing", colours=["blue"], materials=["wool"], size="M", condition="good", brand="Zara"
)


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[OpenShop]:
    """Serves a shop that ends with the test, also with one that fails."""
    with ExitStack() as opened:

        def start(client: OpenAI, **settings: Any) -> Marketplace:
            shop = serve(tmp_path / "m.sqlite3", background=True, client=client, **settings)
            opened.callback(shop.stop)
            return shop

        yield start


class Keyboard:
    """A window that is used with keys alone, and looked at on each page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.faults: list[str] = []
        self.width = page.viewport_size["width"]

    def go_to(self, selector: str) -> Any:
        """Press Tab until the focus is on an element."""
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
                return self.page.keyboard
        raise AssertionError(f"no Tab leads to {selector} on {self.page.url}")

    def write(self, selector: str, text: str) -> None:
        keyboard = self.go_to(selector)
        keyboard.press("Control+a")
        keyboard.type(text)

    def follow(self, selector: str, title: str) -> None:
        """Press Enter on an element, and wait for the page that comes."""
        keyboard = self.go_to(selector)
        self.page.evaluate("() => { window.isLeft = true; }")  # the next page may have the same title
        keyboard.press("Enter")
        self.look(title)

    def look(self, title: str) -> None:
        """Judge the page with this title once it is there."""
        self.page.wait_for_function("begin => !window.isLeft && document.title.startsWith(begin)", arg=title)
        self.page.wait_for_load_state()
        self.page.evaluate(axe_source())
        self.faults += [f"{title}: {found}" for found in self.page.evaluate(FIND)]
        if (wide := self.page.evaluate("() => document.documentElement.scrollWidth")) > self.width:
            self.faults.append(f"{title}: {wide} px wide: {self.page.evaluate(TOO_WIDE)}")


def visitor(browser: Any, scheme: str, width: int) -> tuple[Any, Keyboard, list[str]]:
    """A page in a context of its own, its keyboard, and what it writes to the console."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    return page, Keyboard(page), complaints


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_a_thing_is_sold_with_the_keyboard_alone(
    scheme: str, width: int, browser: Any, open_shop: OpenShop
) -> None:
    shop = open_shop(ScriptedModel(PROPOSED).client())
    page, keys, complaints = visitor(browser, scheme, width)

    page.goto(shop.url)
    keys.look("Browse")
    keys.follow('nav a[href="/sell"]', "Sell")
    with page.expect_file_chooser() as chosen:
        keys.go_to("#photo").press("Enter")
    chosen.value.set_files(load_photos("test")["path"].iloc[0])
    keys.write("#title", "Navy coat")
    keys.write("#description", "Navy coat of wool, size M, from Zara.")
    keys.write("#price", "45")
    keys.go_to("form button").press("Enter")
    keys.look("Check and publish")  # by way of the progress page

    keys.go_to('[name="colours"][value="grey"]').press("Space")
    keys.write("#brand", "Mango")
    keys.write("#name", "Ida")
    keys.follow('form button:not([type="button"])', "Navy coat")
    shown = page.inner_text("dl")
    assert "Grey, blue" in shown
    assert "Mango" in shown

    keys.go_to('[name="thumb"]')
    page.keyboard.press("ArrowRight")
    keys.go_to("#reason").type("Wrong brand")
    keys.write("#text", "It is by Mango.")
    keys.go_to("#thumb button").press("Enter")
    page.wait_for_selector("text=not helpful")
    keys.look("Navy coat")

    shop.tracing.flush()
    page.goto(shop.admin_url)
    keys.look("Admin")
    keys.follow("form button", "Health")
    keys.follow('nav a[href="/admin/dashboard"]', "Dashboard")
    keys.follow('nav a[href="/admin/feedback"]', "Feedback")
    keys.follow('nav a[href="/admin/experiments"]', "Experiments")
    keys.follow('nav a[href="/admin/traces"]', "Traces")
    keys.follow('a[href^="/admin/traces/"]', "Trace")
    text = page.inner_text("main")
    for fact in (
        "propose",
        "chat",
        "$",
        "2\nof 6 fields corrected",
        "not helpful: wrong brand. “It is by Mango.”",
    ):
        assert fact in text
    assert keys.faults == []
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_a_question_is_answered_from_a_marked_passage_and_no_help_is_told(
    scheme: str, width: int, browser: Any, open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Assistant, "answerable", lambda *_, **__: 0.9)  # a script has no probabilities
    monkeypatch.setattr(help_center.localmodel, "local_path", lambda name: None)
    reply = {"source": 1, "quote": "We keep 8 % of the item price"}
    client = ScriptedModel(json.dumps(reply | {"answer": "We keep 8 %, 40 € at most."}), "teapot").client()
    shop = open_shop(client, examples=False)
    page, keys, complaints = visitor(browser, scheme, width)

    page.goto(shop.url)
    keys.follow('nav a[href="/help"]', "Help")
    keys.write("#q", "How much of the item price do you keep when something sells?")
    page.wait_for_selector("text=Selling fees › When something sells")
    keys.look("Help")
    keys.follow('[formaction="/help/ask"]', "Answer")
    assert page.inner_text(".said") == "We keep 8 %, 40 € at most."
    assert not page.is_visible(".looking")
    keys.follow('.source a[href^="/help/fees?"]', "Selling fees")
    assert page.inner_text("mark#passage") == "We keep 8 % of the item price"
    assert page.evaluate("() => document.querySelector(':target').getBoundingClientRect().top") < 900

    page.go_back()
    keys.look("Answer")
    keys.go_to('[name="thumb"]')
    page.keyboard.press("ArrowRight")
    keys.go_to("#reason").type("out of date")
    keys.go_to("#thumb button").press("Enter")
    page.wait_for_selector("text=You found this not helpful")
    keys.look("Answer")

    page.goto(f"{shop.url}/help")
    keys.write("#q", "Are unicorns prohibited?")
    keys.follow('[formaction="/help/ask"]', "Answer")
    assert "We found no answer to this" in page.inner_text(".answer")
    keys.follow('.answer a[href="/help/contact"]', "Reaching us")

    shop.tracing.flush()
    page.goto(shop.admin_url)
    keys.follow("form button", "Health")
    keys.follow('nav a[href="/admin/questions"]', "Unanswered questions")
    text = page.inner_text("main")
    assert text.index("unicorns") < text.index("How much of the item price") < text.index("out of date")
    keys.follow('a[href^="/admin/traces/"]', "Trace")
    assert keys.faults == []
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_a_customer_is_refunded_once_whatever_is_pressed(
    scheme: str, width: int, browser: Any, open_shop: OpenShop
) -> None:
    refund = ToolCall("refund_order", {"order_id": 1006})
    client = ScriptedModel(
        refund,
        ToolCall("hand_over", {"reason": "a person is asked for"}),
        "Bye.",
    ).client()
    shop = open_shop(client, examples=False)
    page, keys, complaints = visitor(browser, scheme, width)

    page.goto(shop.url)
    keys.follow('nav a[href="/support"]', "Support")
    page.select_option("#customer", "lea")
    keys.follow("form button", "Support")
    keys.write("#text", "My record player, order 1006, was lost. I want my money back.")
    keys.follow("#text ~ button, form button:not(.plain)", "Conversation")
    page.wait_for_selector(".card-question")
    keys.look("Conversation")
    assert not page.is_visible(".looking")
    assert page.locator(".step").all_inner_texts()[0] == "Looking up your orders …"
    other = page.context.new_page()  # a second window with the same buttons
    other.goto(page.url)
    page.locator(".card-question button").first.dblclick(no_wait_after=True)
    page.wait_for_selector("text=132.40 € for order 1006 go back by card.")
    page.wait_for_load_state("networkidle")  # of the two answers, the browser leaves the first one
    keys.look("Conversation")

    page.go_back()  # to the page as it is now, without the buttons
    page.wait_for_load_state()
    assert page.locator(".card-question").count() == 0
    page.reload()
    assert page.locator("text=132.40 € for order 1006 go back by card.").count() == 1
    assert page.locator(".mine", has_text="Yes").count() == 1
    other.locator(".card-question button").first.click()
    other.wait_for_selector("text=132.40 € for order 1006 go back by card.")
    assert other.locator(".mine", has_text="Yes").count() == 1
    other.close()
    with sqlite3.connect(shop.store.path) as connection:
        rows = connection.execute("SELECT order_id, cents FROM refunds WHERE order_id = 1006").fetchall()
    assert rows == [(1006, 13240)]

    keys.write("#text", "Thank you. I want to talk to a person.")
    keys.go_to("form button").press("Enter")
    page.wait_for_selector("text=A colleague has taken over")
    keys.look("Conversation")
    shop.tracing.flush()
    page.goto(shop.admin_url)
    keys.follow("form button", "Health")
    keys.follow('nav a[href="/admin/support"]', "Support")
    assert "a person is asked for" in page.inner_text("main")
    keys.follow('th a[href^="/admin/support/"]', "Conversation")
    assert "insert refunds: order_id=1006, cents=13240" in page.inner_text(".tree")
    keys.follow('a[href^="/admin/traces/"]', "Trace")
    assert "refund_order" in page.inner_text(".tree")
    assert keys.faults == []
    assert complaints == []
    page.context.close()


@SLOW
@pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without"])
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("down", "cannot be reached"),
        ("slow", "took too long"),
        ("over budget", "worked enough for today"),
        ("nonsense", "did not understand"),
    ],
)
def test_a_thing_is_sold_whatever_the_model_does(
    kind: str, said: str, scripted: bool, browser: Any, open_shop: OpenShop
) -> None:
    ended = threading.Event()

    def never(sent: object) -> str:
        ended.wait(PATIENCE_MILLISECONDS / 1_000)
        return ""

    replies = {
        "down": httpx2.ConnectError("no route"),
        "slow": never,
        "over budget": BudgetExceeded("The next call could cost more than is left."),
        "nonsense": "I am a teapot",
    }
    client = ScriptedModel(*[replies[kind]] * 2).client()
    limit = 1.0 if kind == "slow" else 60.0
    shop = open_shop(client, limit_seconds=limit, examples=False)
    context = browser.new_context(java_script_enabled=scripted)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = context.new_page()
    page.goto(f"{shop.url}/sell")
    page.fill("#title", "Navy coat")
    page.fill("#description", "Navy coat of wool.")
    page.click("form button")
    page.wait_for_selector("#category")  # by way of the progress page
    assert said in page.inner_text("[role=status]")
    page.select_option("#category", "clothing")
    page.fill("#name", "Ida")
    page.click('form button:not([type="button"])')
    page.wait_for_selector("text=It is published")
    ended.set()
    page.goto(shop.url)
    assert "Navy coat" in page.inner_text("#results")
    context.close()
