"""The checks of lesson 01 judge answers that students may give as their author would."""

from __future__ import annotations

import time
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openai
import pytest

from aicourse.notebook.exercises import load_checks
from aicourse.notebook.exercises.checking import examine

CHECKS = Path(__file__).parents[2] / "notebooks" / "checks" / "lesson_01.py"
EXERCISES = {exercise.id: exercise for exercise in load_checks(CHECKS)}


def text_by_guards(reply: Any) -> str:
    """One guard after the other."""
    first = reply.choices[0]
    reason = first.finish_reason
    if reason in ("length", "content_filter", "tool_calls", "function_call"):
        raise ValueError("finish reason: " + reason)
    if first.message.content is None or first.message.content.isspace() or not first.message.content:
        raise ValueError(reason)
    return str(first.message.content.strip())


def text_by_match(reply: Any) -> str:
    """A match over a dictionary."""
    match reply.to_dict()["choices"][0]:
        case {"finish_reason": "stop", "message": {"content": str(text)}} if text.strip():
            return text.strip()
        case {"finish_reason": reason}:
            raise ValueError(f"stopped because of {reason}")
    raise ValueError


class NotFinished(ValueError):
    """An error of the student's own."""


def text_by_own_error(reply: Any) -> str:
    """An own error, which is a ValueError."""
    (choice,) = reply.choices
    if choice.finish_reason == "stop" and (text := (choice.message.content or "").strip()):
        return str(text)
    raise NotFinished(reply.choices[0])


def text_by_last_choice(reply: Any) -> str:
    """A test of the wish first."""
    message, reason = reply.choices[-1].message, reply.choices[-1].finish_reason
    finished = reason == "stop"
    lines = [line for line in (message.content or "").strip().split("\n")]  # noqa: C416
    if not finished or lines == [""]:
        raise ValueError(f"{reason=}")
    return "\n".join(lines)


def text_by_try(reply: Any) -> str:
    """An AttributeError of None, turned into the error that is wanted."""
    choice = reply.choices[0]
    try:
        text = choice.message.content.strip()
    except AttributeError:
        text = ""
    if choice.finish_reason != "stop" or len(text) == 0:
        raise ValueError("The model did not finish: %s" % choice.finish_reason)  # noqa: UP031
    return str(text)


def reads_only_text(reply: Any) -> str:
    """Whether there is text, and nothing else."""
    text = (reply.choices[0].message.content or "").strip()
    if not text:
        raise ValueError(reply.choices[0].finish_reason)
    return text


def says_nothing(reply: Any) -> str:
    """A ValueError without a reason."""
    text = (reply.choices[0].message.content or "").strip()
    if reply.choices[0].finish_reason != "stop" or not text:
        raise ValueError("not finished")
    return text


def bad_reasons(reply: Any) -> str:
    """The reasons that the exercise shows, and no other."""
    text = (reply.choices[0].message.content or "").strip()
    if not text or reply.choices[0].finish_reason in {"length", "content_filter"}:
        raise ValueError("finish reason: " + reply.choices[0].finish_reason)
    return text


def no_reason_for_none(reply: Any) -> str:
    """The error about no text says nothing of the reason."""
    if not reply.choices[0].message.content:
        raise ValueError("There is no text.")
    return text_by_match(reply)


WRONG_TEXTS = [
    (bad_reasons, "there are more of them, such as 'tool_calls'"),
    (no_reason_for_none, "stopped with 'stop' the error says only: There is no text."),
    (lambda reply: reply.choices[0].message.content, "You return the text whatever happened"),
    (
        lambda reply: (
            (reply.choices[0].message.content or "").strip()
            if reply.choices[0].finish_reason == "stop"
            else ""
        ),
        "An empty string looks like an answer",
    ),
    (reads_only_text, "✗ missing refuses a text that was cut off"),
    (says_nothing, "the error says only: not finished"),
    (lambda reply: EXERCISES["01.1"].mistakes[2].wrong(reply), "'length' is one way to stop early"),
    (lambda reply: reply.choices[0].text, "has no attribute 'text'"),
]


