"""The only way from a sandbox to a model: a small server in the grader that answers OpenAI's `/embeddings`.

The socket it answers on listens inside the sandbox's network namespace; its handle came out before any
student code ran. Requests are untrusted bytes: their size, their path and how many are answered at once are
limited here, their number and content by whoever answers (`embedding.EmbeddingDesk`); nothing else passes.
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
from aicourse.tooling.grading.sandbox.embedding import EmbeddingDesk, vector_store

Ask = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]  # body -> status and reply

PATH = "/embeddings"
LARGEST_BODY = 1 << 20
_ELSEWHERE = f"This proxy answers {PATH} only."
_AT_ONCE = 4
_SECONDS = 30.0
_LOOK = 0.05


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

    def __init__(self, listener: socket.socket, ask: Ask) -> None:
        self.busy = BusyTime()
        self._server = _Server(listener, self.busy, ask)
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


def embedding_proxy(listener: socket.socket, vectors: str) -> ModelProxy:
    """One submission's proxy to embeddings, recorded in the file `vectors`."""
    return ModelProxy(listener, EmbeddingDesk(vector_store(vectors)))


class _Server(HTTPServer):
    """An HTTP server on a socket that exists, with a few threads for requests.

    No more connections are accepted than there are threads: each is an open file of the grader's, which the
    neighbours need too. All others wait in the sandbox's own kernel queue.
    """

    def __init__(self, listener: socket.socket, busy: BusyTime, ask: Ask) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        listener.setblocking(False)  # who connected may be gone again when there is a thread
        self.busy, self.ask, self.unserved = busy, ask, ""
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
        """Pass a request to the model."""
        if self.path.split("?")[0].removeprefix("/v1") != PATH:
            return self._refuse(404, _ELSEWHERE)
        try:
            length = int(self.headers.get("content-length", ""))
            body = json.loads(self.rfile.read(length)) if 0 < length <= LARGEST_BODY else None
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            return self._refuse(400, f"The body must be a JSON object of at most {LARGEST_BODY} bytes.")
        return self._pass_on(body)

    def do_GET(self) -> None:
        """Only requests to a model are answered."""
        self._refuse(404, _ELSEWHERE)

    def _pass_on(self, body: dict[str, Any]) -> None:
        try:
            with self.server.busy:
                status, reply = self.server.ask(body)
        except DownloadError as error:
            self.server.unserved = error.message
            return self._refuse(503, error.message)
        except Exception as error:  # the grader's fault, of which a submission reads the name alone
            return self._refuse(502, f"The model could not be asked ({type(error).__name__}).")
        return self._send(status, reply)

    def _refuse(self, status: int, message: str) -> None:
        error = {"message": message, "type": "aicourse_proxy", "param": None, "code": str(status)}
        self._send(status, {"error": error})

    def _send(self, status: int, reply: dict[str, Any]) -> None:
        body = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-should-retry", "false")  # the openai client would wait and try again
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: what a submission asks is not the grader's terminal's business."""
