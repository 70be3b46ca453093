"""Run a notebook in an ordinary kernel, without a sandbox: for one's own code only, where no sandbox is.

An instructor verifies a homework and a student checks an own notebook on macOS or Windows this way. It is an
executor like the sandbox's, at level "L0". Nothing here protects from the notebook: grading never uses it.
"""

from __future__ import annotations

import copy
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aicourse.notebook.checks.calling import attempt
from aicourse.tooling.grading.sandbox.encoding import Decoder, NotPlainData, encode
from aicourse.tooling.grading.sandbox.execution import (
    Answer,
    AnswerKind,
    Call,
    CellFailure,
    Ending,
    Execution,
    Job,
)

LEVEL = "L0"
_CALLS_ID = "aicourse-calls"


def execute_plainly(job: Job) -> Execution:
    """Run the notebook to its end, past failing cells, then make the calls in the same kernel."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="aicourse-plain-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        work = folder / "work"
        if job.files is not None:
            shutil.copytree(job.files, work)
        work.mkdir(exist_ok=True)
        (folder / "calls.json").write_text(json.dumps([_call_data(call) for call in job.calls]))
        notebook = copy.deepcopy(job.notebook)
        notebook["cells"].append(_calls_cell(folder))
        ending, sentence = _run(notebook, work, job)
        answers = _read_answers(folder / "answers.json", job.calls)
    notebook["cells"].pop()
    failures = tuple(_failures(notebook["cells"]))
    seconds = time.monotonic() - started
    return Execution(notebook, answers, ending, sentence, failures, LEVEL, seconds)


def _run(notebook: dict[str, Any], work: Path, job: Job) -> tuple[Ending, str]:
    """Execute the cells in place; how it ended, and a sentence when not as it should."""
    import nbclient  # with nbformat 2 s of imports, which the sandbox's path does not need
    import nbformat
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.utils import run_sync
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    limit = round(job.limits.cell_seconds)
    node = nbformat.reads(json.dumps(notebook), as_version=4)  # type: ignore[no-untyped-call]
    # over TCP every kernel prints a warning about encryption; Windows has nothing else
    transport = "tcp" if sys.platform == "win32" else "ipc"
    manager = AsyncKernelManager(transport=transport, connection_file=str(work.parent / "kernel.json"))
    where = {"metadata": {"path": str(work)}}
    client = nbclient.NotebookClient(node, manager, timeout=limit, allow_errors=True, resources=where)
    try:
        client.execute(cwd=str(work))
    except CellTimeoutError:
        return "timed_out", f"A cell took longer than {limit} s, and the rest did not run."
    except DeadKernelError:
        return "died", "A cell ended the kernel, and the rest did not run."
    finally:
        notebook["cells"] = json.loads(json.dumps(node["cells"]))
        if manager.has_kernel:  # nbclient leaves a manager's kernel running that it was given
            run_sync(manager.shutdown_kernel)(now=True)
    return "finished", ""


def _calls_cell(folder: Path) -> dict[str, Any]:
    call = f"answer_calls({str(folder)!r}, get_ipython().user_ns)"
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": _CALLS_ID,
        "metadata": {},
        "outputs": [],
        "source": f"from aicourse.tooling.grading.sandbox.ordinary_kernel import answer_calls\n{call}",
    }


def _call_data(call: Call) -> dict[str, Any]:
    arguments = None if call.arguments is None else encode(tuple(call.arguments))
    return {
        "target": call.target,
        "arguments": arguments,
        "named": encode(dict(call.named)),
        "seconds": call.seconds,
    }


def answer_calls(folder: str, namespace: Mapping[str, Any]) -> None:
    """In the kernel: make the calls in `calls.json` and write `answers.json` beside it."""
    calls = json.loads(Path(folder, "calls.json").read_text())
    answers = [_answer(call, namespace) for call in calls]
    Path(folder, "answers.json").write_text(json.dumps(answers))


def _answer(call: Mapping[str, Any], namespace: Mapping[str, Any]) -> dict[str, Any]:
    first, *rest = call["target"].split(".")
    if first not in namespace:
        return {"kind": "missing"}
    target = namespace[first]
    for name in rest:
        if not hasattr(target, name):
            return {"kind": "missing"}
        target = getattr(target, name)
    if call["arguments"] is None:
        return _value(target, "")
    arguments, named = Decoder().decode(call["arguments"]), Decoder().decode(call["named"])
    outcome = attempt(lambda: target(*arguments, **named), seconds=call["seconds"])
    if outcome.kind == "returned":
        return _value(outcome.value, outcome.printed)
    text = {"error": outcome.errors[0], "message": outcome.message} if outcome.errors else {}
    return {"kind": outcome.kind, "printed": outcome.printed[:2_000], **text}


def _value(value: Any, printed: str) -> dict[str, Any]:
    try:
        return {"kind": "returned", "value": encode(value), "printed": printed[:2_000]}
    except NotPlainData as error:
        return {"kind": "unreadable", "message": str(error)}


def _read_answers(path: Path, calls: Sequence[Call]) -> tuple[Answer, ...]:
    """One answer per call; those that were never made are "dead"."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return tuple(Answer("dead") for _ in calls)
    return tuple(_read_answer(item) for item in found)


def _read_answer(item: dict[str, Any]) -> Answer:
    kind: AnswerKind = item["kind"]
    rest = {name: item[name] for name in ("error", "message", "printed") if name in item}
    if kind != "returned":
        return Answer(kind, **rest)
    try:
        return Answer(kind, Decoder().decode(item["value"]), **rest)
    except NotPlainData as error:
        return Answer("unreadable", message=str(error))


def _failures(cells: Sequence[Mapping[str, Any]]) -> Iterator[CellFailure]:
    for index, cell in enumerate(cells):
        for output in cell.get("outputs", ()):
            if output.get("output_type") == "error":
                yield CellFailure(
                    index, str(cell.get("id", "")), str(output.get("ename")), str(output.get("evalue"))
                )
