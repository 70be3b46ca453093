"""The guard that all other tests lean on really refuses, and lets loopback through."""

from __future__ import annotations

import asyncio
import socket
import urllib.request

import pytest

DOCUMENTATION_ADDRESS = "192.0.2.1"  # TEST-NET-1 (RFC 5737): never routed


def test_other_machines_are_refused_by_name_and_address() -> None:
    with pytest.raises(RuntimeError, match="network_allowed"):
        urllib.request.urlopen("http://example.com/")
    with socket.socket() as sock, pytest.raises(RuntimeError, match=DOCUMENTATION_ADDRESS):
        sock.connect((DOCUMENTATION_ADDRESS, 80))
    with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(RuntimeError, match="network_allowed"):
        sock.sendto(b"", (DOCUMENTATION_ADDRESS, 53))
    with pytest.raises(RuntimeError, match="network_allowed"):
        asyncio.run(asyncio.open_connection(DOCUMENTATION_ADDRESS, 80))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_let_through(host: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection((host, server.getsockname()[1])),
    ):
        server.accept()[0].close()


def test_network_allowed_lifts_the_guard(network_allowed: None) -> None:
    with socket.socket() as sock:
        sock.setblocking(False)
        assert sock.connect_ex((DOCUMENTATION_ADDRESS, 9)) != 0  # reaches the system, which has no answer yet


REACHING = """
import socket

def reach():
    with socket.socket() as sock:
        sock.setblocking(False)
        return sock.connect_ex(("192.0.2.1", 9))

def test_with_a_fixture_of_ours(scripted_model):
    reach()

def test_with_leave(scripted_model, network_allowed):
    reach()

def test_of_someone_else():
    reach()
"""


@pytest.mark.parametrize(("setting", "passed"), [("", 2), ("refuse", 1), ("allow", 3)])
def test_who_may_leave_the_machine(
    pytester: pytest.Pytester, setting: str, passed: int, network_allowed: None
) -> None:
    pytester.makepyfile(REACHING)
    pytester.makeini(f"[pytest]\naicourse_network = {setting}\n")
    before = socket.socket.connect
    run = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    assert socket.socket.connect is before
    run.assert_outcomes(passed=passed, failed=3 - passed)


def test_an_unknown_setting_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\naicourse_network = maybe\n")
    run = pytester.runpytest_inprocess()
    run.stderr.fnmatch_lines(["*aicourse_network is refuse or allow, not 'maybe'."])
