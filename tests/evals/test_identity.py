"""Digests of tasks and scorers: what makes another one, and what does not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from aicourse.evals.identity import digests_of, made_of, remade_of
from aicourse.evals.scorers import exact
from aicourse.marketplace.evaluation import LISTING_SCORERS

SOURCE = """
import helpers
from dataclasses import dataclass
from pydantic import BaseModel, Field

PROMPT = "Name the colour: "
EXAMPLES = [("navy coat", "blue")]
WORDS = {"navy": "blue", "tan": "brown"}
KINDS = {"coat", "bag"}

class Reply(BaseModel):
    colour: str = Field(max_length=20)

class Asker:
    def __init__(self, model):
        self.model = model
    def __call__(self, case):
        return clean(PROMPT + self.model + case.input)

@dataclass(frozen=True)
class Settings:
    size: int = 3

SETTINGS = Settings()

def deeper(text):
    return text.strip()

def clean(text, limit=10):
    return deeper(text)[:limit]

def task(case):
    # a comment
    text = clean(PROMPT + case.input)
    return Reply(colour=WORDS.get(text, "none")), EXAMPLES, SETTINGS, text in KINDS, helpers.tidy(text)

def unlike(case):
    return [other for other in KINDS if other in {"a", "b", "c"}]

asker = Asker("small")
"""
HELPERS = """
def tidy(text):
    return text.lower()
"""


def loaded(source: str = SOURCE, helpers: str = HELPERS) -> dict[str, Any]:
    """The names of a module of somebody's own with this source."""
    module = ModuleType("helpers")
    exec(compile(helpers, "helpers.py", "exec"), module.__dict__)
    module.__file__ = "helpers.py"
    names: dict[str, Any] = {"__name__": "__main__"}
    before = sys.modules.get("helpers")
    sys.modules["helpers"] = module
    try:
        exec(compile(source, "own.py", "exec"), names)
    finally:
        sys.modules.pop("helpers") if before is None else sys.modules.update(helpers=before)
    return names


def changed(old: str, new: str, name: str = "task") -> set[str]:
    """The parts of a task that are other ones when its source is changed."""
    assert old in SOURCE
    before, after = digests_of(loaded()[name]), digests_of(loaded(SOURCE.replace(old, new))[name])
    return {part for part in before | after if before.get(part) != after.get(part)}


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("# a comment", "# another comment\n    # on two lines", set()),
        ("clean(PROMPT + case.input)", "clean(\n        PROMPT + case.input\n    )", set()),
        ("clean(PROMPT + case.input)", "clean(case.input + PROMPT)", {"code"}),
        ("Name the colour", "Which colour", {"PROMPT"}),
        ('("navy coat", "blue")', '("navy coat", "navy")', {"EXAMPLES"}),
        ('[("navy coat", "blue")]', "[]", {"EXAMPLES"}),
        ('"tan": "brown"', '"tan": "beige"', {"WORDS"}),
        ('{"navy": "blue", "tan": "brown"}', '{"tan": "brown", "navy": "blue"}', set()),
        ('"bag"', '"bags"', {"KINDS"}),
        ("text.strip()", "text.lower()", {"clean"}),
        ("limit=10", "limit=11", {"clean"}),
        ("max_length=20", "max_length=21", {"Reply"}),
        ("size: int = 3", "size: int = 4", {"SETTINGS"}),
        ("def unlike(case):", "def unlike(case, more=None):", set()),
    ],
)
def test_what_makes_another_task(old: str, new: str, parts: set[str]) -> None:
    assert changed(old, new) == parts


def test_an_instance_is_its_class_and_its_fields() -> None:
    assert changed('Asker("small")', 'Asker("large")', "asker") == {"model"}
    assert changed("self.model + case.input", "case.input + self.model", "asker") == {"code"}
    assert changed("Name the", "Which", "asker") == {"code"}  # its class names the prompt


def test_a_function_of_a_module_of_ones_own_counts() -> None:
    before = digests_of(loaded()["task"])
    after = digests_of(loaded(helpers=HELPERS.replace("lower", "upper"))["task"])
    assert {part for part in before if before[part] != after[part]} == {"helpers.tidy"}


def count(case: Any, most: int = 3, *, names: Any = None) -> int:
    """A task with settings."""
    return most


def test_arguments_and_variables_around_a_function_count() -> None:
    def closed(limit: int) -> Callable[[Any], int]:
        return lambda case: limit

    assert digests_of(closed(1)) == digests_of(closed(1))
    assert digests_of(closed(1))["limit"] != digests_of(closed(2))["limit"]
    assert digests_of(partial(count, most=1)) != digests_of(partial(count, most=2))
    assert digests_of(SimpleNamespace(count=count).count) == digests_of(count)


def test_objects_that_are_no_data_count_by_their_class() -> None:
    def with_state(state: Any) -> Callable[[Any], Any]:
        return lambda case: state

    assert digests_of(with_state(Counter("a"))) == digests_of(with_state(Counter("b")))
    assert digests_of(with_state(object())) == digests_of(with_state(object()))
    assert digests_of(with_state(Counter())) != digests_of(with_state(object()))
    assert digests_of(with_state(re.compile("a"))) != digests_of(with_state(re.compile("b")))


def test_what_holds_itself_has_a_digest() -> None:
    ring: list[Any] = []
    ring.append(ring)

    def task(case: Any) -> Any:
        return ring, task, 10**5000, "\ud83d"

    assert digests_of(task) == digests_of(task)
    assert digests_of(len)["code"] != digests_of(abs)["code"]


def test_scorers_are_told_apart_by_what_they_do() -> None:
    one, other = made_of(count, [exact("brand")]), made_of(count, [exact("size")])
    assert one["the scorer brand.exact"] == made_of(count, [exact("brand")])["the scorer brand.exact"]
    assert "the scorer brand.exact" not in other
    assert remade_of(one, [exact("size")]) == other
    assert remade_of({}, [exact()]) == {}


CHILD = """
from aicourse.evals.identity import made_of
from aicourse.marketplace.evaluation import LISTING_SCORERS
def task(case):
    return {"a", "b", "c"}, frozenset("xyz")
print(made_of(task, LISTING_SCORERS))
"""


def test_another_process_has_the_same_digests() -> None:
    """With another order of sets, too."""
    told = [
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(CHILD)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert told[0].count("the scorer") == len(LISTING_SCORERS)
