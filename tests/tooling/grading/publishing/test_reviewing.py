"""Grading by hand in the browser: nobody else reaches it, names stay hidden, each grade is saved."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fakes import MASTER, cell, hand_in, run_in_process, small_assignment, submission

from aicourse.errors import GradingError
from aicourse.tooling.grading.authoring.assignment import load_assignment
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.grade import Options, grade
from aicourse.tooling.grading.publishing import shown_notebook
from aicourse.tooling.grading.publishing.hand_grading import read_hand_grades
from aicourse.tooling.grading.publishing.reviewing import Review, ReviewServer
from aicourse.tooling.grading.submissions import picture_files as submissions_pictures

STUDENTS = {f"student-{name}": submission(q3=f"Answer {number}") for number, name in enumerate("abcdefgh")}


@pytest.fixture
def review(tmp_path: Path) -> Review:
    assignment = small_assignment(tmp_path / "hw")
    source = hand_in(tmp_path / "in", **STUDENTS)
    (source / "broken.ipynb").write_bytes(b"{")
    grade(assignment, source, tmp_path / "out", run_in_process, options=Options(progress=False))
    return Review(assignment, GradesFolder(tmp_path / "out"))


@pytest.fixture
def server(review: Review) -> Iterator[ReviewServer]:
    with ReviewServer(review) as running:
        yield running


def ask(
    server: ReviewServer, method: str = "GET", path: str = "", body: Any = None, **headers: str
) -> tuple[int, str, dict[str, str]]:
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 0, timeout=10)
    where = address.path + path if not path.startswith("/") else path
    connection.request(method, where, json.dumps(body) if body is not None else None, headers)
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, text, dict(reply.getheaders())


def page_data(text: str) -> dict[str, Any]:
    start = text.index('id="data">') + len('id="data">')
    data: dict[str, Any] = json.loads(text[start : text.index("</script>", start)])
    return data


def test_the_page_hides_names_and_has_everything(server: ReviewServer) -> None:
    status, text, headers = ask(server)
    (question,) = page_data(text)["questions"]
    assert status == 200
    assert not [name for name in STUDENTS if name in text]
    assert sorted(one["answer"] for one in question["answers"]) == sorted(
        f"Answer {number}" for number in range(8)
    )
    assert [line["points"] for line in question["rubric"]] == [3, 1]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"


def test_the_order_says_nothing(review: Review) -> None:
    order = [one["answer"] for one in review.data()["questions"][0]["answers"]]
    assert order != sorted(order)
    assert order == [one["answer"] for one in review.data()["questions"][0]["answers"]], "it stays the same"


def test_a_grade_is_saved_at_once(server: ReviewServer, review: Review, tmp_path: Path) -> None:
    item = next(iter(review.items.values()))
    grade_given = {"key": item.key, "points": 3.5, "criteria": [3, 0.5], "comment": "Clear."}
    assert ask(server, "POST", "grade", grade_given)[:2] == (200, "saved")
    saved = read_hand_grades(GradesFolder(tmp_path / "out"))
    assert saved[item.result.student, "q3"].points == 3.5
    shown = next(
        one for one in page_data(ask(server)[1])["questions"][0]["answers"] if one["key"] == item.key
    )
    assert (shown["points"], shown["criteria"], shown["comment"]) == (3.5, [3, 0.5], "Clear.")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"key": "0-0", "points": 9}, "between 0 and 4"),
        ({"key": "0-0", "points": float("nan")}, "between 0 and 4"),
        ({"key": "7-7", "points": 1}, "no such answer"),
        ({"key": "0-0"}, "This is no grade"),
        ([], "This is no grade"),
    ],
)
def test_what_is_no_grade_is_refused(server: ReviewServer, body: Any, sentence: str, tmp_path: Path) -> None:
    status, text, _ = ask(server, "POST", "grade", body)
    assert status == 400
    assert sentence in text
    assert read_hand_grades(GradesFolder(tmp_path / "out")) == {}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/wrong/", {}),
        ("", {"Host": "evil.example"}),
        ("", {"Origin": "http://evil.example"}),
    ],
)
def test_nobody_else_reaches_it(server: ReviewServer, path: str, headers: dict[str, str]) -> None:
    status, text, _ = ask(server, "GET", path, **headers)
    assert status == 404
    assert "Answer" not in text


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
STUB = "*Your answer here.*"
LATEX = "$$\\sum_{i=1}^n i^2$$ and `code` and <b>html</b><script>alert(1)</script>"


def attached(data: dict[str, Any]) -> None:
    data["cells"][-1] |= {
        "source": STUB,
        "attachments": {
            "a.png": {"image/png": PIXEL},
            "a.svg": {"image/svg+xml": "<svg onload='alert(1)'/>"},
        },
    }


def pasted(data: dict[str, Any]) -> None:
    data["cells"][-1]["source"] = f"My sketch: ![x](data:image/png;base64,{PIXEL})"


def below(data: dict[str, Any]) -> None:
    data["cells"].append(cell("markdown", "added", "MY REAL ANSWER"))
    data["cells"].append(cell("markdown", "submission", "## Hand in"))


def above(data: dict[str, Any]) -> None:
    data["cells"].insert(-1, cell("code", "added", "print('MY REAL ANSWER')"))


def unnamed(data: dict[str, Any]) -> None:
    data["cells"][-1]["source"] = "Because of commas."
    for one in data["cells"]:
        del one["id"], one["metadata"]


def formula(data: dict[str, Any]) -> None:
    data["cells"][-1]["source"] = LATEX


def as_code(data: dict[str, Any]) -> None:
    data["cells"][-1] = cell("code", "q3-answer", "# Because of punctuation")


def untouched(data: dict[str, Any]) -> None:
    data["cells"].insert(3, cell("code", "helper", "def helper(): ..."))


@pytest.mark.parametrize(
    ("change", "answer", "pictures"),
    [
        (attached, f"{STUB}\n[picture a.png, 10a7227a]", 1),
        (pasted, "My sketch: ![x](attachment:pasted-1)\n[picture pasted-1, 10a7227a]", 1),
        (below, "MY REAL ANSWER", 0),
        (above, "print('MY REAL ANSWER')", 0),
        (unnamed, "Because of commas.", 0),
        (formula, LATEX, 0),
        (as_code, "# Because of punctuation", 0),
        (untouched, "", 0),
    ],
)
def test_no_work_is_missed(change: Any, answer: str, pictures: int, tmp_path: Path) -> None:
    """An answer in an added cell, without ids and metadata, as a picture, a formula or code is shown."""
    data = submission(q3=STUB)
    change(data)
    assignment = small_assignment(tmp_path / "hw")
    source = hand_in(tmp_path / "in", ada=data, honest=submission(q3="Words."))
    grade(assignment, source, tmp_path / "out", run_in_process, options=Options(progress=False))
    review = Review(assignment, GradesFolder(tmp_path / "out"))
    keys = {item.result.student: key for key, item in review.items.items()}
    answers = {one["key"]: one["answer"] for one in review.data()["questions"][0]["answers"]}
    assert (answers[keys["ada"]], answers[keys["honest"]]) == (answer, "Words.")
    with ReviewServer(review) as server:
        status, text, _ = ask(server, path=f"notebook?{keys['ada']}")
    shown = json.loads(text)
    assert (status, shown["problem"]) == (200, "")
    assert len(shown["cells"]) == len(data["cells"]), "the whole notebook"
    mine = [one for one in shown["cells"] if one["question"] == "q3"]
    assert [one["data"] for one in mine for one in one["pictures"]] == [PIXEL] * pictures
    added = [one["source"] for one in shown["cells"] if one["mark"] == "added"]
    assert added == [one["source"] for one in data["cells"] if one.get("id") in ("added", "helper")]


def test_pictures_in_files_are_shown_where_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others stand at the end; what is too much is named, what is no picture is not."""
    picture = base64.b64decode(PIXEL)
    files = {
        **{"my sketch.png": picture, "data/plot.gif": b"GIF89a", "photo.jpg": b"\xff\xd8\xff" + bytes(900)},
        **{"x.svg": b"<svg onload='alert(1)'/>", "given.png": picture, "late.png": picture},
    }
    answer = "As ![here](./my%20sketch.png) and in bigplot.gif."
    folder = tmp_path / "in" / "ada"
    hand_in(folder, hw01=submission(q3=answer))
    assignment = replace(small_assignment(tmp_path / "hw"), files=("given.png",))
    (tmp_path / "hw" / "given.png").write_bytes(picture)
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    monkeypatch.setattr(submissions_pictures, "_MOST_BYTES", 500)
    monkeypatch.setattr(submissions_pictures, "_MOST", 4)
    options = Options(progress=False, again=True)
    seen = []
    for change in (b"", b"another"):
        (folder / "my sketch.png").write_bytes(picture + change)
        grade(assignment, tmp_path / "in", tmp_path / "out", run_in_process, options=options)
        review = Review(assignment, GradesFolder(tmp_path / "out"))
        seen.append(review.data()["questions"][0]["answers"][0]["answer"])
    digests = [one.removeprefix(f"{answer}\n[picture my sketch.png, ").removesuffix("]") for one in seen]
    assert [len(one) for one in digests] == [8, 8]
    assert digests[0] != digests[1]
    *_, mine, last = review.notebook("0-0")["cells"]
    assert (mine["question"], [one["kind"] for one in mine["pictures"]]) == ("q3", ["image/png"])
    assert (last["question"], last["mark"]) == ("", "added")
    assert [one["kind"] for one in last["pictures"]] == ["image/gif", "image/png"]
    assert last["source"].splitlines() == [
        "Pictures handed in as files, which no text names: data/plot.gif, late.png",
        "Too many or too large to be shown, so look into the submission: photo.jpg",
    ]


