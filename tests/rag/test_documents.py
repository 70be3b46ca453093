"""A folder of strangers' files: each bad one is refused in a sentence, the others are read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from aicourse import datasets
from aicourse.errors import RetrievalError
from aicourse.rag import from_articles, read_folder


def refused(folder: Path) -> str:
    (folder / "good.md").write_text("# Good\ntext")
    found = read_folder(folder)
    assert "good" in [document.id for document in found.documents]
    assert len(found.refused) == 1
    assert str(folder) not in found.refused[0]
    return found.refused[0]


def test_the_help_centre_read_as_a_folder_is_the_same() -> None:
    found = read_folder(datasets.datasets_dir() / "help_center" / "articles")
    articles = from_articles(datasets.help_articles())
    assert not found.refused
    assert [(one.id, one.title, one.text, one.version) for one in found.documents] == [
        (one.id, one.title, one.text, one.version) for one in articles
    ]
    assert [one.metadata["status"] for one in found.documents] == [one.metadata["status"] for one in articles]


def test_titles_come_from_front_matter_heading_or_name(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\ntitle: Fees\nupdated: 2026-01-02\ntags: [x, 1]\n---\n# Other\nt")
    (tmp_path / "b.txt").write_bytes("\ufeff# Shipping\r\nText\r\n".encode())
    (tmp_path / "c.md").write_text("---\ntitle:\n---\nno heading")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "d.MARKDOWN").write_text("text")
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "picture.png").write_bytes(b"\x89")
    found = read_folder(tmp_path)
    assert [(one.id, one.title) for one in found.documents] == [
        ("a", "Fees"),
        ("b", "Shipping"),
        ("c", "c"),
        ("deep/d", "d"),
    ]
    assert found.documents[0].metadata == {"updated": "2026-01-02", "tags": ["x", 1]}
    assert found.documents[1].text == "# Shipping\nText\n"
    assert not found.refused


def test_a_number_as_title_stays(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\ntitle: 0\nversion: 2\n---\ntext")
    (one,) = read_folder(tmp_path).documents
    assert (one.title, one.version) == ("0", "2")


def test_metadata_are_values_that_a_search_can_be_limited_by(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\ndeep: [[1, 2], {x: 1}]\nmap: {x: 1}\nnone:\n---\ntext")
    (one,) = read_folder(tmp_path).documents
    assert one.metadata == {"deep": ["[1, 2]", "{'x': 1}"], "map": "{'x': 1}", "none": "None"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"---\ntitle: x\n---\n \n", "empty"),
        (b"---\ntitle: x\0\n---\ntext", "bad.md: its front matter is no YAML. Repair it."),
        (b"---\ntitle: x\ntext", "no front matter"),
        (b"---\njust words\n---\ntext", "no front matter"),
        (b"---\na: " + b"[" * 5000 + b"\n---\ntext", "nested too deep"),
        (b"---\na: &a [x, x]\nb: [*a, *a]\n---\ntext", "has an alias"),
        ("café".encode("latin-1"), "not UTF-8 (byte 3)"),
        ("text".encode("utf-16"), "not UTF-8"),
    ],
)
def test_a_bad_file_is_refused_alone(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "bad.md").write_bytes(content)
    assert said in refused(tmp_path)


def test_a_file_of_20_mb_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "bad.md").touch()
    os.truncate(tmp_path / "bad.md", 20_000_000)
    assert refused(tmp_path) == "bad.md: larger than 2 MB. Split it."


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.md").write_text("secret")
    (tmp_path / "inside" / "bad.md").symlink_to(tmp_path / "secret.md")
    assert refused(tmp_path / "inside").startswith("bad.md: links out of the folder.")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("target", ["bad.md", "missing.md"])
def test_links_to_nowhere_are_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "bad.md").symlink_to(tmp_path / target)
    assert refused(tmp_path).startswith("bad.md: ")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "bad.md")
    assert refused(tmp_path) == "bad.md: no plain file. Remove it."


def test_the_place_of_broken_front_matter_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.md").write_text("---\ntitle: Fees\ntags: [a\n---\nText", encoding="utf-8")
    assert refused(tmp_path) == "bad.md: its front matter is no YAML at line 4. Repair it."


def test_of_two_files_with_one_name_the_second_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("first")
    (tmp_path / "a.txt").write_text("second")
    assert refused(tmp_path).startswith("a: two files have this name.")
    assert read_folder(tmp_path).documents[0].text == "first"


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_folder_without_documents(tmp_path: Path, name: str) -> None:
    with pytest.raises(RetrievalError, match="has no documents"):
        read_folder(tmp_path / name)
