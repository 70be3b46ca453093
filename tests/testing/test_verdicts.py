"""Repeated and aggregated tests: what decides, what is a crash, and the same verdict from workers."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from scipy import stats

from aicourse.testing.verdicts import GroupVerdict, runs_needed

if TYPE_CHECKING:
    from conftest import Project

ROOT = Path(__file__).resolve().parent.parent.parent
COUNTER = """
runs = iter(range(1000))

@pytest.mark.repeat_model(20, at_least=0.8)
def test_often():
    assert next(runs) % 20 {rule}
"""


def test_a_rate_that_the_interval_allows_passes_and_says_so(project: Project) -> None:
    project.tests(COUNTER.format(rule="not in (3, 5, 8)"))
    run = project.run("--junitxml=report.xml")
    run.assert_outcomes(passed=1)
    told = "17 of 20, 95 % interval 64–95 %, at least 80 %: allowed"
    run.stdout.fnmatch_lines(["*= aicourse =*", f"test_shop.py::test_often: {told}"])
    (stated,) = ElementTree.parse(project.pytester.path / "report.xml").iter("property")
    assert stated.attrib == {"name": "repeat_model", "value": told}


def test_a_rate_below_fails_with_the_first_failed_run(project: Project) -> None:
    project.tests(COUNTER.format(rule="< 12"))
    run = project.run()
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(
        [
            "12 of 20, 95 % interval 39–78 %, at least 80 %: the whole interval is below",
            "The first of 8 failed runs:",
            "E       assert (12 % 20) < 12",
        ]
    )


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("    raise ValueError('a bug')", {"failed": 1}),
        ("    pytest.skip('not here')", {"skipped": 1}),
        ("    pytest.xfail('known')", {"xfailed": 1}),
        ("    pytest.fail('counts')", {"failed": 1}),
    ],
)
def test_what_ends_a_repeated_test_at_once(project: Project, body: str, outcome: dict[str, int]) -> None:
    project.tests(
        "seen = []\n\n@pytest.mark.repeat_model(9, at_least=0.5)\n"
        f"def test_it():\n    seen.append(1)\n{body}\n\n"
        f"def test_runs():\n    assert len(seen) == {9 if 'counts' in body else 1}\n"
    )
    run = project.run()
    run.assert_outcomes(**{"passed": 1, **outcome})
    assert ("0 of 9" in run.stdout.str()) == ("counts" in body)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("2, at_least=0.5", "2 runs cannot decide at_least=0.5: 4 are needed."),
        ("15, at_least=0.8, prove=True", "15 runs cannot decide at_least=0.8: 16 are needed."),
        ("9", "@pytest.mark.repeat_model(n, at_least=..., prove=False): missing 1 required *'at_least'."),
        ("9, at_least=80", "at_least is a rate above 0 and up to 1, not 80."),
        ("9, at_least=1, prove=True", "No number of runs proves a rate of 1."),
    ],
)
def test_a_repeated_test_that_can_decide_nothing_is_refused(
    project: Project, arguments: str, message: str
) -> None:
    project.tests(f"@pytest.mark.repeat_model({arguments})\ndef test_it():\n    pass\n")
    run = project.run()
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines([message.replace("[", "[[]")])


def test_a_test_case_of_unittest_is_refused(project: Project) -> None:
    project.tests("""
import unittest

class TestIt(unittest.TestCase):
    @pytest.mark.repeat_model(9, at_least=0.5)
    def test_it(self):
        pass
""")
    run = project.run()
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(["repeat_model cannot repeat a unittest.TestCase: write a function."])


CASES = """
@pytest.mark.parametrize("n", range(20))
@pytest.mark.aggregate_model("accuracy", at_least=0.8)
class TestCases:
    def test_it(self, n):
        assert n % 2 or n > {last}
"""
ASKING = """
@pytest.mark.parametrize("n", range(4))
def test_asking(scripted_model, n):
    scripted_model.enqueue("[]")
    assert colours(scripted_model.client(), "A") == []
