"""The difference of two prompts: words, tokens (estimated), parameters, hints, and why each step was made.

    "Which colours?"  ->  "Which main colours?"        Which {+main +}colours?

Words are compared, not characters, so that a reader sees what an author did; the algorithm is difflib's
(Ratcliff and Obershelp, https://docs.python.org/3/library/difflib.html). Moved text counts as removed in one
place and added in another.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from markupsafe import Markup

from aicourse.errors import PromptError
from aicourse.html import escape, join, visible
from aicourse.prompts.library import load
from aicourse.prompts.prompt import BOX, PRE, Prompt

Kind = Literal["same", "removed", "added"]
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_MARKS: dict[Kind, str] = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
_TAGS: dict[Kind, Markup] = {
    "same": Markup("{}"),
    "removed": Markup('<del style="text-decoration: line-through">{}</del>'),
    "added": Markup('<ins style="text-decoration: underline"><b>{}</b></ins>'),
}
LEGEND = "Added words are underlined, removed ones struck through."


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is in both prompts, or in one of them."""

    kind: Kind
    text: str

    @property
    def words(self) -> int:
        """The number of words in it; punctuation alone is none."""
        return len(re.findall(r"\w+", self.text))


@dataclass(frozen=True)
class PromptDiff:
    """The way from `before` to `after`.

    `pieces` are the two bodies in the order of reading; `steps` are the versions on the way, oldest first,
    each with its changelog. Of prompts that do not descend from each other it has only the second one.
    """

    before: Prompt
    after: Prompt
    pieces: tuple[Piece, ...]
    steps: tuple[Prompt, ...]

    @property
    def words_added(self) -> int:
        """Words that are only in the later one."""
        return sum(piece.words for piece in self.pieces if piece.kind == "added")

    @property
    def words_removed(self) -> int:
        """Words that are only in the earlier one."""
        return sum(piece.words for piece in self.pieces if piece.kind == "removed")

    @property
    def token_change(self) -> int:
        """The change in estimated tokens of the template; positive when it grew."""
        return self.after.estimated_tokens - self.before.estimated_tokens

    @property
    def headline(self) -> str:
        """The change in one line."""
        tokens = f"{self.before.estimated_tokens} to {self.after.estimated_tokens}"
        return (
            f"{self.before.ref} -> {self.after.ref}: {self.words_added} words added, {self.words_removed} "
            f"removed; estimated tokens {tokens} ({self.token_change:+d})"
        )

    @property
    def settings(self) -> tuple[str, ...]:
        """The changes beside the text: parameters and hints, one line each."""
        before, after = self.before, self.after
        gone = [f"- parameter {name}" for name in before.parameters if name not in after.parameters]
        come = [f"+ parameter {name}" for name in after.parameters if name not in before.parameters]
        hints = [
            f"~ {name}: {before.hints.get(name, 'not set')} -> {after.hints.get(name, 'not set')}"
            for name in sorted({*before.hints, *after.hints})
            if before.hints.get(name) != after.hints.get(name)
        ]
        return (*gone, *come, *hints)

    def __str__(self) -> str:
        """The change with added words as {+…+}, removed ones as [-…-], as in `git diff --word-diff`."""
        text = "".join(_MARKS[piece.kind].format(piece.text) for piece in self.pieces).rstrip("\n")
        return "\n".join([self.headline, *self.settings, "", text, "", "Changelog", *self._log])

    @property
    def _log(self) -> list[str]:
        return [f"  {step.ref}: {step.changelog}" for step in self.steps]

    def __repr__(self) -> str:
        return f"<PromptDiff {self.headline}>"

    def _repr_html_(self) -> str:
        parts = [Markup("<div><b>{}</b></div>").format(escape(self.headline))]
        parts += [Markup("<div><code>{}</code></div>").format(escape(line)) for line in self.settings]
        parts += [Markup("<small>{}</small><hr><pre {}>{}</pre>").format(LEGEND, PRE, marked(self.pieces))]
        parts += [Markup("<div>{}</div>").format(escape(line)) for line in self._log]
        return Markup("<div {}>{}</div>").format(BOX, join(parts))


def diff(before: Prompt | str | Path, after: Prompt | str | Path) -> PromptDiff:
    """Compare two prompts, or what `load` takes for them.

    Raises:
        PromptError: one of them cannot be loaded.
    """
    first, second = (one if isinstance(one, Prompt) else load(one) for one in (before, after))
    return PromptDiff(first, second, compare_texts(first.body, second.body), _steps(first, second))


def _steps(before: Prompt, after: Prompt) -> tuple[Prompt, ...]:
    line = [after]
    while before.name == after.name and (parent := line[-1].parent) not in (None, before.version):
        try:
            line.append(load(f"{after.name}@{parent}"))
        except PromptError:  # a version that was deleted: what is known is still worth showing
            break
    descends = before.name == after.name and line[-1].parent == before.version
    return tuple(reversed(line)) if descends else (after,)


def marked(pieces: Iterable[Piece]) -> Markup:
    """The pieces with marks that need no colour; a line end that came or went is shown as ↵."""
    return join(
        _TAGS[piece.kind].format(
            escape(visible(piece.text if piece.kind == "same" else piece.text.replace("\n", "↵\n")))
        )
        for piece in pieces
    )


def compare_texts(before: str, after: str) -> tuple[Piece, ...]:
    """The two texts as pieces; without the added ones they are `before`, without the removed ones `after`.

    >>> [(piece.kind, piece.text) for piece in compare_texts("a red coat", "a blue coat")]
    [('same', 'a '), ('removed', 'red'), ('added', 'blue'), ('same', ' coat')]
    """
    first, second = _TOKEN.findall(before), _TOKEN.findall(after)
    codes = difflib.SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    pieces: list[Piece] = []
    removed = added = ""
    for index, (code, low, high, new_low, new_high) in enumerate(codes):
        old, new = "".join(first[low:high]), "".join(second[new_low:new_high])
        between = 0 < index < len(codes) - 1
        if code == "equal" and not (between and old.isspace() and "\n" not in old):
            pieces += [*_change(removed, added), Piece("same", old)]
            removed = added = ""
        else:  # a lone space between two changed words is no stretch that stayed the same
            removed, added = removed + old, added + new
    return _on_line_ends([*pieces, *_change(removed, added)])


def _on_line_ends(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Shift a whole added or removed line so that it begins with its line break, not in the line before.

    Both readings are true of the texts; this is the one that the author had in mind.
    """
    for index in range(1, len(pieces) - 1):
        first, change, last = pieces[index - 1 : index + 2]
        is_between = first.kind == last.kind == "same" and not first.text.endswith("\n")
        shift = change.text.find("\n")
        if is_between and 0 <= shift < len(last.text) and last.text.startswith(change.text[:shift]):
            pieces[index - 1] = Piece("same", first.text + change.text[:shift])
            pieces[index] = Piece(change.kind, change.text[shift:] + change.text[:shift])
            pieces[index + 1] = Piece("same", last.text[shift:])
    return tuple(pieces)


def _change(removed: str, added: str) -> list[Piece]:
    return [piece for piece in (Piece("removed", removed), Piece("added", added)) if piece.text]
