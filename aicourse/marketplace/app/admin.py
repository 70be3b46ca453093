"""Pages for those who run the marketplace: health, figures, traces, feedback, questions and more.

All behind a token. It opens a session, or comes with each request of a program as
`Authorization: Bearer TOKEN`. The form for it is filled in by the address that the terminal shows; no other
address has it, and no log. Nothing can be changed here. What the tables have no row of is said so, and shown
as nothing else.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from math import nan
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Request, Response
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from aicourse import experiments, monitoring
from aicourse.errors import ExperimentError
from aicourse.experiments.experiment import Experiment
from aicourse.marketplace.app.conversations import find_conversation, list_conversations
from aicourse.marketplace.app.pages import page
from aicourse.marketplace.app.questions import Order, as_file, unanswered
from aicourse.marketplace.app.store import Store

NAV = (
    ("/admin", "Health"),
    ("/admin/dashboard", "Dashboard"),
    ("/admin/traces", "Traces"),
    ("/admin/feedback", "Feedback"),
    ("/admin/questions", "Questions"),
    ("/admin/support", "Support"),
    ("/admin/experiments", "Experiments"),
    ("/", "Shop"),
)
ROWS = 50  # on a page
QUESTIONS = 200  # of the editor's
CONVERSATIONS = 200  # newest ones
END = 2**63 - 1  # of time; there the first page begins
DAY_NS = 86_400 * 10**9
MEDIA_TYPES = {
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

_COUNTS = "SELECT status, count(*) AS listings FROM listings GROUP BY status ORDER BY status DESC"
_PROPOSALS = """
    SELECT (finished_ns - started_ns) / 1e9 AS seconds, coalesce(
        problem, CASE WHEN state = 'working' AND deadline_ns < :now THEN 'slow' ELSE state END) AS state
    FROM proposals WHERE started_ns > :now - :day"""
_TRACES = """
    SELECT root.span_id, root.trace_id, root.name, root.status, root.error_type, root.started_ns,
        root.seconds,
        max(one.model) AS model, max(one.prompt || '@' || one.prompt_version) AS prompt,
        sum(one.input_tokens) FILTER (WHERE one.operation IS NOT NULL) AS input_tokens,
        sum(one.output_tokens) FILTER (WHERE one.operation IS NOT NULL) AS output_tokens,
        sum(one.cost_usd) FILTER (WHERE one.operation IS NOT NULL) AS cost_usd
    FROM (
        SELECT * FROM spans
        WHERE parent_id IS NULL AND (started_ns, span_id) < (
            SELECT started_ns, span_id FROM spans WHERE span_id = :before UNION ALL SELECT :end, '' LIMIT 1)
        ORDER BY started_ns DESC, span_id DESC LIMIT :rows
    ) AS root JOIN spans AS one USING (trace_id)
    GROUP BY root.span_id ORDER BY root.started_ns DESC, root.span_id DESC"""
_FEEDBACK = """
    SELECT * FROM feedback
    WHERE (kind = 'explicit' OR proposed != published) AND (given_ns, id) < (
        SELECT given_ns, id FROM feedback WHERE id = :before UNION ALL SELECT :end, 0 LIMIT 1)
    ORDER BY given_ns DESC, id DESC LIMIT :rows"""


@dataclass(frozen=True, slots=True)
class SpanNode:
    """A span and those that it began; `starts` and `share` are percent of the whole trace's time."""

    span: sqlite3.Row
    attributes: str
    starts: float
    share: float
    children: tuple[SpanNode, ...]


