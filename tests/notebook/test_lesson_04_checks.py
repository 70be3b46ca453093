"""The checks of lesson 03 judge answers that students may give as their author would."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable
from statistics import mean
from typing import Any

import pytest

from aicourse import prompts
from aicourse.notebook.exercises import CheckResult, checks_path, examine, load_checks
from aicourse.prompts.file import prompt_text

EXERCISES = {exercise.id: exercise for exercise in load_checks(checks_path("04"))}
CHECKS = sys.modules[EXERCISES["04.1"].reference.__module__]


def missing(exercise_id: str, answer: Any) -> list[str]:
    result: CheckResult = examine(EXERCISES[exercise_id], answer)
    return [finding.behaviour for finding in result.findings if not finding.works]


def test_the_prompts_own_renderer_would_be_right_about_text() -> None:
    section = prompts.load("extract_listing@1").sections[-1]
    nasty = r"Lamp {{listing}} \1 {brand} # system"
    assert CHECKS.fill(section.text, {"listing": nasty}) == section.filled({"listing": nasty})


def by_t_interval(before: dict[str, float], variants: dict[str, dict[str, float]]) -> list[str]:
    """What somebody writes who knows statistics and not our function."""
    found = []
    for name, after in variants.items():
        gains = [after[case] - before[case] for case in before.keys() & after.keys()]
        spread = (sum((gain - mean(gains)) ** 2 for gain in gains) / (len(gains) - 1)) ** 0.5
        if mean(gains) - 2.1 * spread / len(gains) ** 0.5 > 0:
            found.append(name)
    return found


def test_any_sound_way_to_see_which_change_helped_is_right() -> None:
    assert missing("04.2", by_t_interval) == []


def test_the_parent_that_the_lesson_makes_is_the_one_the_check_knows() -> None:
    assert prompts.load("extract_listing@3").hash == CHECKS.PARENT_HASH


def test_the_parent_itself_is_no_next_version() -> None:
    parent = prompts.load("extract_listing@3")
    text = prompt_text(parent).replace("name: extract_listing", "name: my_extraction")
    text = re.sub(r"parent: .*", "parent: 2", text)
    found = missing("04.3", text)
    assert "says where it comes from and what changed" in found
    assert "stays within 300 estimated tokens" in found


@pytest.mark.parametrize(
    ("change", "behaviour"),
    [
        (lambda text: text.replace("---\nname", "name", 1), "is a prompt file"),
        (lambda text: text.replace("parent: 2", "parent: 1"), "says where it comes from and what changed"),
        (
            lambda text: re.sub("changelog: .*", "changelog: Better.", text),
            "says where it comes from and what changed",
        ),
        (
            lambda text: text.replace("{{listing}}\n", "{{listing}} {{listing}}\n"),
            "takes the listing, once, in the last message",
        ),
        (
            lambda text: text.replace("{{listing}}\n\nJSON:", "{{listing}}"),
            "marks where the listing begins and ends",
        ),
        (
            lambda text: text.replace('"ceramic"', '"gold"').replace('["glass"]', '["gold"]'),
            "its examples' answers pass the schema",
        ),
        (
            lambda text: text.replace("{{listing}}\n\nJSON:", "{{listing}}\n\nThe form:"),
            "frames the examples like the real question",
        ),
        (lambda text: text.replace('"brand": "Pyrex"', '"brand": "IKEA"'), "its examples invent nothing"),
        (
            lambda text: text.replace("temperature: 0", "temperature: 1"),
            "asks for the likeliest words, and for enough of them",
        ),
    ],
)
def test_each_demand_on_the_next_version_is_checked(change: Callable[[str], str], behaviour: str) -> None:
    changed = change(CHECKS.next_version)
    assert changed != CHECKS.next_version
    assert behaviour in missing("04.3", changed)


def test_what_the_cell_begins_with_is_not_started() -> None:
    assert examine(EXERCISES["04.3"], CHECKS.UNTOUCHED).status == "not started"


def test_what_makes_a_file_unreadable_is_said_once() -> None:
    misspelt = CHECKS.next_version.replace("hints: {", "hint: {")

    said = repr(examine(EXERCISES["04.3"], misspelt))

    assert said.count("no field is called 'hint'") == 1
    assert "Too long" not in said


def test_a_version_without_examples_is_told_so() -> None:
    result = examine(EXERCISES["04.3"], CHECKS.NO_EXAMPLES)

    notes = [str(finding) for finding in result.findings if not finding.works]
    assert sum(CHECKS.NO_EXAMPLE in note for note in notes) == 4


def test_an_answer_that_is_a_prompt_object_is_told_what_to_pass() -> None:
    assert "str" in repr(examine(EXERCISES["04.3"], prompts.load("extract_listing@1")))


def test_a_filter_that_lets_sentences_go_at_random_is_refused() -> None:
    chance = random.Random(0)

    def without_orders(text: str) -> str:
        return "".join(piece for piece in CHECKS.SENTENCE.findall(text) if chance.random() < 0.5)

    assert missing("04.4", without_orders) != []
