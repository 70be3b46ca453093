"""Tests of grading share `fakes`: an executor without a sandbox, a small assignment, submissions to it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "grading"))
