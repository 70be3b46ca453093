"""The `aicourse` command. Each command parses its arguments and calls one function.

Groups of commands have a file each in this folder; what stands here are those about lessons and the machine.

Foreseeable mistakes end in one sentence on stderr and exit code 1; `AICOURSE_DEBUG=1` shows the
traceback. Help is plain text, because drawing it with rich triples the time that `--help` takes.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aicourse import html, paths
from aicourse.errors import AicourseError
from aicourse.llm import catalog
from aicourse.tooling.cli.agents import app as agents
from aicourse.tooling.cli.capstone import app as capstone
from aicourse.tooling.cli.common import HELP_MODEL, PLAIN, Lazy, exit_if
from aicourse.tooling.cli.evals import app as evals
from aicourse.tooling.cli.experiments import app as experiments
from aicourse.tooling.cli.grading import app as grading
from aicourse.tooling.cli.homework import app as homework
from aicourse.tooling.cli.monitor import app as monitor
from aicourse.tooling.cli.prompts import app as prompts
from aicourse.tooling.cli.rag import app as rag

if TYPE_CHECKING:
    from aicourse import experiments as experiment_files
    from aicourse import notebook
    from aicourse.llm import keys
    from aicourse.marketplace import app as marketplace
    from aicourse.notebook import store
    from aicourse.tooling import course
    from aicourse.tooling.cli import tables
    from aicourse.tooling.course import doctor, selftest
    from aicourse.tooling.localmodel import model_files, process
    from aicourse.tooling.localmodel.server import serving
else:
    course = Lazy("aicourse.tooling.course")
    doctor = Lazy("aicourse.tooling.course.doctor")
    experiment_files = Lazy("aicourse.experiments")
    keys = Lazy("aicourse.llm.keys")
    marketplace = Lazy("aicourse.marketplace.app")
    notebook = Lazy("aicourse.notebook")
    store = Lazy("aicourse.notebook.store")
    selftest = Lazy("aicourse.tooling.course.selftest")
    tables = Lazy("aicourse.tooling.cli.tables")
    model_files = Lazy("aicourse.tooling.localmodel.model_files")
    process = Lazy("aicourse.tooling.localmodel.process")
    serving = Lazy("aicourse.tooling.localmodel.server.serving")

app = typer.Typer(
    help="Learn and teach AI engineering in Jupyter.",
    epilog="Start with: aicourse doctor",
    pretty_exceptions_enable=False,
    **PLAIN,
)
models = typer.Typer(help="List models; fetch and remove files.", **PLAIN)
app.add_typer(models, name="model")
app.add_typer(capstone, name="capstone")
app.add_typer(agents, name="agents")
app.add_typer(evals, name="evals")
app.add_typer(experiments, name="experiment")
app.add_typer(grading)  # grade, gradebook, feedback, similarity
app.add_typer(homework, name="homework")
app.add_typer(monitor, name="monitor")
app.add_typer(prompts, name="prompts")
app.add_typer(rag, name="rag")

LESSON = "Number, name or file of a lesson: 01, 01-the-first-call, notebooks/01-the-first-call.ipynb."
Lessons = Annotated[list[str] | None, typer.Argument(metavar="LESSON", help=LESSON)]
ModelName = Annotated[str, typer.Argument(help="A name from `aicourse model list`.")]


def main() -> None:
    """Run the command line; an AicourseError ends it with its message alone."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a Windows console may lack a letter of a lesson's title
    try:
        app(prog_name="aicourse")
    except AicourseError as error:
        if os.environ.get("AICOURSE_DEBUG"):
            raise
        sys.exit(html.visible(keys.masked(error.message)))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aicourse {importlib.metadata.version('aicourse')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Learn and teach AI engineering in Jupyter."""


@app.command("doctor", epilog="Example: aicourse doctor")
def run_doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts and bug reports.")] = False,
) -> None:
    """Examine this machine. Each problem comes with one line that mends it."""
    report = doctor.report()
    typer.echo(report.to_json() if as_json else str(report))
    exit_if(report.has_problems)


@models.command("list", epilog="Example: aicourse model list")
def list_models() -> None:
    """List all models. With context, prices, retirement dates, and whether their files are here."""
    tables.show(tables.models(date.today()))


@models.command("pull", epilog="Example: aicourse model pull smollm2-135m")
def pull_model(name: ModelName = catalog.DEFAULT_MODEL) -> None:
    """Fetch a model's files. Verified, resumed after an interruption, shared by all notebooks."""
    typer.echo(model_files.pull(catalog.embedded_model(name).name))


@models.command("path", epilog="Example: aicourse model path qwen2.5-coder-0.5b")
def show_model_path(name: ModelName) -> None:
    """Print the path of a model's main file."""
    path = model_files.local_path(catalog.embedded_model(name).name)
    if path is None:
        raise AicourseError(
            f"{name} is not on this computer. Fetch it with: aicourse model pull {name}", model=name
        )
    typer.echo(path)


@models.command("remove", epilog="Example: aicourse model remove smollm2-135m")
def remove_model(name: ModelName) -> None:
    """Delete a model's files from this computer."""
    typer.echo(f"{model_files.remove(catalog.embedded_model(name).name) / 1e6:,.0f} MB freed.")


@app.command(epilog="Example: aicourse run 01 -p N_CASES=5")
def run(
    names: Lessons = None,
    everything: Annotated[bool, typer.Option("--all", help="Run all lessons.")] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="Set a parameter of the lesson."),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Ask the model anew; use no recorded reply.")] = False,
    save: Annotated[
        bool, typer.Option("--save", help="Store the outputs in the lessons themselves.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Lessons at a time; one per core if not given, one with --live.")
    ] = None,
) -> None:
    """Run lessons with papermill. Executed notebooks and a report appear in build/course."""
    if bool(names) == everything:
        raise typer.BadParameter("Name lessons, or use --all.")
    if save and live:
        raise typer.BadParameter("--save stores what the recordings give, so it does not go with --live.")
    replay = "off" if live else "only" if save else keys.settings().get("AICOURSE_REPLAY") or "auto"
    runs = course.run(names, save=save, jobs=jobs, parameters=_parameters(parameter or []), replay=replay)
    report = course.write_report(runs, paths.build_dir() / "course")
    for warning in course.slow_lessons(runs).values():
        typer.echo(f"\nSlow: {warning}")
    typer.echo(
        f"\nReport: {report}\nTo work through the lessons: make lab (or: python -m jupyterlab notebooks)"
    )
    exit_if(any(run.error for run in runs))


