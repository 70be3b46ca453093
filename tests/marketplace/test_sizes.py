"""Sizes as listings state them: what they say, and how much of one is right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicourse.datasets import load_listings
from aicourse.marketplace.sizes import Label, Measure, compare_sizes, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("120x60x75 cm", Measure("length", (120, 60, 75))),
        ("120 cm x 60cm × 0.75 m", Measure("length", (120, 60, 75))),
        ('27"', Measure("length", (68.58,))),
        ("6x4 ft", Measure("length", (182.88, 121.92))),
        ("140–180 cm", Measure("length", (140, 180), is_range=True)),
        ("1,5 l", Measure("volume", (1.5,))),
        ("500 ml", Measure("volume", (0.5,))),
        ("eu 38", Label("EU", "38")),
        ("US8.5", Label("US", "8.5")),
        ("W32 L34", Label(None, "W32L34")),
        ("XL", Label(None, "XL")),
        ("age 4-5", Label(None, "AGE4-5")),
        ("3-6 months", Label(None, "3-6MONTHS")),
        ("2 l x 3 cm", Label(None, "2LX3CM")),
        ("", Label(None, "")),
    ],
)
def test_parse_size(text: str, size: Measure | Label) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("got", "expected", "score"),
    [
        ("68.6 cm", "27 in", 1.0),
        ("70 cm", "27 in", 0.0),
        ("0.5 l", "500 ml", 1.0),
        ("60x120 cm", "120x60 cm", 0.0),
        ("120x60x75x10 cm", "120x60x75 cm", 0.75),
        ("140 cm", "140-180 cm", 0.0),
        ("2 l", "2 m", 0.0),
        ("w32l34", "W32 L34", 1.0),
        ("38", "EU 38", 0.0),
        ("UK 5", "EU 38", 0.0),
        ("EU 39", "EU 38", 0.0),
        ("38 cm", "38", 0.0),
    ],
)
def test_compare_sizes(got: str, expected: str, score: float) -> None:
    result, reason = compare_sizes(got, expected)
    assert result == pytest.approx(score)
    assert reason


@given(st.text(max_size=20))
def test_any_text_is_some_size_and_equals_itself(text: str) -> None:
    assert compare_sizes(text, text)[0] == 1.0


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=3),
    st.sampled_from([("mm", 0.1), ("m", 100), ("cm", 1)]),
)
def test_a_change_of_unit_changes_nothing(numbers: list[int], unit: tuple[str, float]) -> None:
    name, factor = unit
    stated = "x".join(f"{number / factor:.6f}" for number in numbers) + f" {name}"
    assert compare_sizes(stated, "x".join(map(str, numbers)) + " cm")[0] == 1.0


def test_every_gold_size_of_the_listings_is_understood() -> None:
    for size in load_listings()["size"].dropna():
        parsed = parse_size(size)
        assert isinstance(parsed, Measure) == size.endswith((" cm", " m", " in", " ft", " l", " ml")), size
