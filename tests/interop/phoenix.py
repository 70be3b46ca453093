"""The marketplace's spans in a real Arize Phoenix, to look at; not a test, because Phoenix is 549 MB.

    pip install arize-phoenix                    # into an environment of its own
    PHOENIX_TELEMETRY_ENABLED=false phoenix serve
    python tests/interop/phoenix.py              # in this project's, with aicourse[otlp]

Then open http://localhost:6006: one trace `propose` with the model's call below it, the prompt's version on
the call, a score as event, and [email] where the listing had an address.
"""

from __future__ import annotations

import socket
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from aicourse.monitoring import note, record_score, span, start_tracing
from aicourse.testing import ScriptedModel

PROMPT = {"x-aicourse-prompt": "extract_listing@v3 9f2c1a5b7d10"}


def main(url: str = "http://localhost:6006/v1/traces") -> None:
    """Send one sale; end with a sentence if nobody listens there."""
    where = urlsplit(url)
    try:
        socket.create_connection((where.hostname or "", where.port or 80), timeout=5).close()
    except OSError as error:
        sys.exit(f"No Phoenix at {url} ({error}). Start it with: phoenix serve")
    client = ScriptedModel('{"category": "clothing", "colours": ["navy"]}').client()
    with (
        tempfile.TemporaryDirectory() as folder,
        start_tracing(Path(folder) / "product.sqlite", exporters=[OTLPSpanExporter(url)]),
        span("propose", client="ios 4.2") as current,
    ):
        client.chat.completions.create(
            model="gpt-6-luna",
            messages=[{"role": "user", "content": "Navy coat. Write to ann@example.org"}],
            extra_headers=PROMPT,
        )
        note(current, category="clothing", valid=True)
        record_score("fits_schema", source="rule", value=1.0)


if __name__ == "__main__":
    main(*sys.argv[1:])
