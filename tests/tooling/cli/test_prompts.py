"""`aicourse prompts`: the whole way of a prompt on the command line, and one sentence for each mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aicourse import prompts
from aicourse.errors import AicourseError
from aicourse.evals import runner
from aicourse.evals.cases import Case
from aicourse.evals.scores import Context
from aicourse.prompts import folders
from aicourse.tooling import cli

CASES = [Case(id=f"C{number}", input=str(number)) for number in range(40)]


@pytest.fixture(autouse=True)
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with one prompt of the user's in it, v1 of `extract`, in production."""
    root = tmp_path / "course"
    for name in ("notebooks", "datasets"):
        (root / name).mkdir(parents=True)
    monkeypatch.chdir(root)
    monkeypatch.setenv("AICOURSE_HOME", str(root))
    monkeypatch.setattr(folders, "shipped_dir", lambda: tmp_path / "prompt_files")
    prompts.promote(prompts.new("extract", changelog="First.", text="# user\nOld: {{listing}}"))
    return root


def invoke(*arguments: str) -> str:
    """What a command prints; it must end well."""
    result = CliRunner().invoke(cli.app, ["prompts", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def refusal(*arguments: str) -> str:
    """The sentence that a command ends with."""
    result = CliRunner().invoke(cli.app, ["prompts", *arguments])
    assert result.exit_code != 0
    return result.exception.message if isinstance(result.exception, AicourseError) else result.output


def run_file(spec: str, right: int, **changes: Any) -> str:
    """A run of a prompt on 40 cases, of which `right` pass."""

    def good(context: Context) -> bool:
        return bool(context.output)

    file = Path(f"{spec}-{right}.jsonl")
    options = {"facts": prompts.load(spec).facts, "name": spec, **changes}
    runner.run(lambda case: int(case.input) < right, CASES, [good], path=file, progress=False, **options)
    return str(file)


def make_second() -> None:
    file = Path("second.md")
    file.write_text(
        "---\nname: extract\nversion: 1\nchangelog: x\nparameters: [listing]\n---\n# user\nNew {{listing}}\n",
        encoding="utf-8",
    )
    invoke("new", "extract", "--file", str(file), "--changelog", "Says it anew.")


def test_list_shows_versions_labels_and_history() -> None:
    make_second()
    shown = invoke("list", "extract")
    assert "extract@v1  " in shown
    assert "[production]  First." in shown
    assert "extract@v2  " in shown
    assert "promote to v1 by you: first version" in shown
    assert "by you" not in invoke("list")


def test_list_names_a_version_that_cannot_be_used_and_goes_on(course: Path) -> None:
    make_second()
    file = course / "notebooks/prompts/extract/v1.md"
    file.write_text(file.read_text().replace("Old:", "Older:"))
    shown = invoke("list", "extract")
    assert "extract@v1  cannot be used: extract@v1 was changed after it was used" in shown
    assert "extract@v2  " in shown


def test_show_prints_the_file_and_its_hash() -> None:
    shown = invoke("show", "extract")
    assert shown.startswith(f"extract@v1 {prompts.load('extract').hash}, about ")
    assert "changelog: First." in shown
    assert "# user\nOld: {{listing}}\n" in shown


def test_diff_takes_versions_and_files() -> None:
    make_second()
    assert "[-Old:-]{+New+} {{listing}}" in invoke("diff", "extract@1", "extract@2")
    assert "0 words added, 0 removed" in invoke("diff", "extract@2", "notebooks/prompts/extract/v2.md")


def test_new_copies_a_version_to_be_edited() -> None:
    shown = invoke("new", "extract@1", "--changelog", "To be shorter.")
    assert shown == "extract@v2: edit notebooks/prompts/extract/v2.md\n"
    made = prompts.load(Path("notebooks/prompts/extract/v2.md"))
    assert (made.parent, made.changelog, made.hash) == (1, "To be shorter.", prompts.load("extract@1").hash)


def test_new_keeps_the_text_of_a_version_that_was_changed_after_use(course: Path) -> None:
    file = course / "notebooks/prompts/extract/v1.md"
    before = file.read_text()
    file.write_text(before.replace("Old:", "Older:"))
    advice = refusal("show", "extract@1").split(": ")[-1]
    file.rename("changed.md")
    file.write_text(before)
    assert advice == "aicourse prompts new extract --file notebooks/prompts/extract/v1.md"
    invoke("new", "extract", "--file", "changed.md")
    assert "Older: {{listing}}" in prompts.load("extract@2").body


def test_the_advice_for_a_changed_version_works_as_it_stands(course: Path) -> None:
    file = course / "notebooks/prompts/extract/v1.md"
    file.write_text(file.read_text().replace("Old:", "Older:"))
    invoke("new", "extract", "--file", "notebooks/prompts/extract/v1.md")
    assert "Older: {{listing}}" in prompts.load("extract@2").body


# ------------------------------------------------------------ promote and roll back


def test_promote_runs_the_gate_says_its_headline_and_moves_production() -> None:
    make_second()
    before, after = run_file("extract@1", 30), run_file("extract@2", 40)
    shown = invoke("promote", "extract@2", "--before", before, "--after", after)
    assert shown == "PASS: extract@2 may replace extract@1.\nextract@production is now v2.\n"
    assert prompts.load("extract").version == 2
    assert invoke("rollback", "extract") == "extract@production is now v1 (back from v2).\n"


def test_promote_refuses_what_the_gate_holds_back() -> None:
    make_second()
    before, after = run_file("extract@1", 36), run_file("extract@2", 10)
    message = refusal("promote", "extract@2", "--before", before, "--after", after)
    assert "extract@v2 stays out of production. FAIL: extract@2 may not replace extract@1." in message
    assert prompts.load("extract").version == 1


def test_promote_refuses_runs_of_other_prompts() -> None:
    make_second()
    first, second = run_file("extract@1", 40), run_file("extract@2", 40)
    assert "The gate judged" in refusal("promote", "extract@2", "--before", second, "--after", first)
    nameless = run_file("extract@2", 39, facts={})
    assert "does not say which prompt it ran" in refusal(
        "promote", "extract@2", "--before", first, "--after", nameless
    )


def test_promote_takes_the_proof_that_evals_gate_wrote() -> None:
    make_second()
    before, after = run_file("extract@1", 30), run_file("extract@2", 40)
    gate = CliRunner().invoke(cli.app, ["evals", "gate", before, after, "--proof", "proof.json"])
    assert gate.exit_code == 0, gate.output
    assert "is now v2" in invoke("promote", "extract@2", "--proof", "proof.json")


def test_a_candidate_needs_no_gate() -> None:
    make_second()
    assert invoke("promote", "extract@2", "--label", "candidate") == "extract@candidate is now v2.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "extrct"], "Did you mean extract?"),
        (["show", "nothing.md"], "nothing.md cannot be read"),
        (["diff", "extract@1", "extract@7"], "extract has no v7"),
        (["new", "titles"], "titles is new: give its text"),
        (["promote", "extract@1"], "has the label production already"),
        (["promote", "extract@1", "--before", "x.jsonl"], "The gate needs two runs"),
        (
            ["promote", "extract@1", "--before", "x", "--after", "y", "--proof", "z"],
            "Give either two runs or --proof",
        ),
        (["promote", "extract@1", "--before", "x.jsonl", "--after", "y.jsonl"], "No run x.jsonl"),
        (["promote", "extract@1", "--proof", "z.json"], "z.json: No such file"),
        (["rollback", "extract"], "has no earlier version"),
        (["list", "extrct"], "Did you mean extract?"),
    ],
)
def test_a_mistake_ends_in_one_sentence(arguments: list[str], words: str) -> None:
    assert words in " ".join(refusal(*arguments).replace("│", " ").split())
