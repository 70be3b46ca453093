"""A simulated fortnight of production: real replies, simulated sellers, planted incidents.

Given are listings with gold labels, and what the model really answered to each, by prompt version and to
the whole or the truncated text (`Reply`). `simulate` draws who comes when, which version they meet, what
fails and what they do; a seller corrects a field only where it is wrong by the gold labels. `store` writes
what monitoring would have seen: spans and feedback. Parameters are data (`traffic.yaml`).

Incidents lie where a seed puts them. That of a student's fortnight is made with the instructor's salt
(`seed_of`), so that this file, which everybody may read, does not tell where they lie.
Not handled: sellers who learn, and weekdays on which other things are sold.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from aicourse import paths
from aicourse.datasets import ATTRIBUTES, read_listings
from aicourse.errors import DatasetError
from aicourse.marketplace.sizes import compare_sizes
from aicourse.monitoring.feedback import as_kept
from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.sqlite import database

INCIDENTS = ("costly_prompt", "truncating_client", "new_kind", "outage", "festival")
_HOUR_NS = 3_600 * 10**9
_MILLION = 1e6
_REQUEST_COLUMNS = (
    "started_ns", "seconds", "seller", "client", "listing", "prompt_version", "truncated", "error",
    "cached_tokens", "published", "corrected", "thumb",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of the model to one listing: `proposal` is None if the reply did not fit the schema.

    `truncated` says if the text was; `characters` is its length, `seconds` the recorded latency.
    """

    listing: str
    prompt_version: str
    truncated: bool
    proposal: dict[str, Any] | None
    characters: int
    input_tokens: int
    output_tokens: int
    seconds: float

    @property
    def key(self) -> tuple[str, str, bool]:
        """The three that tell replies apart."""
        return self.listing, self.prompt_version, self.truncated

    def wrong_fields(self, gold: Mapping[str, Any]) -> list[str]:
        """The fields that a seller who looks would correct."""
        proposal = self.proposal or gold
        return [name for name in ATTRIBUTES if is_wrong(name, proposal[name], gold[name])]


@dataclass(frozen=True)
class Incident:
    """One planted incident and the hours, from the start of the fortnight, in which it lasts."""

    name: str
    start: int
    end: int


@cache
def parameters() -> Mapping[str, Any]:
    """The parameters of the simulation, from `traffic.yaml`."""
    values: Mapping[str, Any] = yaml.safe_load(
        Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    )
    return values


def read_replies(path: Path) -> list[Reply]:
    """The replies of a JSON Lines file.

    Raises:
        DatasetError: the file is missing, or a line is no reply.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Reply(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(
            f"{path}: not a file of replies ({error}). Restore it with: git checkout -- datasets", path=path
        ) from error


def seed_of(student: str, salt: str) -> bytes:
    """The seed of a student's fortnight; without the secret salt nobody can compute it."""
    return hmac.digest(salt.encode(), student.encode(), "sha256")


def place_incidents(seed: bytes, names: Sequence[str] = INCIDENTS) -> list[Incident]:
    """The incidents in the order of time, each on a day of its own."""
    stream, plan = _stream(seed, "incidents"), parameters()["incidents"]
    days = stream.permutation(plan["slots"])
    found = []
    for day, name in zip(days, INCIDENTS, strict=True):
        first, last = plan[name]["starts"]
        start = 24 * int(day) + int(stream.randint(first, last + 1))
        found.append(Incident(name, start, start + plan[name]["hours"]))
    return sorted((one for one in found if one.name in names), key=lambda one: one.start)


