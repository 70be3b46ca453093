"""What `exporting.to_inspect` writes loads in the real inspect-ai and scores the same there.

inspect-ai is not among the project's dependencies; run this where it is installed beside the project:

    pip install inspect-ai && pytest tests/interop
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aicourse.evals import runner
from aicourse.evals.cases import Case
from aicourse.evals.scorers import exact
from aicourse.marketplace import listing_cases
from aicourse.tooling.evaluation import exporting

inspect_ai = pytest.importorskip("inspect_ai")


def answer(id: str, expected: str) -> str:
    """A task that is right about every other listing."""
    return "shoes" if int(id[1:]) % 2 else expected


def test_inspect_counts_the_same_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inspect_ai.dataset import json_dataset
    from inspect_ai.scorer import exact as inspect_exact
    from inspect_ai.solver import solver

    listings = [
        case.model_copy(update={"expected": case.expected["category"]}) for case in listing_cases("dev")
    ]

    def task(case: Case) -> str:
        return answer(case.id, case.expected)

    ours = runner.run(task, listings, [exact()], progress=False).summary.scores[0].mean

    @solver  # type: ignore[untyped-decorator]
    def fixed():  # type: ignore[no-untyped-def]
        async def solve(state, generate):  # type: ignore[no-untyped-def]
            state.output.completion = answer(state.sample_id, state.target.text)
            return state

        return solve

    monkeypatch.setenv("INSPECT_LOG_DIR", str(tmp_path / "logs"))
    samples = json_dataset(str(exporting.to_inspect(listings, tmp_path / "samples.jsonl")))
    assert [(sample.id, sample.input) for sample in samples] == [(case.id, case.input) for case in listings]
    evaluation = inspect_ai.Task(dataset=samples, solver=fixed(), scorer=inspect_exact())
    (log,) = inspect_ai.eval(evaluation, model="mockllm/model", display="none")
    assert ours is not None
    assert log.results.scores[0].metrics["mean"].value == pytest.approx(ours.estimate)
