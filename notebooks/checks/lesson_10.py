"""Checks of lesson 10: a fake model, a chain of models, a listing published once, tests that kill mutants."""

from __future__ import annotations

import contextlib
import json
import types
from dataclasses import dataclass
from types import SimpleNamespace

import httpx2
import openai

from aicourse.notebook.checks import Check, Mistake, arguments
from aicourse.notebook.exercises import Exercise

# 10.1


def record(**fields):
    return SimpleNamespace(**fields)


def completion(content):
    return record(choices=[record(message=record(content=content))])


def client_of(create, requests):
    return record(chat=record(completions=record(create=create)), requests=requests)


def fake_with(*, take=0, raising=True, noting="first", empty="raise"):
    """A fake, with one thing done in another way."""

    def fake(*replies):
        left, requests = list(replies), []

        def create(**request):
            if noting == "first":
                requests.append(request)
            elif noting == "last one":
                requests[:] = [request]
            elif noting == "replied to" and left:
                requests.append(request)
            if not left and empty == "none":
                return completion(None)
            if not left:
                raise LookupError("no reply left")
            reply = left.pop(take) if len(left) > 1 or empty != "repeat" else left[0]
            if raising and isinstance(reply, Exception):
                raise reply
            if noting == "when answered":
                requests.append(request)
            return completion(reply)

        return client_of(create, requests)

    return fake


def text_itself(*replies):
    client = fake_with()(*replies)
    create = client.chat.completions.create
    return client_of(
        lambda **request: create(**request).choices[0].message.content, client.requests
    )


def asked(client, **request):
    return client.chat.completions.create(**request)


def says(client, **request):
    return asked(client, **request).choices[0].message.content


def in_order(fake):
    client, found = fake("blue", "red", ""), []
    for _ in range(3):
        try:
            reply = asked(client, model="m", messages=[])
        except LookupError:
            number = len(found) + 1
            return f'`fake("blue", "red", "")` has three replies, and none for call {number}. An empty text is a reply, too.'
        if isinstance(reply, dict):
            return "The reply is a dict. The client's is an object: `reply.choices`, not `reply['choices']`."
        found.append(reply.choices[0].message.content)
    return found == ["blue", "red", ""] or f'`fake("blue", "red", "")` said {found}.'


def remembers(fake):
    client = fake("a", "b")
    asked(client, model="m", messages=[{"role": "user", "content": "Colour?"}])
    asked(client, model="n", max_completion_tokens=60)
    wanted = [
        {"model": "m", "messages": [{"role": "user", "content": "Colour?"}]},
        {"model": "n", "max_completion_tokens": 60},
    ]
    found = list(client.requests)
    return found == wanted or f"After two calls `requests` is {found}."


def raises(fake):
    client = fake(TimeoutError("slow"), "blue")
    try:
        said = says(client, model="m")
    except TimeoutError:
        then = says(client, model="m")
        if then != "blue":
            return f"After the exception the next reply was {then!r}."
        count = len(client.requests)
        return (
            count == 2
            or f"Two calls were made, the first one raised; `requests` has {count}."
        )
    return f"A reply that is an exception was said instead of raised: {said!r}."


def ends(fake):
    client = fake("blue")
    asked(client, model="m")
    try:
        said = says(client, model="m")
    except LookupError:
        count = len(client.requests)
        return count == 2 or f"Two calls were made, one too many; `requests` has {count}."
    except StopIteration:
        return "`fake` had one reply; the second call raised a `StopIteration`, which is no `LookupError`: a loop would end without a word."
    return f"`fake` had one reply; the second call got {said!r}."


