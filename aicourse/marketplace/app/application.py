"""The marketplace as an ASGI application: routes, protection and error pages put together."""

from __future__ import annotations

import hashlib

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from aicourse.marketplace.app.admin import admin_routes
from aicourse.marketplace.app.asking import Helper
from aicourse.marketplace.app.chatting import SupportChat
from aicourse.marketplace.app.confirming import confirming_routes
from aicourse.marketplace.app.describing import describing_routes
from aicourse.marketplace.app.help_pages import help_routes
from aicourse.marketplace.app.pages import STATIC, error_page
from aicourse.marketplace.app.proposing import Proposer
from aicourse.marketplace.app.protection import HOSTS, Protection
from aicourse.marketplace.app.shop import shop_routes
from aicourse.marketplace.app.store import Store
from aicourse.marketplace.app.support_pages import support_routes

LARGEST_FORM = 100_000  # bytes; that of the photo has a limit of its own (`describing`)


def create_app(
    store: Store, proposer: Proposer, helper: Helper, chat: SupportChat, *, secret: str, admin_token: str
) -> ASGIApp:
    """The app over `store`; `secret` signs the cookies, `admin_token` opens the admin pages.

    FastAPI's own spans are off: they carry raw addresses, and what is watched here is what the model does.
    """
    app = FastAPI(
        title="Marketplace",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        max_body_size=LARGEST_FORM,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for router in (
        shop_routes(store),
        describing_routes(store, proposer),
        confirming_routes(store, proposer.limit_seconds),
        help_routes(store, helper),
        support_routes(chat),
        admin_routes(store, admin_token, proposer.experiment),
    ):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for kind in (HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, error_page)
    shop = hashlib.sha256(secret.encode()).hexdigest()[:8]  # cookies know no ports: another shop has its own
    app.add_middleware(
        SessionMiddleware, secret_key=secret, session_cookie=f"marketplace-{shop}", max_age=180 * 86_400
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)
    return Protection(app)  # around everything, so that the answer to a defect is protected, too
