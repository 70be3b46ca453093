"""The gate between a candidate (prompt, model, retriever, …) and production.

    result = gate(production, candidate, [Rule("brand.exact", tolerance=0.03, slice_tolerance=0.10)])
    sys.exit(result.exit_code)

Over all cases the candidate must be *proven* not worse than the tolerance (`noninferiority`): one that is
really worse by the tolerance gets through in at most 2.5 % of evaluations. That takes cases: 36 for a
tolerance of 0.10, 72 for 0.05, 183 for 0.02, if nothing changes, and more if much does. A tolerance out of
reach is refused. With the mode "no loss shown" a loss must only not be shown, which proves nothing, and the
verdict says so. Runs whose outputs are the same, byte by byte, pass as *identical*.

Slices are small, so there the question is turned round: one fails when it is *shown to be worse*, by an
exact test, and by more than its tolerance. Those that a rule names decide, and are adjusted for each other
alone (Holm); a candidate that changes nothing fails in at most 2.5 % of evaluations in any of them. A named
slice in which no loss could be shown is *cannot tell*, and fails unless the rule allows it. The others are
exploratory: shown, never deciding. Several rules must all pass; they are not adjusted for each other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args
from xml.etree import ElementTree

from aicourse.evals import noninferiority, statistics
from aicourse.evals.comparison import Change, Comparison, compare
from aicourse.evals.rules import Rule, refuse_unreachable
from aicourse.evals.runs import Run
from aicourse.evals.validation import Validation, doubt_of
from aicourse.evals.views import markdown_table, text_table
from aicourse.html import NOTEBOOK, table

Verdict = Literal["pass", "identical", "no loss shown", "undecided", "cannot tell", "fail"]
_HEADER = ("score", "slice", "cases", "before", "after", "change", "tolerance", "verdict", "why")


@dataclass(frozen=True)
class Ruling:
    """One score over all cases or in one slice, and what the rule says about it.

    `holds_back` is true if it alone keeps the candidate from shipping; an exploratory slice never does.
    """

    score: str
    change: Change
    tolerance: float
    verdict: Verdict
    reason: str
    holds_back: bool
    is_exploratory: bool = False

    def row(self) -> tuple[str, ...]:
        """The cells of the tables."""
        change = self.change
        numbers = (str(change.cases), f"{change.before:.3f}", f"{change.after:.3f}", str(change.effect))
        return (self.score, change.slice, *numbers, f"{self.tolerance:g}", self.verdict, self.reason)


@dataclass(frozen=True)
class GateResult:
    """The gate's answer.

    `problems` are reasons why the runs cannot be judged at all, `notes` what a run says of itself
    (`Run.remark`).
    """

    before: str
    after: str
    overall: tuple[Ruling, ...]
    slices: tuple[Ruling, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True if the candidate may ship."""
        return not self.problems and not any(ruling.holds_back for ruling in self.rulings)

    @property
    def rulings(self) -> tuple[Ruling, ...]:
        """Everything that was checked."""
        return self.overall + self.slices

    @property
    def exit_code(self) -> int:
        """0 when it passed, 1 when not."""
        return 0 if self.passed else 1

    @property
    def headline(self) -> str:
        """The outcome in one sentence, and what could not be told in another."""
        if self.passed:
            return f"PASS: {self.after} may replace {self.before}{self._weakness}.{self._untold}"
        reasons = [
            *self.problems,
            *(f"{ruling.score}, {ruling.change.slice}: {ruling.reason}" for ruling in self._held()),
        ]
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        return (
            f"FAIL: {self.after} may not replace {self.before}. {reasons[0].rstrip('.')}{more}.{self._untold}"
        )

    @property
    def _weakness(self) -> str:
        """The words that a pass which proves nothing, or needs no proof, carries."""
        verdicts = {ruling.verdict for ruling in self.overall}
        if verdicts == {"identical"}:
            return ": every output is identical"
        return ": no loss shown, which is no proof" if "no loss shown" in verdicts else ""

    @property
    def _untold(self) -> str:
        untold = [ruling for ruling in self.slices if ruling.verdict == "cannot tell"]
        named = [f"{ruling.change.slice} ({ruling.score})" for ruling in untold if not ruling.is_exploratory]
        others = len(untold) - len(named)
        told = [*named, *([f"{_counted(others)} (exploratory)"] if others else [])]
        return f" Cannot tell: {', '.join(told)}." if told else ""

    def _held(self) -> list[Ruling]:
        """The rulings against the candidate, those shown before those not ruled out."""
        held = (ruling for ruling in self.rulings if ruling.holds_back)
        return sorted(held, key=lambda ruling: ruling.verdict != "fail")

    @property
    def deciding(self) -> tuple[Ruling, ...]:
        """The lines to read first: all cases, and the slices that hold the candidate back."""
        return self.overall + tuple(ruling for ruling in self.slices if ruling.holds_back)

    @property
    def remark(self) -> str:
        """The slices' verdicts, counted, and what the runs say of themselves."""
        parts = []
        for kind, is_exploratory in (("named", False), ("exploratory, which decide nothing", True)):
            found = Counter(one.verdict for one in self.slices if one.is_exploratory is is_exploratory)
            told = ", ".join(f"{found[verdict]} {verdict}" for verdict in get_args(Verdict) if found[verdict])
            parts += [f"{_counted(found.total())} {kind}: {told}."] if found else []
        return " ".join([*(parts or ["No slice was looked at."]), *self.notes])

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
        """The result as JUnit XML, which CI systems show as tests; what is not told is skipped."""
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
        if ruling.holds_back:
            ElementTree.SubElement(case, "failure", message=_printable(ruling.reason)).text = str(
                ruling.change.effect
            )
        elif ruling.verdict not in ("pass", "identical"):
            ElementTree.SubElement(case, "skipped", message=_printable(ruling.reason))
        return case

    def __str__(self) -> str:
        return self.to_markdown()

    def __repr__(self) -> str:
        return self.to_text()

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
    validations: Sequence[Validation] = (),
) -> GateResult:
    """Judge the candidate run `after` against `before`, the run of what is in production.

    With `strict`, named slices need proof as well; exploratory ones need `smallest_slice` cases to be shown.
    A score that a model gave decides only if its judge has a validation, in the runs or in `validations`,
    that meets the rule's `judge_at_least`.

    Raises:
        EvaluationError: the runs cannot be compared (see `compare`), or have too few cases for a rule.
    """
    overall: list[Ruling] = []
    slices: list[Ruling] = []
    problems = _problems(before, after, rules)
    identical = _are_identical(before, after)
    for rule in rules:
        shown = rule.slices if rule.slice_tolerance is None else None
        comparison = compare(before, after, rule.score, confidence=confidence, smallest_slice=2, slices=shown)
        problems += [*_gaps(comparison, rule), *_doubts(before, after, rule, validations)]
        if identical and not comparison.differences:
            overall.append(_identical(rule, comparison.overall))
            continue
        refuse_unreachable([rule], comparison.overall.cases)
        overall.append(judge_overall(rule, comparison.overall, confidence))
        slices += _judge_slices(rule, comparison, confidence, strict, smallest_slice)
    notes = tuple(f"{run.info.name}: {run.remark}." for run in (before, after) if run.remark)
    names = before.info.name, after.info.name
    return GateResult(*names, tuple(overall), tuple(slices), tuple(dict.fromkeys(problems)), notes)


