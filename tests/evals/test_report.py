"""The report: one file, complete, safe, and small enough to open."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from aicourse.evals import report, runner
from aicourse.evals.cases import Case
from aicourse.evals.runs import Run
from aicourse.evals.scorers import exact

EVIL = "<script>alert(1)</script> & 'quotes' \""
VOID = {"meta", "br", "input"}


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
    assert not re.search(r"https?:|src=|url\(", (tmp_path / "new" / "report.html").read_text("utf-8"))


def test_with_the_run_before_the_largest_losses_come_first(tmp_path: Path) -> None:
    before, after = run_of(["bad", "good", "good"], "v1"), run_of(["good", "good", "bad"], "v2")
    page = page_of(after, tmp_path, before)
    header, *rows = page.rows
    assert header[4:6] == ["output", "changed"]
    assert [(row[0], row[4], row[5]) for row in rows] == [
        ("2", "bad", '"good" → "bad"'),
        ("1", "good", ""),
        ("0", "good", '"bad" → "good"'),
    ]
    assert "exact: v2 against v1" in (tmp_path / "new" / "report.html").read_text("utf-8")


@pytest.mark.parametrize("limit", [1, 3])
def test_a_large_run_shows_its_worst_cases_only(tmp_path: Path, limit: int) -> None:
    page = page_of(run_of(["good"] * 50 + ["bad"] * 2), tmp_path, limit=limit)
    assert [row[0] for row in page.rows[1:]] == ["50", "51", "0"][:limit]
    text = (tmp_path / "new" / "report.html").read_text("utf-8")
    assert f"{limit} of 52 records, worst first" in text


def test_outputs_with_fields_show_what_is_wrong_and_what_changed(tmp_path: Path) -> None:
    expected = {"brand": "IKEA", "colours": ["red", "blue"], "size": None}
    cases = [Case(id="1", input="<b>shelf", expected=expected, tags=("a",))]
    reply = "so long a reply " * 20

    def run(name: str, **output: object) -> Run:
        return runner.run(lambda case: output, cases, [exact("brand")], name=name, progress=False)

    before = run("v1", brand=None, colours=["blue", "red"], size=None, reply=reply)
    after = run("v2", brand="IKEA", colours=["blue"], size=None, reply=reply + "!")
    (row,) = _rows_of(tmp_path, after, run("v0", brand="IKEA", colours=["blue"], size=None, reply="other"))
    assert "≠ colours blue" in row[4]
    assert "≠ brand" not in row[4]
    assert "size not stated" in row[4]
    assert row[5] == "only long fields, such as the reply"
    (row,) = _rows_of(tmp_path, after, before)
    assert row[5] == 'brand: null → "IKEA"colours: ["blue", "red"] → ["blue"]'


def _rows_of(folder: Path, run: Run, before: Run) -> list[list[str]]:
    more = Case(id="2", input="x", expected={"brand": None})
    extra = runner.run(lambda case: {"brand": None}, [more], [exact("brand")], progress=False)
    after, first = (replace(each, memory=each.memory + extra.memory) for each in (run, before))
    page = page_of(after, folder, before=first)
    return [row for row in page.rows[1:] if row[0] == "1"]


def test_plots_say_in_words_what_they_show(tmp_path: Path) -> None:
    run, before = run_of(["good"] * 8 + ["bad"] * 2), run_of(["good"] * 10, "v1")
    page_of(run, tmp_path)
    text = (tmp_path / "new" / "report.html").read_text("utf-8")
    assert "<title>exact per slice</title><desc>all cases (10): 0.800 (0.490 to 0.943); short (10): " in text
    page_of(run, tmp_path, before)
    text = (tmp_path / "new" / "report.html").read_text("utf-8")
    assert "<title>Change of exact per slice</title><desc>all cases (10): 0 better, 2 worse; " in text
    assert "class='zero'" in text


def test_a_run_without_numbers_has_no_plots(tmp_path: Path) -> None:
    run = runner.rescore(run_of(["good", "bad"]), [lambda context: context.output])
    assert "svg" not in page_of(run, tmp_path).tags
