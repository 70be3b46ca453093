"""`aicourse rag`: index a folder of documents, search it, ask it, and measure how often it is right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aicourse import paths
from aicourse.errors import AicourseError
from aicourse.html import visible
from aicourse.tooling.cli.common import HELP_MODEL, PLAIN, Lazy, exit_if

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
Where = Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Metadata; may be repeated.")]
IndexFolder = Annotated[Path, typer.Argument(metavar="INDEX", help="What `aicourse rag index` wrote.")]
SNIPPET = 60


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
    """Index a folder; later again, what changed. Exit code 1 if a file was refused."""
    cutters: dict[str, Any] = {"heading": rag.by_heading, "fixed": rag.fixed, "sentences": rag.by_sentences}
    cutter = cutters[chunk]
    changes, refused = stored.index_folder(
        folder,
        out,
        _embeddings(),
        cut=lambda document: cutter(document, size) if size else cutter(document),
        chunker=f"{chunk} {size or ''}".strip(),
    )
    for sentence in refused:
        typer.echo(visible(f"Refused: {sentence}"))
    typer.echo(f"{out}: {changes}.")
    exit_if(bool(refused))


@app.command(epilog="Example: aicourse rag search build/help.index payout --by words")
def search(
    index: IndexFolder,
    query: Annotated[str, typer.Argument(help="Words, or a question.")],
    k: Annotated[int, typer.Option("-k", min=1, help="Hits at most.")] = 5,
    by: By = "hybrid",
    where: Where = None,
) -> None:
    """Search an index. A line per hit: rank, score, document and headings, beginning of the text."""
    hits = _retriever(index, by).search(query, k, _wanted(where))
    for rank, hit in enumerate(hits, start=1):
        snippet = " ".join(hit.chunk.text.split())[:SNIPPET]
        typer.echo(visible(f"{rank:>2}  {hit.score:.3f}  {_place(hit.chunk)}: {snippet}"))
    if not hits:
        typer.echo("Nothing found.")


@app.command(epilog="Example: aicourse rag ask build/help.index 'When do I get my money?'")
def ask(
    index: IndexFolder,
    question: Annotated[str, typer.Argument(help="A question to the documents.")],
    model: Annotated[str, typer.Option(help="Answers, and is its own gate.")] = HELP_MODEL,
    k: Annotated[int, typer.Option("-k", min=1, help="Passages that the model reads.")] = 3,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="The least P(the quoted words state the answer); 0: no gate.")
    ] = 0.5,
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
    try:
        answer = assistant.ask(question, tell)
    except openai.OpenAIError as error:
        if isinstance(error, AicourseError):
            raise
        raise AicourseError(f"{model} did not answer: {error}. Try again, or another --model.") from error
    if answer.citation:
        typer.echo(visible(f"\nSource: {_place(answer.citation.chunk)}: “{answer.citation.quote}”"))
        return
    taken_back = "\nThat is not to be relied on. " if said else ""
    typer.echo(f"{taken_back}No answer: {answering.REASONS[answer.why_not]}.")
    for hit in answer.hits:
        typer.echo(visible(f"Near: {_place(hit.chunk)}"))
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
    return " › ".join((chunk.document, *chunk.headings))


def _embeddings() -> rag.Embeddings:
    return rag.Embeddings(
        llm.connect(model="all-minilm-l6-v2", replay="off"), cache=paths.cache_dir() / "embeddings.sqlite"
    )


def _retriever(index: Path, by: str) -> rag.Retriever:
    words, meaning = stored.load_index(index, _embeddings())
    if by == "hybrid":
        return rag.Hybrid(words, meaning)
    return words if by == "words" else meaning
