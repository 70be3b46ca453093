"""`aicourse grade`, `gradebook`, `feedback` and `similarity`: from submissions to published grades."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aicourse.tooling.cli.common import PLAIN, Lazy, exit_if, say

if TYPE_CHECKING:
    from aicourse.tooling.grading.authoring import assignment
    from aicourse.tooling.grading.judging import class_run, folder, grade, late
    from aicourse.tooling.grading.publishing import (
        exporting,
        feedback,
        gradebook,
        hand_grading,
        item_statistics,
        report,
        reviewing,
        similarity,
    )
    from aicourse.tooling.grading.submissions import people
else:
    assignment = Lazy("aicourse.tooling.grading.authoring.assignment")
    class_run = Lazy("aicourse.tooling.grading.judging.class_run")
    exporting = Lazy("aicourse.tooling.grading.publishing.exporting")
    feedback = Lazy("aicourse.tooling.grading.publishing.feedback")
    folder = Lazy("aicourse.tooling.grading.judging.folder")
    grade = Lazy("aicourse.tooling.grading.judging.grade")
    gradebook = Lazy("aicourse.tooling.grading.publishing.gradebook")
    hand_grading = Lazy("aicourse.tooling.grading.publishing.hand_grading")
    item_statistics = Lazy("aicourse.tooling.grading.publishing.item_statistics")
    late = Lazy("aicourse.tooling.grading.judging.late")
    people = Lazy("aicourse.tooling.grading.submissions.people")
    report = Lazy("aicourse.tooling.grading.publishing.report")
    reviewing = Lazy("aicourse.tooling.grading.publishing.reviewing")
    similarity = Lazy("aicourse.tooling.grading.publishing.similarity")

app = typer.Typer(
    help="From submissions to published grades.", **PLAIN
)  # joined to the program without a name
gradebook_app = typer.Typer(help="Build, complete and export the gradebook of one assignment.", **PLAIN)
app.add_typer(gradebook_app, name="gradebook")

Assignment = Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="A homework's name or folder: hw01.")]
Grades = Annotated[Path, typer.Argument(metavar="GRADES", help="The folder that `aicourse grade` wrote.")]

Deadline = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="What came later is late: 2026-12-01T23:59, local time."),
]
LatePercent = Annotated[
    float, typer.Option(min=0, max=100, help="Per cent of the points that each day begun costs.")
]
Grace = Annotated[float, typer.Option(min=0, help="Minutes after the deadline that do not count.")]
TrustFileTimes = Annotated[
    bool,
    typer.Option("--trust-file-times", help="Let file dates count as hand-in times, once you saw them."),
]
Extensions = Annotated[
    Path | None, typer.Option(help="CSV with the columns student,deadline: deadlines of their own.")
]
GroupsFile = Annotated[
    Path | None, typer.Option(help="CSV with the columns group,student: one work for all members.")
]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Run on a Dask cluster: tcp://host:8786.")
]
TrustNotebooks = Annotated[
    bool,
    typer.Option(
        "--trust-notebooks", help="Run even where there is no protection. Only for notebooks you wrote."
    ),
]
Level = Annotated[
    str | None, typer.Option(help="The least protection to run student code under: L4, L3 (default) or L2.")
]
Regrade = Annotated[
    list[str] | None,
    typer.Option(metavar="QUESTION", help="Judge these questions anew and keep the points of all others."),
]
Only = Annotated[
    list[str] | None,
    typer.Option(metavar="STUDENT", help="Grade these alone; may be given several times."),
]


@app.command("grade", epilog="Example: aicourse grade hw01 submissions/ --out grades/hw01")
def grade_submissions(
    name: Assignment,
    submissions: Annotated[
        Path, typer.Argument(help="A folder, the platform's download (zip), or one notebook.")
    ],
    out: Annotated[Path, typer.Option(help="Where results go; running again goes on from there.")] = Path(
        "grades"
    ),
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Submissions at a time; one per core if not given.")
    ] = None,
    only: Only = None,
    regrade: Regrade = None,
    again: Annotated[bool, typer.Option("--again", help="Grade anew what is graded already.")] = False,
    level: Level = None,
    trust_notebooks: TrustNotebooks = False,
    deadline: Deadline = None,
    late_percent: LatePercent = 0.0,
    grace_minutes: Grace = 0.0,
    trust_file_times: TrustFileTimes = False,
    extensions: Extensions = None,
    groups: GroupsFile = None,
    scheduler: Scheduler = None,
) -> None:
    """Grade submissions, each in a sandbox. One result per student; no bad file stops the others."""
    if extensions and not deadline:
        raise typer.BadParameter(
            "Extensions are of a deadline. Add --deadline TIME.", param_hint="--extensions"
        )
    options = grade.Options(
        jobs=jobs,
        only=tuple(only or ()),
        regrade=frozenset(regrade or ()),
        again=again,
        late=late.late_policy(
            deadline,
            late_percent,
            grace_minutes,
            trust_file_times=trust_file_times,
            extensions=people.read_extensions(extensions) if extensions else None,
        )
        if deadline
        else None,
        groups=people.read_groups(groups) if groups else {},
    )
    place = class_run.Place(level, trust_notebooks, scheduler)
    summary = class_run.grade_class(name, submissions, out, place, options, say)
    say(summary)
    say(f"Next: aicourse gradebook build {out}")
    exit_if(bool(summary.count("failed")))


@gradebook_app.command("build", epilog="Example: aicourse gradebook build grades/hw01")
def build_gradebook(grades: Grades) -> None:
    """Write gradebook.csv and gradebook.sqlite. From all results and the points given by hand."""
    place = folder.GradesFolder(grades)
    book = gradebook.build(place)
    say(f"{place.gradebook_csv}: {len(book.rows)} students, {len(book.open_rows)} without a final total.")


@gradebook_app.command("review", epilog="Example: aicourse gradebook review hw01 grades/hw01")
def review(
    name: Assignment,
    grades: Grades,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Grade by hand in the browser. One question across all students, names hidden; Ctrl-C ends it."""
    work = reviewing.Review(assignment.load_assignment(name), folder.GradesFolder(grades))
    server = reviewing.ReviewServer(work, port)
    say(f"Grade at {server.url}\nEvery grade is saved at once. Stop with Ctrl-C.")
    if browser:
        webbrowser.open(server.url)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        say(f"\nNext: aicourse gradebook build {grades}")


