"""Checks of lesson 01: finished replies, the bill, graceful failure, parsing prose."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

import openai
from openai.types.chat import ChatCompletion

from aicourse.llm.faults import Fault
from aicourse.notebook.checks import Check, Mistake, arguments, unordered
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
    for reason in ("length", "content_filter"):
        try:
            text_of(reply("A blue jac", reason))
        except ValueError as error:
            if reason not in str(error):
                return (
                    f"For a reply that stopped with {reason!r} the error says only: {error}"
                )
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


finished_text = Exercise(
    id="01.1",
    title="Never publish half a sentence",
    reference=text_of,
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
    ],
    hints=[
        "Look at `reply.choices[0].finish_reason` before you look at the text.",
        "`content` can be None: `(choice.message.content or '').strip()`.",
        "`raise ValueError(f'…{choice.finish_reason!r}')` when it is not 'stop' or the text is empty.",
    ],
)


def monthly_cost(calls, tokens_in, tokens_out, price_in, price_out):
    per_call = tokens_in * Decimal(price_in) + tokens_out * Decimal(price_out)
    return (calls * per_call / 1_000_000).quantize(Decimal("0.01"), ROUND_HALF_UP)


def in_floats(calls, tokens_in, tokens_out, price_in, price_out):
    return round(
        calls * (tokens_in * float(price_in) + tokens_out * float(price_out)) / 1_000_000, 2
    )


def dollars_per_thousand(calls, tokens_in, tokens_out, price_in, price_out):
    per_call = tokens_in * Decimal(price_in) + tokens_out * Decimal(price_out)
    return (calls * per_call / 1_000).quantize(Decimal("0.01"), ROUND_HALF_UP)


def rounded_per_call(calls, tokens_in, tokens_out, price_in, price_out):
    return calls * monthly_cost(1, tokens_in, tokens_out, price_in, price_out)


def half_even(calls, tokens_in, tokens_out, price_in, price_out):
    per_call = tokens_in * Decimal(price_in) + tokens_out * Decimal(price_out)
    return (calls * per_call / 1_000_000).quantize(Decimal("0.01"))


def same_money(answer, expected):
    return isinstance(answer, Decimal) and answer == expected


the_bill = Exercise(
    id="01.2",
    title="The bill, to the cent",
    reference=monthly_cost,
    checks=[
        Check(
            "multiplies calls, tokens and prices",
            [
                arguments(100_000, 120, 15, "0.15", "0.60"),
                arguments(3_000, 1_000, 500, "2.50", "10.00"),
            ],
            same=same_money,
        ),
        Check(
            "keeps the fractions of a cent until the end",
            [
                arguments(1_000_000, 7, 3, "0.10", "0.40"),
                arguments(50_000, 11, 2, "0.075", "0.30"),
            ],
            same=same_money,
        ),
        Check(
            "rounds half a cent up",
            [
                arguments(1, 1_000_000, 0, "0.125", "0"),
                arguments(1, 0, 1_000_000, "0", "2.345"),
            ],
            same=same_money,
        ),
        Check(
            "gives zero for nothing",
            [arguments(0, 10, 10, "5", "5"), arguments(9, 0, 0, "5", "5")],
            same=same_money,
        ),
    ],
    mistakes=[
        Mistake(
            in_floats,
            "The result is a float. Turn the prices into `Decimal(price_in)` first, and stay in Decimal.",
        ),
        Mistake(
            rounded_per_call,
            "You round each call. A call costs a fraction of a cent: round once, at the end.",
        ),
        Mistake(dollars_per_thousand, "Prices are per million tokens, not per thousand."),
        Mistake(
            half_even,
            "`quantize` rounds half to even by default; a bill rounds half up: pass ROUND_HALF_UP.",
        ),
    ],
    hints=[
        "One call costs tokens_in x price_in + tokens_out x price_out, in millionths of a dollar.",
        "`Decimal('0.15')` is exact, `Decimal(0.15)` is not: the prices come as strings for a reason.",
        "`amount.quantize(Decimal('0.01'), ROUND_HALF_UP)`",
    ],
)

CAN_WAIT = (openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError)


def suggest(client, text):
    try:
        message = {"role": "user", "content": text}
        return text_of(client.chat.completions.create(model="scripted", messages=[message]))
    except (*CAN_WAIT, ValueError):
        return ""


def suggest_nothing_caught(client, text):
    message = {"role": "user", "content": text}
    return (
        client.chat.completions.create(model="scripted", messages=[message])
        .choices[0]
        .message.content
    )


def suggest_everything_caught(client, text):
    try:
        message = {"role": "user", "content": text}
        return text_of(client.chat.completions.create(model="scripted", messages=[message]))
    except Exception:
        return ""


def suggest_half_texts(client, text):
    try:
        message = {"role": "user", "content": text}
        return (
            client.chat.completions.create(model="scripted", messages=[message])
            .choices[0]
            .message.content
        )
    except CAN_WAIT:
        return ""


HEALTHY = "A blue denim jacket."


def answers_when_healthy(suggest):
    got = suggest(ScriptedModel(HEALTHY).client(), "What is it?")
    return got == HEALTHY or f"The model said {HEALTHY!r}, you returned {got!r}."


def sends_the_text(suggest):
    model = ScriptedModel(HEALTHY)
    suggest(model.client(), "two brass lamps, 30 cm")
    return (
        "two brass lamps, 30 cm" in model.history[0].text
        or "The text was not sent to the model."
    )


def gives_the_empty_form(fault):
    def predicate(suggest):
        try:
            got = suggest(ScriptedModel(HEALTHY).client(faults=[fault]), "What is it?")
        except Exception as error:
            return f"{describe_kind(error)} reached the seller."
        return got == "" or f"You returned {got!r}."

    return predicate


def describe_kind(error):
    """The name that openai's documentation has for this error."""
    return next(
        kind.__name__
        for kind in type(error).__mro__
        if not kind.__module__.startswith("aicourse")
    )


