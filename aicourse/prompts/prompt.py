"""A prompt: one version of the text that a model is asked with, and everything that identifies it.

Drawn as HTML for notebooks, all text escaped. Borders take the text's own colour, so that dark themes work.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from aicourse.errors import PromptError
from aicourse.html import escape
from aicourse.llm.calls import HINTS_HEADER, PROMPT_HEADER
from aicourse.prompts.sampling import HintItems
from aicourse.prompts.template import PLACEHOLDER, Section, body_text
from aicourse.suggestions import did_you_mean

HASH_LENGTH = 12  # hexadecimal digits: 48 bits, far more than the versions of one prompt need
CHARACTERS_PER_TOKEN = 4
_HASHED_AS = {"max_completion_tokens": "max_tokens"}  # its name when the first hashes were written down

BOX = Markup("style='border:1px solid;border-radius:4px;padding:.6em .8em;margin:.4em 0;max-width:60em'")
PRE = Markup(
    "style='white-space:pre-wrap;margin:0 0 .6em;padding:.2em .6em;border-left:3px solid;"
    "background:transparent;color:inherit'"
)


@dataclass(frozen=True)
class Prompt:
    """One version of a prompt, read from `source`.

        prompt = prompts.load("extract_listing@production")
        client.chat.completions.create(
            model=…, messages=prompt.render(listing=text), extra_headers=prompt.headers, **prompt.hints
        )

    `parent` is the version that it was made from, `labels` are those that it had when it was loaded. Two
    prompts with the same `hash` ask the same.
    """

    name: str
    version: int
    parent: int | None
    changelog: str
    parameters: tuple[str, ...]
    sections: tuple[Section, ...]
    hint_items: HintItems = ()
    source: Path | None = field(default=None, compare=False)
    labels: tuple[str, ...] = field(default=(), compare=False)

    def render(self, **parameters: str) -> list[dict[str, str]]:
        """The messages, as the OpenAI client takes them; the texts of the parameters go in literally.

        Raises:
            PromptError: a parameter is missing, unknown, or not text.
        """
        missing = [name for name in self.parameters if name not in parameters]
        if missing:
            call = ", ".join(f"{name}=…" for name in self.parameters)
            raise PromptError(
                f"{self.ref} needs {', '.join(missing)}: call render({call}).",
                prompt=self.ref,
                missing=missing,
            )
        for name, value in parameters.items():
            self._check(name, value)
        return [{"role": part.role, "content": part.filled(parameters)} for part in self.sections]

    def _check(self, name: str, value: object) -> None:
        if name not in self.parameters:
            takes = f"takes {', '.join(self.parameters)}" if self.parameters else "takes no parameters"
            raise PromptError(
                f"{self.ref} does not use {name!r}; it {takes}.{did_you_mean(name, self.parameters)} "
                f"Leave {name} out, or put {{{{{name}}}}} into a new version.",
                prompt=self.ref,
                unknown=name,
            )
        if not isinstance(value, str):
            raise PromptError(
                f"{name} must be text, not {type(value).__name__}: convert it with str() or json.dumps().",
                prompt=self.ref,
                parameter=name,
            )

    @functools.cached_property
    def hash(self) -> str:
        """The content that a model sees, as 12 hexadecimal digits: sections, parameters and hints.

        Name, version, parent and changelog do not count: they change nothing for the model.
        """
        content = {
            "messages": [[part.role, part.text] for part in self.sections],
            "parameters": sorted(self.parameters),
            "hints": {_HASHED_AS.get(name, name): value for name, value in sorted(self.hint_items)},
        }
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]

    @property
    def ref(self) -> str:
        """Name and version, as `load` takes them: "extract_listing@v3"."""
        return f"{self.name}@v{self.version}"

    @property
    def hints(self) -> dict[str, Any]:
        """Keyword arguments for `client.chat.completions.create`."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in self.hint_items}

    @property
    def facts(self) -> dict[str, str]:
        """The facts that a run or a trace notes: prompt, version and hash."""
        return {"prompt": self.name, "version": f"v{self.version}", "hash": self.hash}

    @property
    def headers(self) -> dict[str, str]:
        """For `extra_headers`: the course's clients note it with the call and do not send it on."""
        return {PROMPT_HEADER: f"{self.ref} {self.hash}", HINTS_HEADER: json.dumps(self.hints)}

    @property
    def body(self) -> str:
        """The sections as they stand in the file, to be changed and given to `new`."""
        return body_text(self.sections)

    @property
    def estimated_tokens(self) -> int:
        """About how many tokens the text has, before anything is filled in: 4 characters each.

        On 21 different calls of lesson 01 to the embedded model it was 2 to 20 % low, 11 % on average: the
        model's chat format adds about 5 tokens per message. usage(client) has the true count of a call.
        """
        return estimate_tokens(self.body)

    def __repr__(self) -> str:
        return f"<Prompt {self.ref} {self.hash}>"

    def _repr_html_(self) -> str:
        """The prompt with its notes above and one block per message; placeholders are bold."""
        parts = []
        for section in self.sections:
            text = PLACEHOLDER.sub(lambda match: f"<b>{match.group()}</b>", escape(section.text))
            parts.append(f"<div><small>{section.role}</small></div><pre {PRE}>{text}</pre>")
        return (
            f"<div {BOX}><div><b>{escape(self.ref)}</b> <code>{self.hash}</code></div>"
            f"<div>{escape(self.changelog)}</div><div><small>{escape(self._notes)}</small></div><hr>"
            f"{''.join(parts)}</div>"
        )

    @property
    def _notes(self) -> str:
        notes = [f"from v{self.parent}"] if self.parent else []
        notes += [f"label {label}" for label in self.labels]
        notes.append(f"parameters: {', '.join(self.parameters) or 'none'}")
        notes += [f"{name} {value}" for name, value in self.hints.items()]
        return " · ".join([*notes, f"about {self.estimated_tokens} tokens"])


def estimate_tokens(text: str) -> int:
    """About how many tokens `text` has: 4 characters each, the usual rule for English.

    >>> estimate_tokens("Which colours?")
    4
    """
    return -(-len(text) // CHARACTERS_PER_TOKEN)
