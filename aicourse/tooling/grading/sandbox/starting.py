"""Starts kernels for `engine`: from a zygote on Linux, as plain processes where there is none."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from aicourse.errors import SandboxError
from aicourse.tooling.grading.sandbox.channel import Channel
from aicourse.tooling.grading.sandbox.execution import Job
from aicourse.tooling.grading.sandbox.kernel import End

if TYPE_CHECKING:
    from aicourse.tooling.grading.sandbox.proxy import Ask

MODEL_PORT = 8000
_LISTEN_SECONDS = 30.0


class Startable(Protocol):
    """A running kernel."""

    channel: Channel

    def interrupt(self) -> None:
        """What Ctrl-C does."""

    def end(self) -> End:
        """Kill what still runs and say how it ended."""


class Starter(Protocol):
    """Something that starts kernels until it is closed."""

    def start(self, job: Job) -> Startable:
        """A kernel with the submission's files."""

    def close(self) -> None:
        """End everything that was started."""


class ZygoteStarter:
    """Forks kernels from a zygote, and starts another one should that have been killed."""

    def __init__(self, level: str, ask: Ask | None) -> None:
        from aicourse.tooling.grading.sandbox.launching import Zygote

        self._level, self._new, self._ask = level, Zygote, ask
        self._zygote = Zygote(level)
        self._lock = threading.Lock()

    def start(self, job: Job) -> Startable:
        """Fork a kernel; with `job.model_calls`, put a proxy behind its way to a model."""
        port = MODEL_PORT if job.model_calls else 0
        zygote = self._zygote
        try:
            kernel = zygote.launch(job.limits, files=job.files, model_port=port)
        except SandboxError:
            kernel = self._replacement(zygote).launch(job.limits, files=job.files, model_port=port)
        if not port:
            return kernel
        from aicourse.tooling.grading.sandbox.proxy import ModelProxy, ask_provider

        listener = kernel.listener(time.monotonic() + _LISTEN_SECONDS)
        if listener is None:
            return kernel
        return _WithProxy(kernel, ModelProxy(listener, job.model_calls, self._ask or ask_provider))

    def _replacement(self, broken: Any) -> Any:
        with self._lock:
            if self._zygote is broken:
                broken.close()
                self._zygote = self._new(self._level)
            return self._zygote

    def close(self) -> None:
        """End the zygote."""
        self._zygote.close()


class _WithProxy:
    """A kernel whose proxy ends with it."""

    def __init__(self, kernel: Startable, proxy: Any) -> None:
        self._kernel, self._proxy = kernel, proxy
        self.channel = kernel.channel

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self._kernel.interrupt()

    def end(self) -> End:
        """End both."""
        with contextlib.closing(self._proxy):
            return self._kernel.end()


def starter_for(level: str, ask: Ask | None = None) -> Starter:
    """What starts kernels at `level` on this system; `ask` reaches a model for those that may use one."""
    if sys.platform == "linux":
        return ZygoteStarter(level, ask)
    from aicourse.tooling.grading.sandbox.plain import PlainStarter

    return PlainStarter()
