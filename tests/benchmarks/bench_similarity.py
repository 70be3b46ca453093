"""How well similar answers are ranked: generated classes with planted copies, beside copydetect's ranking.

`COPYDETECT_PYTHON` is the interpreter of a virtual environment with copydetect (`pip install copydetect`);
without it its figures are left out. In a class of 100 students, 15 pairs are planted, three of each kind
(`similar_class`). A kind's recall is the share of them among the first 15 pairs of a ranking, precision the
share of planted pairs among those 15. Both see the same files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from similar_class import APPROACHES, KINDS, GeneratedClass, generated_class

from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.judging.results import QuestionOutcome, SubmissionResult
from aicourse.tooling.grading.publishing.similarity import compare

sys.path.insert(0, str(Path(__file__).parents[1] / "tooling" / "grading"))
import fakes

STUDENTS, COPIES, SEEDS = 100, 3, (1, 2, 3)
_RANK = """
import json, sys
import numpy as np
from copydetect import CopyDetector
detector = CopyDetector(test_dirs=[sys.argv[1]], extensions=["py"], display_t=0, autoopen=False, silent=True)
detector.run()
names, alike = detector.test_files, detector.similarity_matrix
pairs = {}
for i, left in enumerate(names):
    for j, right in enumerate(detector.ref_files):
        if left < right:
            pairs[left, right] = float(np.mean(alike[i, j]))
print(json.dumps(sorted(pairs, key=pairs.get, reverse=True)[:int(sys.argv[2])]))
"""
Ranking = Sequence[frozenset[str]]


def measure() -> list[dict[str, Any]]:
    """Rank the same classes by both, if copydetect is named."""
    classes = [generated_class(STUDENTS, COPIES, seed) for seed in SEEDS]
    started = time.perf_counter()
    found = figures("ours", [(ours(one), one) for one in classes])
    seconds = time.perf_counter() - started
    missed = 1 - sum(one["value"] for one in found[1:4]) / 3
    found.append(figure("ours: plain copies missed (copied, renamed, reordered)", missed, target=0.1))
    found.append(figure(f"ours: one class of {STUDENTS}", seconds / len(classes), "s"))
    if python := os.environ.get("COPYDETECT_PYTHON"):
        found += figures("copydetect", [(copydetect(one, python), one) for one in classes])
    else:
        found.append(figure("copydetect: skipped, COPYDETECT_PYTHON names no interpreter", 0))
    return found


def figures(who: str, rankings: Sequence[tuple[Ranking, GeneratedClass]]) -> list[dict[str, Any]]:
    """Precision of the first pairs, and recall by kind."""
    hits: Counter[str] = Counter()
    for ranking, made in rankings:
        hits.update(made.planted[pair] for pair in ranking[: len(made.planted)] if pair in made.planted)
    each = COPIES * len(rankings)
    precision = hits.total() / (each * (len(KINDS) + 1))
    recalls = [figure(f"{who}: recall, {kind}", hits[kind] / each) for kind in (*KINDS, "half")]
    return [figure(f"{who}: precision among the first pairs", precision), *recalls]


def figure(name: str, value: float, unit: str = "", target: float | None = None) -> dict[str, Any]:
    ok = None if target is None else value <= target
    return {"name": f"similarity, {name}", "value": round(value, 3), "unit": unit, "target": target, "ok": ok}


def ours(made: GeneratedClass) -> Ranking:
    """`aicourse similarity` on the class."""
    with tempfile.TemporaryDirectory(prefix="bench-similar-") as name:
        report = compare(an_assignment(Path(name)), map(a_result, *zip(*made.answers.items(), strict=True)))
    return [frozenset((pair.left, pair.right)) for pair in report.pairs]


def an_assignment(folder: Path) -> Assignment:
    """One whose questions are those of the class, with nothing in common that was handed out."""
    small = fakes.small_assignment(folder)
    cell = next(one for one in small.cells if one.role == "answer")
    cells = [replace(cell, id=name, question=name, released="", solution="") for name in APPROACHES]
    questions = [replace(small.questions[0], id=name) for name in APPROACHES]
    return replace(small, cells=tuple(cells), questions=tuple(questions))


def a_result(student: str, answers: dict[str, str]) -> SubmissionResult:
    """A student's answers as the grader stores them."""
    questions = [
        QuestionOutcome(id=name, title="", kind="auto", points=1, answer=text)
        for name, text in answers.items()
    ]
    known: dict[str, Any] = {"submission": "", "assignment": "hw01", "title": "", "sentence": ""}
    return SubmissionResult(student=student, status="graded", questions=tuple(questions), **known)


def copydetect(made: GeneratedClass, python: str) -> Ranking:
    """copydetect's ranking with its defaults: one file per student."""
    with tempfile.TemporaryDirectory(prefix="bench-similar-") as name:
        for student, answers in made.answers.items():
            Path(name, f"{student}.py").write_text("\n".join(answers.values()), encoding="utf-8")
        command = [python, "-c", _RANK, name, str(len(made.planted))]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=name)
    pairs = json.loads(done.stdout.splitlines()[-1])
    return [frozenset(Path(path).stem for path in pair) for pair in pairs]
