"""What a phone does to a scene: tilt, exposure, white balance, glare, blur, noise, JPEG, a rotation flag."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from photo_renderer.noise import Field, blur, fractal_noise

QUALITY = 77
ORIENTATION_TAG = 0x0112
TURNS = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


@dataclass(frozen=True)
class Shot:
    """The faults of one photo: exposure 1 is right, warmth above 0 too yellow, orientation 1 upright."""

    tilt: float
    exposure: float
    warmth: float
    blur: float
    shake: int
    noise: float
    glare: float
    falloff: float
    orientation: int

    @property
    def conditions(self) -> list[str]:
        """The faults that a viewer notices, by name."""
        noticed = {
            "dark": self.exposure < 0.92,
            "bright": self.exposure > 1.24,
            "warm": self.warmth > 0.045,
            "cold": self.warmth < -0.045,
            "blurred": self.blur >= 1.2,
            "shaken": self.shake > 1,
            "noisy": self.noise > 6,
            "glare": self.glare > 0,
            "tilted": abs(self.tilt) > 0.05,
            "rotated": self.orientation != 1,
        }
        return [name for name, applies in noticed.items() if applies]


def choose_shot(random: np.random.RandomState, *, sharp: bool) -> Shot:
    """A hasty photo at random; `sharp` when something in it must stay readable."""
    return Shot(
        tilt=random.uniform(-0.11, 0.11),
        exposure=float(np.clip(random.normal(1.1, 0.14), 0.78, 1.36)),
        warmth=float(np.clip(random.normal(0.015, 0.045), -0.06, 0.09)),
        blur=0.5 if sharp else float(random.choice([0.5, 0.6, 0.7, 1.3, 1.7])),
        shake=1 if sharp else int(random.choice([1, 1, 1, 1, 5, 7])),
        noise=float(random.uniform(1.5, 5) if random.rand() < 0.7 else random.uniform(6, 10)),
        glare=float(random.uniform(0.35, 0.6)) if random.rand() < 0.14 else 0.0,
        falloff=random.uniform(0.08, 0.36),
        orientation=int(random.choice([1, 1, 1, 1, 1, 6, 8, 3])),
    )


def expose(scene: Field, shot: Shot, random: np.random.RandomState) -> Image.Image:
    """The picture that comes out, upright."""
    height, width = scene.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(float)
    light = 1 - shot.falloff * _across(columns / width, rows / height, random)
    if shot.glare:
        x, y = random.uniform(0.3, 0.7) * width, random.uniform(0.25, 0.6) * height
        spot = np.exp(-(((columns - x) / 70) ** 2 + ((rows - y) / 80) ** 2))
        scene = scene + (255 - scene * 0.6) * (shot.glare * spot)[..., None]
    gains = np.array([1 + shot.warmth, 1.0, 1 - 1.5 * shot.warmth])
    seen = scene * (light * shot.exposure)[..., None] * gains
    seen = np.where(seen < 170, seen, 170 + 85 * np.tanh((seen - 170) / 85))  # highlights roll off
    seen = blur(seen, shot.blur) if shot.blur >= 1.2 else seen
    if shot.shake > 1:
        seen = np.mean([np.roll(seen, (k // 3, k), (0, 1)) for k in range(shot.shake)], axis=0)
    grain = random.normal(0, 1, seen.shape) * 0.6 + random.normal(0, 1, (height, width, 1)) * 0.8
    image = Image.fromarray(np.clip(seen + shot.noise * grain, 0, 255).astype(np.uint8))
    return _tilted(image, shot.tilt)


def _across(x: Field, y: Field, random: np.random.RandomState) -> Field:
    """0..1: a room's light comes from one side, and corners are darker."""
    angle = random.uniform(0, 2 * np.pi)
    side = 0.5 + 0.5 * ((x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)) * 1.4
    corners = (x - 0.5) ** 2 + (y - 0.5) ** 2
    uneven = fractal_noise(x * 3, y * 3, int(random.randint(2**31)), 2)
    return np.asarray(0.6 * side + 0.5 * corners + 0.2 * uneven)


def _tilted(image: Image.Image, tilt: float) -> Image.Image:
    """The picture as if the phone leaned back: the top or the bottom edge closer, then cut to size."""
    width, height = image.size
    inset = abs(tilt) * width / 2
    top, bottom = (inset, 0.0) if tilt > 0 else (0.0, inset)
    # corners of the source quadrilateral: upper left, lower left, lower right, upper right
    corners = [(top, 0.0), (bottom, height), (width - bottom, height), (width - top, 0.0)]
    target = [(0, 0), (0, height), (width, height), (width, 0)]
    rows = []
    for (x, y), (a, b) in zip(target, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -a * x, -a * y], [0, 0, 0, x, y, 1, -b * x, -b * y]]
    solution = np.linalg.solve(np.array(rows, dtype=float), np.array(corners, dtype=float).ravel())
    return image.transform(
        image.size, Image.Transform.PERSPECTIVE, solution.tolist(), Image.Resampling.BICUBIC
    )


def develop(image: Image.Image, orientation: int) -> bytes:
    """JPEG bytes; orientations other than 1 are stored turned, with the EXIF tag that says so."""
    exif = Image.Exif()
    if orientation != 1:
        image = image.transpose(TURNS[orientation])
        exif[ORIENTATION_TAG] = orientation
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, optimize=True, exif=exif)
    return buffer.getvalue()
