"""Sellers, listings, proposals and photos in the product's SQLite file.

Every change is one transaction, so that a killed process leaves a draft or a published listing and nothing
between. Publishing is idempotent: the second time finds the listing published and changes nothing.
Keys that a text contains are masked before it is stored. Not handled: deleting, and changing what is
published.
"""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aicourse.llm.keys import masked
from aicourse.marketplace.app.uploads import UploadedPhoto
from aicourse.marketplace.extraction.attributes import ListingAttributes
from aicourse.monitoring.feedback import record_published
from aicourse.monitoring.span_store import MIGRATIONS as MONITORING
from aicourse.sqlite import database

MIGRATIONS = Path(__file__).parent / "migrations"
PAGE = 24  # listings on a page
_MOST_WORDS = 8  # of a search
_LISTS = ("colours", "materials")

Problem = Literal["down", "slow", "over budget", "no use"]

_LISTING = """
    SELECT listings.*, sellers.name AS seller_name, photos.width, photos.height
    FROM listings JOIN sellers USING (seller_id) LEFT JOIN photos USING (listing_id)"""


@dataclass(frozen=True, slots=True)
class Listing:
    """A thing for sale; `attributes` is None in a draft, `photo_size` (width, height) where there is none."""

    listing_id: str
    seller_id: str
    seller_name: str
    is_published: bool
    title: str
    description: str
    price_eur: float | None
    attributes: ListingAttributes | None
    created_ns: int
    published_ns: int | None
    photo_size: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Draft:
    """The content of the first form: what a seller says of a thing, and shows.

    `key` is the form's own, `client` the version of the page that sent it, `photo` the upload as it came.
    """

    seller_id: str
    key: str
    title: str
    description: str
    price_eur: float | None = None
    client: str = ""
    photo: bytes = b""

    @property
    def text(self) -> str:
        """The words for the model."""
        return f"{self.title}\n{self.description}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """The model's work on a draft: under way, ended with attributes, or ended with a problem."""

    listing_id: str
    problem: Problem | None
    is_working: bool
    attributes: Mapping[str, Any]
    unsure: Mapping[str, str]
    trace_id: str | None


