"""Doctor sees what is wrong, tells the remedy, shows no key, and survives its own mistakes."""

from __future__ import annotations

import html
import importlib.metadata
import json
import sys
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest

from aicourse import paths
from aicourse.llm import catalog
from aicourse.tooling.course import doctor
from aicourse.tooling.course.doctor import examinations
from aicourse.tooling.course.doctor.diagnosis import Diagnosis, Report
from aicourse.tooling.course.doctor.examinations import Examination
from aicourse.tooling.localmodel.local_models import EMBEDDING_MODEL

KEY = "sk-" + "not-a-real-key-0123456789"


def only(findings: Iterator[Diagnosis]) -> Diagnosis:
    (finding,) = findings
    return finding


# ------------------------------------------------------------ the report


def test_a_failing_check_is_a_finding_and_the_others_still_run() -> None:
    def broken() -> Iterator[Diagnosis]:
        yield Diagnosis("Broken", "ok", "so far")
        raise RuntimeError("no idea")

    def good() -> Iterator[Diagnosis]:
        yield Diagnosis("Good", "ok", "fine")

    report = doctor.report(
        examinations=[Examination("Broken", True, broken), Examination("Good", True, good)]
    )
    assert [finding.status for finding in report.diagnoses] == ["problem", "ok"]
    assert "RuntimeError: no idea" in report.diagnoses[0].message
    assert report.has_problems


def test_brief_tells_one_line_for_each_needed_subject_and_nothing_of_this_machine() -> None:
    report = doctor.report(brief=True)
    assert [finding.subject for finding in report.diagnoses] == [
        c.subject for c in examinations.EXAMINATIONS if c.needed
    ]
    assert {(finding.status, finding.message) for finding in report.diagnoses} == {("ok", "ready")}
    assert report.summary == "Everything is fine."


def test_brief_shows_the_worst_finding_of_a_subject() -> None:
    findings = [Diagnosis("Folders", status, status, "mend") for status in ("ok", "problem", "warning")]
    report = doctor.report(brief=True, examinations=[Examination("Folders", True, lambda: iter(findings))])
    assert report.diagnoses == (findings[1],)


def test_summary_counts() -> None:
    statuses = ["ok", "warning", "warning", "problem"]
    report = Report(tuple(Diagnosis("x", status, "y") for status in statuses))  # type: ignore[arg-type]
    assert report.summary == "1 problem, 2 warnings"


def test_json_holds_every_finding() -> None:
    findings = (Diagnosis("Disk", "warning", "1 GB free", "Free some."), Diagnosis("Python", "ok", "3.12"))
    assert json.loads(Report(findings).to_json())["findings"] == [
        {"subject": "Disk", "status": "warning", "message": "1 GB free", "fix": "Free some."},
        {"subject": "Python", "status": "ok", "message": "3.12", "fix": ""},
    ]


def test_html_escapes_what_it_shows() -> None:
    nasty = "<script>alert(1)</script>"
    shown = Report((Diagnosis(nasty, "problem", nasty, nasty),))._repr_html_()
    assert "<script>" not in shown
    assert shown.count(html.escape(nasty)) == 3


# ------------------------------------------------------------ Python and the packages


def pretend_metadata(monkeypatch: pytest.MonkeyPatch, *, python: str, tried: str) -> None:
    described = Message()
    described["Requires-Python"] = python
    described["Classifier"] = f"Programming Language :: Python :: {tried}"
    monkeypatch.setattr(importlib.metadata, "metadata", lambda name: described)


def test_a_python_that_was_never_tried_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_metadata(monkeypatch, python=">=3.11", tried="3.99")
    finding = only(examinations.examine_python())
    assert finding.status == "warning"
    assert "3.99" in finding.fix


def test_a_python_that_is_too_old_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_metadata(monkeypatch, python=">=3.99", tried="3.99")
    assert only(examinations.examine_python()).status == "problem"


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ("pydantic>=9999", "the course needs >=9999"),
        ("no-such-package-at-all", "not installed"),
        ("no-such-package-at-all; sys_platform == 'nowhere'", None),
        ("no-such-package-at-all; extra == 'dev'", None),
        ("pydantic>=2", None),
    ],
)
def test_packages_are_compared_with_what_the_course_needs(
    requirement: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: [requirement])
    finding = only(examinations.examine_packages())
    assert finding.status == ("ok" if expected is None else "problem")
    assert expected is None or expected in finding.message


# ------------------------------------------------------------ folders, kernel, models


def test_missing_course_files_say_how_to_find_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AICOURSE_HOME", str(tmp_path / "elsewhere"))
    finding = only(examinations.examine_course_files())
    assert finding.status == "problem"
    assert "AICOURSE_HOME" in finding.fix


