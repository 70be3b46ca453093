"""A judge: a model that answers one yes-or-no question about an output, as its prompt file asks.

    judge = Judge(prompts.load("judge_agrees@1"), connect(), model="qwen2.5-coder-1.5b")
    run(task, cases, [judge])                         # a scorer: pass or fail of each output, with a reason
    validate(judge, labelled)                         # is it any good? -> Validation

The prompt's parameters are `output`, `input` and `expected`, and the fields of the case's input. A judge with
reasons answers in JSON, the reason before the verdict, so that it is no excuse for one. A judge with a
`threshold` says one word, and passes what it would pass with at least that probability. That takes a model
that gives `logprobs`: hosted ones that reason refuse them in a sentence, and Anthropic's API has none.

What is judged comes from strangers. That it may talk a judge round ("answer: yes") is not prevented here, but
measured. Whatever is no verdict (a refusal, half a reply, a quotation of another verdict, a probability that
is no number) is an error of the scorer, never a pass. A judge's calls do not count towards a run's cases.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aicourse import json_text
from aicourse.errors import EvaluationError
from aicourse.evals import runner
from aicourse.evals.cases import Case
from aicourse.evals.identity import digest
from aicourse.evals.scores import Context, Score, reasoned
from aicourse.evals.statistics import proportion
from aicourse.evals.validation import JudgeFacts, Validation
from aicourse.llm.one_token import ONE_TOKEN, probability
from aicourse.prompts import Prompt
from aicourse.prompts.template import harmless

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletion
    from openai.types.chat.chat_completion import Choice

MAX_TOKENS = 300  # where the prompt has no hint; a reason that never ends must end
_FENCE = re.compile(r"\A\s*```(?:json)?|```\s*\Z")


@dataclass(frozen=True)
class Judgement:
    """A judge's verdict on one output; `probability` (of the passing answer) with a threshold only."""

    passes: bool
    reason: str
    probability: float | None = None


@dataclass(frozen=True)
class Judge:
    """A prompt, a model, and what its answers mean: the first of `answers` passes, the second fails.

    Its scores are called like its prompt. A run notes the judge with the `validation` it has; one without, or
    with a weak one, is said there to be so and decides no gate. `tuned_on` are the items that its threshold
    was chosen on (`with_threshold`).
    """

    prompt: Prompt
    client: openai.OpenAI = field(compare=False, repr=False)
    model: str
    answers: tuple[str, str] = ("yes", "no")
    threshold: float | None = None
    validation: Validation | None = field(default=None, compare=False, repr=False)
    tuned_on: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse answers that one token cannot tell apart, and a threshold that is no probability."""
        one, other = (answer.casefold() for answer in self.answers)
        if not one or not other or one.startswith(other) or other.startswith(one):
            raise EvaluationError(
                f"{self.answers} cannot be told apart. Choose two words, such as yes and no."
            )
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise EvaluationError(
                f"The threshold {self.threshold} is no probability. Choose one from 0 to 1."
            )

    @property
    def name(self) -> str:
        """The name of its scores."""
        return self.prompt.name

    @property
    def facts(self) -> JudgeFacts:
        """All that makes it this judge."""
        return JudgeFacts(self.prompt.ref, self.prompt.hash, self.model, self.answers, self.threshold)

    def __call__(self, context: Context) -> Score:
        """Score one output: an assertion with the judge's reason."""
        verdict = self.verdict(context)
        return reasoned(verdict.passes, verdict.reason)

    def verdict(self, context: Context) -> Judgement:
        """Ask the model about one output.

        Raises:
            EvaluationError: the case lacks what the prompt asks about, or the reply is no verdict.
        """
        messages = self.prompt.render(**self._texts(context))
        if self.threshold is None:
            form = {"type": "json_schema", "json_schema": self._schema()}
            choice = _choice(self._ask(messages, response_format=form))
            reason, answer = _read(choice, self.answers)
            return Judgement(answer == self.answers[0], reason)
        passing = _probability(_choice(self._ask(messages, **ONE_TOKEN)), self.answers, self.model)
        reason = f"P({self.answers[0]}) is {passing:.3f}, the threshold {self.threshold:.3f}"
        return Judgement(passing >= self.threshold, reason, passing)

    def _texts(self, context: Context) -> dict[str, str]:
        known = {"input": context.input, "expected": context.expected, "output": context.output}
        known |= context.input if isinstance(context.input, Mapping) else {}
        if context.output is not None:
            known["output"] = context.output
        if missing := [name for name in self.prompt.parameters if known.get(name) is None]:
            raise EvaluationError(
                f"Case {context.id!r} has no {', '.join(missing)}, which {self.prompt.ref} asks about.",
                missing=missing,
            )
        return {name: harmless(_text(known[name])) for name in self.prompt.parameters}

    def _schema(self) -> dict[str, Any]:
        fields = {"reason": {"type": "string"}, "verdict": {"type": "string", "enum": list(self.answers)}}
        form = {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}
        return {"name": "verdict", "strict": True, "schema": form}

    def _ask(self, messages: list[dict[str, str]], **settings: Any) -> ChatCompletion:
        return self.client.chat.completions.create(
            model=self.model,
            messages=messages,  # type: ignore[arg-type]  # plain dicts, as the prompt renders them
            extra_headers=self.prompt.headers,
            **({"max_completion_tokens": MAX_TOKENS} | self.prompt.hints | settings),
        )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text.dumps(json_text.plain(value)).decode()


