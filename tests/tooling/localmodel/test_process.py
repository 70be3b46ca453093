"""The server as a process of its own: found, started once, recovered, stopped. No model is loaded."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import filelock
import httpx2
import psutil
import pytest

from aicourse.errors import ServerError
from aicourse.tooling.localmodel import process
from aicourse.tooling.localmodel.local_models import local_models
from aicourse.tooling.localmodel.server import serving

SECONDS = 60


@pytest.fixture(autouse=True)
def _no_server_stays() -> Iterator[None]:
    yield
    process.stop()


@pytest.fixture
def own_state() -> dict[str, Any]:
    """A state file that names this very process, as a reused number would."""
    own = psutil.Process()
    state = {"url": "http://127.0.0.1:9", "token": "t", "pid": own.pid, "started": own.create_time()}
    process.folder().mkdir(parents=True)
    return state


def write_state(state: Any) -> None:
    process.state_file().write_text(state if isinstance(state, str) else json.dumps(state))


def ask_for_server() -> str:
    """What another Python process gets."""
    code = (
        "from aicourse.tooling.localmodel import process; "
        "a = process.ensure_running(); print(a.pid, a.url, a.token)"
    )
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def wait_for_end(pid: int) -> None:
    """Until the process has ended; as its parent we have to collect it, too."""
    try:
        psutil.Process(pid).wait(SECONDS)
    except psutil.NoSuchProcess:
        return


def test_the_life_of_a_server() -> None:
    assert process.running() is None
    assert not process.stop()

    with ThreadPoolExecutor(2) as pool:  # two kernels ask at once
        answers = list(pool.map(lambda _: ask_for_server(), range(2)))
    assert answers[0] == answers[1]
    first = process.running()
    assert first is not None
    assert answers[0].split() == [str(first.pid), first.url, first.token]
    assert process.ensure_running() == first
    headers = {"authorization": f"Bearer {first.token}"}
    models = httpx2.get(f"{first.url}/v1/models", headers=headers).json()["data"]
    assert {model["id"]: model["downloaded"] for model in models} == dict.fromkeys(local_models(), False)
    assert httpx2.get(f"{first.url}/v1/models").status_code == 401

    if os.name == "posix":
        assert stat.S_IMODE(process.state_file().stat().st_mode) == 0o600
    assert first.token not in repr(first)
    with pytest.raises(ServerError, match="running already"):
        serving.serve()

    os.kill(first.pid, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    wait_for_end(first.pid)
    assert process.running() is None
    assert process.state_file().exists()  # what a killed one leaves behind
    second = process.ensure_running()
    assert (second.pid, second.token) != (first.pid, first.token)

    if hasattr(os, "waitid"):  # killed as a child of this process, it stays in the table until somebody looks
        os.kill(second.pid, signal.SIGKILL)
        os.waitid(os.P_PID, second.pid, os.WEXITED | os.WNOWAIT)
        assert process.running() is None
        third = process.ensure_running()
        assert third.pid != second.pid
        second = third

    assert process.stop()
    assert process.running() is None
    assert not process.state_file().exists()
    assert not psutil.pid_exists(second.pid)


def test_it_leaves_when_idle() -> None:
    code = "from aicourse.tooling.localmodel.server import serving; serving.serve(idle_minutes=0.001)"
    done = subprocess.run([sys.executable, "-c", code], timeout=SECONDS, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert process.running() is None
    assert not process.state_file().exists()


def test_a_reused_process_number_is_not_the_server(own_state: dict[str, Any]) -> None:
    write_state(own_state)
    assert process.running() is not None  # the same process
    write_state(own_state | {"started": own_state["started"] - 100})
    assert process.running() is None
    assert not process.stop()  # and it is not killed


@pytest.mark.parametrize(
    "change", [{"pid": 0}, {"pid": -1}, {"pid": 2**80}, {"pid": "x"}, {"started": None}, {"started": 1e999}]
)
def test_a_state_file_that_makes_no_sense_is_no_server(
    own_state: dict[str, Any], change: dict[str, Any]
) -> None:
    write_state(own_state | change)
    assert process.running() is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '"x"', "[" * 100_000, "\x00\xff"])
def test_a_broken_state_file_is_no_server(own_state: dict[str, Any], text: str) -> None:
    write_state(text)
    assert process.running() is None


def test_a_server_of_another_machine_in_a_shared_home_is_not_ours(
    own_state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_state(own_state)
    monkeypatch.setattr(socket, "gethostname", lambda: "other/../machine")
    assert process.running() is None
    assert process.folder().parent == process.log_file().parent.parent
    assert "/.." not in process.folder().name


def test_a_server_that_does_not_start_shows_the_end_of_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "print('the first line'); print(); raise SystemExit('the library is missing')"
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", code))
    with pytest.raises(ServerError, match=r"did not start.*the library is missing.*aicourse doctor"):
        process.ensure_running()


def test_a_server_with_a_stepped_clock_is_still_found(
    own_state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_state(own_state | {"started": own_state["started"] - 100})
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", "raise SystemExit('running already')"))
    monkeypatch.setattr(process, "_answers", lambda address: True)
    with pytest.raises(ServerError, match="did not start"):
        process.ensure_running()
    with filelock.FileLock(process.folder() / "server.lock"):  # it lives: a dead process holds no lock
        assert process.ensure_running().url == own_state["url"]


def test_a_taken_port_is_named(own_state: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=rf"Port {port} is taken.*--port 0"):
            serving.serve(port=port)
    with filelock.FileLock(process.folder() / "server.lock", timeout=0):
        pass  # it was given back


@pytest.mark.parametrize("act", [process.ensure_running, serving.serve])
def test_a_folder_that_cannot_be_used(act: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AICOURSE_STATE", str(tmp_path / "file"))
    with pytest.raises(ServerError, match="AICOURSE_STATE"):
        act()


def test_the_folder_it_runs_in_gives_it_no_modules() -> None:
    process.folder().mkdir(parents=True)
    (process.folder() / "fastapi.py").write_text("raise SystemExit('planted')")
    assert process.ensure_running().pid


def test_a_large_log_is_emptied_while_it_runs(
    own_state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOG_BYTES", 1_000)
    log = process.log_file()
    with log.open("ab") as output:
        monkeypatch.setattr(serving, "STDERR", output.fileno())
        os.write(output.fileno(), b"x" * 900)
        serving.trim_log()
        assert log.stat().st_size == 900
        os.write(output.fileno(), b"x" * 200)
        serving.trim_log()
        assert log.stat().st_size == 0
        os.write(output.fileno(), b"on")
        assert log.read_bytes() == b"on"


def test_a_file_that_is_not_its_log_is_left_alone(
    own_state: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOG_BYTES", 10)
    process.log_file().write_text("x" * 20)
    with (tmp_path / "mine").open("wb", buffering=0) as output:
        output.write(b"x" * 20)
        monkeypatch.setattr(serving, "STDERR", output.fileno())
        serving.trim_log()
        assert (tmp_path / "mine").stat().st_size == process.log_file().stat().st_size == 20


def test_a_server_in_the_foreground_tells_its_address() -> None:
    told: list[process.ServerAddress] = []
    serving.serve(idle_minutes=0.001, announce=told.append)
    assert [where.url.partition(":")[0] for where in told] == ["http"]
    assert told[0].token


def test_small_answers_are_sent_at_once() -> None:
    """Without TCP_NODELAY each answer on a kept connection waits 40 ms for the client's acknowledgement."""
    no_delay: list[int] = []

    async def accept_one() -> None:
        accepted = asyncio.Event()

        def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted_socket = writer.get_extra_info("socket")
            no_delay.append(accepted_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()
            accepted.set()

        listener = serving.listen(0)
        server = await asyncio.start_server(note, sock=listener)
        _, writer = await asyncio.open_connection(*listener.getsockname())
        await accepted.wait()
        writer.close()
        server.close()

    asyncio.run(accept_one())
    assert len(no_delay) == 1
    assert no_delay[0]
