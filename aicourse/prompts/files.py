"""A prompt file: YAML front matter between two lines `---`, then the body (see `template`).

    ---
    name: extract_listing
    version: 3
    parent: 2                                   # empty in a first version
    changelog: Names the colours it may use.
    parameters: [listing]
    hints: {temperature: 0, max_tokens: 200}
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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from aicourse.errors import PromptError
from aicourse.prompts.folders import shown
from aicourse.prompts.records import Prompt
from aicourse.prompts.sampling import HintValue, check_hint, did_you_mean
from aicourse.prompts.template import BrokenTemplateError, Section, parse_body

FIELDS = ("name", "version", "parent", "changelog", "parameters", "hints")
REQUIRED = ("name", "version", "changelog")
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
MAX_BYTES = 200_000
_FENCE = "---"
_MAX_VERSION = 999_999


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
    return parse_prompt(text.replace("\r\n", "\n").replace("\r", "\n"), path)


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
    entries = _front_matter("\n".join(lines[1:end]), path)
    try:
        sections = parse_body("\n".join(lines[end + 1 :]))
    except BrokenTemplateError as error:
        _refuse(path, end + 1 + error.line, str(error))
    return _Reader(path, entries).prompt(sections)


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
class _Entry:
    """A field of the front matter and the line of the file that it begins on."""

    value: Any
    line: int


def _front_matter(text: str, path: Path) -> dict[str, _Entry]:
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            _refuse(path, 2, "the front matter has no fields; write lines such as `name: extract_listing`")
        entries: dict[str, _Entry] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 2
            if not isinstance(key_node, yaml.ScalarNode):
                _refuse(path, line, "a field's name must be one word, such as `name:`")
            name = str(key_node.value)
            if name in entries:
                _refuse(path, line, f"{name} is given twice; delete one of the lines")
            entries[name] = _Entry(loader.construct_object(value_node, deep=True), line)
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark.line if error.problem_mark else 0) + 2
        _refuse(path, line, f"this is not YAML ({error.problem}); texts with `:` or `#` need quotes")
    except (yaml.YAMLError, ValueError, RecursionError):
        _refuse(path, 2, "the front matter is not YAML; write lines such as `name: extract_listing`")
    return entries


@dataclass(frozen=True)
class _Reader:
    """Turns the fields of a file's front matter into a prompt, checking each."""

    path: Path
    entries: Mapping[str, _Entry]

    def prompt(self, sections: tuple[Section, ...]) -> Prompt:
        for name, entry in self.entries.items():
            if name not in FIELDS:
                guess = did_you_mean(name, FIELDS)
                self._refuse(name, f"no field is called {name!r}.{guess} Known are: {', '.join(FIELDS)}")
            if entry.value is None and name in REQUIRED:
                self._refuse(name, f"{name} is empty; give it a value")
        for name in REQUIRED:
            if name not in self.entries:
                _refuse(self.path, 1, f"the front matter has no {name}; add a line `{name}: …`")
        return Prompt(
            name=self._name(),
            version=self._version(),
            parent=self._parent(),
            changelog=self._changelog(),
            parameters=self._parameters(sections),
            sections=sections,
            hint_items=self._hints(),
            source=self.path,
        )

    def _refuse(self, name: str, message: str) -> NoReturn:
        _refuse(self.path, self.entries[name].line, message)

    def _value(self, name: str) -> Any:
        return self.entries[name].value if name in self.entries else None

    def _name(self) -> str:
        value = self._value("name")
        if not isinstance(value, str) or not NAME.fullmatch(value):
            self._refuse("name", "name must be lower-case letters, digits and _, such as extract_listing")
        return value

    def _version(self) -> int:
        value = self._value("version")
        if not _is_version(value):
            self._refuse("version", "version must be a whole number from 1, without a v")
        return int(value)

    def _parent(self) -> int | None:
        value = self._value("parent")
        if value is None:
            return None
        if not _is_version(value) or value >= self._version():
            self._refuse("parent", "parent must be the number of an earlier version, or empty")
        return int(value)

    def _changelog(self) -> str:
        value = self._value("changelog")
        if not isinstance(value, str) or not value.strip():
            self._refuse("changelog", "changelog must be a sentence on what changed, in quotes if YAML asks")
        return value.strip()

    def _parameters(self, sections: tuple[Section, ...]) -> tuple[str, ...]:
        value = self._value("parameters")
        declared = [] if value is None else value
        if not isinstance(declared, list) or not all(isinstance(name, str) for name in declared):
            self._refuse("parameters", "parameters must be a list of names, such as [listing]")
        used = {name for section in sections for name in section.placeholders}
        for name in declared:
            if name not in used:
                guess = did_you_mean(name, used)
                self._refuse(
                    "parameters", f"{{{{{name}}}}} stands nowhere in the body.{guess} Use it or delete it"
                )
        if undeclared := sorted(used - set(declared)):
            line = self.entries["parameters"].line if "parameters" in self.entries else 1
            guess = did_you_mean(undeclared[0], declared)
            _refuse(
                self.path,
                line,
                f"the body uses {{{{{undeclared[0]}}}}}, which is no parameter.{guess} Add it to parameters",
            )
        return tuple(dict.fromkeys(declared))

    def _hints(self) -> tuple[tuple[str, HintValue], ...]:
        value = self._value("hints")
        if value is None:
            return ()
        if not isinstance(value, dict):
            self._refuse("hints", "hints must be a mapping, such as {temperature: 0, max_tokens: 200}")
        try:
            return tuple((str(name), check_hint(str(name), setting)) for name, setting in value.items())
        except ValueError as error:
            self._refuse("hints", str(error))


def _is_version(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MAX_VERSION


def _refuse(path: Path, line: int, message: str) -> NoReturn:
    raise PromptError(f"{shown(path)}, line {line}: {message}.", path=path, line=line)
