from __future__ import annotations

import re
import time
from collections import Counter

import pytest
from scipy.stats import binomtest

from aicourse.datasets import private_texts
from aicourse.monitoring.private_data import find_private, without_private
from aicourse.paths import datasets_dir

DATASHEET = (datasets_dir() / "private_data" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann@example.org", "[email]"),
        ("/users/ann%40example.org/cart", "/users/[email]/cart"),
        ("GB82WEST12345698765432!", "[iban]!"),
        ("gb82 west 1234 5698 7654 32", "[iban]"),
        ("GB82 WEST 1234 5698 7654 33", "GB82 WEST 1234 5698 7654 33"),  # wrong check digits
        ("4111111111111111", "[card]"),
        ("4111111111111112", "4111111111111112"),
        ("+31 6 12345678, or 0612345678", "[phone], or [phone]"),
        ("between 03.05.2025 and 04/06/2025", "between 03.05.2025 and 04/06/2025"),
        ("ISBN 978-3-16-148410-0", "ISBN 978-3-16-148410-0"),
        ("Am Montag 9 Uhr, Am Mühlbach 4b", "Am Montag 9 Uhr, [address]"),
        ("12 rue de la Paix, 75002 Paris", "[address]"),
        ("12 Rue de la Paix, or Quai Voltaire 3", "[address], or [address]"),
        ("Collect at 12 Mill Lane, Leeds, or call", "Collect at [address], or call"),
        ("12 Mill Lane, Leeds, LS1 4AP", "[address]"),
        ("3 Kings Road, St Albans. I am at home", "[address]. I am at home"),
        ("at 12 Mill Lane, I am in; at 14 Mill Lane in York", "at [address], I am in; at [address]"),
        ("Bergstraße 12, Montag ab 18 Uhr", "[address], Montag ab 18 Uhr"),
        ("6 Square Plates, 2 Place Mats", "6 Square Plates, 2 Place Mats"),
        ("Baker Street is a poster, size 38", "Baker Street is a poster, size 38"),
        ("", ""),
    ],
)
def test_what_is_private(text: str, expected: str) -> None:
    assert without_private(text) == expected


def found_and_wanted(split: str) -> tuple[Counter[str], Counter[str], list[bool]]:
    """Pieces found and pieces there, by kind; and for each stretch taken out, whether it is private."""
    found: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    right = []
    for text in private_texts(split):
        stretches = find_private(text.text)
        taken = {place for one in stretches for place in range(one.start, one.end)}
        for kind, start, end in text.private:
            wanted[kind] += 1
            found[kind] += taken.issuperset(range(start, end))
        right += [
            any(one.start < end and start < one.end for _, start, end in text.private) for one in stretches
        ]
    return found, wanted, right


def interval(count: int, of: int) -> str:
    low, high = binomtest(count, of).proportion_ci(method="wilson")
    return f"{count / of:.2f} ({low:.2f} to {high:.2f})"


def test_the_datasheet_states_recall_and_precision_as_measured() -> None:
    dev_found, dev_wanted, _ = found_and_wanted("dev")
    found, wanted, right = found_and_wanted("test")
    rows = [
        f"| {kind} | {dev_found[kind]} of {dev_wanted[kind]} | {found[kind]} of {wanted[kind]} "
        f"| {interval(found[kind], wanted[kind])} |"
        for kind in ("email", "phone", "iban", "card", "address")
    ]
    assert re.findall(r"^\| \w+ \| \d.*$", DATASHEET, re.MULTILINE) == rows
    assert f"Of {len(right)} stretches taken out in test, {sum(right)} are private data" in DATASHEET
    assert f"precision {interval(sum(right), len(right))}" in DATASHEET


def test_what_was_there_when_the_patterns_were_written_is_found() -> None:
    found, wanted, right = found_and_wanted("dev")
    assert found == wanted
    assert all(right)


@pytest.mark.parametrize(
    "piece", ["a", "a.", "0 ", "00", "4 ", "GB82 ", "Ab ", "12 Ab ", "rue ", "Straße ", "@a", "A-"]
)
def test_hostile_text_takes_no_longer_than_its_length(piece: str) -> None:
    def seconds(length: int) -> float:
        started = time.process_time()
        find_private(piece * (length // len(piece)) + "1@")
        return time.process_time() - started

    short = max(seconds(2_000), 0.002)
    assert seconds(20_000) < 40 * short  # ten times the text; squared time would be a hundredfold
