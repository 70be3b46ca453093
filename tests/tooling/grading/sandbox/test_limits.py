"""Memory and CPU time of one submission, where no control group counts them (L3) and where one does (L4)."""

from __future__ import annotations

import dataclasses
import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hostile import HIDING
from sandboxes import HONEST, SHORT, linux_only, notebook, skip_without

from aicourse.tooling.grading.sandbox import cgroups, running, watcher
from aicourse.tooling.grading.sandbox.execution import Execution, Job, StudentCall
from aicourse.tooling.grading.sandbox.executor import Sandbox
from aicourse.tooling.grading.sandbox.running import Allowance, RunState

LIMITS = dataclasses.replace(SHORT, notebook_seconds=60, cell_seconds=20)


def open_at(level: str) -> Iterator[Sandbox]:
    skip_without(level)
    with_level = Sandbox()
    with_level.level = level
    with with_level as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def watched() -> Iterator[Sandbox]:
    yield from open_at("L3")


def beside_a_neighbour(sandbox: Sandbox, source: str) -> tuple[Execution, Execution]:
    """A hostile cell between honest ones, and an honest notebook at the same time."""
    calls = (StudentCall("double", (21,)),)
    jobs = [Job(notebook(HONEST, cell), calls, limits=LIMITS) for cell in (source, "print('hello')")]
    with ThreadPoolExecutor(2) as pool:
        hostile, honest = pool.map(sandbox.execute, jobs)
    return hostile, honest


@pytest.mark.parametrize("name", HIDING)
def test_no_memory_is_out_of_sight_without_a_control_group(watched: Sandbox, name: str) -> None:
    hostile, honest = beside_a_neighbour(watched, HIDING[name])
    assert (hostile.ending, hostile.level) == ("out_of_memory", "L3"), hostile.sentence
    assert "Cell 2 used more than 256 MB of memory" in hostile.sentence
    assert [one.answers[0].value for one in (hostile, honest)] == [42, 42], "what was earned stays"
    assert (honest.ending, honest.sentence) == ("finished", "")


FILLS = "pieces = []\nwhile True: pieces.append(bytes(1 << 20))"  # a MemoryError, and all of it is kept
TO_THE_LAST_BYTE = """
pieces = []
for size in (1 << 20, 1 << 14, 600):
    try:
        while True:
            pieces.append(bytes(size))
    except MemoryError:
        pass
raise MemoryError
"""
NEEDS = "def double(x):\n    return len(bytearray(x << 20)) >> 19"


