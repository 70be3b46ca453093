"""The gate: may this prompt (model, retriever, …) replace the one in production?

    result = check_gate(production, candidate, [Rule("brand.exact", tolerance=0.03, slice_tolerance=0.10)])
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from xml.etree import ElementTree

from aicourse.evals import statistics
from aicourse.evals.compare import Change, Comparison, compare_runs
from aicourse.evals.runs import Run
from aicourse.evals.views import markdown_table, text_table
from aicourse.html import NOTEBOOK, table

Verdict = Literal["pass", "fail", "undecided"]
_HEADER = ("score", "slice", "cases", "before", "after", "change", "tolerance", "verdict", "why")


@dataclass(frozen=True)
class Rule:
    """How much worse a score may become: over all cases, in each slice (None: any), in named slices."""

    score: str
    tolerance: float = 0.02
    slice_tolerance: float | None = None
    slices: Mapping[str, float] = field(default_factory=dict)

    def tolerance_of(self, slice_name: str) -> float | None:
        """The tolerance of one slice."""
        return self.slices.get(slice_name, self.slice_tolerance)


@dataclass(frozen=True)
class Line:
    """One thing that was checked."""

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
    """What the gate says. `problems` are reasons why the runs cannot be judged at all."""

    before: str
    after: str
    overall: tuple[Line, ...]
    slices: tuple[Line, ...]
    problems: tuple[str, ...]
    strict: bool = False

    @property
    def passed(self) -> bool:
        """Whether the candidate may ship."""
        return not self.problems and not any(self.holds_back(line) for line in self.lines)

    @property
    def lines(self) -> tuple[Line, ...]:
        """Everything that was checked."""
        return self.overall + self.slices

    @property
    def exit_code(self) -> int:
        """0 when it passed, 1 when not."""
        return 0 if self.passed else 1

    def holds_back(self, line: Line) -> bool:
        """Whether this line alone keeps the candidate from shipping."""
        needs_proof = line in self.overall or self.strict
        return line.verdict == "fail" or (needs_proof and line.verdict == "undecided")

    @property
    def headline(self) -> str:
        """The outcome in one sentence."""
        if self.passed:
            return f"PASS: {self.after} may replace {self.before}."
        reasons = [
            *self.problems,
            *(f"{line.score}, {line.change.slice}: {line.reason}" for line in self._held()),
        ]
        return f"FAIL: {self.after} may not replace {self.before}. {reasons[0]}" + (
            f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        )

    def _held(self) -> list[Line]:
        """What holds the candidate back, what was shown before what was not ruled out."""
        return sorted(filter(self.holds_back, self.lines), key=lambda line: line.verdict != "fail")

    @property
    def deciding(self) -> tuple[Line, ...]:
        """The lines to read first: all cases, and the slices that hold the candidate back."""
        return self.overall + tuple(filter(self.holds_back, self.slices))

    @property
    def remark(self) -> str:
        """What became of the slices, counted."""
        counts = Counter(line.verdict for line in self.slices)
        told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("pass", "undecided", "fail"))
        return f"{len(self.slices)} slices looked at: {told}." if self.slices else "No slice was looked at."

    def to_markdown(self) -> str:
        """The result for a CI summary or a pull request; every line of it is there, folded."""
        problems = "".join(f"- {problem}\n" for problem in self.problems)
        table = markdown_table(_HEADER, (line.row() for line in self.deciding))
        everything = markdown_table(_HEADER, (line.row() for line in self.lines))
        folded = f"<details><summary>{self.remark}</summary>\n\n{everything}\n\n</details>"
        return f"**{self.headline}**\n\n{problems}\n{table}\n\n{folded}\n"

    def to_text(self, *, everything: bool = False) -> str:
        """The result for a terminal: the deciding lines, or all."""
        lines = self.lines if everything else self.deciding
        table = text_table(_HEADER, (line.row() for line in lines))
        problems = (f"- {problem}" for problem in self.problems)
        return "\n".join([*problems, table, "", self.remark, self.headline])

    def to_junit(self) -> str:
        """The result as JUnit XML, which CI systems show as tests; an undecided slice is a skipped one."""
        cases = [self._junit_case(line) for line in self.lines]
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

    def _junit_case(self, line: Line) -> ElementTree.Element:
        names = {"classname": _printable(line.score), "name": _printable(line.change.slice)}
        case = ElementTree.Element("testcase", names)
        if self.holds_back(line):
            ElementTree.SubElement(case, "failure", message=_printable(line.reason)).text = str(
                line.change.effect
            )
        elif line.verdict == "undecided":
            ElementTree.SubElement(case, "skipped", message=_printable(line.reason))
        return case

    def __str__(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        caption = " ".join([self.headline, *self.problems, self.remark])
        return table(caption, _HEADER, (line.row() for line in self.deciding), NOTEBOOK)


def check_gate(
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
        EvaluationError: the runs cannot be compared (see `compare_runs`).
    """
    overall: list[Line] = []
    slices: list[Line] = []
    problems = _problems(before, after, rules)
    for rule in rules:
        options = {"confidence": confidence, "smallest_slice": smallest_slice}
        comparison = compare_runs(before, after, rule.score, **options)  # type: ignore[arg-type]
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
        f"The scorer of {summary.name} failed {summary.errors} times in {run.info.name}: mend it and rescore."
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


def judge_overall(rule: Rule, change: Change, confidence: float) -> Line:
    """All cases: pass only when a loss beyond the tolerance is ruled out."""
    effect, tolerance = change.effect, rule.tolerance
    if effect.low >= -tolerance:
        return Line(rule.score, change, tolerance, "pass", "not worse than the tolerance")
    if effect.high < -tolerance or (change.p_value < 1 - confidence and effect.estimate < -tolerance):
        return Line(rule.score, change, tolerance, "fail", f"worse by {-effect.estimate:.3f}")
    reason = (
        f"{change.cases} cases cannot rule out a loss of more than {tolerance:g}{_advice(change, tolerance)}"
    )
    return Line(rule.score, change, tolerance, "undecided", reason)


def _advice(change: Change, tolerance: float) -> str:
    margin = tolerance + min(0.0, change.effect.estimate)
    if margin <= 0 or not change.deviation:
        return ""
    needed = max(statistics.cases_needed(margin, change.deviation), change.cases + 1)
    return f"; about {needed:,} would settle it"


def judge_slice(score: str, change: Change, tolerance: float, confidence: float) -> Line:
    """One slice: fail only when a loss is shown, and it is beyond the tolerance."""
    if change.adjusted_p < 1 - confidence and change.effect.estimate < -tolerance:
        reason = f"worse by {-change.effect.estimate:.3f}: {change.worse} cases worse, {change.better} better"
        return Line(score, change, tolerance, "fail", reason)
    if change.effect.low >= -tolerance:
        return Line(score, change, tolerance, "pass", "not worse than the tolerance")
    return Line(
        score, change, tolerance, "undecided", f"not shown to be worse, but {change.cases} cases show little"
    )


def _printable(text: str) -> str:
    """Text without the control characters that XML forbids."""
    return re.sub(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]", "?", text)
