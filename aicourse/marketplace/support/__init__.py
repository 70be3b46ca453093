"""The support assistant of the marketplace: its tools (`desk`), and the shop that a scenario begins with.

    from aicourse.marketplace.support import Desk, open_shop, scenario_desk

Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.marketplace.support.desk import Desk as Desk
    from aicourse.marketplace.support.desk import open_shop as open_shop
    from aicourse.marketplace.support.snapshot import fill as fill
    from aicourse.marketplace.support.snapshot import help_centre as help_centre
    from aicourse.marketplace.support.snapshot import scenario_desk as scenario_desk

_NAMES = {"desk": ("Desk", "open_shop"), "snapshot": ("fill", "help_centre", "scenario_desk")}
_HOME = {name: f"aicourse.marketplace.support.{module}" for module, names in _NAMES.items() for name in names}

__all__ = sorted(_HOME)
__getattr__, __dir__ = lazily(__name__, _HOME)
