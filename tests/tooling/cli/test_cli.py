"""Each command says what it does, parses what it is given, and ends foreseeable mistakes in one sentence."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from aicourse.errors import AicourseError
from aicourse.notebook import hint
from aicourse.tooling import cli, course
from aicourse.tooling.cli import reference
from aicourse.tooling.course import doctor, selftest
from aicourse.tooling.course.doctor.diagnosis import Diagnosis, Report
from aicourse.tooling.localmodel import model_files

ROOT = Path(__file__).parents[3]
COMMANDS = {command.name: command for command in reference.commands()}
HEAVY = "IPython anthropic fastapi httpx2 matplotlib nbformat numpy openai pandas papermill xllamacpp"


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(cli.app, arguments)


def run_main(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int | str | None:
    """What the process would exit with."""
    monkeypatch.setattr(sys, "argv", ["aicourse", *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    return exit_.value.code


# ------------------------------------------------------------ help


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_a_purpose_and_an_example_of_this_command(name: str) -> None:
    result = invoke(*name.split(), "--help")
    assert result.exit_code == 0
    example = result.output.partition("Example: ")[2].split("\n")[0]
    assert example.startswith(f"aicourse {name}")
    assert len(COMMANDS[name].purpose) > 10
    assert COMMANDS[name].purpose in " ".join(result.output.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_parse(name: str) -> None:
    words = shlex.split(COMMANDS[name].example)[1 + len(name.split()) :]
    command: Any = typer.main.get_command(cli.app)
    for part in name.split():
        command = command.commands[part]
    command.make_context(name, words)  # raises where an option or argument does not exist


def test_help_imports_nothing_heavy() -> None:
    code = f"""
import sys
from aicourse.tooling.cli import main
sys.argv = ["aicourse", "--help"]
try:
    main()
