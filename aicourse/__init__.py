"""What the notebooks import.

Names load on first use (PEP 562), so that `import aicourse` stays under 0.1 s: openai, pandas and
matplotlib are imported by the first cell that needs them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aicourse.datasets import load_listings as load_listings
    from aicourse.datasets import load_photos as load_photos
    from aicourse.exercises import check as check
    from aicourse.exercises import hint as hint
    from aicourse.exercises import outcome as outcome
    from aicourse.exercises import predict as predict
    from aicourse.exercises import progress as progress
    from aicourse.lesson import start as start
    from aicourse.llm.client import connect as connect
    from aicourse.llm.client import connect_anthropic as connect_anthropic
    from aicourse.llm.client import connect_async as connect_async
    from aicourse.llm.faults import Fault as Fault
    from aicourse.llm.photo_tokens import photo_tokens as photo_tokens
    from aicourse.llm.photos import describe_photo as describe_photo
    from aicourse.llm.photos import photo_part as photo_part
    from aicourse.llm.usage import usage as usage

_HOME = {
    "Fault": "aicourse.llm.faults",
    "check": "aicourse.exercises",
    "connect": "aicourse.llm.client",
    "connect_anthropic": "aicourse.llm.client",
    "connect_async": "aicourse.llm.client",
    "describe_photo": "aicourse.llm.photos",
    "hint": "aicourse.exercises",
    "load_listings": "aicourse.datasets",
    "load_photos": "aicourse.datasets",
    "outcome": "aicourse.exercises",
    "photo_part": "aicourse.llm.photos",
    "photo_tokens": "aicourse.llm.photo_tokens",
    "predict": "aicourse.exercises",
    "progress": "aicourse.exercises",
    "start": "aicourse.lesson",
    "usage": "aicourse.llm.usage",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'aicourse' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
