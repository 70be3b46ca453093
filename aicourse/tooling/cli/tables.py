"""The tables of the command line: the catalogue's models, and how far the course is on this machine.

Cells and their order only; what is true is computed by the modules that own it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from aicourse import paths
from aicourse.llm import catalog
from aicourse.llm.catalog import Model
from aicourse.llm.recordings import SHARED, RecordingFile, SharedRecordings
from aicourse.notebook import progress
from aicourse.tooling import course
from aicourse.tooling.localmodel import local_path, running
from aicourse.tooling.localmodel.process import ServerAddress

LOG_WIDTH = 160  # where there is no terminal to fit into: a name cut off in a log helps nobody


def show(lines: Iterable[str | Table]) -> None:
    """Print tables and sentences to standard output."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = LOG_WIDTH
    for line in lines:
        console.print(line)


def models(today: date) -> Iterable[str | Table]:
    """The catalogue, prices per million tokens; a sentence for each model that is or soon will be retired."""
    table = _table("Model", "Provider", "Context", "USD/M in", "USD/M out", "Retires", "Here")
    for model in catalog.models().values():
        table.add_row(
            model.name,
            model.provider,
            f"{model.context_tokens:,}",
            _price(model.input_price),
            _price(model.output_price),
            str(model.retires or ""),
            _presence(model),
        )
    yield table
    for model in catalog.models().values():
        if notice := catalog.retirement_notice(model, today):
            yield f"Note: {notice}"


def status() -> Iterable[str | Table]:
    """Server, models, progress, and each lesson with its recordings."""
    address = running()
    present = [name for name, model in catalog.models().items() if model.files and local_path(name)]
    yield f"Server:   {f'running at {address.url} (process {address.pid})' if address else 'not running'}"
    yield f"Models:   {', '.join(present) or 'none here; the first changed prompt fetches one'}"
    table = _table("Lesson", "Title", "Minutes", "Recordings", "Exercises solved")
    done = {report.lesson: report for report in progress().lessons}
    for lesson in course.lessons():
        recordings = len(RecordingFile(lesson.recordings).recordings())
        report = done.get(lesson.number)
        solved = f"{report.solved} of {report.exercises}" if report else "not begun"
        table.add_row(
            lesson.number, lesson.problem or lesson.title, str(lesson.minutes), str(recordings), solved
        )
    yield table
    folder = paths.notebooks_dir() / "recordings" / SHARED
    shared = sum(len(file.recordings()) for file in SharedRecordings(folder).files())
    yield f"Shared:   {shared} recorded replies to prompt versions, for all lessons and `aicourse evals run`"


def sizes(names: Sequence[str] | None) -> Iterable[str | Table]:
    """The size and rhythm of lessons, as the lint counts them."""
    table = _table("Lesson", "Cells", "Words", "Minutes", "Longest passive run", "Exercises", "Other actions")
    for lesson, pace in course.paces(names):
        longest = f"{len(pace.longest)} from {pace.longest[0].id}" if pace.longest else "none"
        counts = (pace.cells, pace.words, pace.minutes)
        table.add_row(lesson.name, *map(str, counts), longest, str(pace.exercises), str(pace.other_actions))
    yield table


def client_settings(address: ServerAddress) -> str:
    """The settings by which another program's OpenAI or Anthropic client asks the embedded model."""
    return (
        "Serving until Ctrl-C. For an OpenAI client:\n"
        f"  OPENAI_BASE_URL={address.url}/v1\n"
        f"  OPENAI_API_KEY={address.token}\n"
        f"For Anthropic's: ANTHROPIC_BASE_URL={address.url} and the same key. Models: aicourse status"
    )


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for heading in headings:
        right = heading in ("Context", "USD/M in", "USD/M out", "Cells", "Words", "Minutes", "Recordings")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    return table


def _price(price: Decimal) -> str:
    return f"{price:.2f}" if price else "free"


def _presence(model: Model) -> str:
    if not model.files:
        return ""
    size = f"{sum(file.size for file in model.files) / 1e6:,.0f} MB"
    return f"yes, {size}" if local_path(model.name) else f"no, {size}"
