"""What doctor says: findings, and a report of them that draws itself in a terminal and in Jupyter.

>>> print(Report((Finding("Disk", "warning", "1 GB free", "Free 2 GB."),)))
warning  Disk  1 GB free
               -> Free 2 GB.
<BLANKLINE>
1 warning
"""

from __future__ import annotations

import html
import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Literal

Status = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `fix` says what to do when `status` is not ok."""

    subject: str
    status: Status
    message: str
    fix: str = ""


@dataclass(frozen=True)
class Report:
    """All findings, in the order they were looked at."""

    findings: tuple[Finding, ...]

    @property
    def has_problems(self) -> bool:
        """Does something keep lessons from running."""
        return any(finding.status == "problem" for finding in self.findings)

    @property
    def summary(self) -> str:
        """How many problems and warnings, in words."""
        counts = Counter(finding.status for finding in self.findings)
        parts = [
            f"{counts[status]} {status}{'s' if counts[status] > 1 else ''}"
            for status in ("problem", "warning")
            if counts[status]
        ]
        return ", ".join(parts) or "Everything is fine."

    def to_json(self) -> str:
        """The findings as JSON, for scripts and bug reports."""
        content = {"summary": self.summary, "findings": [asdict(finding) for finding in self.findings]}
        return json.dumps(content, indent=2)

    def __str__(self) -> str:
        width = max((len(finding.subject) for finding in self.findings), default=0)
        lines = []
        for finding in self.findings:
            lines.append(f"{finding.status:<7}  {finding.subject:<{width}}  {finding.message}")
            if finding.fix:
                lines.append(f"{'':<7}  {'':<{width}}  -> {finding.fix}")
        return "\n".join([*lines, "", self.summary])

    def _repr_html_(self) -> str:
        rows = "".join(_html_row(finding) for finding in self.findings)
        return f"<table><tbody>{rows}</tbody></table><p>{html.escape(self.summary)}</p>"


def _html_row(finding: Finding) -> str:
    fix = f"<br><em>{html.escape(finding.fix)}</em>" if finding.fix else ""
    return (
        f"<tr><td>{finding.status}</td>"
        f'<th scope="row" style="text-align: left">{html.escape(finding.subject)}</th>'
        f'<td style="text-align: left">{html.escape(finding.message)}{fix}</td></tr>'
    )