def test_changed_given_cells_are_marked(tmp_path: Path) -> None:
    data = submission()
    data["cells"][1]["source"] += "\nLIMIT = 10_000"
    data["cells"][5]["source"] += "\nprint('ok')"
    assignment = small_assignment(tmp_path / "hw")
    hand_in(tmp_path / "in", ada=data)
    grade(assignment, tmp_path / "in", tmp_path / "out", run_in_process, options=Options(progress=False))
    cells = Review(assignment, GradesFolder(tmp_path / "out")).notebook("0-0")["cells"]
    marked = [(one["number"], one["question"], one["mark"], one["output"]) for one in cells if one["mark"]]
    assert marked == [
        (3, "", "changed", ""),
        (5, "q1", "changed", ""),
        (7, "q2", "changed", "ok"),
        (9, "q3", "changed", ""),
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "is not in the folder"),
        ("{", "is not in the folder"),
        ("x" * 1_000, "too large"),
        (0, "cut before cell"),
    ],
)
def test_a_notebook_that_cannot_be_shown_says_so(
    content: Any, sentence: str, review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = GradesFolder(review._folder.root).executed(review.items["0-0"].result.student)
    if content is None:
        path.unlink()
    elif content:
        path.write_text(content)
        monkeypatch.setattr(shown_notebook, "_FILE_BYTES", 500)
    else:
        monkeypatch.setattr(shown_notebook, "_CHARACTERS", 100)
    assert sentence in review.notebook("0-0")["problem"]


def test_other_pages_cannot_read_notebooks(server: ReviewServer) -> None:
    assert ask(server, path="notebook?0-0", Origin="http://evil.example")[0] == 404
    assert ask(server, path="/wrong/notebook?0-0")[0] == 404
    assert "There is no such answer. Reload the page." in ask(server, path="notebook?7-7")[1]


def test_other_origins_cannot_grade(server: ReviewServer, tmp_path: Path) -> None:
    body = {"key": "0-0", "points": 4}
    assert ask(server, "POST", "grade", body, Origin="http://evil.example")[0] == 404
    assert read_hand_grades(GradesFolder(tmp_path / "out")) == {}


def test_an_assignment_without_hand_grading(tmp_path: Path) -> None:
    folder = tmp_path / "hw"
    small_assignment(folder)
    cells = [one for one in MASTER["cells"] if not one["id"].startswith("q3")]
    (folder / "master.ipynb").write_text(json.dumps({**MASTER, "cells": cells}))
    with pytest.raises(GradingError, match="no question to grade by hand"):
        Review(load_assignment(folder), GradesFolder(tmp_path))
