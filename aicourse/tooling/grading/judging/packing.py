"""`hw01.ipynb` -> `hw01.zip`: the notebook, the files that belong to it, and a manifest; nothing else.

The manifest says which homework, which release of it, when and with which hashes, so that a damaged upload
can be told. It proves nothing about who wrote it.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from aicourse import paths
from aicourse.errors import SubmissionError
from aicourse.tooling.grading.judging.student import read_student_notebook
from aicourse.tooling.grading.submissions.release import find_release

MANIFEST = "manifest.json"
LARGEST = 20 << 20
EARLIEST = datetime(1980, 1, 1)  # that a zip can say


def pack(path: Path, *, now: datetime | None = None) -> Path:
    """Write `<assignment>.zip` beside the notebook; returns where it is.

    Raises:
        SubmissionError: it cannot be read, nothing says which homework it is, or it is too large.
    """
    release = find_release(path, read_student_notebook(path))
    names = [name for name in release.files if (path.parent / name).is_file()]
    contents = {f"{release.assignment}.ipynb": path.read_bytes()}
    contents |= {name: (path.parent / name).read_bytes() for name in names}
    size = sum(map(len, contents.values()))
    if size > LARGEST:
        raise SubmissionError(
            f"{path.name} and its files have {size / 1e6:.0f} MB; {LARGEST / 1e6:.0f} are allowed. Clear the "
            "outputs (Edit, Clear Outputs of All Cells), save, and pack again.",
            submission=path.name,
        )
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    manifest = {
        "assignment": release.assignment,
        "release": release.release,
        "packed": moment.isoformat(),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
    }
    target = path.parent / f"{release.assignment}.zip"
    text = json.dumps(manifest, indent=1) + "\n"
    paths.write_atomically(target, zipped({**contents, MANIFEST: text.encode()}, moment))
    return target


def zipped(
    contents: Mapping[str, bytes], moment: datetime = EARLIEST, *, executable: Collection[str] = ()
) -> bytes:
    """The bytes of a zip, the same for the same contents and moment."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            entry = zipfile.ZipInfo(name, moment.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if name in executable else 0o644) << 16
            archive.writestr(entry, data)
    return buffer.getvalue()
