"""A thousand simulated students on three platforms: from each download to the file that goes back.

Expected grades are counted here, from what each student was made to do.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fakes import FIRST_NUMBER, run_in_process, small_assignment, submission, to_bytes

from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.grade import Options, Summary, grade
from aicourse.tooling.grading.judging.late import late_policy
from aicourse.tooling.grading.publishing.exporting import export
from aicourse.tooling.grading.publishing.feedback import write_feedback_zip
from aicourse.tooling.grading.publishing.gradebook import build
from aicourse.tooling.grading.publishing.hand_grading import checked_grade, save_hand_grades
from aicourse.tooling.grading.submissions.people import read_extensions, read_groups

pytestmark = pytest.mark.slow

RIGHT, WRONG = to_bytes(submission()), to_bytes(submission(q1=FIRST_NUMBER))  # 9 and 7 points, 3 by hand
DEADLINE = datetime(2026, 12, 1, 12)  # local time, and that of the zips
BY_HAND = 3


def class_zip(path: Path, files: Mapping[str, bytes], times: Mapping[str, datetime]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            moment = times.get(name, DEADLINE - timedelta(hours=1))
            archive.writestr(zipfile.ZipInfo(name, moment.timetuple()[:6]), data)
    return path


def graded(place: Path, source: Path, options: Options) -> tuple[GradesFolder, Summary]:
    """The class graded, twice: the second run has nothing to do, and nothing changes."""
    assignment = small_assignment(place / "hw")
    options = replace(options, progress=False, jobs=2)
    summary = grade(assignment, source, place / "out", run_in_process, options=options)
    folder = GradesFolder(place / "out")
    save_hand_grades(folder, [checked_grade(result, "q3", BY_HAND, "") for result in folder.results()])
    build(folder)
    before = folder.gradebook_csv.read_bytes()
    again = grade(assignment, source, place / "out", run_in_process, options=options)
    build(folder)
    assert all(outcome.kept for outcome in again.outcomes)
    assert folder.gradebook_csv.read_bytes() == before
    return folder, summary


def points(number: int) -> int:
    return 7 if number % 3 == 0 else 9


def answer(number: int) -> bytes:
    return WRONG if number % 3 == 0 else RIGHT


def test_moodle_with_namesakes_extensions_and_forged_names(tmp_path: Path) -> None:
    """400 students, ten of them called Alex Kim; every seventh is a day and two hours late."""
    names = {number: "Alex Kim" if number % 40 == 0 else f"Zoë Student {number}" for number in range(400)}
    places = {number: f"{name}_{1_000 + number}_assignsubmission_file" for number, name in names.items()}
    files = {f"{place}/hw01.ipynb": answer(number) for number, place in places.items()}
    forged = {f"{places[number]}/{places[number - 1]}/hw01.ipynb": RIGHT for number in range(1, 400, 50)}
    late = {f"{places[number]}/hw01.ipynb": DEADLINE + timedelta(hours=26) for number in range(0, 400, 7)}
    extensions = tmp_path / "extensions.csv"
    rows = [f"moodle {1_000 + number};2026-12-03T12:00" for number in range(0, 400, 14)]
    extensions.write_text("\n".join(["student;deadline", *rows]))
    policy = late_policy(
        DEADLINE.isoformat(), 10, 0, trust_file_times=True, extensions=read_extensions(extensions)
    )
    source = class_zip(tmp_path / "moodle.zip", files | forged, late)
    folder, summary = graded(tmp_path, source, Options(late=policy))
    assert len(summary.outcomes) == 400
    assert "29 late (29 by 2 days). They count" in str(summary), "58 with those who have an extension"

    def roster(known: Mapping[int, str]) -> str:
        head = "ID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung;Änderbar"
        absent = [f"Teilnehmer/in{number};Alex Kim;;-;;10,00;Ja" for number in range(5)]
        present = [
            f"Teilnehmer/in{1_000 + number};{name};=x@u.edu;-;{known.get(number, '')};10,00;Ja"
            for number, name in names.items()
        ]
        return "\r\n".join([head, *absent, *present])

    (tmp_path / "roster.csv").write_bytes(roster({}).encode("cp1252"))
    expected = {
        number: f"{points(number) * (0.8 if number % 7 == 0 and number % 14 else 1):g}".replace(".", ",")
        for number in names
    }
    done = export(folder, "moodle", tmp_path / "roster.csv")
    assert (done.students, done.unknown, done.unclear) == (400, (), {})
    assert done.path.read_bytes() == roster(expected).encode("cp1252")
    packed = write_feedback_zip(folder, "moodle")
    assert len(zipfile.ZipFile(packed.path).namelist()) == 400


def test_canvas_with_groups(tmp_path: Path) -> None:
    """100 groups of three, each handed in once under the group's name."""
    files = {
        f"group{group}_{5_000 + group}_{9_000 + group}_hw01.ipynb": answer(group) for group in range(100)
    }
    members = {group: [f"user{3 * group + one}" for one in range(3)] for group in range(100)}
    table = tmp_path / "groups.csv"
    rows = [f"group{group}\t{name}" for group, names in members.items() for name in names]
    table.write_bytes("\r\n".join(["group\tstudent", *rows]).encode("utf-16"))
    source = class_zip(tmp_path / "canvas.zip", files, {})
    policy = late_policy((DEADLINE - timedelta(days=9)).isoformat(), 100, 0)
    folder, summary = graded(tmp_path, source, Options(groups=read_groups(table), late=policy))
    assert "Of 100, only file dates are known" in str(summary)

    def roster(known: Mapping[str, str]) -> str:
        head = "Student,ID,SIS User ID,SIS Login ID,Section,Sizes and wool (12),Final Score"
        rows = [
            f'"Byron, Ada",{5_000 + number},,{name},-A,{known.get(name, "")},=1'
            for number, name in enumerate(name for names in members.values() for name in names)
        ]
        return "\n".join([head, "    Points Possible,,,,,10,(read only)", *rows, ""])

    (tmp_path / "roster.csv").write_text(roster({}), encoding="utf-8-sig", newline="")
    expected = {name: str(points(group)) for group, names in members.items() for name in names}
    done = export(folder, "canvas", tmp_path / "roster.csv")
    assert (done.students, done.unknown, done.unclear) == (300, (), {})
    assert done.path.read_bytes() == roster(expected).encode("utf-8-sig")


