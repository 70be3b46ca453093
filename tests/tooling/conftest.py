"""Tests of grading share `fakes` (an executor without a sandbox, a small assignment, submissions to it).

Those of the embedded model share `gbnf`, a reader of grammars.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aicourse.errors import SandboxError
from aicourse.tooling.grading.sandbox.levels import choose_level

for folder in ("grading", "localmodel", "../notebook"):
    sys.path.insert(0, str(Path(__file__).parent / folder))


@pytest.fixture(scope="module")
def sandbox_level() -> str:
    """The level that tests run under; where there is none, they skip with the sandbox's own reason."""
    try:
        return choose_level(None, trust_notebooks=False)
    except SandboxError as error:
        pytest.skip(f"no sandbox here: {error.message}")
