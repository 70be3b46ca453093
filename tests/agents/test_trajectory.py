"""Trajectories: what is in the record, and that a stranger's text is nothing but text in the drawing."""

from __future__ import annotations

from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicourse.agents.trajectory import Step, Trajectory
from aicourse.agents.writes import RowChange
from aicourse.errors import AgentError

CHANGE = RowChange("refunds", "insert", {}, {"order_id": 1006, "cents": 13050})
STEPS = (
    Step("customer", "My record player was lost."),
    Step("model", prompt_tokens=100, completion_tokens=20, cost=Decimal("0.00012"), seconds=1.5),
    Step("tool", "Not done yet", "refund_order", {"order_id": 1006}, "asks", True),
    Step("reply", "Refund 130.50 €?"),
    Step("yes", "130.50 € go back.", "refund_order", {"order_id": 1006}, "done", True, (CHANGE,)),
    Step("reply", "130.50 € go back."),
    Step("customer", "Thanks"),
    Step("model", "Bye.", prompt_tokens=130, completion_tokens=3, cost=Decimal("0.00003"), seconds=0.5),
    Step("stop", "limit: steps"),
    Step("reply", "Bye."),
)
WHOLE = Trajectory("lea", "gpt-6-luna", STEPS, ({"role": "user", "content": "x"},))


def test_what_a_trajectory_adds_up() -> None:
    assert [len(turn) for turn in WHOLE.turns] == [4, 2, 4]
    assert (WHOLE.model_calls, len(WHOLE.calls), WHOLE.tokens, WHOLE.seconds) == (2, 1, 253, 2.0)
    assert (WHOLE.cost, WHOLE.changes, WHOLE.stopped) == (Decimal("0.00015"), [CHANGE], "limit: steps")
    assert WHOLE.replies == ["Refund 130.50 €?", "130.50 € go back.", "Bye."]
    assert Trajectory("lea", "m", (Step("model", cost=None), *STEPS)).cost is None
    assert (Trajectory("lea", "m").turns, Trajectory("lea", "m").cost) == ([], 0)


def test_the_text_form_is_the_tree() -> None:
    assert str(WHOLE).splitlines()[:7] == [
        "lea and gpt-6-luna. Turns: 3, model calls: 2, tool calls: 1, changed rows: 1, tokens: 253, "
        "cost: $0.00015",
        "customer: My record player was lost.",
        "  model (100 tokens in, 20 out, 1.50 s)",
        "  refund_order(order_id=1006) → asks: Not done yet",
        "  reply: Refund 130.50 €?",
        "customer says yes to refund_order(order_id=1006) → done: 130.50 € go back.",
        "    insert refunds: order_id=1006, cents=13050",
    ]


def test_json_keeps_everything() -> None:
    assert Trajectory.from_json(WHOLE.to_json()) == WHOLE
    with pytest.raises(AgentError, match="No trajectory"):
        Trajectory.from_json('{"customer": 1}')


class Tags(HTMLParser):
    """The elements of a page, and the ones that are open."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, list[str]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, [name for name, _ in attrs]))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


HOSTILE = st.text(max_size=60) | st.sampled_from(
    ["<script>alert(1)</script>", "</details></li>", '"><img src=x onerror=y>', "{{7*7}}", "{0}", "%s"]
)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_a_strangers_text_is_text(said: str, name: str, value: str) -> None:
    change = RowChange(name, "update", {}, {name: value})
    steps = (Step("customer", said), Step("tool", said, name, {name: value}, "done", changes=(change,)))
    parser = Tags()
    parser.feed(Trajectory(name, value, (*steps, Step("reply", said)))._repr_html_())
    parser.close()
    assert parser.open == []
    assert {tag for tag, _ in parser.seen} <= {"div", "p", "ul", "li", "details", "summary", "strong", "code"}
    assert {attribute for _, names in parser.seen for attribute in names} <= {"class", "open"}
