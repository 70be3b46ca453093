"""Models behind one face: connect to a provider or to the embedded model, replay recordings, count the cost.

    from aicourse import llm

    client = llm.connect(model="qwen2.5-coder-0.5b")   a real openai.OpenAI (connect_async, connect_anthropic)
    llm.usage(client)                                  calls, tokens, money and time so far

Read in this order: `client` (choosing), `stack` (the layers) with `transport`, then a layer each:
`provider_errors`, `meter` with `calls`, `faults`, `replay` with `recordings` and `recording_key`, `budget`,
`network`. `catalog` knows providers and prices, `session` what a lesson's clients share, `formats` the three
APIs, `photos` pictures.
"""

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.llm.calls import usage as usage
    from aicourse.llm.client import connect as connect
    from aicourse.llm.client import connect_anthropic as connect_anthropic
    from aicourse.llm.client import connect_async as connect_async
    from aicourse.llm.faults import Fault as Fault

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Fault": "aicourse.llm.faults",
        "connect": "aicourse.llm.client",
        "connect_anthropic": "aicourse.llm.client",
        "connect_async": "aicourse.llm.client",
        "usage": "aicourse.llm.calls",
    },
)