def bill_in_fractions(calls: int, sent: int, cached: int, received: int, prices: dict[str, str]) -> Decimal:
    """Exact fractions, and decimals only in the end."""
    price = {name: Fraction(text) for name, text in prices.items()}
    total = calls * (
        (sent - cached) * price["sent"] + cached * price["cached"] + received * price["received"]
    )
    cents = total * 100 / 10**6
    return Decimal(int(cents + Fraction(1, 2))) / 100


def bill_in_a_loop(calls: int, sent: int, cached: int, received: int, prices: dict[str, str]) -> Decimal:
    """A sum over three names."""
    counts = {"sent": sent - cached, "cached": cached, "received": received}
    total = Decimal(0)
    for name in counts:
        total += Decimal(prices[name]) * counts[name]
    return round_half_up(total * calls / Decimal("1e6"))


def round_half_up(amount: Decimal) -> Decimal:
    """To cents."""
    return amount.quantize(Decimal("1.00"), rounding=ROUND_HALF_UP)


def bill_with_a_discount(
    calls: int, sent: int, cached: int, received: int, prices: dict[str, str]
) -> Decimal:
    """The full price less the discount."""
    a, b, c = (Decimal(prices[name]) for name in ("sent", "cached", "received"))
    full = sent * a + received * c
    return round_half_up(calls * (full - cached * (a - b)) / 1000 / 1000)


def bill_per_million(calls: int, sent: int, cached: int, received: int, prices: dict[str, str]) -> Decimal:
    """Millions of tokens first."""
    uncached, reused, new = (Decimal(calls * count) / 10**6 for count in (sent - cached, cached, received))
    return round_half_up(
        uncached * Decimal(prices["sent"])
        + reused * Decimal(prices["cached"])
        + new * Decimal(prices["received"])
    )


def bill_in_a_context(c: int, s: int, k: int, r: int, p: dict[str, str]) -> Decimal:
    """A context of its own, and cents as integers."""
    exact = Context(prec=60, rounding=ROUND_HALF_UP)
    parts = zip((s - k, k, r), ("sent", "cached", "received"), strict=True)
    amount = sum((exact.multiply(Decimal(n * c), Decimal(p[name])) for n, name in parts), Decimal())
    return exact.quantize(exact.divide(amount, Decimal(1_000_000)), Decimal(".01"))


def dollars(calls: int, sent: int, cached: int, received: int, prices: dict[str, str], kind: Any) -> Any:
    """The sum before it is rounded, in numbers of this kind."""
    counts = {"sent": sent - cached, "cached": cached, "received": received}
    return calls * sum(count * kind(prices[name]) for name, count in counts.items()) / 1_000_000


def cents_of_parts(calls: int, sent: int, cached: int, received: int, prices: dict[str, str]) -> Decimal:
    """Each part is rounded."""
    counts = {"sent": sent - cached, "cached": cached, "received": received}
    parts = [calls * count * Decimal(prices[name]) / 10**6 for name, count in counts.items()]
    return Decimal(sum(map(round_half_up, parts)))


WRONG_BILLS = [
    (lambda *given: round_half_up(Decimal(str(dollars(*given, float)))), "lost in a float"),
    (lambda *given: round_half_up(Decimal(dollars(*given, float))), "lost in a float"),
    (lambda *given: round_half_up(dollars(*given, lambda text: Decimal(float(text)))), "lost in a float"),
    (lambda *given: dollars(*given, Decimal).quantize(Decimal("0.01"), "ROUND_CEILING"), "fraction up"),
    (cents_of_parts, "round each of the three parts"),
    (lambda n, s, c, r, p: float(bill_in_a_loop(n, s, c, r, p)), "The result is of type float"),
    (lambda n, s, c, r, p: n * bill_in_a_loop(1, s, c, r, p), "You round each call"),
    (lambda n, s, c, r, p: bill_in_a_loop(n * 1000, s, c, r, p), "not per thousand"),
    (lambda n, s, c, r, p: bill_in_a_loop(n, s + c, c, r, p), "Cached tokens are paid twice"),
    (lambda n, s, c, r, p: bill_in_a_loop(n, s, 0, r, p), "the full price for cached tokens"),
    (lambda n, s, c, r, p: bill_in_a_loop(n, s, c, r, {**p, "sent": p.get("in")}), "raised"),
]


