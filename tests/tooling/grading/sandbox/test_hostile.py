"""Attacks run on the real sandbox, side by side with honest notebooks that must not notice."""

from __future__ import annotations

import dataclasses
import gc
import os
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hostile import ATTACKS, Attack
from sandboxes import HONEST, SHORT, descendants, notebook, open_sandbox, printed

from aicourse.tooling.grading.sandbox import cgroups, leftovers
from aicourse.tooling.grading.sandbox.execution import Answer, Execution, Job, StudentCall
from aicourse.tooling.grading.sandbox.executor import Sandbox
from aicourse.tooling.grading.sandbox.files import files_below
from aicourse.tooling.grading.sandbox.view import STUDENT

CALLS = (StudentCall("double", (21,)), StudentCall("triple", (5,)), StudentCall("double", ("ab",)))
AFTER = "def triple(x):\n    return 3 * x"


def run_with_neighbour(sandbox: Sandbox, attack: Attack) -> tuple[Execution, Execution]:
    limits = dataclasses.replace(SHORT, cell_seconds=attack.seconds, notebook_seconds=60)
    hostile = Job(notebook(HONEST, attack.source, AFTER), CALLS, limits=limits)
    patient = dataclasses.replace(limits, cell_seconds=60)
    honest = Job(notebook(HONEST, "print('hello')", AFTER), CALLS, limits=patient)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(sandbox.execute, job) for job in (hostile, honest)]
        return runs[0].result(), runs[1].result()


@dataclasses.dataclass(frozen=True)
class Traces:
    """What a sandbox could leave behind on this machine."""

    processes: frozenset[str]
    handles: int
    mounts: tuple[str, ...]
    folders: frozenset[str]


def traces() -> Traces:
    gc.collect()
    return Traces(
        frozenset(
            command for command in descendants().values() if "sandbox" in command or "sleep" in command
        ),
        len(os.listdir("/proc/self/fd")),
        tuple(line for line in Path("/proc/self/mounts").read_text("utf-8").splitlines() if STUDENT in line),
        frozenset(
            str(path)
            for place in [Path(tempfile.gettempdir()), *cgroups.places()]
            for path in place.glob(f"{leftovers.own_prefix()}*")
        ),
    )


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("sandbox")))  # ours alone
        yield from open_sandbox()


@pytest.fixture(scope="module")
def results(sandbox: Sandbox) -> dict[str, tuple[Execution, Execution]]:
    """Every attack with an honest neighbour, two pairs at a time."""
    with ThreadPoolExecutor(2) as pool:
        runs = pool.map(lambda attack: run_with_neighbour(sandbox, attack), ATTACKS.values())
        return dict(zip(ATTACKS, runs, strict=True))


def values(execution: Execution) -> list[Any]:
    return [answer.value for answer in execution.answers]


FOOLING = {"patches what the reply goes through"}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_was_earned_stays(results: dict[str, tuple[Execution, Execution]], name: str) -> None:
    execution, _ = results[name]
    if name in FOOLING:  # it breaks its own answers; it may not make them better than they are
        assert all(answer.value in (None, 42, 15, "abab") for answer in execution.answers)
        return
    assert values(execution) == [42, 15, "abab"]


@pytest.mark.parametrize("name", ATTACKS)
def test_it_is_told_in_a_sentence(results: dict[str, tuple[Execution, Execution]], name: str) -> None:
    execution, _ = results[name]
    attack = ATTACKS[name]
    assert execution.ending in attack.endings, execution.sentence
    assert attack.sentence in execution.sentence
    assert bool(execution.sentence) == (execution.ending != "finished")
    if attack.error:
        assert execution.failures[0].index == 1
        assert execution.failures[0].error.startswith(attack.error)


@pytest.mark.parametrize("name", ATTACKS)
def test_neighbours_do_not_notice(results: dict[str, tuple[Execution, Execution]], name: str) -> None:
    _, neighbour = results[name]
    assert values(neighbour) == [42, 15, "abab"]
    assert (neighbour.ending, neighbour.sentence) == ("finished", "")
    assert printed(neighbour) == ["", "hello\n", ""]


@pytest.mark.parametrize("name", ATTACKS)
def test_messages_are_safe_to_print(results: dict[str, tuple[Execution, Execution]], name: str) -> None:
    execution, _ = results[name]
    told = execution.sentence + "".join(failure.error + failure.message for failure in execution.failures)
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", told) is None
    assert len(told) < 3_000


