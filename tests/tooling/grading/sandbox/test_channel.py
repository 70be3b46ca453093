from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from aicourse.tooling.grading.sandbox.channel import Channel, ChannelBroken, ChannelClosed


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours, 1_000), theirs


def test_frames_arrive_whole_and_in_order(ends: tuple[Channel, socket.socket]) -> None:
    channel, raw = ends
    other = Channel(raw, 1_000)
    for number in range(3):
        other.send({"number": number, "text": "ä"})
    assert [channel.receive()["number"] for _ in range(3)] == [0, 1, 2]


def test_a_frame_in_pieces(ends: tuple[Channel, socket.socket]) -> None:
    channel, raw = ends
    data = struct.pack("=I", 9) + b'{"a": 12}'
    writer = threading.Thread(target=lambda: [raw.sendall(data[i : i + 1]) for i in range(len(data))])
    writer.start()
    assert channel.receive(time.monotonic() + 5) == {"a": 12}
    writer.join()


@pytest.mark.parametrize("body", [b"[1]", b"nonsense", b"[" * 900, b"\xff\xfe", b'{"a": ' + b"9" * 900])
def test_nonsense_breaks_the_channel(ends: tuple[Channel, socket.socket], body: bytes) -> None:
    channel, raw = ends
    raw.sendall(struct.pack("=I", len(body)) + body)
    with pytest.raises(ChannelBroken):
        channel.receive(time.monotonic() + 5)


def test_a_frame_that_is_too_large_is_not_read(ends: tuple[Channel, socket.socket]) -> None:
    channel, raw = ends
    raw.sendall(struct.pack("=I", 1 << 30))
    with pytest.raises(ChannelBroken) as broken:
        channel.receive(time.monotonic() + 5)
    assert broken.value.too_large


def test_a_flood_does_not_put_the_deadline_off(ends: tuple[Channel, socket.socket]) -> None:
    channel, raw = ends
    raw.sendall(struct.pack("=I", 900) + b"x" * 100)  # there is always more to read
    with pytest.raises(TimeoutError):
        channel.receive(time.monotonic() - 1)


def test_the_end_of_the_other_side(ends: tuple[Channel, socket.socket]) -> None:
    channel, raw = ends
    raw.close()
    with pytest.raises(ChannelClosed):
        channel.receive()
    with pytest.raises(ChannelClosed):
        channel.send({"more": "x" * 1_000_000})


def test_a_reader_that_does_not_read(ends: tuple[Channel, socket.socket]) -> None:
    channel, _ = ends
    with pytest.raises(TimeoutError):
        channel.send({"text": "x" * 10_000_000}, seconds=0.05)
