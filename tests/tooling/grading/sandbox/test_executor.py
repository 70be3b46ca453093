"""What a sandboxed run gives: outputs like Jupyter's, answers, endings; the same under every starter."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandboxes import HONEST, SHORT, open_sandbox, printed, run

from aicourse.errors import SandboxError
from aicourse.tooling.grading.sandbox import levels
from aicourse.tooling.grading.sandbox.execution import StudentCall
from aicourse.tooling.grading.sandbox.executor import Sandbox
from aicourse.tooling.grading.sandbox.files import files_below
from aicourse.tooling.grading.sandbox.levels import LEVELS, Level, LevelReport, choose_level, probe_levels
from aicourse.tooling.grading.sandbox.plain import PlainStarter
from aicourse.tooling.grading.sandbox.running import MOST_LOST


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    yield from open_sandbox()


@pytest.fixture
def plain_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setattr("aicourse.tooling.grading.sandbox.executor.starter_for", lambda level: PlainStarter())
    with Sandbox(trust_notebooks=True) as sandbox:
        yield sandbox


def test_outputs_are_those_of_jupyter(sandbox: Sandbox) -> None:
    execution = run(
        sandbox,
        "print('one')\nprint('two')\nimport sys\nprint('three', file=sys.stderr)\n40 + 2",
        "1 / 0",
        "from IPython.display import HTML, display, clear_output\n"
        "shown = display(HTML('<b>a</b>'), display_id=True)\nshown.update(HTML('<b>b</b>'))",
        "print('gone')\nclear_output()\nprint('stays')",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "import asyncio\nawait asyncio.sleep(0)\nasyncio.get_running_loop().is_running()",
        "!echo from a shell",
        "import subprocess\nprint('before')\nsubprocess.run(['echo', 'from a process']);",
        "get_ipython().kernel.implementation, 'IPKernelApp' in get_ipython().config",
    )
    cells = [cell["outputs"] for cell in execution.notebook["cells"]]
    assert [output["output_type"] for output in cells[0]] == ["stream", "stream", "execute_result"]
    assert cells[0][0] == {"output_type": "stream", "name": "stdout", "text": "one\ntwo\n"}
    assert cells[0][2]["data"] == {"text/plain": "42"}
    assert cells[0][2]["execution_count"] == 1
    assert (cells[1][0]["ename"], cells[1][0]["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert "ZeroDivisionError" in "".join(cells[1][0]["traceback"])
    assert [output["data"]["text/html"] for output in cells[2]] == ["<b>b</b>"]
    assert printed(execution)[3] == "stays\n"
    assert cells[4][0]["data"]["image/png"].startswith("iVBOR")
    assert cells[5][0]["data"] == {"text/plain": "True"}
    assert printed(execution)[6].split() == ["from", "a", "shell"]
    assert printed(execution)[7] == "before\nfrom a process\n"
    assert cells[8][0]["data"]["text/plain"] == "('ipython', True)"
    assert [cell["execution_count"] for cell in execution.notebook["cells"]] == list(range(1, 10))
    assert [(failure.index, failure.cell_id) for failure in execution.failures] == [(1, "cell-1")]
    assert (execution.ending, execution.sentence) == ("finished", "")


def test_outputs_are_valid_for_nbformat(sandbox: Sandbox) -> None:
    import nbformat

    execution = run(sandbox, "print('a')\n1", "1 / 0", "import pandas as pd\npd.DataFrame({'a': [1]})")
    nbformat.validate(nbformat.from_dict(execution.notebook))


def test_calls_see_the_namespace_that_the_notebook_left(sandbox: Sandbox) -> None:
    cells = (
        "factor = 3",
        "def scale(x, *, by=1): return x * factor * by",
        "class Shop:\n    @staticmethod\n    def price(n): return (n, {'total': n})",
        "async def slow(x): return x",
        "def yields(x): yield x",
        "def fails(): raise KeyError('colour')",
        "def talks(): print('hello'); return None",
        "def frame():\n    import pandas as pd\n    return pd.DataFrame({'a': [1, 2]})",
    )
    calls = [
        StudentCall("factor"),
        StudentCall("scale", (2,), {"by": 5}),
        StudentCall("Shop.price", ((1, 2),)),
        StudentCall("slow", ({"k": {1}},)),
        StudentCall("fails", ()),
        StudentCall("talks", ()),
        StudentCall("frame", ()),
        StudentCall("Shop.nothing"),
        StudentCall("yields", (1,)),
    ]
    answers = run(sandbox, *cells, calls=calls).answers
    assert [answer.kind for answer in answers] == ["returned"] * 4 + [
        "raised",
        "returned",
        "returned",
        "missing",
        "unreadable",
    ]
    assert [answer.value for answer in answers[:4]] == [3, 30, ((1, 2), {"total": (1, 2)}), {"k": {1}}]
    assert (answers[4].error, answers[4].message) == ("KeyError", "'colour'")
    assert answers[5].printed == "hello\n"
    assert answers[6].value.to_dict() == {"a": {0: 1, 1: 2}}
    assert "generator" in answers[8].message, "which is no coroutine, and raises nothing"


def test_a_call_that_is_too_slow_costs_only_itself(sandbox: Sandbox) -> None:
    calls = [
        StudentCall("spin", (), seconds=0.2),
        StudentCall("double", (2,)),
        StudentCall("spin", (), seconds=0.2),
        StudentCall("double", (3,)),
    ]
    calls += [StudentCall("leaves", ()), StudentCall("waits", (), seconds=0.2), StudentCall("double", (3,))]
    cells = (
        HONEST,
        "def spin():\n    while True: pass",
        "def leaves():\n    raise SystemExit",
        "async def waits():\n    import asyncio\n    await asyncio.sleep(60)",
    )
    execution = run(sandbox, *cells, calls=calls)
    kinds = ["endless", "returned", "endless", "returned", "raised", "endless", "returned"]
    assert [answer.kind for answer in execution.answers] == kinds


def test_each_call_that_ends_the_kernel_costs_only_itself(sandbox: Sandbox) -> None:
    cells = (HONEST, "def picky(x):\n    import os\n    return os._exit(1) if x % 2 else x")
    calls = [StudentCall("picky", (n,)) for n in range(4)] + [StudentCall("double", (4,))]
    execution = run(sandbox, *cells, calls=calls)
    assert [(answer.kind, answer.value) for answer in execution.answers] == [
        ("returned", 0),
        ("dead", None),
        ("returned", 2),
        ("dead", None),
        ("returned", 8),
    ]


def test_a_function_that_never_comes_back_is_not_called_for_ever(sandbox: Sandbox) -> None:
    cells = ("CALLS = 0", "def spin(x):\n    global CALLS\n    CALLS += 1\n    while True: pass")
    calls = [StudentCall("spin", (n,), seconds=0.2) for n in range(40)] + [StudentCall("CALLS")]
    execution = run(sandbox, *cells, calls=calls)
    assert [answer.kind for answer in execution.answers[:-1]] == ["endless"] * 40
    assert execution.answers[-1].value == MOST_LOST


def test_the_notebooks_deadline_stops_it_and_keeps_what_it_defined(sandbox: Sandbox) -> None:
    limits = dataclasses.replace(SHORT, notebook_seconds=2.0, cell_seconds=60.0)
    cells = (HONEST, "while True: pass", "double = None")
    execution = run(sandbox, *cells, calls=[StudentCall("double", (4,))], limits=limits)
    assert execution.answers[0].value == 8
    assert execution.ending == "timed_out"
    assert execution.sentence.startswith("The notebook ran longer than 2 seconds; it was stopped in cell 2")


def test_the_same_submission_gives_the_same_answers(sandbox: Sandbox) -> None:
    source = (
        "import random, numpy\ndrawn = [random.random(), float(numpy.random.rand()), list({'a', 'b', 'c'})]"
    )
    first, second = (run(sandbox, source, calls=[StudentCall("drawn")]).answers[0].value for _ in range(2))
    assert first == second


def test_files_lie_beside_the_notebook_and_changes_stay_inside(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.txt").write_text("here")
    (tmp_path / "loop").symlink_to(tmp_path)
    execution = run(
        sandbox, "print(open('data/x.txt').read())\nopen('new', 'w').write('x');", files=files_below(tmp_path)
    )
    assert printed(execution) == ["here\n"]
    assert not (tmp_path / "new").exists()


def test_files_that_do_not_fit_are_told(sandbox: Sandbox, tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(40 << 20)
    execution = run(sandbox, HONEST, calls=[StudentCall("double", (1,))], files=files_below(tmp_path))
    assert execution.ending == "not_started"
    assert execution.sentence.startswith("The files beside the notebook are larger than a submission may be")
    assert [answer.kind for answer in execution.answers] == ["dead"]


def test_modules_beside_the_notebook_are_imported_and_replace_none(sandbox: Sandbox) -> None:
    files = {"helper.py": b"def double(x): return 2 * x", "colorsys.py": b"mine = True"}
    source = "import colorsys\nfrom helper import double\nreplaced = hasattr(colorsys, 'mine')"
    calls = [StudentCall("double", (2,)), StudentCall("replaced")]
    assert [one.value for one in run(sandbox, source, calls=calls, files=files).answers] == [4, False]


def test_a_file_that_cannot_be_laid_down_is_told(sandbox: Sandbox) -> None:
    execution = run(sandbox, HONEST, files={"a": b"", "a/b": b""})
    assert execution.ending == "not_started"
    assert execution.sentence.startswith("The file 'a/b' cannot be laid beside the notebook")


def test_open_data_can_be_loaded(sandbox: Sandbox) -> None:
    execution = run(sandbox, "import aicourse\nprint(len(aicourse.load_listings('dev')))")
    assert printed(execution) == ["60\n"]


def test_a_killed_zygote_is_replaced(sandbox: Sandbox) -> None:
    starter: Any = sandbox._start()
    starter._zygote._server.process.kill()
    starter._zygote._server.process.wait()
    assert run(sandbox, HONEST, calls=[StudentCall("double", (1,))]).answers[0].value == 2


def test_without_a_sandbox_trusted_notebooks_still_run(plain_sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("here")
    calls = [StudentCall("double", (4,)), StudentCall("spin", (), seconds=0.2), StudentCall("double", (5,))]
    cells = (HONEST, "print(open('x.txt').read())", "def spin():\n    while True: pass")
    execution = run(plain_sandbox, *cells, calls=calls, files=files_below(tmp_path))
    assert [answer.value for answer in execution.answers] == [8, None, 10]
    assert printed(execution)[1] == "here\n"


def report(best: str) -> LevelReport:
    found = LEVELS.index(best)
    return LevelReport(
        tuple(Level(name, "" if n >= found else "no user namespaces") for n, name in enumerate(LEVELS))
    )


@pytest.mark.parametrize(
    ("best", "least", "trusted", "chosen"),
    [
        ("L4", None, False, "L4"),
        ("L3", None, False, "L3"),
        ("L3", "L2", False, "L3"),
        ("L2", "L2", False, "L2"),
        ("L2", None, True, "L2"),
        ("L0", None, True, "L0"),
        ("L1", "L1", True, "L1"),
    ],
)
def test_the_strongest_level_is_chosen(
    monkeypatch: pytest.MonkeyPatch, best: str, least: str | None, trusted: bool, chosen: str
) -> None:
    monkeypatch.setattr(levels, "probe_levels", lambda: report(best))
    assert choose_level(least, trust_notebooks=trusted) == chosen


@pytest.mark.parametrize(
    ("best", "least", "trusted", "message"),
    [
        ("L2", None, False, "no user namespaces.*--level L2.*Linux container.*--trust-notebooks"),
        ("L0", None, False, "Linux container.*--trust-notebooks"),
        ("L1", "L1", False, "Linux container.*--trust-notebooks"),
        ("L3", "L4", True, "L4"),
        ("L3", "L9", False, "There is no level 'L9'. Use one of: L4, L3"),
    ],
)
def test_less_protection_than_asked_for_is_refused(
    monkeypatch: pytest.MonkeyPatch, best: str, least: str | None, trusted: bool, message: str
) -> None:
    monkeypatch.setattr(levels, "probe_levels", lambda: report(best))
    with pytest.raises(SandboxError, match=f"(?s){message}"):
        choose_level(least, trust_notebooks=trusted)


def test_other_systems_have_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    found = probe_levels.__wrapped__()
    assert [level.works for level in found.levels] == [False, False, False, False, True]
    assert "darwin has no such protection" in str(found)


def test_the_report_draws_itself() -> None:
    assert str(report("L3")).splitlines()[0].startswith("L4  no   namespaces")
    plain = re.sub(r" (style|scope)='[^']*'", "", report("L3")._repr_html_())
    assert "<th>L3</th><td>yes</td>" in plain
