"""Folders of prompts: the shipped ones in the package, a student's own beside the notebooks.

    aicourse/prompt_files/extract_listing/v1.md … v5.md      shipped; the same for everybody
    notebooks/prompts/extract_listing/v6.md                  yours; git ignores the folder

Both together are one row of versions: yours go on where the shipped ones end. With `AICOURSE_UNATTENDED=1`
(`aicourse run`, `aicourse validate`) your folder is a new, empty one in each session, so that stored outputs
never depend on whose machine made them.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import filelock
from pydantic import TypeAdapter, ValidationError

from aicourse import paths
from aicourse.errors import AicourseError, PromptError
from aicourse.llm import session

_FILE = re.compile(r"v([1-9][0-9]{0,5})\.md")
T = TypeVar("T")
LOCK_SECONDS = 10  # a change takes milliseconds; a lock held longer belongs to a process that hangs


def shipped_dir() -> Path:
    """The prompts that come with the package."""
    return Path(__file__).resolve().parent.parent / "prompt_files"


def own_dir() -> Path | None:
    """The prompts of the course user; None where there are no course files to keep them beside."""
    if paths.unattended():
        return session.current().keep(_temporary_dir)
    try:
        return paths.notebooks_dir() / "prompts"
    except AicourseError:
        return None


def own_dir_for_writing() -> Path:
    """The same, where something is to be written.

    Raises:
        PromptError: there are no course files to keep prompts beside.
    """
    folder = own_dir()
    if folder is None:
        raise PromptError(
            "Your prompts are kept beside the notebooks, and there are none here. Change into your clone of "
            "the course, or set AICOURSE_HOME to it."
        )
    return folder


def roots() -> list[Path]:
    """The folders that hold prompts, shipped ones first."""
    own = own_dir()
    return [shipped_dir()] if own is None else [shipped_dir(), own]


def version_files(folder: Path) -> dict[int, Path]:
    """The versions in the folder of one prompt, in order; other files there do not count."""
    if not folder.is_dir():
        return {}
    found = {int(match.group(1)): path for path in folder.iterdir() if (match := _FILE.fullmatch(path.name))}
    return dict(sorted(found.items()))


def shown(path: Path) -> str:
    """The path as a user would type it here: relative when it is part of the course's folder."""
    try:
        if path.resolve().is_relative_to(paths.course_dir()):
            return os.path.relpath(path)
    except (AicourseError, ValueError):  # no course files; on Windows, another drive
        pass
    return str(path)


def kept(path: Path, form: TypeAdapter[T], nothing: T) -> T:
    """The content of a JSON file beside the versions, `nothing` when there is no such file.

    Raises:
        PromptError: the file is damaged.
    """
    try:
        return form.validate_json(path.read_bytes())
    except FileNotFoundError:
        return nothing
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "its form"
        raise PromptError(
            f"{shown(path)} is damaged ({place}: {first['msg']}). "
            f"Restore it with: git checkout -- {shown(path)} (or delete it, if it is your own).",
            path=path,
        ) from None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of one prompt's folder; its file is in the state folder, not in the repository.

    Raises:
        PromptError: another process holds it for long, or something there cannot be written.
    """
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    locks = paths.state_dir() / "locks"
    try:
        locks.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(locks / f"prompts-{name}.lock", timeout=LOCK_SECONDS):
            yield
    except filelock.Timeout:
        raise PromptError(
            f"Another process is changing {shown(folder)}. Wait until it has ended, and try again."
        ) from None
    except OSError as error:
        raise PromptError(
            f"{shown(folder)} cannot be written ({error.strerror}). Make the folder writable.", path=folder
        ) from error


def _temporary_dir() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="aicourse-prompts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
