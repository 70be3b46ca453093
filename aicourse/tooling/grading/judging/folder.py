"""The folder that `aicourse grade` writes, and the only place that knows what stands where in it.

    grades/
      results/<student>.json      one result each, written atomically
      executed/<student>.ipynb    the notebook as it ran
      hand_grades.json            points given by hand
      replies.jsonl               the model's replies to prompts of students, so that none is asked twice
      gradebook.csv, gradebook.sqlite, report.html, similarity.html, feedback/<student>.html

File names come from students' names, which are foreign: anything but plain lower-case letters and digits
gets a hash, so that no two students share a file on any file system and no name leaves the folder.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from aicourse.errors import GradingError
from aicourse.paths import write_atomically
from aicourse.processes import sole_holder
from aicourse.tooling.grading.judging.results import SubmissionResult

_PLAIN = re.compile(r"[a-z0-9][a-z0-9@._-]{0,79}\Z")
_HASHED = re.compile(r"(.*-)?[0-9a-f]{16}\Z")  # only what has a hash may look as if it had one
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|\Z)")


def file_stem(student: str) -> str:
    """A file name for a student.

    >>> file_stem("alice"), file_stem("../Zoë")
    ('alice', 'zoe-8840d1f49662e9e8')
    """
    special = _RESERVED.match(student) or _HASHED.match(student) or student.endswith(".")
    if _PLAIN.match(student) and not special:
        return student
    ascii_name = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:40]
    # so long that no student can try names until two are alike
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{slug}-{digest}" if slug else digest


class GradesFolder:
    """Reads and writes results below `root`."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self.results_dir = self.root / "results"
        self.executed_dir = self.root / "executed"
        self.feedback_dir = self.root / "feedback"
        self.hand_grades = self.root / "hand_grades.json"
        self.replies = self.root / "replies.jsonl"
        self.gradebook_csv = self.root / "gradebook.csv"
        self.gradebook_sqlite = self.root / "gradebook.sqlite"
        self.report = self.root / "report.html"
        self.similarity = self.root / "similarity.html"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held while grading: two graders in one folder would undo each other's work.

        Raises:
            GradingError: somebody else holds it.
        """

        def refusal(holder: str) -> GradingError:
            wait = "Wait for it, or choose another folder with --out."
            message = f"Another run is grading into {self.root}{holder}. {wait}"
            return GradingError(message, folder=self.root)

        with sole_holder(self.root / ".lock", refusal):
            self._remove_leftovers()
            yield

    def _remove_leftovers(self) -> None:
        """Halves of files that a killed run was writing (see `write_atomically`)."""
        for folder in (self.results_dir, self.executed_dir):
            for leftover in folder.glob(".*"):
                leftover.unlink(missing_ok=True)

    def write(self, result: SubmissionResult) -> None:
        """Store a result. The notebook comes first: where there is a result, everything is there."""
        stem = file_stem(result.student)
        if result.executed:
            write_atomically(self.executed(result.student), result.executed)
        write_atomically(self.results_dir / f"{stem}.json", result.to_json())

    def executed(self, student: str) -> Path:
        """The place of the notebook as it ran."""
        return self.executed_dir / f"{file_stem(student)}.ipynb"

    def find(self, student: str) -> SubmissionResult | None:
        """A student's stored result; None when there is none, or none of this version."""
        path = self.results_dir / f"{file_stem(student)}.json"
        try:
            return _read(path) if path.is_file() else None
        except GradingError:
            return None

    def results(self) -> Iterator[SubmissionResult]:
        """All results, by student's name.

        Raises:
            GradingError: there is none, or one cannot be read.
        """
        paths = sorted(self.results_dir.glob("[!.]*.json"))
        if not paths:
            raise GradingError(
                f"No results in {self.root}. Grade first: aicourse grade hw01 submissions/ --out {self.root}",
                folder=self.root,
            )
        yield from (_read(path) for path in paths)


def _read(path: Path) -> SubmissionResult:
    try:
        return SubmissionResult.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        raise GradingError(
            f"{path} is not a result of this version ({type(error).__name__}). Delete it and grade again.",
            path=path,
        ) from None
