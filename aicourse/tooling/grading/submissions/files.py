"""The files that a notebook may read, in a folder of their own: whatever else lies beside them stays out."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def beside(folder: Path, names: Sequence[str]) -> Iterator[Path | None]:
    """A temporary folder with those of the named files that exist in `folder`; None when none is named."""
    if not names:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="aicourse-files-") as temporary:
        for name in names:
            source = folder / Path(name).name
            if source.is_file():
                shutil.copyfile(source, Path(temporary, source.name))
        yield Path(temporary)
