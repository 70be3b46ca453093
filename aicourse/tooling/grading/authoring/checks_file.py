"""`checks.py` of an assignment, run: what it defines, or a sentence that says where it is wrong."""

from __future__ import annotations

import hashlib
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aicourse.errors import AssignmentError
from aicourse.tooling.grading.authoring.checks import Check, Planted, PromptCheck
from aicourse.tooling.grading.sandbox.execution import Limits


@dataclass(frozen=True)
class ChecksFile:
    """What a `checks.py` defines.

    `alternatives` are other right answers by question; `files` are names beside it that students get and
    submissions may read.
    """

    checks: tuple[Check | PromptCheck, ...]
    planted: tuple[Planted, ...] = ()
    alternatives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seed: str = ""
    limits: Limits = field(default_factory=Limits)
    files: tuple[str, ...] = ()
    sha256: str = ""


def load_checks(path: Path) -> ChecksFile:
    """Run `checks.py` and take what it defines.

    Raises:
        AssignmentError: there is none, it does not run, or `checks` or `planted` hold something else.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise AssignmentError(
            f"No {path.name} in {path.parent} ({error.strerror}). Write the hidden checks there; "
            "homework/README.md shows how.",
            path=path,
        ) from error
    found = _run(path, source)
    listed = _records(found, "checks", (Check, PromptCheck), path)
    return ChecksFile(
        checks=listed,
        planted=_records(found, "planted", (Planted,), path),
        alternatives=_alternatives(found, path),
        seed=str(found.get("seed", "")),
        limits=_limits(found, path),
        files=_file_names(found, path),
        sha256=_hash(source, listed),
    )


def _run(path: Path, source: bytes) -> dict[str, Any]:
    # compiled here rather than imported: no __pycache__ beside it, and an edit is seen at once
    name = f"aicourse_checks_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses and pydantic look their module up
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except AssignmentError:
        raise
    except (Exception, SystemExit) as error:
        line = _line_in(error, path)
        raise AssignmentError(
            f"{path.name}{line} does not run ({type(error).__name__}: {error}). Correct it there.", path=path
        ) from error
    return module.__dict__


def _line_in(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError):
        return f", line {error.lineno},"
    line, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = f", line {trace.tb_lineno},"
        trace = trace.tb_next
    return line


def _records(found: dict[str, Any], name: str, kinds: tuple[type, ...], path: Path) -> tuple[Any, ...]:
    listed = found.get(name, () if name == "planted" else None)
    wanted = " or ".join(kind.__name__ for kind in kinds)
    if not isinstance(listed, (list, tuple)) or not all(isinstance(item, kinds) for item in listed):
        raise AssignmentError(
            f"{path.name} must define `{name}` as a list of {wanted}. Correct it.", path=path
        )
    return tuple(listed)


def _alternatives(found: dict[str, Any], path: Path) -> dict[str, tuple[str, ...]]:
    stated = found.get("alternatives", {})
    try:
        return {str(question): tuple(map(str, sources)) for question, sources in stated.items()}
    except (AttributeError, TypeError):
        raise AssignmentError(
            f'{path.name}: `alternatives` must be like {{"q1": ["def …", "def …"]}}. Correct it.', path=path
        ) from None


def _limits(found: dict[str, Any], path: Path) -> Limits:
    limits = found.get("limits", Limits())
    if not isinstance(limits, Limits):
        raise AssignmentError(
            f"{path.name}: `limits` must be a Limits(…) of aicourse.tooling.grading.sandbox.execution."
        )
    return limits


def _file_names(found: dict[str, Any], path: Path) -> tuple[str, ...]:
    names = tuple(str(name) for name in found.get("files", ()))
    for name in names:
        if Path(name).name != name or not (path.parent / name).is_file():
            raise AssignmentError(
                f"{path.name}: `files` names {name!r}, which is no file beside it. Put it there."
            )
    return names


def _hash(source: bytes, checks: tuple[Check | PromptCheck, ...]) -> str:
    """Of the source and of the prompt checks' cases, which may come from another file."""
    digest = hashlib.sha256(source)
    for check in checks:
        if isinstance(check, PromptCheck):
            digest.update(
                repr([(case.id, dict(case.variables), case.expected) for case in check.cases]).encode()
            )
    return digest.hexdigest()
