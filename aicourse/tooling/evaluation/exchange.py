"""Evaluation sets in the formats of other tools: promptfoo, inspect-ai and OpenAI's Batch API.

    export_cases(find_cases("datasets/listings", split="test"), "promptfoo", "tests.yaml")
    import_cases("samples.jsonl", "inspect", "cases.jsonl")

- promptfoo (promptfoo.dev/docs/configuration/test-cases): a YAML list of tests. The case's input becomes
  `vars` (an object's fields, else `input`), what is expected an `equals` assertion; id and tags travel in
  `metadata`. promptfoo renders templates and multiplies out lists inside variables; both are prevented.
- inspect-ai (inspect.aisi.org.uk/datasets.html): one `Sample` per line: `input`, `target`, `id`, `metadata`.
  Inputs and targets are text there; an object is written as JSON and marked, so that it comes back as it was.
- Batch API (platform.openai.com/docs/guides/batch): one request per line: `custom_id`, `method`, `url`,
  `body`. A batch's answers come back as outputs by case id.

Not handled: other assertions and scorers (promptfoo has dozens, they name code or a judge), chat inputs of
inspect-ai that hold more than text, files and sandboxes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml

from aicourse.errors import EvaluationError
from aicourse.evals.cases import Case, EvaluationSet, from_csv, make_case, read_lines, save_cases, unique
from aicourse.marketplace.evaluation import listing_cases
from aicourse.paths import write_atomically

Target = Literal["promptfoo", "inspect", "batch"]
Source = Literal["promptfoo", "inspect", "csv"]

_BATCH_LIMIT = 50_000  # requests in one file, as the Batch API documents


def find_cases(source: Path | str, *, split: str | None = None) -> Iterable[Case]:
    """The cases of a JSON Lines file, or of the folder `datasets/listings` (then of one split).

    Raises:
        EvaluationError: another folder, a split for a file, or a broken file.
        DatasetError: no such split.
    """
    path = Path(source)
    if path.is_dir():
        if path.name != "listings":
            raise EvaluationError(
                f"{path} is a folder. Name a .jsonl file of cases, or datasets/listings.", path=path
            )
        return listing_cases(split or "test")
    if split is not None:
        raise EvaluationError(f"{path} is a file without splits. Leave --split out.", path=path)
    return EvaluationSet(path)


def export_cases(
    cases: Iterable[Case], target: Target, path: Path | str, *, model: str | None = None, system: str = ""
) -> Path:
    """Write cases for another tool; a batch asks `model`, with `system` as the system message if given.

    Raises:
        EvaluationError: a batch without a model, or with too many requests.
    """
    if target == "promptfoo":
        return to_promptfoo(cases, path)
    if target == "inspect":
        return to_inspect(cases, path)
    if model is None:
        raise EvaluationError("A batch names the model it asks. Add --model.")
    return to_batch(cases, path, body=lambda case: _body(case, model, system))


def _body(case: Case, model: str, system: str) -> Mapping[str, Any]:
    text = case.input if isinstance(case.input, str) else json.dumps(case.input, ensure_ascii=False)
    messages = [{"role": "system", "content": system}] if system else []
    return {"model": model, "messages": [*messages, {"role": "user", "content": text}]}


def import_cases(
    path: Path | str,
    source: Source,
    target: Path | str,
    *,
    input: str = "input",
    expected: str | None = None,
    id: str | None = None,
    tags: str | None = None,
) -> Path:
    """Turn another tool's cases into a set of ours; the names are columns of a CSV file.

    Raises:
        EvaluationError: the file is missing, broken or empty; nothing is written then.
    """
    if source == "csv":
        return save_cases(from_csv(path, input=input, expected=expected, id=id, tags=tags), target)
    return save_cases(from_promptfoo(path) if source == "promptfoo" else from_inspect(path), target)


# promptfoo


def to_promptfoo(cases: Iterable[Case], path: Path | str) -> Path:
    """Write a promptfoo test file; name it in the configuration as `tests: file://tests.yaml`."""
    tests = [_promptfoo_test(case) for case in cases]
    write_atomically(
        Path(path), yaml.dump(tests, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)
    )
    return Path(path)


class _Dumper(yaml.SafeDumper):
    """Quotes text with unusual line breaks, which YAML would otherwise fold into spaces."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Text, double-quoted where only that keeps it as it is."""
        style = '"' if re.search("[\r\x85\u2028\u2029]", text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _Dumper.represent_text)


def _promptfoo_test(case: Case) -> dict[str, Any]:
    has_fields = isinstance(case.input, dict) and list(case.input) != ["input"]
    variables = case.input if has_fields else {"input": case.input}
    metadata = {"id": case.id, "tags": list(case.tags), "provenance": case.provenance}
    test: dict[str, Any] = {
        "description": case.id,
        "vars": {name: _escaped(value) for name, value in variables.items()},
        "metadata": {name: value for name, value in metadata.items() if value},
    }
    if any(isinstance(value, list) for value in variables.values()):
        test["options"] = {"disableVarExpansion": True}
    if case.expected is not None:
        test["assert"] = [{"type": "equals", "value": _escaped(case.expected)}]
    return test


_TAG = re.compile(r"\{(?=[{%#])|#(?=\})")  # the first brace of {{, {% and {#; the end of a comment
_ESCAPED = re.compile(r"\{\{ '([{#])' \}\}")


def _escaped(value: Any) -> Any:
    """Text that promptfoo's templates give back as it was: what opens a tag becomes an expression.

    `{% raw %}` would be the usual way, and promptfoo (0.121) hands it on to the model where the text inside
    names a variable that it does not know.
    """
    return _TAG.sub(lambda tag: f"{{{{ '{tag[0]}' }}}}", value) if isinstance(value, str) else value


