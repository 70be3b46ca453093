"""Smooth random fields: the raw material of every texture.

Random numbers come from `numpy.random.RandomState`, whose streams numpy has promised never to change, so
that a photo can be drawn again years later.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]
LATTICE = 64


def value_noise(u: Field, v: Field, seed: int) -> Field:
    """Noise in 0..1 that changes over about one unit of u and v (any coordinates of one shape)."""
    table = np.random.RandomState(seed % 2**32).rand(LATTICE, LATTICE)
    left, top = np.floor(u).astype(int), np.floor(v).astype(int)
    x, y = u - left, v - top
    x, y = x * x * (3 - 2 * x), y * y * (3 - 2 * y)
    columns, rows = (left % LATTICE, (left + 1) % LATTICE), (top % LATTICE, (top + 1) % LATTICE)
    upper = table[rows[0], columns[0]] * (1 - x) + table[rows[0], columns[1]] * x
    lower = table[rows[1], columns[0]] * (1 - x) + table[rows[1], columns[1]] * x
    return np.asarray(upper * (1 - y) + lower * y)


def fractal_noise(u: Field, v: Field, seed: int, octaves: int = 3) -> Field:
    """Value noise at several scales, each half as large and half as strong; 0..1."""
    total = sum(value_noise(u * 2**k, v * 2**k, seed + k) / 2**k for k in range(octaves))
    return np.asarray(total / sum(0.5**k for k in range(octaves)))


def blur(field: Field, radius: float) -> Field:
    """An approximate Gaussian of this standard deviation in pixels: three box filters."""
    width = max(1, round(radius * 1.9)) | 1
    if width == 1:
        return field
    for axis in (0, 1) * 3:
        field = _box(field, width, axis)
    return field


def _box(field: Field, width: int, axis: int) -> Field:
    half = width // 2
    padding = [(0, 0)] * field.ndim
    padding[axis] = (half + 1, half)
    sums = np.cumsum(np.pad(field, padding, mode="edge"), axis=axis)
    size = field.shape[axis]
    upper = np.take(sums, range(width, width + size), axis=axis)
    return np.asarray((upper - np.take(sums, range(size), axis=axis)) / width)
