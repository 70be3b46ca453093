"""The ordered list of lessons, read from the notebooks.

A lesson is a file `NN-some-title.ipynb`; its metadata say what it asks and what it needs:

    {"aicourse": {"lesson": "01", "title": "The first call", "question": "What comes back…?",
                  "minutes": 60, "builds_on": ["00"], "live_calls": 31,
                  "relax": {"rhythm": "a table of providers needs three cells in a row"}}}

This module runs nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aicourse import paths
from aicourse.errors import LessonError
from aicourse.notebook_json import Notebook, parse_notebook
from aicourse.suggestions import did_you_mean

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Lesson:
    """One lesson; `problem` says why its file cannot be read, and then the rest is guessed from its name."""

    number: str
    name: str
    path: Path
    title: str
    question: str = ""
    minutes: int = 0
    builds_on: tuple[str, ...] = ()
    live_calls: int = 0
    problem: str | None = None

    @property
    def recordings(self) -> Path:
        """The replies that this lesson needs, one JSON object per line."""
        return self.path.parent / "recordings" / f"{self.name}.jsonl"

    @property
    def checks(self) -> Path:
        """The checks and hints of this lesson's exercises."""
        return self.path.parent / "checks" / f"lesson_{self.number}.py"


def lessons(names: Sequence[str | Path] | None = None) -> list[Lesson]:
    """The lessons in order, or those in `names` ("01", "1", "01-the-first-call", or a path to a notebook).

    Raises:
        LessonError: a name fits no lesson.
    """
    shipped = [describe(path) for path in sorted(paths.notebooks_dir().glob("[0-9][0-9]-*.ipynb"))]
    return shipped if names is None else [_find(str(name), shipped) for name in names]


def _find(name: str, shipped: Sequence[Lesson]) -> Lesson:
    if name.endswith(".ipynb") and Path(name).is_file():
        return describe(Path(name).resolve())
    wanted = Path(name).stem if name.endswith(".ipynb") else name
    for lesson in shipped:
        if wanted in (lesson.name, lesson.number) or wanted.rjust(2, "0") == lesson.number:
            return lesson
    meant = did_you_mean(wanted, [lesson.name for lesson in shipped], most=1)
    raise LessonError(f"No lesson {name!r}.{meant} List the lessons with: aicourse status", lesson=name)


def describe(path: Path) -> Lesson:
    """The lesson in the notebook at `path`, from its metadata."""
    number = match[0] if (match := re.match(r"\d\d", path.stem)) else path.stem
    fallback_title = re.sub(r"^\d\d-", "", path.stem).replace("-", " ").capitalize()
    try:
        stated = read_notebook(path).metadata.get("aicourse", {})
    except LessonError as error:
        return Lesson(number, path.stem, path, fallback_title, problem=error.message)
    return Lesson(
        number=str(stated.get("lesson", number)),
        name=path.stem,
        path=path,
        title=str(stated.get("title", fallback_title)),
        question=str(stated.get("question", "")),
        minutes=int(stated.get("minutes", 0)),
        builds_on=tuple(stated.get("builds_on", ())),
        live_calls=int(stated.get("live_calls", 0)),
    )


def read_notebook(path: Path) -> Notebook:
    """The notebook at `path`.

    Raises:
        LessonError: no such file, or it is not a notebook of format 4.
    """
    try:
        return parse_notebook(path.read_bytes())
    except FileNotFoundError:
        raise LessonError(f"No notebook at {path}. Check the name.", path=path) from None
    except ValueError as error:
        raise LessonError(
            f"{path.name} is not a notebook ({type(error).__name__}: {error}). "
            f"Restore it with: git checkout -- {path.name}",
            path=path,
        ) from None


def assigned_names(source: str) -> list[str]:
    """The names that a parameters cell assigns, in order; none when it is not Python.

    >>> assigned_names("SEED = 7  # for sampling\\nN_CASES: int = 20")
    ['SEED', 'N_CASES']
    """
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return []
    targets = [
        target
        for statement in statements
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
    ]
    return [target.id for target in targets if isinstance(target, ast.Name)]