def _are_identical(before: Run, after: Run) -> bool:
    """True if both runs have the same outputs, byte by byte, and none failed."""
    outputs = [
        {(one.id, one.repeat): repr(one.output) if one.error is None else object() for one in run.records()}
        for run in (before, after)
    ]
    return outputs[0] == outputs[1]


def _identical(rule: Rule, change: Change) -> Ruling:
    return Ruling(rule.score, change, rule.tolerance, "identical", "every output is the same", False)


def _judge_slices(
    rule: Rule, comparison: Comparison, confidence: float, strict: bool, smallest: int
) -> list[Ruling]:
    """The named slices, adjusted for each other, then the others, if the rule has a tolerance for them."""
    named = [change for change in comparison.slices if change.slice in rule.slices]
    adjusted = statistics.holm([change.p_value for change in named])
    rulings = []
    for change, p_value in zip(named, adjusted, strict=True):
        ruling = judge_slice(
            rule, replace(change, adjusted_p=p_value), rule.slices[change.slice], confidence, len(named)
        )
        stops = {"fail"} | ({"no loss shown"} if strict else set())
        stops |= set() if rule.allow_cannot_tell else {"cannot tell"}
        rulings.append(replace(ruling, holds_back=ruling.verdict in stops))
    if (tolerance := rule.slice_tolerance) is not None:
        others = [each for each in comparison.slices if each.slice not in rule.slices]
        rulings += [
            replace(judge_slice(rule, each, tolerance, confidence, len(others)), is_exploratory=True)
            for each in others
            if each.cases >= smallest
        ]
    return rulings


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
            f"A rule for {rule.score} names slices with one case or none: {', '.join(unknown)}. "
            "Correct the name, or add cases."
        )
    if rule.mode == "proof" and not comparison.overall.is_bounded:
        problems.append(
            f"{rule.score} is not between 0 and 1, so no loss of it can be ruled out: "
            'scale the score, or judge it with the mode "no loss shown".'
        )
    return problems


