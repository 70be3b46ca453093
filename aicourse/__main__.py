"""`python -m aicourse`: the command line, with a plain sentence where it cannot even start."""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (this file must still parse and speak on an older Python)
    sys.exit("aicourse needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Use: make setup")

try:
    from aicourse.tooling.cli import main
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is not installed for {sys.executable}. Run: make setup (or: pip install -e .)")

main()