FAKE = Exercise(
    id="10.1",
    title="A model that remembers",
    reference=fake_with(),
    checks=[
        Check("gives the replies in order", predicate=in_order),
        Check("remembers every request, whole", predicate=remembers),
        Check("raises a reply that is an exception, and remembers that call too", predicate=raises),
        Check("raises a LookupError when no reply is left", predicate=ends),
    ],
    mistakes=[
        Mistake(fake_with(take=-1), "`replies.pop()` takes the last one. Take the first: `pop(0)`, or an iterator."),
        Mistake(fake_with(raising=False), "An exception in the queue must happen: `if isinstance(reply, Exception): raise reply`."),
        Mistake(fake_with(noting="when answered"), "Note the request *before* anything can go wrong: a call that fails was sent, too."),
        Mistake(fake_with(noting="replied to"), "Note the request *before* you look for a reply: a call too many was sent, too."),
        Mistake(fake_with(noting="last one"), "Only the last request is kept. Append each to one list."),
        Mistake(fake_with(noting="never"), "`requests` stays empty: append `request`, the dict of all that `create` was given."),
        Mistake(fake_with(empty="none"), "A call too many must be seen: raise a `LookupError` when no reply is left."),
        Mistake(fake_with(empty="repeat"), "The last reply is given again and again, so a call too many is not seen: raise a `LookupError`."),
        Mistake(text_itself, "The client's reply is an object: the text is at `.choices[0].message.content`."),
    ],
    hints=[
        "Inside `fake`, make two lists (replies left, requests), and a function `create(**request)` that uses both.",
        "`SimpleNamespace(choices=[SimpleNamespace(message=SimpleNamespace(content=reply))])` is the reply.",
        "Return `SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)), requests=requests)`.",
    ],
)  # fmt: skip

# 10.2

REQUEST = httpx2.Request("POST", "https://model.invalid/v1/chat/completions")
FORM = {"colours": ["blue"], "length": 30}
EMPTY = {"colours": [], "length": None}


def status(kind, number):
    return kind("no", response=httpx2.Response(number, request=REQUEST), body=None)


HAPPENS = {
    "timeout": lambda: openai.APITimeoutError(request=REQUEST),
    "no connection": lambda: openai.APIConnectionError(request=REQUEST),
    "429": lambda: status(openai.RateLimitError, 429),
    "500": lambda: status(openai.InternalServerError, 500),
    "no form": lambda: ValueError("the reply is not of our form"),
    "cut off": lambda: json.JSONDecodeError("it ends in the middle", '{"colours": [', 13),
    "401": lambda: status(openai.AuthenticationError, 401),
    "400": lambda: status(openai.BadRequestError, 400),
    "KeyError": lambda: KeyError("colours"),
    "TypeError": lambda: TypeError("unexpected keyword"),
}


@dataclass(frozen=True)
class Ask:
    """What each model does: a name of HAPPENS, or a form. A model that may not be asked is "not asked"."""

    does: dict

    def __call__(self, listing, model):
        what = self.does[model]
        if what == "not asked":
            raise AssertionError(f"{model} need not be asked any more")
        if isinstance(what, str):
            raise HAPPENS[what]()
        return dict(what)

    def __repr__(self):
        return f"ask({self.does})"


PASSING = (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError)


def fill_with(
    caught=(*PASSING, ValueError),
    *,
    first_only=False,
    at_the_end="empty",
    noting=True,
    name="type",
    colourless=True,
    popping=False,
):
    """A chain, with one thing done in another way."""

    def fill(listing, models, ask):
        troubles, last = [], None
        left = models if popping else list(models[:1] if first_only else models)
        while left:
            model = left.pop(0)
            try:
                form = ask(listing, model)
                if colourless or form["colours"]:
                    return form, troubles
            except caught as error:
                last = error
                kind = type(error).__name__
                base = "ValueError" if isinstance(error, ValueError) else kind
                if noting:
                    what = {"type": kind, "base": base, "text": error}[name]
                    troubles.append(f"{model}: {what}")
        if at_the_end == "raise" and last:
            raise last
        return (None if at_the_end == "none" else dict(EMPTY)), troubles

    return fill


def asks_all(listing, models, ask):
    forms, troubles = [], []
    for model in models:
        try:
            forms.append(ask(listing, model))
        except (*PASSING, ValueError, AssertionError) as error:
            troubles.append(f"{model}: {type(error).__name__}")
    return (forms[0] if forms else dict(EMPTY)), troubles