def a_wrong_key_is_heard(suggest):
    try:
        got = suggest(
            ScriptedModel(HEALTHY).client(faults=[Fault(status=401)]), "What is it?"
        )
    except openai.AuthenticationError:
        return True
    return f"You returned {got!r}: nobody will ever repair the key."


graceful = Exercise(
    id="01.3",
    title="The form must not break",
    reference=suggest,
    checks=[
        Check("returns the model's text", predicate=answers_when_healthy),
        Check("sends the seller's text", predicate=sends_the_text),
        Check(
            "empty form when the provider is busy (429)",
            predicate=gives_the_empty_form(Fault(status=429)),
        ),
        Check(
            "empty form when the provider is broken (500)",
            predicate=gives_the_empty_form(Fault(status=500)),
        ),
        Check(
            "empty form when there is no answer in time",
            predicate=gives_the_empty_form(Fault(kind="timeout")),
        ),
        Check(
            "empty form when the text was cut off",
            predicate=gives_the_empty_form(Fault(kind="cut_off")),
        ),
        Check("a wrong key (401) is heard", predicate=a_wrong_key_is_heard),
    ],
    mistakes=[
        Mistake(
            suggest_nothing_caught,
            "Nothing is caught: a busy provider breaks the form. Which errors can be waited out?",
        ),
        Mistake(
            suggest_everything_caught,
            "What you catch includes the wrong key: `Exception` does, `openai.APIError` does. Name what waiting mends.",
        ),
        Mistake(
            suggest_half_texts,
            "Errors are handled, but half a sentence goes to the form: use `text_of` from 01.1.",
        ),
    ],
    hints=[
        "openai.RateLimitError, openai.APIConnectionError and openai.InternalServerError can be waited out.",
        "A timeout is an APIConnectionError. A ValueError of `text_of_solution` means: no whole text.",
        "`except (openai.RateLimitError, …, ValueError): return ''`, and nothing for AuthenticationError.",
    ],
)

NOTHING = {
    "",
    "none",
    "n/a",
    "unknown",
    "not stated",
    "not specified",
    "not mentioned",
    "not provided",
}
FIELD = re.compile(
    r"^[\s>*\-\d.]*\**(colou?rs?|materials?)\**\s*:\s*\**(.*)$",
    re.IGNORECASE | re.MULTILINE,
)


