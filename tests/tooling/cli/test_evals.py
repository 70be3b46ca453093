"""`aicourse evals`: from cases to a decision on the command line; a foreseeable mistake is one sentence."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from typer.testing import CliRunner

from aicourse.errors import AicourseError
from aicourse.evals import approval, runner, runs, validation
from aicourse.evals import cases as sets
from aicourse.evals.cases import Case, EvaluationSet
from aicourse.evals.scores import Context
from aicourse.marketplace import listing_cases
from aicourse.tooling import cli
from aicourse.tooling.evaluation import exporting, importing

TASKS = """
import time

class Calls(list):  # no plain data, of which a change would make it another task
    pass

calls = Calls()

def upper(case):
    calls.append(case.id)
    return case.input.upper()

def worse(case):
    return case.input if int(case.id) % 3 == 0 else case.input.upper()

def slow(case):
    time.sleep(0.02)
    return case.input.upper()

def picky(context):
    if context.id == "1":
        raise LookupError("no such colour")
    return len(context.output)

BOTH = [picky, lambda context: context.output == "A"]
NOTHING = []
number = 7
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with 90 cases and a module of tasks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    monkeypatch.delitem(sys.modules, "mytasks", raising=False)
    (tmp_path / "mytasks.py").write_text(TASKS)
    cases = [
        Case(id=str(n), input=f"word {n}", expected=f"WORD {n}", tags=("even" if n % 2 == 0 else "odd",))
        for n in range(90)
    ]
    sets.save_cases(cases, tmp_path / "cases.jsonl")
    return tmp_path


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli.app, ["evals", *arguments])
    assert result.exit_code == code, result.output + str(result.exception)
    return result.output


def mistake(*arguments: str) -> str:
    """The sentence that a user sees; it speaks of no function that a command line does not have."""
    error = CliRunner().invoke(cli.app, ["evals", *arguments]).exception
    assert isinstance(error, AicourseError), error
    assert not re.search(r"runner\.|save_cases|evals\.run\(", error.message)
    return error.message


def run_task(task: str, out: str, *more: str) -> str:
    return invoke("run", "cases.jsonl", "--task", f"mytasks:{task}", "--out", out, *more)


# run


def test_a_task_over_a_file_of_cases_is_run_scored_and_kept(folder: Path) -> None:
    output = run_task("upper", "a.jsonl")
    assert "exact           1.000 (0.959 to 1.000)  90 cases" in output
    assert "Kept in a.jsonl" in output
    assert runs.load_run("a.jsonl").info.facts == {"task": "mytasks:upper", "cases": "cases.jsonl"}


def test_running_again_repeats_no_finished_case(folder: Path) -> None:
    first = run_task("upper", "a.jsonl")
    sys.modules["mytasks"].calls.clear()
    assert run_task("upper", "a.jsonl") == first
    assert sys.modules["mytasks"].calls == []


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (("--limit", "2"), "of its cases, 88 are not among the chosen ones (2, 3, 4, 5, …)"),
        (("--tag", "odd"), "of its cases, 45 are not among the chosen ones (0, 2, 4, 6, …)"),
        (("--repeats", "2"), "repeats was 1 and is 2"),
        (("--scorers", "contains"), "the scorer exact changed; the scorer contains changed"),
        (("--live",), "replies was not noted and is live"),
    ],
)
def test_another_choice_is_another_run(folder: Path, more: tuple[str, ...], reason: str) -> None:
    run_task("upper", "a.jsonl")
    before = Path("a.jsonl").read_bytes()
    message = mistake("run", "cases.jsonl", "--task", "mytasks:upper", "--out", "a.jsonl", *more)
    assert message.startswith(f"a.jsonl holds another run: {reason}. Undo that, give this one")
    assert Path("a.jsonl").read_bytes() == before


