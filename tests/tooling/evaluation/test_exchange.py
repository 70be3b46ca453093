"""Evaluation sets in the formats of promptfoo, inspect-ai and the Batch API: there, and back as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aicourse.errors import EvaluationError
from aicourse.evals import Case
from aicourse.tooling.evaluation import exporting, importing

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
def test_inspect_samples_come_back_as_they_were(tmp_path: Path, several: list[Case]) -> None:
    path = exporting.to_inspect(several, tmp_path / "samples.jsonl")
    assert importing.from_inspect(path).cases == several


def test_inspect_samples_are_what_inspect_reads(tmp_path: Path) -> None:
    case = Case(id="1", input={"text": "oak"}, expected=["wood"], tags=("short",))
    (sample,) = map(
        json.loads, exporting.to_inspect([case], tmp_path / "s.jsonl").read_text("utf-8").splitlines()
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
    assert importing.from_inspect(file).cases == [
        Case(id="1", input=chat, expected=["A"]),
        Case(id="7", input="2+2?", expected="4"),
    ]


@quick
@example([Case(id="1", input={"input": "x"})])
@given(sets)
def test_promptfoo_tests_come_back_as_they_were(tmp_path: Path, several: list[Case]) -> None:
    described = [case.model_copy(update={"provenance": case.provenance or case.id}) for case in several]
    assert (
        importing.from_promptfoo(exporting.to_promptfoo(several, tmp_path / "tests.yaml")).cases == described
    )


def test_promptfoo_tests_are_what_promptfoo_reads(tmp_path: Path) -> None:
    case = Case(
        id="1", input={"text": "{{ price }}", "photos": ["a", "b"]}, expected={"brand": None}, tags=("short",)
    )
    (test,) = yaml.safe_load(exporting.to_promptfoo([case], tmp_path / "t.yaml").read_text("utf-8"))
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
    imported = importing.from_promptfoo(file)
    france, sums = imported.cases
    assert imported.remarks == [f"Left out: an assertion 'latency' ({file}, line 4, test 1)"]
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
        importing.from_promptfoo(file)


@quick
@given(sets)
def test_pydantic_evals_datasets_hold_all_of_a_case(tmp_path: Path, several: list[Case]) -> None:
    """Read as that library reads them; `tests/interop` has the library itself."""
    text = exporting.to_pydantic_evals(several, tmp_path / "set.yaml").read_text("utf-8")
    dataset = yaml.safe_load(text)
    assert (dataset["name"], dataset["evaluators"]) == ("set", ["EqualsExpected"])
    assert [
        Case(id=one["name"], input=one["inputs"], expected=one["expected_output"], **one["metadata"])
        for one in dataset["cases"]
    ] == several
    with pytest.raises(EvaluationError, match=r"Call it set\.yaml"):
        exporting.to_pydantic_evals(several, tmp_path / "set.json")


def test_batch_requests(tmp_path: Path) -> None:
    def body(case: Case) -> dict[str, Any]:
        return {"model": "m", "messages": [{"role": "user", "content": case.input}]}

    path = exporting.to_batch([Case(id="1", input="2+2?")], tmp_path / "batch.jsonl", body=body)
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
    assert importing.from_batch(file) == {"a": "4", "b": None, "c": None}
    file.write_text('{"custom_id": "a", "body": {}}\n')
    with pytest.raises(EvaluationError, match="line 1: no answer of a batch"):
        importing.from_batch(file)


@pytest.mark.parametrize(("text", "message"), [("{", "line 1: not JSON"), ("[]", "line 1: not an object")])
def test_what_a_broken_line_is_told(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text(text)
    for read in (importing.from_inspect, importing.from_batch):
        with pytest.raises(EvaluationError, match=message):
            read(file)
