"""Record the replies that a lesson needs, by running it: `aicourse record`, `make record`.

A lesson runs with `AICOURSE_REPLAY=record` and an empty file, one lesson at a time, because recorded
latencies are part of what lessons show. Only when it ran to its end does the file replace the lesson's
recordings, so a failure loses nothing; what the lesson no longer asks for is thereby pruned. With
`missing_only` the file starts with what there is. With `check` nothing is written: every request must be
recorded, and every line of the recordings be whole, there once, and asked for. With `live` as well, the model
is asked again, and replies that changed are told (another CPU may choose another word; see the design's D3).

Lines that lessons share are asked for by a lesson, or by `aicourse evals run` for one of the versions and
models recorded there; whether one is not is known only when all lessons are checked.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aicourse import paths
from aicourse.errors import AicourseError
from aicourse.llm.formats import payloads
from aicourse.llm.recordings import SHARED, Place, Recording, RecordingFile, SharedRecordings, read_lines
from aicourse.notebook_json import new_cell, new_notebook, notebook_text
from aicourse.tooling.course.lesson_run import CellError, LessonRun
from aicourse.tooling.course.notebooks import Lesson, lessons
from aicourse.tooling.course.runner import Settings, execute

_SAYING = {"content", "text", "arguments", "delta", "refusal", "name"}


@dataclass(frozen=True)
class RecordingReport:
    """The outcome of recording or checking a lesson, or what lessons share; lists hold summaries of requests.

    `error` is why the lesson did not run to its end; then nothing was written. When checking, that is
    how a request that is not recorded shows itself. `faults` name lines of files, when checking.
    """

    name: str
    kept: int
    added: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    error: CellError | None = None
    faults: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """True if every request is recorded and every recording asked for, once, with the same reply."""
        return not (self.error or self.added or self.unused or self.changed or self.faults)

    def __str__(self) -> str:
        return "\n  ".join([f"{self.name}: {self._counts()}", *self.faults])

    def _counts(self) -> str:
        if self.error:
            return f"stopped {self.error}"
        counts = {
            "recorded": self.kept,
            "new": len(self.added),
            "not asked for": len(self.unused),
            "changed": len(self.changed),
        }
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "no calls"


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
    shared = [] if names or asks_model else list(SharedRecordings(_shared_folder()).files())
    paths.build_dir().mkdir(parents=True, exist_ok=True)  # there, so that kernels find a .env file above
    with tempfile.TemporaryDirectory(prefix="record-", dir=paths.build_dir()) as folder:
        new = Path(folder) / "recordings"
        for lesson in chosen:
            if missing_only or not asks_model:
                RecordingFile(new / lesson.recordings.name).write(_recordings(lesson.recordings).values())
        replay = "record" if asks_model else "only"
        settings = Settings(Path(folder) / "executed", replay, recordings=new)
        asking = [_asking_for_shared(Path(folder))] if shared else []
        runs = execute([*chosen, *asking], settings, jobs=1 if asks_model else None)
        files = [new / run.lesson.recordings.name for run in runs[: len(chosen)]]
        reports = [_finish(run, file, check=check) for run, file in zip(runs, files, strict=False)]
        return [*reports, _shared_report(runs, shared)] if shared else reports


def _recordings(path: Path) -> dict[Place, Recording]:
    return dict(RecordingFile(path).recordings())


def _finish(run: LessonRun, path: Path, *, check: bool) -> RecordingReport:
    """Compare what the run used with what is in the repository, and replace that unless this is a check."""
    name, own = run.lesson.name, run.lesson.recordings
    old, new = _recordings(own), _recordings(path)
    asked = run.journal.places
    used = {place: recording for place, recording in new.items() if place in asked}
    if run.error:
        return RecordingReport(name, len(used), error=run.error, faults=_faults(own) if check else ())
    if not check and used != old:
        RecordingFile(own).write(used.values())
    both = used.keys() & old.keys()
    changed = [used[place] for place in used if place in both and _differ(used[place], old[place])]
    return RecordingReport(
        name,
        kept=len(both),
        added=_summaries(used[place] for place in used if place not in both),
        unused=_summaries(old[place] for place in old if place not in both),
        changed=_summaries(changed),
        faults=_faults(own, asked) if check else (),
    )


def _faults(path: Path, asked: Iterable[Place] | None = None) -> tuple[str, ...]:
    """The lines that are broken or there twice, and those that are not `asked` for, if that is known."""
    if not path.exists():
        return ()
    lines, faults = read_lines(path)
    wanted = None if asked is None else frozenset(asked)
    idle = [place for place in lines if wanted is not None and place not in wanted]
    faults += [(lines[place][0], f"is not asked for: {lines[place][1].summary!r}") for place in idle]
    shown = path.relative_to(paths.course_dir()) if path.is_relative_to(paths.course_dir()) else path
    return tuple(f"{shown}, line {number} {fault}." for number, fault in sorted(faults))


def _shared_folder() -> Path:
    return paths.notebooks_dir() / "recordings" / SHARED


def _shared_report(runs: Sequence[LessonRun], files: Sequence[RecordingFile]) -> RecordingReport:
    """The lines of shared files that no lesson asked for; one that stopped might have asked for more."""
    whole = not any(run.error for run in runs)
    asked = frozenset[Place]().union(*(run.journal.places for run in runs))
    faults = [fault for file in files for fault in _faults(file.path, asked if whole else None)]
    places = {place for file in files for place in file.recordings()}
    return RecordingReport(SHARED, len(places & asked), faults=tuple(faults), error=runs[-1].error)


def _asking_for_shared(folder: Path) -> Lesson:
    """A lesson for this purpose alone: it asks for what `aicourse evals run` finds recorded."""
    path = folder / f"{SHARED}.ipynb"
    source = f"from {__name__} import ask_for_shared\n\nask_for_shared()"
    path.write_text(notebook_text(new_notebook([new_cell("code", source, "ask")])), encoding="utf-8")
    return Lesson(SHARED, SHARED, path, "recordings, as the command line asks for them")


def ask_for_shared() -> None:
    """Run each version in the shared recordings over both splits, with each model that is recorded there."""
    from aicourse.marketplace import run_listings

    for file in SharedRecordings(_shared_folder()).files():
        recordings = file.recordings().values()
        prompt = f"{file.path.parent.name}@{file.path.stem.removeprefix('v')}"
        photos = any(isinstance(_last_content(recording), list) for recording in recordings)
        for model in sorted({recording.model for recording in recordings}):
            for split, sent in [("dev", False), ("test", False), *([("test", True)] if photos else [])]:
                with suppress(
                    AicourseError
                ):  # something is not recorded, which it has asked for all the same
                    run_listings(prompt, split=split, model=model, with_photos=sent, progress=False)


def _last_content(recording: Recording) -> Any:
    messages = recording.request["body"].get("messages") or [{}]
    return messages[-1].get("content")


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