def test_a_task_that_was_edited_is_another_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_task("upper", "a.jsonl")
    monkeypatch.delitem(sys.modules, "mytasks")
    Path("mytasks.py").write_text(
        TASKS.replace("return case.input.upper()", "return case.input.lower()", 1), encoding="utf-8"
    )
    importlib.invalidate_caches()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    shutil.rmtree("__pycache__", ignore_errors=True)
    message = mistake("run", "cases.jsonl", "--task", "mytasks:upper", "--out", "a.jsonl")
    assert message.startswith("a.jsonl holds another run: the task's code changed.")


def test_a_run_is_scored_anew_without_trying_a_case(folder: Path) -> None:
    run_task("upper", "a.jsonl")
    sys.modules["mytasks"].calls.clear()
    output = invoke("rescore", "a.jsonl", "--scorers", "contains", "--out", "b.jsonl")
    assert "contains        1.000" in output
    assert output.endswith("Kept in b.jsonl\n")
    assert run_task("upper", "b.jsonl", "--scorers", "contains").startswith("run mytasks:upper\ncontains ")
    assert sys.modules["mytasks"].calls == []


def test_half_a_character_ends_no_run(folder: Path) -> None:
    Path("mytasks.py").write_text(
        TASKS + "\ndef half(case):\n    return case.input + '\\ud83d\\x1b'\n", encoding="utf-8"
    )
    output = run_task("half", "a.jsonl", "--scorers", "mytasks:picky")
    assert "89 cases, scorer failed 1 times" in output
    assert next(iter(runs.load_run("a.jsonl").records())).output.endswith("\ud83d\x1b")
    assert invoke("report", "a.jsonl", "--out", "r.html") == "r.html\n"


def test_the_command_that_writes_a_missing_run_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "notebooks").mkdir(), (folder / "datasets").mkdir()
    monkeypatch.setenv("AICOURSE_HOME", str(folder))
    usual = folder / "build" / "runs" / "extract_listing@v4-test-qwen2.5-coder-0.5b.jsonl"
    command = "aicourse evals run datasets/listings --prompt extract_listing@v4 --split test"
    assert mistake("compare", str(usual), str(usual)) == (
        f"No run {usual}. Write it with: {command} --model qwen2.5-coder-0.5b"
    )
    other = usual.with_name("extract_listing-4-test-smollm2-135m-first2.jsonl")
    assert mistake("report", str(other), "--out", "r.html").endswith(
        f"{command} --model smollm2-135m --out {other}"
    )


def test_slices_limits_repeats_and_own_scorers(folder: Path) -> None:
    own = ("--scorers", "mytasks:BOTH", "--scorers", "contains")
    run_task("upper", "a.jsonl", "--tag", "odd", "--limit", "4", "--repeats", "2", *own)
    run = runs.load_run("a.jsonl")
    assert [record.id for record in run.records()].count("1") == 2
    assert run.summary.records == 8
    assert [score.name for score in run.summary.scores] == ["picky", "<lambda>", "contains"]
    assert [score.errors for score in run.summary.scores] == [2, 0, 0]


def test_without_out_the_run_goes_to_the_build_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "notebooks").mkdir(), (folder / "datasets").mkdir()
    monkeypatch.setenv("AICOURSE_HOME", str(folder))
    words = ("run", "cases.jsonl", "--task", "mytasks:upper")
    for more in ((), ("--tag", "odd"), ("--limit", "2"), ("--repeats", "2"), ("--live",)):
        invoke(*words, *more)
    assert sorted(one.name for one in (folder / "build" / "runs").glob("*.jsonl")) == [
        "cases-mytasks_upper-first2.jsonl",
        "cases-mytasks_upper-live.jsonl",
        "cases-mytasks_upper-odd.jsonl",
        "cases-mytasks_upper-x2.jsonl",
        "cases-mytasks_upper.jsonl",
    ]


