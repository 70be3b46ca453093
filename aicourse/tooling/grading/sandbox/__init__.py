"""Running student code so that it harms nobody: protection levels, namespaces, filters and limits.

In reading order: `levels` (what this machine offers), `execution` (what is asked, what comes back),
`executor` and `running` (a notebook from its start to its answers), `launching` and `kernel` (the grader's
side of a kernel), `request` and `files` (what is handed over), `zygote`, `supervisor`, `child` and
`kernel_side` (the other side). What protects: `view`, `namespaces`, `seccomp` with `syscalls`, `landlock`,
`limits`, `cgroups`, `watcher`; the heart of it is `child.enter_sandbox`. `proxy` is the only way to a model,
`provisioner` the way in for Jupyter clients, `plain` what runs where there is no sandbox.

Names load on first use: the zygote lives in this package, and must not import the grader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.tooling.grading.sandbox.executor import Sandbox as Sandbox
    from aicourse.tooling.grading.sandbox.levels import LevelReport as LevelReport
    from aicourse.tooling.grading.sandbox.levels import probe_levels as probe_levels

_HOME = {
    "LevelReport": "aicourse.tooling.grading.sandbox.levels",
    "Sandbox": "aicourse.tooling.grading.sandbox.executor",
    "probe_levels": "aicourse.tooling.grading.sandbox.levels",
}

__all__ = sorted(_HOME)
__getattr__, __dir__ = lazily(__name__, _HOME)
