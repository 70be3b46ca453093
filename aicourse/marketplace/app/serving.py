"""The marketplace as a server on this computer: in the foreground, or in a thread beside a notebook.

    shop = serve(background=True)
    shop.url                                  # open it, sell something
    pd.read_sql("SELECT * FROM spans", sqlite3.connect(shop.store.path))
    shop.stop()

In the background it is in the notebook's own process, so its calls to the model are the lesson's: recorded
replies are used, and the badge counts them. It listens on loopback only.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from openai import OpenAI
from starlette.types import ASGIApp

from aicourse import paths
from aicourse.errors import AicourseError
from aicourse.experiments.experiment import Experiment
from aicourse.llm.client import connect
from aicourse.marketplace.app.application import create_app
from aicourse.marketplace.app.asking import Helper
from aicourse.marketplace.app.chatting import SupportChat
from aicourse.marketplace.app.examples import add_examples
from aicourse.marketplace.app.help_center import HelpCenter
from aicourse.marketplace.app.proposing import Proposer
from aicourse.marketplace.app.store import Store
from aicourse.monitoring.tracing import Tracing, start_tracing, traced_into

MODEL = "qwen2.5-coder-0.5b"
HELP_MODEL = "qwen2.5-coder-1.5b"
PROMPT = "extract_listing@production"
LIMIT_SECONDS = 20.0
BUDGET_USD = 1.0
KEEP_ALIVE_SECONDS = 75  # uvicorn's 5 would race with a client that pauses between requests
GRACE_SECONDS = 2  # for requests under way when it is stopped


@dataclass(frozen=True)
class Marketplace:
    """A marketplace: the token of its admin pages, its store, and its address while it runs.

    `tracing` is its own; None where it does not trace, or the process is traced into its file already.
    """

    admin_token: str
    store: Store
    tracing: Tracing | None
    _url: str
    _server: uvicorn.Server
    _thread: threading.Thread | None
    _closing: ExitStack

    @property
    def url(self) -> str:
        """The address of the first page.

        Raises:
            AicourseError: it has stopped.
        """
        if self._server.should_exit:
            raise AicourseError("This marketplace has stopped. To sell again, run from `serve` on.")
        return self._url

    @property
    def admin_url(self) -> str:
        """The address that opens the admin pages."""
        return f"{self.url}/admin/login?token={self.admin_token}"

    def stop(self) -> None:
        """End it; what was published stays in the store."""
        self._server.should_exit = True
        if self._thread:
            self._thread.join()
        self._closing.close()

    def __str__(self) -> str:
        return f"Marketplace: {self.url}\nAdmin: {self.admin_url}"


def serve(
    path: Path | None = None,
    *,
    background: bool = False,
    port: int = 0,
    model: str = MODEL,
    prompt: str = PROMPT,
    help_model: str = HELP_MODEL,
    experiment: Experiment | None = None,
    client: OpenAI | None = None,
    limit_seconds: float = LIMIT_SECONDS,
    budget_usd: float = BUDGET_USD,
    examples: bool = True,
    traced: bool = True,
    announce: Callable[[Marketplace], None] = lambda shop: None,
) -> Marketplace:
    """Run the marketplace over the SQLite file at `path` (else one for this user) until it is stopped.

    With `background` it returns at once. A model's proposal may take `limit_seconds`, all proposals together
    `budget_usd`, and so may all answers of `help_model` to questions, and its work in the support chat;
    `client` stands in for those that `connect` makes. The variants of an `experiment` are versions or labels
    of `prompt`. An empty store gets `examples`. While it runs, the calls of this process to models are
    `traced` into the same file; if they are already, that stays so. `announce` is told the open address.

    Raises:
        StoreError: the file is no database of the marketplace.
        PromptError: there is no such version of the prompt.
        AicourseError: the port is taken, or the process is traced into another file.
    """
    path = path or paths.state_dir() / "marketplace" / "marketplace.sqlite3"
    with ExitStack() as stack:
        store = Store(path)
        stack.callback(store.close)
        tracing = _trace(path) if traced else None
        if tracing:
            stack.callback(tracing.stop)
        proposing, asking = (_connecting(client, name, budget_usd) for name in (model, help_model))
        proposer = Proposer(store, proposing, model, prompt, limit_seconds, experiment)
        helper = Helper(store, asking, help_model, HelpCenter())
        chat = SupportChat(store, asking, help_model)
        for worker in (proposer, helper, chat):
            stack.callback(worker.close)
        if examples:
            add_examples(store)
        token, secret = secrets.token_urlsafe(16), _secret_beside(path)
        app = create_app(store, proposer, helper, chat, secret=secret, admin_token=token)
        listener = _listen(port)
        closing = stack.pop_all()
    server = uvicorn.Server(_config(app))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=server.run, args=([listener],), name="marketplace", daemon=True)
    shop = Marketplace(token, store, tracing, url, server, thread if background else None, closing)
    announce(shop)
    if background:
        thread.start()
        return shop
    with suppress(KeyboardInterrupt):  # how it is ended; uvicorn has let the requests finish
        server.run([listener])
    shop.stop()
    return shop


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


def _trace(path: Path) -> Tracing | None:
    """Tracing into the shop's file; None if whoever runs this process does that already."""
    traced = traced_into()
    if traced is None:
        return start_tracing(path)
    if traced != path.resolve():
        raise AicourseError(
            f"This process is traced into {traced} already. Serve the marketplace from that file, end its "
            "tracing (`tracing.stop()`), or serve with traced=False.",
            path=traced,
        )
    return None


def _connecting(client: OpenAI | None, model: str, budget_usd: float) -> Callable[[], OpenAI]:
    return lambda: client or connect(model=model, budget=budget_usd)


def _listen(port: int) -> socket.socket:
    """A listening socket on loopback; from now on a connection waits instead of being refused."""
    # IPPROTO_TCP: small writes leave at once
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, os.name == "posix")
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise AicourseError(
            f"Port {port} is taken ({error.strerror}). Choose another: aicourse marketplace --port 0",
            port=port,
        ) from error
    return listener


def _secret_beside(path: Path) -> str:
    """The secret that signs cookies, made once, so that sellers find their drafts after a restart."""
    file = path.with_suffix(".secret")
    if not file.exists():
        paths.write_atomically(file, secrets.token_urlsafe(32), mode=0o600)
    return file.read_text(encoding="utf-8")
