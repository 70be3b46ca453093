"""Checks of lesson 01: finished replies, the bill, one record from three APIs, the loop that waits."""

from __future__ import annotations

import operator
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from functools import partial
from unittest import mock

import httpx2
import openai
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from aicourse.llm.faults import Fault
from aicourse.notebook.checks import Check, Mistake, arguments
from aicourse.notebook.exercises import Exercise
from aicourse.testing import ScriptedModel


def reply(content, finish_reason="stop"):
    """A chat completion as a provider sends it."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return ChatCompletion.model_validate(
        {
            "id": "chat",
            "object": "chat.completion",
            "created": 0,
            "model": "scripted",
            "choices": [choice],
        }
    )


def text_of(reply):
    choice = reply.choices[0]
    text = (choice.message.content or "").strip()
    if choice.finish_reason != "stop" or not text:
        raise ValueError(
            f"no complete text: finish_reason={choice.finish_reason!r}, {len(text)} characters"
        )
    return text


def names_the_reason(text_of):
    for text, reason in (
        ("A blue jac", "length"),
        ("A blue jac", "content_filter"),
        ("A blue jac", "tool_calls"),
        (None, "stop"),
    ):
        try:
            text_of(reply(text, reason))
        except ValueError as error:
            if reason not in str(error):
                told = f"For a reply that stopped with {reason!r} the error says only"
                return f"{told}: {error}"
        else:
            return f"A reply that stopped with {reason!r} raised nothing."
    return True


def always_the_content(reply):
    return reply.choices[0].message.content


def empty_instead_of_error(reply):
    choice = reply.choices[0]
    return (
        choice.message.content.strip()
        if choice.finish_reason == "stop" and choice.message.content
        else ""
    )


def only_length_is_bad(reply):
    if reply.choices[0].finish_reason == "length":
        raise ValueError("length")
    return (reply.choices[0].message.content or "").strip()


def known_reasons_are_bad(reply):
    if reply.choices[0].finish_reason in ("length", "content_filter"):
        raise ValueError(reply.choices[0].finish_reason)
    text = (reply.choices[0].message.content or "").strip()
    if not text:
        raise ValueError(reply.choices[0].finish_reason)
    return text


def text_as_it_came(reply):
    return reply.choices[0].message.content


finished_text = Exercise(
    id="01.1",
    title="Never publish half a sentence",
    reference=text_of,
    untouched=text_as_it_came,
    show_expected=False,
    checks=[
        Check(
            "returns the stripped text of a finished reply",
            [reply("A blue jacket. "), reply("\nTwo vases")],
        ),
        Check(
            "refuses a text that was cut off",
            [reply("A blue jac", "length"), reply("T", "length")],
            raises=ValueError,
        ),
        Check(
            "refuses a text beside a call of a tool",
            [reply("I look it up.", "tool_calls"), reply("Let me see.", "function_call")],
            raises=ValueError,
        ),
        Check(
            "refuses a text that a filter stopped",
            [reply("A", "content_filter"), reply("", "content_filter")],
            raises=ValueError,
        ),
        Check(
            "refuses a reply without text", [reply(None), reply("  \n")], raises=ValueError
        ),
        Check("names the finish reason in the error", predicate=names_the_reason),
    ],
    mistakes=[
        Mistake(
            always_the_content,
            "You return the text whatever happened. `finish_reason` says whether it is whole.",
        ),
        Mistake(
            empty_instead_of_error,
            "An empty string looks like an answer. Raise a ValueError: it cannot be overlooked.",
        ),
        Mistake(
            only_length_is_bad,
            "'length' is one way to stop early; 'content_filter' is another. Only 'stop' is fine.",
        ),
        Mistake(
            known_reasons_are_bad,
            "You list the reasons that are bad, and there are more of them, such as 'tool_calls'. Only 'stop' is fine.",
        ),
    ],
    hints=[
        "Look at `reply.choices[0].finish_reason` before you look at the text.",
        "`content` can be None: `(choice.message.content or '').strip()`.",
        "`raise ValueError(f'…{choice.finish_reason!r}')` when it is not 'stop' or the text is empty.",
    ],
)


PRICES = {"sent": "0.10", "cached": "0.01", "received": "0.50"}


def per_call(sent, cached, received, prices, number=Decimal):
    return (
        (sent - cached) * number(prices["sent"])
        + cached * number(prices["cached"])
        + received * number(prices["received"])
    )


def to_cents(amount):
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def monthly_cost(calls, sent, cached, received, prices):
    return to_cents(calls * per_call(sent, cached, received, prices) / 1_000_000)


def in_floats(calls, sent, cached, received, prices):
    return round(calls * per_call(sent, cached, received, prices, float) / 1_000_000, 2)


def dollars_per_thousand(calls, sent, cached, received, prices):
    return to_cents(calls * per_call(sent, cached, received, prices) / 1_000)


def rounded_per_call(calls, sent, cached, received, prices):
    return calls * monthly_cost(1, sent, cached, received, prices)


def half_even(calls, sent, cached, received, prices):
    return (calls * per_call(sent, cached, received, prices) / 1_000_000).quantize(
        Decimal("0.01")
    )


def always_up(calls, sent, cached, received, prices):
    amount = calls * per_call(sent, cached, received, prices) / 1_000_000
    return amount.quantize(Decimal("0.01"), ROUND_UP)


def decimals_of_floats(calls, sent, cached, received, prices):
    return to_cents(
        calls
        * per_call(sent, cached, received, prices, lambda text: Decimal(float(text)))
        / 1_000_000
    )


def decimal_in_the_end(calls, sent, cached, received, prices):
    dollars = calls * per_call(sent, cached, received, prices, float) / 1_000_000
    return to_cents(Decimal(str(dollars)))


def rounded_parts(calls, sent, cached, received, prices):
    return (
        monthly_cost(calls, sent - cached, 0, 0, prices)
        + monthly_cost(calls, cached, cached, 0, prices)
        + monthly_cost(calls, 0, 0, received, prices)
    )


def cached_paid_twice(calls, sent, cached, received, prices):
    return monthly_cost(calls, sent + cached, cached, received, prices)


def no_discount(calls, sent, cached, received, prices):
    return monthly_cost(calls, sent, 0, received, prices)


def same_money(answer, expected):
    if not isinstance(answer, Decimal):
        return f"The result is of type {type(answer).__name__}, not Decimal."
    return answer == expected


the_bill = Exercise(
    id="01.2",
    title="The bill, to the cent",
    reference=monthly_cost,
    checks=[
        Check(
            "multiplies calls, tokens and prices",
            [
                arguments(100_000, 120, 0, 15, PRICES),
                arguments(3_000, 1_000, 0, 500, PRICES | {"sent": "2.50"}),
            ],
            same=same_money,
        ),
        Check(
            "pays the price of cached tokens for those",
            [
                arguments(100_000, 120, 20, 15, PRICES),
                arguments(10_000, 5_000, 5_000, 100, PRICES),
            ],
            same=same_money,
        ),
        Check(
            "keeps the fractions of a cent until the end",
            [
                arguments(1_000_000, 7, 0, 3, PRICES),
                arguments(50_000, 11, 4, 2, PRICES | {"sent": "0.075"}),
                arguments(1, 440_000, 400_000, 8_000, PRICES),  # 3 × 0.4 cents
            ],
            same=same_money,
        ),
        Check(
            "rounds half a cent up",
            [
                arguments(1, 1_000_000, 0, 0, PRICES | {"sent": "0.125"}),
                arguments(1, 0, 0, 1_000_000, PRICES | {"received": "2.345"}),
            ],
            same=same_money,
        ),
        Check(
            "loses no half cent in binary floats",
            [
                arguments(
                    100_000, 20, 10, 15, PRICES | {"sent": "0.075", "cached": "0.02"}
                ),
                arguments(1, 0, 0, 1_000_000, PRICES | {"received": "1.005"}),
            ],
            same=same_money,
        ),
        Check(
            "rounds less than half a cent down",
            [
                arguments(1, 1_000_000, 0, 0, PRICES | {"sent": "0.124"}),
                arguments(7, 1_000, 0, 100, PRICES),
            ],
            same=same_money,
        ),
        Check(
            "gives zero for nothing",
            [arguments(0, 10, 5, 10, PRICES), arguments(9, 0, 0, 0, PRICES)],
            same=same_money,
        ),
    ],
    mistakes=[
        Mistake(
            in_floats,
            "The result is a float. Turn each price into a `Decimal` first, and stay in Decimal.",
        ),
        Mistake(
            rounded_per_call,
            "You round each call. A call costs a fraction of a cent: round once, at the end.",
        ),
        Mistake(
            rounded_parts,
            "You round each of the three parts. Add them up first: round once, at the end.",
        ),
        Mistake(
            decimals_of_floats,
            "Half a cent is lost in a float before it is a `Decimal`. Make a `Decimal` of each price's text.",
        ),
        Mistake(
            decimal_in_the_end,
            "Half a cent is lost in a float before it is a `Decimal`. Make a `Decimal` of each price's text.",
        ),
        Mistake(
            always_up, "You round every fraction up. Only half a cent and more goes up."
        ),
        Mistake(dollars_per_thousand, "Prices are per million tokens, not per thousand."),
        Mistake(
            half_even,
            "`quantize` rounds half to even by default; a bill rounds half up: pass ROUND_HALF_UP.",
        ),
        Mistake(
            cached_paid_twice,
            "Cached tokens are paid twice: they are a part of `sent`, so take them off there first.",
        ),
        Mistake(
            no_discount,
            "You pay the full price for cached tokens. They have a price of their own.",
        ),
    ],
    hints=[
        "One call costs (sent - cached), cached and received, each times its price, in millionths of a dollar.",
        "`Decimal('0.15')` is exact, `Decimal(0.15)` is not: the prices come as texts for a reason.",
        "`amount.quantize(Decimal('0.01'), ROUND_HALF_UP)`",
    ],
)


def completion(content, finish_reason, sent, received, cached=None):
    """A chat completion with what it used."""
    used = {
        "prompt_tokens": sent,
        "completion_tokens": received,
        "total_tokens": sent + received,
    }
    if cached is not None:
        used["prompt_tokens_details"] = {"cached_tokens": cached}
    body = reply(content, finish_reason).model_dump() | {"usage": used}
    return ChatCompletion.model_validate(body)


def response(text, status, sent, received, cached=0):
    """A reply of OpenAI's Responses, after a piece of reasoning."""
    content = [{"type": "output_text", "text": text, "annotations": []}] if text else []
    said = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": content,
    }
    used = {
        "input_tokens": sent,
        "output_tokens": received,
        "total_tokens": sent + received,
    }
    details = {"input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0}}
    return Response.model_validate(
        {
            "id": "r",
            "object": "response",
            "created_at": 0,
            "model": "scripted",
            "status": status,
            "output": [{"id": "t", "type": "reasoning", "summary": []}, said],
            "parallel_tool_calls": False,
            "tool_choice": "auto",
            "tools": [],
            "usage": used | details | {"output_tokens_details": {"reasoning_tokens": 0}},
        }
    )


def claude(texts, stop_reason, new, received, read=None, written=None, thinks=False):
    """A reply of Anthropic's Messages, in one block for each text."""
    from anthropic.types import Message  # a second of imports that only this exercise needs

    blocks = [{"type": "text", "text": text} for text in texts]
    thought = [{"type": "thinking", "thinking": "Hm.", "signature": ""}] if thinks else []
    used = {"input_tokens": new, "output_tokens": received}
    used |= {"cache_read_input_tokens": read, "cache_creation_input_tokens": written}
    return Message.model_validate(
        {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "model": "scripted",
            "content": [*thought, *blocks],
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": used,
        }
    )


def read_reply(reply):
    return record_of(reply)


def record_of(
    reply,
    *,
    done=("stop", "completed", "end_turn"),
    blocks=lambda found: "".join(one.text for one in found if one.type == "text"),
    cached=lambda used: (
        (used.cache_read_input_tokens or 0) + (used.cache_creation_input_tokens or 0)
    ),
    inside=lambda used: 0,
    nothing="",
):
    used = reply.usage
    if hasattr(reply, "choices"):
        choice = reply.choices[0]
        text, ended = choice.message.content or nothing, choice.finish_reason
        sent, received = used.prompt_tokens + inside(used), used.completion_tokens
    elif hasattr(reply, "output_text"):
        text, ended = reply.output_text, reply.status
        sent, received = used.input_tokens, used.output_tokens
    else:
        text, ended = blocks(reply.content), reply.stop_reason
        sent, received = used.input_tokens + cached(used), used.output_tokens
    return {
        "text": text,
        "finished": ended in done,
        "tokens_in": sent,
        "tokens_out": received,
    }


def only_chat_completions(reply):
    choice = reply.choices[0]
    return {
        "text": choice.message.content,
        "finished": choice.finish_reason == "stop",
        "tokens_in": reply.usage.prompt_tokens,
        "tokens_out": reply.usage.completion_tokens,
    }


class Others:
    """All words but those for a reply that was cut off."""

    def __contains__(self, ended):
        return ended not in (
            "length",
            "content_filter",
            "incomplete",
            "max_tokens",
            "refusal",
        )


def details_inside(used):
    details = used.prompt_tokens_details
    return (details.cached_tokens or 0) if details else 0


def field(name):
    def same(answer, expected):
        if not isinstance(answer, Mapping) or name not in answer:
            return f"The record has no {name!r}."
        got, wanted = answer[name], expected[name]
        number = not isinstance(got, bool) and not isinstance(wanted, bool)
        return (got == wanted and (number or got is wanted)) or (
            f"`{name}` is {got!r}, expected {wanted!r}."
        )

    return same


def replies_with_text(_):
    return [
        completion("A blue jacket.", "stop", 40, 6),
        response("Two vases", "completed", 40, 6),
        claude(["A red ", "kettle"], "end_turn", 40, 6),
        claude(["An oak chair"], "end_turn", 40, 6, thinks=True),
    ]


def replies_without_text(_):
    return [
        completion(None, "stop", 40, 1),
        response("", "completed", 40, 1),
        claude([], "end_turn", 40, 1),
    ]


def replies_cut_off(_):
    return [
        completion("A bl", "length", 40, 3),
        completion("A", "content_filter", 40, 3),
        response("Two va", "incomplete", 40, 3),
        response("Two va", "failed", 40, 3),
        claude(["A red ket"], "max_tokens", 40, 3),
        claude(["A"], "refusal", 40, 3),
        claude(["A"], "pause_turn", 40, 3),
    ]


def replies_with_cached_tokens(_):
    return [
        completion("A", "stop", 2_000, 5, cached=1_500),
        response("A", "completed", 2_000, 5, cached=1_500),
        claude(["A"], "end_turn", 500, 5, read=1_500, written=0),
        claude(["A"], "end_turn", 300, 5, read=None, written=1_700),
        claude(["A"], "end_turn", 500, 5, read=1_000, written=400),
        claude(["A"], "end_turn", 60, 5),
    ]


def record_as_it_came(reply):
    return {"text": reply.choices[0].message.content}


one_record = Exercise(
    id="01.3",
    title="One record from three APIs",
    reference=read_reply,
    untouched=record_as_it_came,
    show_expected=False,
    checks=[
        Check("reads the text of all three", replies_with_text, same=field("text")),
        Check("gives an empty text for none", replies_without_text, same=field("text")),
        Check("knows a finished reply", replies_with_text, same=field("finished")),
        Check("knows a reply that is cut off", replies_cut_off, same=field("finished")),
        Check("counts tokens received", replies_cut_off, same=field("tokens_out")),
        Check("counts all tokens sent", replies_with_text, same=field("tokens_in")),
        Check(
            "counts cached tokens once",
            replies_with_cached_tokens,
            same=field("tokens_in"),
        ),
    ],
    mistakes=[
        Mistake(
            only_chat_completions,
            "Only chat completions have `choices`. Look which of the three you were given: `hasattr`.",
        ),
        Mistake(
            lambda reply: (
                only_chat_completions(reply)
                | {"text": reply.choices[0].message.content or ""}
            ),
            "Only chat completions have `choices`. Look which of the three you were given: `hasattr`.",
        ),
        Mistake(
            partial(record_of, done=("stop",)),
            "Each API has its own word for a reply that ended by itself: see the table.",
        ),
        Mistake(
            partial(record_of, blocks=lambda found: found[0].text if found else ""),
            "Anthropic's `content` is a list: join the texts of all blocks whose `type` is 'text'.",
        ),
        Mistake(
            partial(record_of, done=Others()),
            "You list the words for a reply that was cut off, and each API has more of them. Ask for the one for the end.",
        ),
        Mistake(
            partial(
                record_of,
                cached=lambda used: (
                    used.cache_read_input_tokens or used.cache_creation_input_tokens or 0
                ),
            ),
            "One call may read a part from the cache and write another: add both counts.",
        ),
        Mistake(
            partial(record_of, cached=lambda used: 0),
            "Anthropic counts cached tokens apart from `input_tokens`: add both of its counts.",
        ),
        Mistake(
            partial(
                record_of,
                cached=lambda used: (
                    used.cache_read_input_tokens + used.cache_creation_input_tokens
                ),
            ),
            "A count of cached tokens can be None: `(used.cache_read_input_tokens or 0)`.",
        ),
        Mistake(
            partial(record_of, inside=details_inside),
            "OpenAI's cached tokens are a part of `prompt_tokens` already: do not add them again.",
        ),
        Mistake(
            partial(record_of, nothing=None),
            "`content` can be None. The record says `''` then, so that every text is a text.",
        ),
    ],
    hints=[
        "Three branches: `hasattr(reply, 'choices')`, `hasattr(reply, 'output_text')`, else Anthropic.",
        "In each branch set four variables, and build the dictionary once, after the branches.",
        "`''.join(block.text for block in reply.content if block.type == 'text')`",
    ],
)

CAN_WAIT = (openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError)
HEALTHY = "A blue denim jacket."
BUSY, BROKEN, WRONG_KEY = Fault(status=429), Fault(status=500), Fault(status=401)
REFUSED = Fault(status=400)
SILENT = httpx2.ReadTimeout("no answer in time")
ENDLESS = 20  # more calls than any limit below allows


def create(client, text):
    message = {"role": "user", "content": text}
    return client.chat.completions.create(model="scripted", messages=[message])


def suggest(client, text, attempts=3, budget=4.0, wait=time.sleep):
    return patient_loop(client, text, attempts, budget, wait)


def patient_loop(
    client,
    text,
    attempts=3,
    budget=4.0,
    wait=time.sleep,
    *,
    read=text_of,
    pause=lambda call: 2**call,
    patient=CAN_WAIT,
    gives_up=(),
    waits_in_the_end=False,
    asks_again_when_cut=False,
    adds_up=True,
    over=operator.gt,
):
    waited = 0
    for call in range(attempts):
        try:
            return read(create(client, text))
        except ValueError:
            if not asks_again_when_cut:
                return ""
        except gives_up:
            return ""
        except patient:
            last = call == attempts - 1 and not waits_in_the_end
            if last or over(waited + pause(call), budget):
                return ""
            if pause(call):
                wait(pause(call))
            waited += pause(call) if adds_up else 0
    return ""


def suggest_nothing_caught(client, text, attempts=3, budget=4.0, wait=time.sleep):
    return create(client, text).choices[0].message.content


def suggest_once(client, text, attempts=3, budget=4.0, wait=time.sleep):
    return patient_loop(client, text, 1, budget, wait)


def suggest_one_too_many(client, text, attempts=3, budget=4.0, wait=time.sleep):
    return patient_loop(client, text, attempts + 1, budget, wait)


def suggest_without_budget(client, text, attempts=3, budget=4.0, wait=time.sleep):
    return patient_loop(client, text, attempts, float("inf"), wait)


def suggest_raises_in_the_end(client, text, attempts=3, budget=4.0, wait=time.sleep):
    waited = 0
    for call in range(attempts):
        try:
            return text_of(create(client, text))
        except ValueError:
            return ""
        except CAN_WAIT:
            if call == attempts - 1 or waited + 2**call > budget:
                raise
            wait(2**call)
            waited += 2**call


def suggest_sleeps(client, text, attempts=3, budget=4.0, wait=time.sleep):
    return patient_loop(client, text, attempts, budget, lambda seconds: time.sleep(seconds))


@dataclass(frozen=True)
class Ran:
    """One run of a student's loop: what it gave or raised, its calls and its waits."""

    got: object
    error: Exception | None
    sent: list
    waits: list
    slept: list

    @property
    def problem(self):
        """A sentence when it did something that no case allows."""
        if self.error is not None and "no reply left" in str(self.error):
            return f"It still called after {ENDLESS} calls."
        if self.slept:
            return (
                "You call `time.sleep`: call `wait(seconds)`, so that a test need not wait."
            )
        return None


def run(suggest, *replies, faults=(), attempts=3, budget=100.0):
    """Run a loop on a scripted model that answers with `replies`, the last one again and again."""
    model = ScriptedModel(*replies, *[replies[-1]] * (ENDLESS - len(replies)))
    waits, slept, got, error = [], [], None, None
    here, really_sleep = threading.current_thread(), time.sleep

    def sleep(seconds):  # a kernel has threads of its own that wait
        mine = threading.current_thread() is here
        slept.append(seconds) if mine else really_sleep(seconds)

    with mock.patch.object(time, "sleep", sleep):
        try:
            got = suggest(
                model.client(faults=faults),
                "two brass lamps, 30 cm",
                attempts=attempts,
                budget=budget,
                wait=waits.append,
            )
        except (NotImplementedError, NameError, AttributeError, TypeError):
            raise  # a slip of the pen, which is told with its line
        except Exception as caught:
            error = caught
    return Ran(got, error, model.history, waits, slept)


def case(*replies, gives, calls=None, waits=None, **settings):
    """A predicate: what a run on `replies` gives, how often it calls, how long it waits."""

    def predicate(suggest):
        ran = run(suggest, *replies, **settings)
        if ran.problem:
            return ran.problem
        if ran.error is not None:
            return f"{describe_kind(ran.error)} reached the seller."
        if calls is not None and len(ran.sent) != calls:
            return f"It made {len(ran.sent)} calls instead of {calls}."
        if waits is not None and ran.waits != waits:
            return f"It waited {in_words(ran.waits)} instead of {in_words(waits)}."
        return ran.got == gives or f"It returned {ran.got!r} instead of {gives!r}."

    return predicate


def in_words(waits):
    if len(waits) > 8:
        return f"{len(waits)} times"
    return (
        f"{', then '.join(f'{one:g}' for one in waits)} seconds" if waits else "not at all"
    )


def sends_the_text(suggest):
    ran = run(suggest, HEALTHY)
    if ran.problem or not ran.sent:
        return ran.problem or "The model was not asked."
    return (
        "two brass lamps, 30 cm" in ran.sent[0].text
        or "The text was not sent to the model."
    )


def describe_kind(error):
    """The name that openai's documentation has for this error."""
    return next(
        kind.__name__
        for kind in type(error).__mro__
        if not kind.__module__.startswith("aicourse")
    )


def heard(fault, kind, thing):
    """A predicate: this error reaches the caller after one call."""

    def predicate(suggest):
        ran = run(suggest, fault)
        if ran.problem:
            return ran.problem
        if len(ran.sent) > 1 or ran.waits:
            return f"It made {len(ran.sent)} calls: no waiting makes a {thing} right."
        if not isinstance(ran.error, kind):
            told = (
                f"raised {describe_kind(ran.error)}"
                if ran.error
                else f"returned {ran.got!r}"
            )
            return f"It {told}: nobody will ever repair the {thing}."
        return True

    return predicate


def leaves_a_filtered_text_out(suggest):
    """A text that a filter stopped; a scripted model has no such reply."""
    body = reply("A blue jac", "content_filter").model_dump()
    stopped = httpx2.MockTransport(lambda request: httpx2.Response(200, json=body))
    with httpx2.Client(transport=stopped) as transport:
        client = openai.OpenAI(
            base_url="http://scripted.invalid", api_key="none", http_client=transport
        )
        got = suggest(
            client, "two brass lamps", attempts=3, budget=4.0, wait=lambda _: None
        )
    return got == "" or f"It returned {got!r}, which a filter stopped."


MODEL = "a name of the lesson's, for the cell as it came"


def suggest_as_it_came(client, text, attempts=3, budget=4.0, wait=time.sleep):
    messages = [{"role": "user", "content": text}]
    reply = client.chat.completions.create(model=MODEL, messages=messages)
    return reply.choices[0].message.content


graceful = Exercise(
    id="01.4",
    title="The form must not break",
    reference=suggest,
    untouched=suggest_as_it_came,
    checks=[
        Check(
            "returns the model's text, stripped",
            predicate=case(f" {HEALTHY}\n", gives=HEALTHY, calls=1),
        ),
        Check("sends the seller's text", predicate=sends_the_text),
        Check(
            "tries again after 429, 500 and silence",
            predicate=case(BUSY, BROKEN, SILENT, HEALTHY, gives=HEALTHY, attempts=4),
        ),
        Check(
            "waits 1 second, then 2, then 4",
            predicate=case(
                BUSY, SILENT, BUSY, HEALTHY, gives=HEALTHY, waits=[1, 2, 4], attempts=5
            ),
        ),
        Check(
            "stops after `attempts` calls, with the empty form",
            predicate=case(BUSY, gives="", calls=3, attempts=3),
        ),
        Check(
            "does not wait after the last call",
            predicate=case(BROKEN, gives="", waits=[1], attempts=2),
        ),
        Check(
            "keeps all waits within the budget",
            predicate=case(BUSY, gives="", calls=3, waits=[1, 2], attempts=9, budget=6.5),
        ),
        Check(
            "may wait for the whole budget",
            predicate=case(BUSY, gives="", calls=3, waits=[1, 2], attempts=9, budget=3),
        ),
        Check(
            "does not wait at all without a budget",
            predicate=case(SILENT, gives="", calls=1, waits=[], attempts=9, budget=0.5),
        ),
        Check(
            "empty form at once when the text was cut off",
            predicate=case(
                HEALTHY, faults=[Fault(kind="cut_off", times=None)], gives="", calls=1
            ),
        ),
        Check(
            "empty form at once when there is no text",
            predicate=case(
                HEALTHY, faults=[Fault(kind="empty", times=None)], gives="", calls=1
            ),
        ),
        Check("empty form when a filter stopped", predicate=leaves_a_filtered_text_out),
        Check(
            "a wrong key (401) is heard at once",
            predicate=heard(WRONG_KEY, openai.AuthenticationError, "key"),
        ),
        Check(
            "a wrong request (400) is heard at once",
            predicate=heard(REFUSED, openai.BadRequestError, "request"),
        ),
    ],
    mistakes=[
        Mistake(
            suggest_nothing_caught,
            "Nothing is caught: a busy provider breaks the form. Which errors can be waited out?",
        ),
        Mistake(
            partial(patient_loop, gives_up=openai.AuthenticationError),
            "The wrong key is swallowed: `except Exception` and `openai.APIError` include it. Name what waiting helps.",
        ),
        Mistake(
            partial(patient_loop, patient=openai.APIError),
            "You try again with a wrong key. `openai.APIError` includes it: name the three errors that waiting helps.",
        ),
        Mistake(
            partial(
                patient_loop, read=lambda reply: reply.choices[0].message.content.strip()
            ),
            "Errors are handled, but half a sentence goes to the form: look at the finish reason, as `text_of` does.",
        ),
        Mistake(
            partial(
                patient_loop,
                read=lambda reply: (
                    text_of(reply)
                    if reply.choices[0].finish_reason == "length"
                    else (reply.choices[0].message.content or "").strip()
                ),
            ),
            "'length' is one way to stop early. A text goes to the form only if the finish reason is 'stop'.",
        ),
        Mistake(
            partial(patient_loop, patient=(*CAN_WAIT, openai.BadRequestError)),
            "You try again what is refused for good. Name the three errors that waiting helps; all others are raised.",
        ),
        Mistake(
            partial(patient_loop, gives_up=openai.BadRequestError),
            "You let a wrong key be heard, and no other error. All but the three must reach the caller.",
        ),
        Mistake(
            partial(patient_loop, over=operator.ge),
            "Waits may add up to `budget` exactly: stop if the sum would be *above* it, with `>`.",
        ),
        Mistake(
            suggest_once,
            "It gives up after the first error. Wait, and ask again, up to `attempts` calls.",
        ),
        Mistake(
            suggest_one_too_many,
            "`attempts` counts calls, and the first call is one of them.",
        ),
        Mistake(
            suggest_without_budget,
            "The waits add up to more than `budget`. Before each wait, test whether it still fits.",
        ),
        Mistake(
            partial(patient_loop, adds_up=False),
            "Each wait fits the budget, their sum does not. Add up what you handed to `wait`: no clock runs here.",
        ),
        Mistake(
            suggest_raises_in_the_end,
            "When all calls are used up, the error reaches the seller. Return '' then.",
        ),
        Mistake(
            partial(patient_loop, pause=lambda call: 1),
            "All waits are equally long. Double them: a busy provider needs more time, not more questions.",
        ),
        Mistake(
            partial(patient_loop, pause=lambda call: 0),
            "It asks again at once, which makes a busy provider busier. Call `wait(seconds)` between calls.",
        ),
        Mistake(
            partial(patient_loop, waits_in_the_end=True),
            "It waits after the last call too, when no other call follows.",
        ),
        Mistake(
            partial(patient_loop, asks_again_when_cut=True),
            "A cut-off reply is asked for again, and paid again. The same request is cut off at the same place.",
        ),
        Mistake(
            suggest_sleeps,
            "Use the function that was passed in, `wait`, in place of `time.sleep`.",
        ),
    ],
    hints=[
        "`for call in range(attempts):` with a `try` inside; `return` leaves the loop when all is well.",
        "The pause before the next call is `2**call`. Keep the sum of the pauses in a variable.",
        "`except (openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError):`, and nothing for others.",
    ],
)

exercises = [finished_text, the_bill, one_record, graceful]
