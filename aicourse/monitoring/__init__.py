"""Monitoring: what the product does to real users, watched, asked and corrected.

`spans` and `tracing` follow each request, `redaction` takes out what nobody should keep, and `span_store`
keeps the rest in SQLite. *Scores* are given to a share of requests by rules and judges (`scoring`);
*metrics* are read from spans, feedback and scores (`metrics`), *drift* is told from chance
(`drift`), control *charts* tell when a rate leaves what is normal (`charts`); *alerts* are rules about all
that (`alerts`), and the dashboard draws it (`figures`). *Feedback* is kept as it comes (`feedback`);
annotators look at samples (`samplers`) from which rates are estimated back (`estimates`, `silence`); what
they confirm becomes cases (`corrections`).

    from aicourse.monitoring import dashboard, open_metrics, sample_corrected, span, start_tracing

Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.monitoring.alerts import episodes as episodes
    from aicourse.monitoring.alerts import evaluate as evaluate
    from aicourse.monitoring.alerts import latest as latest
    from aicourse.monitoring.alerts import notifications as notifications
    from aicourse.monitoring.alerts import notifications_per_week as notifications_per_week
    from aicourse.monitoring.alerts import read_rules as read_rules
    from aicourse.monitoring.charts import Cusum as Cusum
    from aicourse.monitoring.charts import Ewma as Ewma
    from aicourse.monitoring.charts import Threshold as Threshold
    from aicourse.monitoring.charts import run_length as run_length
    from aicourse.monitoring.corrections import annotated_cases as annotated_cases
    from aicourse.monitoring.corrections import with_examples as with_examples
    from aicourse.monitoring.drift import compare_mix as compare_mix
    from aicourse.monitoring.drift import false_alarms as false_alarms
    from aicourse.monitoring.drift import psi as psi
    from aicourse.monitoring.drift import psi_limit as psi_limit
    from aicourse.monitoring.drift import same_distribution as same_distribution
    from aicourse.monitoring.drift import same_mix as same_mix
    from aicourse.monitoring.estimates import hajek as hajek
    from aicourse.monitoring.estimates import horvitz_thompson as horvitz_thompson
    from aicourse.monitoring.feedback import export_feedback as export_feedback
    from aicourse.monitoring.feedback import record_annotation as record_annotation
    from aicourse.monitoring.feedback import record_published as record_published
    from aicourse.monitoring.feedback import record_thumb as record_thumb
    from aicourse.monitoring.figures import dashboard as dashboard
    from aicourse.monitoring.metrics import open_metrics as open_metrics
    from aicourse.monitoring.metrics import read_corrections as read_corrections
    from aicourse.monitoring.metrics import read_metrics as read_metrics
    from aicourse.monitoring.metrics import read_scores as read_scores
    from aicourse.monitoring.redaction import Redaction as Redaction
    from aicourse.monitoring.samplers import published_traces as published_traces
    from aicourse.monitoring.samplers import sample_corrected as sample_corrected
    from aicourse.monitoring.samplers import sample_random as sample_random
    from aicourse.monitoring.samplers import sample_stratified as sample_stratified
    from aicourse.monitoring.samplers import sample_uncertain as sample_uncertain
    from aicourse.monitoring.scoring import score_requests as score_requests
    from aicourse.monitoring.silence import disagreements as disagreements
    from aicourse.monitoring.silence import published_fields as published_fields
    from aicourse.monitoring.silence import wrong_rates as wrong_rates
    from aicourse.monitoring.span_store import SpanStore as SpanStore
    from aicourse.monitoring.spans import note as note
    from aicourse.monitoring.spans import record_score as record_score
    from aicourse.monitoring.spans import span as span
    from aicourse.monitoring.tracing import Tracing as Tracing
    from aicourse.monitoring.tracing import start_tracing as start_tracing

_NAMES = {
    "alerts": ("episodes", "evaluate", "latest", "notifications", "notifications_per_week", "read_rules"),
    "charts": ("Cusum", "Ewma", "Threshold", "run_length"),
    "corrections": ("annotated_cases", "with_examples"),
    "drift": ("compare_mix", "false_alarms", "psi", "psi_limit", "same_distribution", "same_mix"),
    "estimates": ("hajek", "horvitz_thompson"),
    "feedback": ("export_feedback", "record_annotation", "record_published", "record_thumb"),
    "figures": ("dashboard",),
    "metrics": ("open_metrics", "read_corrections", "read_metrics", "read_scores"),
    "redaction": ("Redaction",),
    "samplers": (
        "published_traces", "sample_corrected", "sample_random", "sample_stratified", "sample_uncertain",
    ),
    "scoring": ("score_requests",),
    "silence": ("disagreements", "published_fields", "wrong_rates"),
    "span_store": ("SpanStore",),
    "spans": ("note", "record_score", "span"),
    "tracing": ("Tracing", "start_tracing"),
}  # fmt: skip
_HOME = {name: f"aicourse.monitoring.{module}" for module, names in _NAMES.items() for name in names}

__all__ = sorted(_HOME)
__getattr__, __dir__ = lazily(__name__, _HOME)
