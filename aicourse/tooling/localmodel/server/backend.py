"""llama.cpp in this process (xllamacpp), models loaded when first asked for.

One chat model is kept in memory (`model_slot` gives it out). llama.cpp opens an HTTP port of its own that
cannot be switched off: it gets a random key that stays in this process.

Source of parameters: https://github.com/ggml-org/llama.cpp/tree/master/tools/server
"""

from __future__ import annotations

import importlib
import json
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import httpx2
import psutil

from aicourse.errors import CatalogError
from aicourse.tooling.localmodel import model_files
from aicourse.tooling.localmodel.local_models import LocalModel, local_model, local_models
from aicourse.tooling.localmodel.server.fence import Bare
from aicourse.tooling.localmodel.server.http_errors import HttpError, no_model
from aicourse.tooling.localmodel.server.model_slot import ModelSlot

# One request at a time: on two cores a second slot saves no CPU (31-37 s for six jobs with one, 31-34 s with
# two), and answers at temperature 0 then depend on what else was asked.
SLOTS = 1
TOKENS_PER_SLOT = 8_192
_PORT_KEY = secrets.token_hex(32)
Emit = Callable[[dict[str, Any]], bool]
Chat = Callable[[str, dict[str, Any], Emit], None]


class Backend(Protocol):
    """A model as the routes need it; `tests` have a scripted one."""

    def names(self) -> list[str]:
        """The models that can answer now."""
        ...

    def sha256(self, model: str) -> str:
        """The hash of the file that answers for `model`."""
        ...

    def chat(self, model: str, request: dict[str, Any], emit: Emit) -> None:
        """Answer a request, a chat or a text to go on with (`prompt`).

        `emit` gets each chunk of the stream, and returns True to stop. The last one counts the tokens.

        Raises:
            HttpError: the model is unknown, or the request cannot be answered.
        """
        ...

    def count_tokens(self, model: str, messages: list[dict[str, Any]]) -> int:
        """The number of tokens that the model would read of these messages.

        Raises:
            HttpError: the model is unknown.
        """
        ...

    def embed(self, model: str, texts: list[str]) -> tuple[list[list[float]], int]:
        """One unit vector per text, and the number of tokens read.

        Raises:
            HttpError: the model is unknown.
        """
        ...


class LlamaBackend:
    """The embedded models whose files are here."""

    def __init__(self) -> None:
        self._slot = ModelSlot(lambda model: _load(_file_of(model, "chat")))
        self._embedder_lock = threading.Lock()
        self._embedder: Any = None

    def names(self) -> list[str]:
        """The embedded models whose files are here."""
        return [name for name in local_models() if model_files.local_path(name)]

    def sha256(self, model: str) -> str:
        """The hash of the model's file, as `models.toml` states and `pull` has verified."""
        return _known(model).files[0].sha256

    def chat(self, model: str, request: dict[str, Any], emit: Emit) -> None:
        """Answer with llama.cpp; see `Backend.chat`."""
        _file_of(model, "chat")  # refused at once, not when its turn comes
        failures: list[HttpError] = []
        bare = Bare() if "grammar" in request else None

        def receive(text: str) -> bool:
            # an exception raised in here would be lost in llama.cpp
            payload: dict[str, Any] = json.loads(text)
            if "error" in payload:
                failures.append(_http_error(payload["error"]))
                return True
            return emit(payload if bare is None else bare.chunk(payload))

        # what is kept of an earlier prompt changes the last bits of a logit, and with them what a seed draws
        sent = request | {"cache_prompt": "seed" not in request, "stream": True}
        sent["stream_options"] = {"include_usage": True}
        with self._slot.use(model) as llama:
            try:
                handle = llama.handle_completions if "prompt" in request else llama.handle_chat_completions
                handle(json.dumps(sent), receive)
            except (ValueError, RuntimeError) as error:
                raise HttpError(400, f"The model cannot take this request: {error}.") from error
        if failures:
            raise failures[0]

    def count_tokens(self, model: str, messages: list[dict[str, Any]]) -> int:
        """Count with llama.cpp, which does it at its port only; see `Backend.count_tokens`."""
        _file_of(model, "chat")
        with self._slot.use(model) as llama, httpx2.Client(trust_env=False) as http:
            reply = http.post(
                f"{llama.listening_address}/v1/messages/count_tokens",
                json={"messages": messages},
                headers={"authorization": f"Bearer {_PORT_KEY}"},
            )
        if reply.is_error:
            raise HttpError(500, f"The model could not count the tokens: {reply.text:.200}.")
        return int(reply.json()["input_tokens"])

    def embed(self, model: str, texts: list[str]) -> tuple[list[list[float]], int]:
        """Embed with MiniLM; see `Backend.embed`."""
        _file_of(model, "embedding")
        with self._embedder_lock:
            if self._embedder is None:
                # onnxruntime: only for those who embed
                from aicourse.tooling.localmodel.embedder import Embedder

                self._embedder = Embedder.load(model)
        return self._embedder.embed(texts).tolist(), self._embedder.count_tokens(texts)


def _known(model: str) -> LocalModel:
    """A model that this server could have."""
    try:
        return local_model(model)
    except CatalogError as error:
        raise no_model(error.message) from error


def _file_of(model: str, kind: str) -> Path:
    """The file of a model that is here."""
    known = _known(model)
    if known.kind != kind:
        raise no_model(f"{model} is no {kind} model of this server.")
    path = model_files.local_path(model)
    if path is None:
        raise no_model(f"The file of {model} is not here. Fetch it with: aicourse model pull {model}")
    return path


def _load(path: Path) -> Any:
    xllamacpp = importlib.import_module("xllamacpp")  # 34 MB of llama.cpp: only when a model is loaded
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [_PORT_KEY]
    parameters.n_parallel = SLOTS
    parameters.n_ctx = SLOTS * TOKENS_PER_SLOT
    parameters.cpuparams.n_threads = psutil.cpu_count(logical=False) or 1
    parameters.cpuparams.poll = 0  # waiting threads sleep instead of spinning
    parameters.cpuparams_batch.n_threads = parameters.cpuparams.n_threads
    parameters.cpuparams_batch.poll = 0
    parameters.cache_ram_mib = 256
    parameters.warmup = False
    parameters.verbosity = 1  # errors only: the log is for a person who looks for a cause
    parameters.ui = False
    parameters.endpoint_slots = False
    try:
        return xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise HttpError(
            503, f"The model file {path.name} could not be loaded: {error}.", retry_after=10
        ) from error


def _http_error(error: dict[str, Any]) -> HttpError:
    """An error of llama.cpp, in our words."""
    if error.get("type") == "exceed_context_size_error":
        message = (
            f"The request has {error.get('n_prompt_tokens')} tokens; this model's context has room for "
            f"{error.get('n_ctx')}. Send a shorter text."
        )
        return HttpError(400, message, code="context_length_exceeded", param="messages")
    status = error["code"] if error.get("code") in (400, 404, 503) else 500
    return HttpError(status, str(error.get("message")))
