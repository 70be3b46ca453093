"""Photos are made anew: pixels survive, turned the right way up; nothing else does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from PIL import Image
from selling_steps import jpeg

from aicourse.errors import PhotoError
from aicourse.marketplace.app import uploads
from aicourse.marketplace.app.uploads import LARGE_SIDE, SMALL_SIDE, made_anew


def test_only_pixels_survive() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Secret Camera"  # turned by a quarter; its maker
    upload = jpeg(400, 300, exif=exif.tobytes(), comment=b"Secret", icc_profile=b"Secret")
    photo = made_anew(upload + b"PK\x03\x04 a Secret archive <script>")
    assert (photo.width, photo.height) == (300, 400)
    for content in (photo.small, photo.large):
        assert b"Secret" not in content
        with Image.open(BytesIO(content)) as image:
            assert not image.getexif()
            assert set(image.info) <= {
                "jfif",
                "jfif_version",
                "jfif_unit",
                "jfif_density",
                "progressive",
                "progression",
            }
            blue = image.convert("RGB").getpixel((10, 10))
            assert isinstance(blue, tuple)
            assert blue[2] > 100 > blue[0]


def test_a_large_photo_is_made_smaller() -> None:
    photo = made_anew(jpeg(4_000, 2_000))
    assert (photo.width, photo.height) == (LARGE_SIDE, LARGE_SIDE // 2)
    with Image.open(BytesIO(photo.small)) as small:
        assert max(small.size) == SMALL_SIDE


def test_a_decompression_bomb_is_refused_before_it_is_unpacked() -> None:
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\0\0\1\0\0\x08\x02\0\0\0"
    import struct
    import zlib

    bomb = header + struct.pack(">I", zlib.crc32(header[12:])) + b"\0\0\0\0IEND\xaeB`\x82"
    with pytest.raises(PhotoError, match="pixels"):
        made_anew(bomb)


def test_few_photos_are_decoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most, lock = [], [], threading.Lock()

    class Slow:
        def image(self, side: int) -> Image.Image:
            with lock:
                at_once.append(1)
                most.append(len(at_once))
            threading.Event().wait(0.02)
            at_once.pop()
            return Image.new("RGB", (4, 4))

    monkeypatch.setattr(uploads, "read_photo", lambda upload: Slow())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(made_anew, [b""] * 8))
    assert max(most) == 2


def test_a_photo_that_ends_too_early_is_refused() -> None:
    with pytest.raises(PhotoError):
        made_anew(jpeg(400, 300)[:600])