def test_nothing_is_left_behind(results: dict[str, tuple[Execution, Execution]], sandbox: Sandbox) -> None:
    run_with_neighbour(sandbox, ATTACKS["leaves threads and daemons"])
    before = traces()
    for name in ("leaves threads and daemons", "os._exit", "stops listening to signals"):
        run_with_neighbour(sandbox, ATTACKS[name])
    assert traces() == before
    commands = [Path(f"/proc/{process}/cmdline") for process in os.listdir("/proc") if process.isdigit()]
    assert not [path for path in commands if path.exists() and b"98765" in path.read_bytes()]


LYING = """
class Liar(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__
class Agreeable:
    def __eq__(self, other): return True
class Texts(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
class Sneaky(dict):
    def items(self): return [("a", 1)]
def liar(): return Liar(7)
def agreeable(): return Agreeable()
def inside(): return [{"deep": Texts("x")}]
def sneaky(): return Sneaky()
def huge(): return "x" * 10**6
def deep():
    value = []
    for _ in range(10_000): value = [value]
    return value
def many_digits(): return 10**10_000
def broken_text(): return "\\ud800"
def dies():
    import os
    os._exit(1)
def late(x):
    import time
    while True:
        try: time.sleep(10)
        except BaseException: return x
def recursive(): return recursive()
def prompt(): return input("password? ")
def honest(): return 1
"""


@pytest.fixture(scope="module")
def answers(sandbox: Sandbox) -> dict[str, Answer]:
    names = re.findall(r"^def (\w+)\(\)", LYING, re.M)
    calls = [StudentCall(name, ()) for name in names] + [
        StudentCall("late", (5,), seconds=0.3),
        StudentCall("honest", ()),
        StudentCall("nobody", ()),
    ]
    execution = sandbox.execute(Job(notebook(LYING), calls, limits=SHORT))
    return {call.target: answer for call, answer in zip(calls, execution.answers, strict=True)}


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("liar", "unreadable", "a Liar, a class derived from int"),
        ("agreeable", "unreadable", "type Agreeable"),
        ("inside", "unreadable", "a Texts, a class derived from str"),
        ("sneaky", "unreadable", "a Sneaky, a class derived from dict"),
        ("huge", "unreadable", "larger than 97 kB"),
        ("deep", "unreadable", "levels deep"),
        ("many_digits", "unreadable", ""),
        ("broken_text", "unreadable", "not valid Unicode"),
        ("dies", "dead", "ended the kernel"),
        ("late", "endless", ""),
        ("recursive", "raised", "maximum recursion depth"),
        ("prompt", "raised", ""),
        ("honest", "returned", ""),
        ("nobody", "missing", ""),
    ],
)
def test_answers_that_are_none(answers: dict[str, Answer], name: str, kind: str, text: str) -> None:
    assert answers[name].kind == kind
    assert text in answers[name].message
    assert answers[name].value == (1 if name == "honest" else None)


def test_a_forged_encoder_gives_one_more_wrong_answer(sandbox: Sandbox) -> None:
    module = "aicourse.tooling.grading.sandbox.kernel_side"
    patch = f"import {module} as kernel_side\nkernel_side.encode = lambda value, depth=0: 42"
    execution = sandbox.execute(Job(notebook(HONEST, patch), (StudentCall("double", (1,)),), limits=SHORT))
    assert values(execution) == [42]  # to which the grader, who knows better, says no


STEAL = """
import os, glob
found = []
def look(path):
    try:
        with open(path, 'rb') as file: data = file.read(1 << 20)
    except OSError: return
    if b'T0P-S3CRET' in data: found.append(path)
for path in {paths!r}: look(path)
for process in [name for name in os.listdir('/proc') if name.isdigit()] + ['self', '{grader}']:
    for name in ('environ', 'cmdline', 'maps'): look(f'/proc/{{process}}/{{name}}')
    if process in ('1', 'self'): continue
    try:
        with open(f'/proc/{{process}}/mem', 'rb') as memory:
            for line in open(f'/proc/{{process}}/maps'):
                low, high = (int(part, 16) for part in line.split()[0].split('-'))
                if 'r' in line.split()[1] and high < 1 << 47 and not line.rstrip().endswith('.so'):
                    memory.seek(low)
                    try: block = memory.read(min(high - low, 1 << 22))
                    except OSError: continue
                    if b'T0P-S3CRET' in block: found.append(process)
    except OSError: pass
seen = [path for path in {paths!r} if os.path.exists(path)]
"""


