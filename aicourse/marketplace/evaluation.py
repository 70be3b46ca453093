"""Measure a prompt on the course's listings: the run that lessons, the command line and the gate share.

    run = run_listings("extract_listing@production", split="dev")
    run.summary.score("attributes.mean")

Replies come from the shared recordings where they are there, else live. A record's output holds the six
fields, the warnings and the reply as it came; an extraction that failed is a text that says why, and counts
as wrong in every field, even where nothing was stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aicourse import paths, prompts
from aicourse.datasets import ATTRIBUTES, load_listings, load_photos
from aicourse.evals import runner, statistics
from aicourse.evals.cases import Case, from_frame, select_cases
from aicourse.evals.runs import Run
from aicourse.evals.scorers import NamedScorer, both, exact, named, normalised, set_match
from aicourse.evals.scores import Context, Score, Scorer, reasoned, score_all
from aicourse.llm.recordings import SHARED
from aicourse.llm.session import current
from aicourse.marketplace.extraction.extracting import Extraction, extract
from aicourse.marketplace.extraction.recipes import Recipe, recipe_of
from aicourse.marketplace.sizes import compare_sizes

if TYPE_CHECKING:
    import openai

    from aicourse.prompts import Prompt

MODEL = "qwen2.5-coder-0.5b"
ASKED_ANEW = {"off": "live", "record": "recorded anew"}  # by replay mode: what a run notes about its replies


def partial_size(field: str | None = None, *, tolerance: float = 0.01) -> NamedScorer:
    """Number: how much of a size is right, units converted (see `sizes`); both not stated is 1."""

    def score(context: Context) -> Score:
        got, expected = both(context, field)
        if got is None or expected is None:
            told = "" if got is expected else f"got {got!r}, expected {expected!r}"
            return reasoned(float(got is expected), told)
        return reasoned(*compare_sizes(str(got), str(expected), tolerance))

    return named(field, "size", score, worst=0.0)


FIELD_SCORERS: tuple[Scorer, ...] = (
    exact("category"),
    set_match("colours"),
    set_match("materials"),
    partial_size("size"),
    exact("condition"),
    normalised("brand"),
)
FIELD_SCORES = (
    "category.exact", "colours.f1", "materials.f1", "size.size", "condition.exact", "brand.normalised",
)  # fmt: skip


def _attributes_mean(context: Context) -> Score:
    """The mean of the six fields' scores; its reason names the fields that lost something."""
    values = {score.name: float(score.value or 0) for score in score_all(FIELD_SCORERS, context)}
    lost = [name.partition(".")[0] for name in FIELD_SCORES if values[name] < 1]
    mean = statistics.mean([values[name] for name in FIELD_SCORES])
    return reasoned(mean, f"not right: {', '.join(lost)}" if lost else "")


def _valid(context: Context) -> Score:
    """Could the reply be used; the reason is why not."""
    usable = isinstance(context.output, Mapping)
    return reasoned(usable, "" if usable else str(context.output))


LISTING_SCORERS: tuple[Scorer, ...] = (
    NamedScorer("attributes.mean", _attributes_mean, None, {}),
    *FIELD_SCORERS,
    NamedScorer("valid", _valid, None, {}),
)


def listing_cases(split: str, *, with_photos: bool = False) -> list[Case]:
    """The listings of a split as cases; with photos only those that have one, and what both state.

    Raises:
        DatasetError: an unknown split, or the hidden one.
    """
    made_from = f"datasets/listings, {split} split"
    frame = load_listings(split)
    cases = from_frame(frame, input="text", expected=list(ATTRIBUTES), tags="tags", provenance=made_from)
    if not with_photos:
        return cases
    stated = load_photos(split)["photo_gold"].to_dict()
    return [
        case.model_copy(update={"expected": case.expected | stated[case.id]})
        for case in cases
        if case.id in stated
    ]


