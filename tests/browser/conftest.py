"""JupyterLab in a real Chromium, on a copy of the course; skipped where playwright or Chromium is missing.

No browser is downloaded: the system's own is used. Waiting is waiting for an event of JupyterLab (a promise,
an element), never for a number of seconds.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aicourse.notebook_json import new_cell, new_notebook, notebook_text

sys.path.insert(0, str(Path(__file__).parent))

COURSE = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
TOKEN = "for-this-test"
SETTINGS = {
    "@jupyterlab/notebook-extension:tracker": {"autoStartDefaultKernel": True},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
}
PATIENCE_MILLISECONDS = 90_000  # an end for what hangs, not an expectation
NOTEBOOK = "window.jupyterapp?.shell.currentWidget"
IS_IDLE = f"""() => {{
    const session = {NOTEBOOK}?.sessionContext;
    return Boolean(session?.isReady && session.session?.kernel?.status === "idle");
}}"""


@dataclass(frozen=True)
class LabServer:
    """A running JupyterLab; `state` is where the course keeps this student's progress, `course` its files."""

    url: str
    state: Path
    course: Path

    def progress(self) -> dict[str, Any]:
        """What is stored of the student's work."""
        stored: dict[str, Any] = json.loads((self.state / "progress.json").read_text(encoding="utf-8"))
        return stored


@dataclass(frozen=True)
class OpenNotebook:
    """A notebook that is open in the browser; cells are named by their id."""

    page: Any

    def run(self, command: str) -> None:
        """Execute a command of JupyterLab ("notebook:run-all-cells") to its end."""
        self.page.evaluate(
            "command => { window.finished = false;"
            " window.jupyterapp.commands.execute(command).finally(() => { window.finished = true; }); }",
            command,
        )
        self.page.wait_for_function("() => window.finished")
        self.page.wait_for_function(IS_IDLE)

    def restart(self) -> None:
        """Restart the kernel, and wait until it is there again."""
        self.page.evaluate(f"() => {NOTEBOOK}.sessionContext.session.kernel.restart()")
        self.page.wait_for_function(IS_IDLE)

    def select(self, cell_id: str) -> Any:
        """Make a cell the active one, scroll it into the window, and return its element."""
        position = self.page.evaluate(
            f"""async id => {{
                const content = {NOTEBOOK}.content;
                const position = content.widgets.findIndex(cell => cell.model.id === id);
                content.activeCellIndex = position;
                await content.scrollToItem(position, "start");
                return position;
            }}""",
            cell_id,
        )
        element = self.page.locator(f'.jp-Notebook [data-windowed-list-index="{position}"]')
        element.wait_for()
        return element

    def controls(self, cell_id: str) -> Any:
        """The controls of a view in a cell, without its stored form, which is hidden beside them."""
        return self.select(cell_id).locator(".aicourse-live")

    def run_before(self, cell_id: str) -> None:
        """Run what stands above a cell, and the cell."""
        self.select(cell_id)
        self.run("notebook:run-all-above")
        self.run("notebook:run-cell")

    def error_outputs(self) -> list[dict[str, Any]]:
        """Exceptions and standard error in any cell."""
        outputs: list[dict[str, Any]] = self.page.evaluate(
            f"() => {NOTEBOOK}.content.widgets.flatMap(cell => cell.model.outputs?.toJSON() ?? [])"
        )
        return [one for one in outputs if one["output_type"] == "error" or one.get("name") == "stderr"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with playwright.sync_playwright() as started:
        yield started.chromium.launch(executable_path=program, args=BROWSER_FLAGS)


@pytest.fixture(scope="module")
def lab_server(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """JupyterLab on a copy of the course, with settings and state of its own."""
    root = tmp_path_factory.mktemp("lab")
    for folder in ("notebooks", "datasets"):
        shutil.copytree(COURSE / folder, root / "course" / folder)
    overrides = root / "config" / "labconfig" / "default_setting_overrides.json"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(json.dumps(SETTINGS), encoding="utf-8")
    port = _free_port()
    process = subprocess.Popen(
        _command(port), cwd=root / "course", env=_environment(root), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    with process.stderr as log:
        lines = []
        for line in log:
            lines.append(line)
            if f"token={TOKEN}" in line or f":{port}/lab" in line:
                break
        else:
            pytest.fail("JupyterLab did not start:\n" + "".join(lines[-20:]))
        drain = threading.Thread(target=log.read, daemon=True)  # a full pipe would stop the server
        drain.start()
        yield LabServer(f"http://127.0.0.1:{port}/lab", root / "state", root / "course")
        process.terminate()
        try:
            process.wait(timeout=PATIENCE_MILLISECONDS / 1000)
        except subprocess.TimeoutExpired:  # it may wait for a kernel that is busy
            process.kill()
            process.wait()
        drain.join()


def _free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _command(port: int) -> list[str]:
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": TOKEN,
        "LabApp.expose_app_in_browser": True,
    }
    return [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]


def _environment(root: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AICOURSE_")}
    return inherited | {
        "JUPYTER_CONFIG_DIR": str(root / "config"),
        "JUPYTER_DATA_DIR": str(root / "data"),
        "JUPYTER_RUNTIME_DIR": str(root / "runtime"),
        "IPYTHONDIR": str(root / "ipython"),
        "AICOURSE_HOME": str(root / "course"),
        "AICOURSE_STATE": str(root / "state"),
        "AICOURSE_CACHE": str(root / "cache"),
        "AICOURSE_REPLAY": "only",
    }


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    """A window of the size of a laptop's."""
    opened = browser.new_page(viewport={"width": 1400, "height": 900})
    opened.set_default_timeout(PATIENCE_MILLISECONDS)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def open_notebook(lab_server: LabServer, page: Any) -> Callable[[str], OpenNotebook]:
    """Opens a file of the notebooks folder and waits for its kernel."""

    def open_file(name: str) -> OpenNotebook:
        page.goto(f"{lab_server.url}/tree/notebooks/{name}?token={TOKEN}&reset")
        page.wait_for_function(IS_IDLE)
        return OpenNotebook(page)

    return open_file


@pytest.fixture(scope="module")
def run_cells(
    lab_server: LabServer, open_notebook: Callable[[str], OpenNotebook]
) -> Callable[[str, Mapping[str, str]], OpenNotebook]:
    """Writes a notebook of these cells, opens it, and runs it to its end."""

    def run(name: str, sources: Mapping[str, str]) -> OpenNotebook:
        cells = [new_cell("code", source.strip(), cell_id) for cell_id, source in sources.items()]
        path = lab_server.course / "notebooks" / name
        path.write_text(notebook_text(new_notebook(cells)), encoding="utf-8")
        opened = open_notebook(name)
        opened.run("notebook:run-all-cells")
        assert opened.error_outputs() == []
        return opened

    return run


@pytest.fixture(scope="module")
def lesson_00(open_notebook: Callable[[str], OpenNotebook]) -> OpenNotebook:
    """The first lesson, open and with a kernel that waits."""
    return open_notebook("00-start-here.ipynb")
