"""Assignment: the variant of a person, from a hash of the experiment's salt and the person's id.

    salt, person -> SHA-256 -> a place in [0, 1) -> the variant whose stretch holds the place

Nothing is stored, and a person always gets the same variant. Another salt gives places that have nothing to
do with these, so experiments do not disturb each other.

Each variant owns a stretch as long as its weight, and people take part from its beginning up to the
experiment's coverage. When the share grows, so does the used part of each stretch: those who took part keep
their variant, and the ratio of the variants stays the same. (A ratio that changes with the ramp mixes early
and late people in different proportions: Simpson's paradox; Kohavi, Tang & Xu 2020, chapter 3.)
"""

from __future__ import annotations

from hashlib import sha256

from aicourse.experiments.experiment import Experiment


def place_of(person: str, salt: str) -> float:
    """A number in [0, 1) that looks random, and is always the same for this person and salt."""
    digest = sha256(f"{salt}:{person}".encode("utf-8", "surrogatepass")).hexdigest()
    return int(digest[:13], 16) / 16**13  # 52 bits, which a float holds exactly


def assign(experiment: Experiment, person: str) -> str | None:
    """The variant of a person; None for who takes no part: they get the control's, and are not logged."""
    place, start = place_of(person, experiment.salt), 0.0
    for variant, weight in experiment.weights.items():
        if place < start + weight:
            return variant if place < start + weight * experiment.coverage else None
        start += weight
    return None  # the weights add up to a hair less than 1
