"""Which cell of a submission answers which question: by id, then by content, then by place.

    pairing = pair(assignment.cells, read.cells)     # position in the submission -> the assignment's cell

1. ids and labels, as far as a tool kept them;
2. the released text, letter for letter but for white space;
3. for answers: the names that a cell defines (`def read_size`), also when it was retyped as text;
4. likeness (difflib, at least 0.75);
5. place: what stands alone between two cells that are known.

Points never hang on it: checks ask for names in the namespace that the whole notebook left behind. It
decides what a person grades by hand, what is shown beside a check, and which given cells must be put back.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from aicourse.tooling.grading.authoring.master import MasterCell
from aicourse.tooling.grading.submissions.reading import ReadCell

_LIKE = 0.75
_LONGEST = 20_000  # characters compared letter by letter
_DEFINITION = re.compile(r"^(?:async\s+def|def|class)\s+(\w+)|^(\w+)\s*(?::[^=\n]+)?=[^=]", re.MULTILINE)
_FENCE = re.compile(r"\A\s*```(?:python|py)?[^\n]*\n(.*?)\n?```\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Pairing:
    """`expected[i]` is the assignment's cell for the submission's cell `i`; several may share one."""

    expected: Mapping[int, MasterCell]

    def positions(self, cell: MasterCell) -> list[int]:
        """Where in the submission a cell of the assignment stands; empty when it is missing."""
        return [position for position, found in sorted(self.expected.items()) if found is cell]

    @property
    def in_order(self) -> bool:
        """Whether the cells stand in the order in which they were released."""
        numbers = [cell.number for _, cell in sorted(self.expected.items())]
        return numbers == sorted(numbers)


def pair(expected: Sequence[MasterCell], cells: Sequence[ReadCell]) -> Pairing:
    """Match the cells of a submission with those of the assignment."""
    released = [cell for cell in expected if cell.is_released]
    found: dict[int, MasterCell] = {}
    for step in (_by_id, _by_content, _by_names, _by_likeness, _by_place):
        found.update(step(released, cells, found))
    return Pairing(dict(sorted(found.items())))


Found = Mapping[int, MasterCell]
Pairs = Iterator[tuple[int, MasterCell]]


def _by_id(expected: Sequence[MasterCell], cells: Sequence[ReadCell], found: Found) -> Pairs:
    ids = {cell.id: cell for cell in expected}
    for position, cell in enumerate(cells):
        for name in (cell.stated_id, *cell.labels):
            if name in ids:
                yield position, ids[name]
                break


def _by_content(expected: Sequence[MasterCell], cells: Sequence[ReadCell], found: Found) -> Pairs:
    """Also a copy of a cell that is known already: then it stands twice."""
    texts: dict[str, list[MasterCell]] = {}
    for known in expected:
        if normal(known.released):
            texts.setdefault(normal(known.released), []).append(known)
    taken = {id(cell) for cell in found.values()}
    for position, cell in _unpaired(cells, found):
        same = texts.get(normal(cell.source))
        if same:
            free = [candidate for candidate in same if id(candidate) not in taken]
            yield position, (free or same)[0]
            taken.add(id((free or same)[0]))


def _by_names(expected: Sequence[MasterCell], cells: Sequence[ReadCell], found: Found) -> Pairs:
    taken = {id(cell) for cell in found.values()}
    wanted: dict[str, MasterCell] = {}
    for known in expected:
        if known.kind == "code" and known.role in ("answer", "manual") and id(known) not in taken:
            for name in defined_names(known.released) | defined_names(known.solution):
                wanted.setdefault(name, known)
    for position, cell in _unpaired(cells, found):
        names = sorted(defined_names(as_code(cell.source)) & wanted.keys())
        if names:
            yield position, wanted[names[0]]


def _by_likeness(expected: Sequence[MasterCell], cells: Sequence[ReadCell], found: Found) -> Pairs:
    taken = {id(cell) for cell in found.values()}
    open_cells = [cell for cell in expected if id(cell) not in taken and len(normal(cell.released)) > 20]
    scored = []
    for position, cell in _unpaired(cells, found):
        for candidate in open_cells:
            if likeness := _likeness(cell.source, candidate.released):
                scored.append((likeness, -position, candidate))
    used: set[int] = set()
    for _, negative, candidate in sorted(scored, key=lambda item: item[:2], reverse=True):
        if -negative not in used and id(candidate) not in taken:
            used.add(-negative)
            taken.add(id(candidate))
            yield -negative, candidate


def _likeness(first: str, second: str) -> float:
    """0 when they are not alike enough."""
    if max(len(first), len(second)) > _LONGEST or min(len(first), len(second)) * 2 < _LIKE * max(
        len(first), len(second)
    ):
        return 0.0
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    if matcher.real_quick_ratio() < _LIKE or matcher.quick_ratio() < _LIKE:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= _LIKE else 0.0


def _by_place(expected: Sequence[MasterCell], cells: Sequence[ReadCell], found: Found) -> Pairs:
    """A missing answer between two known cells is whatever else stands there."""
    first_place = {id(cell): position for position, cell in sorted(found.items(), reverse=True)}
    missing = [cell for cell in expected if id(cell) not in first_place and cell.role in ("answer", "manual")]
    for cell in missing:
        index = expected.index(cell)
        before = next((other for other in reversed(expected[:index]) if id(other) in first_place), None)
        after = next((other for other in expected[index + 1 :] if id(other) in first_place), None)
        rivals = [other for other in missing if other is not cell and _between(other, before, after)]
        start = first_place[id(before)] + 1 if before else 0
        stop = first_place[id(after)] if after else len(cells)
        if not rivals:
            yield from (
                (position, cell)
                for position, candidate in _unpaired(cells, found)
                if start <= position < stop and candidate.source.strip() and not only_checks(candidate)
            )


def _between(cell: MasterCell, before: MasterCell | None, after: MasterCell | None) -> bool:
    return (before is None or cell.number > before.number) and (after is None or cell.number < after.number)


def _unpaired(cells: Sequence[ReadCell], found: Found) -> Iterator[tuple[int, ReadCell]]:
    return ((position, cell) for position, cell in enumerate(cells) if position not in found)


def normal(source: str) -> str:
    """A source without white space that means nothing here: at line ends and around the text."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def as_code(source: str) -> str:
    """The source of a cell that was retyped as text: without the fence around it, if it has one."""
    match = _FENCE.match(source)
    return match[1] if match else source


def is_python(source: str) -> bool:
    """Whether it says something to Python: not words that happen to parse."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(not isinstance(statement, ast.Expr) for statement in body)


def defined_names(source: str) -> set[str]:
    """The names that a cell's top level defines; also when it does not parse.

    >>> sorted(defined_names("LIMIT = 3\\ndef read(text):\\n    size = 1\\n    return (size"))
    ['LIMIT', 'read']
    """
    return {match[1] or match[2] for match in _DEFINITION.finditer(source)}


def only_checks(cell: ReadCell) -> bool:
    """Whether a cell does nothing but run public checks, as the build writes them."""
    if cell.kind != "code":
        return False
    try:
        body = ast.parse(cell.source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(_calls_check(item) for item in body) and all(
        isinstance(item, ast.Assert) or _calls_check(item) or _imports_check(item) for item in body
    )


def _calls_check(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "display":
        call = call.args[0] if call.args else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check"


def _imports_check(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "aicourse.homework"
