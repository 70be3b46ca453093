"""Checks of lesson 18: a call that is answered, a schema, calls compared, a write that asks."""

import functools
import inspect
import json

from aicourse.errors import ToolRefused
from aicourse.notebook.checks import Check, Mistake, arguments, leaves_alone
from aicourse.notebook.exercises import Exercise

# 18.1


def respond_with(
    *,
    unknown="names",
    broken=True,
    shape=True,
    wrong=True,
    text=True,
    by="name",
    caught=Exception,
):
    """A call answered as a text, with one thing left out or done in another way."""

    def respond(name, arguments, functions):
        if unknown == "silent" and name not in functions:
            return "Error: unknown."
        if unknown != "crash" and name not in functions:
            return f"Error: no tool {name}. Use one of: {', '.join(functions)}."
        try:
            given = json.loads(arguments)
        except ValueError:
            if not broken:
                raise
            return "Error: the arguments are no JSON. Send a JSON object."
        if shape and not isinstance(given, dict):
            return "Error: the arguments are no JSON object. Send one."
        try:
            if by == "position":
                result = functions[name](*given.values())
            else:
                result = functions[name](**given)
        except caught as error:
            if not wrong or name not in functions:
                raise
            return f"Error: {error}. Correct the call."
        return str(result) if text else result

    return respond


def double(number):
    return 2 * number


def minus(first, second):
    return first - second


def opening_hours(weekend=False):
    return "closed" if weekend else "9 to 17"


def place(order_id):
    return {1002: "in the depot"}[order_id]


def is_error(result, *_):
    if not isinstance(result, str):
        return "Return a text."
    return result.startswith("Error") or "Begin the text with `Error`."


def names_them(result, name, given, functions):
    said = is_error(result)
    if said is not True:
        return said
    return (
        all(known in result for known in functions)
        or "Name the tools that there are: the model reads it."
    )


BOTH = {"double": double, "minus": minus, "opening_hours": opening_hours}
SHOP = BOTH | {"place": place}
RESPOND = Exercise(
    id="18.1",
    title="Answer a call",
    reference=respond_with(),
    checks=[
        Check("gives the result as a text", [arguments("double", '{"number": 4}', BOTH), arguments("opening_hours", "{}", BOTH)]),
        Check("takes 0 for a result", [arguments("double", '{"number": 0}', BOTH), arguments("minus", '{"first": 3, "second": 3}', BOTH)], message="0 is a result, too. A call went wrong if it raised."),
        Check("reads JSON, not Python", [arguments("opening_hours", '{"weekend": true}', BOTH), arguments("opening_hours", '{"weekend": null}', BOTH)], message="Python has no `true` and no `null`, and `eval` even runs what a model wrote: use `json.loads`."),
        Check("passes arguments by their names", [arguments("minus", '{"second": 1, "first": 5}', BOTH), arguments("minus", '{"first": 2, "second": 9}', BOTH)]),
        Check("answers an unknown name with the known ones", [arguments("triple", '{"number": 4}', BOTH), arguments("", "{}", {"double": double})], predicate=names_them),
        Check("answers what is no JSON", [arguments("double", '{"number": 4', BOTH), arguments("double", "four", BOTH)], predicate=is_error),
        Check("answers JSON that is no object", [arguments("opening_hours", "null", BOTH), arguments("double", "4", BOTH), arguments("double", "[4]", BOTH)], predicate=is_error),
        Check("answers arguments that the function does not take", [arguments("double", '{"n": 4}', BOTH), arguments("minus", '{"first": 1}', BOTH), arguments("minus", '{"first": 1, "second": "a"}', BOTH)], predicate=is_error),
        Check("answers whatever the function raises", [arguments("place", '{"order_id": 9}', SHOP), arguments("place", '{"order_id": []}', SHOP)], predicate=is_error),
    ],
    mistakes=[
        Mistake(respond_with(unknown="crash"), "A name that nobody knows raises in yours. Test `name not in functions` first."),
        Mistake(respond_with(unknown="silent"), "The model cannot guess the right name. List `functions` in the error."),
        Mistake(respond_with(broken=False), "Broken JSON raises in yours. Catch the `ValueError` of `json.loads`."),
        Mistake(respond_with(shape=False, wrong=False), "`4`, `[4]` and `null` are JSON, but no arguments, and a function that is called wrongly raises `TypeError`. Answer both with an error."),
        Mistake(respond_with(wrong=False), "A call with other arguments raises in yours. Put the call into `try`, too."),
        Mistake(respond_with(text=False), "A `tool` message holds text. Use `str(...)`."),
        Mistake(respond_with(caught=TypeError), "You catch what a wrong call raises. A function has errors of its own, such as the `KeyError` of an unknown order: `except Exception`."),
        Mistake(respond_with(caught=(TypeError, ValueError)), "You catch what a wrong call raises. A function has errors of its own, such as the `KeyError` of an unknown order: `except Exception`."),
        Mistake(respond_with(by="position"), "You pass the values in the order in which the model wrote them. Use `**given`."),
    ],
    hints=[
        "Three steps, each may fail: find the function, read the JSON, call it.",
        "`given = json.loads(arguments)` raises a `ValueError`; `functions[name](**given)` raises a `TypeError` and others.",
        'One `try` around both steps, and `except Exception as error: return f"Error: {error}"`. Check the name before.',
    ],
)  # fmt: skip

