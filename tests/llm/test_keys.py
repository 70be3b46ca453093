from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from aicourse.errors import KeyMissing, ProviderError
from aicourse.llm import keys
from aicourse.llm.catalog import Provider
from aicourse.llm.keys import Key, contains_key, find_key, masked, misspelt_settings, settings

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
    assert masked(text) == '{"said": "my key is ****"}'


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


# ------------------------------------------------------------------------------------ by value


PLAIN = "8f14e45fceea167a5a36dedd4bea2543"  # like Mistral's: nothing in its shape says that it is a key
DOTTED = "AQ.Ab8" + "/c+d-E_f=" * 4


@pytest.mark.parametrize("key", [PLAIN, DOTTED])
@pytest.mark.parametrize(
    "form",
    [
        str,
        lambda key: json.dumps(key).replace("/", r"\/"),
        lambda key: quote(key, safe=""),
        *(
            lambda key, left=left: base64.b64encode(f"{left}{key}:x".encode()).decode()
            for left in ("", "u", "me:")
        ),
        lambda key: base64.urlsafe_b64encode(f"{key}".encode()).decode(),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_a_configured_key_is_masked_by_value_in_each_form(
    key: str, form: Callable[[str], str], place: str, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"Incorrect API key provided: {form(key)}, sorry"
    assert masked(text) == text
    if place == "environment":
        monkeypatch.setenv("MISTRAL_API_KEY", f" {key}\n")
    else:
        (own_folder / ".env").write_text(f"MISTRAL_API_KEY='{key}'")
    assert contains_key(text)
    shown = masked(text)
    assert key not in shown
    assert len(shown) < len(text) - len(key) + 10
    assert shown.startswith("Incorrect API key provided: ")


def test_any_secret_of_the_environment_is_masked_and_ordinary_words_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")  # too short to be told from a word
    monkeypatch.setenv("SORT_KEY", "colours")
    monkeypatch.setenv("WAREHOUSE_PASSWORD", "correct-horse-battery")
    monkeypatch.setenv("AICOURSE_API_KEY", "local-42")
    assert masked("test colours correct-horse-battery local-42") == "test colours **** ****"


# ------------------------------------------------------------------------- values and names gone wrong


@pytest.mark.parametrize(
    "content",
    [
        b"export SOMEBODY_API_KEY=the-key",
        b"SOMEBODY_API_KEY = 'the-key'  # mine",
        "\ufeffSOMEBODY_API_KEY=the-key\r\n".encode(),
        "SOMEBODY_API_KEY=\u201cthe-key\u201d\r\n".encode("utf-16"),
        "SOMEBODY_API_KEY=\u200bthe-key\xa0".encode(),
        b"# caf\xe9\nSOMEBODY_API_KEY=the-key",
    ],
)
def test_a_key_is_found_however_an_editor_wrote_it(content: bytes, own_folder: Path) -> None:
    (own_folder / ".env").write_bytes(content)
    found = find_key(PROVIDER)
    assert found is not None
    assert found.reveal() == "the-key"
    assert list(misspelt_settings()) == []


@pytest.mark.parametrize("value", ["the k\u00e9y", "two words", "line\x00end"[:4] + "\x07"])
def test_what_cannot_be_sent_is_refused_without_being_shown(value: str, own_folder: Path) -> None:
    (own_folder / ".env").write_text(f"SOMEBODY_API_KEY={value}", encoding="utf-8")
    with pytest.raises(ProviderError, match="The value of SOMEBODY_API_KEY is not a key") as caught:
        find_key(PROVIDER)
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("OPENAI_APIKEY", "OPENAI_API_KEY"),
        ("openai_api_key", "OPENAI_API_KEY"),
        ("OPEN_AI_KEY", "OPENAI_API_KEY"),
        ("OPNAI_API_KEY", "OPENAI_API_KEY"),
        ("$env:OPENAI_API_KEY", "OPENAI_API_KEY"),
        ("ANTROPIC_API_KEY", "ANTHROPIC_API_KEY"),
        ("MISTRAL_TOKEN", "MISTRAL_API_KEY"),
        ("AICOURSE_PROVDER", "AICOURSE_PROVIDER"),
        ("AI_COURSE_REPLAY", "AICOURSE_REPLAY"),
        ("AICOURSE_APIKEY", "AICOURSE_API_KEY"),
    ],
)
def test_a_misspelt_setting_is_named_with_the_one_that_was_meant(
    name: str, meant: str, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_folder / ".env").write_text(f"{name}={PLAIN}\n")
    told = f"{name} in .env is not a setting. Did you mean {meant}?"
    assert list(misspelt_settings()) == [told]
    monkeypatch.setenv(name, PLAIN)
    (own_folder / ".env").write_text("")
    assert list(misspelt_settings()) == [told.replace(".env", "the environment")]
    monkeypatch.setenv(meant, PLAIN)
    assert list(misspelt_settings()) == []


@pytest.mark.parametrize(
    "name",
    ["XAI_API_KEY", "MINIMAX_API_KEY", "GROK_API_KEY", "AZURE_OPENAI_API_KEY", "OPENAI_BASE_URL", "HOME"],
)
def test_other_peoples_settings_are_no_slips(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, PLAIN)
    assert list(misspelt_settings()) == []


def test_lines_that_are_not_read_are_named_by_number_only(own_folder: Path) -> None:
    (own_folder / ".env").write_text(f"OPENAI: {PLAIN}\nAICOURSE_HOME=elsewhere\nset GROQ_API_KEY={PLAIN}\n")
    assert list(misspelt_settings()) == [
        "Line 1 of .env is not read: write it as NAME=value.",
        "AICOURSE_HOME is not read from .env: set it in the environment.",
        "Line 3 of .env is not read: write it as NAME=value.",
    ]


def test_the_own_settings_are_those_that_the_package_reads() -> None:
    package = Path(keys.__file__).parents[1]
    sources = "\n".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    assert set(re.findall(r"AICOURSE_[A-Z]+(?:_[A-Z]+)*\b", sources)) == set(keys._OWN)
