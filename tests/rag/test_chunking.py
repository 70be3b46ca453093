"""Chunks are spans of their document, below the right headings, and none is too long."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicourse import datasets
from aicourse.errors import RetrievalError
from aicourse.rag import Chunk, Document, by_heading, by_sentences, fixed, from_articles
from aicourse.rag.chunking import words

CUTS = (fixed, by_heading, by_sentences)
ALPHABET = st.sampled_from("ab .!?\n#`~€\u2028\t")


def document(text: str) -> Document:
    return Document("d", "Title", text, "3", {"status": "current"})


def texts(chunks: list[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks]


@pytest.mark.parametrize("cut", CUTS)
def test_chunks_of_real_articles_are_spans_and_lose_no_word_of_the_text(cut: Any) -> None:
    for article in from_articles(datasets.help_articles()):
        chunks = cut(article)
        assert all(article.text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
        assert len({chunk.id for chunk in chunks}) == len(chunks)
        held = set(" ".join(chunk.situated for chunk in chunks).split())
        prose = (line for line in article.text.splitlines() if not line.startswith("#"))
        assert not set(" ".join(prose).split()) - held


@pytest.mark.parametrize("cut", CUTS)
@given(text=st.text(ALPHABET, max_size=80))
def test_chunks_of_any_text_are_spans_without_space_around(cut: Any, text: str) -> None:
    for chunk in cut(document(text)):
        assert text[chunk.start : chunk.end] == chunk.text == chunk.text.strip() != ""


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("text", ["", " \n\n", "\n# Only a heading\n"])
def test_a_document_without_text_has_at_most_its_heading(cut: Any, text: str) -> None:
    assert all(chunk.text == "# Only a heading" for chunk in cut(document(text)))


def test_a_chunk_knows_its_document() -> None:
    (one,) = by_heading(document("We keep 8 %."))
    assert (one.id, one.document, one.version, one.metadata) == ("d#0", "d", "3", {"status": "current"})
    assert one.situated == "Title\nWe keep 8 %."


# fixed


def test_fixed_chunks_have_at_most_the_size_in_any_unit() -> None:
    text = document(" ".join(f"word{number}" for number in range(500)))
    assert max(words(chunk.text) for chunk in fixed(text, 60)) == 60
    assert max(len(chunk.text) for chunk in fixed(text, 100, count=len)) <= 100


def test_an_overlap_stands_in_both() -> None:
    first, second, *_ = fixed(document("a b c d e f g h i j"), 4, overlap=2)
    assert (first.text, second.text) == ("a b c d", "c d e f")


@pytest.mark.parametrize("settings", [{"size": 0}, {"size": 5, "overlap": 5}, {"size": 5, "overlap": -1}])
def test_sizes_that_cannot_be_cut(settings: dict[str, int]) -> None:
    with pytest.raises(RetrievalError, match="cannot be cut"):
        fixed(document("text"), **settings)


# by_heading


def test_sections_know_their_path() -> None:
    chunks = by_heading(document("Intro\n# A\none\n## B\ntwo\n### C ###\nthree\n## D\nfour\n# E\nfive"))
    assert [chunk.headings for chunk in chunks] == [
        (),
        ("A",),
        ("A", "B"),
        ("A", "B", "C"),
        ("A", "D"),
        ("E",),
    ]
    assert chunks[3].situated == "Title › A › B › C\nthree"


@pytest.mark.parametrize("fence", ["```", "~~~", "  ```"])
def test_lines_of_code_are_no_headings(fence: str) -> None:
    chunks = by_heading(document(f"# A\n{fence}sh\n# a comment\n{fence}\nafter\n# B\nlast"))
    assert [chunk.headings for chunk in chunks] == [("A",), ("B",)]
    assert "# a comment" in chunks[0].text


def test_another_fence_in_a_fence_does_not_end_it() -> None:
    chunks = by_heading(document("```\n~~~\n# no heading\n```\n# A\ntext"))
    assert [chunk.headings for chunk in chunks] == [(), ("A",)]


@pytest.mark.parametrize(
    ("opening", "inside", "closing"),
    [
        ("````md", "```", "````"),
        ("```", "```sh", "````"),
        ("~~~~", "~~~", "~~~~  "),
        ("~~~ a`b", "```", "~~~"),
    ],
)
def test_a_fence_ends_with_one_as_long_and_bare(opening: str, inside: str, closing: str) -> None:
    chunks = by_heading(document(f"{opening}\n{inside}\n# no heading\n{closing}\n# A\ntext"))
    assert [chunk.headings for chunk in chunks] == [(), ("A",)]


def test_code_in_a_line_opens_no_fence() -> None:
    chunks = by_heading(document("```not``` a fence\n# A\ntext"))
    assert [chunk.headings for chunk in chunks] == [(), ("A",)]


@pytest.mark.parametrize("line", ["#hashtag", "####### seven", "    # indented"])
def test_what_is_no_heading(line: str) -> None:
    assert [chunk.headings for chunk in by_heading(document(f"{line}\ntext"))] == [()]


def test_a_long_section_is_cut_and_keeps_its_headings() -> None:
    chunks = by_heading(document("# A\n" + "One two three four. " * 30), 50)
    assert len(chunks) == 3
    assert {chunk.headings for chunk in chunks} == {("A",)}
    assert max(words(chunk.text) for chunk in chunks) <= 50


# by_sentences


def test_windows_of_sentences() -> None:
    text = document("One. Two! Three? Four costs 2.50 €. Five")
    assert texts(by_sentences(text)) == [
        "One. Two! Three?",
        "Two! Three? Four costs 2.50 €.",
        "Three? Four costs 2.50 €. Five",
    ]
    assert texts(by_sentences(text, 2, step=2)) == ["One. Two!", "Three? Four costs 2.50 €.", "Five"]
    assert texts(by_sentences(text, 9)) == [text.text]


@given(st.integers(1, 12), st.integers(1, 5), st.integers(1, 5))
def test_every_sentence_is_in_a_window(sentences: int, window: int, step: int) -> None:
    if step > window:
        return
    text = document(" ".join(f"S{number}." for number in range(sentences)))
    chunks = by_sentences(text, window, step=step)
    assert {word for chunk in chunks for word in chunk.text.split()} == set(text.text.split())
    assert all(words(chunk.text) <= window for chunk in chunks)


def test_windows_do_not_cross_a_heading() -> None:
    chunks = by_sentences(document("# A\nOne. Two.\n# B\nThree."))
    assert [(chunk.headings, chunk.text) for chunk in chunks] == [(("A",), "One. Two."), (("B",), "Three.")]


@pytest.mark.parametrize(("window", "step"), [(0, 1), (3, 0), (3, -1), (2, 3)])
def test_windows_that_leave_sentences_out(window: int, step: int) -> None:
    with pytest.raises(RetrievalError, match="cannot be cut"):
        by_sentences(document("One. Two."), window, step=step)