def simulate(
    listings: pd.DataFrame, replies: Sequence[Reply], seed: bytes, incidents: Sequence[Incident] = ()
) -> pd.DataFrame:
    """The requests of a fortnight, in the order of time; the columns are those that `store` takes.

    Raises:
        DatasetError: a reply that is needed is not among the replies.
    """
    stream, given = _stream(seed, "traffic"), parameters()
    plan, hour, during = given["incidents"], *_arrivals(stream, incidents)
    count = len(hour)
    first_ns = pd.Timestamp(given["start"]).value
    started = np.sort(first_ns + ((hour + stream.random_sample(count)) * _HOUR_NS).astype(np.int64))
    seller = stream.randint(given["sellers"], size=count)
    shares = list(given["clients"].values())
    client = stream.choice(list(given["clients"]), p=shares, size=given["sellers"])[seller].astype(object)
    truncated = during["truncating_client"] & (client == plan["truncating_client"]["client"])
    client[truncated] = plan["truncating_client"]["becomes"]
    names = listings.index.to_numpy()
    usual, new = names[names < given["new_kind_from"]], names[names >= given["new_kind_from"]]
    is_new = during["new_kind"] & (stream.random_sample(count) < plan["new_kind"]["share"])
    listing = np.where(is_new, stream.choice(new, size=count), stream.choice(usual, size=count))
    costly = during["costly_prompt"]
    version = np.where(costly, plan["costly_prompt"]["prompt_version"], given["prompt_version"])
    met = _met(listings, replies, listing, version, truncated)
    rate = np.where(during["outage"], plan["outage"]["failed"], given["failed"])
    failed = stream.random_sample(count) < rate
    hit = (stream.random_sample(count) < given["cache_hit"]) & ~costly & ~failed
    latency = np.where(failed, 0.5, met["seconds"]) * stream.lognormal(0, given["spread"], size=count)
    never = (stream.random_sample(given["sellers"]) < given["sellers_of"]["never_corrects"])[seller]
    shown = ~failed & met["valid"].to_numpy()
    requests = pd.DataFrame(
        {
            "started_ns": started,
            "seconds": latency.round(3),
            "seller": [f"s{number:04}" for number in seller],
            "client": client,
            "listing": listing,
            "prompt_version": version,
            "truncated": truncated,
            "error": np.where(failed, given["error"], ""),
            "cached_tokens": np.where(hit, given["cached"] * met["input_tokens"], 0).astype(int),
        }
    )
    return requests.join(_reactions(stream, met[list(ATTRIBUTES)].to_numpy(), shown, never))


def _arrivals(
    stream: np.random.RandomState, incidents: Sequence[Incident]
) -> tuple[np.ndarray[Any, Any], dict[str, np.ndarray[Any, Any]]]:
    """The hour of each request, from the start on, and for each incident if the request falls into it."""
    given = parameters()
    lasts = {name: np.zeros(24 * given["days"], dtype=bool) for name in INCIDENTS}
    for incident in incidents:
        lasts[incident.name][incident.start : incident.end] = True
    expected = np.outer(np.resize(given["weekdays"], given["days"]), given["hours"]).ravel()
    expected *= given["requests"] / expected.sum()
    expected[lasts["festival"]] *= given["incidents"]["festival"]["traffic"]
    hour = np.repeat(np.arange(len(expected)), stream.poisson(expected))
    return hour, {name: marked[hour] for name, marked in lasts.items()}


def _stream(seed: bytes, purpose: str) -> np.random.RandomState:
    """Random numbers that are the same with every version of numpy, of all the seed's bits."""
    words = hashlib.sha256(purpose.encode() + seed).digest()
    return np.random.RandomState(np.frombuffer(words, dtype="<u4"))


def _met(listings: pd.DataFrame, replies: Sequence[Reply], *columns: np.ndarray[Any, Any]) -> pd.DataFrame:
    """The reply that each request meets: tokens, seconds, `valid`, and for each field if it is wrong."""
    known = {reply.key: place for place, reply in enumerate(replies)}
    try:
        places = [known[key] for key in zip(*columns, strict=True)]
    except KeyError as error:
        raise DatasetError(
            f"No reply for (listing, prompt version, truncated) {error}. Record it, then simulate again."
        ) from error
    gold = _gold(listings)
    rows = [
        {
            "seconds": reply.seconds,
            "input_tokens": reply.input_tokens,
            "valid": reply.proposal is not None,
            **{name: name in reply.wrong_fields(gold[reply.listing]) for name in ATTRIBUTES},
        }
        for reply in replies
    ]
    return pd.DataFrame(rows).iloc[places].reset_index(drop=True)


