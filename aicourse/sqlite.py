"""The product's one SQLite file, brought up to date by numbered migrations when it is opened.

A component (`marketplace`, `monitoring`) has a folder of files `001_spans.sql`, `002_feedback.sql`, … They
are applied in order, each once and whole: the table `migrations` notes them with the hash of their text. A
file that has been applied is never changed again; the next one changes what it made.

    connection = database(path, "monitoring", Path(__file__).parent / "migrations")

Many processes may have the file open: readers never wait, writers wait for each other up to five seconds
(write-ahead log, https://sqlite.org/wal.html). Not handled: network file systems, which have no such log;
a migration that must switch foreign keys off; the way back to an older version.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from aicourse.errors import StoreError
from aicourse.suggestions import similar_file

BUSY_SECONDS = 5.0
_FILE_NAME = re.compile(r"([0-9]{3})_([a-z0-9_]+)\.sql")
_NOTES = """
    CREATE TABLE IF NOT EXISTS migrations (
        component TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,
        applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (component, number)
    )"""


@dataclass(frozen=True)
class Migration:
    """One file of a component's migrations."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """The hash of the text, the same whatever line ends the file has."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def statements(self) -> Iterator[str]:
        """The SQL statements, one by one."""
        statement = ""
        for line in self.text.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                yield statement
                statement = ""
        yield statement  # a comment at the end


def database(path: Path | str, component: str, migrations: Path, *, new: bool = True) -> sqlite3.Connection:
    """A connection to the file at `path`, with the component's tables up to date.

    They are made if they are not there; with `new=False` they must be: another file stays as it is.

    Rows are `sqlite3.Row`. `with connection:` is a transaction, which has the right to write from its first
    change on. Threads may share the connection one at a time: give each its own, or hold a lock.

    Raises:
        StoreError: no database or no such file, busy for too long, from a newer version of the course, or
            its migrations are not those in the folder.
    """
    known = _read_migrations(migrations)
    if not (new or Path(path).is_file()):
        raise StoreError(f"No database {path}.{similar_file(Path(path))} Check the path.", path=path)
    try:
        with ExitStack() as if_it_fails:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            if_it_fails.callback(connection.close)
            connection.row_factory = sqlite3.Row
            if not (new or _is_of(connection, component)):
                raise StoreError(
                    f"{path} is no {component} database. Give the path of another file.", path=path
                )
            _use_write_ahead_log(connection)
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(_NOTES)
            for migration in known[_applied(connection, component, known, path) :]:
                connection.execute("BEGIN IMMEDIATE")
                if _applied(connection, component, known, path) < migration.number:  # nobody else was faster
                    _apply(connection, component, migration)
                connection.execute("COMMIT")
            connection.isolation_level = "IMMEDIATE"
            if_it_fails.pop_all()
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"{path} cannot be opened as the {component} database: {error}. Close what else uses it and "
            "try again, or give the path of another file.",
            path=path,
        ) from error
    return connection


def _is_of(connection: sqlite3.Connection, component: str) -> bool:
    """True if the file has tables of the component."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    noted = "SELECT count(*) FROM migrations WHERE component = ?"
    return "migrations" in tables and connection.execute(noted, (component,)).fetchone()[0] > 0


def _read_migrations(folder: Path) -> list[Migration]:
    """The migrations in a folder, which must be numbered from 1 without a gap."""
    found = []
    for position, path in enumerate(sorted(folder.glob("*.sql")), start=1):
        parts = _FILE_NAME.fullmatch(path.name)
        if parts is None or int(parts[1]) != position:
            raise StoreError(
                f"{path} should be {position:03}_<name>.sql: number the files from 001, without a gap.",
                path=path,
            )
        found.append(Migration(position, parts[2], path.read_text(encoding="utf-8")))
    if not found:
        raise StoreError(f"There are no migrations in {folder}. Install the course anew.", path=folder)
    return found


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the file over, once; SQLite does not wait for a second process that does the same."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _applied(connection: sqlite3.Connection, component: str, known: list[Migration], path: Path | str) -> int:
    """The number of migrations that the file has, all of them known and unchanged."""
    query = "SELECT number, name, sha256 FROM migrations WHERE component = ? ORDER BY number"
    rows = connection.execute(query, (component,)).fetchall()
    if len(rows) > len(known):
        raise StoreError(
            f"{path} was written by a newer version of the course: its {component} tables have version "
            f"{len(rows)}, and this version knows {len(known)}. Update the course, or give another path.",
            path=path,
        )
    for row, migration in zip(rows, known, strict=False):
        if (row["number"], row["sha256"]) != (migration.number, migration.sha256):
            raise StoreError(
                f"{path} was made with another {row['number']:03}_{row['name']}.sql of {component} than the "
                "one here. Restore that file, or move the database away and begin a new one.",
                path=path,
            )
    return len(rows)


def _apply(connection: sqlite3.Connection, component: str, migration: Migration) -> None:
    """Apply one migration and note it, within a transaction."""
    for statement in migration.statements():
        connection.execute(statement)
    noted = (component, migration.number, migration.name, migration.sha256)
    connection.execute("INSERT INTO migrations (component, number, name, sha256) VALUES (?, ?, ?, ?)", noted)
