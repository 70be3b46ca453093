"""The marketplace itself: a web app in which people sell, with a model that fills in the form.

    from aicourse.marketplace.app import serve

    shop = serve(background=True)      # beside a notebook; `aicourse marketplace` in a terminal

Read in this order: `store` (the tables), `proposing` (the model), `describing`, `confirming` and `shop` (the
pages, with `pages` and `feedback_form`); `help_center`, `questions`, `asking` and `help_pages`, which are
help; `conversations`, `chatting` and `support_pages`, the support chat; `admin`, `protection`, `application`
(all of it put together), `serving`; `outcomes` (what an experiment in it led to).
"""

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.marketplace.app.outcomes import read_outcomes as read_outcomes
    from aicourse.marketplace.app.serving import Marketplace as Marketplace
    from aicourse.marketplace.app.serving import serve as serve
    from aicourse.marketplace.app.store import Store as Store

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Marketplace": "aicourse.marketplace.app.serving",
        "Store": "aicourse.marketplace.app.store",
        "read_outcomes": "aicourse.marketplace.app.outcomes",
        "serve": "aicourse.marketplace.app.serving",
    },
)
