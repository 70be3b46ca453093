"""Two versions of a prompt: what was added and removed, what it costs in tokens, and why each step was made.

show_diff("extract_listing@2", "extract_listing@production")
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aicourse import prompts
from aicourse.errors import PromptError
from aicourse.notebook.widgets import html
from aicourse.notebook.widgets.live import mimebundle
from aicourse.prompts import Prompt, PromptDiff
from aicourse.prompts.difference import Piece

Layout = Literal["side by side", "inline"]
LAYOUTS: tuple[Layout, ...] = ("side by side", "inline")
_LEGEND = "Added words are underlined, removed ones struck through."


def show_diff(a: Prompt | str | Path, b: Prompt | str | Path) -> PromptDiffView:
    """Show how prompt `b` differs from `a`; both are prompts, or what `prompts.load` takes.

    Raises:
        PromptError: one of them cannot be loaded.
    """
    return PromptDiffView(prompts.diff(a, b))


@dataclass(frozen=True)
class Step:
    """A version on the way from one prompt to the other, and what its author says about it."""

    ref: str
    changelog: str


@dataclass(frozen=True, repr=False)
class PromptDiffView:
    """A difference of two prompts; displays itself, with controls where somebody can use them."""

    difference: PromptDiff

    @property
    def steps(self) -> tuple[Step, ...]:
        """The versions after the first prompt up to the second one, oldest first.

        Of prompts that do not descend from each other, only the second one.
        """
        before, after = self.difference.before, self.difference.after
        line = [after]
        while (
            before.name == after.name and (parent := line[-1].parent) is not None and parent != before.version
        ):
            try:
                line.append(prompts.load(f"{after.name}@{parent}"))
            except PromptError:  # a version that was deleted: what is known is still worth showing
                break
        descends = before.name == after.name and line[-1].parent == before.version
        return tuple(Step(one.ref, one.changelog) for one in (reversed(line) if descends else (after,)))

    def to_html(self, layout: Layout) -> str:
        """The changed text in one of two layouts."""
        if not any(piece.kind != "same" for piece in self.difference.pieces):
            return html.line("The two texts are the same.")
        return self._side_by_side() if layout == "side by side" else self._inline()

    def head_html(self) -> str:
        """The numbers, the changed settings and the changelog."""
        settings = "".join(html.line(line) for line in self.difference.settings)
        rows = [(html.text(step.ref), html.text(step.changelog)) for step in self.steps]
        log = html.table("What the changelog says", ("version", "change"), rows)
        return html.heading(self.difference.headline) + settings + log

    def _side_by_side(self) -> str:
        header = (self.difference.before.ref, self.difference.after.ref)
        rows = [
            ("".join(map(_piece, row.before)), "".join(map(_piece, row.after)))
            for row in rows_of(self.difference)
        ]
        return html.panes(_LEGEND, header, rows)

    def _inline(self) -> str:
        return html.line(_LEGEND) + html.ready_block("".join(map(_piece, self.difference.pieces)))

    def __repr__(self) -> str:
        log = [f"  {step.ref}: {step.changelog}" for step in self.steps]
        return "\n".join([str(self.difference), "", "Changelog", *log])

    def _repr_html_(self) -> str:
        side, inline = (self.to_html(layout) for layout in LAYOUTS)
        folded = html.folded("Side by side", side, is_open=True) + html.folded("Inline", inline)
        return html.view("prompt-diff", self.head_html(), folded)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return mimebundle(self, self._controls)

    def _controls(self) -> Any:
        from aicourse.notebook.widgets.prompt_diff_live import PromptDiffControls  # loads ipywidgets, 0.2 s

        return PromptDiffControls(self).box


@dataclass(frozen=True)
class Row:
    """What stands between two line ends that both texts have."""

    before: tuple[Piece, ...]
    after: tuple[Piece, ...]


def rows_of(difference: PromptDiff) -> Iterator[Row]:
    """The two texts in rows: each ends where both have the same line end, or after lines of one."""
    before: list[Piece] = []
    after: list[Piece] = []
    for piece in difference.pieces:
        if piece.kind == "same":
            first, *others = piece.text.split("\n")
            _add(first, before, after)
            for line in others:
                yield Row(tuple(before), tuple(after))
                before, after = [], []
                _add(line, before, after)
            continue
        side, other = (before, after) if piece.kind == "removed" else (after, before)
        side.append(piece)
        if piece.text.endswith("\n") and not other:
            yield Row(tuple(before), tuple(after))
            before, after = [], []
    if before or after:
        yield Row(tuple(before), tuple(after))


def _add(line: str, *sides: list[Piece]) -> None:
    if line:
        for side in sides:
            side.append(Piece("same", line))


def _piece(piece: Piece) -> str:
    """A piece with marks that need no colour; a line end that came or went is shown as ↵."""
    if piece.kind == "same":
        return html.text(piece.text)
    words = html.text(piece.text.replace("\n", "↵\n"))
    if piece.kind == "added":
        return f'<ins style="text-decoration: underline"><b>{words}</b></ins>'
    return f'<del style="text-decoration: line-through">{words}</del>'


def versions_beside(prompt: Prompt) -> Sequence[int]:
    """The versions to choose from; none for a prompt from a file of its own."""
    try:
        known = prompts.versions(prompt.name)
    except PromptError:
        return ()
    return known if prompt.version in known else ()
