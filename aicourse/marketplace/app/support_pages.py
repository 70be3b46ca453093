"""The support chat's pages: whose orders, a conversation that grows as the assistant works, its buttons.

    GET /support      POST /support/customer      POST /support/ID -> GET /support/ID (a page that grows)
    POST /support/ID/answer (the button of a question)      POST /support/ID/thumb

A page is sent in pieces, a line for each step in plain words, so it grows without JavaScript. The token of a
question is in its form alone. Demonstration: whoever comes chooses a customer; nothing here is real.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from aicourse import html
from aicourse.marketplace.app.chatting import SupportChat
from aicourse.marketplace.app.conversations import (
    SupportConversation,
    find_conversation,
    judge_reply,
    list_conversations,
)
from aicourse.marketplace.app.feedback_form import LONGEST, ThumbForm
from aicourse.marketplace.app.pages import growing_page, known_seller, page, seller_of
from aicourse.marketplace.app.store import new_id

if TYPE_CHECKING:
    from aicourse.agents.trajectory import Step

MESSAGE = 1_000  # characters at most
LISTED = 20  # conversations of a customer
GLANCE_SECONDS = 0.05  # between two looks at what was told
BUSY = "Our assistant is still answering your last message. Wait for the answer, then send this one."
FULL = "Too many messages wait for our assistant. Wait for an answer, or a minute, then send this one again."
SUPPORT_REASONS = ("wrong", "not what I asked", "did not do it", "hard to understand", "wanted a person")
TEXTS = {"asked": "Did this help?", "found": "You found this", "no": "This did not help"}
FAILURES = {
    "slow": "Our assistant took too long.",
    "over budget": "Our assistant has worked enough for today.",
}
DOING = {
    "list_my_orders": "Looking up your orders",
    "order_status": "Looking at your order",
    "search_help": "Reading our help pages",
    "report_problem": "Preparing a report of your problem",
    "refund_order": "Checking if your order can be refunded",
    "cancel_order": "Checking if your order can be cancelled",
    "change_address": "Checking if the address can be changed",
    "hand_over": "Handing over to a colleague",
}
_ID = re.compile(r"[\w-]{22}")


def support_routes(chat: SupportChat) -> APIRouter:
    """The routes over the conversations of `chat`."""
    router = APIRouter()
    router.include_router(_answering_routes(chat))

    @router.get("/support")
    def start(request: Request) -> Response:
        customer, known = _customer(request), chat.customers()
        if customer not in known:
            return page(request, "support_customer", customers=known)
        earlier = list_conversations(chat.store, LISTED, customer=customer)
        return page(request, "support", name=known[customer], earlier=earlier, **_form(new_id()))

    @router.post("/support/customer")
    def choose(request: Request, customer: Annotated[str, Form()] = "") -> Response:
        known_seller(request)  # in the same cookie, so that nobody is a customer without being counted
        request.session["customer"] = customer if customer in chat.customers() else ""
        return RedirectResponse("/support", status_code=303)

    @router.get("/support/{conversation_id}")
    def conversation(request: Request, conversation_id: str) -> Response:
        told, found = chat.progress(conversation_id), _own(request, chat, conversation_id)
        if told is None or not found.is_busy:
            return _page(request, chat, found)
        pieces = _as_it_comes(request, chat, conversation_id, told)
        return growing_page(request, "support_chat", pieces, lines=[*_lines(found), ("mine", found.said)])

    @router.post("/support/{conversation_id}")
    def say(request: Request, conversation_id: str, text: Annotated[str, Form()] = "") -> Response:
        customer = _customer(request)
        if customer not in chat.customers():
            return RedirectResponse("/support", status_code=303)
        found = find_conversation(chat.store, conversation_id)
        if (found and found.customer_id != customer) or not _ID.fullmatch(conversation_id):
            raise HTTPException(404)
        said = html.visible(text.replace("\r\n", "\n")).strip()
        problem = "" if 0 < len(said) <= MESSAGE else f"Write 1 to {MESSAGE:,} characters."
        if problem or (found and found.handed_over):
            return _refused(request, chat, found, 422, problem, said[:MESSAGE])
        begun = chat.say(conversation_id, customer, said, visitor=str(seller_of(request)))
        if begun == "full":
            return _refused(request, chat, found, 429, FULL, said)
        if begun == "busy":
            return _page(request, chat, _own(request, chat, conversation_id), 409, BUSY, said)
        return RedirectResponse(f"/support/{conversation_id}#end", status_code=303)

    return router


def _answering_routes(chat: SupportChat) -> APIRouter:
    """The buttons: of a question, and of a thumb."""
    router = APIRouter()

    @router.post("/support/{conversation_id}/answer")
    def answer(
        request: Request,
        conversation_id: str,
        token: Annotated[str, Form()] = "",
        yes: Annotated[bool, Form()] = False,
    ) -> Response:
        customer = _own(request, chat, conversation_id).customer_id
        if problem := chat.answer(conversation_id, customer, token, yes=yes):
            return _page(request, chat, _own(request, chat, conversation_id), 409, problem)
        return RedirectResponse(f"/support/{conversation_id}#end", status_code=303)

    @router.post("/support/{conversation_id}/thumb")
    def thumb(request: Request, conversation_id: str, form: Annotated[ThumbForm, Form()]) -> Response:
        found = _own(request, chat, conversation_id)
        if form.thumb and found.trajectory:
            reason = form.reason if form.reason in SUPPORT_REASONS else ""
            judge_reply(chat.store, found, int(form.thumb), reason, form.text[:LONGEST])
        if "hx-request" in request.headers:
            return page(request, "thumb", **_thumb(_own(request, chat, conversation_id)))
        return RedirectResponse(f"/support/{conversation_id}#thumb", status_code=303)

    return router


async def _as_it_comes(
    request: Request, chat: SupportChat, conversation_id: str, told: list[Step]
) -> AsyncIterator[str]:
    """The pieces of a turn: a line for each step as it happens, then what the customer can do next."""
    yield Markup("<p class='looking' role='status'>Our assistant is at work …</p>")
    sent, is_done = 0, False
    while not is_done:
        is_done = chat.progress(conversation_id) is not told
        for kind, text in _shown(new := told[sent:]):
            if kind != "mine":  # it stands there already
                yield Markup("<p class='{}'>{}</p>").format(kind, html.escape(text))
        sent += len(new)
        if not is_done:
            await asyncio.sleep(GLANCE_SECONDS)
    found = await run_in_threadpool(_own, request, chat, conversation_id)
    yield await run_in_threadpool(_rest, chat, found)


def _refused(
    request: Request,
    chat: SupportChat,
    found: SupportConversation | None,
    status: int,
    problem: str,
    text: str,
) -> Response:
    """A message's form once more, with its text and why it was not taken; of a new conversation or of one."""
    if found:
        return _page(request, chat, found, status, problem, text)
    return page(request, "support", status, name="", earlier=[], **_form(new_id(), text, problem))


