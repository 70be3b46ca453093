from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from aicourse.errors import StoreError
from aicourse.sqlite import database

FIRST = """
-- people; and their names
CREATE TABLE people (name TEXT PRIMARY KEY);
INSERT INTO people VALUES ('a;b');
"""
# more than the page cache holds, so that changes which are not committed do reach the log's file
SECOND = """
ALTER TABLE people ADD COLUMN note TEXT;
CREATE TABLE pets (id INTEGER PRIMARY KEY, owner TEXT REFERENCES people (name), picture BLOB);
CREATE TRIGGER noted AFTER INSERT ON pets BEGIN
    UPDATE people SET note = 'has a pet' WHERE name = new.owner;
END;
WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 40)
INSERT INTO pets (owner, picture) SELECT 'a;b', randomblob(200000) FROM counted;
-- the end
"""


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "001_people.sql").write_text(FIRST, encoding="utf-8")
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "product.sqlite"


def python(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def versions(connection: sqlite3.Connection) -> list[tuple[str, int, str]]:
    rows = connection.execute("SELECT component, number, name FROM migrations ORDER BY component, number")
    return [tuple(row) for row in rows]


def test_a_new_file_gets_all_migrations_and_the_settings(path: Path, migrations: Path) -> None:
    (migrations / "002_pets.sql").write_text(SECOND, encoding="utf-8")
    connection = database(path, "shop", migrations)
    assert versions(connection) == [("shop", 1, "people"), ("shop", 2, "pets")]
    assert connection.execute("SELECT name, note FROM people").fetchone()["note"] == "has a pet"
    settings = [
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "foreign_keys")
    ]
    assert settings == ["wal", 1]
    assert connection.execute("PRAGMA busy_timeout").fetchone()[0] == 5_000


def test_foreign_keys_hold_and_a_failed_transaction_leaves_nothing(path: Path, migrations: Path) -> None:
    (migrations / "002_pets.sql").write_text(SECOND, encoding="utf-8")
    connection = database(path, "shop", migrations)

    def keep_both() -> None:
        with connection:
            connection.execute("INSERT INTO people (name) VALUES ('new')")
            connection.execute("INSERT INTO pets (owner) VALUES ('nobody')")

    with pytest.raises(sqlite3.IntegrityError):
        keep_both()
    assert connection.execute("SELECT count(*) FROM people").fetchone()[0] == 1


def test_an_open_transaction_may_write_from_its_first_change(path: Path, migrations: Path) -> None:
    one = database(path, "shop", migrations)
    two = database(path, "shop", migrations)
    two.execute("PRAGMA busy_timeout = 1")
    one.execute("INSERT INTO people VALUES ('x')")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        two.execute("INSERT INTO people VALUES ('y')")
    assert two.execute("SELECT count(*) FROM people").fetchone()[0] == 1  # a reader does not wait
    one.commit()
    assert two.execute("SELECT count(*) FROM people").fetchone()[0] == 2


def test_components_share_a_file(path: Path, migrations: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "001_things.sql").write_text("CREATE TABLE things (id);", encoding="utf-8")
    database(path, "shop", migrations).close()
    assert versions(database(path, "watch", other)) == [("shop", 1, "people"), ("watch", 1, "things")]


def test_a_later_version_keeps_what_was_there(path: Path, migrations: Path) -> None:
    with database(path, "shop", migrations) as connection:
        connection.execute("INSERT INTO people VALUES ('c')")
    (migrations / "002_pets.sql").write_text(SECOND, encoding="utf-8")
    connection = database(path, "shop", migrations)
    assert [row["name"] for row in connection.execute("SELECT name FROM people")] == ["a;b", "c"]
    assert versions(database(path, "shop", migrations)) == versions(connection)  # and once only


