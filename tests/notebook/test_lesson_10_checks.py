"""The checks of lesson 10: right answers in other styles pass, wrong ones get the sentence that fits."""

from __future__ import annotations

import copy
import json
import re
import sys
from collections import deque
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import openai
import pytest

from aicourse.notebook.exercises import checks_path, examine, load_checks
from aicourse.paths import notebooks_dir
from aicourse.testing import ScriptedModel

EXERCISES = {exercise.id: exercise for exercise in load_checks(checks_path("10"))}
CHECKS = sys.modules[EXERCISES["10.1"].reference.__module__]
Answer = Callable[..., Any]


def said(exercise: str, answer: Any) -> str:
    return repr(examine(EXERCISES[exercise], answer))


def passes(exercise: str, answer: Any) -> bool:
    return examine(EXERCISES[exercise], answer).status == "solved"


# 10.1


class Reply:
    def __init__(self, content: Any) -> None:
        self.content = content

    @property
    def message(self) -> Reply:
        return self

    @property
    def choices(self) -> list[Reply]:
        return [self]


class FakeClient:
    """A client that is its own `chat` and `completions`."""

    def __init__(self, *replies: Any) -> None:
        self.left, self.requests = deque(replies), list[dict[str, Any]]()
        self.chat = self.completions = self

    def create(self, **request: Any) -> Reply:
        self.requests.append(copy.deepcopy(request))
        reply = self.left.popleft()  # an IndexError is a LookupError
        if isinstance(reply, BaseException):
            raise reply
        return Reply(reply)


def by_generator(*replies: Any) -> Any:
    client, queue = MagicMock(), iter(replies)
    client.requests = []

    def create(**request: Any) -> Any:
        client.requests += [request]
        for reply in queue:
            if isinstance(reply, Exception):
                raise reply
            return Reply(reply)
        raise KeyError("nothing left")

    client.chat.completions.create = create
    return client


def by_mock(*replies: Any) -> Any:
    client, requests = MagicMock(), list[dict[str, Any]]()
    plan = [reply if isinstance(reply, Exception) else Reply(reply) for reply in replies]
    client.chat.completions.create.side_effect = [*plan, LookupError("empty")]
    inner = client.chat.completions.create

    def create(**request: Any) -> Any:
        requests.append(request)
        return inner(**request)

    client.chat.completions.create, client.requests = create, requests
    return client


def by_count(*replies: Any) -> Any:
    client: Any = type("Client", (), {})()
    client.chat = type("Chat", (), {})()
    client.chat.completions = type("Completions", (), {})()
    client.requests = []

    def create(**request: Any) -> Any:
        client.requests.append(request)
        place = len(client.requests) - 1
        if place >= len(replies):
            raise LookupError(place)
        if isinstance(replies[place], Exception):
            raise replies[place]
        return Reply(replies[place])

    client.chat.completions.create = create
    return client


def by_scripted_model(*replies: Any) -> Any:
    """The package's own, with its requests as they were meant."""
    model = ScriptedModel(*(str(reply) for reply in replies if not isinstance(reply, Exception)))
    client, requests, plan = model.client(), list[dict[str, Any]](), list(replies)

    def create(**request: Any) -> Any:
        requests.append(request)
        reply = plan.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return client.chat.completions.create(model="m", messages=[])

    made = MagicMock(requests=requests)
    made.chat.completions.create = create
    return made


@pytest.mark.parametrize("answer", [FakeClient, by_generator, by_mock, by_count, by_scripted_model])
def test_a_fake_in_any_style(answer: Answer) -> None:
    given = answer if not isinstance(answer, type) else lambda *replies: answer(*replies)
    assert passes("10.1", given), said("10.1", given)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"take": -1}, "takes the last one"),
        ({"raising": False}, "must happen"),
        ({"noting": "when answered"}, "before* anything can go wrong"),
        ({"noting": "never"}, "`requests` stays empty"),
        ({"noting": "replied to"}, "a call too many was sent, too"),
        ({"empty": "repeat"}, "again and again"),
        ({"empty": "none"}, "A call too many must be seen"),
    ],
)
def test_a_wrong_fake_is_told_why(changed: dict[str, Any], sentence: str) -> None:
    answer = CHECKS.fake_with(**changed)
    assert not passes("10.1", answer)
    assert sentence in said("10.1", answer)


def of_dicts(*replies: Any) -> Any:
    client = CHECKS.fake_with()(*replies)
    create = client.chat.completions.create

    def as_dict(**request: Any) -> Any:
        return {"choices": [{"message": {"content": create(**request).choices[0].message.content}}]}

    client.chat.completions.create = as_dict
    return client


