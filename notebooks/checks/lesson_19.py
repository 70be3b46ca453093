"""Checks of lesson 19: the loop, failures and their causes, a rule that stops, a veto, a window on a conversation."""

import itertools
import json
import re

from aicourse.agents.trajectory import Step
from aicourse.notebook.checks import Check, Mistake, arguments
from aicourse.notebook.exercises import Exercise

# 19.1

GIVE_UP = {"role": "assistant", "content": "A colleague takes over."}


def loop_with(*, stop=True, back="all", count="asks", own=True, identity=True, after=True):
    """The loop, with one thing left out or done in another way."""

    def loop(ask, call, messages, steps):
        told = list(messages) if own else messages
        asked = 0
        while asked < steps:
            message = ask(told)
            told.append(message)
            calls = message.get("tool_calls", [])
            if not calls and stop:
                return told
            for wanted in calls if back != "first" else calls[:1]:
                function = wanted["function"]
                result = call(function["name"], function["arguments"])
                if back == "none":
                    continue
                reply = {"role": "tool", "content": result}
                if identity:
                    reply["tool_call_id"] = wanted["id"]
                told.append(reply)
                asked += count == "calls"
            asked += count == "asks" or not calls
        return [*told, GIVE_UP] if after else told

    return loop


def wants(*named):
    """An assistant's message that asks for calls."""
    calls = [
        {
            "id": f"c{place}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(given)},
        }
        for place, (name, given) in enumerate(named)
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def says(text):
    return {"role": "assistant", "content": text}


def results_in(messages):
    return [one["content"] for one in messages if one["role"] == "tool"]


def ready(messages):
    """A model that needs no tool."""
    return says("Good night!")


def looks_once(messages):
    """A model that looks once and then says what it read."""
    found = results_in(messages)
    return says(f"I read: {found[-1]}") if found else wants(("list_my_orders", {}))


def looks_twice(messages):
    """A model that lists, looks one up, and replies."""
    found = results_in(messages)
    steps = [wants(("list_my_orders", {})), wants(("order_status", {"order_id": 7}))]
    return steps[len(found)] if len(found) < 2 else says(f"So: {found[-1]}")


def looks_at_two(messages):
    """A model that asks for two calls in one message."""
    found = results_in(messages)
    both = ("order_status", {"order_id": 7}), ("order_status", {"order_id": 8})
    return says(f"{len(found)} results: {found}") if found else wants(*both)


def endless(messages):
    """A model that never replies."""
    return wants(("order_status", {"order_id": 7}))


def shop(name, given):
    return f"{name} {given}: 7 vase (lost)"


def asked_for(text):
    return [{"role": "system", "content": "Help."}, {"role": "user", "content": text}]


QUESTION, NIGHT = asked_for("Where is my vase?"), asked_for("Good night!")


def ran(model, question=QUESTION, steps=6):
    return arguments(model, shop, question, steps)


LOOP = Exercise(
    id="19.1",
    title="The loop",
    reference=loop_with(),
    checks=[
        Check("ends with a reply", [ran(ready, NIGHT), ran(ready)]),
        Check("puts the result back, and asks again", [ran(looks_once), ran(looks_twice)]),
        Check("answers every call of a message", [ran(looks_at_two), ran(looks_at_two, NIGHT)]),
        Check(
            "asks the model at most so often, then gives up",
            [ran(endless, steps=1), ran(endless, steps=4), ran(looks_twice, steps=2), ran(looks_at_two, steps=2)],
            message="`steps` counts how often the model is asked. After that a fixed message ends the conversation.",
        ),
        Check(
            "leaves the caller's messages alone",
            [ran(looks_once, tuple(QUESTION)), ran(ready, tuple(NIGHT))],
            message="These messages are a tuple, which cannot be changed. Begin with `list(messages)`.",
        ),
    ],
    mistakes=[
        Mistake(loop_with(stop=False), "Your loop goes on after a reply. A message without `tool_calls` is the reply: return."),
        Mistake(loop_with(back="none"), "The model never reads what its calls gave. Append a message of the role `tool`."),
        Mistake(loop_with(back="first"), "A message may ask for several calls. Each needs its result, or the next request is refused."),
        Mistake(loop_with(count="calls"), "You count calls of tools. `steps` counts how often the model is asked."),
        Mistake(loop_with(identity=False), "A result says whose it is: `tool_call_id` is the `id` of the call."),
        Mistake(loop_with(after=False), "Out of steps, the customer hears nothing in yours. Append `GIVE_UP`."),
        Mistake(loop_with(own=False), "You append to the list that you were given. Copy it first: `list(messages)`."),
    ],
    hints=[
        "`for _ in range(steps):` ask, append the message, return if it has no `tool_calls`.",
        "For each `wanted` in `message[\"tool_calls\"]`: its name and arguments are in `wanted[\"function\"]`.",
        '`{"role": "tool", "tool_call_id": wanted["id"], "content": call(name, arguments)}`, and after the loop `[*told, GIVE_UP]`.',
    ],
)  # fmt: skip

# 19.2

CAUSES = {
    "D02": "repeats the customer",
    "D10": "denies what a tool does",
    "D11": "claims an act that nobody did",
    "D13": "invents a fact",
}


def names(scenario, message):
    """A check of one scenario's cause."""

    def is_it(answer):
        if scenario not in answer:
            return f"`{scenario}` has no cause yet."
        if answer[scenario] not in CAUSES.values():
            return "That is none of the four causes. Copy one as it is written."
        return answer[scenario] == CAUSES[scenario] or message

    return Check(f"names the cause of {scenario}", predicate=is_it)


def swapped(first, second):
    return CAUSES | {first: CAUSES[second], second: CAUSES[first]}


def says_in(scenario, cause):
    return lambda answer: isinstance(answer, dict) and answer.get(scenario) == cause


DIAGNOSIS = Exercise(
    id="19.2",
    title="Four failures, four causes",
    reference=CAUSES,
    expects=dict,
    untouched={},
    checks=[
        names("D02", "Put the reply of D02 beside the customer's words."),
        names("D10", "Which tool would do what the customer of D10 asks for?"),
        names("D11", "Look in D11 for the call that the reply speaks of."),
        names("D13", "Where does the amount in D13's last reply come from?"),
    ],
    mistakes=[
        Mistake(
            swapped("D11", "D13"),
            "A sum that was not looked up and a lamp that was not cancelled are both untrue. Which of them is a fact, which an act?",
            says_in("D11", CAUSES["D13"]),
        ),
        Mistake(
            swapped("D02", "D10"),
            "One reply says no more than the customer did, another that it cannot pay. Read D02 and D10 once more.",
            says_in("D02", CAUSES["D10"]),
        ),
    ],
    hints=[
        "Read the tree first: no step of a tool stands between question and reply in any of them.",
        "`refund_order` pays a sum that was agreed; so what does the reply of D10 do?",
        "D13's first reply is about a king. The second one names a sum.",
    ],
)

# 19.3


def repeated_with(*, by="call", where="turn", told=True, hashable=True, only_done=False):
    """A rule that ends a turn, with one thing done in another way."""

    def repeated(turn):
        calls = [one for one in turn if one.kind == "tool"]
        if only_done:
            calls = [one for one in calls if one.status == "done"]
        if by == "name":
            keys = [one.tool for one in calls]
        elif by == "arguments":
            keys = [str(one.arguments) for one in calls]
        elif not hashable:
            keys = [(one.tool, tuple(one.arguments.items())) for one in calls]
        else:
            keys = [(one.tool, str(one.arguments)) for one in calls]
        if where == "neighbours":
            again = any(first == second for first, second in itertools.pairwise(keys))
        else:
            again = len(set(keys)) < len(keys)
        if not told:
            return again
        return "a call was repeated" if again else ""

    return repeated


def always_over(turn):
    return "over" if turn else ""


def called(name, status="done", given=None, text="", writes=False, **arguments):
    return Step("tool", text, name, arguments if given is None else given, status, writes)


MODEL = Step("model", prompt_tokens=9)
LIST, SEVEN, EIGHT = (
    called("list_my_orders"),
    called("order_status", order_id=7),
    called("order_status", order_id=8),
)
WRONG = called("change_address", "vetoed", order_id=7, address="Elm Street 3")
BROKEN = called("order_status", "invalid", given='{"order_id": ')
SEARCHED, REFUND = (
    called("search_help", query="lost"),
    called("refund_order", "asks", order_id=7),
)


def is_a_reason(result, turn):
    return (
        isinstance(result, str) and bool(result)
    ) or "Return a text that says why it is enough."


def is_nothing(result, turn):
    return result == "" or 'Return "" to go on.'


REPEATED = Exercise(
    id="19.3",
    title="A rule that stops",
    reference=repeated_with(),
    checks=[
        Check("ends a turn in which a call comes again", [[MODEL, SEVEN, MODEL, SEVEN], [LIST, MODEL, LIST]], predicate=is_a_reason),
        Check("sees it with other calls in between", [[MODEL, SEVEN, MODEL, LIST, MODEL, SEVEN], [SEARCHED, SEVEN, EIGHT, SEARCHED]], predicate=is_a_reason),
        Check("counts calls that were not done", [[WRONG, MODEL, WRONG], [SEVEN, WRONG, LIST, WRONG]], predicate=is_a_reason),
        Check("takes arguments that are no JSON", [[BROKEN, MODEL, BROKEN], [LIST, BROKEN, BROKEN]], predicate=is_a_reason),
        Check("goes on while calls differ", [[LIST, MODEL, SEVEN], [SEVEN, MODEL, EIGHT], [SEVEN, MODEL, REFUND]], predicate=is_nothing),
        Check("goes on at the beginning", [[], [MODEL], [Step("customer", "Hello"), MODEL]], predicate=is_nothing),
    ],
    mistakes=[
        Mistake(repeated_with(by="name"), "Looking up two orders is no repetition. Compare the arguments, too."),
        Mistake(repeated_with(by="arguments"), "A look at order 7 and its refund have equal arguments. Compare the tool's name, too."),
        Mistake(repeated_with(where="neighbours"), "You compare neighbours. A model goes in circles as well: A, B, A."),
        Mistake(repeated_with(only_done=True), "A call that was vetoed, and is made again, gets nowhere either. Count every call."),
        Mistake(repeated_with(hashable=False), "Arguments that are no JSON stay a text. `str(one.arguments)` is safe for both."),
        Mistake(repeated_with(told=False), 'The reason is a text, which the record keeps; "" means: go on.'),
        Mistake(always_over, "Yours ends every turn. Only a call that was made before is a reason."),
    ],
    hints=[
        'Calls are the steps with `one.kind == "tool"`.',
        "Make a pair of each: `(one.tool, str(one.arguments))`.",
        "If `len(set(calls)) < len(calls)`, one came twice.",
    ],
)  # fmt: skip

# 19.4


def veto_with(
    *, how="number", sources="said and done", text=True, missing=True, reason=True
):
    """A veto against numbers from nowhere, with one thing done in another way."""

    def unknown_order(call, steps):
        if text and isinstance(call.arguments, str):
            return ""
        given = str(
            call.arguments.get("order_id", "") if missing else call.arguments["order_id"]
        )
        if not given:
            return ""
        kept = {
            "said and done": lambda one: (
                one.kind == "customer" or (one.kind == "tool" and one.status == "done")
            ),
            "said": lambda one: one.kind == "customer",
            "done": lambda one: one.kind == "tool" and one.status == "done",
            "every result": lambda one: one.kind in ("customer", "tool"),
            "all": lambda one: True,
        }[sources]
        texts = [one.text for one in steps if kept(one)]
        if how == "substring":
            known = any(given in one for one in texts)
        else:
            known = given in {number for one in texts for number in re.findall(r"\d+", one)}
        if known:
            return ""
        return f"Error: {given} appears nowhere. List the orders first." if reason else True

    return unknown_order


def vetoes_all(call, steps):
    return "Error: no."


def customer(text):
    return Step("customer", text)


MINE = called("list_my_orders", text="7 vase (lost); 1002 oak table (paid)")
REFUSED = called(
    "order_status", "refused", order_id=977, text="This customer has no order 977."
)
REPLIED = Step("reply", "Your order 555 is on its way.")


def refund(number):
    return called("refund_order", writes=True, order_id=number)


def is_vetoed(result, *_):
    return (
        isinstance(result, str) and bool(result)
    ) or "This call must not happen: return a sentence that says why."


def passes(result, *_):
    return result == "" or 'This call is in order: return "".'


VETO = Exercise(
    id="19.4",
    title="A veto",
    reference=veto_with(),
    checks=[
        Check("lets numbers through that the customer wrote", [arguments(refund(1002), [customer("Refund 1002, please.")]), arguments(refund(7), [customer("It is no. 7.")]), arguments(refund(7), [customer("It is no. 7."), customer("Hello?")])], predicate=passes),
        Check("lets numbers through that a tool found", [arguments(refund(7), [customer("My vase is lost."), MINE]), arguments(refund(1002), [customer("The table?"), MINE, MODEL])], predicate=passes),
        Check("lets calls through that need no number", [arguments(called("list_my_orders"), [customer("Hi")]), arguments(called("search_help", query="fees"), [])], predicate=passes),
        Check("leaves arguments that are no JSON to the tool", [arguments(BROKEN, [customer("Hi")]), arguments(called("refund_order", given="1002"), [])], predicate=passes),
        Check("vetoes a number from nowhere", [arguments(refund(123456), [customer("My vase is lost."), MINE]), arguments(refund(301), [])], predicate=is_vetoed),
        Check("reads whole numbers", [arguments(refund(100), [customer("Refund 1002.")]), arguments(refund(2), [MINE])], predicate=is_vetoed),
        Check("does not believe a call that was refused, nor what a model said", [arguments(refund(977), [customer("Hi"), MINE, REFUSED]), arguments(refund(555), [customer("Hi"), REPLIED])], predicate=is_vetoed),
    ],
    mistakes=[
        Mistake(veto_with(how="substring"), "100 is a part of 1002, but another order. Compare whole numbers: `re.findall(r\"\\d+\", text)`."),
        Mistake(veto_with(sources="said"), "A number that `list_my_orders` found is known as well. Look at results that were done."),
        Mistake(veto_with(sources="done"), "A number that the customer wrote is known as well."),
        Mistake(veto_with(sources="every result"), "“This customer has no order 977” names 977, and makes it nobody's. Count results with the status `done`."),
        Mistake(veto_with(sources="all"), "What a model said is no evidence. Look at customers' messages and at results that were done."),
        Mistake(veto_with(text=False), "Arguments that are no JSON object are a text here: leave those to the tool."),
        Mistake(veto_with(missing=False), "Many calls have no `order_id`. Use `.get`."),
        Mistake(veto_with(reason=False), "The model reads what you return. Say what is wrong and what to do next."),
        Mistake(vetoes_all, "Yours stops every call. A number that was said or found is in order."),
    ],
    hints=[
        'Known are the numbers in texts of steps whose kind is "customer", and of tools whose status is "done".',
        "`{number for one in … for number in re.findall(r\"\\d+\", one.text)}`",
        'If the number is known, or there is none, return "". Otherwise a sentence that ends with the next step.',
    ],
)  # fmt: skip

# 19.5


def window_with(*, cut="turns", system=True, more=0, whole=True):
    """The last turns of a conversation, with one thing done in another way."""

    def window(messages, turns):
        head = [one for one in messages if one["role"] == "system"] if system else []
        rest = [one for one in messages if one["role"] != "system" or not whole]
        starts = [place for place, one in enumerate(rest) if one["role"] == "user"]
        if cut == "messages":
            return head + rest[-turns:]
        begin = starts[-(turns + more) :][:1]
        return head + (rest[begin[0] :] if begin else rest)

    return window


def talk(*turns):
    """A conversation: each turn is a question and the roles that follow."""
    messages = [{"role": "system", "content": "Help."}]
    for place, roles in enumerate(turns):
        messages.append({"role": "user", "content": f"Question {place}"})
        messages += [
            {"role": role, "content": f"{role} {place}.{n}"} for n, role in enumerate(roles)
        ]
    return messages


PLAIN, LOOKED = ["assistant"], ["assistant", "tool", "assistant"]
WINDOW = Exercise(
    id="19.5",
    title="A window",
    reference=window_with(),
    checks=[
        Check("keeps the last turns", [arguments(talk(PLAIN, PLAIN, PLAIN), 1), arguments(talk(PLAIN, PLAIN, PLAIN, PLAIN), 2)]),
        Check("keeps a turn whole, calls and results", [arguments(talk(PLAIN, LOOKED, LOOKED), 1), arguments(talk(LOOKED, LOOKED, PLAIN), 2)]),
        Check("keeps the system's message", [arguments(talk(LOOKED, PLAIN), 1), arguments([*talk(PLAIN, LOOKED), {"role": "system", "content": "Known: 7 vase."}], 1)]),
        Check("keeps all of a short conversation, once", [arguments(talk(PLAIN), 3), arguments(talk(LOOKED, PLAIN), 2), arguments(talk(), 2)]),
    ],
    mistakes=[
        Mistake(window_with(cut="messages"), "You keep the last messages. A result whose call is cut off is refused by every provider: cut where a `user` begins."),
        Mistake(window_with(system=False), "The rules are gone: keep messages of the role `system`."),
        Mistake(window_with(more=1), "That is one turn more than asked for."),
        Mistake(window_with(whole=False), "The system's message stands there twice if nothing is cut."),
    ],
    hints=[
        "A turn begins with a message of the role `user`: collect the places of those.",
        "`starts[-turns:]` are the last ones; the first of them is where to cut. A short conversation has fewer.",
        "The system's messages, then everything from that place on.",
    ],
)  # fmt: skip

exercises = [LOOP, DIAGNOSIS, REPEATED, VETO, WINDOW]
