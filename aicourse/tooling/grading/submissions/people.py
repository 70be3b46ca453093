"""People in an instructor's own tables (CSV): groups, extensions, and who is meant by a name.

    groups.csv        group,student      Group 3,Ada Byron
    extensions.csv    student,deadline   Ada Byron,2026-12-03T23:59

A person is named as in the gradebook, by e-mail address, or by the platform's number (`101`, `moodle 101`).
A name that two people share is refused, never guessed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from aicourse.csv_text import CsvTable
from aicourse.errors import GradingError
from aicourse.tooling.grading.submissions.collecting import Found, distinct
from aicourse.tooling.grading.submissions.layouts import Person

Groups = Mapping[str, tuple[str, ...]]  # the members' names by the group's
Directory = Mapping[str, list[Found]]


def read_table(path: Path) -> CsvTable:
    """The CSV at `path`, in whatever encoding and with whatever delimiter.

    Raises:
        GradingError: it cannot be read, or is empty.
    """
    try:
        table = CsvTable.read(path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise GradingError(f"{path} cannot be read as CSV ({error}). Export it again.", path=path) from None
    if not table.rows:
        raise GradingError(f"{path} is empty. Export it again.", path=path)
    return table


def read_records(
    path: Path, *columns: str, optional: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The rows of a CSV: their place, for messages, and their cells under `columns`, then `optional` ones.

    Raises:
        GradingError: it cannot be read, or lacks a column.
    """
    table = read_table(path)
    head = [name.strip().casefold() for name in table.rows[0]]
    if missing := sorted(set(columns) - set(head)):
        needed = ", ".join(sorted(columns))
        raise GradingError(f"{path} has no column {', '.join(missing)}. It needs {needed}.", path=path)
    places = [head.index(name) if name in head else len(head) for name in (*columns, *optional)]
    for number, row in enumerate(table.rows[1:], start=2):
        stated = (row[place] if place < len(row) else "" for place in places)
        cells = tuple(unicodedata.normalize("NFC", cell).strip() for cell in stated)
        if any(cells):
            yield f"{path.name}, line {number}", cells


def read_groups(path: Path) -> Groups:
    """The groups in a CSV with the columns group and student.

    Raises:
        GradingError: it cannot be read, or a student is in two groups.
    """
    groups: dict[str, tuple[str, ...]] = {}
    seen: dict[str, str] = {}
    for place, (group, student) in read_records(path, "group", "student"):
        if not group or not student:
            raise GradingError(f"{place}: a group and a student are needed. Complete the row.")
        if seen.setdefault(same_name(student), group) != group:
            raise GradingError(
                f"{place}: {student} is in {seen[same_name(student)]} too. Leave one of the rows."
            )
        groups[group] = tuple(dict.fromkeys([*groups.get(group, ()), student]))
    return groups


def read_extensions(path: Path) -> dict[str, str]:
    """The deadlines of their own that a CSV with the columns student and deadline gives, by name.

    Raises:
        GradingError: it cannot be read, or names somebody twice.
    """
    extensions: dict[str, str] = {}
    for place, (student, deadline) in read_records(path, "student", "deadline"):
        if student in extensions:
            raise GradingError(f"{place}: {student} has a deadline already. Leave one of the rows.")
        extensions[student] = deadline
    return extensions


def same_name(text: str) -> str:
    """A name for comparing: composed letters, no capitals, single blanks.

    >>> same_name("JOSE\u0301  \u00d1and\u00fa") == same_name("Jos\u00e9 \u00d1and\u00fa")
    True
    """
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).split())


def directory(found: Iterable[Found]) -> Directory:
    """The submissions by every name that one may mean them by."""
    listed: dict[str, list[Found]] = {}
    for one in found:
        people = (one.owner, *one.owner.members)
        names = {name for person in people for name in (person.student, person.identity, person.lms_id)}
        for name in {same_name(name) for name in (one.student, *names) if name}:
            listed.setdefault(name, []).append(one)
    return listed


def named(listed: Directory, name: str) -> Found | None:
    """The submission of the person or group that `name` means; None when nobody is called so.

    Raises:
        GradingError: two are.
    """
    meant = listed.get(same_name(name), [])
    meant = [one for one in meant if one.student == name] or meant
    if len(meant) > 1:
        shown = " or ".join(f"{one.student} ({one.owner.identity})" for one in meant[:5])
        raise GradingError(f"{name!r} could be {shown}. Write the name in full, or the platform's number.")
    return meant[0] if meant else None


def grouped(found: list[Found], groups: Groups) -> tuple[list[Found], tuple[str, ...]]:
    """One submission for each group, whichever of its members handed in; the others stay as they are.

    Returns them, and the groups of which nobody did.

    Raises:
        GradingError: a name in a group could be two people's.
    """
    left, listed = {one.student: one for one in found}, directory(found)
    made, idle = [], []
    for group, names in groups.items():
        whose = {name: named(listed, name) for name in names}
        handed_in = {one.student: one for one in (named(listed, group), *whose.values()) if one}
        if twice := handed_in.keys() - left.keys():
            raise GradingError(f"{min(twice)} is in two groups, {group} and another. Leave one of the rows.")
        if not handed_in:
            idle.append(group)
            continue
        first, *rivals = (left.pop(student) for student in handed_in)
        members = tuple(_person(name, one) for name, one in whose.items())
        owner = replace(first.owner, key=f"group {group}", members=members)
        made.append(replace(first, student=group, owner=owner, rivals=tuple(rivals)))
    return sorted(distinct([*left.values(), *made]), key=lambda one: one.student), tuple(idle)


def _person(name: str, one: Found | None) -> Person:
    if one is None or one.owner.members:
        return Person(name)
    return Person(one.student, one.owner.platform, one.owner.lms_id, one.owner.lms_prefix)