def by_next(*replies: Any) -> Any:
    client, queue = MagicMock(), iter(replies)
    client.chat.completions.create = lambda **request: Reply(next(queue))
    return client


def without_empty_replies(*replies: Any) -> Any:
    return CHECKS.fake_with()(*filter(None, replies))


def notes_after_the_pop(*replies: Any) -> Any:
    client, queue = MagicMock(requests=[]), list(replies)

    def create(**request: Any) -> Any:
        reply = queue.pop(0)
        client.requests.append(request)
        if isinstance(reply, Exception):
            raise reply
        return Reply(reply)

    client.chat.completions.create = create
    return client


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (notes_after_the_pop, "a call too many was sent, too"),
        (of_dicts, "The reply is a dict"),
        (by_next, "raised a `StopIteration`"),
        (without_empty_replies, "none for call 3. An empty text is a reply, too"),
    ],
)
def test_a_fake_of_another_shape_is_told_what_came_back(answer: Answer, sentence: str) -> None:
    assert not passes("10.1", answer)
    assert sentence in said("10.1", answer)


# 10.2

PASSING = (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError)
TROUBLE = (*PASSING, ValueError)
EMPTY: dict[str, Any] = {"colours": [], "length": None}


def by_recursion(listing: str, models: list[str], ask: Answer) -> tuple[Any, list[str]]:
    if not models:
        return {"colours": [], "length": None}, []
    try:
        return ask(listing, models[0]), []
    except TROUBLE as error:
        form, troubles = by_recursion(listing, models[1:], ask)
        return form, [f"{models[0]}: {type(error).__name__}", *troubles]


def by_while(listing: str, models: list[str], ask: Answer) -> tuple[Any, list[str]]:
    troubles: list[str] = []
    while len(troubles) < len(models):
        model = models[len(troubles)]
        try:
            form = ask(listing, model)
        except TROUBLE as error:
            troubles += [model + ": " + error.__class__.__name__]
        else:
            break
    else:
        form = {"length": None, "colours": []}
    return form, troubles


def by_two_excepts(listing: str, models: list[str], ask: Answer) -> tuple[Any, list[str]]:
    troubles: list[str] = []
    for model in iter(models):
        try:
            return (ask(listing, model), troubles)
        except ValueError as error:
            troubles.append(f"{model}: {type(error).__name__}")
        except PASSING as error:
            troubles.append(f"{model}: {type(error).__name__}")
    return ({"colours": [], "length": None}, troubles)


def by_raising_again(listing: str, models: list[str], ask: Answer) -> tuple[Any, list[str]]:
    troubles: list[str] = []
    for model in models:
        try:
            return ask(listing=listing, model=model), troubles
        except Exception as error:
            if not isinstance(error, TROUBLE):
                raise
            troubles.append(f"{model}: {type(error).__name__}")
    return EMPTY.copy(), troubles


def by_status(listing: str, models: list[str], ask: Answer) -> tuple[Any, list[str]]:
    form: Any = None
    troubles: list[str] = []
    for model in models:
        try:
            form = ask(listing, model)
            break
        except (openai.APIError, ValueError) as error:
            if getattr(error, "status_code", 500) in range(400, 429):
                raise
            troubles.append(f"{model}: {type(error).__name__}")
    return form or dict(EMPTY), troubles


@pytest.mark.parametrize("answer", [by_recursion, by_while, by_two_excepts, by_raising_again, by_status])
def test_a_chain_in_any_style(answer: Answer) -> None:
    assert passes("10.2", answer), said("10.2", answer)


def by_popping(listing: str, models: list[str], ask: Answer) -> tuple[Any, list[str]]:
    troubles: list[str] = []
    while models:
        model = models.pop(0)
        try:
            return ask(listing, model), troubles
        except TROUBLE as error:
            troubles.append(f"{model}: {type(error).__name__}")
    return dict(EMPTY), troubles


def by_fixed_name(listing: str, models: list[str], ask: Answer) -> tuple[Any, list[str]]:
    troubles: list[str] = []
    for model in models:
        try:
            return ask(listing, model), troubles
        except ValueError:
            troubles.append(f"{model}: ValueError")
        except PASSING as error:
            troubles.append(f"{model}: {type(error).__name__}")
    return dict(EMPTY), troubles


def with_colours_only(listing: str, models: list[str], ask: Answer) -> tuple[Any, list[str]]:
    troubles: list[str] = []
    for model in models:
        try:
            if (form := ask(listing, model))["colours"]:
                return form, troubles
        except TROUBLE as error:
            troubles.append(f"{model}: {type(error).__name__}")
    return dict(EMPTY), troubles


