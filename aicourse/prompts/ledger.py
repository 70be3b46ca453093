"""The ledger of versions that were used, each with its content: they are never edited again.

    aicourse/prompt_files/extract_listing/used.json:    {"v1": "9f2c1a5b7d10", "v2": "03bb6ee01c55"}

Runs and recordings call `mark_used`; `load` refuses a used version whose content has changed, because every
result that names the version would then speak of another text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter

from aicourse import paths
from aicourse.errors import PromptError
from aicourse.prompts import folders
from aicourse.prompts.prompt import Prompt

FILE = "used.json"
_USED = TypeAdapter(dict[Annotated[str, StringConstraints(pattern="^v[0-9]+$")], str])


def mark_used(prompt: Prompt) -> None:
    """Freeze this version: from now on its file must keep its content.

    A prompt that was not read from a prompt folder (`NAME/vN.md`) has no version to freeze; it is left alone.

    Raises:
        PromptError: the version was used before with another content, or the ledger cannot be written.
    """
    folder = _folder_of(prompt)
    if folder is None or used_versions(folder).get(prompt.version) == prompt.hash:
        return
    with folders.locked(folder):
        used = used_versions(folder)
        if used.setdefault(prompt.version, prompt.hash) != prompt.hash:
            raise _changed(prompt, used[prompt.version])
        entries = {f"v{version}": digest for version, digest in sorted(used.items())}
        paths.write_atomically(folder / FILE, json.dumps(entries, indent=1) + "\n")


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
    used = folders.kept(folder / FILE, _USED, {})
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
    path = folders.shown(prompt.source)
    shipped = prompt.source.resolve().is_relative_to(folders.shipped_dir())
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