# 18.2

TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema_with(*, required="without default", types=True, told="first line", nested=True):
    """A schema from a function, with one thing done in another way."""

    def schema_of(function):
        parameters = inspect.signature(function).parameters
        properties = {
            name: {"type": TYPES[one.annotation] if types else one.annotation.__name__}
            for name, one in parameters.items()
        }
        needed = {
            "all": list(parameters),
            "none": [],
            "with default": [
                n for n, one in parameters.items() if one.default is not one.empty
            ],
            "without default": [
                n for n, one in parameters.items() if one.default is one.empty
            ],
        }[required]
        text = inspect.getdoc(function)
        description = {
            "first line": text.splitlines()[0],
            "first sentence": text.partition(".")[0] + ".",
            "all": text,
            "name": function.__name__,
        }[told]
        form = {"type": "object", "properties": properties, "required": needed}
        body = {"name": function.__name__, "description": description, "parameters": form}
        return {"type": "function", "function": body} if nested else body

    return schema_of


def pay_out(seller: str, cents: int, now: bool = False):
    """Pay a seller out.

    Not for refunds.
    """


def weigh(parcel: int, kilograms: float):
    """Note the weight of a parcel."""


def opening():
    """Say when the office is open."""


def remind(order_id: int, text: str = "Please answer."):
    """Remind a seller of an order. Once a day will do."""


SCHEMA = Exercise(
    id="18.2",
    title="A schema from a function",
    reference=schema_with(),
    checks=[
        Check("says name and kind", [weigh, opening]),
        Check("names types as JSON does", [weigh, pay_out]),
        Check("requires what has no default", [pay_out, remind]),
        Check("describes with the first line of the docstring", [pay_out, opening, remind]),
    ],
    mistakes=[
        Mistake(schema_with(required="all"), "A parameter with a default may be left out. Require those whose `default` is `Parameter.empty`."),
        Mistake(schema_with(required="with default"), "You require the parameters that have a default. It is the other way round."),
        Mistake(schema_with(required="none"), "You require nothing. A call without an order's number would fit."),
        Mistake(schema_with(types=False), "JSON schema calls `int` integer, `str` string, `float` number and `bool` boolean."),
        Mistake(schema_with(told="all"), "Take the first line of the docstring alone: `inspect.getdoc(function).splitlines()[0]`."),
        Mistake(schema_with(told="first sentence"), "You cut the line at its first full stop. The whole first line describes."),
        Mistake(schema_with(told="name"), "Your description is the name once more. The docstring says what the function does."),
        Mistake(schema_with(nested=False), 'Wrap it: `{"type": "function", "function": {...}}`.'),
    ],
    hints=[
        "`inspect.signature(function).parameters` is a dict: name to parameter, with `.annotation` and `.default`.",
        "`TYPES = {str: \"string\", int: \"integer\", float: \"number\", bool: \"boolean\"}`",
        "`[name for name, one in parameters.items() if one.default is one.empty]` is what is required.",
    ],
)  # fmt: skip

# 18.3


