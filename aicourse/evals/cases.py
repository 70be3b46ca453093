"""Evaluation sets: cases in a JSON Lines file, read one line at a time.

    {"id": "L061", "input": "Burberry trench …", "expected": {"brand": "Burberry"}, "tags": ["shade"],
     "provenance": "datasets/listings, test split"}

`id` and `input` are required; `input` and `expected` are any JSON value. A set may be larger than memory:
only the ids are kept while reading, to notice one that occurs twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pydantic_core import PydanticSerializationError

from aicourse import json_text
from aicourse.errors import EvaluationError, first_problem
from aicourse.paths import write_atomically
from aicourse.suggestions import similar_file

if TYPE_CHECKING:
    import pandas as pd


class Case(BaseModel):
    """One thing to try: what goes in, what should come out, and where both come from.

    `tags` are the slices the case belongs to. `provenance` says who or what made it, in words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    input: Any
    expected: Any = None
    tags: tuple[str, ...] = ()
    provenance: str | None = None

    @field_validator("id")
    @classmethod
    def _check_id(cls, id: str) -> str:
        if not id.strip():
            raise ValueError("is blank")
        return id

    @field_validator("input", "expected")
    @classmethod
    def _check(cls, value: Any) -> Any:
        if flaw := json_text.flaw_of(value):
            raise ValueError(flaw)
        return value

    @property
    def digest(self) -> str:
        """A short hash of what the case asks and expects: another one means another case."""
        asked = {"id", "input", "expected"}
        try:
            content = self.model_dump_json(include=asked).encode()
        except PydanticSerializationError:  # half a character, or an object that is no data
            content = json_text.dumps(self.model_dump(include=asked))
        return blake2b(content, digest_size=8).hexdigest()


@dataclass(frozen=True)
class EvaluationSet:
    """The cases of one file; iterate as often as you like, each time it is read anew.

    Iterating raises `EvaluationError` at the first line that is not a case, at an id that occurs twice, and
    when there is no case at all; the message names file and line.
    """

    path: Path | str

    def __iter__(self) -> Iterator[Case]:
        return unique(self._cases(), str(self.path))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _cases(self) -> Iterator[tuple[str, Case]]:
        for number, line in read_lines(self.path):
            place = f"{self.path}, line {number}"
            yield place, _parse(line, place)


