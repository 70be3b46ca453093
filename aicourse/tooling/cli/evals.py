"""`aicourse evals`: run a prompt or any task over cases, compare two runs, gate, report, exchange cases."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aicourse import paths
from aicourse.tooling.cli.common import PLAIN, Lazy, exit_if

if TYPE_CHECKING:
    from aicourse import evals
    from aicourse.evals import rules, runs
    from aicourse.tooling.evaluation import exchange, jobs, references, summary
else:
    evals = Lazy("aicourse.evals")
    exchange = Lazy("aicourse.tooling.evaluation.exchange")
    jobs = Lazy("aicourse.tooling.evaluation.jobs")
    references = Lazy("aicourse.tooling.evaluation.references")
    rules = Lazy("aicourse.evals.rules")
    runs = Lazy("aicourse.evals.runs")
    summary = Lazy("aicourse.tooling.evaluation.summary")

app = typer.Typer(help="Evaluate prompts and tasks; compare, gate, report.", **PLAIN)

INTERRUPTED = 130  # what shells report for Ctrl-C

Cases = Annotated[str, typer.Argument(help="A .jsonl file of cases, or datasets/listings.")]
RunFile = Annotated[Path, typer.Argument(help="A file that `aicourse evals run` wrote.")]
Split = Annotated[str | None, typer.Option(help="Of datasets/listings: dev or test.")]
Scores = Annotated[list[str] | None, typer.Option("--score", help="May be repeated; else the main ones.")]


class Target(StrEnum):
    """Formats that cases are exported to."""

    PROMPTFOO = "promptfoo"
    INSPECT = "inspect"
    PYDANTIC_EVALS = "pydantic-evals"
    BATCH = "batch"


class Source(StrEnum):
    """Formats that cases are imported from."""

    PROMPTFOO = "promptfoo"
    INSPECT = "inspect"
    CSV = "csv"


@app.command(epilog="Example: aicourse evals run datasets/listings --prompt extract_listing@production")
def run(
    cases: Cases,
    prompt: Annotated[str | None, typer.Option(help="Of listings: name@version or name@label.")] = None,
    split: Split = None,
    model: Annotated[str | None, typer.Option(help="A name from `aicourse model list`.")] = None,
    photos: Annotated[bool, typer.Option("--photos", help="Show the model the photos too.")] = False,
    task: Annotated[str | None, typer.Option(metavar="MODULE:FUNCTION", help="A function of a case.")] = None,
    answers: Annotated[Path | None, typer.Option(help="Score a batch's output file instead.")] = None,
    scorers: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="exact, brand.exact, or module:NAME; may repeat.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Default: a file in build/runs.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first cases.")] = None,
    tag: Annotated[str | None, typer.Option(metavar="SLICE", help="Only the cases of this slice.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Try each case so many times.")] = 1,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Cases at a time.")] = 4,
    live: Annotated[bool, typer.Option("--live", help="Ask the model anew; use no recorded reply.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Ask anew and keep the replies.")] = False,
) -> None:
    """Run a prompt, or any task, over cases and score it. Rerun to resume: no finished case is repeated."""
    if live and record:
        raise typer.BadParameter("--live keeps no reply and --record does; choose one.")
    replay = "off" if live else "record" if record else None
    if replay:
        os.environ["AICOURSE_REPLAY"] = replay  # for the clients that a task makes
    chosen = jobs.Choice(tag, limit, repeats, workers, replay)
    if Path(cases).is_dir():
        job = jobs.listings_job(cases, prompt, split=split, model=model, photos=photos, choice=chosen)
    else:
        job = jobs.cases_job(cases, task, scorers or [], answers=answers, choice=chosen)
    path = out or job.default_path
    with resumable(path):
        result = job.run(path)
    typer.echo(f"{result}\nKept in {path}")


@contextmanager
def resumable(path: Path) -> Iterator[None]:
    """Ctrl-C ends with a sentence that says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(jobs.interrupted(path, shlex.join(["aicourse", *sys.argv[1:]])), err=True)
        raise typer.Exit(INTERRUPTED) from None


@app.command(
    epilog="Example: aicourse evals rescore build/runs/v4.jsonl --scorers exact --out v4-exact.jsonl"
)
def rescore(
    run: RunFile,
    scorers: Annotated[list[str], typer.Option(metavar="NAME", help="As for `evals run`; may repeat.")],
    out: Annotated[Path, typer.Option(help="The file to write; the run itself stays as it is.")],
) -> None:
    """Score a run's outputs anew. No case is tried again."""
    scored = evals.rescore(jobs.find_run(run), references.find_scorers(scorers))
    typer.echo(f"{runs.save_run(scored, out)}\nKept in {out}")


@app.command(epilog="Example: aicourse evals compare build/runs/before.jsonl build/runs/after.jsonl")
def compare(
    before: RunFile,
    after: RunFile,
    score: Scores = None,
    slices: Annotated[bool, typer.Option("--slices", help="Each score in each slice, too.")] = False,
    smallest: Annotated[int, typer.Option(min=2, help="Of slices: name those below this many only.")] = 5,
    listed: Annotated[int, typer.Option("--list", min=0, help="How many better and worse cases.")] = 5,
) -> None:
    """Compare two runs case by case: each score with interval and verdict, then what changed most."""
    first, second = jobs.find_run(before), jobs.find_run(after)
    names = score or rules.main_scores(first, second)
    typer.echo(summary.of_runs(first, second, names, listed=listed, slices=slices, smallest=smallest))


