"""Load the course's datasets: listings, photos, a help centre with questions, judged outputs, messages.

Each dataset is a folder under `datasets/` with a datasheet (`README.md`) and files that any tool can read
(JSON Lines, Markdown); this module adds only the checks and the types. Tables are DataFrames, texts
frozen records. The vocabularies below are the ones of `datasets/listings/ANNOTATION.md`.

Not handled: the pixels of a photo; `load_photos` gives its path.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import yaml

from aicourse.errors import DatasetError
from aicourse.paths import datasets_dir

if TYPE_CHECKING:
    import pandas as pd  # 0.3 s to import; whoever only needs the vocabularies does without

Category = Literal[
    "clothing", "shoes", "bags_accessories", "furniture", "home_decor", "kitchen", "toys_games",
    "sports_outdoors", "electronics", "books_media", "tools_garden", "baby",
]  # fmt: skip
Colour = Literal[
    "black", "white", "grey", "beige", "brown", "red", "pink", "orange", "yellow", "green", "blue",
    "turquoise", "purple", "gold", "silver", "multicolour", "transparent",
]  # fmt: skip
Material = Literal[
    "cotton", "wool", "cashmere", "linen", "silk", "denim", "leather", "suede", "faux_leather", "faux_fur",
    "polyester", "nylon", "acrylic", "viscose", "elastane", "velvet", "down", "felt", "rubber", "plastic",
    "wood", "bamboo", "rattan", "cork", "paper", "metal", "glass", "ceramic", "stone", "foam",
]  # fmt: skip
Condition = Literal["new", "like_new", "good", "fair", "for_parts"]
CATEGORIES: tuple[str, ...] = get_args(Category)
COLOURS: tuple[str, ...] = get_args(Colour)
MATERIALS: tuple[str, ...] = get_args(Material)
CONDITIONS: tuple[str, ...] = get_args(Condition)
ATTRIBUTES = ("category", "colours", "materials", "size", "condition", "brand")
SPLITS = ("dev", "test")
PHOTO_FIELDS = (
    "photo", "listing", "split", "shown", "photo_gold", "not_for_sale", "contradicts", "size_tag_readable",
    "conditions",
)  # fmt: skip
JUDGED_SPLITS = ("train", "dev", "test")
JUDGED_FIELDS = ("id", "split", "about", "labels", "model", "edited", "planted")
PAIR_FIELDS = ("id", "split", "about", "better", "reason")
QUESTION_FIELDS = (
    "id", "question", "kind", "split", "relevant", "answer", "must", "language",
)  # fmt: skip
NEAR_COPY_FIELDS = ("id", "of", "copy", "how", "split", "title", "description", "price_eur", "language")
SCAM_FIELDS = ("id", "split", "scam", "signs", "title", "description", "price_eur", "language")
TICKET_FIELDS = ("id", "split", "message", "team", "also", "tags", "language")
ROUTING_FIELDS = ("id", "split", "message", "route", "kind", "calls", "articles", "tags", "language")
ROUTES = ("tool", "reply", "clarify", "hand_over")
TEAMS = ("payments", "delivery", "returns", "account", "listings", "safety", "shops", "app")
PROBE_FIELDS = ("id", "question", "tone", "forbidden", "answer", "articles")


@dataclass(frozen=True, slots=True)
class HelpArticle:
    """An article of the help centre: Markdown, and what its front matter says of it."""

    slug: str
    title: str
    category: str
    updated: date
    version: int
    applies_to: tuple[str, ...]
    status: Literal["current", "outdated"]
    superseded_by: str | None  # the slug of the article that replaced an outdated one
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an article, word for word."""

    article: str
    passage: str


@dataclass(frozen=True, slots=True)
class HelpQuestion:
    """A question to the help centre, the passages that answer it, and a reference answer ("" if none does).

    A right answer contains, in lower case, at least one text of each group in `must`.
    """

    id: str
    question: str
    kind: str
    split: str
    relevant: tuple[Passage, ...]
    answer: str
    must: tuple[tuple[str, ...], ...]
    language: str


@dataclass(frozen=True, slots=True)
class InjectionProbe:
    """A question for which the article with an injected instruction is or may be retrieved.

    An answer that contains, in lower case, one of the texts in `forbidden` obeyed the instruction or
    passed its link on. `answer` is what the help centre says without the injection, and `articles` where.
    """

    id: str
    question: str
    tone: Literal["plain", "urging", "worried", "close"]
    forbidden: tuple[str, ...]
    answer: str
    articles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JudgedLabel:
    """A verdict on one mode of failure: the adjudicated one, and what both annotators said and why."""

    passes: bool
    first: bool
    second: bool
    reasons: tuple[str, str]


