"""A seller's photo, made anew: two JPEGs with nothing in them but pixels.

Whatever came with the upload (where and when it was taken, hidden data behind the picture) stays behind,
because only decoded pixels are written. Sizes, formats and decompression bombs: `aicourse.llm.photos.files`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from aicourse.llm.photos.files import read_photo

LARGE_SIDE, SMALL_SIDE = 1_280, 480  # pixels of the longer side, on a listing's own page and in lists
JPEG_QUALITY = 85
_places = threading.Semaphore(2)  # a photo takes up to 200 MB while it is decoded


@dataclass(frozen=True, slots=True)
class UploadedPhoto:
    """The JPEGs of a photo; `width` and `height` are the large one's."""

    small: bytes
    large: bytes
    width: int
    height: int


def made_anew(upload: bytes) -> UploadedPhoto:
    """The photo in an upload.

    Raises:
        PhotoError: it is no picture, of another format, damaged, or too large in bytes or pixels.
    """
    with _places:
        large = read_photo(upload).image(LARGE_SIDE)
    small = large.copy()
    small.thumbnail((SMALL_SIDE, SMALL_SIDE))
    return UploadedPhoto(_jpeg(small), _jpeg(large), *large.size)


def _jpeg(image: Image.Image) -> bytes:
    image.info.clear()  # an ICC profile or a comment that Pillow would write again
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, progressive=True)
    return buffer.getvalue()
