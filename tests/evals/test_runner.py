"""The runner and its records: scoring, failures, resuming after any kind of end, counting, memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import openai
import pytest
from filelock import FileLock
from pydantic import BaseModel

from aicourse.errors import BudgetExceeded, EvaluationError, PromptError, RecordingMissing
from aicourse.evals import runner, runs
from aicourse.evals.cases import Case, EvaluationSet
from aicourse.evals.scorers import exact, set_match
from aicourse.evals.scores import Context, Value
from aicourse.llm import session
from aicourse.llm.calls import Call
from aicourse.llm.catalog import Provider
from aicourse.llm.stack import MeasuredClient, Stack
from aicourse.llm.transport import network

CASES = [
    Case(id=str(number), input=number, expected=number % 2 == 0, tags=("even",) * (number % 2 == 0))
    for number in range(6)
]


def is_even(case: Case) -> bool:
    return bool(case.input % 2 == 0)


def always(case: Case) -> bool:
    return True


def run(task: runner.Task, *arguments: Any, **options: Any) -> runs.Run:
    def no_sleep(seconds: float) -> None:
        pass

    return runner.run(task, *arguments, **({"progress": False, "sleep": no_sleep} | options))


# records and scores


@pytest.mark.parametrize("in_file", [False, True])
def test_each_case_has_one_record_with_its_scores(tmp_path: Path, in_file: bool) -> None:
    path = tmp_path / "runs" / "run.jsonl" if in_file else None
    result = run(always, CASES, [exact()], path=path)
    records = sorted(result.records(), key=lambda record: record.index)
    assert [(record.id, record.input, record.tags) for record in records] == [
        (case.id, case.input, case.tags) for case in CASES
    ]
    assert [record.scores[0].value for record in records] == [True, False] * 3
    assert records[1].scores[0].reason == "got True, expected False"
    assert result.values("exact") == {"0": 1.0, "1": 0.0, "2": 1.0, "3": 0.0, "4": 1.0, "5": 0.0}


def test_a_run_in_memory_is_in_the_order_of_the_cases_and_shows_no_time() -> None:
    last_first = [threading.Event() for _ in CASES]
    last_first[-1].set()

    def wait_for_the_next(case: Case) -> bool:
        assert last_first[case.input].wait(10)
        last_first[case.input - 1].set()
        return True

    result = run(wait_for_the_next, CASES, workers=len(CASES))
    assert [record.id for record in result.records()] == [case.id for case in CASES]
    assert repr(result) == str(result)
    assert str(result.info.started.year) not in repr(result)


def test_outputs_become_plain_data_but_scorers_see_them_as_they_are() -> None:
    class Reply(BaseModel):
        colours: set[str]

    seen: list[object] = []

    def look(context: Context) -> bool:
        seen.append(context.output)
        return True

    outputs: list[object] = [
        Reply(colours={"red"}),
        np.array([1, 2]),
        np.int64(3),
        object,
        b"\xff",
        float("nan"),
    ]
    result = run(lambda case: outputs[case.input], CASES, [look], workers=1)
    assert seen[0] is outputs[0]
    assert [record.output for record in result.records()][:5] == [
        {"colours": ["red"]}, [1, 2], 3, "<class 'object'>", "b'\\xff'",
    ]  # fmt: skip


def test_a_scorer_that_raises_leaves_cases_and_scores_alone() -> None:
    def broken(context: Context) -> bool:
        return bool(1 / context.input)

    result = run(is_even, CASES, [broken, exact()])
    failing, fine = result.summary.scores
    assert (failing.name, failing.errors, failing.cases) == ("broken", 1, 5)
    assert (fine.name, fine.errors, fine.cases) == ("exact", 0, 6)
    assert "scorer failed 1 times" in str(result)


def test_a_task_that_raises_is_a_record_that_counts_as_zero() -> None:
    def picky(case: Case) -> bool:
        if case.input == 4:
            raise ValueError("no four, please")
        return is_even(case)

    result = run(picky, CASES, [exact()])
    (failed,) = [record for record in result.records() if record.error]
    assert (failed.id, failed.error, failed.output, failed.scores) == (
        "4",
        "ValueError: no four, please",
        None,
        (),
    )
    assert result.summary.failed == 1
    (score,) = result.summary.scores
    assert score.mean is not None
    assert (score.cases, score.mean.estimate) == (6, pytest.approx(5 / 6))
    assert result.values("exact")["4"] == 0.0


def test_numbers_and_labels_are_summarised() -> None:
    def tone(context: Context) -> dict[str, Value]:
        return {"words": context.input, "tone": "warm" if context.input else "cold"}

    words, tones = run(is_even, CASES, [tone]).summary.scores
    assert words.mean is not None
    assert words.mean.estimate == 2.5
    assert words.mean.low < 2.5 < words.mean.high
    assert (tones.kind, tones.labels, tones.text) == ("label", {"warm": 5, "cold": 1}, "warm: 5, cold: 1")


def test_repeats_are_averaged_case_by_case() -> None:
    asked: Counter[str] = Counter()
    lock = threading.Lock()

    def sometimes(case: Case) -> bool:
        with lock:
            asked[case.id] += 1
            return asked[case.id] > 1

    result = run(sometimes, CASES[:2], [lambda context: context.output], repeats=4)
    assert result.summary.records == 8
    assert result.values("<lambda>") == {"0": 0.75, "1": 0.75}
    (score,) = result.summary.scores
    assert score.mean is not None
    assert (score.cases, score.mean.estimate) == (2, 0.75)


def test_an_unknown_score_is_answered_with_those_there_are() -> None:
    result = run(is_even, CASES, [lambda context: {"precision": 1, "recall": 0, "tone": "x"}])
    for name in ("f1", "tone"):
        with pytest.raises(
            EvaluationError, match=f"no number or assertion '{name}'. It has: precision, recall."
        ):
            result.values(name)


def test_rescoring_asks_nothing_again() -> None:
    first = run(is_even, CASES, [exact()])
    again = runner.rescore(first, [lambda context: {"same": context.output == context.expected}])
    assert again.values("same") == first.values("exact")
    assert again.info.scorers == ("<lambda>",)


def test_a_run_shows_itself() -> None:
    result = run(is_even, CASES, [exact()], name="<v2>")
    assert "Run &lt;v2&gt;" in result._repr_html_()
    assert "exact" in result._repr_html_()
    assert str(result).startswith(
        "run <v2>\nexact           1.000 (0.610 to 1.000)  6 cases\nrecords         6  none failed\n"
    )
    frame = result.to_frame()
    assert frame["id"].tolist() == [case.id for case in CASES]
    assert frame["exact"].all()


# failures


def test_it_tries_again_and_waits_longer_each_time() -> None:
    pauses: list[float] = []

    def busy(case: Case) -> bool:
        if len(pauses) < 2:
            raise OSError("busy")
        return True

    (record,) = run(busy, CASES[:1], retries=3, sleep=pauses.append).records()
    assert (record.error, record.attempts, pauses) == (None, 3, [0.5, 1.0])


@pytest.mark.parametrize("error", [TypeError("x"), PromptError("no such parameter")])
def test_it_does_not_try_again_what_cannot_help(error: Exception) -> None:
    def broken(case: Case) -> None:
        raise error

    result = run(broken, CASES, retries=5)
    assert {record.attempts for record in result.records()} == {1}
    assert result.summary.failed == 6


@pytest.mark.parametrize("error", [BudgetExceeded("Nothing left."), RecordingMissing("not recorded")])
def test_what_every_case_would_meet_stops_the_run_and_keeps_what_is_done(
    error: Exception, tmp_path: Path
) -> None:
    def spend(at: Case | Context) -> bool:
        if at.input == 3:
            raise error
        return True

    with pytest.raises(type(error)):
        run(spend, CASES, path=tmp_path / "task.jsonl", workers=1)
    with pytest.raises(type(error)):  # a scorer that asks a model, too
        run(is_even, CASES, [spend], path=tmp_path / "scorer.jsonl", workers=1)
    for name in ("task", "scorer"):
        kept = runs.load_run(tmp_path / f"{name}.jsonl").records()
        assert [record.id for record in kept] == ["0", "1", "2"]


def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    def interrupted(case: Case) -> bool:
        if case.input == 3:
            raise KeyboardInterrupt
        return True

    with pytest.raises(KeyboardInterrupt):
        run(interrupted, CASES, path=tmp_path / "run.jsonl", workers=1)
    assert runs.load_run(tmp_path / "run.jsonl").summary.records == 3


def test_mistakes_in_a_set_are_found_before_the_first_call(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text('{"id": "1", "input": 1}\n{"id": "1", "input": 2}\n')
    asked: list[str] = []
    with pytest.raises(EvaluationError, match=r"set.jsonl, line 2: the id '1' occurs twice"):
        run(lambda case: asked.append(case.id), EvaluationSet(file))
    assert asked == []
    with pytest.raises(EvaluationError, match="the id '0' occurs twice"):
        run(is_even, [CASES[0], CASES[0]])
    with pytest.raises(EvaluationError, match="the set holds no case"):
        run(is_even, iter([]))


# resuming

CHILD = """
import os, signal, sys
from aicourse.evals import runner
from aicourse.evals.cases import Case, EvaluationSet

