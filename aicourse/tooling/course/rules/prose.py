"""The rule about figures in prose: a number in a text is one that its section shows.

A figure is a number with decimals, a percentage, or a whole number over `SMALL`; so counts up to twelve
need no proof, nor do lessons, exercises, versions, dates, years and headings. It stands in an output or a
code cell of its section (from one heading to the next; of the whole lesson where a section runs nothing),
perhaps rounded: 0.84, .84, 84 % and about 0.8 are what `0.8395` shows. What stands in quotation marks is an
example, and exercises have conditions of their own. Any other is a constant, and its cell says where it
comes from:

    {"aicourse": {"constants": {"491": "the size of the model's file, in models.toml"}}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from aicourse.notebook_json import Cell
from aicourse.tooling.course.rules import Breach, LintRule, Subject, output_texts

SMALL = 12
CONSTANTS = "constants"
_OWN_TERMS = (
    r"#+ (?:Exercise|In your product)\b"  # a task's conditions, advice for a product that is not this
)
_UNREAD = re.compile(
    r"```.*?```|`[^`\n]*`|<(?:style|svg|script)\b.*?</(?:style|svg|script)>|<[^>]+>|\]\([^)\n]*\)"
    r"|\"[^\"\n]*\"|“[^”\n]*”|https?://\S+|^#[^\n]*|\$\$[^$]+\$\$",
    re.DOTALL | re.MULTILINE,
)
_NO_FIGURE = re.compile(
    r"(?i)\b(?:lessons?|exercises?|sections?|cells?|steps?|questions?|python|chapters?|L|v|hw|qwen|gpt|no\.|n\s?=)"
    r"[\s-]?\d[\d.]*(?:\s?(?:,|to|and|or|–|-)\s?v?\d[\d.]*)*"  # lessons 03 to 05, v1 and v2
    r"|\b(?:19|20)\d\d(?:-\d\d(?:-\d\d)?)?\b"  # years and dates
    r"|\b0\d\.\d\b|\b\d\d(?= · )"  # exercise 01.2; 13 · a lesson's title
    r"|\b\d\d\s?%(?=[\s-](?:confidence\s)?(?:interval|points|sure))"  # of an interval: its definition
    r"|[A-Za-z_]\d[\w.]*|\d+[A-Za-z_]\w*|\d+(?:st|nd|rd|th)\b|\d+\.\d+\.\d+[\w.]*"  # F1, 3rd, 1.2.3
)
_NUMBER = re.compile(
    r"(?P<about>\b(?:about|almost|nearly|some)\s)?(?<![\w.])(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+)(?P<percent>\s?%)?"
)
_GROUPS = re.compile(r"(?<=\d)_(?=\d)")  # 20_000
_FORMS = re.compile(r"[-−+](?=\d|\.)|<[^>]*>")  # signs and tags
ABOUT = Decimal("0.1")  # how far "about 40" may be off


@dataclass(frozen=True)
class Figure:
    """A number as a text writes it."""

    written: str
    value: Decimal
    percent: bool
    about: bool

    @property
    def decimals(self) -> int:
        """Digits behind the point."""
        return max(0, -int(self.value.as_tuple().exponent))

    def rounds(self, shown: Figure) -> bool:
        """True if `shown` is this number, or has more digits of it; as a share or in per cent."""
        shares = self.percent or shown.percent or self.value < 1
        scales = (Decimal(1), Decimal(100), Decimal("0.01")) if shares else (Decimal(1),)
        half = max(Decimal(5).scaleb(-self.decimals - 1), self.about * ABOUT * self.value)
        return any(abs(shown.value * scale - self.value) <= half for scale in scales)


def figures(source: str) -> Iterator[Figure]:
    """The numbers in a text, whatever they stand for."""
    for found in _NUMBER.finditer(source):
        value = Decimal(found["digits"].replace(",", ""))
        written = f"{found['digits']}{found['percent'] or ''}"
        yield Figure(written, value, bool(found["percent"]), bool(found["about"]))


def stated(source: str) -> Iterator[Figure]:
    """The figures of prose that need a proof."""
    for figure in figures(_NO_FIGURE.sub(" ", _UNREAD.sub(" ", source))):
        if figure.decimals or figure.percent or figure.value > SMALL:
            yield figure


def _sections(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    section: list[Cell] = []
    for cell in cells:
        if cell.is_markdown and re.match(r"#{1,6}\s", cell.source) and section:
            yield section
            section = []
        section.append(cell)
    yield section


def _shown(cells: Sequence[Cell]) -> list[Figure]:
    texts = [text for cell in cells if cell.is_code for text in (cell.source, *output_texts(cell))]
    return [figure for text in texts for figure in figures(_FORMS.sub(" ", _GROUPS.sub("", text)))]


def _unproved(subject: Subject) -> Iterator[Breach]:
    everything = [*_shown(subject.notebook.cells), *figures(str(subject.notebook.metadata.get("aicourse")))]
    for section in _sections(subject.notebook.cells):
        shown = _shown(section) or everything
        for cell in section:
            if re.match(_OWN_TERMS, cell.source):
                continue
            constants = cell.metadata.get("aicourse", {}).get(CONSTANTS, {})
            for figure in stated(cell.source) if cell.is_markdown else ():
                if figure.written not in constants and not any(map(figure.rounds, shown)):
                    yield Breach(
                        cell,
                        f"The text says {figure.written}, and no output of its section shows it.",
                        "Correct it, show it, or say in the cell's metadata where it comes from: "
                        f'{{"aicourse": {{"{CONSTANTS}": {{"{figure.written}": "…"}}}}}}.',
                    )


RULES = (LintRule("figures", "Figures in the text are those of the outputs.", _unproved),)
