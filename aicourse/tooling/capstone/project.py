"""A capstone's folder: its files as bytes, what its `capstone.toml` says, and the history of its repository.

The folder is a stranger's. Links are refused, nothing is unpacked, sizes are limited, and git never reads
the stranger's configuration, in which commands may stand: only the objects are copied, into a new repository.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aicourse import paths
from aicourse.errors import SubmissionError, first_problem

SETTINGS = "capstone.toml"
MOST_FILES, FILE_BYTES, TOTAL_BYTES = 2_000, 5 << 20, 40 << 20
HISTORY_BYTES, HISTORY_SECONDS = 64 << 20, 60
_TOO_LONG = (
    f"The history holds more than {HISTORY_BYTES:,} bytes, so it is not searched. Take large files out of it "
    "(git filter-repo), or begin a new repository."
)
_MADE_ANEW = {
    *(".git", ".venv", "venv", "build", "node_modules", "__pycache__", ".ipynb_checkpoints", ".hypothesis"),
    *(".pytest_cache", ".mypy_cache", ".ruff_cache"),
}
_OBJECT = re.compile(r"[0-9a-f]{2}/[0-9a-f]{38}|pack/pack-[0-9a-f]{40}\.(pack|idx)")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EvaluationTable(_Table):
    """The table `[evaluation]`: files of the project, and names in its code as `module:name`."""

    dev: str
    test: str
    task: str
    scorers: str
    rules: str
    production: str
    recordings: str
    prompts: str


class CostTable(_Table):
    """The table `[cost]`: a hosted model of the catalogue, or one's own prices in USD per million tokens."""

    model: str
    usd_per_1000_requests: float = Field(ge=0, allow_inf_nan=False)
    requests_per_month: int = Field(gt=0)
    usd_per_million_in: float | None = Field(None, ge=0, allow_inf_nan=False)
    usd_per_million_out: float | None = Field(None, ge=0, allow_inf_nan=False)


class CapstoneSettings(_Table):
    """The content of `capstone.toml`; `tests` is a command, run without a shell."""

    product: str = Field(min_length=1)
    tests: str = Field(min_length=1)
    evaluation: EvaluationTable
    cost: CostTable


@dataclass(frozen=True)
class Project:
    """A folder as it was read: every file by its path there, without what commands make anew."""

    folder: Path
    files: dict[str, bytes]
    settings: CapstoneSettings

    def text(self, name: str) -> str:
        """A file's text.

        Raises:
            SubmissionError: the project has no such file.
        """
        if name not in self.files:
            raise SubmissionError(
                f"{SETTINGS} names {name}, which is not there. Add it, or correct the name."
            )
        return self.files[name].decode("utf-8", "replace")


def template() -> Path:
    """The template's folder, in the course's files."""
    return paths.course_dir() / "homework" / "capstone" / "template"


def new_project(folder: Path) -> int:
    """Copy the template to `folder`, which is new or empty; returns how many files.

    Raises:
        SubmissionError: there is something already, or it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SubmissionError(f"{folder} exists and is not empty. Choose another name.")
    files = read_files(template())
    for name, data in files.items():
        paths.write_atomically(folder / name, data)
    return len(files)


def read_project(folder: Path) -> Project:
    """The project in a folder.

    Raises:
        SubmissionError: no folder, links in it, too many or too large files, no or wrong `capstone.toml`.
    """
    files = read_files(folder)
    try:
        settings = CapstoneSettings.model_validate(tomllib.loads(files[SETTINGS].decode("utf-8-sig")))
    except KeyError:
        raise SubmissionError(
            f"{folder} has no {SETTINGS}. Begin with the template: aicourse capstone new FOLDER"
        ) from None
    except ValidationError as error:
        raise SubmissionError(
            f"{SETTINGS}: {first_problem(error)}. Correct it; the template's has it all."
        ) from None
    except (ValueError, RecursionError) as error:
        raise SubmissionError(f"{SETTINGS} cannot be read ({str(error)[:200]}). Correct it.") from None
    return Project(folder, files, settings)


def read_files(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` by its path there, without what is made anew.

    Raises:
        SubmissionError: it is no folder, or something in it is refused; names that.
    """
    if not folder.is_dir():
        raise SubmissionError(f"{folder} is no folder. Unpack an archive first, then name its folder.")
    files: dict[str, bytes] = {}
    total = 0
    for path in _entries(folder):
        name, about = path.relative_to(folder).as_posix(), path.lstat()
        if not stat.S_ISREG(about.st_mode):
            raise SubmissionError(f"{name} is a link or a device. Put the file itself there.")
        total += about.st_size
        if about.st_size > FILE_BYTES or total > TOTAL_BYTES or len(files) == MOST_FILES:
            raise SubmissionError(
                f"{name}: a project has at most {MOST_FILES:,} files, {FILE_BYTES:,} bytes each, "
                f"{TOTAL_BYTES:,} in all. Leave models and environments out."
            )
        try:
            files[name] = path.read_bytes()
        except OSError as error:
            raise SubmissionError(
                f"{name} cannot be read ({error.strerror}). Hand in a readable copy."
            ) from None
    return files


def _entries(folder: Path) -> Iterator[Path]:
    """Files and links below a folder, in order; links to folders too, but never what they lead to."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - _MADE_ANEW)
        links = [name for name in folders if Path(place, name).is_symlink()]
        yield from (Path(place, name) for name in sorted([*links, *names]))


def history(folder: Path) -> bytes:
    """Every object of the repository in `folder`: commits, former files; empty without `.git`.

    Raises:
        SubmissionError: it cannot be read, or is too large; says what to do.
    """
    objects = folder / ".git" / "objects"
    if not os.path.lexists(folder / ".git"):
        return b""
    if not objects.is_dir() or any(path.is_symlink() for path in (folder / ".git", objects)):
        raise SubmissionError("The history lies in another folder. Check a clone: git clone . ../clean")
    with tempfile.TemporaryDirectory(prefix="aicourse-") as place:
        _git(place, "init", "--bare", "--quiet", ".")
        _copy_objects(objects, Path(place, "objects"))
        listed = _git(place, "cat-file", "--batch-all-objects", "--batch-check=%(objectsize)")
        if sum(map(int, listed.split())) > HISTORY_BYTES:
            raise SubmissionError(_TOO_LONG)
        return _git(place, "cat-file", "--batch-all-objects", "--batch", "--buffer")


def _copy_objects(source: Path, target: Path) -> None:
    """Loose and packed objects alone: no alternates, which may name any folder, and no links."""
    total = 0
    for path in _entries(source):
        if _OBJECT.fullmatch(path.relative_to(source).as_posix()) and stat.S_ISREG(path.lstat().st_mode):
            total += path.lstat().st_size
            if total > HISTORY_BYTES:
                raise SubmissionError(_TOO_LONG)
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def _git(place: str, *words: str) -> bytes:
    """Git's answer in `place`, without anybody's configuration."""
    alone = {"PATH": os.environ.get("PATH", ""), "HOME": place, "GIT_CONFIG_NOSYSTEM": "1", "GIT_DIR": place}
    try:
        done = subprocess.run(
            ["git", *words], cwd=place, env=alone, capture_output=True, timeout=HISTORY_SECONDS, check=True
        )
    except FileNotFoundError:
        raise SubmissionError("git is not installed here, so its history is not read. Install git.") from None
    except (subprocess.SubprocessError, OSError) as error:
        raise SubmissionError(
            f"The history cannot be read ({type(error).__name__}). Check a clone: git clone . ../clean"
        ) from None
    return done.stdout
