"""Names in platforms' downloads: whose file it is and when it came, as the platform says at its own level.

Only the first part of a path is read, the one that the platform wrote. What lies below was named by a
student, and no name there says who somebody is or when something came.

- Moodle, "Download all submissions": `Full Name_1234567_assignsubmission_file/hw01.ipynb` (4.1 and later),
  with a trailing underscore before, or one flat name `…_assignsubmission_file_hw01.ipynb` (before 3.1).
  Source: mod/assign/feedback/file/importziplib.php, `is_valid_filename_for_import`.
- Canvas, "Download submissions": `doejane_LATE_12345_67890_hw01-1.ipynb`, where the first two groups of
  digits are the user's and the attachment's ids, and `-1` counts resubmissions; a text that was typed in is
  `doejane_12345_text.html`. Source: app/models/assignment.rb, `infer_comment_context_from_filename`.
- Blackboard, "Download assignment": `hw01_jdoe_attempt_2026-12-01-10-00-00_hw01.ipynb`, and the receipt
  `hw01_jdoe_attempt_2026-12-01-10-00-00.txt`; for a group its name stands in place of `jdoe`.
- Gradescope, "Export submissions": `submission_123/hw01.ipynb`, and `submission_metadata.yml` beside these
  folders says whose they are and when they came; several names are a group.
- nbgrader's exchange: `inbound/student+hw01+2026-12-01 10:00:00.000000 UTC[+random]/hw01.ipynb`, and its
  course folder: `submitted/student/hw01/{hw01.ipynb,timestamp.txt}`.
  Source: nbgrader/exchange/default/submit.py.
- otherwise: a folder, a zip or a notebook per student, named after the student.
"""

from __future__ import annotations

import re
import time
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from aicourse.html import one_line