def test_gradescope_with_its_groups(tmp_path: Path) -> None:
    """150 pairs as Gradescope exports them; every fifth is three hours late, every tenth may be."""
    top, start = "assignment_7_export", DEADLINE.astimezone()
    files = {f"{top}/submission_{pair}/hw01.ipynb": answer(pair) for pair in range(150)}
    metadata = []
    for pair in range(150):
        sent = (start + timedelta(hours=3 if pair % 5 == 0 else -3)).strftime(
            "%Y-%m-%d %H:%M:%S.000000000 %z"
        )
        people = "".join(f"  - :name: Zoë {pair}\n    :email: z{pair}{one}@u.edu\n" for one in "ab")
        metadata.append(f"submission_{pair}:\n  :submitters:\n{people}  :created_at: {sent}\n")
    files[f"{top}/submission_metadata.yml"] = "".join(metadata).encode()
    extensions = tmp_path / "extensions.csv"
    rows = [f"z{pair}b@u.edu,2026-12-02T12:00" for pair in range(0, 150, 10)]
    extensions.write_text("\n".join(["student,deadline", *rows]))
    policy = late_policy(DEADLINE.isoformat(), 10, 0, extensions=read_extensions(extensions))
    source = class_zip(tmp_path / "gradescope.zip", files, {})
    folder, summary = graded(tmp_path, source, Options(late=policy))
    assert "file dates" not in str(summary)
    with zipfile.ZipFile(export(folder, "gradescope").path) as archive:
        index = json.loads(archive.read("results/index.json"))
        scores = {name: json.loads(archive.read(f"results/{path}"))["score"] for name, path in index.items()}
    for pair in range(150):
        share = 0.9 if pair % 5 == 0 and pair % 10 else 1
        for one in "ab":
            assert scores[f"z{pair}{one} u edu"] == pytest.approx(points(pair) * share)
