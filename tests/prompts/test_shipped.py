"""The prompts that the course ships: they load, stand in a row, and are frozen."""

from __future__ import annotations

import pytest

from aicourse import prompts
from aicourse.prompts import folders

NAMES = sorted(folder.name for folder in folders.shipped_dir().iterdir() if folder.is_dir())


@pytest.fixture(autouse=True)
def nothing_of_my_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "roots", lambda: [folders.shipped_dir()])


def test_there_is_one_at_least() -> None:
    assert "extract_listing" in NAMES
    assert prompts.names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_versions_load_and_stand_in_a_row_without_gaps(name: str) -> None:
    numbers = prompts.versions(name)
    assert numbers == list(range(1, len(numbers) + 1))
    for number in numbers:
        prompt = prompts.load(f"{name}@{number}")
        assert prompt.render(**dict.fromkeys(prompt.parameters, "x"))


@pytest.mark.parametrize("name", NAMES)
def test_one_is_in_production(name: str) -> None:
    assert prompts.load(name).version in prompts.versions(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_version_is_frozen(name: str) -> None:
    folder = folders.shipped_dir() / name
    hashes = {version: prompts.load(file).hash for version, file in folders.version_files(folder).items()}
    assert folders.used_versions(folder) == hashes, "freeze it with prompts.mark_used(prompts.load(…))"
