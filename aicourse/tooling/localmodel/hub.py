"""Get one model file over HTTP, continuing where an earlier try stopped.

Ranges and entity tags follow RFC 9110, sections 8.8.3, 13.1.5 and 14. What has arrived stays in
`<folder>/<file name>`, and beside it `.origin` says from which URL and with which entity tag, so that two
versions of a file are never glued together; if they are, the hash shows it and the file comes once more.

Does not choose between sources, lock, or put the file in its final place: `model_files.py` does.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2

from aicourse.errors import DownloadError
from aicourse.paths import write_atomically
from aicourse.tooling.localmodel.checksum import digest_of, prove, require_space, size_of, write_chunks
from aicourse.tooling.localmodel.local_models import HubFile, ModelFile

if TYPE_CHECKING:
    from aicourse.tooling.localmodel.checksum import Bar

CONNECT_SECONDS = 3.0  # a hub that is blocked should cost a moment, not a minute
SILENCE_SECONDS = 30.0
BROKEN_CONNECTIONS = 20


def fetch_hub_file(source: HubFile, file: ModelFile, folder: Path, bar: Bar) -> Path:
    """The path in `folder` of `file`, complete and proven.

    Raises:
        HashMismatch: the hub gave other bytes; they are deleted.
        DownloadError: the hub cannot be reached or does not have it; what arrived stays for the next try.
        OSError: `folder` cannot be written or is full.
    """
    part = folder / file.name
    resumed = size_of(part)
    require_space(folder, file.size - resumed)
    bar.reset(total=file.size)
    timeout = httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
    with httpx2.Client(follow_redirects=True, timeout=timeout) as client:
        digest = _receive_all(client, source.url, file, part, bar)
        if resumed and digest != file.sha256:  # its beginning was another file's: once more from scratch
            part.unlink()
            digest = _receive_all(client, source.url, file, part, bar)
    return prove(part, digest, file, _host(source.url))


def _receive_all(client: httpx2.Client, url: str, file: ModelFile, part: Path, bar: Bar) -> str:
    """Receive until complete, asking again after each broken connection that brought something."""
    for _ in range(BROKEN_CONNECTIONS):
        before = size_of(part)
        try:
            return _receive(client, url, file, part, bar)
        except httpx2.RequestError as error:
            reason = _reason(error)
            if size_of(part) <= before:
                break
    raise DownloadError(f"{_host(url)}: {reason}")


def _receive(client: httpx2.Client, url: str, file: ModelFile, part: Path, bar: Bar) -> str:
    """Ask once for what `part` lacks; returns the SHA-256 of the whole."""
    start, entity_tag = _resume_point(part, url, file.size)
    if start == file.size:
        with part.open("rb") as complete:
            return digest_of(complete, start).hexdigest()
    with client.stream("GET", url, headers=_range_headers(start, entity_tag)) as response:
        _check_answer(response, file.size)
        if start and not _continues(response, start, file.size, entity_tag):
            part.unlink()
            if response.status_code != 200:
                return _receive(client, url, file, part, bar)
            start = 0
        write_atomically(_origin(part), f"{url}\n{response.headers.get('etag', '')}\n")
        return _append(response, start, file, part, bar)


def _resume_point(part: Path, url: str, size: int) -> tuple[int, str]:
    """The bytes of `part` that are here from this very URL, and the entity tag they had."""
    known = _origin(part).read_text(encoding="utf-8") if _origin(part).exists() else "\n"
    origin, entity_tag, *_ = known.split("\n")
    if origin != url or size_of(part) > size:
        part.unlink(missing_ok=True)
    return size_of(part), entity_tag


def _range_headers(start: int, entity_tag: str) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}  # sizes and ranges must count the file's own bytes
    if start:
        headers["Range"] = f"bytes={start}-"
        if entity_tag.startswith('"'):  # If-Range takes strong tags only
            headers["If-Range"] = entity_tag
    return headers


def _check_answer(response: httpx2.Response, size: int) -> None:
    host, status = response.url.host, response.status_code
    if status not in (200, 206, 416):
        raise DownloadError(f"{host} answered {status}")
    length = int(response.headers.get("content-length", size))
    if status == 200 and length != size:
        raise DownloadError(f"{host} has a file of {length:,} bytes, not {size:,}")


def _continues(response: httpx2.Response, start: int, size: int, entity_tag: str) -> bool:
    """True if `response` is exactly the missing rest of the same file."""
    same_file = not entity_tag or response.headers.get("etag", entity_tag) == entity_tag
    content_range = response.headers.get("content-range", "")
    in_range = re.fullmatch(rf"bytes {start}-{size - 1}/({size}|\*)", content_range)
    return response.status_code == 206 and same_file and in_range is not None


def _append(response: httpx2.Response, start: int, file: ModelFile, part: Path, bar: Bar) -> str:
    bar.n = bar.initial = start  # so that the rate counts only what arrives now
    with part.open("r+b" if start else "wb") as out:
        digest = digest_of(out, start)
        chunks = response.iter_raw()  # as they come: a larger chunk size would lose its tail when cut off
        written = start + write_chunks(chunks, out, digest, file.size - start, bar)
    if written > file.size:
        raise DownloadError(f"{response.url.host} sent more than {file.size:,} bytes")
    if written < file.size:  # without a length in the header, an early end looks like the end
        raise httpx2.RemoteProtocolError("it ended early")
    return digest.hexdigest()


def _origin(part: Path) -> Path:
    return part.with_name(f"{part.name}.origin")


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


def _reason(error: httpx2.RequestError) -> str:
    if isinstance(error, httpx2.ConnectTimeout):
        return f"no connection within {CONNECT_SECONDS:g} s"
    if isinstance(error, httpx2.ConnectError):
        return f"no connection ({error})"
    if isinstance(error, httpx2.ReadTimeout):
        return f"silent for {SILENCE_SECONDS:g} s"
    return f"the connection broke ({error})"