@pytest.fixture(params=["L4", "L3"])
def either(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    yield from open_at(request.param)


@pytest.mark.parametrize("fills", [FILLS, TO_THE_LAST_BYTE], ids=["megabytes", "bytes"])
@pytest.mark.parametrize("after", ["pass", "more = bytearray(64 << 20)\nfine = True"])
def test_who_fills_the_memory_costs_itself_alone(either: Sandbox, after: str, fills: str) -> None:
    calls = StudentCall("double", (21,)), StudentCall("fine"), StudentCall("double", (999,))
    execution = either.execute(Job(notebook(NEEDS, fills, after), calls, limits=LIMITS))
    assert [one.index for one in execution.failures] == [1]
    assert execution.sentence == "Cell 2 used more than 256 MB of memory and was stopped."
    double, fine, too_much = execution.answers
    assert double.value == 42, "there is room again"
    assert fine.kind == ("missing" if after == "pass" else "returned")
    assert too_much.kind in ("raised", "dead")


def test_tables_of_the_kernel_that_no_process_maps_are_refused(watched: Sandbox) -> None:
    source = (
        "import ctypes\nlibc = ctypes.CDLL(None)\n"
        "made = [libc.semget(0, 32000, 0o1600), libc.msgget(0, 0o1600), libc.shmget(0, 4096, 0o1600)]"
    )
    execution = watched.execute(Job(notebook(source), (StudentCall("made"),), limits=LIMITS))
    assert execution.answers[0].value == [-1, -1, -1]


def test_addresses_have_a_limit_too(watched: Sandbox) -> None:
    source = "import resource\nlimit, _ = resource.getrlimit(resource.RLIMIT_AS)"
    (answer,) = watched.execute(Job(notebook(source), (StudentCall("limit"),), limits=LIMITS)).answers
    assert LIMITS.memory < answer.value < 64 << 30


MANY_SESSIONS = """
import os, time
for _ in range(14):
    if os.fork() == 0:
        os.setsid()
        os.write(1, b"x")
        time.sleep(600)
time.sleep(600)
"""


@linux_only
def test_fourteen_busy_children_weigh_as_much_as_one() -> None:
    """Read from the scheduler's own settings: what each gets depends on who else is busy."""
    with subprocess.Popen([sys.executable, "-c", MANY_SESSIONS], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.read(14) == b"x" * 14
            found = watcher.tree(process.pid)
            for _ in range(200):
                watcher.share(found)
                groups = {nice for child in found for nice in watcher._session(child)[-1:]}
                if groups in (set(), {"12"}):  # 14 or 15 sessions with a group, and 1.25 ** 12 is about 15
                    break
                time.sleep(0.02)  # who is not root may change one in a tenth of a second
            weights = [1.25 ** -(os.getpriority(os.PRIO_PROCESS, child) - watcher.NICE) for child in found]
        finally:
            for child in watcher.tree(process.pid):
                os.kill(child, 9)
    assert len(found) == 15
    assert sum(weights) == pytest.approx(1, rel=0.1)
    assert groups in (set(), {"12"}), "none where sessions are no groups"


def test_a_process_in_the_first_session_of_all_has_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file in /proc is there, and empty."""
    monkeypatch.setattr(watcher, "open", lambda *_: io.StringIO(""), raising=False)
    assert watcher._session(1) == []


def test_a_control_group_shares_the_cpu_and_counts_it() -> None:
    skip_without("L4")
    group = cgroups.SubmissionGroup(64 << 20)
    try:
        spins = "import os, sys\nfor h in sys.argv[1:]: os.write(int(h), b'0')\nfor _ in range(10**6): pass"
        handles = [*map(str, group.joining)]
        subprocess.run([sys.executable, "-c", spins, *handles], pass_fds=group.joining, check=True)
        names = ("cpu.weight", "cpu.shares")
        shares = [path for folder in group._folders for name in names if (path := folder / name).exists()]
        assert [path.read_text().strip() for path in shares] in ([], ["100"], ["1024"]), "that of all others"
        assert group.cpu_seconds() is None or group.cpu_seconds()
        assert group.peak() > 0
    finally:
        group.remove()
    assert not [folder for folder in group._folders if folder.exists()]


class Clocks:
    """A kernel without processes, and a clock that goes on when a test says so."""

    now, cpu, model = 1_000.0, 0.0, 0.0

    def monotonic(self) -> float:
        return self.now

    def cpu_seconds(self) -> float:
        return self.cpu

    def model_seconds(self) -> float:
        return self.model

    def passes(self, seconds: float, cpu: float, model: float = 0.0) -> None:
        self.now, self.cpu, self.model = self.now + seconds, self.cpu + cpu, self.model + model


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(running, "time", clocks)
    return clocks


def test_who_got_no_cpu_has_not_used_up_its_time(clocks: Clocks) -> None:
    allowance = Allowance(clocks, 10)  # type: ignore[arg-type]
    clocks.passes(1, cpu=0.1)
    assert allowance.left() == 9
    clocks.passes(10, cpu=2)
    assert allowance.left() == 8
    clocks.passes(8, cpu=7)
    assert allowance.left() == 1
    clocks.passes(1, cpu=1)
    assert allowance.left() == 0


def test_many_processes_are_not_stopped_before_their_time_on_the_clock(clocks: Clocks) -> None:
    allowance = Allowance(clocks, 10)  # type: ignore[arg-type]
    clocks.passes(1, cpu=2)
    assert allowance.left() == 9
    clocks.passes(8.5, cpu=17)
    assert allowance.left() == 0.5
    clocks.passes(0.5, cpu=1)
    assert allowance.left() == 0


def test_what_sleeps_ends_too_and_waiting_for_the_model_does_not_count(clocks: Clocks) -> None:
    allowance = Allowance(clocks, 10)  # type: ignore[arg-type]
    clocks.passes(130, cpu=0, model=100)
    assert allowance.left() == 0
    clocks.passes(5, cpu=0, model=6)
    assert allowance.left() == 1


def test_all_attempts_together_take_three_times_the_time_at_most(clocks: Clocks) -> None:
    state = RunState(Job(notebook(), [StudentCall("f", (), seconds=5)] * 4, limits=LIMITS))
    state.started = clocks.now
    clocks.passes(239, cpu=0)
    assert state.left() == 1
    assert state.left(model_seconds=10) == 11
    clocks.passes(2, cpu=0)
    assert state.left() == 0
