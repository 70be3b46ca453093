"""A jupyter_client provisioner: any Jupyter client starts its kernels in this sandbox.

Registered as `aicourse-sandbox` in the entry-point group `jupyter_client.kernel_provisioners`; a kernel spec
asks for it (https://jupyter-client.readthedocs.io/en/stable/provisioning.html):

    "metadata": {"kernel_provisioner": {"provisioner_name": "aicourse-sandbox", "config": {"folder": "s1"}}}

The files in `folder` are copied into the sandbox, nothing is copied back. There is one zygote per process
that starts kernels. Without level L3 the kernel does not start.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from traitlets import Dict, Unicode

from aicourse.tooling.forked_provisioner import ForkedProvisioner
from aicourse.tooling.grading.sandbox import leftovers
from aicourse.tooling.grading.sandbox.execution import Limits
from aicourse.tooling.grading.sandbox.files import files_below
from aicourse.tooling.grading.sandbox.kernel import End
from aicourse.tooling.grading.sandbox.launching import Zygote
from aicourse.tooling.grading.sandbox.levels import choose_level

CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
_lock = threading.Lock()
_zygotes: list[Zygote] = []


class SandboxProvisioner(ForkedProvisioner):
    """One sandboxed kernel; `limits` are those of `execution.Limits` by name."""

    folder = Unicode("", help="a folder whose files are copied into the sandbox").tag(config=True)
    limits = Dict({}, help="limits by name, as in aicourse.tooling.grading.sandbox.execution.Limits").tag(
        config=True
    )

    _run_folder: Path | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose Unix sockets in a folder of our own (short, because their paths may have 107 characters)."""
        manager: Any = self.parent
        if self._run_folder is None:
            self._run_folder = Path(leftovers.new_folder())
        manager.transport, manager.ip = "ipc", str(self._run_folder / "k")
        manager.connection_file = str(self._run_folder / "connection.json")
        manager.cache_ports = False
        for port, name in enumerate(CHANNELS, 1):
            setattr(manager, f"{name}_port", port)
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        return await super().pre_launch(cmd=["aicourse-sandbox"], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel; its sockets listen before it runs, so a client may connect at once.

        Raises:
            SandboxError: this machine cannot protect itself from student code.
        """
        assert self._run_folder is not None
        zygote = await asyncio.to_thread(_shared_zygote)
        sockets = {name: _listen(self._run_folder / f"k-{port}") for port, name in enumerate(CHANNELS, 1)}
        try:
            self.kernel = zygote.launch(
                Limits(**self.limits),
                files=files_below(Path(self.folder)) if self.folder else {},
                handles={f"zmq-{name}": listener.fileno() for name, listener in sockets.items()},
                connection=(self._run_folder / "connection.json").read_text(),
            )
        finally:
            for listener in sockets.values():
                listener.close()
        return self.connection_info

    def exit_code(self, ended: End) -> int | None:
        """The kernel's exit code; None when nobody could say."""
        return ended.code

    async def cleanup(self, restart: bool = False) -> None:
        """End it, and delete the sockets' folder."""
        await super().cleanup(restart)
        if self._run_folder is not None and not restart:
            shutil.rmtree(self._run_folder, ignore_errors=True)
            self._run_folder = None


def _shared_zygote() -> Zygote:
    """This process's zygote for Jupyter clients, started when first asked for; it ends with the process."""
    with _lock:
        if not _zygotes:
            _zygotes.append(Zygote(choose_level(None, trust_notebooks=False), "zmq"))
        return _zygotes[0]


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)  # of the kernel before a restart
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(16)
    return listener
