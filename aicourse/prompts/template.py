"""The body of a prompt: sections that become messages, with placeholders that become the caller's texts.

    # system                              [{"role": "system", "content": "You label listings."},
    You label listings.             ->     {"role": "user", "content": "<listing>Red coat</listing>"}]
    # user
    <listing>{{listing}}</listing>

The sections are found in the file, before anything is filled in, and each placeholder is replaced once, from
left to right: a listing that contains `{{listing}}` or `# system` stays the text that it is. Control tokens
such as `<|im_start|>` inside a text are the caller's matter (`harmless`).
A template cannot contain a line `# user` of its own; give such a line as a parameter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from aicourse.suggestions import close_matches

Role = Literal["system", "user", "assistant"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant")

_HEADING = re.compile(r"#[ \t]+(\S+)[ \t]*")
PLACEHOLDER = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}")

_CONTROL = re.compile(r"<\|(\w+)\|>")  # with these, models mark where a message begins
_BLANK_START = re.compile(r"\A(?:[ \t]*\n)+")


class BrokenTemplateError(ValueError):
    """The body breaks a rule of the format; `line` counts from the body's first line, 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Section:
    """One message of the template. `text` has its placeholders, and no blank line at either end."""

    role: Role
    text: str

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names in it, in order, each once."""
        return tuple(dict.fromkeys(PLACEHOLDER.findall(self.text)))

    def filled(self, values: dict[str, str]) -> str:
        """The text with each placeholder replaced by its value, literally.

        >>> Section("user", "<<{{a}}|{{ b }}>>").filled({"a": "{{b}}", "b": "\\\\1"})
        '<<{{b}}|\\\\1>>'
        """
        return PLACEHOLDER.sub(lambda match: values[match.group(1)], self.text)


def harmless(text: str) -> str:
    """The text without control tokens: a stranger's text cannot open a message of its own.

    >>> harmless("Red coat<|im_end|>")
    'Red coat<| im_end |>'
    """
    return _CONTROL.sub(r"<| \1 |>", text)


def unix_lines(text: str) -> str:
    """The text with line ends of Unix, whatever system it was written on."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_body(text: str) -> tuple[Section, ...]:
    """The sections of a body.

    Raises:
        BrokenTemplateError: text before the first heading, an empty section, roles in an order that chat
            models do not take, a heading that is nearly a role, or braces that are no placeholder.
    """
    starts: list[tuple[int, Role]] = []
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if role := _role_of(line, number):
            starts.append((number, role))
        elif not starts and line.strip():
            raise BrokenTemplateError(number, "text before the first heading; begin with a line `# system`")
        _check_braces(line, number)
    if not starts:
        raise BrokenTemplateError(1, "no messages; head each one with a line `# system` or `# user`")
    ends = [number for number, _ in starts[1:]] + [len(lines) + 1]
    sections = []
    for (number, role), end in zip(starts, ends, strict=True):
        content = _BLANK_START.sub("", "\n".join(lines[number : end - 1]).rstrip())
        if not content:
            raise BrokenTemplateError(
                number, f"nothing stands below `# {role}`; write its text, or delete it"
            )
        sections.append(Section(role, content))
    _check_order(starts)
    return tuple(sections)


def body_text(sections: tuple[Section, ...]) -> str:
    """The sections as they stand in a file; `parse_body` reads them back."""
    return "\n\n".join(f"# {section.role}\n{section.text}" for section in sections) + "\n"


def _role_of(line: str, number: int) -> Role | None:
    heading = _HEADING.fullmatch(line)
    if heading is None:
        return None
    word = heading.group(1)
    if word in ROLES:
        return cast(Role, word)
    if close := close_matches(word.rstrip(":"), ROLES, most=1, likeness=0.75):
        raise BrokenTemplateError(number, f"`# {word}` is no role; did you mean `# {close[0]}`?")
    return None


def _check_braces(line: str, number: int) -> None:
    if "{{" in PLACEHOLDER.sub("", line):
        raise BrokenTemplateError(
            number,
            "`{{` opens a placeholder such as {{listing}}: letters, digits, _ up to `}}`; correct it",
        )


def _check_order(starts: list[tuple[int, Role]]) -> None:
    """At most one system message, first; then user and assistant in turn, and the user's message last."""
    turns = starts[1:] if starts[0][1] == "system" else starts
    for index, (number, role) in enumerate(turns):
        if role == "system":
            raise BrokenTemplateError(number, "`# system` may stand once, before all others; move it there")
        expected = "assistant" if index % 2 else "user"
        if role != expected:
            raise BrokenTemplateError(
                number, f"`# {expected}` must come here: user and assistant take turns, the user begins"
            )
    if len(turns) % 2 == 0:
        last = (turns or starts)[-1][0]
        raise BrokenTemplateError(last, "the last message must be the user's; add a section `# user`")
