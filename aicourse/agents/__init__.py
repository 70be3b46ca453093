"""Agents: a model that calls tools, within limits, on behalf of one customer.

One journey, file by file: a function is a *tool* (`tools`); what it changes waits for a yes (`writes`);
a model is asked in a loop (`loop`) with rules around it (`rules`), and all that happens is a *trajectory*
(`trajectory`). A *scenario* (`scenarios`) is a conversation to be had with a simulated customer
(`customers`); it is judged (`judging`) by its state in the end and by the facts of the replies (`facts`), and
many of them are an evaluation (`evaluation`). Where a model only proposes, a policy is *rehearsed* on
what was recorded (`rehearsal`).

    from aicourse.agents import Agent, Tools, load_scenarios, run_scenarios, tool

Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.agents.customers import ModelCustomer as ModelCustomer
    from aicourse.agents.customers import ScriptedCustomer as ScriptedCustomer
    from aicourse.agents.evaluation import audit as audit
    from aicourse.agents.evaluation import controls as controls
    from aicourse.agents.evaluation import gate_agents as gate_agents
    from aicourse.agents.evaluation import pass_hat_k as pass_hat_k
    from aicourse.agents.evaluation import run_scenarios as run_scenarios
    from aicourse.agents.facts import facts_in as facts_in
    from aicourse.agents.judging import judge as judge
    from aicourse.agents.loop import Agent as Agent
    from aicourse.agents.loop import Conversation as Conversation
    from aicourse.agents.loop import LoopLimits as LoopLimits
    from aicourse.agents.rehearsal import Rehearsal as Rehearsal
    from aicourse.agents.rehearsal import recorded_proposals as recorded_proposals
    from aicourse.agents.rehearsal import rehearse as rehearse
    from aicourse.agents.rules import SMALL_MODEL as SMALL_MODEL
    from aicourse.agents.rules import known_ids as known_ids
    from aicourse.agents.rules import said as said
    from aicourse.agents.scenarios import Probe as Probe
    from aicourse.agents.scenarios import Scenario as Scenario
    from aicourse.agents.scenarios import load_probes as load_probes
    from aicourse.agents.scenarios import load_scenarios as load_scenarios
    from aicourse.agents.tools import Tool as Tool
    from aicourse.agents.tools import Tools as Tools
    from aicourse.agents.tools import tool as tool
    from aicourse.agents.trajectory import Trajectory as Trajectory
    from aicourse.agents.writes import Write as Write
    from aicourse.agents.writes import Writes as Writes

_NAMES = {
    "customers": ("ModelCustomer", "ScriptedCustomer"),
    "evaluation": ("audit", "controls", "gate_agents", "pass_hat_k", "run_scenarios"),
    "facts": ("facts_in",),
    "judging": ("judge",),
    "loop": ("Agent", "Conversation", "LoopLimits"),
    "rehearsal": ("Rehearsal", "recorded_proposals", "rehearse"),
    "rules": ("SMALL_MODEL", "known_ids", "said"),
    "scenarios": ("Probe", "Scenario", "load_probes", "load_scenarios"),
    "tools": ("Tool", "Tools", "tool"),
    "trajectory": ("Trajectory",),
    "writes": ("Write", "Writes"),
}
_HOME = {name: f"aicourse.agents.{module}" for module, names in _NAMES.items() for name in names}

__all__ = sorted(_HOME)
__getattr__, __dir__ = lazily(__name__, _HOME)