def test_a_batch_that_has_come_back_is_scored(folder: Path) -> None:
    def answer(id: str, text: str) -> str:
        body = {"choices": [{"message": {"content": text}}]}
        return json.dumps({"custom_id": id, "response": {"status_code": 200, "body": body}, "error": None})

    (folder / "batch.jsonl").write_text("\n".join(answer(str(n), f"WORD {n % 88}") for n in range(89)))
    output = invoke("run", "cases.jsonl", "--answers", "batch.jsonl", "--out", "a.jsonl")
    assert "exact           0.978" in output  # 87 of 90, and the last one has no answer
    assert "1 failed, counted as 0; 89: EvaluationError: The batch has no answer to case '89'." in output


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a POSIX signal")
def test_ctrl_c_says_how_many_are_done_and_how_to_go_on(folder: Path) -> None:
    words = ["evals", "run", "cases.jsonl", "--task", "mytasks:slow", "--out", "a b.jsonl", "--workers", "1"]
    command = [sys.executable, "-m", "aicourse", *words]
    hears = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a job in the background begins deaf to it
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=hears)
    path = folder / "a b.jsonl"
    while not path.exists() or path.read_bytes().count(b"\n") < 5:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=30)
    assert process.returncode == 130
    done = runs.load_run(path).summary.records
    assert 4 <= done < 90
    assert f"Interrupted: {done} finished cases are kept in a b.jsonl." in message
    assert message.endswith(
        "Go on with: aicourse evals run cases.jsonl --task mytasks:slow --out 'a b.jsonl' --workers 1\n"
    )
    assert "Traceback" not in message


# compare, gate, report


@pytest.fixture
def two_runs(folder: Path) -> Path:
    run_task("upper", "before.jsonl")
    run_task("worse", "after.jsonl")
    return folder


def test_compare_shows_each_score_then_what_changed_most(two_runs: Path) -> None:
    lines = invoke("compare", "before.jsonl", "after.jsonl", "--list", "2").splitlines()
    assert lines[0] == "mytasks:worse against mytasks:upper: 90 cases"
    assert lines[1].split()[:3] == ["score", "before", "after"]
    assert lines[2].split()[:3] == ["exact", "1.000", "0.667"]
    assert lines[2].endswith("0       30     worse")
    assert lines[4].split() == ["changed", "most", "case", "of", "30", "that", "changed"]
    assert [line.split() for line in lines[5:]] == [
        ["worse", "0", "exact", "-1.00"],
        ["worse", "12", "exact", "-1.00"],
    ]


def test_compare_shows_slices_on_request(two_runs: Path) -> None:
    lines = invoke("compare", "before.jsonl", "after.jsonl", "--list", "0", "--slices").splitlines()
    assert lines[4] == "exact by slice"
    assert [line.split()[:2] for line in lines[6:]] == [["even", "45"], ["odd", "45"]]
    few = invoke("compare", "before.jsonl", "after.jsonl", "--slices", "--smallest", "46")
    assert few.splitlines()[-1] == "exact by slice; too few cases in: even, odd"


def test_the_gate_holds_a_regression_back_and_lets_the_same_through(two_runs: Path) -> None:
    assert "FAIL: mytasks:worse may not replace mytasks:upper." in invoke(
        "gate", "before.jsonl", "after.jsonl", code=1
    )
    assert "PASS" in invoke("gate", "before.jsonl", "before.jsonl")
    assert "PASS" in invoke("gate", "before.jsonl", "after.jsonl", "--rule", "exact=0.6:0.6")


def test_the_gate_says_before_the_run_what_its_rules_need(two_runs: Path) -> None:
    assert "With 90 cases a candidate can pass." in invoke("gate", "before.jsonl", "--rule", "exact=0.05")
    message = mistake("gate", "before.jsonl", "--rule", "exact=0.02")
    assert (
        "90 cases cannot rule out that exact loses 0.02, even if nothing changes: that takes 183." in message
    )
    assert message == mistake("gate", "before.jsonl", "after.jsonl", "--rule", "exact=0.02")


