"""A checks file as authors write them, for answers that are data; only tests read it."""

from __future__ import annotations

from typing import Any

from aicourse.notebook.checks import Check, Mistake
from aicourse.notebook.exercises import Exercise


def every_metric_has_a_unit(definition: dict[str, Any]) -> bool | str:
    for metric in definition["metrics"]:
        if not metric.get("unit"):
            return f"`{metric['name']}` has no unit."
    return True


exercises = [
    Exercise(
        id="00.1",
        title="Define success",
        reference={"metrics": [{"name": "time to publish", "unit": "s", "baseline": 240, "target": 60}]},
        checks=[
            Check("names a metric", predicate=lambda definition: len(definition["metrics"]) > 0),
            Check("gives every metric a unit", predicate=every_metric_has_a_unit),
            Check(
                "has a target that differs from the baseline",
                predicate=lambda definition: all(m["target"] != m["baseline"] for m in definition["metrics"]),
                message="A target that is already met measures nothing.",
            ),
        ],
        mistakes=[
            Mistake(
                {"metrics": [{"name": "quality", "baseline": "bad", "target": "good"}]},
                "Good is not a number: say what you would count.",
                recognise=lambda definition: any(isinstance(m["target"], str) for m in definition["metrics"]),
            ),
        ],
        hints=["What does the seller lose today, in seconds?"],
        seconds=0.5,
    ),
    Exercise(
        id="00.2",
        title="Share of sellers who give up",
        reference=0.4,
        checks=[Check("is a share", predicate=lambda share: abs(share - 0.4) < 0.001)],
        mistakes=[Mistake(40, "That is a percentage: a share lies between 0 and 1.")],
        hints=["Divide by all sellers."],
        seconds=0.5,
    ),
]
