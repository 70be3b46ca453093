"""`aicourse capstone check` on a small project: each promise broken alone, and folders that are hostile."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from aicourse.errors import SubmissionError
from aicourse.tooling.capstone import checking, project
from aicourse.tooling.capstone.checking import CapstoneReport, check
from aicourse.tooling.cli import app
from aicourse.tooling.grading.sandbox.execution import Answer, Execution, Job
from aicourse.tooling.grading.sandbox.executor import Sandbox
from aicourse.tooling.grading.sandbox.files import write_files
from aicourse.tooling.grading.sandbox.levels import probe_levels

KEY = "sk-" + "a1B2c3D4" * 4
FRUIT = ["apple", "pear", "plum", "fig", "lime", "kiwi", "date", "nut", "rice", "oat"]
ODD = ["stone", "chair", "lamp", "coat", "brick", "glass", "wheel", "nail", "rope", "book"]
SETTINGS = """
product = "Food or not"
tests = "python tests.py"
[evaluation]
dev = "dev.jsonl"
test = "test.jsonl"
task = "feature:task"
scorers = "feature:SCORERS"
rules = "gate.yaml"
production = "production.jsonl"
recordings = "recordings.jsonl"
prompts = "prompt.md"
[cost]
model = "own"
usd_per_1000_requests = 0
requests_per_month = 100
usd_per_million_in = 1
usd_per_million_out = 2
"""
FEATURE = f"""
FOOD = {FRUIT}
def task(case): return "food" if any(word in case.input for word in FOOD) else "thing"
def right(context): return context.output == context.expected
SCORERS = [right]
"""


def lines(prefix: str, words: list[str], expected: str) -> str:
    return "".join(
        json.dumps(
            {"id": f"{prefix}-{word}", "input": f"{prefix} {word} {len(word) * word}", "expected": expected}
        )
        + "\n"
        for word in words
    )


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The run of the small project, made once."""
    folder = tmp_path_factory.mktemp("production")
    write(folder, b"")
    spec = {"task": "feature:task", "scorers": "feature:SCORERS", "test": "test.jsonl", "out": "run.jsonl"}
    evaluate(folder, json.dumps(spec))
    return (folder / "run.jsonl").read_bytes()


def evaluate(folder: Path, asked: str) -> None:
    """What the sandbox runs, in this process: starting another takes seconds, and here are many."""
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["-c", asked])
        patch.setattr(sys, "path", [str(folder), *sys.path])
        patch.delitem(sys.modules, "feature", raising=False)
        exec(checking._EVALUATE, {})
        sys.modules.pop("feature", None)


def write(folder: Path, production: bytes) -> None:
    files = {
        "capstone.toml": SETTINGS,
        "feature.py": FEATURE,
        "tests.py": "print('3 passed')",
        "prompt.md": "Food or not?",
        "gate.yaml": "rules: [{score: right, tolerance: 0.05, mode: no loss shown}]",
        "dev.jsonl": lines("buy", FRUIT[:5], "food") + lines("buy", ODD[:5], "thing"),
        "test.jsonl": lines("what about", FRUIT, "food") + lines("do you sell", ODD, "thing"),
    }
    write_files(folder, [(name, text.encode()) for name, text in files.items()])
    (folder / "production.jsonl").write_bytes(production)


@pytest.fixture
def folder(tmp_path: Path, production: bytes) -> Path:
    path = tmp_path / "project"
    path.mkdir()
    write(path, production)
    return path


