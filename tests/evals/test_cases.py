"""Evaluation sets: what is read and written, and what each mistake in a file is told."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aicourse.errors import EvaluationError
from aicourse.evals import cases
from aicourse.evals.cases import Case, EvaluationSet

LINE = '{"id": "1", "input": "oak table", "expected": {"colours": []}, "tags": ["short"]}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "set.jsonl"


# JSON Lines


def test_a_set_reads_its_file_each_time(file: Path) -> None:
    file.write_text("\ufeff" + LINE + "\n" + LINE.replace('"1"', '"2"'), encoding="utf-8")
    loaded = EvaluationSet(file)
    first = Case(id="1", input="oak table", expected={"colours": []}, tags=("short",))
    assert next(iter(loaded)) == first
    assert len(loaded) == len(list(loaded)) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            LINE + '{"id": "2", "inp',
            r"set.jsonl, line 2: not a case \(not JSON: Unterminated string starting at, column 13\)",
        ),
        (LINE + "\n" + LINE, "set.jsonl, line 3: the id '1' occurs twice"),
        (
            LINE.replace("tags", "tag"),
            "line 1: not a case .unknown field 'tag'; a case has id, input, expected, tags",
        ),
        ('{"input": "x"}', r"line 1: not a case \(id: Field required"),
        ('{"id": "", "input": "x"}', r"line 1: not a case \(id: is blank"),
        ('{"id": " ", "input": "x"}', r"line 1: not a case \(id: is blank"),
        (
            '{"id": "1", "input": 1, "input": 2}',
            r"line 1: not a case \(not JSON: the key 'input' occurs twice\)",
        ),
        (
            '{"id": "1", "input": 1, "expected": NaN}',
            r"line 1: not a case \(not JSON: nan is no number in JSON\)",
        ),
        (
            LINE + '{"id": "2", "input": 1, "expected": {"price": [-Infinity]}}',
            r"line 2: not a case \(not JSON: -inf is no number in JSON\)",
        ),
        ('{"id": "1", "input": 1e400}', "line 1: not a case .not JSON: inf is no number in JSON"),
        pytest.param(
            '{"id": "1", "input": ' + "9" * 4_400 + "}",
            "line 1: not a case .not JSON: Exceeds the",
            id="digits",
        ),
        pytest.param(
            '{"id": "1", "input": ' + "[" * 100_000, "not JSON: nested more than 100 levels deep", id="open"
        ),
        pytest.param(
            '{"id": "1", "input": ' + "[" * 101 + "]" * 101 + "}", "nested more than 100 levels", id="deep"
        ),
        ("[1]", "line 1: not a case"),
        ("", "set.jsonl holds no case. Add one per line, such as {"),
        ("\n \n", "set.jsonl holds no case"),
    ],
)
def test_what_a_broken_file_is_told(file: Path, text: str, message: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError, match=message):
        list(EvaluationSet(file))


def test_a_missing_file_and_one_that_is_not_text(file: Path) -> None:
    with pytest.raises(EvaluationError, match="No file"):
        list(EvaluationSet(file))
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EvaluationError, match="is not UTF-8 text"):
        list(EvaluationSet(file))


def test_the_example_in_the_message_is_a_case(file: Path) -> None:
    file.write_text(cases._EXAMPLE, encoding="utf-8")
    assert len(EvaluationSet(file)) == 1


def test_a_large_set_is_streamed(file: Path) -> None:
    padding = "x" * 2_000
    with open(file, "w", encoding="utf-8") as out:
        out.writelines(f'{{"id": "{number}", "input": "{padding}"}}\n' for number in range(10_000))
    tracemalloc.start()
    assert sum(1 for _ in EvaluationSet(file)) == 10_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < file.stat().st_size / 5  # the ids, not the 20 MB


def test_save_refuses_what_load_would_refuse(file: Path) -> None:
    with pytest.raises(EvaluationError, match="the id '1' occurs twice"):
        cases.save_cases([Case(id="1", input=1), Case(id="1", input=2)], file)
    with pytest.raises(EvaluationError, match="the set to save holds no case"):
        cases.save_cases([], file)
    assert not file.exists()


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
a_case = st.builds(
    Case,
    id=st.text(min_size=1, max_size=8).filter(str.strip),
    input=values,
    expected=values,
    tags=st.lists(st.text(min_size=1, max_size=5), max_size=2).map(tuple),
    provenance=st.none() | st.text(min_size=1, max_size=8),
)
sets = st.lists(a_case, min_size=1, max_size=3, unique_by=lambda case: case.id)
quick = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(sets)
def test_saving_and_loading_changes_nothing(tmp_path: Path, several: list[Case]) -> None:
    assert list(EvaluationSet(cases.save_cases(several, tmp_path / "set.jsonl"))) == several


def test_the_digest_says_whether_the_question_is_the_same() -> None:
    case = Case(id="1", input="x", expected="y")
    assert case.digest == case.model_copy(update={"tags": ("new",), "provenance": "me"}).digest
    assert case.digest != case.model_copy(update={"expected": "z"}).digest


# from elsewhere


def test_from_frame() -> None:
    frame = pd.DataFrame(
        {"text": ["oak table", "mug"], "price": [20, None], "slices": ["short, wood", ""]}, index=["L1", "L2"]
    )
    made = cases.from_frame(frame, input="text", expected=["price"], tags="slices", provenance="by hand")
    assert made == [
        Case(
            id="L1", input="oak table", expected={"price": 20.0}, tags=("short", "wood"), provenance="by hand"
        ),
        Case(id="L2", input="mug", expected={"price": None}, provenance="by hand"),
    ]
    assert made[0].model_dump_json()  # no numpy left in it


def test_from_frame_names_what_is_wrong() -> None:
    frame = pd.DataFrame({"text": ["a", "b"], "id": ["x", "x"]})
    with pytest.raises(EvaluationError, match="no column 'txt'"):
        cases.from_frame(frame, input="txt")
    with pytest.raises(EvaluationError, match="row 1: the id 'x' occurs twice"):
        cases.from_frame(frame, input="text", id="id")
    with pytest.raises(EvaluationError, match="the table holds no case"):
        cases.from_frame(frame.head(0), input="text")


def test_from_frame_takes_whatever_pandas_calls_missing_for_not_stated() -> None:
    frame = pd.DataFrame({"text": ["a", "b", "c"], "size": [pd.NA, None, pd.NaT]}, dtype=object)
    assert [case.expected for case in cases.from_frame(frame, input="text", expected="size")] == [None] * 3
    with pytest.raises(EvaluationError, match=r"row 0: not a case \(id: is blank\)"):
        cases.from_frame(frame, input="text", id="size")


def test_from_frame_does_not_choose_between_two_columns_of_one_name() -> None:
    frame = pd.DataFrame([[1, 2]], columns=["text", "text"])
    with pytest.raises(EvaluationError, match="The table has two columns 'text'"):
        cases.from_frame(frame, input="text")


@pytest.mark.parametrize("value", [float("nan"), {"a": [float("inf")]}, 10**5000], ids=["nan", "inf", "huge"])
def test_no_case_expects_what_json_cannot_hold(value: object) -> None:
    with pytest.raises(ValueError, match=r"no number in JSON|more than 4,000 digits"):
        Case(id="1", input="x", expected=value)


def test_half_a_character_is_kept(file: Path) -> None:
    half = Case(
        id="1\ud83d", input={"\ud83d": "\0"}, expected="caf\udce9", tags=("\ude00",), provenance="\ud83d"
    )
    (again,) = EvaluationSet(cases.save_cases([half], file))
    assert again == half
    assert again.digest == half.digest != Case(id="1\ud83d", input={"\ud83d": "\0"}).digest


def test_a_missing_file_names_its_nearest_neighbour(file: Path) -> None:
    cases.save_cases([Case(id="1", input=1)], file)
    with pytest.raises(EvaluationError, match=r"No file .*sett.jsonl .*Did you mean .*set.jsonl\?"):
        list(EvaluationSet(file.with_name("sett.jsonl")))
    with pytest.raises(EvaluationError, match=r"No file .* \(Is a directory|Permission denied"):
        list(EvaluationSet(file.parent))


def test_from_corrections() -> None:
    case = Case(
        id="1",
        input="tan bag",
        expected={"colour": "beige", "brand": None},
        tags=("shade",),
        provenance="gold",
    )
    (corrected,) = cases.from_corrections([case], {"1": {"colour": "brown"}}, by="a seller")
    assert corrected.expected == {"colour": "brown", "brand": None}
    assert corrected.tags == ("shade", "corrected")
    assert corrected.provenance == "gold; colour corrected by a seller"
    with pytest.raises(EvaluationError, match="unknown cases: 2"):
        cases.from_corrections([case], {"2": {}}, by="a seller")
