"""Correctness of an answer against its question's reference: by rule where there is one, else by a judge.

    correct("After 16:00.", question)                    # Score(value=True, …), with a reason if False
    run(task, cases, [correctness(questions)])           # a scorer; a case has its question's id

The rule is the question's `must`: of each group of texts one must stand in the answer, as a whole number or
as the beginning of a word; and an answer that begins with yes is wrong where the reference begins with no. It
is exact for numbers, dates and names. It sees neither what is added ("3 days, or 30") nor a condition that is
turned round. A judge decides where there is no rule, and confirms yes and no where the rule is weak: one that
was not validated, or is too weak (`aicourse.evals.Validation.doubt`), is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from aicourse.datasets import HelpQuestion
from aicourse.errors import EvaluationError
from aicourse.evals.judge import Judge
from aicourse.evals.scorers import NamedScorer, named
from aicourse.evals.scores import Context, Score, reasoned
from aicourse.evals.validation import doubt_of

_YES_OR_NO = re.compile(r"\W*(yes|no)\b")


def correct(answer: str, question: HelpQuestion, judge: Judge | None = None) -> Score:
    """An assertion that an answer is right, "" being none, which is right where nothing answers the question.

    The judge's prompt may ask about `question`, `expected` (the reference) and `output`.

    Raises:
        EvaluationError: neither rule nor judge can decide, or the judge is not fit to.
    """
    if not question.relevant:
        return reasoned(not answer, "nothing answers this question" if answer else "")
    if wrong := _wrong(answer.lower().replace("’", "'"), question):
        return reasoned(False, wrong)
    if question.must and not (judge and _YES_OR_NO.match(question.answer.lower())):
        return reasoned(True, "")
    if judge is None:
        raise EvaluationError(
            f"{question.id} has no rule (`must`). Give texts that a right answer has, or a validated judge."
        )
    if doubt := doubt_of(judge.facts, [judge.validation] if judge.validation else []):
        raise EvaluationError(f"{doubt}. Validate it on labelled answers, or choose another.")
    return judge(Context(answer, question.answer, {"question": question.question}, question.id))


def correctness(questions: Iterable[HelpQuestion], judge: Judge | None = None) -> NamedScorer:
    """Assertion: the output is a right answer to the question with the case's id, None or "" being none."""
    known = {question.id: question for question in questions}

    def score(context: Context) -> Score:
        return correct(context.output or "", known[context.id], judge)

    return named(None, "correct", score)


def _wrong(answer: str, question: HelpQuestion) -> str:
    """The reason why the rule refuses an answer in lower case, or ""."""
    if not answer:
        return "no answer, and there is one"
    wanted, got = (_YES_OR_NO.match(text) for text in (question.answer.lower(), answer))
    if wanted and got and wanted[1] != got[1]:
        return f"says {got[1]}, the reference {wanted[1]}"
    missing = [group for group in question.must if not any(_states(answer, text) for text in group)]
    return f"does not say {' or '.join(map(repr, missing[0]))}" if missing else ""


def _states(answer: str, text: str) -> bool:
    """True if a text of a rule stands in an answer: 5 is not in 15 or 5.50, "no" not in "note".

    >>> _states("up to 15 books", "5"), _states("it is not sold", "not"), _states("swindlers", "swindl")
    (False, True, True)
    """
    pattern = re.escape(text)
    if text[0].isalnum() and text[1:2] != "'":  # n't is the end of a word
        pattern = rf"(?<!\w)(?<!\d[.,]){pattern}"
    if text[-1].isdigit():
        pattern += r"(?![.,]?\d)"
    elif len(text) <= 3:
        pattern += r"(?!\w)"
    return re.search(pattern, answer) is not None
