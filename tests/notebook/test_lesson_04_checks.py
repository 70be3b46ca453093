"""Lesson 04: right answers in foreign styles pass, wrong ones get the sentence that fits."""

from __future__ import annotations

import itertools
import json
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aicourse import prompts
from aicourse.notebook.exercises import CheckResult, checks_path, examine, load_checks
from aicourse.paths import notebooks_dir
from aicourse.prompts.file import parse_prompt

EXERCISES = {exercise.id: exercise for exercise in load_checks(checks_path("04"))}
CHECKS = sys.modules[EXERCISES["04.1"].reference.__module__]


def missing(exercise_id: str, answer: Any) -> list[str]:
    result: CheckResult = examine(EXERCISES[exercise_id], answer)
    return [finding.behaviour for finding in result.findings if not finding.works]


def test_the_prompts_own_renderer_would_be_right_about_text() -> None:
    section = prompts.load("extract_listing@1").sections[-1]
    nasty = r"Lamp {{listing}} \1 {brand} # system"
    assert CHECKS.fill(section.text, {"listing": nasty}) == section.filled({"listing": nasty})


def test_the_parent_that_the_lesson_makes_is_the_one_the_check_knows() -> None:
    notebook = json.loads((notebooks_dir() / "04-prompts-are-code.ipynb").read_text(encoding="utf-8"))
    table = next(cell for cell in notebook["cells"] if cell["id"] == "history-code")
    shown = "".join(table["outputs"][0]["data"]["text/plain"])
    assert re.search(rf"listing_form@v5 .*{CHECKS.PARENT_HASH}", shown)


@pytest.mark.parametrize(
    ("change", "behaviour"),
    [
        (lambda text: text.replace("---\nname", "name", 1), "is a prompt file"),
        (lambda text: text.replace("parent: 5", "parent: 1"), "says where it comes from and what changed"),
        (lambda text: text.replace("version: 7", "version: 8"), "says where it comes from and what changed"),
        (
            lambda text: re.sub("changelog: .*", "changelog: Better.", text),
            "says where it comes from and what changed",
        ),
        (
            lambda text: text.replace("{{listing}}\n", "{{listing}} {{listing}}\n"),
            "takes the listing, once, in the last message",
        ),
        (
            lambda text: text.replace("<listing>\n{{listing}}\n</listing>\nJSON:", "{{listing}}"),
            "says what is asked, beside the listing",
        ),
        (
            lambda text: text.replace('"ceramic"', '"gold"').replace('["glass"]', '["gold"]'),
            "its examples' answers pass the schema",
        ),
        (
            lambda text: text.replace("{{listing}}\n</listing>\nJSON:", "{{listing}}\n</listing>\nThe form:"),
            "frames the examples like the real question",
        ),
        (lambda text: text.replace('"brand": "Pyrex"', '"brand": "IKEA"'), "its examples invent nothing"),
        (
            lambda text: text.replace("max_completion_tokens: 200", "max_completion_tokens: 50"),
            "leaves room for a whole form",
        ),
    ],
)
def test_each_demand_on_the_next_version_is_checked(change: Callable[[str], str], behaviour: str) -> None:
    changed = change(CHECKS.next_version)
    assert changed != CHECKS.next_version
    assert behaviour in missing("04.2", changed)


def test_what_the_cell_begins_with_is_not_started() -> None:
    assert examine(EXERCISES["04.2"], CHECKS.UNTOUCHED).status == "not started"


def test_what_makes_a_file_unreadable_is_said_once() -> None:
    misspelt = CHECKS.next_version.replace("hints: {", "hint: {")

    said = repr(examine(EXERCISES["04.2"], misspelt))

    assert said.count("no field is called 'hint'") == 1
    assert "Too long" not in said


def test_a_version_without_examples_is_told_so() -> None:
    result = examine(EXERCISES["04.2"], CHECKS.NO_EXAMPLES)

    notes = [str(finding) for finding in result.findings if not finding.works]
    assert sum(CHECKS.NO_EXAMPLE in note for note in notes) == 4


def test_an_answer_that_is_a_prompt_object_is_told_what_to_pass() -> None:
    assert "str" in repr(examine(EXERCISES["04.2"], prompts.load("extract_listing@1")))


def test_a_filter_that_lets_sentences_go_at_random_is_refused() -> None:
    chance = random.Random(0)

    def without_orders(text: str) -> str:
        return "".join(piece for piece in CHECKS.SENTENCE.findall(text) if chance.random() < 0.5)

    assert missing("04.3", without_orders) != []


def assert_solved(exercise_id: str, answer: Any) -> None:
    result = examine(EXERCISES[exercise_id], answer)
    assert result, repr(result)


def hints(exercise_id: str, answer: Any) -> str:
    """What the check says about a wrong answer."""
    result = examine(EXERCISES[exercise_id], answer)
    assert not result
    return " ".join([*result.hints, repr(result)])


# 04.1 fill in a template


