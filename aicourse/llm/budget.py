"""A limit in USD on what a client may spend, checked before each live call.

The estimate before a call is an upper one: the request's length at `BYTES_PER_TOKEN` bytes a token
(English has about four), plus `IMAGE_TOKENS` for each picture, plus as many completion tokens as the
request allows. A request without a limit of its own is taken to stop at `DEFAULT_COMPLETION_TOKENS`: set
`max_completion_tokens` and the estimate is yours. Recorded replies and the embedded model cost nothing.

The estimate is reserved while the call runs, so that parallel calls cannot exceed the budget together, and
replaced by the real cost afterwards. Where that is unknown (a stream without token counts, one that
broke off) the estimate stands.
"""

from __future__ import annotations

import json
import threading
from decimal import Decimal

import httpx2

from aicourse.errors import BudgetExceeded, CatalogError
from aicourse.llm import catalog
from aicourse.llm.calls import dollars
from aicourse.llm.meter import price
from aicourse.llm.recording_key import CanonicalRequest, canonical_request
from aicourse.llm.transport import Exchange, Layer, Transcript, observe

BYTES_PER_TOKEN = 3
IMAGE_TOKENS = 2_000
DEFAULT_COMPLETION_TOKENS = 4_096

_LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
_MEDIA = "sha256="  # what `canonical_request` leaves of a picture


class BudgetLayer:
    """Refuses a call that could exceed what is left; below the recordings, so it sees live calls only."""

    def __init__(self, inner: Layer, limit: Decimal) -> None:
        self._inner = inner
        self._limit = limit
        self._lock = threading.Lock()
        self._spent = Decimal(0)
        self._reserved = Decimal(0)

    def __call__(self, request: httpx2.Request) -> Exchange:
        """One request."""
        asked = canonical_request(request)
        estimate = upper_estimate(asked)
        self._reserve(estimate)
        try:
            response = yield from self._inner(request)
        except BaseException:
            self._settle(estimate, Decimal(0))
            raise
        model = str(asked["body"].get("model", ""))
        return observe(
            response, lambda transcript: self._settle(estimate, _cost(transcript, model, estimate))
        )

    def _reserve(self, estimate: Decimal) -> None:
        with self._lock:
            committed = self._spent + self._reserved
            if committed + estimate > self._limit:
                raise BudgetExceeded(
                    f"The next call could cost {dollars(estimate)}; {dollars(committed)} of the budget of "
                    f"{dollars(self._limit)} is spent. Lower max_completion_tokens, or raise budget=.",
                    spent=committed,
                    budget=self._limit,
                    estimate=estimate,
                )
            self._reserved += estimate

    def _settle(self, estimate: Decimal, cost: Decimal) -> None:
        with self._lock:
            self._reserved -= estimate
            self._spent += cost


def upper_estimate(asked: CanonicalRequest) -> Decimal:
    """USD that a call could cost.

    Raises:
        CatalogError: the catalogue has no price for the model, so no budget can be kept.
    """
    body = asked["body"]
    name = str(body.get("model", ""))
    if name not in catalog.models():
        raise CatalogError(
            f"The price of {name!r} is not in the catalogue, so a budget cannot be kept. "
            "Connect without budget=, or choose a model from: aicourse model list",
            name=name,
        )
    model = catalog.model(name)
    text = json.dumps(body, ensure_ascii=False)
    prompt = len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN + 1 + text.count(_MEDIA) * IMAGE_TOKENS
    limits = [body[field] for field in _LIMITS if isinstance(body.get(field), int)]
    completion = limits[0] if limits else min(DEFAULT_COMPLETION_TOKENS, model.context_tokens)
    return catalog.cost(model, prompt, completion * int(body.get("n") or 1))


def _cost(transcript: Transcript, model: str, estimate: Decimal) -> Decimal:
    if transcript.status >= 400:
        return Decimal(0)
    cost = price(model, transcript.tokens) if transcript.whole else None
    return estimate if cost is None else cost
