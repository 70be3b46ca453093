"""Results of checks, as records that draw themselves: HTML in a notebook, text elsewhere.

The output depends on the answer alone (no time, no address, no temporary name), so that stored notebooks
compare equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from aicourse.notebook import pieces
from aicourse.notebook.checks.judging import Evidence, Style, Trial, clearest

Status = Literal["solved", "not yet", "not started", "cannot check"]
_MARKS: dict[Status, tuple[str, pieces.Tone]] = {
    "solved": ("✓ Solved", "good"),
    "not yet": ("✗ Not yet", "bad"),
    "not started": ("○ Not started", "neutral"),
    "cannot check": ("! Cannot check", "bad"),
}
_FINDING_MARKS: dict[str, tuple[str, pieces.Tone]] = {
    "works": ("✓ works", "good"),
    "missing": ("✗ missing", "bad"),
    "not tested": ("○ not tested", "neutral"),
}


@dataclass(frozen=True)
class CheckFinding:
    """One behaviour, and how it fares; `others` counts further inputs that fail as well."""

    behaviour: str
    state: Literal["works", "missing", "not tested"]
    evidence: Evidence = field(default_factory=Evidence)
    advice: str = ""
    others: int = 0

    @property
    def works(self) -> bool:
        """True if every input gave what it should."""
        return self.state == "works"

    def lines(self, code: Style, prose: Style) -> list[str]:
        """Evidence that the behaviour is missing, and what to do."""
        more = f"{self.others} more {'input fails' if self.others == 1 else 'inputs fail'} too."
        return [
            *self.evidence.lines(code, prose),
            *([more] if self.others else []),
            *([prose(self.advice)] if self.advice else []),
        ]


def finding_of(behaviour: str, trials: Sequence[Trial]) -> CheckFinding:
    """The clearest failing trial speaks for its behaviour."""
    if failed := clearest(trials):
        others = sum(trial.outcome.kind != "skipped" and not trial.works for trial in trials) - 1
        return CheckFinding(behaviour, "missing", _shown(failed), failed.check.message, others)
    not_tested = any(trial.outcome.kind == "skipped" for trial in trials)
    return CheckFinding(behaviour, "not tested" if not_tested else "works")


def _shown(trial: Trial) -> Evidence:
    """A trial's evidence; data of which nothing else is said is shown itself."""
    evidence = trial.evidence
    is_data = trial.given is None and not callable(trial.outcome.value)
    if not is_data or evidence.note or trial.check.message:
        return evidence
    return replace(evidence, note=f"Your answer: `{evidence.got}`")


@dataclass(frozen=True, repr=False)
class CheckResult:
    """The result of a check; true when the exercise is solved."""

    exercise: str
    title: str
    status: Status
    findings: tuple[CheckFinding, ...] = ()
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
        parts = [f'<ul style="{pieces.LIST}">{items}</ul>' if items else ""]
        parts += [pieces.paragraph(f"<strong>Hint:</strong> {pieces.prose(hint)}") for hint in self.hints]
        parts += [pieces.paragraph(pieces.prose(line)) for line in (self.message, self.next_step) if line]
        return pieces.card(self.summary, "".join(parts), _MARKS[self.status][1])


def _finding_html(finding: CheckFinding) -> str:
    details = "<br>".join(finding.lines(pieces.code, pieces.prose))
    shown = f'<div style="{pieces.DETAILS}">{details}</div>' if details else ""
    return f"<li>{pieces.mark(*_FINDING_MARKS[finding.state])} {pieces.prose(finding.behaviour)}{shown}</li>"