def test_answers_neighbours_and_the_grader_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_KEY", "T0P-S3CRET")
    secrets = [tmp_path / "checks.py", tmp_path / "other" / "submission.ipynb", tmp_path / "grades.csv"]
    for path in secrets:
        path.parent.mkdir(exist_ok=True)
        path.write_text("T0P-S3CRET")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "data.csv").write_text("a,b\n1,2\n")
    (mine / "answers").symlink_to(secrets[0])
    repository = Path(__file__).parents[4]
    hidden = [
        repository / "homework",
        repository / "tests",
        repository / "datasets/listings/grader",
        repository / ".git",
    ]
    paths = [*map(str, secrets), "/etc/shadow", "/root/.bash_history", *map(str, hidden)]
    source = STEAL.format(paths=[*paths, "/student/work/answers"], grader=os.getpid())
    calls = (StudentCall("found"), StudentCall("seen"))
    for sandbox in open_sandbox():
        execution = sandbox.execute(
            Job(
                notebook(source, "print(open('data.csv').read())", "print(dict(os.environ))"),
                calls,
                files=files_below(mine),
                limits=SHORT,
            )
        )
        assert values(execution) == [[], []]
        assert printed(execution)[1] == "a,b\n1,2\n\n"
        assert "S3CRET" not in printed(execution)[2]


NETWORK = """
import socket
reached = []
def attempt(kind, host, port):
    with socket.socket(socket.AF_INET, kind) as connection:
        connection.settimeout(0.5)
        try:
            connection.connect((host, port))
            connection.sendall(b'hello')
            if kind == socket.SOCK_STREAM: reached.append((host, port))
        except OSError: pass
attempt(socket.SOCK_STREAM, '127.0.0.1', {port})
attempt(socket.SOCK_DGRAM, '127.0.0.1', {udp})
for host in ('1.1.1.1', '10.0.0.1', '169.254.169.254'):
    attempt(socket.SOCK_STREAM, host, 80)
    attempt(socket.SOCK_DGRAM, host, 53)
try: reached.append(socket.getaddrinfo('example.com', 80))
except OSError: pass
abstract = socket.socket(socket.AF_UNIX)
try:
    abstract.connect('\\0aicourse-test-{port}')
    reached.append('abstract')
except OSError: pass
"""


def test_the_network_is_closed(sandbox: Sandbox) -> None:
    import socket

    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(0.01)
        tcp.settimeout(0.01)
        port = tcp.getsockname()[1]
        abstract.bind(f"\0aicourse-test-{port}")
        abstract.listen()
        source = NETWORK.format(port=port, udp=udp.getsockname()[1])
        execution = sandbox.execute(Job(notebook(source), (StudentCall("reached"),), limits=SHORT))
        assert values(execution) == [[]]
        for listener in (tcp, udp):
            with pytest.raises(TimeoutError):
                listener.accept() if listener is tcp else listener.recv(10)


WRITE = """
import os, sys, pathlib
written = []
places = ['/', '/etc', '/usr/bin', '/usr/lib', '/dev', '/proc', sys.prefix, {places!r}]
places.append(os.path.dirname(os.__file__))
import aicourse, IPython
places += [os.path.dirname(aicourse.__file__), os.path.dirname(IPython.__file__)]
for place in places:
    try:
        pathlib.Path(place, 'planted').write_text('x')
        written.append(place)
    except OSError: pass
for name in ('planted-link', 'results.json'):
    os.symlink({places!r} + '/stolen', name)
refused = []
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for name, arguments in {{
    'mount': (b'tmpfs', b'/etc', b'tmpfs', 0, None), 'unshare': (0x10000000,), 'chroot': (b'/student',),
    'ptrace': (16, 1, 0, 0), 'setuid': (0,), 'sethostname': (b'x', 1), 'umount2': (b'/proc', 2),
    'memfd_create': (b'x', 0), 'setns': (0, 0),
}}.items():
    ctypes.set_errno(0)
    if getattr(libc, name)(*arguments) == -1: refused.append(name)
"""


def test_no_capability_is_left_also_none_to_come_back(sandbox: Sandbox) -> None:
    source = "found = [line.split() for line in open('/proc/self/status') if line.startswith('Cap')]"
    (answer,) = sandbox.execute(Job(notebook(source), (StudentCall("found"),), limits=SHORT)).answers
    names = ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"]
    assert answer.value == [[name, "0" * 16] for name in names]


def test_nothing_can_be_written_or_changed_outside(sandbox: Sandbox, tmp_path: Path) -> None:
    source = WRITE.format(places=str(tmp_path))
    execution = sandbox.execute(
        Job(
            notebook(source),
            (StudentCall("written"), StudentCall("refused")),
            limits=SHORT,
            files=files_below(tmp_path),
        )
    )
    refused = [
        "mount",
        "unshare",
        "chroot",
        "ptrace",
        "setuid",
        "sethostname",
        "umount2",
        "memfd_create",
        "setns",
    ]
    assert values(execution) == [[], refused], execution.failures
    assert list(tmp_path.iterdir()) == []
