"""What a prompt is and how it looks; how two of them differ."""

from __future__ import annotations

import dataclasses
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicourse import prompts
from aicourse.errors import PromptError
from aicourse.llm.calls import HINTS_HEADER, PROMPT_HEADER
from aicourse.prompts.difference import compare_texts
from aicourse.prompts.template import parse_body

PROMPT = prompts.Prompt(
    name="extract_listing",
    version=3,
    parent=2,
    changelog="Names <colours>.",
    parameters=("listing", "examples"),
    sections=parse_body("# system\nUse *these*: {{examples}}\n# user\n<b>{{listing}}</b>\n```\ncode\n```"),
    hint_items=(("temperature", 0), ("stop", ("a", "b"))),
)


def changed(**changes: object) -> prompts.Prompt:
    return dataclasses.replace(PROMPT, **changes)  # type: ignore[arg-type]


def body(text: str) -> prompts.Prompt:
    return changed(sections=parse_body(text))


# ------------------------------------------------------------ identity


def test_what_identifies_it() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", PROMPT.hash)
    assert PROMPT.ref == "extract_listing@v3"
    assert PROMPT.facts == {"prompt": "extract_listing", "version": "v3", "hash": PROMPT.hash}
    named = {PROMPT_HEADER: f"extract_listing@v3 {PROMPT.hash}"}
    assert PROMPT.headers == named | {HINTS_HEADER: '{"temperature": 0, "stop": ["a", "b"]}'}
    assert repr(PROMPT) == f"<Prompt extract_listing@v3 {PROMPT.hash}>"


def test_the_hash_is_pinned_because_ledgers_and_runs_keep_it() -> None:
    written = b'{"messages":[["user","Hello"]],"parameters":[],"hints":{}}'
    expected = hashlib.sha256(written).hexdigest()[:12]
    assert prompts.Prompt("a", 1, None, "x", (), parse_body("# user\nHello")).hash == expected


@pytest.mark.parametrize(
    "same",
    [
        {"name": "other"},
        {"version": 9},
        {"parent": None},
        {"changelog": "y"},
        {"parameters": ("examples", "listing")},
    ],
)
def test_labels_on_the_outside_do_not_change_the_hash(same: dict[str, object]) -> None:
    assert changed(**same).hash == PROMPT.hash


@pytest.mark.parametrize(
    "other",
    [
        {"hint_items": (("temperature", 1), ("stop", ("a", "b")))},
        {"hint_items": ()},
        {"sections": parse_body("# user\nUse *these*: {{examples}}\n{{listing}}")},
        {"parameters": ("listing",)},
    ],
)
def test_what_the_model_is_asked_changes_the_hash(other: dict[str, object]) -> None:
    assert changed(**other).hash != PROMPT.hash


def test_a_prompt_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        PROMPT.version = 4  # type: ignore[misc]
    PROMPT.hints["temperature"] = 2
    PROMPT.hints["stop"].append("c")
    assert PROMPT.hints == {"temperature": 0, "stop": ["a", "b"]}


# ------------------------------------------------------------ render


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"listing": "x"}, r"needs examples: call render\(listing=…, examples=…\)"),
        ({}, "needs listing, examples"),
        (
            {"listing": "x", "examples": "y", "listnig": "z"},
            r"'listnig'.*Did you mean listing\? Leave listnig out",
        ),
        ({"listing": None, "examples": "y"}, "listing must be text, not NoneType"),
        (
            {"listing": ["x"], "examples": "y"},
            r"must be text, not list: convert it with str\(\) or json.dumps",
        ),
    ],
)
def test_parameters_must_be_all_of_them_and_text(given_: dict[str, str], words: str) -> None:
    with pytest.raises(PromptError, match=words):
        PROMPT.render(**given_)


def test_a_prompt_without_parameters_takes_none() -> None:
    plain = changed(parameters=(), sections=parse_body("# user\nHello"))
    assert plain.render() == [{"role": "user", "content": "Hello"}]
    with pytest.raises(PromptError, match="takes no parameters"):
        plain.render(listing="x")


# ------------------------------------------------------------ views


def test_html_escapes_text_and_shows_placeholders() -> None:
    shown = PROMPT._repr_html_()
    assert "Names &lt;colours&gt;." in shown
    assert "&lt;b&gt;<b>{{listing}}</b>&lt;/b&gt;" in shown
    assert "from v2" in shown
    assert PROMPT.hash in shown


# ------------------------------------------------------------ diff


def test_words_and_tokens_are_counted() -> None:
    before = body("# user\nWhich colours? {{listing}} {{examples}}")
    after = body("# user\nWhich main colours and materials? {{listing}} {{examples}}")
    diff = prompts.diff(before, after)
    assert (diff.words_added, diff.words_removed) == (3, 0)
    assert diff.token_change == after.estimated_tokens - before.estimated_tokens == 5
    assert "Which {+main +}colours{+ and materials+}? {{listing}}" in str(diff)
    assert "3 words added, 0 removed" in repr(diff)


def test_a_replaced_phrase_is_one_change() -> None:
    pieces = compare_texts("say the old words now", "say some new words now")
    assert [(piece.kind, piece.text) for piece in pieces] == [
        ("same", "say "), ("removed", "the old"), ("added", "some new"), ("same", " words now"),
    ]  # fmt: skip


def test_an_added_line_is_shown_as_a_line() -> None:
    pieces = compare_texts("Answer with JSON.\n\nGo.", "Answer with JSON.\nNo text.\n\nGo.")
    assert [(piece.kind, piece.text) for piece in pieces] == [
        ("same", "Answer with JSON."), ("added", "\nNo text."), ("same", "\n\nGo."),
    ]  # fmt: skip


def test_parameters_and_hints_are_compared() -> None:
    after = changed(parameters=("listing", "photo"), hint_items=(("temperature", 1), ("seed", 7)))
    assert prompts.diff(PROMPT, after).settings == (
        "- parameter examples",
        "+ parameter photo",
        "~ seed: not set -> 7",
        "~ stop: ['a', 'b'] -> not set",
        "~ temperature: 0 -> 1",
    )


def test_the_forms_of_a_diff_mark_without_colour_and_escape() -> None:
    diff = prompts.diff(body("# user\n<i>old"), body("# user\n<i>new ``` x"))
    shown = diff._repr_html_()
    assert re.search(
        r'<del style="text-decoration: line-through">old</del><ins style="text-decoration: underline">', shown
    )
    assert "<i>" not in shown
    assert "[-old-]{+new ``` x+}" in str(diff)


def test_the_same_prompt_differs_in_nothing() -> None:
    diff = prompts.diff(PROMPT, PROMPT)
    assert (diff.words_added, diff.words_removed, diff.token_change, diff.settings) == (0, 0, 0, ())


WORDS = st.lists(st.sampled_from(["red", "blue", " ", " ", "\n", ".", "{{x}}", "é", "#"]), max_size=30).map(
    "".join
)


@given(WORDS | st.text(), WORDS | st.text())
def test_both_texts_can_be_put_together_from_the_pieces(before: str, after: str) -> None:
    pieces = compare_texts(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "added") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == after
    assert all(piece.text for piece in pieces)
