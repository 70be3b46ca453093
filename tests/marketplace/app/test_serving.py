"""The server itself, on a real port."""

from __future__ import annotations

import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from selling_steps import COAT, CONFIRMED, PROPOSED

from aicourse.errors import AicourseError, PromptError
from aicourse.marketplace.app import Marketplace, serve
from aicourse.monitoring.spans import span
from aicourse.monitoring.tracing import start_tracing, traced_into
from aicourse.testing import ScriptedModel

REQUESTS, AT_ONCE = 200, 8
PATIENCE = 60  # seconds, an end for what hangs


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Marketplace]:
    model = ScriptedModel(*[PROPOSED] * REQUESTS)
    started = serve(tmp_path / "m.sqlite3", background=True, client=model.client(), examples=False)
    yield started
    started.stop()


def test_many_sellers_at_once_meet_no_error(shop: Marketplace) -> None:
    def sell(number: int) -> list[int]:
        with httpx2.Client(base_url=shop.url, timeout=PATIENCE) as browser:
            browser.get("/sell")
            sent = browser.post("/sell", data={**COAT, "key": str(number)})
            draft = sent.headers["location"]
            published = browser.post(draft, data=CONFIRMED)
            again = browser.post(draft, data=CONFIRMED)
            found = browser.get("/?q=coat")
            return [sent.status_code, published.status_code, again.status_code, found.status_code]

    sales = REQUESTS // 5
    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = list(pool.map(sell, range(sales)))
    assert statuses == [[303, 303, 303, 200]] * sales
    with shop.store.reading() as connection:
        assert (
            connection.execute("SELECT count(*) FROM listings WHERE status = 'published'").fetchone()[0]
            == sales
        )
        assert connection.execute("SELECT count(*) FROM search").fetchone()[0] == sales


def test_a_seller_finds_their_draft_after_a_restart(tmp_path: Path) -> None:
    path, cookies = tmp_path / "m.sqlite3", httpx2.Cookies()
    for _ in range(2):
        started = serve(path, background=True, client=ScriptedModel(PROPOSED).client(), examples=False)
        with httpx2.Client(base_url=started.url, cookies=cookies, timeout=PATIENCE) as browser:
            browser.post("/sell", data={**COAT, "key": "k"})
            assert "Navy coat" in browser.get("/mine").text
            cookies = browser.cookies
        address = started.url
        started.stop()
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(address)
        with pytest.raises(AicourseError, match=r"has stopped\. To sell again, run from `serve` on"):
            _ = started.url
    if sys.platform != "win32":
        assert stat.S_IMODE(path.with_suffix(".secret").stat().st_mode) == 0o600


def test_a_port_that_is_taken_gets_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(AicourseError, match="is taken"):
            serve(tmp_path / "m.sqlite3", background=True, port=other.getsockname()[1], examples=False)


def test_tracing_that_runs_already_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite3"
    with start_tracing(path) as tracing:
        shop = serve(path, background=True, client=ScriptedModel(PROPOSED).client(), examples=False)
        httpx2.post(f"{shop.url}/sell", data={**COAT, "key": "k"}, timeout=PATIENCE)
        shop.stop()
        with span("after the shop"):
            pass
        tracing.flush()
        assert shop.tracing is None
        with closing(sqlite3.connect(path)) as connection:
            names = {name for (name,) in connection.execute("SELECT name FROM spans")}
        assert names >= {"propose", "after the shop"}
        with pytest.raises(AicourseError, match=r"is traced into .*m\.sqlite3 already"):
            serve(tmp_path / "other.sqlite3", background=True, examples=False)


def test_a_prompt_that_does_not_exist_gets_a_sentence_at_once(tmp_path: Path) -> None:
    with pytest.raises(PromptError):
        serve(tmp_path / "m.sqlite3", background=True, prompt="extract_listing@v999", examples=False)
    assert traced_into() is None


RUNS = """
import sys
from pathlib import Path
from aicourse.marketplace.app import serve
serve(Path(sys.argv[1]), examples=False, announce=lambda shop: print(shop.url, flush=True))
print("ended", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C reaches a whole console there")
@pytest.mark.slow
def test_ctrl_c_ends_it_in_peace(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUNS, str(tmp_path / "m.sqlite3")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        assert httpx2.get(url, timeout=60).status_code == 200
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    assert (process.returncode, out, error) == (0, "ended\n", "")


def test_an_empty_store_gets_examples_once(tmp_path: Path) -> None:
    from aicourse.marketplace.app.examples import add_examples
    from aicourse.marketplace.app.store import Store

    store = Store(tmp_path / "m.sqlite3")
    add_examples(store)
    add_examples(store)
    with store.reading() as connection:
        assert (
            connection.execute("SELECT count(*) FROM listings WHERE status = 'published'").fetchone()[0] == 40
        )
        assert connection.execute("SELECT count(*) FROM photos").fetchone()[0] == 40
        assert connection.execute("SELECT count(*) FROM feedback").fetchone()[0] == 0
    store.close()


def test_it_starts_without_tables_and_statistics() -> None:
    code = (
        "import sys, aicourse.marketplace.app.serving; "
        "print([one for one in ('numpy', 'pandas', 'scipy', 'matplotlib') if one in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
