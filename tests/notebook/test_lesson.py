from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import IPython.display
import pytest

from aicourse.errors import LessonError
from aicourse.llm import session
from aicourse.llm.calls import Call, Source, Usage
from aicourse.notebook import lesson
from aicourse.notebook.lesson import Badge, Heading, describe_calls, read_header, start

FIXTURES = Path(__file__).parents[1] / "checks_fixtures"
METADATA = {
    "lesson": "01",
    "title": "The first call",
    "question": "What comes back when we ask a model?",
    "minutes": 60,
    "builds_on": ["00"],
    "live_calls": 31,
}


def notebook(*cells: str, metadata: dict[str, Any] | None = None) -> str:
    """A notebook file with these code cells."""
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {
                "aicourse": METADATA if metadata is None else metadata,
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
                "language_info": {"name": "python"},
            },
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{number}",
                    "metadata": {},
                    "source": source,
                    "outputs": [],
                    "execution_count": None,
                }
                for number, source in enumerate(cells)
            ],
        }
    )


def call(source: Source, provider: str = "openai", cost: str = "0.0004") -> Call:
    return Call(provider, "m", source, "/v1", 200, 10, 5, Decimal(cost), 1.0, None, datetime.now(UTC))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A course with one lesson."""
    folder = tmp_path / "home"
    (folder / "datasets").mkdir(parents=True)
    shutil.copytree(FIXTURES, folder / "notebooks" / "checks", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "notebooks" / "01-the-first-call.ipynb").write_text(notebook())
    monkeypatch.setenv("AICOURSE_HOME", str(folder))
    yield folder
    session.begin(None, None)


# -- the header -------------------------------------------------------------------------------------------


def test_start_in_a_script_begins_the_session_and_prints_one_line(home: Path, capsys: Any) -> None:
    start("01")
    assert capsys.readouterr().out == (
        "Lesson 01 · The first call · What comes back when we ask a model? · 60 minutes · builds on 00 · "
        "31 model calls, recorded; what you change is asked live · [aicourse badge: no model call yet]\n"
    )
    assert session.current().lesson == "01"
    assert session.current().recordings == home / "notebooks" / "recordings" / "01-the-first-call.jsonl"


def test_start_warns_of_a_misspelt_setting_without_showing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("OPENAI_APIKEY=never-shown\n")
    with pytest.warns(UserWarning, match="Did you mean OPENAI_API_KEY") as caught:
        start("01")
    assert [Path(one.filename).name for one in caught] == ["test_lesson.py"]
    assert "never-shown" not in str(caught[0].message)


def test_starting_again_forgets_the_calls(capsys: Any) -> None:
    start("01")
    first = session.current()
    first.report(call("recorded"))
    start("01")
    assert session.current() is not first
    assert session.current().usage.calls == ()


def test_a_students_copy_is_not_taken_for_the_lesson(home: Path) -> None:
    copy = notebook(metadata={"title": "My experiments"})
    (home / "notebooks" / "01-the-first-call-Copy1.ipynb").write_text(copy)
    assert read_header("01").title == "The first call"


def test_without_metadata_the_file_name_gives_the_title(home: Path) -> None:
    (home / "notebooks" / "02-structured-output.ipynb").write_text(notebook(metadata={}))
    header = read_header("02")
    assert (header.title, header.question, header.facts) == ("Structured output", "", [])
    assert repr(Heading(header, describe_calls(Usage(())))) == (
        "Lesson 02 · Structured output · [aicourse badge: no model call yet]"
    )


def test_an_unknown_lesson_is_named(home: Path) -> None:
    with pytest.raises(LessonError, match=r"There is no lesson '1'\. List the lessons with: aicourse status"):
        start("1")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"metadata": 3}', "\xff"])
def test_a_broken_notebook_is_named_with_its_remedy(content: str, home: Path) -> None:
    (home / "notebooks" / "01-the-first-call.ipynb").write_bytes(content.encode("latin-1"))
    with pytest.raises(
        LessonError, match=r"01-the-first-call.ipynb cannot be read .* git checkout -- notebooks"
    ):
        start("01")


# -- the badge --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calls", "badge"),
    [
        ([], Badge("idle", "no model call yet")),
        ([call("fault")], Badge("idle", "no model call yet")),
        ([call("recorded")], Badge("recorded", "recorded · 1 call")),
        ([call("recorded")] * 12, Badge("recorded", "recorded · 12 calls")),
        (
            [call("recorded")] * 2 + [call("live", "embedded", "0")],
            Badge("embedded", "live: embedded · 1 call · 2 recorded"),
        ),
        ([call("live")] * 4, Badge("hosted", "live: openai · 4 calls, $0.0016")),
        (
            [call("live"), call("live", "embedded", "0")],
            Badge("hosted", "live: embedded, openai · 2 calls, $0.0004"),
        ),
    ],
)
def test_the_badge_says_where_replies_came_from(calls: list[Call], badge: Badge) -> None:
    assert describe_calls(Usage(tuple(calls))) == badge


def test_the_badge_is_one_line_that_a_pattern_can_mask() -> None:
    for calls in ((), (call("recorded"),), (call("live"),)):
        heading = Heading(read_header("01"), describe_calls(Usage(calls)))
        assert "\n" not in heading._repr_html_()
        assert "\n" not in repr(heading)
        masked = re.sub(r'<span class="aicourse-badge">.*?</span>', "BADGE", heading._repr_html_())
        assert masked.endswith("asked live<br>BADGE</div>")
        assert re.sub(r"\[aicourse badge: .*?\]", "BADGE", repr(heading)).endswith(" · BADGE")


def test_going_live_changes_words_and_colour() -> None:
    header = read_header("01")
    recorded, live = ((call("recorded"),), (call("recorded"), call("live", "embedded", "0")))
    colours = {
        re.findall(r"background: (#\w+)", Heading(header, describe_calls(Usage(calls)))._repr_html_())[0]
        for calls in (recorded, live)
    }
    assert len(colours) == 2


@pytest.mark.parametrize("colour", lesson._COLOURS.values())
def test_white_on_the_badges_colours_is_readable(colour: str) -> None:
    # WCAG 2.2, relative luminance and contrast ratio; 4.5 is level AA for text
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) >= 4.5


def test_titles_are_escaped(home: Path) -> None:
    hostile = {**METADATA, "title": "<b>", "question": "<script>", "builds_on": ["<i>"]}
    (home / "notebooks" / "01-the-first-call.ipynb").write_text(notebook(metadata=hostile))
    assert not re.search("<(script|i)>", Heading(read_header("01"), describe_calls(Usage(())))._repr_html_())


class Screen:
    """Stands for a notebook: keeps what was displayed and updated, and the shell's event handlers."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.handlers: list[Any] = []
        self.kernel = object()
        self.user_ns: dict[str, Any] = {}
        self.events = SimpleNamespace(
            register=lambda event, handler: self.handlers.append((event, handler)),
            unregister=lambda event, handler: self.handlers.remove((event, handler)),
        )

    def display(self, heading: Heading, display_id: bool) -> Screen:
        self.update(heading)
        return self

    def update(self, heading: Heading) -> None:
        self.shown.append(re.findall(r"badge: (.*)\]", repr(heading))[0])

    def end_cell(self) -> None:
        for event, handler in list(self.handlers):
            assert event == "post_run_cell"
            handler(None)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch, time_in: Callable[..., None]) -> Screen:
    """A live notebook in which no time passes."""
    screen = Screen()
    monkeypatch.setattr(lesson, "notebook_shell", lambda: screen)
    monkeypatch.setattr(IPython.display, "display", screen.display)
    time_in(lesson, monotonic=lambda: 0.0)
    return screen


