"""Photos as text for a model that reads only, and as message parts for one that sees.

    describe_photo("datasets/photos/images/L001.jpg").text
    -> "[Photo, 480 x 640 pixels, portrait. Measured by a program, …: the thing … is green (80 %). …]"

The embedded model is blind. Its server replaces each picture by this text, and says so in the reply. How
right the colours are is measured by tests/benchmarks/bench_photos.py and stated in the dataset's datasheet.
Shape, material, text and number of things are not measured.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np

from aicourse.errors import PhotoError
from aicourse.llm.photos.background import thing_mask
from aicourse.llm.photos.colours import ColourShare, Floats, colour_shares, lab
from aicourse.llm.photos.files import Photo, read_photo

Detail = Literal["auto", "low", "high"]

MEASURED_SIDE = 128  # pixels; colours need no more
LEAST_SHARE = 0.2  # of the thing: what is smaller is a label, a zip, a shadow
LONGEST_SIDE = 1_024  # pixels, of what is sent: about 1,200 tokens at most, a care label stays readable
SMALL_BYTES = 1_000_000  # what is this small and fits is sent as it is
JPEG_QUALITY = 85
_MANY_COLOURS, _SOME_SHARE = 6, 0.05


@dataclass(frozen=True)
class PhotoDescription:
    """The measures of a photo: its size, and the colours of the thing it shows, largest first."""

    width: int
    height: int
    orientation: str
    colours: tuple[ColourShare, ...]
    has_background: bool

    @property
    def text(self) -> str:
        """The words for a model; at most about 60 tokens."""
        whose = "the thing in front of the background is" if self.has_background else "the whole picture is"
        colours = ", ".join(
            f"{colour.name} ({colour.share:.0%})".replace("%", " %") for colour in self.colours
        )
        return (
            f"[Photo, {self.width} x {self.height} pixels, {self.orientation}. Measured by a program, nobody "
            f"looked at it: {whose} {colours}. Nothing else about the photo is known.]"
        )


def describe_photo(source: Photo | Path | str | bytes) -> PhotoDescription:
    """Measure a photo (a file, bytes, or a data URL): about 40 ms of CPU.

    Shares are of the thing, rounded to 5 %; colours below 20 % are left out, six or more are "multicolour".

    Raises:
        PhotoError: as `read_photo`, or the picture is damaged.
    """
    photo = source if isinstance(source, Photo) else read_photo(source)
    picture = lab(np.asarray(photo.image(MEASURED_SIDE), dtype=float) / 255)
    mask = thing_mask(picture)
    pixels = picture.reshape(-1, 3) if mask is None else picture[mask]
    colours = named_colours(pixels)
    return PhotoDescription(photo.width, photo.height, photo.orientation, colours, mask is not None)


def named_colours(pixels: Floats, least_share: float = LEAST_SHARE) -> tuple[ColourShare, ...]:
    """The colours of Lab pixels, shape (n, 3), that are worth telling; always at least one."""
    colours = colour_shares(pixels)
    if sum(colour.share > _SOME_SHARE for colour in colours) >= _MANY_COLOURS:
        return (ColourShare("multicolour", 1.0),)
    named = [colour for colour in colours if colour.share >= least_share] or colours[:1]
    return tuple(ColourShare(colour.name, round(colour.share * 20) / 20) for colour in named)


def photo_part(
    source: Path | str | bytes, *, detail: Detail = "auto", longest_side: int = LONGEST_SIDE
) -> dict[str, Any]:
    """The part of a message's content that shows a photo, as `chat.completions` takes it: a data URL.

    A file that fits `longest_side`, is the right way up, small and without metadata is sent byte for byte;
    any other becomes a JPEG, downscaled and turned. Metadata (where and when it was taken) never leaves.

    Raises:
        PhotoError: as `read_photo`, or `longest_side` is below 1.

    >>> photo_part("coat.jpg")  # doctest: +SKIP
    {'type': 'image_url', 'image_url': {'url': 'data:image/jpeg;base64,/9j/4AAQ…', 'detail': 'auto'}}
    """
    if longest_side < 1:
        raise PhotoError(f"longest_side={longest_side} leaves no picture. Use 512 or 1024.")
    photo = read_photo(source)
    fits = max(photo.width, photo.height) <= longest_side and len(photo.content) <= SMALL_BYTES
    if fits and not photo.is_turned and not photo.has_metadata:
        photo.image(MEASURED_SIDE)  # damaged? better known here than at a provider
        content, media_type = photo.content, photo.media_type
    else:
        content, media_type = _as_jpeg(photo, longest_side), "image/jpeg"
    url = f"data:{media_type};base64,{base64.b64encode(content).decode()}"
    return {"type": "image_url", "image_url": {"url": url, "detail": detail}}


def _as_jpeg(photo: Photo, longest_side: int) -> bytes:
    """Pillow 11 to 13 were found to write the same bytes, so a recorded reply is found again."""
    image = photo.image(longest_side)
    image.info.clear()
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
