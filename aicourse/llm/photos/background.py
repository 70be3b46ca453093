"""Tell the thing for sale from what it lies on: colours of the border against colours of the middle.

Sellers put the thing in the middle, so its colours are frequent there and rare at the border. Three steps:

1. A first guess per pixel: likely in the middle; unlikely where the pixel looks like the left and right ends
   of its own row (a wall above a floor, an evenly lit sheet).
2. The picture's colours in 24 clusters, each counted as thing and as background by the guess.
3. A better guess by Bayes' rule from these counts, smoothed over neighbours; steps 2 and 3 six times.

That is GrabCut (Rother et al. 2004, https://doi.org/10.1145/1015706.1015720) without its graph cut.
Not handled: a thing that fills the picture to its edge, or that has the colours of its background.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aicourse.llm.photos.colours import Floats, clusters

CLUSTERS, ROUNDS = 24, 6
LIGHTNESS_WEIGHT = 0.45
LEAST_SIDE = 16  # pixels; less has no border to speak of
LEAST_SHARE = 0.02  # of the picture; less is no thing
_EDGE = 5  # pixels at both ends of a row
_LIKE_THE_EDGE = 0.15  # what is left of the first guess there


def thing_mask(picture: Floats) -> npt.NDArray[np.bool_] | None:
    """The pixels of a small Lab picture, shape (h, w, 3), that show the thing; None if nothing stands out."""
    height, width = picture.shape[:2]
    if min(height, width) < LEAST_SIDE:
        return None
    labels = clusters((picture * [LIGHTNESS_WEIGHT, 1, 1]).reshape(-1, 3), CLUSTERS)
    first_guess = (_in_the_middle(height, width) * _unlike_its_row(picture)).ravel()
    guess = first_guess
    for _ in range(ROUNDS):
        thing, background = _frequencies(labels, guess), _frequencies(labels, 1 - guess)
        likely = first_guess * thing[labels]
        guess = likely / (likely + (1 - first_guess) * background[labels])
        guess = _smooth(guess.reshape(height, width), 2).ravel()
    mask = guess.reshape(height, width) > 0.5
    return mask if mask.mean() >= LEAST_SHARE else None


def _frequencies(labels: npt.NDArray[np.intp], weights: Floats) -> Floats:
    counts = np.bincount(labels, weights, CLUSTERS) + 1  # no cluster is impossible
    return np.asarray(counts / counts.sum())


def _in_the_middle(height: int, width: int) -> Floats:
    """0.02 at the border, 0.6 in the middle."""
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    from_border = np.clip((1 - np.maximum(np.abs(x), np.abs(y))) / 0.45, 0, 1)
    return np.asarray(0.02 + 0.6 * from_border * np.exp(-0.6 * (x**2 + y**2)))


def _unlike_its_row(picture: Floats) -> Floats:
    """1 where a pixel differs from the ends of its row by more than the ends vary; least 0.15."""
    left, right = (_smooth(np.median(end, axis=1), 2, axes=(0,)) for end in _ends(picture))
    across = np.linspace(0, 1, picture.shape[1])[None, :, None]
    expected = left[:, None] * (1 - across) + right[:, None] * across
    difference = np.sqrt(((picture - expected) ** 2 * [LIGHTNESS_WEIGHT, 1, 1]).sum(axis=-1))
    usual = 2 * (np.quantile(np.hstack(_ends(difference)), 0.75) + 2)
    unlike = np.maximum(_LIKE_THE_EDGE, 1 - np.exp(-((difference / usual) ** 2) / 2))
    return _smooth(unlike, 1)


def _ends(picture: Floats) -> tuple[Floats, Floats]:
    return picture[:, :_EDGE], picture[:, -_EDGE:]


def _smooth(values: Floats, radius: int, axes: tuple[int, ...] = (0, 1)) -> Floats:
    """The mean over a box around each value; the border is repeated outwards."""
    for axis in axes:
        padding = [(radius + 1, radius) if axis == each else (0, 0) for each in range(values.ndim)]
        sums = np.pad(values, padding, mode="edge").cumsum(axis)
        size = 2 * radius + 1
        ends = np.arange(size, sums.shape[axis])
        values = (np.take(sums, ends, axis) - np.take(sums, ends - size, axis)) / size
    return values
