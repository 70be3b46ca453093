"""Which prompt a call was made with: a header that the course's clients read and keep to themselves.

    x-aicourse-prompt: extract_listing@v3 9f2c1a5b7d10

`prompts.Prompt.headers` makes it; `MeterLayer` takes it off the request, so that no provider sees it and no
recording depends on it, and notes it in the `Call`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

PROMPT_HEADER = "x-aicourse-prompt"
_NOTE = re.compile(r"[a-z][a-z0-9_]*@v[1-9][0-9]{0,5} [0-9a-f]{12}")


def take_prompt(request: httpx2.Request) -> str | None:
    """Take name, version and hash off the request; None when it carries none that is well formed."""
    note = request.headers.pop(PROMPT_HEADER, "")
    return note if _NOTE.fullmatch(note) else None
