"""All doubles behind one address on loopback: `/openai/v1/…` and `/anthropic/v1/…`, with what they refused.

with Doubles() as doubles:
    client = openai.OpenAI(base_url=f"{doubles.url}/openai/v1", api_key=MADE_UP_KEYS["OPENAI_API_KEY"])
    ...
    assert doubles.refused == []
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from doubles import anthropic_api, openai_api, replies
from doubles.refusals import Asked, Refusal

_MADE_UP = "not-a-key-of-anybody"
MADE_UP_KEYS = {"OPENAI_API_KEY": f"sk-{_MADE_UP}", "ANTHROPIC_API_KEY": f"sk-ant-{_MADE_UP}"}
ROUTES = {
    "/openai/v1/chat/completions": openai_api.check_chat,
    "/openai/v1/responses": openai_api.check_responses,
    "/anthropic/v1/chat/completions": anthropic_api.check_compatible,
    "/anthropic/v1/messages": anthropic_api.check_messages,
}


class Doubles:
    """The server; `refused` and `ignored` tell of each request that a real API would not have honoured."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.ignored: list[str] = []
        self.answered: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"doubles": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Doubles:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """Settings with which clients come here instead of going out."""
        addresses = {
            "OPENAI_BASE_URL": f"{self.url}/openai/v1",
            "ANTHROPIC_BASE_URL": f"{self.url}/anthropic",
        }
        return MADE_UP_KEYS | addresses

    def answer(self, path: str, asked: Asked) -> dict[str, Any]:
        """The reply to a request.

        Raises:
            Refusal: the API would not answer.
        """
        try:
            if path not in ROUTES:
                raise openai_api.refuse(f"Invalid URL (POST {path})", status=404)
            ROUTES[path](asked)
        except Refusal as refusal:
            with self._lock:
                self.refused.append(f"{path}: {refusal}")
            raise
        question = json.dumps(asked.body, sort_keys=True)
        with self._lock:
            self.ignored += [f"{path}: {name}" for name in asked.ignored]
            self.answered[path] += 1
            position = self._asked[question]
            self._asked[question] += 1
        return _REPLIES[path](asked.body, position)


def _chat(body: dict[str, Any], position: int) -> dict[str, Any]:
    question = {name: body[name] for name in _QUESTION if body.get(name) is not None}
    return replies.completion(body["model"], question, position)


def _compatible(body: dict[str, Any], position: int) -> dict[str, Any]:
    question = {name: body[name] for name in _QUESTION if body.get(name) is not None}
    question.pop("response_format", None)  # ignored
    choice = body.get("tool_choice")
    forced = choice["function"]["name"] if isinstance(choice, dict) else None
    tools = {tool["function"]["name"]: tool["function"] for tool in body.get("tools") or []}
    if forced:
        question["schema"] = tools[forced]["parameters"]
    reply = replies.completion(body["model"], question, position)
    if forced:
        first = reply["choices"][0]
        function = {"name": forced, "arguments": first["message"]["content"]}
        calls = [{"id": "toolu_double", "type": "function", "function": function}]
        message = {"role": "assistant", "content": None, "tool_calls": calls}
        reason = "tool_calls" if first["finish_reason"] == "stop" else first["finish_reason"]
        reply = reply | {"choices": [{"index": 0, "message": message, "finish_reason": reason}]}
    return reply


def _messages(body: dict[str, Any], position: int) -> dict[str, Any]:
    question = {name: body[name] for name in ("messages", "system", "max_tokens") if name in body}
    found = replies.find("POST messages", question, position)
    schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    text = json.dumps(replies.smallest(schema, schema)) if schema else replies.SMALLEST_TEXT
    content = found.body["content"] if found else [{"type": "text", "text": text}]
    usage = found.body["usage"] if found else {"input_tokens": 40, "output_tokens": 12}
    choice = body.get("tool_choice") or {}
    reason = "end_turn"
    if choice.get("type") in ("any", "tool"):
        tool = next(one for one in body["tools"] if choice.get("name") in (None, one["name"]))
        given = replies.smallest(tool["input_schema"], tool["input_schema"])
        content = [{"type": "tool_use", "id": "toolu_double", "name": tool["name"], "input": given}]
        reason = "tool_use"
    elif anthropic_api.thinks(body):  # "a response can begin with one or more `thinking` blocks"
        content = [{"type": "thinking", "thinking": "", "signature": "double"}, *content]
    head = {"id": "msg_double", "type": "message", "role": "assistant", "model": body["model"]}
    return {**head, "content": content, "stop_reason": reason, "stop_sequence": None, "usage": usage}


def _responses(body: dict[str, Any], position: int) -> dict[str, Any]:
    asked = body["input"]
    messages = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    question: dict[str, Any] = {"messages": messages}
    if form := (body.get("text") or {}).get("format"):
        question |= {"schema": form["schema"]} if form.get("type") == "json_schema" else {}
    whole = replies.completion(body["model"], question, position)
    text = {"type": "output_text", "text": whole["choices"][0]["message"]["content"], "annotations": []}
    head = {"type": "message", "id": "msg_double", "role": "assistant", "status": "completed"}
    output = {**head, "content": [text]}
    counts = whole["usage"]
    usage = {
        "input_tokens": counts["prompt_tokens"],
        "output_tokens": counts["completion_tokens"],
        "total_tokens": counts["total_tokens"],
    }
    head = {"id": "resp_double", "object": "response", "created_at": 1_790_000_000, "status": "completed"}
    rest = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": body.get("tools") or []}
    return {**head, **rest, "model": body["model"], "output": [output], "usage": usage}


_QUESTION = ("messages", "response_format", "max_completion_tokens", "temperature", "seed", "stop")
_REPLIES = {
    "/openai/v1/chat/completions": _chat,
    "/openai/v1/responses": _responses,
    "/anthropic/v1/chat/completions": _compatible,
    "/anthropic/v1/messages": _messages,
}


class _Handler(BaseHTTPRequestHandler):
    """One connection; it may carry many requests."""

    doubles: Doubles
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer or refuse."""
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(json.loads(self.rfile.read(length)), headers)
        try:
            reply = self.doubles.answer(self.path, asked)
        except Refusal as refusal:
            self._send(refusal.status, "application/json", json.dumps(refusal.body).encode())
            return
        if asked.body.get("stream") and "choices" in reply:
            with_usage = bool((asked.body.get("stream_options") or {}).get("include_usage"))
            self._send(200, "text/event-stream", replies.as_stream(reply, with_usage=with_usage))
        else:
            self._send(200, "application/json", json.dumps(reply).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""
