"""The support desk as a server of the Model Context Protocol over stdio, for one customer.

    python -m aicourse.marketplace.support.mcp_server mia                 the course's shop, in memory
    python -m aicourse.marketplace.support.mcp_server mia shop.sqlite     a shop in a file, which is kept

Whoever starts it says who the customer is; no client and no model can.
"""

from __future__ import annotations

import sqlite3
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import anyio

from aicourse.agents.scenarios import NOW
from aicourse.errors import AicourseError, StoreError
from aicourse.marketplace.support.desk import MIGRATIONS, Desk
from aicourse.marketplace.support.snapshot import course_shop, help_centre
from aicourse.sqlite import database
from aicourse.suggestions import similar_file


def main() -> None:
    """The command; a mistake is a sentence on stderr."""
    if len(sys.argv) not in (2, 3):
        sys.exit("Say whose desk it is: … mcp_server CUSTOMER [SHOP.sqlite]")
    customer, *path = sys.argv[1:]
    try:
        from aicourse.agents.mcp import serve
    except ModuleNotFoundError as error:
        sys.exit(f'{error.name} is not installed. Install it with: pip install "aicourse[mcp]"')
    try:
        connection = _existing(Path(path[0])) if path else course_shop()
        if not connection.execute("SELECT 1 FROM customers WHERE customer_id = ?", (customer,)).fetchone():
            sys.exit(f"The shop has no customer {customer!r}. Name one of its table customers.")
        desk = Desk(connection, customer, help_centre())
        if not path:  # the course's orders are of one day
            desk = replace(desk, now=lambda: datetime.fromisoformat(NOW))
        anyio.run(serve, desk.tools(), "support")
    except AicourseError as error:
        sys.exit(str(error))


def _existing(path: Path) -> sqlite3.Connection:
    """The shop in a file, which must be there: a new one has no customer."""
    if not path.is_file():
        raise StoreError(f"No database {path}.{similar_file(path)} Check the path.", path=path)
    return database(path, "support", MIGRATIONS, new=False)


if __name__ == "__main__":
    main()
