"""Figures in words: every kind of mark is told, noise and layout are not."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from datetime import date

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from aicourse.tooling.course.drawn import LONGEST, description, picture_text, png_info


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    mpl.use("agg")
    yield
    plt.close("all")


def lines(draw: Callable[[Axes], object]) -> list[str]:
    figure, axes = plt.subplots()
    draw(axes)
    return [line.strip() for line in description(figure).splitlines()]


@pytest.mark.parametrize(
    ("draw", "line"),
    [
        (lambda axes: axes.plot([1, 2], [3, 4], label="coats"), "line 'coats' #1f77b4ff: x 1 2; y 3 4"),
        (lambda axes: axes.plot([1, 2], [0.1 + 0.2, np.nan]), "line #1f77b4ff: x 1 2; y 0.3 nan"),
        (lambda axes: axes.bar([0], [2], 1), "patch #1f77b4ff: -0.5 0 0.5 0 0.5 2 -0.5 2 -0.5 0"),
        (lambda axes: axes.scatter([1], [3], s=9, c=[7]), "values 7"),
        (lambda axes: axes.scatter([1], [3], s=9), "sizes 9"),
        (lambda axes: axes.vlines([1], 0, 5), "path 1 0 1 5"),
        (lambda axes: axes.imshow([[1, 2]]), "image: 1 2"),
        (lambda axes: axes.text(1, 2, "here"), "text 'here' at 1 2"),
        (lambda axes: axes.annotate("best", (1, 2), (9, 9)), "note 'best' at 1 2"),
        (lambda axes: axes.annotate("day", (date(2026, 1, 1), 2)), "note 'day' at 2026-01-01 2"),
        (lambda axes: axes.annotate("", (1, 2), (0, 0), arrowprops={"arrowstyle": "->"}), "axes"),
        (lambda axes: axes.table([["a", "b"]]), "table a | b"),
        (lambda axes: (axes.plot([1], label="a"), axes.legend(title="of")), "legend of | a"),
        (lambda axes: axes.set_title("left", loc="left"), "text 'left'"),
        (lambda axes: axes.set(xscale="log", xlim=(1, 100)), "x axis '' log from 1 to 100"),
        (
            lambda axes: axes.set_xticks([0, 1], ["no", "yes"]),
            "x axis '' linear from 0 to 1, ticks at 0 1: no | yes",
        ),
        (lambda axes: axes.inset_axes((0, 0, 1, 1)).set_ylabel("inner"), "y axis 'inner' linear from 0 to 1"),
        (lambda axes: axes.figure.suptitle("Prices rise"), "text 'Prices rise'"),
    ],
)
def test_a_mark_is_told(draw: Callable[[Axes], object], line: str) -> None:
    assert line in lines(draw)


def test_noise_around_zero_is_zero() -> None:
    assert "line #1f77b4ff: x 0 1; y 0 1" in lines(lambda axes: axes.plot([0, 1], [-1e-17, 1 - 1e-12]))


def test_layout_is_not_told() -> None:
    small, large = plt.figure(figsize=(2, 2), dpi=50), plt.figure(figsize=(9, 4), layout="tight")
    for figure in (small, large):
        figure.gca().plot([1, 2], [3, 4])
        figure.gca().set_title("The same", fontsize=figure.dpi / 10)
    assert description(small) == description(large)


@pytest.mark.parametrize("change", [lambda y: y + 0.01, lambda y: y[::-1], lambda y: np.append(y[:-1], 2)])
def test_of_very_many_numbers_any_change_is_seen(change: Callable[[np.ndarray], np.ndarray]) -> None:
    y = np.linspace(0, 1, LONGEST + 1)
    before, after = lines(lambda axes: axes.plot(y)), lines(lambda axes: axes.plot(change(y)))
    assert before[1] != after[1]
    assert len(before[1]) < 200


def png(figure: Figure, **options: object) -> str:
    content = io.BytesIO()
    figure.savefig(content, format="png", **options)
    return base64.b64encode(content.getvalue()).decode()


def test_the_description_travels_inside_the_picture() -> None:
    figure = plt.figure()
    figure.suptitle("Größer – more")
    assert picture_text(png(figure, pil_kwargs={"pnginfo": png_info(figure)})) == "text 'Größer – more'"


def test_other_pictures_are_told_by_their_bytes() -> None:
    figure = plt.figure()
    plain = picture_text(png(figure))
    figure.suptitle("more")
    assert plain.startswith("a picture of ")
    assert plain != picture_text(png(figure))
    photo = io.BytesIO()
    Image.new("RGB", (2, 2)).save(photo, "JPEG")
    assert "SHA-256" in picture_text(base64.b64encode(photo.getvalue()).decode())