def record_by_kind(reply: Any) -> dict[str, Any]:
    """The class of the reply decides."""
    kind = type(reply).__name__
    used = reply.usage
    if kind == "ChatCompletion":
        return {
            "text": reply.choices[0].message.content or "",
            "finished": reply.choices[0].finish_reason == "stop",
            "tokens_in": used.prompt_tokens,
            "tokens_out": used.completion_tokens,
        }
    if kind == "Response":
        return {
            "text": reply.output_text,
            "finished": reply.status == "completed",
            "tokens_in": used.input_tokens,
            "tokens_out": used.output_tokens,
        }
    text = ""
    for block in reply.content:
        if block.type == "text":
            text += block.text
    extra = sum(filter(None, [used.cache_read_input_tokens, used.cache_creation_input_tokens]))
    return {
        "text": text,
        "finished": reply.stop_reason == "end_turn",
        "tokens_in": used.input_tokens + extra,
        "tokens_out": used.output_tokens,
    }


def record_by_dict(reply: Any) -> dict[str, Any]:
    """Plain data, and `get`."""
    data = reply.model_dump()
    used = data["usage"]
    record = {"tokens_out": used.get("completion_tokens") or used.get("output_tokens")}
    if data.get("choices"):
        record |= {"text": data["choices"][0]["message"]["content"] or "", "tokens_in": used["prompt_tokens"]}
        record["finished"] = data["choices"][0]["finish_reason"] == "stop"
    elif data.get("object") == "response":
        record |= {"text": reply.output_text, "finished": data["status"] == "completed"}
        record["tokens_in"] = used["input_tokens"]
    else:
        record["text"] = "".join(block.get("text") or "" for block in data["content"])
        record["finished"] = data["stop_reason"] == "end_turn"
        names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        record["tokens_in"] = sum(used[name] or 0 for name in names)
    return record


