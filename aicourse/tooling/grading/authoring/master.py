"""The cells of a master notebook, read with plain JSON (importing nbformat costs more than a second).

What a cell is stands in its metadata, which JupyterLab shows in its property inspector:

    {"aicourse": {"question": "q1", "role": "answer", "points": 4, "title": "Read a size"}}

| role | what it is |
|---|---|
| given (or nothing) | instructions and code that students get as it is |
| parameters | given, and a place where papermill puts parameters |
| answer | a code cell with a solution between markers (see `markers`); graded by `checks.py` |
| manual | a code or Markdown cell that a person grades against a rubric |
| public | a code cell that the build fills with the question's public checks |
| rubric | lines `- 2: names a failure of the scorer`; raw: for graders alone; Markdown: for students too |
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from aicourse.errors import AssignmentError
from aicourse.notebook_json import text
from aicourse.suggestions import did_you_mean
from aicourse.tooling.grading.authoring import markers

Role = Literal["given", "parameters", "answer", "manual", "public", "rubric"]
CellKind = Literal["code", "markdown", "raw"]
_FIELDS = {"question", "role", "points", "title", "rubric"}
_MAGIC = re.compile(r"^\s*[%!]")


@dataclass(frozen=True)
class MasterCell:
    """One cell of the master; `number` counts from 1, as a reader counts them.

    `solution` is its source in the reference, `released` what students get (for `public` cells the build
    writes it). `stated` is its `aicourse` metadata, `metadata` the rest, which students get too, as they do
    `attachments`: the pictures inside a Markdown cell.
    """

    number: int
    id: str
    kind: CellKind
    role: Role
    question: str | None
    source: str
    released: str
    solution: str
    stated: Mapping[str, Any]
    metadata: Mapping[str, Any]
    attachments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """The cell's name in errors."""
        return f"master.ipynb, cell {self.number} ({self.id})"

    @property
    def is_released(self) -> bool:
        """True if students get this cell: all but what is for graders alone."""
        return self.role != "rubric" or self.kind == "markdown"


@dataclass(frozen=True)
class Master:
    """A master notebook; `stated` is its own `aicourse` metadata, `metadata` the rest."""

    cells: tuple[MasterCell, ...]
    stated: Mapping[str, Any]
    metadata: Mapping[str, Any]


def read_master(path: Path) -> Master:
    """The master notebook at `path`.

    Raises:
        AssignmentError: no such file, no notebook of format 4, or a cell that is not as it must be; names it.
    """
    data = read_notebook(path)
    metadata = dict(data.get("metadata", {}))
    stated = metadata.pop("aicourse", {})
    if not isinstance(stated, dict):
        raise AssignmentError(
            f"{path.name}: the notebook's metadata `aicourse` must be an object. Correct it."
        )
    cells = tuple(_cell(number, cell, path) for number, cell in enumerate(data["cells"], start=1))
    ids = [cell.id for cell in cells]
    for cell in cells:
        if ids.count(cell.id) > 1:
            others = [other.number for other in cells if other.id == cell.id]
            raise AssignmentError(
                f"{path.name}: the cells {' and '.join(map(str, others))} have the same id {cell.id!r}. "
                "Submissions are matched by id: give one of them another.",
                cell=cell.number,
            )
    return Master(cells, stated, metadata)


