"""Exposures: what is logged is read, also when many log at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aicourse.errors import ExperimentError
from aicourse.experiments import check_log, log_exposure


def test_what_is_logged_is_read(make: Any, tmp_path: Path) -> None:
    path, experiment = tmp_path / "exposures.jsonl", make()
    persons = ["00017", "Zoë", "half \ud83d", "two\nlines"]
    for person in persons:
        log_exposure(path, experiment, person, "v7", triggered=person != "Zoë", client="2.1")
    log_exposure(path, make(name="another"), "00018", "control")
    people = check_log(experiment, path).people
    assert list(people.index) == persons
    assert people["triggered"].tolist() == [True, False, True, True]
    assert set(people["client"]) == {"2.1"}
    assert pd.to_datetime(people["time"]).is_monotonic_increasing


@pytest.mark.parametrize("variant", [None, "v9"])
def test_who_met_no_variant_is_not_logged(make: Any, tmp_path: Path, variant: Any) -> None:
    with pytest.raises(ExperimentError, match=f"A variant {variant!r} was met"):
        log_exposure(tmp_path / "exposures.jsonl", make(), "s1", variant)
    assert not (tmp_path / "exposures.jsonl").exists()


def test_lines_of_several_threads_do_not_mix(make: Any, tmp_path: Path) -> None:
    path, experiment = tmp_path / "exposures.jsonl", make()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: log_exposure(path, experiment, f"s{n}", "v7", note="x" * 200), range(400)))
    assert {json.loads(line)["person"] for line in path.read_text().splitlines()} == {
        f"s{number}" for number in range(400)
    }