def record_by_try(reply: Any) -> dict[str, Any]:
    """One way after the other."""
    try:
        choice = reply.choices[0]
        text, done = choice.message.content, choice.finish_reason
    except AttributeError:
        try:
            text, done = reply.output_text, reply.status
        except AttributeError:
            texts = [getattr(block, "text", "") for block in reply.content]
            text, done = "".join(texts), reply.stop_reason
    count = {name: value or 0 for name, value in reply.usage if isinstance(value, int | None)}
    inputs = ["prompt_tokens", "input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]
    return {
        "text": text or "",
        "finished": done in {"stop", "completed", "end_turn"},
        "tokens_in": sum(count.get(name, 0) for name in inputs),
        "tokens_out": count.get("completion_tokens", 0) + count.get("output_tokens", 0),
        "model": reply.model,
    }


def record_by_table(reply: Any) -> dict[str, Any]:
    """One small function for each API."""
    ways = {"choices": _chat, "output_text": _responses, "stop_reason": _messages}
    read = next(way for name, way in ways.items() if hasattr(reply, name))
    return dict(zip(("text", "finished", "tokens_in", "tokens_out"), read(reply), strict=True))


def _chat(reply: Any) -> tuple[Any, ...]:
    choice, used = reply.choices[0], reply.usage
    text = "" if choice.message.content is None else choice.message.content
    return text, choice.finish_reason == "stop", used.prompt_tokens, used.completion_tokens


def _responses(reply: Any) -> tuple[Any, ...]:
    return reply.output_text, reply.status == "completed", reply.usage.input_tokens, reply.usage.output_tokens


def _messages(reply: Any) -> tuple[Any, ...]:
    used = reply.usage
    cached = int(used.cache_read_input_tokens or 0) + int(used.cache_creation_input_tokens or 0)
    text = "".join(block.text for block in reply.content if hasattr(block, "text"))
    return text, reply.stop_reason == "end_turn", used.input_tokens + cached, used.output_tokens


def record_by_total(reply: Any) -> dict[str, Any]:
    """What was sent is the total less what was received."""
    record = record_by_kind(reply)
    total = getattr(reply.usage, "total_tokens", None)
    if total is not None:
        record["tokens_in"] = total - record["tokens_out"]
    return record


def changed(**other: Any) -> Any:
    """A right record with another value for one field."""
    return lambda reply: {**record_by_kind(reply), **{name: way(reply) for name, way in other.items()}}


def first_block(reply: Any) -> str:
    """The text of the first block alone."""
    blocks = getattr(reply, "content", [])
    return str(blocks[0].text if blocks else record_by_kind(reply)["text"])


def new_tokens(reply: Any) -> int:
    """Tokens sent, without those that Anthropic counts apart."""
    return int(getattr(reply.usage, "input_tokens", 0) or reply.usage.prompt_tokens)


def cached_again(reply: Any) -> int:
    """Tokens sent, with OpenAI's cached ones once more."""
    details = getattr(reply.usage, "prompt_tokens_details", None)
    return int(record_by_kind(reply)["tokens_in"] + ((details.cached_tokens or 0) if details else 0))


def not_cut_off(reply: Any) -> bool:
    """Whether the reason is none of those that the exercise shows."""
    return _reason(reply) not in ("length", "content_filter", "incomplete", "max_tokens", "refusal")


def read_or_written(reply: Any) -> int:
    """One of Anthropic's counts of cached tokens."""
    used = reply.usage
    if not hasattr(used, "cache_read_input_tokens"):
        return int(record_by_kind(reply)["tokens_in"])
    cached = used.cache_read_input_tokens or used.cache_creation_input_tokens or 0
    return int(used.input_tokens + cached)


WRONG_RECORDS = [
    (changed(finished=not_cut_off), "Ask for the one for the end"),
    (changed(tokens_in=read_or_written), "read a part from the cache and write another"),
    (lambda reply: _as_record(_chat(reply)), "Only chat completions have `choices`"),
    (changed(finished=lambda reply: _reason(reply) == "stop"), "Each API has its own word"),
    (changed(text=first_block), "join the texts of all blocks"),
    (changed(tokens_in=new_tokens), "Anthropic counts cached tokens apart"),
    (changed(tokens_in=cached_again), "a part of `prompt_tokens` already"),
    (lambda reply: list(record_by_kind(reply).values()), "The record has no 'text'"),
    (changed(finished=lambda reply: str(record_by_kind(reply)["finished"])), "`finished` is 'True'"),
]


def _as_record(values: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(("text", "finished", "tokens_in", "tokens_out"), values, strict=True))


def _reason(reply: Any) -> Any:
    if hasattr(reply, "choices"):
        return reply.choices[0].finish_reason
    return getattr(reply, "status", None) or reply.stop_reason


WAITABLE = (openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError)


def ask(client: Any, text: str) -> Any:
    """The call."""
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])


def whole(reply: Any) -> str:
    """The text, or an empty one."""
    choice = reply.choices[0]
    return (choice.message.content or "").strip() if choice.finish_reason == "stop" else ""


def loop_with_while(
    client: Any, text: str, attempts: int = 3, budget: float = 4.0, wait: Any = time.sleep
) -> str:
    """A while loop that counts down."""
    pause, left = 1.0, budget
    while attempts > 0:
        attempts -= 1
        try:
            reply = ask(client, text)
        except (openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError):
            if not attempts or pause > left:
                break
            wait(pause)
            left, pause = left - pause, pause * 2
        else:
            return whole(reply)
    return ""


def loop_with_recursion(
    client: Any, text: str, attempts: int = 3, budget: float = 4.0, wait: Any = time.sleep, pause: int = 1
) -> str:
    """One call, and the rest by itself."""
    try:
        return whole(ask(client, text))
    except WAITABLE:
        if attempts == 1 or budget < pause:
            return ""
    wait(pause)
    return loop_with_recursion(client, text, attempts - 1, budget - pause, wait, pause * 2)


