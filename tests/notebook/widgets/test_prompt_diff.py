"""The prompt diff: both layouts hold both texts, the changelog walks from one version to the other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from aicourse import prompts
from aicourse.errors import PromptError
from aicourse.notebook.widgets.prompt_diff import PromptDiffControls, PromptDiffView, rows_of, show_diff
from aicourse.prompts import Prompt
from aicourse.prompts.difference import Piece, compare_texts

BODIES = (
    "# user\nName the colours.\n{{listing}}\n",
    "# user\nName the main colours.\n{{listing}}\n",
    "# system\nYou label listings.\n# user\nName the main colours.\nNothing else.\n{{listing}}\n",
)


@pytest.fixture(autouse=True)
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Prompt]:
    """Three versions of a student's prompt, each made from the one before."""
    for folder in ("notebooks", "datasets"):
        (tmp_path / "course" / folder).mkdir(parents=True)
    monkeypatch.setenv("AICOURSE_HOME", str(tmp_path / "course"))
    return [
        prompts.new("colours", changelog=f"Step {n}.", text=text) for n, text in enumerate(BODIES, start=1)
    ]


def test_the_changelog_names_each_step_on_the_way() -> None:
    view = show_diff("colours@1", "colours@3")
    assert [(step.ref, step.changelog) for step in view.difference.steps] == [
        ("colours@v2", "Step 2."),
        ("colours@v3", "Step 3."),
    ]
    assert repr(view).startswith("colours@v1 -> colours@v3: 7 words added, 0 removed")
    assert repr(view).endswith("Changelog\n  colours@v2: Step 2.\n  colours@v3: Step 3.")


def test_without_a_way_between_them_only_the_second_speaks(versions: list[Prompt]) -> None:
    assert [step.ref for step in prompts.diff("colours@3", "colours@1").steps] == ["colours@v1"]
    other = prompts.new("sizes", changelog="Sizes.", text=BODIES[0])
    assert [step.ref for step in prompts.diff("colours@3", other).steps] == ["sizes@v1"]
    assert versions[1].source is not None
    versions[1].source.unlink()
    assert [step.ref for step in prompts.diff("colours@1", "colours@3").steps] == ["colours@v3"]


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(PromptError, match="colours has no v9"):
        show_diff("colours@1", "colours@9")


def whole(sides: Iterable[tuple[tuple[Piece, ...], tuple[Piece, ...]]]) -> str:
    """One text from its side of each row; a row where the other side is empty brings its own line end."""
    lines = [("".join(piece.text for piece in side), other) for side, other in sides]
    kept = [line.removesuffix("\n") for line, other in lines if line or not other]
    return "\n".join(kept)


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 3), (3, 1), (2, 2)])
def test_rows_hold_both_texts_whole_and_change_only_where_they_differ(first: int, second: int) -> None:
    difference = prompts.diff(f"colours@{first}", f"colours@{second}")
    rows = list(rows_of(difference.pieces))
    before = whole(rows)
    after = whole((new, old) for old, new in rows)
    assert (before, after) == (difference.before.body.rstrip("\n"), difference.after.body.rstrip("\n"))
    for row in rows:
        same = [[piece.text for piece in side if piece.kind == "same"] for side in row]
        assert same[0] == same[1]
    assert compare_texts(difference.before.body, difference.after.body) == difference.pieces


def test_lines_that_are_only_in_one_text_stand_in_rows_of_their_own() -> None:
    rows = list(rows_of(prompts.diff("colours@2", "colours@3").pieces))
    assert [("".join(p.text for p in old), "".join(p.text for p in new)) for old, new in rows][:2] == [
        ("", "# system\nYou label listings.\n\n"),
        ("# user", "# user"),
    ]


def test_the_plain_form_has_both_layouts_and_marks_without_colour(read_page: Any) -> None:
    text = show_diff("colours@1", "colours@3")._repr_html_()
    page = read_page(text)
    for words in ("7 words added, 0 removed", "estimated tokens", "Step 3.", "Side by side", "Inline"):
        assert words in page.text
    assert '<ins style="text-decoration: underline"><b>' in text
    back = show_diff("colours@3", "colours@1")._repr_html_()
    assert '<del style="text-decoration: line-through">↵\nNothing else.' in back


def test_equal_texts_are_said_to_be_equal_and_settings_are_shown(read_page: Any) -> None:
    prompts.new("colours", changelog="Cooler.", hints={"temperature": 0})
    text = read_page(show_diff("colours@3", "colours@4")._repr_html_()).text
    assert "The two texts are the same." in text
    assert "~ temperature: not set -> 0" in text


def test_texts_of_strangers_stay_texts(read_page: Any, evil: str) -> None:
    text = f"# user\n{evil.replace(chr(0), '')}\n{{{{listing}}}}"
    prompts.new("colours", changelog="<script>", text=text, parent=1)
    view = show_diff("colours@1", "colours@4")
    page = read_page(view._repr_html_())
    assert not {"script", "img"} & set(page.tags)
    assert "alert(1)" in page.text


def test_the_controls_choose_versions_and_layout() -> None:
    controls = PromptDiffControls(show_diff("colours@1", "colours@2"), str)
    assert controls.before.options == controls.after.options == ("colours@v1", "colours@v2", "colours@v3")
    assert (controls.before.value, controls.after.value) == ("colours@v1", "colours@v2")
    assert "<table" in controls.text.value
    controls.layout.value = "inline"
    assert "<table" not in controls.text.value
    controls.after.value = "colours@v3"
    assert "colours@v1 -&gt; colours@v3: 7 words added" in controls.head.value
    assert "Nothing" in controls.text.value


def test_a_version_that_was_broken_since_is_said(versions: list[Prompt]) -> None:
    controls = PromptDiffControls(show_diff("colours@1", "colours@2"), str)
    assert versions[2].source is not None
    versions[2].source.write_text("no front matter")
    controls.after.value = "colours@v3"
    assert "✗ " in controls.head.value
    assert "no front matter" in controls.head.value


def test_a_prompt_from_a_file_is_compared_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "draft.md"
    path.write_text("---\nname: draft\nversion: 1\nchangelog: New.\n---\n# user\nHello\n", encoding="utf-8")
    controls = PromptDiffControls(show_diff("colours@1", path), str)
    assert controls.after.options == (("draft@v1", prompts.load(path)),)
    assert isinstance(controls.view, PromptDiffView)
    controls.before.value = "colours@v2"
    assert controls.view.difference.after.name == "draft"