def form_alone(listing, models, ask):
    return fill_with()(listing, models, ask)[0]


def asks_each_for_each(fill):
    models, asked = ["small", "large"], []

    def ask(listing, model):
        asked.append(model)
        raise ValueError("no form")

    with contextlib.suppress(ValueError):
        for listing in ("Blue vase, 30 cm", "Red chair"):
            fill(listing, models, ask)
    told = f"Two listings were filled with one list, of small and large; asked were {', '.join(asked)}."
    return asked == ["small", "large"] * 2 or told


def chain(**does):
    return arguments("Blue vase, 30 cm", list(does), Ask(does))


CHAIN = Exercise(
    id="10.2",
    title="A chain that hides no bug",
    reference=fill_with(),
    checks=[
        Check(
            "gives the first model's form, and asks no other",
            [
                chain(small=FORM, large="not asked"),
                chain(one=FORM),
                chain(small={"colours": [], "length": 30}, large="not asked"),
            ],
        ),
        Check(
            "goes on after trouble that passes, and notes it",
            [
                chain(small="timeout", large=FORM),
                chain(small="429", large=FORM, other="not asked"),
                chain(a="500", b="no connection", c=FORM),
            ],
        ),
        Check(
            "goes on after a reply that is no form",
            [
                chain(small="no form", large=FORM),
                chain(one="no form", two="timeout", three=FORM),
                chain(small="cut off", large=FORM),
            ],
        ),
        Check("asks each model once for each listing", predicate=asks_each_for_each),
        Check(
            "ends with the empty form",
            [
                chain(small="timeout", large="429"),
                chain(small="no form", large="500", other="no form"),
            ],
        ),
        Check(
            "lets a bug in our code through",
            [chain(small="KeyError", large=FORM), chain(small="timeout", large="TypeError")],
            raises=("KeyError", "TypeError"),
            message="A bug that ends in an empty form is never found.",
        ),
        Check(
            "lets a wrong key and a wrong request through",
            [chain(small="401", large=FORM), chain(small="500", large="400")],
            raises=("AuthenticationError", "BadRequestError"),
            message="Nobody corrects a key that seems to work.",
        ),
    ],
    mistakes=[
        Mistake(
            fill_with(Exception),
            "`except Exception` hides every bug behind an empty form. Name the four errors that are trouble.",
        ),
        Mistake(
            fill_with((openai.APIError, ValueError)),
            "Too many are caught. `openai.APIError` is every error of the client and `openai.APIStatusError` each with a "
            "status, also a wrong key (401) and a wrong request (400), which are ours. Name the three that pass.",
        ),
        Mistake(
            fill_with(openai.APIError),
            "A reply that is no form is a `ValueError`; and `openai.APIError` is also a wrong key.",
        ),
        Mistake(fill_with(PASSING), "A reply that is no form is trouble, too: a `ValueError`."),
        Mistake(fill_with(ValueError), "Only a `ValueError` is caught: a timeout, 429 and 500 are trouble, too."),
        Mistake(fill_with(first_only=True), "The second model is never asked. Go on with the next one."),
        Mistake(fill_with(at_the_end="raise"), "When no model is left, the seller gets the empty form, not an error."),
        Mistake(fill_with(at_the_end="none"), 'The empty form is `{"colours": [], "length": None}`, not None.'),
        Mistake(fill_with(noting=False), 'The trouble is lost. Append `f"{model}: {type(error).__name__}"`.'),
        Mistake(
            fill_with(name="base"),
            "You note the class that you catch. The error that came may be a kind of it: ask `type(error)`.",
        ),
        Mistake(
            fill_with(colourless=False),
            "A form without a colour is a form: its listing may name none. Return the first form that you get.",
        ),
        Mistake(
            fill_with(popping=True),
            "You take the models out of the caller's list, so none is left for the next listing. Only go over it.",
        ),
        Mistake(fill_with(name="text"), "Note the error's name, `type(error).__name__`: its text may hold the listing."),
        Mistake(asks_all, "Every model is asked, and paid, although the first form was there. Return it at once."),
        Mistake(form_alone, "Return two things: the form, and the list of troubles."),
    ],
    hints=[
        "`for model in models:` with `try:` and `return ask(listing, model), troubles` inside.",
        "`except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError, ValueError) as error:`",
        "In it, append to `troubles`; after the loop, return the empty form and `troubles`. No other `except`.",
    ],
)  # fmt: skip

