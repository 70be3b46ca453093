"""Import this before papermill or nbval: nbformat, without 1 s of CPU for parsers that nobody uses.

nbformat imports jsonschema, which takes along `rfc3987_syntax` where it is installed (JupyterLab brings
it), and that builds grammars for international web addresses. The notebook format has no field of that
kind, and jsonschema does without the package where it is missing, so for the time of this import it is.
"""

from __future__ import annotations

import importlib
import sys

_UNUSED = "rfc3987_syntax"

if _UNUSED not in sys.modules:
    sys.modules[_UNUSED] = None  # type: ignore[assignment]  # importing it now raises ImportError
    importlib.import_module("nbformat")
    del sys.modules[_UNUSED]
