"""The lesson in progress: the only state that all clients in this process share.

It knows which lesson runs, where its recordings are, how often each identical request was asked, and
which calls were made. Not stored anywhere: a new kernel starts a new session. `aicourse run` and
`aicourse record` learn of both through a journal: a file named by `AICOURSE_JOURNAL`, to which each
call and each place asked for is appended as a line of JSON, so that it survives the kernel's end.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from aicourse import paths
from aicourse.errors import AicourseError, RecordingMissing
from aicourse.jupyter import notebook_shell
from aicourse.llm.calls import Call, Ledger, Usage
from aicourse.llm.recording_key import CanonicalRequest
from aicourse.llm.recordings import SHARED, Recording, RecordingFile, SharedRecordings, lean

Listener = Callable[[Call], None]
WaitListener = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Sharing:
    """A run whose replies belong to all lessons: the file they go to, and the command that records them."""

    file: RecordingFile
    command: str


@dataclass
class Session:
    """The state that the clients of one lesson share.

    `listeners` are called after each call, `wait_listeners` when something slow begins, with words for
    it, and with "" when it is over (the badge is one of both).
    """

    lesson: str | None = None
    recordings: Path | None = None
    listeners: list[Listener] = field(default_factory=list)
    wait_listeners: list[WaitListener] = field(default_factory=list)
    file: RecordingFile | None = field(init=False)
    shared: SharedRecordings | None = field(init=False, default=None)
    shares: Sharing | None = field(init=False, default=None)
    ledger: Ledger = field(init=False, default_factory=Ledger)
    misses: list[RecordingMissing] = field(init=False, default_factory=list)
    _runs: int = field(init=False, default=0)  # evaluation runs in progress
    _taken: dict[str, set[int]] = field(init=False, default_factory=dict)
    _cell: tuple[str, int] | None = field(init=False, default=None)
    _kept: dict[Callable[[], Any], Any] = field(init=False, default_factory=dict)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.file = RecordingFile(self.recordings, self.command) if self.recordings else None
        with suppress(AicourseError):  # no course files here: nothing is shared
            self.shared = SharedRecordings(paths.notebooks_dir() / "recordings" / SHARED)

    @property
    def name(self) -> str:
        """The one who asks, as messages say it."""
        if self.lesson:
            return f"lesson {self.lesson}"
        return f"the file {self.recordings}" if self.recordings else "a session without a recordings file"

    @property
    def command(self) -> str:
        """The command that records what is missing."""
        return self.shares.command if self.shares else f"aicourse record {self.lesson or 'LESSON'}"

    def find(self, asked: CanonicalRequest, key: str, position: int) -> Recording | None:
        """The recorded reply: the lesson's own, else the one that all lessons share."""
        own = self.file.find(key, position) if self.file else None
        return own or (self.shared.find(asked, key, position) if self.shared else None)

    def find_again(self, asked: CanonicalRequest, key: str) -> Recording | None:
        """The lesson's own last reply to a request that comes once more, if the model would say it again.

        A cell that compares agents asks many of them the same. While a lesson is recorded each is asked.
        """
        return self.file.find_again(asked, key) if self.file else None

    @property
    def can_record(self) -> bool:
        """True if there is a file that new recordings go to."""
        return self.shares is not None or self.file is not None

    def record(self, recording: Recording) -> None:
        """Add a reply to the shared file of the run in progress, else to the lesson's own.

        An error that a lesson shows on purpose is its own; among the replies that all share it would count
        as a wrong answer of the prompt, so there it is left out.

        Raises:
            RecordingError: the file cannot be written, or the call contains a key.
        """
        if self.shares is not None:
            if recording.status == 200:
                self.shares.file.add(lean(recording))
        elif self.file is not None:
            self.file.add(lean(recording) if self._runs else recording)

    @contextmanager
    def sharing(self, path: Path, command: str) -> Iterator[None]:
        """Let recordings made in the body go to the shared file at `path`; `command` is what makes them."""
        before, self.shares = self.shares, Sharing(RecordingFile(path), command)
        try:
            yield
        finally:
            self.shares = before

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let what is asked in the body be of an evaluation run: many requests, recorded lean."""
        self._runs += 1
        try:
            yield
        finally:
            self._runs -= 1

    def keep(self, make: Callable[[], T]) -> T:
        """The one thing that `make` made in this session: state that a new session begins without."""
        with self._lock:
            if make not in self._kept:
                self._kept[make] = make()
            return cast(T, self._kept[make])

    def report(self, call: Call, stream: object = None) -> None:
        """Count a finished call, in the place of its open stream if it was one, and tell the listeners."""
        self.ledger.add(call, stream)
        with self._lock:
            _note(call=asdict(call))
        for listener in self.listeners:
            listener(call)

    @contextmanager
    def waiting(self, words: str) -> Iterator[None]:
        """Tell the listeners what takes so long while the body runs."""
        for listener in self.wait_listeners:
            listener(words)
        try:
            yield
        finally:
            for listener in self.wait_listeners:
                listener("")

    @property
    def usage(self) -> Usage:
        """The calls of every client since the lesson began."""
        return self.ledger.usage

    def claim_position(self, key: str) -> int:
        """The place of this request among identical ones of the running cell, from 0.

        Counting starts again with each run of a cell, so that running it twice replays the same
        sequence; outside a notebook it starts with the session.
        """
        with self._lock:
            cell = _cell_run()
            if cell != self._cell:
                self._cell = cell
                self._taken.clear()
            taken = self._taken.setdefault(key, set())
            position = next(number for number in itertools.count() if number not in taken)
            taken.add(position)
            _note(place=(key, position))
            return position

    def release_position(self, key: str, position: int) -> None:
        """Give a place back after a request that got no usable reply, so that a retry takes it."""
        with self._lock:
            self._taken.get(key, set()).discard(position)


def _note(**entry: object) -> None:
    if path := os.environ.get("AICOURSE_JOURNAL"):
        with open(path, "a", encoding="utf-8") as journal:
            journal.write(json.dumps(entry, default=str) + "\n")


def _cell_run() -> tuple[str, int] | None:
    """The request that runs a notebook's cell now, and its entry in the history; None outside a notebook.

    Two runs differ in the id of their request alone when the client keeps no history (nbval does not), and
    in their entry alone when code is run in the kernel without a request.
    """
    shell = notebook_shell()
    if shell is None:
        return None
    return str(shell.parent_header.get("header", {}).get("msg_id", "")), int(shell.execution_count)


_session: Session | None = None


def current() -> Session:
    """The session of this process; one without a lesson when none has begun."""
    return _session if _session is not None else begin(None, None)


@contextmanager
def within(session: Session) -> Iterator[None]:
    """Let `session` be the current one while the body runs."""
    global _session
    before, _session = _session, session
    try:
        yield
    finally:
        _session = before


def begin(lesson: str | None, recordings_path: Path | None) -> Session:
    """Start a session: no calls yet, no repeated requests, no listeners.

    `AICOURSE_RECORDINGS` overrides the path (that is how `aicourse record` writes to a new file).
    """
    global _session
    override = os.environ.get("AICOURSE_RECORDINGS")
    _session = Session(lesson, Path(override) if override else recordings_path)
    return _session
