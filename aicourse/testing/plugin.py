"""The pytest plugin `aicourse`: fixtures, marks and a summary for tests of code that asks a model.

| name                                           | what it gives a test                                      |
|------------------------------------------------|-----------------------------------------------------------|
| `scripted_model`                               | a `ScriptedModel`; a reply left over fails the test       |
| `recorded_client`, `recorded_async_client`     | `openai` clients on `recordings/<test file>.jsonl`        |
| `faults`                                       | a list: each `Fault` in it spoils calls of these clients  |
| `score`                                        | `score("f1", 0.8)`, for `aggregate_model`                 |
| `network_allowed`                              | lets this test leave the machine                          |
| mark `recorded(provider=…, model=…)`           | whom `--aicourse-record` asks                             |
| mark `repeat_model(n, at_least=…)`             | the test runs n times, its success rate decides           |
| mark `aggregate_model(name, at_least=…)`       | its cases do not fail alone, their mean score decides     |

Only an `AssertionError` or `pytest.fail` counts as a failed run or case; anything else is a crash, which
fails the test at once: an accident of sampling is no bug, an exception is one.

pytest loads this in every project of its environment. So it imports next to nothing, and does nothing in a
test that uses none of these names. What a test tells the end of the run is attached to its reports, as plain
data: so it comes through from xdist's workers, and the verdicts are the same with and without them.
"""

from __future__ import annotations

import functools
import math
import shlex
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pytest

from aicourse.testing.network import NetworkGuard
from aicourse.testing.reporting import EndOfRun, tally

if TYPE_CHECKING:
    import openai

    from aicourse.llm.faults import Fault
    from aicourse.testing.recorded import RecordedSession, Recorder
    from aicourse.testing.scripted import ScriptedModel

CLIENTS = {"recorded_client", "recorded_async_client"}
MARKS = (
    "recorded(provider=None, model=None): whom --aicourse-record asks for recorded_client (aicourse)",
    "repeat_model(n, at_least=..., prove=False): run the test n times; its success rate decides (aicourse)",
    "aggregate_model(name, at_least=..., prove=False): the mean score of all cases decides (aicourse)",
)
COUNTED = (AssertionError, pytest.fail.Exception)  # what else a test raises is a crash
LIBRARIES = ("openai", "anthropic", "httpx2", "anyio", "aicourse.llm", "aicourse.testing")

GUARD: pytest.StashKey[NetworkGuard] = pytest.StashKey()
RECORDER: pytest.StashKey[Recorder] = pytest.StashKey()
PARTLY_RUN: pytest.StashKey[set[Path]] = pytest.StashKey()
SESSION: pytest.StashKey[RecordedSession] = pytest.StashKey()
SCORES: pytest.StashKey[dict[str, float]] = pytest.StashKey()
VERDICT: pytest.StashKey[str] = pytest.StashKey()
PASSED: pytest.StashKey[bool] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option and the setting."""
    group = parser.getgroup("aicourse", "tests of code that asks a model")
    group.addoption(
        "--aicourse-record",
        action="store_true",
        help="ask the model anew for what recorded_client replays, and rewrite the recordings",
    )
    parser.addini(
        "aicourse_network",
        "refuse: no test leaves this machine without network_allowed; allow: every test may; "
        "if not set, tests that use a fixture of aicourse may not",
        default="",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Marks, the guard of the network, and who listens to the reports."""
    for line in MARKS:
        config.addinivalue_line("markers", line)
    guard = config.stash[GUARD] = NetworkGuard()
    setting = config.getini("aicourse_network")
    if setting not in ("", "refuse", "allow"):
        raise pytest.UsageError(f"aicourse_network is refuse or allow, not {setting!r}.")
    if setting == "refuse":
        stack = ExitStack()
        stack.enter_context(guard.refusing())
        config.add_cleanup(stack.close)
    if config.getoption("aicourse_record") and config.getoption("numprocesses", None):
        raise pytest.UsageError("Replies are recorded one after the other: add -n0 to --aicourse-record.")
    if not hasattr(config, "workerinput"):  # not in a worker of pytest-xdist
        config.pluginmanager.register(EndOfRun())


# ------------------------------------------------------------ fixtures


@pytest.fixture
def network_allowed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Lets this test leave the machine."""
    guard = request.config.stash[GUARD]
    guard.allowed = True
    yield
    guard.allowed = False


def recordings_of(item: pytest.Item) -> Path:
    """The recordings beside a test's file."""
    return item.path.parent / "recordings" / f"{item.path.stem}.jsonl"


