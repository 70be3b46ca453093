"""Help: search, articles, answers with a citation or none, thumbs, and what the editor sees of it."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx2
import pytest
from selling_steps import ADMIN_TOKEN
from starlette.requests import Request
from starlette.testclient import TestClient

from aicourse.csv_text import read_csv
from aicourse.errors import BudgetExceeded
from aicourse.evals.cases import Case
from aicourse.marketplace.app import asking, background, help_pages, questions
from aicourse.marketplace.app.asking import Helper
from aicourse.marketplace.app.help_center import HelpCenter
from aicourse.marketplace.app.store import Store
from aicourse.monitoring.tracing import start_tracing
from aicourse.rag.answering import Assistant
from aicourse.testing import ScriptedModel
from aicourse.testing.scripted import Sent

NASTY = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
QUOTE = "We keep 8 % of the item price"
FEES = "How much of the item price do you keep when something sells?"
LINK = "https://secure-pay.kringloop-checkout.example"


@pytest.fixture(autouse=True)
def gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that lets pass; the script has no probabilities of tokens."""
    monkeypatch.setattr(Assistant, "answerable", lambda *_, **__: 0.9)


def quoting(quote: str, answer: str) -> Callable[[Sent], str]:
    """A reply that quotes the passage with these words, wherever it was shown."""

    def reply(sent: Sent) -> str:
        passages = re.split(r"^\[(\d)\] ", str(sent.messages[-1]["content"]), flags=re.MULTILINE)
        pairs = zip(passages[1::2], passages[2::2], strict=True)
        source = next((int(number) for number, text in pairs if quote in text), 1)
        return json.dumps({"source": source, "quote": quote, "answer": answer})

    return reply


def ask(browser: TestClient, question: str = FEES) -> str:
    """Ask, and return the address of the answer."""
    answer = browser.post("/help/ask", data={"q": question}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


@pytest.fixture
def admin(visitor: Callable[[], TestClient]) -> TestClient:
    opened = visitor()
    opened.headers["authorization"] = f"Bearer {ADMIN_TOKEN}"
    return opened


def test_a_search_leads_to_the_place(browser: TestClient) -> None:
    found = browser.get("/help", params={"q": "item price kept"}).text
    place = re.search(
        r'href="(/help/fees\?start=\d+&amp;end=\d+#passage)">Selling fees › When something', found
    )
    assert place
    article = browser.get(place[1].replace("&amp;", "&")).text
    assert '<mark id="passage">We keep 8 % of the item price' in article
    assert "fees-2024" not in found
    assert "No places found. Try other words, or ask." in browser.get("/help", params={"q": "zzz"}).text


def test_help_lists_current_articles_and_says_what_is_outdated(browser: TestClient) -> None:
    page = browser.get("/help").text
    assert page.count('<li><a href="/help/') == 70
    old = browser.get("/help/fees-2024").text
    assert "<b>Outdated.</b>" in old
    assert '<a href="/help/fees">Selling fees</a>' in old
    assert "Outdated" not in browser.get("/help/fees").text
    assert browser.get("/help/no-such").status_code == 404
    assert browser.get("/help/..%2f..%2fREADME").status_code == 404


def test_a_search_by_words_alone_says_so_while_the_index_is_made(
    browser: TestClient, center: HelpCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(center, "is_making", True)
    assert "by words alone while our index is being made" in browser.get("/help", params={"q": "fee"}).text


def test_an_answer_leads_to_its_marked_source(browser: TestClient, model: ScriptedModel) -> None:
    model.enqueue(quoting(QUOTE, "We keep 8 %."))
    page = browser.get(ask(browser)).text
    assert '<p class="said">We keep 8 %.</p>' in page
    place = re.search(r'From <a href="(/help/fees\?[^"]+#passage)">Selling fees</a>: <q>We keep 8 %', page)
    assert place
    assert f'<mark id="passage">{QUOTE}</mark>' in browser.get(place[1].replace("&amp;", "&")).text
    assert "Reach a person" not in page
    assert "10 % of the item price" not in model.history[0].text  # the outdated article


def test_an_answer_belongs_to_who_asked(visitor: Callable[[], TestClient], model: ScriptedModel) -> None:
    model.enqueue(quoting(QUOTE, "We keep 8 %."))
    place = ask(visitor())
    assert visitor().get(place).status_code == 404
    assert visitor().post(f"{place}/thumb", data={"thumb": "-1"}).status_code == 404


def test_no_answer_says_so_and_leads_on(browser: TestClient, model: ScriptedModel) -> None:
    model.enqueue(quoting("We keep 9 % of the item price", "We keep 9 %."))
    page = browser.get(ask(browser)).text
    assert "We found no answer to this in our help pages." in page
    assert "9 %" not in page
    assert '<a href="/help/fees">Selling fees</a>' in page
    assert '<a class="button plain" href="/help/contact">Reach a person</a>' in page


def test_nothing_found_asks_no_model(browser: TestClient, model: ScriptedModel) -> None:
    assert "We found no answer" in browser.get(ask(browser, "zzz?")).text
    assert model.history == []


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (httpx2.ConnectError("no route"), "cannot be reached"),
        (TimeoutError("slow"), "took too long"),
        (BudgetExceeded("The next call could cost more than is left."), "worked enough for today"),
        (ZeroDivisionError("a defect"), "cannot be reached"),
    ],
)
def test_whatever_the_model_does_there_is_a_page(
    browser: TestClient, admin: TestClient, model: ScriptedModel, reply: Exception, said: str
) -> None:
    model.enqueue(reply)
    page = browser.get(ask(browser)).text
    assert said in page
    assert "We found no answer" not in page
    assert FEES not in admin.get("/admin/questions").text  # not the articles' fault


