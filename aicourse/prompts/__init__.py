"""Prompts as versioned files: load, fill in, compare, and decide which one is in production.

    from aicourse import prompts

    prompt = prompts.load("extract_listing@production")
    messages = prompt.render(listing="Red wool coat, size M")
    prompts.diff("extract_listing@1", prompt)

Read in this order: `template` (a body becomes messages) with `sampling` (hints), `prompt` (one version),
`file` (its form on disk), `folders` (where files are; a used version is frozen), `promotion` (the labels
production and candidate move), `library` (find and make versions), `difference`.
"""

from __future__ import annotations

from aicourse.prompts.difference import PromptDiff, diff
from aicourse.prompts.file import prompt_text, read_prompt
from aicourse.prompts.folders import mark_used
from aicourse.prompts.library import load, names, new, versions
from aicourse.prompts.promotion import Approval, LabelMove, history, labels, promote, rollback
from aicourse.prompts.prompt import Prompt, estimate_tokens

__all__ = [
    "Approval",
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
    "prompt_text",
    "read_prompt",
    "rollback",
    "versions",
]
