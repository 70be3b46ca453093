"""Labels: production moves with an approval, any label can go back, and every move is kept."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aicourse import prompts
from aicourse.errors import PromptError
from aicourse.prompts import folders
from aicourse.prompts.promotion import FILE

NAME = "extract"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a user with four versions of `extract`, of which the course ships none."""
    for name in ("notebooks", "datasets"):
        (tmp_path / "course" / name).mkdir(parents=True)
    monkeypatch.setenv("AICOURSE_HOME", str(tmp_path / "course"))
    monkeypatch.setattr(folders, "shipped_dir", lambda: tmp_path / "prompt_files")
    for number in range(1, 5):
        prompts.new(NAME, changelog=f"Step {number}.", text=f"# user\nStep {number}: {{{{listing}}}}")
    return tmp_path / "course" / "notebooks" / "prompts"


def version(number: int) -> prompts.Prompt:
    return prompts.load(f"{NAME}@{number}")


def approval(before: int, after: int, **changes: object) -> prompts.Approval:
    made = prompts.Approval(
        True, f"PASS: v{after} may replace v{before}.", version(before).hash, version(after).hash, 60
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def advance(*numbers: int) -> None:
    """Put the versions into production, one after the other."""
    for before, after in zip((None, *numbers), numbers, strict=False):
        prompts.promote(version(after), approval=approval(before, after) if before else None)


def in_production() -> int:
    return prompts.load(NAME).version


def test_the_first_version_in_production_needs_no_approval(own: Path) -> None:
    move = prompts.promote(version(1))
    assert (move.version, move.reason, move.by, move.action) == (1, "first version", "you", "promote")
    assert in_production() == 1


def test_a_passed_gate_moves_production_and_its_headline_is_kept(own: Path) -> None:
    advance(1, 2)
    assert in_production() == 2
    assert [move.reason for move in prompts.history(NAME)] == ["first version", "PASS: v2 may replace v1."]
    assert prompts.history(NAME)[1].hash == version(2).hash


REFUSALS: dict[str, tuple[Callable[[], prompts.Approval | None], str]] = {
    "none": (lambda: None, r"extract@v2 needs a passed gate to replace v1.*--before RUN --after RUN"),
    "failed": (
        lambda: approval(1, 2, passed=False, headline="FAIL: brand is worse."),
        r"stays out of production. FAIL: brand is worse. Repair it in a new version",
    ),
    "of no cases": (lambda: approval(1, 2, cases=0), "looked at no case"),
    "about another prompt": (lambda: approval(1, 3), r"The gate judged \w{12}, and extract@v2 is \w{12}"),
    "against another prompt": (lambda: approval(3, 2), r"compared with \w{12}, and in production is v1"),
    "without hashes": (lambda: approval(1, 2, after_hash=""), "judged an unnamed prompt"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_production_refuses_what_is_not_proved(own: Path, case: str) -> None:
    make_approval, words = REFUSALS[case]
    advance(1)
    before = (own / NAME / FILE).read_bytes()
    with pytest.raises(PromptError, match=words):
        prompts.promote(version(2), approval=make_approval())
    assert (own / NAME / FILE).read_bytes() == before
    assert in_production() == 1


def test_an_old_approval_does_not_serve_after_production_has_moved(own: Path) -> None:
    stale = approval(1, 3)
    advance(1, 2)
    with pytest.raises(PromptError, match="in production is v2"):
        prompts.promote(version(3), approval=stale)


def test_other_labels_move_freely(own: Path) -> None:
    for number in (3, 1):
        prompts.promote(version(number), "candidate")
    assert prompts.load(f"{NAME}@candidate").version == 1
    assert [(move.label, move.version) for move in prompts.labels(NAME)] == [("candidate", 1)]


def test_a_label_where_it_is_already_is_said(own: Path) -> None:
    advance(1)
    with pytest.raises(PromptError, match="has the label production already"):
        prompts.promote(version(1))


@pytest.mark.parametrize("label", ["", "Production", "two words", "v3", "3", "../x", "a" * 40])
def test_what_is_no_label_is_refused(own: Path, label: str) -> None:
    with pytest.raises(PromptError, match="is no label"):
        prompts.promote(version(1), label)


def test_promoting_freezes_the_version(own: Path) -> None:
    advance(1)
    file = own / NAME / "v1.md"
    file.write_text(file.read_text().replace("Step 1:", "Step one:"))
    with pytest.raises(PromptError, match="was changed after it was used"):
        prompts.load(NAME)


def test_a_label_whose_version_has_other_content_now_is_refused(own: Path) -> None:
    advance(1)
    (own / NAME / "used.json").unlink()
    file = own / NAME / "v1.md"
    file.write_text(file.read_text().replace("Step 1:", "Step one:"))
    with pytest.raises(
        PromptError, match=r"production stands for v1 with the hash \w+, and that file now has"
    ):
        prompts.load(NAME)


def test_a_prompt_outside_the_folders_gets_no_label(own: Path, tmp_path: Path) -> None:
    file = tmp_path / "answer.md"
    file.write_text((own / NAME / "v1.md").read_text())
    with pytest.raises(PromptError, match=r"lies in no prompt folder.*prompts new extract --file"):
        prompts.promote(prompts.load(file), "candidate")


# ------------------------------------------------------------ rollback


def test_rolling_back_goes_one_step_each_time_and_is_kept(own: Path) -> None:
    advance(1, 2, 3)
    assert [prompts.rollback(NAME).version for _ in range(2)] == [2, 1]
    assert in_production() == 1
    story = [(move.action, move.version) for move in prompts.history(NAME)]
    assert story == [("promote", 1), ("promote", 2), ("promote", 3), ("rollback", 2), ("rollback", 1)]
    assert prompts.history(NAME)[-1].reason == "back from v2"


def test_after_a_rollback_the_next_step_back_skips_what_was_taken_back(own: Path) -> None:
    advance(1, 2)
    prompts.rollback(NAME)
    prompts.promote(version(4), approval=approval(1, 4))
    assert prompts.rollback(NAME).version == 1


def test_there_is_nothing_before_the_first(own: Path) -> None:
    with pytest.raises(PromptError, match="has no earlier version"):
        prompts.rollback(NAME)
    advance(1)
    with pytest.raises(PromptError, match="has no earlier version"):
        prompts.rollback(NAME)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.integers(0, 4), max_size=12))
def test_any_sequence_of_moves_is_that_of_a_stack(own: Path, steps: list[int]) -> None:
    """0 rolls back, a number promotes that version."""
    (own / NAME / FILE).unlink(missing_ok=True)
    stack: list[int] = []
    moves = 0
    for step in steps:
        possible = len(stack) > 1 if step == 0 else stack[-1:] != [step]
        if not possible:
            with pytest.raises(PromptError):
                prompts.rollback(NAME, "candidate") if step == 0 else prompts.promote(
                    version(step), "candidate"
                )
            continue
        if step == 0:
            stack.pop()
            prompts.rollback(NAME, "candidate")
        else:
            stack.append(step)
            prompts.promote(version(step), "candidate")
        moves += 1
        assert prompts.load(f"{NAME}@candidate").version == stack[-1]
        assert len(prompts.history(NAME, "candidate")) == moves


# ------------------------------------------------------------ shipped labels and your own


@pytest.fixture
def shipped(own: Path, tmp_path: Path) -> Path:
    """The same versions shipped, with v1, v2 and then v3 in production; nothing is the user's own."""
    advance(1, 2, 3)
    root = tmp_path / "prompt_files"
    own.rename(root)
    return root


def test_your_move_wins_over_the_shipped_label_and_leaves_its_file_alone(shipped: Path, own: Path) -> None:
    before = (shipped / NAME / FILE).read_bytes()
    prompts.promote(version(4), approval=approval(3, 4))
    assert in_production() == 4
    assert (shipped / NAME / FILE).read_bytes() == before
    assert [move.version for move in prompts.history(NAME)] == [1, 2, 3, 4]
    (own / NAME / FILE).unlink()
    assert in_production() == 3


def test_rolling_back_goes_into_the_shipped_history(shipped: Path) -> None:
    assert prompts.rollback(NAME).version == 2
    assert prompts.rollback(NAME).version == 1


def test_a_label_that_you_did_not_move_stays_the_shipped_one(shipped: Path) -> None:
    prompts.promote(version(4), "candidate")
    assert {move.label: move.version for move in prompts.labels(NAME)} == {"candidate": 4, "production": 3}


def test_the_file_names_no_user(own: Path) -> None:
    advance(1)
    [move] = json.loads((own / NAME / FILE).read_text())["production"]
    assert sorted(move) == ["action", "at", "by", "hash", "label", "reason", "version"]
    assert move["by"] == "you"


@pytest.mark.parametrize("content", ["{", "[]", '{"production": [{"version": 1}]}', '{"production": 3}'])
def test_a_damaged_file_of_labels_is_said_and_kept(own: Path, content: str) -> None:
    (own / NAME / FILE).write_text(content)
    for act in (
        lambda: prompts.load(NAME),
        lambda: prompts.promote(version(1)),
        lambda: prompts.rollback(NAME),
    ):
        with pytest.raises(PromptError, match=r"labels.json is damaged.*Restore it with"):
            act()
    assert (own / NAME / FILE).read_text() == content


def test_moves_at_the_same_time_are_all_kept(own: Path) -> None:
    words = [f"word{number}" for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda word: prompts.promote(version(1), word), words))
    assert [move.label for move in prompts.labels(NAME)] == sorted(words)