def loop_over_pauses(
    client: Any, text: str, attempts: int = 3, budget: float = 4.0, wait: Any = time.sleep
) -> str:
    """All pauses are known before the first call."""
    pauses: list[int] = []
    while len(pauses) < attempts - 1 and sum(pauses) + 2 ** len(pauses) <= budget:
        pauses.append(2 ** len(pauses))
    for pause in [*pauses, None]:
        try:
            return whole(ask(client, text))
        except WAITABLE:
            if pause is not None:
                wait(pause)
    return ""


def loop_by_status(
    client: Any, text: str, attempts: int = 3, budget: float = 4.0, wait: Any = time.sleep
) -> str:
    """The status decides, and all else is raised again."""
    waited = 0
    for number in range(1, attempts + 1):
        try:
            return whole(ask(client, text=text))
        except openai.APIConnectionError:
            pass
        except openai.APIStatusError as error:
            if error.status_code != 429 and error.status_code < 500:
                raise
        pause = 2 ** (number - 1)
        if number < attempts and waited + pause <= budget:
            wait(pause)
            waited += pause
        else:
            return ""
    return ""


def loop_with_system(
    client: Any, text: str, attempts: int = 3, budget: float = 4.0, wait: Any = time.sleep
) -> str:
    """A system message too, and a limit."""
    messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": text}]
    spent, pause = 0, 1
    for last in [False] * (attempts - 1) + [True]:
        try:
            reply = client.chat.completions.create(model="m", messages=messages, max_completion_tokens=40)
            return whole(reply)
        except WAITABLE:
            spent += pause
            if last or spent > budget:
                return ""
            wait(pause)
            pause += pause
    return ""


def swallows(client: Any, text: str, attempts: int = 3, budget: float = 4.0, wait: Any = time.sleep) -> str:
    """Everything is caught, all around."""
    try:
        return loop_with_while(client, text, attempts, budget, wait)
    except Exception:
        return ""


def tries_any_error(
    client: Any, text: str, attempts: int = 3, budget: float = 4.0, wait: Any = time.sleep
) -> str:
    """A wrong key is tried again, and then swallowed."""
    waited = 0
    for call in range(attempts):
        try:
            return whole(ask(client, text))
        except openai.OpenAIError:
            if call + 1 == attempts or waited + 2**call > budget:
                break
            wait(2**call)
            waited += 2**call
    return ""


def half_texts(client: Any, text: str, attempts: int = 3, budget: float = 4.0, wait: Any = time.sleep) -> str:
    """The finish reason is not looked at."""
    waited = 0
    for call in range(attempts):
        try:
            return str(ask(client, text).choices[0].message.content or "").strip()
        except WAITABLE:
            if call + 1 == attempts or waited + 2**call > budget:
                return ""
            wait(2**call)
            waited += 2**call
    return ""


def sleeps(client: Any, text: str, attempts: int = 3, budget: float = 4.0, wait: Any = time.sleep) -> str:
    """It does not use `wait`."""
    return loop_with_while(client, text, attempts, budget, lambda seconds: time.sleep(seconds))


def never_ends(client: Any, text: str, attempts: int = 3, budget: float = 4.0, wait: Any = time.sleep) -> str:
    """No limit at all."""
    pause = 1
    while True:
        try:
            return whole(ask(client, text))
        except WAITABLE:
            wait(pause)
            pause *= 2


def without_wait(client: Any, text: str) -> str:
    """The signature of something simpler."""
    return whole(ask(client, text))


def one_more(client: Any, text: str, attempts: int, budget: float, wait: Any) -> str:
    """`attempts` repetitions after the first call."""
    return loop_with_while(client, text, attempts + 1, budget, wait)


def boundless(client: Any, text: str, attempts: int, budget: float, wait: Any) -> str:
    """The budget is not looked at."""
    return loop_with_while(client, text, attempts, 1e9, wait)


def by_the_clock(client: Any, text: str, attempts: int, budget: float, wait: Any) -> str:
    """The waits are measured, and the scripted ones take no time."""
    start = time.monotonic()
    for call in range(attempts):
        try:
            return whole(ask(client, text))
        except WAITABLE:
            if call == attempts - 1 or time.monotonic() - start + 2**call > budget:
                break
            wait(2**call)
    return ""