def test_a_question_whose_process_was_killed_ends(
    browser: TestClient, helper: Helper, monkeypatch: pytest.MonkeyPatch, time_in: Callable[..., None]
) -> None:
    monkeypatch.setattr(helper, "_work", lambda question_id, *_: helper._told.pop(question_id))
    place = ask(browser)
    assert "cannot be reached" in browser.get(place).text
    now = time.time_ns()
    time_in(questions, time_ns=lambda: now + int(helper.limit_seconds * 1e9) + 1)
    assert "took too long" in browser.get(place).text


def test_markup_is_text_wherever_it_comes_from(
    browser: TestClient, admin: TestClient, model: ScriptedModel
) -> None:
    model.enqueue(quoting(QUOTE, f"[pay]({LINK}) {NASTY}"))
    place = ask(browser, f"{FEES} {NASTY}")
    form = {"thumb": "-1", "reason": NASTY, "text": NASTY}
    pages = [browser.get(place).text, browser.get("/help", params={"q": f"fees {NASTY}"}).text]
    browser.post(f"{place}/thumb", data=form)
    pages += [admin.get("/admin/questions").text, browser.get(place).text]
    pages.append(browser.get("/help/payment-failed").text)
    for page in pages:
        assert "<script>alert" not in page
        assert "<img" not in page
        assert not re.search(r'href="[^"]*(checkout\.example|javascript)', page)
    assert LINK in pages[0]  # it can be read


@pytest.mark.parametrize("question", ["", "   ", "x" * 301])
def test_a_question_has_a_length(browser: TestClient, model: ScriptedModel, question: str) -> None:
    answer = browser.post("/help/ask", data={"q": question})
    assert answer.status_code == 422
    assert "Ask in 1 to 300 characters." in answer.text
    assert model.history == []


def test_a_person_asks_so_often_a_minute(browser: TestClient, visitor: Callable[[], TestClient]) -> None:
    for _ in range(asking.MOST_A_MINUTE):
        ask(browser, "zzz?")
    refused = browser.post("/help/ask", data={"q": "zzz?"})
    assert refused.status_code == 429
    assert "Try again in a minute" in refused.text
    assert ask(visitor(), "zzz?")


