"""The slot in memory for one model at a time, swapped when nobody uses it.

A request for another model waits for the calls under way. Calls for the model that is loaded may go on
passing it for `patience` seconds, because each swap costs seconds; after that they wait in turn, so that two
notebooks with two models neither starve nor swap at every call.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE = 10.0  # seconds


class ModelSlot:
    """Gives out the loaded model; `load` makes one from its name and is never called while one is in use."""

    def __init__(
        self,
        load: Callable[[str], Any],
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._patience = patience
        self._clock = clock
        self._changed = threading.Condition()
        self._name: str | None = None
        self._model: Any = None
        self._users = 0
        self._waiting: dict[object, tuple[str, float]] = {}  # oldest first: name, since when

    @contextmanager
    def use(self, name: str) -> Iterator[Any]:
        """The model called `name`, loaded first if need be; it stays loaded until the block ends."""
        with self._changed:
            ticket = object()
            self._waiting[ticket] = (name, self._clock())
            try:
                while not self._may_start(ticket, name):
                    self._changed.wait()
                if name != self._name:
                    self._swap(name)
                self._users += 1
                model = self._model
            finally:
                del self._waiting[ticket]
                self._changed.notify_all()
        try:
            yield model
        finally:
            del model  # or its memory would not be free when the next one is loaded
            with self._changed:
                self._users -= 1
                self._changed.notify_all()

    def _may_start(self, ticket: object, name: str) -> bool:
        ahead = next(iter(self._waiting))
        if name == self._name:
            wanted, since = self._waiting[ahead]
            return wanted == name or self._clock() - since < self._patience
        return ahead is ticket and not self._users

    def _swap(self, name: str) -> None:
        self._name = self._model = None  # frees its memory before the next one takes some
        self._model = self._load(name)
        self._name = name