@app.command(epilog="Example: aicourse evals gate before.jsonl after.jsonl --rule brand.normalised=0.05:0.10")
def gate(
    before: RunFile,
    after: Annotated[Path | None, typer.Argument(help="Leave out to see if the rules can be met.")] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SCORE=TOLERANCE[:SLICE_TOLERANCE]", help="May be repeated; else each main score."
        ),
    ] = None,
    rules_file: Annotated[Path | None, typer.Option("--rules", help="Rules in a YAML or TOML file.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Named slices need proof as well.")] = False,
    no_loss_shown: Annotated[
        bool, typer.Option("--no-loss-shown", help="A loss must only not be shown, which is no proof.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Show every slice, not those alone that decide.")
    ] = False,
    markdown: Annotated[Path | None, typer.Option(help="Write the result there, for a CI summary.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the result there, as CI test results.")] = None,
    validation: Annotated[
        list[Path] | None, typer.Option(help="Of a judge that gave a score: its file; may be repeated.")
    ] = None,
    proof: Annotated[Path | None, typer.Option(help="Write what `prompts promote` asks for.")] = None,
) -> None:
    """Judge whether the second run may replace the first. Exit code 0 if it may, 1 if not."""
    first = jobs.find_run(before)
    second = jobs.find_run(after) if after else first
    given = rules.read_rules(rules_file) if rules_file else None
    chosen = [*(given.rules if given else ()), *map(rules.parse_rule, rule or ())]
    chosen = chosen or evals.default_rules(first, second)
    if no_loss_shown:
        chosen = [replace(one, mode="no loss shown") for one in chosen]
    if after is None:
        cases = len(first.identities())
        rules.refuse_unreachable(chosen, cases)
        typer.echo(f"With {cases} cases a candidate can pass. Run it, then judge both runs.")
        return
    result = evals.gate(
        first,
        second,
        chosen,
        strict=strict or bool(given and given.strict),
        validations=[*map(evals.read_validation, validation or ())],
    )
    for path, content in ((markdown, result.to_markdown()), (junit, result.to_junit())):
        if path:
            paths.write_atomically(path, content)
    if proof:
        evals.write_approval(evals.approval_of(result, first, second), proof)
    typer.echo(result.to_text(everything=everything))
    exit_if(not result.passed)


@app.command("report", epilog="Example: aicourse evals report build/runs/after.jsonl --out build/report.html")
def write_report(
    run: RunFile,
    out: Annotated[Path, typer.Option(help="The HTML file to write.")],
    before: Annotated[Path | None, typer.Option(help="Compare with this run.")] = None,
    limit: Annotated[
        int, typer.Option(min=1, help="At most so many cases in the table, worst first.")
    ] = 1_000,
) -> None:
    """Write a run, or the difference of two, as one HTML file. Totals, plots, cases to sort and filter."""
    first = jobs.find_run(before) if before else None
    typer.echo(evals.write_report(jobs.find_run(run), out, before=first, limit=limit))


@app.command(
    "export", epilog="Example: aicourse evals export datasets/listings --to promptfoo --out tests.yaml"
)
def export_cases(
    cases: Cases,
    to: Annotated[Target, typer.Option(help="The format.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    split: Split = None,
    model: Annotated[str | None, typer.Option(help="Of a batch: the model it asks.")] = None,
    system: Annotated[str, typer.Option(help="Of a batch: its system message.")] = "",
) -> None:
    """Write cases for promptfoo, inspect-ai, pydantic-evals or OpenAI's Batch API; see `evals import`."""
    found = exchange.find_cases(cases, split=split)
    typer.echo(exchange.export_cases(found, to.value, out, model=model, system=system))


@app.command("import", epilog="Example: aicourse evals import tests.yaml --from promptfoo --out cases.jsonl")
def import_cases(
    path: Annotated[Path, typer.Argument(help="A file of another tool, or CSV.")],
    source: Annotated[Source, typer.Option("--from", help="The format.")],
    out: Annotated[Path, typer.Option(help="The .jsonl file to write.")],
    input: Annotated[str, typer.Option(help="Of CSV: the column that goes in.")] = "input",
    expected: Annotated[str | None, typer.Option(help="Of CSV: the column that should come out.")] = None,
    id: Annotated[str | None, typer.Option(help="Of CSV: the column with ids; else numbers.")] = None,
    tags: Annotated[str | None, typer.Option(help="Of CSV: the column with slices, by commas.")] = None,
) -> None:
    """Turn cases of promptfoo, inspect-ai or a CSV file into a set. Nothing is written if one is broken."""
    imported = exchange.import_cases(
        path, source.value, out, input=input, expected=expected, id=id, tags=tags
    )
    typer.echo("\n".join([f"{len(imported.cases)} cases in {out}", *imported.remarks]))
