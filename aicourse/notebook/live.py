"""Views with controls: buttons where somebody can press them, plain HTML everywhere else.

A live view is two outputs of its cell. The first is the view as plain HTML; it is drawn anew whenever the
view changes, is stored with the notebook, and hidden while the second one, the controls, is connected to a
kernel. A notebook that is opened again thus shows the last view, not an error about a lost widget; controls
whose kernel has gone say so.
"""

from __future__ import annotations

import sys
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from aicourse.jupyter import notebook_shell
from aicourse.paths import unattended

AGAIN = "To go on, run this cell again; after a restart of the kernel, first the cells above it."
_DEAD = "The kernel was restarted: nothing that you do here is kept. Run the cells above, then this one."
_LIVE = "aicourse-live"
_KEPT = "aicourse-kept"
# What stands below a kept view and is not live can only say that its widget is lost.
_HIDE_LOST = (
    f"<style>.jp-OutputArea-child:has(.{_KEPT}) + .jp-OutputArea-child:not(:has(.{_LIVE})) "
    "{ display: none }</style>"
)
_HIDE_KEPT = f"""<style>
.NAME {{ display: none }}
.{_LIVE} .jupyter-widgets-disconnected::before {{ content: none }}
.{_LIVE}.jupyter-widgets-disconnected > * {{ opacity: 0.5; pointer-events: none }}
.{_LIVE}.jupyter-widgets-disconnected::before {{
  content: "{_DEAD}"; position: static; display: block; margin: 4px 0; font: inherit; font-weight: 600;
  color: inherit; border-left: 6px solid #d55e00; padding-left: 8px }}
</style>"""

Keep = Callable[[str], None]


class LiveView(ABC):
    """A view that draws itself as text and as HTML, and as controls where somebody can press them."""

    @abstractmethod
    def _repr_html_(self) -> str: ...

    @abstractmethod
    def _controls(self, keep: Keep) -> Any:
        """A widget; it calls `keep` with the view as HTML after each change."""

    def _ipython_display_(self) -> None:
        if not can_be_pressed():
            raise NotImplementedError  # IPython's way to ask for the other forms
        display = load_display()
        name = f"{_KEPT}-{uuid.uuid4().hex[:12]}"

        def plain(html: str) -> dict[str, str]:
            kept = f'{_HIDE_LOST}<div class="{_KEPT} {name}">{html}<p><em>{AGAIN}</em></p></div>'
            return {"text/plain": repr(self), "text/html": kept}

        handle = display(plain(self._repr_html_()), raw=True, display_id=True)
        widgets = load_ipywidgets()
        style = widgets.HTML(_HIDE_KEPT.replace("NAME", name), layout={"display": "none"})
        controls = self._controls(lambda html: handle.update(plain(html), raw=True))
        live = widgets.VBox([controls, style])
        live.add_class(_LIVE)
        bundle = live._repr_mimebundle_()
        display({kind: bundle[kind] for kind in bundle if kind not in ("text/plain", "text/html")}, raw=True)


def can_be_pressed() -> bool:
    """True if the running cell was sent by an editor of notebooks, with somebody before it.

    Editors say which cell they send; papermill, nbconvert and nbval send the code alone.
    """
    shell = notebook_shell()
    if shell is None or unattended():
        return False
    return bool(shell.get_parent().get("metadata")) or "google.colab" in sys.modules


def load_display() -> Any:
    """IPython's `display` (it has no annotations), which only a notebook asks for."""
    from IPython.display import display

    return display


def load_ipywidgets() -> Any:
    """The library of controls (its classes have no annotations); loading it takes 0.2 s."""
    import ipywidgets

    return ipywidgets
