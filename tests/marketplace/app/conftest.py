"""The app over a scripted model: proposals are made at once, in the thread that asks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from aicourse.marketplace.app.application import create_app
from aicourse.marketplace.app.asking import Helper
from aicourse.marketplace.app.chatting import SupportChat
from aicourse.marketplace.app.help_center import HelpCenter
from aicourse.marketplace.app.proposing import Proposer
from aicourse.marketplace.app.store import Store
from aicourse.testing import ScriptedModel

sys.path.insert(0, str(Path(__file__).parent))
from selling_steps import ADMIN_TOKEN, URL, AtOnce


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "market.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def proposer(store: Store, model: ScriptedModel) -> Proposer:
    prompt = "extract_listing@v4"
    return Proposer(store, model.client, "m", prompt, limit_seconds=20, pool=AtOnce())


@pytest.fixture(scope="session")
def center() -> HelpCenter:
    """The course's own articles, searched by words alone: no embedding model is asked."""
    return HelpCenter(client=lambda: None)


@pytest.fixture
def helper(store: Store, model: ScriptedModel, center: HelpCenter) -> Helper:
    return Helper(store, model.client, "m", center, pool=AtOnce())


@pytest.fixture
def chat(store: Store, model: ScriptedModel) -> SupportChat:
    return SupportChat(store, model.client, "m", pool=AtOnce())


@pytest.fixture
def visitor(store: Store, proposer: Proposer, helper: Helper, chat: SupportChat) -> Callable[[], TestClient]:
    """Makes browsers, each with cookies of its own."""
    app = create_app(store, proposer, helper, chat, secret="s", admin_token=ADMIN_TOKEN)
    return lambda: TestClient(app, base_url=URL)


@pytest.fixture
def browser(visitor: Callable[[], TestClient]) -> TestClient:
    return visitor()
