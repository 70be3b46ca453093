"""Outputs, texts and numbers from strangers: kept as they are, scored, and shown without harm."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from aicourse.evals import comparison, error_analysis, plots, report, runner, runs
from aicourse.evals.cases import Case
from aicourse.evals.scorers import close_to, exact, set_match, valid_json
from aicourse.evals.scores import Context, Score

HALF = "a\ud83d"  # the first half of an emoji, as a model that is cut off writes it
OUTPUTS: dict[str, Any] = {
    "half": HALF,
    "half key": {HALF: [HALF]},
    "nul": "a\0b\x1b[2J",
    "bytes": b"\xff\0",
    "nan": {"price": float("nan")},
    "huge": 10**5000,
    "deep": "[" * 100_000,
    "odd " + HALF: None,
}
CASES = [
    Case(id=id, input=HALF, expected={"price": HALF}, tags=(HALF, "\u202eall"), provenance=HALF)
    for id in OUTPUTS
]


class Unspeakable(Exception):
    """An exception whose text fails."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("in_file", [False, True])
def test_whatever_comes_out_is_kept_and_scored(tmp_path: Path, in_file: bool) -> None:
    path = tmp_path / "run.jsonl" if in_file else None
    result = runner.run(
        lambda case: OUTPUTS[case.id], CASES, [exact(), exact("price")], name=HALF, path=path, progress=False
    )
    records = {record.id: record for record in result.records()}
    assert records["half"].output == HALF
    assert records["half key"].output == {HALF: [HALF]}
    assert records["nul"].output == "a\0b\x1b[2J"
    assert records["bytes"].output == "b'\\xff\\x00'"
    assert records["nan"].output == {"price": "nan"}
    assert records["huge"].output == hex(10**5000)
    assert records["deep"].output == OUTPUTS["deep"]
    assert {record.input for record in records.values()} == {HALF}
    assert result.summary.failed == 0
    assert [(score.name, score.cases, score.errors) for score in result.summary.scores] == [
        ("exact", len(CASES), 0),
        ("price.exact", len(CASES), 0),
    ]
    again = runner.run(
        lambda case: OUTPUTS[case.id], CASES, [exact(), exact("price")], name=HALF, path=path, progress=False
    )
    assert again.values("exact") == result.values("exact")


def test_it_is_shown_without_harm(tmp_path: Path) -> None:
    def run(name: str, right: bool) -> runs.Run:
        return runner.run(
            lambda case: OUTPUTS[case.id],
            CASES,
            [lambda context: {HALF: right and context.id != "nul", "tone": HALF}],
            name=name,
            progress=False,
        )

    before, after = run("before" + HALF, True), run("after" + HALF, False)
    compared = comparison.compare(before, after, HALF)
    html = report.write_report(after, tmp_path / "report.html", before=before).read_bytes().decode("utf-8")
    shown = [html, str(after), after._repr_html_(), compared.to_markdown(), compared._repr_html_()]
    for text in shown:
        assert text.encode("utf-8")
        assert not set(text) & set("\0\x1b\u202e")
    written = io.BytesIO()
    after.to_frame().to_csv(written)
    assert b"a\\ud83d" in written.getvalue()
    plots.plot_slices([before, after], HALF, smallest=1)
    plots.plot_changes(compared)
    plt.gcf().savefig(tmp_path / "plot.png")
    notes = error_analysis.NoteBook(tmp_path / "notes.jsonl")
    notes.note("odd " + HALF, [HALF], HALF)
    assert notes.codes() == {HALF: 1}


def test_exceptions_and_exits_of_strangers_are_failed_records(tmp_path: Path) -> None:
    def task(case: Case) -> None:
        raise {0: ValueError(HALF), 1: Unspeakable(), 2: SystemExit(3), 3: RecursionError("deep")}[case.input]

    cases = [Case(id=str(number), input=number) for number in range(4)]
    result = runner.run(task, cases, path=tmp_path / "run.jsonl", retries=0, progress=False)
    assert {record.id: record.error for record in result.records()} == {
        "0": f"ValueError: {HALF}",
        "1": "Unspeakable, whose text cannot be shown",
        "2": "SystemExit: 3",
        "3": "RecursionError: deep",
    }


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), "a number that is not finite"),
        (float("-inf"), "a number that is not finite"),
        (np.float32("inf"), "a number that is not finite"),
        (10**400, "a number that is not finite"),
        (Score("", float("nan")), "a number that is not finite"),
        (Score("", [1]), "returned list"),  # type: ignore[arg-type]
        (Score("", None), "returned NoneType"),
        ({1: True}, "scorer 1 returned"),
    ],
    ids=["nan", "-inf", "float32", "huge", "in a Score", "list", "nothing", "key"],
)
def test_a_score_that_is_no_number_is_a_failed_score_in_memory_as_in_a_file(
    tmp_path: Path, value: Any, told: str
) -> None:
    cases = [Case(id="1", input=1), Case(id="2", input=2)]

    def score(context: Context) -> Any:
        return value if context.id == "1" else 0.5

    results = [
        runner.run(lambda case: 1, cases, [score], path=path, progress=False)
        for path in (None, tmp_path / "run.jsonl")
    ]
    for result in results:
        (summary,) = result.summary.scores
        assert (summary.errors, summary.cases) == (1, 1)
        assert summary.mean is not None
        assert summary.mean.estimate == 0.5
        assert result.values("score") == {"2": 0.5}
        (failed,) = next(record.scores for record in result.records() if record.id == "1")
        assert told in str(failed.error)


def test_a_score_that_somebody_wrote_into_a_file_counts_the_same(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    cases = [Case(id="1", input=1), Case(id="2", input=2)]
    runner.run(lambda case: 1, cases, [lambda context: 0.25], path=path, progress=False)
    text = path.read_text("utf-8")
    for number in ("1e400", "NaN", "9" * 400):
        path.write_text(text.replace("0.25", number, 1), encoding="utf-8")
        (summary,) = runs.load_run(path).summary.scores
        assert (summary.errors, summary.cases) == (1, 1)


@pytest.mark.parametrize("reply", ["[" * 100_000, '{"colours": ' * 2_000, "9" * 5_000])
def test_a_reply_that_no_reader_takes_is_wrong_and_not_a_failed_scorer(reply: str) -> None:
    context = Context(output=reply, expected={"colours": ["red"], "price": 1})
    for scorer, name in ((exact("colours"), "colours.exact"), (set_match("colours"), "colours.f1")):
        scored = scorer(context)
        assert scored[name].value in (False, 0.0)  # type: ignore[index, union-attr]
    assert valid_json()(context).value is False  # type: ignore[union-attr]


def test_numbers_and_lists_where_a_word_was_asked_for_are_wrong() -> None:
    scores = set_match()(Context(output=[{"a": 1}, ["red"]], expected=["red"]))
    assert scores["f1"].value == 0.0  # type: ignore[index, union-attr]
    for price in (10**400, "1e999", float("nan"), [1]):
        assert close_to()(Context(output=price, expected=5)).value is False  # type: ignore[union-attr]
