"""The admin pages: behind a token, honest when empty, and nothing that a seller wrote is markup."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest
from selling_steps import ADMIN_TOKEN, CONFIRMED, PROPOSED, URL, describe
from starlette.testclient import TestClient

from aicourse.experiments import Experiment, Metric
from aicourse.marketplace.app.application import create_app
from aicourse.marketplace.app.asking import Helper
from aicourse.marketplace.app.chatting import SupportChat
from aicourse.marketplace.app.proposing import Proposer
from aicourse.marketplace.app.store import Store
from aicourse.monitoring.feedback import record_thumb
from aicourse.testing import ScriptedModel

PAGES = {
    "/admin": "No draft was sent",
    "/admin/dashboard": "There is nothing to draw",
    "/admin/traces": "There is no trace yet",
    "/admin/feedback": "No seller has corrected",
    "/admin/questions": "Every question had an answer",
    "/admin/experiments": "No request belonged to an experiment",
}
NASTY = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
TRACE = "0af7651916cd43dd8448eb211c80319c"
_SPAN = """
    INSERT INTO spans (span_id, trace_id, parent_id, name, started_ns, seconds, status, operation, model,
        input_tokens, output_tokens, cost_usd, experiment, variant, attributes, events)
    VALUES (?, ?, ?, ?, ?, ?, 'ok', ?, ?, ?, ?, ?, ?, ?, ?, '[]')"""


@pytest.fixture
def admin(browser: TestClient) -> TestClient:
    browser.headers["authorization"] = f"Bearer {ADMIN_TOKEN}"
    return browser


@pytest.fixture
def traced(store: Store) -> None:
    """One sale's trace, with hostile words wherever a seller or a model can put some."""
    words = json.dumps({"gen_ai.input.messages": NASTY})
    rows = [
        ("a1", TRACE, None, "propose", 10**18, 2.0, None, None, None, None, None, NASTY, "B", "{}"),
        ("a2", TRACE, "a1", "chat m", 10**18 + 5, 1.5, "chat", "m", 900, 60, 0.0021, None, None, words),
        ("a3", TRACE, "lost", NASTY, 10**18 + 9, 0.1, None, None, None, None, None, None, None, "{}"),
    ]
    with store.changing() as connection:
        connection.executemany(_SPAN, rows)


def test_without_the_token_there_is_nothing_to_see(browser: TestClient) -> None:
    for address in (*PAGES, f"/admin/traces/{TRACE}"):
        assert browser.get(address).status_code == 401
        assert browser.get(address, headers={"authorization": "Bearer wrong"}).status_code == 401


def test_the_form_opens_a_session_and_a_wrong_token_does_not(browser: TestClient) -> None:
    wrong = browser.post("/admin/login", data={"token": "wrong"})
    assert wrong.status_code == 403
    assert browser.get("/admin").status_code == 401
    assert browser.get(f"/admin?token={ADMIN_TOKEN}").status_code == 401
    assert browser.post("/admin/login", data={"token": ADMIN_TOKEN}).url.path == "/admin"
    assert browser.get("/admin/traces").status_code == 200


def test_a_token_that_is_no_text_is_wrong(browser: TestClient) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n\\ud800\r\n--b--\r\n'
    kind = {"content-type": "multipart/form-data; boundary=b; charset=raw_unicode_escape"}
    assert browser.post("/admin/login", content=part, headers=kind).status_code == 403


@pytest.mark.parametrize("address", PAGES)
def test_an_empty_page_says_so(address: str, admin: TestClient) -> None:
    answer = admin.get(address)
    assert answer.status_code == 200
    assert PAGES[address] in answer.text


@pytest.mark.usefixtures("traced")
def test_a_trace_is_a_tree_with_its_cost(admin: TestClient) -> None:
    listed = admin.get("/admin/traces").text
    assert f'href="/admin/traces/{TRACE}"' in listed
    assert "$0.0021" in listed
    assert "900, 60" in listed
    page = admin.get(f"/admin/traces/{TRACE}").text
    assert page.index("<b>propose</b>") < page.index("<b>chat m</b>")
    assert page.split("<b>chat m</b>")[0].count("<ul>") == 2  # it stands inside the root
    assert "$0.0021" in page
    assert admin.get("/admin/traces/unknown").status_code == 404


@pytest.mark.usefixtures("traced")
def test_the_dashboard_draws_what_was_traced(admin: TestClient) -> None:
    page = admin.get("/admin/dashboard").text
    assert page.count("<svg role='img'") == 7
    assert "style=" not in page  # which the policy would not let through


@pytest.mark.usefixtures("traced")
def test_an_experiment_is_counted_by_variant_with_the_cost_of_its_calls(admin: TestClient) -> None:
    page = admin.get("/admin/experiments").text
    assert '<td>B</td><td class="number">1</td><td class="number">0.0 %</td>' in page
    assert "$0.0021" in page
    assert "Exposures" not in page


def test_the_log_of_the_experiment_that_runs_is_looked_over(
    store: Store, proposer: Proposer, helper: Helper, chat: SupportChat, model: ScriptedModel
) -> None:
    proposer.experiment = Experiment(
        name=NASTY, salt="s", variants={"v4": 1, "v6": 1}, share=0.5, primary=Metric(name="published")
    )
    shop = TestClient(
        create_app(store, proposer, helper, chat, secret="s", admin_token=ADMIN_TOKEN), base_url=URL
    )
    shop.headers["authorization"] = f"Bearer {ADMIN_TOKEN}"
    assert "No file" in shop.get("/admin/experiments").text
    model.enqueue(PROPOSED, PROPOSED)
    describe(shop, client="web 1")
    page = shop.get("/admin/experiments").text
    assert "No traffic: 0 people of" in page
    assert "client web 1" in page
    assert f"analyse EXPERIMENT.toml {store.exposures} {store.path}" in page
    assert "<script>alert" not in page