def admin_routes(store: Store, token: str, experiment: Experiment | None = None) -> APIRouter:
    """The routes over `store`; `token` opens them. The log of the `experiment` that runs is looked over."""
    router = APIRouter()
    key = hashlib.sha256(token.encode()).hexdigest()

    async def allowed(request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if request.session.get("admin") != key and not (scheme == "Bearer" and _same(given, token)):
            raise HTTPException(401)

    @router.get("/admin/login")
    def login_form(request: Request, token: str = "") -> Response:
        return page(request, "login", token=token, wrong=False)

    @router.post("/admin/login")
    async def login(request: Request, given: Annotated[str, Form(alias="token")] = "") -> Response:
        if not _same(given, token):
            return page(request, "login", 403, token="", wrong=True)
        request.session["admin"] = key
        return RedirectResponse("/admin", status_code=303)

    for pages in (_page_routes(store, experiment), _support_routes(store)):
        router.include_router(pages, dependencies=[Depends(allowed)])
    return router


def _same(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode(errors="replace"), token.encode())


def _page_routes(store: Store, experiment: Experiment | None) -> APIRouter:
    inside = APIRouter(prefix="/admin")

    @inside.get("")
    def health(request: Request) -> Response:
        return _page(request, "health", **_health(store))

    @inside.get("/dashboard")
    def figures(request: Request) -> Response:
        drawn = None
        if _rows(store, "SELECT 1 FROM spans WHERE name = 'propose' LIMIT 1"):
            with closing(monitoring.open_metrics(store.path)) as connection:
                drawn = monitoring.dashboard(connection, until=datetime.now(UTC)).html()
        return _page(request, "dashboard", drawn=drawn)

    @inside.get("/traces")
    def traces(request: Request, before: str = "") -> Response:
        rows = _rows(store, _TRACES, {"before": before, "end": END, "rows": ROWS})
        return _page(request, "traces", traces=rows, following=_following(rows, "span_id"))

    @inside.get("/traces/{trace_id}")
    def trace(request: Request, trace_id: str) -> Response:
        found = _trace(store, trace_id)
        if not found:
            raise HTTPException(404)
        return _page(request, "trace", **found)

    @inside.get("/feedback")
    def feedback(request: Request, before: str = "") -> Response:
        rows = _rows(store, _FEEDBACK, {"before": before, "end": END, "rows": ROWS})
        return _page(request, "feedback", rows=rows, following=_following(rows, "id"))

    @inside.get("/feedback.{form}")
    def download(form: Literal["csv", "xlsx"]) -> Response:
        with store.reading() as connection:
            return _file("feedback", form, monitoring.export_feedback(connection, form))

    @inside.get("/questions")
    def questions(request: Request, order: Order = "newest") -> Response:
        rows = unanswered(store, order, QUESTIONS)
        return _page(request, "questions", rows=rows, order=order, most=QUESTIONS)

    @inside.get("/questions.{form}")
    def download_questions(form: Literal["csv", "jsonl"]) -> Response:
        return _file("questions", form, as_file(unanswered(store), form))

    @inside.get("/experiments")
    def experiments(request: Request) -> Response:
        with closing(monitoring.open_metrics(store.path)) as connection:
            found = monitoring.read_metrics(connection, by=("experiment", "variant")).reset_index()
        rows = found.dropna(subset="experiment").replace({nan: None}).to_dict("records")
        return _page(
            request, "experiments", rows=rows, log=_log(store, experiment) if experiment else "", store=store
        )

    return inside


def _support_routes(store: Store) -> APIRouter:
    inside = APIRouter(prefix="/admin")

    @inside.get("/support")
    def conversations(request: Request, handed_over: bool = False) -> Response:
        rows = list_conversations(store, CONVERSATIONS, handed_over=handed_over)
        return _page(request, "conversations", rows=rows, handed_over=handed_over, most=CONVERSATIONS)

    @inside.get("/support/{conversation_id}")
    def conversation(request: Request, conversation_id: str) -> Response:
        found = find_conversation(store, conversation_id)
        if found is None:
            raise HTTPException(404)
        drawn = Markup(found.trajectory._repr_html_() if found.trajectory else "")
        return _page(request, "conversation", found=found, drawn=drawn)

    return inside


def trees(spans: list[sqlite3.Row]) -> list[SpanNode]:
    """The spans of a trace as trees; one whose parent was dropped stands at the top."""
    known = {span["span_id"] for span in spans}
    children = defaultdict(list)
    for span in spans:
        children[span["parent_id"] if span["parent_id"] in known else None].append(span)
    begin = min(span["started_ns"] for span in spans)
    whole = max(span["started_ns"] + span["seconds"] * 1e9 for span in spans) - begin or 1

    def node(span: sqlite3.Row) -> SpanNode:
        return SpanNode(
            span,
            json.dumps(json.loads(span["attributes"]), indent=2, ensure_ascii=False),
            100 * (span["started_ns"] - begin) / whole,
            100 * span["seconds"] * 1e9 / whole,
            tuple(map(node, children[span["span_id"]])),
        )

    return [node(span) for span in children[None]]


def _health(store: Store) -> dict[str, Any]:
    now = {"now": time.time_ns(), "day": DAY_NS}
    with store.reading() as connection:
        proposals = connection.execute(_PROPOSALS, now).fetchall()
        counts = connection.execute(_COUNTS).fetchall()
        dropped = connection.execute("SELECT * FROM dropped WHERE spans > 0").fetchall()
    ended = sorted(row["seconds"] for row in proposals if row["state"] == "ready")
    return {
        "listings": {row["status"]: row["listings"] for row in counts},
        "states": Counter(row["state"] for row in proposals),
        "median": ended[len(ended) // 2] if ended else None,
        "slowest": ended[-1] if ended else None,
        "megabytes": store.path.stat().st_size / 1e6,
        "dropped": dropped,
    }


def _trace(store: Store, trace_id: str) -> dict[str, Any]:
    spans = _rows(store, "SELECT * FROM spans WHERE trace_id = ? ORDER BY started_ns", [trace_id])
    feedback = _rows(store, "SELECT * FROM feedback WHERE trace_id = ? ORDER BY given_ns, id", [trace_id])
    cost = [span["cost_usd"] for span in spans if span["operation"] and span["cost_usd"] is not None]
    if not spans:
        return {}
    return {
        "trace_id": trace_id,
        "roots": trees(spans),
        "cost": sum(cost) if cost else None,
        "corrected": sum(row["proposed"] not in (None, row["published"]) for row in feedback),
        "thumbs": [row for row in feedback if row["kind"] == "explicit"],
        "fields": [row for row in feedback if row["kind"] == "implicit"],
        "scores": _rows(store, "SELECT * FROM scores WHERE trace_id = ? ORDER BY scored_ns", [trace_id]),
    }


def _log(store: Store, experiment: Experiment) -> str:
    """The exposures so far: people by variant and client, and what is wrong with them."""
    try:
        return f"{experiment.name}\n{experiments.check_log(experiment, store.exposures, by=['client'])}"
    except ExperimentError as error:
        return f"{experiment.name}\n{error}"


def _rows(store: Store, query: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> list[sqlite3.Row]:
    with store.reading() as connection:
        return connection.execute(query, values).fetchall()


def _following(rows: list[sqlite3.Row], name: str) -> Any:
    """The name of the row after which the next page begins."""
    return rows[-1][name] if len(rows) == ROWS else None


def _file(name: str, form: str, content: bytes) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}.{form}"'}
    return Response(content, media_type=MEDIA_TYPES[form], headers=headers)


def _page(request: Request, template: str, **values: Any) -> Response:
    return page(request, f"admin_{template}", nav=NAV, moment=_moment, dollars=_dollars, **values)


def _moment(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S}"


def _dollars(usd: float | None) -> str:
    return "unknown" if usd is None else f"${usd:.6f}".rstrip("0").rstrip(".")
