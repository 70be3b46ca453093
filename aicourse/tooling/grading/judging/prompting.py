"""Replies to a student's prompt that the grader asks: recordings first, then the model on this machine.

Nothing is fetched and nothing is paid for without being asked: where there is neither a recording nor the
model's file, a prompt check stays "pending" and the sentence names the command. Prompts of students are never
recorded, unless the homework's own recordings are made (`aicourse homework verify hw02 --record`).

A large class takes hours. Each different request is asked once: two students with the same prompt get the
same replies. Before the first live call it is said how long all will take at most, and each reply is kept
beside the results (`replies.jsonl`), so that a run that was interrupted, or a later one, goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aicourse.errors import AicourseError, RecordingMissing
from aicourse.llm import session
from aicourse.llm.recordings import RecordingFile
from aicourse.llm.replay import Mode, choose_mode
from aicourse.tooling import localmodel
from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.authoring.checks_file import PromptCheck


def model_asker(
    assignment: Assignment,
    *,
    record: bool = False,
    replies: Path | None = None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> PromptAsker:
    """Asks with the assignment's recordings; one instance for a whole batch, safe to share between threads.

    It begins a session of its own, so it belongs in a grading process, not in a lesson. `record` adds what is
    missing to the recordings, from the real model; `replies` is where live replies are kept.
    """
    session.begin(assignment.name, assignment.recordings)
    return PromptAsker(assignment, Mode.RECORD if record else choose_mode(None), replies, tell)


class PromptAsker:
    """Asks each different request once; `tell` hears how long it takes before the first live call."""

    def __init__(
        self, assignment: Assignment, mode: Mode, replies: Path | None, tell: Callable[[str], None]
    ) -> None:
        self._assignment, self._mode, self._path, self._tell = assignment, mode, replies, tell
        self._replies = dict(_kept(replies)) if replies else {}
        self._lock = threading.Lock()
        self._submissions = 0
        self._told = False

    def expect(self, submissions: int) -> None:
        """Note how many submissions there are to grade."""
        self._submissions = submissions

    def __call__(self, body: dict[str, Any]) -> str:
        """The reply to a chat completion's body.

        Raises:
            AicourseError: it is not recorded, and no model may or can be asked.
        """
        key = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        if (known := self._replies.get(key)) is not None:  # does not wait for the model
            return known
        with self._lock:  # the model answers one at a time anyway
            if key not in self._replies:
                self._replies[key] = self._ask(body, key)
            return self._replies[key]

    def _ask(self, body: dict[str, Any], key: str) -> str:
        model = str(body.get("model", ""))
        is_here = self._mode == Mode.RECORD or localmodel.local_path(model) is not None
        if not is_here or self._mode in (Mode.AUTO, Mode.ONLY):
            try:
                return _reply(body, Mode.ONLY)
            except RecordingMissing as error:
                if not is_here or self._mode == Mode.ONLY:
                    why = "may not be asked (AICOURSE_REPLAY=only)" if is_here else "is not on this machine"
                    raise AicourseError(
                        f"no reply to this prompt is recorded, and {model} {why}. "
                        f"Fetch it with: aicourse model pull {model}, then grade this submission again.",
                        model=model,
                    ) from error
        if self._submissions and not self._told:
            self._told = True
            self._tell(self._estimate(model))
        reply = _reply(body, self._mode)
        self._keep(key, reply)
        return reply

    def _estimate(self, model: str) -> str:
        """The most that is left to ask, and the time it takes at the pace of the recordings."""
        cases = sum(len(one.cases) for one in self._assignment.checks if isinstance(one, PromptCheck))
        calls = cases * self._submissions
        recorded = RecordingFile(self._assignment.recordings).recordings().values()
        seconds = [one.seconds for one in recorded if one.model == model]
        pace = statistics.median(seconds) if seconds else 0.0
        time = f", about {calls * pace / 3600:.1f} hours at {pace:.1f} s a call" if seconds else ""
        return (
            f"Up to {self._submissions:,} prompts are asked of {model} on {cases} hidden cases each: at most "
            f"{calls:,} calls{time}. The same prompt is asked once. You may stop with Ctrl-C: run the same "
            "command again and it goes on from there."
        )

    def _keep(self, key: str, reply: str) -> None:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                # the line end comes first: it also ends a line that a killed run has cut
                file.write("\n" + json.dumps({"request": key, "reply": reply}))


def _kept(path: Path) -> Iterator[tuple[str, str]]:
    """Replies of earlier runs; a line that a killed run has cut is left out."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    for line in lines:
        try:
            kept = json.loads(line)
            yield str(kept["request"]), str(kept["reply"])
        except (ValueError, KeyError, TypeError):
            continue


def _reply(body: dict[str, Any], mode: Mode) -> str:
    from aicourse.llm.client import connect  # openai takes a while to import

    reply = connect(model=str(body.get("model", "")), replay=mode).chat.completions.create(**body)
    return reply.choices[0].message.content or ""
