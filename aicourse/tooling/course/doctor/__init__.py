"""What on this machine helps or hinders the course, each finding with one line that mends it.

    from aicourse import doctor

    doctor.report()              # everything, for a person or a bug report
    doctor.report(brief=True)    # what every lesson needs, in words that are the same on every good machine

A lesson shows the brief report, because nbval compares its output with what is stored. Most of the
course runs on recorded replies, so a missing model, key or server is no problem. Nothing here calls a
provider, leaves this machine or shows a key; `checks` has one function for each thing that is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

from aicourse.tooling.course.doctor.checks import CHECKS, Check
from aicourse.tooling.course.doctor.findings import Finding as Finding
from aicourse.tooling.course.doctor.findings import Report as Report

SEVERITY = ("ok", "warning", "problem")


def report(*, brief: bool = False, checks: Sequence[Check] = CHECKS) -> Report:
    """Look at everything, or with `brief` at what every lesson needs: one finding for each check."""
    if brief:
        return Report(tuple(_worst(check) for check in checks if check.needed))
    return Report(tuple(finding for check in checks for finding in _examine(check)))


def _examine(check: Check) -> tuple[Finding, ...]:
    """The findings of one check; a check that fails is a finding too, and the others still run."""
    try:
        return tuple(check.examine())
    except Exception as error:
        message = f"could not be looked at: {type(error).__name__}: {error}"
        return (Finding(check.subject, "problem", message, "Please report this as a bug of aicourse."),)


def _worst(check: Check) -> Finding:
    worst = max(_examine(check), key=lambda finding: SEVERITY.index(finding.status))
    return Finding(check.subject, "ok", "ready") if worst.status == "ok" else worst
