"""The end of a run: a verdict for each group of cases, and a summary of calls, tokens and cost.

Listens to the reports where they all arrive: in pytest itself, or in the controller of pytest-xdist.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aicourse.llm.calls import Usage

KINDS = ("live", "recorded", "scripted", "fault")
LOWEST = 5  # cases named in a verdict that failed


def tally(usage: Usage) -> dict[str, list[Any]]:
    """Calls, tokens in and out, cost and calls without a known price, by the kind of call; plain data."""
    told: dict[str, list[Any]] = {}
    for call in usage.calls:
        kind = "scripted" if call.provider == "scripted" and call.source == "live" else call.source
        sums = told.setdefault(kind, [0, 0, 0, "0", 0])
        sums[0] += 1
        sums[1] += call.prompt_tokens or 0
        sums[2] += call.completion_tokens or 0
        sums[3] = str(Decimal(sums[3]) + (call.cost or 0))
        sums[4] += call.error is None and call.cost is None
    return told


class EndOfRun:
    """Everything that the tests told, put together when the last one has run."""

    def __init__(self) -> None:
        self._usage: dict[str, list[Any]] = {}
        self._scores: dict[tuple[str, str, float, bool], list[tuple[str, float]]] = defaultdict(list)
        self._verdicts: list[str] = []
        self._deciding = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what a test told."""
        told = getattr(report, "aicourse", {})
        for kind, (calls, sent, received, cost, unpriced) in told.get("usage", {}).items():
            sums = self._usage.setdefault(kind, [0, 0, 0, Decimal(0), 0])
            for place, value in enumerate((calls, sent, received, Decimal(cost), unpriced)):
                sums[place] += value
        for group, name, at_least, prove, value in told.get("scores", ()):
            self._scores[group, name, at_least, prove].append((report.nodeid, value))
        if "verdict" in told:
            self._verdicts.append(f"{report.nodeid}: {told['verdict']}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Report each group's verdict as a test of its own, when all cases have run."""
        result = yield
        self._deciding = True
        for (group, name, at_least, prove), cases in sorted(self._scores.items()):
            self._decide(session, f"{group}::{name}", cases, at_least, prove)
        self._deciding = False
        return result

    def _decide(
        self, session: pytest.Session, name: str, cases: list[tuple[str, float]], at_least: float, prove: bool
    ) -> None:
        from aicourse.testing.verdicts import GroupVerdict, runs_needed

        verdict = GroupVerdict.of_scores(
            [value for _, value in sorted(cases)], at_least=at_least, prove=prove
        )
        few = verdict.is_rate and 0 < at_least < 1 and len(cases) < runs_needed(at_least, prove=prove)
        self._verdicts.append(f"{name}: {verdict}{' (too few cases to decide)' if few else ''}")
        if not verdict.passed:
            lowest = sorted(cases, key=lambda case: (case[1], case[0]))[:LOWEST]
            told = "\n".join(f"  {value:g}  {case}" for case, value in lowest)
            report = pytest.TestReport(
                nodeid=name,
                location=(name.partition("::")[0], None, name.partition("::")[2]),
                keywords={},
                outcome="failed",
                longrepr=f"{verdict}\nThe lowest of {len(cases)} cases:\n{told}",
                when="call",
                aicourse_verdict=True,
            )
            session.config.hook.pytest_runtest_logreport(report=report)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """A verdict counts as a failed test; it is named in the summary, not in the row of tests that ran."""
        if not getattr(report, "aicourse_verdict", False):
            return None
        return "failed", "", "" if self._deciding else "FAILED"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Verdicts, and one line of calls, tokens and cost; nothing when there were none."""
        lines = [*self._verdicts, *([f"calls: {self._calls()}"] if self._usage else [])]
        if lines:
            terminalreporter.section("aicourse")
            for line in lines:
                terminalreporter.write_line(line)

    def _calls(self) -> str:
        return ", ".join(_told(kind, *self._usage[kind]) for kind in KINDS if kind in self._usage)


def _told(kind: str, calls: int, sent: int, received: int, cost: Decimal, unpriced: int) -> str:
    from aicourse.llm.calls import dollars

    money = {"live": f", {dollars(cost)} spent", "recorded": f", {dollars(cost)} when recorded"}.get(kind, "")
    unknown = f", price of {unpriced} unknown" if money and unpriced else ""
    return f"{calls} {kind} ({sent:,} tokens in, {received:,} out{money}{unknown})"
