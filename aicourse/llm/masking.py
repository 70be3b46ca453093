"""The layer that lets no key come back: a provider that repeats one shows it to nobody above this layer.

Looked for, by value, are the configured keys and those that the request itself carries (a client may be given
one of its own), in the body, the headers and the words of an exception. A body goes on line by line, so that
no key is cut in two; the events of a stream end with a line, so none of them waits. A key that a model spells
over several events is not recognised here; a request that holds one is not recorded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx2

from aicourse.llm.keys import MASK, PLACEHOLDER, SHORTEST_KEY, configured_keys, forms
from aicourse.llm.transport import Exchange, Layer, decoded

_CREDENTIALS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")


@dataclass(frozen=True)
class MaskLayer:
    """Passes requests to `inner` and takes keys out of what it answers."""

    inner: Layer

    def __call__(self, request: httpx2.Request) -> Exchange:
        """One request."""
        own = {request.headers.get(name, "").rpartition(" ")[2] for name in _CREDENTIALS} - {PLACEHOLDER}
        hidden = forms(configured_keys() | {key for key in own if len(key) >= SHORTEST_KEY})
        try:
            response = yield from self.inner(request)
        except Exception as error:
            link: BaseException | None = error
            while link:
                link.args = tuple(_without(hidden, one) if isinstance(one, str) else one for one in link.args)
                link = link.__cause__ or link.__context__
            raise
        if not hidden:
            return response
        headers = {name: _without(hidden, value) for name, value in response.headers.items()}
        return decoded(response, _MaskedStream(response, hidden), headers)


def _without(hidden: list[str], text: str) -> str:
    for form in hidden:
        text = text.replace(form, MASK)
    return text


class _MaskedStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, response: httpx2.Response, hidden: list[str]) -> None:
        self._response = response
        self._hidden = [form.encode() for form in hidden]
        self._held: list[bytes] = []  # the beginning of a line

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._response.iter_bytes():
            yield from self._lines(chunk)
        yield from self._lines(b"", last=True)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.aiter_bytes():
            for lines in self._lines(chunk):
                yield lines
        for lines in self._lines(b"", last=True):
            yield lines

    def _lines(self, chunk: bytes, *, last: bool = False) -> Iterator[bytes]:
        """The lines that `chunk` completes, masked."""
        end = len(chunk) if last else chunk.rfind(b"\n") + 1
        if not end and not last:
            self._held.append(chunk)
            return
        lines = b"".join([*self._held, chunk[:end]])
        self._held = [chunk[end:]]
        for form in self._hidden:
            lines = lines.replace(form, MASK.encode())
        if lines:
            yield lines

    def close(self) -> None:
        self._response.close()

    async def aclose(self) -> None:
        await self._response.aclose()
