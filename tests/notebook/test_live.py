"""Live views: where they have controls, and what is stored of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from aicourse.notebook import live
from aicourse.notebook.live import Keep, LiveView, can_be_pressed, load_ipywidgets

WIDGET = "application/vnd.jupyter.widget-view+json"


class Counter(LiveView):
    def __repr__(self) -> str:
        return "no press"

    def _repr_html_(self) -> str:
        return "<p>0</p>"

    def _controls(self, keep: Keep) -> Any:
        made.append(load_ipywidgets().Button(description="Press"))
        made[-1].on_click(lambda _: keep("<p>1</p>"))
        return made[-1]


made: list[Any] = []  # the counters' buttons


@pytest.fixture
def sent_with(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pretends that the running cell was sent with this metadata."""

    def pretend(metadata: Mapping[str, Any]) -> None:
        shell = SimpleNamespace(kernel=object(), get_parent=lambda: {"metadata": metadata})
        monkeypatch.setattr(live, "notebook_shell", lambda: shell)

    return pretend


def test_only_an_editor_of_notebooks_has_somebody_who_presses(
    sent_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not can_be_pressed()
    sent_with({})  # papermill, nbconvert, nbval
    assert not can_be_pressed()
    with pytest.raises(NotImplementedError):  # IPython then takes the plain forms
        Counter()._ipython_display_()
    sent_with({"cellId": "a"})  # JupyterLab, VS Code
    assert can_be_pressed()
    monkeypatch.setenv("AICOURSE_UNATTENDED", "1")
    assert not can_be_pressed()


def test_colab_needs_no_metadata(sent_with: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent_with({})
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    assert can_be_pressed()


def test_the_last_view_is_stored_as_html_beside_the_controls(
    sent_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Any] = []
    handle = SimpleNamespace(update=lambda bundle, **_: shown.append(bundle))

    def display(bundle: Any, **_: Any) -> Any:
        shown.append(bundle)
        return handle

    monkeypatch.setattr("IPython.display.display", display)
    sent_with({"cellId": "a"})
    Counter()._ipython_display_()
    made[-1].click()
    first, controls, last = shown
    assert first["text/plain"] == "no press"
    assert "<p>0</p>" in first["text/html"]
    assert "To go on, run this cell again" in first["text/html"]
    assert set(controls) == {WIDGET}  # what lacks its widget shows nothing, in any program
    assert "<p>1</p>" in last["text/html"]
