"""`aicourse rag`: index, search and evaluate on the command line, with an embedder that needs no model."""

from __future__ import annotations

import importlib
import inspect
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openai
import pytest
from typer.testing import CliRunner

from aicourse.errors import AicourseError, DownloadError, RetrievalError
from aicourse.llm.faults import Fault
from aicourse.llm.session import current
from aicourse.rag import Assistant, answering
from aicourse.rag.embedding import Vectors
from aicourse.testing import ScriptedModel
from aicourse.tooling import cli
from aicourse.tooling.cli.common import waits_told


class Letters:
    """An embedder that counts letters."""

    name = "letters"

    def embed(self, texts: Sequence[str]) -> Vectors:
        counts = [[1 + text.lower().count(chr(97 + letter)) for letter in range(26)] for text in texts]
        rows = np.array(counts, dtype=np.float32).reshape(-1, 26)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two articles."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importlib.import_module("aicourse.tooling.cli.rag"), "_embeddings", Letters)
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "fees.md").write_text("---\nstatus: current\n---\n# Fees\nWe keep 8 %.")
    (tmp_path / "articles" / "payout.md").write_text(
        "---\nstatus: outdated\n---\n# Payout\nMoney comes in 5 days. You keep it."
    )
    return tmp_path


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli.app, ["rag", *arguments])
    assert result.exit_code == code, result.output + str(result.exception)
    return result.output


def test_an_index_is_made_and_made_again_by_its_changes(folder: Path) -> None:
    assert invoke("index", "articles", "--out", "i") == "i: 2 added, 0 kept, 0 removed.\n"
    (folder / "articles" / "bad.md").write_bytes(b"\xff")
    lines = invoke("index", "articles", "--out", "i", code=1).splitlines()
    assert lines == [
        "Refused: bad.md: not UTF-8 (byte 0). Save it as UTF-8.",
        "i: 0 added, 2 kept, 0 removed.",
    ]


@pytest.mark.parametrize("before", [False, True])
def test_without_the_embedders_file_nothing_is_written(
    folder: Path, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before:
        invoke("index", "articles", "--out", "i")
    (folder / "articles" / "new.md").write_text("New.")
    files = sorted(folder.rglob("*"))

    def missing(*_: object) -> None:
        raise DownloadError("No model file. Get it with: aicourse model pull all-minilm-l6-v2")

    monkeypatch.setattr(Letters, "embed", missing)
    result = CliRunner().invoke(cli.app, ["rag", "index", "articles", "--out", "i"])
    assert isinstance(result.exception, DownloadError)
    assert sorted(folder.rglob("*")) == files


def test_an_index_of_another_version_is_refused_and_made_anew(folder: Path) -> None:
    invoke("index", "articles", "--out", "i")
    manifest = folder / "i" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 1}))
    error = CliRunner().invoke(cli.app, ["rag", "search", "i", "money"]).exception
    assert isinstance(error, RetrievalError)
    assert "i has format 1; this version reads 2. Make it anew with:" in error.message
    assert invoke("index", "articles", "--out", "i") == "i: 2 added, 0 kept, 0 removed.\n"
    assert "Payout" in invoke("search", "i", "money")


def test_broken_markdown_is_text_and_its_control_characters_are_shown(folder: Path) -> None:
    (folder / "articles" / "broken.md").write_text("```\n# open\n|a|b\n[zebra](\n**bold \x1b[31m <div")
    invoke("index", "articles", "--out", "i")
    line = invoke("search", "i", "zebra", "--by", "words")
    assert "broken: ``` # open |a|b [zebra]( **bold" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("chunk", ["fixed", "sentences"])
def test_other_chunks(folder: Path, chunk: str) -> None:
    invoke("index", "articles", "--out", "i", "--chunk", chunk, "--size", "1")
    assert json.loads((folder / "i" / "manifest.json").read_text())["chunker"] == f"{chunk} 1"


@pytest.mark.parametrize("by", ["hybrid", "words", "meaning"])
def test_a_search_has_a_line_for_each_hit(by: str) -> None:
    invoke("index", "articles", "--out", "i")
    lines = invoke("search", "i", "money", "-k", "1", "--by", by).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(" 1  ")
    assert "payout › Payout: Money comes in 5 days." in lines[0]


def test_a_search_limited_by_metadata() -> None:
    invoke("index", "articles", "--out", "i")
    assert "fees" not in invoke("search", "i", "keep", "--where", "status=outdated")
    both = invoke("search", "i", "keep", "--where", "status=outdated", "--where", "status=current")
    assert len(both.splitlines()) == 2
    assert invoke("search", "i", "zebra", "--by", "words") == "Nothing found.\n"
    invoke("search", "i", "keep", "--where", "status", code=2)


@pytest.mark.parametrize(
    "wanted", ["year=2026", "price=1.50", "day=2026-01-02", "on=yes", "on=true", "tag=[x"]
)
def test_values_of_a_filter_are_those_of_front_matter(folder: Path, wanted: str) -> None:
    front = 'year: 2026\nprice: 1.50\nday: 2026-01-02\n"on": yes\ntag: "[x"'
    (folder / "articles" / "new.md").write_text(f"---\n{front}\n---\nWe keep 9 %.")
    invoke("index", "articles", "--out", "i")
    (line,) = invoke("search", "i", "keep", "--where", wanted).splitlines()
    assert "new: We keep 9 %." in line


