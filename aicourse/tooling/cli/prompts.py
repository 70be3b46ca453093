"""`aicourse prompts`: look at prompts, make versions, and move labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aicourse.errors import PromptError
from aicourse.tooling.cli.common import PLAIN, Lazy

if TYPE_CHECKING:
    from aicourse import evals, prompts
    from aicourse.prompts import folders
    from aicourse.tooling.evaluation import jobs
else:
    prompts = Lazy("aicourse.prompts")
    folders = Lazy("aicourse.prompts.folders")
    evals = Lazy("aicourse.evals")
    jobs = Lazy("aicourse.tooling.evaluation.jobs")

app = typer.Typer(help="Look at prompts, make versions, promote and roll back.", **PLAIN)

Spec = Annotated[str, typer.Argument(metavar="PROMPT", help="NAME, NAME@3, NAME@production, or a file.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A name from `aicourse prompts list`.")]
Label = Annotated[str, typer.Option(help="The word that is to stand for the version.")]
RunFile = Annotated[Path | None, typer.Option(metavar="RUN", help="A run's file, for the gate.")]


@app.command("list", epilog="Example: aicourse prompts list extract_listing")
def list_prompts(name: Annotated[str | None, typer.Argument(metavar="NAME")] = None) -> None:
    """List prompts and their versions. With a name: also the history of its labels."""
    for one in [name] if name else prompts.names():
        for line in _version_lines(one):
            typer.echo(line)
    if name:
        for line in _history_lines(name):
            typer.echo(line)


@app.command("show", epilog="Example: aicourse prompts show extract_listing@production")
def show_prompt(prompt: Spec) -> None:
    """Print one version of a prompt. As its file has it, with its hash."""
    loaded = _load(prompt)
    typer.echo(f"{loaded.ref} {loaded.hash}, about {loaded.estimated_tokens} tokens")
    typer.echo(prompts.prompt_text(loaded), nl=False)


@app.command("diff", epilog="Example: aicourse prompts diff extract_listing@1 extract_listing@2")
def diff_prompts(before: Spec, after: Spec) -> None:
    """Show what changed between two prompts. Removed words are [-so-], added ones {+so+}."""
    typer.echo(str(prompts.diff(_load(before), _load(after))))


@app.command("new", epilog="Example: aicourse prompts new extract_listing@3 --changelog 'Names the colours.'")
def new_prompt(
    prompt: Annotated[
        str,
        typer.Argument(metavar="PROMPT", help="NAME or NAME@3: the version to go on from; or a new name."),
    ],
    changelog: Annotated[
        str, typer.Option(help="One sentence on what changes.")
    ] = "Say here what this version changes.",
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take body and hints from this prompt file.")
    ] = None,
) -> None:
    """Make the next version of a prompt, in your own folder. Edit the file until it is first used."""
    name, _, selector = prompt.partition("@")
    parent = prompts.load(prompt).version if selector else None
    given = prompts.read_prompt(file) if file else None
    made = prompts.new(
        name,
        changelog=changelog,
        parent=parent,
        text=given.body if given else None,
        hints=given.hints if given else None,
    )
    assert made.source is not None  # it was just written
    typer.echo(f"{made.ref}: edit {folders.shown(made.source)}")


@app.command(
    "promote", epilog="Example: aicourse prompts promote extract_listing@4 --before v3.jsonl --after v4.jsonl"
)
def promote_prompt(
    prompt: Spec,
    label: Label = "production",
    before: RunFile = None,
    after: RunFile = None,
    proof: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Instead of two runs: what `evals gate --proof` wrote."),
    ] = None,
) -> None:
    """Move a label to a version. For `production` the gate judges the two runs first and must pass."""
    if (before is None) != (after is None):
        raise typer.BadParameter("The gate needs two runs: give --before and --after.")
    if before and proof:
        raise typer.BadParameter("Give either two runs or --proof.")
    loaded = _load(prompt)
    shown = gate_proof(before, after) if before and after else evals.read_approval(proof) if proof else None
    if shown:
        typer.echo(shown.headline)
    move = prompts.promote(loaded, label, approval=shown)
    typer.echo(f"{loaded.name}@{move.label} is now v{move.version}.")


@app.command("rollback", epilog="Example: aicourse prompts rollback extract_listing")
def roll_prompt_back(name: Name, label: Label = "production") -> None:
    """Move a label back to the version before. Again: one more step back."""
    move = prompts.rollback(name, label)
    typer.echo(f"{name}@{move.label} is now v{move.version} ({move.reason}).")


def gate_proof(before: Path, after: Path) -> prompts.Approval:
    """The gate's verdict on two runs by its default rules: each main score, over all cases and in slices.

    Raises:
        EvaluationError: a file is no run, a run does not name its prompt's hash, or they cannot be compared.
    """
    first, second = jobs.find_run(before), jobs.find_run(after)
    result = evals.gate(first, second, evals.default_rules(first, second))
    return evals.approval_of(result, first, second)


def _load(spec: str) -> prompts.Prompt:
    return prompts.load(Path(spec) if spec.endswith(".md") else spec)


def _version_lines(name: str) -> Iterator[str]:
    for version in prompts.versions(name):
        try:
            prompt = prompts.load(f"{name}@{version}")
        except PromptError as error:
            yield f"{name}@v{version}  cannot be used: {error.message}"
            continue
        tokens = f"about {prompt.estimated_tokens} tokens"
        shown = f"  [{', '.join(prompt.labels)}]" if prompt.labels else ""
        yield f"{prompt.ref}  {prompt.hash}  {tokens}{shown}  {prompt.changelog}"


def _history_lines(name: str) -> Iterator[str]:
    for standing in prompts.labels(name):
        yield f"\n{standing.label}:"
        for move in prompts.history(name, standing.label):
            yield f"  {move.at:%Y-%m-%d %H:%M}  {move.action} to v{move.version} by {move.by}: {move.reason}"
