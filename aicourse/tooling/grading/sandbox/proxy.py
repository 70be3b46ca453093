"""The only way from a sandbox to a model: a small OpenAI-compatible server in the grader, with a budget.

The socket it answers on listens inside the sandbox's network namespace; its handle came out before any
student code ran. The grader's own client (`aicourse.connect`) asks the model, so the key stays in the
grader's process. Requests are untrusted bytes: sizes, paths and numbers of calls and tokens are limited,
nothing else passes.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from aicourse.errors import DownloadError
from aicourse.tooling.grading.sandbox.embedding import CALLS, EmbeddingDesk, vector_store
from aicourse.tooling.grading.sandbox.execution import Job

Ask = Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]]]  # path and body -> status and reply

PATHS = ("/chat/completions", "/embeddings")
TOKENS_PER_CALL = 4_000
LARGEST_BODY = 1 << 20
_AT_ONCE = 4
_SECONDS = 30.0
_LOOK = 0.05


class Budget:
    """Calls and tokens that one submission may still use; shared by the threads of its proxy."""

    def __init__(self, calls: int) -> None:
        self.calls, self._left, self._tokens = calls, calls, calls * TOKENS_PER_CALL
        self._lock = threading.Lock()

    def take(self) -> int:
        """Begin a call: how many tokens its reply may have, 0 when there is nothing left."""
        with self._lock:
            if self._left <= 0 or self._tokens <= 0:
                return 0
            self._left -= 1
            return min(self._tokens, TOKENS_PER_CALL)

    def spend(self, tokens: int) -> None:
        """Count what a call has used."""
        with self._lock:
            self._tokens -= tokens


class BusyTime:
    """The time during which one request or more is with the model; a context manager around each."""

    def __init__(self) -> None:
        self._requests, self._since, self._ended = 0, 0.0, 0.0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            if not self._requests:
                self._since = time.monotonic()
            self._requests += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._requests -= 1
            if not self._requests:
                self._ended += time.monotonic() - self._since

    @property
    def seconds(self) -> float:
        """Seconds until now, side by side ones once."""
        with self._lock:
            return self._ended + (time.monotonic() - self._since if self._requests else 0.0)


class ModelProxy:
    """Answers on `listener` until it is closed; `ask` speaks to the model."""

    def __init__(self, listener: socket.socket, calls: int, ask: Ask) -> None:
        self.budget, self.busy = Budget(calls), BusyTime()
        self._server = _Server(listener, self.budget, self.busy, ask)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_LOOK,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it answers on."""
        port: int = self._server.socket.getsockname()[1]
        return port

    @property
    def unserved(self) -> str:
        """A sentence, if the model was asked and its file is not here; else empty."""
        return self._server.unserved

    def close(self) -> None:
        """Stop answering and give the socket back."""
        self._server.closing = True
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def model_proxy(listener: socket.socket, job: Job, ask: Ask) -> ModelProxy:
    """The proxy that a job is promised: to embeddings alone, or to whatever `ask` reaches."""
    if job.vectors is None:
        return ModelProxy(listener, job.model_calls, ask)
    return ModelProxy(listener, CALLS, EmbeddingDesk(vector_store(job.vectors)))


