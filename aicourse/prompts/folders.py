"""Folders of prompts: the shipped ones in the package, a student's own beside the notebooks; used versions.

    aicourse/prompt_files/extract_listing/v1.md … v5.md      shipped; the same for everybody
    notebooks/prompts/extract_listing/v6.md                  yours; git ignores the folder

Both together are one row of versions: yours go on where the shipped ones end. With `AICOURSE_UNATTENDED=1`
(`aicourse run`, `aicourse validate`) your folder is a new, empty one in each session, so that stored outputs
never depend on whose machine made them.

    aicourse/prompt_files/extract_listing/used.json:    {"v1": "9f2c1a5b7d10", "v2": "03bb6ee01c55"}

The ledger has the content of each version that was used: it is never edited again. Runs and recordings call
`mark_used`; `load` refuses a used version whose content has changed, because every result that names the
version would then speak of another text.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import filelock
from pydantic import StringConstraints, TypeAdapter, ValidationError

from aicourse import paths
from aicourse.errors import AicourseError, PromptError
from aicourse.llm import session
from aicourse.prompts.prompt import Prompt

USED = "used.json"
_USED = TypeAdapter(dict[Annotated[str, StringConstraints(pattern="^v[0-9]+$")], str])
_FILE = re.compile(r"v([1-9][0-9]{0,5})\.md")
T = TypeVar("T")
LOCK_SECONDS = 10  # a change takes milliseconds; a lock held longer belongs to a process that hangs


def shipped_dir() -> Path:
    """The prompts that come with the package."""
    return Path(__file__).resolve().parent.parent / "prompt_files"


def own_dir() -> Path:
    """The prompts of the course user.

    Raises:
        PromptError: there are no course files to keep prompts beside.
    """
    if paths.unattended():
        return session.current().keep(_temporary_dir)
    try:
        return paths.notebooks_dir() / "prompts"
    except AicourseError:
        raise PromptError(
            "Your prompts are kept beside the notebooks, and there are none here. Change into your clone of "
            "the course, or set AICOURSE_HOME to it."
        ) from None


def roots() -> list[Path]:
    """The folders that hold prompts, shipped ones first; the user's own where there are course files."""
    try:
        return [shipped_dir(), own_dir()]
    except PromptError:
        return [shipped_dir()]


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


def mark_used(prompt: Prompt) -> None:
    """Freeze this version: from now on its file must keep its content.

    A prompt that was not read from a prompt folder (`NAME/vN.md`) has no version to freeze; it is left alone.

    Raises:
        PromptError: the version was used before with another content, or the ledger cannot be written.
    """
    folder = _folder_of(prompt)
    if folder is None or used_versions(folder).get(prompt.version) == prompt.hash:
        return
    with locked(folder):
        used = used_versions(folder)
        if used.setdefault(prompt.version, prompt.hash) != prompt.hash:
            raise _changed(prompt, used[prompt.version])
        entries = {f"v{version}": digest for version, digest in sorted(used.items())}
        paths.write_atomically(folder / USED, json.dumps(entries, indent=1) + "\n")


def check_unchanged(prompt: Prompt) -> None:
    """Refuse a version whose content is not the one that was used.

    Raises:
        PromptError: it is not; the message says how to restore it or keep the change.
    """
    folder = _folder_of(prompt)
    used = used_versions(folder).get(prompt.version) if folder else None
    if used is not None and used != prompt.hash:
        raise _changed(prompt, used)


def used_versions(folder: Path) -> dict[int, str]:
    """The ledger in the folder of one prompt: the content hash of each version that was used.

    Raises:
        PromptError: the ledger is damaged.
    """
    used = kept(folder / USED, _USED, {})
    return {int(name.removeprefix("v")): digest for name, digest in used.items()}


def _folder_of(prompt: Prompt) -> Path | None:
    """The prompt's folder when its file lies in one, as the version that it says it is."""
    source = prompt.source
    if (
        source is None
        or source.name != f"v{prompt.version}.md"
        or source.resolve().parent.name != prompt.name
    ):
        return None
    return source.parent


def _changed(prompt: Prompt, used: str) -> PromptError:
    assert prompt.source is not None
    path = shown(prompt.source)
    shipped = prompt.source.resolve().is_relative_to(shipped_dir())
    restore = f"Restore it with: git checkout -- {path}" if shipped else f"Undo your change in {path}"
    keep = f"aicourse prompts new {prompt.name} --file {path}"
    return PromptError(
        f"{prompt.ref} was changed after it was used (its hash was {used}, now it is {prompt.hash}). "
        f"{restore}\nTo keep the change, first make a version of it: {keep}",
        prompt=prompt.ref,
        path=prompt.source,
        used=used,
        found=prompt.hash,
    )
