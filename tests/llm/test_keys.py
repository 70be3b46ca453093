from __future__ import annotations

from pathlib import Path

import pytest

from aicourse.errors import KeyMissing
from aicourse.llm.catalog import Provider
from aicourse.llm.keys import Key, contains_key, find_key, mask_keys, settings

PROVIDER = Provider(
    "somebody", "https://somebody.example", "SOMEBODY_API_KEY", "https://somebody.example/keys"
)
SECRET = "sk" + "-" + "a1b2" * 8


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "course" / "notebooks"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_a_key_comes_from_the_env_file_above_and_the_environment_wins(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_folder.parent / ".env").write_text("SOMEBODY_API_KEY=from-file\nOTHER=\n")
    found = find_key(PROVIDER)
    assert found is not None
    assert found.reveal() == "from-file"
    assert "OTHER" not in settings()
    monkeypatch.setenv("SOMEBODY_API_KEY", " from-environment ")
    found = find_key(PROVIDER)
    assert found is not None
    assert found.reveal() == "from-environment"


def test_a_missing_key_says_what_to_set_and_where_to_get_one() -> None:
    with pytest.raises(
        KeyMissing, match=r"SOMEBODY_API_KEY .*\.env\. Get one at https://somebody\.example/keys"
    ):
        find_key(PROVIDER)


def test_a_provider_without_keys_needs_none() -> None:
    assert find_key(Provider("ollama", "http://localhost:11434/v1", key_required=False)) is None


def test_a_key_does_not_show_itself() -> None:
    key = Key(SECRET)
    assert SECRET not in f"{key} {key!r} {[key]}"


@pytest.mark.parametrize(
    "secret",
    [
        SECRET,
        "sk" + "-proj-" + "x" * 40,
        "gsk" + "_" + "b2" * 12,
        "AI" + "za" + "c3" * 18,
        "Bearer " + "d4" * 10,
    ],
)
def test_keys_are_recognised_and_masked(secret: str) -> None:
    text = f'{{"said": "my key is {secret}"}}'
    assert contains_key(text)
    assert mask_keys(text) == '{"said": "my key is ****"}'


@pytest.mark.parametrize(
    "text",
    [
        "task-force-of-the-seventeenth",
        "disk-usage-by-directory-name",
        "sk-short",
        "the bearer of this letter",
    ],
)
def test_ordinary_words_are_no_keys(text: str) -> None:
    assert not contains_key(text)
