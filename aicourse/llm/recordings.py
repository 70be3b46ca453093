"""Recorded replies of real models: one JSONL file per notebook, one per prompt version that lessons share.

    {"key": "9f2c…", "position": 0, "model": "qwen2.5-coder-0.5b", "summary": "Which colours…", …}

A line is found by the key of its request and its position among identical requests. Lines are sorted
by model, endpoint, summary, key and position, so that a new recording moves nothing else in a diff. A
line that cannot be read is skipped with a warning; of two lines for one place the last one counts.
This module stores and finds; `replay.py` decides when.

    notebooks/recordings/shared/extract_listing/v1.jsonl, v2.jsonl, …      all models, both splits

A session looks into its lesson's own file first, then into these; so no lesson stores them again. They are
written while `Session.sharing` is on. What an evaluation run asks, its judges too, is many requests of one
prompt, so their lines are lean in every file: the request keeps only what tells it from its neighbours (the
rest is the prompt file's, and the key is of the whole request), the reply loses what nobody reads (timings,
the bytes of tokens).
"""

from __future__ import annotations

import hashlib
import json
import threading
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from aicourse import paths
from aicourse.errors import RecordingError
from aicourse.json_text import MOST_LEVELS, dumps
from aicourse.llm import catalog
from aicourse.llm.keys import contains_key, masked
from aicourse.llm.recording_key import CanonicalRequest

Place = tuple[str, int]
SHARED = "shared"  # the folder of the files that lessons share
_LEAN_REQUEST = ("model", "temperature", "max_completion_tokens", "seed")
_UNREAD = ("system_fingerprint", "timings", "bytes")  # bytes: of each candidate token, beside its text


@dataclass(frozen=True, slots=True)
class Recording:
    """One reply and the request it answers.

    `body` is the reply (see `body_of`); a stream has `chunks` instead: seconds since the
    request was sent, and text. `seconds` is the whole latency. `model_sha256` identifies the file of an
    embedded model.
    """

    key: str
    position: int
    model: str
    summary: str
    request: CanonicalRequest
    status: int
    headers: dict[str, str]
    seconds: float
    recorded_at: str
    body: Any = None
    chunks: list[tuple[float, str]] | None = None
    model_sha256: str | None = None

    @property
    def place(self) -> Place:
        """The key and position under which it is found."""
        return self.key, self.position

    def content(self) -> list[bytes]:
        """The reply's bytes, chunk by chunk."""
        if self.chunks is None:
            return [_bytes(self.body) if isinstance(self.body, str) else dumps(self.body)]
        return [_bytes(text) for _, text in self.chunks]

    def to_line(self) -> str:
        """One line of JSON, in the order of the fields; what is None is left out."""
        given = {name: getattr(self, name) for name in _TYPES if getattr(self, name) is not None}
        return dumps(given).decode()

    @classmethod
    def from_line(cls, line: bytes) -> Recording:
        """The recording on a line.

        Raises:
            ValueError: the line is not a recording; the message says why.
        """
        data = json.loads(line)
        if not isinstance(data, dict):
            raise ValueError("not an object")
        if unknown := sorted(data.keys() - _TYPES.keys()):
            raise ValueError(f"unknown {', '.join(unknown)}")
        if ("body" in data) == ("chunks" in data):
            raise ValueError("needs either body or chunks")
        for name in _TYPES.keys() - _OPTIONAL | data.keys():
            if not isinstance(data.get(name), _TYPES[name]):
                raise ValueError(f"{name} is {'wrong' if name in data else 'missing'}")
        if not isinstance(data["request"].get("path"), str):
            raise ValueError("request has no path")
        if not all(_is_chunk(chunk) for chunk in data.get("chunks", ())):
            raise ValueError("chunks is wrong")
        recording = cls(**data)
        if not isinstance(recording.body, dict | list):
            recording.content()  # text that no bytes give is a UnicodeEncodeError, which is a ValueError
        return recording


_TYPES: dict[str, type | tuple[type, ...]] = {
    "key": str,
    "position": int,
    "model": str,
    "summary": str,
    "request": dict,
    "status": int,
    "headers": dict,
    "seconds": (int, float),
    "recorded_at": str,
    "body": (dict, list, str),
    "chunks": list,
    "model_sha256": str,
}
_OPTIONAL = {"body", "chunks", "model_sha256"}


def _is_chunk(chunk: Any) -> bool:
    match chunk:
        case [int() | float(), str()]:
            return True
    return False


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def body_of(content: bytes) -> Any:
    """A reply's bytes as they are recorded: JSON as data, all else as text that gives the same bytes again.

    Text is also JSON that not every reader takes: in invalid UTF-8, or of more than `MOST_LEVELS` levels.
    """
    text = content.decode("utf-8", "surrogateescape")
    try:
        content.decode()
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict | list) and _levels(value) <= MOST_LEVELS else text


def _levels(value: Any) -> int:
    levels, inside = 0, [value]
    while inside := [part for one in inside if isinstance(one, dict | list) for part in _parts(one)]:
        levels += 1
    return levels


