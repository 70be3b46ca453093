"""Digests: short hashes that say what a run is of, so that a changed task or scorer is noticed.

    digests_of(task)      {"code": "5d41402abc4b", "PROMPT": "7d793037a076", "clean": "9f6ae1d5a6c0"}

A function is its compiled code (comments and spacing do not count), its defaults, and whatever it names or
closes over: plain data, and the functions and classes of the same author. An instance is its class and its
fields. Compiled code differs between Python versions, so a run notes that, too.

Not looked into: libraries, and objects of other kinds (a client, a data frame), of which the class counts.
"""

from __future__ import annotations

import dis
import functools
import inspect
import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from hashlib import blake2b
from pathlib import PurePath
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticUserError

from aicourse.evals.scores import scorer_name

Parts = Iterator[tuple[str, Any]]

SCORER = "the scorer "  # before its name, in what a run is made of

_WRITTEN = (str, bytes, bool, float, complex, type(None), type(...), slice, Decimal, date, PurePath, Enum)
_CODE = ("code", "exceptiontable", "consts", "names", "freevars", "flags", "argcount", "kwonlyargcount")
_LIBRARIES = ("<frozen", *{sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


def digests_of(thing: Any) -> dict[str, str]:
    """A digest of the code of a task or scorer, and of each thing that it names or holds, by name."""
    return {name: _Walk(_author(thing)).digest(part) for name, part in _parts(thing)}


def made_of(task: Any, scorers: Sequence[Any]) -> dict[str, str]:
    """Digests of all that a run is made of but its cases, which each record has its own of."""
    parts = {f"the task's {name}": found for name, found in digests_of(task).items()}
    return {"Python": ".".join(map(str, sys.version_info[:2]))} | parts | _scorers_made_of(scorers)


def remade_of(parts: Mapping[str, str], scorers: Sequence[Any]) -> dict[str, str]:
    """The same with other scorers; nothing where nothing was noted."""
    others = {name: found for name, found in parts.items() if not name.startswith(SCORER)}
    return others | _scorers_made_of(scorers) if others else {}


def _scorers_made_of(scorers: Sequence[Any]) -> dict[str, str]:
    named = ((scorer_name(scorer), digests_of(scorer).items()) for scorer in scorers)
    return {f"{SCORER}{name}": digest(*(text for part in parts for text in part)) for name, parts in named}


def digest(*texts: str) -> str:
    """A short hash of texts, in this order."""
    found = blake2b(digest_size=6)
    for text in texts:
        found.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return found.hexdigest()


class _Walk:
    """A walk through all that one value refers to; the functions and classes of one author are followed."""

    def __init__(self, author: str | None) -> None:
        self._author = author
        self._followed: list[Any] = []
        self._open: list[int] = []  # collections that are being written: one may hold itself

    def digest(self, value: Any) -> str:
        """The digest of a value and of everything behind it."""
        texts = [self._written(value)]
        for thing in self._followed:  # grows
            parts = _class_parts(thing) if isinstance(thing, type) else _parts(thing)
            texts += [f"{name} {self._written(part)}" for name, part in parts]
        return digest(*texts)

    def _written(self, value: Any) -> str:
        if isinstance(value, _WRITTEN):
            return repr(value)
        if isinstance(value, int):
            return f"{value:x}"  # a decimal number may be too long for Python to write
        if isinstance(value, re.Pattern):
            return repr((value.pattern, value.flags))
        if isinstance(value, CodeType):
            return self._collection([getattr(value, f"co_{name}") for name in _CODE])
        if type(value) in (list, dict, set) or isinstance(value, tuple | frozenset):
            return self._collection(value)
        if self._author is not None and _author(value) == self._author:
            if all(thing is not value for thing in self._followed):
                self._followed.append(value)
            return _name(value)
        return f"{_name(value)} {self._collection(dict(_fields(value)))}"

    def _collection(self, values: Any) -> str:
        if id(values) in self._open:
            return "itself"
        self._open.append(id(values))
        parts = [self._written(one) for one in (values.items() if isinstance(values, dict) else values)]
        self._open.pop()
        return digest(type(values).__name__, *(parts if isinstance(values, list | tuple) else sorted(parts)))


def _parts(thing: Any) -> Parts:
    """The parts of a callable: its code, then by name all that it refers to."""
    if isinstance(thing, MethodType):
        yield from _parts(thing.__func__)
        yield from _fields(thing.__self__)
    elif isinstance(thing, functools.partial):
        yield from _parts(thing.func)
        yield "arguments", (thing.args, thing.keywords)
    elif isinstance(function := inspect.unwrap(thing), FunctionType):
        yield "code", (function.__code__, function.__defaults__, function.__kwdefaults__)
        yield from _references(function)
    else:
        yield "code", _owner(thing)
        yield from _fields(thing)


def _class_parts(thing: type) -> Parts:
    """Methods and plain attributes of a class; of a pydantic model its schema, too."""
    yield "bases", thing.__bases__
    for name, value in sorted(vars(thing).items()):
        function = getattr(value, "fget", None) or getattr(value, "__func__", None) or value
        if isinstance(function, FunctionType) or not name.startswith("_"):
            yield name, function
    if issubclass(thing, BaseModel):
        try:
            yield "schema", thing.model_json_schema()
        except PydanticUserError:  # a field of a type that JSON has no schema for
            yield "schema", sorted(thing.model_fields)


def _fields(thing: Any) -> Parts:
    """The fields of an instance that count when it is compared."""
    if is_dataclass(thing) and not isinstance(thing, type):
        yield from ((one.name, getattr(thing, one.name, None)) for one in fields(thing) if one.compare)
    elif isinstance(thing, BaseModel) or _author(thing) is not None:
        yield from sorted(getattr(thing, "__dict__", {}).items())


def _references(function: FunctionType) -> Parts:
    """The variables that a function closes over, and the global ones that it names."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    yield from ((name, content) for name, cell in cells for content in _contents(cell))
    known = function.__globals__
    for name in sorted(_globals(function.__code__) & known.keys()):
        if not isinstance(module := known[name], ModuleType):
            yield name, known[name]
        elif _unit(module.__name__, getattr(module, "__file__", None)) is not None:
            used = sorted(_names(function.__code__) & vars(module).keys())
            yield from ((f"{name}.{one}", getattr(module, one)) for one in used)


def _contents(cell: CellType) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:  # a variable that has no value yet
        return []


@functools.cache
def _globals(code: CodeType) -> frozenset[str]:
    """The global names in a function's code, and in that of the functions inside it."""
    named = {one.argval for one in dis.get_instructions(code) if one.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return frozenset(named).union(*map(_globals, _inner(code)))


def _names(code: CodeType) -> frozenset[str]:
    return frozenset(code.co_names).union(*map(_names, _inner(code)))


def _inner(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _owner(thing: Any) -> Any:
    """A function or class itself, of anything else the class."""
    function = inspect.unwrap(thing) if hasattr(thing, "__wrapped__") else thing
    return function if isinstance(function, FunctionType | BuiltinFunctionType | type) else type(function)


def _name(thing: Any) -> str:
    return f"{_owner(thing).__module__}.{_owner(thing).__qualname__}"


def _author(thing: Any) -> str | None:
    """The author of a function, a class, or an instance's class (as in `_unit`)."""
    if isinstance(thing, MethodType | functools.partial):
        return _author(thing.__func__ if isinstance(thing, MethodType) else thing.func)
    owner = _owner(thing)
    return _unit(
        str(owner.__module__), owner.__code__.co_filename if isinstance(owner, FunctionType) else None
    )


def _unit(module: str, file: str | None) -> str | None:
    """One of the course's packages, or "" for code of one's own; None for a library's."""
    first, *rest = module.split(".")
    if first == __name__.partition(".")[0]:
        return ".".join([first, *rest[:1]])
    if module == "__main__":
        return ""
    file = file or getattr(sys.modules.get(module), "__file__", None) or "<frozen"
    return None if file.startswith(_LIBRARIES) or "-packages" in file else ""
