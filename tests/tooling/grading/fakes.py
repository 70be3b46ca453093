"""For tests of grading: an executor without a sandbox, a small assignment, and submissions to it.

`run_in_process` runs trusted notebooks in this process: never point it at a stranger's.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
from pathlib import Path
from typing import Any

from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.sandbox.execution import Answer, CellFailure, Execution, Job, StudentCall

CHECKS = """
from functools import partial
from aicourse.notebook.checks import Check, Mistake

def read_size(text):
    words = text.split()
    return next((int(a) for a, b in zip(words, words[1:]) if b == "cm"), None)

def first_number(text):
    return next((int(word) for word in text.split() if word.isdigit()), None)

def is_wool(text):
    return "wool" in text.lower()

q1 = partial(Check, question="q1", target="read_size", reference=read_size,
             mistakes=[Mistake(first_number, "You take the first number. Which one has a unit?")])
q2 = partial(Check, question="q2", target="is_wool", reference=is_wool)
checks = [
    q1(name="reads centimetres", points=2, inputs=["waist 80 cm", "60 cm"]),
    q1(name="takes no other number", points=2,
       inputs=lambda rng: [f"{rng.randint(2, 9)} mugs {rng.randint(10, 99)} cm SECRET"]),
    q2(name="finds wool", points=1, inputs=["Wool coat", "cotton"]),
    q2(name="says no", points=1, inputs=["silk scarf"]),
]
"""


def cell(kind: str, cell_id: str, source: str, **stated: Any) -> dict[str, Any]:
    """One cell of a master or a submission."""
    metadata = {"aicourse": stated} if stated else {}
    shared = {"cell_type": kind, "id": cell_id, "metadata": metadata, "source": source}
    return {**shared, "outputs": [], "execution_count": None} if kind == "code" else shared


def notebook(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """A notebook of format 4.5."""
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}


def function(name: str, body: str) -> str:
    return f"def {name}(text):\n    ### BEGIN SOLUTION\n    {body}\n    ### END SOLUTION"


MASTER = notebook(
    cell("markdown", "intro", "# Homework 1: sizes and wool\nAnswer each question in its cell."),
    cell("code", "setup", "import re\nLIMIT = 100"),
    cell("markdown", "q1-text", "## Read a size\nWrite `read_size`.", question="q1"),
    cell(
        "code",
        "q1-answer",
        function("read_size", 'm = re.search(r"(\\d+) cm", text); return int(m[1]) if m else None'),
        question="q1",
        role="answer",
        points=4,
    ),
    cell("markdown", "q2-text", "## Find wool", question="q2"),
    cell(
        "code",
        "q2-answer",
        function("is_wool", 'return "wool" in text.lower()'),
        question="q2",
        role="answer",
        points=2,
    ),
    cell("markdown", "q3-text", "## What did you learn?", question="q3"),
    cell("markdown", "q3-answer", "Rules break.", question="q3", role="manual", points=4),
    cell("raw", "q3-rubric", "- 3: names a failure\n- 1: in full sentences", question="q3", role="rubric"),
    aicourse={"assignment": "hw01", "title": "Sizes and wool"},
)

RIGHT_Q1 = 'def read_size(text):\n    m = re.search(r"(\\d+) cm", text)\n    return int(m[1]) if m else None'
FIRST_NUMBER = 'def read_size(text):\n    m = re.search(r"\\d+", text)\n    return int(m[0]) if m else None'
RIGHT_Q2 = 'def is_wool(text):\n    return "wool" in text.lower()'
TEXT_Q3 = "My rule failed on mugs, because it took the first number."


def small_assignment(folder: Path) -> Assignment:
    """The assignment above, written to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "master.ipynb").write_text(json.dumps(MASTER), encoding="utf-8")
    (folder / "checks.py").write_text(CHECKS, encoding="utf-8")
    return load_assignment(folder)


def submission(q1: str = RIGHT_Q1, q2: str = RIGHT_Q2, q3: str = TEXT_Q3) -> dict[str, Any]:
    """A notebook as a student hands it in."""
    return notebook(
        cell("markdown", "intro", "# Homework 1: sizes and wool\nAnswer each question in its cell."),
        cell("code", "setup", "import re\nLIMIT = 100"),
        cell("markdown", "q1-text", "## Read a size\nWrite `read_size`."),
        cell("code", "q1-answer", q1),
        cell("markdown", "q2-text", "## Find wool"),
        cell("code", "q2-answer", q2),
        cell("markdown", "q3-text", "## What did you learn?"),
        cell("markdown", "q3-answer", q3),
    )


def to_bytes(data: dict[str, Any]) -> bytes:
    return json.dumps(data).encode()


def hand_in(folder: Path, **students: dict[str, Any]) -> Path:
    """One notebook per student in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for student, data in students.items():
        (folder / f"{student}.ipynb").write_bytes(to_bytes(data))
    return folder


def run_in_process(job: Job) -> Execution:
    """Run a trusted notebook here: cells in order past failures, then the calls."""
    ran = copy.deepcopy(job.notebook)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    failures = []
    for index, one in enumerate(ran["cells"]):
        if one["cell_type"] != "code":
            continue
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(one["source"], namespace)
        except Exception as error:
            failures.append(CellFailure(index, one["id"], type(error).__name__, str(error)))
        if printed.getvalue():
            one["outputs"] = [{"output_type": "stream", "name": "stdout", "text": printed.getvalue()}]
    answers = tuple(_answer(namespace, call) for call in job.calls)
    return Execution(ran, answers, "finished", "", tuple(failures), "L3", 0.01)


def _answer(namespace: dict[str, Any], call: StudentCall) -> Answer:
    if call.target not in namespace:
        return Answer("missing")
    if call.arguments is None:
        return Answer("returned", namespace[call.target])
    try:
        return Answer("returned", namespace[call.target](*call.arguments, **call.named))
    except Exception as error:
        return Answer("raised", error=type(error).__name__, message=str(error))
