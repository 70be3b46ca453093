"""Agents: a model that calls tools, within limits, on behalf of one customer.

One journey, file by file: a function is a *tool* (`tools`); what it changes waits for a yes (`writes`); a
*scenario* is a conversation to be had and how to judge it (`scenarios`).

    from aicourse.agents import Tools, tool

Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.agents.scenarios import Probe as Probe
    from aicourse.agents.scenarios import Scenario as Scenario
    from aicourse.agents.scenarios import load_probes as load_probes
    from aicourse.agents.scenarios import load_scenarios as load_scenarios
    from aicourse.agents.tools import Tool as Tool
    from aicourse.agents.tools import Tools as Tools
    from aicourse.agents.tools import tool as tool
    from aicourse.agents.writes import Writes as Writes

_NAMES = {
    "scenarios": ("Probe", "Scenario", "load_probes", "load_scenarios"),
    "tools": ("Tool", "Tools", "tool"),
    "writes": ("Writes",),
}
_HOME = {name: f"aicourse.agents.{module}" for module, names in _NAMES.items() for name in names}

__all__ = sorted(_HOME)
__getattr__, __dir__ = lazily(__name__, _HOME)