def _page(
    request: Request,
    chat: SupportChat,
    found: SupportConversation,
    status: int = 200,
    problem: str = "",
    text: str = "",
) -> Response:
    """A conversation in which nothing happens just now, or nothing that this process knows of."""
    lines = [*_lines(found), *([("mine", found.said)] if found.said else [])]
    return page(request, "support_chat", status, lines=lines, body=_rest(chat, found, problem, text))


def _rest(chat: SupportChat, found: SupportConversation, problem: str = "", text: str = "") -> Markup:
    """The end of a conversation's page: questions with their buttons, notices, the next message."""
    waiting, outcomes = chat.questions(found)
    whole = html.render(
        "marketplace/app/templates/support_rest.html",
        found=found,
        waiting=waiting,
        outcomes=outcomes,
        failure=FAILURES.get(found.problem, "Our assistant cannot be reached right now.")
        if found.problem
        else "",
        **_thumb(found),
        **_form(found.conversation_id, text or ("" if found.is_busy else found.said), problem),
    )
    return Markup(html.visible(whole))


def _lines(found: SupportConversation) -> Iterator[tuple[str, str]]:
    return _shown(found.trajectory.steps if found.trajectory else ())


def _shown(steps: Iterable[Step]) -> Iterator[tuple[str, str]]:
    """The steps that a customer sees: whose line it is ("mine", "step", "theirs"), and its text."""
    for step in steps:
        if step.kind in ("customer", "reply"):
            yield ("mine" if step.kind == "customer" else "theirs"), step.text
        elif step.kind in ("yes", "no"):
            yield "mine", step.kind.capitalize()
        elif step.kind == "tool" and step.tool in DOING and step.status not in ("invalid", "vetoed"):
            yield "step", f"{DOING[step.tool]} …"


def _form(conversation_id: str, text: str = "", problem: str = "") -> dict[str, Any]:
    """The values of the template `support_form`."""
    return {"conversation_id": conversation_id, "text": text, "problem": problem, "most": MESSAGE}


def _thumb(found: SupportConversation) -> dict[str, Any]:
    """The values of the template `thumb`."""
    return {"given": found.thumb, "reasons": SUPPORT_REASONS, "texts": TEXTS, "alone": True}


def _customer(request: Request) -> str:
    """The customer whom the signed cookie names."""
    return str(request.session.get("customer", ""))


def _own(request: Request, chat: SupportChat, conversation_id: str) -> SupportConversation:
    """A conversation of the customer who asks for it."""
    found = find_conversation(chat.store, conversation_id)
    if found is None or found.customer_id != _customer(request):
        raise HTTPException(404)
    return found
