"""The course's fortnight: built once and whole, or nothing and one sentence."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from aicourse import paths
from aicourse.errors import DatasetError
from aicourse.marketplace.production import load_production, read_replies, read_requests
from aicourse.marketplace.traffic import Reply, seed_of, simulate
from aicourse.monitoring.metrics import open_metrics, read_metrics


@pytest.fixture(scope="module")
def requests(listings: pd.DataFrame, replies: list[Reply]) -> pd.DataFrame:
    return simulate(listings, replies, seed_of("ada", "a secret"))


@pytest.fixture
def dataset(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    listings: pd.DataFrame,
    replies: list[Reply],
    requests: pd.DataFrame,
) -> Path:
    """A course folder with the dataset of a shorter fortnight."""
    folder = tmp_path / "course" / "datasets" / "production"
    folder.mkdir(parents=True)
    (tmp_path / "course" / "notebooks").mkdir()
    monkeypatch.setenv("AICOURSE_HOME", str(tmp_path / "course"))
    requests.head(200).to_csv(folder / "requests.csv", index=False)
    lines = (json.dumps(asdict(reply)) for reply in replies)
    (folder / "replies.jsonl").write_text("\n".join(lines) + "\n")
    source = Path(__file__).parents[2] / "datasets" / "production" / "listings.jsonl"
    (folder / "listings.jsonl").write_bytes(source.read_bytes())
    return folder


def test_production_is_built_once_and_whole(
    dataset: Path, replies: list[Reply], requests: pd.DataFrame
) -> None:
    assert read_replies(dataset / "replies.jsonl") == replies
    pd.testing.assert_frame_equal(read_requests(dataset / "requests.csv"), requests.head(200))
    path = load_production()
    assert read_metrics(open_metrics(path))["requests"].sum() == 200
    made = path.stat().st_mtime_ns
    assert load_production() == path
    assert path.stat().st_mtime_ns == made
    assert [one.name for one in paths.cache_dir().glob("production*.db")] == [path.name]
    requests.head(100).to_csv(dataset / "requests.csv", index=False)
    assert read_metrics(open_metrics(load_production()))["requests"].sum() == 100


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("replies.jsonl", '{"listing": "N001"}\n', "not a file of replies"),
        ("requests.csv", "a,b\n1,2\n", "not the requests of a fortnight"),
        ("requests.csv", "", "cannot be read"),
        ("requests.csv", None, "No file"),
    ],
)
def test_a_broken_dataset_leaves_nothing_behind(
    dataset: Path, name: str, text: str | None, said: str
) -> None:
    if text is None:
        (dataset / name).unlink()
    else:
        (dataset / name).write_text(text)
    with pytest.raises(DatasetError, match=said):
        load_production()
    assert list(paths.cache_dir().glob("*")) == []