@pytest.fixture
def _aicourse(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordedSession]:
    """The session that the clients of this test share; the network is refused while it lasts."""
    from aicourse.llm import session
    from aicourse.testing.recorded import RecordedSession, Recorder

    item, config = request.node, request.config
    replaying = CLIENTS & set(request.fixturenames)
    recording = bool(replaying and config.getoption("aicourse_record"))
    recorder = config.stash.setdefault(RECORDER, Recorder())
    path = recordings_of(item)
    name = str(config.cwd_relative_nodeid(item.nodeid))
    command = f"pytest --aicourse-record {shlex.quote(name)}"
    made = RecordedSession(path, name, command, recorder.fresh[path] if recording else None)
    item.stash[SESSION] = made
    monkeypatch.delenv("AICOURSE_JOURNAL", raising=False)  # pytest in a lesson: not the lesson's calls
    with ExitStack() as stack:
        stack.enter_context(session.within(made))
        if not (recording or config.getini("aicourse_network")):
            stack.enter_context(config.stash[GUARD].refusing())
        if replaying:  # also for code that makes its own client with aicourse.connect()
            monkeypatch.setenv("AICOURSE_REPLAY", _mode(recording))
        yield made
    recorder.asked[path] |= made.asked
    if made.misses and item.stash.get(PASSED, False):
        pytest.fail(f"The test passed without a reply that it asked for. {made.misses[0]}", pytrace=False)


def _mode(recording: bool) -> str:
    from aicourse.llm.keys import settings

    if recording and settings().get("AICOURSE_REPLAY") == "only":
        pytest.fail("AICOURSE_REPLAY=only promises that no model is asked: unset it.", pytrace=False)
    return "record" if recording else "only"


@pytest.fixture
def faults() -> list[Fault]:
    """Append a `Fault`, and it spoils calls of this test's clients (`aicourse/llm/faults.py` lists them)."""
    return []


@pytest.fixture
def scripted_model(
    request: pytest.FixtureRequest, faults: list[Fault], _aicourse: RecordedSession
) -> Iterator[ScriptedModel]:
    """A model that gives the replies that you `enqueue`; its `history` is what was sent.

    A reply that nobody asked for fails the test: the code asked less often than the test says. Where that is
    right, take the rest away with `drain()`.
    """
    from aicourse.testing.scripted import ScriptedModel

    model = ScriptedModel()
    model.faults, model.session = faults, _aicourse
    yield model
    left = model.drain()
    if left and request.node.stash.get(PASSED, False):
        told = ", ".join(repr(reply)[:60] for reply in left)
        pytest.fail(
            f"{len(left)} enqueued but never asked for: {told}. Was a call missing, or a retry? "
            "If that is right, end the test with scripted_model.drain().",
            pytrace=False,
        )


@pytest.fixture
def recorded_client(
    request: pytest.FixtureRequest, faults: list[Fault], _aicourse: RecordedSession
) -> Iterator[openai.OpenAI]:
    """An `openai.OpenAI` that replays `recordings/<test file>.jsonl`; `--aicourse-record` makes that file."""
    from aicourse.llm import connect

    with connect(**_asked(request), faults=faults) as client:
        yield client


@pytest.fixture
def recorded_async_client(
    request: pytest.FixtureRequest, faults: list[Fault], _aicourse: RecordedSession
) -> openai.AsyncOpenAI:
    """The same for `await`."""
    from aicourse.llm import connect_async

    return connect_async(**_asked(request), faults=faults)


