"""Outputs within budgets: of a cell, of a notebook, of JSON whose parts take more than they send."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from sandboxes import HONEST, SHORT, open_sandbox, printed, run

from aicourse.tooling.grading.sandbox.execution import StudentCall
from aicourse.tooling.grading.sandbox.executor import Sandbox
from aicourse.tooling.grading.sandbox.outputs import CellOutputs


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    yield from open_sandbox()


def taken(*outputs: dict[str, Any], most: int = 1 << 20) -> CellOutputs:
    found = CellOutputs(most)
    for output in outputs:
        found.take({"output": output})
    return found


def shown(content: Any, kind: str = "application/json") -> dict[str, Any]:
    return {"output_type": "display_data", "data": {kind: content}}


def test_a_cell_keeps_what_fits_and_says_that_it_was_cut() -> None:
    found = taken(*[shown("x" * 1_000, "text/plain")] * 10, most=5_000)
    assert found.cut
    assert 0 < len(json.dumps(found.outputs)) <= found.size <= 5_000
    assert not taken(shown("x", "text/plain")).cut


def test_what_is_cleared_makes_room_again() -> None:
    found = taken(shown("x" * 1_000, "text/plain"), most=2_000)
    found.take({"clear": False})
    found.take({"output": shown("y" * 1_000, "text/plain")})
    assert not found.cut


@pytest.mark.parametrize(
    ("output", "most"),
    [
        (shown([[]] * 200_000), 300),
        (shown({str(number): {} for number in range(200_000)}), 300),
        ({"output_type": "error", "ename": "E", "evalue": "", "traceback": [""] * 100_000}, 5_000),
        ({"output_type": "display_data", "data": {f"a/{number}": "" for number in range(10_000)}}, 1_000),
    ],
    ids=["lists", "objects", "traceback", "kinds"],
)
def test_many_small_parts_are_not_kept(output: dict[str, Any], most: int) -> None:
    assert len(json.dumps(taken(output, most=8 << 20).outputs)) < most


def test_json_of_a_usual_size_is_kept() -> None:
    content = {"data": [{"x": list(range(5_000)), "type": "scatter"}]}
    assert taken(shown(content)).outputs[0]["data"]["application/json"] == content


FLOODS = "print('x' * 400_000)"


def test_a_notebook_keeps_so_much_in_all_and_runs_to_its_end(sandbox: Sandbox) -> None:
    limits = dataclasses.replace(SHORT, outputs=1 << 20)
    cells = [FLOODS] * 4 + [f"{HONEST}\nprint('late')"]
    execution = run(sandbox, *cells, calls=[StudentCall("double", (4,))], limits=limits)
    assert [len(text) > 400_000 for text in printed(execution)[:4]] == [True, True, False, False]
    assert printed(execution)[4] == ""
    assert execution.answers[0].value == 8
    assert execution.sentence == "The notebook showed more than 1 MB of output; what came after is left out."
    assert execution.failures == ()


def test_what_is_replaced_again_and_again_is_not_looked_at_any_more(sandbox: Sandbox) -> None:
    limits = dataclasses.replace(SHORT, outputs=1 << 18)
    floods = f"from IPython.display import clear_output\n{FLOODS}\nclear_output()"
    execution = run(sandbox, *[floods] * 6, HONEST, calls=[StudentCall("double", (4,))], limits=limits)
    assert execution.answers[0].value == 8
    assert execution.failures == ()
    assert "what came after is left out" in execution.sentence


FORGES = """
import os, stat, struct
body = b'{"clear": false, "x": "' + b"x" * 500_000 + b'"}'
for handle in range(3, 64):
    try:
        if stat.S_ISSOCK(os.fstat(handle).st_mode): os.write(handle, struct.pack("=I", len(body)) + body)
    except OSError: pass
"""


def test_a_kernel_that_sends_all_the_same_ends_its_run_and_not_its_answers(sandbox: Sandbox) -> None:
    limits = dataclasses.replace(SHORT, outputs=1 << 18)
    execution = run(sandbox, HONEST, *[FORGES] * 6, calls=[StudentCall("double", (4,))], limits=limits)
    assert execution.answers[0].value == 8
    assert execution.ending == "flooded"
    assert execution.notebook["cells"][-1]["execution_count"] is None, "it was not run any more"


def test_answers_have_a_budget_together(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aicourse.tooling.grading.sandbox.running.MOST_ANSWERED", 100_000)
    calls = [StudentCall("much", ())] * 3
    execution = run(sandbox, "def much():\n    return 'x' * 40_000", calls=calls)
    assert [answer.kind for answer in execution.answers] == ["returned", "returned", "unreadable"]
