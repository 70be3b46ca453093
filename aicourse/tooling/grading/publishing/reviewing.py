"""Grade by hand in a browser: one question across all students, names hidden, keys instead of clicks.

    aicourse gradebook review hw01 grades/hw01     ->  http://127.0.0.1:PORT/TOKEN/

The page is served on loopback only, at an address with a secret in it, to requests that name this host (so
that no web page can reach it by rebinding a name); each grade is saved atomically the moment it is given.
Under each answer is the whole notebook, what was added or changed in it marked, so that no work is missed.
"""

from __future__ import annotations

import hmac
import json
import random
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aicourse.errors import GradingError
from aicourse.html import asset, page
from aicourse.tooling.grading.authoring.assignment import Assignment, Question
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.results import SubmissionResult
from aicourse.tooling.grading.publishing.hand_grading import (
    HandGrade,
    answer_hash,
    checked_grade,
    read_hand_grades,
    save_hand_grades,
)
from aicourse.tooling.grading.publishing.shown_notebook import shown_notebook

_MOST_BYTES = 64 << 10
_NO_ANSWER = "There is no such answer. Reload the page."
_TEMPLATES = "tooling/grading/publishing/templates"


@dataclass(frozen=True)
class Item:
    """One answer to grade: `key` is what the page knows of whose it is."""

    key: str
    result: SubmissionResult
    question: str


class Review:
    """The answers to grade by hand, in an order that says nothing of names, and where grades go."""

    def __init__(self, assignment: Assignment, folder: GradesFolder) -> None:
        self._folder = folder
        self._assignment = assignment
        self.questions = [question for question in assignment.questions if question.kind == "manual"]
        if not self.questions:
            raise GradingError(f"{assignment.name} has no question to grade by hand. Nothing to do.")
        results = [result for result in folder.results() if result.status != "failed"]
        if any(result.assignment != assignment.name for result in results):
            raise GradingError(f"{folder.root} holds results of another assignment. Name the right folder.")
        self.items = {item.key: item for item in self._items(results)}

    def _items(self, results: list[SubmissionResult]) -> Iterator[Item]:
        for number, question in enumerate(self.questions):
            # another order for each question: nobody is always first, nobody can be recognised by the place
            ordered = sorted(results, key=lambda result: result.student)
            random.Random(f"{self._assignment.name} {question.id}").shuffle(ordered)
            yield from (
                Item(f"{number}-{place}", result, question.id) for place, result in enumerate(ordered)
            )

    def data(self) -> dict[str, Any]:
        """The content of the page: no names."""
        grades = read_hand_grades(self._folder)
        return {
            "title": self._assignment.title,
            "questions": [self._question(question, grades) for question in self.questions],
        }

    def _question(self, question: Question, grades: Any) -> dict[str, Any]:
        texts = [
            cell.source
            for cell in self._assignment.cells
            if cell.question == question.id and cell.role == "given"
        ]
        return {
            "id": question.id,
            "title": question.title,
            "points": question.points,
            "text": "\n\n".join(texts),
            "rubric": [{"text": criterion.text, "points": criterion.points} for criterion in question.rubric],
            "answers": [
                self._answer(item, grades.get((item.result.student, item.question)))
                for item in self.items.values()
                if item.question == question.id
            ],
        }

    def _answer(self, item: Item, grade: HandGrade | None) -> dict[str, Any]:
        question = next(one for one in item.result.questions if one.id == item.question)
        is_current = grade is not None and grade.answer_sha256 in ("", answer_hash(question))
        return {
            "key": item.key,
            "answer": question.answer,
            "output": question.output,
            "points": grade.points if grade and is_current else None,
            "criteria": list(grade.criteria) if grade and is_current else [],
            "comment": grade.comment if grade else "",
            "changed": grade is not None and not is_current,
        }

    def notebook(self, key: str) -> dict[str, Any]:
        """The notebook that an answer stands in, or the reason why it cannot be shown."""
        if key not in self.items:
            return {"cells": [], "problem": _NO_ANSWER}
        return shown_notebook(self._folder.executed(self.items[key].result.student))

    def save(self, key: str, points: float, comment: str, criteria: tuple[float, ...]) -> None:
        """Store one grade.

        Raises:
            GradingError: no such answer, or not a possible number of points.
        """
        item = self.items.get(key)
        if item is None:
            raise GradingError(_NO_ANSWER)
        save_hand_grades(self._folder, [checked_grade(item.result, item.question, points, comment, criteria)])


def render(data: dict[str, Any]) -> str:
    """The page: one answer at a time, its rubric beside it, every step on a key.

    Texts arrive as JSON and are put on the page as text (`textContent`), never as HTML.
    """
    return page(
        f"{data['title']}: grading by hand",
        asset(f"{_TEMPLATES}/review.html"),
        style=asset(f"{_TEMPLATES}/review.css"),
        script=asset(f"{_TEMPLATES}/review.js"),
        data=data,
        connects=True,
        pictures=True,
    )


class ReviewServer:
    """Serves one review on loopback; use as a context manager, or `serve_forever`."""

    def __init__(self, review: Review, port: int = 0) -> None:
        self._token = secrets.token_urlsafe(24)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(review, self._token))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """The address for the browser: whoever has it can grade."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{self._token}/"

    def serve_forever(self) -> None:
        """Serve until interrupted."""
        try:
            self._server.serve_forever(poll_interval=0.2)
        finally:
            self._server.server_close()

    def __enter__(self) -> ReviewServer:
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(review: Review, token: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "aicourse", ""

        def do_GET(self) -> None:
            place, _, key = self.path.partition("?")
            if self._is_refused(place, f"/{token}/notebook" if key else f"/{token}/"):
                return
            if key:
                self._send(HTTPStatus.OK, json.dumps(review.notebook(key)), "application/json")
            else:
                self._send(HTTPStatus.OK, render(review.data()), "text/html; charset=utf-8")

        def do_POST(self) -> None:
            if self._is_refused(self.path, f"/{token}/grade"):
                return
            try:
                grade = json.loads(self.rfile.read(min(int(self.headers["Content-Length"]), _MOST_BYTES)))
                criteria = tuple(float(points) for points in grade.get("criteria", ()))
                review.save(
                    str(grade["key"]), float(grade["points"]), str(grade.get("comment", "")), criteria
                )
            except GradingError as error:
                self._send(HTTPStatus.BAD_REQUEST, error.message)
            except (ValueError, TypeError, KeyError, AttributeError):
                self._send(HTTPStatus.BAD_REQUEST, "This is no grade. Reload the page.")
            else:
                self._send(HTTPStatus.OK, "saved")

        def _is_refused(self, asked: str, path: str) -> bool:
            port = self.server.server_address[1]  # type: ignore[index]  # a TCP server's address is a pair
            named = self.headers.get("Host") in (f"127.0.0.1:{port}", f"localhost:{port}")
            origin = self.headers.get("Origin")
            foreign = origin not in (None, f"http://127.0.0.1:{port}", f"http://localhost:{port}")
            if named and not foreign and hmac.compare_digest(asked.encode(), path.encode()):
                return False
            self._send(HTTPStatus.NOT_FOUND, "Nothing here. Use the address that the command printed.")
            return True

        def _send(self, status: HTTPStatus, text: str, kind: str = "text/plain; charset=utf-8") -> None:
            body = text.encode()
            self.send_response(status)
            for name, value in (
                ("Content-Type", kind),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
                ("Referrer-Policy", "no-referrer"),
                ("X-Content-Type-Options", "nosniff"),
                ("X-Frame-Options", "DENY"),
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass  # the address holds the secret, and a terminal is no place for it

    return Handler
