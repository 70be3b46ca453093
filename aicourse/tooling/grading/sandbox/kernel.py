"""Kernels as the grader holds them: a channel to student code, and in a sandbox a line to its supervisor."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from aicourse.tooling.grading.sandbox.cgroups import SubmissionGroup
from aicourse.tooling.grading.sandbox.channel import Channel

if TYPE_CHECKING:
    from aicourse.tooling.grading.sandbox.execution import Job
    from aicourse.tooling.grading.sandbox.proxy import ModelProxy

_REPORT = 4_096
_END_SECONDS = 20.0
_ANSWER_SECONDS = 2.0


@dataclass(frozen=True)
class End:
    """The end of a kernel.

    `code` is its exit code, negative for a signal, None when nobody could say. `out_of_memory`: some process
    was killed because all together used too much. `failed`: why it never started. `unserved`: why a model
    that it was promised could not be asked.
    """

    code: int | None = None
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    out_of_memory: bool = False
    failed: str = ""
    unserved: str = ""


class Kernel(Protocol):
    """One running kernel, protected (`SandboxKernel`) or not (`plain.PlainKernel`)."""

    channel: Channel

    def interrupt(self) -> None:
        """Raise a KeyboardInterrupt in the running cell, as Ctrl-C does."""

    def model_seconds(self) -> float:
        """The time that the grader's model has taken so far: it is not the submission's."""

    def cpu_seconds(self) -> float:
        """The CPU time that all its processes have used so far."""

    def end(self) -> End:
        """Kill what still runs and say how it ended."""


class Starter(Protocol):
    """Something that starts kernels until it is closed."""

    def start(self, job: Job) -> Kernel:
        """Start a kernel with the submission's files."""

    def close(self) -> None:
        """End everything that was started."""


class SandboxKernel:
    """Ends with `end`, which must be called; `channel` must not be used afterwards."""

    def __init__(
        self,
        control: socket.socket,
        channel: Channel,
        group: SubmissionGroup | None,
        resources: contextlib.ExitStack,
    ) -> None:
        self.channel = channel
        self.control = control
        self._group = group
        self._resources = resources
        self._failed = ""
        self._cpu_seconds = 0.0
        self._proxy: ModelProxy | None = None
        self._report: dict[str, Any] | None = None

    def serve_model(self, proxy: ModelProxy) -> None:
        """Close the proxy when the kernel has ended."""
        self._proxy = proxy
        self._resources.enter_context(contextlib.closing(proxy))

    def model_seconds(self) -> float:
        """The time that requests to a model have taken so far."""
        return self._proxy.busy.seconds if self._proxy else 0.0

    def cpu_seconds(self) -> float:
        """The CPU time of all its processes, also those that have ended where a control group counts."""
        counted = self._group.cpu_seconds() if self._group is not None else None
        if counted is not None:
            return counted
        with contextlib.suppress(OSError):
            self.control.send(bytes([0]))
        until = time.monotonic() + _ANSWER_SECONDS
        while self._report is None:
            packet, _ = self._packet(until)
            if packet is None:
                break
            self._cpu_seconds = max(self._cpu_seconds, packet.get("cpu", 0.0))
            if "cpu" in packet:
                break
        return self._cpu_seconds

    def listener(self, until: float) -> socket.socket | None:
        """The socket that listens inside the sandbox for requests to a model; None: it did not start."""
        while True:
            packet, handles = self._packet(until)
            if handles:
                return socket.socket(fileno=handles[0])
            if packet is None or "failed" in packet or "exit" in packet:
                return None

    def interrupt(self) -> None:
        """Raise a KeyboardInterrupt in the running cell."""
        self.signal(signal.SIGINT)

    def kill(self) -> None:
        """End the kernel and all its processes."""
        self.signal(9)

    def signal(self, number: int) -> None:
        """Send the kernel a signal."""
        with contextlib.suppress(OSError):
            self.control.send(bytes([number]))

    def runs(self) -> bool:
        """True if it has not ended yet, as far as its supervisor has said."""
        while self._report is None:
            packet, _ = self._packet(0.0)
            if packet is None:
                break
        return self._report is None

    def end(self) -> End:
        """Kill what still runs, wait until nothing is left, and give back every resource."""
        if self._report is None:
            self.kill()
        until = time.monotonic() + _END_SECONDS
        while self._report is None:
            packet, _ = self._packet(until)
            if packet is None:
                break
        report = self._report or {}
        killed = bool(report.get("over")) or (self._group is not None and self._group.kills() > 0)
        peak = self._group.peak() if self._group is not None else 0
        self._resources.close()
        return End(
            code=report.get("exit"),
            cpu_seconds=report.get("cpu", 0.0),
            peak_memory=peak or report.get("peak", 0),
            out_of_memory=killed,
            failed=self._failed,
            unserved=self._proxy.unserved if self._proxy else "",
        )

    def _received(self) -> tuple[bytes, list[int], int, Any]:
        try:
            return socket.recv_fds(self.control, _REPORT, 1)
        except ConnectionResetError:  # it ended before it read our last order; its own last word comes next
            return socket.recv_fds(self.control, _REPORT, 1)

    def _packet(self, until: float) -> tuple[dict[str, Any] | None, list[int]]:
        """The supervisor's next word and the handles with it; None when it has no more to say."""
        self.control.settimeout(max(0.001, until - time.monotonic()))
        try:
            data, handles, _, _ = self._received()
        except OSError:
            return None, []
        if not data:  # the supervisor itself has ended, and the kernel with it
            self._report = self._report or {}
            return None, []
        packet = json.loads(data)  # written before, or outside of, student code
        self._failed = packet.get("failed", self._failed)
        if "exit" in packet:
            self._report = packet
        return packet, handles
