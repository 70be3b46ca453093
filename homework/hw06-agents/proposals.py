"""Records what the model proposes in the situations of homework 6; for maintainers, not for students.

    python homework/hw06-agents/proposals.py

Walks each scenario along two paths (`walks`) with the support assistant's model, prompt and examples, but
without its rules. Writes `proposals.jsonl` (dev, for students) and `hidden.jsonl` (the grader's scenarios).
A situation that is recorded is not asked about again, so it can be interrupted; delete the files to record
anew. Three to five seconds for each on two cores. `Live` is for graders who let the model answer off these
paths as well: README.md.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

from aicourse import connect
from aicourse.agents import load_scenarios
from aicourse.agents.rehearsal import LONGEST_REPLY, rehearse, situation
from aicourse.agents.scenarios import read_scenarios
from aicourse.marketplace.support.assistant import support_agent
from aicourse.marketplace.support.desk import Desk
from aicourse.marketplace.support.snapshot import course_shop, scenario_desk
from aicourse.paths import datasets_dir
from aicourse.prompts.template import harmless

FOLDER = Path(__file__).parent
MOST_FOLLOWED = 5  # calls in a conversation
WRITES = {"report_problem", "refund_order", "cancel_order", "change_address"}
HIDDEN_SCENARIOS = datasets_dir() / "support" / "grader" / "scenarios.jsonl"


class Live:
    """Proposals by the model itself, kept in a file: each situation is asked about once."""

    def __init__(self, path):
        self._path, self._lock = path, threading.Lock()
        lines = path.read_text("utf-8").splitlines() if path.is_file() else []
        self.known = {one["situation"]: one["proposal"] for one in map(json.loads, lines)}
        self.met = set()
        self._agent = None

    def __call__(self, state):
        """The proposal for a state, which is asked for and kept if it is new."""
        name = situation(state)
        self.met.add(name)
        with self._lock:  # the model answers one at a time anyway
            if name not in self.known:
                self.known[name] = self._ask(state["history"])
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(as_line(name, self.known[name]))
            return self.known[name]

    def _ask(self, history):
        if self._agent is None:
            client = connect("embedded", replay="off")
            self._agent = support_agent(client, temperature=0, max_completion_tokens=80)
            self._tools = Desk(course_shop(), "nobody").tools().schemas
        agent = self._agent
        system = {"role": "system", "content": agent.instructions}
        reply = agent.client.chat.completions.create(
            model=agent.model,
            messages=[system, *agent.examples, *as_messages(history)],
            tools=self._tools,
            **agent.settings,
        )
        return as_proposal(reply.choices[0].message)


def as_messages(history):
    """What was said and done, as the model reads it."""
    for number, one in enumerate(history):
        if one["kind"] == "call":
            called = {"name": one["call"], "arguments": json.dumps(one["arguments"], ensure_ascii=False)}
            asked = {"id": f"c{number}", "type": "function", "function": called}
            yield {"role": "assistant", "content": None, "tool_calls": [asked]}
            yield {"role": "tool", "tool_call_id": f"c{number}", "content": harmless(one["text"])}
        else:
            role = "user" if one["kind"] == "customer" else "assistant"
            yield {"role": role, "content": harmless(one["text"])}


def as_proposal(message):
    """A model's message as a decision that could be taken; of several calls the first."""
    if not message.tool_calls:
        return {"reply": (message.content or "")[:LONGEST_REPLY]}
    asked = message.tool_calls[0].function
    return {"call": asked.name, "arguments": json.loads(asked.arguments or "{}")}


def as_line(name, proposal):
    """A line of the file."""
    return json.dumps({"situation": name, "proposal": proposal}, ensure_ascii=False) + "\n"


def walks(scenario):
    """Two paths, each with a list of the orders first: what the model proposes then, and the gold."""
    listed = {"call": "list_my_orders", "arguments": {}}
    gold = [[{"call": one.tool, "arguments": one.arguments} for one in turn.calls] for turn in scenario.gold]
    gold = [[one for one in calls if one != listed] for calls in gold]
    none = [[] for _ in gold]
    return (
        walk(scenario, [[listed], *none[1:]], follows=True),
        walk(scenario, [[listed, *gold[0]], *gold[1:]]),
    )


def walk(scenario, planned, follows=False):
    """A policy: planned calls in each turn, then if it `follows` what is proposed, then the gold's reply."""
    left = [list(some) for some in planned]
    handed = {one.tool for turn in scenario.gold for one in turn.calls if one.tool == "hand_over"}
    sensible = {"list_my_orders", "order_status", "search_help", *WRITES, *handed}

    def decide(state):
        turn, proposal = state["turn"] - 1, state["proposal"]
        if left[turn]:
            return left[turn].pop(0)
        made = [(one["call"], one["arguments"]) for one in state["history"] if one["kind"] == "call"]
        is_new = proposal and "call" in proposal and (proposal["call"], proposal["arguments"]) not in made
        if follows and is_new and len(made) < MOST_FOLLOWED and proposal["call"] in sensible:
            return proposal
        return {"reply": scenario.gold[turn].reply or state["history"][-1]["text"][:LONGEST_REPLY]}

    return decide


def hurried(scenarios):
    """The scenarios with customers who say yes to every question, as this homework has them."""
    return [one.model_copy(update={"temper": "hurried"}) for one in scenarios]


def record(*parts):
    """Walk scenarios, each part into its file, the first path of all first.

    What no path meets any more is dropped and the rest sorted, so that recording again gives the same file.
    """
    lives = [(hurried(scenarios), Live(path), path) for scenarios, path in parts]
    for number in range(2):
        for scenarios, live, _ in lives:
            for scenario in scenarios:
                rehearse(scenario, scenario_desk(scenario).tools(), walks(scenario)[number], live)
                print(f"path {number + 1}, {scenario.id}: {len(live.known)} recorded", flush=True)
    for _, live, path in lives:
        lines = [as_line(name, live.known[name]) for name in sorted(live.met)]
        path.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    record(
        (load_scenarios("dev"), FOLDER / "proposals.jsonl"),
        (read_scenarios(HIDDEN_SCENARIOS), FOLDER / "hidden.jsonl"),
    )
