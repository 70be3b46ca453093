"""Views with controls after a restart and in a notebook that is opened again.

The tests share one notebook and go on where the one before them stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

IS_IDLE = """() => {
    const session = window.jupyterapp?.shell.currentWidget?.sessionContext;
    return Boolean(session?.isReady && session.session?.kernel?.status === "idle");
}"""
RESTART = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
pytestmark = pytest.mark.xdist_group("browser")

CELLS = {
    "predict": """
from aicourse.notebook import outcome, predict, sliders
predict("99.a", "How many?", ["few", "many"])
""",
    "outcome": 'outcome("99.a", "many")',
    "sliders": """
import matplotlib.pyplot as plt

def draw(n, scheme, press):
    plt.plot(range(n))
    plt.title(f"{n} points, {scheme}, {press}")
    plt.show()

sliders(draw, n=(10, 300, 10, 60), scheme=["one", "two"], button="Draw again")
""",
}


@pytest.fixture(scope="module")
def notebook(lab_server: Any, open_notebook: Callable[[str], Any]) -> Any:
    cells = [
        {"cell_type": "code", "id": id, "metadata": {}, "source": source.strip(), "outputs": []}
        | {"execution_count": None}
        for id, source in CELLS.items()
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
    (lab_server.course / "notebooks" / "reopened.ipynb").write_text(json.dumps(content), encoding="utf-8")
    opened = open_notebook("reopened.ipynb")
    opened.run("notebook:run-all-cells")
    assert opened.error_outputs() == []
    return opened


def test_run_all_hides_the_outcome_and_leaves_the_prediction_open(notebook: Any, lab_server: Any) -> None:
    cell = notebook.select("outcome")
    notebook.controls("outcome").get_by_text("You have not predicted 99.a yet").wait_for()
    assert cell.get_by_text("It happened").count() == 0
    kept = lab_server.progress()["predictions"]["99.a"]
    assert (kept["choice"], kept["actual"]) == (None, None)


def test_a_choice_made_later_shows_the_outcome_without_running_a_cell(notebook: Any, lab_server: Any) -> None:
    question = notebook.controls("predict")
    question.get_by_role("button", name="many").click()
    question.get_by_text("Your prediction: many. You may change it").wait_for()
    result = notebook.controls("outcome")
    result.get_by_role("button", name="Show the result").click()
    result.get_by_text("✓ As you predicted").wait_for()
    assert lab_server.progress()["predictions"]["99.a"]["actual"] == "many"


def test_sliders_and_buttons_draw_anew(notebook: Any) -> None:
    cell = notebook.select("sliders")
    live = notebook.controls("sliders")
    live.get_by_label("scheme").select_option(label="two")
    live.get_by_role("button", name="Draw again").click()
    live.locator("img[alt='The figure for n = 60, scheme = two']").wait_for()
    slider = live.get_by_role("slider")
    slider.focus()
    notebook.page.keyboard.press("ArrowRight")
    live.locator("img[alt='The figure for n = 70, scheme = two']").wait_for()
    assert live.locator("img").count() == 1
    assert not cell.locator(".aicourse-kept").is_visible()


def test_controls_whose_kernel_was_restarted_say_so(notebook: Any) -> None:
    cell = notebook.select("sliders")
    notebook.page.evaluate(RESTART)
    notebook.page.wait_for_function(IS_IDLE)
    live = cell.locator(".aicourse-live.jupyter-widgets-disconnected")
    live.wait_for()
    said = live.evaluate("box => getComputedStyle(box, '::before').content")
    assert "The kernel was restarted: nothing that you do here is kept." in said


def test_a_notebook_that_is_opened_again_shows_the_last_views(
    notebook: Any, open_notebook: Callable[[str], Any]
) -> None:
    notebook.run("docmanager:save")
    open_notebook("reopened.ipynb")
    shown = {
        "predict": "Your prediction: many. You may change it",
        "outcome": "✓ As you predicted",
        "sliders": "n = 70, scheme = two.",
    }
    for name, words in shown.items():
        cell = notebook.select(name)
        cell.locator(".aicourse-kept").get_by_text(words).wait_for()
        cell.locator(".aicourse-kept").get_by_text("Run this cell again to go on.").wait_for()
        lost = cell.get_by_text("Error displaying widget")
        assert not any(message.is_visible() for message in lost.all())


def test_the_prediction_is_still_there_when_the_cells_run_again(notebook: Any) -> None:
    notebook.run("notebook:run-all-cells")
    notebook.controls("predict").get_by_text("The result is known: many.").wait_for()
    notebook.select("outcome").get_by_text("✓ As you predicted").wait_for()
