"""Files as student code sees them, wherever the course is checked out."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from sandboxes import SHORT, notebook, open_sandbox

from aicourse.tooling.grading.sandbox.execution import Job, StudentCall

SOURCE = """
import os, pathlib, tempfile
done = {}
for place in ("/tmp/x", "/dev/shm/x", "/tmp/deep/er/x"):
    pathlib.Path(place).parent.mkdir(parents=True, exist_ok=True)
    done[place] = open(place, "w").write("hello")
done["tempfile"] = tempfile.NamedTemporaryFile("w").write("hello")
try:
    pathlib.Path(COURSE, "planted").write_text("x")
    done["planted"] = True
except OSError: pass
import aicourse
done["read"] = pathlib.Path(COURSE, "datasets/letters/a.txt").read_text()
done["hidden"] = os.path.exists(f"{COURSE}/datasets/letters/grader")
"""


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm", "/home", "/var/tmp"])
def test_an_honest_file_in_tmp_is_written_wherever_the_course_is(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        course = tempfile.TemporaryDirectory(dir=place, prefix="course-")
    except OSError as error:
        pytest.skip(f"{place} cannot be written here: {error}")
    with course as folder:
        for name in ("notebooks", "datasets/letters/grader"):
            Path(folder, name).mkdir(parents=True)
        Path(folder, "datasets/letters/a.txt").write_text("open", encoding="utf-8")
        Path(folder, "datasets/letters/grader/b.txt").write_text("hidden", encoding="utf-8")
        monkeypatch.setenv("AICOURSE_HOME", folder)
        for sandbox in open_sandbox():
            cells = notebook(f"COURSE = {folder!r}", SOURCE)
            execution = sandbox.execute(Job(cells, (StudentCall("done"),), limits=SHORT))
    written = {"/tmp/x": 5, "/dev/shm/x": 5, "/tmp/deep/er/x": 5, "tempfile": 5}
    assert execution.answers[0].value == {**written, "read": "open", "hidden": False}, execution.failures
