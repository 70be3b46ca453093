"""Find the submissions in a folder or a zip: one per student or group, read when its turn comes.

`collect` only looks at names, so that one bad file costs one submission; `Found.read` opens the files, and
what is wrong with them (a symbolic link, a damaged zip, no notebook) is that submission's error alone.
Links are never followed, and nothing is unpacked to disk.

Whose work it is and when it came is read at the platform's level (`layouts`): the first level of the folder
or of the class's zip. No name, time or `timestamp.txt` below it counts, for a student wrote them.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path, PurePosixPath

from aicourse.errors import SubmissionError
from aicourse.tooling.grading.submissions.archives import (
    CLASS_ZIP,
    NOTEBOOK_BYTES,
    STUDENT_ZIP,
    Archive,
    Member,
    untarred,
)
from aicourse.tooling.grading.submissions.layouts import (
    Owner,
    ending,
    gradescope_owners,
    owner_of,
    parse_time,
    same_assignment,
    version_of,
)

FILES_BYTES = 16 << 20
_JUNK = {".ipynb_checkpoints", "__MACOSX", "__pycache__", ".git", ".venv", "node_modules"}
_TIMESTAMP = "timestamp.txt"
_METADATA = ("submission_metadata.yml",)
_ARCHIVES = {".zip", ".tar"}
_NOBODY = Owner()
_WRAPPER = re.compile(r"assignment_\d+_export|submissions?|submitted|inbound", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One file that was handed in; `read` gives its bytes or raises SubmissionError.

    `modified` is the time of the file at the platform's level, `own_time` its own inside an archive.
    """

    parts: tuple[str, ...]
    modified: datetime | None
    modified_by: str
    read: Callable[[], bytes]
    owner: Owner = _NOBODY
    own_time: datetime | None = None

    @property
    def name(self) -> str:
        """Its path as one text."""
        return "/".join(self.parts)

    @property
    def ending(self) -> str:
        """The ending of its name, lower case."""
        return ending(self.parts[-1])


@dataclass(frozen=True)
class Submission:
    """One student's work, read: the notebook's bytes, and the other files by their path beside it.

    `submitted_surely` is True when the platform itself says the time; a file's date may be anything.
    """

    student: str
    name: str
    data: bytes
    files: tuple[tuple[str, bytes], ...] = ()
    notes: tuple[str, ...] = ()
    owner: Owner = _NOBODY
    submitted: datetime | None = None
    submitted_by: str = ""
    submitted_surely: bool = False

    @property
    def sha256(self) -> str:
        """Of everything that was handed in and counts."""
        digest = hashlib.sha256()
        for name, data in (("", self.data), *self.files):
            digest.update(f"{len(name.encode())}:{name}{len(data)}:".encode() + data)
        return digest.hexdigest()


@dataclass(frozen=True)
class Found:
    """One student's or group's files, not read yet.

    `stamp` is nbgrader's own time file. `rivals` are hand-ins of the same group by other members.
    """

    student: str
    assignment: str
    owner: Owner
    entries: tuple[Entry, ...]
    stamp: Entry | None = None
    rivals: tuple[Found, ...] = ()

    @property
    def name(self) -> str:
        """The name that an instructor knows it by: its only file, or the student."""
        return self.entries[0].name if len(self.entries) == 1 else self.student

    def read(self) -> Submission:
        """Open the files and choose the notebook: of several the latest, and that is noted.

        Raises:
            SubmissionError: no notebook, a damaged or dangerous archive, a link, too large, or a group handed
                in different work.
        """
        mine = self._read()
        others = [replace(rival, owner=self.owner, student=self.student)._read() for rival in self.rivals]
        if any(other.sha256 != mine.sha256 for other in others):
            names = ", ".join(one.name for one in (mine, *others))
            raise SubmissionError(
                f"{self.student} handed in different work: {names}. Leave the one that counts.",
                submission=self.student,
            )
        return min((mine, *others), key=lambda one: one.submitted or datetime.max.replace(tzinfo=UTC))

    def _read(self) -> Submission:
        entries = [inner for entry in self.entries for inner in _expanded(entry)]
        notebooks = [entry for entry in entries if entry.ending == ".ipynb"]
        if not notebooks:
            raise SubmissionError(_no_notebook(entries), submission=self.name)
        chosen = max(notebooks, key=self._rank)
        files, notes = _beside(chosen, [entry for entry in entries if entry not in notebooks])
        if len(notebooks) > 1:
            count = len(notebooks)
            notes.append(f"{count} notebooks were handed in; {chosen.parts[-1]}, the latest, was graded.")
        submitted, submitted_by, surely = self._time(chosen)
        return Submission(
            student=self.student,
            name=chosen.name,
            data=chosen.read(),
            files=tuple(files),
            notes=tuple(notes),
            owner=self.owner,
            submitted=submitted,
            submitted_by=submitted_by,
            submitted_surely=surely,
        )

    def _rank(self, entry: Entry) -> tuple[bool, float, int, float, float, str]:
        """The latest of the notebooks that are called like the assignment comes last."""
        stem = PurePosixPath(entry.parts[-1]).stem
        named = self.assignment.casefold().split("-")[0] in stem.casefold()
        times = (entry.owner.time, entry.modified, entry.own_time)
        stated, modified, own = (time.timestamp() if time else 0.0 for time in times)
        return named, stated, version_of(stem), modified, own, entry.name

    def _time(self, chosen: Entry) -> tuple[datetime | None, str, bool]:
        if chosen.owner.time:
            return chosen.owner.time, chosen.owner.time_by, True
        if self.stamp and (time := parse_time(self.stamp.read()[:200].decode("utf-8", "replace"))):
            return time, f"nbgrader's {_TIMESTAMP}", True
        return chosen.modified, chosen.modified_by, False


