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
    from aicourse.llm.client import connect as connect
    from aicourse.llm.client import connect_anthropic as connect_anthropic
    from aicourse.llm.client import connect_async as connect_async
    from aicourse.llm.faults import Fault as Fault
    from aicourse.llm.photos.description import describe_photo as describe_photo
    from aicourse.llm.photos.description import photo_part as photo_part
    from aicourse.llm.photos.tokens import photo_tokens as photo_tokens
    from aicourse.llm.usage import usage as usage
    from aicourse.notebook import check as check
    from aicourse.notebook import hint as hint
    from aicourse.notebook import outcome as outcome
    from aicourse.notebook import predict as predict
    from aicourse.notebook import progress as progress
    from aicourse.notebook import start as start
    from aicourse.tooling.course import doctor as doctor

_HOME = {
    "Fault": "aicourse.llm.faults",
    "check": "aicourse.notebook",
    "connect": "aicourse.llm.client",
    "connect_anthropic": "aicourse.llm.client",
    "connect_async": "aicourse.llm.client",
    "describe_photo": "aicourse.llm.photos.description",
    "hint": "aicourse.notebook",
    "load_listings": "aicourse.datasets",
    "load_photos": "aicourse.datasets",
    "outcome": "aicourse.notebook",
    "photo_part": "aicourse.llm.photos.description",
    "photo_tokens": "aicourse.llm.photos.tokens",
    "predict": "aicourse.notebook",
    "progress": "aicourse.notebook",
    "start": "aicourse.notebook",
    "usage": "aicourse.llm.usage",
}
_MODULES = {"doctor": "aicourse.tooling.course.doctor"}

__all__ = sorted({*_HOME, *_MODULES})


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'aicourse' has no attribute {name!r}")
    if name in _MODULES:
        value = importlib.import_module(_MODULES[name])
    else:
        value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
