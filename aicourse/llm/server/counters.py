"""What the server counts, in the Prometheus text format: https://prometheus.io/docs/instrumenting/exposition_formats/"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Counters:
    """Totals since the server started; changed only on the event loop."""

    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)  # type: ignore[type-arg]  # floats, summed
    tokens: Counter[str] = field(default_factory=Counter)

    def add_tokens(self, usage: dict[str, int] | None) -> None:
        """Count what one answer reports."""
        for kind in ("prompt", "completion"):
            self.tokens[kind] += (usage or {}).get(f"{kind}_tokens", 0)

    def render(self, waiting: int) -> str:
        """All totals, and the requests being served or waiting now."""
        lines = ["# TYPE aicourse_requests_total counter"]
        lines += [
            f'aicourse_requests_total{{path="{path}",status="{status}"}} {count}'
            for (path, status), count in sorted(self.requests.items())
        ]
        lines.append("# TYPE aicourse_request_seconds_total counter")
        lines += [
            f'aicourse_request_seconds_total{{path="{path}"}} {total:.6f}'
            for path, total in sorted(self.seconds.items())
        ]
        lines.append("# TYPE aicourse_tokens_total counter")
        lines += [
            f'aicourse_tokens_total{{kind="{kind}"}} {count}' for kind, count in sorted(self.tokens.items())
        ]
        lines += ["# TYPE aicourse_requests_inside gauge", f"aicourse_requests_inside {waiting}"]
        return "\n".join(lines) + "\n"