class Store:
    """The marketplace's tables in the file at `path`; safe to use from many threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle, self._is_closed = [database(path, "marketplace", MIGRATIONS)], False
        database(path, "monitoring", MONITORING).close()  # feedback comes with a listing

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that no other thread has."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = database(self.path, "marketplace", MIGRATIONS)
        try:
            yield connection
        finally:
            self._idle.append(connection)
            if self._is_closed:  # a worker's, which was under way
                self.close()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """A connection in one transaction: all of it is stored, or nothing."""
        with self.reading() as connection, connection:
            yield connection

    @property
    def exposures(self) -> Path:
        """The log of who met which variant of an experiment, beside the database."""
        return self.path.with_suffix(".exposures.jsonl")

    def close(self) -> None:
        """Close the connections that nobody uses; each of the others closes when its work is done."""
        self._is_closed = True
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def add_draft(self, draft: Draft, photo: UploadedPhoto | None = None) -> tuple[str, bool]:
        """The id of the listing that came with this form, and if it is new: a form may be sent twice."""
        with self.changing() as connection:
            now, seller, key = time.time_ns(), draft.seller_id, draft.key
            texts = masked(draft.title), masked(draft.description)
            connection.execute("INSERT OR IGNORE INTO sellers VALUES (?, '', ?)", (seller, now))
            is_new = connection.execute(
                "INSERT OR IGNORE INTO listings "
                "(listing_id, seller_id, form_key, title, description, price_eur, created_ns) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (new_id(), seller, key, *texts, draft.price_eur, now),
            ).rowcount
            query = "SELECT listing_id FROM listings WHERE seller_id = ? AND form_key = ?"
            (listing_id,) = connection.execute(query, (seller, key)).fetchone()
            if is_new and photo:
                values = (listing_id, photo.width, photo.height, photo.small, photo.large)
                connection.execute("INSERT INTO photos VALUES (?, ?, ?, ?, ?)", values)
        return listing_id, bool(is_new)

    def listing(self, listing_id: str, seller_id: str | None) -> Listing | None:
        """A listing that this seller may see: published, or their own draft."""
        with self.reading() as connection:
            query = f"{_LISTING} WHERE listing_id = ? AND (status = 'published' OR seller_id = ?)"
            row = connection.execute(query, (listing_id, seller_id)).fetchone()
        return _listing(row) if row else None

    def listings_of(self, seller_id: str) -> list[Listing]:
        """A seller's drafts and published listings, the newest first."""
        with self.reading() as connection:
            query = f"{_LISTING} WHERE seller_id = ? ORDER BY created_ns DESC LIMIT 200"
            return [_listing(row) for row in connection.execute(query, (seller_id,))]

    def published(self, words: str = "", category: str = "", before: str = "") -> list[Listing]:
        """A page of published listings, the newest first, with one more where there is a next page.

        `before` is the last listing of the page before.

        All `words` occur, each at least as the beginning of one; whatever they contain is no query language.
        """
        conditions, values = ["status = 'published'"], list[str]()
        if asked := re.findall(r"\w+", words)[:_MOST_WORDS]:
            conditions.append("number IN (SELECT rowid FROM search WHERE search MATCH ?)")
            values.append(" ".join(f'"{word}"*' for word in asked))
        if category:
            conditions.append("category = ?")
            values.append(category)
        if before:  # two may have been published at the same moment
            place = "SELECT published_ns, number FROM listings WHERE listing_id = ? AND status = 'published'"
            conditions.append(f"(published_ns, number) < ({place})")
            values.append(before)
        order = f"ORDER BY published_ns DESC, number DESC LIMIT {PAGE + 1}"
        query = f"{_LISTING} WHERE {' AND '.join(conditions)} {order}"
        with self.reading() as connection:
            return [_listing(row) for row in connection.execute(query, values)]

    def photo(self, listing_id: str, seller_id: str | None, size: Literal["small", "large"]) -> bytes | None:
        """The JPEG of a listing that this seller may see."""
        query = (
            f"SELECT {size} FROM photos JOIN listings USING (listing_id) "
            "WHERE listing_id = ? AND (status = 'published' OR seller_id = ?)"
        )
        with self.reading() as connection:
            row = connection.execute(query, (listing_id, seller_id)).fetchone()
        return bytes(row[0]) if row else None

    def publish(self, listing: Listing, name: str, attributes: ListingAttributes) -> bool:
        """Publish a draft under its seller's name; False if it is published already, with other attributes.

        The seller's corrections are stored with it: what was proposed for each field, and what is published.
        """
        stated = attributes.model_dump()
        stated |= {field: masked(stated[field]) for field in ("size", "brand") if stated[field]}
        columns = [json.dumps(value) if field in _LISTS else value for field, value in stated.items()]
        assigned = ", ".join(f"{field} = ?" for field in stated)
        proposal = self.proposal(listing.listing_id)
        with self.changing() as connection:
            changed = connection.execute(
                f"UPDATE listings SET status = 'published', published_ns = ?, {assigned} "
                "WHERE listing_id = ? AND seller_id = ? AND status = 'draft'",
                (time.time_ns(), *columns, listing.listing_id, listing.seller_id),
            ).rowcount
            if not changed:
                query = f"{_LISTING} WHERE listing_id = ? AND seller_id = ?"
                row = connection.execute(query, (listing.listing_id, listing.seller_id)).fetchone()
                return row is not None and _listing(row).attributes == ListingAttributes(**stated)
            connection.execute(
                "INSERT INTO search (rowid, title, description, attributes) "
                "SELECT number, title, description, ? FROM listings WHERE listing_id = ?",
                (_words_of(stated), listing.listing_id),
            )
            connection.execute(
                "UPDATE sellers SET name = ? WHERE seller_id = ?", (masked(name), listing.seller_id)
            )
            if proposal:
                record_published(
                    connection,
                    proposal.trace_id,
                    listing_id=listing.listing_id,
                    seller_id=listing.seller_id,
                    proposed=proposal.attributes or None,
                    published=stated,
                )
        return True

    def begin_proposal(self, listing_id: str, seconds: float) -> None:
        """Note that a model works on a draft, and until when its answer counts."""
        now = time.time_ns()
        with self.changing() as connection:
            connection.execute(
                "INSERT INTO proposals (listing_id, state, started_ns, deadline_ns) "
                "VALUES (?, 'working', ?, ?)",
                (listing_id, now, now + int(seconds * 1e9)),
            )

    def end_proposal(
        self, listing_id: str, attributes: Mapping[str, Any], unsure: Mapping[str, str], trace_id: str | None
    ) -> None:
        """Store what the model proposed, if its time is not over and nobody published without it."""
        texts = masked(json.dumps(attributes)), masked(json.dumps(unsure))
        now = time.time_ns()
        with self.changing() as connection:
            connection.execute(
                "UPDATE proposals "
                "SET state = 'ready', attributes = ?, unsure = ?, trace_id = ?, finished_ns = ? "
                "WHERE listing_id = ? AND state = 'working' AND deadline_ns > ? "
                "AND listing_id IN (SELECT listing_id FROM listings WHERE status = 'draft')",
                (*texts, trace_id, now, listing_id, now),
            )

    def fail_proposal(
        self, listing_id: str, problem: Problem, detail: str, trace_id: str | None = None
    ) -> None:
        """Note why there is no proposal."""
        with self.changing() as connection:
            connection.execute(
                "UPDATE proposals "
                "SET state = 'failed', problem = ?, detail = ?, finished_ns = ?, trace_id = ? "
                "WHERE listing_id = ? AND state = 'working'",
                (problem, masked(detail)[:500], time.time_ns(), trace_id, listing_id),
            )

    def proposal(self, listing_id: str) -> Proposal | None:
        """The proposal for a draft; None where no model was asked. After its time limit it has failed."""
        with self.reading() as connection:
            query = "SELECT * FROM proposals WHERE listing_id = ?"
            row = connection.execute(query, (listing_id,)).fetchone()
        if row is None:
            return None
        late = row["state"] == "working" and row["deadline_ns"] <= time.time_ns()
        return Proposal(
            listing_id=listing_id,
            problem="slow" if late else row["problem"],
            is_working=row["state"] == "working" and not late,
            attributes=json.loads(row["attributes"] or "{}"),
            unsure=json.loads(row["unsure"] or "{}"),
            trace_id=row["trace_id"],
        )


def new_id() -> str:
    """An id that nobody can guess, for whoever has no account to log into."""
    return secrets.token_urlsafe(16)


def _words_of(stated: Mapping[str, Any]) -> str:
    """The attributes as words that buyers search for."""
    values = [value for field in stated for value in _as_list(stated[field])]
    return " ".join(value.replace("_", " ") for value in values)


def _as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _listing(row: sqlite3.Row) -> Listing:
    attributes = None
    if row["category"] is not None:
        stated = {field: row[field] for field in ListingAttributes.model_fields}
        attributes = ListingAttributes(**stated | {field: json.loads(stated[field]) for field in _LISTS})
    return Listing(
        listing_id=row["listing_id"],
        seller_id=row["seller_id"],
        seller_name=row["seller_name"],
        is_published=row["status"] == "published",
        title=row["title"],
        description=row["description"],
        price_eur=row["price_eur"],
        attributes=attributes,
        created_ns=row["created_ns"],
        published_ns=row["published_ns"],
        photo_size=(row["width"], row["height"]) if row["width"] else None,
    )
