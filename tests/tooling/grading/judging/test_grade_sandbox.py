"""Grading with the real sandbox: honest neighbours of hostile notebooks, and a grader killed at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from fakes import FIRST_NUMBER, RIGHT_Q1, RIGHT_Q2, cell, hand_in, small_assignment, submission
from hostile import ATTACKS, COSTLY, FLOOD, HIDING

from aicourse.tooling.grading.authoring.assignment import load_assignment
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.grade import Options, grade
from aicourse.tooling.grading.publishing.feedback import write_feedback
from aicourse.tooling.grading.publishing.gradebook import build
from aicourse.tooling.grading.sandbox.executor import Sandbox

QUIET = Options(progress=False, jobs=2)
GRADE = """
import sys
from pathlib import Path
from aicourse.tooling.grading.authoring.assignment import load_assignment
from aicourse.tooling.grading.sandbox.executor import Sandbox
from aicourse.tooling.grading.judging.grade import Options, grade

hw, source, out = map(Path, sys.argv[1:])
with Sandbox() as sandbox:
    options = Options(progress=False, jobs=2)
    grade(load_assignment(hw), source, out, sandbox.execute, level=sandbox.level, options=options)
"""


LIMITS = """
from aicourse.tooling.grading.sandbox.execution import Limits
limits = Limits(20, 4, memory=256 << 20, disk=16 << 20, files=500, processes=24, output=1 << 20)
"""
# The peak of this process alone, in kB: `ru_maxrss` starts with what the process that started it had.
WHOLE_SUITE = f"""{GRADE}
print(*[line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")])
"""
TELLS = """
from aicourse.tooling.grading.sandbox import kernel_side
def read_size(text):
    def tell(value, depth=0):
        raise kernel_side.NotPlainData(text)
    kernel_side.encode = tell
"""
ENCODES = """
from aicourse.tooling.grading.sandbox import kernel_side
kernel_side.encode = lambda value, depth=0: {0}
"""
FLOODS = """
import os, stat, struct
body = b'{"output": [' + b"[]," * 1_600_000 + b"[]]}"
for handle in range(3, 64):
    try:
        if stat.S_ISSOCK(os.fstat(handle).st_mode): os.write(handle, struct.pack("=I", len(body)) + body)
    except OSError: pass
"""

pytestmark = pytest.mark.usefixtures("sandbox_level")


def test_hostile_notebooks_cost_themselves_alone(tmp_path: Path) -> None:
    source = hand_in(
        tmp_path / "in",
        ada=submission(),
        bo=submission(q1=FIRST_NUMBER),
        exits=submission(q2=f"{RIGHT_Q2}\nimport os\nos._exit(3)"),
        prints=submission(q1=f"{RIGHT_Q1}\nprint('\\x1b[31m<script>alert(1)</script>')"),
        reads=submission(q1=f"{RIGHT_Q1}\nprint(open({str(tmp_path / 'hw' / 'checks.py')!r}).read())"),
        tells=submission(q1="def read_size(text):\n    raise type(text, (Exception,), {})(text)"),
        types=submission(q1="def read_size(text):\n    return type(text, (), {})()"),
        forges=submission(q1=TELLS),
    )
    with Sandbox() as sandbox:
        summary = grade(
            small_assignment(tmp_path / "hw"), source, tmp_path / "out", sandbox.execute, options=QUIET
        )
    folder = GradesFolder(tmp_path / "out")
    found = {result.student: result for result in folder.results()}
    assert summary.count("failed") == 0
    assert [found[name].earned for name in ("ada", "bo", "prints", "reads")] == [6, 4, 6, 6]
    assert found["exits"].earned == 4, "the cell that ends the kernel costs its own points"
    assert "ended the kernel" in found["exits"].sentence
    assert found["prints"].questions[0].output == "<script>alert(1)</script>"
    assert "Mistake(first_number" not in found["reads"].to_json()
    assert [found[name].earned for name in ("tells", "types", "forges")] == [2, 2, 0]
    build(folder)
    write_feedback(folder)
    written = [path for path in folder.root.rglob("*") if path.is_file() and path.suffix != ".ipynb"]
    assert not [path for path in written if b"SECRET" in path.read_bytes()], "a hidden input"
    assert {result.level for result in found.values()} == {sandbox.level}


@pytest.mark.slow
def test_the_graders_own_memory_stays_small_whatever_is_handed_in(tmp_path: Path) -> None:
    wide = {"!": "array", "dtype": "<U15000000", "shape": [1], "of": ["x"]}
    alike = {"!": "set", "of": [(2**61 - 1) * number for number in range(1, 40_000)]}
    prints, turned, text = submission(), submission(), submission(q3="\U0001f600" + "x" * 7_900_000)
    prints["cells"][3:3] = [cell("code", f"p{n}", "print('x' * 3_900_000)") for n in range(60)]
    setup = "\n".join(f"import module_{number} as m{number}" for number in range(300))
    turned["cells"] += [cell("code", f"t{n}", setup[::-1]) for n in range(100)]
    source = hand_in(
        tmp_path / "in",
        ada=submission(),
        bo=submission(q1=FIRST_NUMBER),
        arrays=submission(q1=ENCODES.format([wide] * 2) + RIGHT_Q1),
        alike=submission(q1=ENCODES.format(alike) + RIGHT_Q1),
        tree=submission(q1="check(1)\nx = [" + "a + b, " * 110_000 + "]"),
        floods=submission(q1=FLOODS + RIGHT_Q1),
        prints=prints,
        turned=turned,
        text=text,
        zoe=submission(),
    )
    (source / "lists.ipynb").write_bytes(b'{"cells": [' + b"[]," * 10_000_000 + b"[]]}")
    folder = small_assignment(tmp_path / "hw").folder
    run = [sys.executable, "-c", WHOLE_SUITE, str(folder), str(source), str(tmp_path / "out")]
    done = subprocess.run(run, cwd=Path(__file__).parents[4], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) <= 500 << 10, "kB"
    found = {result.student: result.earned for result in GradesFolder(tmp_path / "out").results()}
    honest = {"ada": 6, "bo": 4, "zoe": 6, "prints": 6, "turned": 6, "text": 6}
    assert found == honest | {"arrays": 0, "alike": 0, "tree": 2, "floods": 2, "lists": None}
    assert sum(path.stat().st_size for path in (tmp_path / "out" / "executed").iterdir()) < 64 << 20


@pytest.mark.slow
def test_killed_at_work_and_run_again(tmp_path: Path) -> None:
    """The same gradebook as undisturbed, and nothing of the killed run stays alive."""
    assignment = small_assignment(tmp_path / "hw")
    kinds = [submission(), submission(q1=FIRST_NUMBER), submission(q2="x = (")]
    source = hand_in(tmp_path / "in", **{f"s{number}": kinds[number % 3] for number in range(5)})
    with Sandbox() as sandbox:
        grade(assignment, source, tmp_path / "calm", sandbox.execute, level=sandbox.level, options=QUIET)
        expected = gradebook(tmp_path / "calm")
        for results in (1, 3):
            out = tmp_path / f"killed-{results}"
            kill_after(results, [str(tmp_path / "hw"), str(source), str(out)])
            assert 0 < len(list((out / "results").glob("[!.]*.json"))) < 5
            grade(assignment, source, out, sandbox.execute, level=sandbox.level, options=QUIET)
            assert gradebook(out) == expected


def gradebook(out: Path) -> tuple[bytes, bytes]:
    folder = GradesFolder(out)
    build(folder)
    return folder.gradebook_csv.read_bytes(), folder.gradebook_sqlite.read_bytes()


def kill_after(results: int, arguments: list[str]) -> None:
    """Start a grader, end it with SIGKILL once that many results are written, and wait for all below it."""
    process = subprocess.Popen([sys.executable, "-c", GRADE, *arguments], cwd=Path(__file__).parents[4])
    out, deadline = Path(arguments[2]) / "results", time.monotonic() + 120
    while len(list(out.glob("[!.]*.json"))) < results:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)  # a process outside is watched by what it writes
    below = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(below, timeout=30)
    assert not alive


@pytest.mark.slow
def test_the_whole_hostile_suite_among_honest_neighbours(tmp_path: Path) -> None:
    """The honest have the points of a class without the others; time and memory of the grader have bounds."""
    folder = small_assignment(tmp_path / "hw").folder
    with (folder / "checks.py").open("a", encoding="utf-8") as checks:
        checks.write(LIMITS)
    kinds = [submission(), submission(q1=FIRST_NUMBER), submission(q2="x = (")]
    honest = {f"honest{number}": kinds[number % 3] for number in range(18)}
    sources = {name: attack.source for name, attack in ATTACKS.items()} | HIDING
    hostile = {name: submission(q2=f"{RIGHT_Q2}\n{source}") for name, source in sources.items()}
    hostile |= {name: submission(q2=f"def is_wool(text):\n{body}") for name, body in COSTLY.items()}
    reversed_copy = "\n".join([RIGHT_Q1] * 40)[::-1]
    for name, source in (("floods", FLOOD), ("reversed copies", reversed_copy)):
        hostile[name] = submission()
        hostile[name]["cells"] += [cell("code", f"{name}-{number}", source) for number in range(60)]
    hostile = {f"hostile {name.replace('/', ' ')}": data for name, data in hostile.items()}
    alone = hand_in(tmp_path / "alone", **honest)
    with Sandbox() as sandbox:
        grade(load_assignment(folder), alone, tmp_path / "calm", sandbox.execute, options=QUIET)
    among = hand_in(tmp_path / "among", **honest, **hostile)
    command = [sys.executable, "-c", WHOLE_SUITE, str(folder), str(among), str(tmp_path / "out")]
    ran = subprocess.run(command, cwd=Path(__file__).parents[4], capture_output=True, text=True, check=True)
    calm, found = (
        {one.student: one for one in GradesFolder(tmp_path / place).results()} for place in ("calm", "out")
    )
    assert {name: found[name].questions for name in honest} == {name: calm[name].questions for name in honest}
    assert {found[name].status for name in honest} <= {"graded", "warning"}
    assert set(found) == {*honest, *hostile}, "every submission has its result"
    earned = {name: found[name].earned for name in hostile}
    assert {name: points for name, points in earned.items() if points not in (None, 4, 6)} == {}
    assert not [one.student for one in found.values() if one.status == "failed" and not one.sentence]
    longest = max(found.values(), key=lambda one: one.seconds)
    print(
        f"{len(hostile)} hostile; longest: {longest.seconds:.0f} s ({longest.student}); grader: {ran.stdout}"
    )
    assert longest.seconds <= 3 * (20 + 6 * 5)
    assert int(ran.stdout) <= 500 << 10
