"""Evaluation of agents: scenarios, several times each, and how sure the share of successes is.

    found = run_scenarios(start, load_scenarios("dev"), seeds=range(8), path="runs/agent.jsonl")
    found.success()                # with its interval: scenarios are drawn, not conversations
    found.pass_hat(4)              # the chance that four conversations in a row succeed
    found.failures()               # last good step by first bad step

`start(scenario, seed)` begins a conversation; `controls` are agents that nobody should trust: one does
nothing, one always hands over, one replays the gold. They show what a scenario is worth: run them each time.
Underneath is a run of `evals`, a case for each scenario and seed: it resumes, and `evals.compare` and
`evals.gate` read it (the score "success"). Cases of one scenario are not independent; the intervals here know
that, those of `evals` do not.

pass^k: Yao et al. 2024 (https://arxiv.org/abs/2406.12045).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aicourse import evals
from aicourse.agents.customers import ScriptedCustomer, play
from aicourse.agents.judging import Finding, Inspection, failure_of, judge
from aicourse.agents.loop import HAND_OVER, Agent, Conversation
from aicourse.agents.scenarios import GoldTurn, PlannedCall, Scenario
from aicourse.agents.tools import Tools
from aicourse.agents.trajectory import Trajectory
from aicourse.errors import AgentError
from aicourse.evals.identity import digest
from aicourse.evals.rules import Mode
from aicourse.evals.runs import CaseRecord, Run
from aicourse.evals.scores import Context, Score
from aicourse.evals.statistics import Interval, bootstrap_mean, proportion

if TYPE_CHECKING:
    import pandas as pd

Start = Callable[[Scenario, int], Conversation]
World = Callable[[Scenario], Tools]
EXPECTED_TO_PASS = {"do nothing": "must_refuse", "always hand over": "hand_over"}  # scenarios with this tag


@dataclass(frozen=True)
class ScenarioResult:
    """One conversation, judged; `fault` is "" if it passed, else whose the failure is."""

    scenario: str
    seed: int
    tags: tuple[str, ...]
    findings: tuple[Finding, ...]
    fault: str
    failure: tuple[str, str]
    trajectory: Trajectory | None

    @property
    def passed(self) -> bool:
        """True if every demand is met."""
        return not self.fault


@dataclass(frozen=True)
class Evaluation:
    """The results of a run of scenarios."""

    run: Run

    @cached_property
    def results(self) -> tuple[ScenarioResult, ...]:
        """Every conversation, in the order of scenarios and seeds."""
        return tuple(map(_result, sorted(self.run.records(), key=lambda record: record.index)))

    @cached_property
    def by_scenario(self) -> Run:
        """The same run as `evals` compares it: a scenario is a case, and its conversations are repeats."""
        records = [
            replace(
                one,
                id=one.input["scenario"],
                repeat=one.input["seed"],
                digest=digest(json.dumps(one.expected, sort_keys=True)),
            )
            for one in self.run.records()
        ]
        seeds = len({one.repeat for one in records})
        return Run(replace(self.run.info, repeats=seeds, cases=len(self.counts)), memory=tuple(records))

    @cached_property
    def counts(self) -> dict[str, tuple[int, int]]:
        """Conversations and successes of each scenario."""
        tried = Counter(one.scenario for one in self.results)
        passed = Counter(one.scenario for one in self.results if one.passed)
        return {name: (tried[name], passed[name]) for name in tried}

    def success(self) -> Interval:
        """The share of successes; the interval is over scenarios, of which these are a sample."""
        return _over_scenarios([passed / tried for tried, passed in self.counts.values()])

    def pass_hat(self, k: int) -> Interval:
        """pass^k: the chance that `k` conversations of one scenario all succeed, over scenarios.

        Raises:
            AgentError: a scenario was tried less than `k` times.
        """
        return _over_scenarios([pass_hat_k(tried, passed, k) for tried, passed in self.counts.values()])

    def per_success(self) -> dict[str, float | None]:
        """Steps (calls of a model), tokens and USD of all conversations, for each that succeeded."""
        talks = [one.trajectory for one in self.results if one.trajectory]
        passed = sum(one.passed for one in self.results)
        costs = [one.cost for one in talks]
        usd = None if None in costs else float(sum((cost for cost in costs if cost), Decimal(0)))
        used = {
            "steps": float(sum(one.model_calls for one in talks)),
            "tokens": float(sum(one.tokens for one in talks)),
            "usd": usd,
        }
        return {
            name: None if amount is None or not passed else amount / passed for name, amount in used.items()
        }

    def damage(self) -> list[str]:
        """Each forbidden change, with its scenario and seed."""
        findings = ((one, finding) for one in self.results for finding in one.findings)
        return [
            f"{one.scenario}/{one.seed}: {finding.why}"
            for one, finding in findings
            if finding.name == "damage" and not finding.passed
        ]

    def faults(self) -> dict[str, int]:
        """The failures by whose they are: agent, simulated customer, infrastructure."""
        return dict(Counter(one.fault for one in self.results if one.fault))

    def failures(self) -> pd.DataFrame:
        """Conversations that failed, counted by the last good step (rows) and the first bad one (columns)."""
        import pandas as pd

        pairs = [one.failure for one in self.results if one.fault]
        frame = pd.DataFrame(pairs, columns=["last good", "first bad"])
        return pd.crosstab(frame["last good"], frame["first bad"])

    def by_tag(self) -> pd.DataFrame:
        """Success of the scenarios with each tag."""
        import pandas as pd

        tagged: dict[str, dict[str, tuple[int, int]]] = {}
        for one in self.results:
            for tag in one.tags:
                tagged.setdefault(tag, {})[one.scenario] = self.counts[one.scenario]
        rows = {
            tag: _row(_over_scenarios([passed / tried for tried, passed in counts.values()]), len(counts))
            for tag, counts in sorted(tagged.items())
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("tag")

    def table(self) -> pd.DataFrame:
        """Each conversation on a row: did it pass, what was not met, steps, tokens, and whose fault it is."""
        import pandas as pd

        rows = [
            {
                "scenario": one.scenario,
                "seed": one.seed,
                "passed": one.passed,
                "not met": "; ".join(f"{two.name}: {two.why}" for two in one.findings if not two.passed),
                "fault": one.fault,
                "steps": one.trajectory.model_calls if one.trajectory else 0,
                "tokens": one.trajectory.tokens if one.trajectory else 0,
            }
            for one in self.results
        ]
        return pd.DataFrame(rows)


def pass_hat_k(tried: int, passed: int, k: int) -> float:
    """The chance that `k` tries all pass, without bias from `tried` tries: C(passed, k) / C(tried, k).

    >>> pass_hat_k(4, 3, 2), round(pass_hat_k(8, 6, 4), 4)
    (0.5, 0.2143)

    Raises:
        AgentError: less than `k` tries.
    """
    if not 1 <= k <= tried or not 0 <= passed <= tried:
        raise AgentError(
            f"pass^{k} of {passed} in {tried} tries cannot be told. Try each scenario {k} times."
        )
    return math.comb(passed, k) / math.comb(tried, k)


def run_scenarios(
    start: Start,
    scenarios: Iterable[Scenario],
    *,
    seeds: Sequence[int] = (0,),
    customer: Callable[[Scenario], ScriptedCustomer] = ScriptedCustomer,
    inspections: Sequence[Inspection] = (),
    name: str = "agent",
    path: Path | str | None = None,
    workers: int = 1,
    **options: Any,
) -> Evaluation:
    """Let customers talk with the agent, once for each scenario and seed; `options` are those of `evals.run`.

    Raises:
        EvaluationError: `path` holds another run.
        AgentError: every conversation broke off, which says nothing about the agent.
        AicourseError: what would stop every further conversation as well.
    """
    by_id = {one.id: one for one in scenarios}
    cases = [
        evals.Case(
            id=f"{one.id}/{seed}",
            input={"scenario": one.id, "seed": seed},
            expected=one.model_dump(mode="json"),
            tags=one.tags,
        )
        for one in by_id.values()
        for seed in seeds
    ]
    task = _Play(start, customer, tuple(inspections))
    found = Evaluation(
        evals.run(task, cases, (_demands,), name=name, path=path, workers=workers, retries=0, **options)
    )
    if found.results and all(one.trajectory is None for one in found.results):
        _, why = found.results[0].failure
        raise AgentError(
            f"No conversation came to its end, the first one by {why}. Correct that, and run again."
        )
    return found


@dataclass(frozen=True)
class _Play:
    """The task: one conversation, judged while its database is there."""

    start: Start
    customer: Callable[[Scenario], ScriptedCustomer]
    inspections: tuple[Inspection, ...]

    def __call__(self, case: evals.Case) -> dict[str, Any]:
        scenario = Scenario.model_validate(case.expected)
        conversation, customer = self.start(scenario, case.input["seed"]), self.customer(scenario)
        play(conversation, customer)
        trajectory, writes = conversation.trajectory, conversation.tools.writes
        if writes is None:
            raise AgentError(
                "These tools keep no writes, so their effects cannot be judged. Give Tools writes=."
            )
        findings = judge(scenario, trajectory, writes.connection, self.inspections)
        return {
            "trajectory": json.loads(replace(trajectory, messages=()).to_json()),
            "findings": [asdict(one) for one in findings],
            "fault": _fault(trajectory, findings, customer),
            "failure": failure_of(scenario, trajectory, findings),
        }


def _fault(trajectory: Trajectory, findings: Sequence[Finding], customer: ScriptedCustomer) -> str:
    if all(one.passed for one in findings):
        return ""
    stopped = (one.text for one in trajectory.steps if one.kind == "stop")
    broken = any(one.status == "failed" for one in trajectory.steps)
    if broken or any(text.startswith("provider") for text in stopped):
        return "infrastructure"
    return "simulated customer" if customer.errors else "agent"


def _demands(context: Context) -> dict[str, Score]:
    """The scores of one conversation: "success", and each demand."""
    findings = [Finding(**one) for one in context.output["findings"]]
    missed = "; ".join(f"{one.name}: {one.why}" for one in findings if not one.passed)
    scores = {one.name: Score(one.name, one.passed, one.why) for one in findings}
    return {"success": Score("success", not context.output["fault"], missed)} | scores


def _result(record: CaseRecord) -> ScenarioResult:
    asked = record.input["scenario"], record.input["seed"], record.tags
    if record.error is not None:
        return ScenarioResult(*asked, (), "infrastructure", ("start", record.error.partition("\n")[0]), None)
    told = record.output
    good, bad = told["failure"]
    findings = tuple(Finding(**one) for one in told["findings"])
    trajectory = Trajectory.from_json(json.dumps(told["trajectory"]))
    return ScenarioResult(*asked, findings, told["fault"], (good, bad), trajectory)


def _over_scenarios(values: Sequence[float]) -> Interval:
    """The mean over scenarios; equal values have an interval, too, which drawing them again cannot show."""
    if not values:
        raise AgentError("There are no results. Run at least one scenario.")
    same = len(set(values)) == 1
    return proportion(sum(values), len(values)) if same else bootstrap_mean(values)


def _row(interval: Interval, scenarios: int) -> dict[str, float]:
    return {"success": interval.estimate, "low": interval.low, "high": interval.high, "scenarios": scenarios}


def gate_agents(
    before: Evaluation, after: Evaluation, tolerance: float, *, mode: Mode = "proof"
) -> evals.GateResult:
    """The gate of `evals` on the success of two agents, scenario by scenario; any damage blocks as well.

    Raises:
        EvaluationError: the scenarios are not the same, or too few for the tolerance.
    """
    rule = evals.Rule("success", tolerance, mode=mode)
    result = evals.gate(before.by_scenario, after.by_scenario, [rule])
    damage = [f"damage in {one}. Find out why before anything else" for one in after.damage()]
    return replace(result, problems=(*result.problems, *damage))


# controls


def controls(world: World) -> dict[str, Start]:
    """Agents without a model: they do nothing, always hand over, or replay the scenario's gold.

    `world` makes the tools of a scenario: `lambda scenario: scenario_desk(scenario).tools()`.
    """
    silent = GoldTurn(reply="Thank you for your message.")
    handing = GoldTurn(calls=(PlannedCall(tool=HAND_OVER, arguments={"reason": "always"}),))
    return {
        "do nothing": lambda scenario, seed: _Puppet(world, scenario, (silent,) * len(scenario.turns)),
        "always hand over": lambda scenario, seed: _Puppet(world, scenario, (handing,)),
        "gold": lambda scenario, seed: _Puppet(world, scenario, scenario.gold),
    }


class _Puppet(Conversation):
    """A conversation in which each turn is given."""

    def __init__(self, world: World, scenario: Scenario, turns: Sequence[GoldTurn]) -> None:
        nobody: Any = None
        super().__init__(Agent(nobody, "no model", ""), world(scenario), scenario.customer)
        self._turns = iter(turns)

    def turn(self, text: str) -> str:
        turn = next(self._turns, GoldTurn())
        results = [self.call(call.tool, json.dumps(call.arguments)) for call in turn.calls]
        questions = [one.confirmation.question for one in results if one.confirmation]
        return "\n".join([*questions, *([turn.reply] if turn.reply else [])]) or "\n".join(
            one.text for one in results
        )


def audit(world: World, scenarios: Iterable[Scenario]) -> list[str]:
    """The flaws of scenarios, a sentence each: the gold fails, or an agent passes that should not.

    An agent that does nothing may pass scenarios with the tag "must_refuse", one that hands over those with
    the tag "hand_over".
    """
    chosen = list(scenarios)
    found = []
    for name, start in controls(world).items():
        for one in run_scenarios(start, chosen, name=name, progress=False).results:
            may_pass = name == "gold" or EXPECTED_TO_PASS[name] in one.tags
            if one.passed and not may_pass:
                found.append(f"{one.scenario}: passed by an agent that {_DOES[name]}")
            elif name == "gold" and not one.passed:
                missed = [f"{two.name}: {two.why}" for two in one.findings if not two.passed]
                found.append(f"{one.scenario}: the gold fails ({'; '.join(missed) or one.failure[1]})")
    return found


_DOES = {"do nothing": "does nothing", "always hand over": "always hands over"}
