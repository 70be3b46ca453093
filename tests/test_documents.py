"""Documents that hold: links lead somewhere, commands parse, README's map is complete, nothing is private.

The console blocks are run in `test_console_blocks`.
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from aicourse.notebook_json import parse_notebook
from aicourse.tooling import course
from aicourse.tooling.cli import app, reference
from aicourse.tooling.course.leaks import machine_paths, secret_lines
from aicourse.tooling.course.linting import RULES
from aicourse.tooling.course.rules.references import dead_links, ending_models

ROOT = Path(__file__).resolve().parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
MAKE_TARGETS = frozenset(re.findall(r"(?m)^([a-z-]+):", MAKEFILE))
COMMANDS = typer.main.get_command(app)
OPEN = "…"  # what readers fill in themselves; so are the names here
TO_FILL_IN = re.compile(r"…|[{}$]|(?:\b|hw|v)(?:NN|N|NAME|RUN|FILE|BEFORE|AFTER|LESSON|PORT|TOKEN)\b")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PYTHON = re.compile(r"^(?:\S*[/\\])?(?:python[\d.]*|py) -m (?=aicourse\b)")
STARTS = re.compile(r"(?:^|&& |; |\$ |run: |\| )((?:\S*python[\d.]* -m )?aicourse |make )")


@functools.cache
def tracked() -> tuple[str, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a clone")
    return tuple(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


def documents() -> list[str]:
    """Markdown and notebooks that people read; fixtures are broken on purpose."""
    return [name for name in tracked() if name.endswith((".md", ".ipynb")) and not name.startswith("tests/")]


def prose(name: str) -> str:
    """The Markdown of a document."""
    content = (ROOT / name).read_text(encoding="utf-8")
    if name.endswith(".md"):
        return content
    return "\n\n".join(cell.source for cell in parse_notebook(content).cells if cell.is_markdown)


# ------------------------------------------------------------ commands in texts


def in_markdown(text: str) -> Iterator[str]:
    """The commands in code spans and in fenced blocks of a terminal or of CI."""
    for language, block in FENCE.findall(text):
        if language in ("console", "sh", "bash", "shell", "yaml", ""):
            for line in block.replace("\\\n", " ").splitlines():
                starts = [found.start(1) for found in STARTS.finditer(line)]
                for start, end in itertools.pairwise([*starts, len(line)]):
                    yield re.split(r"\s&&|;|\s\|", line[start:end])[0].strip()
    for span in SPAN.findall(FENCE.sub("", text)):
        if re.match(r"(aicourse|make) ", PYTHON.sub("", span)):
            yield span


def in_message(text: str) -> Iterator[str]:
    """The commands in a sentence of the program: those that begin with a command's name, to the next stop."""
    names = "|".join([*map(re.escape, COMMANDS.commands), "-"])  # type: ignore[attr-defined]
    for found in re.finditer(rf"(?<![\w.@/-])aicourse (?:{names})\b[^`\"\n]*", text):
        yield re.split(r"[,;:.)]?\s*$|[,;:.)]\s|\s+\(|\s\||\s{2,}|\s#| (?:or|and|then|->) ", found[0])[0]


@functools.cache
def fault(command: str, *, whole: bool = False) -> str | None:
    """The reason why `command` does not run; `whole` if it may lack nothing either."""
    try:
        words = shlex.split(PYTHON.sub("", command), comments=True)
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
    return TO_FILL_IN.search(word) is not None


# ------------------------------------------------------------ what documents say


def test_links_and_pictures_lead_to_tracked_files() -> None:
    assert len(documents()) > 20
    dead = [(name, *found) for name in documents() for found in dead_links(prose(name), ROOT / name)]
    assert dead == []
    known = {*tracked(), *(parent.as_posix() for name in tracked() for parent in Path(name).parents)}
    for name in documents():
        for target in re.findall(r"\]\(([^)#:\s]+)(?=[)#\s])", prose(name)):
            linked = ((ROOT / name).parent / target).resolve().relative_to(ROOT).as_posix()
            assert linked in known, f"{name} links to {target}, which is not in the repository"


def test_a_table_ends_at_an_empty_line() -> None:
    """A line that follows without one is drawn as the table's last row."""
    swallowed = [
        f"{name}: {after}"
        for name in documents()
        if not name.startswith("aicourse/prompt_files/")  # for models
        for row, after in itertools.pairwise(prose(name).splitlines())
        if row.startswith("|") and not after.startswith(("|", "<!--")) and after.strip()
    ]
    assert swallowed == []


def test_commands_of_documents_parse() -> None:
    found = [(name, command) for name in documents() for command in in_markdown(prose(name))]
    assert len(found) > 150
    assert [(*place, reason) for place in found if (reason := fault(place[1]))] == []