def test_an_evaluation_of_ones_own_questions(folder: Path) -> None:
    invoke("index", "articles", "--out", "i")
    question = {"kind": "keyword", "split": "dev", "answer": "a", "must": [["a"]], "language": "en"}
    relevant = [{"article": "payout", "passage": "Money comes in 5 days."}]
    records = [question | {"id": f"Q{n}", "question": "money?", "relevant": relevant} for n in range(2)]
    (folder / "q.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    lines = invoke("evaluate", "i", "q.jsonl", "--by", "words").splitlines()
    assert lines[0].split() == ["questions", "hit_rate@5", "reciprocal_rank@10", "ndcg@10", "recall@5"]
    assert lines[-1].split()[:3] == ["all", "2", "1.00"]


def replied(answer: str = "8 %, always.", quote: str = "We keep 8 %.") -> str:
    return json.dumps({"source": 1, "quote": quote, "answer": answer})


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ScriptedModel:
    """The model that is asked, whatever its name."""
    scripted = ScriptedModel()
    monkeypatch.setattr("aicourse.llm.connect", lambda **_: scripted.client())
    invoke("index", "articles", "--out", "i")
    return scripted


def test_an_answer_with_its_source(model: ScriptedModel) -> None:
    model.enqueue(replied("8 \x1b[1m%."))
    asked = invoke(
        "ask", "i", "What do you keep?", "-k", "1", "--threshold", "0", "--where", "status=current"
    )
    assert asked == "8 \ufffd[1m%.\nSource: fees › Fees: “We keep 8 %.”\n"
    assert model.history[0].body["model"] == "qwen2.5-coder-1.5b"
    assert "Money comes" not in model.history[0].text


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        (replied(quote="We keep 9 %."), "No answer: what the model quoted does not stand in the passage.\n"),
        (replied()[:-4], "8 %, alway\nThat is not to be relied on. No answer: the model's reply was cut off"),
    ],
)
def test_no_answer_has_its_reason_and_an_exit_code(model: ScriptedModel, reply: str, shown: str) -> None:
    model.enqueue(reply)
    asked = invoke("ask", "i", "What do you keep of fees?", "--by", "words", "--threshold", "0", code=3)
    assert asked.startswith(shown)
    assert "Near: fees › Fees\n" in asked


def test_the_gate_says_no(model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Assistant, "answerable", lambda *_, **__: 0.3)
    model.enqueue(replied())
    assert "No answer: the nearest passages probably do not" in invoke(
        "ask", "i", "What do you keep of fees?", "--by", "words", code=3
    )
    model.enqueue(replied())
    assert "8 %, always." in invoke("ask", "i", "Fees?", "--threshold", "0.2", "--by", "words")


def test_a_model_that_is_busy(model: ScriptedModel) -> None:
    model.enqueue(Fault(status=429))
    error = CliRunner().invoke(cli.app, ["rag", "ask", "i", "keep?", "--threshold", "0"]).exception
    assert isinstance(error, AicourseError)
    assert "Try again, or another model." in error.message


def test_it_asks_as_lesson_16_measures_it() -> None:
    command = importlib.import_module("aicourse.tooling.cli.rag").ask
    defaults = {name: one.default for name, one in inspect.signature(command).parameters.items()}
    assert (defaults["k"], defaults["threshold"]) == (answering.PASSAGES, answering.THRESHOLD)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_is_told_what_is_waited_for(is_terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: is_terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    with waits_told(), current().waiting("loading m (1 MB)"):
        pass
    with current().waiting("something else"):
        pass
    assert screen.getvalue() == ("\r\033[Kloading m (1 MB) …\r\033[K" if is_terminal else "")


@pytest.mark.parametrize("command", ["search", "ask"])
def test_an_empty_question_is_not_asked(command: str) -> None:
    invoke("index", "articles", "--out", "i")
    assert "Write a word or more." in invoke(command, "i", " ", code=2)


def test_an_embedder_that_refuses_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    invoke("index", "articles", "--out", "i")

    def refuses(*_: object) -> None:
        raise openai.OpenAIError("400")

    monkeypatch.setattr(Letters, "embed", refuses)
    for arguments in (["search", "i", "money"], ["evaluate", "i"], ["index", "new", "--out", "j"]):
        Path("new").mkdir(exist_ok=True)
        Path("new/a.md").write_text("x", encoding="utf-8")
        error = CliRunner().invoke(cli.app, ["rag", *arguments]).exception
        assert isinstance(error, AicourseError)
        assert error.message == "all-minilm-l6-v2 did not answer: 400. Try again, or another model."


def test_questions_without_a_passage_are_not_evaluated(folder: Path) -> None:
    invoke("index", "articles", "--out", "i")
    (folder / "q.jsonl").write_text("")
    assert "none of the questions has a relevant passage" in invoke("evaluate", "i", "q.jsonl", code=2)


def test_a_name_with_a_line_end_is_told_in_one_line(folder: Path) -> None:
    (folder / "articles" / "new\nline.md").write_text("---\nzebra: a\n---\n# Ze\u0085bra\nzebra")
    invoke("index", "articles", "--out", "i")
    assert len(invoke("search", "i", "zebra", "--by", "words").splitlines()) == 1


def test_an_index_that_is_missing() -> None:
    error = CliRunner().invoke(cli.app, ["rag", "search", "none", "money"]).exception
    assert isinstance(error, RetrievalError)
    assert "aicourse rag index" in error.message
