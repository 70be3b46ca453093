"""The proxy to a model: what one submission may take of the grader, and what it hears of its faults."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from sandboxes import linux_only

from aicourse.tooling.grading.sandbox import proxy
from aicourse.tooling.grading.sandbox.proxy import Ask, ModelProxy

BODY = json.dumps({"model": "m", "input": []})


@contextmanager
def serving(ask: Ask) -> Iterator[ModelProxy]:
    served = ModelProxy(socket.create_server(("127.0.0.1", 0)), ask)
    try:
        yield served
    finally:
        served.close()


def asked(served: ModelProxy) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.request("POST", "/v1/embeddings", BODY)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


@linux_only
def test_a_flood_of_connections_takes_four_of_the_graders_files() -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def ask(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        begun.release()
        go_on.wait(60)
        return 200, {}

    with ExitStack() as stack:
        served = stack.enter_context(serving(ask))
        stack.callback(go_on.set)
        before = len(os.listdir("/proc/self/fd"))
        request = f"POST /v1/embeddings HTTP/1.0\r\nContent-Length: {len(BODY)}\r\n\r\n{BODY}".encode()
        for _ in range(100):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            connection.sendall(request)
        for _ in range(4):
            assert begun.acquire(timeout=60)
        for _ in range(20):
            assert len(os.listdir("/proc/self/fd")) == before + 100 + 4
            time.sleep(0.01)  # it has every chance to accept more


def test_who_waits_is_served_when_another_is_done() -> None:
    with serving(lambda body: (200, {})) as served:
        assert [asked(served)[0] for _ in range(12)] == [200] * 12


def test_of_an_error_of_the_graders_a_student_reads_the_name_alone() -> None:
    def ask(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        raise OSError("/home/grader/.cache cannot be read")

    with serving(ask) as served:
        status, reply = asked(served)
    assert (status, reply["error"]["message"]) == (502, "The model could not be asked (OSError).")


def test_a_proxy_that_is_busy_can_be_closed() -> None:
    go_on = threading.Event()
    with ExitStack() as stack:
        stack.callback(go_on.set)
        served = ModelProxy(socket.create_server(("127.0.0.1", 0)), lambda body: (200, {"x": go_on.wait(60)}))
        for _ in range(proxy._AT_ONCE + 2):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            connection.sendall(b"POST /v1/embeddings HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
        served.close()
        assert served._server.socket.fileno() == -1