def test_commands_in_messages_parse() -> None:
    found = [
        (place, command) for place, text in messages() if "aicourse " in text for command in in_message(text)
    ]
    assert len(found) > 100
    assert [(*place, reason) for place in found if (reason := fault(place[1]))] == []


def messages() -> Iterator[tuple[str, str]]:
    """Every string of the package and of lessons' checks, with … where a value is put in."""
    for path in [*(ROOT / "aicourse").rglob("*.py"), *(ROOT / "notebooks" / "checks").glob("*.py")]:
        source = path.read_text(encoding="utf-8")
        if "aicourse " not in source:
            continue
        tree = ast.parse(source)
        formatted = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        parts = {id(part) for node in formatted for part in node.values}
        for node in ast.walk(tree):
            place = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.JoinedStr):
                yield (
                    place,
                    "".join(
                        str(getattr(part, "value", OPEN)) if isinstance(part, ast.Constant) else OPEN
                        for part in node.values
                    ),
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
                yield place, node.value


def test_examples_of_help_parse() -> None:
    for command in reference.commands():
        assert command.example.startswith(f"aicourse {command.name}"), command.name
        assert fault(command.example, whole=True) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Check it: `aicourse record 01 --chk`.", "No such option: --chk"),
        ("`python -m aicourse rec 01`", "no command 'rec'"),
        ("`aicourse run 98`", "No lesson '98'"),
        ("`aicourse run 00 -p SEED 98`", "No lesson '98'"),
        ("`aicourse homework check | pak`", "no command 'pak'"),
        ("`aicourse evals run cases.jsonl surplus`", "unexpected extra argument"),
        ("`aicourse gradebook review grades/`", "Missing parameter"),
        ("`aicourse gradebook export grades --to nowhere`", "nowhere"),
        ("`make tset`", "no target tset"),
        ("`make setup PYTHN=python3.12`", "reads no PYTHN"),
        ("```console\nmake help && aicourse doctr   # looks\n```", "no command 'doctr'"),
        (
            "```yaml\n- run: aicourse evals gate a.jsonl b.jsonl \\\n    --strct\n```",
            "No such option: --strct",
        ),
        ("`aicourse grade … --regrade q2`, `aicourse run NN --save`, `aicourse evals run`", None),
        ("`make setup PYTHON=python3.12`; we make it, and aicourse makes you see.", None),
    ],
)
def test_which_commands_are_faulty(text: str, reason: str | None) -> None:
    found = [fault(command) for command in in_markdown(text)]
    assert found
    assert (reason is None and not any(found)) or reason in str(found[-1])


def test_readme_lists_every_lesson_homework_and_dataset() -> None:
    readme, homework = prose("README.md"), prose("homework/README.md")
    table = re.findall(r"^\| \[(\d\d) (.+?)\]\(notebooks/(.+?)\.ipynb\) \| (.+?) \|", readme, re.MULTILINE)
    assert table == [
        (lesson.number, lesson.title, lesson.name, lesson.question) for lesson in course.lessons()
    ]
    for master in (ROOT / "homework").glob("*/master.ipynb"):
        assert f"]({master.parent.name}/README.md)" in homework
    for data in (ROOT / "datasets").glob("*/"):
        assert f"](datasets/{data.name}/README.md)" in readme


def test_contributing_has_a_place_for_every_package() -> None:
    lines = [line for line in prose("CONTRIBUTING.md").splitlines() if line.startswith("| ")]
    rows = {line.split("|")[1].strip(" *"): line for line in lines}
    folders = [Path(name).parent for name in tracked() if re.match(r"aicourse/.+/__init__\.py$", name)]
    assert len(folders) > 30
    missing = []
    for folder in (folder.relative_to("aicourse") for folder in folders):
        above = next((rows[str(one)] for one in folder.parents if str(one) in rows), "")
        if str(folder) not in rows and f"`{folder.name}/" not in above:
            missing.append(str(folder))
    assert missing == [], "each package needs a row, or `name/` in the row of the one that it is in"


def test_contributing_names_every_rule_of_the_lint() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", prose("CONTRIBUTING.md"), re.MULTILINE)
    assert [(rule.name, rule.demand) for rule in RULES] == rows


# ------------------------------------------------------------ what no file holds


def test_no_file_holds_a_key() -> None:
    fixtures = ("tests/notebooks/lint/secret.ipynb", "requirements.lock")  # the lock is all hashes
    found = []
    for name in set(tracked()).difference(fixtures):
        content = (ROOT / name).read_bytes()
        if b"\0" not in content:
            found += [(name, line[:80]) for line in secret_lines(content.decode("utf-8", "replace"))]
    assert found == []


def test_no_document_names_a_path_of_one_machine_or_a_model_that_ends() -> None:
    for name in documents():
        text = prose(name)
        assert machine_paths(text) == [], name
        code = "\n".join([*(block for _, block in FENCE.findall(text)), *SPAN.findall(text)])
        assert list(ending_models(code)) == [], name