@pytest.fixture
def unprotected(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same commands as in the sandbox, in a folder of their own: quick, for a project that is ours."""
    number = iter(range(100))

    def execute(job: Job) -> Execution:
        place = tmp_path / f"run-{next(number)}"
        place.mkdir()
        write_files(place, job.files.items())
        command, seconds, environment, out = job.calls[0].arguments or ()
        with contextlib.chdir(place):
            if checking._EVALUATE in command:
                try:
                    evaluate(place, command[-1])
                    value = [0, "", Path(out).read_text("utf-8")]
                except Exception as error:
                    value = [1, str(error), ""]
            else:
                space: dict[str, Any] = {}
                exec(job.notebook["cells"][0]["source"], space)
                value = space["run"](command, seconds, environment, out)
        return Execution(job.notebook, (Answer("returned", value),), "finished", "", (), "L0", 0)

    @contextlib.contextmanager
    def sandbox(**_: object) -> Iterator[object]:
        yield SimpleNamespace(execute=execute, level="L0")

    monkeypatch.setattr(checking, "Sandbox", sandbox)


def change(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), "utf-8")

    return edit


def add(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: write_files(
        folder, [(name, ((folder / name).read_bytes() if (folder / name).exists() else b"") + text.encode())]
    )


def failed(report: CapstoneReport) -> dict[str, str]:
    return {finding.name: finding.found for finding in report.findings if not finding.passed}


@pytest.mark.usefixtures("unprotected")
def test_a_project_that_keeps_its_promises(folder: Path) -> None:
    report = check(folder)
    assert report.passed, str(report)
    said = {finding.name: finding.found for finding in report.findings}
    assert said["reproducible"] == "twice the same: 3 passed; 20 cases"
    assert said["evaluation"].startswith("10 dev and 20 test cases")
    assert 'fails one that answers "thing" to everything' in said["gate"]
    assert said["keys"] == "none in 8 files; there is no history"


RANDOM = "import os\ndef task(case): return os.urandom(4).hex()\n"


@pytest.mark.usefixtures("unprotected")
@pytest.mark.parametrize(
    ("spoil", "promise", "sentence"),
    [
        (add("tests.py", "\nraise SystemExit('1 failed')"), "reproducible", "with 1: 3 passed\n1 failed"),
        (add("feature.py", RANDOM), "reproducible", "20 of 20 cases came out otherwise"),
        (add("tests.py", "\nimport nowhere"), "reproducible", "call last):\nModuleNotFoundError: No module"),
        (add("feature.py", "import nowhere"), "reproducible", "No module named 'nowhere'"),
        (change("capstone.toml", "python tests.py", "no-such-program"), "reproducible", "No such file"),
        (add("dev.jsonl", lines("what about", ["pear"], "food")), "evaluation", "is like what about-pear"),
        (add("prompt.md", " DO you  sell nail NAILnailnailnail"), "evaluation", "sell-nail stands in"),
        (add("dev.jsonl", "{}"), "evaluation", "line 11: not a case"),
        (change("capstone.toml", "dev.jsonl", "none.jsonl"), "evaluation", "none.jsonl, which is not there"),
        (change("gate.yaml", "tolerance: 0.05", "tolerance: 1"), "gate", "It cannot fail"),
        (add("feature.py", "def right(context): return True\nSCORERS = [right]"), "gate", "It cannot fail"),
        (add("feature.py", "def task(case): return 'food'"), "gate", "Every case is answered alike"),
        (add("feature.py", "FOOD = FOOD[8:]"), "gate", "holds the project itself back"),
        (add("notes.txt", f"key = {KEY}"), "keys", "stands in notes.txt."),
        (add(".env", f"OPENAI_API_KEY={KEY}"), "keys", "stands in .env."),
        (change("capstone.toml", "requests = 0", "requests = 0.5"), "cost", "0.5 USD per 1,000 requests"),
        (change("capstone.toml", "usd_per_million_in = 1", ""), "cost", "No price of own is known"),
        (change("capstone.toml", "python tests.py", "python 'tests.py"), "reproducible", "tests ended with"),
        (add("gate.yaml", "\n" + "[" * 100_000), "gate", "cannot be read"),
    ],
)  # fmt: skip
def test_each_broken_promise_is_told(
    spoil: Callable[[Path], None], promise: str, sentence: str, folder: Path
) -> None:
    spoil(folder)
    found = failed(check(folder))
    assert sentence in found[promise]
    assert KEY not in str(found)


# ------------------------------------------------------------ keys of the past


def git(folder: Path, *words: str) -> None:
    who = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    named = dict.fromkeys(who, "a@example.org")
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, env={**os.environ, **named})


def keys_of(folder: Path) -> str:
    return checking._finding("keys", "", checking._kept_keys, project.read_project(folder)).found


def test_a_key_that_was_deleted_is_found_in_the_history(folder: Path) -> None:
    git(folder, "init", "-q")
    (folder / ".env").write_text(f"OPENAI_API_KEY={KEY}")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    git(folder, "rm", "-q", ".env")
    git(folder, "commit", "-qm", "second")
    git(folder, "gc", "-q")
    assert keys_of(folder).startswith("What looks like a key stands in the history")


def test_a_clean_history_is_said_to_be_clean(folder: Path) -> None:
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    assert keys_of(folder) == "none in 8 files and in the history"


def test_commands_in_a_strangers_git_configuration_are_not_run(folder: Path, tmp_path: Path) -> None:
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    ran = tmp_path / "ran"
    with (folder / ".git" / "config").open("a") as config:
        config.write(f'[core]\n\tfsmonitor = "touch {ran}"\n[alias]\n\tcat-file = "!touch {ran}"\n')
    (folder / ".git" / "objects" / "info" / "alternates").write_text("/etc\n")
    assert keys_of(folder) == "none in 8 files and in the history"
    assert not ran.exists()


@pytest.mark.parametrize("kind", ["link", "file", "large"])
def test_a_history_that_cannot_be_read_is_told(
    kind: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "file":
        (folder / ".git").write_text("gitdir: /elsewhere\n")
    else:
        git(tmp_path if kind == "link" else folder, "init", "-q", "other" if kind == "link" else ".")
    if kind == "link":
        (folder / ".git").symlink_to(tmp_path / "other" / ".git")
    if kind == "large":
        git(folder, "add", "-A")
        monkeypatch.setattr(project, "HISTORY_BYTES", 1_000)
    found = keys_of(folder)
    assert "holds more than" in found if kind == "large" else "in another folder" in found


def test_a_key_is_found_anywhere_in_a_long_line(folder: Path) -> None:
    for before in range(checking._PIECE - 60, checking._PIECE + 5, 8):
        (folder / "long.txt").write_text(" " * before + KEY + " " * 20_000, encoding="utf-8")
        assert keys_of(folder) == "What looks like a key stands in long.txt."


def test_a_search_that_takes_too_long_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_SEARCH_SECONDS", 0)
    assert "takes more than 0 s" in keys_of(folder)


# ------------------------------------------------------------ hostile folders


def link_out(folder: Path) -> None:
    (folder / "passwords").symlink_to("/etc/passwd")


def link_folder(folder: Path) -> None:
    (folder / "up").symlink_to(folder.parent)


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def huge(folder: Path) -> None:
    with (folder / "huge.bin").open("wb") as file:
        file.truncate(1 << 40)  # a hole: no byte of it is on the disk


def many(folder: Path) -> None:
    write_files(folder, [(f"d/{number}", b"") for number in range(project.MOST_FILES + 1)])


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (link_out, "passwords is a link or a device"),
        (link_folder, "up is a link or a device"),
        (pipe, "pipe is a link or a device"),
        (huge, "huge.bin: a project has at most"),
        (many, "at most 2,000 files"),
        (lambda folder: (folder / "capstone.toml").unlink(), "has no capstone.toml"),
        (change("capstone.toml", "product =", "produkt ="), "capstone.toml: product"),
        (change("capstone.toml", "requests = 0", "requests = nan"), "usd_per_1000_requests"),
        (add("capstone.toml", "x = " + "[" * 100_000), "capstone.toml cannot be read"),
    ],
)
def test_a_hostile_folder_gets_a_sentence(spoil: Callable[[Path], None], message: str, folder: Path) -> None:
    spoil(folder)
    with pytest.raises(SubmissionError, match=message):
        check(folder)


def test_what_is_no_folder_is_refused(folder: Path) -> None:
    with pytest.raises(SubmissionError, match="Unpack an archive first"):
        check(folder / "feature.py")


def test_a_zip_bomb_is_bytes(folder: Path) -> None:
    (folder / "bomb.zip").write_bytes(b"PK\3\4" + b"\0" * 1_000)
    assert project.read_project(folder).files["bomb.zip"].startswith(b"PK")


# ------------------------------------------------------------ in the real sandbox

ATTACK = """
import os, pathlib, socket
for path in ("/etc/shadow", FOLDER):
    assert not pathlib.Path(path).exists(), path
try:
    socket.create_connection(("1.1.1.1", 53), timeout=2)
except OSError:
    print("alone")
else:
    raise SystemExit("reached the network")
assert "SECRET_OF_GRADER" not in os.environ
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
def test_the_sandbox_keeps_tests_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not probe_levels()["L3"].works:
        pytest.skip("no sandbox here")
    monkeypatch.setenv("SECRET_OF_GRADER", "1")
    (folder / "tests.py").write_text(f"FOLDER = {str(folder)!r}{ATTACK}")
    (folder / "endless.py").write_text(
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'while True: pass'])"
    )
    with Sandbox() as sandbox:
        trial = checking.ProjectTrial(project.read_project(folder), sandbox.execute, 60)
        assert trial.tests() == "alone"
        assert trial.evaluation().summary.records == 20
        change("capstone.toml", "tests.py", "endless.py")(folder)
        started = time.monotonic()
        with pytest.raises(SubmissionError, match="did not end within 2 s"):
            checking.ProjectTrial(project.read_project(folder), sandbox.execute, 2).tests()
        assert time.monotonic() - started < 60


# ------------------------------------------------------------ the command line


@pytest.mark.usefixtures("unprotected")
def test_the_command_line_says_what_to_do(folder: Path) -> None:
    add(".env", f"OPENAI_API_KEY={KEY}")(folder)
    done = CliRunner().invoke(app, ["capstone", "check", str(folder)])
    assert done.exit_code == 1
    assert "FAILED  keys" in done.output
    assert "Do: Revoke the key" in done.output
    told = json.loads(CliRunner().invoke(app, ["capstone", "check", str(folder), "--json"]).output)
    assert told["passed"] is False
    assert [finding["name"] for finding in told["findings"] if not finding["passed"]] == ["keys"]
