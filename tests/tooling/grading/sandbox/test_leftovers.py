"""A grader that is killed leaves folders and control groups; the next start clears them, and only them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from sandboxes import linux_only, skip_without

from aicourse.tooling.grading.sandbox import cgroups, leftovers
from aicourse.tooling.grading.sandbox.executor import Sandbox

pytestmark = linux_only
GRADER = """
import sys, tempfile
from aicourse.tooling.grading.sandbox import cgroups, leftovers
from aicourse.tooling.grading.sandbox.executor import Sandbox
tempfile.tempdir = sys.argv[1]
sandbox = Sandbox()
starter = sandbox._start()
group = cgroups.SubmissionGroup(64 << 20) if sandbox.level == "L4" else None
leftovers.new_folder()
print("ready", flush=True)
sys.stdin.read()
"""
STARTING = """
import sys
from aicourse.tooling.grading.sandbox import launching
launching.Zygote._await_ready = lambda self: self._server.socket.send(b'{"fonts": ""}')
zygote = launching.Zygote("L0")
print("x", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def killed(place: Path) -> str:
    """The beginning of the names of a killed grader's things; what was below it has ended by itself."""
    skip_without("L3")
    with subprocess.Popen(
        [sys.executable, "-c", GRADER, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        (prefix,) = {path.name.rpartition("-")[0] for path in place.iterdir()}
        below = psutil.Process(process.pid).children(recursive=True)
        assert below, "a zygote"
        process.kill()
    _, alive = psutil.wait_procs(below, timeout=60)
    assert alive == []
    return prefix


def groups() -> list[Path]:
    return [
        folder
        for place in cgroups.places()
        for folder in (place.glob("aicourse-*") if place.is_dir() else ())
    ]


def test_the_next_start_clears_what_a_killed_grader_left(killed: str, place: Path) -> None:
    left = [path for path in [*place.iterdir(), *groups()] if path.name.startswith(killed)]
    assert len([path for path in left if path.parent == place]) == 2
    with Sandbox():
        assert [path for path in left if path.exists()] == []


def test_only_what_the_dead_have_left_is_cleared(place: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    where, start = leftovers._where(), leftovers._start_of(os.getpid())
    assert start is not None
    stay = [
        leftovers.own_prefix() + "mine",
        f"aicourse-{where}-{os.getppid()}-{leftovers._start_of(os.getppid())}-of-another",
        f"aicourse-00000000-{ended.pid}-{start}-of-another-machine",
        "aicourse-prompts-abc",
        f"else-{where}-{ended.pid}-{start}-x",
    ]
    go = [
        f"aicourse-{where}-{ended.pid}-{start}-dead",
        f"aicourse-{where}-{os.getpid()}-{start - 1}-whose-number-is-mine-now",
    ]
    for name in stay + go:
        (place / name / "inside").mkdir(parents=True)
    outside = place.parent / "outside"
    outside.mkdir(exist_ok=True)
    (place / f"aicourse-{where}-{ended.pid}-{start}-link").symlink_to(outside)
    leftovers.clear_folders()
    assert sorted(path.name for path in place.iterdir() if not path.is_symlink()) == sorted(stay)
    assert outside.is_dir()


def test_a_group_of_a_dead_grader_is_emptied_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    skip_without("L4")
    mine = cgroups.SubmissionGroup(64 << 20)
    with monkeypatch.context() as patch:
        patch.setattr(leftovers, "own_prefix", lambda: f"aicourse-{leftovers._where()}-{os.getpid()}-1-")
        dead = cgroups.SubmissionGroup(64 << 20)
    joins = "import os, sys, time\nfor h in sys.argv[1:]: os.write(int(h), b'0')\n"
    joins += "print(flush=True)\ntime.sleep(600)"
    handles = dead.joining
    with subprocess.Popen(
        [sys.executable, "-c", joins, *map(str, handles)], pass_fds=handles, stdout=subprocess.PIPE
    ) as orphan:
        assert orphan.stdout is not None
        orphan.stdout.readline()
        cgroups.clear()
        assert orphan.wait() == -signal.SIGKILL
    cgroups.clear()
    assert not [folder for folder in dead._folders if folder.exists()]
    assert all(folder.exists() for folder in mine._folders)
    mine.remove()
    dead.remove()


def test_a_zygote_that_is_still_importing_ends_with_its_grader(place: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"x\n"
        (zygote,) = psutil.Process(process.pid).children()
        process.kill()
    _, alive = psutil.wait_procs([zygote], timeout=60)
    assert alive == []
