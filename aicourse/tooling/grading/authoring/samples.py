"""Sample submissions for trying out a grading run: simulated students, generated, never real ones.

    write_samples(load_assignment("hw01"), Path("build/submissions"))     # 20 folders, the same every time

They are made from the assignment itself: right answers (the reference and its alternatives), planted
mistakes, blank and half-finished ones, broken and mildly hostile ones (an endless loop, `os._exit`, much
output), two near copies, and files as editors mangle them. Their names are invented and say so.
"""

from __future__ import annotations

import ast
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aicourse.notebook_json import new_cell, notebook_text
from aicourse.paths import write_atomically
from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.authoring.building import answered_notebook

COUNT = 20
_FIRST = (
    *(
        "ada",
        "brook",
        "cleo",
        "dario",
        "edda",
        "finn",
        "gwen",
        "hugo",
        "inka",
        "jory",
        "kira",
        "lior",
        "mona",
    ),
    *("nilo", "orla", "pim", "quin", "rosa", "sami", "tove", "ugo", "vera", "wim", "xenia", "yara", "zeno"),
)
_LAST = ("example", "sample", "specimen", "fictive", "invented", "placeholder", "mockup", "pretend")
_FLOOD = 'while True:\n    print("x" * 10_000)'
Sources = dict[str, str]


@dataclass(frozen=True)
class Sample:
    """One simulated submission: `kind` says what was done to it, `content` is the file."""

    student: str
    kind: str
    content: bytes


def write_samples(assignment: Assignment, folder: Path, *, count: int = COUNT, seed: int = 7) -> list[Sample]:
    """Write `count` submissions as `<student>/<assignment>.ipynb` under `folder`."""
    made = samples(assignment, count=count, seed=seed)
    for sample in made:
        write_atomically(folder / sample.student / f"{assignment.name}.ipynb", sample.content)
    return made


def samples(assignment: Assignment, *, count: int = COUNT, seed: int = 7) -> list[Sample]:
    """The submissions, the same for the same arguments."""
    rng = random.Random(f"{assignment.name} {seed}")
    kinds = list(_kinds(assignment, rng))
    return [Sample(_student(number), *kinds[number % len(kinds)]()) for number in range(count)]


def _student(number: int) -> str:
    """An invented name; the last part says that it is one."""
    last = _LAST[number % len(_LAST)]
    first = _FIRST[number % len(_FIRST)]
    again = number // len(_FIRST)
    return f"{first}-{last}" + (f"-{again + 1}" if again else "")


def _kinds(assignment: Assignment, rng: random.Random) -> Iterator[Callable[[], tuple[str, bytes]]]:
    """The kinds of submission, in an order that puts something of everything among the first twenty."""
    make = _Maker(assignment, rng)
    yield lambda: ("all right", make.notebook(make.solution()))
    yield lambda: ("blank", make.notebook({}))
    yield make.one_mistake
    yield make.several_mistakes
    yield lambda: ("copied from", make.notebook(make.copied))
    yield make.half
    yield make.one_mistake
    yield lambda: ("a cell that fails first", make.notebook(make.solution(), first="import no_such_package"))
    yield lambda: ("an endless loop", make.notebook(make.broken("while True:\n    pass")))
    yield make.several_mistakes
    yield lambda: ("kills its kernel", make.notebook(make.broken("import os\nos._exit(1)")))
    yield lambda: ("copied to", make.notebook(make.disguised()))
    yield lambda: (
        "a flood of output",
        make.notebook(make.solution(), first=_FLOOD),
    )
    yield make.one_mistake
    yield lambda: ("without ids and metadata", make.stripped())
    yield lambda: ("an answer cell deleted", make.deleted())
    yield lambda: ("cells in another order", make.reordered())
    yield make.half
    yield make.several_mistakes
    yield lambda: ("no notebook at all", b"%PDF-1.4 this is the wrong file")


