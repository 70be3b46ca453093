"""Checks of exposure logs: they are read, people are counted once, a mismatch is found where it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from aicourse.errors import AicourseError, ExperimentError
from aicourse.experiments import check_log


def log_of(*rows: tuple[Any, ...], columns: str = "person variant") -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


def log_with(control: int, v7: int, **columns: Any) -> pd.DataFrame:
    people = [f"s{number}" for number in range(control + v7)]
    return pd.DataFrame({"person": people, "variant": ["control"] * control + ["v7"] * v7, **columns})


# the log


def test_a_csv_keeps_ids_as_text_and_numbers_are_the_same_people(make: Any, tmp_path: Path) -> None:
    csv, lines = tmp_path / "log.csv", tmp_path / "log.jsonl"
    csv.write_text("person,variant\n017,v7\nNA,v7\n18,control\n")
    lines.write_text('{"person": "017", "variant": "v7"}\n{"person": 18, "variant": "control"}\n')
    assert list(check_log(make(), csv).people.index) == ["017", "NA", "18"]
    assert list(check_log(make(), lines).people.index) == ["017", "18"]


def test_a_table_of_numbers_and_texts_names_the_same_people(make: Any) -> None:
    log = log_of((17, "v7"), ("17", "v7"), (18, "control"))
    assert list(check_log(make(), log).people.index) == ["17", "18"]


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_an_editor_may_add_a_mark_and_empty_lines(make: Any, tmp_path: Path, name: str) -> None:
    lines = {
        "log.csv": "person,variant\n1,v7\n\n2,control\n\n",
        "log.jsonl": '{"person": "1", "variant": "v7"}\n\n{"person": "2", "variant": "control"}\n\n',
    }
    (tmp_path / name).write_text(lines[name], encoding="utf-8-sig")
    assert list(check_log(make(), tmp_path / name).people.index) == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"person": "a", "variant": "v7"}\n{"person": ', "line 2, cannot be read (Expecting value"),
        ('{"person": "a", "variant": "v7"}\n7\n', "line 2, cannot be read"),
        ('{"person": "a", "variant": "v7"}\n' + "[" * 100_000, "line 2, cannot be read"),
        ("null\n", "line 1, cannot be read"),
        ('{"variant": "v7"}\n', "has no row, or one without `person`"),
        ('{"person": null, "variant": "v7"}\n', "has no row, or one without `person`"),
        ('{"person": "a"}\n', "no column 'variant'"),
        ('{"person": "a", "variant": "v9"}\n', "A variant 'v9' was met; the experiment has: control, v7"),
        ('{"person": "a", "variant": null}\n', "A variant "),
        ('{"person": "a", "variant": ["v7"]}\n', "A variant \"['v7']\""),
        ('{"person": "a", "variant": "v7", "experiment": "b"}\n', "No exposure of the experiment 'colours"),
        ('{"person": "a", "variant": "v7", "triggered": "yes"}\n', "`triggered` must be true or false"),
        ("", "has no row, or one without `person`"),
    ],
)
def test_what_is_wrong_with_a_log(make: Any, tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(content)
    with pytest.raises(ExperimentError, match=re.escape(message)):
        check_log(make(), path)


def test_a_log_that_is_not_there_or_no_text(make: Any, tmp_path: Path) -> None:
    (tmp_path / "exposures.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(ExperimentError, match=r"Did you mean .*exposures\.jsonl\?"):
        check_log(make(), tmp_path / "exposure.jsonl")
    with pytest.raises(AicourseError, match="not UTF-8 text"):
        check_log(make(), tmp_path / "exposures.jsonl")
    (tmp_path / "exposures.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(ExperimentError, match="cannot be read"):
        check_log(make(), tmp_path / "exposures.csv")


# its people


def test_people_are_counted_once_with_their_first_exposure(make: Any) -> None:
    log = log_of(
        ("a", "v7", "2.0"), ("b", "control", "2.0"), ("a", "v7", "2.1"), columns="person variant client"
    )
    people = check_log(make(), log).people
    assert people["variant"].to_dict() == {"a": "v7", "b": "control"}
    assert people["client"].to_dict() == {"a": "2.0", "b": "2.0"}
    assert people["triggered"].all()


def test_who_met_several_variants_belongs_to_none(make: Any) -> None:
    log = log_of(("a", "v7"), ("b", "control"), ("a", "v7"), ("b", "v7"), ("c", "control"))
    checked = check_log(make(), log)
    assert list(checked.people.index) == ["a", "c"]
    assert "1 people (33.3%) met several variants" in checked.problems[-1]


def test_one_triggered_exposure_is_enough(make: Any) -> None:
    rows = [("a", "v7", 0), ("a", "v7", 1), ("b", "v7", 0), ("c", "control", 1), ("c", "control", 0)]
    people = check_log(make(), log_of(*rows, columns="person variant triggered")).people
    assert people["triggered"].to_dict() == {"a": True, "b": False, "c": True}


# sample ratios


@pytest.mark.parametrize(
    ("control", "v7", "expected"),
    [(600, 400, 2.54e-10), (821_588, 815_482, 1.8e-6)],  # gbstats 0.8; Kohavi, Tang & Xu 2020, ch. 21
)
def test_published_sample_ratios(make: Any, control: int, v7: int, expected: float) -> None:
    variants = ["control"] * control + ["v7"] * v7
    checked = check_log(make(), pd.DataFrame({"person": np.arange(len(variants)), "variant": variants}))
    assert checked.counts.loc["all people"].to_dict() == {"control": control, "v7": v7}
    assert checked.p_values["all people"] == pytest.approx(expected, rel=0.02)


def test_weights_that_are_not_equal(make: Any) -> None:
    experiment = make(variants={"control": 0.54, "v7": 0.46}, ramp=[0.1], share=0.1)
    found = check_log(experiment, log_with(520, 480)).p_values
    assert found["all people"] == pytest.approx(stats.chisquare([520, 480], [540, 460]).pvalue)


def test_three_variants(make: Any) -> None:
    log = log_with(330, 330).replace({"person": {"s0": "first"}})
    more = log_with(290, 0).assign(variant="v8", person=[f"t{number}" for number in range(290)])
    found = check_log(make(variants={"control": 1, "v7": 1, "v8": 1}), pd.concat([log, more])).p_values
    assert found["all people"] == pytest.approx(stats.chisquare([330, 330, 290]).pvalue)


def test_a_mismatch_of_the_triggered_alone(make: Any) -> None:
    log = log_with(500, 500, triggered=[True] * 300 + [False] * 200 + [True] * 200 + [False] * 300)
    found = check_log(make(), log).p_values
    assert found["all people"] == 1.0
    assert found["triggered people"] == pytest.approx(stats.chisquare([300, 200]).pvalue)


def test_a_mismatch_of_one_clients_triggered_alone(make: Any) -> None:
    triggered = {("2.0", "control"): 50, ("2.0", "v7"): 50, ("2.1", "control"): 90, ("2.1", "v7"): 30}
    rows = [
        (client, variant, number < count)
        for (client, variant), count in triggered.items()
        for number in range(100)
    ]
    log = log_of(*rows, columns="client variant triggered").assign(
        person=[f"s{number}" for number in range(400)]
    )
    found = check_log(make(), log, ["client"])
    assert found.counts.loc["triggered, client 2.1"].tolist() == [90, 30]
    raw = [1.0, 1.0, 1.0, float(stats.chisquare([90, 30]).pvalue)]
    adjusted = multipletests(raw, method="holm")[1]
    assert found.p_values.iloc[2:].tolist() == pytest.approx(adjusted)
    assert found.problems[-1].startswith("Sample-ratio mismatch, triggered, client 2.1: 90 control and 30 v7")


def test_a_mismatch_of_one_client_alone_adjusted_for_looking_at_all(make: Any) -> None:
    clients = {"2.0": (200, 190), "2.1": (150, 90), "2.2": (150, 220), "old": (2, 1)}
    parts = [log_with(*counts).assign(client=name) for name, counts in clients.items()]
    log = pd.concat(parts).assign(person=[f"s{number}" for number in range(sum(map(len, parts)))])
    found = check_log(make(), log, ["client"]).p_values
    raw = [float(stats.chisquare(counts).pvalue) for name, counts in clients.items() if name != "old"]
    adjusted = multipletests([*raw, 1.0], method="holm")[1][:3]
    assert [found[f"client {name}"] for name in list(clients)[:3]] == pytest.approx(adjusted)
    assert np.isnan(found["client old"])  # too few to tell
    assert found["all people"] > 0.5  # the two errors cancel out


def test_a_client_written_as_number_and_as_text_is_one(make: Any) -> None:
    log = log_with(2, 2).assign(client=[2.1, "2.1", 2.1, None])
    counts = check_log(make(), log, ["client"]).counts
    assert counts.loc["client 2.1"].tolist() == [2, 1]
    assert counts.iloc[-1].tolist() == [0, 1]  # no client


def test_a_column_that_is_not_there(make: Any) -> None:
    with pytest.raises(ExperimentError, match="no column 'version'"):
        check_log(make(), log_with(5, 5), ["version"])


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
    assert check_log(experiment, tmp_path / "log.csv").counts.loc["all people"].tolist() == [2, 2]


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


@pytest.mark.slow
def test_a_bug_that_loses_a_fifth_of_one_client_is_found(make: Any) -> None:
    """One of four clients loses 20 % of the new variant's exposures: 5 % of v7, 20,000 people."""
    stream, found = np.random.RandomState(21), []
    experiment = make()
    for _ in range(100):
        v7 = stream.random_sample(20_000) < 0.5
        client = stream.randint(0, 4, 20_000)
        lost = v7 & (client == 3) & (stream.random_sample(20_000) < 0.2)
        table = pd.DataFrame({"variant": np.where(v7, "v7", "control"), "client": client})
        log = table.assign(person=table.index)[~lost]
        found.append(check_log(experiment, log, ["client"]).p_values < experiment.srm_threshold)
    rates = pd.DataFrame(found).mean()
    assert rates["client 3"] >= 0.95
    assert rates[["client 0", "client 1", "client 2"]].max() <= 0.01
