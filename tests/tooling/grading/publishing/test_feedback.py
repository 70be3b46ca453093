"""Feedback and report: self-contained, safe against what students write, and nobody else's business."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fakes import FIRST_NUMBER, RIGHT_Q1, RIGHT_Q2, hand_in, run_in_process, small_assignment, submission

from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.grade import Options, grade
from aicourse.tooling.grading.judging.late import late_policy
from aicourse.tooling.grading.publishing.feedback import write_feedback
from aicourse.tooling.grading.publishing.hand_grading import checked_grade, save_hand_grades
from aicourse.tooling.grading.publishing.report import histogram, write_report
from aicourse.tooling.grading.submissions.shown_text import plain_text, printed

EVIL = "<script>alert('owned')</script><img src=x onerror=alert(1)>"


class Tags(HTMLParser):
    """Which elements and attributes a page really has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> GradesFolder:
    root = tmp_path_factory.mktemp("feedback")
    evil_name = f"mallory {EVIL}".replace("/", "_")
    shouting = RIGHT_Q2 + f"\nprint({EVIL!r}, '\\x1b]0;owned\\x07\\x1b[31mred\\x1b[0m')"
    source = hand_in(
        root / "in",
        **{
            "ada": submission(),
            "bo": submission(q1=FIRST_NUMBER, q2=RIGHT_Q2 + "\nprint('bo was here')"),
            evil_name: submission(q1=f"{RIGHT_Q1}\n# {EVIL}", q2=shouting, q3=EVIL),
        },
    )
    (source / "cem.ipynb").write_bytes(b"{")
    grade(
        small_assignment(root / "hw"), source, root / "out", run_in_process, options=Options(progress=False)
    )
    folder = GradesFolder(root / "out")
    results = {result.student: result for result in folder.results()}
    save_hand_grades(
        folder,
        [
            checked_grade(results["ada"], "q3", 3, "Good.\nSee <b>me</b>"),
            checked_grade(results[evil_name], "q3", 0, EVIL),
        ],
    )
    return folder


@pytest.fixture(scope="module")
def pages(folder: GradesFolder) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in write_feedback(folder)}


def test_one_page_each(pages: dict[str, str]) -> None:
    assert len(pages) == 4
    assert "9 of 10 points." in pages["ada"]
    assert "4 of 10 points so far." in pages["bo"]
    assert "You take the first number. Which one has a unit?" in pages["bo"]
    assert "This is not a grade of 0" in pages["cem"]
    assert "Good.<br>See &lt;b&gt;me&lt;/b&gt;" in pages["ada"]


def test_nothing_of_others_and_nothing_hidden(pages: dict[str, str]) -> None:
    assert "bo was here" in pages["bo"]
    for name, text in pages.items():
        assert "SECRET" not in text, "a hidden input"
        assert name == "bo" or "bo was here" not in text
        assert name.startswith("mallory") or "owned" not in text


def test_what_a_student_writes_stays_text(pages: dict[str, str], folder: GradesFolder) -> None:
    report = write_report(folder).read_text(encoding="utf-8")
    for text in (*pages.values(), report):
        tags = Tags(text)
        assert not {"script", "img", "iframe", "object", "link", "base", "form"} & set(tags.names)
        assert not [name for name, _ in tags.attributes if name.startswith("on") or name == "style"]
        assert "\x1b" not in text
        assert "\x07" not in text


def test_pages_load_nothing_and_allow_nothing(pages: dict[str, str], folder: GradesFolder) -> None:
    for text in (*pages.values(), write_report(folder).read_text(encoding="utf-8")):
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
        assert policy
        assert policy[1].startswith("default-src 'none'; style-src 'sha256-")
        assert "script-src" not in policy[1]
        assert not [value for name, value in Tags(text).attributes if name in ("src", "href", "action")]


def test_the_report_names_what_needs_a_look(folder: GradesFolder) -> None:
    text = write_report(folder).read_text(encoding="utf-8")
    assert "<b>cem</b> could not be graded:" in text
    assert "q3 (1)" in text, "one answer has no points yet"
    assert "You take the first number" in text
    assert text.count("<svg") >= 3


def test_the_same_results_give_the_same_pages(folder: GradesFolder, pages: dict[str, str]) -> None:
    assert {path.stem: path.read_text(encoding="utf-8") for path in write_feedback(folder)} == pages


def test_a_histogram_counts_everybody() -> None:
    svg = histogram([0, 0.5, 3, 10, 10], 10, "Points")
    counts = [int(count) for count in re.findall(r"<title>(\d+) with", svg)]
    assert counts == [2, 1, 2]
    assert 'aria-label="Points: 2 with 0 to 1, 1 with 3 to 4, 2 with 9 to 10"' in svg


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "xlink"),
        ("\x1bPq#0\x1b\\sixel \x1b(B ok", "sixel B ok"),
        ("a\rb\r\nc\x08\x00\x9b31m", "a\nb\nc31m"),
        ("user\u202etxt.exe\u2066", "usertxt.exe"),
        ("half \ud800 surrogate", "half  surrogate"),
        ("x" * 3_000, "x" * 2_000 + "\n… (cut)"),
        ("Zoë 日本 ✓\t|", "Zoë 日本 ✓\t|"),
    ],
)
def test_terminal_escapes_and_marks(text: str, shown: str) -> None:
    assert plain_text(text).replace("(B", "B") == shown


def test_only_text_of_outputs_is_kept() -> None:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"]},
        {"output_type": "display_data", "data": {"text/html": EVIL, "text/plain": "a table"}},
        {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["\x1b[0;31m"]},
        {"output_type": "display_data", "data": 7},
    ]
    notebook = {"cells": [{"id": "a", "outputs": outputs}, {"id": "b", "outputs": outputs}]}
    assert printed(notebook, ("a",)) == "one\ntwo\na table\nValueError: no"


def test_a_flood_is_cut_early() -> None:
    flood = {"cells": [{"id": "a", "outputs": [{"output_type": "stream", "text": "x" * 1_000}] * 100_000}]}
    assert len(printed(flood, ("a",))) < 2_100


def test_a_page_says_when_it_came_and_where_that_stands(tmp_path: Path) -> None:
    source = hand_in(tmp_path / "in" / "ada+hw01+2026-12-02 09:30:00.000000 UTC+x", hw01=submission())
    hand_in(source.parent, bo=submission())
    options = Options(progress=False, late=late_policy("2026-12-01T12:00Z", 10, 0))
    grade(small_assignment(tmp_path / "hw"), source.parent, tmp_path / "out", run_in_process, options=options)
    pages = {
        path.stem: path.read_text(encoding="utf-8") for path in write_feedback(GradesFolder(tmp_path / "out"))
    }
    assert "Handed in 2026-12-02 09:30 UTC (the exchange folder" in pages["ada"]
    assert "It came 1 day late, which takes off 10 %" in pages["ada"]
    assert "Handed in" not in pages["bo"], "the date of a file is no evidence"
