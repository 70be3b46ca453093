"""The support assistant: the course's agent for the desk, as lesson 19 arrives at it.

    agent = support_agent(connect(), temperature=0)
    conversation = agent.start(desk.tools(), "mia")

Each part is there because a small model fails without it: `EXAMPLES` (conversations about other orders) show
what a call looks like, the opening lists the customer's orders, stops end a turn, vetoes know order numbers
and addresses, and a prompt of its own words the result. Lesson 19 takes them away one at a time and measures
what each is worth.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aicourse import prompts
from aicourse.agents.loop import Agent, LoopLimits, Message
from aicourse.agents.rules import SMALL_MODEL, known_ids, said

if TYPE_CHECKING:
    import openai

MODEL = "qwen2.5-coder-1.5b"
LIMITS = LoopLimits(steps=6, calls=6, tokens=40_000)


def _example(asked: str, orders: str, *steps: tuple[str, dict[str, Any], str] | str) -> list[Message]:
    """A conversation as messages: the question, the customer's orders, then calls and replies."""
    messages: list[Message] = [{"role": "user", "content": asked}]
    for place, step in enumerate((("list_my_orders", {}, orders), *steps)):
        if isinstance(step, str):
            messages.append({"role": "assistant", "content": step})
            continue
        name, arguments, result = step
        call = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
        identity = f"e{len(asked)}_{place}"
        sent = {"id": identity, "type": "function", "function": call}
        messages.append({"role": "assistant", "content": None, "tool_calls": [sent]})
        messages.append({"role": "tool", "tool_call_id": identity, "content": result})
    return messages


_CHAIR = "301 vase (scanned); 302 kitchen chair (delivered)"
_RADIO = "303 radio (lost); 305 wool rug (in the depot)"
_TOWELS = "304 bath towels (paid); 306 plates (delivered)"


def _asked(question: str) -> tuple[str, str]:
    """A write's result, and the reply to it."""
    return f"Not done yet: the customer is asked «{question}»", question


_REPORT, _SAID_REPORT = _asked("Report order 302 (kitchen chair) as damaged?")
_REFUND, _SAID_REFUND = _asked("Refund 35.00 € for order 303 (radio)?")
_CANCEL, _SAID_CANCEL = _asked("Cancel order 304 (bath towels) and refund 21.00 €?")
_COLLEAGUE = "A colleague takes over. Tell the customer."
EXAMPLES: tuple[Message, ...] = (
    *_example(
        "Has my vase been sent?",
        _CHAIR,
        ("order_status", {"order_id": 301}, "Order 301: vase; scanned (last scan 2026-11-23)."),
        "Yes, your vase was scanned on 23 November 2026.",
    ),
    *_example(
        "What does a boost cost?",
        _TOWELS,
        ("search_help", {"query": "boost price"}, "Boosts › Prices A boost costs 1.95 € for 3 days."),
        "A boost costs 1.95 € for 3 days.",
    ),
    *_example(
        "The chair came with a broken leg.",
        _CHAIR,
        ("report_problem", {"order_id": 302, "reason": "damaged"}, _REPORT),
        _SAID_REPORT,
    ),
    *_example(
        "Is the rug still not here? Please look.",
        _RADIO,
        ("order_status", {"order_id": 305}, "Order 305: wool rug; in the depot (last scan 2026-11-22)."),
        "Your wool rug (order 305) is in the depot; it was last scanned on 22 November 2026.",
    ),
    *_example(
        "My radio got lost, pay me back.",
        _RADIO,
        ("refund_order", {"order_id": 303}, _REFUND),
        _SAID_REFUND,
    ),
    *_example(
        "I took the wrong towels, stop it please.",
        _TOWELS,
        ("cancel_order", {"order_id": 304}, _CANCEL),
        _SAID_CANCEL,
    ),
    *_example(
        "Send my order to my office instead.",
        _TOWELS,
        "Which order do you mean, the bath towels (304) or the plates (306), and what is the whole address?",
    ),
    *_example(
        "Cancel 977 please.",
        _RADIO,
        ("cancel_order", {"order_id": 977}, "This customer has no order 977. Say so."),
        "I cannot cancel it: you have no order 977.",
    ),
    *_example(
        "My account shows another person's name.",
        _CHAIR,
        ("hand_over", {"reason": "another name in the account"}, _COLLEAGUE),
        "I hand you over to a colleague.",
    ),
    *_example(
        "A buyer threatens me in the chat, do something.",
        _TOWELS,
        ("hand_over", {"reason": "a buyer threatens the customer"}, _COLLEAGUE),
        "I hand you over to a colleague.",
    ),
    *_example("Good night!", _RADIO, "Good night!"),
)


def support_agent(client: openai.OpenAI, model: str = MODEL, **settings: Any) -> Agent:
    """The support assistant on a model; `settings` go into each call, such as `temperature` and `seed`."""
    return Agent(
        client,
        model,
        prompts.load("support_agent").render(message="")[0]["content"],
        examples=EXAMPLES,
        wording=prompts.load("support_wording"),
        opening=("list_my_orders",),
        stops=SMALL_MODEL,
        vetoes=(known_ids(), said("address")),
        limits=LIMITS,
        settings=settings,
    )
