"""A sandboxed kernel for Jupyter clients (nbclient, papermill's own engine, Lab), on ipykernel's sockets.

The five sockets are made and listening before the kernel starts, in the provisioner's folder outside the
sandbox, and their handles are passed in: no folder of the computer is shared, and there is nothing to plant
or to fill. ZeroMQ takes such a socket with its option USE_FD.
"""

from __future__ import annotations

import json
import os
from typing import Any

import zmq
from ipykernel.heartbeat import Heartbeat
from ipykernel.kernelapp import IPKernelApp
from traitlets.config import Config

from aicourse.tooling.fork_server import serve_jupyter
from aicourse.tooling.grading.sandbox.request import Request

CHANNELS = ("shell", "iopub", "stdin", "control", "hb")


class SandboxedApp(IPKernelApp):
    """ipykernel's application on sockets that listen already; `handles` names them by channel."""

    handles: dict[str, int]

    def _bind_socket(self, s: Any, port: int) -> int:
        names = {getattr(self, f"{name}_port"): name for name in CHANNELS}
        s.setsockopt(zmq.USE_FD, self.handles[names[port]])
        s.bind(f"ipc://{self.ip}-{port}")
        return port

    def init_control(self, context: Any) -> None:
        """As ipykernel does, without a debugger's socket that would look for the shell's file for ever."""
        super().init_control(context)  # type: ignore[no-untyped-call]
        endpoint = self.shell_socket.getsockopt(zmq.LAST_ENDPOINT)
        if endpoint:
            self.debug_shell_socket.disconnect(endpoint)

    def init_heartbeat(self) -> None:
        """Start the thread that answers pings."""
        beat = _SandboxedHeartbeat(zmq.Context(), (self.transport, self.ip, self.hb_port))  # type: ignore[no-untyped-call]
        beat.handle = self.handles["hb"]
        self.heartbeat = beat
        beat.start()


class _SandboxedHeartbeat(Heartbeat):
    handle: int

    def _bind_socket(self) -> None:
        self.socket.setsockopt(zmq.USE_FD, self.handle)
        self.socket.bind(f"ipc://{self.ip}-{self.port}")


def serve_sockets(request: Request, handles: dict[str, int]) -> None:
    """Run the kernel until it is killed."""
    connection = json.loads(request.connection)
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    app = SandboxedApp.instance(config=config, log_level=50)
    app.handles = {name: handles[f"zmq-{name}"] for name in CHANNELS}
    path = os.path.join(os.environ["TMPDIR"], "connection.json")
    with open(path, "w") as file:
        json.dump(connection, file)
    app.connection_file = path
    serve_jupyter(app, [])