def test_the_badge_changes_at_once_when_replies_come_from_elsewhere_and_counts_after_the_cell(
    screen: Screen,
) -> None:
    start("01")
    screen.end_cell()
    for source, provider in [("recorded", "embedded"), ("recorded", "embedded"), ("live", "embedded")] * 2:
        session.current().report(call(source, provider, "0"))  # type: ignore[arg-type]
    assert screen.shown == ["no model call yet", "recorded · 1 call", "live: embedded · 1 call · 2 recorded"]
    screen.end_cell()
    screen.end_cell()
    assert screen.shown[3:] == ["live: embedded · 2 calls · 4 recorded"]


def test_the_badge_says_what_the_first_live_reply_waits_for(screen: Screen) -> None:
    start("01")
    with session.current().waiting("fetching the model"):
        pass
    with session.current().waiting("asking the model"):
        session.current().report(call("live", "embedded"))
    with session.current().waiting("asking the model"):
        pass
    none, answered = "no model call yet", "live: embedded · 1 call"
    assert screen.shown == [none, "fetching the model …", none, "asking the model …", answered]


@pytest.mark.parametrize("unattended", ["0", "1"])
def test_more_than_five_live_calls_in_a_cell_show_a_bar(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, unattended: str
) -> None:
    bars: list[list[Any]] = []

    class Bar:
        def __init__(self, *, initial: int, **_: Any) -> None:
            self.seen: list[Any] = [initial]
            bars.append(self.seen)

        def update(self) -> None:
            self.seen.append(self.seen[-1] + 1)

        def close(self) -> None:
            self.seen.append("gone")

    monkeypatch.setenv("AICOURSE_UNATTENDED", unattended)
    monkeypatch.setattr("tqdm.auto.tqdm", Bar)
    start("01")
    for calls in (5, 8, 3):
        for source in ["live"] * calls + ["recorded"] * 9:
            session.current().report(call(source))  # type: ignore[arg-type]
        screen.end_cell()
    assert bars == ([[5, 6, 7, 8, "gone"]] if unattended == "0" else [])


