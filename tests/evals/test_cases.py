"""Evaluation sets: what is read and written, and what each mistake in a file is told."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aicourse.errors import EvaluationError
from aicourse.evals import cases
from aicourse.evals.cases import Case
from aicourse.tooling.evaluation import formats

LINE = '{"id": "1", "input": "oak table", "expected": {"colours": []}, "tags": ["short"]}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "set.jsonl"


# JSON Lines


def test_a_set_reads_its_file_each_time(file: Path) -> None:
    file.write_text("\ufeff" + LINE + "\n" + LINE.replace('"1"', '"2"'), encoding="utf-8")
    loaded = cases.load(file)
    first = Case(id="1", input="oak table", expected={"colours": []}, tags=("short",))
    assert next(iter(loaded)) == first
    assert len(loaded) == len(list(loaded)) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LINE + '{"id": "2", "inp', r"set.jsonl, line 2: not a case \(Invalid JSON"),
        (LINE + "\n" + LINE, "set.jsonl, line 3: the id '1' occurs twice"),
        (
            LINE.replace("tags", "tag"),
            "line 1: not a case .unknown field 'tag'; a case has id, input, expected, tags",
        ),
        ('{"input": "x"}', r"line 1: not a case \(id: Field required"),
        ('{"id": "", "input": "x"}', r"line 1: not a case \(id: String should have at least 1 character"),
        ("[1]", "line 1: not a case"),
        ("", "set.jsonl holds no case. Add one per line, such as {"),
        ("\n \n", "set.jsonl holds no case"),
    ],
)
def test_what_a_broken_file_is_told(file: Path, text: str, message: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError, match=message):
        list(cases.load(file))


def test_a_missing_file_and_one_that_is_not_text(file: Path) -> None:
    with pytest.raises(EvaluationError, match="No file"):
        list(cases.load(file))
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EvaluationError, match="is not UTF-8 text"):
        list(cases.load(file))


def test_the_example_in_the_message_is_a_case(file: Path) -> None:
    file.write_text(cases._EXAMPLE, encoding="utf-8")
    assert len(cases.load(file)) == 1


def test_a_large_set_is_streamed(file: Path) -> None:
    padding = "x" * 2_000
    with open(file, "w", encoding="utf-8") as out:
        out.writelines(f'{{"id": "{number}", "input": "{padding}"}}\n' for number in range(10_000))
    tracemalloc.start()
    assert sum(1 for _ in cases.load(file)) == 10_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < file.stat().st_size / 5  # the ids, not the 20 MB


def test_save_refuses_what_load_would_refuse(file: Path) -> None:
    with pytest.raises(EvaluationError, match="the id '1' occurs twice"):
        cases.save([Case(id="1", input=1), Case(id="1", input=2)], file)
    with pytest.raises(EvaluationError, match="the set to save holds no case"):
        cases.save([], file)
    assert not file.exists()


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
a_case = st.builds(
    Case,
    id=st.text(min_size=1, max_size=8),
    input=values,
    expected=values,
    tags=st.lists(st.text(min_size=1, max_size=5), max_size=2).map(tuple),
    provenance=st.none() | st.text(min_size=1, max_size=8),
)
sets = st.lists(a_case, min_size=1, max_size=3, unique_by=lambda case: case.id)
quick = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(sets)
def test_saving_and_loading_changes_nothing(tmp_path: Path, several: list[Case]) -> None:
    assert list(cases.load(cases.save(several, tmp_path / "set.jsonl"))) == several


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


def test_from_csv(tmp_path: Path) -> None:
    file = tmp_path / "set.csv"
    file.write_text('text,size,tags\n"oak, table",38,short\nmug,,\n', encoding="utf-8")
    first, second = cases.from_csv(file, input="text", expected=["size"], tags="tags")
    assert first == Case(
        id="1", input="oak, table", expected={"size": "38"}, tags=("short",), provenance="set.csv"
    )
    assert second.expected == {"size": None}
    with pytest.raises(EvaluationError, match="cannot be read as CSV"):
        cases.from_csv(tmp_path / "none.csv", input="text")


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


def test_from_listings() -> None:
    made = cases.from_listings("test")
    first = made[0]
    assert len(made) == 120
    assert (first.id, first.tags, first.provenance) == ("L061", ("shade",), "datasets/listings, test split")
    assert first.input.startswith("Burberry trench")
    assert first.expected["colours"] == ["beige"]
    assert list(first.expected) == ["category", "colours", "materials", "size", "condition", "brand"]


# other tools' formats


@quick
@given(sets)
def test_inspect_samples_come_back_as_they_were(tmp_path: Path, several: list[Case]) -> None:
    path = formats.to_inspect(several, tmp_path / "samples.jsonl")
    assert formats.from_inspect(path) == several


def test_inspect_samples_are_what_inspect_reads(tmp_path: Path) -> None:
    case = Case(id="1", input={"text": "oak"}, expected=["wood"], tags=("short",))
    (sample,) = map(
        json.loads, formats.to_inspect([case], tmp_path / "s.jsonl").read_text("utf-8").splitlines()
    )
    assert sample == {
        "input": '{"text": "oak"}',
        "target": '["wood"]',
        "id": "1",
        "metadata": {"tags": ["short"], "provenance": None, "json": ["input", "expected"]},
    }


def test_samples_that_inspect_wrote(tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    chat = [{"role": "user", "content": "Which bone?"}]
    file.write_text(
        json.dumps({"input": chat, "target": ["A"]}) + '\n{"input": "2+2?", "target": "4", "id": 7}\n'
    )
    assert formats.from_inspect(file) == [
        Case(id="1", input=chat, expected=["A"]),
        Case(id="7", input="2+2?", expected="4"),
    ]


@quick
@example([Case(id="1", input={"input": "x"})])
@given(sets)
def test_promptfoo_tests_come_back_as_they_were(tmp_path: Path, several: list[Case]) -> None:
    described = [case.model_copy(update={"provenance": case.provenance or case.id}) for case in several]
    assert formats.from_promptfoo(formats.to_promptfoo(several, tmp_path / "tests.yaml")) == described


def test_promptfoo_tests_are_what_promptfoo_reads(tmp_path: Path) -> None:
    case = Case(
        id="1", input={"text": "{{ price }}", "photos": ["a", "b"]}, expected={"brand": None}, tags=("short",)
    )
    (test,) = yaml.safe_load(formats.to_promptfoo([case], tmp_path / "t.yaml").read_text("utf-8"))
    assert test == {
        "description": "1",
        "vars": {"text": "{{ '{' }}{ price }}", "photos": ["a", "b"]},
        "metadata": {"id": "1", "tags": ["short"]},
        "options": {"disableVarExpansion": True},
        "assert": [{"type": "equals", "value": {"brand": None}}],
    }


def test_a_promptfoo_configuration_as_in_its_documentation(tmp_path: Path) -> None:
    file = tmp_path / "promptfooconfig.yaml"
    file.write_text(
        """
