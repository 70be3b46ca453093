"""The Pythons of this machine that the course supports: on PATH and in pyenv.

    python -m aicourse.tooling.course.pythons            # the oldest and the newest, one path a line
    python -m aicourse.tooling.course.pythons newest

Each is asked for its version, because a name on PATH (a pyenv shim) need not lead anywhere. Of several
with the same minor version the first found is taken.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SUPPORTED = tuple((3, minor) for minor in range(11, 15))  # pyproject.toml's classifiers; a test compares

Version = tuple[int, int]
_ASK = "import ensurepip, sys, venv; print(sys.version_info[0], sys.version_info[1], sys.executable)"


def find_pythons() -> dict[Version, Path]:
    """Supported version -> its interpreter, oldest first."""
    found: dict[Version, Path] = {}
    for candidate in _candidates():
        answer = _ask(candidate)
        if answer and answer[0] in SUPPORTED:
            found.setdefault(*answer)
    return dict(sorted(found.items()))


def _candidates() -> Iterator[Path]:
    names = [*(f"python{major}.{minor}" for major, minor in SUPPORTED), "python3", "python"]
    yield from (Path(path) for name in names if (path := shutil.which(name)))
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob("versions/*/bin/python"))


def _ask(candidate: Path) -> tuple[Version, Path] | None:
    """The candidate's version and real path; None when it does not start or cannot make a venv."""
    try:
        done = subprocess.run([candidate, "-c", _ASK], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    major, minor, path = os.fsdecode(done.stdout).rstrip("\n").split(" ", 2)
    return (int(major), int(minor)), Path(path)


def main(arguments: list[str]) -> None:
    """Print the oldest and the newest, or the newest alone."""
    found = list(find_pythons().values())
    if not found:
        sys.exit("No supported Python on PATH or in pyenv.")
    chosen = found[-1:] if arguments == ["newest"] else dict.fromkeys([found[0], found[-1]])
    print(*chosen, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