"""


@pytest.mark.parametrize(
    "workers", [[], pytest.param(["-n2"], marks=pytest.mark.slow)], ids=["alone", "workers"]
)
def test_cases_are_decided_together(project: Project, workers: list[str]) -> None:
    good = CASES.format(last=4).replace("TestCases", "TestGood")
    project.tests(f"{CASES.format(last=18)}\n{good}\n{ASKING}")
    run = project.run(*workers, "--junitxml=report.xml")
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.assert_outcomes(passed=31, xfailed=13, failed=1)
    run.stdout.fnmatch_lines(
        [
            "10 of 20, 95 % interval 30–70 %, at least 80 %: the whole interval is below",
            "The lowest of 20 cases:",
            "  0  test_shop.py::TestCases::test_it[[]0]",
            "*= aicourse =*",
            "test_shop.py::TestCases::test_it::accuracy: 10 of 20, *",
            "*::TestGood::test_it::accuracy: 17 of 20, 95 % interval 64–95 %, at least 80 %: allowed",
            "calls: 4 scripted (* tokens in, 4 out)",
            "FAILED test_shop.py::TestCases::test_it::accuracy - 10 of 20*",
        ]
    )
    assert "[102%]" not in run.stdout.str()  # the row is of tests that ran
    failures = ElementTree.parse(project.pytester.path / "report.xml").iter("failure")
    assert [failure.attrib["message"][:8] for failure in failures] == ["10 of 20"]


def test_scores_have_a_mean_and_a_forgotten_or_impossible_one_fails(project: Project) -> None:
    project.tests("""
@pytest.mark.parametrize("n", range(12))
@pytest.mark.aggregate_model("f1", at_least=0.7)
@pytest.mark.aggregate_model("exact", at_least=0.2)
def test_scores(score, n):
    score("f1", 0.5 + n / 100)
    score("exact", n > 6)

@pytest.mark.aggregate_model("f1", at_least=0.5)
class TestMistakes:
    def test_forgotten(self, score):
        pass

    @pytest.mark.parametrize("name, value", [("f2", 1), ("f1", float("nan"))])
    def test_impossible(self, score, name, value):
        score(name, value)

    def test_crash(self):
        raise ValueError("a bug")
""")
    run = project.run("-rf")
    run.assert_outcomes(passed=12, failed=5)
    run.stdout.fnmatch_lines(
        [
            "This test takes `score` and gave none for f1.",
            "*ValueError: no aggregate_model mark of this test is named 'f2', only [[]'f1']",
            "*ValueError: the score 'f1' is nan",
            "mean 0.555 of 12, 95 % interval 0.*, at least 0.7: the whole interval is below",
            "  0.5  test_shop.py::test_scores[[]0]",
            "test_shop.py::test_scores::exact: 5 of 12, *: allowed*",
        ]
    )


def test_cases_that_are_too_few_are_said_to_be(project: Project) -> None:
    project.tests(CASES.format(last=18).replace("0.8", "0.5"))
    run = project.run("test_shop.py::TestCases::test_it[0]")
    run.assert_outcomes(xfailed=1)
    run.stdout.fnmatch_lines(["*::accuracy: 0 of 1, * at least 50 %: allowed (too few cases to decide)"])


# ------------------------------------------------------------ the numbers in docs/testing.md


def outcomes_that_fail(runs: int, at_least: float) -> list[int]:
    return [
        passed
        for passed in range(runs + 1)
        if not GroupVerdict.of_rate(passed, runs, at_least=at_least).passed
    ]


def chance_of_failing(runs: int, at_least: float, true: float) -> float:
    return float(sum(stats.binom.pmf(outcomes_that_fail(runs, at_least), runs, true)))


@pytest.mark.parametrize("at_least", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("prove", [False, True])
def test_the_fewest_runs_can_decide_and_fewer_cannot(at_least: float, prove: bool) -> None:
    needed = runs_needed(at_least, prove=prove)
    extreme = needed if prove else 0
    assert GroupVerdict.of_rate(extreme, needed, at_least=at_least, prove=prove).passed is prove
    if needed > 1:
        fewer = needed - 1 if prove else 0
        assert GroupVerdict.of_rate(fewer, needed - 1, at_least=at_least, prove=prove).passed is not prove


def test_the_document_states_the_rates_as_they_are() -> None:
    text = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (0\.\d+) \| (\d+) \| (.*) % \|$", text, re.MULTILINE)
    assert len(rows) == 16
    for at_least, runs, cells in rows:
        for lower, cell in zip((0, 0.1, 0.2, 0.3), cells.split(" % | "), strict=True):
            true = float(at_least) - lower
            rate = 100 * chance_of_failing(int(runs), float(at_least), true)
            assert float(cell) == pytest.approx(rate, abs=0.51 if lower else 0.051)


def test_the_document_shows_the_example_as_it_is() -> None:
    text = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    example = (ROOT / "docs" / "testing-example" / "test_shop.py").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    assert [block for block in blocks if block not in example] == []