def _doubts(before: Run, after: Run, rule: Rule, validations: Sequence[Validation]) -> list[str]:
    """The reasons why a score that a model gave must not decide."""
    first, second = (run.info.judges.get(rule.score) for run in (before, after))
    if first is None and second is None:
        return []
    if first is None or second is None or first != second:
        told = " and by ".join(f"judge {one}" if one else "no judge" for one in (first, second))
        return [f"{rule.score} was given by {told}: rescore both runs with one judge."]
    given = [one for one in validations if one.judge == first]
    noted = before.info.validations + after.info.validations
    doubt = doubt_of(first, given or noted, rule.judge_at_least)
    return [f"{rule.score}: {doubt}. Validate it or a better one, or leave this score out."] if doubt else []


def judge_overall(rule: Rule, change: Change, confidence: float) -> Ruling:
    """All cases: a loss beyond the tolerance must be ruled out, or with the weaker mode not be shown."""
    tolerance = rule.tolerance

    def ruling(verdict: Verdict, reason: str) -> Ruling:
        return Ruling(rule.score, change, tolerance, verdict, reason, verdict in ("fail", "undecided"))

    if change.p_value < 1 - confidence and change.effect.estimate < -tolerance:
        return ruling("fail", f"worse by {-change.effect.estimate:.3f}")
    if change.is_bounded and noninferiority.can_rule_out(change.differences, tolerance):
        largest = noninferiority.largest_loss(change.differences)
        return ruling(
            "pass", f"{f'a loss of more than {largest:.3f}' if largest > 0 else 'any loss'} is ruled out"
        )
    if rule.mode == "no loss shown":
        return ruling("no loss shown", f"{change.cases} cases show no loss and rule none out")
    reason = f"{change.cases} cases cannot rule out a loss of more than {tolerance:g}"
    return ruling("undecided", reason + _advice(change, tolerance))


def _advice(change: Change, tolerance: float) -> str:
    margin = tolerance + min(0.0, change.effect.estimate)
    if margin <= 0 or not change.deviation:
        return ""
    least = noninferiority.cases_needed(margin) or 0
    needed = max(statistics.cases_needed(margin, change.deviation), least, change.cases + 1)
    return f"; about {needed:,} would settle it"


def judge_slice(rule: Rule, change: Change, tolerance: float, confidence: float, looked_at: int) -> Ruling:
    """One of `looked_at` slices: fail only when a loss is shown, and it is beyond the tolerance."""
    verdict: Verdict
    if change.adjusted_p < 1 - confidence and change.effect.estimate < -tolerance:
        verdict = "fail"
        reason = f"worse by {-change.effect.estimate:.3f}: {change.worse} cases worse, {change.better} better"
    elif change.is_bounded and noninferiority.can_rule_out(change.differences, tolerance):
        verdict, reason = "pass", "a loss beyond the tolerance is ruled out"
    elif looked_at * statistics.sign_test(0, change.cases) >= 1 - confidence:
        verdict, reason = "cannot tell", f"{change.cases} cases could not show any loss"
    else:
        verdict, reason = "no loss shown", f"not shown to be worse, but {change.cases} cases show little"
    return Ruling(rule.score, change, tolerance, verdict, reason, holds_back=False)


def _counted(slices: int) -> str:
    return f"{slices} slice{'' if slices == 1 else 's'}"


def _printable(text: str) -> str:
    """Text without the control characters that XML forbids."""
    return re.sub(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]", "?", text)
