"""Grading on a Dask cluster: killed workers, a restarted scheduler and a restarted client lose nothing."""

from __future__ import annotations

import functools
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fakes
import pytest
from fakes import FIRST_NUMBER, hand_in, small_assignment, submission, to_bytes

from aicourse.errors import GradingError, SandboxError
from aicourse.tooling.grading.cluster import ClusterExecutor
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.grade import Options, Summary, grade
from aicourse.tooling.grading.publishing.gradebook import build
from aicourse.tooling.grading.sandbox.execution import Execution, Job

cloudpickle = pytest.importorskip("cloudpickle")
distributed = pytest.importorskip("distributed", reason='needs Dask: pip install "aicourse[cluster]"')
pytestmark = pytest.mark.xdist_group("cluster")
cloudpickle.register_pickle_by_value(fakes)
WORKERS = 6  # five die below, and on a busy machine Dask's nannies take their time, or give up
QUIET = {"processes": True, "dashboard_address": None, "silence_logs": 60}


def run_on_worker(job: Job, deaths: str) -> Execution:
    """What workers do here: a marked notebook's first runs kill their worker, as a fault would."""
    import os
    from pathlib import Path

    source = "\n".join(cell["source"] for cell in job.notebook["cells"])
    for line in source.splitlines():
        if line.startswith("# kills its worker"):
            times = int(line.rsplit(" ", 1)[1])
            if len(list(Path(deaths).iterdir())) < times:
                Path(deaths, f"{os.getpid()}-{os.urandom(4).hex()}").touch()
                os.kill(os.getpid(), 9)
    return fakes.run_in_process(job)


cloudpickle.register_pickle_by_value(sys.modules[run_on_worker.__module__])


@dataclass
class Setting:
    """A cluster, and a class to grade on it."""

    cluster: Any
    root: Path

    @property
    def run(self) -> Any:
        (self.root / "deaths").mkdir(exist_ok=True)
        return functools.partial(run_on_worker, deaths=str(self.root / "deaths"))

    def executor(self, **options: Any) -> ClusterExecutor:
        return ClusterExecutor(self.cluster.scheduler_address, run=self.run, patience=15, **options)

    def grade(self, executor: ClusterExecutor, out: str = "out", **options: Any) -> Summary:
        assignment = small_assignment(self.root / "hw")
        chosen = replace(Options(progress=False, jobs=4), **options)
        return grade(assignment, self.root / "in", self.root / out, executor.execute, options=chosen)

    def gradebook(self, out: str = "out") -> bytes:
        folder = GradesFolder(self.root / out)
        build(folder)
        return folder.gradebook_csv.read_bytes()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    settings = {
        "distributed.scheduler.allowed-failures": 0,
        "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": "1", "MALLOC_TRIM_THRESHOLD_": "65536"},
        "distributed.worker.profile.enabled": False,
        "distributed.comm.timeouts.connect": "120s",  # a busy machine takes long to start a worker
    }
    import dask

    with (
        dask.config.set(settings),
        distributed.LocalCluster(n_workers=WORKERS, threads_per_worker=1, **QUIET) as running,
    ):
        yield running


@pytest.fixture
def setting(cluster: Any, tmp_path: Path) -> Setting:
    students = {
        f"s{number}": submission(q1=FIRST_NUMBER) if number % 3 else submission() for number in range(9)
    }
    hand_in(tmp_path / "in", **students)
    return Setting(cluster, tmp_path)


def expected(setting: Setting) -> bytes:
    """The gradebook of a run without any cluster."""
    assignment = small_assignment(setting.root / "hw")
    options = Options(progress=False)
    grade(assignment, setting.root / "in", setting.root / "calm", fakes.run_in_process, options=options)
    return setting.gradebook("calm")


def mark(setting: Setting, student: str, times: int) -> None:
    data = submission(q2=f"{fakes.RIGHT_Q2}\n# kills its worker {times}")
    (setting.root / "in" / f"{student}.ipynb").write_bytes(to_bytes(data))