class _Server(HTTPServer):
    """An HTTP server on a socket that exists, with a few threads for requests.

    No more connections are accepted than there are threads: each is an open file of the grader's, which the
    neighbours need too. All others wait in the sandbox's own kernel queue.
    """

    def __init__(self, listener: socket.socket, budget: Budget, busy: BusyTime, ask: Ask) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        listener.setblocking(False)  # who connected may be gone again when there is a thread
        self.budget, self.busy, self.ask, self.unserved = budget, busy, ask, ""
        self.closing = False
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="model-proxy")
        self._free = threading.Semaphore(_AT_ONCE)

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection, once there is a thread for it.

        Raises:
            OSError: the server closes.
        """
        while not self._free.acquire(timeout=_LOOK):
            if self.closing:
                raise ConnectionAbortedError
        try:
            return super().get_request()
        except OSError:
            self._free.release()
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in one of the threads."""
        self._pool.submit(self._answer, request, client_address)

    def _answer(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except OSError:  # the sandbox has ended meanwhile
            return
        finally:
            self.shutdown_request(request)
            self._free.release()

    def server_close(self) -> None:
        """Close the socket; threads end with their requests."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        super().server_close()


class _Handler(BaseHTTPRequestHandler):
    """One request; HTTP/1.0, so every reply ends its connection."""

    server: _Server
    timeout = _SECONDS

    def do_POST(self) -> None:
        """Pass a request to the model, within the budget."""
        path = self.path.split("?")[0].removeprefix("/v1")
        if path not in PATHS:
            return self._refuse(404, f"This proxy answers {' and '.join(PATHS)} only.")
        try:
            length = int(self.headers.get("content-length", ""))
            body = json.loads(self.rfile.read(length)) if 0 < length <= LARGEST_BODY else None
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            return self._refuse(400, f"The body must be a JSON object of at most {LARGEST_BODY} bytes.")
        tokens = self.server.budget.take()
        if not tokens:
            return self._refuse(429, f"The budget of {self.server.budget.calls} model calls is used up.")
        return self._pass_on(path, body, tokens)

    def do_GET(self) -> None:
        """Only requests to a model are answered."""
        self._refuse(404, f"This proxy answers {' and '.join(PATHS)} only.")

    def _pass_on(self, path: str, body: dict[str, Any], tokens: int) -> None:
        streamed = body.pop("stream", False) is True
        body.pop("stream_options", None)
        if path == "/chat/completions":
            _limit(body, tokens)
        try:
            with self.server.busy:
                status, reply = self.server.ask(path, body)
        except DownloadError as error:
            self.server.unserved = error.message
            return self._refuse(503, error.message)
        except Exception as error:  # whatever the provider does, this submission hears of it, and no key
            return self._refuse(502, f"The model could not be asked ({type(error).__name__}).")
        usage = reply.get("usage")
        used = usage.get("total_tokens") if isinstance(usage, dict) else None
        self.server.budget.spend(used if isinstance(used, int) else tokens)
        if streamed and status == 200:
            return self._send(status, "text/event-stream", as_events(reply))
        return self._send(status, "application/json", json.dumps(reply).encode())

    def _refuse(self, status: int, message: str) -> None:
        error = {"message": message, "type": "aicourse_proxy", "param": None, "code": str(status)}
        self._send(status, "application/json", json.dumps({"error": error}).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-should-retry", "false")  # the openai client would wait and try again
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: what a submission asks is not the grader's terminal's business."""


def _limit(body: dict[str, Any], tokens: int) -> None:
    """Cap the length of the reply and the number of choices, whatever the request asks for."""
    asked = [body.pop(name, None) for name in ("max_tokens", "max_completion_tokens")]
    wanted = min([value for value in asked if type(value) is int and value > 0], default=tokens)
    body["max_completion_tokens"] = min(wanted, tokens)
    body.pop("n", None)


def as_events(reply: dict[str, Any]) -> bytes:
    """A whole chat completion as the server-sent events of a stream with one piece per choice."""
    pieces = [
        {
            "index": choice.get("index", 0),
            "delta": choice.get("message") or {},
            "finish_reason": choice.get("finish_reason"),
        }
        for choice in reply.get("choices") or []
    ]
    chunk = {**reply, "object": "chat.completion.chunk", "choices": pieces}
    return b"data: " + json.dumps(chunk).encode() + b"\n\ndata: [DONE]\n\n"


def ask_provider(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Ask the model that the grader is set up for, with the grader's key.

    Of an error only the status passes: the provider's text may name the account, and quote its key.
    """
    import httpx2
    import openai

    from aicourse.llm.client import connect

    try:
        response = connect().post(path, cast_to=httpx2.Response, body=body)
    except openai.APIStatusError as error:
        message = f"The model's provider refused this request (status {error.status_code})."
        return error.status_code, {"error": {"message": message, "type": "aicourse_proxy"}}
    return response.status_code, response.json()
