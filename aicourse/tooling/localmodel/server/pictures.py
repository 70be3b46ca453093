"""Pictures for a model that is blind: each becomes a text of what was measured in it, and the reply says so.

    {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,…"}}      chat completions
    {"type": "input_image", "image_url": "data:image/jpeg;base64,…"}             responses
    {"type": "image", "source": {"type": "base64", "data": "…", …}}              messages
    ->  {"type": "text", "text": "[Photo, 480 x 640 pixels, …]"}

The reply's field `aicourse` has the same texts: `{"photos": [{"described_as": "[Photo, …]"}]}`. Only user
messages may show pictures. Work is bounded by the number of pictures, their size (see `photo_files`) and one
request at a time. Not handled: addresses and uploaded files (refused), pictures in tool results.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from aicourse.errors import PhotoError
from aicourse.tooling.localmodel.server.http_errors import HttpError, bad_request

MAX_PHOTOS = 8  # per request; each takes about 40 ms of CPU, one of 50 million pixels a second
KINDS = {"image_url", "input_image", "image"}


@dataclass(frozen=True)
class Told:
    """The texts that a model was told of a request's photos, in order."""

    texts: tuple[str, ...] = ()

    def metadata(self) -> dict[str, Any]:
        """The field for the reply; nothing where there was no photo."""
        return {"aicourse": {"photos": [{"described_as": text} for text in self.texts]}} if self.texts else {}


class Describer:
    """Describes the pictures of one request at a time: decoding takes memory."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def __call__(self, request: dict[str, Any], field: str) -> tuple[dict[str, Any], Told]:
        """`request` with texts for the pictures in the messages of `field`, and these texts.

        Raises:
            HttpError: 400, a picture cannot be read or there are too many; names its place.
        """
        places = _places(request.get(field), field)
        if not places:
            return request, Told()
        if len(places) > MAX_PHOTOS:
            raise bad_request(
                field, f"{len(places)} pictures: this server takes {MAX_PHOTOS} per request. Send fewer."
            )
        async with self._turn:
            texts = await asyncio.to_thread(_describe_all, places)
        replaced = {
            id(part): {"type": "text", "text": text} for (_, part), text in zip(places, texts, strict=True)
        }
        messages = [_replaced(message, replaced) for message in request[field]]
        return request | {field: messages}, Told(tuple(texts))


def _places(messages: Any, field: str) -> list[tuple[str, dict[str, Any]]]:
    """The picture parts of user messages, each with its place in the request; what is malformed is left."""
    return [
        (f"{field}[{position}].content[{number}]", part)
        for position, message in enumerate(messages if isinstance(messages, list) else [])
        if isinstance(message, dict) and message.get("role") == "user"
        for number, part in enumerate(message["content"] if isinstance(message.get("content"), list) else [])
        if isinstance(part, dict) and isinstance(part.get("type"), str) and part["type"] in KINDS
    ]


def _replaced(message: Any, texts: dict[int, dict[str, Any]]) -> Any:
    if not isinstance(message, dict) or not isinstance(message.get("content"), list):
        return message
    return message | {"content": [texts.get(id(part), part) for part in message["content"]]}


def _describe_all(places: list[tuple[str, dict[str, Any]]]) -> list[str]:
    # numpy and Pillow, only when somebody sends a picture
    from aicourse.llm.photos.description import describe_photo

    texts = []
    for place, part in places:
        try:
            texts.append(describe_photo(_source(part, place)).text)
        except PhotoError as error:
            raise HttpError(400, f"{place}: {error.message}", code="invalid_image", param=place) from None
    return texts


def _source(part: dict[str, Any], place: str) -> str:
    """The data URL in a picture part.

    Raises:
        HttpError: 400, there is none.
    """
    source = part.get("source") if part["type"] == "image" else part.get("image_url")
    if isinstance(source, dict):
        kind, data = source.get("media_type"), source.get("data")
        if isinstance(kind, str) and isinstance(data, str):
            return f"data:{kind};base64,{data}"
        source = source.get("url")
    if isinstance(source, str) and source.lower().startswith(("data:", "http://", "https://")):
        return source  # an address is refused where photos are read
    message = f"{place} has no picture: send it as a data URL (data:image/jpeg;base64,…)."
    raise HttpError(400, message, code="invalid_image", param=place)