def test_the_gate_says_that_no_loss_shown_is_no_proof(two_runs: Path) -> None:
    output = invoke("gate", "after.jsonl", "before.jsonl", "--rule", "exact=0.02", "--no-loss-shown")
    assert output.splitlines()[-1].endswith("may replace mytasks:worse.")  # more is proven: it is better
    assert "FAIL" in invoke("gate", "before.jsonl", "after.jsonl", "--no-loss-shown", code=1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gate.yaml", "rules: [{score: exact, tolerance: 0.6, slices: {odd: 0.1}}]"),
        ("gate.toml", '[[rules]]\nscore = "exact"\ntolerance = 0.6\nslices = {odd = 0.1}'),
    ],
)
def test_rules_from_a_file(two_runs: Path, name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")
    output = invoke("gate", "before.jsonl", "after.jsonl", "--rules", name, code=1)
    verdicts = [line for line in output.splitlines() if line.startswith("exact")]
    assert len(verdicts) == 2
    assert "fail" in verdicts[1]
    assert "odd" in verdicts[1]


@dataclass(frozen=True)
class Rater:
    """A scorer that says it is a judge, and lets everything pass."""

    facts: validation.JudgeFacts
    validation: validation.Validation | None
    name: str = "tone"

    def __call__(self, context: Context) -> bool:
        return True


def judged(facts: validation.JudgeFacts, right: int) -> validation.Validation:
    return validation.Validation(facts, "40 answers", "d", (20, 20), (right, 20), (0, 0), stable=40)


@pytest.mark.parametrize("noted", [False, True])
def test_the_gate_refuses_a_judge_that_nobody_measured_or_that_is_too_weak(folder: Path, noted: bool) -> None:
    facts = validation.JudgeFacts("judge_tone@v1", "0123456789ab", "m", ("yes", "no"), 0.25)
    weak, good = judged(facts, 14), judged(facts, 20)
    weak.save("weak.json"), good.save("good.json")
    judged(replace(facts, hash="ba9876543210"), 20).save("other.json")
    rater = Rater(facts, weak if noted else None)
    for name in ("v1", "v2"):
        runner.run(str, EvaluationSet("cases.jsonl"), [rater], name=name, path=f"{name}.jsonl")

    def gate(*more: str, code: int = 1) -> str:
        return invoke("gate", "v1.jsonl", "v2.jsonl", *more, code=code).splitlines()[-1]

    told = "tone: judge judge_tone@v1 (0123456789ab, m, yes passes, threshold 0.25)"
    weakness = "is too weak: TNR 0.70 (0.48 to 0.85), and the lower end must reach 0.7"
    end = ". Validate it or a better one, or leave this score out."
    start = f"FAIL: v2 may not replace v1. {told} "
    assert gate() == start + (weakness if noted else "is not validated") + end
    assert gate("--validation", "other.json") == start + (weakness if noted else "is not validated") + end
    assert gate("--validation", "weak.json") == start + weakness + end
    assert gate("--validation", "good.json", code=0).startswith("PASS: v2 may replace v1")
    Path("gate.yaml").write_text(
        "rules: [{score: tone, tolerance: 0.1, judge_at_least: 0.4}]", encoding="utf-8"
    )
    assert gate("--rules", "gate.yaml", "--validation", "weak.json", code=0).startswith("PASS")
    assert "cases.jsonl: not the validation of a judge" in mistake(
        "gate", "v1.jsonl", "v2.jsonl", "--validation", "cases.jsonl"
    )


def test_the_gate_writes_for_ci(two_runs: Path) -> None:
    files = ("--markdown", "ci/gate.md", "--junit", "ci/gate.xml")
    output = invoke("gate", "before.jsonl", "after.jsonl", *files, code=1)
    assert output.splitlines()[-1] in Path("ci/gate.md").read_text("utf-8")
    assert (
        ElementTree.parse("ci/gate.xml").getroot().get("failures") == "1"
    )  # the slices have no name in a rule


def test_the_gate_writes_the_proof_that_promote_asks_for(folder: Path) -> None:
    for name in ("v1", "v2"):
        facts = {"prompt": "p", "version": name, "hash": f"hash of {name}"}
        runner.run(
            lambda case: case.input.upper(),
            EvaluationSet("cases.jsonl"),
            [lambda context: True],
            name=name,
            path=f"{name}.jsonl",
            facts=facts,
            progress=False,
        )
    invoke("gate", "v1.jsonl", "v2.jsonl", "--proof", "proof.json")
    proof = approval.read_approval("proof.json")
    assert (proof.passed, proof.before_hash, proof.after_hash) == (True, "hash of v1", "hash of v2")
    assert (proof.cases, proof.headline) == (90, "PASS: v2 may replace v1: every output is identical.")


def test_no_proof_about_runs_without_a_prompt(two_runs: Path) -> None:
    message = mistake("gate", "before.jsonl", "after.jsonl", "--proof", "proof.json")
    assert "Run 'mytasks:upper' does not say which prompt it ran." in message


def test_report_is_one_file(two_runs: Path) -> None:
    assert (
        invoke("report", "after.jsonl", "--before", "before.jsonl", "--out", "r/new.html") == "r/new.html\n"
    )
    assert "mytasks:worse against mytasks:upper" in Path("r/new.html").read_text("utf-8")


# export, import


@pytest.mark.parametrize("tool", ["promptfoo", "inspect"])
def test_cases_travel_to_other_tools_and_back(folder: Path, tool: str) -> None:
    invoke("export", "cases.jsonl", "--to", tool, "--out", "theirs")
    invoke("import", "theirs", "--from", tool, "--out", "back.jsonl")
    ours, back = (
        [(case.id, case.input, case.expected, case.tags) for case in EvaluationSet(name)]
        for name in ("cases.jsonl", "back.jsonl")
    )
    assert ours == back


def test_listings_are_exported_by_split(folder: Path) -> None:
    listings = Path(__file__).parents[3] / "datasets" / "listings"
    invoke("export", str(listings), "--split", "dev", "--to", "promptfoo", "--out", "tests.yaml")
    assert len(yaml.safe_load(Path("tests.yaml").read_text("utf-8"))) == len(listing_cases("dev"))


def test_a_batch_asks_a_model(folder: Path) -> None:
    words = ("export", "cases.jsonl", "--to", "batch", "--out", "batch.jsonl")
    assert "names the model it asks. Add --model" in mistake(*words)
    invoke(*words, "--model", "gpt-5-mini", "--system", "Shout.")
    request = json.loads(Path("batch.jsonl").read_text("utf-8").splitlines()[3])
    assert request["custom_id"] == "3"
    assert request["body"]["model"] == "gpt-5-mini"
    assert [message["content"] for message in request["body"]["messages"]] == ["Shout.", "word 3"]


def test_csv_becomes_cases(folder: Path) -> None:
    Path("t.csv").write_text('text,brand,kind\nblue coat,ACME,"short, plain"\n', encoding="utf-8")
    columns = ("--input", "text", "--expected", "brand", "--tags", "kind")
    output = invoke("import", "t.csv", "--from", "csv", "--out", "c.jsonl", *columns)
    assert output.splitlines()[0] == "1 cases in c.jsonl"
    assert [(case.id, case.input, case.expected, case.tags) for case in EvaluationSet("c.jsonl")] == [
        ("1", "blue coat", "ACME", ("short", "plain"))
    ]


# bad input: the message names file and line, nothing is written, other cases are unaffected

GOOD = '{"id": "1", "input": "a", "expected": "A"}\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + '{"id": "2", "input": \n', "c.jsonl, line 2: not a case"),
        (GOOD + "\n" + GOOD, "c.jsonl, line 3: the id '1' occurs twice. Give each case its own."),
        (
            GOOD + '{"id": "2", "inptu": "a", "input": "b"}',
            "c.jsonl, line 2: not a case (unknown field 'inptu'",
        ),
        (GOOD + '{"id": "2"}', "c.jsonl, line 2: not a case (input: Field required)"),
        (GOOD + '["2"]', "c.jsonl, line 2: not a case"),
        ("", "c.jsonl holds no case. Add one per line, such as"),
    ],
    ids=["broken line", "duplicate id", "unknown field", "missing field", "no object", "empty"],
)
def test_a_broken_set_is_named_before_any_case_is_tried(folder: Path, text: str, message: str) -> None:
    Path("c.jsonl").write_text(text, encoding="utf-8")
    words = ("run", "c.jsonl", "--task", "mytasks:upper", "--out", "a.jsonl")
    assert message in mistake(*words)
    assert not Path("a.jsonl").exists()
    assert sys.modules["mytasks"].calls == []
    for tool in ("promptfoo", "inspect"):
        assert message in mistake("export", "c.jsonl", "--to", tool, "--out", "theirs")
        assert not Path("theirs").exists()


