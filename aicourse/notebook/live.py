"""The choice between buttons and plain HTML: a view has controls where somebody could press them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from aicourse.jupyter import notebook_shell
from aicourse.paths import unattended


class Plain(Protocol):
    """A view that draws itself as text and as HTML."""

    def _repr_html_(self) -> str: ...


def mimebundle(plain: Plain, controls: Callable[[], Any]) -> dict[str, Any]:
    """The forms of a view: text and HTML always, `controls()` (a widget) where somebody could press it.

    A front end prefers the widget while its kernel lives; `aicourse run --save` stores it without.
    """
    bundle: dict[str, Any] = {"text/plain": repr(plain), "text/html": plain._repr_html_()}
    if notebook_shell() is None or unattended():
        return bundle
    return {**controls()._repr_mimebundle_(), **bundle}


def load_ipywidgets() -> Any:
    """The library of controls (its classes have no annotations); loading it takes 0.2 s."""
    import ipywidgets

    return ipywidgets
