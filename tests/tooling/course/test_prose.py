"""Figures in prose: which need a proof, and what proves them."""

from __future__ import annotations

import pytest

from aicourse.tooling.course.rules.prose import figures, stated


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("precision falls from .84 to 0.57", [".84", "0.57"]),
        ("84 % of 1,580 calls", ["84 %", "1,580"]),
        ("about 40 calls; 12 of them fail, three twice", ["40"]),
        (
            "## 14 Headings\n\n(and `n = 99` in code, [15 links](x-99.md), <b style='width: 88px'>16</b>)",
            ["15", "16"],
        ),
        (
            "lessons 03 to 05, exercise 01.2, v4 and v5, Python 3.13, 2026-11-30, F1, the 95 % interval",
            [],
        ),
        ('a listing says "should have bought the 43"', []),
        ("costs $0.10 in and $0.50 out", ["0.10", "0.50"]),
        ("```console\naicourse run 21\n```", []),
        ("Next: [13 · Feedback](13-feedback.ipynb)", []),
    ],
)
def test_what_needs_a_proof(text: str, expected: list[str]) -> None:
    assert [figure.written for figure in stated(text)] == expected


@pytest.mark.parametrize(
    ("written", "shown", "proved"),
    [
        ("0.84", "0.8395", True),
        (".84", "0.84", True),
        ("84 %", "0.8395", True),
        ("0.84", "84 %", True),
        ("84 %", "83.9", True),
        ("0.84", "0.85", False),
        ("0.84", "0.8", False),
        ("0.841", "0.84", False),
        ("1,580", "1580", True),
        ("about 40", "42", True),
        ("40", "42", False),
        ("about 40", "45", False),
        ("15", "0.15", False),
        ("20", "19.6", True),
    ],
)
def test_what_proves_it(written: str, shown: str, proved: bool) -> None:
    (figure,), (output,) = figures(written), figures(shown)
    assert figure.rounds(output) is proved
