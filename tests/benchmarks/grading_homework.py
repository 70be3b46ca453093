"""A homework for benchmarks: eight functions and submissions of known score, as each tool wants them.

An exercise is right (both points), partly right (only the public test passes), wrong, or blank.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

IMPORTS = "import json, re\nimport numpy as np\nimport pandas as pd\nfrom pydantic import BaseModel"
KINDS = ("right", "right", "right", "partly", "wrong", "blank")


@dataclass(frozen=True)
class Exercise:
    """One function; each test is (arguments, expected value)."""

    name: str
    right: str
    partly: str
    public: tuple[tuple[Any, ...], Any]
    hidden: tuple[tuple[Any, ...], Any]

    def code(self, kind: str) -> str:
        """What a student wrote."""
        bodies = {
            "right": self.right,
            "partly": self.partly,
            "wrong": "return 'wrong'",
            "blank": "raise NotImplementedError()",
        }
        return f"def {self.name}(*args):\n    {bodies[kind]}"

    def test(self, case: tuple[tuple[Any, ...], Any]) -> str:
        """The test as code, for tools that run it beside the student's."""
        return f"assert {self.name}(*{case[0]!r}) == {case[1]!r}"


EXERCISES = (
    Exercise("total", "return sum(args[0])", "return sum(args[0][:2])", (([1, 2],), 3), (([1, 2, 3],), 6)),
    Exercise(
        "words",
        "return args[0].split()",
        "return args[0].split(' ')",
        (("a b",), ["a", "b"]),
        (("a  b",), ["a", "b"]),
    ),
    Exercise(
        "top",
        "return [int(i) for i in np.argsort(-np.asarray(args[0]), kind='stable')[:args[1]]]",
        "return [int(i) for i in np.argsort(np.asarray(args[0]))[::-1][:args[1]]]",
        (([1, 9, 5], 2), [1, 2]),
        (([3, 3, 2], 2), [0, 1]),
    ),
    Exercise(
        "group_mean",
        "return pd.DataFrame(args[0]).groupby('g')['x'].mean().to_dict()",
        "return pd.DataFrame(args[0]).query('g < \"c\"').groupby('g')['x'].mean().to_dict()",
        (({"g": ["a", "a", "b"], "x": [1, 3, 5]},), {"a": 2.0, "b": 5.0}),
        (({"g": ["a", "c"], "x": [1, 3]},), {"a": 1.0, "c": 3.0}),
    ),
    Exercise(
        "parsed",
        "m = re.search(r'\\{.*\\}', args[0], re.S); return json.loads(m.group()) if m else None",
        "return json.loads(re.search(r'\\{.*\\}', args[0], re.S).group())",
        (('x {"a": 1}',), {"a": 1}),
        (("nothing",), None),
    ),
    Exercise(
        "valid",
        "return type('M', (BaseModel,), {'__annotations__': {'n': int}})(n=args[0]).n",
        "return args[0]",
        ((4,), 4),
        (("5",), 5),
    ),
    Exercise(
        "rounded",
        "return [round(x, 1) for x in args[0]]",
        "return args[0]",
        (([0.5],), [0.5]),
        (([0.25, 0.66],), [0.2, 0.7]),
    ),
    Exercise(
        "same",
        "return sorted(args[0]) == sorted(args[1])",
        "return args[0] == args[1]",
        (([1, 2], [1, 2]), True),
        (([1, 2], [2, 1]), True),
    ),
)


def submissions(count: int = 20) -> dict[str, tuple[str, ...]]:
    """Students and how each has answered; the same in every run."""
    drawn = random.Random(7)
    return {f"s{n:04d}": tuple(drawn.choice(KINDS) for _ in EXERCISES) for n in range(count)}


def expected(kinds: tuple[str, ...]) -> int:
    """Points: one for the public test, one for the hidden one."""
    return sum({"right": 2, "partly": 1}.get(kind, 0) for kind in kinds)


def cells(kinds: tuple[str, ...]) -> list[str]:
    """The submission's code cells."""
    return [IMPORTS, *(exercise.code(kind) for exercise, kind in zip(EXERCISES, kinds, strict=True))]


def script(kinds: tuple[str, ...]) -> str:
    """Cells and tests as one program that leaves the points in `score`."""
    tests = [exercise.test(case) for exercise in EXERCISES for case in (exercise.public, exercise.hidden)]
    lines = ["\n".join(cells(kinds)), "score = 0"]
    lines += [f"try:\n    {test}\n    score += 1\nexcept Exception: pass" for test in tests]
    return "\n".join(lines)
