"""Facts of replies: rules against a reader's marks, on replies written to find where the rules break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicourse.agents.facts import facts_in, holds

# replies as models write them, with the facts that a reader finds in each (of the kinds that there are)
REPLIES: tuple[tuple[str, set[str]], ...] = (
    (
        "Sorry, order 1003 was delivered on 10 November, so I cannot report it.",
        {"order:1003", "status:delivered", "date:2026-11-10", "not:report"},
    ),
    ("130.50 € for order 1006 go back by card.", {"amount:130.50", "order:1006", "did:refund"}),
    (
        "I am sorry, you have no order 1001, so I could not report it.",
        {"order:1001", "not:order", "not:report"},
    ),
    (
        "Order 1004 is reported as damaged. The seller has 48 hours to react.",
        {"order:1004", "did:report", "hours:48", "days:2"},
    ),
    ("Refund 130.50 € for order 1006 (record player)?", {"amount:130.50", "order:1006", "asks"}),
    ("Your side table is on its way.", {"status:on its way"}),
    ("You can report problems within three days after delivery.", {"days:3", "hours:72"}),
    ("A colleague takes over.", {"did:hand_over"}),
    ("I hand you over to a colleague, who will read this conversation.", {"did:hand_over"}),
    (
        "Order 1005 is cancelled; 36.90 € go back by ideal.",
        {"order:1005", "status:cancelled", "did:cancel", "did:refund", "amount:36.90"},
    ),
    ("Order 1005 goes to Markt 5, 8000 Brugge.", {"order:1005", "order:8000", "did:address"}),
    ("Your refund has been processed.", {"did:refund"}),
    ("I've opened a return for your lamp.", {"did:report"}),
    ("We will refund EUR 1,250.00 tomorrow.", {"amount:1250.00", "did:refund"}),
    ("We have issued a refund of €45.", {"amount:45.00", "did:refund"}),
    ("The refund is 45,50 euro.", {"amount:45.50"}),
    ("The link is valid for 20 minutes.", {"minutes:20"}),
    (
        "Unfortunately your order cannot be cancelled because it was already scanned.",
        {"not:cancel", "status:on its way"},
    ),
    (
        "I can't find order 1001 in your account. Which order do you mean?",
        {"order:1001", "not:order", "asks", "asks:order"},
    ),
    ("It is too late to cancel order 1002.", {"order:1002", "not:cancel"}),
    ("That order belongs to another customer.", {"not:order"}),
    ("Your parcel has not been delivered yet.", set()),
    ("If the parcel is lost, you get the full amount back.", set()),
    ("Your record player was lost by the carrier.", {"status:lost"}),
    ("Which of your orders is it: 1001 or 1003?", {"asks", "asks:order", "order:1001", "order:1003"}),
    ("The selling fee is 8 % of the price.", {"percent:8"}),
    ("Your return was not opened, since the 3 days are over.", {"not:report", "days:3", "hours:72"}),
    ("No refund was made.", {"not:refund"}),
    (
        "I have cancelled your order, but the refund could not be made.",
        {"did:cancel", "status:cancelled", "not:refund"},
    ),
    ("Please confirm that you want to cancel the order.", set()),
    ("You may cancel within one hour.", {"hours:1"}),
    ("It was delivered on November 24th, 2026.", {"status:delivered", "date:2026-11-24"}),
    ("It was delivered on 2026-11-24.", {"status:delivered", "date:2026-11-24"}),
    ("Your order has been shipped and will arrive soon.", {"status:on its way"}),
    ("The seller has not sent it yet.", {"status:not sent"}),
    ("I'll pass this on to my colleagues in the team.", {"did:hand_over"}),
    ("I don't have access to your bank account.", set()),
    ("Change of mind is no reason for a return.", {"not:report"}),
    ("Your address has been updated.", {"did:address"}),
    ("Neither the seller nor we can alter the address.", {"not:address"}),
    ("Goodbye and thank you!", set()),
    ("", set()),
)


@pytest.mark.parametrize(("reply", "facts"), REPLIES)
def test_rules_find_what_a_reader_finds(reply: str, facts: set[str]) -> None:
    assert facts_in(reply) == facts


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1,250.00 €", "1250.00"),
        ("1.250,00 €", "1250.00"),
        ("€ 7", "7.00"),
        ("7,5 euros", "7.50"),
        ("1,250 €", "1250.00"),
        ("EUR 0.70", "0.70"),
    ],
)
def test_an_amount_is_the_same_however_it_is_written(written: str, amount: str) -> None:
    assert facts_in(f"It costs {written}.") == {f"amount:{amount}"}


def test_names_are_words_that_nobody_denies() -> None:
    assert holds("says:wool coat", "Your wool coat is here.")
    assert not holds("says:wool coat", "Your wool coats are here.")
    assert not holds("says:wool coat", "Your order is no wool coat.")
    assert holds("amount:45.00", "It is 45 €.")
    assert not holds("amount:45.00", "It is 145 €, or 45 days.")


@given(st.text(max_size=300))
def test_any_text_has_facts_or_none(text: str) -> None:
    assert all(":" in fact or fact == "asks" for fact in facts_in(text))