def asks_twice(listing: str, models: list[str], ask: Answer) -> tuple[Any, list[str]]:
    form, troubles = by_while(listing, [model for model in models for _ in range(2)], ask)
    return form, list(dict.fromkeys(troubles))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (by_popping, "none is left for the next listing"),
        (by_fixed_name, "the class that you catch"),
        (with_colours_only, "A form without a colour is a form"),
        (asks_twice, "asked were small, small, large, large"),
        (CHECKS.fill_with(Exception), "hides every bug"),
        (CHECKS.fill_with((openai.APIError, ValueError)), "every error of the client"),
        (
            CHECKS.fill_with((openai.APIConnectionError, openai.APIStatusError, ValueError)),
            "`openai.APIStatusError` each",
        ),
        (CHECKS.fill_with(PASSING), "trouble, too: a `ValueError`"),
        (CHECKS.fill_with(first_only=True), "The second model is never asked"),
        (CHECKS.fill_with(at_the_end="raise"), "gets the empty form, not an error"),
        (CHECKS.fill_with(name="text"), "Note the error's name"),
        (lambda listing, models, ask: by_while(listing, models, ask)[0], "Return two things"),
    ],
)
def test_a_wrong_chain_is_told_why(answer: Answer, sentence: str) -> None:
    assert not passes("10.2", answer)
    assert sentence in said("10.2", answer)


# 10.3

Saved = dict[str, tuple[int, Any]]


def by_get(saved: Saved, key: str, form: Any) -> int:
    number, before = saved.get(key, (None, None))
    if number is None:
        saved[key] = (number := 1 + len(saved), form)
    elif before != form:
        raise ValueError
    return number


def by_setdefault(saved: Saved, key: str, form: Any) -> int:
    number, before = saved.setdefault(key, (len(saved) + 1, form))
    if before == form:
        return number
    raise ValueError("another form")


def by_highest(saved: Saved, key: str, form: Any) -> int:
    if key not in saved:
        saved[key] = (max((number for number, _ in saved.values()), default=0) + 1, copy.deepcopy(form))
    if saved[key][1] != form:
        raise ValueError(key)
    return saved[key][0]


def by_try(saved: Saved, key: str, form: Any) -> int:
    try:
        number, before = saved[key]
    except KeyError:
        saved.update({key: (len(saved) + 1, form)})
        return len(saved)
    if json.dumps(before, sort_keys=True) != json.dumps(form, sort_keys=True):
        raise ValueError("the form differs")
    return number


def by_loop(saved: Saved, key: str, form: Any) -> int:
    for known, (number, before) in saved.items():
        if known == key:
            if before != form:
                raise ValueError("not the same form")
            return number
    saved[key] = (len(saved) + 1, form)
    return saved[key][0]


@pytest.mark.parametrize("answer", [by_get, by_setdefault, by_highest, by_try, by_loop])
def test_a_server_in_any_style(answer: Answer) -> None:
    assert passes("10.3", answer), said("10.3", answer)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"known": "again"}, "A known key must save nothing"),
        ({"known": "raise"}, "A retry is no mistake"),
        ({"other": "number"}, "Refuse it: a `ValueError`"),
        ({"other": "overwrite"}, "The first form is lost"),
        ({"key_of": lambda key, form: str(form)}, "Two sellers may have equal forms"),
        ({"first": 0}, "Numbers start with 1"),
    ],
)
def test_a_wrong_server_is_told_why(changed: dict[str, Any], sentence: str) -> None:
    answer = CHECKS.publish_with(**changed)
    assert not passes("10.3", answer)
    assert sentence in said("10.3", answer)


def test_a_wrong_server_sees_what_was_expected() -> None:
    found = said("10.3", lambda saved, key, form: by_get(saved, key, form) + 3)
    assert "returned [4, 5], and saved" in found
    assert "expected [1, 2], and" in found


# 10.4


def lesson_cells() -> dict[str, str]:
    """The sources of the lesson's cells, by id."""
    book = json.loads((notebooks_dir() / "10-tests-before-users.ipynb").read_text(encoding="utf-8"))
    return {cell["id"]: "".join(cell["source"]) for cell in book["cells"]}


def test_the_checks_have_the_extractor_that_the_lesson_ends_with() -> None:
    cells = lesson_cells()
    source = cells["extractor"].partition("\n")[2] + "\n"
    changes: dict[str, Any] = {}
    first = re.search(r"^with_words = .*?(?=^\S)", cells["sent-code"] + "\nend", re.MULTILINE | re.DOTALL)
    assert first is not None
    exec(first[0] + cells["repairs-code"].partition("extractor, source")[0], changes)
    for name in ("with_words", "whole_words", "units", "tags", "read_or_refuse"):
        old, new = changes[name]
        assert source.count(old) == 1
        source = source.replace(old, new)
    assert source == CHECKS.EXTRACTOR


