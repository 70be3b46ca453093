"""Read a photo safely: from a file, bytes or a data URL, the right way up, within limits.

Nothing is decoded before the header has said how large the picture is: a PNG of a few kilobytes can unpack to
gigabytes (a decompression bomb, https://pillow.readthedocs.io/en/stable/reference/Image.html). Accepted are
PNG, JPEG and WebP, which every hosted model takes too; of an animation, the first frame.
Not handled: GIF, HEIC (iPhones: share the photo as JPEG), colour profiles.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from aicourse.errors import PhotoError

MAX_BYTES = 20 * 1024 * 1024  # of the file, as hosted providers have it
MAX_PIXELS = 50_000_000  # the largest photos of today's phones; 200 MB decoded with transparency
FORMATS = ("PNG", "JPEG", "WEBP")
MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}
ORIENTATION = 0x0112  # the EXIF tag that says how the phone was held
_JPEG_END = b"\xff\xd9"
_TURNED = {5, 6, 7, 8}  # values of that tag that swap width and height
_DATA_URL = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)(;[\w.+-]+=[\w.+-]+)*;base64,", re.IGNORECASE)
_MEGABYTE = 1024 * 1024
# what Pillow raises for broken files, besides OSError
_DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class Photo:
    """A picture file within the limits; `width` and `height` in pixels, the right way up."""

    content: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    has_metadata: bool
    is_turned: bool

    @property
    def orientation(self) -> str:
        """portrait, landscape or square."""
        if self.width == self.height:
            return "square"
        return "portrait" if self.width < self.height else "landscape"

    def image(self, longest_side: int) -> Image.Image:
        """The picture as RGB, the right way up, averaged down to at most `longest_side` pixels.

        Raises:
            PhotoError: the file ends too early or is damaged.
        """
        with _speaking_of_damage(), Image.open(BytesIO(self.content), formats=FORMATS) as image:
            image.draft("RGB", (2 * longest_side, 2 * longest_side))  # JPEG: decodes fewer pixels
            small = _eight_bit(image)
            scale = longest_side / max(small.size)
            if scale < 1:  # before turning and converting, each of which makes a copy of all pixels
                size = (max(1, round(small.width * scale)), max(1, round(small.height * scale)))
                small = small.resize(size, Image.Resampling.BOX)
            return _on_white(ImageOps.exif_transpose(small))


def read_photo(source: Path | str | bytes) -> Photo:
    """The photo in a file (a path), in bytes, or in a data URL (`data:image/png;base64,…`).

    Raises:
        PhotoError: it is no picture, of another format, too large in bytes or pixels, damaged in its header,
            or an address on the network, which is never fetched.

    >>> read_photo("https://example.com/coat.jpg")
    Traceback (most recent call last):
    aicourse.errors.PhotoError: A photo's address is not fetched: send the picture itself as a data URL.
    """
    content = source if isinstance(source, bytes) else _content_of(source)
    _check_size(len(content))
    if not content:
        raise PhotoError("The photo is empty (0 bytes). Send a PNG, JPEG or WebP file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # we have a limit of our own
            with Image.open(BytesIO(content), formats=FORMATS) as image:
                return _described(image, content)
    except Image.DecompressionBombError:
        raise _too_many_pixels("far more") from None
    except UnidentifiedImageError:
        raise PhotoError(
            f"Not a PNG, JPEG or WebP picture ({len(content):,} bytes). Save it as one of these."
        ) from None
    except _DAMAGE as error:
        raise _damaged(error) from None


def _content_of(source: Path | str) -> bytes:
    if isinstance(source, str):
        scheme = source[:8].lower()
        if scheme.startswith("data:"):
            return _decoded(source)
        if scheme.startswith(("http://", "https://")):
            raise PhotoError("A photo's address is not fetched: send the picture itself as a data URL.")
    path = Path(source)
    try:
        _check_size(path.stat().st_size, path)
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or error
        raise PhotoError(f"Cannot read {str(path)[:200]!r}: {reason}. Check its name.", path=path) from None


def _decoded(url: str) -> bytes:
    start = _DATA_URL.match(url[:200])
    if start is None:
        raise PhotoError(
            "Not a data URL of a picture: it must begin with data:image/jpeg;base64, or the like."
        )
    if start["type"].lower() not in {*MEDIA_TYPES.values(), "image/jpg"}:
        raise PhotoError(f"{start['type']} is not accepted: send image/png, image/jpeg or image/webp.")
    _check_size((len(url) - start.end()) * 3 // 4)
    try:
        return base64.b64decode(url[start.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise PhotoError(f"The data URL is not valid base64 ({error}). Encode the file again.") from None


def _described(image: Image.Image, content: bytes) -> Photo:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(f"{width:,} x {height:,}")
    exif = image.getexif()
    orientation = exif.get(ORIENTATION, 1)
    if orientation in _TURNED:
        width, height = height, width
    return Photo(
        content,
        MEDIA_TYPES[str(image.format)],
        width,
        height,
        has_metadata=bool(set(exif) - {ORIENTATION}) or _has_more(image, content),
        is_turned=orientation in range(2, 9),
    )


def _has_more(image: Image.Image, content: bytes) -> bool:
    """True if the file may hold anything besides pixels and orientation; when in doubt, yes."""
    if image.format == "JPEG":  # APP0: JFIF, APP1: EXIF (looked at) or XMP, APP14: how colours are stored
        segments = {name for name, _ in getattr(image, "applist", [])}
        return not segments <= {"APP0", "APP1", "APP14"} or "xmp" in image.info or content[-2:] != _JPEG_END
    chunks = {"PNG": (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"), "WEBP": (b"EXIF", b"XMP ")}
    return any(chunk in content for chunk in chunks.get(str(image.format), (b"",)))


def _check_size(size: int, path: Path | None = None) -> None:
    if size > MAX_BYTES:
        what = f"{path.name} has" if path else "The photo has"
        raise PhotoError(
            f"{what} {size / _MEGABYTE:.0f} MB, the limit is {MAX_BYTES // _MEGABYTE} MB. Make it smaller.",
            path=path,
            size=size,
        )


def _too_many_pixels(found: str) -> PhotoError:
    return PhotoError(
        f"The picture has {found} pixels, the limit is {MAX_PIXELS / 1e6:.0f} million. Make it smaller."
    )


@contextmanager
def _speaking_of_damage() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise _damaged(error) from None


def _damaged(error: Exception) -> PhotoError:
    return PhotoError(f"The picture is damaged or cut off ({error}). Copy or export it again.")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Modes that Pillow cannot average or turn into RGB as they are."""
    if image.mode.startswith("I"):  # 16-bit greyscale
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode in ("P", "1", "PA"):
        return image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    return image


def _on_white(image: Image.Image) -> Image.Image:
    """Transparent parts as a shop shows them."""
    if image.mode in ("LA", "RGBA", "La", "RGBa"):
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        image = ground
    return image.convert("RGB")
