"""Sliders: their start, what is drawn of it, the controls, and what a drawing that fails says."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import pytest
from IPython.utils.capture import capture_output

from aicourse.notebook import sliders
from aicourse.notebook.widgets.sliders import Sliders


def text_of(n: int, threshold: float, scheme: str, **others: Any) -> str:
    return f"{n} {threshold} {scheme} {others}"


def moving(draw: Any = text_of, **others: Any) -> Sliders:
    return sliders(draw, n=(10, 300, 10, 60), threshold=(0.0, 1.0, 0.05), scheme=["one", "two"], **others)


@pytest.fixture
def kept() -> list[str]:
    """The views that were stored with the notebook."""
    return []


def test_the_start_is_the_stated_one_the_middle_or_the_first() -> None:
    assert moving().start == {"n": 60, "threshold": 0.5, "scheme": "one"}
    assert moving(button="Again").start["press"] == 0
    assert sliders(text_of, n=(10, 300, 10), share=(0.0, 0.3, 0.1)).start == {"n": 150, "share": 0.1}
    assert repr(moving()) == (
        "n = 60, threshold = 0.5, scheme = one. Run this cell in JupyterLab to move the sliders."
    )


@pytest.mark.parametrize("values", [(1, 2), (1, 2, 3, 4, 5), []])
def test_a_range_of_another_form_is_refused(values: Any) -> None:
    with pytest.raises(ValueError, match="is no range: write"):
        sliders(text_of, n=values)


def test_the_static_form_is_a_line_and_what_is_drawn_and_raises_what_drawing_raises() -> None:
    with capture_output() as captured:
        moving()._ipython_display_()
    assert captured.stdout.splitlines()[-1] == "60 0.5 one {}"
    with pytest.raises(ZeroDivisionError):
        sliders(lambda n: 1 / n, n=[0])._ipython_display_()


def test_the_controls_draw_what_they_say_and_each_view_is_kept(kept: list[str]) -> None:
    view = moving(button="Draw again")._controls(kept.append)
    row, drawn = view.children
    number, threshold, scheme, again = row.children
    assert [number.value, threshold.value, scheme.value] == [60, 0.5, "one"]
    number.value, threshold.value, scheme.value = 70, 0.55, "two"
    again.click()
    again.click()
    assert "70 0.55 two {&#x27;press&#x27;: 2}" in drawn.value
    assert drawn.value in kept[-1]
    assert "n = 70, threshold = 0.55, scheme = two." in kept[-1]


@pytest.mark.parametrize("returned", [lambda axes: axes, lambda axes: axes.figure, lambda axes: None])
def test_a_figure_is_drawn_once_and_closed(returned: Any, kept: list[str]) -> None:
    figures, open_before = [], plt.get_fignums()

    def draw(n: int) -> Any:
        figure, axes = plt.subplots()
        figures.append(figure)
        axes.plot(range(n))
        return returned(axes)

    view = sliders(draw, n=(1, 9, 1))._controls(kept.append)
    assert view.children[1].value.count("Figure(640x480)") == 1  # the text of `display` where nobody looks
    assert plt.get_fignums() == open_before


def test_a_drawing_that_fails_says_so_in_place_and_the_controls_stay(kept: list[str]) -> None:
    view = sliders(lambda n: print(1 / n), n=(0, 2, 1))._controls(kept.append)
    row, drawn = view.children
    row.children[0].value = 0
    assert "✗ ZeroDivisionError: division by zero" in drawn.value
    row.children[0].value = 2
    assert "0.5" in drawn.value


def test_texts_are_escaped(kept: list[str], evil: str, read_page: Any) -> None:
    def fails(n: str) -> None:
        raise ValueError(n)

    for draw in (fails, str, print):
        view = sliders(lambda n, draw=draw: draw(n), n=[evil])._controls(kept.append)
        assert not {"script", "img"} & set(read_page(view.children[1].value).tags)
    assert not {"script", "img"} & set(read_page(kept[-1]).tags)
