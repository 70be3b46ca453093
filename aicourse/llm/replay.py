"""Recordings first, the model second: the layer that replays, and records when asked to.

| mode     | recorded   | not recorded                                                  |
|----------|------------|---------------------------------------------------------------|
| `auto`   | replayed   | goes live, nothing is written                                 |
| `only`   | replayed   | `RecordingMissing`; no key, no model and no network is needed |
| `record` | replayed   | goes live and is added to the file                            |
| `off`    | goes live  | goes live, nothing is written                                 |

`aicourse record` starts with an empty file, so that everything is asked again once. `only` in the
environment beats what a notebook asks for: it is a promise that nothing goes live.

Recorded are replies that speak about the request: success, and errors such as 400 and 404 that a lesson
may want to show. Not recorded are 3xx, 401, 403, 408, 409, 429 and 5xx, which speak about the address, the
key or the moment; they give their place back, so that a retry is recorded in it.

What is recorded is read to its end and stored before the caller sees any of it, and then replayed to the
caller: so a stream that is stopped early is recorded whole, and a lesson runs on what others will get.
"""

from __future__ import annotations

import codecs
import difflib
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

import httpx2

from aicourse.differences import difference
from aicourse.errors import AicourseError, RecordingError, RecordingMissing
from aicourse.llm import catalog
from aicourse.llm.keys import masked, settings
from aicourse.llm.recording_key import CanonicalRequest, canonical_request, in_order, key_of, summary
from aicourse.llm.recordings import Recording, body_of
from aicourse.llm.session import Session, current
from aicourse.llm.transport import Exchange, Layer, Origin, Read, Transcript, observe

_CANDIDATES = 5  # compared exactly, after a quick comparison of all
_NOT_RECORDED = {*range(300, 400), 401, 403, 408, 409, 429, *range(500, 600)}


class Mode(StrEnum):
    """The use of recordings; see the table above."""

    AUTO = "auto"
    ONLY = "only"
    RECORD = "record"
    OFF = "off"


def choose_mode(asked: str | None) -> Mode:
    """`asked`, else `AICOURSE_REPLAY`, else `auto`.

    Raises:
        AicourseError: neither is one of the four modes.
    """
    configured = settings().get("AICOURSE_REPLAY") or None
    name = configured if configured == Mode.ONLY else asked or configured or Mode.AUTO
    try:
        return Mode(name)
    except ValueError:
        source = "replay=" if asked else "AICOURSE_REPLAY="
        raise AicourseError(f"{source}{name} is unknown. Use one of: {', '.join(Mode)}.") from None


@dataclass(frozen=True)
class ReplayLayer:
    """Answers from the recordings of the session, else asks `inner`."""

    inner: Layer
    mode: Mode

    def __call__(self, request: httpx2.Request) -> Exchange:
        """One request."""
        session = current()
        if self.mode is Mode.RECORD and not session.can_record:
            raise RecordingError(
                "Nowhere to record: begin a lesson with aicourse.start(), or set AICOURSE_RECORDINGS."
            )
        if self.mode is Mode.OFF:
            return (yield from self.inner(request))
        asked = canonical_request(request)
        key = key_of(asked)
        position = session.claim_position(key)
        try:
            recording = session.find(asked, key, position)
            if recording is None and self.mode is not Mode.RECORD:
                recording = session.find_again(asked, key)
            if recording is not None:
                at = datetime.fromisoformat(recording.recorded_at)
                return _replayed(recording, Origin("recorded", at=at))
            if self.mode is Mode.ONLY:
                missing = _missing(session, asked, position)
                session.misses.append(missing)
                raise missing
            response = yield from self.inner(request)
            about_question = response.status_code not in _NOT_RECORDED
            if about_question and self.mode is Mode.RECORD:
                heard: list[Transcript] = []
                yield Read(observe(response, heard.append))
                recording = _recorded(heard[0], asked, key, position)
                session.record(recording)
                return _replayed(recording, heard[0].origin)
        except BaseException:
            session.release_position(key, position)
            raise
        if not about_question:
            session.release_position(key, position)
        return response


