"""`recorded_client` in a project of its own: recorded, replayed, changed, broken."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Model, Project

ONE = """
def test_red(recorded_client):
    assert colours(recorded_client, "A red coat") == ["red"]
"""
TWO = """
class TestShop:
    def test_red_again(self, recorded_client):
        assert colours(recorded_client, "A red coat") == ["red"]

    @pytest.mark.parametrize("colour", ["blue", "green"])
    def test_others(self, recorded_client, colour):
        assert colours(recorded_client, f"A {colour} coat") == [colour]
"""


def test_recorded_once_and_then_replayed_without_the_model(project: Project, model: Model) -> None:
    project.tests(ONE + TWO)
    made = project.run("--aicourse-record")
    made.assert_outcomes(passed=4)
    made.stdout.fnmatch_lines(["calls: 3 live (300 tokens in, 15 out, $0.00 spent, price of 3 unknown)*"])
    assert len(model.asked) == 3  # two tests ask the same
    replayed = project.run()
    replayed.assert_outcomes(passed=4)
    replayed.stdout.fnmatch_lines(["calls: 4 recorded (400 tokens in, 20 out, $0.00 when recorded*"])
    assert len(model.asked) == 3


def test_calls_of_a_test_are_not_those_of_the_lesson_that_runs_it(
    project: Project, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.tests(ONE)
    journal = project.pytester.path / "journal.jsonl"
    monkeypatch.setenv("AICOURSE_JOURNAL", str(journal))
    project.run("--aicourse-record").assert_outcomes(passed=1)
    assert not journal.exists()


def test_a_changed_prompt_fails_with_what_changed_and_the_way_out(project: Project, model: Model) -> None:
    project.tests(ONE)
    assert project.run("--aicourse-record").ret == pytest.ExitCode.OK
    project.change("a JSON list", "a list of words")
    run = project.run()
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(
        [
            "*RecordingMissing: The test test_shop.py::test_red has no recording for 'A red coat'*",
            "*--- recorded",
            "*+++ asked now",
            "*-Answer with a JSON list.*",
            "*+Answer with a list of words.*",
            "*Record it with: pytest --aicourse-record test_shop.py::test_red",
            "",
            "shop.py:*: RecordingMissing",
        ]
    )
    assert "openai/" not in run.stdout.str()  # no frame of a library
    project.run("--aicourse-record", "test_shop.py::test_red").assert_outcomes(passed=1)
    assert len(project.lines) == 2  # the former one may be another test's
    project.run("--aicourse-record").assert_outcomes(passed=1)
    assert len(project.lines) == 1


def test_a_reply_is_recorded_also_when_the_test_then_fails(project: Project, model: Model) -> None:
    project.tests(ONE)
    assert project.run("--aicourse-record").ret == pytest.ExitCode.OK
    model.reply = lambda text: "[]"
    project.run("--aicourse-record").assert_outcomes(failed=1)
    model.reply = lambda text: pytest.fail("asked again")
    project.run().assert_outcomes(failed=1)
    (line,) = project.lines
    assert line["body"]["choices"][0]["message"]["content"] == "[]"


@pytest.mark.parametrize("part", [("-k", "red"), ("test_shop.py::test_red",)], ids=["deselected", "named"])
def test_a_part_of_the_tests_drops_nothing(part: tuple[str, ...], project: Project, model: Model) -> None:
    project.tests(ONE + TWO)
    assert project.run("--aicourse-record").ret == pytest.ExitCode.OK
    project.change("A red coat", "A red hat", "test_shop.py")
    assert project.run("--aicourse-record", *part).ret == pytest.ExitCode.OK
    assert [line["summary"] for line in project.lines] == [
        "A blue coat",
        "A green coat",
        "A red coat",
        "A red hat",
    ]


def test_a_test_that_is_skipped_keeps_its_recordings(project: Project, model: Model) -> None:
    project.tests(ONE + TWO)
    assert project.run("--aicourse-record").ret == pytest.ExitCode.OK
    project.change("    @pytest.mark.param", "    @pytest.mark.skip\n    @pytest.mark.param", "test_shop.py")
    project.run("--aicourse-record").assert_outcomes(passed=2, skipped=2)
    assert len(project.lines) == 3


def test_a_test_may_be_renamed_and_a_key_depends_on_no_name(project: Project, model: Model) -> None:
    project.tests(ONE)
    assert project.run("--aicourse-record").ret == pytest.ExitCode.OK
    project.change("test_red", "test_a_coat_is_red", "test_shop.py")
    project.run().assert_outcomes(passed=1)


def test_an_async_client_replays_the_same_file(project: Project, model: Model) -> None:
    project.tests(ONE)
    assert project.run("--aicourse-record").ret == pytest.ExitCode.OK
    project.tests("""
import asyncio

