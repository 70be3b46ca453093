"""Assignment by hash: the weights hold, experiments are independent, and nobody changes sides on the ramp."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from aicourse.experiments import assign
from aicourse.experiments.assignment import place_of

PEOPLE = [f"seller {number}" for number in range(20_000)]


def test_a_place_is_the_hash_of_salt_and_person() -> None:
    whole = int.from_bytes(sha256(b"colours 1:seller 7").digest(), "big") / 2**256
    assert place_of("seller 7", "colours 1") == pytest.approx(whole, abs=1e-15)


@given(some.text(), some.text())
def test_a_place_lies_between_0_and_1_for_every_text(person: str, salt: str) -> None:
    assert 0 <= place_of(person, salt) < 1


def test_half_a_character_has_a_place_too() -> None:
    assert 0 <= place_of("\ud83d", "salt") < 1


def test_places_are_even() -> None:
    assert stats.kstest([place_of(person, "even") for person in PEOPLE], "uniform").pvalue > 0.001


def test_variants_get_their_weights(make: Any) -> None:
    experiment = make(variants={"control": 5, "v7": 3, "v8": 2})
    counts = Counter(assign(experiment, person) for person in PEOPLE)
    assert counts.keys() == {"control", "v7", "v8"}
    expected = [len(PEOPLE) * weight for weight in experiment.weights.values()]
    assert stats.chisquare([counts[name] for name in experiment.variants], expected).pvalue > 0.001


def _p_of_independence(first: Any, second: Any) -> float:
    """The p-value of a chi-square test of two experiments' variants for the same people."""
    pairs = Counter((assign(first, person), assign(second, person)) for person in PEOPLE)
    table = [[pairs[one, other] for other in second.variants] for one in first.variants]
    return float(stats.chi2_contingency(table).pvalue)


def test_experiments_with_other_salts_are_independent(make: Any) -> None:
    salts = ["colours 1", "colours 2", "colours 11", "search", ""]
    experiments = [make(salt=salt or "1") for salt in salts]
    p_values = [
        _p_of_independence(one, other)
        for place, one in enumerate(experiments)
        for other in experiments[:place]
    ]
    assert min(p_values) > 0.001
    assert _p_of_independence(make(), make(name="another")) < 1e-100  # the same salt


def test_a_person_keeps_the_variant_when_the_share_grows(make: Any) -> None:
    variants = {"control": 2, "v7": 1, "v8": 1}
    steps = [make(variants=variants, share=share) for share in make().ramp]
    taken = [{person: variant for person in PEOPLE if (variant := assign(step, person))} for step in steps]
    for earlier, later in pairwise(taken):
        assert len(earlier) < len(later)
        assert earlier.items() <= later.items()


def test_the_share_is_that_of_people_with_a_new_variant_and_the_ratio_stays(make: Any) -> None:
    for share in make().ramp:
        experiment = make(variants={"control": 1, "v7": 2}, share=share)
        counts = Counter(assign(experiment, person) for person in PEOPLE)
        assert stats.binomtest(counts["v7"], len(PEOPLE), share).pvalue > 0.001
        assert stats.binomtest(counts["v7"], counts["v7"] + counts["control"], 2 / 3).pvalue > 0.001


def test_a_share_of_0_stops_it(make: Any) -> None:
    assert {assign(make(share=0), person) for person in PEOPLE[:1_000]} == {None}


def test_the_edge_of_the_last_stretch_belongs_to_nobody(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aicourse.experiments.assignment.place_of", lambda *_: 1 - 2**-53)
    assert assign(make(variants=dict.fromkeys("abcdef", 1)), "anybody") in ("f", None)