def test_a_long_cell_shows_counts_now_and_then(screen: Screen, time_in: Callable[..., None]) -> None:
    start("01")
    clock = iter(number * lesson.REDRAW_SECONDS for number in range(1, 100))
    session.current().report(call("recorded"))
    time_in(lesson, monotonic=lambda: next(clock))
    for _ in range(4):
        session.current().report(call("recorded"))
    assert screen.shown[-1] != "recorded · 1 call"


def test_a_second_start_takes_over(screen: Screen) -> None:
    start("01")
    session.current().report(call("live"))
    start("01")
    screen.end_cell()
    session.current().report(call("recorded"))
    screen.end_cell()
    assert screen.shown[-2:] == ["no model call yet", "recorded · 1 call"]
    assert len(screen.handlers) == 1


def test_hint_is_there_without_an_import_and_replaces_nothing(screen: Screen) -> None:
    start("01")
    assert screen.user_ns["hint"]("01.1").hints
    screen.user_ns["hint"] = "mine"
    start("01")
    assert screen.user_ns == {"hint": "mine"}


def test_calls_from_many_threads_are_all_counted(screen: Screen) -> None:
    start("01")
    threads = [threading.Thread(target=session.current().report, args=(call("recorded"),)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    screen.end_cell()
    assert screen.shown[-1] == "recorded · 20 calls"


# -- a whole notebook -------------------------------------------------------------------------------------

CELLS = [
    "from aicourse import check, outcome, predict, progress, start\nstart('01')",
    """predict('01.a', 'How many of 20 listings break it?', [range(0, 3), range(3, 9), (9, None)])""",
    """
from datetime import UTC, datetime
from decimal import Decimal
from aicourse.llm import session
from aicourse.llm.calls import Call
session.current().report(
    Call("embedded", "m", "recorded", "/v1", 200, 1, 1, Decimal(0), 1.0, None, datetime.now(UTC))
)
""",
    "def find_size(text, unit='cm'):\n    raise NotImplementedError",
    "check('01.1', find_size)",
    "def find_size(text, unit='cm'):\n    print('looking')\n    return int(text.split()[1])",
    "check('01.1', find_size)",
    "def find_size(text, unit='cm'):\n    while True: pass",
    "check('01.1', find_size)",
    "hint('01.1')",
    "outcome('01.a', 12)",
    "progress()",
]


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True)


@pytest.mark.slow
def test_papermill_and_strict_nbval_are_not_stopped_by_unsolved_exercises(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AICOURSE_UNATTENDED", "1")
    source, executed = home / "notebooks" / "01-the-first-call.ipynb", tmp_path / "executed.ipynb"
    # twice in one kernel, because a lesson gives the same when it is run again
    source.write_text(notebook(*CELLS, *CELLS))
    ran = run_python("-m", "papermill", "--no-progress-bar", str(source), str(executed))
    assert ran.returncode == 0, ran.stderr
    cells = json.loads(executed.read_text())["cells"]
    shown = [["".join(output["data"]["text/plain"]) for output in cell["outputs"]] for cell in cells]
    assert shown[0][0].endswith("[aicourse badge: recorded · 1 call]"), "papermill keeps the updated badge"
    assert shown[4][0].startswith("○ Not started")
    assert "in find_size, line 3: `return int(text.split()[1])`" in shown[6][0]
    assert "did not finish within 0.3 s" in shown[8][0]
    assert shown[: len(CELLS)] == shown[len(CELLS) :]
    assert "ipykernel_" not in json.dumps([cell["outputs"] for cell in cells]), "no temporary file name"

    masks = tmp_path / "sanitize.cfg"
    masks.write_text(
        '[badge]\nregex: <span class="aicourse-badge">.*?</span>\nreplace: BADGE\n'
        "[text]\nregex: \\[aicourse badge: .*?\\]\nreplace: BADGE\n"
    )
    compared = run_python(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", f"--nbval-sanitize-with={masks}"),
        *(f"--rootdir={tmp_path}", str(executed)),
    )
    assert compared.returncode == 0, compared.stdout
    assert f"{2 * len(CELLS)} passed" in compared.stdout


def test_a_provider_that_did_not_answer_is_not_where_replies_came_from() -> None:
    refused = dataclasses.replace(call("live", "openai"), status=401)
    unreachable = dataclasses.replace(call("live", "openai"), status=None)
    assert describe_calls(Usage((call("recorded"), refused, unreachable))).words == "recorded · 1 call"
