"""The first form: words and a photo become a draft, once; what cannot be used gets a sentence."""

from __future__ import annotations

import pytest
from PIL import Image
from selling_steps import PROPOSED, describe, jpeg
from starlette.testclient import TestClient

from aicourse.marketplace.app.proposing import Proposer
from aicourse.marketplace.app.store import Store
from aicourse.testing import ScriptedModel


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "t" * 121}, "title"),
        ({"description": ""}, "description"),
        ({"description": "d" * 4001}, "description"),
        *(({"price": price}, "price") for price in ("cheap", "-1", "inf", "nan", "1e9", "1,200", "1_000")),
    ],
)
def test_a_description_that_cannot_be_used_gets_a_sentence(
    change: dict[str, str], field: str, browser: TestClient
) -> None:
    data = {"key": "k", "title": "Coat", "description": "kept words", "price": "", **change}
    answer = browser.post("/sell", data=data)
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert field == "description" or "kept words" in answer.text


def test_a_form_sent_twice_is_one_draft_and_asks_once(
    browser: TestClient, model: ScriptedModel, store: Store
) -> None:
    model.enqueue(PROPOSED)
    browser.get("/sell")
    assert describe(browser, "same") == describe(browser, "same")
    assert len(model.history) == 1


def test_a_form_with_a_huge_key_sent_twice_is_one_draft(browser: TestClient, model: ScriptedModel) -> None:
    model.enqueue(PROPOSED)
    assert describe(browser, "k" * 5_000) == describe(browser, "k" * 5_000)


@pytest.mark.parametrize(
    ("client", "kept"), [("web 1", "web 1"), ("ios 4.2.1", "ios 4.2.1"), ("", "other"), ("x" * 99, "other")]
)
def test_the_version_of_the_page_reaches_the_trace(
    client: str, kept: str, browser: TestClient, proposer: Proposer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = []
    monkeypatch.setattr(proposer, "begin", lambda listing_id, draft: clients.append(draft.client))
    assert 'name="client" value="web 1"' in browser.get("/sell").text
    describe(browser, client=client)
    assert clients == [kept]


@pytest.mark.parametrize("charset", ["utf-7", "raw_unicode_escape", "undefined", "base64", "utf-16", "no"])
def test_letters_that_are_none_are_no_defect(charset: str, browser: TestClient) -> None:
    words = {"utf-7": b"Coat +2AA-", "raw_unicode_escape": rb"Coat \ud800"}.get(charset, b"Coat")
    fields = {"key": b"k", "title": words, "description": words}
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), value)
        for name, value in fields.items()
    ]
    headers = {"content-type": f"multipart/form-data; boundary=b; charset={charset}"}
    answer = browser.post(
        "/sell", content=b"".join(parts) + b"--b--\r\n", headers=headers, follow_redirects=False
    )
    assert answer.status_code in (303, 400, 422)


def test_safe_methods_store_nothing(browser: TestClient, store: Store) -> None:
    for address in ("/", "/sell", "/mine", "/admin/login"):
        assert browser.get(address).status_code == 200
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM sellers").fetchone()[0] == 0


def test_a_photo_is_kept_without_where_it_was_taken(
    browser: TestClient, model: ScriptedModel, store: Store
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "59 Secret Street"
    model.enqueue(PROPOSED)
    upload = {"photo": ("coat.jpg", jpeg(exif=exif.tobytes(), comment=b"Secret comment"))}
    data = {"key": "k", "title": "Coat", "description": "Coat"}
    page = browser.post("/sell", data=data, files=upload)
    assert page.status_code == 200
    listing_id = page.url.path.removeprefix("/sell/")
    for size in ("small", "large"):
        answer = browser.get(f"/photos/{listing_id}/{size}.jpg")
        assert answer.headers["content-type"] == "image/jpeg"
        assert b"Secret" not in answer.content
    assert "Secret" not in model.history[0].text
    assert b"Secret" not in store.path.read_bytes()


def test_a_file_that_is_no_photo_gets_a_sentence(browser: TestClient) -> None:
    upload = {"photo": ("coat.jpg", b"<script>alert(1)</script>")}
    answer = browser.post("/sell", data={"key": "k", "title": "Coat", "description": "Coat"}, files=upload)
    assert answer.status_code == 422
    assert "Not a PNG, JPEG or WebP picture" in answer.text


@pytest.mark.parametrize("body", [b"key=k&title=%ff%fe%00&description=%ed%a0%80", b"\xff\xfe=%", b"{}"])
def test_a_body_that_is_no_form_of_ours_is_no_defect(body: bytes, browser: TestClient) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = browser.post("/sell", content=body, headers=headers, follow_redirects=False)
    assert answer.status_code in (303, 400, 422)


@pytest.mark.parametrize(
    "address",
    ["/?q=_", "/?q=%22%22*", "/?q=%00", "/?before=x", "/?category=%00", "/?q=%ff"],
)
def test_an_address_that_makes_no_sense_is_no_defect(address: str, browser: TestClient) -> None:
    assert browser.get(address).status_code in (200, 422)
