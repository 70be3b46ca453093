"""Every console block of the documents, run line by line, in order, in a clean clone of HEAD without network.

What is not run says so above its block, with the reason; what takes long runs in `make test-all` alone:

    <!-- not run: make test (this test is a part of it) -->
    <!-- slow: all -->

A line whose comment says `exit code 1` must end so. A block that clones `<this repository>` makes the clone.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aicourse.tooling.cli import reference

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (
    "README.md",
    "homework/README.md",
    "homework/capstone/README.md",
    "homework/hw03-incidents/README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "aicourse/prompt_files/README.md",
    "docs/agents.md",
    "docs/experiments.md",
    "docs/monitoring.md",
    "docs/retrieval.md",
    "docs/testing.md",
)
BLOCK = re.compile(r"((?:^<!-- .*? -->\n)*)^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"<!-- (not run|slow): (.+?)(?: \((.+?)\))? -->")
SECONDS = 900
# `git clone <this repository>` and the installed environment, without fetching either.
PRELUDE = """
git() {
    if [ "$1" = clone ]; then
        command git clone --quiet "$SOURCE" "$3" && mkdir "$3/.venv" && ln -s "$VENV"/* "$3/.venv/"
        touch "$3/.venv/.installed"
    else command git "$@"; fi
}
"""
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="the blocks are for a POSIX shell"),
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone"),
]


@dataclass(frozen=True)
class Line:
    """One line of a console block, with the mark that it stands under."""

    text: str
    mark: str = ""

    @property
    def expected(self) -> int:
        """The exit code that its comment promises."""
        found = re.search(r"#.*\bexit code (\d+)", self.text)
        return int(found[1]) if found else 0


def blocks(document: str) -> Iterator[list[Line]]:
    """The blocks of a document; every mark must fit a line, and say why when nothing is run."""
    for comments, block in BLOCK.findall((ROOT / document).read_text(encoding="utf-8")):
        marks = MARK.findall(comments)
        lines = [Line(text) for text in block.splitlines() if text.strip()]
        for kind, start, reason in marks:
            assert reason or kind == "slow", f"{document}: 'not run: {start}' needs a reason"
            fits = [line for line in lines if start == "all" or line.text.startswith(start)]
            assert fits, f"{document}: no line begins with {start!r}"
            lines = [Line(line.text, kind) if line in fits else line for line in lines]
        yield lines


def run(lines: list[Line], folder: Path, clone: Path) -> None:
    """Run lines in one shell, and stop at the first that ends otherwise than it says."""
    script = [PRELUDE]
    for line in lines:
        text = line.text.replace("<this repository>", '"$SOURCE"')
        script += [f"echo {quoted(f'$ {line.text}')}", text, "code=$?"]
        script += [
            f'[ "$code" = {line.expected} ] || {{ echo "ended with $code, not {line.expected}"; exit 99; }}'
        ]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(clone),
        "SOURCE": str(ROOT),
        "VENV": sys.prefix,
        "BROWSER": "true",
        "AICOURSE_REPLAY": "only",
        **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9"),
        "no_proxy": "127.0.0.1,localhost",
    }
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        check=False,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-3000:]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Where the clone of a test is, or will be."""
    return tmp_path / "aicourse"


def run_document(document: str, clone: Path, kinds: set[str]) -> None:
    for lines in blocks(document):
        wanted = [line for line in lines if line.mark in kinds]
        cloning = any("git clone <" in line.text for line in wanted)
        if not cloning and not clone.exists():
            run([Line("git clone <this repository> aicourse")], clone.parent, clone)
        if wanted:
            run(wanted, clone.parent if cloning else clone, clone)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_blocks_run(document: str, clone: Path) -> None:
    run_document(document, clone, {""})


@pytest.mark.slow
@pytest.mark.parametrize(
    "document", [name for name in DOCUMENTS if "<!-- slow" in (ROOT / name).read_text("utf-8")]
)
def test_the_long_blocks_run(document: str, clone: Path) -> None:
    run_document(document, clone, {"", "slow"})


def test_every_document_with_a_block_is_run() -> None:
    with_blocks = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.md")
        if "```console" in path.read_text(encoding="utf-8")
        and not {".venv", "build", "tests"} & {*path.relative_to(ROOT).parts}
    }
    assert with_blocks <= set(DOCUMENTS)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (Line("aicourse lint 98"), "ended with 1, not 0"),
        (Line("true  # exit code 1"), "ended with 0, not 1"),
        (Line("cd nowhere && true"), "ended with 1, not 0"),
    ],
)
def test_a_line_that_ends_otherwise_is_told(line: Line, message: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=message):
        run([line, Line("echo unreached")], tmp_path, ROOT)


# ------------------------------------------------------------ the examples of --help

NOT_RUN = {
    "serve": "serves until Ctrl-C",
    "marketplace": "serves until Ctrl-C",
    "gradebook review": "serves until Ctrl-C",
    "model pull": "asks an index",
    "model path": "needs a file that `model pull` fetches",
    "model remove": "needs a file that `model pull` fetches",
    "agents run": "asks a model; tests/tooling/cli/test_agents.py runs it with a scripted one",
    "agents evaluate": "asks a model; tests/tooling/cli/test_agents.py runs it with a scripted one",
    "agents gate": "needs runs of agents; tests/tooling/cli/test_agents.py runs it",
    "rag index": "needs the embedding model's file; tests/tooling/cli/test_rag.py runs it",
    "rag search": "needs an index",
    "rag ask": "needs an index, and asks a model; tests/tooling/cli/test_rag.py runs it with a scripted one",
    "rag evaluate": "needs an index",
    "test": "these tests are a part of it",
}
# What the examples speak of: runs, an experiment, a shop's spans, submissions, a roster of points,
# another system's notebook.
PREPARED = """
aicourse evals run datasets/listings --prompt extract_listing@3 --split test --out v3.jsonl
aicourse evals run datasets/listings --prompt extract_listing@4 --split test --out v4.jsonl
mkdir -p build/runs && cp v3.jsonl before.jsonl && cp v4.jsonl after.jsonl
cp before.jsonl after.jsonl v4.jsonl build/runs/
python docs/experiment-example/simulate.py
cp docs/experiment-example/experiment.toml build/experiment/*.jsonl .
aicourse homework samples hw01 --out submissions
cp "$(python -c 'from aicourse.marketplace import load_production; print(load_production())')" shop.sqlite3
cp homework/hw01-extraction/hw01.ipynb . && cp tests/notebooks/import/nbgrader.ipynb ps1.ipynb
printf 'student,question,points\\n' > by-hand.csv
printf 'student\\nada\\nbo\\ncem\\ndia\\n' > roster.csv
"""
CODES = {
    "grade": 1,  # one of the twenty is no notebook
    "homework check": 1,  # nothing is answered yet
    "evals gate": 1,  # 120 cases cannot rule out a loss of 0.05
    "monitor check": 3,  # the fortnight is over: nothing to judge
    "feedback": 1,  # the samples are from no platform
    "prompts promote": 1,  # extract_listing@4 is in production already
}


@pytest.mark.slow
def test_the_examples_of_help_run(clone: Path) -> None:
    commands = {each.name: each.example for each in reference.commands()}
    assert NOT_RUN.keys() | CODES.keys() <= commands.keys()
    run([Line("git clone <this repository> aicourse")], clone.parent, clone)
    run([Line(text) for text in PREPARED.strip().splitlines()], clone, clone)
    failed = []
    for name, example in commands.items():
        if name not in NOT_RUN:
            try:
                run([Line(f"{example}  # exit code {CODES.get(name, 0)}")], clone, clone)
            except AssertionError as error:
                failed.append(str(error))
    assert not failed, "\n".join(failed)
