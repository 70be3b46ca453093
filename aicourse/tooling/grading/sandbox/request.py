"""What the grader asks the zygote for: one kernel, its protection and limits; JSON with handles beside it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

LARGEST = 64 << 10


@dataclass(frozen=True)
class Request:
    """One kernel. `handles` names the open files that travel beside the request, in order.

    `owner` is the user id of this submission's processes, None to stay who we are. `folder` is where it may
    write when it has no file system of its own. `serves` is "pipe" (our engine) or "zmq" (Jupyter clients).
    """

    level: str
    handles: tuple[str, ...]
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
        """Whether it gets namespaces of its own."""
        return self.level in ("L3", "L4")

    @property
    def filtered(self) -> bool:
        """Whether system calls are filtered."""
        return self.isolated or self.level == "L2"

    def to_bytes(self) -> bytes:
        """For the wire."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Request:
        """From the wire, on which only the grader writes."""
        fields = json.loads(data)
        return cls(**{**fields, "handles": tuple(fields["handles"])})
