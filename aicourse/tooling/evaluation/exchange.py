"""Evaluation sets of other tools by the name of the format: found, written for them, taken from them.

export_cases(find_cases("datasets/listings", split="test"), "promptfoo", "tests.yaml")
import_cases("samples.jsonl", "inspect", "cases.jsonl")
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from aicourse.errors import EvaluationError
from aicourse.evals.cases import Case, EvaluationSet, save_cases
from aicourse.marketplace.evaluation import listing_cases
from aicourse.tooling.evaluation import exporting, importing

Target = Literal["promptfoo", "inspect", "pydantic-evals", "batch"]
Source = Literal["promptfoo", "inspect", "csv"]


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
        return exporting.to_promptfoo(cases, path)
    if target == "inspect":
        return exporting.to_inspect(cases, path)
    if target == "pydantic-evals":
        return exporting.to_pydantic_evals(cases, path)
    if model is None:
        raise EvaluationError("A batch names the model it asks. Add --model.")
    return exporting.to_batch(cases, path, body=lambda case: _body(case, model, system))


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
) -> importing.Imported:
    """Turn another tool's cases into a set of ours; the names are columns of a CSV file.

    Raises:
        EvaluationError: the file is missing, broken or empty; nothing is written then.
    """
    if source == "csv":
        imported = importing.from_csv(path, input=input, expected=expected, id=id, tags=tags)
    else:
        imported = importing.from_promptfoo(path) if source == "promptfoo" else importing.from_inspect(path)
    save_cases(imported.cases, target)
    return imported