def _asked(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The provider and model to connect to; what is replayed needs none, so no setting can be in its way."""
    mark = request.node.get_closest_marker("recorded")
    asked = _arguments(mark, lambda provider=None, model=None: {"provider": provider, "model": model})
    return asked if request.config.getoption("aicourse_record") else {"provider": "embedded"}


@pytest.fixture
def score(request: pytest.FixtureRequest) -> Callable[[str, float], None]:
    """Gives this case its score: `score("f1", 0.8)`, under the name of an `aggregate_model` mark."""
    names = [_aggregate(mark)[0] for mark in request.node.iter_markers("aggregate_model")]
    scores = request.node.stash[SCORES] = {}

    def give(name: str, value: float) -> None:
        if name not in names:
            raise ValueError(f"no aggregate_model mark of this test is named {name!r}, only {names}")
        if not math.isfinite(value):
            raise ValueError(f"the score {name!r} is {value}")
        scores[name] = float(value)

    return give


# ------------------------------------------------------------ marks


def _arguments(mark: pytest.Mark | None, signature: Callable[..., Any]) -> Any:
    try:
        return signature(*(mark.args if mark else ()), **(mark.kwargs if mark else {}))
    except TypeError as error:
        assert mark is not None
        (usage,) = (line.split(":")[0] for line in MARKS if line.startswith(f"{mark.name}("))
        pytest.fail(f"@pytest.mark.{usage}: {str(error).partition('() ')[2]}.", pytrace=False)


def _aggregate(mark: pytest.Mark) -> tuple[str, float, bool]:
    return _arguments(mark, lambda name, *, at_least, prove=False: (name, at_least, prove))  # type: ignore[no-any-return]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Run a test with `repeat_model` as often as it says; its fixtures are made once."""
    mark = item.get_closest_marker("repeat_model")
    if mark is not None:
        if hasattr(getattr(item, "cls", None), "assertEqual"):  # it keeps its failures to itself
            pytest.fail("repeat_model cannot repeat a unittest.TestCase: write a function.", pytrace=False)
        n, at_least, prove = _arguments(mark, lambda n, *, at_least, prove=False: (n, at_least, prove))
        once = item.runtest
        item.runtest = functools.partial(_repeat, item, once, n, at_least, prove)  # type: ignore[method-assign]
    try:
        return (yield)
    finally:
        item.__dict__.pop("runtest", None)


def _repeat(item: pytest.Item, once: Callable[[], None], n: int, at_least: float, prove: bool) -> None:
    from aicourse.testing.verdicts import GroupVerdict, runs_needed

    try:
        needed = runs_needed(at_least, prove=prove)
    except ValueError as error:
        pytest.fail(str(error), pytrace=False)
    if n < needed:
        pytest.fail(f"{n} runs cannot decide at_least={at_least:g}: {needed} are needed.", pytrace=False)
    failures = []
    for _ in range(n):
        try:
            once()
        except COUNTED as error:
            if isinstance(error, pytest.xfail.Exception):
                raise
            failures.append(pytest.ExceptionInfo.from_exception(error))
    verdict = GroupVerdict.of_rate(n - len(failures), n, at_least=at_least, prove=prove)
    item.stash[VERDICT] = str(verdict)
    item.user_properties.append(("repeat_model", str(verdict)))
    if not verdict.passed:
        shown = f"\n\nThe first of {len(failures)} failed runs:\n{item.repr_failure(failures[0])}"
        pytest.fail(f"{verdict}{shown}", pytrace=False)


# ------------------------------------------------------------ reports


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach what the end of the run has to know, and leave the frames of libraries out of our errors."""
    session = item.stash.get(SESSION, None)
    if session is not None and call.excinfo is not None:
        call.excinfo = _without_libraries(call.excinfo)
    report = yield
    told: dict[str, Any] = {}
    if call.when == "call":
        item.stash[PASSED] = report.passed
        told["scores"] = _scores(item, call, report)
        told["verdict"] = item.stash.get(VERDICT, None)
    elif call.when == "teardown" and session is not None:
        told["usage"] = tally(session.usage)
    if told := {name: value for name, value in told.items() if value}:
        report.aicourse = told  # type: ignore[attr-defined]
    return report


def _without_libraries(
    excinfo: pytest.ExceptionInfo[BaseException],
) -> pytest.ExceptionInfo[BaseException]:
    """The same error as if the caller of the library had raised it, when it is one of ours."""
    from aicourse.errors import AicourseError

    kept, steps = None, [excinfo.tb]
    while steps[-1].tb_next:
        steps.append(steps[-1].tb_next)
    for step in reversed(steps):
        module = str(step.tb_frame.f_globals.get("__name__", ""))
        if not any(module == name or module.startswith(f"{name}.") for name in LIBRARIES):
            kept = TracebackType(kept, step.tb_frame, step.tb_lasti, step.tb_lineno)
    if kept is None or not isinstance(excinfo.value, AicourseError):
        return excinfo
    return pytest.ExceptionInfo.from_exception(excinfo.value.with_traceback(kept))


def _scores(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> list[tuple[str, str, float, bool, float]]:
    """Group, name, limit, `prove` and score for each `aggregate_model`; a failed assertion scores 0."""
    marks = [_aggregate(mark) for mark in item.iter_markers("aggregate_model")]
    crashed = report.failed and not isinstance(call.excinfo and call.excinfo.value, COUNTED)
    if not marks or report.skipped or crashed:
        return []
    given = item.stash.get(SCORES, None)
    missing = [name for name, _, _ in marks if given is not None and name not in given]
    if report.passed and missing:
        report.outcome = "failed"
        report.longrepr = f"This test takes `score` and gave none for {', '.join(missing)}."
        return []
    if report.failed:
        report.outcome = "skipped"
        report.wasxfail = f"counts in {', '.join(name for name, _, _ in marks)}"
    alone = 1.0 if report.passed else 0.0
    function = getattr(item, "originalname", None) or item.name
    group = f"{item.parent.nodeid if item.parent else ''}::{function}"
    return [(group, name, limit, prove, (given or {}).get(name, alone)) for name, limit, prove in marks]


# ------------------------------------------------------------ idle recordings


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Note which test files do not run whole."""
    for item in items:
        item.config.stash.setdefault(PARTLY_RUN, set()).add(item.path)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Drop the recordings that no test asked for, of each file whose tests have all run and passed."""
    config = session.config
    chosen = any("::" in argument for argument in config.args) or config.getoption("lf", False)
    if RECORDER not in config.stash or not config.getoption("aicourse_record") or chosen:
        return
    partly = config.stash.get(PARTLY_RUN, set[Path]())
    for item in session.items:
        if CLIENTS & set(getattr(item, "fixturenames", ())) and not item.stash.get(PASSED, False):
            partly.add(item.path)
    for item in session.items:
        if SESSION in item.stash and item.path not in partly:
            partly.add(item.path)  # once
            config.stash[RECORDER].drop_idle(recordings_of(item))
