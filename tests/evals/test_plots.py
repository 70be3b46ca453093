"""Means per slice, and the plots of them: labelled, with intervals where the numbers are."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest

from aicourse.errors import EvaluationError
from aicourse.evals import plots, runner, statistics
from aicourse.evals.cases import Case
from aicourse.evals.comparison import compare
from aicourse.evals.drawing import Mark, dot_and_whisker
from aicourse.evals.runs import Run
from aicourse.evals.scores import Context
from aicourse.evals.slices import score_by_slice
from aicourse.evals.statistics import Interval


@pytest.fixture(autouse=True)
def no_windows() -> Iterator[None]:
    plt.switch_backend("agg")
    yield
    plt.close("all")


def good(context: Context) -> bool:
    return bool(context.output)


def words(context: Context) -> int:
    return 3


def run_of(wrong: set[int], name: str) -> Run:
    """24 cases: a third tagged "short", one tagged "rare"; the given ones are wrong."""
    cases = [
        Case(id=str(n), input=n, tags=("short",) * (n % 3 == 0) + ("rare",) * (n == 5)) for n in range(24)
    ]
    return runner.run(lambda case: case.input not in wrong, cases, [good, words], name=name, progress=False)


BEFORE, AFTER = run_of({0, 1}, "v1"), run_of({0, 3, 6, 9, 12, 15, 18}, "v2")


def test_means_per_slice_with_all_cases_first_then_the_worst() -> None:
    means = score_by_slice(AFTER, "good")
    assert [(one.slice, one.cases) for one in means] == [("all cases", 24), ("short", 8), ("rare", 1)]
    short = means.means[1].mean
    assert short == statistics.proportion(1, 8)
    assert means.to_frame().loc["short", "low"] == short.low
    assert "0.125 (0.022 to 0.471)" in means._repr_html_()
    assert [one.slice for one in score_by_slice(AFTER, "good", smallest=5)] == ["all cases", "short"]


def test_a_case_whose_task_failed_counts_as_zero_in_its_slice() -> None:
    def task(case: Case) -> bool:
        raise ValueError("broken")

    run = runner.run(task, [Case(id="1", input=1, tags=("a",))], [good], retries=0, progress=False)
    with pytest.raises(EvaluationError, match="no number or assertion 'good'"):
        score_by_slice(run, "good")  # no case has a score, so nobody knows that it is a number


def test_one_value_of_an_unbounded_score_has_no_interval() -> None:
    means = {one.slice: one.mean for one in score_by_slice(AFTER, "words")}
    assert means["rare"].low != means["rare"].low
    assert "3.000</td>" in score_by_slice(AFTER, "words")._repr_html_()


def test_slices_are_drawn_where_their_means_are() -> None:
    axes = plots.plot_slices([BEFORE, AFTER], "good", title="v2 breaks the short ones")
    assert axes.get_title(loc="left") == "v2 breaks the short ones"
    assert "good" in axes.get_xlabel()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["all cases (24)", "short (8)"]
    lines = [container[0].get_xdata().tolist() for container in axes.containers]  # type: ignore[union-attr]
    assert lines == [[22 / 24, 7 / 8], [17 / 24, 1 / 8]]
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["v1", "v2"]


def test_changes_are_drawn_with_the_line_of_no_change() -> None:
    axes = plots.plot_changes(compare(BEFORE, AFTER, "good"))
    assert axes.get_title(loc="left") == "v2 against v1"
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["all cases (1 better, 6 worse)", "short (0 better, 6 worse)"]
    filled = [container[0].get_markerfacecolor() for container in axes.containers]  # type: ignore[union-attr]
    assert filled == ["none", plots.VERMILION]  # p = 0.125 and 0.031


def test_svg_escapes_names_and_stays_inside_its_axis() -> None:
    marks = [Mark("<b>", Interval(0.5, 0.2, 1.4), "x"), Mark("long " * 20, Interval(3, float("nan"), 0), "y")]
    svg = dot_and_whisker("a & b", "axis", marks, limits=(0.0, 1.0))
    assert "<b>" not in svg
    assert "<title>a &amp; b</title><desc>&lt;b&gt;: x; " in svg
    assert svg.count("class='whisker'") == 1
    assert "x2='630.0'" in svg  # the end of the axis, not of the interval
    assert "…" in svg
