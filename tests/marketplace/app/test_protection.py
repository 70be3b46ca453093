"""What other sites, other hosts and huge bodies get."""

from __future__ import annotations

import pytest
from selling_steps import COAT, URL, describe
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from aicourse.llm.photos.files import MAX_BYTES
from aicourse.marketplace.app.application import create_app
from aicourse.marketplace.app.asking import Helper
from aicourse.marketplace.app.chatting import SupportChat
from aicourse.marketplace.app.describing import DESCRIPTION
from aicourse.marketplace.app.help_pages import QUESTION
from aicourse.marketplace.app.proposing import Proposer
from aicourse.marketplace.app.protection import HEADERS, is_own
from aicourse.marketplace.app.store import Store
from aicourse.marketplace.app.support_pages import MESSAGE


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": URL}, False),
        ({"origin": URL}, True),
        ({"origin": "http://127.0.0.1:8080"}, False),
        ({"origin": "null"}, False),
        ({}, True),
    ],
)
def test_a_form_of_another_site_is_refused(
    headers: dict[str, str], expected: bool, browser: TestClient, store: Store
) -> None:
    assert is_own(Headers({"host": "127.0.0.1", **headers}), "http") is expected
    answer = browser.post("/sell", data={**COAT, "key": "k"}, headers=headers, follow_redirects=False)
    assert answer.status_code == (303 if expected else 403)
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM listings").fetchone()[0] == expected


def test_another_host_is_refused(browser: TestClient) -> None:
    for host in (
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.",
        "[::1]",
        "0.0.0.0",
        "127.0.0.1, evil",
        "",
    ):
        assert browser.get("/", headers={"host": host}).status_code == 400, host
    assert browser.get("/", headers={"host": "localhost:8000"}).status_code == 200


def test_every_answer_carries_the_protecting_headers(browser: TestClient) -> None:
    for address in ("/", "/nothing", "/static/market.css", "/admin"):
        answer = browser.get(address)
        assert HEADERS.items() <= dict(answer.headers).items(), address
    assert "unsafe" not in HEADERS["content-security-policy"]


def test_pages_hold_no_inline_script_or_style(browser: TestClient) -> None:
    listing_id = describe(browser)
    for address in ("/", "/sell", f"/sell/{listing_id}", "/mine", "/admin/login"):
        page = browser.get(address).text
        assert page.count("<script") == page.count("<script src=") == 1
        assert "<style" not in page
        assert "style=" not in page
        assert " onclick" not in page


ID = "x" * 22
TOO_MUCH = (
    f"Go back and send less: a question may have {QUESTION} characters, a message {MESSAGE:,}, "
    f"a description {DESCRIPTION:,}, and a photo {MAX_BYTES // 10**6} MB."
)


def test_a_photo_that_is_too_large_gets_a_sentence(browser: TestClient) -> None:
    upload = {"photo": ("big.jpg", b"0" * 21_200_000)}
    answer = browser.post("/sell", data={**COAT, "key": "k"}, files=upload)
    assert answer.status_code == 413
    assert TOO_MUCH in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/sell/x",
        "/listings/x/thumb",
        "/help/ask",
        "/help/answers/x/thumb",
        "/support/customer",
        f"/support/{ID}",
        f"/support/{ID}/answer",
        f"/support/{ID}/thumb",
        "/admin/login",
    ],
)
def test_a_form_without_a_photo_may_be_much_smaller(browser: TestClient, address: str) -> None:
    answer = browser.post(address, data={"text": "x" * 200_000})
    assert answer.status_code == 413
    assert TOO_MUCH in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_a_description_of_megabytes_is_told_to_be_shortened(browser: TestClient) -> None:
    form = {**COAT, "key": "k", "description": "x" * 2_000_000}
    answer = browser.post("/sell", data=form, files={"photo": ("p.jpg", b"0")})
    assert answer.status_code == 400
    assert "shorten what you wrote" in answer.text


def test_shops_on_one_computer_have_cookies_of_their_own(
    store: Store, proposer: Proposer, helper: Helper, chat: SupportChat
) -> None:
    names = set()
    for secret in ("one", "other"):
        shop = TestClient(
            create_app(store, proposer, helper, chat, secret=secret, admin_token="t"), base_url=URL
        )
        shop.get("/sell")
        names |= set(shop.cookies)
    assert len(names) == 2


def test_the_cookie_is_signed_and_out_of_reach_of_scripts(browser: TestClient) -> None:
    cookie = browser.get("/sell").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    listing_id = describe(browser)
    assert browser.get(f"/sell/{listing_id}").status_code == 200
    name, value = next(iter(browser.cookies.items()))
    browser.cookies.clear()
    browser.cookies.set(name, value[:-3] + "abc")
    assert browser.get(f"/sell/{listing_id}").status_code == 404


def test_a_defect_gets_a_page_without_its_words(
    browser: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr(store, "published", broken)
    careless = TestClient(browser.app, base_url=URL, raise_server_exceptions=False)
    answer = careless.get("/")
    assert answer.status_code == 500
    assert "Something broke" in answer.text
    assert "secret words" not in answer.text
    assert HEADERS.items() <= dict(answer.headers).items()
