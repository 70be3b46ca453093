"""Names in platforms' downloads: whose file it is, as each platform says it in file and folder names.

- Moodle, "Download all submissions": `Full Name_1234567_assignsubmission_file/hw01.ipynb` (4.1 and later),
  with a trailing underscore before, or one flat name `…_assignsubmission_file_hw01.ipynb` (before 3.1).
  Source: mod/assign/feedback/file/importziplib.php, `is_valid_filename_for_import`.
- Canvas, "Download submissions": `doejane_LATE_12345_67890_hw01-1.ipynb`, where the first two groups of
  digits are the user's and the attachment's ids, and `-1` counts resubmissions.
  Source: app/models/assignment.rb, `infer_comment_context_from_filename`.
- nbgrader's exchange: `inbound/student+hw01+2026-12-01 10:00:00.000000 UTC[+random]/hw01.ipynb`, and its
  course folder: `submitted/student/hw01/{hw01.ipynb,timestamp.txt}`.
  Source: nbgrader/exchange/default/submit.py.
- otherwise: a folder, a zip or a notebook per student, named after the student.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MOODLE = re.compile(
    r"(?P<prefix>(?P<name>[^_]+)_(?P<id>\d+)_assignsubmission_[a-z]+)(?:_(?P<rest>.*))?\Z", re.DOTALL
)
_CANVAS = re.compile(r"(?P<prefix>(?P<name>[^_]+)_(?:late_)?(?P<id>\d+)_\d+)_(?P<rest>.+)\Z", re.IGNORECASE)
_EXCHANGE = re.compile(r"(?P<name>[^+]+)\+(?P<assignment>[^+]+)\+(?P<time>\d{4}-\d\d-\d\d [^+]+)(?:\+.*)?\Z")
_COPY = re.compile(r"(?:-(?P<canvas>\d{1,3})|[ _]?\((?P<browser>\d{1,3})\))\Z")


@dataclass(frozen=True)
class Owner:
    """The student who handed a file in. `key` groups their files; `inside` is the path in the submission.

    `lms_id` is the platform's number for the student, `lms_prefix` how names of files handed back must begin.
    """

    key: str
    student: str
    inside: tuple[str, ...]
    lms_id: str = ""
    lms_prefix: str = ""
    assignment: str = ""
    time: datetime | None = None


def owner_of(parts: tuple[str, ...]) -> Owner:
    """The owner of the file at `parts`, a path below the folder of submissions.

    >>> owner_of(("Ada Byron_17_assignsubmission_file", "hw01.ipynb")).student
    'Ada Byron'
    >>> owner_of(("byronada_LATE_17_99_hw01-1.ipynb",)).lms_id
    '17'
    """
    # a name that is no valid text on this system must not break what is written later
    parts = tuple(part.encode("utf-8", "replace").decode() for part in parts)
    for index, part in enumerate(parts):
        rest = parts[index + 1 :]
        if match := _MOODLE.match(part):
            inside = (match["rest"], *rest) if match["rest"] else rest
            return Owner(f"moodle {match['id']}", match["name"], inside, match["id"], match["prefix"])
        if rest and (match := _EXCHANGE.match(part)):
            name, time = match["name"], parse_time(match["time"])
            return Owner(f"name {name}", name, rest, assignment=match["assignment"], time=time)
        if not rest and (match := _CANVAS.match(part)):
            return Owner(
                f"canvas {match['id']}", match["name"], (match["rest"],), match["id"], match["prefix"]
            )
    if len(parts) == 1:
        student = parts[0].rpartition(".")[0] or parts[0]
        return Owner(f"name {student}", student, parts)
    # nbgrader's course folder has one folder per assignment below the student's
    assignment = parts[1] if len(parts) == 3 else ""
    return Owner(f"name {parts[0]}", parts[0], parts[1:], assignment=assignment)


def version_of(stem: str) -> int:
    """The number of times the name was handed in before, as Canvas and browsers count it.

    >>> [version_of(stem) for stem in ("hw01", "hw01-2", "hw01 (3)")]
    [0, 2, 3]
    """
    match = _COPY.search(stem)
    return int(match["canvas"] or match["browser"]) if match else 0


def parse_time(text: str) -> datetime | None:
    """nbgrader's time: with an abbreviation, an offset or a zone's name; without any, local time.

    >>> str(parse_time("2026-12-01 10:00:00.000000 UTC"))
    '2026-12-01 10:00:00+00:00'
    """
    match = re.match(r"\s*(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?:\.\d{1,6})?)\s*(\S*)", text)
    if not match:
        return None
    try:
        moment = datetime.fromisoformat(match[1])
        if match[2] and match[2][0] in "+-":
            moment = datetime.fromisoformat(match[1] + match[2])
        elif match[2]:
            moment = moment.replace(tzinfo=_zone(match[2]))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(name: str) -> tzinfo | None:
    try:
        return UTC if name in ("UTC", "Z", "GMT") else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def same_assignment(stated: str, name: str) -> bool:
    """True if a name on a file means the assignment: `hw01` and `hw01-extraction` do, `hw02` does not."""
    first, second = stated.casefold(), name.casefold()
    return first.startswith(second) or second.startswith(first)
