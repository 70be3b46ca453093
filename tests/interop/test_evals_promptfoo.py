"""What `exporting.to_promptfoo` writes loads in the real promptfoo and passes there as often as here.

promptfoo is a program of its own, in JavaScript; run this where it is on the PATH (or where
AICOURSE_PROMPTFOO names it):

    npm install --prefix peers promptfoo
    AICOURSE_PROMPTFOO=peers/node_modules/.bin/promptfoo pytest tests/interop
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from aicourse.evals import runner
from aicourse.evals.cases import Case
from aicourse.evals.scorers import exact
from aicourse.marketplace import listing_cases
from aicourse.tooling.evaluation import exporting

PROMPTFOO = os.environ.get("AICOURSE_PROMPTFOO") or shutil.which("promptfoo")
pytestmark = pytest.mark.skipif(PROMPTFOO is None, reason="promptfoo is not installed")

PROVIDER = """
const answers = require("./answers.json");
module.exports = class {
  id() { return "answers"; }
  async callApi(prompt) {
    return prompt in answers ? { output: answers[prompt] } : { error: "never asked this: " + prompt };
  }
};
"""


def answer(case: Case) -> str:
    """A task that is right about two of three listings."""
    return "something else" if sum(map(ord, case.id)) % 3 == 0 else str(case.expected)


def test_promptfoo_counts_the_same_passes(tmp_path: Path) -> None:
    several = [
        case.model_copy(update={"expected": case.expected["category"]}) for case in listing_cases("test")
    ]
    braces = ("{{ price }}", "{{ input }} {% if x %}", "{# a note #} {{{ }}} {%", "{{ '{{' }} {% raw %}")
    several += [Case(id=f"braces {n}", input=text, expected=text) for n, text in enumerate(braces)]
    ours = runner.run(answer, several, [exact()], progress=False).summary.score("exact").mean
    (tmp_path / "answers.json").write_text(json.dumps({case.input: answer(case) for case in several}))
    (tmp_path / "provider.js").write_text(PROVIDER)
    exporting.to_promptfoo(several, tmp_path / "tests.yaml")
    config = {
        "prompts": ["{{input}}"],
        "providers": ["file://provider.js"],
        "tests": "file://tests.yaml",
    }
    (tmp_path / "promptfooconfig.yaml").write_text(yaml.safe_dump(config))
    statistics = evaluate(tmp_path)
    assert ours is not None
    assert statistics["errors"] == 0
    assert statistics["successes"] == round(ours.estimate * len(several))
    assert statistics["failures"] == len(several) - statistics["successes"]


def evaluate(folder: Path) -> dict[str, int]:
    """What promptfoo says about the configuration in a folder; it phones nobody."""
    quiet = {
        "PROMPTFOO_CONFIG_DIR": str(folder / "state"),
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
    }
    words = ["eval", "--no-cache", "--no-progress-bar", "--no-table", "-o", "result.json"]
    done = subprocess.run(
        [os.path.abspath(str(PROMPTFOO)), *words],
        cwd=folder,
        env=os.environ | quiet,
        capture_output=True,
        text=True,
    )
    assert (folder / "result.json").exists(), done.stdout + done.stderr
    found: dict[str, int] = json.loads((folder / "result.json").read_text("utf-8"))["results"]["stats"]
    return found
