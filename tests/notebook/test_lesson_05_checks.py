"""Lesson 05: right answers in foreign styles pass, wrong ones get the sentence that fits."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aicourse.datasets import ATTRIBUTES
from aicourse.evals import Case
from aicourse.notebook.exercises import checks_path, examine, load_checks

EXERCISES = {exercise.id: exercise for exercise in load_checks(checks_path("05"))}
Task = Callable[[Case], Any]
Score = Callable[[Any, Any], float]


def assert_solved(exercise_id: str, answer: Any) -> None:
    result = examine(EXERCISES[exercise_id], answer)
    assert result, repr(result)


def hints(exercise_id: str, answer: Any) -> str:
    """What the check says about a wrong answer."""
    result = examine(EXERCISES[exercise_id], answer)
    assert not result
    return " ".join(result.hints)


# 05.1 a loop that goes on


def record_of(case: Case, task: Task, score: Score) -> dict[str, Any]:
    output = task(case)
    return {"score": score(output, case.expected), "id": case.id, "output": output}


def rewritten_each_time(cases: list[Case], task: Task, score: Score, path: Path) -> list[dict[str, Any]]:
    """The whole file is written anew after each case."""
    records: dict[str, dict[str, Any]] = {}
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                try:
                    record = json.loads(line)
                except json.JSONDecodeError:
                    continue
                records[record["id"]] = record
    except FileNotFoundError:
        pass
    for case in cases:
        if case.id not in records:
            records[case.id] = record_of(case, task, score)
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(json.dumps(record) + "\n" for record in records.values())
    return list(records.values())


def opened_for_each_line(cases: list[Case], task: Task, score: Score, path: Path) -> None:
    lines = [] if not os.path.exists(path) else open(path, encoding="utf-8").readlines()  # noqa: SIM115
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(lines))
    finished = [json.loads(line).get("id") for line in lines]
    for case in cases:
        if case.id in finished:
            continue
        record = record_of(case, task, score)
        with open(path, "a", encoding="utf-8") as file:
            print(json.dumps(record, ensure_ascii=False, sort_keys=True), file=file)


def unbuffered_bytes(cases: list[Case], task: Task, score: Score, path: Path) -> int:
    with open(path, "ab+", buffering=0) as file:
        file.seek(0)
        content = file.read()
        end = content.rfind(b"\n") + 1
        file.truncate(end)
        known = set()
        for line in content[:end].split(b"\n"):
            if line.strip():
                known |= {json.loads(line)["id"]}
        count = 0
        for case in filter(lambda case: case.id not in known, cases):
            file.write(json.dumps(record_of(case, task, score)).encode() + b"\n")
            count += 1
    return count


def line_buffered(cases: list[Case], task: Task, score: Score, path: Path) -> None:
    done = set()
    if Path(path).is_file():
        kept = [line for line in Path(path).read_text("utf-8").splitlines() if line.endswith("}")]
        Path(path).write_text("".join(f"{line}\n" for line in kept), "utf-8")
        done = {json.loads(line)["id"] for line in kept}
    with open(path, "a", buffering=1, encoding="utf-8") as file:
        todo = [case for case in cases if not done & {case.id}]
        while todo:
            file.write(json.dumps(record_of(todo.pop(0), task, score)) + "\n")


def recursive(cases: list[Case], task: Task, score: Score, path: Path) -> None:
    path = Path(path)
    path.touch()
    whole = [line for line in path.read_text("utf-8").split("\n")[:-1] if line]
    path.write_text("".join(line + "\n" for line in whole), "utf-8")
    rest = [case for case in cases if f'"{case.id}"' not in {json.dumps(json.loads(x)["id"]) for x in whole}]
    if rest:
        record = record_of(rest[0], task, score)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        recursive(rest[1:], task, score, path)


@pytest.mark.parametrize(
    "answer", [rewritten_each_time, opened_for_each_line, unbuffered_bytes, line_buffered, recursive]
)
def test_any_loop_that_goes_on_is_right(answer: Any) -> None:
    assert_solved("05.1", answer)


def opened_with_w(cases: list[Case], task: Task, score: Score, path: Path) -> None:
    file = open(path, "w", encoding="utf-8")  # noqa: SIM115
    for case in cases:
        record = record_of(case, task, score)
        print(json.dumps(record), file=file, flush=True)
    file.close()


def appended_again(cases: list[Case], task: Task, score: Score, path: Path) -> None:
    for case in cases:
        record = record_of(case, task, score)
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def from_the_line_count(cases: list[Case], task: Task, score: Score, path: Path) -> None:
    lines = Path(path).read_text("utf-8").splitlines(keepends=True) if Path(path).exists() else []
    lines = [line for line in lines if line.endswith("\n")]
    Path(path).write_text("".join(lines), "utf-8")
    for number, case in enumerate(cases):
        if number >= len(lines):
            record = record_of(case, task, score)
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")


def every_line_is_whole(cases: list[Case], task: Task, score: Score, path: Path) -> None:
    done = []
    if Path(path).exists():
        for line in Path(path).read_text("utf-8").split("\n"):
            if line:
                done.append(json.loads(line)["id"])
    for case in cases:
        if case.id not in done:
            record = record_of(case, task, score)
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")


def all_at_the_end(cases: list[Case], task: Task, score: Score, path: Path) -> None:
    text = Path(path).read_text("utf-8") if Path(path).exists() else ""
    text = text[: text.rfind("\n") + 1]
    done = [json.loads(line)["id"] for line in text.splitlines()]
    for case in cases:
        if case.id not in done:
            text += json.dumps(record_of(case, task, score)) + "\n"
    Path(path).write_text(text, "utf-8")


def judged_by_json(cases: list[Case], task: Task, score: Score, path: Path) -> None:
    """A last line without its end stays if it is JSON."""
    *whole, last = Path(path).read_text("utf-8").split("\n") if Path(path).exists() else [""]
    try:
        json.loads(last)
        text = "\n".join([*whole, last])
    except ValueError:
        text = "".join(f"{line}\n" for line in whole)
    Path(path).write_text(text, "utf-8")
    appended_to(text, cases, task, score, path)


def with_the_rest_of_a_split(cases: list[Case], task: Task, score: Score, path: Path) -> None:
    text = Path(path).read_text("utf-8") if Path(path).exists() else ""
    if text:
        text = text.rsplit("\n", 1)[0] + "\n"
        Path(path).write_text(text, "utf-8")
    appended_to(text, cases, task, score, path)


def with_ids_in_the_text(cases: list[Case], task: Task, score: Score, path: Path) -> None:
    text = Path(path).read_text("utf-8") if Path(path).exists() else ""
    text = text[: text.rfind("\n") + 1]
    Path(path).write_text(text, "utf-8")
    appended_to("", [case for case in cases if case.id not in text], task, score, path)


def with_a_line_for_an_error(cases: list[Case], task: Task, score: Score, path: Path) -> None:
    def answered(case: Case) -> Any:
        try:
            return task(case)
        except Exception as error:
            return str(error)

    opened_for_each_line(cases, answered, score, path)


def appended_to(text: str, cases: list[Case], task: Task, score: Score, path: Path) -> None:
    done = {json.loads(line)["id"] for line in text.splitlines()}
    appended_again([case for case in cases if case.id not in done], task, score, path)


def without_a_case_that_failed(cases: list[Case], task: Task, score: Score, path: Path) -> None:
    for case in cases:
        with contextlib.suppress(ConnectionError):
            opened_for_each_line([case], task, score, path)


def test_a_loop_that_goes_on_behind_a_failed_call_is_right() -> None:
    assert_solved("05.1", without_a_case_that_failed)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (judged_by_json, "written behind it, into the same line"),
        (with_the_rest_of_a_split, "Half a line may be all that there is"),
        (with_ids_in_the_text, "anywhere in the text"),
        (with_a_line_for_an_error, "so its case counts as done"),
        (opened_with_w, "empties the file"),
        (appended_again, "append without reading"),
        (from_the_line_count, "look at the ids"),
        (every_line_is_whole, "may be half a line"),
        (all_at_the_end, "Write inside the loop"),
    ],
)
def test_a_loop_that_loses_something_is_told_what(answer: Any, sentence: str) -> None:
    assert sentence in hints("05.1", answer)


def test_a_wrong_key_and_a_misspelt_name_are_told_with_their_place() -> None:
    def wrong_key(cases: list[Case], task: Task, score: Score, path: Path) -> None:
        lines = [{"id": case.id, "output": task(case), "points": 1} for case in cases]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")

    def misspelt(cases: list[Case], task: Task, score: Score, path: Path) -> None:
        path.reed_text("utf-8")  # type: ignore[attr-defined]

    shown = repr(examine(EXERCISES["05.1"], wrong_key))
    assert "Line 1 has the keys id, output, points; it must have id, output, score." in shown
    assert "has no attribute 'reed_text' (in misspelt, line" in repr(examine(EXERCISES["05.1"], misspelt))


# 05.2 combinations without a case

Places = list[tuple[str, ...]]
Dimensions = dict[str, list[str]]


def by_recursion(places: Places, dimensions: Dimensions) -> list[tuple[str, ...]]:
    def grown(start: tuple[str, ...], left: list[list[str]]) -> Iterator[tuple[str, ...]]:
        if not left:
            if start not in places:
                yield start
            return
        for value in left[0]:
            yield from grown((*start, value), left[1:])

    return list(grown((), list(dimensions.values())))


def by_loops(places: Places, dimensions: Dimensions) -> list[tuple[str, ...]]:
    combinations: list[tuple[str, ...]] = [()]
    for name in dimensions:
        combinations = [(*one, value) for value in dimensions[name] for one in combinations]
    for place in set(places):
        while place in combinations:
            combinations.remove(place)
    return combinations


def by_sets(places: Places, dimensions: Dimensions) -> list[tuple[str, ...]]:
    return sorted(set(itertools.product(*dimensions.values())) - set(places), reverse=True)


def by_pandas(places: Places, dimensions: Dimensions) -> list[tuple[str, ...]]:
    if len(dimensions) == 1:
        (values,) = dimensions.values()
        return [(value,) for value in values if (value,) not in places]
    full = pd.MultiIndex.from_product(dimensions.values())
    return list(full[~full.isin(places)]) if places else list(full)


def by_counting(places: Places, dimensions: Dimensions) -> list[tuple[str, ...]]:
    count = dict.fromkeys(itertools.product(*dimensions.values()), 0)
    for place in places:
        count[place] = count.get(place, 0) + 1
    return [combination for combination, times in count.items() if not times]


@pytest.mark.parametrize("answer", [by_recursion, by_loops, by_sets, by_pandas, by_counting])
def test_any_way_to_find_the_missing_combinations_is_right(answer: Any) -> None:
    assert_solved("05.2", answer)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda places, dimensions: list(set(places)), "Name the others"),
        (lambda places, dimensions: len(by_sets(places, dimensions)), "Return the combinations themselves"),
        (
            lambda places, dimensions: [
                one for one in itertools.product(*dimensions.values()) if places.count(one) <= 1
            ],
            "One case is enough",
        ),
        (
            lambda places, dimensions: [
                one
                for one in itertools.product(*dimensions.values())
                if not all(value in set(itertools.chain(*places)) for value in one)
            ],
            "not each *combination*",
        ),
        (
            lambda places, dimensions: [
                one
                for one in itertools.product(
                    *({place[i] for place in places} for i in range(len(dimensions)))
                )
                if one not in places
            ],
            "use `dimensions`",
        ),
        (
            lambda places, dimensions: [
                one
                for one in itertools.product(*dimensions.values())
                if sorted(one) not in [sorted(place) for place in places]
            ],
            "Compare tuples, not sets",
        ),
    ],
)
def test_a_list_of_other_combinations_is_told_why(answer: Any, sentence: str) -> None:
    assert sentence in hints("05.2", answer)


# 05.3 corrections as a score


def field_by_field(context: Any) -> int:
    if type(context.output) is str:
        return 6
    wrong = 0
    for name, label in context.expected.items():
        got = context.output[name]
        if isinstance(label, list):
            wrong += sorted(got) != sorted(label)
        elif label is None or got is None:
            wrong += label is not got
        else:
            wrong += got.lower() != label.lower()
    return wrong


def six_minus_right(context: Any) -> int:
    try:
        values = [context.output[name] for name in ATTRIBUTES]
    except TypeError:
        return 6
    right = 0
    for got, label in zip(values, map(context.expected.get, ATTRIBUTES), strict=True):
        right += str(sorted(got) if isinstance(got, list) else got).upper() == (
            str(sorted(label) if isinstance(label, list) else label).upper()
        )
    return 6 - right


def by_json(context: Any) -> int:
    def text(form: dict[str, Any], name: str) -> str:
        value = form[name]
        return json.dumps(sorted(value) if isinstance(value, list) else value).casefold()

    if not hasattr(context.output, "keys"):
        return len(context.expected)
    return len([0 for name in ATTRIBUTES if text(context.output, name) != text(context.expected, name)])


def by_series(context: Any) -> int:
    if not isinstance(context.output, dict):
        return len(ATTRIBUTES)

    def series(form: dict[str, Any]) -> Any:
        plain = {key: frozenset(v) if isinstance(v, list) else (v or "").lower() for key, v in form.items()}
        return pd.Series(plain)[list(ATTRIBUTES)]

    return int((series(context.output) != series(context.expected)).sum())


def by_csv(context: Any) -> int:
    """A row of text for each form, as somebody from a spreadsheet thinks."""
    if isinstance(context.output, str):
        return 6
    rows = []
    for form in (context.output, context.expected):
        page = io.StringIO()
        values = [form[name] for name in ATTRIBUTES]
        csv.writer(page).writerow(
            ["+".join(sorted(v)) if isinstance(v, list) else str(v).casefold() for v in values]
        )
        rows.append(next(csv.reader(io.StringIO(page.getvalue()))))
    return sum(a != b for a, b in zip(*rows, strict=True))


@pytest.mark.parametrize("answer", [field_by_field, six_minus_right, by_json, by_series, by_csv])
def test_any_way_to_count_corrections_is_right(answer: Any) -> None:
    assert_solved("05.3", answer)


def raw_equality(context: Any) -> int:
    if isinstance(context.output, str):
        return 6
    wrong = 0
    for name in ATTRIBUTES:
        if context.output[name] != context.expected[name]:
            wrong += 1
    return wrong


def unlike_by(alike: Callable[[Any, Any], bool]) -> Callable[[Any], int]:
    def wrong_fields(context: Any) -> int:
        if isinstance(context.output, str):
            return 6
        forms = context.output, context.expected
        pairs = [[plain(form[name]) for form in forms] for name in ATTRIBUTES]
        return sum(got != label and not alike(got, label) for got, label in pairs)

    return wrong_fields


def plain(value: Any) -> Any:
    return set(value) if isinstance(value, list) else value and value.lower()


def are(kind: type, *values: Any) -> bool:
    return all(value and isinstance(value, kind) for value in values)


def nothing_to_count(context: Any) -> int:
    if isinstance(context.output, str):
        return 0
    return field_by_field(context)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (raw_equality, "minds order and capitals"),
        (unlike_by(lambda got, label: are(set, got, label) and got >= label), "one too few"),
        (unlike_by(lambda got, label: are(set, label) and got <= label), "one too few"),
        (unlike_by(lambda got, label: are(set, got, label) and bool(got & label)), "one too few"),
        (unlike_by(lambda got, label: are(str, got, label) and label in got), "stands in the other one"),
        (unlike_by(lambda got, label: are(str, got, label) and got in label), "stands in the other one"),
        (nothing_to_count, "must not be the best result"),
        (lambda context: 6 - field_by_field(context), "The seller corrects the others"),
        (lambda context: field_by_field(context) >= 1, "Return how many"),
        (
            lambda context: sum(
                str(context.output[name]).lower() != str(context.expected[name]).lower()
                if not isinstance(context.expected[name], list)
                else set(context.output[name]) != set(context.expected[name])
                for name in ATTRIBUTES
            ),
            "leaves a text in `output`",
        ),
    ],
)
def test_a_score_that_counts_something_else_is_told_what(answer: Any, sentence: str) -> None:
    assert sentence in hints("05.3", answer)
