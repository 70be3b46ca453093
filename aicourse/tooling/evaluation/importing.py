"""Cases from strangers' files: promptfoo, inspect-ai, CSV; and the answers of a batch.

    imported = from_promptfoo("tests.yaml")
    imported.cases, imported.left_out      # what a case has no place for is named, not dropped silently

Whatever is broken is told in one sentence with file and line, and then nothing is imported. The formats are
described in `exporting`. Of promptfoo's assertions, `equals` and `contains` say what is expected; its dozens
of others name code or a judge, and are left out. An inspect-ai sample with `choices` becomes a case whose
input has the fields `input` and `choices`. Not handled: chat inputs that hold more than text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from aicourse import json_text
from aicourse.errors import EvaluationError
from aicourse.evals.cases import Case, make_case, read_lines, unique
from aicourse.suggestions import did_you_mean, similar_file

_NAMED = 3  # at most so many places are named for what was left out
_MOST_VALUES = 1_000_000  # in a YAML file, with what its aliases stand for


@dataclass
class Imported:
    """The cases of a file, and what it says that a case has no place for: where, by what."""

    cases: list[Case] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, what: str, place: str) -> None:
        """Note something that is not imported."""
        self.left_out.setdefault(what, []).append(place)

    @property
    def remarks(self) -> list[str]:
        """A line for each kind of thing that was left out."""
        more = {what: len(places) - _NAMED for what, places in self.left_out.items()}
        return [
            f"Left out: {what} ({', '.join(places[:_NAMED])}"
            + (f" and {more[what]} more)" if more[what] > 0 else ")")
            for what, places in self.left_out.items()
        ]

    def leave_out_others(self, what: str, given: Mapping[str, Any], known: Sequence[str], place: str) -> None:
        """Note the fields that are not known and hold something."""
        for name in given:
            if name not in known and given[name] not in (None, {}, []):
                self.leave_out(f"{what} {name!r}", place)


def _refuse(place: str, problem: str, remedy: str = "Correct it.") -> EvaluationError:
    return EvaluationError(f"{place}: {problem}. {remedy}", place=place)


def _id(value: Any, number: int, place: str) -> str:
    """The id that a file gives, or the case's number when it gives none."""
    if value is None:
        return str(number)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _refuse(place, f"the id {value!r} is no name", "Give each case a text or a number.")
    return str(value)


