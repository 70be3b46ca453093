"""The help centre's pages: search, articles, and answers that are written while the model gives them.

    GET /help?q=…      POST /help/ask -> GET /help/answers/ID (a page that grows) -> POST …/thumb
    GET /help/fees?start=0&end=12#passage

An answer's page is sent in pieces as one HTML page, so it grows without JavaScript. Only words whose citation
was checked are sent; where the reply breaks off afterwards, the style sheet hides them and the page says so.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from aicourse import html
from aicourse.datasets import HelpArticle
from aicourse.marketplace.app.asking import Helper
from aicourse.marketplace.app.feedback_form import LONGEST, ThumbForm
from aicourse.marketplace.app.help_articles import as_html
from aicourse.marketplace.app.help_center import CURRENT, HelpCenter, address, snippet
from aicourse.marketplace.app.pages import growing_page, known_seller, page, seller_of
from aicourse.marketplace.app.questions import AskedQuestion, find_question, judge_answer
from aicourse.marketplace.app.store import Store

QUESTION = 300  # characters at most
GLANCE_SECONDS = 0.05  # between two looks at what was told
CONTACT = "contact"  # the article on how people are reached
HELP_REASONS = ("wrong", "not what I asked", "out of date", "hard to understand", "nothing found")
TEXTS = {
    "asked": "Did this help?",
    "found": "You found this",
    "no": "This did not help",
    "more": "Ask our support assistant",
}
FAILURES = {
    "down": "Our assistant cannot be reached right now.",
    "slow": "Our assistant took too long.",
    "over budget": "Our assistant has worked enough for today.",
}


def help_routes(store: Store, helper: Helper) -> APIRouter:
    """The routes over the helper's help centre; questions are kept in `store`."""
    router = APIRouter()
    center = helper.center

    @router.get("/help")
    def search(request: Request, q: str = "") -> Response:
        return _search(request, center, " ".join(html.visible(q).split()))

    @router.post("/help/ask")
    def ask(request: Request, q: Annotated[str, Form()] = "") -> Response:
        question = " ".join(html.visible(q).split())
        if not 0 < len(question) <= QUESTION:
            return _search(request, center, question, f"Ask in 1 to {QUESTION} characters.")
        question_id = helper.begin(known_seller(request), question)
        if question_id is None:
            raise HTTPException(429)
        return RedirectResponse(f"/help/answers/{question_id}", status_code=303)

    @router.get("/help/answers/{question_id}")
    def answer(request: Request, question_id: str) -> Response:
        told, question = helper.progress(question_id), _own(request, store, question_id)
        if told is None:
            return page(request, "help_answer", question=question, body=_outcome(center, question))
        pieces = _as_it_comes(request, store, helper, question_id, told)
        return growing_page(request, "help_answer", pieces, question=question)

    @router.post("/help/answers/{question_id}/thumb")
    def thumb(request: Request, question_id: str, form: Annotated[ThumbForm, Form()]) -> Response:
        question, person = _own(request, store, question_id), str(seller_of(request))
        if form.thumb:
            reason = form.reason if form.reason in HELP_REASONS else ""
            judge_answer(store, question, person, int(form.thumb), reason, form.text[:LONGEST])
        if "hx-request" in request.headers:
            return page(request, "thumb", **_thumb(_own(request, store, question_id)))
        return RedirectResponse(f"/help/answers/{question_id}#thumb", status_code=303)

    @router.get("/help/{slug}")
    def article(request: Request, slug: str, start: int = 0, end: int = 0) -> Response:
        found = center.articles.get(slug)
        if found is None:
            raise HTTPException(404)
        newer = center.articles.get(found.superseded_by or "")
        return page(request, "help_article", article=found, newer=newer, text=as_html(found.text, start, end))

    return router


async def _as_it_comes(
    request: Request, store: Store, helper: Helper, question_id: str, told: list[str]
) -> AsyncIterator[str]:
    """The pieces of an answer's page: words as they are told, then what came of the question."""
    yield Markup("<p class='looking' role='status'>Looking through our help pages …</p>")
    sent = ""
    is_done = False
    while not is_done:
        is_done = helper.progress(question_id) is not told
        if new := "".join(told)[len(sent) :]:
            yield ("" if sent else Markup("<p class='said'>")) + html.escape(new)
            sent += new
        if not is_done:
            await asyncio.sleep(GLANCE_SECONDS)
    question = await run_in_threadpool(_own, request, store, question_id)
    yield (Markup("</p>") if sent else "") + _outcome(helper.center, question, sent)


def _outcome(center: HelpCenter, question: AskedQuestion, sent: str = "") -> Markup:
    """The end of an answer's page; `sent` are the words of an answer that stand there already."""
    is_answered = question.state == "answered"
    failure = "" if question.state in ("answered", "abstained") else question.why or "down"
    found = [center.articles[slug] for slug in question.nearest if slug in center.articles]
    cited = center.articles.get(question.document or "") if is_answered else None
    whole = html.render(
        "marketplace/app/templates/help_outcome.html",
        question=question,
        rest="" if sent and is_answered else question.answer,
        withdrawn=bool(sent) and not is_answered,
        failure=FAILURES.get(failure, FAILURES["down"]) if failure else "",
        cited=cited,
        place=address(cited.slug, question.start, question.end) if cited else "",
        nearest=[] if is_answered else found,
        contact=address(CONTACT) if CONTACT in center.articles else "",
        **_thumb(question),
    )
    return Markup(html.visible(whole))


def _thumb(question: AskedQuestion) -> dict[str, Any]:
    """The values of the template `thumb`."""
    return {"given": question.thumb, "reasons": HELP_REASONS, "texts": TEXTS, "alone": True}


def _search(request: Request, center: HelpCenter, query: str, problem: str = "") -> Response:
    hits = center.search(query[:QUESTION]) if query and not problem else []
    results = [
        {
            "title": " › ".join((hit.chunk.title, *hit.chunk.headings)),
            "place": address(hit.document, hit.chunk.start, hit.chunk.end),
            "snippet": snippet(hit),
        }
        for hit in hits
    ]
    topics: dict[str, list[HelpArticle]] = defaultdict(list)
    for one in center.articles.values():
        if one.status == CURRENT["status"] and not query:
            topics[one.category].append(one)
    values: dict[str, Any] = {"q": query, "results": results, "topics": topics, "problem": problem}
    return page(request, "help", 422 if problem else 200, is_making=center.is_making, most=QUESTION, **values)


def _own(request: Request, store: Store, question_id: str) -> AskedQuestion:
    """A question of the person who asks for it."""
    question = find_question(store, question_id, seller_of(request))
    if question is None:
        raise HTTPException(404)
    return question
