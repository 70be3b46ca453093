"""The support desk as a server of the Model Context Protocol over stdio, for one customer.

    python -m aicourse.marketplace.support.mcp_server mia                 the course's shop, in memory
    python -m aicourse.marketplace.support.mcp_server mia shop.sqlite     a shop in a file, which is kept

Whoever starts it says who the customer is; no client and no model can.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime

import anyio

from aicourse.agents.scenarios import NOW
from aicourse.errors import AicourseError
from aicourse.marketplace.support.desk import MIGRATIONS, Desk
from aicourse.marketplace.support.snapshot import course_shop, help_centre
from aicourse.sqlite import database


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
        connection = database(path[0], "support", MIGRATIONS, new=False) if path else course_shop()
        if not connection.execute("SELECT 1 FROM customers WHERE customer_id = ?", (customer,)).fetchone():
            sys.exit(f"The shop has no customer {customer!r}. Name one of its table customers.")
        desk = Desk(connection, customer, help_centre())
        if not path:  # the course's orders are of one day
            desk = replace(desk, now=lambda: datetime.fromisoformat(NOW))
        anyio.run(serve, desk.tools(), "support")
    except AicourseError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
