"""Each test is on its own; tests/testing/test_network.py has the guard of the network."""

from __future__ import annotations

import os
from pathlib import Path

from aicourse import paths


def test_each_test_has_its_own_folders_and_no_keys(tmp_path: Path) -> None:
    assert tmp_path in paths.cache_dir().parents
    assert tmp_path in paths.state_dir().parents
    assert not [name for name in os.environ if name.endswith("_API_KEY")]