_MOODLE = re.compile(
    r"(?P<prefix>(?P<name>[^_]+)_(?P<id>\d+))_assignsubmission_[a-z]+(?:_(?P<rest>.*))?\Z", re.DOTALL
)
# a folder's name holds nothing else, so the last number in it is Moodle's, also after a name with underscores
_MOODLE_FOLDER = re.compile(r"(?P<prefix>(?P<name>.+)_(?P<id>\d+))_assignsubmission_[a-z]+_?\Z", re.DOTALL)
_CANVAS = re.compile(
    r"(?P<prefix>(?P<name>[^_]+)_(?:late_)?(?P<id>\d+)_\d+)_(?P<rest>.+)\Z", re.IGNORECASE | re.DOTALL
)
_CANVAS_TEXT = re.compile(r"(?P<name>[^_]+)_(?:late_)?(?P<id>\d+)_(?P<rest>text\.html)\Z", re.IGNORECASE)
_BLACKBOARD = re.compile(
    r"(?P<name>.+?)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<rest>.+)|(?P<receipt>\.txt))\Z", re.DOTALL
)
_EXCHANGE = re.compile(r"(?P<name>[^+]+)\+(?P<assignment>[^+]+)\+(?P<time>\d{4}-\d\d-\d\d [^+]+)(?:\+.*)?\Z")
_COPY = re.compile(r"(?:-(?P<canvas>\d{1,3})|[ _]?\((?P<browser>\d{1,3})\))\Z")
_ENDINGS = {".ipynb.json": ".ipynb", ".ipynb.txt": ".ipynb", ".tar.gz": ".tar", ".tgz": ".tar"}
# Hours from UTC, RFC 822 and European law. Names that mean several zones (BST, IST) are left out on purpose.
_ABBREVIATIONS = {
    **{"UTC": 0, "GMT": 0, "UT": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3},
    **{"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7},
    **{"AKST": -9, "AKDT": -8, "HST": -10, "MSK": 3, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11},
    **{"NZST": 12, "NZDT": 13},
}


@dataclass(frozen=True)
class Person:
    """A student as a platform knows them: ids of two platforms are never the same.

    `lms_id` is the platform's number (Gradescope: the e-mail address), `lms_prefix` how names of files handed
    back must begin.
    """

    student: str = ""
    platform: str = ""
    lms_id: str = ""
    lms_prefix: str = ""

    @property
    def identity(self) -> str:
        """The platform's id with the platform's name, such as `moodle 101`; else the name."""
        return f"{self.platform} {self.lms_id}" if self.lms_id else self.student


@dataclass(frozen=True)
class Owner(Person):
    """The student or group who handed a file in. `key` groups their files; `inside` is the path below.

    `time` is when it came if the platform says so, `time_by` where that stands. `members` are a group's.
    """

    key: str = ""
    inside: tuple[str, ...] = ()
    assignment: str = ""
    time: datetime | None = None
    time_by: str = ""
    members: tuple[Person, ...] = ()


def owner_of(parts: tuple[str, ...]) -> Owner:
    """The owner of the file at `parts`, a path below the platform's level.

    >>> owner_of(("Ada Byron_17_assignsubmission_file", "hw01.ipynb")).student
    'Ada Byron'
    >>> owner_of(("byronada_LATE_17_99_hw01-1.ipynb",)).identity
    'canvas 17'
    >>> owner_of(("ada", "Bo_18_assignsubmission_file", "hw01.ipynb")).student
    'ada'
    """
    parts = tuple(map(normal, parts))  # a name that is no text here must not break what is written later
    first, rest = parts[0], parts[1:]
    if match := (rest and _MOODLE_FOLDER.match(first)) or _MOODLE.match(first):
        inside = rest or ((match["rest"],) if match["rest"] else ())
        number = match["id"]
        return Owner(match["name"], "moodle", number, match["prefix"], f"moodle {number}", inside or (first,))
    if not rest and (match := _CANVAS.match(first) or _CANVAS_TEXT.match(first)):
        number, prefix = match["id"], match.groupdict().get("prefix") or ""
        return Owner(match["name"], "canvas", number, prefix, f"canvas {number}", (match["rest"],))
    if not rest and (match := _BLACKBOARD.match(first)):
        name, stated = match["name"], match["time"]
        sent, by = parse_time(f"{stated[:10]} {stated[11:].replace('-', ':')}"), "Blackboard's file name"
        inside = (match["rest"],) if match["rest"] else ()
        key = f"blackboard {name}"
        return Owner(name, "blackboard", key=key, inside=inside, time=sent, time_by=by)
    if rest and (match := _EXCHANGE.match(first)):
        sent, by = parse_time(match["time"]), "the exchange folder's name"
        name, assignment = match["name"], match["assignment"]
        return Owner(name, key=f"name {name}", inside=rest, assignment=assignment, time=sent, time_by=by)
    student = first if rest else first[: -len(_written_ending(first)) or None]
    # nbgrader's course folder has one folder per assignment below the student's
    assignment = parts[1] if len(parts) == 3 else ""
    return Owner(student, key=f"name {student}", inside=rest or parts, assignment=assignment)


def gradescope_owners(metadata: bytes) -> dict[str, Owner]:
    """The owners of Gradescope's folders by folder name, from submission_metadata.yml; empty when it is none.

    A student is known there by the e-mail address. No tag in it is obeyed and every value stays text.
    """
    try:
        records = yaml.load(metadata, getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return {}
    listed = records.items() if isinstance(records, dict) else ()
    return {name: _gradescope_owner(name, record) for name, record in listed if isinstance(record, dict)}


def _gradescope_owner(folder: str, record: dict[str, Any]) -> Owner:
    listed = record.get(":submitters")
    submitters = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    people = tuple(
        Person(normal(str(one.get(":name") or folder)), "gradescope", normal(str(one.get(":email") or "")))
        for one in submitters
    )
    sent, by = parse_time(str(record.get(":created_at", ""))), "Gradescope's submission_metadata.yml"
    key = f"gradescope {folder}"
    if len(people) == 1:
        return Owner(**vars(people[0]), key=key, time=sent, time_by=by)
    student = ", ".join(person.student for person in people)[:80] or normal(folder)
    return Owner(student, "gradescope", key=key, time=sent, time_by=by, members=people)


def normal(name: str) -> str:
    """A name in the one form that is stored: composed letters (macOS takes é apart), on one line."""
    return unicodedata.normalize("NFC", one_line(name.encode("utf-8", "replace").decode("utf-8")))


def _written_ending(name: str) -> str:
    lower = name.lower()
    return next((end for end in _ENDINGS if lower.endswith(end)), PurePosixPath(lower).suffix)


def ending(name: str) -> str:
    """The kind of a file by its name, whatever a browser or a mail program hung on it.

    >>> [ending(name) for name in ("hw01.ipynb.txt", "HW01.IPYNB", "work.tar.gz", "notes.txt")]
    ['.ipynb', '.ipynb', '.tar', '.txt']
    """
    written = _written_ending(name)
    return _ENDINGS.get(written, written)


def version_of(stem: str) -> int:
    """The number of times the name was handed in before, as Canvas and browsers count it.

    >>> [version_of(stem) for stem in ("hw01", "hw01-2", "hw01 (3)")]
    [0, 2, 3]
    """
    match = _COPY.search(stem)
    return int(match["canvas"] or match["browser"]) if match else 0


def parse_time(text: str) -> datetime | None:
    """A platform's time, in UTC; without a zone it is local time. None when it is not known for certain.

    >>> str(parse_time("2026-12-01 10:00:00.000000 CET")), parse_time("2026-12-01 10:00 IST")
    ('2026-12-01 09:00:00+00:00', None)
    """
    moment = zoned_time(text)
    try:
        return moment.astimezone(UTC) if moment else None
    except (ValueError, OverflowError, OSError):
        return None


def zoned_time(text: str) -> datetime | None:
    """A time with an abbreviation, an offset or a zone's name, or with none.

    None when it is no time, or its zone is not known for certain: a guess would cost somebody points.
    """
    match = re.match(r"\s*(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?)(\.\d+)?\s*([\w+:/-]*)\s*\Z", text)
    if not match:
        return None
    try:
        moment = datetime.fromisoformat(match[1] + (match[2] or "")[:7].rstrip("."))
        if match[3] and match[3][0] in "+-":
            return datetime.fromisoformat(f"{moment.isoformat()}{match[3]}")
        return moment.replace(tzinfo=_zone(match[3])) if match[3] else moment
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return None


def _zone(name: str) -> tzinfo:
    if name in time.tzname:  # this machine's own word: CST means another zone in China
        east = (time.timezone, time.altzone)[time.tzname.index(name)]
        return timezone(timedelta(seconds=-east))
    hours = _ABBREVIATIONS.get(name.upper())
    return ZoneInfo(name) if hours is None else timezone(timedelta(hours=hours))


def same_assignment(stated: str, name: str) -> bool:
    """True if a name on a file means the assignment: of `hw01` and `hw01-extraction` one names the other.

    >>> same_assignment("hw01", "hw01-extraction"), same_assignment("hw1", "hw10")
    (True, False)
    """
    short, long = sorted((stated.casefold(), name.casefold()), key=len)
    return long.startswith(short) and not long[len(short) :][:1].isalnum()
