"""What the views share: comparing fields, drawing one case, escaping, photos, live or plain."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aicourse import notebook
from aicourse.evals.runs import CaseRecord
from aicourse.evals.scores import Score
from aicourse.notebook import pieces
from aicourse.notebook.widgets.case_view import MAX_BYTES, CaseView, photo_of
from aicourse.notebook.widgets.fields import compare_fields, shown

PNG = b"\x89PNG\r\n\x1a\n and so on"


def record_of(output: Any, expected: Any = None, **fields: Any) -> CaseRecord:
    usual: dict[str, Any] = {
        "id": "L1",
        "index": 0,
        "repeat": 0,
        "digest": "d",
        "input": "Oak table",
        "tags": (),
    }
    usual |= {"scores": (), "error": None, "attempts": 1, "calls": 0, "prompt_tokens": 0}
    usual |= {"completion_tokens": 0, "cost": Decimal(0), "seconds": 0.123}
    return CaseRecord(**usual | {"output": output, "expected": expected} | fields)


@pytest.mark.parametrize(
    ("expected", "got", "verdict"),
    [
        ("IKEA", "IKEA", "same"),
        ("IKEA", "ikea.", "same but for spelling"),
        (["blue", "white"], ["white", "blue"], "same but for order"),
        (["blue"], ["blue", "blue"], "differs"),
        ("IKEA", "Hay", "differs"),
        (3, "3", "differs"),
        ("IKEA", None, "missing"),
        (["blue"], [], "missing"),
        (None, "IKEA", "invented"),
        ([], ["oak"], "invented"),
        (None, [], "same"),
        (False, None, "missing"),
    ],
)
def test_a_verdict_says_what_kind_of_difference_it_is(expected: Any, got: Any, verdict: str) -> None:
    (row,) = compare_fields(record_of({"brand": got}, {"brand": expected}))
    assert row.verdict == verdict
    assert row.is_wrong == (verdict in ("differs", "missing", "invented"))
    assert row.marked[0] == ("✗" if row.is_wrong else "≈" if "spelling" in verdict else "✓")


def test_fields_are_found_in_json_text_and_in_the_part_that_has_them() -> None:
    expected = {"brand": "IKEA", "size": None}
    outputs: list[Any] = ['{"brand": "IKEA"}', {"attributes": {"brand": "IKEA"}, "attempts": 2}]
    for output in outputs:
        assert [(row.name, row.verdict) for row in compare_fields(record_of(output, expected))] == [
            ("brand", "same"),
            ("size", "same"),
        ]


def test_text_where_fields_were_asked_for_misses_them_and_more_fields_are_not_checked() -> None:
    assert [row.verdict for row in compare_fields(record_of("I cannot", {"brand": "IKEA"}))] == ["missing"]
    rows = compare_fields(record_of({"brand": "IKEA", "mood": "glad"}, {"brand": "IKEA"}))
    assert [(row.name, row.verdict) for row in rows] == [("brand", "same"), ("mood", "not checked")]


def test_the_reply_and_the_warnings_are_no_fields() -> None:
    rows = compare_fields(record_of({"brand": "IKEA", "reply": "Sure!", "warnings": []}, {"brand": "IKEA"}))
    assert [row.name for row in rows] == ["brand"]


def test_an_output_without_fields_is_one_row_and_a_failed_task_has_none() -> None:
    (row,) = compare_fields(record_of("yes", "no"), record_of("no", "no"))
    assert (row.name, row.verdict, row.before) == ("output", "differs", "no")
    assert compare_fields(record_of("yes"))[0].verdict == "not checked"
    failed = record_of(None, {"brand": "IKEA"}, error="ValueError: broken")
    assert compare_fields(failed)[0].verdict == "no output"
    assert CaseView(failed).wrong == "task failed"


def test_what_is_wrong_is_said_by_kind() -> None:
    expected = {"brand": "IKEA", "size": None, "colours": ["blue"], "condition": "good", "category": "toys"}
    got = {"brand": "Hay", "size": "M", "colours": ["red"], "condition": "good", "category": None}
    view = CaseView(record_of(got, expected))
    assert view.wrong == "differs: brand, colours; invented: size; missing: category"
    assert CaseView(record_of(expected, expected)).wrong == "-"


def test_values_are_words() -> None:
    values = [None, "", [], ["a", 2], {"a": None}, [["a"]], 0, False]
    assert [shown(value) for value in values] == [
        "not stated", "empty", "none", "a, 2", '{"a": null}', '[["a"]]', "0", "false",
    ]  # fmt: skip


def test_a_case_shows_everything_that_is_known_about_it(read_page: Any) -> None:
    scores = (Score("brand.exact", False, "got 'Hay'"), Score("f1", 0.5), Score("tone", "dry"))
    broken = Score("size", None, error="KeyError: 'size'")
    record = record_of(
        {"brand": "Hay", "reply": '{"brand": "Hay"}!', "warnings": ["Hay is no word of it"]},
        {"brand": "IKEA"}, scores=(*scores, broken),
        tags=("short",), calls=2, prompt_tokens=1234, completion_tokens=5, seconds=0.5,
    )  # fmt: skip
    before = record_of({"brand": "IKEA"}, {"brand": "IKEA"}, scores=(Score("brand.exact", True),))
    page = read_page(CaseView(record, before, "v1").shown())
    for words in (
        "L1 · short", "Oak table", "IKEA", "Hay", "✗ differs", "got before (v1)", "✗ no", "✓ yes", "dry",
        "got 'Hay'", "0.500", "scorer failed", "KeyError: 'size'", '{"brand": "Hay"}!',
        "WarningsHay is no word of it", "2 calls, 1,234 tokens in, 5 out, 0.50 s",
    ):  # fmt: skip
        assert words in page.text


def test_texts_of_strangers_stay_texts_and_nothing_is_loaded(read_page: Any, evil: str) -> None:
    record = record_of(
        {evil: evil, "reply": evil, "warnings": [evil]}, {evil: evil + "2"}, id=evil, input={evil: evil},
        tags=(evil,), error=evil, scores=(Score(evil, evil, evil), Score("b", None, error=evil)),
    )  # fmt: skip
    page = read_page(CaseView(record, record_of(evil, id=evil), evil).shown())
    assert not {"script", "img"} & set(page.tags)
    assert "<script>alert(1)</script>" in page.text
    assert not re.search("[\0\u202e]", page.text)


def test_a_lone_surrogate_can_be_saved_and_a_long_text_says_what_is_left_out(read_page: Any) -> None:
    assert pieces.text("a\ud800b").encode() == "a\N{REPLACEMENT CHARACTER}b".encode()
    page = read_page(CaseView(record_of("y" * 90, "y", input="x" * 5_000)).to_html(limit=50))
    assert "x" * 50 + " … (4,950 more characters)" in page.text
    assert page.text.count("y" * 50 + " … (40 more characters)") == 2
    assert pieces.text("<&>", 2) == "&lt;&amp; … (1 more character)"


def test_the_time_of_a_task_without_calls_is_not_shown() -> None:
    view = CaseView(record_of("yes"))
    assert view.took == "No call of a model was counted."  # the time would be another one in each run


def test_photos_come_from_the_datasets_table_or_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "L1.png"
    path.write_bytes(PNG)
    row = {"path": path, "colours": ["green"], "materials": [], "size_tag": "M", "contradicts": ["brand"]}
    frame = pd.DataFrame([row], index=["L1"])
    photo = photo_of("L1", frame)
    assert photo is not None
    assert photo.words == "Photo of L1 (green; size tag M; contradicts the text in brand)"
    assert photo.source is not None
    assert photo.source.startswith("data:image/png;base64,iVBOR")
    assert photo_of("L1", {"L1": path}) is not None
    assert [photo_of("L2", photos) for photos in (None, frame, {"L1": path})] == [None, None, None]
    assert 'alt="Photo of L1' in CaseView(record_of("yes"), photo=photo).to_html()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read"),
        (b"<svg onload='alert(1)'/>", "is no JPEG, PNG or WebP"),
        (PNG + bytes(MAX_BYTES), "is larger than"),
    ],
)
def test_what_is_no_picture_is_named_and_its_folder_is_not(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    path = tmp_path / "L1.png"
    if content is not None:
        path.write_bytes(content)
    photo = photo_of("L1", {"L1": path})
    assert photo is not None
    assert photo.source is None
    assert f"L1.png {problem}" in photo.words
    assert str(tmp_path) not in CaseView(record_of("yes"), photo=photo).to_html()


def test_what_lessons_begin_with_needs_neither_ipywidgets_nor_pandas() -> None:
    names = sorted(set(notebook.__all__) - {"annotate", "show_dashboard"})  # these are of tables
    program = f"""import sys, json
from aicourse.notebook import {", ".join(names)}
print(json.dumps(sorted(sys.modules)))"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"ipywidgets", "pandas", "matplotlib"} & set(json.loads(done.stdout))
