"""The page of `reviewing`: one answer at a time, its rubric beside it, every step on a key.

Texts arrive as JSON and are put on the page as text (`textContent`), never as HTML.
"""

from __future__ import annotations

from typing import Any

from aicourse.tooling.grading.publishing.pages import page, template


def render(data: dict[str, Any]) -> str:
    """The page, with what it needs inside."""
    return page(
        f"{data['title']}: grading by hand",
        template("review.html"),
        style=template("review.css"),
        script=template("review.js"),
        data=data,
    )