# 10.3


def publish_with(*, known="number", other="raise", key_of=lambda key, form: key, first=1):
    """A server that publishes, with one thing done in another way."""

    def publish(saved, key, form):
        key = key_of(key, form)
        if key in saved and known == "number":
            number, before = saved[key]
            if before != form and other == "raise":
                raise ValueError("this key was used for another form")
            if before != form and other == "overwrite":
                saved[key] = (number, form)
            return number
        if key in saved and known == "raise":
            raise ValueError("this key is known")
        number = len(saved) + first
        if key in saved:  # known == "again": a second listing
            saved[f"{key} again"] = (number, form)
        else:
            saved[key] = (number, form)
        return number

    return publish


RED, BLUE = {"colours": ["red"], "length": None}, {"colours": ["blue"], "length": 30}


def after(publish, *presses):
    """The numbers given, the dict afterwards, and the last error."""
    saved, numbers = {}, []
    for key, form in presses:
        try:
            numbers.append(publish(saved, key, dict(form)))
        except ValueError:
            numbers.append("ValueError")
    return numbers, saved


def law(presses, numbers, saved):
    def holds(publish):
        told = after(publish, *presses)
        calls = ", ".join(f"({key!r}, {form['colours'][0]})" for key, form in presses)
        return (
            told == (numbers, saved)
            or f"After {calls}: returned {told[0]}, and saved {told[1]}; expected {numbers}, and {saved}."
        )

    return holds


def keeps_what_was_there(publish):
    saved = {"a": (1, RED), "b": (2, BLUE)}
    wanted = 3, saved | {"c": (3, RED)}
    found = publish(saved, "c", RED), saved
    return (
        found == wanted
        or f"With two listings saved: returned {found[0]}, and saved {saved}; expected 3, and {wanted[1]}."
    )


ONCE = Exercise(
    id="10.3",
    title="Published once",
    reference=publish_with(),
    checks=[
        Check(
            "saves a form under the next number",
            predicate=law([("k1", RED), ("k2", BLUE)], [1, 2], {"k1": (1, RED), "k2": (2, BLUE)}),
        ),
        Check("goes on from the listings that are there", predicate=keeps_what_was_there),
        Check(
            "saves a retried form once, and gives its number again",
            predicate=law(
                [("k1", RED), ("k2", BLUE), ("k1", RED)], [1, 2, 1], {"k1": (1, RED), "k2": (2, BLUE)}
            ),
        ),
        Check(
            "publishes the same form twice when the button was pressed twice",
            predicate=law([("k1", RED), ("k2", RED)], [1, 2], {"k1": (1, RED), "k2": (2, RED)}),
        ),
        Check(
            "refuses a known key with another form, and changes nothing",
            predicate=law([("k1", RED), ("k1", BLUE)], [1, "ValueError"], {"k1": (1, RED)}),
        ),
    ],
    mistakes=[
        Mistake(publish_with(known="again"), "A known key must save nothing: return the number it has."),
        Mistake(publish_with(known="raise"), "A retry is no mistake: give the number again, so that the app can go on."),
        Mistake(
            publish_with(other="number"),
            "The app believes that its second form was published. Refuse it: a `ValueError`.",
        ),
        Mistake(publish_with(other="overwrite"), "The first form is lost. Refuse the second one, and change nothing."),
        Mistake(
            publish_with(key_of=lambda key, form: repr(form)),
            "Two sellers may have equal forms. What makes a press of the button the same is its key alone.",
        ),
        Mistake(publish_with(first=0), "Numbers start with 1: `len(saved) + 1`."),
    ],
    hints=[
        "First ask whether `key in saved`.",
        "If it is not: `saved[key] = (len(saved) + 1, form)`.",
        "If it is: `number, before = saved[key]`; `before != form` is a `ValueError`; else return `number`.",
    ],
)  # fmt: skip