def _choice(completion: ChatCompletion) -> Choice:
    if not completion.choices:
        raise EvaluationError("The judge's reply is empty.")
    choice = completion.choices[0]
    if choice.message.refusal or choice.finish_reason == "content_filter":
        raise EvaluationError(f"The judge refused to answer: {choice.message.refusal or 'content filter'}")
    return choice


def _read(choice: Choice, answers: Sequence[str]) -> tuple[str, str]:
    """Reason and answer of a reply that is one JSON object and nothing else (in a code fence, perhaps)."""
    text = choice.message.content or ""
    if choice.finish_reason == "length":
        raise EvaluationError("The judge's reply was cut off (max_completion_tokens).")
    try:
        found = json_text.loads(_FENCE.sub("", text))
    except ValueError:
        found = None
    if (
        not isinstance(found, dict)
        or found.keys() != {"reason", "verdict"}
        or not isinstance(found["reason"], str)
        or found["verdict"] not in answers
    ):
        raise EvaluationError(f"The judge's reply is no verdict: {text[:200]!r}")
    return found["reason"], found["verdict"]


def _probability(choice: Choice, answers: Sequence[str], model: str) -> float:
    """The probability of the first answer among both, from the candidates for the first token."""
    try:
        return probability(choice, answers)
    except LookupError:
        raise EvaluationError(
            f"{model} gives no probabilities of tokens. Use a judge without a threshold, which gives reasons."
        ) from None
    except ValueError as error:
        raise EvaluationError(
            f"The judge answers {error}. Let the prompt ask for one of them alone."
        ) from None


# measured on labelled items


def validate(
    judge: Judge,
    labelled: Iterable[Case],
    *,
    repeats: int = 1,
    workers: int = 8,
    path: Path | str | None = None,
    progress: bool = True,
) -> Validation:
    """Measure a judge against careful labels, each item judged `repeats` times.

    An item is a case whose input is what the judge sees and whose expected value says if it passes:

        Case(id="J01", input={"article": "…", "question": "…", "output": "…"}, expected=True)

    Raises:
        EvaluationError: a label is neither True nor False, one of both never occurs, or the judge's threshold
            was chosen on some of these items.
    """
    items = labelled_items(labelled)
    if known := [case.id for case in items if content_of(case) in judge.tuned_on]:
        raise EvaluationError(
            f"The threshold was chosen on {len(known)} of these items ({', '.join(known[:4])}), so they "
            "would flatter the judge. Validate it on others.",
            known=known,
        )
    found = verdicts_of(judge, items, repeats=repeats, workers=workers, path=path, progress=progress)
    told = {id: [one.passes if one else None for one in verdicts] for id, verdicts in found.items()}
    goods, bads = ([told[one.id][0] for one in items if one.expected is label] for label in (True, False))
    return Validation(
        judge.facts,
        "; ".join(sorted({case.provenance or "labelled items" for case in items})),
        digest(*sorted(case.digest for case in items)),
        (goods.count(True), len(goods)),
        (bads.count(False), len(bads)),
        (goods.count(None), bads.count(None)),
        sum(len(set(verdicts)) == 1 and None not in verdicts for verdicts in told.values()),
        repeats,
    )


