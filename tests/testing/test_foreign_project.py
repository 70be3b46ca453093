"""This package as a wheel in another project's environment: three lines use its plugin."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TEST = """
def test_three_lines(scripted_model):
    scripted_model.enqueue('["red"]')
    assert colours(scripted_model.client(), "A red coat") == ["red"]
"""
SHOP = """
import json

def colours(client, text):
    messages = [{"role": "user", "content": text}]
    return json.loads(client.chat.completions.create(model="m", messages=messages).choices[0].message.content)
"""


@pytest.mark.slow
def test_an_installed_wheel_brings_the_plugin(tmp_path: Path) -> None:
    def run(*command: str | Path) -> str:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "PIP_NO_INDEX": "1", "PYTHONPATH": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", "theirs")
    python = tmp_path / "theirs" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    run(*pip, "install", "--no-deps", "--target", packages, wheel)
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))  # without fetching them again
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "test_shop.py").write_text("from shop import colours\n" + TEST)
    assert run(python, "-c", "import aicourse; print(aicourse.__file__)").startswith(str(packages))
    told = run(python, "-m", "pytest", "-p", "no:cacheprovider", "test_shop.py")
    assert "calls: 1 scripted (3 tokens in, 1 out)" in told
    assert "1 passed" in told
    assert "warning" not in told
