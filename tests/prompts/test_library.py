"""Find prompts by version and label, make versions, and keep used ones as they were."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aicourse import paths, prompts
from aicourse.errors import PromptError
from aicourse.llm import session
from aicourse.prompts import folders

BODY = "# system\nYou label listings.\n\n# user\n<listing>{{listing}}</listing>\n"


def write(root: Path, name: str = "extract", version: int = 1, *, said: str = "", parent: str = "") -> Path:
    file = root / name / f"v{version}.md"
    text = f"---\nname: {name}\nversion: {version}\nparent: {parent}\nchangelog: Step {version}.\n"
    text += f"parameters: [listing]\n---\n{BODY}{said or f'Step {version}.'}\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with extract v1 to v3, and a course folder without prompts of one's own."""
    root = tmp_path / "package" / "prompt_files"
    for version in (1, 2, 3):
        write(root, version=version)
    for name in ("notebooks", "datasets"):
        (tmp_path / "course" / name).mkdir(parents=True)
    monkeypatch.setenv("AICOURSE_HOME", str(tmp_path / "course"))
    monkeypatch.setattr(folders, "shipped_dir", lambda: root)
    return root


@pytest.fixture
def own(shipped: Path) -> Path:
    """Where the course user's prompts go."""
    return shipped.parent.parent / "course" / "notebooks" / "prompts"


# ------------------------------------------------------------ load


@pytest.mark.parametrize("spec", ["extract@2", "extract@v2", "extract@candidate"])
def test_a_version_or_a_label_names_a_prompt(shipped: Path, spec: str) -> None:
    prompts.promote(prompts.load("extract@2"), "candidate")
    assert prompts.load(spec).ref == "extract@v2"


def test_a_name_alone_is_the_one_in_production(shipped: Path) -> None:
    prompts.promote(prompts.load("extract@3"))
    assert prompts.load("extract") == prompts.load("extract@production") == prompts.load("extract@3")


def test_a_path_is_a_file_anywhere(shipped: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "homework", said="Mine.").rename(tmp_path / "answer.md")
    prompt = prompts.load(file)
    assert prompt.ref == "extract@v1"
    prompts.mark_used(prompt)  # it lies in no prompt folder: nothing to freeze, and no file appears
    assert not (tmp_path / folders.USED).exists()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("extrct@1", "Did you mean extract?"),
        ("other", "There is no prompt 'other'. Known: extract. Begin one with"),
        ("extract@9", "extract has no v9. It has: v1, v2, v3."),
        ("extract@0", "extract has no v0."),
        ("extract@production", "No version of extract has the label 'production'"),
        ("extract@candidat", "Did you mean candidate?"),
        ("extract@", "names no prompt"),
        ("@3", "names no prompt"),
        ("", "names no prompt"),
        ("../extract@1", "names no prompt"),
        ("extract/v1.md", "for a file, give a Path"),
        ("Extract", "names no prompt"),
    ],
)
def test_what_names_nothing_is_refused_with_what_to_do(shipped: Path, spec: str, words: str) -> None:
    prompts.promote(prompts.load("extract@1"), "candidate")
    with pytest.raises(PromptError, match=re.escape(words)):
        prompts.load(spec)


def test_a_file_in_the_place_of_another_is_refused(shipped: Path) -> None:
    (shipped / "extract" / "v3.md").rename(shipped / "extract" / "v4.md")
    with pytest.raises(PromptError, match=r"says it is extract@v3, but its place is that of extract@v4"):
        prompts.load("extract@4")


def test_versions_are_those_of_the_course_and_your_own_in_order(shipped: Path, own: Path) -> None:
    write(own, version=10)
    write(own, "mine")
    (own / "extract" / "notes.md").write_text("no version")
    (own / ".ipynb_checkpoints").mkdir()
    assert prompts.names() == ["extract", "mine"]
    assert prompts.versions("extract") == [1, 2, 3, 10]


def test_your_version_cannot_stand_in_for_a_shipped_one(shipped: Path, own: Path) -> None:
    write(own, version=3, said="Mine.")
    with pytest.raises(PromptError, match=r"(?s)v3 comes with the course.*rename .*v3.md to v4.md"):
        prompts.load("extract@3")
    assert prompts.load("extract@2").ref == "extract@v2"


# ------------------------------------------------------------ new


def test_a_new_version_goes_on_where_the_shipped_ones_end(shipped: Path, own: Path) -> None:
    made = prompts.new(
        "extract", changelog="Shorter: no tags.", text="# user\n{{listing}}", hints={"seed": 7}
    )
    assert (made.ref, made.parent, made.parameters, made.hints) == (
        "extract@v4",
        3,
        ("listing",),
        {"seed": 7},
    )
    assert made.source == own / "extract" / "v4.md"
    assert prompts.load("extract@4") == made
    assert prompts.versions("extract") == [1, 2, 3, 4]


def test_what_is_not_given_is_copied_from_the_parent(shipped: Path) -> None:
    made = prompts.new("extract", changelog="Copied.", parent=1)
    assert (made.hash, made.parent) == (prompts.load("extract@1").hash, 1)
    assert prompts.new("extract", changelog="Next.", hints={"temperature": 0.5}).body == made.body


def test_a_new_name_begins_with_version_one(shipped: Path) -> None:
    assert prompts.new("titles", changelog="First.", text="# user\nHello").ref == "titles@v1"
    assert prompts.load("titles@1").parameters == ()