def collect(source: Path, assignment: str) -> list[Found]:
    """The submissions in `source` (a folder, a zip of a whole class, one notebook or one student's zip).

    Raises:
        SubmissionError: `source` does not exist, is no zip, or holds nothing that was handed in.
    """
    entries = [entry for entry in _entries(source) if not _is_junk(entry.parts)]
    entries, is_nbgrader = _platform_level(source, assignment, entries)
    groups: dict[str, list[Entry]] = {}
    for entry in _owned(entries):
        groups.setdefault(entry.owner.key, []).append(entry)
    found = [_found(group, assignment, is_nbgrader) for group in groups.values()]
    wanted = [one for one in found if one is not None]
    if not wanted:
        raise SubmissionError(
            f"Nothing was handed in at {source}. Name a folder with one notebook, zip or folder per student.",
            path=source,
        )
    _refuse_a_class_below(source, wanted)
    return sorted(distinct(_without_column(wanted)), key=lambda one: one.student)


def _platform_level(source: Path, assignment: str, entries: list[Entry]) -> tuple[list[Entry], bool]:
    """The entries with paths that begin at the platform's level, and whether nbgrader made the folder."""
    if source.is_file() and _is_one_student(entries):
        return [replace(entry, parts=(source.stem, *entry.parts)) for entry in entries], False
    tops = {entry.parts[0] for entry in entries}
    top = next(iter(tops)) if len(tops) == 1 else ""
    is_folder = all(len(entry.parts) > 1 for entry in entries)
    names = {assignment.casefold(), assignment.casefold().split("-")[0]}
    names |= {source.stem.casefold()} if source.is_file() else set()
    wraps = is_folder and top and (_WRAPPER.fullmatch(top) or top.casefold() in names)
    course = source.is_dir() and (source.name == "submitted" or (source / "submitted").is_dir())
    if not wraps:
        return entries, course
    return [replace(entry, parts=entry.parts[1:]) for entry in entries], course or top == "submitted"


def _owned(entries: list[Entry]) -> Iterator[Entry]:
    """The entries with their owners; Gradescope's stand in a file of its own."""
    stated: dict[str, Owner] = {}
    for entry in entries:
        if entry.parts == _METADATA:
            stated = gradescope_owners(entry.read())
    for entry in entries:
        if owner := stated.get(entry.parts[0]):
            yield replace(entry, owner=replace(owner, inside=entry.parts[1:]))
        elif not stated or entry.parts != _METADATA:
            yield replace(entry, owner=owner_of(entry.parts))


def _refuse_a_class_below(source: Path, found: list[Found]) -> None:
    """One folder that holds what a platform calls students is most likely the class's, not a student's."""
    below = {entry.parts[1] for one in found for entry in one.entries if len(entry.parts) > 1}
    if len(found) == 1 and sum(bool(owner_of((name,)).platform) for name in below) > 1:
        name = found[0].student
        raise SubmissionError(
            f"{source} holds one folder, {name}, with the names of several students in it. Grade {name} "
            "itself, unpacked, if it is the platform's download.",
            path=source,
        )


def _found(group: list[Entry], assignment: str, is_nbgrader: bool) -> Found | None:
    """One student's files; those that say they belong to another assignment are left out."""
    stated = [entry.owner for entry in group if entry.owner.assignment]
    fits = any(same_assignment(owner.assignment, assignment) for owner in stated)
    if stated and not fits and all(owner.time for owner in stated):
        return None  # the exchange says so for certain; a folder's name may mean anything
    if fits:
        group = [
            entry
            for entry in group
            if not entry.owner.assignment or same_assignment(entry.owner.assignment, assignment)
        ]
    is_stamp = {entry.name: is_nbgrader and entry.owner.inside[1:] == (_TIMESTAMP,) for entry in group}
    stamp = next((entry for entry in group if is_stamp[entry.name]), None)
    owner = max((entry.owner for entry in group), key=lambda owner: len(owner.lms_prefix))
    return Found(owner.student, assignment, owner, tuple(one for one in group if one is not stamp), stamp)


