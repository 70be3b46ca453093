"""What the app's tests share: a thing for sale, its proposal, and the steps of selling it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from io import BytesIO
from typing import Any

from PIL import Image
from starlette.testclient import TestClient

from aicourse.marketplace.extraction.attributes import ListingAttributes

URL = "http://127.0.0.1"
ADMIN_TOKEN = "for-these-tests"
COAT = {"title": "Navy coat", "description": "Navy coat of wool, size M, from Zara.", "price": "12,50"}
PROPOSED = ListingAttributes(
    category="clothing", colours=["blue"], materials=["wool"], size="M", condition="good", brand="Zara"
)
CONFIRMED = {**PROPOSED.model_dump(), "name": "Ida"}


class AtOnce(Executor):
    """Runs what it is given before it returns."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        fn(*args, **kwargs)
        return Future()


class Later(AtOnce):
    """Keeps what it is given until it is told to run."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self.waiting.append(lambda: fn(*args, **kwargs))

    def run(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


def jpeg(width: int = 40, height: int = 30, **options: Any) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), "navy").save(buffer, "JPEG", **options)
    return buffer.getvalue()


def describe(browser: TestClient, key: str = "k", **changes: str) -> str:
    """Send the first form, and return the draft's id."""
    answer = browser.post("/sell", data={**COAT, "key": key, **changes}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removeprefix("/sell/")


def sell(browser: TestClient, key: str = "k", **changes: Any) -> str:
    """Describe a thing, confirm it with changes, and return its id."""
    listing_id = describe(browser, key)
    answer = browser.post(f"/sell/{listing_id}", data={**CONFIRMED, **changes}, follow_redirects=False)
    assert answer.headers["location"] == f"/listings/{listing_id}", answer.text
    return listing_id
