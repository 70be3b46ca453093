"""Pythons are found by asking them, on PATH and in pyenv; what does not start is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aicourse.tooling.course import pythons

posix = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for a Python")


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH; pyenv's root is beside it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return folder


def install(path: Path, answer: str, code: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{answer}'\nexit {code}\n", encoding="utf-8")
    path.chmod(0o755)


@posix
def test_versions_of_path_and_pyenv_oldest_first(bin_folder: Path, tmp_path: Path) -> None:
    install(bin_folder / "python3", "3 12 /usr/bin/python3")
    install(tmp_path / "pyenv/versions/3.13.0/bin/python", "3 13 /pyenv 3.13/python")
    install(tmp_path / "pyenv/versions/3.11.7/bin/python", "3 11 /pyenv 3.11/python")
    assert pythons.find_pythons() == {
        (3, 11): Path("/pyenv 3.11/python"),
        (3, 12): Path("/usr/bin/python3"),
        (3, 13): Path("/pyenv 3.13/python"),
    }


@posix
def test_a_shim_that_leads_nowhere_and_unsupported_versions_are_left_out(
    bin_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(bin_folder / "python3.13", "pyenv: python3.13: command not found", code=127)
    install(bin_folder / "python3.11", "3 11 /usr/bin/python3.11")
    install(bin_folder / "python3", "3 10 /usr/bin/python3.10")
    install(tmp_path / "pyenv/versions/3.15.0/bin/python", "3 15 /pyenv/3.15")
    assert pythons.find_pythons() == {(3, 11): Path("/usr/bin/python3.11")}
    pythons.main([])
    assert capsys.readouterr().out == "/usr/bin/python3.11\n"  # once, although it is oldest and newest


def test_none_at_all_is_a_sentence(bin_folder: Path) -> None:
    with pytest.raises(SystemExit, match="No supported Python"):
        pythons.main(["newest"])


def test_this_python_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert sys.version_info[:2] in pythons.find_pythons()
