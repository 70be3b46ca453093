"""The course's fortnight of production: the files of `datasets/production` as one database.

    connection = open_metrics(load_production())

`requests.csv` is what `traffic.simulate` made of a secret seed, `replies.jsonl` what the model really
answered, a `Reply` on each line.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import closing
from pathlib import Path

import pandas as pd

from aicourse import paths
from aicourse.datasets import read_listings
from aicourse.errors import DatasetError
from aicourse.marketplace import traffic
from aicourse.marketplace.traffic import PARAMETERS, REQUEST_COLUMNS, Reply, store
from aicourse.monitoring.metrics import add_up
from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.sqlite import database

_RESTORE = "Restore it with: git checkout -- datasets"


def load_production() -> Path:
    """The database of the course's fortnight (`datasets/production`), built in the cache if it is not there.

    Copy it before you write to it: all lessons read the same file.

    Raises:
        DatasetError: a file of the dataset is missing or broken.
    """
    folder = paths.datasets_dir() / "production"
    sources = [folder / name for name in ("requests.csv", "replies.jsonl", "listings.jsonl")]
    made_of = hashlib.sha256()
    for path in [Path(traffic.__file__), PARAMETERS, *sorted(MIGRATIONS.glob("*.sql")), *sources]:
        if not path.is_file():
            raise DatasetError(f"No file {path}. {_RESTORE}", path=path)
        made_of.update(path.read_bytes())
    target = paths.cache_dir() / f"production-{made_of.hexdigest()[:12]}.db"
    if not target.is_file():
        requests, replies = read_requests(sources[0]), read_replies(sources[1])
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            made = Path(scratch) / target.name
            with closing(database(made, "monitoring", MIGRATIONS)) as connection:
                store(connection, requests, replies, read_listings(sources[2]))
                add_up(connection)
            # closing empties the write-ahead log into the file; who is second keeps what is there
            try:
                os.link(made, target)
            except FileExistsError:
                return target
            except OSError:  # a file system without links
                os.replace(made, target)
    return target


def read_requests(path: Path) -> pd.DataFrame:
    """The requests in a CSV file that `requests.to_csv(path, index=False)` wrote.

    Raises:
        DatasetError: the file is missing, or of something else.
    """
    types = {"prompt_version": str, "error": str, "corrected": str, "slips": str}
    try:
        frame = pd.read_csv(path, dtype=types, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read ({error}). {_RESTORE}", path=path) from error
    if list(frame.columns) != list(REQUEST_COLUMNS):
        raise DatasetError(f"{path}: not the requests of a fortnight. {_RESTORE}", path=path)
    return frame


def read_replies(path: Path) -> list[Reply]:
    """The replies of a JSON Lines file.

    Raises:
        DatasetError: the file is missing, or a line is no reply.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Reply(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(f"{path}: not a file of replies ({error}). {_RESTORE}", path=path) from error
