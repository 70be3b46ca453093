"""`aicourse homework`: write, build and verify an assignment; check and pack one's own notebook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aicourse.tooling.cli.common import PLAIN, Lazy, exit_if, say

if TYPE_CHECKING:
    from tqdm import auto as progress_bars

    from aicourse.tooling.grading.authoring import assignment, building, samples
    from aicourse.tooling.grading.contrib import importing
    from aicourse.tooling.grading.judging import packing, prompting, student, verifying
    from aicourse.tooling.grading.sandbox import embedding, executor
else:
    progress_bars = Lazy("tqdm.auto")
    assignment = Lazy("aicourse.tooling.grading.authoring.assignment")
    building = Lazy("aicourse.tooling.grading.authoring.building")
    embedding = Lazy("aicourse.tooling.grading.sandbox.embedding")
    executor = Lazy("aicourse.tooling.grading.sandbox.executor")
    importing = Lazy("aicourse.tooling.grading.contrib.importing")
    packing = Lazy("aicourse.tooling.grading.judging.packing")
    prompting = Lazy("aicourse.tooling.grading.judging.prompting")
    samples = Lazy("aicourse.tooling.grading.authoring.samples")
    student = Lazy("aicourse.tooling.grading.judging.student")
    verifying = Lazy("aicourse.tooling.grading.judging.verifying")

app = typer.Typer(help="Write, build and verify homework; check and pack your own.", **PLAIN)

Name = Annotated[str, typer.Argument(metavar="HOMEWORK", help="A name or folder: hw01, homework/hw01-x.")]
Notebook = Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="Your notebook, like hw01.ipynb.")]


@app.command("build", epilog="Example: aicourse homework build hw01")
def build_homework(
    name: Name,
    solution: Annotated[
        bool, typer.Option("--solution", help="Also write the notebook with solutions, to build/homework.")
    ] = False,
) -> None:
    """Write the notebook that students get. Beside the master, without solutions and hidden checks."""
    say(building.build(name))
    if solution:
        say(building.build_solution(name))


@app.command("verify", epilog="Example: aicourse homework verify hw01")
def verify_homework(
    name: Name,
    record: Annotated[
        bool, typer.Option("--record", help="Ask the model for replies and vectors that nobody has recorded.")
    ] = False,
) -> None:
    """Prove that a homework is fair. Right answers earn all points, a blank one 0, mistakes lose theirs."""
    loaded = assignment.load_assignment(name)
    ask = prompting.model_asker(loaded, record=record)
    with executor.own_notebooks(lambda sentence: typer.echo(sentence, err=True)) as execute:
        report = verifying.verify(loaded, execute, ask, progress=_progress())
    if record and loaded.vectors:
        embedding.vector_store(loaded.vectors).save()
    say(report)
    exit_if(not report.passed)


@app.command("check", epilog="Example: aicourse homework check hw01.ipynb")
def check_notebook(notebook: Notebook) -> None:
    """Check your notebook before you hand it in. Runs it from top to bottom with its public checks."""
    with executor.own_notebooks(lambda sentence: typer.echo(sentence, err=True)) as execute:
        report = student.examine(notebook, execute)
    say(report)
    exit_if(not report.passed)


@app.command("pack", epilog="Example: aicourse homework pack hw01.ipynb")
def pack_notebook(notebook: Notebook) -> None:
    """Make the zip that you hand in. The notebook, its files and a manifest, nothing else."""
    target = packing.pack(notebook)
    say(f"{target} ({target.stat().st_size / 1e3:,.0f} kB). Upload this file.")


@app.command("import", epilog="Example: aicourse homework import ps1.ipynb --from nbgrader --out hw07-x")
def import_homework(
    source: Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="The instructor's notebook.")],
    origin: Annotated[Literal["nbgrader", "otter"], typer.Option("--from", help="What wrote it.")],
    out: Annotated[Path, typer.Option(help="The new homework's folder, like homework/hw07-topic.")],
) -> None:
    """Convert a master of nbgrader or otter-grader. What cannot be converted is listed."""
    with executor.own_notebooks(lambda sentence: typer.echo(sentence, err=True)) as execute:
        report = importing.import_assignment(source, origin, out, execute)
    say(report)


@app.command("samples", epilog="Example: aicourse homework samples hw01 --out build/submissions")
def write_samples(
    name: Name,
    out: Annotated[Path, typer.Option(help="The folder to write them to.")],
    count: Annotated[int, typer.Option(min=1, help="How many students to simulate.")] = 20,
    seed: Annotated[int, typer.Option(help="Another seed, other students.")] = 7,
) -> None:
    """Generate submissions of simulated students. Right, wrong, blank, broken and copied ones."""
    made = samples.write_samples(assignment.load_assignment(name), out, count=count, seed=seed)
    for sample in made:
        say(f"{sample.student:24} {sample.kind}")
    say(f"{len(made)} submissions of simulated students in {out}")


def _progress() -> Callable[[int, int, str], None]:
    """A bar on the terminal, nothing elsewhere."""
    bar = progress_bars.tqdm(unit="notebook", leave=False, disable=None)

    def show(done: int, total: int, name: str) -> None:
        bar.total, bar.n = total, done
        bar.set_postfix_str(name)
        bar.refresh()
        if done == total:
            bar.close()

    return show
