"""The gate between a candidate (prompt, model, retriever, …) and production.

    result = gate(production, candidate, [Rule("brand.exact", tolerance=0.03, slice_tolerance=0.10)])
    sys.exit(result.exit_code)

Over all cases the candidate must be shown to be *not worse than the tolerance* (non-inferior): the lower end
of the change's 95 % interval lies above `-tolerance`. A candidate that is really worse by the tolerance gets
through in at most about 2.5 % of evaluations, whatever the number of cases; with too few cases a harmless one
is held back as well, as "undecided", and the message says how many cases would settle it.

Slices are small, so there the question is turned round: a slice fails when it is *shown to be worse*, by an
exact test adjusted for the number of slices (Holm), and by more than its tolerance. A candidate that changes
nothing fails in at most 2.5 % of evaluations in any slice of a rule. An undecided slice holds nothing back
unless `strict`. Several rules must all pass; their slices are not adjusted for each other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from aicourse.evals import statistics
from aicourse.evals.comparison import Change, Comparison, compare
from aicourse.evals.rules import Rule
from aicourse.evals.runs import Run
from aicourse.evals.views import markdown_table, text_table
from aicourse.html import NOTEBOOK, table

Verdict = Literal["pass", "fail", "undecided"]
_HEADER = ("score", "slice", "cases", "before", "after", "change", "tolerance", "verdict", "why")


@dataclass(frozen=True)
class Ruling:
    """One score over all cases or in one slice, and what the rule says about it."""

    score: str
    change: Change
    tolerance: float
    verdict: Verdict
    reason: str

    def row(self) -> tuple[str, ...]:
        """The cells of the tables."""
        change = self.change
        numbers = (str(change.cases), f"{change.before:.3f}", f"{change.after:.3f}", str(change.effect))
        return (self.score, change.slice, *numbers, f"{self.tolerance:g}", self.verdict, self.reason)


@dataclass(frozen=True)
class GateResult:
    """The gate's answer. `problems` are reasons why the runs cannot be judged at all."""

    before: str
    after: str
    overall: tuple[Ruling, ...]
    slices: tuple[Ruling, ...]
    problems: tuple[str, ...]
    strict: bool = False

    @property
    def passed(self) -> bool:
        """True if the candidate may ship."""
        return not self.problems and not any(self.holds_back(ruling) for ruling in self.rulings)

    @property
    def rulings(self) -> tuple[Ruling, ...]:
        """Everything that was checked."""
        return self.overall + self.slices

    @property
    def exit_code(self) -> int:
        """0 when it passed, 1 when not."""
        return 0 if self.passed else 1

    def holds_back(self, ruling: Ruling) -> bool:
        """True if this ruling alone keeps the candidate from shipping."""
        needs_proof = ruling in self.overall or self.strict
        return ruling.verdict == "fail" or (needs_proof and ruling.verdict == "undecided")

    @property
    def headline(self) -> str:
        """The outcome in one sentence."""
        if self.passed:
            return f"PASS: {self.after} may replace {self.before}."
        reasons = [
            *self.problems,
            *(f"{ruling.score}, {ruling.change.slice}: {ruling.reason}" for ruling in self._held()),
        ]
        return f"FAIL: {self.after} may not replace {self.before}. {reasons[0]}" + (
            f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        )

    def _held(self) -> list[Ruling]:
        """The rulings against the candidate, those shown before those not ruled out."""
        return sorted(filter(self.holds_back, self.rulings), key=lambda ruling: ruling.verdict != "fail")

    @property
    def deciding(self) -> tuple[Ruling, ...]:
        """The lines to read first: all cases, and the slices that hold the candidate back."""
        return self.overall + tuple(filter(self.holds_back, self.slices))

    @property
    def remark(self) -> str:
        """The slices' verdicts, counted."""
        counts = Counter(ruling.verdict for ruling in self.slices)
        told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("pass", "undecided", "fail"))
        return f"{len(self.slices)} slices looked at: {told}." if self.slices else "No slice was looked at."

    def to_markdown(self) -> str:
        """The result for a CI summary or a pull request; every line of it is there, folded."""
        problems = "".join(f"- {problem}\n" for problem in self.problems)
        table = markdown_table(_HEADER, (ruling.row() for ruling in self.deciding))
        everything = markdown_table(_HEADER, (ruling.row() for ruling in self.rulings))
        folded = f"<details><summary>{self.remark}</summary>\n\n{everything}\n\n</details>"
        return f"**{self.headline}**\n\n{problems}\n{table}\n\n{folded}\n"

    def to_text(self, *, everything: bool = False) -> str:
        """The result for a terminal: the deciding lines, or all."""
        lines = self.rulings if everything else self.deciding
        table = text_table(_HEADER, (ruling.row() for ruling in lines))
        problems = (f"- {problem}" for problem in self.problems)
        return "\n".join([*problems, table, "", self.remark, self.headline])

    def to_junit(self) -> str:
        """The result as JUnit XML, which CI systems show as tests; an undecided slice is a skipped one."""
        cases = [self._junit_case(ruling) for ruling in self.rulings]
        for problem in self.problems:
            case = ElementTree.Element("testcase", classname="gate", name="runs")
            ElementTree.SubElement(case, "failure", message=_printable(problem))
            cases.append(case)
        failures = str(sum(case.find("failure") is not None for case in cases))
        skipped = str(sum(case.find("skipped") is not None for case in cases))
        counts = {"tests": str(len(cases)), "failures": failures, "errors": "0", "skipped": skipped}
        suite = ElementTree.Element("testsuite", {"name": _printable(f"gate {self.after}"), **counts})
        suite.extend(cases)
        ElementTree.indent(suite)
        return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"

    def _junit_case(self, ruling: Ruling) -> ElementTree.Element:
        names = {"classname": _printable(ruling.score), "name": _printable(ruling.change.slice)}
        case = ElementTree.Element("testcase", names)
        if self.holds_back(ruling):
            ElementTree.SubElement(case, "failure", message=_printable(ruling.reason)).text = str(
                ruling.change.effect
            )
        elif ruling.verdict == "undecided":
            ElementTree.SubElement(case, "skipped", message=_printable(ruling.reason))
        return case

    def __str__(self) -> str:
        return self.to_markdown()

    def __repr__(self) -> str:
        return f"{self.headline} {self.remark}"

    def _repr_html_(self) -> str:
        caption = " ".join([self.headline, *self.problems, self.remark])
        return table(caption, _HEADER, (ruling.row() for ruling in self.deciding), NOTEBOOK)