prompts: ['Answer: {{question}}']
tests:
  - vars: {question: 'What is the capital of France?'}
    assert: [{type: latency, threshold: 100}, {type: contains, value: Paris}]
  - description: sums
    vars: {question: 'What is 2 + 2?'}
    assert: [{type: equals, value: '4'}]
    metadata: {tags: math}
""",
        encoding="utf-8",
    )
    france, sums = formats.from_promptfoo(file)
    assert france == Case(id="1", input={"question": "What is the capital of France?"}, expected="Paris")
    assert (sums.id, sums.expected, sums.tags, sums.provenance) == ("2", "4", ("math",), "sums")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tests: [", "cannot be read as YAML"),
        ("tests: file://other.yaml", "holds no list of tests"),
        ("[]", "holds no case"),
        ("- file://other.yaml", "test 1: no `vars`"),
        (
            "[{vars: {a: 1}, metadata: {id: x}}, {vars: {a: 1}, metadata: {id: x}}]",
            "test 2: the id 'x' occurs twice",
        ),
    ],
)
def test_what_a_broken_promptfoo_file_is_told(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "tests.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError, match=message):
        formats.from_promptfoo(file)


def test_batch_requests(tmp_path: Path) -> None:
    def body(case: Case) -> dict[str, Any]:
        return {"model": "m", "messages": [{"role": "user", "content": case.input}]}

    path = formats.to_batch([Case(id="1", input="2+2?")], tmp_path / "batch.jsonl", body=body)
    assert json.loads(path.read_text("utf-8")) == {
        "custom_id": "1",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "m", "messages": [{"role": "user", "content": "2+2?"}]},
    }


def test_batch_answers(tmp_path: Path) -> None:
    file = tmp_path / "output.jsonl"
    answered = {"status_code": 200, "body": {"choices": [{"message": {"content": "4"}}]}}
    refused = {"status_code": 400, "body": {"error": {"message": "bad"}}}
    lines = [
        {"id": "batch_req_1", "custom_id": "a", "response": answered, "error": None},
        {"id": "batch_req_2", "custom_id": "b", "response": refused, "error": None},
        {"id": "batch_req_3", "custom_id": "c", "response": None, "error": {"code": "batch_expired"}},
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert formats.from_batch(file) == {"a": "4", "b": None, "c": None}
    file.write_text('{"custom_id": "a", "body": {}}\n')
    with pytest.raises(EvaluationError, match="line 1: no answer of a batch"):
        formats.from_batch(file)


@pytest.mark.parametrize(("text", "message"), [("{", "line 1: not JSON"), ("[]", "line 1: not an object")])
def test_what_a_broken_line_is_told(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text(text)
    for read in (formats.from_inspect, formats.from_batch):
        with pytest.raises(EvaluationError, match=message):
            read(file)
