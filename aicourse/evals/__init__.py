"""Evaluation: cases in, scores out, two runs compared, a decision.

One journey, file by file: a *listing* is a case (`cases`); its *prompt* goes through a *client* and comes
back as a *reply* (your task, called by `runner`, which also counts what the calls cost); the reply and the
*trace* of its tokens and seconds become a record; scorers give it *scores* (`scores`, `scorers`); all records
are a *run* (`runs`; its file, and what it is of: `resuming`, `identity`); two runs make a *comparison*
(`comparison`, on `statistics`), and a gate makes that a *decision* (`rules`, `noninferiority`, `gating`,
`approval`). A scorer may be a model, as far as it was measured (`judge`, `validation`, `bias`). To look
closer: `error_analysis`, `annotators`, `report`.

    from aicourse.evals import Case, compare, gate, run     # scorers and statistics: by module

The nouns, and that the type of a score is its meaning, follow pydantic_evals. Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.evals.annotators import Agreement as Agreement
    from aicourse.evals.annotators import agreement as agreement
    from aicourse.evals.approval import approval_of as approval_of
    from aicourse.evals.approval import read_approval as read_approval
    from aicourse.evals.approval import write_approval as write_approval
    from aicourse.evals.cases import Case as Case
    from aicourse.evals.cases import EvaluationSet as EvaluationSet
    from aicourse.evals.cases import from_corrections as from_corrections
    from aicourse.evals.cases import save_cases as save_cases
    from aicourse.evals.comparison import Comparison as Comparison
    from aicourse.evals.comparison import compare as compare
    from aicourse.evals.error_analysis import NoteBook as NoteBook
    from aicourse.evals.error_analysis import sample_failures as sample_failures
    from aicourse.evals.error_analysis import taxonomy as taxonomy
    from aicourse.evals.gating import GateResult as GateResult
    from aicourse.evals.gating import gate as gate
    from aicourse.evals.judge import Judge as Judge
    from aicourse.evals.judge import validate as validate
    from aicourse.evals.judge import with_threshold as with_threshold
    from aicourse.evals.plots import plot_changes as plot_changes
    from aicourse.evals.plots import plot_slices as plot_slices
    from aicourse.evals.report import write_report as write_report
    from aicourse.evals.rules import Rule as Rule
    from aicourse.evals.rules import default_rules as default_rules
    from aicourse.evals.rules import refuse_unreachable as refuse_unreachable
    from aicourse.evals.runner import rescore as rescore
    from aicourse.evals.runner import run as run
    from aicourse.evals.runs import CaseRecord as CaseRecord
    from aicourse.evals.runs import Run as Run
    from aicourse.evals.runs import load_run as load_run
    from aicourse.evals.scores import Context as Context
    from aicourse.evals.scores import Score as Score
    from aicourse.evals.slices import score_by_slice as score_by_slice
    from aicourse.evals.statistics import corrected_rate as corrected_rate
    from aicourse.evals.validation import Validation as Validation
    from aicourse.evals.validation import read_validation as read_validation

_NAMES = {
    "annotators": ("Agreement", "agreement"),
    "approval": ("approval_of", "read_approval", "write_approval"),
    "cases": ("Case", "EvaluationSet", "from_corrections", "save_cases"),
    "comparison": ("Comparison", "compare"),
    "error_analysis": ("NoteBook", "sample_failures", "taxonomy"),
    "gating": ("GateResult", "gate"),
    "judge": ("Judge", "validate", "with_threshold"),
    "plots": ("plot_changes", "plot_slices"),
    "report": ("write_report",),
    "rules": ("Rule", "default_rules", "refuse_unreachable"),
    "runner": ("rescore", "run"),
    "runs": ("CaseRecord", "Run", "load_run"),
    "scores": ("Context", "Score"),
    "slices": ("score_by_slice",),
    "statistics": ("corrected_rate",),
    "validation": ("Validation", "read_validation"),
}
_HOME = {name: f"aicourse.evals.{module}" for module, names in _NAMES.items() for name in names}

__all__ = sorted(_HOME)
__getattr__, __dir__ = lazily(__name__, _HOME)
