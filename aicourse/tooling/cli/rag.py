"""`aicourse rag`: index a folder of documents, search it, and measure how often it is right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aicourse import paths
from aicourse.html import visible
from aicourse.tooling.cli.common import PLAIN, Lazy, exit_if

if TYPE_CHECKING:
    from aicourse import datasets, llm, rag
    from aicourse.rag import stored
else:
    datasets = Lazy("aicourse.datasets")
    llm = Lazy("aicourse.llm")
    rag = Lazy("aicourse.rag")
    stored = Lazy("aicourse.rag.stored")

app = typer.Typer(help="Index documents, search them, measure retrieval.", **PLAIN)

By = Annotated[Literal["hybrid", "words", "meaning"], typer.Option(help="Both fused, BM25, or vectors.")]
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
    where: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Metadata; may be repeated.")
    ] = None,
) -> None:
    """Search an index. A line per hit: rank, score, document and headings, beginning of the text."""
    wanted: dict[str, list[str]] = {}
    for assignment in where or []:
        name, separator, value = assignment.partition("=")
        if not separator:
            raise typer.BadParameter(f"{assignment!r} is not NAME=VALUE.")
        wanted.setdefault(name, []).append(value)
    hits = _retriever(index, by).search(query, k, wanted)
    for rank, hit in enumerate(hits, start=1):
        place = " › ".join((hit.document, *hit.chunk.headings))
        snippet = " ".join(hit.chunk.text.split())[:SNIPPET]
        typer.echo(visible(f"{rank:>2}  {hit.score:.3f}  {place}: {snippet}"))
    if not hits:
        typer.echo("Nothing found.")


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


def _embeddings() -> rag.Embeddings:
    return rag.Embeddings(
        llm.connect(model="all-minilm-l6-v2", replay="off"), cache=paths.cache_dir() / "embeddings.sqlite"
    )


def _retriever(index: Path, by: str) -> rag.Retriever:
    words, meaning = stored.load_index(index, _embeddings())
    if by == "hybrid":
        return rag.Hybrid(words, meaning)
    return words if by == "words" else meaning
