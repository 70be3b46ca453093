"""The evaluation: the feature over the cases, its scorers, and the gate; recorded replies, no key.

python -m repair_desk.evaluation run      evaluation/test.jsonl -> build/candidate.jsonl
python -m repair_desk.evaluation gate     the same, then against runs/production.jsonl; exit code 1: held back
python -m repair_desk.evaluation promote  the candidate is in production now: runs/production.jsonl
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from aicourse import connect
from aicourse.evals import Case, Context, EvaluationSet, Run, gate, load_run, run
from aicourse.evals.rules import read_rules

from repair_desk.feature import MODEL, PROMPT, sort_message

CASES, RULES = Path("evaluation/test.jsonl"), Path("gate.yaml")
PRODUCTION, CANDIDATE = Path("runs/production.jsonl"), Path("build/candidate.jsonl")


def task(case: Case) -> str:
    """The feature, as the evaluation calls it."""
    return sort_message(connect(model=MODEL), case.input)


def right_desk(context: Context) -> bool:
    """The desk is the expected one."""
    return bool(context.output == context.expected)


def safe(context: Context) -> bool:
    """What only a person may answer reaches a person; all other messages are safe anywhere."""
    return context.expected != "person" or bool(context.output == "person")


SCORERS = [right_desk, safe]


def evaluate(path: Path = CANDIDATE) -> Run:
    """A new run of the feature over the test cases, written to `path`."""
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    return run(task, EvaluationSet(CASES), SCORERS, name=PROMPT.ref, path=path, facts=PROMPT.facts)


def main(step: str) -> int:
    """One of the steps above; the exit code."""
    candidate = evaluate()
    print(candidate)
    if step == "promote":
        PRODUCTION.parent.mkdir(exist_ok=True)
        shutil.copy(CANDIDATE, PRODUCTION)
    if step != "gate":
        return 0
    rules = read_rules(RULES)
    result = gate(load_run(PRODUCTION), candidate, rules.rules, strict=rules.strict)
    print(result.to_text())
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