@gradebook_app.command("merge", epilog="Example: aicourse gradebook merge grades/hw01 by-hand.csv")
def merge(
    grades: Grades,
    table: Annotated[Path, typer.Argument(help="CSV with the columns student, question, points, comment.")],
) -> None:
    """Take points given by hand from a CSV file. All of its rows, or none if one is wrong."""
    count = hand_grading.merge_csv(folder.GradesFolder(grades), table)
    say(f"{count} grades taken. Next: aicourse gradebook build {grades}")


@gradebook_app.command("export", epilog="Example: aicourse gradebook export grades/hw01 --to canvas")
def export(
    grades: Grades,
    to: Annotated[Literal["canvas", "moodle", "gradescope"], typer.Option(help="The platform.")],
    roster: Annotated[
        Path | None, typer.Option(help="The platform's own export (CSV): it comes back filled in.")
    ] = None,
    match: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="CSV with the columns student,roster: who is who if names leave it open."
        ),
    ] = None,
) -> None:
    """Write the gradebook as a learning platform takes it. Totals that are not final stay empty."""
    say(exporting.export(folder.GradesFolder(grades), to, roster, match))


@gradebook_app.command("stats", epilog="Example: aicourse gradebook stats grades/hw01")
def stats(grades: Grades) -> None:
    """Show how each question did: difficulty, discrimination, and what to look at."""
    say(item_statistics.class_statistics(gradebook.read_gradebook(folder.GradesFolder(grades))))


@gradebook_app.command("report", epilog="Example: aicourse gradebook report grades/hw01 --open")
def class_report(
    grades: Grades,
    show: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
) -> None:
    """Write the class report as one HTML file. What needs a look, points, questions, checks."""
    path = report.write_report(folder.GradesFolder(grades))
    say(path)
    if show:
        webbrowser.open(path.resolve().as_uri())


@app.command("feedback", epilog="Example: aicourse feedback grades/hw01 --zip moodle")
def write_feedback(
    grades: Grades,
    platform: Annotated[
        Literal["canvas", "moodle", "plain"] | None,
        typer.Option("--zip", help="Pack it as this platform takes it back."),
    ] = None,
) -> None:
    """Write one HTML file per student. What passed, what failed and the hint; nothing of anybody else."""
    place = folder.GradesFolder(grades)
    if platform:
        say(feedback.write_feedback_zip(place, platform))
        return
    say(f"{place.feedback_dir}: {len(feedback.write_feedback(place))} files")


@app.command("similarity", epilog="Example: aicourse similarity hw01 grades/hw01")
def write_similarity(name: Assignment, grades: Grades) -> None:
    """Show answers that share passages few others have. Evidence to read side by side, not a verdict."""
    say(similarity.write_similarity(assignment.load_assignment(name), folder.GradesFolder(grades)))
