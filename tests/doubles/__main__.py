"""`python tests/doubles [API…]`: every lesson against each double, with a made-up key."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from doubles.lessons import LESSONS, MODELS, faults


def main(apis: list[str]) -> int:
    """Run, print what went wrong, and say whether anything did."""
    found = 0
    for api in apis or list(MODELS):
        with tempfile.TemporaryDirectory(prefix="aicourse-doubles-") as folder:
            told = faults(api, LESSONS, Path(folder))
        print(f"{api} ({MODELS[api]}): {len(LESSONS)} lessons, {len(told)} faults", *told, sep="\n  ")
        found += len(told)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
