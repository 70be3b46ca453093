"""What every page is judged by: axe-core's serious findings, and what is wider than the window.

axe-core (https://github.com/dequelabs/axe-core, MPL-2.0, its licence beside it) is one file in `vendor`, as
npm has it. Serious and critical findings fail; axe finds about half of what keeps people out, not all.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

AXE = Path(__file__).with_name("vendor") / "axe-core-4.14.1.min.js"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
FIND = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
    .filter(found => ["serious", "critical"].includes(found.impact))
    .map(found => `${found.id}, ${found.nodes.length} times: `
        + found.nodes.slice(0, 5).map(node => node.html.slice(0, 150)).join(" "))"""

TOO_WIDE = """() => [...document.querySelectorAll("body *")]
    .filter(one => one.getBoundingClientRect().right > innerWidth)
    .filter(one => !one.closest(".wide, .output_html, .output_markdown, svg"))
    .map(one => one.outerHTML.slice(0, 150)).slice(0, 5).join(" ")"""


def axe_source() -> str:
    """axe-core, the very file that its publisher made."""
    source = AXE.read_bytes()
    assert hashlib.sha256(source).hexdigest() == AXE_SHA256
    return source.decode()
