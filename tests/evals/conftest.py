"""Tests of evaluation share `gate_rates`, which also writes the tables of docs/gate.md."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
