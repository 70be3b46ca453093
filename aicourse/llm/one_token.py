"""Probability of one of two answers, from the candidates for a reply's first token.

    reply = client.chat.completions.create(…, **ONE_TOKEN)
    probability(reply.choices[0], ("yes", "no"))            # P(yes) among both

It takes a model that gives `logprobs`: hosted ones that reason refuse them, and Anthropic's API has none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai.types.chat.chat_completion import Choice

# top_logprobs: both answers are among so many, or the model would rather say something else
ONE_TOKEN: Mapping[str, Any] = {"max_completion_tokens": 1, "logprobs": True, "top_logprobs": 5}
_LEAST_MASS = 0.5  # of the two answers together


def probability(choice: Choice, answers: Sequence[str]) -> float:
    """The probability of the first answer among both.

    Raises:
        LookupError: the reply has no probabilities of tokens.
        ValueError: the model would rather say something else; says what.
    """
    tokens = choice.logprobs.content if choice.logprobs else None
    if not tokens or not tokens[0].top_logprobs:
        raise LookupError("no probabilities of tokens")
    masses = [0.0, 0.0]
    for candidate in tokens[0].top_logprobs:
        word = candidate.token.strip().casefold()
        fits = [bool(word) and answer.casefold().startswith(word) for answer in answers]
        if fits[0] != fits[1]:
            masses[fits.index(True)] += math.exp(candidate.logprob)
    if not _LEAST_MASS <= sum(masses) <= 1.001:  # nan is neither
        first = tokens[0].top_logprobs[0].token
        raise ValueError(
            f"neither {answers[0]!r} nor {answers[1]!r}, rather {first!r} "
            f"(both together: probability {sum(masses):.3f})"
        )
    return masses[0] / sum(masses)