def _parameters(assignments: Sequence[str]) -> dict[str, Any]:
    """["N=5", "NAME=blue"] -> {"N": 5, "NAME": "blue"}: a value is JSON where it can be, else text."""
    parsed = {}
    for assignment in assignments:
        name, separator, value = assignment.partition("=")
        if not separator or not name.isidentifier():
            raise typer.BadParameter(f"{assignment!r} is not NAME=VALUE.")
        try:
            parsed[name] = json.loads(value)
        except ValueError:
            parsed[name] = value
    return parsed


@app.command(epilog="Example: aicourse validate 01")
def validate(
    names: Lessons = None,
    once: Annotated[
        bool, typer.Option("--once", help="One run only, no second one in the same kernel.")
    ] = False,
    cells: Annotated[
        bool, typer.Option("--cells", help="Cells only: neither figures nor exercises.")
    ] = False,
) -> None:
    """Compare lessons with their stored outputs. All or those named; strict nbval, twice in one kernel."""
    results = course.validate(names or None, once=once, cells=cells)
    for result in results:
        for failure in result.failures:
            typer.echo(f"\n{result.lesson.name}, {failure}")
    exit_if(not all(result.passed for result in results))


@app.command(epilog="Example: aicourse record 01 --check")
def record(
    names: Lessons = None,
    everything: Annotated[bool, typer.Option("--all", help="Record all lessons anew.")] = False,
    missing: Annotated[
        bool, typer.Option("--missing", help="Ask only for replies not recorded yet.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if something differs.")] = False,
    live: Annotated[bool, typer.Option("--live", help="With --check: ask the model again, compare.")] = False,
) -> None:
    """Record the replies that lessons need. The lessons run against the real model."""
    if not (names or everything or missing or check):
        raise typer.BadParameter("Name lessons, or use --all, --missing or --check.")
    if live and not check:
        raise typer.BadParameter("--live goes with --check; recording always asks the model.")
    reports = course.record(names or None, missing_only=missing, check=check, live=live)
    for report in reports:
        typer.echo(str(report))
    exit_if(any(report.error or (check and not report.complete) for report in reports))


