"""`aicourse agents`: talk with the support assistant, evaluate it on scenarios, gate a candidate."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aicourse.errors import AgentError
from aicourse.html import visible
from aicourse.suggestions import did_you_mean
from aicourse.tooling.cli.common import HELP_MODEL, PLAIN, Lazy, exit_if, waits_told
from aicourse.tooling.cli.evals import resumable

if TYPE_CHECKING:
    from aicourse import agents, llm
    from aicourse.agents import customers as playing
    from aicourse.agents.trajectory import Step
    from aicourse.llm import catalog
    from aicourse.marketplace.support import assistant, snapshot
    from aicourse.tooling.evaluation import conversations
else:
    agents = Lazy("aicourse.agents")
    assistant = Lazy("aicourse.marketplace.support.assistant")
    catalog = Lazy("aicourse.llm.catalog")
    conversations = Lazy("aicourse.tooling.evaluation.conversations")
    llm = Lazy("aicourse.llm")
    playing = Lazy("aicourse.agents.customers")
    snapshot = Lazy("aicourse.marketplace.support.snapshot")

app = typer.Typer(help="Talk with the support assistant, evaluate it, gate a candidate.", **PLAIN)

ModelName = Annotated[str, typer.Option(help="A name from `aicourse model list`.")]
RunFile = Annotated[Path, typer.Argument(help="A file that `aicourse agents evaluate` wrote.")]
SECONDS_A_TURN = {"embedded": 12, "": 6}  # of a small model on two quiet cores, of a hosted one
VARIED = 0.7  # the temperature of several conversations about one scenario


@app.command(epilog="Example: aicourse agents run D01")
def run(
    scenario: Annotated[str | None, typer.Argument(help="D01 to T25; without one, you write.")] = None,
    customer: Annotated[str, typer.Option(help="Whose orders they are when you write.")] = "mia",
    model: ModelName = HELP_MODEL,
) -> None:
    """Have one conversation, and see each step of it: a scenario's, or your own.

    Exit code 0: the scenario passed, or you have left; 1: it did not pass.
    """
    agent = assistant.support_agent(llm.connect(model=model), model, temperature=0)
    if scenario is None:
        with waits_told():
            _talk(agent, customer)
        return
    chosen = {one.id: one for one in agents.load_scenarios()}
    if scenario not in chosen:
        raise AgentError(
            f"No scenario {scenario}.{did_you_mean(scenario, chosen)} Use D01 to D15, T01 to T25."
        )
    desk = snapshot.scenario_desk(chosen[scenario])
    conversation = agent.start(desk.tools(), desk.customer, tell=_show)
    with waits_told():
        playing.play(conversation, agents.ScriptedCustomer(chosen[scenario]))
    findings = agents.judge(chosen[scenario], conversation.trajectory, desk.connection)
    typer.echo("\n" + "\n".join(f"{one.name}: {visible(one.why) or 'as it should be'}" for one in findings))
    exit_if(not all(one.passed for one in findings))


def _talk(agent: agents.Agent, customer: str) -> None:
    """A conversation with whoever sits at the terminal, until an empty line or the input's end."""
    tools = snapshot.course_desk(snapshot.course_shop(), customer).tools()
    conversation = agent.start(tools, customer, tell=_show)
    typer.echo(f"You are {customer}; an empty line ends it.")
    with suppress(typer.Abort):  # Ctrl-D and Ctrl-C: no yes to anything
        while said := typer.prompt("You", default="", show_default=False).strip():
            conversation.say(said)
            for asked in conversation.waiting:
                conversation.answer(asked.token, yes=typer.confirm(visible(asked.question)))


def _show(step: Step) -> None:
    """One step on a line, and each row that it changed."""
    typer.echo("\n    ".join(map(visible, (f"  {step.headline}", *map(str, step.changes)))))


@app.command(epilog="Example: aicourse agents evaluate --split dev --out build/runs/agent.jsonl")
def evaluate(
    out: Annotated[Path, typer.Option(help="The run's file; the same command goes on with it.")],
    split: Annotated[
        Literal["dev", "test"], typer.Option(help="15 scenarios of dev, or 25 of test.")
    ] = "dev",
    probes: Annotated[bool, typer.Option("--probes", help="The 15 probes of injection instead.")] = False,
    seeds: Annotated[int, typer.Option(min=1, max=64, help="Conversations about each scenario.")] = 1,
    k: Annotated[int, typer.Option("-k", min=1, help="Of pass^k, with at least so many seeds.")] = 4,
    customer: Annotated[
        Literal["scripted", "model"], typer.Option(help="Who plays the customer.")
    ] = "scripted",
    model: ModelName = HELP_MODEL,
) -> None:
    """Evaluate the support assistant on scenarios, beside agents that nobody should trust.

    Intervals are over scenarios. With several seeds the temperature is 0.7, else 0.
    """
    attacks = agents.load_probes() if probes else ()
    chosen = [one.scenario for one in attacks] if probes else list(agents.load_scenarios(split))
    client, temperature = llm.connect(model=model), VARIED if seeds > 1 else 0.0
    customers: dict[str, Callable[[agents.Scenario], agents.ScriptedCustomer]] = {
        "scripted": agents.ScriptedCustomer,
        "model": lambda one: agents.ModelCustomer(one, client=client, model=model),
    }

    # No seed is sent: some refuse or ignore it, and the embedded model would read its long prompt anew.
    agent = assistant.support_agent(client, model, temperature=temperature)

    def world(scenario: agents.Scenario) -> agents.Tools:
        return snapshot.scenario_desk(scenario).tools()

    turns = seeds * sum(len(one.turns) for one in chosen)
    typer.echo(_estimate(turns, model), err=True)
    with resumable(out), waits_told():
        found = agents.run_scenarios(
            lambda scenario, seed: agent.start(world(scenario), scenario.customer),
            chosen,
            seeds=range(seeds),
            customer=customers[customer],
            name="support assistant",
            path=out,
            facts={"model": model, "customer": customer, "temperature": str(temperature)}
            | conversations.made_of(agent),
        )
    beside = {
        name: agents.run_scenarios(start, chosen, name=name, progress=False)
        for name, start in agents.controls(world).items()
    }
    typer.echo(conversations.report({model: found} | beside, model, k if seeds >= k else 0))
    if attacks:
        typer.echo(conversations.obeyed(attacks, found))
    typer.echo(f"Kept in {out}")


def _estimate(turns: int, model: str) -> str:
    """The time that it takes, roughly, before the first call."""
    known = catalog.models()
    provider = known[model].provider if model in known else ""
    minutes = turns * SECONDS_A_TURN.get(provider, SECONDS_A_TURN[""]) / 60
    return f"{turns} turns or more: about {minutes:.0f} minutes, less what is recorded or done already."


@app.command(epilog="Example: aicourse agents gate before.jsonl after.jsonl --tolerance 0.15")
def gate(
    before: RunFile,
    after: RunFile,
    tolerance: Annotated[float, typer.Option(min=0, max=1, help="The most success that may be lost.")] = 0.15,
    no_loss_shown: Annotated[
        bool, typer.Option("--no-loss-shown", help="A loss must only not be shown, which is no proof.")
    ] = False,
) -> None:
    """Judge whether the second agent may replace the first. Any damage blocks.

    Exit code 0: it may; 1: it may not.
    """
    result = agents.gate_agents(
        conversations.find_evaluation(before),
        conversations.find_evaluation(after),
        tolerance,
        mode="no loss shown" if no_loss_shown else "proof",
    )
    typer.echo(result.to_text())
    exit_if(not result.passed)
