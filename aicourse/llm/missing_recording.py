"""The message for a request that was never recorded: what is nearest to it, and what changed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from pathlib import Path

from aicourse.errors import RecordingMissing
from aicourse.llm.recording_key import Canonical, key_of, summary
from aicourse.llm.recordings import Recording
from aicourse.llm.session import Session

DIFF_LINES = 30
_CANDIDATES = 5  # compared exactly, after a quick comparison of all


def missing_recording(session: Session, asked: Canonical, position: int) -> RecordingMissing:
    """The error for `asked`, which has no recording at `position`."""
    lesson = f"lesson {session.lesson}" if session.lesson else _place(session.recordings)
    subject = f"{summary(asked)!r} ({asked['body'].get('model', asked['path'])})"
    repeats = session.file.count(key_of(asked)) if session.file else 0
    nearest = None if repeats or session.file is None else _nearest(session.file.recordings().values(), asked)
    told = session.shares.command if session.shares else f"aicourse record {session.lesson or 'LESSON'}"
    command = f"Record it with: {told}"
    if repeats:
        story = f"{lesson} asks {subject} {position + 1} times and has {repeats} recorded. "
    elif nearest is None:
        story = f"{lesson} has no recording for {subject}. "
    else:
        story = (
            f"{lesson} has no recording for {subject}. Nearest: {nearest.summary!r} ({nearest.model}); "
            f"what changed:\n{_difference(nearest.request, asked)}\n"
        )
    return RecordingMissing(
        f"{story[0].upper()}{story[1:]}{command}",
        lesson=session.lesson,
        request=asked,
        nearest=nearest,
    )


def _place(recordings: Path | None) -> str:
    return f"the file {recordings}" if recordings else "a session without a recordings file"


def _nearest(recordings: Iterable[Recording], asked: Canonical) -> Recording | None:
    """The most similar request; those to the same endpoint and model come first."""
    by_key = {recording.key: recording for recording in recordings}
    matcher = difflib.SequenceMatcher(autojunk=False, b=_readable(asked))

    def likeness(recording: Recording, *, quick: bool) -> tuple[bool, bool, float]:
        matcher.set_seq1(_readable(recording.request))
        same_endpoint = recording.request["path"] == asked["path"]
        same_model = recording.model == asked["body"].get("model")
        return same_endpoint, same_model, matcher.quick_ratio() if quick else matcher.ratio()

    candidates = sorted(by_key.values(), key=lambda one: likeness(one, quick=True))[-_CANDIDATES:]
    return max(candidates, key=lambda one: likeness(one, quick=False), default=None)


def _difference(before: Canonical, after: Canonical) -> str:
    texts = _readable(before).splitlines(), _readable(after).splitlines()
    lines = list(difflib.unified_diff(*texts, "recorded", "asked now", lineterm="", n=1))
    more = len(lines) - DIFF_LINES
    return "\n".join([*lines[:DIFF_LINES], f"… {more} more lines"] if more > 0 else lines)


def _readable(asked: Canonical) -> str:
    """The request as lines: one per field, and a prompt's own line breaks kept."""
    return json.dumps(asked, sort_keys=True, indent=1, ensure_ascii=False).replace("\\n", "\n")
