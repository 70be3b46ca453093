"""htmx is the very file that its publisher made, with its licence."""

from __future__ import annotations

import hashlib

from aicourse.marketplace.app.pages import HTMX, STATIC

# dist/htmx.min.js and LICENSE of htmx.org 2.0.11 on npm, whose integrity is
# sha512-Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==
SHA256 = {
    "htmx-2.0.11.min.js": "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
    "htmx-LICENSE": "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38",
}


def test_the_vendored_files_are_unchanged() -> None:
    assert HTMX in SHA256
    for name, expected in SHA256.items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == expected
