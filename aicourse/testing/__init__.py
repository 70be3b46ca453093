"""Tests of code that asks a model: without a model, and without a network.

    from aicourse.testing import ScriptedModel, ToolCall

`scripted` is a model that says what the test tells it to. `plugin` is the pytest plugin: its fixtures use
`recorded`, the replies beside a test file, `verdicts`, a decision about many runs or cases, and `network`,
the guard; `reporting` is the end of a run. How to use them in your own project: docs/testing.md.
"""

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.testing.scripted import ScriptedModel as ScriptedModel
    from aicourse.testing.scripted import Sent as Sent
    from aicourse.testing.scripted import ToolCall as ToolCall

__getattr__, __dir__ = lazily(
    __name__, dict.fromkeys(("ScriptedModel", "Sent", "ToolCall"), "aicourse.testing.scripted")
)
