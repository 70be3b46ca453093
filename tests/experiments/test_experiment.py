"""Experiments as files: each mistake is one sentence that names its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aicourse import prompts
from aicourse.errors import ExperimentError
from aicourse.experiments import read_experiment

EXAMPLE = Path(__file__).parents[2] / "docs" / "experiment-example" / "experiment.toml"
TOML = EXAMPLE.read_text(encoding="utf-8")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "colours.toml"
    path.write_text(TOML, encoding="utf-8")
    return path


def test_the_file_of_the_docs_is_an_experiment(file: Path) -> None:
    experiment = read_experiment(file)
    assert (experiment.control, experiment.new_variants) == ("control", ("v7",))
    assert experiment.primary.columns == ("published",)
    assert experiment.guardrails[0].columns == ("seconds", "listings")
    assert experiment.ramp == (0.01, 0.05, 0.10, 0.25, 0.50)
    assert experiment.srm_threshold == 0.001


def test_the_file_for_the_shop_is_of_what_the_shop_writes_down(tmp_path: Path) -> None:
    page = (EXAMPLE.parents[1] / "experiments.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "v6.toml"
    path.write_text(text, encoding="utf-8")
    experiment = read_experiment(path)
    assert {f"v{number}" for number in prompts.versions("extract_listing")} >= set(experiment.variants)
    assert set(experiment.primary.columns) <= {"forms", "corrected"}


def test_notepad_may_add_a_mark(file: Path) -> None:
    file.write_text(TOML, encoding="utf-8-sig")
    assert read_experiment(file) == read_experiment(EXAMPLE)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("share = 0.50", "share = 0.2", "the share 0.2 is no step of the ramp, nor 0"),
        ("[0.01, 0.05,", "[0.05, 0.05,", "the steps of the ramp must rise"),
        ("[0.01, 0.05, 0.10, 0.25, 0.50]", "[]", "ramp: Tuple should have at least 1 item"),
        ('"published before"', '"listings"', "the covariate 'listings' is a column of a metric"),
        ("v7 = 1 }", "v7 = 0.25 }", "the ramp ends at 0.5, but the weights leave 0.2 for new variants"),
        ("{ control = 1, v7 = 1 }", "{ control = 1 }", "variants: Dictionary should have at least 2 items"),
        ("v7 = 1", "v7 = -1", "variants.v7: Input should be greater than 0"),
        ("v7 = 1", "v7 = inf", "variants.v7: Input should be a finite number"),
        ("salt =", "salted =", "salt: Field required"),
        ('name = "published"', 'name = " "', "primary.name: String should match pattern"),
        (
            "tolerance = 2",
            "tolerance = -1",
            "guardrails.0.tolerance: Input should be greater than or equal",
        ),
        ("tolerance = 2", "", "guardrails.0.tolerance: Field required"),
        (
            'better = "lower"',
            'better = "smaller"',
            "guardrails.0.better: Input should be 'higher' or 'lower'",
        ),
        ('"fixed"', '"sometime"', "stopping: Input should be 'fixed' or 'always valid'"),
        ("people = 12000", "people = 12000\nsigma = 6", "sigma: Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_with_a_file(file: Path, old: str, new: str, message: str) -> None:
    assert old in TOML
    file.write_text(TOML.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ExperimentError, match=re.escape(message)) as caught:
        read_experiment(file)
    assert caught.value.message.startswith(str(file))
    assert "docs/experiments.md" in caught.value.message


def test_a_file_that_is_not_there_or_no_toml(file: Path) -> None:
    with pytest.raises(ExperimentError, match=r"No file .*Did you mean .*colours\.toml\?"):
        read_experiment(file.with_name("colour.toml"))
    file.write_text("name = ", encoding="utf-8")
    with pytest.raises(ExperimentError, match=r"is no TOML .*has an example"):
        read_experiment(file)
    for hostile in (b"\xff", b"name = " + b"[" * 100_000):
        file.write_bytes(hostile)
        with pytest.raises(ExperimentError, match="is no TOML"):
            read_experiment(file)


@pytest.mark.parametrize(
    ("variants", "share", "coverage"),
    [
        ({"control": 1, "v7": 1}, 0.10, 0.20),  # a tenth gets v7, and as many the control
        ({"control": 1, "v7": 1}, 0.50, 1.0),
        ({"control": 1, "v7": 1, "v8": 1}, 0.50, 0.75),
        ({"control": 30, "v7": 70}, 0.05, 0.05 / 0.7),
    ],
)
def test_who_takes_part_at_a_share_of_new_variants(
    make: Any, variants: dict[str, float], share: float, coverage: float
) -> None:
    assert make(variants=variants, share=share).coverage == pytest.approx(coverage)


def test_the_error_rate_is_shared_by_the_new_variants(make: Any) -> None:
    assert make().significance == 0.05
    assert make(variants={"control": 1, "v7": 1, "v8": 1}).significance == 0.025


def test_an_experiment_does_not_change(make: Any) -> None:
    with pytest.raises(ValidationError):
        make().share = 0.25