def task(case):
    with open(sys.argv[2], "a") as asked:
        asked.write(case.id + "\\n")
    if case.input == 40 and "KILL" in os.environ:  # kill -9 while the 41st case is under way
        os.kill(os.getpid(), signal.SIGKILL) if hasattr(signal, "SIGKILL") else os._exit(9)
    return case.input

cases = [Case(id=str(number), input=number) for number in range(60)]
runner.run(task, cases, path=sys.argv[1], workers=3, progress=False)
"""


def test_a_killed_run_goes_on_without_repeating_a_finished_case(tmp_path: Path) -> None:
    path, asked = tmp_path / "run.jsonl", tmp_path / "asked.txt"
    command = [sys.executable, "-c", textwrap.dedent(CHILD), path, asked]
    killed = subprocess.run(command, env=os.environ | {"KILL": "1"}, capture_output=True)
    assert killed.returncode != 0
    unfinished = runs.load_run(path)
    before = {record.id for record in unfinished.records()}
    assert 38 <= len(before) < 60  # all but those under way
    assert unfinished.remark == f"unfinished, {len(before)} of 60 records: the same command goes on"
    with open(path, "ab") as file:
        file.write('{"id": "é'.encode()[:-1])  # and half a line that ends within a letter
    subprocess.run(command, check=True)
    result = runs.load_run(path)
    assert result.remark == ""
    assert Counter(record.id for record in result.records()) == Counter(map(str, range(60)))
    times = Counter(asked.read_text().split())
    assert {times[id] for id in before} == {1}
    assert sum(times.values()) <= 60 + 3


def test_resuming_tries_failed_cases_again_and_only_those(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    asked: Counter[str] = Counter()  # no plain data, of which a change would make it another task

    def flaky(case: Case) -> bool:
        asked[case.id] += 1
        if case.input == 2 and asked["2"] == 1:
            raise ConnectionError("gone")
        return True

    assert run(flaky, CASES, path=path, retries=0).summary.failed == 1
    assert run(flaky, CASES, path=path, retries=0).summary.failed == 0
    assert asked == Counter({case.id: 1 + (case.id == "2") for case in CASES})
    before = path.read_bytes()
    run(flaky, CASES, path=path)
    assert path.read_bytes() == before


def test_a_larger_set_continues_a_smaller_one(tmp_path: Path) -> None:
    run(is_even, CASES[:2], [exact()], path=tmp_path / "run.jsonl")
    assert run(is_even, CASES, [exact()], path=tmp_path / "run.jsonl").summary.records == 6


@pytest.mark.parametrize(
    "change", [{"name": "other"}, {"repeats": 2}, {"facts": {"prompt": "v3"}}, {"scorers": [set_match()]}]
)
def test_another_run_is_not_mixed_in(tmp_path: Path, change: dict[str, Any]) -> None:
    options = {"path": tmp_path / "run.jsonl", "facts": {"prompt": "v2"}, "scorers": [exact()]}
    run(is_even, CASES, **options)
    with pytest.raises(EvaluationError, match="holds another run"):
        run(is_even, CASES, **(options | change))


def test_a_changed_case_is_not_mixed_in(tmp_path: Path) -> None:
    run(is_even, CASES, path=tmp_path / "run.jsonl")
    changed = [CASES[0].model_copy(update={"input": 9}), *CASES[1:]]
    with pytest.raises(EvaluationError, match=r"of its cases, 1 is changed since \(0\)"):
        run(is_even, changed, path=tmp_path / "run.jsonl")


def test_two_processes_do_not_write_one_run(tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / ".run.jsonl.lock"),
        pytest.raises(EvaluationError, match="Another process is writing"),
    ):
        run(is_even, CASES, path=tmp_path / "run.jsonl")


def test_files_that_are_no_runs(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="No run"):
        runs.load_run(tmp_path / "none.jsonl")
    path = tmp_path / "run.jsonl"
    for text in ("", "{}\n", "id,score\n"):
        path.write_text(text)
        with pytest.raises(EvaluationError, match="is not a run"):
            runs.load_run(path)
    run(is_even, CASES, path=path.with_name("good.jsonl"))
    with open(path.with_name("good.jsonl"), "a", encoding="utf-8") as file:
        file.write("nonsense\n")
    with pytest.raises(EvaluationError, match=r"good.jsonl, line 8: not a record of a run"):
        list(runs.load_run(path.with_name("good.jsonl")).records())


# what it took


def call(**changes: Any) -> Call:
    made = Call(
        "p", "m", "recorded", "chat/completions", 200, 100, 20, Decimal("0.001"), 0.5, None, datetime.now(UTC)
    )
    return replace(made, **changes)


def test_calls_are_counted_towards_their_case() -> None:
    def task(case: Case) -> None:
        for _ in range(case.input):
            session.current().report(call())

    listeners = list(session.current().listeners)
    result = run(task, CASES, workers=4)
    records = sorted(result.records(), key=lambda record: record.index)
    assert [record.calls for record in records] == [0, 1, 2, 3, 4, 5]
    assert [record.prompt_tokens for record in records] == [0, 100, 200, 300, 400, 500]
    assert records[5].cost == Decimal("0.005")
    assert [record.seconds for record in records[1:]] == [0.5, 1.0, 1.5, 2.0, 2.5]
    assert result.summary.cost == Decimal("0.015")
    assert result.summary.completion_tokens == 300
    assert session.current().listeners == listeners


def test_the_calls_of_a_real_client_are_counted() -> None:
    """As `test_client` does: the course's transports with a handler in place of the network."""

    def handler(request: httpx2.Request) -> httpx2.Response:
        text = json.loads(request.content)["messages"][0]["content"]
        usage = {"prompt_tokens": len(text), "completion_tokens": 2, "total_tokens": len(text) + 2}
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}
        reply = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
        return httpx2.Response(200, json=reply | {"choices": [choice], "usage": usage})

    provider = Provider(name="local", base_url="http://local.invalid/v1", key_required=False)
    stack = Stack(network, provider, openai)
    http_client = MeasuredClient(stack, httpx2.MockTransport(handler))
    client = openai.OpenAI(base_url=provider.base_url, api_key="none", http_client=http_client)

    def task(case: Case) -> str | None:
        message: Any = {"role": "user", "content": "x" * (case.input + 1)}
        return client.chat.completions.create(model="m", messages=[message]).choices[0].message.content

    records = sorted(run(task, CASES, workers=4).records(), key=lambda record: record.index)
    assert [(record.calls, record.prompt_tokens) for record in records] == [(1, n + 1) for n in range(6)]
    assert [record.completion_tokens for record in records] == [2] * 6
    assert all(record.output == "ok" and record.seconds > 0 for record in records)


