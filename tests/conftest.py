"""What every test gets: no network but loopback, and caches, state and keys of its own.

Subprocesses inherit the environment, not the socket guard: a test that starts one points it at a
loopback address or at a port that refuses.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from aicourse import paths
from aicourse.llm import session

# How long an example takes says how busy the machine is: nothing here is judged by a clock.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

collect_ignore = ["benchmarks"]  # scripts that import each other by file name; `make bench` runs them
REAL_CACHE = paths.cache_dir()  # read at import, before `isolated_environment` points elsewhere
LOOPBACK_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost"}
LOCAL_FAMILIES = {getattr(socket, name) for name in ("AF_UNIX", "AF_NETLINK") if hasattr(socket, name)}


class NetworkRefusedError(RuntimeError):
    """Not an OSError on purpose: code that handles "no connection" must not swallow it."""


class NetworkGuard:
    """Whether the running test may leave this machine."""

    allowed = False

    def check(self, host: Any) -> None:
        if not self.allowed and not is_loopback(host):
            raise NetworkRefusedError(f"This test tried to reach {host!r}: use loopback or network_allowed.")


def is_loopback(host: Any) -> bool:
    """Whether `host` (a name or an address, as sockets take them) is this machine.

    None, "" and the unspecified address mean "any interface here", which is how servers bind.
    """
    text = host.decode() if isinstance(host, bytes) else host
    if text is None or text == "" or text in LOOPBACK_NAMES:
        return True
    try:
        address = ipaddress.ip_address(str(text).split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@pytest.fixture(scope="session", autouse=True)
def network_guard() -> Iterator[NetworkGuard]:
    """Refuse look-ups of, and connections to, anything but loopback for the whole session."""
    guard = NetworkGuard()
    connect, connect_ex, sendto = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto
    getaddrinfo, gethostbyname = socket.getaddrinfo, socket.gethostbyname

    def check_address(sock: socket.socket, address: Any) -> None:
        if sock.family not in LOCAL_FAMILIES:
            guard.check(address[0])

    def guarded_connect(self: socket.socket, address: Any) -> None:
        check_address(self, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        check_address(self, address)
        return connect_ex(self, address)

    def guarded_sendto(self: socket.socket, data: Any, *arguments: Any) -> int:
        check_address(self, arguments[-1])
        return sendto(self, data, *arguments)

    def guarded_getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        guard.check(host)
        return getaddrinfo(host, *arguments, **options)

    def guarded_gethostbyname(host: str) -> str:
        guard.check(host)
        return gethostbyname(host)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket.socket, "sendto", guarded_sendto)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        patch.setattr(socket, "gethostbyname", guarded_gethostbyname)
        yield guard


@pytest.fixture
def network_allowed(network_guard: NetworkGuard) -> Iterator[None]:
    """Lift the guard for one test."""
    network_guard.allowed = True
    yield
    network_guard.allowed = False


@pytest.fixture(autouse=True)
def isolated_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, an empty state folder, no AICOURSE_* setting and no provider key."""
    for variable in list(os.environ):
        if variable.startswith("AICOURSE_") or variable.endswith(("_API_KEY", "_BASE_URL")):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("AICOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AICOURSE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(session, "_session", None)  # no test sees the lesson that another one began


@pytest.fixture
def real_model_cache(isolated_environment: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's real cache, for `live_model` tests; skips when the embedded model is not in it."""
    models = REAL_CACHE / "models"
    if not any((models / "qwen2.5-coder-0.5b").glob("*.gguf")):
        pytest.skip("needs the embedded model; get it with: aicourse model pull qwen2.5-coder-0.5b")
    monkeypatch.setenv("AICOURSE_CACHE", str(REAL_CACHE))
    return REAL_CACHE
