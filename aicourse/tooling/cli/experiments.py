"""`aicourse experiment`: how many people it takes, if an exposure log is sound, what an experiment shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aicourse.html import visible
from aicourse.tooling.cli.common import PLAIN, Lazy, exit_if

if TYPE_CHECKING:
    from aicourse import experiments
    from aicourse.marketplace import app as marketplace
else:
    experiments = Lazy("aicourse.experiments")
    marketplace = Lazy("aicourse.marketplace.app")

app = typer.Typer(help="Plan experiments, check their logs, analyse them.", **PLAIN)

ExperimentFile = Annotated[Path, typer.Argument(help="TOML; docs/experiments.md has an example.")]
Log = Annotated[Path, typer.Argument(help="The exposures: JSON Lines, or a .csv file.")]
By = Annotated[list[str] | None, typer.Option(help="Sample ratios by this column, too; may be repeated.")]


@app.command(epilog="Example: aicourse experiment plan experiment.toml --traffic 800 --baseline 0.62")
def plan(
    file: ExperimentFile,
    traffic: Annotated[float, typer.Option(min=1, help="New people a day.")],
    baseline: Annotated[float | None, typer.Option(help="The primary metric today.")] = None,
    deviation: Annotated[
        float | None, typer.Option(help="Its standard deviation between people; none for a rate.")
    ] = None,
    outcomes: Annotated[
        Path | None, typer.Option(help="Past outcomes that both are taken from; JSON Lines or .csv.")
    ] = None,
    effect: Annotated[list[float] | None, typer.Option(help="Relative: 0.05; may be repeated.")] = None,
    power: Annotated[float, typer.Option(min=0.5, max=0.999, help="The chance to find it.")] = 0.8,
) -> None:
    """Show how many people and days an experiment takes, by the effect that it should find."""
    experiment = experiments.read_experiment(file)
    table = experiments.plan(
        experiment,
        traffic=traffic,
        baseline=baseline,
        deviation=deviation,
        past=outcomes,
        effects=effect or (),
        power=power,
    )
    typer.echo(table.to_string(index=False, float_format="{:.4g}".format))


@app.command(epilog="Example: aicourse experiment check experiment.toml exposures.jsonl --by client")
def check(
    file: ExperimentFile,
    log: Log,
    by: By = None,
    aa: Annotated[Path | None, typer.Option(help="Outcomes, for an A/A check of each metric.")] = None,
) -> None:
    """Check an exposure log: traffic, sample ratios, people of several variants. Exit code 1 if one fails."""
    experiment = experiments.read_experiment(file)
    checked = experiments.check_log(experiment, log, by or ())
    typer.echo(checked)
    wrong = False
    for metric, rate in (experiments.aa_rates(experiment, aa) if aa else {}).items():
        right = rate.low <= 0.05 <= rate.high
        told = "as it should" if right else "instead of 5 %: too few people have most of it"
        typer.echo(visible(f"A/A, {metric}: the test errs in {rate.estimate:.1%}, {told}."))
        wrong = wrong or not right
    exit_if(bool(checked.problems) or wrong)


@app.command(epilog="Example: aicourse experiment analyse experiment.toml exposures.jsonl outcomes.jsonl")
def analyse(
    file: ExperimentFile,
    log: Log,
    outcomes: Annotated[
        Path,
        typer.Argument(
            help="A `person` and numbers a row; JSON Lines, .csv, or the marketplace's own .sqlite3."
        ),
    ],
    by: By = None,
) -> None:
    """Show each metric with its interval, and the decision. Exit code 1 to hold or to roll back."""
    experiment = experiments.read_experiment(file)
    is_shop = outcomes.suffix in (".sqlite3", ".sqlite", ".db")
    table = marketplace.read_outcomes(outcomes, experiment, log) if is_shop else outcomes
    analysis = experiments.analyse(experiment, log, table, by or ())
    typer.echo(analysis)
    exit_if(analysis.decision.action in ("hold", "roll back"))
