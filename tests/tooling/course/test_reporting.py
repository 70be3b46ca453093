"""The report: what its table says, that it stands alone, and that a browser can sort it."""

from __future__ import annotations

import html.parser
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from aicourse.llm.calls import Call, Usage
from aicourse.tooling import course
from aicourse.tooling.course.lesson_run import CellError, Journal, read_journal
from aicourse.tooling.course.notebooks import Lesson

FOLDER = Path(__file__).parents[2] / "notebooks"
VOID = {"meta", "link", "img", "br", "hr", "input", "col"}


class Page(html.parser.HTMLParser):
    """Table rows as texts, every address, and whether all tags are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.rows and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def call(source: str, cost: str) -> Call:
    now = datetime.now(UTC)
    return Call("openai", "m", source, "/chat", 200, 1, 1, Decimal(cost), 0.1, None, now)  # type: ignore[arg-type]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    good = (FOLDER / "lint" / "good.ipynb").read_text(encoding="utf-8")
    executed = tmp_path / "90-good.ipynb"
    executed.write_text(good.replace("(#Recap)", "(91-next.ipynb#Recap)"), encoding="utf-8")
    calls = (call("recorded", "9"), call("live", "0.25"), call("fault", "0"))
    fine = Lesson("90", "90-good", executed, "A <good> lesson", "What & why?")
    broken = Lesson("91", "91-broken", tmp_path / "91-broken.ipynb", "Broken")
    error = CellError(None, None, "LessonError", "it is <b>not</b> a notebook\nat all")
    runs = [
        course.LessonRun(fine, executed, 12.34, 17, Journal(Usage(calls))),
        course.LessonRun(broken, None, 0.0, 0, error=error),
    ]
    return course.write_report(runs, tmp_path)


def test_the_table_says_what_happened(report: Path) -> None:
    page = Page(report.read_text(encoding="utf-8"))
    assert page.open == []
    headings, fine, broken = page.rows
    assert headings[1:4] == ["Result", "Time (s)", "Cells"]
    assert fine[0] == "90 A <good> lessonWhat & why?"
    assert fine[1:8] == ["passed", "12.3", "17", "3", "1", "1", "0.25"]
    assert broken[1:8] == ["failed", "0.0", "0", "0", "0", "0", "0.00"]
    assert "it is <b>not</b> a notebook\nat all" in broken[0].replace("notebookat", "notebook\nat")
    assert "<h1>2 lessons, 1 failed</h1>" in report.read_text(encoding="utf-8")


def test_pages_stand_alone(report: Path) -> None:
    for path in (report, report.parent / "90-good.html"):
        text = path.read_text(encoding="utf-8")
        page = Page(text)
        assert page.open == []
        assert [address for address in page.addresses if re.match(r"\w+:|//", address)] == [
            address for address in page.addresses if address.startswith("data:")
        ]
        assert not re.search(r"@import|url\((?!data:)", text)
        local = {address.partition("#")[0] for address in page.addresses if not address.startswith("data:")}
        missing = {name for name in local - {""} if not (report.parent / name).exists()}
        assert missing <= {"91-next.html", "91-another-lesson.html"}


def test_a_lessons_page_shows_its_cells(report: Path) -> None:
    text = (report.parent / "90-good.html").read_text(encoding="utf-8")
    assert 'href="91-next.html#Recap"' in text
    assert 'alt="Four points: three near the bottom, one far above."' in text
    assert "One sale stands apart" in text


def test_a_journal_that_ends_in_the_middle_is_read_to_there(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"place": ["key", 1]}\n{"place": ["ke')
    assert read_journal(path) == Journal(places=frozenset({("key", 1)}))
    assert read_journal(tmp_path / "none.jsonl") == Journal()
