"""A simulated fortnight of production: real replies, simulated sellers, planted incidents.

Given are listings with gold labels, and what the model really answered to each, by prompt version and to
the whole or the truncated text (`Reply`). `simulate` draws who comes when, which version they meet, what
fails and what they do; a seller corrects a field only where it is wrong by the gold labels, and sometimes
slips: the new value is wrong as well. `store` writes what monitoring would have seen: spans and feedback.
Parameters are data (`traffic.yaml`).

Incidents lie where a seed puts them. That of a student's fortnight is made with the instructor's salt
(`seed_of`), so that this file, which everybody may read, does not tell where they lie.
Not handled: sellers who learn or spoil what was right; weekdays on which other things are sold.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from aicourse.datasets import ATTRIBUTES
from aicourse.errors import DatasetError
from aicourse.marketplace.sizes import compare_sizes
from aicourse.monitoring.feedback import as_kept
from aicourse.monitoring.span_store import COLUMNS, INSERT_SPAN

INCIDENTS = ("costly_prompt", "truncating_client", "new_kind", "outage", "festival")
PARAMETERS = Path(__file__).with_suffix(".yaml")
_HOUR_NS = 3_600 * 10**9
_INSERT_FEEDBACK = """
    INSERT INTO feedback
        (trace_id, listing_id, seller_id, kind, thumb, field, proposed, published, given_ns)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