def misspelt(client: Any, text: str, attempts: int, budget: float, wait: Any) -> str:
    """An error's name that the package does not have."""
    try:
        return whole(ask(client, text))
    except openai.RateLimitErr:  # type: ignore[attr-defined]
        return ""


def all_but_the_key(client: Any, text: str, attempts: int, budget: float, wait: Any) -> str:
    """What is no wrong key is waited out."""
    waited = 0
    for call in range(attempts):
        try:
            return whole(ask(client, text))
        except openai.AuthenticationError:
            raise
        except openai.APIError:
            if call + 1 == attempts or waited + 2**call > budget:
                break
            wait(2**call)
            waited += 2**call
    return ""


def only_the_key(client: Any, text: str, attempts: int, budget: float, wait: Any) -> str:
    """What is no wrong key and cannot be waited out is swallowed."""
    try:
        return loop_with_while(client, text, attempts, budget, wait)
    except openai.AuthenticationError:
        raise
    except openai.APIStatusError:
        return ""


def below_budget(client: Any, text: str, attempts: int, budget: float, wait: Any) -> str:
    """The budget itself is too much."""
    return loop_with_while(client, text, attempts, budget - 1e-6, wait)


def all_but_length(client: Any, text: str, attempts: int, budget: float, wait: Any) -> str:
    """Any other reason will do."""

    def create(**sent: Any) -> Any:
        reply = client.chat.completions.create(**sent)
        if reply.choices[0].finish_reason != "length":
            reply.choices[0].finish_reason = "stop"
        return reply

    lenient = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))
    return loop_with_while(lenient, text, attempts, budget, wait)


WRONG_LOOPS = [
    (all_but_the_key, "You try again what is refused for good"),
    (only_the_key, "All but the three must reach the caller"),
    (below_budget, "Waits may add up to `budget` exactly"),
    (all_but_length, "'length' is one way to stop early. A text"),
    (lambda client, text, *rest, **named: whole(ask(client, text)), "RateLimitError reached the seller"),
    (swallows, "The wrong key is swallowed"),
    (tries_any_error, "You try again with a wrong key"),
    (half_texts, "half a sentence goes to the form"),
    (sleeps, "Use the function that was passed in"),
    (one_more, "`attempts` counts calls"),
    (boundless, "The waits add up to more than `budget`"),
    (by_the_clock, "Each wait fits the budget, their sum does not"),
    (misspelt, "has no attribute 'RateLimitErr' (in misspelt, line"),
    (never_ends, "It still called after 20 calls."),
    (without_wait, "TypeError: without_wait() got an unexpected keyword argument 'attempts'"),
]

RIGHT = [
    *(("01.1", way) for way in (text_by_guards, text_by_match, text_by_own_error, text_by_last_choice)),
    ("01.1", text_by_try),
    *(("01.2", way) for way in (bill_in_fractions, bill_in_a_loop, bill_with_a_discount, bill_per_million)),
    ("01.2", bill_in_a_context),
    *(("01.3", way) for way in (record_by_kind, record_by_dict, record_by_try, record_by_table)),
    ("01.3", record_by_total),
    *(("01.4", way) for way in (loop_with_while, loop_with_recursion, loop_over_pauses, loop_by_status)),
    ("01.4", loop_with_system),
]
WRONG = [
    *(("01.1", *pair) for pair in WRONG_TEXTS),
    *(("01.2", *pair) for pair in WRONG_BILLS),
    *(("01.3", *pair) for pair in WRONG_RECORDS),
    *(("01.4", *pair) for pair in WRONG_LOOPS),
]


@pytest.mark.parametrize(("exercise", "answer"), RIGHT)
def test_a_right_answer_in_a_foreign_style_passes(exercise: str, answer: Any) -> None:
    result = examine(EXERCISES[exercise], answer)
    assert result, repr(result)


@pytest.mark.parametrize(("exercise", "answer", "sentence"), WRONG)
def test_a_wrong_answer_gets_the_sentence_that_fits(exercise: str, answer: Any, sentence: str) -> None:
    result = examine(EXERCISES[exercise], answer)
    assert result.status == "not yet"
    assert sentence in " ".join(repr(result).split())