def test_pages_leave_out_nothing_that_came_at_the_same_moment(admin: TestClient, store: Store) -> None:
    with store.changing() as connection:
        for number in range(120):
            row = (f"a{number:03}", f"{number:032x}", None, "propose", 10**18, 1.0, *[None] * 7, "{}")
            connection.execute(_SPAN, row)
            connection.execute(
                "INSERT INTO feedback (trace_id, kind, thumb, given_ns) VALUES (?, 'explicit', 1, 5)",
                (f"{number:032x}",),
            )
    for address in ("/admin/traces", "/admin/feedback"):
        seen: list[str] = []
        following: str | None = address
        while following:
            page = admin.get(following).text
            seen += re.findall(r'href="/admin/traces/(\w+)"', page)
            found = re.search(rf'href="({address}\?before=[^"]+)"', page)
            following = found[1] if found else None
        assert sorted(seen) == [f"{number:032x}" for number in range(120)]


@pytest.mark.usefixtures("traced")
def test_health_counts_what_failed(admin: TestClient, model: ScriptedModel, store: Store) -> None:
    model.enqueue(PROPOSED, "nonsense", "nonsense")
    describe(admin, "one")
    describe(admin, "two")
    with store.changing() as connection:
        connection.execute("INSERT INTO dropped VALUES ('queue full', 7)")
    page = admin.get("/admin").text
    assert "<b>1</b> ready" in page
    assert "<b>1</b> no use" in page
    assert "7 spans were dropped: queue full" in page


@pytest.mark.usefixtures("traced")
def test_what_sellers_write_is_markup_nowhere(
    admin: TestClient, visitor: Callable[[], TestClient], model: ScriptedModel, store: Store
) -> None:
    model.enqueue(PROPOSED.model_copy(update={"brand": NASTY[:40], "size": "42"}))
    listing_id = describe(admin, title=NASTY, description=NASTY)
    words = ", ".join(
        f"{name} = :nasty" for name in ("model", "prompt", "prompt_version", "client", "category")
    )
    with store.changing() as connection:
        connection.execute("UPDATE proposals SET trace_id = ?", (TRACE,))
        connection.execute(
            f"UPDATE spans SET started_ns = :now, status = 'error', {words}",
            {"nasty": NASTY, "now": time.time_ns()},
        )
        connection.execute("INSERT INTO dropped VALUES (?, 7)", (NASTY,))
        connection.execute(
            "INSERT INTO scores (trace_id, span_id, name, label, source, explanation, scored_ns) "
            "VALUES (?, 'a1', ?, ?, 'judge', ?, 5)",
            (TRACE, NASTY, NASTY, NASTY),
        )
    form = {
        **CONFIRMED,
        "name": NASTY[:60],
        "brand": NASTY[:40],
        "thumb": "-1",
        "reason": NASTY,
        "text": NASTY,
    }
    draft = admin.get(f"/sell/{listing_id}")
    published = admin.post(f"/sell/{listing_id}", data=form)
    assert published.status_code == 200
    pages = [draft, published]
    pages += [visitor().get(address) for address in ("/", f"/listings/{listing_id}", f"/?q={NASTY}")]
    pages += [admin.get(address) for address in (*PAGES, f"/admin/traces/{TRACE}", "/mine")]
    for answer in pages:
        assert answer.text.count("<script") == answer.text.count('<script src="/static/htmx') == 1
        assert "<img src=x" not in answer.text
    assert "&lt;script&gt;" in admin.get("/admin/feedback").text


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_feedback_is_downloaded_with_the_token_alone(form: str, admin: TestClient, store: Store) -> None:
    with store.changing() as connection:
        record_thumb(connection, TRACE, seller_id="ida", thumb=-1, text="=1+1")
    assert f'href="/admin/feedback.{form}"' in admin.get("/admin/feedback").text
    answer = admin.get(f"/admin/feedback.{form}")
    assert answer.headers["content-disposition"] == f'attachment; filename="feedback.{form}"'
    assert answer.content[:3] == {"csv": b"\xef\xbb\xbf", "xlsx": b"PK\x03"}[form]
    assert form == "xlsx" or b"'=1+1" in answer.content
    del admin.headers["authorization"]
    assert admin.get(f"/admin/feedback.{form}").status_code == 401


@pytest.mark.usefixtures("traced")
def test_a_thumb_given_twice_is_the_second_one(
    admin: TestClient, visitor: Callable[[], TestClient], model: ScriptedModel, store: Store
) -> None:
    model.enqueue(PROPOSED)
    listing_id = describe(admin)
    assert (
        "helpful?" not in admin.get(f"/sell/{listing_id}").text
    )  # nobody traces: a thumb would be about nothing
    with store.changing() as connection:
        connection.execute("UPDATE proposals SET trace_id = ?", (TRACE,))
    assert "helpful?" in admin.get(f"/sell/{listing_id}").text
    address = f"/listings/{listing_id}/thumb"
    assert visitor().post(address, data={"thumb": "-1"}).status_code == 404
    assert admin.post(address, data={"thumb": "5"}).status_code == 422
    admin.post(address, data={"thumb": "1"})
    part = admin.post(address, data={"thumb": "-1", "reason": "wrong brand"}, headers={"HX-Request": "true"})
    assert part.text.startswith('<fieldset id="thumb"')
    assert "not helpful" in part.text
    with store.reading() as connection:
        kept = connection.execute("SELECT thumb, reason FROM feedback WHERE kind = 'explicit'").fetchall()
    assert [tuple(row) for row in kept] == [(-1, "wrong brand")]
