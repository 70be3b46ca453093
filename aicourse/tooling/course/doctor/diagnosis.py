"""Diagnoses, and a report of them that draws itself in a terminal and in Jupyter.

>>> print(Report((Diagnosis("Disk", "warning", "1 GB free", "Free 2 GB."),)))
warning  Disk  1 GB free
               -> Free 2 GB.
<BLANKLINE>
1 warning
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Literal

from aicourse.html import escape

Status = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was looked at; `fix` says what to do when `status` is not ok."""

    subject: str
    status: Status
    message: str
    fix: str = ""


@dataclass(frozen=True, repr=False)
class Report:
    """All diagnoses, in the order they were looked at."""

    diagnoses: tuple[Diagnosis, ...]

    @property
    def has_problems(self) -> bool:
        """True if something keeps lessons from running."""
        return any(diagnosis.status == "problem" for diagnosis in self.diagnoses)

    @property
    def summary(self) -> str:
        """The numbers of problems and warnings, in words."""
        counts = Counter(diagnosis.status for diagnosis in self.diagnoses)
        parts = [
            f"{counts[status]} {status}{'s' if counts[status] > 1 else ''}"
            for status in ("problem", "warning")
            if counts[status]
        ]
        return ", ".join(parts) or "Everything is fine."

    def to_json(self) -> str:
        """The diagnoses as JSON, for scripts and bug reports."""
        content = {"summary": self.summary, "findings": [asdict(diagnosis) for diagnosis in self.diagnoses]}
        return json.dumps(content, indent=2)

    def __str__(self) -> str:
        width = max((len(diagnosis.subject) for diagnosis in self.diagnoses), default=0)
        lines = []
        for diagnosis in self.diagnoses:
            lines.append(f"{diagnosis.status:<7}  {diagnosis.subject:<{width}}  {diagnosis.message}")
            if diagnosis.fix:
                lines.append(f"{'':<7}  {'':<{width}}  -> {diagnosis.fix}")
        return "\n".join([*lines, "", self.summary])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(_html_row(diagnosis) for diagnosis in self.diagnoses)
        return f"<table><tbody>{rows}</tbody></table><p>{escape(self.summary)}</p>"


def _html_row(diagnosis: Diagnosis) -> str:
    fix = f"<br><em>{escape(diagnosis.fix)}</em>" if diagnosis.fix else ""
    return (
        f"<tr><td>{diagnosis.status}</td>"
        f'<th scope="row" style="text-align: left">{escape(diagnosis.subject)}</th>'
        f'<td style="text-align: left">{escape(diagnosis.message)}{fix}</td></tr>'
    )