def _gold(listings: pd.DataFrame) -> dict[Any, dict[Any, Any]]:
    """The right attributes, by listing."""
    return listings[list(ATTRIBUTES)].to_dict("index")


def is_wrong(field: str, proposed: Any, gold: Any) -> bool:
    """True if a seller who looks would correct the value; order, capitals and units make no difference.

    >>> is_wrong("colours", ["red", "blue"], ["blue", "red"]), is_wrong("size", "1 m", "100 cm")
    (False, False)
    """
    if field == "size" and proposed is not None and gold is not None:
        return compare_sizes(proposed, gold)[0] < 1
    return as_kept(proposed).casefold() != as_kept(gold).casefold()


def _reactions(
    stream: np.random.RandomState,
    wrong: np.ndarray[Any, Any],
    shown: np.ndarray[Any, Any],
    never: np.ndarray[Any, Any],
) -> pd.DataFrame:
    """The sellers' side of each request: published or not, fields corrected, a thumb or 0."""
    given, count = parameters()["sellers_of"], len(wrong)
    mistakes = wrong.sum(axis=1)
    publishes = np.where(shown, given["publishes"] - given["loses"] * mistakes, given["publishes_by_hand"])
    published = stream.random_sample(count) < publishes
    rates = [given["corrects"][name] for name in ATTRIBUTES]
    corrects = wrong & (stream.random_sample(wrong.shape) < rates) & (published & shown & ~never)[:, None]
    up = stream.random_sample(count) < np.clip(given["up"] - given["up_loses"] * mistakes, 0.02, 1)
    thumbs = shown & (stream.random_sample(count) < given["thumbs"])
    fields = np.array(ATTRIBUTES)
    return pd.DataFrame(
        {
            "published": published,
            "corrected": [" ".join(fields[row]) for row in corrects],
            "thumb": np.where(thumbs, np.where(up, 1, -1), 0),
        }
    )


def store(
    connection: sqlite3.Connection, requests: pd.DataFrame, replies: Sequence[Reply], listings: pd.DataFrame
) -> None:
    """Write the spans and the feedback of the requests, in one transaction.

    The spans carry the listing's id, so that a text which came more than once can be told.
    """
    known = {reply.key: (reply, _kept(reply.proposal)) for reply in replies}
    gold = {name: _kept(row) for name, row in _gold(listings).items()}
    rows: Iterable[Any] = requests[list(_REQUEST_COLUMNS)].itertuples(index=False)
    spans: list[tuple[Any, ...]] = []
    thumbs: list[tuple[Any, ...]] = []
    fields: list[tuple[Any, ...]] = []
    for number, row in enumerate(rows):
        trace = hashlib.blake2b(f"{number} {row.started_ns}".encode(), digest_size=16).hexdigest()
        reply, kept = known[(row.listing, row.prompt_version, row.truncated)]
        spans += _spans(row, trace, reply)
        at, listing_id = row.started_ns + int((row.seconds + 60) * 1e9), f"{row.listing}-{number}"
        if row.thumb:
            thumbs.append(
                (trace, listing_id if row.published else None, row.seller, "explicit", row.thumb, at)
            )
        if row.published:
            corrected = row.corrected.split()
            for name, right in gold[row.listing].items():
                before = None if row.error else kept.get(name)
                after = right if before is None or name in corrected else before
                fields.append((trace, listing_id, row.seller, "implicit", name, before, after, at))
    with connection:
        _insert(connection, "spans", _SPAN_COLUMNS, spans)
        names = "trace_id, listing_id, seller_id, kind"
        _insert(connection, "feedback", f"{names}, thumb, given_ns", thumbs)
        _insert(connection, "feedback", f"{names}, field, proposed, published, given_ns", fields)


