"""The checks of lesson 02 judge answers that students may give as their author would."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import annotated_types
import pytest
from pydantic import BaseModel, Field, conlist, constr, create_model

from aicourse.llm.faults import Fault
from aicourse.notebook.exercises import load_checks
from aicourse.notebook.exercises.checking import examine
from aicourse.testing import ScriptedModel

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
EXERCISES = {exercise.id: exercise for exercise in load_checks(NOTEBOOKS / "checks" / "lesson_02.py")}
# cells that define what exercises use, without a call to a model
NEEDED = ("vocabulary-code", "grounding-names", "state")


def _names() -> dict[str, Any]:
    """The names that the notebook has before its exercises."""
    cells = json.loads((NOTEBOOKS / "02-structured-output.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {"MODEL": "m"}
    exec("import re\nfrom pydantic import BaseModel", names)
    for cell in cells:
        if cell["id"] in NEEDED:
            # a notebook has no `from __future__ import annotations`, which exec of a text would inherit
            exec(compile("".join(cell["source"]), cell["id"], "exec", dont_inherit=True), names)
    return names


LESSON = _names()
FORM: Any = LESSON["Form"]
NAMES: dict[str, list[str]] = LESSON["NAMES"]
simple: Callable[[str], str] = LESSON["simple"]
state_of: Callable[[Any], str] = LESSON["state_of"]
CORRECT: str = LESSON["CORRECT"]

SHORT = Annotated[str, Field(max_length=60)]
EURO = Annotated[float, Field(ge=0)]


def test_a_class_with_nothing_added_is_not_started() -> None:
    untouched = type("Offer", (FORM,), {})

    assert examine(EXERCISES["02.1"], untouched).status == "not started"


def _offer(price: Any, defects: Any) -> type[BaseModel]:
    fields: dict[str, Any] = {"price_eur": (price, ...), "defects": (defects, ...)}
    return create_model("Offer", __base__=FORM, **fields)


def _written(body: str) -> Any:
    """A class as a student types it."""
    names = LESSON | {"SHORT": SHORT}
    imports = "from typing import Optional, Union\nfrom pydantic import confloat, conlist, constr\n"
    exec(compile(imports + f"class Offer(Form):\n{body}", "cell", "exec", dont_inherit=True), names)
    return names["Offer"]


@pytest.mark.parametrize(
    "offer",
    [
        _offer(EURO | None, Annotated[list[SHORT], Field(max_length=3)]),
        _offer(Annotated[float, annotated_types.Ge(0)] | None, conlist(constr(max_length=60), max_length=3)),
        _written(
            "    price_eur: Optional[float] = Field(ge=0)\n"
            "    defects: list[Annotated[str, Field(max_length=60)]] = Field(max_length=3)\n"
        ),
        _written(
            "    defects: conlist(constr(max_length=60), max_length=3)\n"
            "    price_eur: Union[confloat(ge=0), None]\n"
        ),
        _written(
            "    price_eur: None | Annotated[float, Field(ge=0, description='in euros')]\n"
            "    defects: Annotated[list[SHORT], Field(min_length=0, max_length=3)]\n"
        ),
    ],
    ids=["annotated", "annotated_types", "field as default", "con-types", "described"],
)
def test_a_form_in_another_style_is_right(offer: Any) -> None:
    assert examine(EXERCISES["02.1"], offer).status == "solved"


@pytest.mark.parametrize(
    ("offer", "hint"),
    [
        (_offer(float | None, list[str]), "Both fields are there, neither has a bound"),
        (_offer(EURO, Annotated[list[SHORT], Field(max_length=3)]), "Allow null"),
        (_offer(EURO | None, list[str]), "The list of defects has no end"),
        (_offer(EURO | None, Annotated[list[str], Field(max_length=3)]), "each text in it is not"),
        (_offer(Annotated[int, Field(ge=0)] | None, Annotated[list[SHORT], Field(max_length=3)]),
         "float, not int"),
        (_written("    price_eur: Annotated[float, Field(ge=0)] | None = None\n"
                  "    defects: Annotated[list[SHORT], Field(max_length=3)]\n"),
         "lets the model skip the price"),
    ],
)  # fmt: skip
def test_a_wrong_form_gets_its_hint(offer: Any, hint: str) -> None:
    assert hint in repr(examine(EXERCISES["02.1"], offer))


def test_a_misspelt_field_is_named() -> None:
    misspelt = create_model("Offer", __base__=FORM, price=(float | None, ...), defects=(list[str], ...))

    result = examine(EXERCISES["02.1"], misspelt)

    assert result.status == "not yet"
    assert "is refused: `price`: Field required" in repr(result)


def _by_words(colours: list[str], text: str) -> list[str]:
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", simple(text))
    words += [part for word in words for part in word.split("-")]

    def is_named(name: str) -> bool:
        core = name.strip("-")
        if " " in core:
            return core in simple(text)
        for word in words:
            at = word.find(core)
            while at >= 0:
                rest = word[at + len(core) :]
                if (at == 0 or name[0] == "-") and (rest in ("", "s") or name[-1] == "-"):
                    return True
                at = word.find(core, at + 1)
        return False

    return [colour for colour in colours if not any(is_named(name) for name in NAMES[colour])]


def _with_a_loop(colours: list[str], text: str) -> list[str]:
    missing = []
    for colour in colours:
        seen = False
        for name in NAMES[colour]:
            pattern = re.escape(name.strip("-"))
            if not name.startswith("-"):
                pattern = r"(?<!\w)" + pattern
            if not name.endswith("-"):
                pattern = pattern + r"s?(?!\w)"
            seen = seen or bool(re.search(pattern, simple(text)))
        if not seen:
            missing.append(colour)
    return missing


def _with_one_pattern(colours: list[str], text: str) -> list[str]:
    def pattern(colour: str) -> str:
        parts = [
            ("" if name[0] == "-" else r"\b") + name.strip("-") + ("" if name[-1] == "-" else r"s?\b")
            for name in NAMES[colour]
        ]
        return "|".join(parts)

    return list(filter(lambda colour: re.search(pattern(colour), simple(text)) is None, colours))


def _with_markers(colours: list[str], text: str) -> list[str]:
    padded = " " + re.sub(r"[^\w-]|_", " ", simple(text)) + " "
    padded += " " + padded.replace("-", " ") + " "

    def there(name: str) -> bool:
        if name[0] != "-":
            name = " " + name
        if name[-1] == "-":
            return name.strip("-") in padded
        return name.lstrip("-") + " " in padded or name.lstrip("-") + "s " in padded

    return [c for c in colours if not any(map(there, NAMES[c]))]


def _recursive(colours: list[str], text: str) -> list[str]:
    if not colours:
        return []
    first, *rest = colours
    return ([first] if _with_a_loop([first], text) else []) + _recursive(rest, text)


@pytest.mark.parametrize(
    "ungrounded", [_by_words, _with_a_loop, _with_one_pattern, _with_markers, _recursive]
)
def test_grounding_in_another_style_is_right(ungrounded: Any) -> None:
    result = examine(EXERCISES["02.2"], ungrounded)
    assert result.status == "solved", repr(result)


def _any_name(test: Callable[[str, str], bool]) -> Callable[[list[str], str], list[str]]:
    def ungrounded(colours: list[str], text: str) -> list[str]:
        return [colour for colour in colours if not any(test(name, text) for name in NAMES[colour])]

    return ungrounded


def _regular(name: str, text: str) -> bool:
    before, after = ("" if name[0] == "-" else r"\b"), ("" if name[-1] == "-" else r"s?\b")
    return re.search(before + name.strip("-") + after, text) is not None


def _those_that_occur(colours: list[str], text: str) -> list[str]:
    return [colour for colour in colours if colour not in _with_a_loop(colours, text)]


@pytest.mark.parametrize(
    ("ungrounded", "hint"),
    [
        (_any_name(lambda name, text: name.strip("-") in simple(text)), "finds 'red' inside 'covered'"),
        (_any_name(lambda name, text: _regular(name, text.lower())), "have accents that the names lack"),
        (_any_name(lambda name, text: _regular(name.strip("-"), simple(text))), "want whole words, so"),
        (
            _any_name(lambda name, text: _regular(name.lstrip("-"), simple(text))),
            "The hyphen in front counts too",
        ),
        (_those_that_occur, "Asked for are those that do not"),
    ],
)
def test_wrong_grounding_gets_its_hint(ungrounded: Any, hint: str) -> None:
    assert hint in repr(examine(EXERCISES["02.2"], ungrounded))


def _ask(client: Any, messages: Any, **options: Any) -> Any:
    return client.chat.completions.create(model="m", messages=messages, **options)


def _complaint(text: str, error: Exception) -> list[dict[str, str]]:
    return [
        {"role": "assistant", "content": text},
        {"role": "user", "content": CORRECT.format(error=error)},
    ]


def _while_loop(client: Any, messages: Any, read: Any, retries: int = 1, **options: Any) -> Any:
    talk, left = messages.copy(), retries
    while left >= 0:
        left = left - 1
        reply = _ask(client, talk, **options)
        if state_of(reply) != "complete":
            break
        try:
            return read(reply.choices[0].message.content)
        except ValueError as error:
            talk.extend(_complaint(reply.choices[0].message.content, error))
    return None


def _calls_itself(client: Any, messages: Any, read: Any, retries: int = 1, **options: Any) -> Any:
    reply = _ask(client, messages, **options)
    if state_of(reply) != "complete":
        return None
    text = reply.choices[0].message.content
    try:
        return read(text)
    except ValueError as error:
        if retries == 0:
            return None
        return _calls_itself(client, messages + _complaint(text, error), read, retries - 1, **options)


def _own_words(client: Any, messages: Any, read: Any, retries: int = 1, **options: Any) -> Any:
    talk = [*messages]
    for attempt in range(1 + retries):
        choice = _ask(client, talk, **options).choices[0]
        if choice.finish_reason != "stop" or choice.message.refusal or not choice.message.content:
            return None
        try:
            return read(choice.message.content)
        except ValueError as wrong:
            if attempt == retries:
                return None
            talk += [{"role": "assistant", "content": choice.message.content}]
            talk += [{"role": "user", "content": f"Wrong ({wrong}). Please write the JSON again."}]
    return None


def _last_complaint_only(client: Any, messages: Any, read: Any, retries: int = 1, **options: Any) -> Any:
    extra: list[dict[str, str]] = []
    for _ in range(retries + 1):
        reply = _ask(client, [*messages, *extra], **options)
        if state_of(reply) != "complete":
            return None
        try:
            return read(reply.choices[0].message.content)
        except ValueError as error:
            extra = _complaint(reply.choices[0].message.content, error)
    return None


def _keeps_a_result(client: Any, messages: Any, read: Any, retries: int = 1, **options: Any) -> Any:
    result, done, calls, talk = None, False, 0, list(messages)
    while not done and calls <= retries:
        calls += 1
        reply = _ask(client, talk, **options)
        done = state_of(reply) != "complete"
        if not done:
            try:
                result, done = read(reply.choices[0].message.content), True
            except ValueError as error:
                talk = talk + _complaint(reply.choices[0].message.content, error)
    return result


RETRIES = [_while_loop, _calls_itself, _own_words, _last_complaint_only, _keeps_a_result]


@pytest.mark.parametrize("answer", RETRIES)
def test_a_retry_in_another_style_is_right(answer: Any) -> None:
    result = examine(EXERCISES["02.3"], answer)
    assert result.status == "solved", repr(result)


def _once(client: Any, messages: Any, read: Any, retries: int = 1, **options: Any) -> Any:
    return read(_ask(client, messages, **options).choices[0].message.content)


def _same_question(client: Any, messages: Any, read: Any, retries: int = 1, **options: Any) -> Any:
    while retries >= 0:
        retries -= 1
        reply = _ask(client, list(messages), **options)
        if state_of(reply) != "complete":
            return None
        try:
            return read(reply.choices[0].message.content)
        except ValueError:
            pass
    return None


def _grows_the_list(client: Any, messages: Any, read: Any, retries: int = 1, **options: Any) -> Any:
    for _ in range(retries + 1):
        reply = _ask(client, messages, **options)
        if state_of(reply) != "complete":
            return None
        try:
            return read(reply.choices[0].message.content)
        except ValueError as error:
            messages.extend(_complaint(reply.choices[0].message.content, error))
    return None


def _forgets_options(client: Any, messages: Any, read: Any, retries: int = 1, **options: Any) -> Any:
    return _while_loop(client, messages, read, retries)


def _one_less(client: Any, messages: Any, read: Any, retries: int = 1, **options: Any) -> Any:
    return _while_loop(client, messages, read, retries - 1, **options)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_once, "You ask once"),
        (_same_question, "You ask the same question again"),
        (_grows_the_list, "belongs to the caller"),
        (_forgets_options, "hand it to `create`"),
        (_one_less, "The first question is no retry"),
    ],
)
def test_a_wrong_retry_gets_its_hint(answer: Any, hint: str) -> None:
    assert hint in repr(examine(EXERCISES["02.3"], answer))


def test_an_answer_that_never_asks_is_told_so_and_passes_nothing() -> None:
    result = examine(EXERCISES["02.3"], lambda client, messages, read, retries=1, **options: {})

    assert not any(finding.works for finding in result.findings)
    assert "was asked for again" not in repr(result)


def test_a_retry_without_an_end_is_stopped_and_named() -> None:
    def for_ever(client: Any, messages: Any, read: Any, retries: int = 1, **options: Any) -> Any:
        while True:
            try:
                return read(_ask(client, messages, **options).choices[0].message.content)
            except ValueError:
                continue

    result = examine(EXERCISES["02.3"], for_ever)
    missing = {finding.behaviour for finding in result.findings if not finding.works}
    assert "stops after the retries, with None" in missing


@pytest.mark.parametrize(
    ("faults", "state"),
    [([], "complete"), (["cut_off"], "cut off"), (["empty"], "empty")],
)
def test_the_lesson_knows_the_states_of_a_reply(faults: list[Any], state: str) -> None:
    model = ScriptedModel('{"colours": []}')
    reply = _ask(
        model.client(faults=[Fault(kind=kind) for kind in faults]), [{"role": "user", "content": "?"}]
    )
    assert state_of(reply) == state
