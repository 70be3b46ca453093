"""The checks of lesson 00 judge answers that students may give as their author would."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aicourse.datasets import COLOURS
from aicourse.notebook.exercises import load_checks
from aicourse.notebook.exercises.checking import examine

CHECKS = Path(__file__).parents[2] / "notebooks" / "checks" / "lesson_00.py"
EXERCISES = {exercise.id: exercise for exercise in load_checks(CHECKS)}
RAILS = [
    {"metric": "price", "unit": "USD", "limit": 1, "worse_if": "above"},
    {"metric": "sold in a week", "unit": "%", "limit": 20.0, "worse_if": " Below"},
]


def success(measure: Any, baseline: Any, target: Any, **more: Any) -> dict[str, Any]:
    """A definition of success, complete but for what is given."""
    return {
        "who": "sellers",
        "metric": "a metric",
        "measure": measure,
        "unit": "its unit",
        "baseline": baseline,
        "target": target,
        "guardrails": RAILS,
        **more,
    }


def counted(sellers: Any) -> float:
    """The share that publishes, in percent, with a loop."""
    done = 0
    for value in sellers["published"]:
        done += int(value)
    return 100 * done / len(sellers)


PUBLISHED = success(lambda sellers: np.mean(sellers.published), np.float64(0.58), 0.7)
DEFINITIONS = [
    PUBLISHED,
    success(counted, 58, 70),
    success(lambda sellers: np.float32(sellers["fields_filled"].mean()), 4.7, 5.5),
    success(lambda sellers: (~sellers["published"]).sum() / len(sellers), 0.42, 0.3),
    success(lambda sellers: sellers.query("published")["seconds"].median(), 104, 60, note="more keys"),
]
WRONG_DEFINITIONS = [
    (PUBLISHED | {"target": 70}, "Use one scale for both"),
    (PUBLISHED | {"baseline": 0.7}, "Target and baseline are equal"),
    (PUBLISHED | {"measure": lambda sellers: 0.58}, "the same number whatever happens"),
    (success(lambda sellers: np.median(sellers.seconds), 94, 60), "leaves at once as somebody who was quick"),
    (PUBLISHED | {"guardrails": [*RAILS[:1], {"metric": "latency"}]}, "1 of 2 guardrails are complete"),
    (PUBLISHED | {"measure": "published.mean()"}, "is not a function of the table of sellers"),
    (PUBLISHED | {"measure": lambda sellers: sellers["publish"]}, "raised KeyError"),
    (PUBLISHED | {"unit": "  "}, "Write the unit as text"),
    (PUBLISHED | {"guardrails": [RAILS[0], RAILS[0] | {"limit": 2}]}, "Your guardrails watch one metric"),
    (
        PUBLISHED | {"guardrails": [rail | {"metric": " "} for rail in RAILS]},
        "0 of 2 guardrails are complete",
    ),
    (PUBLISHED | {"guardrails": [rail | {"unit": None} for rail in RAILS]}, "0 of 2 guardrails are complete"),
    (
        PUBLISHED | {"guardrails": [rail | {"limit": float("inf")} for rail in RAILS]},
        "0 of 2 guardrails are complete",
    ),
]

NAMES = {"navy": "blue", "indigo": "blue", "burgundy": "red", "cream": "beige", "camel": "beige"}
NAMES |= {"mustard": "yellow", "teal": "turquoise", "gray": "grey"}


def with_tokens(text: str) -> set[str]:
    """Words found by a pattern, looked up one by one."""
    words = re.findall("[a-z]+", text.casefold())
    return {NAMES.get(word, word) for word in words if word in NAMES or word in COLOURS}


def with_a_loop(text: str) -> list[str]:
    """A list without repetition, by hand."""
    found = []
    for mark in ",.;:!?()/'\"":
        text = text.replace(mark, " ")
    for word in text.lower().split():
        colour = NAMES.get(word)
        if colour is None and word in COLOURS:
            colour = word
        if colour and colour not in found:
            found.append(colour)
    return found


def with_replacing(text: str) -> frozenset[str]:
    """Shades replaced first, then whole words."""
    lowered = f" {re.sub(r'[^a-z]', ' ', text.lower())} "
    for shade, colour in NAMES.items():
        lowered = lowered.replace(f" {shade} ", f" {colour} ")
    return frozenset(filter(lambda colour: f" {colour} " in lowered, COLOURS))


def with_recursion(text: str) -> set[str]:
    """The first word, and the colours of the rest."""
    word, _, rest = re.sub(r"\W+", " ", text).strip().lower().partition(" ")
    mine = {NAMES.get(word, word)} & set(COLOURS)
    return mine | with_recursion(rest) if rest else mine


def with_ignorecase(text: str) -> set[str]:
    """One search per name, which ignores case."""
    names = {**{colour: colour for colour in COLOURS}, **NAMES, "salmon": "orange"}
    return {
        colour for name, colour in names.items() if re.search(rf"(?<!\w){name}(?!\w)", text, re.IGNORECASE)
    }


def with_stripping(text: str) -> set[str]:
    """Marks are taken off the ends of words."""
    words = (word.strip(".,!?()") for word in text.lower().split())
    return {NAMES.get(word, word) for word in words if word in NAMES or word in COLOURS}


WRONG_COLOURS = [
    (with_stripping, "'red/white' has one in the middle"),
    (lambda text: with_tokens(re.sub("indigo", "", text, flags=re.I)), "Indigo is missing in your table"),
    (lambda text: {NAMES.get(n, n) for n in [*COLOURS, *NAMES] if n in text.lower()}, "inside a word"),
    (lambda text: {NAMES.get(w, w) for w in re.findall(r"\w+", text) if w in [*COLOURS, *NAMES]}, "shout"),
    (lambda text: {c for c in COLOURS if c in re.findall(r"\w+", text.lower())}, "Only the 17 names"),
    (
        lambda text: {w for w in re.findall(r"\w+", text.lower()) if w in [*COLOURS, *NAMES]},
        "You return the shade itself",
    ),
    (
        lambda text: {NAMES.get(w, w) for w in text.lower().split() if w in [*COLOURS, *NAMES]},
        "`split()` leaves the comma",
    ),
    (
        lambda text: [NAMES.get(w, w) for w in re.findall(r"\w+", text.lower()) if w in [*COLOURS, *NAMES]],
        "✗ missing names each colour once",
    ),
]


def with_two_loops(proposed: Any, gold: Any) -> int:
    """Clicks counted one by one."""
    clicks = 0
    for colour in proposed:
        if colour not in gold:
            clicks += 1
    for colour in gold:
        if colour not in proposed:
            clicks += 1
    return clicks


RIGHT_CORRECTIONS = [
    with_two_loops,
    lambda p, g: len(p - g) + len(g - p),
    lambda a, b: len(a.symmetric_difference(b)),
    lambda predicted, labels: len(predicted | labels) - len(predicted & labels),
    lambda p, g: int(np.setxor1d(sorted(p), sorted(g)).size),
]


def in_place(proposed: Any, gold: Any) -> int:
    """The set of proposals becomes that of corrections."""
    proposed ^= gold
    return len(proposed)


WRONG_CORRECTIONS = [
    (in_place, "changes the caller's set"),
    (lambda p, g: sum(c not in p for c in g), "What was proposed wrongly"),
    (lambda p, g: len([c for c in p if c not in g]), "What is missing must be added"),
    (lambda p, g: abs(len(g) - len(p)), "compare the sets, not their sizes"),
    (lambda p, g: 0 if p == g else 1, "not how much"),
    (lambda p, g: len(p & g), "You count what is right already"),
]

TASKS = list(EXERCISES["00.4"].reference)
RIGHT_CHOICE = {task: EXERCISES["00.4"].reference[task] for task in TASKS}
RIGHT_CHOICES = [
    RIGHT_CHOICE,
    {task: kind.upper() for task, kind in RIGHT_CHOICE.items()},
    {task: f" {kind} " for task, kind in RIGHT_CHOICE.items()},
    {task: f"{kind}s" for task, kind in reversed(RIGHT_CHOICE.items())},
    {task: kind.capitalize() for task, kind in RIGHT_CHOICE.items()} | {"a task of my own": "rule"},
]
WRONG_CHOICES = [
    (dict.fromkeys(TASKS, "Model"), "A model for everything"),
    (dict.fromkeys(TASKS, "rule "), "Rules for everything"),
    ({task: kind == "rule" for task, kind in RIGHT_CHOICE.items()}, "one of two words"),
    (RIGHT_CHOICE | {"add 19 % tax to a price": "model"}, "Look again at: add 19 % tax to a price."),
    (RIGHT_CHOICE | {"materials from a free description": None}, "Neither 'rule' nor 'model': materials"),
]


@pytest.mark.parametrize("answer", DEFINITIONS)
def test_a_right_definition_passes(answer: Any) -> None:
    assert examine(EXERCISES["00.1"], answer), repr(examine(EXERCISES["00.1"], answer))


@pytest.mark.parametrize(("answer", "sentence"), WRONG_DEFINITIONS)
def test_a_wrong_definition_gets_its_sentence(answer: Any, sentence: str) -> None:
    told(examine(EXERCISES["00.1"], answer), sentence)


def test_a_measure_that_changes_its_table_spoils_no_other() -> None:
    def share(sellers: Any) -> float:
        sellers.dropna(subset=["stopped_at"], inplace=True)
        return float(sellers["published"].mean())

    examine(EXERCISES["00.1"], PUBLISHED | {"measure": share})
    assert examine(EXERCISES["00.1"], PUBLISHED)


@pytest.mark.parametrize(
    "answer", [with_tokens, with_a_loop, with_replacing, with_recursion, with_ignorecase]
)
def test_right_colours_pass(answer: Any) -> None:
    assert examine(EXERCISES["00.2"], answer), repr(examine(EXERCISES["00.2"], answer))


@pytest.mark.parametrize(("answer", "sentence"), WRONG_COLOURS)
def test_wrong_colours_get_their_sentence(answer: Any, sentence: str) -> None:
    told(examine(EXERCISES["00.2"], answer), sentence)


@pytest.mark.parametrize("answer", RIGHT_CORRECTIONS)
def test_right_corrections_pass(answer: Any) -> None:
    assert examine(EXERCISES["00.3"], answer), repr(examine(EXERCISES["00.3"], answer))


@pytest.mark.parametrize(("answer", "sentence"), WRONG_CORRECTIONS)
def test_wrong_corrections_get_their_sentence(answer: Any, sentence: str) -> None:
    told(examine(EXERCISES["00.3"], answer), sentence)


@pytest.mark.parametrize("answer", RIGHT_CHOICES)
def test_right_choices_pass(answer: Any) -> None:
    assert examine(EXERCISES["00.4"], answer), repr(examine(EXERCISES["00.4"], answer))


@pytest.mark.parametrize(("answer", "sentence"), WRONG_CHOICES)
def test_wrong_choices_get_their_sentence(answer: Any, sentence: str) -> None:
    told(examine(EXERCISES["00.4"], answer), sentence)


def told(result: Any, sentence: str) -> None:
    """The answer did not pass, and the student reads the sentence."""
    assert result.status == "not yet"
    assert sentence in " ".join(repr(result).split())