def gate(
    before: Run,
    after: Run,
    rules: Sequence[Rule],
    *,
    strict: bool = False,
    confidence: float = 0.95,
    smallest_slice: int = 5,
) -> GateResult:
    """Judge the candidate run `after` against `before`, the run of what is in production.

    Raises:
        EvaluationError: the runs cannot be compared (see `compare`).
    """
    overall: list[Ruling] = []
    slices: list[Ruling] = []
    problems = _problems(before, after, rules)
    for rule in rules:
        options = {"confidence": confidence, "smallest_slice": smallest_slice}
        comparison = compare(before, after, rule.score, **options)  # type: ignore[arg-type]
        problems += _gaps(comparison, rule)
        overall.append(judge_overall(rule, comparison.overall, confidence))
        for change in comparison.slices:
            if (tolerance := rule.tolerance_of(change.slice)) is not None:
                slices.append(judge_slice(rule.score, change, tolerance, confidence))
    names = before.info.name, after.info.name
    return GateResult(*names, tuple(overall), tuple(slices), tuple(dict.fromkeys(problems)), strict)


def _problems(before: Run, after: Run, rules: Sequence[Rule]) -> list[str]:
    """Scores without a value: leaving them out could hide what broke."""
    scores = {rule.score for rule in rules}
    return [
        f"The scorer of {summary.name} failed {summary.errors} times in {run.info.name}: fix it, rescore."
        for run in (before, after)
        for summary in run.summary.scores
        if summary.errors and summary.name in scores
    ]


def _gaps(comparison: Comparison, rule: Rule) -> list[str]:
    problems = []
    if comparison.unpaired:
        problems.append(
            f"{len(comparison.unpaired)} cases are in only one of the runs: finish both on the same set."
        )
    known = {change.slice for change in comparison.slices}
    if unknown := [name for name in rule.slices if name not in known]:
        problems.append(
            f"A rule for {rule.score} names slices with too few or no cases: {', '.join(unknown)}."
        )
    return problems


def judge_overall(rule: Rule, change: Change, confidence: float) -> Ruling:
    """All cases: pass only when a loss beyond the tolerance is ruled out."""
    effect, tolerance = change.effect, rule.tolerance
    if effect.low >= -tolerance:
        return Ruling(rule.score, change, tolerance, "pass", "not worse than the tolerance")
    if effect.high < -tolerance or (change.p_value < 1 - confidence and effect.estimate < -tolerance):
        return Ruling(rule.score, change, tolerance, "fail", f"worse by {-effect.estimate:.3f}")
    reason = (
        f"{change.cases} cases cannot rule out a loss of more than {tolerance:g}{_advice(change, tolerance)}"
    )
    return Ruling(rule.score, change, tolerance, "undecided", reason)


def _advice(change: Change, tolerance: float) -> str:
    margin = tolerance + min(0.0, change.effect.estimate)
    if margin <= 0 or not change.deviation:
        return ""
    needed = max(statistics.cases_needed(margin, change.deviation), change.cases + 1)
    return f"; about {needed:,} would settle it"


def judge_slice(score: str, change: Change, tolerance: float, confidence: float) -> Ruling:
    """One slice: fail only when a loss is shown, and it is beyond the tolerance."""
    if change.adjusted_p < 1 - confidence and change.effect.estimate < -tolerance:
        reason = f"worse by {-change.effect.estimate:.3f}: {change.worse} cases worse, {change.better} better"
        return Ruling(score, change, tolerance, "fail", reason)
    if change.effect.low >= -tolerance:
        return Ruling(score, change, tolerance, "pass", "not worse than the tolerance")
    return Ruling(
        score, change, tolerance, "undecided", f"not shown to be worse, but {change.cases} cases show little"
    )


def _printable(text: str) -> str:
    """Text without the control characters that XML forbids."""
    return re.sub(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]", "?", text)
