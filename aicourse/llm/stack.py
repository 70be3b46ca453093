"""The layers of a client, put one on the other.

errors      401, unknown model, no connection: an error that says what to do
meter       usage(client), and the badge of the notebook
faults      trouble on purpose
recordings  the reply comes from the repository, when it is there
budget      a live call that could exceed the limit is refused
dialects    settings that the model has under another name, or not at all
masking     no key comes back
network     the embedded model, a hosted provider with its key, or a test's own transport
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from types import ModuleType

import httpx2

from aicourse.llm.budget import BudgetLayer
from aicourse.llm.calls import Usage
from aicourse.llm.catalog import Provider
from aicourse.llm.dialects import DialectLayer
from aicourse.llm.faults import Fault, FaultLayer
from aicourse.llm.masking import MaskLayer
from aicourse.llm.meter import MeterLayer
from aicourse.llm.provider_errors import ErrorLayer
from aicourse.llm.replay import Mode, ReplayLayer
from aicourse.llm.session import Session, current
from aicourse.llm.transport import Layer, LayerTransport

# As in openai and anthropic: a long answer may take minutes, a connection may not.
TIMEOUT = httpx2.Timeout(600, connect=5)


class Stack:
    """All layers over `network`; `library` is the `openai` or the `anthropic` module."""

    def __init__(
        self,
        network: Layer,
        provider: Provider,
        library: ModuleType,
        *,
        mode: Mode = Mode.OFF,
        budget: float | Decimal | None = None,
        faults: Sequence[Fault] = (),
        session: Callable[[], Session | None] = current,  # the badge
    ) -> None:
        understood = DialectLayer(MaskLayer(network), provider.name)
        charged = understood if budget is None else BudgetLayer(understood, Decimal(str(budget)))
        replayed = ReplayLayer(charged, mode)
        self.provider = provider
        self.meter = MeterLayer(FaultLayer(replayed, faults), provider.name, session)
        self.layer = ErrorLayer(self.meter, provider, library)


class _Measured:
    """The half that both HTTP clients have; `usage` tells what went through."""

    def __init__(self, stack: Stack, transport: httpx2.MockTransport | None = None) -> None:
        layers = LayerTransport(stack.layer, transport)
        super().__init__(transport=layers, timeout=TIMEOUT, follow_redirects=True)  # type: ignore[call-arg]
        self._meter = stack.meter

    @property
    def usage(self) -> Usage:
        """The calls so far."""
        return self._meter.usage


class MeasuredClient(_Measured, httpx2.Client):
    """The HTTP client under `openai.OpenAI` and `anthropic.Anthropic`."""


class MeasuredAsyncClient(_Measured, httpx2.AsyncClient):
    """The HTTP client under `openai.AsyncOpenAI`."""
