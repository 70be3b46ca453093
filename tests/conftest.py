"""What every test gets: caches, state and keys of its own, and no network but loopback.

The network is refused by this project's pytest plugin (`aicourse_network` in pyproject.toml). Subprocesses
inherit the environment, not the guard: a test that starts one points it at loopback or a port that refuses.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import hypothesis
import pytest

from aicourse import paths
from aicourse.llm import session

# How long an example takes says how busy the machine is: nothing here is judged by a clock.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

pytest_plugins = ["pytester"]  # for the tests of the plugin
collect_ignore = ["benchmarks"]  # scripts that import each other by file name; `make bench` runs them
REAL_CACHE = paths.cache_dir()  # read at import, before `isolated_environment` points elsewhere


@pytest.fixture(autouse=True)
def isolated_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, an empty state folder, no AICOURSE_* setting and no provider key."""
    for variable in list(os.environ):
        if variable.startswith("AICOURSE_") or variable.endswith(("_API_KEY", "_BASE_URL")):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("AICOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AICOURSE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(session, "_session", None)  # no test sees the lesson that another one began


@pytest.fixture
def time_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Functions of `time` replaced in one module alone.

    Patched in `time` itself they would be those of every thread: a server's event loop that looks at such a
    clock once may sleep for hours.
    """

    def replaced(module: ModuleType, **functions: Callable[..., Any]) -> None:
        monkeypatch.setattr(module, "time", SimpleNamespace(**vars(time) | functions))

    return replaced


@pytest.fixture
def real_model_cache(isolated_environment: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's real cache, for `live_model` tests; skips when the embedded model is not in it."""
    models = REAL_CACHE / "models"
    if not any((models / "qwen2.5-coder-0.5b").glob("*.gguf")):
        pytest.skip("needs the embedded model; get it with: aicourse model pull qwen2.5-coder-0.5b")
    monkeypatch.setenv("AICOURSE_CACHE", str(REAL_CACHE))
    return REAL_CACHE