def with_threshold(
    judge: Judge, labelled: Iterable[Case], *, workers: int = 8, progress: bool = True
) -> Judge:
    """The judge with the threshold that best parts these items.

    For that one, the smaller of the lower ends of TPR and TNR is largest. The lower ends decide what a judge
    may do (`Validation.doubt`), so a label with few items needs a larger share of right verdicts. Of equally
    good thresholds it is the one nearest to 0.5.

    The items are for that alone (the train or dev split): `validate` refuses them afterwards.

    Raises:
        EvaluationError: as `validate`; or the judge gives all items the same probability, or none.
    """
    items = labelled_items(labelled)
    found = verdicts_of(replace(judge, threshold=0.5), items, workers=workers, progress=progress)
    seen = [(one.probability or 0.0, case.expected) for case in items if (one := found[case.id][0])]
    values = sorted({probability for probability, _ in seen})
    between = [(low + high) / 2 for low, high in pairwise(values)]
    if not between:
        raise EvaluationError(f"{judge.facts} parts nothing: it gives {len(seen)} items one probability.")
    counts = Counter(label for _, label in seen)

    def parts(threshold: float) -> tuple[float, float]:
        right = Counter(label for probability, label in seen if (probability >= threshold) is label)
        return min(proportion(right[label], counts[label]).low for label in counts), -abs(threshold - 0.5)

    tuned = judge.tuned_on | {content_of(case) for case in items}
    return replace(judge, threshold=max(between, key=parts), tuned_on=tuned, validation=None)


def verdicts_of(
    judge: Judge, items: Sequence[Case], *, repeats: int = 1, **settings: Any
) -> dict[str, list[Judgement | None]]:
    """The judge's verdicts on labelled items, by id and repeat; None where the reply was none.

    Raises:
        EvaluationError: it gave no verdict on any item, with what went wrong first.
    """

    def judged(case: Case) -> Judgement:
        return judge.verdict(Context(None, input=case.input, id=case.id))  # not what is expected

    result = runner.run(judged, items, name=judge.prompt.ref, repeats=repeats, **settings)
    found: dict[str, list[Judgement | None]] = {case.id: [None] * repeats for case in items}
    records = list(result.records())
    if records and all(record.error for record in records):
        raise EvaluationError(f"{judge.facts} gave no verdict on any item. {records[0].error}")
    for record in records:
        found[record.id][record.repeat] = Judgement(**record.output) if record.error is None else None
    return found


def content_of(case: Case) -> str:
    """A digest of what the judge sees of an item, whatever its id and label are."""
    return digest(json_text.dumps(case.input).decode())


def labelled_items(labelled: Iterable[Case]) -> list[Case]:
    """The items as a list.

    Raises:
        EvaluationError: a label is neither True nor False, or one of both never occurs.
    """
    items = list(labelled)
    if odd := [case.id for case in items if not isinstance(case.expected, bool)]:
        raise EvaluationError(
            f"Of item {odd[0]!r}, expected must be True (passes) or False (fails).", ids=odd
        )
    if {case.expected for case in items} != {True, False}:
        raise EvaluationError(
            "A judge is measured on items that pass and items that fail: label some of both."
        )
    return items
