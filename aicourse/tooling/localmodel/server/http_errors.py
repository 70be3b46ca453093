"""Errors as providers send them, so that every client raises its own exception for them.

OpenAI: `{"error": {"message", "type", "param", "code"}}`; Anthropic: `{"type": "error", "error": {"type",
"message"}}`.
Sources: https://platform.openai.com/docs/guides/error-codes and https://docs.anthropic.com/en/api/errors
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse

CLIENT_LEFT = 499  # nginx's status for a client that left before the answer began; nobody reads it
ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    503: "overloaded_error",
}


@dataclass(eq=False)
class HttpError(Exception):
    """A request that cannot be answered; `status` is the HTTP status, `code` is OpenAI's word for it."""

    status: int
    message: str
    code: str | None = None
    param: str | None = None
    retry_after: int | None = None

    def __str__(self) -> str:
        return self.message

    @property
    def kind(self) -> str:
        """OpenAI's `type` of the error."""
        if self.status == 401:
            return "authentication_error"
        return "server_error" if self.status >= 500 else "invalid_request_error"

    def body(self, path: str) -> dict[str, Any]:
        """The error as the clients of `path` expect it.

        >>> HttpError(404, "no such model", code="model_not_found").body("/v1/messages")["error"]["type"]
        'not_found_error'
        """
        if path.startswith("/v1/messages"):
            kind = ANTHROPIC_TYPES.get(self.status, "api_error")
            return {"type": "error", "error": {"type": kind, "message": self.message}}
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}

    def event(self, path: str) -> str:
        """The error as an event of a stream that has begun."""
        body = self.body(path)
        if path.startswith(("/v1/chat/", "/v1/completions")):
            return f"data: {json.dumps(body)}\n\n"
        return f"event: error\ndata: {json.dumps({'type': 'error'} | body)}\n\n"

    def response(self, path: str) -> JSONResponse:
        """The whole HTTP response."""
        headers = {"retry-after": str(self.retry_after)} if self.retry_after is not None else None
        return JSONResponse(self.body(path), self.status, headers)


def bad_request(param: str, message: str) -> HttpError:
    """The error for a request whose field `param` is not as it must be."""
    return HttpError(400, message, param=param)


def no_model(message: str) -> HttpError:
    """The error for a model that cannot answer here."""
    return HttpError(404, message, code="model_not_found", param="model")


def defect(error: Exception) -> HttpError:
    """The reply to an error that nobody foresaw; the log has its traceback."""
    name = type(error).__name__
    return HttpError(500, f"The embedded model's server failed ({name}). Its log says more: aicourse doctor")
