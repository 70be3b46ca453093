"""The evaluation set, the scorers, and the gate: it passes what is in production, and it can fail."""

from aicourse.evals import Context, EvaluationSet, gate, load_run, run
from aicourse.evals.rules import read_rules

from repair_desk.evaluation import CASES, PRODUCTION, RULES, SCORERS, right_desk, safe


def test_no_case_of_test_is_among_those_one_works_with():
    inputs = {case.input.casefold() for case in EvaluationSet("evaluation/dev.jsonl")}
    assert inputs.isdisjoint(case.input.casefold() for case in EvaluationSet(CASES))


def test_the_scorers_by_hand():
    assert right_desk(Context("textiles", "textiles"))
    assert not right_desk(Context("bicycles", "textiles"))
    assert safe(Context("bicycles", "textiles"))
    assert not safe(Context("bicycles", "person"))


def verdict(task):
    """The gate's word on a task, against what is in production."""
    candidate = run(task, EvaluationSet(CASES), SCORERS, name="candidate", progress=False)
    return gate(load_run(PRODUCTION), candidate, read_rules(RULES).rules)


def test_the_gate_fails_a_broken_answer():
    assert not verdict(lambda case: "bicycles").passed


def test_the_gate_passes_the_right_answers():
    assert verdict(lambda case: case.expected).passed
