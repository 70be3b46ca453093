"""The widgets as a student uses them: a filter, a step, a code, another version; by mouse and by keyboard.

The tests share one notebook and go on where the one before them stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("browser")

CELLS = {
    "run": """
from aicourse import load_listings, prompts
from aicourse.datasets import ATTRIBUTES, load_photos
from aicourse.evals import cases, runner
from aicourse.evals.scorers import exact, set_match
from aicourse.notebook import code_failures, explore, show_diff

listings = load_listings("dev").head(12)
listed = cases.from_frame(listings, input="text", expected=list(ATTRIBUTES), tags="tags")
evil = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"
scorers = [exact("brand"), set_match("colours")]
v1 = runner.run(lambda case: case.expected, listed, scorers, name="v1", progress=False)
v2 = runner.run(lambda case: case.expected | {"brand": evil}, listed, scorers, name="v2", progress=False)
""",
    "explore": 'explore(v2, v1, load_photos("dev"))',
    "code": 'code_failures(v2, "notes.jsonl", 5, score="brand.exact")',
    "judge": """
from pathlib import Path
import aicourse.monitoring
from aicourse.monitoring import published_traces, record_published, sample_random
from aicourse.notebook import annotate
from aicourse.sqlite import database

shop = database("shop.sqlite", "monitoring", Path(aicourse.monitoring.__file__).parent / "migrations")
proposed = {"colours": ["red"], "brand": None}
for number in "12":
    sale = {"listing_id": number, "seller_id": "s", "published": proposed | {"brand": evil}}
    record_published(shop, f"t{number}", proposed=proposed, **sale)
annotate(shop, sample_random(published_traces(shop), 2), {"1": "Red boots", "2": "Red hat"}, annotator="A")
""",
    "diff": """
steps = {"Name the colours.": "First.", "Name the main colours.": "Fewer.", "Name it.": "Short."}
for text, why in steps.items():
    prompts.new("naming", text=f"# user\\n{text}\\n{{{{listing}}}}", changelog=why)
show_diff("naming@1", "naming@2")
""",
}


@pytest.fixture(scope="module")
def notebook(run_cells: Callable[[str, Mapping[str, str]], Any]) -> Any:
    """A notebook with one widget per cell, run to its end."""
    return run_cells("widgets.ipynb", CELLS)


def test_a_filter_and_a_step_show_another_case(notebook: Any) -> None:
    cell = notebook.controls("explore")
    cell.get_by_text("1 of 12").wait_for()
    photo = cell.get_by_role("img", name="Photo of L001")
    assert photo.evaluate("picture => picture.naturalWidth") == 480
    cell.get_by_label("Slice").select_option(label="no_brand (3)")
    cell.get_by_text("1 of 3").wait_for()
    cell.get_by_role("button", name="Next").click()
    cell.get_by_text("2 of 3").wait_for()


def test_the_keyboard_moves_through_the_cases_and_keeps_its_place(notebook: Any) -> None:
    cell = notebook.controls("explore")
    back, forth = (cell.get_by_role("button", name=name) for name in ("Previous", "Next"))
    back.focus()
    notebook.page.keyboard.press("Tab")
    assert forth.evaluate("button => button === document.activeElement")
    notebook.page.keyboard.press("Space")
    cell.get_by_text("3 of 3").wait_for()
    assert forth.evaluate("button => button === document.activeElement")
    cell.get_by_label("Search").fill("no such words")
    notebook.page.keyboard.press("Enter")
    cell.get_by_text("No case fits").wait_for()


def test_a_code_is_kept_and_offered_for_the_next_failure(notebook: Any, lab_server: Any) -> None:
    cell = notebook.controls("code")
    cell.get_by_label("New code").fill("<b>program</b> as brand")
    cell.get_by_role("button", name="Save and next").click()
    cell.get_by_text("1 of 5 failures coded").wait_for()
    known = cell.get_by_role("button", name="<b>program</b> as brand (1)")
    known.click()
    cell.get_by_label("Comment").fill("again")
    cell.get_by_role("button", name="Save and next").click()
    cell.get_by_text("2 of 5 failures coded").wait_for()
    cell.get_by_label("New code").fill("by keyboard")
    notebook.page.keyboard.press("Enter")
    cell.get_by_text("✓ Saved").filter(has_text="by keyboard").wait_for()
    notebook.page.keyboard.type("at once")  # the cursor waits in the field
    notebook.page.keyboard.press("Enter")
    cell.get_by_text("4 of 5 failures coded").wait_for()
    lines = (lab_server.course / "notebooks" / "notes.jsonl").read_text(encoding="utf-8").splitlines()
    codes = [code for line in lines for code in json.loads(line)["codes"]]
    assert codes == ["<b>program</b> as brand"] * 2 + ["by keyboard", "at once"]
    assert json.loads(lines[1])["comment"] == "again"


def test_a_sample_is_judged_by_keys_alone(notebook: Any) -> None:
    cell = notebook.controls("judge")
    cell.get_by_text("0 of 4 values judged by A").wait_for()
    cell.get_by_label("Verdict").focus()
    for count, words in enumerate(("r", "w Clarks", "r", "u"), start=1):
        notebook.page.keyboard.type(words)  # the cursor waits in the field
        notebook.page.keyboard.press("Enter")
        cell.get_by_text(f"{count} of 4 values judged by A").wait_for()
    cell.get_by_role("cell", name="unsure").wait_for()
    notebook.page.keyboard.type("x")
    notebook.page.keyboard.press("Enter")
    cell.get_by_text("✗ Not saved").wait_for()


def test_the_diff_shows_other_versions_and_another_layout(notebook: Any) -> None:
    cell = notebook.controls("diff")
    cell.locator("ins", has_text="main").wait_for()
    cell.get_by_label("To", exact=True).select_option(label="naming@v3")
    cell.get_by_role("cell", name="Short.").wait_for()
    beside = cell.locator("table", has_text="naming@v1")
    beside.wait_for()
    cell.get_by_role("button", name="inline").click()
    beside.wait_for(state="detached")
    assert cell.locator("ins").all_inner_texts() == ["it"]


def test_no_listing_or_reply_was_run_as_a_program(notebook: Any) -> None:
    assert notebook.page.evaluate("() => window.hacked") is None