class _Maker:
    """Makes the notebooks; each method's choice depends on the assignment and the seed alone."""

    def __init__(self, assignment: Assignment, rng: random.Random) -> None:
        self._assignment = assignment
        self._rng = rng
        self._answers = [cell for cell in assignment.cells if cell.role in ("answer", "manual")]
        self.copied = self.solution()
        if assignment.planted:
            self.copied |= self._planted(rng.choice(assignment.planted))
        code = next((cell.id for cell in self._answers if cell.kind == "code"), None)
        if code is not None:  # work of their own is what gives a copy away
            self.copied[code] = f"{_own_work(random.Random(f'{rng.random()}'))}\n\n{self.copied[code]}"

    def solution(self) -> Sources:
        """Right answers, by cell: for each question the reference or one of its alternatives."""
        sources = {cell.id: cell.solution for cell in self._answers}
        for question, others in sorted(self._assignment.alternatives.items()):
            if chosen := self._rng.choice(["", *others]):
                first, *rest = self._assignment.answer_cells(question)
                sources |= {first.id: chosen} | {cell.id: "" for cell in rest}
        return sources

    def notebook(self, sources: Mapping[str, str], first: str = "") -> bytes:
        """The student notebook with these answers, and a cell in front."""
        notebook = answered_notebook(self._assignment, sources)
        if first:
            notebook["cells"].insert(1, new_cell("code", first, "own-cell"))
        return notebook_text(notebook).encode()

    def one_mistake(self) -> tuple[str, bytes]:
        """One of the planted mistakes."""
        if not self._assignment.planted:
            return self.half()
        wrong = self._rng.choice(self._assignment.planted)
        return f"{wrong.question}: {wrong.name}", self.notebook(self.solution() | self._planted(wrong))

    def several_mistakes(self) -> tuple[str, bytes]:
        """One planted mistake in each of two or three questions."""
        by_question = {wrong.question: wrong for wrong in self._shuffled(self._assignment.planted)}
        chosen = list(by_question.values())[: self._rng.randint(2, 3)]
        sources = self.solution()
        for wrong in chosen:
            sources |= self._planted(wrong)
        return "; ".join(f"{wrong.question}: {wrong.name}" for wrong in chosen), self.notebook(sources)

    def half(self) -> tuple[str, bytes]:
        """Only some questions answered."""
        kept = self._shuffled(self._answers)[: max(1, len(self._answers) // 2)]
        sources = self.solution()
        return "half finished", self.notebook({cell.id: sources[cell.id] for cell in kept})

    def broken(self, source: str) -> Sources:
        """The reference, with one answer replaced by something that does not end well."""
        code = [cell.id for cell in self._answers if cell.kind == "code"]
        return self.solution() | {self._rng.choice(code): source}

    def disguised(self) -> Sources:
        """The copied answers with another look: comments and docstrings kept out, local names changed."""
        code = {cell.id for cell in self._answers if cell.kind == "code"}
        return {name: _disguise(text) if name in code else text for name, text in self.copied.items()}

    def stripped(self) -> bytes:
        """As some editors leave it: nbformat 4.4 without ids, nothing in the metadata."""
        notebook = json.loads(self.notebook(self.solution()))
        for cell in notebook["cells"]:
            del cell["id"]
            cell["metadata"] = {}
        return notebook_text({**notebook, "metadata": {}, "nbformat_minor": 4}).encode()

    def deleted(self) -> bytes:
        """One answer cell is gone."""
        notebook = json.loads(self.notebook(self.solution()))
        gone = self._rng.choice(self._answers).id
        notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] != gone]
        return notebook_text(notebook).encode()

    def reordered(self) -> bytes:
        """Two neighbouring cells changed places."""
        notebook = json.loads(self.notebook(self.solution()))
        cells = notebook["cells"]
        position = self._rng.randrange(1, len(cells) - 2)
        cells[position], cells[position + 1] = cells[position + 1], cells[position]
        return notebook_text(notebook).encode()

    def _planted(self, wrong: Any) -> Sources:
        first, *others = self._assignment.answer_cells(wrong.question)
        return {first.id: wrong.source} | {cell.id: "" for cell in others}

    def _shuffled(self, items: Any) -> list[Any]:
        shuffled = list(items)
        self._rng.shuffle(shuffled)
        return shuffled


def _own_work(rng: random.Random) -> str:
    """A function of the student's own that no one else would write so."""
    steps = [
        "rows = [row for row in rows if str(row).strip()]",
        f"if len(rows) > {rng.randint(20, 90)}: rows = rows[::2]",
        f"width = max((len(str(row)) for row in rows), default={rng.randint(3, 30)})",
        f"seen = dict.fromkeys(str(row)[:{rng.randint(2, 9)}] for row in rows)",
        f"while len(seen) > {rng.randint(5, 50)}: seen.popitem()",
        f"weight = sum(ord(letter) for row in rows for letter in str(row)) % {rng.randint(50, 500)}",
        f"rows = sorted(rows, key=lambda row: (len(str(row)) % {rng.randint(3, 9)}, str(row)))",
        f"share = round(len(rows) / {rng.randint(10, 99)}, {rng.randint(2, 5)})",
    ]
    lines = ["width = weight = share = 0", "seen = {}", *rng.sample(steps, len(steps))]
    ends = "return rows, width, weight, share, list(seen)"
    return "def look_over(rows):\n" + "\n".join(f"    {line}" for line in [*lines, ends])


def _disguise(source: str) -> str:
    """Comments go and local variables get other names: what a quick copy looks like."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    nodes = [node for function in functions for node in ast.walk(function) if isinstance(node, ast.Name)]
    local = sorted({node.id for node in nodes if isinstance(node.ctx, ast.Store)})
    renamed = {name: f"{name[0]}{number}" for number, name in enumerate(local, start=1)}
    for node in nodes:
        node.id = renamed.get(node.id, node.id)
    return ast.unparse(tree)
