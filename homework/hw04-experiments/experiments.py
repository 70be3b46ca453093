"""Writes experiments.json, the three experiments of question 5; not for students.

    python homework/hw04-experiments/experiments.py

Everybody gets the same three. Another `EDITION` makes others, which are decided alike.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from checks import draw_experiment, draw_lost, guardrail_by_estimate, peeks

EDITION = "first edition"
DRAWS = {
    "A": draw_experiment("guardrail", guardrail_by_estimate, count=2_000, seconds=-5.0, published=-0.035),
    "B": draw_lost,
    "C": draw_experiment("too few people", peeks, planned=6_000, count=2_000, seconds=-5.0),
}


def as_text(name, draw):
    """One experiment as a part of the file, a line for each person."""
    people, planned = draw(random.Random(f"{EDITION} {name}"))[0].positional
    rows = ",\n".join(json.dumps(person) for person in people)
    return f'"{name}": {{"planned": {planned}, "people": [\n{rows}\n]}}'


if __name__ == "__main__":
    written = ",\n".join(as_text(name, draw) for name, draw in DRAWS.items())
    Path(__file__).with_name("experiments.json").write_text(f"{{\n{written}\n}}\n", encoding="utf-8")