def by_split(template: str, values: dict[str, str]) -> str:
    """Cuts the template at the braces."""
    names = [part.split("}}")[0].strip() for part in template.split("{{")[1:]]
    if sorted(set(names)) != sorted(values):
        raise ValueError("names and values differ")
    out, *rest = template.split("{{")
    for part in rest:
        name, tail = part.split("}}", 1)
        out += values[name.strip()] + tail
    return out


def by_find(template: str, values: dict[str, str]) -> str:
    found, at, unused = [], 0, set(values)
    while (start := template.find("{{", at)) >= 0:
        end = template.index("}}", start)
        name = template[start + 2 : end].strip()
        if name not in values:
            raise ValueError(name)
        unused.discard(name)
        found += [template[at:start], values[name]]
        at = end + 2
    if unused:
        raise ValueError(unused)
    return "".join(found) + template[at:]


def by_recursion(template: str, values: dict[str, str]) -> str:
    wanted = {name.strip() for name in re.findall("{{(.*?)}}", template)}
    if wanted ^ values.keys():
        raise ValueError("missing or unused: " + ", ".join(wanted ^ values.keys()))

    def rest(text: str) -> str:
        match = re.search(r"{{\s*(.*?)\s*}}", text)
        return text if not match else text[: match.start()] + values[match[1]] + rest(text[match.end() :])

    return rest(template)


def by_tokens(template: str, values: dict[str, str]) -> str:
    parts = re.split(r"(\{\{\s*\w+\s*\}\})", template)
    keys = {part.strip("{} ") for part in parts[1::2]}
    if not keys == values.keys():
        raise ValueError(keys)
    parts[1::2] = [values[part.strip("{} ")] for part in parts[1::2]]
    return "".join(parts)


class Filler:
    """Somebody who writes classes."""

    def __init__(self, template: str, values: dict[str, str]) -> None:
        self.template, self.values, self.seen = template, values, list[str]()

    def one(self, match: re.Match[str]) -> str:
        self.seen.append(match.group("name"))
        try:
            return self.values[match.group("name")]
        except KeyError:
            raise ValueError("no value") from None

    def text(self) -> str:
        out = re.compile(r"{{[ ]*(?P<name>[a-z]+)[ ]*}}").sub(self.one, self.template)
        if len(set(self.seen)) < len(self.values):
            raise ValueError("not used")
        return out


@pytest.mark.parametrize(
    "answer",
    [by_split, by_find, by_recursion, by_tokens, lambda template, values: Filler(template, values).text()],
)
def test_any_way_to_fill_in_literally_is_right(answer: Any) -> None:
    assert_solved("04.1", answer)


def replaced_in_turn(template: str, values: dict[str, str]) -> str:
    if {name.strip() for name in re.findall("{{(.*?)}}", template)} != set(values):
        raise ValueError
    for name in values:
        for spelt in ("{{" + name + "}}", "{{ " + name + " }}"):
            template = template.replace(spelt, values[name])
    return template


def sub_with_text(template: str, values: dict[str, str]) -> str:
    if {name.strip() for name in re.findall("{{(.*?)}}", template)} != set(values):
        raise ValueError
    for name in values:
        template = re.sub("{{ *" + name + " *}}", values[name], template)
    return template


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda template, values: template.format_map(values), "reads every brace"),
        (replaced_in_turn, "One pass over the template"),
        (sub_with_text, "Give it a function"),
        (lambda t, v: re.sub("{{ *([a-z]+) *}}", lambda m: v.get(m[1], m[0]), t), "raise a ValueError"),
        (lambda t, v: re.sub("{{ *([a-z]+) *}}", lambda m: v[m[1]], t), "raise a ValueError"),
    ],
)
def test_a_wrong_filling_is_told_what_is_wrong(answer: Any, sentence: str) -> None:
    assert sentence in hints("04.1", answer)


# 04.2 the next version


def shorter(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def rewritten() -> list[str]:
    """Right answers of five students: other words, other order of the fields, other marks."""
    text: str = CHECKS.next_version
    head, _, body = text.partition("---\n# system")
    reordered = (
        "---\nhints: {max_completion_tokens: 300}\nparameters: [listing]\nversion: 7\nparent: 5\n"
        'changelog: "Shorter: one example less."\nname: listing_form\n'
    )
    pyrex = body[body.index("# user\n<listing>\nPyrex") : body.index("# user\n<listing>\nChildren")]
    return [
        shorter(text, ("</listing>", '"""'), ("<listing>", '"""'), ("JSON:", "Answer:")),
        shorter(text, ("JSON:\n", "The form:\n"), ("{{listing}}", "{{ listing }}")),
        reordered + "---\n# system" + body.replace(pyrex, ""),
        shorter(
            text,
            ("hints: {max_completion_tokens: 200}", "hints:\n  max_completion_tokens: 150\n  temperature: 0"),
        ),
        head + "---\n\n# system" + body.replace('", "size"', '",  "size"') + "\n\n",
    ]


@pytest.mark.parametrize("place", range(5))
def test_any_sound_next_version_is_right(place: int) -> None:
    answer = rewritten()[place]
    parse_prompt(answer, Path("next_version.md"))
    assert_solved("04.2", answer)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda text: text.replace("Answer with JSON only.", "Answer with JSON only. " * 20), "Too long"),
        (
            lambda text: text[: text.index("# user")] + "# user\nHere:\n{{listing}}\nThe JSON:\n",
            "Without examples",
        ),
        (
            lambda text: text.replace(
                "atlas\nCollect after six.", "atlas\nDone once, every piece is there (my daughter counted)."
            ),
            "answer key",
        ),
        (lambda text: text.replace('"brand": null}', '"brand": "Gucci"}'), "invents"),
        (lambda text: text.replace("listing_form", "my_extraction"), "version 7 of listing_form"),
    ],
)
def test_a_next_version_with_a_fault_is_told_which(answer: Callable[[str], str], sentence: str) -> None:
    assert sentence in hints("04.2", answer(CHECKS.next_version))