@pytest.mark.slow
def test_the_same_gradebook_as_on_one_machine(setting: Setting) -> None:
    with setting.executor() as executor:
        assert executor.slots == 2 * WORKERS
        setting.grade(executor)
    assert setting.gradebook() == expected(setting)


@pytest.mark.slow
def test_killed_workers_lose_nothing(setting: Setting) -> None:
    mark(setting, "s4", 2)
    with setting.executor() as executor:
        summary = setting.grade(executor)
    assert len(list((setting.root / "deaths").iterdir())) == 2, "the workers must really have died"
    assert summary.count("failed") == 0
    assert setting.gradebook() == expected(setting)


@pytest.mark.slow
def test_one_that_kills_every_worker_costs_itself_alone(setting: Setting) -> None:
    mark(setting, "s4", 10_000)
    with setting.executor() as executor:
        summary = setting.grade(executor)
    outcomes = {outcome.student: outcome for outcome in summary.outcomes}
    assert outcomes["s4"].status == "failed"
    assert "ended its worker" in outcomes["s4"].sentence
    assert [outcomes[f"s{number}"].status for number in (0, 1, 2, 3, 5, 6, 7, 8)] == ["graded"] * 8


@pytest.mark.slow
def test_a_client_that_was_ended_goes_on_where_it_was(setting: Setting) -> None:
    with setting.executor() as executor:
        setting.grade(executor, only=("s1", "s2"))
    before = {path: path.stat().st_mtime_ns for path in (setting.root / "out" / "results").iterdir()}
    with setting.executor() as executor:
        summary = setting.grade(executor)
    assert sum(outcome.kept for outcome in summary.outcomes) == 2
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert setting.gradebook() == expected(setting)


def wait_for_gate(job: Job, folder: str) -> Execution:
    """Say that it runs, and go on when the gate is there."""
    import os
    import time
    from pathlib import Path

    Path(folder, f"running-{os.getpid()}").touch()
    while not Path(folder, "gate").exists():
        time.sleep(0.02)
    return fakes.run_in_process(job)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_a_scheduler_that_comes_back_loses_nothing(setting: Setting) -> None:
    """The scheduler and its worker are ended while submissions run; others come up at their address."""
    port = free_port()
    start = functools.partial(
        distributed.LocalCluster, scheduler_port=port, n_workers=1, threads_per_worker=4, **QUIET
    )
    executor = ClusterExecutor(
        f"tcp://127.0.0.1:{port}", run=functools.partial(wait_for_gate, folder=str(setting.root)), patience=60
    )
    with start() as first, executor, ThreadPoolExecutor(1) as pool:
        graded = pool.submit(setting.grade, executor)
        deadline = time.monotonic() + 60
        while not list(setting.root.glob("running-*")) and time.monotonic() < deadline:
            time.sleep(0.02)
        first.close()
        with start():
            (setting.root / "gate").touch()
            assert graded.result(timeout=60).count("graded") == 9
    assert len(list(setting.root.glob("running-*"))) == 2, "it must have run on both"
    assert setting.gradebook() == expected(setting)


def test_no_scheduler_there() -> None:
    with pytest.raises(GradingError, match="No Dask scheduler answers"):
        ClusterExecutor("tcp://127.0.0.1:9", patience=0.1).__enter__()


@pytest.mark.slow
def test_files_travel_with_the_job(cluster: Any) -> None:
    def look(job: Job) -> Execution:
        return replace(fakes.run_in_process(job), sentence=job.files["data/own.csv"].decode())

    with ClusterExecutor(cluster.scheduler_address, run=look, patience=15) as executor:
        assert executor.execute(Job({"cells": []}, files={"data/own.csv": b"a,b"})).sentence == "a,b"


@pytest.mark.slow
def test_what_a_worker_says_of_itself_arrives(cluster: Any) -> None:
    def refuse(job: Job) -> Execution:
        from aicourse.errors import SandboxError

        raise SandboxError("This machine offers only L1.", level="L1")

    executor = ClusterExecutor(cluster.scheduler_address, run=refuse, patience=15)
    with executor, pytest.raises(SandboxError, match="only L1") as caught:
        executor.execute(Job({"cells": []}))
    assert caught.value.level == "L1"