def test_the_mutants_of_the_lesson_are_those_of_the_check() -> None:
    shown: dict[str, Any] = {}
    exec(lesson_cells()["mutants"].partition("mutants = {")[0], shown)
    assert shown["MUTANTS"] == CHECKS.SHOWN


def request_of(extractor: Any, text: str = "A vase", reply: str = '{"colours": ["red"]}') -> dict[str, Any]:
    model = ScriptedModel(reply)
    extractor.extract(text, model.client(), "some-model")
    return model.history[0].body


def sends(extractor: Any) -> None:
    body = request_of(extractor, "A </listing> vase < 1 m")
    system, user = body["messages"]
    assert (system["role"], user["role"], body["model"]) == ("system", "user", "some-model")
    assert not [colour for colour in extractor.COLOURS if colour not in system["content"]]
    assert re.fullmatch(r"<listing>[^<]*vase[^<]*</listing>", user["content"])


def reads(extractor: Any) -> None:
    assert extractor.read('{"colours": ["blue", "navy"], "more": 1}') == ["blue"]
    assert extractor.read('{"colours": []}') == []
    for reply in ("", "no", "[]", "3", "{}", '{"colours": null}', '{"colours": ["navy"]}'):
        with pytest.raises(ValueError, match=r"."):
            extractor.read(reply)


def states(extractor: Any) -> None:
    model = ScriptedModel('{"colours": ["red", "blue", "grey"]}')
    form = extractor.extract("GREY vase, delivered. Blue!", model.client(), "any")
    assert form == {"colours": ["blue", "grey"], "length": None}


def measures(extractor: Any) -> None:
    for number in (1, 2.5, 40):
        for unit, size in extractor.UNITS.items():
            assert extractor.length(f"{number} {unit}") == round(number * size, 1)
    assert (extractor.length("1 inch"), extractor.length("3 months")) == (2.5, None)
    assert [extractor.UNITS[unit] for unit in ("m", "cm", "mm", "inch")] == [100, 1, 0.1, 2.54]


def everything(extractor: Any) -> None:
    for test in (sends, reads, states, measures):
        test(extractor)


def by_return(extractor: Any) -> None:
    found = [extractor.length(text) for text in ("1.5 m", "7mm", "27 inch", "none")]
    if found != [150, 0.7, 68.6, None]:
        raise ValueError(found)


class Tests:
    def request(self, extractor: Any) -> None:
        sends(extractor)

    def replies(self, extractor: Any) -> None:
        reads(extractor)


@pytest.mark.parametrize(
    "tests",
    [
        [sends, reads, states, measures],
        (everything,),
        [sends, reads, states, by_return],
        [Tests().request, Tests().replies, states, by_return],
        [lambda extractor, test=test: test(extractor) for test in (measures, states, reads, sends)],
    ],
    ids=["four", "one in a tuple", "without assert", "methods", "lambdas"],
)
def test_tests_in_any_style(tests: Any) -> None:
    assert passes("10.4", tests), said("10.4", tests)


def looks_inside(extractor: Any) -> None:
    assert "name the item's colours" in extractor.RULES


def expects_too_much(extractor: Any) -> None:
    assert extractor.length("30 cm") == "30 cm"


USED_UP = ScriptedModel('{"colours": ["blue"]}')


def shares_a_fake(extractor: Any) -> None:
    assert extractor.extract("Blue vase", USED_UP.client(), "m")["colours"] == ["blue"]


@pytest.mark.parametrize(
    ("tests", "sentence"),
    [
        ([sends, reads, states, measures, shares_a_fake], "A fake belongs inside the test"),
        ([lambda extractor: CHECKS.module_of().length("1 m") == 100], "not at the notebook's"),
        (["measures"], "their names, without quotes"),
        ([lambda: None], "A test takes the extractor"),
        ([sends, expects_too_much], "A test fails on the right extractor"),
        ([sends, reads, states, measures, looks_inside], "looks at how the extractor does its work"),
        ([lambda extractor: extractor.length("1 m")], "None of the mutants is killed"),
        ([sends, measures], "Some of the mutants in view live"),
        (CHECKS.SHOWN_ONLY, "The mutants in view are killed, others live"),
    ],
)
def test_weak_tests_are_told_why(tests: Any, sentence: str) -> None:
    assert not passes("10.4", tests)
    assert sentence in said("10.4", tests)


def test_no_tests_are_not_started() -> None:
    assert examine(EXERCISES["10.4"], []).status == "not started"
