"""One model at a time: swaps wait, nobody starves, nothing deadlocks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aicourse.tooling.localmodel.server.model_slot import ModelSlot

SECONDS = 20


class Loader:
    """Loads instantly; knows which models were loaded, in order, and that no two were used at once."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.broken: set[str] = set()

    def __call__(self, name: str) -> str:
        if name in self.broken:
            raise RuntimeError(f"{name} is broken")
        self.loaded.append(name)
        return name


class Call:
    """A call in a thread of its own: `inside` is set once it has its model, it stays until `leave`."""

    def __init__(self, slot: ModelSlot, name: str) -> None:
        self.inside = threading.Event()
        self.leave = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(slot, name))
        self.thread.start()

    def _run(self, slot: ModelSlot, name: str) -> None:
        with slot.use(name) as model:
            assert model == name
            self.inside.set()
            assert self.leave.wait(SECONDS)

    def end(self) -> None:
        self.leave.set()
        self.thread.join(SECONDS)
        assert not self.thread.is_alive()


def wait_until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(SECONDS * 200):
        if condition():
            return
        pause.wait(0.005)
    pytest.fail("it never came")


def test_a_swap_waits_for_calls_under_way() -> None:
    loader = Loader()
    slot = ModelSlot(loader)
    first, second = Call(slot, "a"), Call(slot, "a")
    assert first.inside.wait(SECONDS)
    assert second.inside.wait(SECONDS)  # two at once share a model
    other = Call(slot, "b")
    wait_until(lambda: len(slot._waiting) == 1)
    first.end()
    assert not other.inside.is_set()
    assert loader.loaded == ["a"]
    second.end()
    assert other.inside.wait(SECONDS)
    assert loader.loaded == ["a", "b"]
    other.end()


def test_the_loaded_model_goes_first_until_patience_ends() -> None:
    now = [0.0]
    loader = Loader()
    slot = ModelSlot(loader, patience=10, clock=lambda: now[0])
    first = Call(slot, "a")
    assert first.inside.wait(SECONDS)
    other = Call(slot, "b")
    wait_until(lambda: len(slot._waiting) == 1)
    now[0] = 9.9
    passing = Call(slot, "a")
    assert passing.inside.wait(SECONDS)
    now[0] = 10.0
    late = Call(slot, "a")
    wait_until(lambda: len(slot._waiting) == 2)
    first.end()
    passing.end()
    assert other.inside.wait(SECONDS)
    assert not late.inside.is_set()
    other.end()
    assert late.inside.wait(SECONDS)
    assert loader.loaded == ["a", "b", "a"]
    late.end()


def test_a_model_that_does_not_load_harms_nobody_else() -> None:
    loader = Loader()
    loader.broken.add("b")
    slot = ModelSlot(loader)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="b is broken"), slot.use("b"):
            pytest.fail("it has no model")
        with slot.use("a") as model:
            assert model == "a"
    assert loader.loaded == ["a", "a"]


def test_a_call_that_fails_gives_its_place_back() -> None:
    slot = ModelSlot(Loader())
    with pytest.raises(ValueError, match="oops"), slot.use("a"):
        raise ValueError("oops")
    with slot.use("b") as model:
        assert model == "b"


def test_the_old_model_is_gone_before_the_new_one_is_loaded() -> None:
    living: set[int] = set()

    class Model:
        def __init__(self) -> None:
            assert not living
            living.add(id(self))

        def __del__(self) -> None:
            living.clear()

    slot = ModelSlot(lambda name: Model())
    for name in ("a", "b", "a"):
        with slot.use(name):
            pass


def test_many_calls_for_three_models_all_end() -> None:
    in_use: list[str] = []
    mixed: list[Any] = []
    slot = ModelSlot(Loader(), patience=0)

    def call(index: int) -> str:
        name = "abc"[index % 3]
        with slot.use(name) as model:
            in_use.append(name)
            mixed.extend(other for other in list(in_use) if other != model)
            in_use.remove(name)
        return name

    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(call, range(300), timeout=SECONDS))
    assert names == ["abc"[index % 3] for index in range(300)]
    assert not mixed
