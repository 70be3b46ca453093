"""`scripted_model` and `faults` in a project of its own, what was sent, and who sees no change."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from conftest import Project

    from aicourse.testing import ScriptedModel


def test_what_was_sent_stands_in_the_test(scripted_model: ScriptedModel) -> None:
    scripted_model.enqueue("[]")
    client = scripted_model.client()
    messages = [{"role": "user", "content": "Which colours has a red coat?"}]
    client.chat.completions.create(model="some-model", messages=messages, temperature=0)  # type: ignore[arg-type]
    assert scripted_model.history[0].body == snapshot(
        {
            "messages": [{"role": "user", "content": "Which colours has a red coat?"}],
            "model": "some-model",
            "temperature": 0,
        }
    )


def test_replies_are_asked_for_and_counted(project: Project) -> None:
    project.tests("""
from aicourse import Fault

def test_red(scripted_model, faults):
    scripted_model.enqueue('["red"]', '["red"]')
    faults += [Fault(status=500), Fault(kind="empty")]
    client = scripted_model.client(max_retries=1)
    with pytest.raises(ValueError):
        colours(client, "A red coat")
    assert colours(client, "A red coat") == ["red"]
    assert scripted_model.history[0].text.endswith("A red coat")
""")
    run = project.run()
    run.assert_outcomes(passed=1)
    run.stdout.fnmatch_lines(["*= aicourse =*", "calls: 1 scripted (* tokens in, 1 out), 2 fault (*)"])


def test_a_reply_that_nobody_asked_for_fails_a_test_that_passed(project: Project) -> None:
    project.tests("""
def test_left(scripted_model):
    scripted_model.enqueue('["red"]')

def test_drained(scripted_model):
    scripted_model.enqueue('["red"]')
    assert scripted_model.drain() == ['["red"]']

def test_failed_anyway(scripted_model):
    scripted_model.enqueue('["red"]')
    assert False
""")
    run = project.run()
    run.assert_outcomes(passed=2, failed=1, errors=1)
    run.stdout.fnmatch_lines(["""1 enqueued but never asked for: '[[]"red"]'. Was a call missing*drain()."""])


OTHER = """
import socket, sys

def test_of_someone_else(record_property):
    assert socket.socket.connect.__qualname__ == "socket.connect"
    assert not [name for name in sys.modules if name in ("openai", "numpy", "httpx2", "aicourse.llm.client")]

def test_with_a_name_of_ours(score):
    assert score == 7
"""


@pytest.mark.slow
def test_a_project_that_does_not_use_it_sees_no_change(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(OTHER)
    pytester.makeconftest("import pytest\n\n@pytest.fixture\ndef score():\n    return 7\n")
    run = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", "-p", "no:inline_snapshot", "--strict-markers"
    )
    run.assert_outcomes(passed=2)
    assert "= aicourse =" not in run.stdout.str()


def test_loading_it_imports_pytest_and_the_standard_library_alone() -> None:
    code = """
import sys, pytest
before = set(sys.modules)
import aicourse.testing.plugin
new = {name.split(".")[0] for name in set(sys.modules) - before} - {"aicourse"}
print(sorted(new - set(sys.stdlib_module_names)))
print(sorted(name for name in sys.modules if name.startswith("aicourse.")))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    ours = ["face", "testing", "testing.network", "testing.plugin", "testing.reporting"]
    assert told.splitlines() == ["[]", str([f"aicourse.{name}" for name in ours])]
