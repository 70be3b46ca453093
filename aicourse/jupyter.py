"""The notebook that runs this, found without importing IPython (slower than the answer is worth)."""

from __future__ import annotations

import sys
from typing import Any


def notebook_shell() -> Any:
    """IPython's shell in the kernel that runs this; None in a script, a test or a terminal.

    >>> notebook_shell() is None
    True
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell if hasattr(shell, "kernel") else None
