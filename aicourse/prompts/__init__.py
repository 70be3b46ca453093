"""Prompts as versioned files: load, fill in, compare, and decide which one is in production.

    from aicourse import prompts

    prompt = prompts.load("extract_listing@production")
    messages = prompt.render(listing="Red wool coat, size M")
    prompts.diff("extract_listing@1", prompt)

Read in this order: `template` (a body becomes messages) with `hints`, `records` (what a prompt is), `files`
(how it stands in a file), `folders` (where files are), `library` (find and make versions), `ledger` (a used
version is frozen), `labels` (production, candidate: promote and roll back), `difference` and `views`.
"""

from __future__ import annotations

from aicourse.prompts.difference import PromptDiff, diff
from aicourse.prompts.labels import GateProof, LabelMove, history, labels, promote, rollback
from aicourse.prompts.ledger import mark_used
from aicourse.prompts.library import load, names, new, versions
from aicourse.prompts.records import Prompt, estimate_tokens

__all__ = [
    "GateProof",
    "LabelMove",
    "Prompt",
    "PromptDiff",
    "diff",
    "estimate_tokens",
    "history",
    "labels",
    "load",
    "mark_used",
    "names",
    "new",
    "promote",
    "rollback",
    "versions",
]
