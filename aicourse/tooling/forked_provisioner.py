"""The base of jupyter_client's provisioners for kernels that a fork server forks.

A kernel provisioner is jupyter_client's extension point for starting kernels
(https://jupyter-client.readthedocs.io/en/stable/provisioning.html).
"""

from __future__ import annotations

import asyncio
import signal
from abc import abstractmethod
from typing import Any, Protocol

from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase


class ForkedProcess(Protocol):
    """A kernel that somebody else's child runs."""

    def runs(self) -> bool:
        """True if it has not ended."""

    def signal(self, number: int) -> None:
        """Send it a signal."""

    def end(self) -> Any:
        """Kill what still runs of it; what is known of its end."""


class ForkedProvisioner(KernelProvisionerBase):
    """Keeps one forked kernel, which `launch_kernel` puts into `kernel`."""

    kernel: ForkedProcess | None = None
    _code: int | None = None

    @abstractmethod
    def exit_code(self, ended: Any) -> int | None:
        """The exit code in what `kernel.end()` gave."""

    @property
    def has_process(self) -> bool:
        """True if a kernel was started and has not been waited for."""
        return self.kernel is not None

    async def poll(self) -> int | None:
        """None while it runs."""
        if self.kernel is None or self.kernel.runs():
            return None
        return await self._end()

    async def wait(self) -> int | None:
        """Wait for its end, looking ten times as often as jupyter_client's own."""
        while self.kernel is not None and self.kernel.runs():
            await asyncio.sleep(0.01)
        return await self._end()

    async def send_signal(self, signum: int) -> None:
        """Send the kernel a signal; SIGINT interrupts a cell."""
        if self.kernel is not None:
            self.kernel.signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """End it and everything it started."""
        await self._end()

    async def terminate(self, restart: bool = False) -> None:
        """End it: there is nothing in there to be polite to."""
        await self._end()

    async def cleanup(self, restart: bool = False) -> None:
        """End it, and let other bases give back what they hold."""
        await self._end()
        await super().cleanup(restart)  # type: ignore[safe-super]  # of a class beside this one

    async def _end(self) -> int:
        kernel, self.kernel = self.kernel, None
        if kernel is not None:
            self._code = self.exit_code(await asyncio.to_thread(kernel.end))
        return -signal.SIGKILL if self._code is None else self._code
