"""The machine as the course needs it: what helps or hinders, each problem with one line that repairs it.

    from aicourse import doctor

    doctor.report()              # everything, for a person or a bug report
    doctor.report(brief=True)    # what every lesson needs, in words that are the same on every good machine

A lesson shows the brief report, because nbval compares its output with what is stored. Most of the
course runs on recorded replies, so a missing model, key or server is no problem. Nothing here calls a
provider, leaves this machine or shows a key; `examinations` has one function for each subject.
"""

from __future__ import annotations

from collections.abc import Sequence

from aicourse.tooling.course.doctor.diagnosis import Diagnosis as Diagnosis
from aicourse.tooling.course.doctor.diagnosis import Report as Report
from aicourse.tooling.course.doctor.examinations import EXAMINATIONS, Examination

SEVERITY = ("ok", "warning", "problem")


def report(*, brief: bool = False, examinations: Sequence[Examination] = EXAMINATIONS) -> Report:
    """Look at everything, or with `brief` at what every lesson needs: one diagnosis for each subject."""
    if brief:
        return Report(tuple(_worst(one) for one in examinations if one.needed))
    return Report(tuple(diagnosis for one in examinations for diagnosis in _examine(one)))


def _examine(examination: Examination) -> tuple[Diagnosis, ...]:
    """The diagnoses of one examination; one that fails is a diagnosis too, and the others still run."""
    try:
        return tuple(examination.examine())
    except Exception as error:
        message = f"could not be looked at: {type(error).__name__}: {error}"
        fix = "Please report this as a bug of aicourse."
        return (Diagnosis(examination.subject, "problem", message, fix),)


def _worst(examination: Examination) -> Diagnosis:
    worst = max(_examine(examination), key=lambda diagnosis: SEVERITY.index(diagnosis.status))
    return Diagnosis(examination.subject, "ok", "ready") if worst.status == "ok" else worst
