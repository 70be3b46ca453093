"""The layer that puts a request into the dialect of the model it goes to.

    max_tokens=60                       max_completion_tokens=60        noted: the same under another name
    (nothing said of reasoning)    ->   reasoning_effort="none"         noted: sent
    response_format=…                   tools=…, tool_choice=…          noted: asked for, not enforced
    temperature=0 of a prompt's hints   (left out)                      noted: a wish
    temperature=0 of the call           SettingRefused                  the model has nothing like it

It stands below the recordings, so these are of what was asked. What a model takes is data (`models.toml`,
`catalog.Dialect`); `usage(client)` shows the notes. A streamed reply is not turned back from a tool's
arguments into text: there, a form is refused where it would have to be asked for as a tool.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from aicourse.errors import SettingRefused
from aicourse.llm import catalog
from aicourse.llm.calls import HINTS_HEADER
from aicourse.llm.catalog import Dialect
from aicourse.llm.formats import endpoint
from aicourse.llm.transport import Exchange, Layer, Read, origin_of

_FORM: dict[str, Any] = {"type": "function", "function": {"name": "give_answer"}}


@dataclass(frozen=True)
class DialectLayer:
    """Translates for the models of the provider called `provider`."""

    inner: Layer
    provider: str

    def __call__(self, request: httpx2.Request) -> Exchange:
        """One request.

        Raises:
            SettingRefused: it asks for something that the model does not do.
        """
        hints = json.loads(request.headers.pop(HINTS_HEADER, "{}"))
        body = _body(request)
        model = str(body.get("model", ""))
        spoken = catalog.dialect(self.provider, model, endpoint(request.url.path))
        if spoken == Dialect() or not body:
            return (yield from self.inner(request))
        translation = Translation(model, body, hints, spoken)
        translation.make()
        headers = httpx2.Headers(request.headers)
        headers.pop("content-length", None)
        response = yield from self.inner(
            httpx2.Request(
                request.method, request.url, headers=headers, json=body, extensions=request.extensions
            )
        )
        response.extensions["aicourse"] = replace(origin_of(response), notes=tuple(translation.notes))
        if body.get("tool_choice") == _FORM and response.status_code == 200:
            yield Read(response)
            return _text_of_form(response)
        return response


@dataclass
class Translation:
    """A request's body, changed in place, and the notes on what was changed."""

    model: str
    body: dict[str, Any]
    hints: dict[str, Any]
    dialect: Dialect
    notes: list[str] = field(default_factory=list)

    def make(self) -> None:
        """Translate.

        Raises:
            SettingRefused: the body asks for something that the model does not do.
        """
        self._rename()
        for name, value in self.dialect.sends.items():
            if self.body.get(name) is None:
                self.body[name] = value
                self.notes.append(f"{name}={value!r} sent")
            elif self.body[name] != value:
                for other in self.dialect.with_it:
                    self._take(other, f"only with {name}={value!r}", taken=not self.body.get(other))
        for name, value in list(self.body.items()):
            only = f"only as {self.dialect.only[name]!r}" if name in self.dialect.only else ""
            self._take(name, only, taken=value is None or self.dialect.takes(name, value))
        strict = [tool for tool in self.body.get("tools") or [] if tool.get("function", {}).get("strict")]
        self._take("strict", "", taken=not strict or self.dialect.takes("strict", True))
        if self.dialect.form_as_tool and _form(self.body):
            self._ask_as_tool()

    def _rename(self) -> None:
        for name, other in self.dialect.renames.items():
            if name in self.body and other not in self.body:
                self.body[other] = self.body.pop(name)
                self.notes.append(f"{name} → {other}")

    def _take(self, name: str, condition: str, *, taken: bool) -> None:
        """Let a setting pass, or drop it if it is but a prompt's hint, or refuse it."""
        if taken:
            return
        if name in self.hints and self.hints[name] == self.body.get(name):
            self.notes.append(f"{name}={self.body.pop(name)!r}, a hint, left out")
            return
        way_out = f", or {self.dialect.way_out}" if self.dialect.way_out else ""
        raise SettingRefused(
            f"{self.model} takes {name} {condition or 'not at all'}: leave it out of the call{way_out}.",
            model=self.model,
            setting=name,
        )

    def _ask_as_tool(self) -> None:
        self._take("response_format", "only without stream=True", taken=not self.body.get("stream"))
        self._take("response_format", "only without tools", taken=not self.body.get("tools"))
        form = self.body.pop("response_format")
        schema = form.get("json_schema", {}).get("schema", {"type": "object"})
        function = _FORM["function"] | {"description": "Give the whole answer.", "parameters": schema}
        self.body |= {"tools": [{"type": "function", "function": function}], "tool_choice": _FORM}
        self.notes.append("response_format → a tool, its schema not enforced")


def _body(request: httpx2.Request) -> dict[str, Any]:
    """The body as an object; an empty one where it is something else."""
    try:
        body = json.loads(request.content or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _form(body: dict[str, Any]) -> bool:
    form = body.get("response_format")
    return isinstance(form, dict) and form.get("type") != "text"


def _text_of_form(response: httpx2.Response) -> httpx2.Response:
    """The reply with the arguments of the tool as its text, as if the form had been asked for directly."""
    payload = response.json()
    for choice in payload.get("choices", []):
        if calls := choice["message"].pop("tool_calls", None):
            choice["message"]["content"] = calls[0]["function"]["arguments"]
        if choice["finish_reason"] == "tool_calls":
            choice["finish_reason"] = "stop"
    return httpx2.Response(200, json=payload, extensions=response.extensions)
