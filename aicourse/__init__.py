"""The names that notebooks import.

Names load on first use (PEP 562), so that `import aicourse` stays under 0.1 s: openai, pandas and
matplotlib are imported by the first cell that needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.datasets import load_listings as load_listings
    from aicourse.datasets import load_photos as load_photos
    from aicourse.llm import Fault as Fault
    from aicourse.llm import connect as connect
    from aicourse.llm import connect_anthropic as connect_anthropic
    from aicourse.llm import connect_async as connect_async
    from aicourse.llm import usage as usage
    from aicourse.llm.photos import describe_photo as describe_photo
    from aicourse.llm.photos import photo_part as photo_part
    from aicourse.llm.photos import photo_tokens as photo_tokens
    from aicourse.notebook import check as check
    from aicourse.notebook import hint as hint
    from aicourse.notebook import outcome as outcome
    from aicourse.notebook import predict as predict
    from aicourse.notebook import progress as progress
    from aicourse.notebook import start as start
    from aicourse.tooling.course import doctor as doctor

_HOME = {
    "Fault": "aicourse.llm",
    "check": "aicourse.notebook",
    "connect": "aicourse.llm",
    "connect_anthropic": "aicourse.llm",
    "connect_async": "aicourse.llm",
    "describe_photo": "aicourse.llm.photos",
    "hint": "aicourse.notebook",
    "load_listings": "aicourse.datasets",
    "load_photos": "aicourse.datasets",
    "outcome": "aicourse.notebook",
    "photo_part": "aicourse.llm.photos",
    "photo_tokens": "aicourse.llm.photos",
    "predict": "aicourse.notebook",
    "progress": "aicourse.notebook",
    "start": "aicourse.notebook",
    "usage": "aicourse.llm",
    "doctor": "aicourse.tooling.course.doctor",
}

__all__ = sorted(_HOME)

__getattr__, __dir__ = lazily(__name__, _HOME)
