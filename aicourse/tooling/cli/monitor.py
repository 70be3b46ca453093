"""`aicourse monitor`: are all rules of alerts at rest, and what the product does, as one page."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from aicourse.tooling.cli.common import PLAIN, Lazy, exit_if

if TYPE_CHECKING:
    from aicourse.monitoring import alerts, figures, metrics
else:
    alerts = Lazy("aicourse.monitoring.alerts")
    figures = Lazy("aicourse.monitoring.figures")

app = typer.Typer(help="Watch the product: states of alerts, figures.", **PLAIN)

Database = Annotated[Path, typer.Argument(help="The product's SQLite file.")]
RuleFile = Annotated[Path | None, typer.Option("--rules", help="A YAML file of rules, not the course's.")]
Every = Literal["hour", "day"]
At = Annotated[datetime | None, typer.Option(help="A time in UTC, for data of the past; now if not given.")]


@app.command(epilog="Example: aicourse monitor check shop.sqlite3")
def check(database: Database, rules: RuleFile = None, at: At = None) -> None:
    """Say the state of each rule of alerts in a sentence.

    Exit code 0: no rule is in ALERT; 1: one is; 3: all are NO_DATA, so nobody knows how the product does.
    """
    statuses = alerts.check(database, rules, at)
    for status in statuses:
        typer.echo(status)
    exit_if(any(status.state == "ALERT" for status in statuses))
    if all(status.state == "NO_DATA" or status.requests == 0 for status in statuses):
        typer.echo(
            "No rule can judge anything: too little came in. Is it the right file, and is it traced into?"
        )
        raise typer.Exit(3)


@app.command(epilog="Example: aicourse monitor report shop.sqlite3 build/monitor.html --by client")
def report(
    database: Database,
    output: Annotated[Path, typer.Argument(help="The HTML file to write.")],
    rules: RuleFile = None,
    at: At = None,
    by: Annotated[str | None, typer.Option(help="A line for each client, prompt_version, …")] = None,
    every: Annotated[Every, typer.Option(help="The periods of the figures.")] = "day",
) -> None:
    """Write figures and states as one HTML file that loads nothing."""
    group = cast("metrics.Group | None", by)  # an unknown one is refused in a sentence
    written = figures.write_report(database, output, rules=rules, at=at, by=group, every=every)
    typer.echo(written)
