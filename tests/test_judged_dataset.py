"""The guide for judging answers and titles: each mode has a question, and examples on both sides."""

from __future__ import annotations

import re

import pytest

from aicourse.paths import datasets_dir

GUIDE = (datasets_dir() / "judged" / "GUIDE.md").read_text(encoding="utf-8")
MODES = re.findall(r"^\| `(\w+)` \| .+\? \|$", GUIDE, re.MULTILINE)


def rows(mode: str) -> list[list[str]]:
    """The example rows of one mode: verdict first."""
    section = re.split(r"^##+ ", GUIDE.split(f"### `{mode}`:")[1], maxsplit=1, flags=re.MULTILINE)[0]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in section.splitlines()
        if re.match(r"\| (pass|fail) ", line)
    ]


def test_answers_have_five_modes_and_titles_four() -> None:
    assert MODES == [
        "agrees", "supported", "answers", "tone", "privacy", "true_facts", "calm", "names_item", "short",
    ]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_has_two_examples_of_each_verdict(mode: str) -> None:
    assert [row[0] for row in rows(mode)] == ["pass", "pass", "fail", "fail"]


def test_titles_in_the_examples_of_length_have_the_verdict_and_length_stated() -> None:
    for verdict, quoted, reason in rows("short"):
        title = quoted.strip('"')
        assert verdict == ("pass" if len(title) <= 60 else "fail")
        for stated in re.findall(r"(\d+) characters", reason):
            assert int(stated) == len(title)
