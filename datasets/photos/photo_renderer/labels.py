"""Size tags and care labels: white satin with print that a person can read, or could if it were sharp."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from photo_renderer.noise import Field, blur, fractal_noise

SCALE = 2  # drawn larger, then reduced
INK = (38, 38, 44, 255)


def stick_label(
    picture: Field, lines: list[str], where: tuple[float, float], angle: float, *, sharp: bool, seed: int
) -> None:
    """Lay a label with these lines onto the picture, its centre at `where`, turned by `angle` (degrees)."""
    tag = _label(lines).rotate(angle, Image.Resampling.BICUBIC, expand=True)
    tag = tag.resize((tag.width // SCALE, tag.height // SCALE), Image.Resampling.LANCZOS)
    height, width = picture.shape[:2]
    left = int(np.clip(where[0] - tag.width / 2, 4, width - tag.width - 4))
    top = int(np.clip(where[1] - tag.height / 2, 4, height - tag.height - 4))
    layer = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    layer.paste(tag, (left, top))
    pixels = np.asarray(layer, dtype=float)
    alpha = pixels[..., 3] / 255
    rows, columns = np.mgrid[:height, :width] / 40.0
    satin = 0.9 + 0.14 * fractal_noise(rows, columns, seed, 2)
    colour = pixels[..., :3] * satin[..., None]
    if not sharp:
        colour = blur(np.where(alpha[..., None] > 0, colour, 230), 4)
    picture *= (1 - 0.45 * blur(np.roll(alpha, (4, 3), (0, 1)), 4))[..., None]
    picture[:] = picture * (1 - alpha[..., None]) + colour * alpha[..., None]


def _label(lines: list[str]) -> Image.Image:
    """The first line large, the others small, wash symbols below when there is a second line."""
    fonts = [ImageFont.load_default(size=(26 if number == 0 else 15) * SCALE) for number in range(len(lines))]
    widths = [font.getlength(line) for font, line in zip(fonts, lines, strict=True)]
    width = int(max(*widths, 44 * SCALE) if len(widths) > 1 else max(widths[0], 44 * SCALE)) + 22 * SCALE
    height = (46 + 20 * (len(lines) - 1) + (30 if len(lines) > 1 else 0)) * SCALE
    image = Image.new("RGBA", (width, height), (240, 239, 234, 255))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width - 1, height - 1), outline=(196, 194, 188, 255), width=SCALE)
    for number in range(0, width, 6 * SCALE):  # the stitches that hold it
        draw.line((number, 4 * SCALE, number + 3 * SCALE, 4 * SCALE), fill=(150, 148, 144, 255), width=SCALE)
    y = 8 * SCALE
    for font, line, length in zip(fonts, lines, widths, strict=True):
        draw.text(((width - length) / 2, y), line, INK, font)
        y += (34 if line is lines[0] else 20) * SCALE
    if len(lines) > 1:
        _wash_symbols(draw, width / 2, y + 6 * SCALE)
    return image


def _wash_symbols(draw: ImageDraw.ImageDraw, middle: float, y: float) -> None:
    s = SCALE
    x = middle - 42 * s
    draw.polygon(
        [(x, y), (x + 18 * s, y), (x + 15 * s, y + 14 * s), (x + 3 * s, y + 14 * s)], outline=INK, width=s
    )
    x += 33 * s
    draw.polygon([(x, y + 14 * s), (x + 16 * s, y + 14 * s), (x + 8 * s, y)], outline=INK, width=s)
    x += 33 * s
    draw.rectangle((x, y, x + 14 * s, y + 14 * s), outline=INK, width=s)
    draw.ellipse((x + s, y + s, x + 13 * s, y + 13 * s), outline=INK, width=s)
