"""Two versions of a prompt: what was added and removed, what it costs in tokens, and why each step was made.

    show_diff("extract_listing@2", "extract_listing@production")

The difference itself, with the marks of its words, is that of `aicourse.prompts`; here it gets two layouts
and controls: which two versions, and how they are laid out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aicourse import prompts
from aicourse.errors import PromptError
from aicourse.html import join
from aicourse.notebook import pieces
from aicourse.notebook.live import Keep, LiveView, load_ipywidgets
from aicourse.prompts import Prompt, PromptDiff
from aicourse.prompts.difference import LEGEND, Piece, marked

Layout = Literal["side by side", "inline"]
LAYOUTS: tuple[Layout, ...] = ("side by side", "inline")
Row = tuple[tuple[Piece, ...], tuple[Piece, ...]]


def show_diff(a: Prompt | str | Path, b: Prompt | str | Path) -> PromptDiffView:
    """Show how prompt `b` differs from `a`; both are prompts, or what `prompts.load` takes.

    Raises:
        PromptError: one of them cannot be loaded.
    """
    return PromptDiffView(prompts.diff(a, b))


@dataclass(frozen=True, repr=False)
class PromptDiffView(LiveView):
    """A difference of two prompts; displays itself, with controls where somebody can use them."""

    difference: PromptDiff

    def to_html(self, layout: Layout) -> str:
        """The changed text in one of two layouts."""
        changes = self.difference.pieces
        if all(piece.kind == "same" for piece in changes):
            return pieces.line("The two texts are the same.")
        if layout == "inline":
            return pieces.line(LEGEND) + pieces.block(marked(changes))
        header = (self.difference.before.ref, self.difference.after.ref)
        return pieces.panes(LEGEND, header, [(marked(old), marked(new)) for old, new in rows_of(changes)])

    def head_html(self) -> str:
        """The numbers, the changed settings and the changelog."""
        settings = join(pieces.line(line) for line in self.difference.settings)
        rows = [(pieces.text(step.ref), pieces.text(step.changelog)) for step in self.difference.steps]
        log = pieces.table("What the changelog says", ("version", "change"), rows)
        return pieces.heading(self.difference.headline) + settings + log

    def __repr__(self) -> str:
        return str(self.difference)

    def _repr_html_(self) -> str:
        side, inline = (self.to_html(layout) for layout in LAYOUTS)
        folded = pieces.folded("Side by side", side, is_open=True) + pieces.folded("Inline", inline)
        return pieces.view("prompt-diff", self.head_html(), folded)

    def _controls(self, keep: Keep) -> Any:
        return PromptDiffControls(self, keep).box


def rows_of(pieces: tuple[Piece, ...]) -> Iterator[Row]:
    """The two texts in rows: each ends where both have the same line end, or after lines of one."""
    before: list[Piece] = []
    after: list[Piece] = []
    for piece in pieces:
        if piece.kind == "same":
            first, *others = piece.text.split("\n")
            _add(first, before, after)
            for line in others:
                yield tuple(before), tuple(after)
                before, after = [], []
                _add(line, before, after)
            continue
        side, other = (before, after) if piece.kind == "removed" else (after, before)
        side.append(piece)
        if piece.text.endswith("\n") and not other:
            yield tuple(before), tuple(after)
            before, after = [], []
    if before or after:
        yield tuple(before), tuple(after)


def _add(line: str, *sides: list[Piece]) -> None:
    if line:
        for side in sides:
            side.append(Piece("same", line))


class PromptDiffControls:
    """A view whose versions and layout follow the controls; `box` is what is displayed."""

    def __init__(self, view: PromptDiffView, keep: Keep) -> None:
        widgets = load_ipywidgets()
        self.view, self._keep = view, keep
        self.before = _versions("From", view.difference.before)
        self.after = _versions("To", view.difference.after)
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
            self.view = show_diff(self.before.value, self.after.value)
        except PromptError as error:  # what a control raises is seen by nobody
            self.head.value, self.text.value = pieces.line(f"✗ {error}"), ""
            return
        self._draw()

    def _draw(self) -> None:
        self.head.value = pieces.view("prompt-diff", self.view.head_html())
        self.text.value = pieces.view("prompt-diff", self.view.to_html(self.layout.value))
        self._keep(self.view._repr_html_())


def _versions(name: str, shown: Prompt) -> Any:
    """A list of the versions of one prompt; the prompt itself when it is a file of its own."""
    try:
        known = prompts.versions(shown.name)
    except PromptError:
        known = []
    refs = [f"{shown.name}@v{number}" for number in known] if shown.version in known else []
    options: list[Any] = [*refs] or [(shown.ref, shown)]
    value = shown.ref if refs else shown
    return load_ipywidgets().Dropdown(
        description=name, options=options, value=value, layout={"width": "20em"}
    )
