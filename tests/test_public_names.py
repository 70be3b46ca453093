from __future__ import annotations

import importlib
import subprocess
import sys
from types import ModuleType

import pytest

import aicourse
import aicourse.face
from aicourse.face import lazily

HEAVY = (
    "anthropic",
    "fastapi",
    "httpx2",
    "IPython",
    "matplotlib",
    "nbformat",
    "onnxruntime",
    "openai",
    "pandas",
)


def test_what_the_notebooks_may_import() -> None:
    assert aicourse.__all__ == [
        "Fault",
        "check",
        "connect",
        "connect_anthropic",
        "connect_async",
        "describe_photo",
        "doctor",
        "hint",
        "load_listings",
        "load_photos",
        "outcome",
        "photo_part",
        "photo_tokens",
        "predict",
        "progress",
        "start",
        "usage",
    ]


@pytest.mark.parametrize("name", aicourse.__all__)
def test_each_name_is_there_and_documented(name: str) -> None:
    assert getattr(aicourse, name).__doc__
    assert name in dir(aicourse)


def test_a_function_is_found_also_in_a_module_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("sums.total")
    module.total = sum  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sums.total", module)
    load, _ = lazily("aicourse.face", {"total": "sums.total"})
    monkeypatch.setattr(aicourse.face, "total", None, raising=False)  # taken away again after the test
    assert load("total") is sum


def test_any_other_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'aicourse' has no attribute 'conect'"):
        _ = aicourse.conect


@pytest.mark.parametrize(
    "package",
    ["aicourse.evals", "aicourse.experiments", "aicourse.marketplace", "aicourse.monitoring", "aicourse.rag"],
)
def test_a_name_of_a_face_is_no_module(package: str) -> None:
    face = importlib.import_module(package)
    assert [name for name in face.__all__ if isinstance(getattr(face, name), ModuleType)] == []


@pytest.mark.parametrize(
    "module",
    [
        "aicourse",
        "aicourse.evals",
        "aicourse.experiments",
        "aicourse.marketplace",
        "aicourse.monitoring",
        "aicourse.rag",
        "aicourse.errors",
        "aicourse.paths",
        "aicourse.llm",
        "aicourse.llm.catalog",
        "aicourse.llm.photos",
        "aicourse.tooling.localmodel",
    ],
)
def test_importing_it_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("face", ["aicourse.llm", "aicourse.llm.photos", "aicourse.tooling.localmodel"])
def test_a_face_gives_its_names_and_no_others(face: str) -> None:
    package = importlib.import_module(face)
    names = [name for name in dir(package) if not name.startswith("_")]
    assert all(getattr(package, name) is not None for name in names)
    with pytest.raises(AttributeError, match=f"module '{face}' has no attribute 'conect'"):
        _ = package.conect


def test_reading_recordings_loads_nothing_heavy() -> None:
    code = f"import sys, aicourse.llm.recordings; print([name for name in {HEAVY} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
