"""Cases from strangers' files: a mistake is one sentence with file and line, nothing is dropped silently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aicourse.errors import EvaluationError
from aicourse.evals import Case
from aicourse.tooling.evaluation import importing


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "theirs"


def from_csv(path: Path, **columns: Any) -> importing.Imported:
    return importing.from_csv(path, **({"input": "text"} | columns))


# CSV


def test_csv_as_a_spreadsheet_writes_it(file: Path) -> None:
    rows = '\ufefftext,size,tags,price\r\n"oak,\r\ntable",38,"short, wood",5\r\n\r\nmug,,,\r\n'
    file.write_bytes(rows.encode())
    imported = from_csv(file, expected=["size"], tags="tags")
    assert imported.cases == [
        Case(
            id="1",
            input="oak,\r\ntable",
            expected={"size": "38"},
            tags=("short", "wood"),
            provenance="theirs",
        ),
        Case(id="2", input="mug", expected={"size": None}, provenance="theirs"),
    ]
    assert imported.remarks == [
        "Left out: the column 'price' (--input, --expected, --id and --tags name others)"
    ]


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("text,id\noak,1\nmug,2,3\n", {}, "line 3: 3 cells under 2 headings. Put a cell that holds a comma"),
        ('text,id\n"oak\ntable",1\nmug\n', {}, "line 4: 1 cells under 2 headings"),
        ("text,id\noak,1\nmug,\n", {"id": "id"}, r"line 3: not a case \(id: is blank\)"),
        ("text,id\noak,1\nmug, \n", {"id": "id"}, r"line 3: not a case \(id: is blank\)"),
        ("text,id\noak,1\nmug,1\n", {"id": "id"}, "line 3: the id '1' occurs twice"),
        ("text,id\n,1\n", {}, "line 2: the column 'text' is blank. Fill it in, or delete the row."),
        ("text,text\noak,1\n", {}, "line 1: two columns are called 'text'"),
        ("test,id\noak,1\n", {}, "line 1: no column 'text'; there are 'test', 'id'. Did you mean test?"),
        ("", {}, "line 1: no header. Name the columns in the first line."),
        ("\n\n", {}, "line 1: no header"),
        ("text\n", {}, "holds no case"),
        ('text\n"oak\n', {}, r"line 2: not CSV \(unexpected end of data\)"),
        ('text\n"oak"x\n', {}, r"line 2: not CSV \(',' expected after"),
        ("text\n" + "x" * 140_000, {}, r"line 2: not CSV \(field larger than field limit"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value[:20],
)
def test_what_a_broken_csv_file_is_told(file: Path, text: str, columns: dict[str, str], message: str) -> None:
    file.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(EvaluationError, match=message) as told:
        from_csv(file, **columns)
    assert str(file) in told.value.message


@pytest.mark.parametrize(
    "read", [from_csv, importing.from_promptfoo, importing.from_inspect, importing.from_batch]
)
def test_what_is_no_text_or_not_there(file: Path, read: Any) -> None:
    file.write_bytes("text\nµ\n".encode("utf-16"))
    with pytest.raises(EvaluationError, match="theirs is not UTF-8 text"):
        read(file)
    with pytest.raises(EvaluationError, match=r"No file .*their .*Did you mean .*theirs\?"):
        read(file.with_name("their"))
    with pytest.raises(EvaluationError, match=r"No file .*Is a directory|No file .*Permission denied"):
        read(file.parent)


# promptfoo


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no list of tests"),
        ("- 1", "line 1, test 1: no `vars`"),
        ("- {vars: {a: 1}}\n- {vars: [a]}", "line 2, test 2: no `vars`"),
        ("- {vars: {}}", "line 1, test 1: no `vars`"),
        ("- vars: {a: 1}\n  assert: {type: equals}", "line 1, test 1: `assert` is no list"),
        (
            "tests:\n\n- vars: {a: 1}\n  assert: [equals]",
            "line 3, test 1: an assertion is no object with a type",
        ),
        ("- {vars: {a: 1}, assert: [{type: [1]}]}", "test 1: an assertion is no object with a type"),
        ("- {vars: {a: 1}, metadata: [id]}", "line 1, test 1: `metadata` is a list, not an object"),
        ("- {vars: {a: 1}, metadata: {id: [1]}}", r"test 1: the id \[1\] is no name"),
        ("- {vars: {a: 1}, metadata: {id: true}}", "test 1: the id True is no name"),
        ("- {vars: {a: 1}, metadata: {id: ''}}", r"test 1: not a case \(id: is blank\)"),
        (
            "- {vars: {a: 1}, metadata: {tags: [1]}}",
            "test 1: not a case .tags.0: Input should be a valid string",
        ),
        ("- {vars: {a: file://b.txt}}", "test 1: the variable 'a' is in another file"),
        ("- {vars: {a: 1, a: 2}}", "YAML .line 1: the key 'a' occurs twice"),
        ("- {vars: {a: 1}, assert: [{type: equals, value: .nan}]}", "line 1, test 1: nan is no number"),
        ("- {vars: {a: 1}, assert: [{type: equals, value: -.inf}]}", "line 1, test 1: -inf is no number"),
        ("- &a {vars: {a: *a}}", "YAML .line 1: holds itself"),
        ("- &a [1]\n- !!python/object/apply:os.system [ls]", "YAML .could not determine a constructor"),
        ("- {vars: {? [1] : 2}}", "cannot be read as YAML"),
        ("[" * 50_000, "YAML .nested too deep"),
        ("- {vars: {a: 1}}\n- {vars: {a: 2}, metadata: {id: 1}}", "line 2, test 2: the id '1' occurs twice"),
    ],
    ids=lambda value: value[:40],
)
def test_what_a_broken_promptfoo_file_is_told(file: Path, text: str, message: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError, match=message) as told:
        importing.from_promptfoo(file)
    assert str(file) in told.value.message


def test_a_bomb_of_aliases_is_not_set_off(file: Path) -> None:
    lines = ["- &a0 {vars: {a: x}}"]
    lines += [f"- &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(EvaluationError, match="line 7: aliases stand for more than 1,000,000 values"):
        importing.from_promptfoo(file)


def test_aliases_dates_and_sets_are_data(file: Path) -> None:
    file.write_text(
        "- vars: {day: 2026-01-31, words: !!set {a}, n: 1.5}\n  assert: &same [{type: equals, value: x}]\n"
        "- vars: {day: 2026-02-01}\n  assert: *same\n",
        encoding="utf-8",
    )
    first, second = importing.from_promptfoo(file).cases
    assert first.input == {"day": "2026-01-31", "words": ["a"], "n": 1.5}
    assert (first.expected, second.expected) == ("x", "x")


def test_what_promptfoo_has_and_a_case_has_not_is_named(file: Path) -> None:
    tests = [
        {
            "vars": {"a": ["x", "y"]},
            "assert": [
                {"type": "contains", "value": "x"},
                {"type": "equals", "value": "y"},
                {"$ref": "#/assertionTemplates/t"},
            ],
            "threshold": 0.5,
            "metadata": {"id": "1", "author": "me"},
        },
        *({"vars": {"a": "x"}, "assert": [{"type": "llm-rubric", "value": "kind"}]} for _ in range(5)),
    ]
    file.write_text(json.dumps({"defaultTest": {"threshold": 1}, "tests": tests}), encoding="utf-8")
    imported = importing.from_promptfoo(file)
    first = f"{file}, line 1, test 1"
    assert imported.cases[0].expected == "x"
    assert imported.remarks == [
        f"Left out: the setting 'defaultTest' ({file})",
        f"Left out: the field 'threshold' ({first})",
        f"Left out: the metadata 'author' ({first})",
        f"Left out: that a list in `vars` stands for several tests ({first})",
        f"Left out: a second assertion 'equals' ({first})",
        f"Left out: an assertion 'without a type' ({first})",
        "Left out: an assertion 'llm-rubric' "
        f"({file}, line 1, test 2, {file}, line 1, test 3, {file}, line 1, test 4 and 2 more)",
    ]


# inspect-ai


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ({"target": "x"}, "a sample has no `input`"),
        ({"input": "x", "metadata": []}, "`metadata` is a list, not an object"),
        ({"input": "x", "metadata": {"json": "input"}}, "`metadata.json` is no list"),
        (
            {"input": "x", "metadata": {"json": ["input"]}},
            "`metadata.json` says that a value is JSON",
        ),
        (
            {"input": 1, "metadata": {"json": ["input"]}},
            "`metadata.json` says that a value is JSON",
        ),
        ({"input": "x", "choices": "ab"}, "`choices` is no list"),
        ({"input": "x", "id": ""}, r"not a case \(id: is blank\)"),
        ({"input": "x", "id": {}}, "the id {} is no name"),
        ({"input": "x", "target": float("nan")}, "not JSON .nan is no number in JSON"),
        ({"input": "x", "id": 1}, "the id '1' occurs twice"),
    ],
)
def test_what_a_broken_sample_is_told(file: Path, sample: dict[str, Any], message: str) -> None:
    file.write_text('{"input": "a"}\n\n' + json.dumps(sample), encoding="utf-8")
    with pytest.raises(EvaluationError, match=f"theirs, line 3: {message}"):
        importing.from_inspect(file)


def test_choices_are_asked_and_ids_of_nothing_are_ids(file: Path) -> None:
    samples = [
        {"input": "Which?", "choices": ["red", "blue"], "target": "B", "id": 0},
        {"input": "x", "files": {"a": "b"}, "sandbox": "docker", "metadata": {"level": 2}},
    ]
    file.write_text("\n".join(map(json.dumps, samples)), encoding="utf-8")
    imported = importing.from_inspect(file)
    assert imported.cases == [
        Case(id="0", input={"input": "Which?", "choices": ["red", "blue"]}, expected="B"),
        Case(id="2", input="x"),
    ]
    place = f"({file}, line 2)"
    assert imported.remarks == [
        f"Left out: the field 'files' {place}",
        f"Left out: the field 'sandbox' {place}",
        f"Left out: the metadata 'level' {place}",
    ]


# batches

ANSWER = {"status_code": 200, "body": {"choices": [{"message": {"content": "4"}}]}}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            {"custom_id": "a", "response": ANSWER},
            "a second answer to 'a'. Delete the one that does not count.",
        ),
        ({"response": ANSWER}, "no answer of a batch: it has no `custom_id`"),
        ({"custom_id": None, "response": ANSWER}, "no answer of a batch: it has no `custom_id`"),
        ({"custom_id": "b", "response": "lost"}, "no answer of a batch"),
        ({"custom_id": "b", "response": []}, "no answer of a batch"),
        (
            {"custom_id": "b", "response": {"status_code": 200, "body": {"choices": []}}},
            "no answer of a batch",
        ),
        (
            {
                "custom_id": "b",
                "response": {"status_code": 200, "body": {"choices": [{"message": {"content": [1]}}]}},
            },
            "no answer of a batch .*its content is no text",
        ),
    ],
)
def test_what_a_broken_batch_is_told(file: Path, line: dict[str, Any], message: str) -> None:
    file.write_text(
        "\n".join(map(json.dumps, [{"custom_id": "a", "response": ANSWER}, line])), encoding="utf-8"
    )
    with pytest.raises(EvaluationError, match=f"theirs, line 2: {message}"):
        importing.from_batch(file)


def test_half_a_character_travels(file: Path) -> None:
    file.write_text(
        '{"custom_id": "a", "response": ' + json.dumps(ANSWER).replace("4", "\\ud83d") + "}", encoding="utf-8"
    )
    assert importing.from_batch(file) == {"a": "\ud83d"}
