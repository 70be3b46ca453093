"""The report: one file, complete, safe, and small enough to open."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from aicourse.evals import report, runner
from aicourse.evals.cases import Case
from aicourse.evals.runs import Run
from aicourse.evals.scorers import exact

EVIL = "<script>alert(1)</script> & 'quotes' \""
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Checks that tags close in order; keeps the text of each cell of the table of cases, and every tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.rows: list[list[str]] = []
        self.in_cases = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.in_cases = self.in_cases or ("id", "cases") in attrs
        if tag not in VOID:
            self.open.append(tag)
        if self.in_cases and tag == "tr":
            self.rows.append([])
        if self.in_cases and tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.in_cases = self.in_cases and tag != "table"

    def handle_data(self, data: str) -> None:
        if self.in_cases and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def run_of(outputs: list[str], name: str = "v2") -> Run:
    cases = [Case(id=str(n), input=EVIL, expected="good", tags=("short",)) for n in range(len(outputs))]

    def task(case: Case) -> str:
        output = outputs[int(case.id)]
        if output == "fail":
            raise ValueError(EVIL)
        return output

    return runner.run(task, cases, [exact()], name=name, facts={"prompt": EVIL}, retries=0, progress=False)


def page_of(run: Run, folder: Path, before: Run | None = None, limit: int = 1_000) -> Page:
    path = report.write_report(run, folder / "new" / "report.html", before=before, limit=limit)
    page = Page(path.read_text("utf-8"))
    assert page.open == []
    return page


def test_every_case_is_there_worst_first(tmp_path: Path) -> None:
    page = page_of(run_of(["good", "bad", "fail", "good"]), tmp_path)
    header, *rows = page.rows
    assert header == ["id", "slices", "input", "expected", "output", "exact"]
    assert [row[0] for row in rows] == ["2", "1", "0", "3"]
    assert rows[0][4:] == [f"failed: ValueError: {EVIL}", "-"]
    assert rows[1] == ["1", "short", EVIL, "good", "bad", "Falsegot 'bad', expected 'good'"]


def test_texts_of_strangers_stay_texts_and_nothing_is_loaded(tmp_path: Path) -> None:
    run = run_of([EVIL, "fail"], name=EVIL)
    page = page_of(run, tmp_path, before=run_of(["good", EVIL], name=EVIL))
    assert page.tags.count("script") == 1
    assert not {"link", "img", "iframe"} & set(page.tags)
    assert not re.search(r"https?:|src=", (tmp_path / "new" / "report.html").read_text("utf-8"))


def test_with_the_run_before_the_largest_losses_come_first(tmp_path: Path) -> None:
    before, after = run_of(["bad", "good", "good"], "v1"), run_of(["good", "good", "bad"], "v2")
    page = page_of(after, tmp_path, before)
    header, *rows = page.rows
    assert header[4:6] == ["output before", "output"]
    assert [(row[0], row[4], row[5]) for row in rows] == [
        ("2", "good", "bad"),
        ("1", "good", "good"),
        ("0", "bad", "good"),
    ]
    assert "exact: v2 against v1" in (tmp_path / "new" / "report.html").read_text("utf-8")


@pytest.mark.parametrize("limit", [1, 3])
def test_a_large_run_shows_its_worst_cases_only(tmp_path: Path, limit: int) -> None:
    page = page_of(run_of(["good"] * 50 + ["bad"] * 2), tmp_path, limit=limit)
    assert [row[0] for row in page.rows[1:]] == ["50", "51", "0"][:limit]
    text = (tmp_path / "new" / "report.html").read_text("utf-8")
    assert f"{limit} of 52 records, worst first" in text