def run_listings(
    prompt: str | Prompt,
    *,
    split: str = "test",
    model: str = MODEL,
    with_photos: bool = False,
    hide_photos: bool = False,
    recipe: Recipe | None = None,
    client: openai.OpenAI | None = None,
    replay: str | None = None,
    path: Path | str | None = None,
    tag: str | None = None,
    limit: int | None = None,
    repeats: int = 1,
    workers: int = 4,
    progress: bool = True,
) -> Run:
    """Extract the attributes of a split's listings with a prompt version, and score them.

    `with_photos` takes the listings that have a photo and expects what photo and text state together;
    `hide_photos` then does not send it, which is the baseline on the same cases. `recipe` replaces the
    version's own. `client` defaults to one for `model`; `replay` is its mode: with `record`, new replies go
    to the shared recordings, and `workers=1` keeps their latencies honest. This freezes the prompt version.

    Raises:
        PromptError: no such prompt, or one that was changed after it was used.
        RecordingMissing: replay only, and a reply is not recorded; names the command that records it.
        AicourseError: what stops every case (key, connection, server), or a run of something else at `path`.
    """
    version = prompts.load(prompt) if isinstance(prompt, str) else prompt
    recipe = recipe or recipe_of(version)
    cases = select_cases(listing_cases(split, with_photos=with_photos), tag=tag, limit=limit)
    prompts.mark_used(version)
    sent = _photos(split) if with_photos and not hide_photos else {}
    task = _Extracting(version, client or _client(model, replay), model, recipe, sent)
    facts = version.facts | {"model": model, "split": split} | recipe.facts
    if replay in ASKED_ANEW:
        facts["replies"] = ASKED_ANEW[replay]
    if with_photos:
        facts["photos"] = "hidden" if hide_photos else "sent"
    with current().sharing(shared_recordings(version), _command(version, split, model, with_photos)):
        return runner.run(
            task,
            cases,
            LISTING_SCORERS,
            name=f"{version.ref} {split} {model}",
            path=path,
            facts=facts,
            repeats=repeats,
            workers=workers,
            progress=progress,
        )


@dataclass(frozen=True)
class _Extracting:
    """The task: a case's text (and photo, by the case's id) becomes an output."""

    prompt: Prompt
    client: openai.OpenAI
    model: str
    recipe: Recipe
    photos: Mapping[str, Path] = field(default_factory=dict)

    def __call__(self, case: Case) -> dict[str, Any] | str:
        photo = self.photos.get(case.id)
        return output_of(
            extract(case.input, self.prompt, self.client, model=self.model, photo=photo, recipe=self.recipe)
        )


def output_of(extraction: Extraction) -> dict[str, Any] | str:
    """An extraction as a run keeps it: the six fields, warnings and reply, or a text that says why not.

    The text is no JSON, so that the scorers find no field in it.
    """
    if extraction.attributes is None:
        return f"no attributes: {extraction.problem}. The reply was: {extraction.reply}"
    kept = {"warnings": list(extraction.warnings), "reply": extraction.reply}
    return extraction.attributes.model_dump() | kept


def shared_recordings(prompt: Prompt) -> Path:
    """The file with the replies to a prompt version, for all lessons."""
    return paths.notebooks_dir() / "recordings" / SHARED / prompt.name / f"v{prompt.version}.jsonl"


def _client(model: str, replay: str | None) -> openai.OpenAI:
    from aicourse.llm.client import connect  # openai: 1 s, and those who pass a client have it already

    return connect(model=model, replay=replay)


def _photos(split: str) -> Mapping[str, Path]:
    return {str(id): path for id, path in load_photos(split)["path"].items()}


def _command(prompt: Prompt, split: str, model: str, with_photos: bool) -> str:
    photos = " --photos" if with_photos else ""
    return (
        f"aicourse evals run datasets/listings --prompt {prompt.ref} --split {split} --model {model}"
        f"{photos} --record"
    )
