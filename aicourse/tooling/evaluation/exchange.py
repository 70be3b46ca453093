"""Where a set of cases comes from and goes to by name: what `aicourse evals export` and `import` do.

    export_cases(find_cases("datasets/listings", split="test"), "promptfoo", "tests.yaml")
    import_cases("samples.jsonl", "inspect", "cases.jsonl")

The formats themselves are in `formats`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from aicourse.errors import EvaluationError
from aicourse.evals import cases as sets
from aicourse.evals.cases import Case
from aicourse.tooling.evaluation import formats

Target = Literal["promptfoo", "inspect", "batch"]
Source = Literal["promptfoo", "inspect", "csv"]

_IMPORTERS: dict[Source, Callable[[Path], list[Case]]] = {
    "promptfoo": formats.from_promptfoo,
    "inspect": formats.from_inspect,
}


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
        return sets.from_listings(split or "test")
    if split is not None:
        raise EvaluationError(f"{path} is a file without splits. Leave --split out.", path=path)
    return sets.load(path)


def export_cases(
    cases: Iterable[Case], target: Target, path: Path | str, *, model: str | None = None, system: str = ""
) -> Path:
    """Write cases for another tool; a batch asks `model`, with `system` as the system message if given.

    Raises:
        EvaluationError: a batch without a model, or with too many requests.
    """
    if target == "promptfoo":
        return formats.to_promptfoo(cases, path)
    if target == "inspect":
        return formats.to_inspect(cases, path)
    if model is None:
        raise EvaluationError("A batch names the model it asks. Add --model.")
    return formats.to_batch(cases, path, body=lambda case: _body(case, model, system))


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
        return sets.save(sets.from_csv(path, input=input, expected=expected, id=id, tags=tags), target)
    return sets.save(_IMPORTERS[source](Path(path)), target)
