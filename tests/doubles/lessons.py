"""Lessons run as a student with a key and a hosted model runs them, against the doubles."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from aicourse.tooling.course.notebooks import lessons
from aicourse.tooling.course.runner import run
from doubles.server import Doubles

MODELS = {"openai": "gpt-6-luna", "anthropic": "claude-haiku-5-5"}
LESSONS = tuple(lesson.number for lesson in lessons())
NOWHERE = "http://127.0.0.1:9"  # nothing may be fetched: the embedded model stays out of it


def faults(api: str, chosen: Sequence[str], folder: Path) -> list[str]:
    """What went wrong in the `chosen` lessons with the default model of `api`; empty when nothing did.

    Nothing may raise, and nothing may be sent that the API refuses or ignores; outputs are not compared.
    """
    model = MODELS[api]
    with Doubles() as doubles:
        settings = doubles.environment | {
            "AICOURSE_PROVIDER": "",
            "AICOURSE_CACHE": str(folder / "cache"),
            "AICOURSE_STATE": str(folder / "state"),
            "HTTPS_PROXY": NOWHERE,
            "NO_PROXY": "127.0.0.1",
        }
        with mock.patch.dict(os.environ, settings):
            parameters = {"MODEL": model, "OUT_DIR": str(folder / "out")}
            runs = run(chosen, out=folder / "executed", parameters=parameters, replay="auto")
        told = [f"{one.lesson.number}: {one.error}" for one in runs if one.error]
        told += [f"refused: {what}" for what in doubles.refused]
        told += [f"ignored: {what}" for what in dict.fromkeys(doubles.ignored)]
        asked = any(number != "00" for number in chosen)
        return told if doubles.answered or not asked else [*told, f"{model} was never asked"]
