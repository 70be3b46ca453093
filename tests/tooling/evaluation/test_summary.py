"""Two runs compared in a terminal: short, and with what matters first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aicourse.errors import EvaluationError
from aicourse.evals import runner
from aicourse.evals.cases import Case
from aicourse.evals.comparison import compare
from aicourse.evals.runs import Run
from aicourse.evals.scorers import exact
from aicourse.evals.statistics import Interval
from aicourse.tooling.evaluation.summary import of_runs, verdict

CASES = [Case(id=f"L{n:02}", input=n, tags=("all", f"tag {n % 30}")) for n in range(90)]


def run_of(name: str, wrong: set[int], words: dict[int, int] | None = None) -> Run:
    def scores(context: Any) -> dict[str, Any]:
        right = context.input not in wrong
        return {"brand": right, "size": 1.0 if right else 0.5, "words": (words or {}).get(context.input, 10)}

    return runner.run(lambda case: 1, CASES, [scores], name=name, progress=False)


BEFORE = run_of("v4", set(range(10)))


def test_a_table_of_scores_then_what_changed_most() -> None:
    after = run_of("v5", set(range(5, 40)), {70: 400, 71: 9})
    lines = of_runs(BEFORE, after, ["brand", "size", "words"], listed=3).splitlines()
    assert lines[0] == "v5 against v4: 90 cases"
    assert lines[1].split() == ["score", "before", "after", "change", "better", "worse", "verdict"]
    overall = compare(BEFORE, after, "brand").overall
    assert lines[2].split()[:3] == ["brand", "0.889", "0.611"]
    assert str(overall.effect) in lines[2]
    assert lines[2].split()[-3:] == ["5", "30", "worse"]
    assert lines[4].endswith("cannot tell")
    assert lines[6].split() == ["changed", "most", "case", "of", "37", "that", "changed"]
    assert [line.split()[:2] for line in lines[7:]] == [
        ["worse", "L10"],
        ["worse", "L11"],
        ["worse", "L12"],
        ["better", "L04"],
        ["better", "L03"],
        ["better", "L02"],
    ]
    assert lines[7].endswith("brand -1.00, size -0.50")


def test_slices_come_on_request_and_then_only_below() -> None:
    after = run_of("v5", set(range(20, 40)))
    short = of_runs(BEFORE, after, ["brand", "size"])
    assert "tag" not in short
    assert len(short.splitlines()) <= 4 + 2 + 2 * 5
    long = of_runs(BEFORE, after, ["brand", "size"], slices=True, smallest=3)
    assert long.startswith(short)
    assert long.count("tag 7 ") == 2
    assert "brand by slice; too few cases in: tag 0, tag 1" in of_runs(BEFORE, after, ["brand"], slices=True)


def test_runs_that_are_the_same_or_unlike() -> None:
    same = of_runs(BEFORE, BEFORE, ["brand"]).splitlines()
    assert len(same) == 3
    assert same[2].endswith("0       0      the same")
    fewer = runner.rescore(Run(BEFORE.info, memory=BEFORE.memory[:50]), [lambda context: True])
    with pytest.raises(EvaluationError, match="no number or assertion 'brand'"):
        of_runs(BEFORE, fewer, ["brand"])
    part = Run(BEFORE.info, memory=BEFORE.memory[:50])
    assert of_runs(BEFORE, part, ["brand"]).startswith("v4 against v4: 50 cases; 40 in only one run left out")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.01, 0.2, "better"), (-0.2, -0.01, "worse"), (-0.1, 0.1, "cannot tell"), (0.0, 0.1, "cannot tell")],
)
def test_the_verdict_is_the_interval(low: float, high: float, expected: str) -> None:
    change = replace(compare(BEFORE, run_of("v5", {11}), "brand").overall, effect=Interval(0.0, low, high))
    assert verdict(change) == expected


def _answer(output: Any) -> Any:
    return lambda case: output


def test_text_of_strangers_cannot_move_the_cursor() -> None:
    cases = [Case(id=f"{n}\x1b[2J\ud83d", input=n) for n in range(5)]
    runs = [
        runner.run(_answer(right), cases, [exact()], name="\x1b[1m", progress=False)
        for right in (None, False)
    ]
    text = of_runs(*runs, ["exact"])
    assert text.encode()
    assert "\x1b" not in text
