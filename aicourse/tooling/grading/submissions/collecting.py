"""Find the submissions in a folder or a zip: one per student, read when its turn comes.

`collect` only looks at names, so that one bad file costs one submission; `Found.read` opens the files, and
what is wrong with them (a symbolic link, a damaged zip, no notebook) is that submission's error alone.
Links are never followed, and nothing is unpacked to disk.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from aicourse.errors import SubmissionError
from aicourse.tooling.grading.submissions.archives import (
    CLASS_ZIP,
    NOTEBOOK_BYTES,
    STUDENT_ZIP,
    Archive,
    Member,
)
from aicourse.tooling.grading.submissions.layouts import (
    Owner,
    owner_of,
    parse_time,
    same_assignment,
    version_of,
)

FILES_BYTES = 16 << 20
_JUNK = {".ipynb_checkpoints", "__MACOSX", "__pycache__", ".git", ".venv", "node_modules"}
_TIMESTAMP = "timestamp.txt"


@dataclass(frozen=True)
class Entry:
    """One file that was handed in; `read` gives its bytes or raises SubmissionError."""

    parts: tuple[str, ...]
    modified: datetime | None
    modified_by: str
    read: Callable[[], bytes]

    @property
    def name(self) -> str:
        """Its path as one text."""
        return "/".join(self.parts)

    @property
    def suffix(self) -> str:
        """The ending of its name, lower case."""
        return PurePosixPath(self.parts[-1]).suffix.lower()


@dataclass(frozen=True)
class Submission:
    """One student's work, read: the notebook's bytes, and the other files by their path beside it."""

    student: str
    name: str
    data: bytes
    files: tuple[tuple[str, bytes], ...] = ()
    notes: tuple[str, ...] = ()
    lms_id: str = ""
    lms_prefix: str = ""
    submitted: datetime | None = None
    submitted_by: str = ""

    @property
    def sha256(self) -> str:
        """Of everything that was handed in and counts."""
        digest = hashlib.sha256()
        for name, data in (("", self.data), *self.files):
            digest.update(f"{len(name.encode())}:{name}{len(data)}:".encode() + data)
        return digest.hexdigest()


@dataclass(frozen=True)
class Found:
    """One student's files, not read yet."""

    student: str
    assignment: str
    owner: Owner
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """The name that an instructor knows it by: its only file, or the student."""
        return self.entries[0].name if len(self.entries) == 1 else self.student

    def read(self) -> Submission:
        """Open the files and choose the notebook: of several the latest, and that is noted.

        Raises:
            SubmissionError: no notebook, a damaged or dangerous archive, a link, too large.
        """
        entries = [inner for entry in self.entries for inner in _expanded(entry)]
        notebooks = [entry for entry in entries if entry.suffix == ".ipynb"]
        if not notebooks:
            raise SubmissionError(_no_notebook(entries), submission=self.name)
        chosen = max(notebooks, key=self._rank)
        files, notes = _beside(chosen, [entry for entry in entries if entry not in notebooks])
        if len(notebooks) > 1:
            count = len(notebooks)
            notes.append(f"{count} notebooks were handed in; {chosen.parts[-1]}, the latest, was graded.")
        submitted, submitted_by = self._time(chosen, entries)
        return Submission(
            student=self.student,
            name=chosen.name,
            data=chosen.read(),
            files=tuple(files),
            notes=tuple(notes),
            lms_id=self.owner.lms_id,
            lms_prefix=self.owner.lms_prefix,
            submitted=submitted,
            submitted_by=submitted_by,
        )

    def _rank(self, entry: Entry) -> tuple[bool, float, int, float, str]:
        """The latest of the notebooks that are called like the assignment comes last."""
        owner, stem = owner_of(entry.parts), PurePosixPath(entry.parts[-1]).stem
        named = self.assignment.casefold().split("-")[0] in stem.casefold()
        stated = owner.time.timestamp() if owner.time else 0.0
        modified = entry.modified.timestamp() if entry.modified else 0.0
        return named, stated, version_of(stem), modified, entry.name

    def _time(self, chosen: Entry, entries: Iterable[Entry]) -> tuple[datetime | None, str]:
        if time := owner_of(chosen.parts).time:
            return time, "the exchange folder's name"
        for entry in entries:
            if entry.parts != (*chosen.parts[:-1], _TIMESTAMP):
                continue
            if time := parse_time(entry.read()[:200].decode("utf-8", "replace")):
                return time, _TIMESTAMP
        return chosen.modified, chosen.modified_by


def collect(source: Path, assignment: str) -> list[Found]:
    """The submissions in `source` (a folder, a zip of a whole class, one notebook or one student's zip).

    Raises:
        SubmissionError: `source` does not exist, is no zip, or holds nothing that was handed in.
    """
    entries = [entry for entry in _entries(source) if not _is_junk(entry.parts)]
    if source.is_file() and _is_one_student(entries):
        entries = [replace(entry, parts=(source.stem, *entry.parts)) for entry in entries]
    elif source.is_file():
        entries = _without_wrapper(entries)
    groups: dict[str, list[tuple[Owner, Entry]]] = {}
    for entry in entries:
        owner = owner_of(entry.parts)
        groups.setdefault(owner.key, []).append((owner, entry))
    found = [_found(group, assignment) for group in groups.values()]
    wanted = [one for one in found if one is not None]
    if not wanted:
        raise SubmissionError(
            f"Nothing was handed in at {source}. Name a folder with one notebook, zip or folder per student.",
            path=source,
        )
    return sorted(_distinct(wanted), key=lambda one: one.student)


