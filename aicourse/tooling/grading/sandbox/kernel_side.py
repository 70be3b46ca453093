"""The student's kernel: ipykernel's own shell and kernel object, on one pipe instead of five ZeroMQ sockets.

`prepare` builds it in the zygote, before any fork, where it costs nothing per submission; `serve` runs in the
fork, inside the sandbox, and answers frames (see `channel`):

    {"do": "cell", "id": 7, "source": "1 + 1", "output": 4194304}
        ->  {"output": {"output_type": "execute_result", …}} …  {"done": 7, "error": null}
    {"do": "call", "id": 8, "target": "colours", "arguments": {…}, "named": {…}, "answer": 1048576}
        ->  {"answer": 8, "kind": "returned", "value": …}

Only ipykernel's `Session` is replaced, the object through which everything it shows goes. Nothing in this
process is trusted once a cell has run: the grader checks all that comes out of it (`engine`), so this file is
about working well for honest notebooks. It reads the clock and compares nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from jupyter_client.session import Session
from traitlets.config import Config

from aicourse.tooling.fork_server import show_figures_inline
from aicourse.tooling.grading.sandbox.channel import Channel, ChannelClosed
from aicourse.tooling.grading.sandbox.encoding import NotPlainData, decode, encode

LARGEST_REQUEST = 64 << 20
_FLUSH_AT = 8 << 10  # characters of print() that wait for company
_SHOWN = {"display_data": "display_data", "execute_result": "execute_result", "error": "error"}
_MISSING = object()


class TooMuchOutput(Exception):
    """Raised in a cell that writes more than it may; the next cell may write again."""


class PipeSession(Session):
    """ipykernel's session, sending what a notebook stores as outputs down the pipe, and dropping the rest."""

    outbox: Outbox | None = None

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *rest: Any, **options: Any) -> Any:
        """Take one message of ipykernel's; `stream` and signing have no meaning here."""
        if isinstance(msg_or_type, dict):
            kind, content = msg_or_type.get("msg_type"), msg_or_type.get("content")
        else:
            kind = msg_or_type
        if self.outbox is not None and isinstance(content, dict):
            self.outbox.show(str(kind), content)


class Outbox:
    """Counts and sends what the running cell shows; silent between cells."""

    def __init__(self) -> None:
        self.channel: Channel | None = None
        self.left = 0
        self.flooded = self.is_muted = False
        self._lock = threading.RLock()
        self._owner = os.getpid()

    def open(self, channel: Channel) -> None:
        """Start to send, in this process only."""
        self.channel, self._owner = channel, os.getpid()

    def allow(self, size: int) -> None:
        """Let the next cell show `size` bytes; with 0 it runs, and nobody looks."""
        self.left, self.flooded, self.is_muted = size, False, size == 0

    @property
    def is_mine(self) -> bool:
        """True if this process may use the channel; one that a cell forked may not."""
        return self.channel is not None and os.getpid() == self._owner

    def show(self, kind: str, content: dict[str, Any]) -> None:
        """Send one output, or an order to clear them."""
        if kind == "clear_output":
            self.send({"clear": bool(content.get("wait"))}, 0)
        elif kind == "update_display_data":
            self._send_output("update_display_data", content)
        elif kind in _SHOWN:
            self._send_output(kind, content)

    def _send_output(self, kind: str, content: dict[str, Any]) -> None:
        output: dict[str, Any] = {"output_type": kind}
        if kind == "error":
            output.update({name: content.get(name) for name in ("ename", "evalue", "traceback")})
        else:
            output.update(data=content.get("data"), metadata=content.get("metadata") or {})
            if identity := (content.get("transient") or {}).get("display_id"):
                output["display_id"] = identity
        if kind == "execute_result":
            output["execution_count"] = content.get("execution_count")
        self.send({"output": output}, len(json.dumps(output, default=str)))

    def send(self, frame: dict[str, Any], size: int) -> None:
        """Send a frame that counts as `size` bytes of output.

        Raises:
            TooMuchOutput: the cell has shown all it may.
        """
        with self._lock:
            if not self.is_mine or (size and self.is_muted):
                return
            assert self.channel is not None
            self.left -= size
            if self.left < 0 and size:
                self.flooded = True
                raise TooMuchOutput("This cell wrote more output than a submission may.")
            self.channel.send(frame)