# 10.4

EXTRACTOR = r'''"""A listing becomes a form: its colours by a model, its length by code."""

import json
import re

COLOURS = "black white grey beige brown red pink orange yellow green blue purple".split()
UNITS = {"m": 100, "cm": 1, "mm": 0.1, "inch": 2.54}  # in centimetres
RULES = """You read listings of a second-hand marketplace, and name the item's colours.
Answer with JSON only, such as {"colours": ["red"]}. Use these words only: <words>."""


def messages(listing):
    """Our rules with every colour (system), the listing between its tags (user)."""
    rules = RULES.replace("<words>", ", ".join(COLOURS))
    data = f"<listing>{listing.replace('<', '(')}</listing>"
    return [{"role": "system", "content": rules}, {"role": "user", "content": data}]


def read(reply):
    """Our colour words in a reply; a ValueError if it has no list, or only other words."""
    form = json.loads(reply or "")
    colours = form.get("colours") if isinstance(form, dict) else None
    if not isinstance(colours, list):
        raise ValueError("the reply has no list of colours")
    known = [one for one in colours if one in COLOURS]
    if colours and not known:
        raise ValueError("the reply has none of our words")
    return known


def stated(colours, listing):
    """Those of the colours that are words of the listing, in capitals or not."""
    return [colour for colour in colours if colour in re.findall(r"\w+", listing.lower())]


def length(listing):
    """The first length in centimetres, to a millimetre; None if there is none."""
    found = re.search(r"(\d+\.?\d*) ?(mm|cm|m|inch)\b", listing)
    return round(float(found[1]) * UNITS[found[2]], 1) if found else None


def extract(listing, client, model):
    """The form of a listing: what the model finds and the listing states."""
    completion = client.chat.completions.create(
        model=model, messages=messages(listing), max_completion_tokens=60
    )
    colours = stated(read(completion.choices[0].message.content), listing)
    return {"colours": colours, "length": length(listing)}
'''

# The same behaviour in other words, and as another program: no test may fail on these.
REWORDED = [
    (
        "You read listings of a second-hand marketplace, and name the item's colours.",
        "Which colours has the item of this listing?",
    ),
    ("the reply has no list of colours", "no list"),
]
REWRITTEN = [
    (
        'return [colour for colour in colours if colour in re.findall(r"\\w+", listing.lower())]',
        'words = set(re.split(r"\\W+", listing.lower()))\n    return list(filter(words.__contains__, colours))',
    ),
    ("replace('<', '(')", "replace('<', '&lt;')"),
    ("max_completion_tokens=60", "max_completion_tokens=50"),
]

SHOWN = {
    "no words in the rules": ('.replace("<words>", ", ".join(COLOURS))', ""),
    "a listing ends its tag": (".replace('<', '(')", ""),
    "parts of words count": ('re.findall(r"\\w+", listing.lower())', "listing.lower()"),
    "capitals are not read": ("listing.lower())", "listing)"),
    "any word is a colour": ("if colours and not known:", "if False:"),
    "an inch is shorter": ("2.54", "2.45"),
    "no length is 0": ("if found else None", "if found else 0"),
    "another model": ("model=model", 'model="small"'),
}
UNSEEN = {
    "the listing is not sent": ("{listing.replace('<', '(')}", ""),
    "the rules are the user's": ('"role": "system"', '"role": "user"'),
    "a missing list is a form": ("if not isinstance(colours, list):", "if colours == 0:"),
    "what is stated is not asked": (
        "colours = stated(",
        "colours = (lambda found, listing: found)(",
    ),
    "a millimetre is a metre": ("(mm|cm|m|inch)\\b", "(m|cm|mm|inch)"),
    "other words stay": ("    return known", "    return colours"),
    "lengths are whole": ("UNITS[found[2]], 1)", "UNITS[found[2]])"),
    "decimals are left out": (r"(\d+\.?\d*) ?", r"(\d+) ?"),
}


