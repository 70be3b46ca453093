"""`aicourse capstone check`: five promises of a project, each tried.

    reproducible   tests and evaluation, twice, each in the sandbox from a clean copy: the same result
    evaluation     dev and test cases, enough of them, and none of test where one works: in dev or in a prompt
    gate           passes the project as it is, and fails a broken answer
    keys           none in the files, none in the history
    cost           stated, and what tokens and prices give

The project's code runs in the sandbox alone (no network, no key, limits of time and memory); what comes back
is data, and the gate decides here. A report says what was found, never if the idea is good: that is what the
rubric and three peers are for.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process

from aicourse.errors import AicourseError, SubmissionError
from aicourse.evals import Case, EvaluationSet, GateResult, Run, gate, load_run
from aicourse.evals.rules import read_rules
from aicourse.llm import catalog
from aicourse.llm.keys import masker
from aicourse.tooling.capstone.project import Project, history, read_project
from aicourse.tooling.course.leaks import secret_lines
from aicourse.tooling.grading.sandbox.execution import Executor, Job, Limits, StudentCall
from aicourse.tooling.grading.sandbox.executor import Sandbox

LEAST_DEV, LEAST_TEST, MOST_CASES = 10, 20, 2_000
ALIKE = 90  # per cent of two texts, by rapidfuzz's ratio: the same case in other words
COST_FACTOR = 1.5  # between the cost that is stated and the one that tokens and prices give
_SHOWN = 500
_PIECE, _OVERLAP, _SEARCH_SECONDS = 1 << 13, 512, 60  # bytes of a file that are searched for keys at a time
_OUT = "build/capstone-check.jsonl"
_LIMITS = {"memory": 2 << 30, "disk": 256 << 20, "processes": 128, "answer": 16 << 20, "output": 1 << 20}

# The only cell of the notebook that runs in the sandbox; `run` is called with what to start there.
_CELL = """
import os, pathlib, subprocess, sys