def _kept(values: Mapping[str, Any] | None) -> dict[str, str]:
    """The six fields as feedback keeps them; none without a proposal."""
    return {} if values is None else {name: as_kept(values[name]) for name in ATTRIBUTES}


_SPAN_COLUMNS = (
    "span_id, trace_id, parent_id, name, started_ns, seconds, status, error_type, operation, model, prompt, "
    "prompt_version, input_tokens, cached_tokens, output_tokens, cost_usd, client, category, valid, "
    "empty_fields, attributes, events"
)


def _spans(row: Any, trace: str, reply: Reply) -> list[tuple[Any, ...]]:
    """The span of a request, and below it that of the call."""
    proposal = None if row.error else reply.proposal
    model, prices = parameters()["model"], parameters()["prices"]
    ends = ("error", row.error) if row.error else ("ok", None)
    prompt = ("extract_listing", row.prompt_version)
    tokens: tuple[Any, ...] = (None, None, None, None)
    if not row.error:
        buckets = {
            "uncached": reply.input_tokens - row.cached_tokens,
            "cached": row.cached_tokens,
            "output": reply.output_tokens,
        }
        cost = sum(count * prices[name] for name, count in buckets.items()) / _MILLION
        tokens = (reply.input_tokens, row.cached_tokens, reply.output_tokens, cost)
    valid = None if row.error else int(proposal is not None)
    empty = None if proposal is None else sum(proposal[name] in (None, []) for name in ATTRIBUTES)
    category = None if proposal is None else proposal["category"]
    facts = {"aicourse.listing.id": row.listing, "aicourse.listing.characters": reply.characters}
    nothing: tuple[Any, ...] = (None,) * 4
    return [
        (
            *(trace[:16], trace, None, "propose", row.started_ns, row.seconds, *ends, None, None, *prompt),
            *(*nothing, row.client, category, valid, empty, json.dumps(facts), "[]"),
        ),
        (
            *(trace[16:], trace, trace[:16], f"chat {model}", row.started_ns + 10**6, row.seconds - 0.002),
            *(*ends, "chat", model, *prompt, *tokens, None, None, None, None, "{}", "[]"),
        ),
    ]


def _insert(connection: sqlite3.Connection, table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * len(columns.split(",")))
    connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


def load_production() -> Path:
    """The database of the course's fortnight (`datasets/production`), built in the cache if it is not there.

    Copy it before you write to it: all lessons read the same file.

    Raises:
        DatasetError: a file of the dataset is missing or broken.
    """
    folder = paths.datasets_dir() / "production"
    sources = [folder / "requests.csv", folder / "replies.jsonl", folder / "listings.jsonl"]
    missing = [path for path in sources if not path.is_file()]
    if missing:
        raise DatasetError(
            f"No file {missing[0]}. Restore it with: git checkout -- datasets", path=missing[0]
        )
    made_of = hashlib.sha256(Path(__file__).read_bytes())
    for path in [*sources, *sorted(MIGRATIONS.glob("*.sql"))]:
        made_of.update(path.read_bytes())
    target = paths.cache_dir() / f"production-{made_of.hexdigest()[:12]}.db"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            made = Path(scratch) / target.name
            connection = database(made, "monitoring", MIGRATIONS)
            store(connection, read_requests(sources[0]), read_replies(sources[1]), read_listings(sources[2]))
            connection.close()  # which also empties the write-ahead log into the file
            os.replace(made, target)
    return target


def read_requests(path: Path) -> pd.DataFrame:
    """The requests in a CSV file that `requests.to_csv(path, index=False)` wrote."""
    types = {"prompt_version": str, "error": str, "corrected": str}
    frame = pd.read_csv(path, dtype=types, keep_default_na=False)
    if list(frame.columns) != list(_REQUEST_COLUMNS):
        raise DatasetError(
            f"{path}: not the requests of a fortnight. Restore it with: git checkout -- datasets"
        )
    return frame
