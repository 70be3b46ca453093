"""Every rule: one fixture notebook that breaks it (the cell with id "wrong"), and one that breaks none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from aicourse.errors import LessonError
from aicourse.tooling import course
from aicourse.tooling.course.linting import RELAX, RULES, UNREADABLE
from aicourse.tooling.course.rules import Breach, references

FOLDER = Path(__file__).parents[2] / "notebooks" / "lint"
NEXT = "91-another-lesson"  # for the link to the next lesson
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb") if path.stem not in ("good", NEXT))
Edit = Callable[[dict[str, Any]], Any]


@pytest.fixture(autouse=True)
def _a_day_when_the_retired_fixture_is_retired(monkeypatch: pytest.MonkeyPatch) -> None:
    class Today(date):
        @classmethod
        def today(cls) -> Today:
            return cls(2027, 6, 1)

    monkeypatch.setattr(references, "date", Today)


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[Edit], list[Breach]]:
    """Lint the good lesson after one edit of its JSON."""
    shutil.copytree(FOLDER / "checks", tmp_path / "checks")
    shutil.copy(FOLDER / f"{NEXT}.ipynb", tmp_path)

    def lint_after(edit: Edit) -> list[Breach]:
        notebook = json.loads((FOLDER / "good.ipynb").read_text(encoding="utf-8"))
        edit(notebook)
        path = tmp_path / "good.ipynb"
        path.write_text(json.dumps(notebook), encoding="utf-8")
        return course.lint([path])

    return lint_after


def cell(notebook: dict[str, Any], cell_id: str) -> dict[str, Any]:
    return next(cell for cell in notebook["cells"] if cell["id"] == cell_id)


def say(cell_id: str, source: str) -> Edit:
    return lambda notebook: cell(notebook, cell_id).update(source=source)


def show(cell_id: str, text: str) -> Edit:
    output = {"output_type": "stream", "name": "stdout", "text": [text]}
    return lambda notebook: cell(notebook, cell_id).update(outputs=[output])


def constant(cell_id: str, source: str, *figures: str) -> Edit:
    metadata = {"aicourse": {"constants": dict.fromkeys(figures, "by law")}}
    return lambda notebook: cell(notebook, cell_id).update(source=source, metadata=metadata)


def test_the_good_lesson_breaks_no_rule() -> None:
    assert course.lint([FOLDER / "good.ipynb"]) == []


def test_every_rule_has_a_fixture_and_every_fixture_a_rule() -> None:
    assert sorted([rule.name for rule in RULES] + [RELAX, UNREADABLE]) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_finds_its_fixture(name: str) -> None:
    found = [finding for finding in course.lint([FOLDER / f"{name}.ipynb"]) if finding.rule == name]
    assert len(found) == 1
    assert found[0].message.endswith("unreadable.ipynb" if name == UNREADABLE else ".")
    wrong = '"id": "wrong"' in (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    cell = found[0].cell
    if name == "cell-id":
        assert cell
        assert cell.number == 3
    else:
        assert (cell is not None and cell.id == "wrong") == wrong
    assert f"[{name}]" in str(found[0])


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        (
            say("prices", "## 1 Prices\n\nRead [this](#no-such-heading) before you go on with the lesson."),
            "links",
        ),
        (
            say("prices", "## 1 Prices\n\nRead [this](https://) before you go on with the rest of it."),
            "links",
        ),
        (
            say("prices", "Look at ![](#Recap) and at the words around it, for they are read aloud."),
            "alt-text",
        ),
        (say("prices-code", "import aicourse._private"), "imports"),
        (say("prices-code", "from aicourse import no_such_name"), "imports"),
        (show("prices-code", "L061 and 11 more"), "test-item"),
        (show("prices-code", "&lt;b&gt; Found this in an <mark>estate</mark> clearance in…"), "test-item"),
        (
            say(
                "prices",
                "## 1 Prices\n\nLook at listing L064, which has no brand, and at what comes back for it.",
            ),
            "test-item",
        ),
        (say("outcome-b", 'outcome("90.b", farthest(prices))'), "hidden-import"),
        (say("prices-code", "ask(prices, model=MODEL, seed=7)"), "refused-parameter"),
        (say("prices-code", "client.responses.create(seed=SEED)"), "refused-parameter"),
        (say("prices-code", 'settings = {"temperature": 0}'), "refused-parameter"),
        (say("prices-code", "client.messages.create(max_tokens=9, top_p=1)"), "refused-parameter"),
        (
            say("prices-code", "%time client.chat.completions.create(max_tokens=9)\nask(top_p=1)"),
            "refused-parameter",
        ),
        (say("prices-code", "from aicourse import tooling"), "tooling"),
        (say("prices-code", "import aicourse.tooling.course as course"), "tooling"),
        (say("prices-code", 'token = "' + '0123456789abcdef01"'), "secret"),
        (show("prices-code", "s" + "k-" + "a1" * 12), "secret"),
        (show("prices-code", "h" + "f_" + "aB3" * 12), "secret"),
        (show("prices-code", "g" + "hp_" + "a1B2c3" * 6), "secret"),
        (show("prices-code", "AK" + "IA" + "Z7" * 8), "secret"),
        (show("prices-code", "c" + "sk-" + "a1b2" * 8), "secret"),
        (show("prices-code", "C:\\Users\\somebody\\notes.txt"), "absolute-path"),
        (show("prices-code", "FileNotFoundError: 'D:\\\\course\\\\listings.csv'"), "absolute-path"),
        (show("prices-code", "read /srv/teaching/listings.csv"), "absolute-path"),
        (show("prices-code", "PosixPath('/Users/somebody/listings.csv')"), "absolute-path"),
        (
            say(
                "prices",
                "## 1 Prices\n\nThe mean is 30.5, which half of them are below; more in [it](#Recap).",
            ),
            "figures",
        ),
        (
            say(
                "prices",
                "## 1 Prices\n\nIn a terminal: `aicourse evals run --model gpt-4o-mini`, which asks again.",
            ),
            "retired-model",
        ),
        (show("prices-code", "see /tmp/scratch for more"), "absolute-path"),
        (show("prices-code", "\rstep 1\rstep 2"), "progress-bar"),
        (say("prices-code", "# NBVAL_IGNORE_OUTPUT (differs)\nprices"), "unchecked-output"),
        (lambda nb: cell(nb, "prices-code")["metadata"].update(tags=["nbval-skip"]), "unchecked-output"),
        (lambda nb: cell(nb, "start").update(execution_count=None), "execution-order"),
        (lambda nb: nb["metadata"].update(widgets={}), "widget-state"),
        (lambda nb: cell(nb, "start").pop("id"), "cell-id"),
        (lambda nb: nb["metadata"]["aicourse"].pop("minutes"), "header"),
        (lambda nb: nb["metadata"]["aicourse"].update(minutes=55), "minutes"),
        (say("start", "1 + 1"), "header"),
        (lambda nb: cell(nb, "parameters")["metadata"].update(tags=[]), "parameters"),
        (lambda nb: cell(nb, "exercise-1-solution")["metadata"].pop("jupyter"), "exercise-solution"),
        (say("exercise-1-solution", "def middle(values): ..."), "exercise-solution"),
        (say("exercise-1-check", 'check("90.9", middle)'), "exercise-hint"),
        (
            say(
                "recap",
                "## Recap\n\n- Only\n- three\n- lines, too few.\n\n[Next](91-another-lesson.ipynb)",
            ),
            "sections",
        ),
        (lambda nb: nb["metadata"]["aicourse"].update(relax={"links": "no reason to"}), "relax"),
    ],
)
def test_one_edit_of_the_good_lesson_breaks_one_rule(edited: Any, edit: Edit, rule: str) -> None:
    assert {finding.rule for finding in edited(edit)} == {rule}


@pytest.mark.parametrize(
    "edit",
    [
        show("prices-code", "https://example.org/home/page and a/tmp/b"),
        show("prices-code", "3 items at 100% | 4 left, or GET /v1/models"),
        say(
            "prices",
            "## 1 Prices\n\nThe mean is 29.5, about 30, for 3 to 12 of them in 2026, as lesson 00 has it.",
        ),
        constant(
            "prices",
            "## 1 Prices\n\nThe tax is 19 % of all that, or 0.19 of each price, and so on.",
            "19 %",
            "0.19",
        ),
        say(
            "prices",
            "Headings as [lab](#2-A-picture) and [github](#2-a-picture), and [mail](mailto:a@b.org).",
        ),
        say(
            "prices",
            "Write `[x](nowhere.ipynb)` to make a link, or a [real one](https://example.org/a?b#c) instead.",
        ),
        say("prices-code", "# NBVAL_IGNORE_OUTPUT\n# the time differs in every run\nprices"),
        say("prices-code", "from aicourse.llm import catalog\nfrom aicourse import datasets, doctor"),
        say("prices-code", "%matplotlib inline\nprint('A magic is no Python.')"),
        show("prices-code", "29.5, and dev's L060, a wheelbarrow and an Ergobaby carrier"),
        say("prices-code", "client.messages.create(max_tokens=9)\nbootstrap(prices, seed=SEED)"),
        say("prices-code", "client.chat.completions.create(max_completion_tokens=9)\n29.5"),
    ],
)
def test_what_looks_similar_and_is_fine(edited: Any, edit: Edit) -> None:
    assert edited(edit) == []


def test_a_rule_is_relaxed_with_a_reason(edited: Any) -> None:
    def edit(notebook: dict[str, Any]) -> None:
        cell(notebook, "parameters")["metadata"]["tags"] = []
        notebook["metadata"]["aicourse"]["relax"] = {"parameters": "this lesson takes none"}

    assert edited(edit) == []


def test_a_lesson_without_a_checks_file_is_told_so(tmp_path: Path) -> None:
    path = shutil.copy(FOLDER / "good.ipynb", tmp_path)
    shutil.copy(FOLDER / f"{NEXT}.ipynb", tmp_path)
    rules = {finding.rule for finding in course.lint([path])}
    assert rules == {"exercise-hint"}


def test_a_checks_file_that_imports_tooling_is_found(edited: Any, tmp_path: Path) -> None:
    checks = tmp_path / "checks" / "lesson_90.py"
    with checks.open("a", encoding="utf-8") as file:
        file.write("\nfrom aicourse.tooling.course import lessons\n")
    assert [str(finding) for finding in edited(lambda notebook: None)] == [
        "good: lesson_90.py imports tooling, which students never meet. Use what aicourse itself offers, "
        "or give the taught part the name that is missing. [tooling]"
    ]


def test_the_size_of_a_lesson_counts_what_the_rules_count() -> None:
    ((_, pace),) = course.paces([FOLDER / "good.ipynb"])
    assert (pace.cells, pace.exercises, pace.other_actions) == (33, 3, 3)
    passive = 33 - 3 * 3 - 3  # an exercise has a check and a solution beside it
    assert passive + 3 * 10 + 3 * 3 == 60 == pace.minutes
    assert [len(run) for run in pace.passive_runs] == [7, 3, 1, 2, 2, 2, 4]
    assert pace.longest[0].id == "title"


def test_an_unknown_lesson_is_a_sentence() -> None:
    with pytest.raises(LessonError, match="No lesson '99'"):
        course.lint(["99"])


def test_findings_come_in_the_order_of_the_cells(edited: Any) -> None:
    def edit(notebook: dict[str, Any]) -> None:
        show("prices-code", "/tmp/x")(notebook)
        say("start", "1 + 1")(notebook)
        show("start", "/tmp/x, for 60 minutes")(notebook)

    numbers = [finding.cell.number if finding.cell else 0 for finding in edited(edit)]
    assert len(numbers) == 3
    assert numbers == sorted(numbers)
