from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aicourse.monitoring import Tracing, start_tracing


@pytest.fixture
def tracing(tmp_path: Path) -> Iterator[Tracing]:
    with start_tracing(tmp_path / "product.sqlite") as started:
        yield started