def _parts(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


class RecordingFile:
    """The recordings in one file, read when first needed and again when the file has changed.

    `command` is what makes them anew, for messages.
    """

    def __init__(self, path: Path, command: str = "aicourse record LESSON") -> None:
        self.path = path
        self.command = command
        self._places: dict[Place, Recording] = {}
        self._counts: Counter[str] = Counter()
        self._stamp: tuple[int, int] | None = None
        self._lock = threading.Lock()

    def recordings(self) -> Mapping[Place, Recording]:
        """All of them by place, in the order of the file."""
        with self._lock:
            self._refresh()
            return self._places

    def find(self, key: str, position: int) -> Recording | None:
        """The reply recorded for this request, asked for the `position`-th time."""
        return self.recordings().get((key, position))

    def find_again(self, asked: CanonicalRequest, key: str) -> Recording | None:
        """The last reply recorded for this request, if the model would say it again: at temperature 0."""
        body = asked["body"]
        default = catalog.default_temperature(str(body.get("model", "")))
        return self.find(key, self.count(key) - 1) if body.get("temperature", default) == 0 else None

    def count(self, key: str) -> int:
        """Number of replies recorded for this request."""
        self.recordings()
        return self._counts[key]

    def add(self, recording: Recording) -> None:
        """Write one more recording, in its place; safe when several processes do so at once.

        Raises:
            RecordingError: the file cannot be written, or the call contains a key.
        """
        if contains_key(recording.to_line()):
            raise RecordingError(
                f"The call {masked(recording.summary)!r} contains something that looks like a key, so it is "
                "not recorded. Take the key out of the prompt, and if it is real, revoke it."
            )
        with self._file_lock():
            known = self.recordings()
            self.write([*known.values(), recording])

    def write(self, recordings: Iterable[Recording]) -> None:
        """Replace the file by these recordings, sorted; of two for one place the last one counts.

        Raises:
            RecordingError: the file cannot be written.
        """
        by_place = {recording.place: recording for recording in recordings}
        ordered = sorted(by_place.values(), key=_order)
        text = "".join(recording.to_line() + "\n" for recording in ordered)
        try:
            paths.write_atomically(self.path, text)
        except OSError as error:
            raise RecordingError(
                f"Cannot write the recordings {self.path}: {error.strerror}. "
                f"Make the folder writable, then record again with: {self.command}",
                path=self.path,
            ) from error

    def _file_lock(self) -> FileLock:
        """A lock in the state folder, so that none lies beside the recordings in the repository."""
        name = hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:16]
        folder = paths.state_dir() / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"recordings-{name}.lock")

    def _refresh(self) -> None:
        try:
            stat = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            self._places, self._counts, self._stamp = {}, Counter(), None
            return
        stamp = (stat.st_mtime_ns, stat.st_size)
        if stamp != self._stamp:
            lines, faults = read_lines(self.path)
            for number, fault in faults:
                remedy = f"Record again with: {self.command}"
                warnings.warn(f"{self.path}, line {number} {fault}. {remedy}", stacklevel=2)
            self._places = {place: recording for place, (_, recording) in lines.items()}
            self._counts = Counter(key for key, _ in self._places)
            self._stamp = stamp


def _order(recording: Recording) -> tuple[str, str, str, str, int]:
    return recording.model, recording.request["path"], recording.summary, *recording.place


def read_lines(path: Path) -> tuple[dict[Place, tuple[int, Recording]], list[tuple[int, str]]]:
    """The recordings of a file with the numbers of their lines, and each line that has a fault."""
    places: dict[Place, tuple[int, Recording]] = {}
    faults = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            recording = Recording.from_line(line)
        except (ValueError, RecursionError) as error:
            faults.append((number, f"is not a recording and is skipped: {error}"))
            continue
        if recording.place in places:
            faults.append((number, f"repeats line {places[recording.place][0]}; the last one counts"))
        places[recording.place] = number, recording
    for (key, position), (number, recording) in places.items():
        if position > 0 and (key, position - 1) not in places:
            faults.append((number, f"is reply {position + 1} to {recording.summary!r}; it lacks {position}"))
    return places, faults


class SharedRecordings:
    """All files under a folder, each read when the first request is not found in a lesson's own file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[Path, RecordingFile] = {}
        self._lock = threading.Lock()

    def files(self) -> Iterator[RecordingFile]:
        """The files that are there now, by name."""
        for path in sorted(self.folder.rglob("*.jsonl")):
            with self._lock:
                file = self._files.setdefault(path, RecordingFile(path))
            yield file

    def find(self, asked: CanonicalRequest, key: str, position: int) -> Recording | None:
        """The reply recorded for this request, asked for the `position`-th time.

        Shared runs are repeated: a notebook compares what another made, a cell scores a prompt twice; so the
        same request gets positions that nobody recorded. At temperature 0, asked for or the model's own, the
        model would say the same again, and the last recorded reply stands for it. Sampled requests are meant
        to differ: no such answer.
        """
        for file in self.files():
            if file.count(key):
                return file.find(key, position) or file.find_again(asked, key)
        return None


def lean(recording: Recording) -> Recording:
    """The recording of a run's request as it is stored."""
    body = recording.request["body"]
    request: dict[str, Any] = {name: body[name] for name in _LEAN_REQUEST if name in body}
    if body.get("messages"):
        request["messages"] = [body["messages"][-1]]
    return replace(
        recording,
        request={"path": recording.request["path"], "body": request},
        body=_read_parts(recording.body),
    )


def _read_parts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _read_parts(one) for name, one in value.items() if name not in _UNREAD}
    return [_read_parts(one) for one in value] if isinstance(value, list) else value
