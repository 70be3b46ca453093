"""Replies to a student's prompt that the grader asks: recordings first, then the model on this machine.

Nothing is fetched and nothing is paid for without being asked: where there is neither a recording nor the
model's file, a prompt check stays "pending" and the sentence names the command. Prompts of students are never
recorded, unless the homework's own recordings are made (`aicourse homework verify hw02 --record`).
"""

from __future__ import annotations

import json
import threading
from typing import Any

from aicourse.errors import AicourseError, RecordingMissing
from aicourse.llm import session
from aicourse.llm.replay import Mode, choose_mode
from aicourse.tooling import localmodel
from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.judging.judging import Ask


def model_asker(assignment: Assignment, *, record: bool = False) -> Ask:
    """Asks with the assignment's recordings; one instance for a whole batch, safe to share between threads.

    It begins a session of its own, so it belongs in a grading process, not in a lesson. Each different
    request is asked once: two students with the same prompt get the same replies. `record` adds what is
    missing to the recordings, from the real model.
    """
    session.begin(assignment.name, assignment.recordings)
    return _Asker("record" if record else choose_mode(None).value)


class _Asker:
    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._replies: dict[str, str] = {}
        self._lock = threading.Lock()

    def __call__(self, body: dict[str, Any]) -> str:
        key = json.dumps(body, sort_keys=True)
        with self._lock:  # the model answers one at a time anyway
            if key not in self._replies:
                self._replies[key] = self._ask(body)
            return self._replies[key]

    def _ask(self, body: dict[str, Any]) -> str:
        from aicourse.llm.client import connect  # openai takes a while to import

        model = str(body.get("model", ""))
        is_here = self._mode == Mode.RECORD or localmodel.local_path(model) is not None
        client = connect(model=model, replay=self._mode if is_here else Mode.ONLY)
        try:
            reply = client.chat.completions.create(**body)
        except RecordingMissing as error:
            raise AicourseError(
                f"no reply to this prompt is recorded, and {model} "
                f"{'may not be asked (AICOURSE_REPLAY=only)' if is_here else 'is not on this machine'}. "
                f"Fetch it with: aicourse model pull {model}, then grade this submission again.",
                model=model,
            ) from error
        return reply.choices[0].message.content or ""
