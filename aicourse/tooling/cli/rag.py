"""`aicourse rag`: index a folder of documents, search it, ask it, and measure how often it is right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aicourse import paths
from aicourse.errors import AicourseError
from aicourse.html import visible
from aicourse.tooling.cli.common import HELP_MODEL, PLAIN, Lazy, exit_if, waits_told

if TYPE_CHECKING:
    import openai

    from aicourse import datasets, llm, prompts, rag
    from aicourse.rag import answering, documents, stored
else:
    answering = Lazy("aicourse.rag.answering")
    datasets = Lazy("aicourse.datasets")
    documents = Lazy("aicourse.rag.documents")
    llm = Lazy("aicourse.llm")
    openai = Lazy("openai")
    prompts = Lazy("aicourse.prompts")
    rag = Lazy("aicourse.rag")
    stored = Lazy("aicourse.rag.stored")

app = typer.Typer(help="Index documents, search and ask them, measure retrieval.", **PLAIN)

By = Annotated[Literal["hybrid", "words", "meaning"], typer.Option(help="Both fused, BM25, or vectors.")]
Where = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="Only documents of this metadata.")
]
IndexFolder = Annotated[Path, typer.Argument(metavar="INDEX", help="What `aicourse rag index` wrote.")]
SNIPPET = 60
EMBEDDER = "all-minilm-l6-v2"


@app.command(epilog="Example: aicourse rag index datasets/help_center/articles --out build/help.index")
def index(
    folder: Annotated[Path, typer.Argument(help="Markdown and text files.")],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    chunk: Annotated[Literal["heading", "fixed", "sentences"], typer.Option(help="How texts are cut.")] = (
        "heading"
    ),
    size: Annotated[
        int | None, typer.Option(min=1, help="Words of a chunk at most; with sentences, sentences.")
    ] = None,
) -> None:
    """Index a folder of documents; run again, embed only what changed.

    Exit code 1: a file was refused, or something is wrong.
    """
    cutters: dict[str, Any] = {"heading": rag.by_heading, "fixed": rag.fixed, "sentences": rag.by_sentences}
    cutter = cutters[chunk]
    with _asking(EMBEDDER):
        changes, refused = stored.index_folder(
            folder,
            out,
            _embeddings(),
            cut=lambda document: cutter(document, size) if size else cutter(document),
            chunker=f"{chunk} {size or ''}".strip(),
        )
    for sentence in refused:
        typer.echo(f"Refused: {_in_a_line(sentence)}")
    typer.echo(f"{out}: {changes}.")
    exit_if(bool(refused))


@app.command(epilog="Example: aicourse rag search build/help.index payout --by words")
def search(
    index: IndexFolder,
    query: Annotated[str, typer.Argument(help="Words, or a question.", callback=_not_empty)],
    k: Annotated[int, typer.Option("-k", min=1, help="Hits at most.")] = 5,
    by: By = "hybrid",
    where: Where = None,
) -> None:
    """Search an index. A line per hit: rank, score, document and headings, beginning of the text."""
    with _asking(EMBEDDER):
        hits = _retriever(index, by).search(query, k, _wanted(where))
    for rank, hit in enumerate(hits, start=1):
        snippet = _in_a_line(hit.chunk.text)[:SNIPPET]
        typer.echo(f"{rank:>2}  {hit.score:.3f}  {_place(hit.chunk)}: {snippet}")
    if not hits:
        typer.echo("Nothing found.")


@app.command(epilog="Example: aicourse rag ask build/help.index 'When do I get my money?'")
def ask(
    index: IndexFolder,
    question: Annotated[str, typer.Argument(help="A question to the documents.", callback=_not_empty)],
    model: Annotated[str, typer.Option(help="Answers, and is its own gate.")] = HELP_MODEL,
    k: Annotated[int, typer.Option("-k", min=1, help="Passages that the model reads.")] = 2,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="The least P(the quoted words state the answer); 0: no gate.")
    ] = 0.78,
    by: By = "hybrid",
    where: Where = None,
) -> None:
    """Answer a question from an index, with the passage that says so.

    Exit code 0: answered; 3: no answer, with the reason and the nearest passages; 1: something is wrong.
    """

    said: list[str] = []

    def tell(event: answering.Event) -> None:
        if isinstance(event, answering.Said):
            said.append(event.text)
            typer.echo(visible(event.text), nl=False)

    assistant = rag.Assistant(
        _retriever(index, by),
        llm.connect(model=model),
        model,
        gate=prompts.load("gate_help") if threshold else None,
        threshold=threshold,
        k=k,
        where=_wanted(where),
    )
    with _asking(model):
        answer = assistant.ask(question, tell)
    if answer.citation:
        quote = _in_a_line(answer.citation.quote)
        typer.echo(f"\nSource: {_place(answer.citation.chunk)}: “{quote}”")
        return
    taken_back = "\nThat is not to be relied on. " if said else ""
    typer.echo(f"{taken_back}No answer: {answering.REASONS[answer.why_not]}.")
    for hit in answer.hits:
        typer.echo(f"Near: {_place(hit.chunk)}")
    raise typer.Exit(3)


@app.command(epilog="Example: aicourse rag evaluate build/help.index --split dev --by words")
def evaluate(
    index: IndexFolder,
    questions: Annotated[
        Path | None, typer.Argument(help="JSON Lines like datasets/help_center/questions.jsonl.")
    ] = None,
    split: Annotated[str, typer.Option(help="Of the help centre's own questions: dev or test.")] = "dev",
    by: By = "hybrid",
) -> None:
    """Measure retrieval by kind of question: four metrics, each with its 95 % interval."""
    asked = datasets.read_help_questions(questions) if questions else datasets.help_questions(split)
    if not any(question.relevant for question in asked):
        raise typer.BadParameter("none of the questions has a relevant passage to be found.")
    with _asking(EMBEDDER):
        found = rag.evaluate(_retriever(index, by), asked)
    typer.echo(found.table().to_string())


def _wanted(where: list[str] | None) -> dict[str, list[Any]]:
    wanted: dict[str, list[Any]] = {}
    for assignment in where or []:
        name, separator, value = assignment.partition("=")
        if not separator:
            raise typer.BadParameter(f"{assignment!r} is not NAME=VALUE.")
        wanted.setdefault(name, []).extend([value, documents.value_of(value)])
    return wanted


def _place(chunk: rag.Chunk) -> str:
    return _in_a_line(" › ".join((chunk.document, *chunk.headings)))


def _not_empty(text: str) -> str:
    if not text.strip():
        raise typer.BadParameter("there is nothing in it. Write a word or more.")
    return text


def _in_a_line(text: str) -> str:
    return visible(" ".join(text.split()))


@contextmanager
def _asking(model: str) -> Iterator[None]:
    """Tells what is waited for, and says an error of the model's API in a sentence."""
    try:
        with waits_told():
            yield
    except openai.OpenAIError as error:
        if isinstance(error, AicourseError):
            raise
        raise AicourseError(f"{model} did not answer: {error}. Try again, or another model.") from error


def _embeddings() -> rag.Embeddings:
    return rag.Embeddings(
        llm.connect(model=EMBEDDER, replay="off"), cache=paths.cache_dir() / "embeddings.sqlite"
    )


def _retriever(index: Path, by: str) -> rag.Retriever:
    words, meaning = stored.load_index(index, _embeddings())
    if by == "hybrid":
        return rag.Hybrid(words, meaning)
    return words if by == "words" else meaning
