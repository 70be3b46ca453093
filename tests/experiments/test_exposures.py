"""Exposure logs: what is written is read, people are counted once, and a mismatch is found where it is."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from aicourse.errors import ExperimentError
from aicourse.experiments import check_log, log_exposure, people_exposed, read_exposures, sample_ratios
from aicourse.experiments.exposures import People


def log_of(*rows: tuple[Any, ...], columns: str = "person variant") -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


def log_with(control: int, v7: int, **columns: Any) -> pd.DataFrame:
    people = [f"s{number}" for number in range(control + v7)]
    return pd.DataFrame({"person": people, "variant": ["control"] * control + ["v7"] * v7, **columns})


# the log


def test_what_is_logged_is_read(make: Any, tmp_path: Path) -> None:
    path, experiment = tmp_path / "exposures.jsonl", make()
    persons = ["00017", "Zoë", "half \ud83d", "two\nlines"]
    for person in persons:
        log_exposure(path, experiment, person, "v7", triggered=person != "Zoë", client="2.1")
    log_exposure(path, make(name="another"), "00018", "control")
    log = read_exposures(path, experiment)
    assert log["person"].tolist() == persons
    assert log["triggered"].tolist() == [True, False, True, True]
    assert set(log["client"]) == {"2.1"}
    assert pd.to_datetime(log["time"]).is_monotonic_increasing


def test_lines_of_several_threads_do_not_mix(make: Any, tmp_path: Path) -> None:
    path, experiment = tmp_path / "exposures.jsonl", make()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: log_exposure(path, experiment, f"s{n}", "v7", note="x" * 200), range(400)))
    assert {json.loads(line)["person"] for line in path.read_text().splitlines()} == {
        f"s{number}" for number in range(400)
    }


def test_a_csv_keeps_ids_as_text_and_numbers_are_the_same_people(make: Any, tmp_path: Path) -> None:
    csv, lines = tmp_path / "log.csv", tmp_path / "log.jsonl"
    csv.write_text("person,variant\n017,v7\n18,control\n")
    lines.write_text('{"person": "017", "variant": "v7"}\n{"person": 18, "variant": "control"}\n')
    assert read_exposures(csv, make())["person"].tolist() == ["017", "18"]
    assert read_exposures(lines, make())["person"].tolist() == ["017", "18"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"person": "a", "variant": "v7"}\n{"person": ', "line 2, cannot be read (Expecting value"),
        ('{"person": "a", "variant": "v7"}\n7\n', "line 2, cannot be read"),
        ('{"person": "a", "variant": "v7"}\n' + "[" * 100_000, "line 2, cannot be read"),
        ("null\n", "line 1, cannot be read"),
        ('{"variant": "v7"}\n', "has no column 'person'"),
        ('{"person": null, "variant": "v7"}\n', "a row has no person"),
        ('{"person": "a"}\n', "no column 'variant'"),
        ('{"person": "a", "variant": "v9"}\n', "a variant 'v9'; the experiment has: control, v7"),
        ('{"person": "a", "variant": null}\n', "The log has a variant "),
        ('{"person": "a", "variant": ["v7"]}\n', "a variant \"['v7']\""),
        ('{"person": "a", "variant": "v7", "experiment": "b"}\n', "No exposure of the experiment 'colours"),
        ('{"person": "a", "variant": "v7", "triggered": "yes"}\n', "`triggered` must be true or false"),
        ("", "has no column 'person'"),
    ],
)
def test_what_is_wrong_with_a_log(make: Any, tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(content)
    with pytest.raises(ExperimentError, match=re.escape(message)):
        read_exposures(path, make())


def test_a_log_that_is_not_there_or_no_text(make: Any, tmp_path: Path) -> None:
    (tmp_path / "exposures.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(ExperimentError, match=r"Did you mean .*exposures\.jsonl\?"):
        read_exposures(tmp_path / "exposure.jsonl", make())
    with pytest.raises(ExperimentError, match="cannot be read"):
        read_exposures(tmp_path / "exposures.jsonl", make())


# its people


def test_people_are_counted_once_with_their_first_exposure(make: Any) -> None:
    log = log_of(
        (3, "a", "v7", "2.1"),
        (1, "a", "v7", "2.0"),
        (2, "b", "control", "2.0"),
        columns="time person variant client",
    )
    table = people_exposed(read_exposures(log, make())).table
    assert table["variant"].to_dict() == {"a": "v7", "b": "control"}
    assert table["client"].to_dict() == {"a": "2.0", "b": "2.0"}
    assert table["triggered"].all()


def test_who_met_several_variants_belongs_to_none(make: Any) -> None:
    log = log_of(("a", "v7"), ("b", "control"), ("a", "v7"), ("b", "v7"), ("c", "control"))
    people = people_exposed(read_exposures(log, make()))
    assert list(people.table.index) == ["a", "c"]
    assert people.several == ("b",)


def test_one_triggered_exposure_is_enough(make: Any) -> None:
    rows = [("a", "v7", 0), ("a", "v7", 1), ("b", "v7", 0), ("c", "control", 1), ("c", "control", 0)]
    log = log_of(*rows, columns="person variant triggered")
    people = people_exposed(read_exposures(log, make()))
    assert list(people.triggered.index) == ["a", "c"]


# sample ratios


def ratios_of(make: Any, log: pd.DataFrame, *by: str, **changes: Any) -> dict[str, float]:
    experiment = make(**changes)
    people = people_exposed(read_exposures(log, experiment))
    return {one.group: one.p_value for one in sample_ratios(experiment, people, by)}


@pytest.mark.parametrize(
    ("control", "v7", "expected"),
    [(600, 400, 2.54e-10), (821_588, 815_482, 1.8e-6)],  # gbstats 0.8; Kohavi, Tang & Xu 2020, ch. 21
)
def test_published_sample_ratios(make: Any, control: int, v7: int, expected: float) -> None:
    variants = pd.DataFrame({"variant": ["control"] * control + ["v7"] * v7, "triggered": True})
    (ratio,) = sample_ratios(make(), People(variants, ()))
    assert ratio.counts == {"control": control, "v7": v7}
    assert ratio.p_value == pytest.approx(expected, rel=0.02)


def test_weights_that_are_not_equal(make: Any) -> None:
    found = ratios_of(make, log_with(520, 480), variants={"control": 0.54, "v7": 0.46}, ramp=[0.1], share=0.1)
    assert found["all people"] == pytest.approx(stats.chisquare([520, 480], [540, 460]).pvalue)


def test_a_mismatch_of_the_triggered_alone(make: Any) -> None:
    log = log_with(500, 500, triggered=[True] * 300 + [False] * 200 + [True] * 200 + [False] * 300)
    found = ratios_of(make, log)
    assert found["all people"] == 1.0
    assert found["triggered people"] == pytest.approx(stats.chisquare([300, 200]).pvalue)


def test_a_mismatch_of_one_client_alone_adjusted_for_looking_at_all(make: Any) -> None:
    clients = {"2.0": (200, 190), "2.1": (150, 90), "2.2": (150, 220), "old": (2, 1)}
    parts = [log_with(*counts).assign(client=name) for name, counts in clients.items()]
    log = pd.concat(parts).assign(person=[f"s{number}" for number in range(sum(map(len, parts)))])
    found = ratios_of(make, log, "client")
    raw = [float(stats.chisquare(counts).pvalue) for name, counts in clients.items() if name != "old"]
    adjusted = multipletests([*raw, 1.0], method="holm")[1][:3]
    assert [found[f"client {name}"] for name in list(clients)[:3]] == pytest.approx(adjusted)
    assert np.isnan(found["client old"])  # too few to tell
    assert found["all people"] > 0.5  # the two errors cancel out


def test_a_column_that_is_not_there(make: Any) -> None:
    with pytest.raises(ExperimentError, match="no column 'version'"):
        ratios_of(make, log_with(5, 5), "version")


# the check


def test_a_sound_log_has_no_problem(make: Any) -> None:
    checked = check_log(make(), log_with(500, 520))
    assert checked.problems == ()
    assert "all people  500      520  0.53" in str(checked)
    assert str(checked).endswith("No problem found.")


def test_each_problem_is_a_sentence(make: Any) -> None:
    log = log_with(600, 400)
    twice = log.head(20).assign(variant="v7")
    problems = check_log(make(), pd.concat([log, twice])).problems
    assert [problem.split(":")[0] for problem in problems] == [
        "Sample-ratio mismatch, all people",
        "Multiple exposures",
    ]
    assert "580 control and 400 v7 do not fit the weights (p = 8.9e-09)" in problems[0]
    assert "20 people (2.0%) met several variants" in problems[1]


def test_a_variant_without_people(make: Any) -> None:
    assert check_log(make(), log_with(3, 0)).problems == (
        "No traffic: 0 people of v7 to compare. See that its exposures reach the log.",
    )


def test_a_variant_without_triggered_people(make: Any) -> None:
    log = log_with(20, 20, triggered=[True] * 20 + [True] + [False] * 19)
    problems = check_log(make(), log).problems
    assert problems[0] == "No traffic: 1 people of v7 to compare. See that its exposures reach the log."


def test_variants_named_by_numbers(make: Any, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("person,variant\n1,0\n2,1\n3,0\n4,1\n", encoding="utf-8")
    experiment = make(variants={"0": 1, "1": 1})
    assert check_log(experiment, tmp_path / "log.csv").ratios[0].counts == {"0": 2, "1": 2}


def test_everybody_met_both(make: Any) -> None:
    log = pd.concat([log_with(9, 0), log_with(0, 9)])
    assert [text.split(":")[0] for text in check_log(make(), log).problems] == [
        "No traffic",
        "No traffic",
        "Multiple exposures",
    ]


def test_thresholds_are_data(make: Any) -> None:
    log = log_with(550, 450)  # p = 0.0016
    assert check_log(make(), log).problems == ()
    assert len(check_log(make(srm_threshold=0.01), log).problems) == 1
    twice = pd.concat([log_with(500, 500), log_with(0, 5)])
    assert check_log(make(), twice).problems == ()
    assert len(check_log(make(multiple_threshold=0.004), twice).problems) == 1


def test_names_of_strangers_cannot_turn_a_terminal(make: Any) -> None:
    log = log_with(60, 60, client="\x1b[31m2.0")
    assert "\x1b" not in str(check_log(make(), log, ["client"]))


def test_a_bug_that_loses_a_fifth_of_one_client_is_found(make: Any) -> None:
    """One of four clients loses 20 % of the new variant's exposures: 5 % of v7, 20,000 people."""
    stream, found = np.random.RandomState(21), []
    experiment = make()
    for _ in range(100):
        v7 = stream.random_sample(20_000) < 0.5
        client = stream.randint(0, 4, 20_000)
        lost = v7 & (client == 3) & (stream.random_sample(20_000) < 0.2)
        table = pd.DataFrame({"variant": np.where(v7, "v7", "control"), "client": client, "triggered": True})
        ratios = sample_ratios(experiment, People(table[~lost], ()), ["client"])
        found.append({one.group: one.p_value < experiment.srm_threshold for one in ratios})
    rates = pd.DataFrame(found).mean()
    assert rates["client 3"] >= 0.95
    assert rates[["client 0", "client 1", "client 2"]].max() <= 0.01
