"""Faults on purpose: what providers and models do on a bad day, at the calls you choose.

    client = connect(faults=[Fault(status=429, retry_after=0.1), Fault(kind="cut_off", after=3)])

Faults come one after the other: the first lets `after` calls pass and then spoils `times` calls, then the
second begins to count. A retry is a call of its own. There is no chance in it: the same program meets the
same faults. They stand above the recordings, so they are never recorded.

| fault              | what the caller gets                                                         |
|--------------------|------------------------------------------------------------------------------|
| `status=429` …     | an error reply in the provider's own form, with `retry-after` if you give it |
| `kind="timeout"`   | `httpx2.ReadTimeout`, at once                                                |
| `kind="cut_off"`   | half of the real reply, finish reason `length`; a stream just ends halfway   |
| `kind="malformed"` | the real reply with chatter before it and its last character missing         |
| `kind="empty"`     | the real reply without its text                                              |
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import httpx2

from aicourse.errors import AicourseError
from aicourse.llm.formats import (
    EVENT_STREAM,
    change_streamed_text,
    change_text,
    endpoint,
    first_half,
    mark_as_cut_off,
)
from aicourse.llm.transport import Exchange, Layer, Origin, Read, origin_of

Kind = Literal["timeout", "cut_off", "malformed", "empty"]

CHATTER = "Sure! Here is the JSON you asked for:\n"

_REASONS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_NEW_TEXT: dict[Kind, Callable[[str], str]] = {
    "cut_off": lambda text: text[: len(text) // 2],
    "malformed": lambda text: CHATTER + text[:-1],
    "empty": lambda text: "",
}


@dataclass(frozen=True)
class Fault:
    """One kind of trouble: either an HTTP `status` or a `kind`.

    `times` is how many calls it spoils (None: all from then on), `after` how many pass before.
    `retry_after` is in seconds and goes with a status.

    >>> Fault(status=503, times=2).times
    2
    """

    status: int | None = None
    kind: Kind | None = None
    times: int | None = 1
    after: int = 0
    retry_after: float | None = None

    def __post_init__(self) -> None:
        if (self.status is None) == (self.kind is None):
            raise AicourseError("A Fault needs either status= (such as 429) or kind= (such as 'timeout').")
        if self.kind is not None and self.kind != "timeout" and self.kind not in _NEW_TEXT:
            known = ", ".join(["timeout", *_NEW_TEXT])
            raise AicourseError(f"No fault of kind {self.kind!r}. Use one of: {known}.")
        if self.status is not None and not 400 <= self.status <= 599:
            raise AicourseError(f"A Fault's status is an error, 400 to 599, not {self.status}.")


class InjectedTimeout(httpx2.ReadTimeout):
    """The timeout of a fault; the client cannot tell it from a real one."""

    injected = True


class FaultLayer:
    """Spoils the calls that its faults name and lets the others through to `inner`."""

    def __init__(self, inner: Layer, faults: Sequence[Fault]) -> None:
        self._inner = inner
        self._schedule = _schedule(faults)
        self._lock = threading.Lock()

    def __call__(self, request: httpx2.Request) -> Exchange:
        """One request."""
        with self._lock:
            fault = next(self._schedule)
        if fault is None:
            return (yield from self._inner(request))
        if fault.kind == "timeout":
            raise InjectedTimeout("The read operation timed out (a fault on purpose)", request=request)
        if fault.kind is None:
            return error_response(fault, request)
        response = yield from self._inner(request)
        if response.status_code >= 400:
            return response
        yield Read(response)
        return _spoiled(response, fault.kind)


def _schedule(faults: Sequence[Fault]) -> Iterator[Fault | None]:
    """The fault for each call in turn, None where there is none; a list may grow meanwhile."""
    for position in itertools.count():
        while position >= len(faults):
            yield None
        fault = faults[position]
        yield from itertools.repeat(None, fault.after)
        yield from itertools.repeat(fault) if fault.times is None else itertools.repeat(fault, fault.times)


def error_response(fault: Fault, request: httpx2.Request) -> httpx2.Response:
    """The reply that the provider would give with the fault's status."""
    assert fault.status is not None
    reason = _REASONS.get(fault.status, "api_error" if fault.status < 500 else "server_error")
    message = f"{fault.status} on purpose, by aicourse.Fault"
    error: dict[str, Any] = {"type": reason, "message": message}
    body = {"type": "error", "error": error}
    if endpoint(request.url.path) != "messages":  # OpenAI's form, which all others copy
        code = "rate_limit_exceeded" if fault.status == 429 else None
        body = {"error": {**error, "param": None, "code": code}}
    headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    extensions = {"aicourse": Origin(injected=True)}
    return httpx2.Response(fault.status, headers=headers, json=body, extensions=extensions)


def _spoiled(response: httpx2.Response, kind: Kind) -> httpx2.Response:
    content_type = response.headers.get("content-type", "")
    if not content_type.startswith(EVENT_STREAM):
        payload = json.loads(response.text)
        change_text(payload, _NEW_TEXT[kind])
        if kind == "cut_off":
            mark_as_cut_off(payload)
        text = json.dumps(payload, ensure_ascii=False)
    elif kind == "cut_off":
        text = first_half(response.text)
    else:
        text = change_streamed_text(response.text, _NEW_TEXT[kind])
    origin = replace(origin_of(response), injected=True)
    return httpx2.Response(
        response.status_code,
        headers={"content-type": content_type},
        content=text.encode(),
        extensions={"aicourse": origin},
    )
