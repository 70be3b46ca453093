"""The README's table of commands, written from the command line: `python -m aicourse.tooling.cli.reference`.

A test fails when the two differ, so the documentation cannot forget a command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from aicourse import paths
from aicourse.tooling.cli import app

BEGIN, END = "<!-- commands -->", "<!-- /commands -->"


@dataclass(frozen=True)
class Command:
    """The help of one command: ("model pull", "Fetch a model's files", "aicourse model pull …")."""

    name: str
    purpose: str
    example: str


def commands() -> Iterator[Command]:
    """Every command, groups unfolded."""
    yield from _walk(typer.main.get_command(app), ())


def _walk(command: Any, name: tuple[str, ...]) -> Iterator[Command]:
    if hasattr(command, "commands"):
        for part, subcommand in command.commands.items():
            yield from _walk(subcommand, (*name, part))
    else:
        purpose, example = command.help.partition(".")[0], command.epilog.removeprefix("Example: ")
        yield Command(" ".join(name), purpose, example)


def table() -> str:
    """The table as Markdown, between its markers."""
    rows = [f"| `aicourse {each.name}` | {each.purpose} | `{each.example}` |" for each in commands()]
    return "\n".join([BEGIN, "| command | what it does | example |", "|---|---|---|", *rows, END])


def with_table(text: str) -> str:
    """`text` with what stands between the markers replaced.

    >>> with_table("before <!-- commands --> old <!-- /commands --> after").split("|")[0]
    'before <!-- commands -->\\n'
    """
    return re.sub(f"{BEGIN}.*{END}", lambda found: table(), text, flags=re.DOTALL)


if __name__ == "__main__":
    readme = paths.course_dir() / "README.md"
    paths.write_atomically(readme, with_table(readme.read_text(encoding="utf-8")))