def read_lines(path: Path | str) -> Iterator[tuple[int, str]]:
    """The non-empty lines of a text file with their numbers, one at a time."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except OSError as error:
        near = similar_file(Path(path))
        raise EvaluationError(
            f"No file {path} ({error.strerror}).{near} Check the path.", path=path
        ) from None
    except UnicodeDecodeError as error:
        raise EvaluationError(
            f"{path} is not UTF-8 text ({error.reason}). Save it as UTF-8.", path=path
        ) from error


def unique(cases: Iterable[tuple[str, Case]], source: str) -> Iterator[Case]:
    """The cases of (place, case) pairs, refused when two share an id or when there is none."""
    seen: set[str] = set()
    for place, case in cases:
        if case.id in seen:
            raise EvaluationError(
                f"{place}: the id {case.id!r} occurs twice. Give each case its own.", id=case.id
            )
        seen.add(case.id)
        yield case
    if not seen:
        raise EvaluationError(f"{source} holds no case. Add one per line, such as {_EXAMPLE}", source=source)


_EXAMPLE = '{"id": "1", "input": "…", "expected": "…"}'


def _parse(line: str, place: str) -> Case:
    try:
        return Case.model_validate(json_text.loads(line))
    except ValueError as error:
        told = _first_problem(error) if isinstance(error, ValidationError) else f"not JSON: {error}"
        raise EvaluationError(f"{place}: not a case ({told}). Correct the line.", place=place) from None


def make_case(place: str, **fields: Any) -> Case:
    """A case from values that came from elsewhere; `place` is where, for the message.

    Raises:
        EvaluationError: the values do not make a case.
    """
    try:
        return Case.model_validate(fields)
    except ValidationError as error:
        raise EvaluationError(
            f"{place}: not a case ({_first_problem(error)}). Correct it.", place=place
        ) from None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False)[0]
    if problem["type"] == "extra_forbidden":
        where = ".".join(map(str, problem["loc"]))
        return f"unknown field {where!r}; a case has {', '.join(Case.model_fields)}"
    return first_problem(error)


def select_cases(cases: Iterable[Case], *, tag: str | None = None, limit: int | None = None) -> list[Case]:
    """The cases of one slice, or the first ones, or both.

    Raises:
        EvaluationError: no case has the tag; the message names those there are.
    """
    known = list(cases)
    chosen = [case for case in known if tag is None or tag in case.tags]
    if not chosen:
        tags = ", ".join(sorted({name for case in known for name in case.tags})) or "none at all"
        raise EvaluationError(f"No case has the tag {tag!r}. There are: {tags}.", tag=tag)
    return chosen[:limit]


def save_cases(cases: Iterable[Case], path: Path | str) -> Path:
    """Write an evaluation set; refuses an empty one and ids that occur twice."""
    checked = unique(((f"case {case.id!r}", case) for case in cases), "the set to save")
    lines = [json_text.dumps(case.model_dump(exclude_defaults=True)) + b"\n" for case in checked]
    write_atomically(Path(path), b"".join(lines))
    return Path(path)


def from_frame(
    frame: pd.DataFrame,
    *,
    input: str | Sequence[str],
    expected: str | Sequence[str] | None = None,
    id: str | None = None,
    tags: str | None = None,
    provenance: str | None = None,
) -> list[Case]:
    """One case per row; arguments name columns, and a list of columns becomes an object.

    `id` defaults to the index. A `tags` column holds lists, or text separated by commas. NaN becomes None
    (not stated). `provenance` is the same words for all.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"text": ["oak table"], "brand": ["IKEA"]}, index=["L1"])
    >>> from_frame(frame, input="text", expected=["brand"])[0].expected
    {'brand': 'IKEA'}
    """
    if doubled := [name for name in frame.columns if list(frame.columns).count(name) > 1]:
        raise EvaluationError(f"The table has two columns {doubled[0]!r}. Rename one.", columns=doubled)
    named = [input, expected, id, tags]
    columns = [name for names in named if names for name in ([names] if isinstance(names, str) else names)]
    if missing := [name for name in columns if name not in frame.columns]:
        names = ", ".join(map(repr, missing))
        raise EvaluationError(
            f"The table has no column {names}. It has: {', '.join(frame.columns)}.", missing=missing
        )
    rows = zip(frame.index, frame.to_dict("records"), strict=True)

    def cases() -> Iterator[tuple[str, Case]]:
        for index, row in rows:
            place = f"row {index!r}"
            yield (
                place,
                make_case(
                    place,
                    id=_id(index if id is None else _cell(row[id])),
                    input=_cells(row, input),
                    expected=_cells(row, expected),
                    tags=_tags(row[tags]) if tags else (),
                    provenance=provenance,
                ),
            )

    return list(unique(cases(), "the table"))


def _id(value: Any) -> str:
    return "" if value is None else str(value)


def _cells(row: Mapping[Any, Any], names: str | Sequence[str] | None) -> Any:
    if names is None:
        return None
    return _cell(row[names]) if isinstance(names, str) else {name: _cell(row[name]) for name in names}


def _cell(value: Any) -> Any:
    """A plain JSON value: numpy scalars unpacked; NaN, and what else pandas takes for missing, as None."""
    import pandas as pd  # 0.3 s to import, but whoever has a frame has paid for it

    plain = value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else value
    return None if pd.api.types.is_scalar(plain) and pd.isna(plain) else plain


def _tags(value: Any) -> tuple[str, ...]:
    words = value.split(",") if isinstance(value, str) else (value if isinstance(value, Iterable) else ())
    return tuple(word.strip() for word in map(str, words) if word.strip())


def from_corrections(
    cases: Iterable[Case], corrections: Mapping[str, Mapping[str, Any]], *, by: str
) -> list[Case]:
    """The cases that somebody corrected, with their expected fields replaced and the corrector named.

    `corrections` maps a case's id to the fields that were wrong; each result is tagged "corrected".

    >>> case = Case(id="1", input="tan bag", expected={"colour": "beige", "brand": None})
    >>> from_corrections([case], {"1": {"colour": "brown"}}, by="seller")[0].expected
    {'colour': 'brown', 'brand': None}
    """
    known = {case.id: case for case in cases}
    if unknown := [id for id in corrections if id not in known]:
        raise EvaluationError(
            f"Corrections of unknown cases: {', '.join(unknown)}. Check the ids.", unknown=unknown
        )
    return [_corrected(known[id], fields, by) for id, fields in corrections.items()]


def _corrected(case: Case, fields: Mapping[str, Any], by: str) -> Case:
    update = {
        "expected": {**(case.expected or {}), **fields},
        "tags": tuple(dict.fromkeys([*case.tags, "corrected"])),
        "provenance": f"{case.provenance or 'unknown'}; {', '.join(fields)} corrected by {by}",
    }
    return case.model_copy(update=update)