def same_calls_with(
    *,
    order=False,
    values=True,
    extra=False,
    missing=False,
    exact=False,
    twice=False,
    some=False,
    number=False,
    empty=True,
    copied=True,
):
    """Calls that are those of the label, with one thing done in another way."""

    def fits(one, wanted):
        if one["name"] != wanted["name"]:
            return False
        if exact:
            return one["arguments"] == wanted["arguments"]
        pairs = wanted["arguments"].items()
        if number:
            pairs = [("order_id", wanted["arguments"].get("order_id"))]
        same = [one["arguments"].get(name) == value for name, value in pairs]
        return not values or (any(same) if some and same else all(same))

    def same_calls(made, wanted):
        if not made and not empty:
            return False
        if order:
            return len(made) == len(wanted) and all(map(fits, made, wanted))
        left = list(made) if copied else made
        for call in wanted:
            found = next((one for one in left if fits(one, call)), None)
            if found is None and not missing:
                return False
            if found is not None and not twice:
                left.remove(found)
        return extra or (len(made) <= len(wanted) if twice else not left)

    return same_calls


def named(name, **given):
    return {"name": name, "arguments": given}


A, B = named("order_status", order_id=1), named("order_status", order_id=2)
OPEN, ASKED = named("search_help"), named("search_help", query="boost price")
LIST = named("list_my_orders")
BROKEN = named("report_problem", order_id=1, reason="damaged")
GONE = named("report_problem", order_id=1, reason="never arrived")
OTHER = named("report_problem", order_id=2, reason="damaged")


SAME_CALLS = Exercise(
    id="18.3",
    title="The right calls, with the right arguments",
    reference=same_calls_with(),
    checks=[
        Check("takes the same calls", [arguments([A], [A]), arguments([A, B], [A, B]), arguments([LIST], [LIST]), arguments([BROKEN], [BROKEN]), arguments([], [])]),
        Check("takes them in any order", [arguments([B, A], [A, B]), arguments([ASKED, A], [A, OPEN])]),
        Check("compares the arguments that the label has", [arguments([B], [A]), arguments([named("order_status")], [A]), arguments([GONE], [BROKEN]), arguments([OTHER], [BROKEN])]),
        Check("leaves other arguments free", [arguments([ASKED], [OPEN]), arguments([named("search_help", query="fees")], [OPEN])]),
        Check("misses none", [arguments([A], [A, B]), arguments([], [LIST])]),
        Check("takes none that was not wanted", [arguments([A, B], [A]), arguments([LIST], []), arguments([A, LIST], [A])]),
        Check("lets one call stand for one only", [arguments([A, B], [A, A]), arguments([ASKED, A], [OPEN, OPEN]), arguments([A, B, B], [A, A, B])]),
        Check("leaves the lists as they were", predicate=leaves_alone([B, A], [A, B])),
    ],
    mistakes=[
        Mistake(same_calls_with(order=True), "You compare call by call. Calls at once have no order."),
        Mistake(same_calls_with(values=False), "You compare names only. Order 2 is not order 1."),
        Mistake(same_calls_with(some=True), "One equal argument is enough in yours. All that the label has must be equal: `all(...)`."),
        Mistake(same_calls_with(number=True), "You compare the order alone. A label may have a reason or an address, too: go through all its arguments."),
        Mistake(same_calls_with(empty=False), "No call was wanted and none was made: that is right, so True."),
        Mistake(same_calls_with(copied=False), "Your function empties the caller's list, which the lesson reads again. Work on `list(made)`."),
        Mistake(same_calls_with(extra=True), "You let calls through that nobody wanted. One of them may cancel an order."),
        Mistake(same_calls_with(missing=True), "You do not notice a call that is missing."),
        Mistake(same_calls_with(exact=True), "You want the arguments to be equal. The label leaves free text out: compare those that it has."),
        Mistake(same_calls_with(twice=True), "One call that was made stands for two that were wanted in yours. Take it out of the list once it is used."),
    ],
    hints=[
        "One call fits another if the names are equal and `all(one[\"arguments\"].get(name) == value for name, value in wanted[\"arguments\"].items())`.",
        "Go through `wanted`; for each find one of `left = list(made)` that fits, and remove it.",
        "At the end nothing may be left.",
    ],
)  # fmt: skip

# 18.4


def begun(answer, days):
    """The generator of a write and the shop it works on."""
    shop = {"paused": 0}
    return answer(shop, days), shop


