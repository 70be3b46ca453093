"""The template passes its own CI and its own check, from a copy, without network and without a key."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from aicourse import evals
from aicourse.errors import SubmissionError
from aicourse.tooling.capstone.checking import check
from aicourse.tooling.capstone.project import new_project, read_files, template
from aicourse.tooling.grading.sandbox.levels import probe_levels

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    new_project(tmp_path / "copy")
    return tmp_path / "copy"


def commands(folder: Path) -> list[str]:
    """What the template's CI runs, in order."""
    workflow = yaml.safe_load((folder / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    return [step["run"] for step in job["steps"] if "run" in step]


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    alone = {
        "PATH": f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder.parent),
        "PIP_NO_INDEX": "1",  # what is pinned is installed, so nothing is fetched
        **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9"),
    }
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=alone,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_it_passes_its_own_ci(copy: Path) -> None:
    steps = commands(copy)
    assert steps == ["python -m pip install -r requirements.txt", "make test", "make gate"]
    for step in steps:
        done = shell(copy, step)
        assert done.returncode == 0, f"{step}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    assert "PASS: sort_message@v2 may replace sort_message@v2" in done.stdout


def test_its_gate_holds_back_the_prompt_before(copy: Path) -> None:
    feature = copy / "repair_desk" / "feature.py"
    feature.write_text(feature.read_text("utf-8").replace('"v2.md"', '"v1.md"'), encoding="utf-8")
    done = shell(copy, "make gate")
    assert done.returncode != 0
    assert "right_desk  all cases  24     0.667   0.208" in done.stdout


def test_the_numbers_of_its_write_up_are_those_of_its_runs(copy: Path) -> None:
    before, after = (evals.load_run(copy / "runs" / f"{name}.jsonl") for name in ("v1", "production"))
    change = evals.compare(before, after, "right_desk").overall
    said = (copy / "README.md").read_text(encoding="utf-8")
    assert f"the right desk in {change.after:.3f} instead of {change.before:.3f}" in said
    assert str(change.effect) in said


def test_the_example_of_its_cost_is_what_it_measures(copy: Path) -> None:
    records = list(evals.load_run(copy / "runs" / "production.jsonl").records())
    tokens = [sum(one.prompt_tokens for one in records), sum(one.completion_tokens for one in records)]
    usd = (tokens[0] * 0.10 + tokens[1] * 0.50) / 1e6 / len(records) * 1_000
    assert f"usd_per_1000_requests = {usd:.3f}" in (copy / "capstone.toml").read_text(encoding="utf-8")


@pytest.mark.slow
def test_it_keeps_every_promise(copy: Path) -> None:
    if not probe_levels()["L3"].works:
        pytest.skip("no sandbox here")
    report = check(copy, seconds=400)
    assert report.passed, str(report)


def test_a_new_project_overwrites_nothing(copy: Path) -> None:
    with pytest.raises(SubmissionError, match="is not empty"):
        new_project(copy)
    assert read_files(copy) == read_files(template())
    shutil.rmtree(copy)
    copy.write_text("a file", encoding="utf-8")
    with pytest.raises(SubmissionError, match="Choose another name"):
        new_project(copy)