def test_line_ends_are_not_a_change(path: Path, migrations: Path) -> None:
    database(path, "shop", migrations).close()
    (migrations / "001_people.sql").write_bytes(FIRST.replace("\n", "\r\n").encode())
    database(path, "shop", migrations).close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "002_pets.sql").unlink(), "newer version of the course"),
        (
            lambda folder: (folder / "001_people.sql").write_text(
                "CREATE TABLE people (name);", encoding="utf-8"
            ),
            "another 001_people.sql",
        ),
        (lambda folder: (folder / "002_pets.sql").rename(folder / "003_pets.sql"), "should be 002_"),
        (lambda folder: (folder / "002_pets.sql").rename(folder / "001_pets.sql"), "should be 002_"),
        (lambda folder: (folder / "002_pets.sql").rename(folder / "pets.sql"), "should be 002_"),
        (lambda folder: [file.unlink() for file in folder.iterdir()], "no migrations"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(path, migrations, change, words) -> None:
    (migrations / "002_pets.sql").write_text(SECOND, encoding="utf-8")
    database(path, "shop", migrations).close()
    change(migrations)
    with pytest.raises(StoreError, match=words):
        database(path, "shop", migrations)


def test_a_broken_migration_leaves_the_version_before(path: Path, migrations: Path) -> None:
    (migrations / "002_pets.sql").write_text(SECOND + "CREATE TABLE pets (again);", encoding="utf-8")
    with pytest.raises(StoreError, match="table pets already exists"):
        database(path, "shop", migrations)
    (migrations / "002_pets.sql").unlink()
    connection = database(path, "shop", migrations)
    columns = [row["name"] for row in connection.execute("PRAGMA table_info(people)")]
    assert (versions(connection), columns) == ([("shop", 1, "people")], ["name"])


@pytest.mark.parametrize(
    "make", [lambda path: path.write_bytes(b"no database" * 99), lambda path: path.mkdir()]
)
def test_another_file_is_refused_and_left_alone(path: Path, migrations: Path, make) -> None:
    path.parent.mkdir()
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError, match=r"product\.sqlite cannot be opened"):
        database(path, "shop", migrations)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_busy_file_is_told(path: Path, migrations: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aicourse.sqlite.BUSY_SECONDS", 0.01)
    holder = database(path, "shop", migrations)
    holder.execute("BEGIN IMMEDIATE")
    (migrations / "002_pets.sql").write_text(SECOND, encoding="utf-8")
    with pytest.raises(StoreError, match="database is locked"):
        database(path, "shop", migrations)
    holder.rollback()
    assert len(versions(database(path, "shop", migrations))) == 2


KILLED = """
import os, signal, sys
from pathlib import Path
from aicourse import sqlite
statements = sqlite.Migration.statements
def until_killed(self):
    for number, statement in enumerate(statements(self)):
        if self.number == 2 and number == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)
        yield statement
sqlite.Migration.statements = until_killed
sqlite.database(sys.argv[1], "shop", Path(sys.argv[2]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("statement", [1, 3, 4])
def test_a_process_killed_in_a_migration_leaves_the_old_version_whole(
    path: Path, migrations: Path, statement: int
) -> None:
    database(path, "shop", migrations).close()
    before = path.read_bytes()
    (migrations / "002_pets.sql").write_text(SECOND, encoding="utf-8")
    process = python(KILLED, path, migrations, statement)
    process.communicate()
    assert process.returncode == -9
    if statement == 4:  # a part of the change is in the log, without its end
        assert path.with_name(path.name + "-wal").stat().st_size > 1_000_000
    (migrations / "002_pets.sql").unlink()
    connection = database(path, "shop", migrations)
    assert versions(connection) == [("shop", 1, "people")]
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.close()
    assert path.read_bytes() == before
    (migrations / "002_pets.sql").write_text(SECOND, encoding="utf-8")
    assert database(path, "shop", migrations).execute("SELECT count(*) FROM pets").fetchone()[0] == 40


OPENED = """
import sys
from pathlib import Path
from aicourse.sqlite import database
print("ready", flush=True)
sys.stdin.readline()
for number in range(10):
    database(f"{sys.argv[1]}{number}", "shop", Path(sys.argv[2])).close()
"""


def test_two_processes_may_open_a_new_file_at_once(path: Path, migrations: Path) -> None:
    (migrations / "002_pets.sql").write_text(SECOND.replace("200000", "20"), encoding="utf-8")
    command = [sys.executable, "-c", OPENED, str(path), str(migrations)]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    for number in range(10):
        assert len(versions(database(f"{path}{number}", "shop", migrations))) == 2


def test_a_file_of_something_else_may_be_refused_as_it_is(path: Path, migrations: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as notes:
        notes.execute("CREATE TABLE notes (text)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is no shop database"):
        database(path, "shop", migrations, new=False)
    assert path.read_bytes() == before
    database(path, "shop", migrations).close()
    database(path, "shop", migrations, new=False).close()


def test_a_file_that_must_be_there_is_not_made(path: Path, migrations: Path) -> None:
    database(path, "shop", migrations).close()
    mistyped = path.with_name(f"{path.stem}s{path.suffix}")
    with pytest.raises(StoreError, match=rf"No database .* Did you mean .*{path.name}\?"):
        database(mistyped, "shop", migrations, new=False)
    assert not mistyped.exists()