def _without_column(found: list[Found]) -> Iterator[Found]:
    """Blackboard's students by their user names, as the receipt says or as what differs between the names."""
    names = [one.student for one in found if one.owner.platform == "blackboard"]
    shared = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    common = "".join(letters[0] for letters in shared).rfind("_") + 1
    for one in found:
        if one.owner.platform == "blackboard":
            user = _user_in_receipt(one) or one.student[common:]
            one = replace(one, student=user, owner=replace(one.owner, student=user))
        yield one


def _user_in_receipt(one: Found) -> str:
    """The user name in a receipt's first line, `Name: Jane Doe (jdoe)`, if the file's name says the same."""
    for entry in one.entries:
        if not entry.owner.inside:
            match = re.match(r"Name: .*\((.+)\)\s*\n", entry.read()[:1_000].decode("utf-8", "replace"))
            if match and one.student.endswith(f"_{match[1]}"):
                return match[1]
    return ""


def distinct(found: Iterable[Found]) -> Iterator[Found]:
    """Each with a name that no other has: of two with one name both get the platform's id, or a number."""
    ordered = sorted(found, key=lambda one: one.owner.key)
    names = Counter(one.student for one in ordered)
    taken = {name for name, count in names.items() if count == 1}
    for one in ordered:
        base = student = one.student
        if names[base] > 1:
            base = student = f"{base} ({one.owner.lms_id or one.owner.platform or 'no platform'})"
            number = 1
            while student in taken:
                student, number = f"{base} #{number + 1}", number + 1
            taken.add(student)
        yield replace(one, student=student)


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
    try:
        modified = datetime(*member.modified).astimezone(UTC)
    except (ValueError, OverflowError):
        modified = None
    name = f"the time in {archive.name}"
    return Entry(_parts(member.name), modified, name, lambda: archive.read(member))


def _expanded(entry: Entry) -> Iterator[Entry]:
    """The files in a student's zip instead of the zip."""
    if entry.ending not in _ARCHIVES:
        yield entry
        return
    for inner in _members(entry):
        if not _is_junk(inner.parts):
            owner = replace(entry.owner, inside=(*entry.owner.inside, *inner.parts))
            yield replace(
                entry,
                parts=(*entry.parts, *inner.parts),
                read=inner.read,
                owner=owner,
                own_time=inner.modified,
            )


def _members(entry: Entry) -> Iterator[Entry]:
    data, name = entry.read(), entry.parts[-1]
    if entry.ending == ".zip":
        archive = Archive(data, name)
        yield from (_zipped(member, archive) for member in archive)
        return
    for member, content in untarred(data, name):
        yield Entry(_parts(member), None, "", content.tobytes)


def _parts(name: str) -> tuple[str, ...]:
    return PurePosixPath(name.replace("\\", "/")).parts or (name or "unnamed",)


def _is_junk(parts: tuple[str, ...]) -> bool:
    return any(part in _JUNK or part.startswith("._") for part in parts) or parts[-1].startswith(".")


def _is_one_student(entries: list[Entry]) -> bool:
    """True if a file holds one notebook and no archives: one student's work, not a platform's download."""
    endings = [entry.ending for entry in entries]
    if any(owner_of(entry.parts).platform or entry.parts == _METADATA for entry in entries):
        return False
    return endings.count(".ipynb") == 1 and not _ARCHIVES & set(endings)


def _beside(notebook: Entry, others: list[Entry]) -> tuple[list[tuple[str, bytes]], list[str]]:
    """The files that lie with the notebook, while they fit; and what was left out."""
    folder, total = notebook.owner.inside[:-1], 0
    files, notes = [], []
    for entry in others:
        path = entry.owner.inside
        if (
            path[: len(folder)] != folder
            or not path[len(folder) :]
            or entry.owner.time != notebook.owner.time
        ):
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
        files.append(("/".join(path[len(folder) :]), data))
    return files, notes


def _no_notebook(entries: list[Entry]) -> str:
    seen = ", ".join(sorted(entry.parts[-1] for entry in entries)[:5]) or "nothing"
    return f"There is no notebook in it (but {seen}). Ask for the .ipynb file."


__all__ = ["NOTEBOOK_BYTES", "Entry", "Found", "Submission", "collect"]