def run(command, seconds, environment, out):
    command = [sys.executable if word == "python" else word for word in command]
    try:
        done = subprocess.run(command, env={**os.environ, **environment}, timeout=seconds, errors="replace",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except (OSError, subprocess.TimeoutExpired) as error:
        return ["endless" if hasattr(error, "timeout") else "an error", str(error), ""]
    path = pathlib.Path(out)
    return [done.returncode, done.stdout[-2000:], path.read_text("utf-8") if path.is_file() else ""]
"""
_NOTEBOOK: dict[str, Any] = {
    "cells": [
        {
            "cell_type": "code",
            "id": "run",
            "metadata": {},
            "source": _CELL,
            "outputs": [],
            "execution_count": None,
        }
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}
_EVALUATE = """
import json, pathlib, sys
sys.path.insert(0, "")
from aicourse.evals import EvaluationSet, run
from aicourse.tooling.evaluation.references import find_scorers, find_task
spec = json.loads(sys.argv[1])
task = (lambda case: spec["answer"]) if "answer" in spec else find_task(spec["task"])
out = pathlib.Path(spec["out"])
out.parent.mkdir(exist_ok=True)
out.unlink(missing_ok=True)
run(task, EvaluationSet(spec["test"]), find_scorers([spec["scorers"]]), path=out, progress=False)
"""


@dataclass(frozen=True)
class PromiseFinding:
    """One promise: what was found, and what to do if it is not kept."""

    name: str
    passed: bool
    found: str
    advice: str = ""

    def __str__(self) -> str:
        advice = f"\n{'':8}Do: {self.advice}" if not self.passed else ""
        return f"{'passed' if self.passed else 'FAILED'}  {self.name:14}{self.found}{advice}"


@dataclass(frozen=True)
class CapstoneReport:
    """Findings about one project; `level` is the protection that its code ran under."""

    product: str
    level: str
    findings: tuple[PromiseFinding, ...]

    @property
    def passed(self) -> bool:
        """True if every promise is kept."""
        return all(finding.passed for finding in self.findings)

    def __str__(self) -> str:
        kept = sum(finding.passed for finding in self.findings)
        head = f"{self.product[:_SHOWN]}: {kept} of {len(self.findings)} promises kept (sandbox {self.level})"
        return "\n".join([head, *map(str, self.findings)])

    def to_json(self) -> str:
        """The same, for scripts."""
        return json.dumps({"passed": self.passed, **asdict(self)}, indent=1, ensure_ascii=False)


def check(folder: Path, *, trust: bool = False, seconds: float = 120) -> CapstoneReport:
    """Try a project; `trust` runs it without protection where there is none, `seconds` limit each command.

    Raises:
        SubmissionError: the folder cannot be taken as a project; says why.
        SandboxError: there is no sandbox here.
    """
    project = read_project(folder)
    with Sandbox(trust_notebooks=trust) as sandbox:
        trial = ProjectTrial(project, sandbox.execute, seconds)
        findings = (
            _finding("reproducible", "Run the same command in a fresh clone.", _reproduced, trial),
            _finding("evaluation", "See evaluation/README.md of the template.", _evaluated, project),
            _finding("gate", "Correct gate.yaml, the scorers or the feature; then: make gate", _gated, trial),
            _finding("keys", "Revoke the key, then take it out of files and history.", _kept_keys, project),
            _finding("cost", "Correct [cost] in capstone.toml.", _costed, trial),
        )
        return CapstoneReport(project.settings.product, sandbox.level, findings)


def _finding(name: str, advice: str, promise: Callable[[Any], str], subject: object) -> PromiseFinding:
    """A promise that returns words is kept; one that raises is not."""
    try:
        return PromiseFinding(name, True, promise(subject))
    except AicourseError as error:
        return PromiseFinding(name, False, error.message[: 4 * _SHOWN], advice)
    except RecursionError:
        return PromiseFinding(name, False, "A file is nested too deep to be read.", advice)


class ProjectTrial:
    """The runs of a project: each begins with a clean copy, and is made once."""

    def __init__(self, project: Project, execute: Executor, seconds: float) -> None:
        self.project, self._execute, self._seconds = project, execute, seconds
        self._runs: list[Run] = []

    @property
    def candidate(self) -> Run:
        """The evaluation of the project as it is; the first one is kept."""
        return self._runs[0] if self._runs else self.evaluation()

    def tests(self) -> str:
        """The tests' last words.

        Raises:
            SubmissionError: they do not pass, or do not end.
        """
        _, printed = self._run(self.project.settings.tests.split(), "The tests")
        return next(iter(printed.strip().splitlines()[::-1]), "")[:_SHOWN]

    def evaluation(self, **broken: object) -> Run:
        """A new run over the test cases; with `answer=…` everything is answered with that.

        Raises:
            SubmissionError: it does not come to an end, or what it wrote is no run.
        """
        spec = self.project.settings.evaluation
        asked = json.dumps(
            {"task": spec.task, "scorers": spec.scorers, "test": spec.test, "out": _OUT, **broken}
        )
        written, _ = self._run(["python", "-c", _EVALUATE, asked], "The evaluation")
        run: Run = _as_file(written, load_run)
        if not broken:
            self._runs.append(run)
        return run

    def _run(self, command: list[str], what: str) -> tuple[str, str]:
        """The text of the evaluation's file after a command, and of its output."""
        recordings = self.project.settings.evaluation.recordings
        environment = {"AICOURSE_REPLAY": "only", "AICOURSE_RECORDINGS": recordings}
        seconds = self._seconds
        call = StudentCall("run", (command, seconds, environment, _OUT), seconds=seconds + 10)
        limits = Limits(notebook_seconds=seconds + 60, **_LIMITS)
        execution = self._execute(Job(_NOTEBOOK, [call], self.project.files, limits=limits))
        answer = execution.answers[0]
        match answer.value if answer.kind == "returned" else None:
            case [0, str(printed), str(written)]:
                return written, printed
            case ["endless", _, _]:
                raise SubmissionError(f"{what} did not end within {seconds:g} s.")
            case [code, printed, _]:
                raise SubmissionError(f"{what} ended with {code}: {_last_words(str(printed))}")
        raise SubmissionError(f"{what} did not end well. {execution.sentence or answer.message}")


def _last_words(printed: str) -> str:
    """The end of what a command printed, in whole lines; the indented ones of a traceback are left out."""
    lines = "\n".join(line for line in printed.splitlines() if line[:1].strip())
    end = lines[-_SHOWN:]
    return (end.partition("\n")[2] if len(end) < len(lines) else "") or end or "it printed nothing"


def _as_file(text: str, read: Callable[[Path], Any]) -> Any:
    """The result of `read` on a file with this text, all of it in memory before the file is gone."""
    with tempfile.TemporaryDirectory(prefix="aicourse-") as place:
        path = Path(place, "file.yaml")
        path.write_text(text, encoding="utf-8", errors="replace")
        found = read(path)
        return Run(found.info, memory=tuple(found.records())) if isinstance(found, Run) else found


def _reproduced(trial: ProjectTrial) -> str:
    words = [trial.tests() for _ in range(2)][-1]
    first, second = (
        {(one.id, one.repeat): (one.output, one.scores, one.error) for one in trial.evaluation().records()}
        for _ in range(2)
    )
    if changed := [id for id, _ in first if first.get((id, 0)) != second.get((id, 0))]:
        raise SubmissionError(
            f"{len(changed)} of {len(first)} cases came out otherwise again: {', '.join(changed[:5])}."
        )
    return f"twice the same: {words}; {len(first)} cases"


def _evaluated(project: Project) -> str:
    spec = project.settings.evaluation
    dev, test = (_cases(project, name) for name in (spec.dev, spec.test))
    if len(dev) < LEAST_DEV or len(test) < LEAST_TEST:
        raise SubmissionError(
            f"{len(dev)} dev and {len(test)} test cases; at least {LEAST_DEV} and {LEAST_TEST} are needed."
        )
    leaked = [*_alike(dev, test), *_quoted(project, test)]
    if leaked:
        raise SubmissionError(f"{len(leaked)} cases of test are known before: {'; '.join(leaked[:5])}.")
    return f"{len(dev)} dev and {len(test)} test cases, none of test in dev or in {spec.prompts}"


def _cases(project: Project, name: str) -> list[Case]:
    cases: list[Case] = _as_file(project.text(name), lambda path: list(EvaluationSet(path)))
    if len(cases) > MOST_CASES:
        raise SubmissionError(f"{name} has {len(cases):,} cases; {MOST_CASES:,} are read. Hand in a sample.")
    return cases


def _words(case: Case) -> str:
    text = (
        case.input
        if isinstance(case.input, str)
        else json.dumps(case.input, ensure_ascii=False, sort_keys=True)
    )
    return " ".join(text.casefold().split())


def _alike(dev: list[Case], test: list[Case]) -> Iterator[str]:
    """Test cases that are also among the dev cases, nearly word by word."""
    known = [_words(case)[:_SHOWN] for case in dev]
    for case in test:
        near = process.extractOne(_words(case)[:_SHOWN], known, scorer=fuzz.ratio, score_cutoff=ALIKE)
        if near:
            yield f"{case.id} is like {dev[near[2]].id} of dev"


def _quoted(project: Project, test: list[Case]) -> Iterator[str]:
    """Test cases whose input stands in a prompt."""
    prefix = project.settings.evaluation.prompts
    for name in sorted(project.files):
        if name.startswith(prefix):
            text = " ".join(project.text(name).casefold().split())
            yield from (f"{case.id} stands in {name}" for case in test if _words(case) in text)


def _gated(trial: ProjectTrial) -> str:
    candidate = trial.candidate
    outputs = Counter(json.dumps(record.output, sort_keys=True) for record in candidate.records())
    if len(outputs) < 2:
        raise SubmissionError(
            "Every case is answered alike, so nobody can say if the gate sees a broken answer."
        )
    rarest = min(outputs, key=lambda output: (outputs[output], output))
    judged, broken = _judge(trial, candidate), _judge(trial, trial.evaluation(answer=json.loads(rarest)))
    if not judged.passed:
        raise SubmissionError(f"The gate holds the project itself back.\n{judged.to_text()}")
    if broken.passed:
        raise SubmissionError(
            f"The gate also passes a feature that answers {rarest[:80]} to everything. It cannot fail."
        )
    return f"passes the project, and fails one that answers {rarest[:80]} to everything"


def _judge(trial: ProjectTrial, candidate: Run) -> GateResult:
    project, spec = trial.project, trial.project.settings.evaluation
    production = _as_file(project.text(spec.production), load_run)
    rules = _as_file(project.text(spec.rules), read_rules)
    return gate(production, candidate, rules.rules, strict=rules.strict)


def _kept_keys(project: Project) -> str:
    search = _KeySearch()
    holding = [name for name, data in sorted(project.files.items()) if search.finds(data)]
    if holding:
        raise SubmissionError(f"What looks like a key stands in {', '.join(holding[:5])}.")
    past = history(project.folder)
    if search.finds(past):
        raise SubmissionError("What looks like a key stands in the history: in a former file, or a commit.")
    return f"none in {len(project.files)} files{' and in the history' if past else '; there is no history'}"


class _KeySearch:
    """Looks for keys within a time, piece by piece: detectors are slow on long lines and many keys."""

    def __init__(self) -> None:
        self._mask, self._end = masker(), time.process_time() + _SEARCH_SECONDS

    def finds(self, data: bytes) -> bool:
        """True if a key stands in `data`: by form, or one that is configured here."""
        return any(any(secret_lines(piece)) or self._mask(piece) != piece for piece in self._pieces(data))

    def _pieces(self, data: bytes) -> Iterator[str]:
        """Cut between lines; a longer line is cut as well, with an overlap in which a key has room."""
        start = 0
        while start < len(data):
            if time.process_time() > self._end:
                raise SubmissionError(
                    f"To search for keys takes more than {_SEARCH_SECONDS} s of computing. Hand in less data."
                )
            end = data.rfind(b"\n", start, start + _PIECE) + 1 or start + _PIECE
            yield data[start:end].decode("utf-8", "replace")
            start = end if end >= len(data) or data[end - 1 : end] == b"\n" else end - _OVERLAP


def _costed(trial: ProjectTrial) -> str:
    stated, records = trial.project.settings.cost, list(trial.candidate.records())
    known = catalog.models().get(stated.model)
    into, out = stated.usd_per_million_in, stated.usd_per_million_out
    if known is not None:
        into, out = float(known.input_price), float(known.output_price)
    if into is None or out is None:
        raise SubmissionError(
            f"No price of {stated.model[:80]} is known. Take a model of `aicourse model list`, or add "
            "usd_per_million_in and usd_per_million_out."
        )
    used = sum(one.prompt_tokens * into + one.completion_tokens * out for one in records) / 1e6
    measured = 1_000 * used / max(1, len(records))
    words = f"{stated.usd_per_1000_requests:.4g} USD per 1,000 requests, {measured:.4g} by tokens and price"
    low, high = sorted((stated.usd_per_1000_requests, measured))
    if high > COST_FACTOR * low:
        raise SubmissionError(f"{words} ({stated.model[:80]}).")
    month = stated.usd_per_1000_requests * stated.requests_per_month / 1_000
    return f"{words}; {month:.2f} USD a month"
