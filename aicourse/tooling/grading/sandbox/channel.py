"""Frames between the grader and a student's kernel: four bytes of length, then one JSON object.

What comes from the kernel is untrusted: student code runs in the process that writes it, and may write
anything. So a frame has a greatest length, an object has a greatest depth (the parser's), and whatever is
neither raises `ChannelBroken`; nothing is unpickled, imported or evaluated.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import time
from typing import Any

_LENGTH = struct.Struct("=I")
_BLOCK = 1 << 16


class ChannelClosed(Exception):
    """The other side has ended."""


class ChannelBroken(Exception):
    """The other side sent what is no frame, or one that is too large (`too_large`)."""

    def __init__(self, message: str, *, too_large: bool = False) -> None:
        super().__init__(message)
        self.too_large = too_large


class Channel:
    """One end of a stream socket; `largest` is the number of bytes a received frame may have."""

    def __init__(self, connection: socket.socket, largest: int) -> None:
        self._socket = connection
        self._largest = largest
        self._buffer = bytearray()
        self.received = 0  # bytes so far

    def fileno(self) -> int:
        """For poll and select."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def send(self, frame: dict[str, Any], seconds: float | None = None) -> None:
        """Send one frame; `seconds` is how long the other side may refuse to read.

        Raises:
            ChannelClosed: nobody reads any more.
            TimeoutError: nobody read in time.
        """
        body = json.dumps(frame, ensure_ascii=True).encode()
        self._socket.settimeout(seconds)
        try:
            self._socket.sendall(_LENGTH.pack(len(body)) + body)
        except TimeoutError:
            raise
        except OSError as error:
            raise ChannelClosed from error

    def receive(self, until: float | None = None) -> dict[str, Any]:
        """The next frame; `until` is a time on the monotonic clock.

        Raises:
            ChannelClosed, ChannelBroken: see there.
            TimeoutError: none has come.
        """
        while (body := self._take()) is None:
            self._fill(until)
        try:
            frame = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ChannelBroken("it is not JSON") from error
        if not isinstance(frame, dict):
            raise ChannelBroken("it is no object")
        return frame

    def _take(self) -> bytes | None:
        """The first whole frame in the buffer; None while it has not all come."""
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > self._largest:
            raise ChannelBroken(f"it has {length} bytes", too_large=True)
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return body

    def _fill(self, until: float | None) -> None:
        if until is not None:
            poll = select.poll() if hasattr(select, "poll") else None
            left = until - time.monotonic()
            if left <= 0:  # also when there is more to read: a flood does not put the end off
                raise TimeoutError
            if poll is None:  # Windows
                ready: Any = select.select([self._socket], [], [], left)[0]
            else:
                poll.register(self._socket, select.POLLIN)
                ready = poll.poll(left * 1000)
            if not ready:
                raise TimeoutError
        self._socket.settimeout(None)
        try:
            block = self._socket.recv(_BLOCK)
        except OSError as error:
            raise ChannelClosed from error
        if not block:
            raise ChannelClosed
        self._buffer += block
        self.received += len(block)