def read_notebook(path: Path) -> dict[str, Any]:
    """A notebook of format 4 as plain data.

    Raises:
        AssignmentError: it is missing or something else.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        version, cells = data["nbformat"], data["cells"]
        if version != 4 or not isinstance(cells, list):
            raise ValueError(f"nbformat {version}, not 4")
    except OSError as error:
        raise AssignmentError(
            f"{path} cannot be read ({error.strerror}). Check the name.", path=path
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise AssignmentError(
            f"{path.name} is no notebook of format 4 ({type(error).__name__}: {error}). "
            "Open it in JupyterLab and save it, or restore it with git.",
            path=path,
        ) from error
    return cast(dict[str, Any], data)


def _cell(number: int, data: Any, path: Path) -> MasterCell:
    place = f"{path.name}, cell {number}"
    try:
        kind, source, metadata = data["cell_type"], text(data["source"]), dict(data.get("metadata", {}))
        cell_id, attachments = str(data.get("id", "")), dict(data.get("attachments") or {})
    except (KeyError, TypeError, ValueError) as error:
        raise AssignmentError(f"{place} is no cell ({type(error).__name__}: {error}). Delete it.") from error
    if not cell_id:
        raise AssignmentError(
            f"{place} has no id, and submissions are matched by id. Save the notebook once in JupyterLab 4."
        )
    place = f"{place} ({cell_id})"
    if kind not in get_args(CellKind):
        raise AssignmentError(f"{place} is of the unknown type {kind!r}. Make it code, markdown or raw.")
    stated = _stated(metadata.pop("aicourse", {}), place)
    role = _role(stated, place)
    _check_cell(kind, role, source, stated, place)
    is_code, is_answer = kind == "code", role in ("answer", "manual")
    released = markers.released(source, place, is_code=is_code) if is_answer else source
    solution = markers.solved(source, place) if is_answer else source
    if is_code:
        _check_python(released, f"{place}, without its solution,")
        _check_python(solution, place)
    question = stated.get("question")
    return MasterCell(
        number, cell_id, kind, role, question, source, released, solution, stated, metadata, attachments
    )


def _stated(stated: Any, place: str) -> dict[str, Any]:
    if not isinstance(stated, dict):
        raise AssignmentError(f"{place}: its metadata `aicourse` must be an object {{…}}. Correct it.")
    for name in stated:
        if name not in _FIELDS:
            raise AssignmentError(f"{place}: unknown field {name!r} in its metadata.{_meant(name, _FIELDS)}")
    question = stated.get("question")
    if question is not None and not re.fullmatch(r"[A-Za-z][\w.-]*", str(question)):
        raise AssignmentError(f"{place}: {question!r} is no id of a question. Use a word like q1.")
    return stated


def _role(stated: Mapping[str, Any], place: str) -> Role:
    role = stated.get("role", "given")
    if role not in get_args(Role):
        raise AssignmentError(f"{place}: unknown role {role!r}.{_meant(str(role), get_args(Role))}")
    if role not in ("given", "parameters") and not stated.get("question"):
        raise AssignmentError(f'{place} has the role {role} and no question. Add "question": "q1".')
    return cast(Role, role)


def _meant(word: str, known: Any) -> str:
    return did_you_mean(word, known, most=1) or f" Known are {', '.join(sorted(known))}."


def _check_cell(kind: str, role: Role, source: str, stated: Mapping[str, Any], place: str) -> None:
    """Refuse a cell that is not as its role demands."""
    if line := markers.hidden_test_line(source):
        raise AssignmentError(
            f"{place}, line {line}: hidden tests in the notebook would be released. Move them to checks.py."
        )
    if role in ("answer", "public", "parameters") and kind != "code":
        raise AssignmentError(f"{place} has the role {role}, so it must be a code cell. Change its type.")
    if role == "rubric" and kind == "code":
        raise AssignmentError(
            f"{place} holds a rubric, so it must be a raw or Markdown cell. Change its type."
        )
    if role == "manual" and kind == "raw":
        raise AssignmentError(f"{place} is answered by students, so it must be code or Markdown.")
    marked = markers.has_solution(source)
    if kind == "code" and role in ("answer", "manual") and not marked:
        raise AssignmentError(
            f"{place} is an answer without a solution. "
            "Put one between ### BEGIN SOLUTION and ### END SOLUTION."
        )
    if marked and role not in ("answer", "manual"):
        raise AssignmentError(
            f"{place} holds a solution but is no answer, so it would be released. "
            'Add "role": "answer" and its question to its metadata.'
        )
    if "points" in stated and role not in ("answer", "manual"):
        raise AssignmentError(
            f"{place} has points but is no answer. Move them to the question's answer cell."
        )


def _check_python(source: str, place: str) -> None:
    """Refuse a cell that no kernel could run; lines of IPython's own syntax are left out."""
    if source.lstrip().startswith("%%"):
        return
    plain = "\n".join("pass" if _MAGIC.match(line) else line for line in source.split("\n"))
    try:
        ast.parse(plain)
    except SyntaxError as error:
        raise AssignmentError(
            f"{place} line {error.lineno}, is not Python ({error.msg}). Correct it there.", line=error.lineno
        ) from None
