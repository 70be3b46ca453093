"""`python tests/doubles [openai|anthropic] [02…]`: lessons against the doubles, with a made-up key."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from doubles.lessons import LESSONS, MODELS, faults


def main() -> int:
    """Run, print what went wrong, and say whether anything did."""
    parser = argparse.ArgumentParser("python tests/doubles", description=__doc__)
    parser.add_argument("chosen", nargs="*", metavar="API or LESSON", help=", ".join([*MODELS, *LESSONS]))
    chosen = parser.parse_args().chosen
    if unknown := set(chosen).difference(MODELS, LESSONS):
        parser.error(f"neither an API nor a lesson: {', '.join(sorted(unknown))}")
    numbers = [name for name in LESSONS if name in chosen] or LESSONS
    found = 0
    for api in [name for name in MODELS if name in chosen] or MODELS:
        with tempfile.TemporaryDirectory(prefix="aicourse-doubles-") as folder:
            told = faults(api, numbers, Path(folder))
        print(f"{api} ({MODELS[api]}): {len(numbers)} lessons, {len(told)} faults", *told, sep="\n  ")
        found += len(told)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
