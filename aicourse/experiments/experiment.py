"""An experiment as data: variants with weights, a ramp, metrics and thresholds, in a TOML file.

docs/experiment-example/experiment.toml has every field, explained.
"""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from aicourse.errors import ExperimentError, first_problem
from aicourse.suggestions import similar_file

Name = Annotated[str, Field(pattern=r"\S")]
Share = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Metric(BaseModel):
    """A number per person, or a ratio of two sums.

    `numerator` is a column of the outcomes (that of the metric's name, if not given); with a `denominator`
    the metric is the sum of one over the sum of the other. `covariate`, for CUPED, is a column from before
    the start.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    numerator: Name | None = None
    denominator: Name | None = None
    covariate: Name | None = None
    better: Literal["higher", "lower"] = "higher"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the outcomes that are added up."""
        return (self.numerator or self.name, *([self.denominator] if self.denominator else []))


class Guardrail(Metric):
    """A metric that must not lose more than `tolerance`, in its own units."""

    tolerance: float = Field(ge=0, allow_inf_nan=False)


class Experiment(BaseModel):
    """One experiment; the first variant is what people have today.

    `share` is that of all people who get a new variant: a step of the ramp, or 0, which stops the experiment.
    `people` is the planned number. `srm_threshold` is the p-value below which the counts do not fit the
    weights, `multiple_threshold` the largest share of people that may have met several variants.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    salt: Name
    variants: dict[Name, Weight] = Field(min_length=2)
    share: float
    primary: Metric
    guardrails: tuple[Guardrail, ...] = ()
    ramp: tuple[Share, ...] = Field((0.01, 0.05, 0.10, 0.25, 0.50), min_length=1)
    people: int | None = Field(None, gt=0)
    stopping: Literal["fixed", "always valid"] = "fixed"
    srm_threshold: float = Field(0.001, gt=0, lt=1)
    multiple_threshold: float = Field(0.01, ge=0, lt=1)

    @model_validator(mode="after")
    def _check(self) -> Experiment:
        if any(later <= earlier for earlier, later in itertools.pairwise(self.ramp)):
            raise ValueError("the steps of the ramp must rise")
        if self.share not in (0, *self.ramp):
            raise ValueError(f"the share {self.share:g} is no step of the ramp, nor 0, which stops it")
        if self.ramp[-1] > self._new_weight + 1e-9:
            left = f"the weights leave {self._new_weight:g} for new variants"
            raise ValueError(f"the ramp ends at {self.ramp[-1]:g}, but {left}")
        added_up = {column for metric in self.metrics for column in metric.columns}
        if known := added_up & {metric.covariate for metric in self.metrics}:
            raise ValueError(f"the covariate {known.pop()!r} is a column of a metric, not from before")
        return self

    @property
    def control(self) -> str:
        """The variant that people have today."""
        return next(iter(self.variants))

    @property
    def new_variants(self) -> tuple[str, ...]:
        """All the others."""
        return tuple(self.variants)[1:]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The primary metric, then the guardrails."""
        return (self.primary, *self.guardrails)

    @property
    def weights(self) -> dict[str, float]:
        """The variants' shares of those who take part; they add up to 1."""
        total = sum(self.variants.values())
        return {variant: weight / total for variant, weight in self.variants.items()}

    @property
    def _new_weight(self) -> float:
        return 1 - self.weights[self.control]

    @property
    def coverage(self) -> float:
        """The share of all people who take part, the control's too."""
        return min(1.0, self.share / self._new_weight)

    @property
    def significance(self) -> float:
        """5 % over all new variants, each of which is compared with the control (Bonferroni)."""
        return 0.05 / len(self.new_variants)


def read_experiment(path: Path | str) -> Experiment:
    """The experiment in a TOML file.

    Raises:
        ExperimentError: the file cannot be read, or is no experiment; the message says what is wrong with it.
    """
    path = Path(path)
    try:
        return Experiment.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        reason = f"No file {path} ({error.strerror}).{similar_file(path)} Check the path."
    except ValidationError as error:
        told = first_problem(error, "the file")
        reason = f"{path}: {told}. docs/experiments.md has an example of every field."
    except (ValueError, RecursionError) as error:
        reason = f"{path} is no TOML ({error}). docs/experiments.md has an example."
    raise ExperimentError(reason, path=path)
