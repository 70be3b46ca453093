"""The controls of the prompt diff: which two versions, and how they are laid out."""

from __future__ import annotations

from typing import Any

import ipywidgets

from aicourse import prompts
from aicourse.errors import PromptError
from aicourse.notebook.widgets import html
from aicourse.notebook.widgets.prompt_diff import LAYOUTS, PromptDiffView, versions_beside
from aicourse.prompts import Prompt

widgets: Any = ipywidgets  # its classes have no annotations


class PromptDiffControls:
    """A view whose versions and layout follow the controls; `box` is what is displayed."""

    def __init__(self, view: PromptDiffView) -> None:
        self.view = view
        before, after = view.difference.before, view.difference.after
        self.before, self.after = _versions("From", before), _versions("To", after)
        self.layout = widgets.ToggleButtons(options=list(LAYOUTS), style={"button_width": "auto"})
        self.head, self.text = widgets.HTML(), widgets.HTML()
        self.before.observe(lambda _: self._compare(), names="value")
        self.after.observe(lambda _: self._compare(), names="value")
        self.layout.observe(lambda _: self._draw(), names="value")
        wrap = {"flex_flow": "row wrap", "grid_gap": "4px 12px"}
        controls = widgets.HBox([self.before, self.after, self.layout], layout=wrap)
        self.box = widgets.VBox([controls, self.head, self.text])
        self._draw()

    def _compare(self) -> None:
        try:
            self.view = PromptDiffView(prompts.diff(self.before.value, self.after.value))
        except PromptError as error:  # what a control raises is seen by nobody
            self.head.value, self.text.value = html.line(f"✗ {error}"), ""
            return
        self._draw()

    def _draw(self) -> None:
        self.head.value = html.view("prompt-diff", self.view.head_html())
        self.text.value = html.view("prompt-diff", self.view.to_html(self.layout.value))


def _versions(name: str, shown: Prompt) -> Any:
    """A list of the versions of one prompt; the prompt itself when it is no version."""
    refs = [f"{shown.name}@v{number}" for number in versions_beside(shown)]
    options: list[Any] = [*refs] or [(shown.ref, shown)]
    value = shown.ref if refs else shown
    return widgets.Dropdown(description=name, options=options, value=value, layout={"width": "20em"})