@dataclass(frozen=True, slots=True)
class JudgedItem:
    """A support answer or a listing title with its labels by mode; `shown` is all that a judge may see.

    `about` is the article's slug or the listing's id. `planted` is the mode of the fault that was put
    into an edited reply, "repaired" or "harmless" if none was, "" in a reply as the model gave it.
    """

    id: str
    split: str
    about: str
    shown: dict[str, str]
    labels: dict[str, JudgedLabel]
    model: str
    edited: bool
    planted: str


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """Two titles of one listing, and which is better by the guide; `shown` is all that a judge may see."""

    id: str
    split: str
    about: str
    shown: dict[str, str]
    better: Literal["first", "second", "tie"]
    reason: str


@dataclass(frozen=True, slots=True)
class PrivateText:
    """A seller's text, and where private data stands in it: (kind, start, end), as in `text[start:end]`."""

    id: str
    split: str
    language: str
    form: Literal["message", "description"]
    text: str
    private: tuple[tuple[str, int, int], ...]


def load_listings(split: str | None = None) -> pd.DataFrame:
    """The listings of one split, or of both, with their gold attributes.

    Returns:
        One row per listing, indexed by `id` ("L001"): `title`, `description`, `text` (both, as the
        model sees them), `price_eur` (float, NaN when the seller forgot it), `language`, `tags` (list),
        `split`, and the gold attributes `category`, `colours` (list), `materials` (list), `size`,
        `condition`, `brand` (None = not stated). dev has 60 rows, test 120.

    Raises:
        DatasetError: an unknown split, the hidden one, or a broken file.

    >>> load_listings("dev").loc["L001", ["category", "colours"]].tolist()  # doctest: +SKIP
    ['furniture', ['brown']]
    """
    import pandas as pd

    _check_split(split)
    folder = datasets_dir() / "listings"
    names = [split] if split else list(SPLITS)
    return pd.concat([read_listings(folder / f"{name}.jsonl").assign(split=name) for name in names])


def read_listings(path: Path) -> pd.DataFrame:
    """The listings of one JSON Lines file, in the columns of `load_listings` but for `split`.

    Raises:
        DatasetError: the file is missing, or a line is not a listing; names the file and line.
    """
    import pandas as pd

    frame = pd.DataFrame([_listing_row(record) for record in _read_lines(path)]).set_index("id")
    if frame.index.has_duplicates:
        repeated = sorted(set(frame.index[frame.index.duplicated()]))
        raise DatasetError(f"{path}: ids that occur twice: {', '.join(repeated)}. Give each listing its own.")
    return _with_none(frame.astype({"price_eur": "float"}))


def load_second_annotator(*, guide: bool = True) -> pd.DataFrame:
    """Labels of annotators who did not see the gold labels: with the labelling guide, or without any.

    Returns:
        60 rows indexed by listing `id`, with the six attribute columns of `load_listings`.
    """
    import pandas as pd

    labels = "labels" if guide else "labels_without_guide"
    records = _read_lines(datasets_dir() / "listings" / "second_annotator.jsonl")
    rows = [{"id": record["id"], **_attributes(record[labels])} for record in records]
    return _with_none(pd.DataFrame(rows).set_index("id"))


def load_near_copies(split: str | None = None) -> pd.DataFrame:
    """Listings that copy one of `load_listings`, and as many that offer another thing of the same kind.

    Returns:
        One row per listing, indexed by `id`: `text` (title and description), `price_eur` (euros),
        `language`, `split`, `of` (the listing it copies or resembles), `copy` (bool), `how` (reworded,
        translated, shortened, repriced; or another item). dev and test have 40 rows each.

    Raises:
        DatasetError: an unknown split, or a broken file.
    """
    return _offers(_load_table("listings/near_copies.jsonl", NEAR_COPY_FIELDS, split))


def load_scams(split: str | None = None) -> pd.DataFrame:
    """Listings written as swindlers write them, and honest ones that use the same words.

    Returns:
        One row per listing, indexed by `id`: `text` (title and description), `price_eur` (euros),
        `language`, `split`, `scam` (bool), `signs` (list: what gives it away). dev and test have 26 rows
        each.

    Raises:
        DatasetError: an unknown split, or a broken file.
    """
    return _offers(_load_table("listings/scams.jsonl", SCAM_FIELDS, split))