@app.command(epilog="Example: aicourse lint 01")
def lint(
    names: Lessons = None,
    table: Annotated[bool, typer.Option("--table", help="Only print the size of each lesson.")] = False,
) -> None:
    """Check lessons against the rules of the course. All or those named; nothing is run."""
    if table:
        tables.show(tables.sizes(names or None))
        return
    findings = course.lint(names or None)
    for finding in findings:
        typer.echo(str(finding))
    typer.echo(f"{len(findings) or 'No'} breach{'' if len(findings) == 1 else 'es'} of the rules.")
    exit_if(bool(findings))


@app.command(epilog="Example: aicourse serve --port 8000")
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 0,
) -> None:
    """Serve the embedded model here, in the foreground. For curl, Ollama-style tools and other clients."""
    serving.serve(port=port, announce=lambda address: typer.echo(tables.client_settings(address)))


@app.command("marketplace", epilog="Example: aicourse marketplace --port 8100")
def run_marketplace(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 0,
    model: Annotated[str, typer.Option(help="Fills in the form.")] = catalog.DEFAULT_MODEL,
    prompt: Annotated[str, typer.Option(help="A prompt version.")] = "extract_listing@production",
    help_model: Annotated[
        str, typer.Option(help="Answers questions to the help pages, and in the support chat.")
    ] = HELP_MODEL,
    seconds: Annotated[float, typer.Option(min=0.1, help="A proposal's time limit.")] = 20,
    budget: Annotated[
        float, typer.Option(min=0, help="USD for all proposals together, and again for all answers.")
    ] = 1,
    store: Annotated[Path | None, typer.Option(help="A SQLite file; yours if none is given.")] = None,
    experiment: Annotated[
        Path | None, typer.Option(help="An experiment file; its variants are versions of the prompt.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open it in the browser.")] = True,
) -> None:
    """Run the second-hand marketplace here. Sell something, and the model fills in the form; ask for help."""

    def announce(shop: marketplace.Marketplace) -> None:
        typer.echo(f"{shop}\nStop it with Ctrl+C.")
        if browser:
            typer.launch(shop.url)

    marketplace.serve(
        store,
        port=port,
        model=model,
        prompt=prompt,
        help_model=help_model,
        experiment=experiment_files.read_experiment(experiment) if experiment else None,
        limit_seconds=seconds,
        budget_usd=budget,
        announce=announce,
    )


@app.command(epilog="Example: aicourse status")
def status() -> None:
    """Show how far the course is here. Server, models, lessons, their recordings, exercises solved."""
    tables.show(tables.status())


@app.command(epilog="Example: aicourse progress --reset 01")
def progress(
    lesson: Annotated[str | None, typer.Argument(help="With --reset: this lesson only, 01.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Begin anew; a copy is kept.")] = False,
) -> None:
    """Show which exercises are solved. And how often your predictions came true; or begin anew."""
    if lesson and not reset:
        raise typer.BadParameter("a lesson is named with --reset only.", param_hint="LESSON")
    if not reset:
        typer.echo(repr(notebook.progress()))
    elif kept := store.reset(lesson):
        typer.echo(f"Begun anew. What there was is kept as {kept}")
    else:
        typer.echo("There is nothing to forget.")


@app.command("test", epilog="Example: aicourse test style types")
def run_tests(
    steps: Annotated[
        list[str] | None, typer.Argument(metavar="STEP", help="All but the long ones when none is named.")
    ] = None,
    long: Annotated[bool, typer.Option("--all", help="The long steps too.")] = False,
) -> None:
    """Run all checks that a change must pass. Style, types, notebook rules, tests, lessons, recordings."""
    exit_if(not all(result.passed for result in selftest.run_steps(steps or (), long=long)))