def read_fields(text, *, pattern=FIELD, nothing=NOTHING):
    found = {"colours": [], "materials": []}
    for name, values in pattern.findall(text):
        field = "colours" if name.lower().startswith("colo") else "materials"
        words = [word.strip(" .*").lower() for word in re.split(r",|;|/|\band\b|&", values)]
        found[field] += [
            word for word in words if word not in nothing and word not in found[field]
        ]
    return found


def parse_attributes(text):
    return read_fields(text)


def as_written(text):
    found = {"colours": [], "materials": []}
    for name, values in FIELD.findall(text):
        field = "colours" if name.lower().startswith("colo") else "materials"
        words = [word.strip(" .*") for word in re.split(r",|;|/|\band\b|&", values)]
        found[field] += [word for word in words if word.lower() not in NOTHING]
    return found


def british_only(text):
    return read_fields(
        text, pattern=re.compile(FIELD.pattern.replace("colou?r", "colour"), FIELD.flags)
    )


def keeps_nothing_words(text):
    return read_fields(text, nothing={""})


def exact_format_or_crash(text):
    colours, materials = re.fullmatch(r"Colours: (.+)\nMaterials: (.+)", text).groups()
    return {
        "colours": colours.lower().split(", "),
        "materials": materials.lower().split(", "),
    }


def exact_format_or_empty(text):
    match = re.fullmatch(r"Colours: (.+)\nMaterials: (.+)", text)
    if not match:
        return {"colours": [], "materials": []}
    return {
        "colours": match[1].lower().split(", "),
        "materials": match[2].lower().split(", "),
    }


def same_fields(answer, expected):
    return (
        isinstance(answer, dict)
        and answer.keys() == expected.keys()
        and all(unordered(answer[field], expected[field]) for field in expected)
    )


parsing = Exercise(
    id="01.4",
    title="Parse what comes",
    reference=parse_attributes,
    checks=[
        Check(
            "reads the two lines as asked",
            [
                "Colours: Blue\nMaterials: Denim, Metal",
                "Colours: Green, White\nMaterials: Glass",
            ],
            same=same_fields,
        ),
        Check(
            "reads American spelling and the singular",
            ["Colors: Red\nMaterials: Wool", "Color: Black\nMaterial: Leather"],
            same=same_fields,
        ),
        Check(
            "reads any order and extra lines",
            [
                "Sure!\nMaterials: Oak\nColours: White\nSize: 40 cm",
                "Materials: Glass\n\nColours: Green\nHope this helps!",
            ],
            same=same_fields,
        ),
        Check(
            "reads bullets and bold",
            [
                "- Colours: Blue\n- Materials: Linen",
                "**Colours:** Grey\n**Materials:** Wool, Silk",
            ],
            same=same_fields,
        ),
        Check(
            "leaves a missing field empty",
            ["Colours: Pink", "A lovely sofa in many colours and materials."],
            same=same_fields,
            message="What you cannot find is an empty list, not an error and not a guess.",
        ),
        Check(
            "takes 'not stated' for nothing",
            ["Colours: not stated\nMaterials: Wood", "Colours: None\nMaterials: Unknown"],
            same=same_fields,
        ),
    ],
    mistakes=[
        Mistake(
            exact_format_or_crash,
            "`re.fullmatch` gives None for any other shape. Search line by line instead.",
        ),
        Mistake(
            exact_format_or_empty,
            "Only the exact two lines are read. Search for each field on its own, line by line.",
        ),
        Mistake(
            british_only,
            "The model also writes 'Color' and 'Colors': in a pattern, `colou?rs?`.",
        ),
        Mistake(as_written, "Lower case, please: 'Blue' and 'blue' are one colour."),
        Mistake(
            keeps_nothing_words,
            "'not stated' is not a colour. Drop the words that mean nothing.",
        ),
    ],
    hints=[
        "Take one line at a time: does it begin with one of the two names, then a colon?",
        r"`re.findall(r'^\W*(colou?rs?|materials?)\W*:(.*)$', text, re.I | re.M)` finds name and values.",
        "Split the values at commas, strip spaces, dots and asterisks, lower them, drop 'none' and its like.",
    ],
)

exercises = [finished_text, the_bill, graceful, parsing]
