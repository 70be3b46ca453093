"""Refusal of every connection that leaves this machine.

Look-ups and connections of Python's own sockets are refused, in this process; a subprocess is not watched.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

_LOOPBACK_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost"}
_LOCAL_FAMILIES = {getattr(socket, name) for name in ("AF_UNIX", "AF_NETLINK") if hasattr(socket, name)}


class NetworkRefusedError(RuntimeError):
    """Not an OSError on purpose: code that handles "no connection" must not swallow it."""


class NetworkGuard:
    """Lets loopback through alone, while its `refusing` runs and nothing is `allowed`."""

    allowed = False

    def check(self, host: Any) -> None:
        """Refuse a host that is not this machine."""
        if not self.allowed and not is_loopback(host):
            raise NetworkRefusedError(f"This test tried to reach {host!r}: use loopback or network_allowed.")

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Watch the sockets of this process while the body runs."""
        connect, connect_ex, sendto = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto
        getaddrinfo, gethostbyname = socket.getaddrinfo, socket.gethostbyname

        def check_address(sock: socket.socket, address: Any) -> None:
            if sock.family not in _LOCAL_FAMILIES:
                self.check(address[0])

        def guarded_connect(self: socket.socket, address: Any) -> None:
            check_address(self, address)
            connect(self, address)

        def guarded_connect_ex(self: socket.socket, address: Any) -> int:
            check_address(self, address)
            return connect_ex(self, address)

        def guarded_sendto(self: socket.socket, data: Any, *arguments: Any) -> int:
            check_address(self, arguments[-1])
            return sendto(self, data, *arguments)

        def guarded_getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
            self.check(host)
            return getaddrinfo(host, *arguments, **options)

        def guarded_gethostbyname(host: str) -> str:
            self.check(host)
            return gethostbyname(host)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket.socket, "connect", guarded_connect)
            patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
            patch.setattr(socket.socket, "sendto", guarded_sendto)
            patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
            patch.setattr(socket, "gethostbyname", guarded_gethostbyname)
            yield


def is_loopback(host: Any) -> bool:
    """True if `host` (a name or an address, as sockets take them) is this machine.

    None, "" and the unspecified address mean "any interface here", which is how servers bind.
    """
    text = host.decode() if isinstance(host, bytes) else host
    if text is None or text == "" or text in _LOOPBACK_NAMES:
        return True
    try:
        address = ipaddress.ip_address(str(text).split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
