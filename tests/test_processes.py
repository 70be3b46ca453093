"""One process at a time, and who it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aicourse.errors import AicourseError, GradingError
from aicourse.processes import core_count, sole_holder

HOLDER = """
import sys
from pathlib import Path
from aicourse.errors import AicourseError, GradingError
from aicourse.processes import sole_holder
with sole_holder(Path(sys.argv[1]), GradingError):
    print("held", flush=True)
    sys.stdin.readline()
"""


def refusal(holder: str) -> GradingError:
    return GradingError(f"Another run{holder} grades here.")


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    return tmp_path / "new" / ".lock"


def test_a_second_process_is_told_who_holds_the_lock(lock_file: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(lock_file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(GradingError) as caught, sole_holder(lock_file, refusal):
            pytest.fail("two hold it")
        holder.stdin.write("\n")
    if sys.platform == "linux":
        assert f"Another run (process {holder.pid}, " in caught.value.message
    with sole_holder(lock_file, refusal):
        pass


def test_the_lock_of_a_killed_process_is_free(lock_file: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(lock_file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        holder.kill()
    with sole_holder(lock_file, refusal):
        pass


def test_a_place_where_nothing_can_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    inside = tmp_path / "file" / "runs" / ".lock"
    with (
        pytest.raises(AicourseError, match=r"Nothing can be written to .*Name another folder"),
        sole_holder(inside, refusal),
    ):
        pytest.fail("held")


def test_it_is_free_again_after_an_error(lock_file: Path) -> None:
    with pytest.raises(ZeroDivisionError), sole_holder(lock_file, refusal):
        raise ZeroDivisionError
    second = sole_holder(lock_file, refusal)
    with sole_holder(lock_file, refusal), pytest.raises(GradingError, match="grades here"), second:
        pytest.fail("two hold it")


def test_cores_are_those_that_this_process_may_use() -> None:
    assert 1 <= core_count() <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux alone can say which cores")
def test_a_process_that_was_given_one_core_has_one() -> None:
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    code += "from aicourse.processes import core_count; print(core_count())"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "1\n"
