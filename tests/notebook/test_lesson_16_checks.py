"""The checks of lesson 16: right answers in other styles pass, wrong ones get the sentence that fits."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from aicourse.notebook.exercises import checks_path, examine, load_checks

EXERCISES = {exercise.id: exercise for exercise in load_checks(checks_path("16"))}
HOSTS = re.compile(r"(?:https?://|www\.|@)([\w-]+(?:\.[\w-]+)+)", re.IGNORECASE)
Answers = list[tuple[str, bool, bool]]


def right(exercise: str, *answers: Callable[..., Any]) -> Any:
    return [pytest.param(exercise, answer, id=f"{exercise} {answer.__name__}") for answer in answers]


def wrong(exercise: str, *answers: tuple[Callable[..., Any], str]) -> Any:
    return [pytest.param(exercise, answer, part, id=f"{exercise} {part}") for answer, part in answers]


# 16.1


def between_blanks(quote: str, text: str) -> bool:
    wanted, words = (" ".join(one.lower().split()) for one in (quote, text))
    return wanted != "" and f" {wanted} " in f" {words} "


def by_a_pattern(quote: str, text: str) -> bool:
    words = r"\s+".join(map(re.escape, quote.split()))
    return bool(words) and re.search(rf"(?<!\S){words}(?!\S)", text, re.IGNORECASE) is not None


def without_marks(quote: str, text: str) -> bool:
    wanted, words = ([word.strip(".,;") for word in one.casefold().split()] for one in (quote, text))
    return any(wanted) and wanted in [words[n : n + len(wanted)] for n in range(len(words))]


def at_letters_ends(quote: str, text: str) -> bool:
    words = r"\s+".join(map(re.escape, quote.split()))
    return bool(words) and re.search(rf"\b{words}\b", text, re.IGNORECASE) is not None


def whole_at_the_end_alone(quote: str, text: str) -> bool:
    wanted, words = (" ".join(one.lower().split()) for one in (quote, text))
    return wanted != "" and f"{wanted} " in f"{words} "


def from_the_first_place(quote: str, text: str) -> bool:
    wanted, words = quote.casefold().split(), text.casefold().split()
    if not wanted or wanted[0] not in words:
        return False
    first = words.index(wanted[0])
    return words[first : first + len(wanted)] == wanted


# 16.2


def numbers(answers: Answers, right_if: Callable[[bool, bool], bool]) -> list[float]:
    told = [right_if(able, good) for text, able, good in answers if text]
    risk = told.count(False) / len(told) if told else 0
    size = len(answers)
    return [len(told) / size, risk, (told.count(True) - told.count(False)) / size]


def as_a_list(answers: Answers) -> list[float]:
    return numbers(answers, lambda able, good: able and good)


def as_an_array(answers: Answers) -> Any:
    return np.array(as_a_list(answers))


def as_a_tuple(answers: Answers) -> tuple[float, ...]:
    return tuple(as_a_list(answers))


def believes_the_rule(answers: Answers) -> list[float]:
    return numbers(answers, lambda able, good: good)


def the_score_alone(answers: Answers) -> float:
    return as_a_list(answers)[2]


# 16.3


def from_the_lowest(probabilities: list[float], wrong: list[int], most: float) -> float | None:
    for least in sorted(set(probabilities)):
        answered = [bad for p, bad in zip(probabilities, wrong, strict=True) if p >= least]
        if np.mean(answered) <= most:
            return least
    return None


def of_all_that_fit(probabilities: list[float], wrong: list[int], most: float) -> float | None:
    values, bad = np.array(probabilities), np.array(wrong)
    fit = [p for p in probabilities if bad[values >= p].mean() <= most]
    return min(fit, default=None)


def until_it_is_too_high(probabilities: list[float], wrong: list[int], most: float) -> float | None:
    found = None
    for least in sorted(set(probabilities), reverse=True):
        answered = [bad for p, bad in zip(probabilities, wrong, strict=True) if p >= least]
        if sum(answered) / len(answered) > most:
            return found
        found = least
    return found


# 16.4


def own(host: str, ours: str) -> bool:
    return host == ours or host.endswith(f".{ours}")


def as_a_set(text: str, ours: str) -> set[str]:
    return {host.lower() for host in HOSTS.findall(text) if not own(host.lower(), ours)}


def by_parts(text: str, ours: str) -> list[str]:
    wanted = ours.split(".")
    hosts = dict.fromkeys(host.lower() for host in HOSTS.findall(text))
    return [host for host in hosts if host.split(".")[-len(wanted) :] != wanted]


def with_repeats(text: str, ours: str) -> list[str]:
    return [host.lower() for host in HOSTS.findall(text) if not own(host.lower(), ours)]


def by_its_ending(text: str, ours: str) -> list[str]:
    return list({host.lower() for host in HOSTS.findall(text) if not host.lower().endswith(ours)})


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        *right("16.1", between_blanks, by_a_pattern, without_marks),
        *right("16.2", as_a_list, as_an_array, as_a_tuple),
        *right("16.3", from_the_lowest, of_all_that_fit),
        *right("16.4", as_a_set, by_parts),
    ],
)
def test_right_answers_in_any_style(exercise: str, answer: Any) -> None:
    result = examine(EXERCISES[exercise], answer)
    assert result.status == "solved", repr(result)


@pytest.mark.parametrize(
    ("exercise", "answer", "sentence"),
    [
        *wrong(
            "16.1",
            (at_letters_ends, "'a minimum of 0'"),
            (whole_at_the_end_alone, "'eep 8 %'"),
            (from_the_first_place, "'a maximum of 400'"),
        ),
        *wrong(
            "16.2",
            (believes_the_rule, "Any answer to it is wrong"),
            (the_score_alone, "expected (1.0, 0.5, 0.0)"),
        ),
        *wrong("16.3", (until_it_is_too_high, "You stop at the first threshold")),
        *wrong("16.4", (with_repeats, "Return each once"), (by_its_ending, "only ends like ours")),
    ],
)
def test_wrong_answers_are_told_where(exercise: str, answer: Any, sentence: str) -> None:
    result = examine(EXERCISES[exercise], answer)
    assert result.status != "solved"
    assert sentence in repr(result)
