"""`aicourse evals`: from cases to a decision on the command line; a foreseeable mistake is one sentence."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from typer.testing import CliRunner

from aicourse.errors import AicourseError
from aicourse.evals import approval, runner, runs
from aicourse.evals import cases as sets
from aicourse.evals.cases import Case, EvaluationSet
from aicourse.marketplace import listing_cases
from aicourse.tooling import cli
from aicourse.tooling.evaluation import exchange

TASKS = """
import time
calls = []

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
    """The one sentence that a user sees."""
    error = CliRunner().invoke(cli.app, ["evals", *arguments]).exception
    assert isinstance(error, AicourseError), error
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
    invoke("run", "cases.jsonl", "--task", "mytasks:upper", "--tag", "odd")
    assert (folder / "build" / "runs" / "cases-mytasks_upper-odd.jsonl").exists()


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
    process = subprocess.Popen([sys.executable, "-m", "aicourse", *words], stderr=subprocess.PIPE, text=True)
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


def test_compare_shows_slices_and_which_cases_changed(two_runs: Path) -> None:
    output = invoke("compare", "before.jsonl", "after.jsonl", "--list", "2")
    assert output.startswith("exact: mytasks:worse against mytasks:upper\nslice ")
    assert [line.split()[0] for line in output.splitlines()[2:5]] == ["all", "even", "odd"]
    assert "worse: 0, 12 and 28 more" in output
    assert "better" not in output.splitlines()[-2]


def test_the_gate_holds_a_regression_back_and_lets_the_same_through(two_runs: Path) -> None:
    assert "FAIL: mytasks:worse may not replace mytasks:upper." in invoke(
        "gate", "before.jsonl", "after.jsonl", code=1
    )
    assert "PASS" in invoke("gate", "before.jsonl", "before.jsonl")
    assert "PASS" in invoke("gate", "before.jsonl", "after.jsonl", "--rule", "exact=0.6:0.6")


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


def test_the_gate_writes_for_ci(two_runs: Path) -> None:
    files = ("--markdown", "ci/gate.md", "--junit", "ci/gate.xml")
    output = invoke("gate", "before.jsonl", "after.jsonl", *files, code=1)
    assert output.splitlines()[-1] in Path("ci/gate.md").read_text("utf-8")
    assert ElementTree.parse("ci/gate.xml").getroot().get("failures") == "3"


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
    assert (proof.cases, proof.headline) == (90, "PASS: v2 may replace v1.")


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
    invoke("import", "t.csv", "--from", "csv", "--out", "c.jsonl", *columns)
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
    assert "No file none.jsonl. Check the path" in mistake("run", "none.jsonl", *words)
    Path("c.jsonl").write_bytes(b"\xff\xfe\x00")
    assert "c.jsonl is not UTF-8 text" in mistake("run", "c.jsonl", *words)


def test_a_scorer_that_raises_costs_its_own_scores_only(folder: Path) -> None:
    output = run_task("upper", "a.jsonl", "--scorers", "mytasks:picky", "--scorers", "exact")
    assert "89 cases, scorer failed 1 times" in output
    record = next(one for one in runs.load_run("a.jsonl").records() if one.id == "1")
    assert record.scores[0].error == "LookupError: no such colour (mytasks.py, line 18)"
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
        (("--task", "mytasks:upper", "--out", "run.jsonl"), "run.jsonl holds another run ('mytasks:worse'"),
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
        (("compare", "before.jsonl", "none.jsonl"), "No run none.jsonl. Check the path"),
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
    assert exchange.from_promptfoo(exchange.to_promptfoo(EvaluationSet("cases.jsonl"), "u.yaml"))[0].id == "0"
