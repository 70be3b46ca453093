"""Find prompts by name, and by version or label; make new versions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aicourse import paths
from aicourse.errors import PromptError
from aicourse.prompts import folders
from aicourse.prompts.file import NAME, parse_prompt, prompt_text, read_prompt
from aicourse.prompts.promotion import PRODUCTION, labelled, labels
from aicourse.prompts.prompt import Prompt
from aicourse.prompts.sampling import check_hints
from aicourse.prompts.template import BrokenTemplateError, parse_body, unix_lines
from aicourse.suggestions import did_you_mean

_VERSION = re.compile(r"v?([0-9]{1,6})")


def load(spec: str | Path) -> Prompt:
    """The prompt that `spec` names: a name with a version or a label, or a file.

        load("extract_listing@3")              version 3; "extract_listing@v3" is the same
        load("extract_listing@candidate")      the version with that label
        load("extract_listing")                the one in production
        load(Path("my_prompt.md"))             a file

    Raises:
        PromptError: there is none, its file breaks the format, or it was changed after it was used.
    """
    if isinstance(spec, Path):
        return _read(spec)
    name, at, selector = spec.partition("@")
    if not NAME.fullmatch(name) or (at and not selector):
        raise PromptError(
            f"{spec!r} names no prompt. Write NAME, NAME@3 or NAME@production; for a file, give a Path.",
            spec=spec,
        )
    if version := _VERSION.fullmatch(selector):
        return _load_version(name, int(version.group(1)))
    known = versions(name)
    move = labelled(name, selector or PRODUCTION, known)
    prompt = _load_version(name, move.version)
    if prompt.hash != move.hash:
        raise PromptError(
            f"{name}@{move.label} stands for v{move.version} with the hash {move.hash}, and that file now "
            f"has {prompt.hash}. Restore the file, or move the label with: "
            f"aicourse prompts promote {prompt.ref} --label {move.label}",
            prompt=prompt.ref,
            label=move.label,
        )
    return prompt


def names() -> list[str]:
    """The prompts that have a version, shipped and your own."""
    found = {
        folder.name
        for root in folders.roots()
        if root.is_dir()
        for folder in root.iterdir()
        if NAME.fullmatch(folder.name) and folders.version_files(folder)
    }
    return sorted(found)


def versions(name: str) -> list[int]:
    """The numbers of a prompt's versions, shipped and your own, in order.

    Raises:
        PromptError: there is no prompt of that name.
    """
    found = _numbers(name)
    if not found:
        known = names()
        guess = did_you_mean(name, known)
        raise PromptError(
            f"There is no prompt {name!r}.{guess} Known: {', '.join(known) or 'none'}. "
            f"Begin one with: aicourse prompts new {name} --file FILE",
            name=name,
        )
    return found


def new(
    name: str,
    *,
    changelog: str,
    parent: int | None = None,
    text: str | None = None,
    hints: Mapping[str, Any] | None = None,
) -> Prompt:
    """Write the next version of a prompt to your own folder and return it.

    `text` is the body with its `# system` and `# user` lines, `hints` all hints; what is not given is copied
    from `parent`, the newest version when none is named. A new name begins with version 1 and needs `text`.
    The parameters are the placeholders of the body. Giving the content of a version of yours again returns
    that version, so a notebook's cell may be run twice.

    Raises:
        PromptError: unknown parent, a body that breaks the format, or nowhere to write.
    """
    if not NAME.fullmatch(name):
        raise PromptError(
            f"{name!r} is no name: use lower-case letters, digits and _, such as extract_listing."
        )
    root = folders.own_dir()
    source = _parent(name, parent, text)
    with folders.locked(root / name):
        draft = _draft(name, max(_numbers(name), default=0) + 1, source, changelog, text, hints)
        is_copy = text is None and hints is None
        for prompt in _with_content(root / name, draft.hash):
            if prompt.parent == draft.parent or not is_copy:
                return prompt
        path = root / name / f"v{draft.version}.md"
        paths.write_atomically(path, prompt_text(draft))
    return replace(draft, source=path)


def _with_content(folder: Path, digest: str) -> Iterator[Prompt]:
    """The versions in a folder with this hash; one that was changed after it was used has lost its own."""
    used = folders.used_versions(folder)
    for version, path in folders.version_files(folder).items():
        prompt = read_prompt(path)
        if prompt.hash == digest == used.get(version, digest):
            yield prompt


def _numbers(name: str) -> list[int]:
    return sorted({version for root in folders.roots() for version in folders.version_files(root / name)})


def _parent(name: str, parent: int | None, text: str | None) -> Prompt | None:
    if known := _numbers(name):
        version = max(known) if parent is None else parent
        # with a text of its own, the new version may go on from one that was changed after it was used
        return _load_version(name, version) if text is None else read_prompt(_find(name, version))
    if parent is not None:
        versions(name)  # says that there is no such prompt
    if text is None:
        raise PromptError(
            f"{name} is new: give its text, such as new({name!r}, text='# user\\n…', changelog=…)."
        )
    return None


def _draft(
    name: str,
    version: int,
    parent: Prompt | None,
    changelog: str,
    text: str | None,
    hints: Mapping[str, Any] | None,
) -> Prompt:
    """The new version, as its file will be read."""
    try:
        sections = parent.sections if parent and text is None else parse_body(unix_lines(text or ""))
        hint_items = parent.hint_items if parent and hints is None else check_hints(hints or {})
    except BrokenTemplateError as error:
        raise PromptError(
            f"The text of the new {name}, line {error.line}: {error}.", line=error.line
        ) from None
    except ValueError as error:
        raise PromptError(f"The hints of the new {name}: {error}.") from None
    draft = Prompt(
        name=name,
        version=version,
        parent=parent.version if parent else None,
        changelog=changelog.strip(),
        parameters=tuple(dict.fromkeys(used for section in sections for used in section.placeholders)),
        sections=sections,
        hint_items=hint_items,
    )
    return replace(parse_prompt(prompt_text(draft), Path(f"v{version}.md")), source=None)


def _load_version(name: str, version: int) -> Prompt:
    return _read(_find(name, version), name, version)


def _find(name: str, version: int) -> Path:
    known = versions(name)
    holders = [path for root in folders.roots() if (path := root / name / f"v{version}.md").is_file()]
    if not holders:
        raise PromptError(
            f"{name} has no v{version}. It has: {', '.join(f'v{number}' for number in known)}.",
            name=name,
            version=version,
        )
    if len(holders) > 1:
        free = max(known) + 1
        raise PromptError(
            f"{name} v{version} comes with the course, and you have one as well. Make yours the next "
            f"version: rename {folders.shown(holders[1])} to v{free}.md and write `version: {free}` in it.",
            name=name,
            version=version,
        )
    return holders[0]


def _read(path: Path, name: str | None = None, version: int | None = None) -> Prompt:
    prompt = read_prompt(path)
    if (name or prompt.name, version or prompt.version) != (prompt.name, prompt.version):
        raise PromptError(
            f"{folders.shown(path)} says it is {prompt.ref}, but its place is that of {name}@v{version}. "
            "Correct `name:` and `version:` in it, or move the file.",
            path=path,
        )
    folders.check_unchanged(prompt)
    return replace(prompt, labels=_labels_of(prompt))


def _labels_of(prompt: Prompt) -> tuple[str, ...]:
    try:
        moves = labels(prompt.name)
    except PromptError:  # a damaged file of labels is said where a label is asked for
        return ()
    return tuple(move.label for move in moves if (move.version, move.hash) == (prompt.version, prompt.hash))