def _recorded(transcript: Transcript, asked: CanonicalRequest, key: str, position: int) -> Recording:
    model = str(asked["body"].get("model", ""))
    return Recording(
        key=key,
        position=position,
        model=model,
        summary=summary(asked),
        request=asked,
        status=transcript.status,
        headers={"content-type": transcript.content_type},  # the rest is about keys, limits and moments
        seconds=round(transcript.seconds, 4),
        recorded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        body=None if transcript.streamed else body_of(transcript.content),
        chunks=_decoded(transcript.chunks) if transcript.streamed else None,
        model_sha256=_file_hash(model),
    )


def _decoded(chunks: list[tuple[float, bytes]]) -> list[tuple[float, str]]:
    """The chunks as text that gives the same bytes; a character cut by a chunk's end goes to the next."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    texts = [(round(seconds, 4), decoder.decode(chunk)) for seconds, chunk in chunks]
    rest = decoder.decode(b"", final=True)
    return [*texts, (texts[-1][0], rest)] if rest else texts


def _file_hash(model: str) -> str | None:
    known = catalog.models().get(model)
    return known.files[0].sha256 if known and known.files else None


def _replayed(recording: Recording, origin: Origin) -> httpx2.Response:
    first = recording.chunks[0][0] if recording.chunks else None
    timed = replace(origin, seconds=recording.seconds, first_token_seconds=first)
    body = _Body(recording.content())
    extensions = {"aicourse": timed}
    return httpx2.Response(recording.status, headers=recording.headers, stream=body, extensions=extensions)


class _Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The chunks one by one, but at once: waiting again teaches nothing."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


def _missing(session: Session, asked: CanonicalRequest, position: int) -> RecordingMissing:
    """The error for `asked`, not recorded at `position`: what is nearest to it, and what changed."""
    subject = f"{summary(asked)!r} ({asked['body'].get('model', asked['path'])})"
    repeats = session.file.count(key_of(asked)) if session.file else 0
    nearest = None if repeats or session.file is None else _nearest(session.file.recordings().values(), asked)
    if repeats:
        story = f"{session.name} asks {subject} {position + 1} times and has {repeats} recorded. "
    elif nearest is None:
        story = f"{session.name} has no recording for {subject}. "
    else:
        story = (
            f"{session.name} has no recording for {subject}. Nearest: {nearest.summary!r} ({nearest.model}); "
            f"what changed:\n{_difference(nearest.request, asked)}\n"
        )
    return RecordingMissing(
        masked(f"{story[0].upper()}{story[1:]}Record it with: {session.command}"),
        lesson=session.lesson,
        request=asked,
        nearest=nearest,
    )


def _nearest(recordings: Iterable[Recording], asked: CanonicalRequest) -> Recording | None:
    """The most similar request that is stored whole; those to the same endpoint and model come first."""
    by_key = {one.key: one for one in recordings if one.key == key_of(one.request)}
    matcher = difflib.SequenceMatcher(autojunk=False, b=_readable(asked))

    def likeness(recording: Recording, *, quick: bool) -> tuple[bool, bool, float]:
        matcher.set_seq1(_readable(recording.request))
        same_endpoint = recording.request["path"] == asked["path"]
        same_model = recording.model == asked["body"].get("model")
        return same_endpoint, same_model, matcher.quick_ratio() if quick else matcher.ratio()

    candidates = sorted(by_key.values(), key=lambda one: likeness(one, quick=True))[-_CANDIDATES:]
    return max(candidates, key=lambda one: likeness(one, quick=False), default=None)


def _difference(before: CanonicalRequest, after: CanonicalRequest) -> str:
    return difference(_readable(before), _readable(after), names=("recorded", "asked now"))


def _readable(asked: CanonicalRequest) -> str:
    """The request as lines: one per field, and a prompt's own line breaks kept."""
    return json.dumps(in_order(asked), indent=1, ensure_ascii=False).replace("\\n", "\n")