def test_a_set_that_is_not_there_or_not_text(folder: Path) -> None:
    words = ("--task", "mytasks:upper", "--out", "a.jsonl")
    assert "No file none.jsonl (No such file or directory). Check the path." in mistake(
        "run", "none.jsonl", *words
    )
    Path("c.jsonl").write_bytes(b"\xff\xfe\x00")
    assert "c.jsonl is not UTF-8 text" in mistake("run", "c.jsonl", *words)


def test_a_scorer_that_raises_costs_its_own_scores_only(folder: Path) -> None:
    output = run_task("upper", "a.jsonl", "--scorers", "mytasks:picky", "--scorers", "exact")
    assert "89 cases, scorer failed 1 times" in output
    record = next(one for one in runs.load_run("a.jsonl").records() if one.id == "1")
    assert record.scores[0].error == "LookupError: no such colour (mytasks.py, line 22)"
    assert record.scores[1].value is True


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Add --task module:function, or --answers FILE"),
        (("--task", "mytasks"), "'mytasks' names no task. Write module:name"),
        (("--task", "nowhere:f"), "No module named 'nowhere'. Run this in the folder of that module"),
        (("--task", "mytasks:lower"), "mytasks has no 'lower'. Correct the name."),
        (("--task", "mytasks:number"), "mytasks:number is a int. Name a function of one case."),
        (("--task", "broken:f"), "the module fails with ZeroDivisionError: division by zero. Repair it."),
        (("--task", "mytasks:upper", "--scorers", "f2"), "No scorer is called 'f2'. Use exact, normalised"),
        (("--task", "mytasks:upper", "--scorers", "mytasks:NOTHING"), "Name a function of one context"),
        (("--task", "mytasks:upper", "--tag", "odds"), "No case has the tag 'odds'. There are: even, odd."),
        (("--answers", "none.jsonl"), "No file none.jsonl"),
        (("--task", "mytasks:upper", "--out", "other.jsonl"), "other.jsonl is not a run."),
        (
            ("--task", "mytasks:upper", "--out", "run.jsonl"),
            "run.jsonl holds another run: the name was mytasks:worse and is mytasks:upper; "
            "task was mytasks:worse and is mytasks:upper; the task's code changed; the task's calls changed. "
            "Undo that, give this one a file of its own (--out, `path` in Python), or delete run.jsonl.",
        ),
    ],
)
def test_what_run_cannot_do(folder: Path, words: tuple[str, ...], message: str) -> None:
    Path("broken.py").write_text("1 / 0", encoding="utf-8")
    Path("other.jsonl").write_text("something else\n", encoding="utf-8")
    run_task("worse", "run.jsonl")
    before = Path("run.jsonl").read_bytes()
    assert message in mistake("run", "cases.jsonl", "--out", "a.jsonl", *words)
    assert Path("other.jsonl").read_text(encoding="utf-8") == "something else\n"
    assert Path("run.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("compare", "before.jsonl", "none.jsonl"),
            "No run none.jsonl. Write it with: "
            "aicourse evals run CASES.jsonl --task MODULE:FUNCTION --out none.jsonl",
        ),
        (("compare", "before.jsonl", "aftr.jsonl"), "No run aftr.jsonl. Did you mean after.jsonl?"),
        (("compare", "cases.jsonl", "before.jsonl"), "cases.jsonl is not a run."),
        (
            ("compare", "before.jsonl", "before.jsonl", "--score", "f1"),
            "no number or assertion 'f1'. It has: exact",
        ),
        (("compare", "before.jsonl", "broken.jsonl"), "broken.jsonl, line 2: not a record of a run."),
        (
            ("gate", "before.jsonl", "after.jsonl", "--rule", "exact"),
            "'exact' is no rule. Write score=tolerance",
        ),
        (("gate", "before.jsonl", "after.jsonl", "--rule", "exact=-1"), "'exact=-1' is no rule."),
        (("gate", "before.jsonl", "after.jsonl", "--rule", "f1=0.1"), "no number or assertion 'f1'"),
        (("gate", "before.jsonl", "after.jsonl", "--rules", "none.yaml"), "none.yaml cannot be read"),
        (
            ("gate", "before.jsonl", "after.jsonl", "--rules", "bad.yaml"),
            "bad.yaml: rules.0.tolerence: Extra inputs",
        ),
        (("gate", "before.jsonl", "after.jsonl", "--rules", "text.toml"), "text.toml cannot be read"),
        (("report", "none.jsonl", "--out", "r.html"), "No run none.jsonl"),
        (("export", "none.jsonl", "--to", "inspect", "--out", "x"), "No file none.jsonl"),
        (
            ("export", "cases.jsonl", "--split", "dev", "--to", "inspect", "--out", "x"),
            "a file without splits",
        ),
        (("export", ".", "--to", "inspect", "--out", "x"), "is a folder. Name a .jsonl file"),
        (("import", "text.toml", "--from", "promptfoo", "--out", "x"), "text.toml"),
        (("import", "cases.jsonl", "--from", "csv", "--input", "text", "--out", "x"), "no column 'text'"),
    ],
)
def test_what_the_others_cannot_do(two_runs: Path, words: tuple[str, ...], message: str) -> None:
    Path("bad.yaml").write_text("rules: [{score: exact, tolerence: 0.1}]", encoding="utf-8")
    Path("text.toml").write_text("just [text", encoding="utf-8")
    lines = Path("before.jsonl").read_text("utf-8").splitlines(keepends=True)
    Path("broken.jsonl").write_text(lines[0] + '{"id": 1}\n' + "".join(lines[2:]), encoding="utf-8")
    assert message in mistake(*words)
    assert not Path("x").exists()
    assert not Path("r.html").exists()


def test_a_case_that_was_changed_is_not_compared(two_runs: Path) -> None:
    changed = [case.model_copy(update={"expected": "?"}) for case in EvaluationSet("cases.jsonl")]
    sets.save_cases(changed, "cases.jsonl")
    run_task("upper", "new.jsonl")
    assert "90 cases were changed between the runs" in mistake("gate", "before.jsonl", "new.jsonl")


def test_live_and_record_exclude_each_other(folder: Path) -> None:
    result: Any = CliRunner().invoke(
        cli.app, ["evals", "run", "cases.jsonl", "--task", "mytasks:upper", "--live", "--record"]
    )
    assert result.exit_code == 2
    assert "choose one" in result.output


def test_exported_promptfoo_tests_are_read_by_our_importer_only_if_they_are_tests(folder: Path) -> None:
    Path("t.yaml").write_text("prompts: [a]\n", encoding="utf-8")
    assert "holds no list of tests" in mistake("import", "t.yaml", "--from", "promptfoo", "--out", "x")
    written = exporting.to_promptfoo(EvaluationSet("cases.jsonl"), "u.yaml")
    assert importing.from_promptfoo(written).cases[0].id == "0"
