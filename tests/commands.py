"""Commands in texts: found in code spans, console blocks and messages; parsed as the command line would."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from aicourse.tooling import course
from aicourse.tooling.cli import app

ROOT = Path(__file__).resolve().parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
MAKE_TARGETS = frozenset(re.findall(r"(?m)^([a-z-]+):", MAKEFILE))
COMMANDS = typer.main.get_command(app)
OPEN = "…"  # what readers fill in themselves; so are the names here
_TO_FILL_IN = re.compile(r"…|[{}$]|(?:\b|hw|v)(?:NN|N|NAME|RUN|FILE|BEFORE|AFTER|LESSON|PORT|TOKEN)\b")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_PYTHON = re.compile(r"^(?:\S*[/\\])?(?:python[\d.]*|py) -m (?=aicourse\b)")
_STARTS = re.compile(r"(?:^|&& |; |\$ |run: |\| )((?:\S*python[\d.]* -m )?aicourse |make )")


def in_markdown(text: str) -> Iterator[str]:
    """The commands in code spans and in fenced blocks of a terminal or of CI."""
    for language, block in _FENCE.findall(text):
        if language in ("console", "sh", "bash", "shell", "yaml", ""):
            for line in block.replace("\\\n", " ").splitlines():
                starts = [found.start(1) for found in _STARTS.finditer(line)]
                for start, end in itertools.pairwise([*starts, len(line)]):
                    yield re.split(r"\s&&|;|\s\|", line[start:end])[0].strip()
    for span in _SPAN.findall(_FENCE.sub("", text)):
        if re.match(r"(aicourse|make) ", _PYTHON.sub("", span)):
            yield span


def in_message(text: str) -> Iterator[str]:
    """The commands in a sentence of the program: those that begin with a command's name, to the next stop."""
    names = "|".join([*map(re.escape, COMMANDS.commands), "-"])  # type: ignore[attr-defined]
    for found in re.finditer(rf"(?<![\w.@/-])aicourse (?:{names})\b[^`\"\n]*", text):
        yield re.split(r"[,;:.)]?\s*$|[,;:.)]\s|\s+\(|\s\||\s{2,}|\s#| (?:or|and|then|->) ", found[0])[0]


def fault(command: str, *, whole: bool = False) -> str | None:
    """The reason why `command` does not run; `whole` if it may lack nothing either."""
    try:
        words = shlex.split(_PYTHON.sub("", command), comments=True)
    except ValueError as error:
        return str(error)
    if words[0] == "make":
        return _make_fault(words[1:])
    alternatives = [words]
    if "|" in words:  # `aicourse homework check | pack`
        first = words[: words.index("|")]
        others = words[words.index("|") + 1 :: 2]
        alternatives = [first, *([*first[:-1], other] for other in others)]
    faults = (_parse_fault(alternative[1:], whole) for alternative in alternatives)
    return next((found for found in faults if found), None)


def _make_fault(words: list[str]) -> str | None:
    for word in words:
        name, sets, _ = word.partition("=")
        if sets and f"$({name})" not in MAKEFILE and f"$({name})," not in MAKEFILE:
            return f"the Makefile reads no {name}"
        if not sets and name not in MAKE_TARGETS:
            return f"no target {name}"
    return None


def _parse_fault(words: list[str], whole: bool) -> str | None:
    command: Any = COMMANDS
    while hasattr(command, "commands"):
        if not words or words[0] in (OPEN, "--help", "--version"):
            return None
        if words[0] not in command.commands:
            return f"no command {words[0]!r}"
        command, words = command.commands[words[0]], words[1:]
    try:
        parsed = command.make_context(command.name, list(words)).params
        lessons = [] if command.name == "test" else parsed.get("names") or []
        if command.name in ("run", "validate", "record", "lint"):
            course.lessons([name for name in lessons if not is_open(name)])
    except Exception as error:
        kind, left_open = type(error).__name__, any(map(is_open, words))
        if kind == "MissingParameter":
            return str(error) if whole or (words and not left_open) else None  # no words: it is only named
        return str(error) if kind == "NoSuchOption" or not left_open else None
    return None


def is_open(word: str) -> bool:
    """True if a reader has to fill something in."""
    return _TO_FILL_IN.search(word) is not None