def _found(group: list[tuple[Owner, Entry]], assignment: str) -> Found | None:
    """One student's files; those that say they belong to another assignment are left out."""
    stated = [owner for owner, _ in group if owner.assignment]
    fits = any(same_assignment(owner.assignment, assignment) for owner in stated)
    if stated and not fits and all(owner.time for owner in stated):
        return None  # the exchange says so for certain; a folder's name may mean anything
    if fits:
        group = [
            (owner, entry)
            for owner, entry in group
            if not owner.assignment or same_assignment(owner.assignment, assignment)
        ]
    entries = tuple(entry for _, entry in group)
    return Found(group[0][0].student, assignment, group[0][0], entries)


def _distinct(found: list[Found]) -> Iterator[Found]:
    """Two students of one name get the platform's number behind it."""
    names = [one.student for one in found]
    for one in found:
        twice = names.count(one.student) > 1 and one.owner.lms_id
        yield replace(one, student=f"{one.student} ({one.owner.lms_id})") if twice else one


def _entries(source: Path) -> Iterator[Entry]:
    if source.is_dir():
        inner = source / "submitted"  # an nbgrader course folder
        yield from _walk(inner if inner.is_dir() and not inner.is_symlink() else source, ())
    elif not source.exists():
        raise SubmissionError(f"There is nothing at {source}. Check the path.", path=source)
    elif source.suffix.lower() == ".zip":
        archive = Archive(source, source.name, CLASS_ZIP)  # stays open as long as an entry may be read
        yield from (_zipped(member, archive) for member in archive)
    else:
        yield _file(source, (source.name,))


def _walk(folder: Path, parts: tuple[str, ...]) -> Iterator[Entry]:
    for item in sorted(os.scandir(folder), key=lambda item: item.name):
        inside = (*parts, item.name)
        if item.name in _JUNK:
            continue
        if item.is_dir(follow_symlinks=False):
            yield from _walk(Path(item.path), inside)
        else:
            yield _file(Path(item.path), inside)


def _file(path: Path, parts: tuple[str, ...]) -> Entry:
    status = path.lstat()
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return Entry(parts, modified, "the file's time", lambda: _read_file(path, "/".join(parts)))


def _read_file(path: Path, name: str) -> bytes:
    """A regular file's bytes. The open itself refuses a link, so that none can be slipped in between."""
    flags = (
        os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        handle = os.open(path, flags)
    except OSError as error:
        what = "is a symbolic link" if path.is_symlink() else f"cannot be read ({error.strerror})"
        raise SubmissionError(f"{name} {what}. Ask for the file itself.", submission=name) from None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise SubmissionError(f"{name} is no ordinary file. Ask for the file itself.", submission=name)
        if status.st_size > STUDENT_ZIP.total_bytes:
            raise SubmissionError(
                f"{name} has {status.st_size:,} bytes, too many for homework.", submission=name
            )
        return file.read()


def _zipped(member: Member, archive: Archive) -> Entry:
    parts = PurePosixPath(member.name.replace("\\", "/")).parts
    try:
        modified = datetime(*member.modified).astimezone(UTC)
    except (ValueError, OverflowError):
        modified = None
    name = f"the time in {archive.name}"
    return Entry(parts or (member.name,), modified, name, lambda: archive.read(member))


def _expanded(entry: Entry) -> Iterator[Entry]:
    """The files in a student's zip instead of the zip."""
    if entry.suffix != ".zip":
        yield entry
        return
    archive = Archive(entry.read(), entry.parts[-1])
    for member in archive:
        inner = _zipped(member, archive)
        if not _is_junk(inner.parts):
            yield replace(inner, parts=(*entry.parts, *inner.parts))


def _is_junk(parts: tuple[str, ...]) -> bool:
    return any(part in _JUNK or part.startswith("._") for part in parts) or parts[-1].startswith(".")


def _is_one_student(entries: list[Entry]) -> bool:
    """True if a file holds one notebook and no zips: one student's work, not a class's."""
    suffixes = [entry.suffix for entry in entries]
    return suffixes.count(".ipynb") == 1 and ".zip" not in suffixes


def _without_wrapper(entries: list[Entry]) -> list[Entry]:
    """A class zip whose files all lie in one folder: without that folder, if there are students below it."""
    tops = {entry.parts[0] for entry in entries}
    below = {entry.parts[1] for entry in entries if len(entry.parts) > 1}
    if len(tops) != 1 or len(below) < 2 or any(len(entry.parts) == 1 for entry in entries):
        return entries
    return [replace(entry, parts=entry.parts[1:]) for entry in entries]


def _beside(notebook: Entry, others: list[Entry]) -> tuple[list[tuple[str, bytes]], list[str]]:
    """The files that lie with the notebook, while they fit; and what was left out."""
    folder, total = notebook.parts[:-1], 0
    files, notes = [], []
    for entry in others:
        if not folder or entry.parts[: len(folder)] != folder or entry.parts[-1] == _TIMESTAMP:
            continue
        try:
            data = entry.read()
        except SubmissionError as error:
            notes.append(f"Left out: {error.message}")
            continue
        total += len(data)
        if total > FILES_BYTES:
            notes.append(f"Files beside the notebook were left out from {entry.name} on: more than 16 MB.")
            break
        files.append(("/".join(entry.parts[len(folder) :]), data))
    return files, notes


def _no_notebook(entries: list[Entry]) -> str:
    seen = ", ".join(sorted(entry.parts[-1] for entry in entries)[:5]) or "nothing"
    return f"There is no notebook in it (but {seen}). Ask for the .ipynb file."


__all__ = ["NOTEBOOK_BYTES", "Entry", "Found", "Submission", "collect"]
