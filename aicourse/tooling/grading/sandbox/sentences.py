"""Sentences about a run, in words that an instructor can pass on."""

from __future__ import annotations

from aicourse.tooling.grading.sandbox.execution import Ending, Limits


def size(count: int) -> str:
    """A number of bytes in the unit that people would use.

    >>> size(1 << 30), size(64 << 20), size(1500)
    ('1 GB', '64 MB', '1 kB')
    """
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{max(1, count >> 10)} kB"


def seconds(count: float) -> str:
    """A duration.

    >>> seconds(1), seconds(2.5)
    ('1 second', '2.5 seconds')
    """
    return f"{count:g} second" + ("" if count == 1 else "s")


def about_cell(number: int, ending: Ending, limits: Limits, *, code: int | None = None) -> str:
    """The reason why the `number`th cell (counted from 1) was stopped."""
    cell = f"Cell {number}"
    if ending == "timed_out":
        return f"{cell} ran longer than {seconds(limits.cell_seconds)} and was stopped."
    if ending == "out_of_memory":
        return f"{cell} used more than {size(limits.memory)} of memory and was stopped."
    if ending == "flooded":
        return f"{cell} wrote more than {size(limits.output)} of output and was stopped."
    how = f" with exit code {code}" if code is not None and code > 0 else ""
    how = f" with signal {-code}" if code is not None and code < 0 else how
    return f"{cell} ended the kernel{how}; the notebook was run again without it."


def notebook_too_slow(number: int, limits: Limits) -> str:
    """The whole notebook's time was up while the `number`th cell ran."""
    return (
        f"The notebook ran longer than {seconds(limits.notebook_seconds)}; "
        f"it was stopped in cell {number}, and the cells after it were not run."
    )


def too_much_to_keep(limits: Limits) -> str:
    """All cells together showed too much; they ran, and what they showed later is left out."""
    return f"The notebook showed more than {size(limits.outputs)} of output; what came after is left out."


def about_process(limits: Limits) -> str:
    """A process that a cell started was ended by the kernel's memory limit, and the notebook went on."""
    return (
        f"A process that the notebook started used more than {size(limits.memory)} of memory and was stopped."
    )


def did_not_start(reason: str) -> str:
    """The sandbox could not be entered."""
    if "No space left" in reason:
        return "The files beside the notebook are larger than a submission may be, so it was not run."
    if reason.startswith("FilesError: "):
        return reason.removeprefix("FilesError: ")
    return f"The notebook could not be run: the sandbox did not start ({reason})."
