"""Prompts and their differences as HTML for notebooks and as Markdown for CI summaries.

All text is escaped. Borders take the text's own colour, so that dark themes work; added and removed words
differ by underline and strike-through, not by colour.
"""

from __future__ import annotations

import re
from html import escape

from aicourse.prompts.difference import Piece, PromptDiff
from aicourse.prompts.labels import labels
from aicourse.prompts.records import Prompt

_BOX = "style='border:1px solid;border-radius:4px;padding:.6em .8em;margin:.4em 0;max-width:60em'"
_PRE = (
    "style='white-space:pre-wrap;margin:0 0 .6em;padding:.2em .6em;border-left:3px solid;"
    "background:transparent;color:inherit'"
)
_PLACEHOLDER = re.compile(r"\{\{[ \t]*[A-Za-z_][A-Za-z0-9_]*[ \t]*\}\}")


def prompt_html(prompt: Prompt) -> str:
    """The prompt with its facts above and one block per message; placeholders are bold."""
    parts = []
    for section in prompt.sections:
        text = _PLACEHOLDER.sub(lambda match: f"<b>{match.group()}</b>", escape(section.text, quote=False))
        parts.append(f"<div><small>{section.role}</small></div><pre {_PRE}>{text}</pre>")
    facts = " · ".join(escape(fact) for fact in _facts(prompt))
    return (
        f"<div {_BOX}><div><b>{escape(prompt.ref)}</b> <code>{prompt.hash}</code></div>"
        f"<div>{escape(prompt.changelog)}</div><div><small>{facts}</small></div><hr>{''.join(parts)}</div>"
    )


def prompt_markdown(prompt: Prompt) -> str:
    """The same as Markdown, the messages in fenced blocks."""
    blocks = [f"{section.role}\n{_fenced(section.text)}" for section in prompt.sections]
    facts = " · ".join(_facts(prompt))
    head = f"**{prompt.ref}** `{prompt.hash}`\n\n{_escaped(prompt.changelog)}\n\n{_escaped(facts)}"
    return "\n\n".join([head, *blocks]) + "\n"


def diff_html(diff: PromptDiff) -> str:
    """The changed text with `<ins>` and `<del>`, below the numbers."""
    settings = "".join(f"<div><code>{escape(line)}</code></div>" for line in diff.settings)
    body = "".join(_piece(piece) for piece in diff.pieces)
    legend = "<small><del>struck through</del>: removed · <ins><b>underlined</b></ins>: added</small>"
    head = f"<div><b>{escape(diff.headline)}</b></div>{settings}{legend}"
    return f"<div {_BOX}>{head}<hr><pre {_PRE}>{body}</pre></div>"


def diff_markdown(diff: PromptDiff) -> str:
    """The text form in a fenced block, which no prompt can break out of."""
    head, _, body = str(diff).partition("\n\n")
    lines = [_escaped(line) for line in head.split("\n")]
    return f"**{lines[0]}**\n\n" + "".join(f"{line}  \n" for line in lines[1:]) + f"\n{_fenced(body)}\n"


def _facts(prompt: Prompt) -> list[str]:
    facts = [f"from v{prompt.parent}"] if prompt.parent else []
    facts += [
        f"label {move.label}"
        for move in labels(prompt.name)
        if (move.version, move.hash) == (prompt.version, prompt.hash)
    ]
    facts.append(f"parameters: {', '.join(prompt.parameters) or 'none'}")
    facts += [f"{name} {value}" for name, value in prompt.hints.items()]
    return [*facts, f"about {prompt.estimated_tokens} tokens"]


def _piece(piece: Piece) -> str:
    text = escape(piece.text, quote=False)
    if piece.kind == "added":
        return f"<ins style='text-decoration:underline'><b>{text}</b></ins>"
    return f"<del style='text-decoration:line-through'>{text}</del>" if piece.kind == "removed" else text


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", text)