def _unescaped(value: Any) -> Any:
    return _ESCAPED.sub(r"\1", value) if isinstance(value, str) else value


def from_promptfoo(path: Path | str) -> list[Case]:
    """The tests of a promptfoo file or configuration; only `equals` and `contains` tell what is expected.

    Tests without an id in their metadata are numbered from 1.
    """
    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise EvaluationError(
            f"{path} cannot be read as YAML ({reason}). Correct the file.", path=path
        ) from error
    tests = document.get("tests") if isinstance(document, dict) else document
    if not isinstance(tests, list):
        raise EvaluationError(
            f"{path} holds no list of tests. Name the file that its `tests:` points to.", path=path
        )
    numbered = ((f"{path}, test {number}", number, test) for number, test in enumerate(tests, start=1))
    pairs = ((place, _promptfoo_case(place, number, test)) for place, number, test in numbered)
    return list(unique(pairs, str(path)))


def _promptfoo_case(place: str, number: int, test: Any) -> Case:
    if not isinstance(test, dict) or not isinstance(test.get("vars"), dict):
        raise EvaluationError(
            f"{place}: no `vars`. Tests in other files are read from those files.", place=place
        )
    variables = {name: _unescaped(value) for name, value in test["vars"].items()}
    metadata = test.get("metadata") or {}
    assertions = [rule for rule in test.get("assert") or [] if rule.get("type") in ("equals", "contains")]
    tags = metadata.get("tags", ())
    return make_case(
        place,
        id=str(metadata.get("id", number)),
        input=variables["input"] if list(variables) == ["input"] else variables,
        expected=_unescaped(assertions[0].get("value")) if assertions else None,
        tags=[tags] if isinstance(tags, str) else tags,
        provenance=metadata.get("provenance") or test.get("description"),
    )


# inspect-ai


def to_inspect(cases: Iterable[Case], path: Path | str) -> Path:
    """Write inspect-ai samples; load them there with `json_dataset(path)`."""
    return _write_lines(Path(path), map(_inspect_sample, cases))


def _inspect_sample(case: Case) -> dict[str, Any]:
    as_json = [name for name in ("input", "expected") if not isinstance(getattr(case, name), str)]
    metadata = {"tags": list(case.tags), "provenance": case.provenance, "json": as_json}
    return {
        "input": case.input if isinstance(case.input, str) else _dump(case.input),
        "target": case.expected if isinstance(case.expected, str) else _dump_stated(case.expected),
        "id": case.id,
        "metadata": metadata,
    }


def from_inspect(path: Path | str) -> list[Case]:
    """The samples of an inspect-ai JSON Lines file; those without an id are numbered by line."""
    pairs = ((place, _inspect_case(place, line)) for place, line in _read_objects(Path(path)))
    return list(unique(pairs, str(path)))


def _inspect_case(place: str, sample: dict[str, Any]) -> Case:
    metadata = sample.get("metadata") or {}
    as_json = metadata.get("json", ())
    target = sample.get("target")
    if "input" not in sample:
        raise EvaluationError(f"{place}: a sample has no `input`. Correct the line.", place=place)
    return make_case(
        place,
        id=str(sample.get("id") or place.rpartition(" ")[2]),
        input=json.loads(sample["input"]) if "input" in as_json else sample["input"],
        expected=(json.loads(target) if target else None) if "expected" in as_json else target,
        tags=metadata.get("tags") or (),
        provenance=metadata.get("provenance"),
    )


# OpenAI Batch API


def to_batch(
    cases: Iterable[Case],
    path: Path | str,
    *,
    body: Callable[[Case], Mapping[str, Any]],
    url: str = "/v1/chat/completions",
) -> Path:
    """Write a batch: one request per case, its `body` made by your function (model, messages, …).

    Raises:
        EvaluationError: more requests than one batch may hold (50,000).
    """
    requests = [
        {"custom_id": case.id, "method": "POST", "url": url, "body": dict(body(case))} for case in cases
    ]
    if len(requests) > _BATCH_LIMIT:
        raise EvaluationError(
            f"{len(requests):,} requests, and one batch holds {_BATCH_LIMIT:,}. Split the set.",
            requests=len(requests),
        )
    return _write_lines(Path(path), requests)


def from_batch(path: Path | str) -> dict[str, str | None]:
    """The answers in a batch's output file by case id; None where the request failed.

    Score them without asking again: `evals.run(lambda case: answers[case.id], cases, …)`.
    """
    answers: dict[str, str | None] = {}
    for place, line in _read_objects(Path(path)):
        try:
            answers[str(line["custom_id"])] = _answer(line)
        except (KeyError, IndexError, TypeError) as error:
            raise EvaluationError(
                f"{place}: no answer of a batch ({error!r}). Use the batch's output file.", place=place
            ) from error
    return answers


def _answer(line: dict[str, Any]) -> str | None:
    response = line["response"]
    if line.get("error") or response["status_code"] != 200:
        return None
    content = response["body"]["choices"][0]["message"]["content"]
    return None if content is None else str(content)


# JSON Lines


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _dump_stated(value: Any) -> str:
    """JSON, but no text at all for None: inspect-ai's target when there is none."""
    return "" if value is None else _dump(value)


def _write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    write_atomically(path, "".join(_dump(record) + "\n" for record in records))
    return path


def _read_objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in read_lines(path):
        place = f"{path}, line {number}"
        try:
            record = json.loads(line)
        except ValueError as error:
            raise EvaluationError(f"{place}: not JSON ({error}). Correct the line.", place=place) from None
        if not isinstance(record, dict):
            raise EvaluationError(f"{place}: not an object. Correct the line.", place=place)
        yield place, record