# 04.3 orders to the machine

WORDS = ["ai", "language model", "llm", "chatbot", "gpt", "assistant", "system"]
VERBS = ["ignore", "disregard", "forget", "set", "write", "file", "mark", "put"]


def sentences(text: str) -> list[str]:
    """Each with what ends it, and the space behind."""
    out, start = [], 0
    for place, letter in enumerate(text):
        before, behind = text[place - 1 : place], text[place + 1 : place + 2]
        ends = letter in ".!?\n" and behind not in (" ", ".", "!", "?", "\n")
        if ends or (letter == " " and before in (".", "!", "?") and behind != " "):
            out.append(text[start : place + 1])
            start = place + 1
    return [*out, text[start:]] if text[start:] else out


def by_word_sets(text: str) -> str:
    def machine(sentence: str) -> bool:
        words = re.findall(r"\w+", sentence.lower())
        pairs = [" ".join(pair) for pair in itertools.pairwise(words)]
        return bool({*words, *pairs} & {*WORDS}) and bool({*words} & {*VERBS})

    def voids(sentence: str) -> bool:
        low = sentence.lower()
        verb = [low.find(word) for word in ("ignore", "disregard", "forget") if word in low]
        return bool(verb) and any(word in low[min(verb) :] for word in ("above", "previous", "rules"))

    kept = [one for one in sentences(text) if not machine(one) and not voids(one)]
    return text if len(kept) == len(sentences(text)) else "".join(kept)


def by_lines(text: str) -> str:
    """Line by line, and within a line by a lookbehind."""
    lines = []
    for line in text.split("\n"):
        parts = re.split(r"(?<=[.!?])\s+", line)
        good = [part for part in parts if not bad(part)]
        if good == parts:
            lines.append(line)
        elif good:
            lines.append(" ".join(good))
    return "\n".join(lines)


def bad(part: str) -> bool:
    names = re.search(r"\b(AI|language model|chatbot|assistant)\b", part, re.IGNORECASE)
    order = re.search(r"\b(set|write|file|mark|please)\b", part, re.IGNORECASE)
    voids = re.search(r"(ignore|disregard|forget) (all |the )*(above|previous|rules)", part, re.IGNORECASE)
    return bool(names and order) or bool(voids)


def by_filter(text: str) -> str:
    pieces = re.findall(r"[^.!?\n]+[.!?\n]*\s*", text)
    return "".join(filter(lambda piece: not bad(piece), pieces)) if any(map(bad, pieces)) else text


def by_deleting(text: str) -> str:
    for piece in re.findall(r"[^.!?\n]+[.!?]?", text):
        if bad(piece):
            text = text.replace(piece, "")
    return text


def by_recursion_too(text: str) -> str:
    match = re.search(r"[.!?\n]+\s*", text)
    if not match:
        return "" if bad(text) else text
    head, tail = text[: match.end()], text[match.end() :]
    return ("" if bad(head) else head) + by_recursion_too(tail)


@pytest.mark.parametrize("answer", [by_word_sets, by_lines, by_filter, by_deleting, by_recursion_too])
def test_any_way_to_take_out_orders_is_right(answer: Any) -> None:
    assert_solved("04.3", answer)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda text: text.replace("XYZ", ""), "Nothing is taken out"),
        (lambda text: "" if bad(text) else text, "keep the rest"),
        (
            lambda text: (
                "".join(
                    itertools.takewhile(lambda one: not CHECKS.is_order(one), CHECKS.SENTENCE.findall(text))
                ).strip()
                if any(map(CHECKS.is_order, CHECKS.SENTENCE.findall(text)))
                else text
            ),
            "often comes after it",
        ),
        (
            lambda text: "".join(one for one in sentences(text) if not re.search("AI|ignore|assistant", one)),
            "costs more than the attack",
        ),
        (
            lambda text: "".join(
                one
                for one in sentences(text)
                if not re.search("(?i)(ignore|disregard|forget).*(above|prev|rules)", one)
            ),
            "is one form",
        ),
    ],
)
def test_a_filter_with_a_fault_is_told_which(answer: Any, sentence: str) -> None:
    assert sentence in hints("04.3", answer)
