"""Recordings beside a test file: the session of one test, and what `--aicourse-record` rewrites.

    tests/test_colours.py  ->  tests/recordings/test_colours.jsonl

One file for all tests of a file, its lines found by what is asked (`llm/recordings.py`). So a test may be
renamed, moved within its file or parametrised without recording again, and two tests that ask the same share
the reply. Each test counts its identical requests from the first; runs of `repeat_model` count on.

Recording asks everything anew, once in a run, and replaces a line when its new reply is there, also when the
test then fails: the reply is a real one, and a failing test on it can be repeated for nothing. Lines that no
test asked for are dropped only when all tests of the file have run and passed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from aicourse.llm.recording_key import CanonicalRequest
from aicourse.llm.recordings import Place, Recording, RecordingFile
from aicourse.llm.session import Session


class RecordedSession(Session):
    """The session of one test; `fresh` are the places recorded in this run, None when it only replays."""

    def __init__(self, path: Path, test: str, command: str, fresh: set[Place] | None) -> None:
        self._test, self._command, self._fresh = test, command, fresh
        super().__init__(recordings=path)
        self.shared = None  # a test depends on nothing but what lies beside it

    @property
    def name(self) -> str:
        """The test that asks."""
        return f"the test {self._test}"

    @property
    def command(self) -> str:
        """The command that records this test."""
        return self._command

    @property
    def asked(self) -> set[Place]:
        """The places that were asked for so far, and answered."""
        return {(key, position) for key, taken in self._taken.items() for position in taken}

    def find(self, asked: CanonicalRequest, key: str, position: int) -> Recording | None:
        """The recorded reply; when recording, one of this run."""
        stale = self._fresh is not None and (key, position) not in self._fresh
        return None if stale else super().find(asked, key, position)

    def record(self, recording: Recording) -> None:
        """Put a reply in the place of the former one."""
        super().record(recording)
        if self._fresh is not None:
            self._fresh.add(recording.place)


@dataclass
class Recorder:
    """The files that a run with `--aicourse-record` writes."""

    fresh: dict[Path, set[Place]] = field(default_factory=lambda: defaultdict(set))
    asked: dict[Path, set[Place]] = field(default_factory=lambda: defaultdict(set))

    def drop_idle(self, path: Path) -> None:
        """Take the lines that no test asked for out of a file whose tests have all run."""
        file = RecordingFile(path)
        known = file.recordings()
        used = [recording for place, recording in known.items() if place in self.asked[path]]
        if len(used) < len(known):
            file.write(used)
