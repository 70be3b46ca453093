"""Runs as the command line starts them: prepared first, with a place for their records, then run.

    job = cases_job("cases.jsonl", "tasks:extract", ["brand.exact"])
    job.run(job.default_path)

The task is a function that you name, the answers of a batch that has come back (`importing.from_batch`), or a
prompt over the course's listings.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aicourse import paths, prompts
from aicourse.errors import EvaluationError
from aicourse.evals import runner
from aicourse.evals.cases import Case, EvaluationSet, select_cases
from aicourse.evals.runner import Task
from aicourse.evals.runs import Run, load_run
from aicourse.evals.scores import Scorer
from aicourse.llm import catalog
from aicourse.marketplace import evaluation
from aicourse.marketplace.evaluation import ASKED_ANEW
from aicourse.suggestions import similar_file
from aicourse.tooling.evaluation import importing, references


@dataclass(frozen=True)
class Choice:
    """The cases to run (of one slice, the first ones), how often each, and how many at a time.

    `replay` is None for recorded replies, `off` to ask anew, `record` to keep the new replies.
    """

    tag: str | None = None
    limit: int | None = None
    repeats: int = 1
    workers: int = 8
    replay: str | None = None

    @property
    def names(self) -> list[str]:
        """The parts of a file's name that tell one choice from another."""
        named = {"first": self.limit, "x": self.repeats if self.repeats > 1 else None}
        counts = [f"{name}{count}" for name, count in named.items() if count]
        return [*filter(None, [self.tag, *counts, *self.facts.values()])]

    @property
    def facts(self) -> dict[str, str]:
        """The facts of a run with replies that were asked anew."""
        return {"replies": ASKED_ANEW[self.replay]} if self.replay in ASKED_ANEW else {}


@dataclass(frozen=True)
class PreparedRun:
    """A run that can start: give it the file for its records."""

    default_path: Path
    run: Callable[[Path], Run]


def default_path(*parts: str | None) -> Path:
    """The file of a run when nobody names one: in build/runs/, named after its parts.

    >>> default_path("extract_listing@v3", "test", None, "qwen2.5-coder-0.5b").name
    'extract_listing@v3-test-qwen2.5-coder-0.5b.jsonl'
    """
    name = "-".join(re.sub(r"[^\w.@-]+", "_", part) for part in parts if part)
    return paths.build_dir() / "runs" / f"{name}.jsonl"


def cases_job(
    source: Path | str,
    task: str | None,
    scorers: Sequence[str] = (),
    *,
    answers: Path | None = None,
    choice: Choice | None = None,
) -> PreparedRun:
    """The task `module:function`, or a batch's `answers`, over a file's cases; scored by `exact` by default.

    Raises:
        EvaluationError: not exactly one of task and answers, or a name that is not found. The run raises it
            for broken cases, and for a file that holds another run.
    """
    if (task is None) == (answers is None):
        raise EvaluationError(
            f"What should be done with the cases of {source}? Add --task module:function, or --answers FILE "
            "for a batch that has come back."
        )
    found = references.find_task(task) if task else _answering(importing.from_batch(answers or ""))
    named = task or Path(answers or "").name
    choice = choice or Choice()
    run = partial(
        _run_cases, Path(source), found, references.find_scorers(scorers or ["exact"]), named, choice
    )
    return PreparedRun(default_path(Path(source).stem, named, *choice.names), run)


def _run_cases(
    source: Path, task: Task, scorers: list[Scorer], named: str, choice: Choice, path: Path
) -> Run:
    cases = EvaluationSet(source)
    narrowed = choice.tag is not None or choice.limit is not None
    return runner.run(
        task,
        select_cases(cases, tag=choice.tag, limit=choice.limit) if narrowed else cases,
        scorers,
        name=named,
        path=path,
        facts={"task": named, "cases": str(source)} | choice.facts,
        repeats=choice.repeats,
        workers=choice.workers,
    )


def _answering(answers: dict[str, str | None]) -> Task:
    def answer(case: Case) -> str:
        if (known := answers.get(case.id)) is None:
            raise EvaluationError(f"The batch has no answer to case {case.id!r}. Ask that one again.")
        return known

    return answer


def listings_job(
    folder: Path | str,
    prompt: str | None,
    *,
    split: str | None = None,
    model: str | None = None,
    photos: bool = False,
    choice: Choice | None = None,
) -> PreparedRun:
    """A prompt version over a split of the course's listings.

    Raises:
        EvaluationError: no prompt, or another folder than datasets/listings.
        PromptError: no such prompt.
    """
    if Path(folder).resolve() != (paths.datasets_dir() / "listings").resolve():
        raise EvaluationError(
            f"{folder} is a folder. Name a .jsonl file of cases, or {paths.datasets_dir() / 'listings'}.",
            path=folder,
        )
    if prompt is None:
        raise EvaluationError("Which prompt? Add --prompt, such as extract_listing@production.")
    version = prompts.load(prompt)
    choice, split, model = choice or Choice(), split or "test", model or evaluation.MODEL
    named = [version.ref, split, model, "photos" if photos else None, *choice.names]

    def run(path: Path) -> Run:
        return evaluation.run_listings(
            version,
            split=split,
            model=model,
            with_photos=photos,
            replay=choice.replay,
            path=path,
            tag=choice.tag,
            limit=choice.limit,
            repeats=choice.repeats,
            workers=choice.workers,
        )

    return PreparedRun(default_path(*named), run)


def find_run(path: Path) -> Run:
    """The run in a file that a command line names.

    Raises:
        EvaluationError: there is none; the message has the nearest name, and the command that writes it.
    """
    if path.is_file():
        return load_run(path)
    raise EvaluationError(
        f"No run {path}.{similar_file(path)} Write it with: {_command_for(path)}", path=path
    )


_LISTINGS_RUN = re.compile(r"(?P<name>\w+)[@-]v?(?P<version>\d+)-(?P<split>dev|test)-(?P<rest>.+)\.jsonl")


def _command_for(path: Path) -> str:
    """The command that writes a run's file, as far as its name tells (see `default_path`)."""
    found = _LISTINGS_RUN.fullmatch(path.name)
    if found is None:
        return f"aicourse evals run CASES.jsonl --task MODULE:FUNCTION --out {path}"
    model = next((name for name in catalog.models() if found["rest"].startswith(name)), evaluation.MODEL)
    prompt = f"{found['name']}@v{found['version']}"
    words = ["--prompt", prompt, "--split", found["split"], "--model", model]
    usual = default_path(prompt, found["split"], model)
    words += [] if path.resolve() == usual.resolve() else ["--out", str(path)]
    return shlex.join(["aicourse", "evals", "run", "datasets/listings", *words])


def interrupted(path: Path, command: str) -> str:
    """The message after Ctrl-C: how many are done, and how to go on."""
    done = sum(record.error is None for record in load_run(path).records()) if path.exists() else 0
    return f"\nInterrupted: {done} finished cases are kept in {path}. Go on with: {command}"