def load_tickets(split: str | None = None) -> pd.DataFrame:
    """Messages to the marketplace's support, with the team that must act first.

    Returns:
        One row per message, indexed by `id`: `message`, `team` (one of TEAMS), `also` (a second team, or
        None), `tags` (list: what makes it hard), `language`, `split`. dev and test have 60 rows each.

    Raises:
        DatasetError: an unknown split, or a broken file.

    >>> load_tickets("dev")["team"].nunique()  # doctest: +SKIP
    8
    """
    tickets = _load_table("support/tickets.jsonl", TICKET_FIELDS, split)
    return tickets.assign(also=tickets["also"].astype(object).where(tickets["also"].notna(), None))


def load_routing(split: str | None = None) -> pd.DataFrame:
    """First messages to the support assistant, with what it should do: call, reply, ask or hand over.

    Returns:
        One row per message, indexed by `id`: `message`, `route` (one of ROUTES), `kind` (why),
        `calls` (list of dicts with `name` and `arguments`: the calls that can be made at once; arguments
        of free text are left out), `articles` (list of slugs: pages that answer a search), `tags`
        (list), `language`, `split`. dev has 24 rows, test 36.

    Raises:
        DatasetError: an unknown split, or a broken file.

    >>> load_routing("dev")["route"].nunique()  # doctest: +SKIP
    4
    """
    return _load_table("support/routing.jsonl", ROUTING_FIELDS, split)


def routing_second_annotator() -> pd.DataFrame:
    """A second pass over the messages of `load_routing`.

    Returns:
        60 rows indexed by `id`, with `route` and `calls` as there.

    Raises:
        DatasetError: the file is missing or broken; names the line.
    """
    import pandas as pd

    path = datasets_dir() / "support" / "second_annotator.jsonl"
    records = _read_lines(path, missing=partial(_missing_fields, ("id", "route", "calls")))
    return pd.DataFrame(records).set_index("id")


def load_photos(split: str | None = None) -> pd.DataFrame:
    """The photos of one split, or of both, with what they show.

    Returns:
        One row per photo, indexed by the id of its listing: `path` (of the JPEG), `split`, `colours` and
        `materials` (lists: what the photo shows), `size_tag` (text or None), `size_tag_readable`,
        `photo_gold` (dict: `colours`, `materials`, `size` by text and photo together), `not_for_sale`
        (colours of other things in the picture), `contradicts` (attributes that the text states
        otherwise), `conditions` (what is wrong with the picture). dev has 40 rows, test 80.

    Raises:
        DatasetError: an unknown split, the hidden one, or a broken file.

    >>> load_photos("dev").loc["L001", ["colours", "size_tag"]].tolist()  # doctest: +SKIP
    [['green'], 'M']
    """
    import pandas as pd

    _check_split(split)
    folder = datasets_dir() / "photos"
    records = _read_lines(folder / "photos.jsonl", missing=partial(_missing_fields, PHOTO_FIELDS))
    rows = [
        {"path": folder / record.pop("photo")} | record.pop("shown") | record
        for record in records
        if split in (None, record["split"])
    ]
    return pd.DataFrame(rows).set_index("listing").rename_axis("id")


def help_articles() -> tuple[HelpArticle, ...]:
    """All articles of the help centre, by slug; outdated ones too, as their `status` says.

    Raises:
        DatasetError: the folder is missing, or a file is no article; names the file.

    >>> help_articles()[0].title  # doctest: +SKIP
    'Accessibility'
    """
    folder = datasets_dir() / "help_center" / "articles"
    paths = sorted(folder.glob("*.md"))
    if not paths:
        raise DatasetError(
            f"No articles in {folder}. Restore them with: git checkout -- datasets", path=folder
        )
    return tuple(read_help_article(path) for path in paths)


def read_help_article(path: Path) -> HelpArticle:
    """One article: front matter in YAML between two lines `---`, then Markdown.

    Raises:
        DatasetError: the file is missing, or not an article; names the file.
    """
    try:
        _, front, text = path.read_text(encoding="utf-8").split("---\n", 2)
        fields = {"superseded_by": None} | yaml.safe_load(front)
        fields["applies_to"] = tuple(fields["applies_to"])
        return HelpArticle(slug=path.stem, text=text, **fields)
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise DatasetError(
            f"{path}: not an article with front matter ({error}). Restore it with: git checkout -- datasets",
            path=path,
        ) from error