REQUEST_COLUMNS = (
    "started_ns", "seconds", "seller", "client", "listing", "prompt_version", "truncated", "error",
    "cached_tokens", "published", "corrected", "slips", "thumb",
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


@dataclass(frozen=True)
class Incident:
    """One planted incident and the hours, from the start of the fortnight, in which it lasts."""

    name: str
    start: int
    end: int


@cache
def parameters() -> Mapping[str, Any]:
    """The parameters of the simulation, from `traffic.yaml`."""
    values: Mapping[str, Any] = yaml.safe_load(PARAMETERS.read_text(encoding="utf-8"))
    return values


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
    places = _places(replies, zip(*columns, strict=True))
    gold = listings[list(ATTRIBUTES)].to_dict("index")
    rows = [
        {
            "seconds": reply.seconds,
            "input_tokens": reply.input_tokens,
            "valid": reply.proposal is not None,
            **{name: is_wrong(name, (reply.proposal or own)[name], own[name]) for name in ATTRIBUTES},
        }
        for reply in replies
        for own in [gold[reply.listing]]
    ]
    return pd.DataFrame(rows).iloc[places].reset_index(drop=True)


def _places(replies: Sequence[Reply], keys: Iterable[tuple[str, str, bool]]) -> list[int]:
    """The places of the replies of these listings, prompt versions and texts."""
    known = {reply.key: place for place, reply in enumerate(replies)}
    try:
        return [known[key] for key in keys]
    except KeyError as error:
        raise DatasetError(
            f"No reply for (listing, prompt version, truncated) {error}. Record it, then simulate again."
        ) from error


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
    """The sellers' side of each request: published or not, fields corrected, slips among them, a thumb."""
    given, count = parameters()["sellers_of"], len(wrong)
    mistakes = wrong.sum(axis=1)
    publishes = np.where(shown, given["publishes"] - given["loses"] * mistakes, given["publishes_by_hand"])
    published = stream.random_sample(count) < publishes
    rates = [given["corrects"][name] for name in ATTRIBUTES]
    corrects = wrong & (stream.random_sample(wrong.shape) < rates) & (published & shown & ~never)[:, None]
    slips = corrects & (stream.random_sample(wrong.shape) < given["slips"])
    up = stream.random_sample(count) < np.clip(given["up"] - given["up_loses"] * mistakes, 0.02, 1)
    thumbs = shown & (stream.random_sample(count) < given["thumbs"])
    fields = np.array(ATTRIBUTES)
    return pd.DataFrame(
        {
            "published": published,
            "corrected": [" ".join(fields[row]) for row in corrects],
            "slips": [" ".join(fields[row]) for row in slips],
            "thumb": np.where(thumbs, np.where(up, 1, -1), 0),
        }
    )


def store(
    connection: sqlite3.Connection, requests: pd.DataFrame, replies: Sequence[Reply], listings: pd.DataFrame
) -> None:
    """Write the spans and the feedback of the requests, in one transaction, as a data set that stays.

    The spans carry the listing's id, so that a text which came more than once can be told.

    Raises:
        DatasetError: a reply that is needed is not among the replies.
    """
    rows: list[Any] = list(requests.itertuples())
    places = _places(replies, ((row.listing, row.prompt_version, row.truncated) for row in rows))
    kept = [_kept(reply.proposal) for reply in replies]
    gold = {name: _kept(row) for name, row in listings[list(ATTRIBUTES)].to_dict("index").items()}
    spans: list[dict[str, Any]] = []
    feedback: list[tuple[Any, ...]] = []
    for number, (row, place) in enumerate(zip(rows, places, strict=True)):
        trace = hashlib.blake2b(f"{number} {row.started_ns}".encode(), digest_size=16).hexdigest()
        spans += _spans(row, trace, replies[place])
        at, listing_id = row.started_ns + int((row.seconds + 60) * 1e9), f"{row.listing}-{number}"
        if row.thumb:
            thumbed = listing_id if row.published else None
            feedback.append((trace, thumbed, row.seller, "explicit", row.thumb, None, None, None, at))
        if row.published:
            before = {} if row.error else kept[place]
            after = gold[row.listing] | before
            for name in row.corrected.split():
                after[name] = gold[row.listing][name]
            for name in row.slips.split():
                others = {one[name] for one in gold.values()} - {before[name], after[name]}
                after[name] = sorted(others)[number % len(others)]
            for name, value in after.items():
                told = (name, before.get(name), value, at)
                feedback.append((trace, listing_id, row.seller, "implicit", None, *told))
    newest = max((span["started_ns"] for span in spans), default=0)
    with connection:
        connection.executemany(INSERT_SPAN, spans)
        connection.executemany(_INSERT_FEEDBACK, feedback)
        connection.execute("INSERT OR REPLACE INTO data_sets VALUES ('fortnight', ?)", (newest,))


def _kept(values: Mapping[Any, Any] | None) -> dict[str, str]:
    """The six fields as feedback keeps them; none without a proposal."""
    return {} if values is None else {name: as_kept(values[name]) for name in ATTRIBUTES}


def _spans(row: Any, trace: str, reply: Reply) -> tuple[dict[str, Any], dict[str, Any]]:
    """The span of a request, and below it that of the call."""
    model, proposal = parameters()["model"], reply.proposal
    both = dict.fromkeys(COLUMNS) | {
        "trace_id": trace,
        "status": "error" if row.error else "ok",
        "error_type": row.error or None,
        "prompt": "extract_listing",
        "prompt_version": row.prompt_version,
        "attributes": "{}",
        "events": "[]",
    }
    facts = {"aicourse.listing.id": row.listing, "aicourse.listing.characters": reply.characters}
    request = both | {
        "span_id": trace[:16],
        "name": "propose",
        "started_ns": row.started_ns,
        "seconds": row.seconds,
        "client": row.client,
        "attributes": json.dumps(facts),
    }
    call = both | {
        "span_id": trace[16:],
        "parent_id": trace[:16],
        "name": f"chat {model}",
        "started_ns": row.started_ns + 10**6,
        "seconds": row.seconds - 0.002,
        "operation": "chat",
        "model": model,
    }
    if not row.error:
        request["valid"] = int(proposal is not None)
        call |= _tokens(reply, row.cached_tokens)
    if proposal and not row.error:
        request["category"] = proposal["category"]
        request["empty_fields"] = sum(proposal[name] in (None, []) for name in ATTRIBUTES)
    return request, call


def _tokens(reply: Reply, cached: int) -> dict[str, float]:
    """The tokens and the price of a call; cached tokens are a part of the input."""
    prices = parameters()["prices"]
    buckets = {"uncached": reply.input_tokens - cached, "cached": cached, "output": reply.output_tokens}
    return {
        "input_tokens": reply.input_tokens,
        "cached_tokens": cached,
        "output_tokens": reply.output_tokens,
        "cost_usd": sum(count * prices[name] for name, count in buckets.items()) / 1e6,
    }