class PipeStream(io.TextIOBase):
    """sys.stdout or sys.stderr: text for the running cell's outputs."""

    def __init__(self, name: str, handle: int, outbox: Outbox) -> None:
        super().__init__()
        self.name, self._handle, self._outbox = name, handle, outbox
        self._waiting: list[str] = []
        self._size = 0

    encoding, errors = "utf-8", "replace"

    def fileno(self) -> int:
        """The process's own standard output, which ends up in the same cell."""
        return self._handle

    def isatty(self) -> bool:
        """Never: progress bars draw themselves once."""
        return False

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Keep `text` until there is enough of it, or something else is shown."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if not self._outbox.is_mine:  # a process that the cell started
            os.write(self._handle, text.encode(errors="replace"))
            return len(text)
        if self._outbox.is_muted:
            return len(text)
        if self._size + len(text) > max(self._outbox.left, 0):
            self._waiting, self._size = [], 0
            self._outbox.flooded = True
            raise TooMuchOutput("This cell wrote more output than a submission may.")
        self._waiting.append(text)
        self._size += len(text)
        if self._size >= _FLUSH_AT:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Send what waits."""
        if not self._waiting or not self._outbox.is_mine:
            return
        text, self._waiting, self._size = "".join(self._waiting), [], 0
        output = {"output_type": "stream", "name": self.name, "text": text}
        self._outbox.send({"output": output}, len(text.encode(errors="replace")))


class PipeKernel:
    """A kernel that waits in the zygote until a fork gives it a channel."""

    def __init__(self) -> None:
        self.outbox = Outbox()
        session = PipeSession(key=b"")
        session.outbox = self.outbox
        config = Config()
        config.HistoryManager.enabled = False
        config.HistoryManager.hist_file = ":memory:"
        config.IPKernelApp = Config()  # how tqdm and others tell a kernel from a terminal
        self._kernel = IPythonKernel(session=session, config=config)  # type: ignore[no-untyped-call]
        self.shell: Any = self._kernel.shell
        self._task: asyncio.Task[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._printed_by_others: io.BufferedRandom | None = None

    def serve(self, channel: Channel, scratch: str) -> None:
        """Answer requests until the grader closes the channel; `scratch` is a folder to write in."""
        self._collect_standard_output(scratch)
        sys.path.append(os.getcwd())  # modules beside the notebook, as in Jupyter; last: they replace none
        self.outbox.open(channel)
        sys.stdout, sys.stderr = (
            PipeStream(name, handle, self.outbox) for name, handle in (("stdout", 1), ("stderr", 2))
        )
        self.shell.colors = "neutral"
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._loop.run_until_complete(self._serve(channel))

    async def _serve(self, channel: Channel) -> None:
        channel.send({"ready": True})
        while True:
            try:
                request = channel.receive()
            except ChannelClosed:
                return
            if request["do"] == "cell":
                reply = await self._run_cell(request)
            else:
                reply = await self._call(request)
            if not self.outbox.is_mine:  # a process that the code forked, and that came back from it
                os._exit(0)
            try:
                channel.send(reply)
            except (TypeError, ValueError, RecursionError):
                channel.send(
                    {"answer": request["id"], "kind": "unreadable", "message": "It is not plain data."}
                )

    async def _run_cell(self, request: dict[str, Any]) -> dict[str, Any]:
        """Execute a cell as ipykernel does, and say how it ended."""
        self.outbox.allow(request["output"])
        error = await self._interruptible(lambda: self._execute(request["source"], request["cell"]))
        self._flush()
        described = _described(error) if error is not None else None
        return {"done": request["id"], "error": described, "flooded": self.outbox.flooded}

    async def _execute(self, source: str, cell: str) -> BaseException | None:
        shell = self.shell
        try:
            transformed = shell.transform_cell(source)
        except Exception:
            transformed = source
        if shell.should_run_async(source, transformed_cell=transformed):
            result = None
            try:
                result = await shell.run_cell_async(
                    source, store_history=True, transformed_cell=transformed, cell_id=cell
                )
            finally:
                shell.events.trigger("post_execute")
                shell.events.trigger("post_run_cell", result)
        else:
            result = shell.run_cell(source, store_history=True, cell_id=cell)
        found = result.error_before_exec or result.error_in_exec
        return found if isinstance(found, BaseException) else None

    async def _interruptible(self, work: Callable[[], Any]) -> Any:
        """Await `work()`; SIGINT stops it. What escapes from it is returned, not raised."""

        async def guarded() -> Any:
            try:
                return await work()
            except BaseException as error:  # asyncio would end its loop over a KeyboardInterrupt
                return error

        task = asyncio.ensure_future(guarded())

        def stop(number: int, frame: FrameType | None) -> None:
            coroutine = task.get_coro()
            if getattr(coroutine, "cr_running", False) or asyncio.current_task() is not None:
                raise KeyboardInterrupt
            task.cancel()

        signal.signal(signal.SIGINT, stop)
        try:
            return await task
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _flush(self) -> None:
        """Send what waits in the streams, and what other code wrote to the process's standard output."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # a cell may have put anything there
                continue
        file = self._printed_by_others
        if file is None or not os.fstat(file.fileno()).st_size:
            return
        file.seek(0)
        text = file.read(max(self.outbox.left, 0) + 1).decode(errors="replace")
        file.truncate(0)
        try:
            self.outbox.send({"output": {"output_type": "stream", "name": "stdout", "text": text}}, len(text))
        except TooMuchOutput:
            return

    def _collect_standard_output(self, scratch: str) -> None:
        """Let handles 1 and 2 (subprocesses, C code) write to a file that is shown when the cell ends."""
        path = os.path.join(scratch, ".output")
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC, 0o600)
        with contextlib.suppress(PermissionError):  # Windows: it goes with its folder
            os.unlink(path)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        self._printed_by_others = os.fdopen(handle, "r+b")

    async def _call(self, request: dict[str, Any]) -> dict[str, Any]:
        """Look up the target, call it, and encode what it gave."""
        self.outbox.allow(1 << 20)
        found = await self._interruptible(lambda: self._evaluate(request))
        self._flush()
        if not isinstance(found, dict):
            found = {"kind": "raised", **_described(found)}
        return {"answer": request["id"], **found}

    async def _evaluate(self, request: dict[str, Any]) -> dict[str, Any]:
        target = self._look_up(request["target"])
        if target is _MISSING:
            return {"kind": "missing"}
        value = target
        if request["arguments"] is not None:
            arguments, named = decode(request["arguments"]), decode(request["named"])
            value = target(*arguments, **named)
        if inspect.iscoroutine(value):  # asyncio's takes a generator for one before Python 3.12
            value = await value
        try:
            encoded = encode(value)
            size = len(json.dumps(encoded))
        except NotPlainData as error:
            return {"kind": "unreadable", "message": str(error)}
        except (TypeError, ValueError, RecursionError):  # JSON cannot say it: a number of 10,000 digits
            return {"kind": "unreadable", "message": "It is not plain data."}
        if size > request["answer"]:
            return {"kind": "unreadable", "message": f"It is larger than {request['answer'] >> 10} kB."}
        return {"kind": "returned", "value": encoded}

    def _look_up(self, target: str) -> Any:
        first, *rest = target.split(".")
        value = self.shell.user_ns.get(first, _MISSING)
        for name in rest:
            if value is not _MISSING:
                value = getattr(value, name, _MISSING)
        return value


def _described(error: Any) -> dict[str, str]:
    """An exception's class and text; its own `__str__` may fail."""
    try:
        return {"error": type(error).__name__[:100], "message": str(error)[:2000]}
    except BaseException:
        return {"error": type(error).__name__[:100], "message": ""}


def prepare() -> PipeKernel:
    """Build the kernel; matplotlib, imported before any shell existed, is told to draw into it."""
    kernel = PipeKernel()
    show_figures_inline()
    return kernel
