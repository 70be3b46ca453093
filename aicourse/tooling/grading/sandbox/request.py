"""Requests of the grader to the zygote: one kernel, its protection and limits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """One kernel; its files travel beside the request (`fork_server.send_request`).

    `owner` is the user id of this submission's processes, None to stay who we are. `folder` is where it may
    write when it has no file system of its own. `serves` is "pipe" (our engine) or "zmq" (Jupyter clients).
    """

    level: str
    memory: int
    disk: int
    files: int
    processes: int
    owner: int | None = None
    folder: str = ""
    serves: str = "pipe"
    model_port: int = 0
    connection: str = ""  # for "zmq": Jupyter's connection file as JSON

    @property
    def isolated(self) -> bool:
        """True if it gets namespaces of its own."""
        return self.level in ("L3", "L4")

    @property
    def filtered(self) -> bool:
        """True if system calls are filtered."""
        return self.isolated or self.level == "L2"
