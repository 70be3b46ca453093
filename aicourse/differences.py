"""The one form of a difference: a line of what was stored begins with `-`, one of what is new with `+`."""

from __future__ import annotations

import difflib

LINES = 30


def difference(stored: str, new: str, *, names: tuple[str, str] = ("stored", "new"), around: int = 1) -> str:
    """The lines that differ, with `around` lines about them, cut after `LINES`.

    >>> print(difference("red\\nblue", "red\\ngreen"))
    --- stored
    +++ new
    @@ -1,2 +1,2 @@
     red
    -blue
    +green
    """
    if stored.splitlines() == new.splitlines():  # a line end more or less
        stored, new = repr(stored), repr(new)
    lines = list(difflib.unified_diff(stored.splitlines(), new.splitlines(), *names, lineterm="", n=around))
    more = len(lines) - LINES
    return "\n".join([*lines[:LINES], f"… {more} more lines"] if more > 0 else lines)
