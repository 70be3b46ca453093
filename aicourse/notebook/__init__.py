"""Lessons as a student meets them: the first cell, checks, hints, predictions, views to touch.

    from aicourse.notebook import check, explore, predict, start

`start` opens a lesson and shows where replies come from. `check` judges an answer by its behaviour, `hint`
helps once more, `predict` and `outcome` stand around a surprising result, `progress` adds it all up: none of
them raises or waits, so an unsolved exercise never stops a notebook. `explore`, `code_failures` and
`show_diff` show runs and prompts, `annotate` asks for verdicts on a sample, `sliders` shows whatever moves.
Names load on first use; where nobody could press a button (papermill, the site) everything draws itself as
plain HTML and text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.notebook.exercises import check as check
    from aicourse.notebook.hints import hint as hint
    from aicourse.notebook.lesson import start as start
    from aicourse.notebook.predictions import outcome as outcome
    from aicourse.notebook.predictions import predict as predict
    from aicourse.notebook.reporting import progress as progress
    from aicourse.notebook.widgets.annotating import annotate as annotate
    from aicourse.notebook.widgets.coding import code_failures as code_failures
    from aicourse.notebook.widgets.explorer import explore as explore
    from aicourse.notebook.widgets.monitor import show_dashboard as show_dashboard
    from aicourse.notebook.widgets.prompt_diff import show_diff as show_diff
    from aicourse.notebook.widgets.sliders import sliders as sliders

_HOME = {
    "annotate": "aicourse.notebook.widgets.annotating",
    "check": "aicourse.notebook.exercises",
    "code_failures": "aicourse.notebook.widgets.coding",
    "explore": "aicourse.notebook.widgets.explorer",
    "hint": "aicourse.notebook.hints",
    "outcome": "aicourse.notebook.predictions",
    "predict": "aicourse.notebook.predictions",
    "progress": "aicourse.notebook.reporting",
    "show_dashboard": "aicourse.notebook.widgets.monitor",
    "show_diff": "aicourse.notebook.widgets.prompt_diff",
    "sliders": "aicourse.notebook.widgets.sliders",
    "start": "aicourse.notebook.lesson",
}

__all__ = sorted(_HOME)
__getattr__, __dir__ = lazily(__name__, _HOME)
