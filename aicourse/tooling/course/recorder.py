"""Record the replies that a lesson needs, by running it: `aicourse record`, `make record`.

A lesson runs with `AICOURSE_REPLAY=record` and an empty file, one lesson at a time, because recorded
latencies are part of what lessons show. Only when it ran to its end does the file replace the lesson's
recordings, so a failure loses nothing; what the lesson no longer asks for is thereby pruned. With
`missing_only` the file starts with what there is. With `check` nothing is written: every request must be
recorded and every recording asked for. With `live` as well, the model is asked again, and replies that
changed are told (another CPU may choose another word; see the design's D3).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aicourse.llm.formats import payloads
from aicourse.llm.recordings import Place, Recording, RecordingFile
from aicourse.tooling.course.lesson_run import CellError, LessonRun
from aicourse.tooling.course.notebooks import Lesson, lessons
from aicourse.tooling.course.runner import Settings, execute

_SAYING = {"content", "text", "arguments", "delta", "refusal", "name"}


@dataclass(frozen=True)
class RecordingReport:
    """The outcome of recording or checking one lesson; each list holds summaries of requests.

    `error` is why the lesson did not run to its end; then nothing was written. When checking, that is
    how a request that is not recorded shows itself.
    """

    lesson: Lesson
    kept: int
    added: tuple[str, ...]
    unused: tuple[str, ...]
    changed: tuple[str, ...]
    error: CellError | None

    @property
    def complete(self) -> bool:
        """True if every request is recorded and every recording asked for, with the same reply."""
        return not (self.error or self.added or self.unused or self.changed)

    def __str__(self) -> str:
        if self.error:
            return f"{self.lesson.name}: stopped {self.error}"
        counts = {
            "recorded": self.kept,
            "new": len(self.added),
            "not asked for": len(self.unused),
            "changed": len(self.changed),
        }
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "no calls"
        return f"{self.lesson.name}: {told}"


def record(
    names: Sequence[str | Path] | None = None,
    *,
    missing_only: bool = False,
    check: bool = False,
    live: bool = False,
) -> list[RecordingReport]:
    """Record the lessons in `names` (all by default), or `check` their recordings without writing.

    Raises:
        LessonError: unknown lesson.
        RecordingError: the recordings cannot be written.
    """
    chosen = lessons(names)
    asks_model = live or not check
    with tempfile.TemporaryDirectory(prefix="aicourse-record-") as folder:
        new = Path(folder) / "recordings"
        for lesson in chosen:
            if missing_only or not asks_model:
                RecordingFile(new / lesson.recordings.name).write(_recordings(lesson.recordings).values())
        replay = "record" if asks_model else "only"
        settings = Settings(Path(folder) / "executed", replay, recordings=new)
        runs = execute(chosen, settings, jobs=1 if asks_model else None)
        return [_finish(run, new / run.lesson.recordings.name, write=not check) for run in runs]


def _recordings(path: Path) -> dict[Place, Recording]:
    return dict(RecordingFile(path).recordings())


def _finish(run: LessonRun, path: Path, *, write: bool) -> RecordingReport:
    """Compare what the run used with what is in the repository, and let it replace that."""
    old, new = _recordings(run.lesson.recordings), _recordings(path)
    used = {place: recording for place, recording in new.items() if place in run.journal.places}
    if run.error:
        return RecordingReport(run.lesson, len(used), (), (), (), run.error)
    if write and used != old:
        RecordingFile(run.lesson.recordings).write(used.values())
    both = used.keys() & old.keys()
    changed = [used[place] for place in used if place in both and _differ(used[place], old[place])]
    return RecordingReport(
        run.lesson,
        kept=len(both),
        added=_summaries(used[place] for place in used if place not in both),
        unused=_summaries(old[place] for place in old if place not in both),
        changed=_summaries(changed),
        error=None,
    )


def _summaries(recordings: Iterable[Recording]) -> tuple[str, ...]:
    return tuple(recording.summary for recording in recordings)


def _differ(new: Recording, old: Recording) -> bool:
    """True if they say something else; ids, times and how a stream was cut do not matter."""
    return new.status != old.status or _said(new) != _said(old)


def _said(recording: Recording) -> str:
    text = b"".join(recording.content()).decode()
    content_type = recording.headers.get("content-type", "")
    return "".join(_texts(payload) for payload in payloads(text, content_type))


def _texts(value: Any) -> str:
    """All that a reply says, wherever its API puts it."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_texts(part) for part in value if not isinstance(part, str))
    if not isinstance(value, dict):
        return ""
    return "".join(
        _texts(part) for name, part in value.items() if name in _SAYING or not isinstance(part, str)
    )
