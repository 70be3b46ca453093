"""The support desk's tools: one customer's orders, the help centre, and a colleague to hand over to.

    desk = Desk(connection, "mia", help_centre=index)
    tools = desk.tools()
    tools.call("order_status", {"order_id": 1001}).text

The rules are those of the help centre (`datasets/help_center`): report within 3 days, cancel within an
hour, no other address once the label is made. Whose session it is, is said here, not in a prompt and in no
argument: an order of somebody else is as one that does not exist. Amounts are computed, never asked of a
model.
Not handled: the seller's side, and the money itself; a refund is a row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from aicourse.agents.tools import Tools, tool
from aicourse.agents.writes import Write, Writes
from aicourse.errors import ToolRefused
from aicourse.rag.index import Retriever
from aicourse.sqlite import database

MIGRATIONS = Path(__file__).parent / "migrations"
TABLES = ("customers", "orders", "problems", "refunds", "hand_overs")
REPORT_DAYS, CANCEL_HOURS, LOST_DAYS = 3, 1, 7

OrderId = Annotated[int, Field(ge=1, le=999_999)]
Reason = Literal["damaged", "not as described", "never arrived"]
_ARRIVED = ("delivered", "collected")
_UNSCANNED = ("paid", "label made")


def open_shop(path: Path | str) -> sqlite3.Connection:
    """A connection to the orders in a SQLite file, which are made if they are not there."""
    return database(path, "support", MIGRATIONS)


@dataclass(frozen=True)
class Desk:
    """The assistant's tools for one customer in one conversation; `help_centre` finds articles."""

    connection: sqlite3.Connection
    customer: str
    help_centre: Retriever | None = None
    conversation: str = "1"
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def tools(self) -> Tools:
        """The tools, with what they write."""
        writes = Writes(self.connection, self.customer, watched=TABLES, now=self.now)
        return Tools.of(self, writes)

    @tool
    def list_my_orders(self) -> str:
        """List the customer's own orders: number, item, status."""
        rows = self.connection.execute(
            "SELECT * FROM orders WHERE buyer = ? ORDER BY order_id", (self.customer,)
        )
        return "; ".join(f"{row['order_id']} {row['item']} ({row['status']})" for row in rows) or "No orders."

    @tool
    def order_status(self, order_id: OrderId) -> str:
        """Look up one order: item, status, dates, price, refunds, the seller's note.

        Args:
            order_id: The number of the order.
        """
        row = self._own(order_id)
        facts = [
            f"Order {order_id}: {row['item']}",
            _tracking(row["status"], row["moved_on"]),
            f"ordered on {row['ordered_at'][:10]}",
            f"price {euros(row['price_cents'])}, paid {euros(row['paid_cents'])} by {row['paid_with']}",
            f"to {row['address']}",
        ]
        problem, refund = self._about("problems", order_id), self._about("refunds", order_id)
        if problem:
            facts.append(f"reported as {problem['reason']} on {problem['reported_on']}, {problem['state']}")
        if problem and problem["agreed_cents"]:
            facts.append(f"seller agreed to pay back {euros(problem['agreed_cents'])}")
        if refund:
            facts.append(f"{euros(refund['cents'])} refunded on {refund['refunded_on']}")
        note = f" Seller's note: «{row['seller_note']}»" if row["seller_note"] else ""
        return "; ".join(facts) + "." + note

    @tool
    def search_help(self, query: Annotated[str, Field(min_length=2, max_length=80)]) -> str:
        """Search the help centre for rules, deadlines, fees and how-to.

        Args:
            query: A few words.
        """
        hits = self.help_centre.search(query, 2, {"status": "current"}) if self.help_centre else []
        if not hits:
            raise ToolRefused("Nothing found. Use other words, or hand over to a colleague.")
        return "\n".join(" ".join(hit.chunk.situated.split()) for hit in hits)

    @tool(writes=True)
    def report_problem(self, order_id: OrderId, reason: Reason) -> Write:
        """Report that an item is damaged, not as described or never arrived. Not for a change of mind.

        Args:
            order_id: The number of the order.
            reason: What is wrong.
        """
        row = self._own(order_id)
        if problem := self._about("problems", order_id):
            raise ToolRefused(f"Already reported on {problem['reported_on']}. Tell the customer to wait.")
        if row["status"] == "collected":
            raise ToolRefused("Collected items cannot come back. Tell the customer.")
        if reason == "never arrived" and row["status"] not in _ARRIVED:
            self._check_lost(row)
        elif row["status"] != "delivered":
            raise ToolRefused(f"Order {order_id} is {row['status']}, so nothing has arrived yet. Say so.")
        elif self._days_since(row["moved_on"]) > REPORT_DAYS:
            raise ToolRefused(
                f"Delivered on {row['moved_on']}; problems can be reported for {REPORT_DAYS} days. Say so."
            )
        yield f"Report order {order_id} ({row['item']}) as {reason}?"
        self.connection.execute(
            "INSERT INTO problems (order_id, reason, reported_on) VALUES (?, ?, ?)",
            (order_id, reason, self._today()),
        )
        return f"Order {order_id} is reported as {reason}. The seller has 48 hours to react."

    @tool(writes=True)
    def refund_order(self, order_id: OrderId) -> Write:
        """Pay an order back: a lost one, one that was sent back, or the part that the seller agreed to.

        Args:
            order_id: The number of the order.
        """
        row, cents = self._own(order_id), 0
        if refund := self._about("refunds", order_id):
            raise ToolRefused(f"{euros(refund['cents'])} were refunded on {refund['refunded_on']}. Say so.")
        problem = self._about("problems", order_id)
        if row["status"] == "lost" or (problem and problem["state"] == "sent back"):
            cents = row["paid_cents"]
        elif problem and problem["agreed_cents"]:
            cents = problem["agreed_cents"]
        if not cents:
            raise ToolRefused(
                f"Order {order_id} is {row['status']}. Only lost orders, returned ones and sums that the "
                "seller agreed to are refunded. Say so, or report a problem."
            )
        yield f"Refund {euros(cents)} for order {order_id} ({row['item']})?"
        self._refund(order_id, cents)
        return f"{euros(cents)} for order {order_id} go back by {row['paid_with']}."

    @tool(writes=True)
    def cancel_order(self, order_id: OrderId) -> Write:
        """Cancel an order that has not been sent: within one hour, or if the seller has agreed.

        Args:
            order_id: The number of the order.
        """
        row = self._own(order_id)
        if row["status"] not in _UNSCANNED:
            raise ToolRefused(f"Order {order_id} is {row['status']}: too late to cancel. Say so.")
        if row["accepted_offer"]:
            raise ToolRefused("Accepted offers cannot be cancelled. Tell the customer.")
        age = self.now().replace(tzinfo=None) - datetime.fromisoformat(row["ordered_at"])
        if age > timedelta(hours=CANCEL_HOURS) and not row["cancel_agreed"]:
            raise ToolRefused(
                f"Ordered at {row['ordered_at']}, more than an hour ago: the seller must agree first. "
                "Tell the customer to ask the seller in the chat."
            )
        yield f"Cancel order {order_id} ({row['item']}) and refund {euros(row['paid_cents'])}?"
        self.connection.execute("UPDATE orders SET status = 'cancelled' WHERE order_id = ?", (order_id,))
        self._refund(order_id, row["paid_cents"])
        return f"Order {order_id} is cancelled; {euros(row['paid_cents'])} go back by {row['paid_with']}."

    @tool(writes=True)
    def change_address(
        self, order_id: OrderId, address: Annotated[str, Field(min_length=8, max_length=120)]
    ) -> Write:
        """Change the delivery address of an order whose label has not been made.

        Args:
            order_id: The number of the order.
            address: The whole new address: street, number, postcode, town.
        """
        row, address = self._own(order_id), " ".join(address.split())
        if row["status"] != "paid":
            raise ToolRefused(
                f"Order {order_id} is {row['status']}: the address is fixed. Until it is out for delivery, "
                "the customer can redirect it to a pickup point, under Order, for 1.20 €. Say so."
            )
        if address == row["address"]:
            raise ToolRefused(f"Order {order_id} goes to {address} already. Say so.")
        yield f"Send order {order_id} ({row['item']}) to {address}?"
        self.connection.execute("UPDATE orders SET address = ? WHERE order_id = ?", (address, order_id))
        return f"Order {order_id} goes to {address}."

    @tool
    def hand_over(self, reason: Annotated[str, Field(min_length=3, max_length=120)]) -> str:
        """Hand over to a colleague: for what no other function does, or when a person is asked for.

        Args:
            reason: What the customer needs, in a few words.
        """
        with self.connection:
            self.connection.execute(
                "INSERT INTO hand_overs VALUES (?, ?, ?, ?) ON CONFLICT (conversation) DO NOTHING",
                (self.conversation, self.customer, reason, self.now().replace(tzinfo=None).isoformat()),
            )
        return "A colleague takes over. Tell the customer."

    def _own(self, order_id: int) -> sqlite3.Row:
        """The customer's order; of other people's orders nothing is said, not even that there are any."""
        row = self.connection.execute(
            "SELECT * FROM orders WHERE order_id = ? AND buyer = ?", (order_id, self.customer)
        ).fetchone()
        if row is None:
            raise ToolRefused(
                f"This customer has no order {order_id}. Say so; do not take another order instead."
            )
        return row  # type: ignore[no-any-return]

    def _about(self, table: Literal["problems", "refunds"], order_id: int) -> sqlite3.Row | None:
        query = f"SELECT * FROM {table} WHERE order_id = ?"
        return self.connection.execute(query, (order_id,)).fetchone()  # type: ignore[no-any-return]

    def _check_lost(self, row: sqlite3.Row) -> None:
        """Refuse a report of a parcel that has moved lately, or has not even been handed in."""
        if row["status"] in ("lost", "cancelled", *_UNSCANNED) or not row["moved_on"]:
            raise ToolRefused(f"Order {row['order_id']} is {row['status']}, not on its way. Say so.")
        if self._days_since(row["moved_on"]) < LOST_DAYS:
            raise ToolRefused(
                f"Last scanned on {row['moved_on']}. It can be reported as lost after {LOST_DAYS} days "
                "without a scan. Say so."
            )

    def _refund(self, order_id: int, cents: int) -> None:
        self.connection.execute("INSERT INTO refunds VALUES (?, ?, ?)", (order_id, cents, self._today()))

    def _days_since(self, day: str) -> int:
        return (self.now().date() - date.fromisoformat(day)).days

    def _today(self) -> str:
        return self.now().date().isoformat()


def _tracking(status: str, moved_on: str | None) -> str:
    if not moved_on:
        return status
    return f"{status} on {moved_on}" if status in _ARRIVED else f"{status} (last scan {moved_on})"


def euros(cents: int) -> str:
    """An amount as a customer reads it.

    >>> euros(4550)
    '45.50 €'
    """
    return f"{cents // 100}.{cents % 100:02} €"
