"""What a check found, as records that draw themselves: HTML in a notebook, text elsewhere.

The output depends on the answer alone (no time, no address, no temporary name), so that stored notebooks
compare equal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from aicourse.notebook.exercises import html

Style = Callable[[str], str]
Status = Literal["solved", "not yet", "not started", "cannot check"]
_MARKS: dict[Status, tuple[str, html.Tone]] = {
    "solved": ("✓ Solved", "good"),
    "not yet": ("✗ Not yet", "bad"),
    "not started": ("○ Not started", "neutral"),
    "cannot check": ("! Cannot check", "bad"),
}
_FINDING_MARKS: dict[str, tuple[str, html.Tone]] = {
    "works": ("✓ works", "good"),
    "missing": ("✗ missing", "bad"),
    "not tested": ("○ not tested", "neutral"),
}


@dataclass(frozen=True)
class Evidence:
    """One call that shows a missing behaviour; empty fields are not shown."""

    call: str = ""
    happened: str = ""
    got: str = ""
    where: str = ""
    expected: str = ""
    note: str = ""
    printed: str = ""

    def lines(self, code: Style, prose: Style) -> list[str]:
        """Plain sentences; `code` and `prose` render their parts for text or HTML."""
        got = f" {code(self.got)}" if self.got else ""
        where = f" ({prose(self.where)})" if self.where else ""
        expected = f"; expected {code(self.expected)}" if self.expected else ""
        sentence = f"{code(self.call)} {self.happened}{got}{where}{expected}." if self.call else ""
        printed = f"It printed {code(self.printed)}." if self.printed else ""
        return [line for line in (sentence, prose(self.note), printed) if line]


@dataclass(frozen=True)
class Finding:
    """How one behaviour fares; `others` counts further inputs that fail as well."""

    behaviour: str
    state: Literal["works", "missing", "not tested"]
    evidence: Evidence = Evidence()
    advice: str = ""
    others: int = 0

    @property
    def works(self) -> bool:
        """Whether every input gave what it should."""
        return self.state == "works"

    def lines(self, code: Style, prose: Style) -> list[str]:
        """What shows that the behaviour is missing, and what to do."""
        more = f"{self.others} more {'input fails' if self.others == 1 else 'inputs fail'} too."
        return [
            *self.evidence.lines(code, prose),
            *([more] if self.others else []),
            *([prose(self.advice)] if self.advice else []),
        ]


@dataclass(frozen=True, repr=False)
class CheckResult:
    """What `check` found; true when the exercise is solved."""

    exercise: str
    title: str
    status: Status
    findings: tuple[Finding, ...] = ()
    hints: tuple[str, ...] = ()
    message: str = ""
    offers_hint: bool = False

    def __bool__(self) -> bool:
        return self.status == "solved"

    @property
    def summary(self) -> str:
        """The heading: `✗ Not yet: 01.2 Read a size, 2 of 3 behaviours work`."""
        mark, _ = _MARKS[self.status]
        working = sum(finding.works for finding in self.findings)
        count = f", {working} of {len(self.findings)} behaviours work" if self.findings else ""
        return f"{mark}: {self.exercise} {self.title}".rstrip() + count

    @property
    def next_step(self) -> str:
        """The command for who is stuck, if it exists."""
        return f'Stuck? Run `hint("{self.exercise}")`' if self.offers_hint else ""

    def __repr__(self) -> str:
        lines = [self.summary]
        for finding in self.findings:
            lines.append(f"  {_FINDING_MARKS[finding.state][0]:<12}  {finding.behaviour}")
            lines += [f"                {line}" for line in finding.lines(str, str)]
        lines += [f"  Hint: {hint}" for hint in self.hints]
        lines += [f"  {line}" for line in (self.message, self.next_step) if line]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        items = "".join(_finding_html(finding) for finding in self.findings)
        parts = [f'<ul style="{html.LIST}">{items}</ul>' if items else ""]
        parts += [html.paragraph(f"<strong>Hint:</strong> {html.prose(hint)}") for hint in self.hints]
        parts += [html.paragraph(html.prose(line)) for line in (self.message, self.next_step) if line]
        return html.card(self.summary, "".join(parts), _MARKS[self.status][1])


def _finding_html(finding: Finding) -> str:
    details = "<br>".join(finding.lines(html.code, html.prose))
    shown = f'<div style="{html.DETAILS}">{details}</div>' if details else ""
    return f"<li>{html.mark(*_FINDING_MARKS[finding.state])} {html.prose(finding.behaviour)}{shown}</li>"
