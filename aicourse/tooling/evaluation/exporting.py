"""Cases in the formats of promptfoo, inspect-ai, pydantic-evals and OpenAI's Batch API.

- promptfoo (promptfoo.dev/docs/configuration/test-cases): a YAML list of tests. The case's input becomes
  `vars` (an object's fields, else `input`), what is expected an `equals` assertion; id and tags travel in
  `metadata`. promptfoo renders templates and multiplies out lists inside variables; both are prevented.
- inspect-ai (inspect.aisi.org.uk/datasets.html): one `Sample` per line: `input`, `target`, `id`, `metadata`.
  Inputs and targets are text there; an object is written as JSON and marked, so that it comes back as it was.
- pydantic-evals (ai.pydantic.dev/evals): a `Dataset` in YAML, whose cases have `name`, `inputs`,
  `expected_output` and `metadata`, scored there by `EqualsExpected`. (Its JSON takes no half characters.)
- Batch API (platform.openai.com/docs/guides/batch): one request per line: `custom_id`, `method`, `url`,
  `body`. A batch's answers come back as outputs by case id (`importing.from_batch`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from aicourse import json_text
from aicourse.errors import EvaluationError
from aicourse.evals.cases import Case
from aicourse.paths import write_atomically

_BATCH_LIMIT = 50_000  # requests in one file, as the Batch API documents


# promptfoo


def to_promptfoo(cases: Iterable[Case], path: Path | str) -> Path:
    """Write a promptfoo test file; name it in the configuration as `tests: file://tests.yaml`."""
    return _write_yaml(Path(path), [_promptfoo_test(case) for case in cases])


def _write_yaml(path: Path, data: Any) -> Path:
    write_atomically(path, yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110))
    return path


class _Dumper(yaml.SafeDumper):
    """Quotes text with unusual line breaks, which YAML would otherwise fold into spaces."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Text, double-quoted where only that keeps it as it is."""
        style = '"' if re.search("[\r\x85\u2028\u2029]", text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)

    def ignore_aliases(self, data: Any) -> bool:
        """True: what stands in two places is written twice, which every reader understands."""
        return True


_Dumper.add_representer(str, _Dumper.represent_text)


def _promptfoo_test(case: Case) -> dict[str, Any]:
    has_fields = isinstance(case.input, dict) and case.input and list(case.input) != ["input"]
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


def _escaped(value: Any) -> Any:
    """Text that promptfoo's templates give back as it was: what opens a tag becomes an expression.

    `{% raw %}` would be the usual way, and promptfoo (0.121) hands it on to the model where the text inside
    names a variable that it does not know.
    """
    return _TAG.sub(lambda tag: f"{{{{ '{tag[0]}' }}}}", value) if isinstance(value, str) else value


# inspect-ai


def to_inspect(cases: Iterable[Case], path: Path | str) -> Path:
    """Write inspect-ai samples; load them there with `json_dataset(path)`."""
    return _write_lines(Path(path), map(_inspect_sample, cases))


def _inspect_sample(case: Case) -> dict[str, Any]:
    as_json = [name for name in ("input", "expected") if not isinstance(getattr(case, name), str)]
    metadata = {"tags": list(case.tags), "provenance": case.provenance, "json": as_json}
    stated = "" if case.expected is None else _dump(case.expected)  # no text: there is no target
    return {
        "input": case.input if isinstance(case.input, str) else _dump(case.input),
        "target": case.expected if isinstance(case.expected, str) else stated,
        "id": case.id,
        "metadata": metadata,
    }


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# pydantic-evals


def to_pydantic_evals(cases: Iterable[Case], path: Path | str) -> Path:
    """Write a pydantic-evals dataset; load it there with `Dataset[Any, Any, Any].from_file(path)`.

    Raises:
        EvaluationError: the file's name does not say that it is YAML, as that library wants it.
    """
    if Path(path).suffix.lower() not in (".yaml", ".yml"):
        raise EvaluationError(
            f"pydantic-evals knows YAML by the file's name. Call it {Path(path).stem}.yaml."
        )
    dataset = {
        "name": Path(path).stem,
        "cases": [_pydantic_case(case) for case in cases],
        "evaluators": ["EqualsExpected"],
    }
    return _write_yaml(Path(path), dataset)


def _pydantic_case(case: Case) -> dict[str, Any]:
    metadata = {"tags": list(case.tags), "provenance": case.provenance}
    return {"name": case.id, "inputs": case.input, "expected_output": case.expected, "metadata": metadata}


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


def _write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    write_atomically(path, b"".join(json_text.dumps(record) + b"\n" for record in records))
    return path
