"""What `exporting.to_pydantic_evals` writes loads in the real pydantic-evals and scores the same there.

pydantic-evals is not among the project's dependencies; run this where it is installed beside the project:

    pip install pydantic-evals && pytest tests/interop
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aicourse.evals import runner
from aicourse.evals.cases import Case
from aicourse.evals.scorers import exact
from aicourse.marketplace import listing_cases
from aicourse.tooling.evaluation import exporting

pydantic_evals = pytest.importorskip("pydantic_evals")

ODD = [
    Case(id="lines", input="one\u2028two\r\nthree", expected="yes: no", tags=("a, b",), provenance="me"),
    Case(id="null", input={"a": [1, 2.5, None, True]}, expected=None),
    Case(id="half", input="a\ud83d", expected="\0"),
    Case(id="1", input="1", expected=["2026-01-01", "on"]),
]


def answer(id: str, expected: Any) -> Any:
    """A task that is right about two of three cases."""
    return "something else" if sum(map(ord, id)) % 3 == 0 else expected


def test_pydantic_evals_counts_the_same_passes(tmp_path: Path) -> None:
    several = [*listing_cases("dev"), *ODD]
    path = exporting.to_pydantic_evals(several, tmp_path / "listings.yaml")
    dataset = pydantic_evals.Dataset[Any, Any, Any].from_file(path)
    assert [
        Case(id=one.name, input=one.inputs, expected=one.expected_output, **one.metadata)
        for one in dataset.cases
    ] == several
    inputs = {repr(case.input): case for case in several}
    assert len(inputs) == len(several)

    def task(given: Any) -> Any:
        case = inputs[repr(given)]
        return answer(case.id, case.expected)

    result = dataset.evaluate_sync(task, progress=False)
    theirs = {one.name: one.assertions["EqualsExpected"].value for one in result.cases if one.assertions}
    ours = runner.run(lambda case: answer(case.id, case.expected), several, [exact()], progress=False).values(
        "exact"
    )
    assert theirs == {id: bool(value) for id, value in ours.items() if id != "null"}  # nothing is expected
