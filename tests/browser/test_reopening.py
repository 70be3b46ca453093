"""Views with controls after a restart and in a notebook that is opened again.

The tests share one notebook and go on where the one before them stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.slow]

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
def notebook(run_cells: Callable[[str, Mapping[str, str]], Any]) -> Any:
    return run_cells("reopened.ipynb", CELLS)


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
    notebook.restart()
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
        cell.locator(".aicourse-kept").get_by_text("To go on, run this cell again").wait_for()
        lost = cell.get_by_text("Error displaying widget")
        assert not any(message.is_visible() for message in lost.all())


def test_the_prediction_is_still_there_when_the_cells_run_again(notebook: Any) -> None:
    notebook.run("notebook:run-all-cells")
    notebook.controls("predict").get_by_text("The result is known: many.").wait_for()
    notebook.select("outcome").get_by_text("✓ As you predicted").wait_for()
