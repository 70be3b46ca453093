"""Parts that every command file uses: lazy imports, plain help, and the exit code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from aicourse.html import visible

HELP_MODEL = "qwen2.5-coder-1.5b"  # the smallest of the course that answers from documents
PLAIN: dict[str, Any] = {"rich_markup_mode": None, "no_args_is_help": True, "add_completion": False}


class Lazy:
    """A module that is imported when its first attribute is asked for.

    papermill, fastapi and pandas take seconds to import, and `aicourse --help` needs none of them.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


@contextmanager
def waits_told() -> Iterator[None]:
    """Says on a terminal what takes so long (a model is loaded), in a line that is gone when it is there."""
    session = importlib.import_module("aicourse.llm.session").current()

    def tell(words: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\033[K{words} …" if words else "\r\033[K", end="", file=sys.stderr, flush=True)

    session.wait_listeners.append(tell)
    try:
        yield
    finally:
        session.wait_listeners.remove(tell)


def say(told: object) -> None:
    """Print a result, as far as it is visible: names and quotations in it come from others."""
    typer.echo(visible(str(told)))


def exit_if(failed: bool) -> None:
    """End with exit code 1 when what was looked at is not as it should be."""
    if failed:
        raise typer.Exit(1)
