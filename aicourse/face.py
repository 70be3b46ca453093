"""Faces of packages: the names that others use, each loaded with its module on first use (PEP 562).

    __getattr__, __dir__ = lazily(__name__, {"connect": "aicourse.llm.client"})

So a package's `__init__` names what is in it and costs nothing to import. For type checkers the same names
stand there under `if TYPE_CHECKING`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazily(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` for `package`; `homes` names each one's module.

    A name that its module does not define is the module itself: `doctor` of `aicourse.tooling.course.doctor`.
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(homes[name])
        is_module = homes[name].endswith(f".{name}") and not hasattr(module, name)
        value = module if is_module else getattr(module, name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return load, names
