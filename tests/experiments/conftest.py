"""Tests of experiments share one experiment, with what differs in each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aicourse.experiments import Experiment


@pytest.fixture
def make() -> Callable[..., Experiment]:
    """The experiment of the tests: two variants, half of all people each, a rate and a ratio."""

    def experiment(**changes: Any) -> Experiment:
        usual: dict[str, Any] = {
            "name": "colours-first",
            "salt": "colours-first 1",
            "variants": {"control": 1, "v7": 1},
            "share": 0.5,
            "people": 1_000,
            "primary": {"name": "published"},
            "guardrails": [
                {
                    "name": "seconds per listing",
                    "numerator": "seconds",
                    "denominator": "listings",
                    "better": "lower",
                    "tolerance": 2,
                }
            ],
        }
        return Experiment.model_validate(usual | changes)

    return experiment
