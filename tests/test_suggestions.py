"""Names that are near to a mistyped one."""

from __future__ import annotations

from pathlib import Path

from aicourse.suggestions import close_matches, did_you_mean, similar_file

KNOWN = ["temperature", "top_p", "seed", "max_tokens"]


def test_the_nearest_comes_first_and_only_near_ones_come() -> None:
    assert close_matches("hw10", ["hw01", "hw11", "hw12", "capstone"], most=2) == ["hw12", "hw11"]
    assert close_matches("zzz", KNOWN) == []


def test_capital_letters_do_not_matter_and_names_come_as_they_are_written() -> None:
    assert close_matches("qwen2.5", ["Qwen2.5", "gpt"]) == ["Qwen2.5"]


def test_the_question_is_empty_or_goes_behind_a_sentence() -> None:
    assert did_you_mean("sed", KNOWN) == " Did you mean seed?"
    assert did_you_mean("hw91", ["hw90", "hw92"], most=2) == " Did you mean hw92 or hw90?"
    assert did_you_mean("", KNOWN) == ""


def test_a_likeness_that_must_be_greater() -> None:
    assert close_matches("sytem", ["system", "user"], likeness=0.75) == ["system"]
    assert close_matches("stem", ["system"], likeness=0.9) == []


def test_a_file_of_nearly_that_name(tmp_path: Path) -> None:
    for name in ("extract_listing@v4-test.jsonl", "cases.jsonl"):
        (tmp_path / name).touch()
    near = tmp_path / "extract_listing@v4-test.jsonl"
    assert similar_file(tmp_path / "extract_listing-v4-test.jsonl") == f" Did you mean {near}?"
    assert similar_file(tmp_path / "none.jsonl") == ""
    assert similar_file(tmp_path / "none" / "cases.jsonl") == ""