def of_a_generator(check):
    """The check of a write; one that does not wait is told so."""

    @functools.wraps(check)
    def judged(answer):
        write, _ = begun(answer, 14)
        if write is None:
            raise NotImplementedError
        if not inspect.isgenerator(write):
            return "It runs to its end at once. A function with a `yield` waits there for the yes."
        return check(answer)

    return judged


@of_a_generator
def asks(answer):
    for days in (1, 14, 30):
        write, _ = begun(answer, days)
        try:
            question = next(write)
        except ToolRefused:
            return f"{days} days are allowed, and it refuses."
        if str(days) not in str(question) or not str(question).rstrip().endswith("?"):
            return "The question must end with ? and say for how many days."
    return True


@of_a_generator
def waits(answer):
    write, shop = begun(answer, 14)
    next(write)
    return (
        shop == {"paused": 0} or "The listing is paused before the customer has answered."
    )


@of_a_generator
def pauses(answer):
    for days in (14, 3):
        write, shop = begun(answer, days)
        next(write)
        try:
            next(write)
            return "It asks twice."
        except StopIteration as end:
            if not isinstance(end.value, str) or not end.value.strip():
                return "After the yes it must return a text for the customer."
        if shop != {"paused": days}:
            return f"After the yes, shop is {shop}; wanted: {days} days."
    return True


@of_a_generator
def refuses(answer):
    for days in (0, 31, -5):
        write, shop = begun(answer, days)
        try:
            next(write)
        except ToolRefused as refusal:
            told = str(refusal)
            if "1" not in told or "30" not in told:
                return "The refusal does not say what would be allowed: 1 to 30 days."
            if shop != {"paused": 0}:
                return (
                    f"It refuses {days} days, and shop is {shop}: look at the rules first."
                )
            continue
        except StopIteration:
            return "It ends without a question: refuse with `raise ToolRefused(...)`."
        except Exception as error:
            return f"{days} days raise {error!r}. A refusal is `raise ToolRefused(...)`."
        return f"{days} days are not refused."
    return True


def pause_with(
    *, before=False, says=True, limit=30, least=1, refusal="next step", text=True, done=True
):
    """A write that pauses a listing, with one thing done in another way."""

    def pause_listing(shop, days):
        if not least <= days <= limit:
            if refusal == "returned":
                return "Error: 1 to 30 days."
            raise ToolRefused(
                "1 to 30 days are possible." if refusal == "next step" else "Not possible."
            )
        if before:
            shop["paused"] = days
        yield f"Pause the listing for {days} days?" if says else "Are you sure?"
        if done and not before:
            shop["paused"] = days
        return f"Paused for {days} days." if text else None

    return pause_listing


PAUSE = Exercise(
    id="18.4",
    title="A write that asks",
    reference=pause_with(),
    checks=[
        Check("asks a question that says what will be done", predicate=asks),
        Check("changes nothing before the yes", predicate=waits),
        Check("does it after the yes, and says so", predicate=pauses),
        Check("refuses, and says what would be possible", predicate=refuses),
    ],
    mistakes=[
        Mistake(pause_with(before=True), "The effect stands before `yield`: whoever says no is paused already. Move it below."),
        Mistake(pause_with(says=False), "«Are you sure?» Of what? The customer sees the question alone: say for how many days."),
        Mistake(pause_with(limit=365), "31 days are too many in this exercise: at most 30."),
        Mistake(pause_with(limit=29), "30 days are allowed: test `days <= 30`."),
        Mistake(pause_with(least=0), "0 days are no pause: at least 1."),
        Mistake(pause_with(refusal="returned"), "A refusal that is returned looks like a write that forgot to ask. Raise `ToolRefused`."),
        Mistake(pause_with(refusal="bare"), "«Not possible.» leaves the model guessing. End with what would be: 1 to 30 days."),
        Mistake(pause_with(text=False), "Return a sentence after the effect: it is what the customer reads."),
        Mistake(pause_with(done=False), "After the yes nothing happens. Set `shop[\"paused\"] = days` below `yield`."),
    ],
    hints=[
        "Rules first: `if not 1 <= days <= 30: raise ToolRefused(...)`.",
        "Then `yield` the question. What stands below it runs only after the yes.",
        "Below: `shop[\"paused\"] = days`, and `return` a sentence.",
    ],
)  # fmt: skip

exercises = [RESPOND, SCHEMA, SAME_CALLS, PAUSE]