def test_questions_at_the_same_moment_are_counted(helper: Helper, monkeypatch: pytest.MonkeyPatch) -> None:
    both, counted = threading.Barrier(2), asking.asked_lately

    def counted_late(*arguments: Any) -> int:
        count = counted(*arguments)
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)  # for the other question, if it may come in meanwhile
        return count

    monkeypatch.setattr(asking, "asked_lately", counted_late)
    monkeypatch.setattr(asking, "MOST_A_MINUTE", 1)
    with ThreadPoolExecutor(2) as pool:
        begun = list(pool.map(lambda _: helper.begin("ida", "zzz?"), range(2)))
    assert begun.count(None) == 1


def test_so_many_questions_wait_at_most(browser: TestClient, helper: Helper) -> None:
    helper._told = {str(number): (str(number), []) for number in range(background.MOST_WAITING)}
    assert browser.post("/help/ask", data={"q": "zzz?"}).status_code == 429


def test_nothing_may_be_shown_before_the_citation_is_checked(
    browser: TestClient, helper: Helper, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = quoting(QUOTE, "We keep 8 %, 40 € at most.")
    shown: list[tuple[str, str]] = []

    def pieces(_: Assistant, question: str, hits: list[object], streamed: bool) -> Iterator[str]:
        content = "\n".join(f"[{number}] {hit.chunk.text}" for number, hit in enumerate(hits, 1))  # type: ignore[attr-defined]
        whole = reply(Sent({"messages": [{"content": content}]}, {}))
        for place, letter in enumerate(whole):
            ((_, told),) = helper._told.values()
            shown.append((whole[:place], "".join(told)))
            yield letter

    monkeypatch.setattr(Assistant, "_pieces", pieces)
    ask(browser)
    before = [words for written, words in shown if '"answer": "' not in written]
    behind = [words for written, words in shown if '"answer": "' in written]
    assert set(before) == {""}
    assert len(set(behind)) > 10  # it grows
    assert behind[-1] == "We keep 8 %, 40 € at most."


def grow(store: Store, helper: Helper, question: str, *told: str) -> list[str]:
    """The pieces of an answer's page while words are told, one look for each, and then the end."""
    question_id = questions.add_question(store, "ida", question, 60)
    words: list[str] = []
    helper._told[question_id] = "ida", words
    request = Request({"type": "http", "session": {"seller": "ida"}, "headers": []})

    async def watch() -> list[str]:
        middle = help_pages._as_it_comes(request, store, helper, question_id, words)
        pieces = [str(await anext(middle))]
        for word in told:
            words.append(word)
            pieces.append(str(await anext(middle)))
        helper._work(question_id, question, time.monotonic() + 60)
        return pieces + [str(piece) async for piece in middle]

    return asyncio.run(watch())


def test_a_page_grows_with_its_answer(store: Store, helper: Helper, model: ScriptedModel) -> None:
    model.enqueue(quoting(QUOTE, "8 <b>%</b>"))
    pieces = grow(store, helper, FEES)
    assert pieces[0].startswith("<p class='looking'")
    assert pieces[1] == "<p class='said'>8 &lt;b&gt;%&lt;/b&gt;"
    assert pieces[2].startswith("</p>")
    assert "Selling fees</a>" in pieces[2]
    assert "taken back" not in pieces[2]
    assert pieces[2].count('class="said"') == 0


def test_what_was_shown_of_a_reply_that_breaks_off_is_taken_back(
    store: Store, helper: Helper, model: ScriptedModel
) -> None:
    model.enqueue(lambda sent: quoting(QUOTE, "8 % and more")(sent)[:-6])
    pieces = grow(store, helper, FEES)
    assert pieces[1] == "<p class='said'>8 % and "
    assert "We found no answer" in pieces[2]
    assert "what it had begun to say is taken back" in pieces[2]
    model.enqueue(httpx2.ConnectError("gone"))
    _, *words, end = grow(store, helper, FEES, "8 ", "%")
    assert words == ["<p class='said'>8 ", "%"]
    assert end.startswith("</p>")
    assert "What it had begun to say is taken back." in end


def test_a_thumb_down_is_a_case_for_the_editor(
    browser: TestClient, admin: TestClient, model: ScriptedModel
) -> None:
    model.enqueue(quoting(QUOTE, "We keep 8 %."))
    place = ask(browser)
    assert "Every question had an answer" in admin.get("/admin/questions").text
    form = {"thumb": "-1", "reason": "not what I asked", "text": "I meant shops."}
    said = browser.post(f"{place}/thumb", data=form, headers={"hx-request": "true"})
    assert "You found this not helpful" in said.text
    assert "You found this not helpful" in browser.get(place).text
    listed = admin.get("/admin/questions").text
    assert FEES in listed
    assert "not what I asked; I meant shops." in listed
    (line,) = admin.get("/admin/questions.jsonl").text.splitlines()
    case = Case.model_validate_json(line)
    assert (case.input, case.expected, case.tags) == (FEES, None, ("not helpful",))
    assert "answered from fees: We keep 8 %." in str(case.provenance)
    browser.post(f"{place}/thumb", data={"thumb": "1"})  # a change of mind
    assert FEES not in admin.get("/admin/questions").text


def test_questions_of_the_same_words_count_as_one(
    browser: TestClient, admin: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for question in ("Unicorn?", "Zebra zzz?", "  UNICORN "):
        ask(browser, question)
    rows = questions.unanswered(store)
    assert [(row.question, row.times, row.abstained) for row in rows] == [
        ("UNICORN", 2, 2),
        ("Zebra zzz?", 1, 1),
    ]
    ask(browser, "Zebra zzz?")
    ask(browser, "Quagga?")
    assert [row.question for row in questions.unanswered(store)] == ["Quagga?", "Zebra zzz?", "UNICORN"]
    assert [row.times for row in questions.unanswered(store, "often")] == [2, 2, 1]
    page = admin.get("/admin/questions?order=often").text
    assert page.index("Zebra") < page.index("UNICORN") < page.index("Quagga")
    assert "no passage has anything to do with it" in page
    assert admin.get("/admin/questions?order=; DROP TABLE questions").status_code == 422
    header, *lines = read_csv(admin.get("/admin/questions.csv").content)
    assert header[:2] == ["question", "times"]
    assert [line[:2] for line in lines] == [["Quagga?", "1"], ["Zebra zzz?", "2"], ["UNICORN", "2"]]


def test_the_editor_pages_are_behind_the_token(browser: TestClient) -> None:
    for address in ("/admin/questions", "/admin/questions.csv", "/admin/questions.jsonl"):
        assert browser.get(address).status_code == 401


def test_a_question_keeps_no_private_data(
    browser: TestClient, store: Store, model: ScriptedModel, admin: TestClient
) -> None:
    model.enqueue(quoting("no such words stand in an article", "8 %"))
    ask(browser, f"{FEES} Write to ida@example.org, +32 470 12 34 56.")
    (row,) = questions.unanswered(store)
    assert "ida@example.org" not in row.question
    assert "470 12 34 56" not in row.question
    assert "ida@example.org" in model.history[0].text  # the question that was asked


def test_an_answer_is_a_trace_with_its_prompt_and_thumb(
    browser: TestClient, admin: TestClient, store: Store, model: ScriptedModel
) -> None:
    model.enqueue(quoting(QUOTE, "We keep 8 %."))
    with start_tracing(store.path) as tracing:
        place = ask(browser, f"{FEES} I am ida@example.org.")
        tracing.flush()
        browser.post(f"{place}/thumb", data={"thumb": "-1", "text": "Hm."})
        with store.reading() as connection:
            rows = connection.execute("SELECT * FROM spans ORDER BY started_ns").fetchall()
    assert [row["name"] for row in rows][:3] == ["help", "help_answer", "retrieve"]
    assert "answer_help" in {row["prompt"] for row in rows}
    assert not any("ida@example.org" in row["attributes"] for row in rows)
    assert "not helpful. “Hm.”" in admin.get(f"/admin/traces/{rows[0]['trace_id']}").text
    assert f"/admin/traces/{rows[0]['trace_id']}" in admin.get("/admin/questions").text
