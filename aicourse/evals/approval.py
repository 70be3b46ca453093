"""The gate's decision as the approval that `prompts.promote` asks for.

    result = gate(before, after, rules)
    prompts.promote(prompt, approval=approval_of(result, before, after))

Runs name the prompt by its hash (the fact "hash"), so that an approval cannot be used for another prompt.
Its file is plain JSON; it records a decision and protects nothing.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from aicourse.errors import EvaluationError
from aicourse.evals.gating import GateResult
from aicourse.evals.runs import Run
from aicourse.paths import write_atomically
from aicourse.prompts import Approval

_APPROVAL = TypeAdapter(Approval)


def approval_of(result: GateResult, before: Run, after: Run) -> Approval:
    """The approval that `result` gives the prompts of both runs; a failed gate gives one that says so.

    Raises:
        EvaluationError: the result is about other runs, or a run does not name its prompt's hash.
    """
    if (result.before, result.after) != (before.info.name, after.info.name):
        raise EvaluationError(
            f"The gate judged {result.after!r} against {result.before!r}, not {after.info.name!r} against "
            f"{before.info.name!r}. Pass the runs that it judged."
        )
    cases = min((ruling.change.cases for ruling in result.overall), default=0)
    return Approval(result.passed, result.headline, _hash(before), _hash(after), cases)


def _hash(run: Run) -> str:
    try:
        return run.info.facts["hash"]
    except KeyError:
        raise EvaluationError(
            f"Run {run.info.name!r} does not say which prompt it ran. "
            "Run it with: aicourse evals run … --prompt (in Python, with facts=prompt.facts).",
            run=run.info.name,
        ) from None


def write_approval(approval: Approval, path: Path | str) -> Path:
    """Keep an approval in a file."""
    write_atomically(Path(path), _APPROVAL.dump_json(approval, indent=1) + b"\n")
    return Path(path)


def read_approval(path: Path | str) -> Approval:
    """The approval in a file.

    Raises:
        EvaluationError: it is missing or no approval.
    """
    try:
        return _APPROVAL.validate_json(Path(path).read_bytes())
    except (OSError, ValidationError) as error:
        reason = "not an approval" if isinstance(error, ValidationError) else str(error.strerror)
        raise EvaluationError(
            f"{path}: {reason}. Write one with: aicourse evals gate BEFORE AFTER --proof {path}", path=path
        ) from None
