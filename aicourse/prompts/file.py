"""A prompt file: YAML front matter between two lines `---`, then the body (see `template`).

    ---
    name: extract_listing
    version: 3
    parent: 2                                   # empty in a first version
    changelog: Names the colours it may use.
    parameters: [listing]
    hints: {temperature: 0, max_completion_tokens: 200}
    ---
    # system
    You label listings of a second-hand marketplace.
    # user
    <listing>{{listing}}</listing>

Every mistake is one sentence with the file and the line. Line endings, blank lines around a section and the
order of the fields do not count. A file may come from a stranger: it is data, and at most 200 kB.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from aicourse.errors import PromptError
from aicourse.prompts.folders import shown
from aicourse.prompts.prompt import Prompt
from aicourse.prompts.sampling import HintItems, check_hints
from aicourse.prompts.template import BrokenTemplateError, Section, parse_body, unix_lines
from aicourse.suggestions import did_you_mean

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
MAX_BYTES = 200_000
_FENCE = "---"
_Version = Annotated[int, Field(ge=1, le=999_999)]


class _Fields(BaseModel):
    """The fields of the front matter, with what each must be in `description`."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    name: str = Field(
        pattern=f"^{NAME.pattern}$",
        description="lower-case letters, digits and _, such as extract_listing",
    )
    version: _Version = Field(description="a whole number from 1, without a v")
    parent: _Version | None = Field(None, description="the number of an earlier version, or empty")
    changelog: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        description="a sentence on what changed, in quotes if YAML asks"
    )
    parameters: list[str] | None = Field(None, description="a list of names, such as [listing]")
    hints: dict[Any, Any] | None = Field(
        None, description="a mapping, such as {temperature: 0, max_completion_tokens: 200}"
    )


def read_prompt(path: Path) -> Prompt:
    """The prompt in a file.

    Raises:
        PromptError: it cannot be read, or it breaks the format; carries `path` and `line`.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PromptError(
            f"{shown(path)} cannot be read ({error.strerror}). Check the path.", path=path
        ) from None
    if len(data) > MAX_BYTES:
        raise PromptError(
            f"{shown(path)} has {len(data):,} bytes; a prompt has at most {MAX_BYTES:,}. "
            "Shorten it, or give the long part as a parameter.",
            path=path,
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        _refuse(path, line, "this is not UTF-8; save the file as UTF-8")
    return parse_prompt(unix_lines(text), path)


def parse_prompt(text: str, path: Path) -> Prompt:
    """The prompt that `text`, the content of `path`, describes.

    Raises:
        PromptError: it breaks the format.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != _FENCE:
        _refuse(path, 1, "no front matter; begin the file with a line `---`, then `name:`, `version:` …")
    end = next((at for at, line in enumerate(lines[1:], start=1) if line.rstrip() == _FENCE), None)
    if end is None:
        _refuse(path, len(lines), "the front matter does not end; put a line `---` before the first section")
    front = _FrontMatter.read("\n".join(lines[1:end]), path)
    try:
        sections = parse_body("\n".join(lines[end + 1 :]))
    except BrokenTemplateError as error:
        _refuse(path, end + 1 + error.line, str(error))
    fields = front.fields()
    return Prompt(
        name=fields.name,
        version=fields.version,
        parent=fields.parent,
        changelog=fields.changelog,
        parameters=front.parameters(fields, sections),
        sections=sections,
        hint_items=front.hints(fields),
        source=path,
    )


def prompt_text(prompt: Prompt) -> str:
    """The file of a prompt; `parse_prompt` reads it back."""
    front: dict[str, Any] = {
        "name": prompt.name,
        "version": prompt.version,
        "parent": prompt.parent,
        "changelog": prompt.changelog,
        "parameters": list(prompt.parameters),
        "hints": prompt.hints,
    }
    kept = {name: value for name, value in front.items() if value is not None and value != {}}
    matter = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
    return f"{_FENCE}\n{matter}{_FENCE}\n{prompt.body}"


@dataclass(frozen=True)
class _FrontMatter:
    """The front matter of a file as YAML has it, and the line that each field begins on."""

    path: Path
    values: dict[str, Any]
    lines: dict[str, int]

    @classmethod
    def read(cls, text: str, path: Path) -> _FrontMatter:
        """Read it as plain data."""
        front = cls(path, {}, {})
        try:
            loader = yaml.SafeLoader(text)
            node = loader.get_single_node()
            if not isinstance(node, yaml.MappingNode):
                _refuse(
                    path, 2, "the front matter has no fields; write lines such as `name: extract_listing`"
                )
            for key, value in node.value:
                line = key.start_mark.line + 2
                if not isinstance(key, yaml.ScalarNode):
                    _refuse(path, line, "a field's name must be one word, such as `name:`")
                if key.value in front.values:
                    _refuse(path, line, f"{key.value} is given twice; delete one of the lines")
                front.values[key.value] = loader.construct_object(value, deep=True)
                front.lines[key.value] = line
        except yaml.MarkedYAMLError as error:
            line = (error.problem_mark.line if error.problem_mark else 0) + 2
            _refuse(path, line, f"this is not YAML ({error.problem}); texts with `:` or `#` need quotes")
        except (yaml.YAMLError, ValueError, RecursionError):
            _refuse(path, 2, "the front matter is not YAML; write lines such as `name: extract`")
        return front

    def fields(self) -> _Fields:
        """The fields, each checked by itself, and the parent against the version."""
        known = _Fields.model_fields
        for name in self.values:
            if name not in known:
                guess = did_you_mean(name, known)
                self._refuse(name, f"no field is called {name!r}.{guess} Known are: {', '.join(known)}")
        try:
            fields = _Fields.model_validate(self.values)
        except ValidationError as error:
            name = str(error.errors()[0]["loc"][0])
            if name not in self.values:
                self._refuse(name, f"the front matter has no {name}; add a line `{name}: …`")
            if self.values[name] is None:
                self._refuse(name, f"{name} is empty; give it a value")
            self._refuse(name, f"{name} must be {known[name].description}")
        if fields.parent is not None and fields.parent >= fields.version:
            self._refuse("parent", f"parent must be {known['parent'].description}")
        return fields

    def parameters(self, fields: _Fields, sections: tuple[Section, ...]) -> tuple[str, ...]:
        """The declared parameters, which must be the placeholders of the body."""
        declared = fields.parameters or []
        used = {name for section in sections for name in section.placeholders}
        for name in declared:
            if name not in used:
                words = f"{{{{{name}}}}} stands nowhere in the body.{did_you_mean(name, used)}"
                self._refuse("parameters", f"{words} Use it or delete it")
        for name in sorted(used.difference(declared)):
            words = f"the body uses {{{{{name}}}}}, which is no parameter.{did_you_mean(name, declared)}"
            self._refuse("parameters", f"{words} Add it to parameters")
        return tuple(dict.fromkeys(declared))

    def hints(self, fields: _Fields) -> HintItems:
        """The hints, each in its range."""
        try:
            return check_hints(fields.hints or {})
        except ValueError as error:
            self._refuse("hints", str(error))

    def _refuse(self, name: str, message: str) -> NoReturn:
        _refuse(self.path, self.lines.get(name, 1), message)


def _refuse(path: Path, line: int, message: str) -> NoReturn:
    raise PromptError(f"{shown(path)}, line {line}: {message}.", path=path, line=line)
