"""The places of course files, caches and state: the one module that knows.

- course files: the folder that holds `notebooks/` and `datasets/` (`AICOURSE_HOME`, else the working
  folder or one above it, else the folder this package was installed from in editable mode);
- cache: model files, shared by every checkout of one user (`AICOURSE_CACHE`, else the system's place);
- state: the server's address, progress on exercises, predictions (`AICOURSE_STATE`, else the system's place).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs

from aicourse.errors import AicourseError


def course_dir() -> Path:
    """The folder that holds `notebooks/` and `datasets/`.

    Raises:
        AicourseError: no such folder at `AICOURSE_HOME`, here, above, or beside the package.
    """
    configured = os.environ.get("AICOURSE_HOME")
    here = Path.cwd()
    package_parent = Path(__file__).resolve().parent.parent
    candidates = [Path(configured)] if configured else [here, *here.parents, package_parent]
    for folder in candidates:
        if (folder / "notebooks").is_dir() and (folder / "datasets").is_dir():
            return folder.resolve()
    raise AicourseError(
        f"No course files (notebooks/ and datasets/) at {candidates[0]} or above. "
        "Change into your clone of the course, or set AICOURSE_HOME to it.",
        tried=candidates,
    )


def notebooks_dir() -> Path:
    """The lessons."""
    return course_dir() / "notebooks"


def datasets_dir() -> Path:
    """The datasets, one folder each."""
    return course_dir() / "datasets"


def build_dir() -> Path:
    """Everything that a command writes and `make clean` deletes."""
    return course_dir() / "build"


def cache_dir() -> Path:
    """The folder of what can be fetched again: model files."""
    return Path(os.environ.get("AICOURSE_CACHE") or platformdirs.user_cache_path("aicourse", appauthor=False))


def models_dir() -> Path:
    """Model files, verified by hash before they appear here."""
    return cache_dir() / "models"


def state_dir() -> Path:
    """The folder of what belongs to this user on this machine: server address, progress, predictions."""
    return Path(os.environ.get("AICOURSE_STATE") or platformdirs.user_state_path("aicourse", appauthor=False))


def unattended() -> bool:
    """True if nobody is there to answer: the course is being run or validated."""
    return os.environ.get("AICOURSE_UNATTENDED", "0") not in ("", "0")


def write_atomically(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write `content` to `path` so that a reader sees the old file or the new one, never a half.

    Creates missing parent folders. `mode` is the new file's permission bits (POSIX).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