def test_red(recorded_async_client):
    sent = {}
    class Client:
        class chat:
            class completions:
                create = staticmethod(lambda **keywords: sent.update(keywords))
    with pytest.raises(AttributeError):
        colours(Client, "A red coat")
    reply = asyncio.run(recorded_async_client.chat.completions.create(**sent))
    assert reply.choices[0].message.content == '["red"]'
""")
    project.run().assert_outcomes(passed=1)


def test_runs_of_a_repeated_test_have_a_reply_each(project: Project, model: Model) -> None:
    replies = iter(['["red"]', "[]", '["red"]', '["red"]'])
    model.reply = lambda text: next(replies)
    project.tests("@pytest.mark.repeat_model(4, at_least=0.5)" + ONE)
    project.run("--aicourse-record").assert_outcomes(passed=1)
    run = project.run()
    run.assert_outcomes(passed=1)
    run.stdout.fnmatch_lines(["*::test_red: 3 of 4, 95 % interval 30–95 %, at least 50 %: allowed"])
    project.change("model(4", "model(5", "test_shop.py")
    project.run().stdout.fnmatch_lines(
        ["*The test test_shop.py::test_red asks 'A red coat' (some-model) 5 times and has 4 recorded. *"]
    )


def test_a_miss_that_the_code_swallows_fails_the_test_all_the_same(project: Project) -> None:
    project.tests("""
def test_fallback(recorded_client):
    try:
        found = colours(recorded_client, "A red coat")
    except Exception:
        found = []
    assert found == []
""")
    run = project.run()
    run.assert_outcomes(passed=1, errors=1)
    run.stdout.fnmatch_lines(["*passed without a reply that it asked for. The test test_shop.py::test_f*"])


def test_faults_spoil_recorded_calls(project: Project, model: Model) -> None:
    project.tests(
        ONE
        + """
def test_limit(recorded_client, faults):
    from aicourse import Fault
    faults.append(Fault(status=429, retry_after=0.01))
    assert colours(recorded_client, "A red coat") == ["red"]
    faults.append(Fault(kind="empty"))
    with pytest.raises(ValueError):
        colours(recorded_client, "A red coat")
"""
    )
    project.run("--aicourse-record").assert_outcomes(passed=2)
    run = project.run()
    run.assert_outcomes(passed=2)
    run.stdout.fnmatch_lines(["calls: 2 recorded (*), 2 fault (*)"])


def test_code_that_connects_by_itself_is_replayed_too(project: Project, model: Model) -> None:
    project.tests(ONE)
    assert project.run("--aicourse-record").ret == pytest.ExitCode.OK
    project.tests("""
def test_red(recorded_client):
    import aicourse
    assert colours(aicourse.connect(), "A red coat") == ["red"]
""")
    project.run().assert_outcomes(passed=1)
    assert len(model.asked) == 1


def test_a_broken_line_is_named_with_the_way_out(project: Project, model: Model) -> None:
    project.tests(ONE)
    assert project.run("--aicourse-record").ret == pytest.ExitCode.OK
    project.recordings.write_text("<<<<<<< HEAD\n" + project.recordings.read_text("utf-8"), encoding="utf-8")
    run = project.run()
    run.assert_outcomes(passed=1, warnings=1)
    run.stdout.fnmatch_lines(["*line 1 is not a recording and is skipped*pytest --aicourse-record test*"])


def test_a_place_that_cannot_be_written_is_named(project: Project, model: Model) -> None:
    (project.pytester.path / "recordings").write_text("a file, not a folder")
    project.tests(ONE)
    run = project.run("--aicourse-record")
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(["*Cannot write the recordings */recordings/test_shop.jsonl: *writable*"])


def test_a_promise_that_nothing_goes_live_is_kept(
    project: Project, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AICOURSE_REPLAY", "only")
    project.tests(ONE)
    run = project.run("--aicourse-record")
    run.assert_outcomes(errors=1)
    run.stdout.fnmatch_lines(["*AICOURSE_REPLAY=only promises that no model is asked: unset it."])
    assert not model.asked


def test_recording_with_workers_is_refused(project: Project) -> None:
    project.tests(ONE)
    run = project.pytester.runpytest_inprocess("--aicourse-record", "-n2")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["*add -n0 to --aicourse-record*"])


def test_the_mark_names_whom_to_ask(project: Project, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    address = os.environ["AICOURSE_PROVIDER"]
    monkeypatch.delenv("AICOURSE_PROVIDER")
    project.tests(f"@pytest.mark.recorded(provider={address!r})" + ONE)
    project.run("--aicourse-record").assert_outcomes(passed=1)
    monkeypatch.setenv("AICOURSE_PROVIDER", "misspelt")  # no setting is in the way of a replay
    project.run().assert_outcomes(passed=1)