def _object(value: Any, name: str, place: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _refuse(place, f"`{name}` is a {type(value).__name__}, not an object")
    return value


# CSV


def from_csv(
    path: Path | str,
    *,
    input: str | Sequence[str],
    expected: str | Sequence[str] | None = None,
    id: str | None = None,
    tags: str | None = None,
) -> Imported:
    """One case per row of a CSV file with a header; every cell is text, an empty one is None (not stated).

    The arguments name columns; several become an object. Without `id` the rows are numbered from 1. `tags`
    are separated by commas.
    """
    path, imported = Path(path), Imported()
    rows = _csv_rows(path)
    place, header = next(rows, (f"{path}, line 1", []))
    wanted = [name for names in (input, expected, id, tags) if names for name in _listed(names)]
    _check_header(place, header, wanted)
    for name in header:
        if name not in wanted:
            imported.leave_out(f"the column {name!r}", "--input, --expected, --id and --tags name others")

    def cases() -> Iterator[tuple[str, Case]]:
        for number, (place, cells) in enumerate(rows, start=1):
            if len(cells) != len(header):
                count = f"{len(cells)} cells under {len(header)} headings"
                raise _refuse(place, count, "Put a cell that holds a comma or a line break into quotes.")
            row: dict[str, Any] = {name: cell or None for name, cell in zip(header, cells, strict=True)}
            if isinstance(input, str) and row[input] is None:
                raise _refuse(place, f"the column {input!r} is blank", "Fill it in, or delete the row.")
            words = (row[tags] or "").split(",") if tags else []
            yield (
                place,
                make_case(
                    place,
                    id=str(number) if id is None else row[id] or "",
                    input=_cells(row, input),
                    expected=None if expected is None else _cells(row, expected),
                    tags=[word.strip() for word in words if word.strip()],
                    provenance=path.name,
                ),
            )

    imported.cases = list(unique(cases(), str(path)))
    return imported


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _cells(row: Mapping[str, Any], names: str | Sequence[str]) -> Any:
    return row[names] if isinstance(names, str) else {name: row[name] for name in names}


def _csv_rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """The rows that hold something, each with its place."""
    reader, start = csv.reader(_text(path).splitlines(keepends=True), strict=True), 1
    try:
        for cells in reader:
            if cells:
                yield f"{path}, line {start}", cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise _refuse(f"{path}, line {start}", f"not CSV ({error})", "Correct the file.") from None


def _check_header(place: str, header: list[str], wanted: list[str]) -> None:
    if not header:
        raise _refuse(place, "no header", "Name the columns in the first line.")
    if doubled := [name for name in header if header.count(name) > 1]:
        raise _refuse(place, f"two columns are called {doubled[0]!r}", "Rename or delete one.")
    for name in wanted:
        if name not in header:
            near = did_you_mean(name, header)
            raise _refuse(
                place, f"no column {name!r}; there are {', '.join(map(repr, header))}", near.strip()
            )


def _text(path: Path) -> str:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return file.read()
    except OSError as error:
        near = similar_file(path)
        raise EvaluationError(
            f"No file {path} ({error.strerror}).{near} Check the path.", path=path
        ) from None
    except UnicodeDecodeError as error:
        raise EvaluationError(f"{path} is not UTF-8 text ({error.reason}). Save it as UTF-8.") from None


# promptfoo


def from_promptfoo(path: Path | str) -> Imported:
    """The tests of a promptfoo file or configuration; those without an id in their metadata are numbered."""
    path, imported = Path(path), Imported()
    document, root = _read_yaml(path)
    tests = document.get("tests") if isinstance(document, dict) else document
    if not isinstance(tests, list) or root is None:
        raise EvaluationError(
            f"{path} holds no list of tests. Name the file that its `tests:` points to.", path=path
        )
    if isinstance(root, yaml.MappingNode):
        settings = {name: document[name] for name in ("defaultTest", "scenarios") if name in document}
        imported.leave_out_others("the setting", settings, (), str(path))
        root = next(value for key, value in root.value if key.value == "tests")
    lines = [node.start_mark.line + 1 for node in root.value]

    def cases() -> Iterator[tuple[str, Case]]:
        for number, (test, line) in enumerate(zip(tests, lines, strict=True), start=1):
            place = f"{path}, line {line}, test {number}"
            yield place, _promptfoo_case(place, number, test, imported)

    imported.cases = list(unique(cases(), str(path)))
    return imported


def _promptfoo_case(place: str, number: int, test: Any, imported: Imported) -> Case:
    if flaw := json_text.flaw_of(test):
        raise _refuse(place, flaw)
    test = json_text.plain(test)  # YAML has dates, sets and bytes, too
    if not isinstance(test, dict) or not isinstance(test.get("vars"), dict) or not test["vars"]:
        raise _refuse(place, "no `vars`", "Tests in other files are read from those files.")
    metadata, options = _object(test.get("metadata"), "metadata", place), test.get("options")
    known = ["vars", "metadata", "assert", *(["description"] if "provenance" not in metadata else [])]
    known += ["options"] if options == {"disableVarExpansion": True} else []
    known += ["description"] if test.get("description") == metadata.get("id") else []
    imported.leave_out_others("the field", test, known, place)
    imported.leave_out_others("the metadata", metadata, ("id", "tags", "provenance"), place)
    tags = metadata.get("tags") or ()
    variables = {name: _variable(name, value, place) for name, value in test["vars"].items()}
    if "options" not in known and any(isinstance(value, list) for value in variables.values()):
        imported.leave_out("that a list in `vars` stands for several tests", place)
    return make_case(
        place,
        id=_id(metadata.get("id"), number, place),
        input=variables["input"] if list(variables) == ["input"] else variables,
        expected=_promptfoo_expected(test.get("assert"), place, imported),
        tags=[tags] if isinstance(tags, str) else tags,
        provenance=metadata.get("provenance") or test.get("description"),
    )


def _variable(name: str, value: Any, place: str) -> Any:
    if isinstance(value, str) and value.startswith("file://"):
        raise _refuse(place, f"the variable {name!r} is in another file", "Put its content here.")
    return _unescaped(value)


def _promptfoo_expected(rules: Any, place: str, imported: Imported) -> Any:
    """The value of the first assertion that says what is expected."""
    told: list[Any] = []
    if rules is not None and not isinstance(rules, list):
        raise _refuse(place, "`assert` is no list")
    for rule in rules or []:
        if not isinstance(rule, dict) or not isinstance(rule.get("type", ""), str):
            raise _refuse(place, f"an assertion is no object with a type: {rule!r}")
        kind = rule.get("type", "without a type")
        if kind in ("equals", "contains") and "value" in rule and not told:
            told.append(_unescaped(rule["value"]))
        else:
            imported.leave_out(
                f"{'a second' if told and kind in ('equals', 'contains') else 'an'} assertion {kind!r}", place
            )
    return told[0] if told else None


_ESCAPED = re.compile(r"\{\{ '([{#])' \}\}")  # as `exporting` writes what promptfoo must not fill in


def _unescaped(value: Any) -> Any:
    return _ESCAPED.sub(r"\1", value) if isinstance(value, str) else value


def _read_yaml(path: Path) -> tuple[Any, yaml.Node | None]:
    """The document in a YAML file, and the nodes that it was made from, which know their lines."""
    text = _text(path)
    try:
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            if root is None:
                return None, None
            _count(root, {}, set())
            return loader.construct_document(root), root
        finally:
            loader.dispose()
    except (ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else " ".join(str(error).split())
        raise EvaluationError(
            f"{path} cannot be read as YAML ({reason}). Correct the file.", path=path
        ) from None


def _count(node: yaml.Node, known: dict[int, int], open_nodes: set[int]) -> int:
    """The number of values that a node stands for, aliases counted as what they stand for.

    Raises:
        ValueError: there are too many, an alias stands inside what it stands for, or a key occurs twice.
    """
    place = f"line {node.start_mark.line + 1}"
    if id(node) in open_nodes:
        raise ValueError(f"{place}: holds itself")
    if id(node) not in known:
        open_nodes.add(id(node))
        inside = list(node.value) if isinstance(node, yaml.CollectionNode) else []
        if isinstance(node, yaml.MappingNode):
            keys = [
                key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.value != "<<"
            ]
            if doubled := [key for key in keys if keys.count(key) > 1]:
                raise ValueError(f"{place}: the key {doubled[0]!r} occurs twice")
            inside = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_count(part, known, open_nodes) for part in inside)
        open_nodes.remove(id(node))
    if known[id(node)] > _MOST_VALUES:
        raise ValueError(f"{place}: aliases stand for more than {_MOST_VALUES:,} values")
    return known[id(node)]


# inspect-ai


def from_inspect(path: Path | str) -> Imported:
    """The samples of an inspect-ai JSON Lines file; those without an id are numbered by line."""
    imported = Imported()
    places = ((f"{path}, line {number}", number, sample) for number, sample in _read_objects(Path(path)))
    pairs = ((place, _inspect_case(place, number, sample, imported)) for place, number, sample in places)
    imported.cases = list(unique(pairs, str(path)))
    return imported


def _inspect_case(place: str, number: int, sample: dict[str, Any], imported: Imported) -> Case:
    metadata = _object(sample.get("metadata"), "metadata", place)
    imported.leave_out_others("the field", sample, ("input", "target", "id", "metadata", "choices"), place)
    imported.leave_out_others("the metadata", metadata, ("tags", "provenance", "json"), place)
    if "input" not in sample:
        raise _refuse(place, "a sample has no `input`")
    as_json, choices = metadata.get("json") or [], sample.get("choices")
    if not isinstance(as_json, list) or not isinstance(choices, list | None):
        raise _refuse(place, f"`{'choices' if isinstance(as_json, list) else 'metadata.json'}` is no list")
    asked = _from_json(sample["input"], place) if "input" in as_json else sample["input"]
    target = sample.get("target")
    return make_case(
        place,
        id=_id(sample.get("id"), number, place),
        input={"input": asked, "choices": choices} if choices else asked,
        expected=(_from_json(target, place) if target else None) if "expected" in as_json else target,
        tags=metadata.get("tags") or (),
        provenance=metadata.get("provenance"),
    )


def _from_json(text: Any, place: str) -> Any:
    try:
        return json_text.loads(text)
    except (TypeError, ValueError) as error:
        raise _refuse(place, f"`metadata.json` says that a value is JSON, and it is not ({error})") from None


# OpenAI Batch API


def from_batch(path: Path | str) -> dict[str, str | None]:
    """The answers in a batch's output file by case id; None where the request failed.

    Score them without asking again: `evals.run(lambda case: answers[case.id], cases, …)`.
    """
    answers: dict[str, str | None] = {}
    for number, line in _read_objects(Path(path)):
        place, id = f"{path}, line {number}", line.get("custom_id")
        if not isinstance(id, str):
            raise _refuse(
                place, "no answer of a batch: it has no `custom_id`", "Use the batch's output file."
            )
        if id in answers:
            raise _refuse(place, f"a second answer to {id!r}", "Delete the one that does not count.")
        try:
            answers[id] = _answer(line)
        except (AttributeError, LookupError, TypeError) as error:
            raise _refuse(
                place, f"no answer of a batch ({error!r})", "Use the batch's output file."
            ) from None
    return answers


def _answer(line: dict[str, Any]) -> str | None:
    response = line["response"]
    if line.get("error") or response["status_code"] != 200:
        return None
    content = response["body"]["choices"][0]["message"]["content"]
    if not isinstance(content, str | None):
        raise TypeError("its content is no text")
    return content


# JSON Lines


def _read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in read_lines(path):
        try:
            record = json_text.loads(line)
        except ValueError as error:
            raise _refuse(f"{path}, line {number}", f"not JSON ({error})", "Correct the line.") from None
        if not isinstance(record, dict):
            raise _refuse(f"{path}, line {number}", "not an object", "Correct the line.")
        yield number, record
