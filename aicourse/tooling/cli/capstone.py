"""`aicourse capstone`: begin a project, check it, and let three peers review it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aicourse.tooling.cli.common import PLAIN, Lazy, exit_if

if TYPE_CHECKING:
    from aicourse.tooling.capstone import checking, peer_review, project
    from aicourse.tooling.grading.judging import folder as grades_folder
else:
    checking = Lazy("aicourse.tooling.capstone.checking")
    grades_folder = Lazy("aicourse.tooling.grading.judging.folder")
    peer_review = Lazy("aicourse.tooling.capstone.peer_review")
    project = Lazy("aicourse.tooling.capstone.project")

app = typer.Typer(help="The capstone: begin it, check it, review it.", **PLAIN)


@app.command("new", epilog="Example: aicourse capstone new my-capstone")
def begin(folder: Annotated[Path, typer.Argument(help="The new project's folder.")]) -> None:
    """Copy the template. A product with evaluation, gate, tests and monitoring; it passes its own CI."""
    typer.echo(f"{project.new_project(folder)} files in {folder}\nNext: aicourse capstone check {folder}")


@app.command(epilog="Example: aicourse capstone check my-capstone")
def check(
    folder: Annotated[Path, typer.Argument(help="The project; only its own files are read.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
    seconds: Annotated[float, typer.Option(min=1, help="The most that each command may take.")] = 120,
    trust_notebooks: Annotated[
        bool, typer.Option("--trust-notebooks", help="Run without protection. Only for code that you read.")
    ] = False,
) -> None:
    """Try what a project promises. In a sandbox: same result twice, evaluation, gate, no keys, cost."""
    report = checking.check(folder, trust=trust_notebooks, seconds=seconds)
    typer.echo(report.to_json() if as_json else report)
    exit_if(not report.passed)


@app.command(epilog="Example: aicourse capstone assign roster.csv --seed 4711")
def assign(
    roster: Annotated[Path, typer.Argument(help="CSV with the columns student and, if wished, group.")],
    seed: Annotated[int, typer.Option(help="The same seed, the same reviewers; keep it to yourself.")],
    out: Annotated[Path, typer.Option(help="Where the assignment and the forms go.")] = Path("reviews"),
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Forms name works by number.")] = False,
) -> None:
    """Give each student three works to review. None of their own group; writes a form for each student."""
    each = peer_review.assign(roster, seed, out, anonymous=anonymous)
    fewer = "" if each == peer_review.REVIEWS else " The class is too small, or a group too large, for three."
    typer.echo(f"{out}: {each} review{'s' * (each > 1)} by each student.{fewer}\nForms: {out / 'forms'}")


@app.command(epilog="Example: aicourse capstone merge reviews/forms --into grades/capstone")
def merge(
    forms: Annotated[Path, typer.Argument(help="A folder with the forms that came back.")],
    into: Annotated[Path, typer.Option(help="The folder of grades that the gradebook is built from.")],
    assignment: Annotated[Path, typer.Option(help="What `assign` wrote.")] = Path("reviews/assignment.csv"),
    named: Annotated[bool, typer.Option("--named", help="Authors read who gave which points.")] = False,
) -> None:
    """Take the median of each criterion into a gradebook. Names missing reviews and disagreements."""
    merged = peer_review.merge(forms, assignment, grades_folder.GradesFolder(into), named=named)
    typer.echo(
        "\n".join([*merged.remarks, f"{merged.students} students. Next: aicourse gradebook build {into}"])
    )