def test_making_the_same_again_gives_the_version_that_is_there(shipped: Path, own: Path) -> None:
    first = [prompts.new("extract", changelog="x", text="# user\n{{listing}}") for _ in range(2)]
    copies = [prompts.new("extract", changelog="y", parent=4) for _ in range(2)]
    assert [prompt.version for prompt in first + copies] == [4, 4, 5, 5]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "Not a name"}, "is no name"),
        ({"name": "titles"}, "titles is new: give its text"),
        ({"name": "titles", "parent": 2}, "There is no prompt 'titles'"),
        ({"name": "extract", "parent": 9}, "extract has no v9"),
        ({"name": "extract", "text": "Hello"}, "The text of the new extract, line 1: text before"),
        ({"name": "extract", "hints": {"temprature": 1}}, "Did you mean temperature?"),
        ({"name": "extract", "changelog": " "}, "changelog must be a sentence"),
    ],
)
def test_a_new_version_that_cannot_be_is_refused_and_nothing_is_written(
    shipped: Path, own: Path, arguments: dict[str, object], words: str
) -> None:
    with pytest.raises(PromptError, match=re.escape(words)):
        prompts.new(**{"changelog": "x", **arguments})  # type: ignore[arg-type]
    assert not list(own.rglob("v*.md"))


def test_without_course_files_there_is_nowhere_to_write(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AICOURSE_HOME", str(tmp_path / "nowhere"))
    assert prompts.load("extract@1").ref == "extract@v1"
    with pytest.raises(PromptError, match="set AICOURSE_HOME"):
        prompts.new("extract", changelog="x")


def test_two_threads_make_two_versions(shipped: Path) -> None:
    def make(number: int) -> int:
        return prompts.new("extract", changelog="x", text=f"# user\n{number} {{{{listing}}}}").version

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(make, range(8))) == [4, 5, 6, 7, 8, 9, 10, 11]


# ------------------------------------------------------------ unattended runs


@pytest.fixture
def unattended(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AICOURSE_UNATTENDED", "1")
    session.begin(None, None)
    yield
    session.begin(None, None)


def test_an_unattended_session_begins_without_prompts_of_yours(
    own: Path, unattended: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(own, version=4)
    assert prompts.versions("extract") == [1, 2, 3]
    assert prompts.new("extract", changelog="x", text="# user\nhi").ref == "extract@v4"
    assert prompts.versions("extract") == [1, 2, 3, 4]
    session.begin(None, None)
    assert prompts.versions("extract") == [1, 2, 3]
    assert "hi" not in (own / "extract" / "v4.md").read_text()


# ------------------------------------------------------------ used versions are frozen


def edit(file: Path, new: str = "You label old listings.") -> None:
    file.write_text(file.read_text(encoding="utf-8").replace("You label listings.", new), encoding="utf-8")


def test_a_version_may_be_edited_until_it_is_used(shipped: Path, own: Path) -> None:
    file = prompts.new("extract", changelog="x").source
    assert file is not None
    edit(file)
    prompt = prompts.load("extract@4")
    prompts.mark_used(prompt)
    prompts.mark_used(prompt)
    assert json.loads((own / "extract" / "used.json").read_text()) == {"v4": prompt.hash}
    file.write_text(file.read_text().replace("changelog: x", "changelog: said better"))
    assert prompts.load("extract@4").changelog == "said better"
    file.write_text(file.read_text().replace("old listings", "new listings"))
    with pytest.raises(
        PromptError, match=r"(?s)extract@v4 was changed after it was used.*Undo your change in"
    ):
        prompts.load("extract@4")


def test_a_changed_shipped_version_is_restored_from_git_or_kept_as_a_new_one(shipped: Path) -> None:
    prompts.mark_used(prompts.load("extract@2"))
    edit(shipped / "extract" / "v2.md")
    with pytest.raises(
        PromptError, match=r"(?s)git checkout -- \S*v2.md.*aicourse prompts new extract --file"
    ):
        prompts.load("extract@2")
    with pytest.raises(PromptError, match="was changed after"):
        prompts.load(shipped / "extract" / "v2.md")


def test_a_version_used_with_two_contents_is_refused(shipped: Path) -> None:
    prompt = prompts.load("extract@2")
    prompts.mark_used(prompt)
    with pytest.raises(PromptError, match="was changed after it was used"):
        prompts.mark_used(dataclasses.replace(prompt, hint_items=(("seed", 1),)))


def _mark(root: str, version: int) -> None:
    folders.mark_used(prompts.load(Path(root) / "extract" / f"v{version}.md"))


def test_processes_that_use_versions_at_once_lose_none(shipped: Path) -> None:
    for version in range(4, 13):
        write(shipped, version=version)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_mark, args=(str(shipped), version)) for version in range(1, 13)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 12
    assert list(folders.used_versions(shipped / "extract")) == list(range(1, 13))


@pytest.mark.parametrize("content", ["{", "[]", '{"latest": "x"}', "3"])
def test_a_damaged_ledger_is_said(shipped: Path, content: str) -> None:
    (shipped / "extract" / "used.json").write_text(content)
    with pytest.raises(PromptError, match=r"used.json is damaged.*git checkout"):
        prompts.load("extract@1")


def test_a_ledger_that_cannot_be_written_stays_as_it_was(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts.mark_used(prompts.load("extract@1"))
    before = (shipped / "extract" / "used.json").read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(paths.os, "replace", fail)
    with pytest.raises(PromptError, match="No space left on device"):
        prompts.mark_used(prompts.load("extract@2"))
    assert (shipped / "extract" / "used.json").read_bytes() == before
    assert sorted(file.name for file in (shipped / "extract").iterdir()) == [
        "used.json",
        "v1.md",
        "v2.md",
        "v3.md",
    ]