except SystemExit:
    print("heavy:", sorted(set("{HEAVY}".split()) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "heavy: []" in done.stdout


# ------------------------------------------------------------ mistakes


def test_an_error_is_one_sentence_on_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    message = run_main("model", "path", "no-such-model", monkeypatch=monkeypatch)  # a text: Python prints it
    assert isinstance(message, str)
    assert message.startswith("No model 'no-such-model' in the catalogue.")
    assert "\n" not in message


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AICOURSE_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["aicourse", "model", "path", "no-such-model"])
    with pytest.raises(AicourseError):
        cli.main()


def test_as_a_process_an_error_leaves_stdout_empty_and_code_1() -> None:
    command = [sys.executable, "-m", "aicourse", "model", "path", "no-such-model"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)


def test_a_python_without_the_dependencies_is_told_how_to_install_them() -> None:
    command = [sys.executable, "-S", "-m", "aicourse", "doctor"]  # -S: no site-packages
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("typer is not installed for")
    assert "make setup" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "01", "--all"],
        ["run", "01", "--save", "--live"],
        ["run", "01", "--jobs", "0"],
        ["run", "01", "-p", "N_CASES"],
        ["run", "01", "-p", "N CASES=5"],
        ["model", "path"],
        ["no-such-command"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(course, "run", raising=False)
    assert invoke(*arguments).exit_code == 2


def test_version() -> None:
    assert invoke("--version").output == "aicourse 0.1.0\n"


# ------------------------------------------------------------ doctor and models


@pytest.mark.parametrize(("status", "code"), [("ok", 0), ("warning", 0), ("problem", 1)])
def test_doctor_fails_on_problems_only(status: Any, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report((Diagnosis("Disk", status, "so so", "Mend it."),))
    monkeypatch.setattr(doctor, "report", lambda: report)
    result = invoke("doctor")
    assert (result.exit_code, result.output) == (code, f"{report}\n")
    assert json.loads(invoke("doctor", "--json").output)["findings"][0]["status"] == status


def test_model_list_names_every_model_and_warns_of_retired_ones() -> None:
    output = invoke("model", "list").output
    assert "qwen2.5-coder-0.5b" in output
    assert "claude-sonnet-5-5" in output
    assert "Note: llama-3.3-70b-versatile was retired on 2026-08-16." in output


def test_model_commands_call_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[tuple[str, str]] = []

    def pull(name: str) -> Path:
        calls.append(("pull", name))
        return tmp_path / "model.gguf"

    def remove(name: str) -> int:
        calls.append(("remove", name))
        return 98_362_432

    monkeypatch.setattr(model_files, "pull", pull)
    monkeypatch.setattr(model_files, "remove", remove)
    assert invoke("model", "pull").output == f"{tmp_path / 'model.gguf'}\n"
    assert invoke("model", "pull", "smollm2-135m").exit_code == 0
    assert invoke("model", "remove", "smollm2-135m").output == "98 MB freed.\n"
    assert calls == [("pull", "qwen2.5-coder-0.5b"), ("pull", "smollm2-135m"), ("remove", "smollm2-135m")]


def test_model_path_of_an_absent_model_says_how_to_fetch_it(monkeypatch: pytest.MonkeyPatch) -> None:
    message = run_main("model", "path", "smollm2-135m", monkeypatch=monkeypatch)
    assert message == "smollm2-135m is not on this computer. Fetch it with: aicourse model pull smollm2-135m"


# ------------------------------------------------------------ lessons


class Asked:
    """Stands in for a function of `course`: answers with `result`, remembers the arguments."""

    def __init__(self, result: Any) -> None:
        self.result = result
        self.arguments: tuple[Any, ...] = ()
        self.options: dict[str, Any] = {}

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.arguments, self.options = arguments, options
        return self.result


def lesson_run(error: str | None = None) -> Any:
    return SimpleNamespace(error=error)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked([lesson_run()])
    monkeypatch.setattr(course, "run", asked, raising=False)
    monkeypatch.setattr(course, "write_report", lambda runs, folder: folder / "index.html", raising=False)
    monkeypatch.setattr(course, "slow_lessons", lambda runs: {"01": "01 took 9 s."}, raising=False)
    return asked


def test_run_passes_lessons_and_parameters_on(run: Asked) -> None:
    result = invoke(
        "run", "01", "00", "-p", "N_CASES=5", "-p", "MODEL=smollm2-135m", "-p", "X=a=b", "--jobs", "1"
    )
    assert result.exit_code == 0
    assert run.arguments == (["01", "00"],)
    assert run.options == {
        "jobs": 1,
        "parameters": {"N_CASES": 5, "MODEL": "smollm2-135m", "X": "a=b"},
        "replay": "auto",
        "save": False,
    }


def test_run_all_says_where_to_look_and_how_to_open_jupyterlab(run: Asked) -> None:
    output = invoke("run", "--all").output
    assert run.arguments == (None,)
    assert str(Path("build", "course", "index.html")) in output
    assert "make lab" in output
    assert "python -m jupyterlab" in output


@pytest.mark.parametrize(
    ("option", "configured", "expected"),
    [
        (None, None, "auto"),
        (None, "only", "only"),
        ("--live", "only", "off"),
        ("--save", None, "only"),
        ("--save", "off", "only"),
    ],
)
def test_where_replies_come_from(
    option: str | None, configured: str | None, expected: str, run: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    if configured:
        monkeypatch.setenv("AICOURSE_REPLAY", configured)
    assert invoke("run", "01", *([option] if option else [])).exit_code == 0
    assert run.options["replay"] == expected


def test_a_failed_lesson_is_exit_code_1_after_the_report(run: Asked) -> None:
    run.result = [lesson_run(), lesson_run("cell 3 (a): NameError")]
    result = invoke("run", "--all")
    assert result.exit_code == 1
    assert "Slow: 01 took 9 s." in result.output
    assert "index.html" in result.output


@pytest.mark.parametrize(("failures", "code"), [((), 0), (("cell 4 (ask): differs",), 1)])
def test_validate_tells_each_failure(
    failures: tuple[str, ...], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = SimpleNamespace(name="01-the-first-call")
    asked = Asked([SimpleNamespace(lesson=lesson, failures=failures, passed=not failures)])
    monkeypatch.setattr(course, "validate", asked, raising=False)
    result = invoke("validate", "01")
    assert asked.arguments == (["01"],)
    assert result.exit_code == code
    assert result.output.split("\n")[1:-1] == [f"01-the-first-call, {failure}" for failure in failures]


@pytest.mark.parametrize(
    ("findings", "code", "last"),
    [([], 0, "No breaches of the rules."), (["01: a"], 1, "1 breach of the rules.")],
)
def test_lint_tells_each_finding(
    findings: list[str], code: int, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(findings)
    monkeypatch.setattr(course, "lint", asked, raising=False)
    result = invoke("lint")
    assert asked.arguments == (None,)
    assert (result.exit_code, result.output.splitlines()) == (code, [*findings, last])


def test_lint_prints_the_size_of_lessons() -> None:
    result = invoke("lint", "--table", "tests/notebooks/lint/good.ipynb")
    assert result.exit_code == 0
    headings, row = result.output.splitlines()
    assert headings.split() == [
        "Lesson",
        "Cells",
        "Words",
        "Minutes",
        "Longest",
        "passive",
        "run",
        "Exercises",
        "Other",
        "actions",
    ]
    assert row.split()[:2] == ["good", "33"]


class Recorded(SimpleNamespace):
    def __str__(self) -> str:
        return "01: 3 recorded"


@pytest.mark.parametrize(
    ("words", "complete", "error", "code"),
    [
        (["01"], False, None, 0),  # recording changes things: that is what it is for
        (["01"], True, "cell 3 (a): stopped", 1),
        (["--check"], True, None, 0),
        (["--check"], False, None, 1),
        (["--missing"], False, None, 0),
    ],
)
def test_record_fails_when_a_lesson_stops_or_a_check_finds_something(
    words: list[str], complete: bool, error: str | None, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked([Recorded(complete=complete, error=error)])
    monkeypatch.setattr(course, "record", asked, raising=False)
    result = invoke("record", *words)
    assert (result.exit_code, result.output) == (code, "01: 3 recorded\n")
    assert asked.arguments == (["01"] if words == ["01"] else None,)
    assert asked.options == {
        "check": "--check" in words,
        "missing_only": "--missing" in words,
        "live": False,
    }


@pytest.mark.parametrize("words", [["record"], ["record", "01", "--live"]])
def test_recording_everything_anew_is_never_an_accident(words: list[str]) -> None:
    assert invoke(*words).exit_code == 2


def test_status_shows_server_models_and_lessons() -> None:
    output = invoke("status").output
    assert "Server:   not running" in output
    assert "Models:   none here" in output
    for lesson in course.lessons():
        assert lesson.title in output


def test_progress_of_a_new_user() -> None:
    assert invoke("progress").output.startswith("Nothing yet")
    assert invoke("progress", "--reset").output == "There is nothing to forget.\n"


def test_a_lesson_is_begun_anew() -> None:
    hint("01.1")
    assert "\n  01 " in invoke("progress").output
    assert "What there was is kept as" in invoke("progress", "--reset", "01").output
    assert invoke("progress").output.startswith("Nothing yet")
    assert invoke("progress", "01").exit_code == 2  # a lesson without --reset


def test_steps_of_the_test_command_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked((selftest.StepResult("style", False, 0.1),))
    monkeypatch.setattr(selftest, "run_steps", asked)
    assert invoke("test", "style").exit_code == 1
    assert asked.arguments == (["style"],)