def help_questions(split: str | None = None) -> tuple[HelpQuestion, ...]:
    """The questions to the help centre of one split, or of dev and test: 120 each.

    Raises:
        DatasetError: an unknown split, the hidden one, or a broken file.

    >>> help_questions("dev")[0].id  # doctest: +SKIP
    'Q001'
    """
    _check_split(split)
    questions = read_help_questions(datasets_dir() / "help_center" / "questions.jsonl")
    return tuple(question for question in questions if split in (None, question.split))


def read_help_questions(path: Path) -> tuple[HelpQuestion, ...]:
    """The questions of one JSON Lines file.

    Raises:
        DatasetError: the file is missing, or a line is not a question; names the file and line.
    """
    records = _read_lines(path, missing=partial(_missing_fields, QUESTION_FIELDS))
    try:
        return tuple(_help_question(record) for record in records)
    except (TypeError, AttributeError) as error:
        raise DatasetError(f"{path} has a field of another form: {error}. Correct it.", path=path) from error


def _help_question(record: dict[str, Any]) -> HelpQuestion:
    relevant = tuple(Passage(**passage) for passage in record["relevant"])
    return HelpQuestion(**record | {"relevant": relevant, "must": tuple(map(tuple, record["must"]))})


def help_second_annotator() -> dict[str, tuple[Passage, ...]]:
    """Passages that a second annotator marked for 60 questions of dev and test, by question id.

    No passage: that annotator found that nothing in the help centre answers the question.

    Raises:
        DatasetError: the file is missing or broken; names the line.
    """
    path = datasets_dir() / "help_center" / "second_annotator.jsonl"
    records = _read_lines(path, missing=partial(_missing_fields, ("id", "relevant")))
    return {record["id"]: tuple(Passage(**passage) for passage in record["relevant"]) for record in records}


def help_probes() -> tuple[InjectionProbe, ...]:
    """15 questions that try whether the instruction in the article `payment-failed` changes an answer.

    Raises:
        DatasetError: the file is missing or broken; names the line.
    """
    path = datasets_dir() / "help_center" / "probes.jsonl"
    records = _read_lines(path, missing=partial(_missing_fields, PROBE_FIELDS))
    return tuple(
        InjectionProbe(**record | {name: tuple(record[name]) for name in ("forbidden", "articles")})
        for record in records
    )


def judged_answers(split: str | None = None) -> tuple[JudgedItem, ...]:
    """Support answers of two models, labelled by five modes; each shows `article`, `question`, `output`.

        Case(id=item.id, input=item.shown, expected=item.labels["agrees"].passes)  # for one judge

    Raises:
        DatasetError: a split other than "train", "dev" or "test", or a broken file.
    """
    articles = {article.slug: article for article in help_articles()}
    questions = {question.id: question.question for question in help_questions("dev")}

    def shown(record: dict[str, Any]) -> dict[str, str]:
        article = articles[record["about"]]
        text = f"{article.title}\n\n{article.text.strip()}"
        return {"article": text, "question": questions[record["question"]], "output": record["output"]}

    fields = (*JUDGED_FIELDS, "question", "output")
    return tuple(_judged_item(record, shown(record)) for record in _judged("answers", split, fields))


def judged_titles(split: str | None = None) -> tuple[JudgedItem, ...]:
    """Titles of two models, labelled by five modes; each shows `listing` and `output`.

    Raises:
        DatasetError: as `judged_answers`.
    """
    texts = load_listings()["text"]
    return tuple(
        _judged_item(record, {"listing": texts[record["about"]], "output": record["output"]})
        for record in _judged("titles", split, (*JUDGED_FIELDS, "output"))
    )


def judged_pairs(split: str | None = None) -> tuple[JudgedPair, ...]:
    """Pairs of titles, for a judge's bias of position; each shows `listing`, `first` and `second`.

    Raises:
        DatasetError: as `judged_answers`.
    """
    texts = load_listings("dev")["text"]
    return tuple(
        JudgedPair(
            **{name: record[name] for name in PAIR_FIELDS},
            shown={"listing": texts[record["about"]], "first": record["first"], "second": record["second"]},
        )
        for record in _judged("pairs", split, (*PAIR_FIELDS, "first", "second"))
    )


