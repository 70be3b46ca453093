"""Recordings that several lessons and the command line share: one file per prompt version.

    notebooks/recordings/shared/extract_listing/v1.jsonl, v2.jsonl, …      all models, both splits

A session looks into its lesson's own file first, then here; `aicourse record NN` finds them here too, so no
lesson stores them again. They are written while `Session.sharing` is on, which evaluation runs use. Lines are
lean: the request keeps only what tells it from its neighbours (the rest is the prompt file's, and the key is
of the whole request), and the reply loses what nobody reads (timings per token).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from aicourse.llm.recording_key import CanonicalRequest
from aicourse.llm.recordings import Recording, RecordingFile

FOLDER = "shared"
_REQUEST_FIELDS = ("model", "temperature", "max_tokens", "seed")
_UNREAD = ("system_fingerprint", "timings")


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
        same request gets positions that nobody recorded. At temperature 0 the model would say the same again,
        and the last recorded reply stands for it. Sampled requests are meant to differ: no such answer.
        """
        for file in self.files():
            if count := file.count(key):
                deterministic = asked["body"].get("temperature") == 0
                return file.find(key, min(position, count - 1) if deterministic else position)
        return None


def lean(recording: Recording) -> Recording:
    """The recording as it stands in a shared file."""
    body = recording.request["body"]
    request: dict[str, Any] = {name: body[name] for name in _REQUEST_FIELDS if name in body}
    if body.get("messages"):
        request["messages"] = [body["messages"][-1]]
    return replace(
        recording,
        request={"path": recording.request["path"], "body": request},
        body=_lean_body(recording.body),
    )


def _lean_body(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    return {name: value for name, value in body.items() if name not in _UNREAD}
