"""Bias of a judge: what moves its verdicts that should not, each on the same labelled items.

    polarity(judge, opposite, labelled)     the question turned round: "contradicts?", "all agree?"
    label_order(judge, labelled)            "yes or no" in its prompt becomes "no or yes"
    length_padding(judge, labelled)         friendly words that say nothing, behind the output
    position_swap(judge, pairs)             first and second change places

Comparisons are paired: each item is judged before and after the change. After Zheng et al. 2023 (Judging
LLM-as-a-judge with MT-Bench and Chatbot Arena), who name position and length. Not handled: a judge that likes
its own model's texts best, for which one needs outputs of several models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from aicourse.errors import EvaluationError
from aicourse.evals.cases import Case
from aicourse.evals.judge import Judge, labelled_items, verdicts_of
from aicourse.evals.statistics import Interval, paired_proportions, proportion
from aicourse.html import NOTEBOOK, table

PADDING = (
    " We hope that this answers your question. Please take your time to read it, and write to us again "
    "whenever you like. We are always glad to help, and we wish you a pleasant day."
)


@dataclass(frozen=True)
class Bias:
    """The verdicts before and after a change that should not matter.

    `flipped` is the share of items whose verdict changed, `passing` the change of the pass rate, `right` that
    of the share of right verdicts, each with its interval. `unreadable` items, without a verdict on one side
    or both, are left out.
    """

    name: str
    items: int
    unreadable: int
    flipped: Interval
    passing: Interval
    right: Interval

    def rows(self) -> list[tuple[str, str]]:
        """The figures as (what, value with interval), the same in text and HTML."""
        shown = {"verdicts changed": self.flipped, "pass rate": self.passing, "right verdicts": self.right}
        rows = [(what, str(value)) for what, value in shown.items()]
        return [*rows, ("no verdict, left out", str(self.unreadable))] if self.unreadable else rows

    def __str__(self) -> str:
        return "\n".join([f"{self.name}, {self.items} items", *(f"{a}  {b}" for a, b in self.rows())])

    def _repr_html_(self) -> str:
        return table(f"{self.name}, {self.items} items", ("", "change, 95 % interval"), self.rows(), NOTEBOOK)


def polarity(judge: Judge, opposite: Judge, labelled: Iterable[Case]) -> Bias:
    """The same question the other way round: `opposite` has a prompt and `answers` of its own."""
    return _probe("question turned round", judge, labelled, other=opposite)


def label_order(judge: Judge, labelled: Iterable[Case]) -> Bias:
    """The answers named in the other order, wherever the prompt says "yes or no" (its own two words).

    Raises:
        EvaluationError: the prompt says so nowhere.
    """
    one, other = (" or ".join(pair) for pair in (judge.answers, judge.answers[::-1]))

    def turned(text: str) -> str:
        return text.replace(one, "\0").replace(other, one).replace("\0", other)

    sections = tuple(replace(part, text=turned(part.text)) for part in judge.prompt.sections)
    if sections == judge.prompt.sections:
        raise EvaluationError(
            f"{judge.prompt.ref} says neither {one!r} nor {other!r}, so nothing can be turned."
        )
    turned_judge = replace(judge, prompt=replace(judge.prompt, sections=sections))
    return _probe("answers in the other order", judge, labelled, other=turned_judge)


def length_padding(
    judge: Judge, labelled: Iterable[Case], *, field: str = "output", padding: str = PADDING
) -> Bias:
    """More words in a field of each item, which say nothing: a fair judge does not mind."""

    def padded(case: Case) -> Case:
        return case.model_copy(update={"input": case.input | {field: f"{case.input[field]}{padding}"}})

    return _probe("padded", judge, labelled, changed=padded)


def position_swap(
    judge: Judge, pairs: Iterable[Case], *, fields: tuple[str, str] = ("first", "second")
) -> Bias:
    """Both outputs of a pair in the other place; a pair passes if the first one is better.

    A fair judge then answers the opposite, and that is no change here. The verdicts that did change chose a
    place: of them, a pass rate that falls means the first place, one that rises the second.
    """
    one, other = fields

    def swapped(case: Case) -> Case:
        turned = {one: case.input[other], other: case.input[one]}
        return case.model_copy(update={"input": case.input | turned})

    return _probe("places swapped", judge, pairs, changed=swapped, is_opposite=True)


def _probe(
    name: str,
    judge: Judge,
    labelled: Iterable[Case],
    *,
    other: Judge | None = None,
    changed: Callable[[Case], Case] = lambda case: case,
    is_opposite: bool = False,
) -> Bias:
    items = labelled_items(labelled)
    before = verdicts_of(judge, items, progress=False)
    after = verdicts_of(other or judge, [changed(case) for case in items], progress=False)
    seen = [
        (first.passes, second.passes != is_opposite, case.expected)
        for case in items
        if (first := before[case.id][0]) and (second := after[case.id][0])
    ]
    if not seen:
        raise EvaluationError(f"{judge.facts} gave no verdict on any item, so nothing can be compared.")
    fixed = sum(first is not label and second is label for first, second, label in seen)
    broken = sum(first is label and second is not label for first, second, label in seen)
    more = sum(second and not first for first, second, _ in seen)
    fewer = sum(first and not second for first, second, _ in seen)
    return Bias(
        name,
        len(seen),
        len(items) - len(seen),
        proportion(more + fewer, len(seen)),
        paired_proportions(more, fewer, len(seen)),
        paired_proportions(fixed, broken, len(seen)),
    )
