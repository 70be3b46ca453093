"""The photo of a case as something an HTML page can hold: a data URL and words.

The bytes of the file are embedded as they are, so that the same file gives the same page everywhere.
Not handled: shrinking; a file above `MAX_BYTES` is named instead of shown.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    Photos = pd.DataFrame | Mapping[str, Path | str]

MAX_BYTES = 2_000_000
_KINDS = ((b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"RIFF", "webp"))


@dataclass(frozen=True)
class Photo:
    """A picture of a case: `source` is a data URL, None when it cannot be shown; `words` say what it is."""

    source: str | None
    words: str


def photo_of(case_id: str, photos: Photos | None) -> Photo | None:
    """The photo of a case, None when it has none.

    `photos` is what `datasets.load_photos` returns, or a mapping of case ids to files.
    """
    if photos is None:
        return None
    if isinstance(photos, Mapping):
        return _read(case_id, Path(photos[case_id]), "") if case_id in photos else None
    if case_id not in photos.index:
        return None
    row = photos.loc[case_id]
    return _read(case_id, Path(row["path"]), _labelled(row))


def _labelled(row: Any) -> str:
    """What the dataset says the photo shows."""
    parts = [", ".join([*row.get("colours", ()), *row.get("materials", ())])]
    parts += [f"size tag {row['size_tag']}"] if isinstance(row.get("size_tag"), str) else []
    if len(row.get("contradicts", ())):
        parts.append(f"contradicts the text in {', '.join(row['contradicts'])}")
    return "; ".join(filter(None, parts))


def _read(case_id: str, path: Path, labels: str) -> Photo:
    words = f"Photo of {case_id}" + (f" ({labels})" if labels else "")
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return Photo(None, f"{words}: {path.name} cannot be read ({error.strerror})")
    kind = next((kind for start, kind in _KINDS if data.startswith(start)), None)
    if kind is None or len(data) > MAX_BYTES:
        problem = "is no JPEG, PNG or WebP" if kind is None else f"is larger than {MAX_BYTES:,} bytes"
        return Photo(None, f"{words}: {path.name} {problem}")
    return Photo(f"data:image/{kind};base64,{b64encode(data).decode()}", words)