def module_of(*changes):
    """The extractor with some changes, as a new module."""
    source = EXTRACTOR
    for old, new in changes:
        if source.count(old) != 1:
            raise ValueError(f"{old!r} is {source.count(old)} times in the extractor")
        source = source.replace(old, new)
    module = types.ModuleType("extractor")
    exec(source, module.__dict__)
    return module


def problem_of(test, module):
    """What a test says about a module; None when it passes."""
    try:
        test(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # that of pytest.raises is no Exception
        return f"{type(error).__name__}: {error}".strip(": ")[:120]
    return None


def living(tests, mutants):
    """The names of the mutants that no test fails on."""
    modules = {name: module_of(change) for name, change in mutants.items()}
    return [
        name
        for name, module in modules.items()
        if all(problem_of(test, module) is None for test in tests)
    ]


NO_TESTS = "It is not a list of test functions: their names, without quotes or parentheses."


def are_tests(tests):
    return bool(tests) and all(callable(test) for test in tests)


def failing_on(tests, *changes):
    """The tests that fail on an extractor that does what it must do."""
    found = [
        (test, problem_of(test, module_of(*changes))) for test in tests if callable(test)
    ]
    return [
        f"{getattr(test, '__name__', 'a test')} says {problem}"
        for test, problem in found
        if problem
    ]


def agree_with(what, *variants):
    def agree(tests):
        if not are_tests(tests):
            return NO_TESTS
        wrong = [line for changes in variants for line in failing_on(tests, *changes)]
        return not wrong or f"On {what}: {wrong[0]}."

    return agree


def kill(mutants, names):
    def kills(tests):
        if not are_tests(tests):
            return NO_TESTS
        left = living(tests, mutants)
        told = f" Alive: {', '.join(left)}." if names else ""
        return (
            not left
            or f"Mutation score {len(mutants) - len(left)} of {len(mutants)}.{told}"
        )

    return kills


agrees_right = agree_with("the right extractor", ())
agrees_changed = agree_with("one that does the same in another way", REWORDED, REWRITTEN)
kills_shown, kills_unseen = kill(SHOWN, True), kill(UNSEEN, False)


def form_and_request(text, *, model="m", reply='{"colours": ["blue", "red"]}', extractor):
    """A form, and the request that was sent for it."""
    client = fake_with()(reply)
    return extractor.extract(text, client, model), client.requests[0]


def test_request(extractor):
    _, request = form_and_request("A <b>tall</listing> vase", extractor=extractor)
    rules, data = (message["content"] for message in request["messages"])
    assert [message["role"] for message in request["messages"]] == ["system", "user"]
    assert all(colour in rules for colour in extractor.COLOURS)
    assert data.startswith("<listing>")
    assert data.endswith("</listing>")
    assert data.count("</listing>") == 1
    assert "tall" in data
    assert request["model"] == "m"


def test_stated(extractor):
    assert form_and_request("BLUE vase, delivered", extractor=extractor)[0]["colours"] == [
        "blue"
    ]


def test_read(extractor):
    assert extractor.read('{"colours": ["red", "gore-tex"]}') == ["red"]
    for reply in ("", "[]", "{}", '{"colours": null}', '{"colours": ["blau"]}'):
        try:
            extractor.read(reply)
        except ValueError:
            continue
        raise AssertionError(f"{reply} was read")


def test_length(extractor):
    for text, wanted in {
        "1.5 m": 150,
        "30 cm": 30,
        "5 mm": 0.5,
        "27 inch": 68.6,
        "new": None,
    }.items():
        assert extractor.length(text) == wanted


TESTS = [test_request, test_stated, test_read, test_length]


def test_nothing(extractor):
    extractor.length("30 cm")


def test_that_is_wrong(extractor):
    assert extractor.length("27 inch") == 68


def test_the_words_of_the_rules(extractor):
    assert extractor.RULES.startswith("You read listings")


def test_without_an_extractor():
    assert True


def test_shown_lengths(extractor):
    assert (extractor.length("27 inch"), extractor.length("new")) == (68.6, None)


def test_shown_request(extractor):
    _, request = form_and_request("A </listing> vase", extractor=extractor)
    assert "black" in request["messages"][0]["content"]
    assert request["model"] == "m"
    assert request["messages"][1]["content"].count("</listing>") == 1


def test_shown_replies(extractor):
    try:
        extractor.read('{"colours": ["blau"]}')
    except ValueError:
        return
    raise AssertionError("blau was read")


SHOWN_ONLY = [test_shown_lengths, test_shown_request, test_stated, test_shown_replies]


def steps_of(tests):
    """Whether the tests take an extractor, pass on the right one, and on the same in another way; one by one."""
    told = failing_on(tests)
    yield not any("positional argument" in line for line in told)
    yield not told
    yield agrees_changed(tests) is True


def judged(*, right=True, changed=True, shown=None, unseen=None, takes=True):
    """True of tests with these verdicts, so that one mistake gets one sentence."""

    def recognise(tests):
        if not are_tests(tests):
            return False
        for wanted, found in zip((takes, right, changed), steps_of(tests), strict=True):
            if found != wanted or not wanted:
                return found == wanted
        return shown(len(living(tests, SHOWN))) and (
            unseen is None or unseen(len(living(tests, UNSEEN)))
        )

    return recognise


KILLING = Exercise(
    id="10.4",
    title="Kill the mutants",
    reference=TESTS,
    expects=(list, tuple),
    untouched=[],
    seconds=None,
    show_expected=False,
    checks=[
        Check("passes on the right extractor", predicate=agrees_right),
        Check("passes on one that does the same in another way", predicate=agrees_changed),
        Check("kills the eight mutants", predicate=kills_shown),
        Check(
            "kills eight more",
            predicate=kills_unseen,
            message="Each of them breaks a sentence of a docstring, or a unit of UNITS.",
        ),
    ],
    mistakes=[
        Mistake(
            [test_without_an_extractor],
            "A test takes the extractor to look at: `def test_length(extractor): …`.",
            recognise=judged(takes=False),
        ),
        Mistake(
            [*TESTS, test_that_is_wrong],
            "A test fails on the right extractor, so it would stop every change. Correct what it expects. A fake belongs "
            "inside the test: outside, its replies are used up by the first extractor.",
            recognise=judged(right=False),
        ),
        Mistake(
            [*TESTS, test_the_words_of_the_rules],
            "A test looks at how the extractor does its work, and not at what it does: it fails on one that does the "
            "same. Ask for what a user or the model would notice.",
            recognise=judged(changed=False),
        ),
        Mistake(
            [test_nothing],
            "None of the mutants is killed. A test that only calls something passes, whatever comes back: `assert` what "
            "it must be. And look at the extractor that the test is given, not at the notebook's.",
            recognise=judged(shown=lambda left: left == len(SHOWN)),
        ),
        Mistake(
            [test_request, test_stated, test_length],
            "Some of the mutants in view live. Take one, and ask: which listing or reply gets something else from it "
            "than from the right extractor? That is your test.",
            recognise=judged(shown=lambda left: 0 < left < len(SHOWN)),
        ),
        Mistake(
            SHOWN_ONLY,
            "The mutants in view are killed, others live. Go through the docstrings sentence by sentence, and through "
            "`UNITS`: does a test fail if this is not so?",
            recognise=judged(shown=lambda left: left == 0, unseen=lambda left: left > 0),
        ),
    ],
    hints=[
        '`ScriptedModel(\'{"colours": ["blue"]}\')` has `.client()` for `extract`, and `.history[0].body` is what was sent.',
        "For what must be refused: `with pytest.raises(ValueError): extractor.read(reply)`. Try the empty text, `[]`, "
        "`{}`, null and a colour in another language.",
        "Lengths: one text for each unit, one with decimals, one without a length. Requests: roles, every colour, a "
        "listing with `</listing>` in it, the model. Colours: capitals, and a word such as delivered.",
    ],
)

exercises = [FAKE, CHAIN, ONCE, KILLING]