def test_a_folder_that_cannot_be_written_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("AICOURSE_CACHE", str(tmp_path / "file" / "cache"))
    cache, state = examinations.examine_folders()
    assert (cache.status, state.status) == ("problem", "ok")
    assert "AICOURSE_CACHE" in cache.fix


def write_kernel(folder: Path, interpreter: str) -> None:
    spec = {"argv": [interpreter, "-m", "ipykernel_launcher"], "display_name": "Mine", "language": "python"}
    (folder / "kernels" / "python3").mkdir(parents=True)
    (folder / "kernels" / "python3" / "kernel.json").write_text(json.dumps(spec))


@pytest.mark.parametrize(
    ("interpreter", "status"),
    [("python3", "ok"), (sys.executable, "ok"), ("/somewhere/else/bin/python", "problem")],
)
def test_a_kernel_of_another_python_is_found(
    interpreter: str, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_kernel(tmp_path, interpreter)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    finding = only(examinations.examine_kernel())
    assert finding.message.startswith("Mine")
    assert finding.status == status


def pull_pretended(model: catalog.Model, *, missing_bytes: int = 0) -> None:
    for file in model.files:
        path = paths.models_dir() / model.name / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as handle:
            handle.truncate(file.size - missing_bytes)  # sparse: costs no disk


def test_models_are_judged_by_their_size() -> None:
    absent = only(examinations.examine_models())
    assert "not here" in absent.message
    pull_pretended(catalog.model(catalog.DEFAULT_MODEL))
    pull_pretended(catalog.model(EMBEDDING_MODEL), missing_bytes=1)
    found = {finding.message.split()[0]: finding for finding in examinations.examine_models()}
    assert found[catalog.DEFAULT_MODEL].status == "ok"
    assert found[EMBEDDING_MODEL].status == "problem"
    assert f"model pull {EMBEDDING_MODEL}" in found[EMBEDDING_MODEL].fix


def test_a_full_disk_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        examinations.shutil, "disk_usage", lambda path: examinations.shutil._ntuple_diskusage(10, 9, 1)
    )
    finding = only(examinations.examine_models())
    assert finding.status == "warning"
    assert "AICOURSE_CACHE" in finding.fix


def test_a_compiled_part_that_does_not_load_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examinations, "NATIVE_PACKAGES", {"no_such_engine": "the embedded model"})
    finding = only(examinations.examine_native_packages())
    assert finding.status == "warning"
    assert "No module named 'no_such_engine'" in finding.message


# ------------------------------------------------------------ keys and settings


def test_keys_are_told_by_length_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    report = doctor.report()
    assert f"({len(KEY)} characters)" in str(report)
    for shown in (str(report), report._repr_html_(), report.to_json(), repr(report)):
        assert KEY[3:7] not in shown
        assert KEY[-4:] not in shown


@pytest.mark.parametrize(
    ("value", "status"), [(f'"{KEY}" ', "ok"), (f"{KEY[:8]} {KEY[8:]}", "problem"), ("secret", "warning")]
)
def test_a_key_is_judged_without_being_shown(
    value: str, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", value)
    finding = only(examinations.examine_keys())
    assert finding.status == status
    assert "OPENAI_API_KEY" in finding.message
    assert value not in str(finding)


def test_a_misspelt_setting_is_named_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(f"OPENAI_APIKEY={KEY}\n")
    monkeypatch.chdir(tmp_path)
    finding = only(examinations.examine_settings())
    assert (finding.status, finding.fix) == ("warning", "Did you mean OPENAI_API_KEY?")
    assert finding.message == "OPENAI_APIKEY in .env is not a setting"


def test_a_key_in_a_dotenv_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(f"GROQ_API_KEY={KEY}\n")
    monkeypatch.chdir(tmp_path)
    assert "set in .env" in only(examinations.examine_keys()).message


def test_without_a_key_nothing_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert only(examinations.examine_keys()).status == "ok"


@pytest.mark.parametrize(
    ("variable", "value", "part"),
    [
        ("AICOURSE_PROVIDER", "opneai", "openai"),
        ("AICOURSE_PROVIDER", "openai", "OPENAI_API_KEY"),
        ("AICOURSE_REPLAY", "sometimes", "auto"),
    ],
)
def test_settings_that_cannot_work_are_problems(
    variable: str, value: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, value)
    finding = only(examinations.examine_settings())
    assert finding.status == "problem"
    assert part in f"{finding.message} {finding.fix}"


# ------------------------------------------------------------ sharing a report


def test_paths_leave_out_the_user_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert str(tmp_path) not in "".join(finding.message for finding in examinations.examine_folders())