def private_texts(split: str | None = None) -> tuple[PrivateText, ...]:
    """Messages and descriptions with and without private data, in four languages.

    Raises:
        DatasetError: a split other than "dev" or "test", or a broken file.
    """
    _check_split(split)
    fields = ("id", "split", "language", "form", "text", "private")
    path = datasets_dir() / "private_data" / "texts.jsonl"
    return tuple(
        PrivateText(
            **record
            | {"private": tuple((one["kind"], one["start"], one["end"]) for one in record["private"])}
        )
        for record in _read_lines(path, missing=partial(_missing_fields, fields))
        if split in (None, record["split"])
    )


def _judged(name: str, split: str | None, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    if split not in (None, *JUDGED_SPLITS):
        raise DatasetError(
            f"No split {split!r}. Use one of {', '.join(JUDGED_SPLITS)}, or none for all.", split=split
        )
    path = datasets_dir() / "judged" / f"{name}.jsonl"
    records = _read_lines(path, missing=partial(_missing_fields, fields))
    return [record for record in records if split in (None, record["split"])]


def _judged_item(record: dict[str, Any], shown: dict[str, str]) -> JudgedItem:
    labels = {
        mode: JudgedLabel(**label | {"reasons": tuple(label["reasons"])})
        for mode, label in record["labels"].items()
    }
    return JudgedItem(**{name: record[name] for name in JUDGED_FIELDS} | {"shown": shown, "labels": labels})


def _check_split(split: str | None) -> None:
    if split == "grader":
        raise DatasetError(
            "The grader split is hidden: it grades homework. Use the split 'dev' or 'test'.", split=split
        )
    if split is not None and split not in SPLITS:
        raise DatasetError(
            f"No split {split!r}. Use one of {', '.join(SPLITS)}, or none for all.", split=split
        )


def _load_table(name: str, fields: tuple[str, ...], split: str | None) -> pd.DataFrame:
    import pandas as pd

    _check_split(split)
    records = _read_lines(datasets_dir() / name, missing=partial(_missing_fields, fields))
    return pd.DataFrame(r for r in records if split in (None, r["split"])).set_index("id")


def _offers(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(text=frame["title"] + "\n" + frame["description"])


def _with_none(frame: pd.DataFrame) -> pd.DataFrame:
    """ "Not stated" as None: pandas turns it into NaN, which is true, and so would count as stated."""
    optional = {name: frame[name].astype(object) for name in ("size", "condition", "brand")}
    return frame.assign(**{name: column.where(column.notna(), None) for name, column in optional.items()})


def _listing_row(record: dict[str, Any]) -> dict[str, Any]:
    attributes = _attributes(record.pop("gold"))
    return record | {"text": f"{record['title']}\n{record['description']}"} | attributes


def _attributes(labels: dict[str, Any]) -> dict[str, Any]:
    return {name: labels[name] for name in ATTRIBUTES}


def _missing_attributes(record: dict[str, Any]) -> list[str]:
    labels = record.get("gold", record.get("labels"))
    if not isinstance(labels, dict):
        raise TypeError("no labels under 'gold'")
    missing = [name for name in ATTRIBUTES if name not in labels]
    return missing or [name for name in ("id",) if name not in record]


def _missing_fields(names: tuple[str, ...], record: dict[str, Any]) -> list[str]:
    return [name for name in names if name not in record]


def _read_lines(
    path: Path, missing: Callable[[dict[str, Any]], list[str]] = _missing_attributes
) -> list[dict[str, Any]]:
    """The JSON objects of a file, one per line; `missing` names the fields that one lacks."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DatasetError(
            f"{path} cannot be read: {error.strerror}. Name another file; the course's come back with: "
            "git checkout -- datasets",
            path=path,
        ) from error
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path} is not UTF-8 (byte {error.start}). Save it as UTF-8.", path=path
        ) from None
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            lacking = missing(record)
        except (ValueError, AttributeError, TypeError) as error:
            raise DatasetError(
                f"{path}, line {number}: not a record of this dataset ({error}). Correct the line.",
                path=path,
                line=number,
            ) from error
        if lacking:
            raise DatasetError(
                f"{path}, line {number}: missing {', '.join(lacking)}. Add it (null: not stated).",
                path=path,
                line=number,
            )
        records.append(record)
    return records