def test_an_unknown_price_is_not_a_price_of_nothing() -> None:
    def task(case: Case) -> None:
        session.current().report(call(cost=None))

    result = run(task, CASES)
    assert result.summary.cost is None
    assert "price unknown" in str(result)


def test_the_progress_bar_waits_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []

    class Bar:
        def __init__(self, **options: Any) -> None:
            made.append(options | {"seen": 0})

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def update(self, number: int = 1) -> None:
            made[-1]["seen"] += number

    monkeypatch.setattr(runner, "tqdm", Bar)
    run(is_even, CASES, repeats=2, progress=True)
    assert (made[0]["delay"], made[0]["total"], made[0]["seen"], made[0]["disable"]) == (2, 12, 12, None)


# size


def test_memory_is_flat(tmp_path: Path) -> None:
    """Ten times the cases, 2 KB each: what grows is the ids, not the cases or their records."""

    def many(count: int) -> Iterator[Case]:
        return (Case(id=f"case-{number}", input=f"{number} " + "x" * 2_000) for number in range(count))

    def peak(count: int) -> int:
        tracemalloc.start()
        result = run(
            lambda case: case.input, many(count), [exact()], path=tmp_path / f"{count}.jsonl", workers=2
        )
        assert result.summary.records == count
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    small, large = peak(200), peak(2_000)
    assert (large - small) / 1_800 < 400


def test_a_record_is_one_line_of_json(tmp_path: Path) -> None:
    run(lambda case: "two\nlines", CASES[:1], path=tmp_path / "run.jsonl", facts={"prompt": "v2"})
    first, second = map(json.loads, (tmp_path / "run.jsonl").read_text("utf-8").splitlines())
    assert first["run"]["facts"] == {"prompt": "v2"}
    assert (second["id"], second["output"], second["attempts"]) == ("0", "two\nlines", 1)
