"""`aicourse experiment`: plan, check and analyse on the command line; a mistake is one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from aicourse.errors import ExperimentError
from aicourse.experiments import assign, log_exposure, read_experiment
from aicourse.tooling import cli

EXPERIMENT = """
name = "colours-first"
salt = "colours-first 1"
variants = {control = 1, v7 = 1}
share = 0.50
people = 1000
primary = {name = "published"}
guardrails = [{name = "failed", better = "lower", tolerance = 0.05}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with an experiment of 1,000 people in which v7 publishes more."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiment.toml").write_text(EXPERIMENT)
    experiment, stream = read_experiment("experiment.toml"), np.random.RandomState(2)
    rows = ["person,published,failed"]
    for number in range(1_000):
        variant = assign(experiment, f"s{number}") or "control"
        log_exposure("exposures.jsonl", experiment, f"s{number}", variant, client=f"2.{number % 2}")
        rate = 0.65 if variant == "v7" else 0.5
        rows.append(f"s{number},{int(stream.random_sample() < rate)},{int(stream.random_sample() < 0.1)}")
    (tmp_path / "outcomes.csv").write_text("\n".join(rows))
    return tmp_path


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli.app, ["experiment", *arguments])
    assert result.exit_code == code, result.output + str(result.exception)
    return result.output


def mistake(*arguments: str) -> str:
    error = CliRunner().invoke(cli.app, ["experiment", *arguments]).exception
    assert isinstance(error, ExperimentError), error
    return error.message


# plan


def test_a_plan_says_people_and_days_by_effect(folder: Path) -> None:
    lines = invoke("plan", "experiment.toml", "--traffic", "800", "--baseline", "0.62").splitlines()
    assert lines[0].split() == ["effect", "difference", "in", "control", "people", "days"]
    assert lines[3].split()[0] == "+5.0%"
    one = invoke("plan", "experiment.toml", "--traffic", "800", "--baseline", "0.62", "--effect", "0.05")
    assert one.splitlines()[1].split() == lines[3].split()


def test_a_plan_from_past_outcomes(folder: Path) -> None:
    past = invoke(
        "plan", "experiment.toml", "--traffic", "50", "--outcomes", "outcomes.csv", "--effect", "0.1"
    )
    numbers = ["--baseline", "0.574", "--deviation", "0.4947"]
    assert past != invoke("plan", "experiment.toml", "--traffic", "50", *numbers, "--effect", "0.2")
    assert past.splitlines()[1].startswith("+10.0%")


def test_a_plan_without_a_baseline(folder: Path) -> None:
    assert "Give a baseline" in mistake("plan", "experiment.toml", "--traffic", "50")


# check


def test_a_sound_log_passes(folder: Path) -> None:
    output = invoke("check", "experiment.toml", "exposures.jsonl", "--by", "client")
    assert "client 2.1" in output
    assert output.endswith("No problem found.\n")


def test_an_a_a_check_tells_how_often_each_test_errs(folder: Path) -> None:
    output = invoke("check", "experiment.toml", "exposures.jsonl", "--aa", "outcomes.csv")
    assert "A/A, published: the test errs in " in output
    assert output.count("as it should.") == 2


def test_lost_people_fail_the_check(folder: Path) -> None:
    lines = (folder / "exposures.jsonl").read_text().splitlines(keepends=True)
    kept = [line for place, line in enumerate(lines) if '"control"' in line or place % 4]
    (folder / "lost.jsonl").write_text("".join(kept))
    output = invoke("check", "experiment.toml", "lost.jsonl", code=1)
    assert "Sample-ratio mismatch, all people" in output


# analyse


def test_an_analysis_ends_with_the_decision(folder: Path) -> None:
    output = invoke("analyse", "experiment.toml", "exposures.jsonl", "outcomes.csv")
    assert output.splitlines()[-1].startswith("ship: published, v7: better, +0.1")


def test_to_hold_or_to_roll_back_ends_with_1(folder: Path) -> None:
    log = folder / "exposures.jsonl"
    log.write_text("".join(line for line in log.read_text().splitlines(keepends=True) if '"v7"' in line))
    output = invoke("analyse", "experiment.toml", "exposures.jsonl", "outcomes.csv", code=1)
    assert output.splitlines()[-1].startswith("hold: No traffic: 0 people of control")


def test_mistakes_are_one_sentence(folder: Path) -> None:
    assert "Did you mean" in mistake("check", "experment.toml", "exposures.jsonl")
    assert "Did you mean" in mistake("check", "experiment.toml", "exposure.jsonl")
    assert "no column 'published'" in mistake(
        "analyse", "experiment.toml", "exposures.jsonl", "exposures.jsonl"
    )
