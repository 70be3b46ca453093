"""The ways in for other tools: papermill's engine, jupyter_client's provisioner."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from sandboxes import HONEST, notebook, open_sandbox, run, skip_without

from aicourse.errors import SandboxError
from aicourse.tooling.grading.sandbox.execution import StudentCall


def write(path: Path, *sources: str) -> Path:
    book = notebook(*sources)
    book["metadata"]["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    path.write_text(json.dumps(book), encoding="utf-8")
    return path


@pytest.fixture
def papermill() -> Any:
    skip_without("L3")
    import papermill
    from papermill.engines import papermill_engines

    from aicourse.tooling.grading.papermill_engine import SandboxEngine

    papermill_engines.register("aicourse", SandboxEngine)
    return papermill


@pytest.mark.slow
def test_papermill_runs_a_notebook_in_the_sandbox(papermill: Any, tmp_path: Path) -> None:
    source = write(tmp_path / "in.ipynb", "name = 'nobody'", "import os\nprint(name, os.getcwd())\n6 * 7")
    (tmp_path / "files").mkdir()
    book = json.loads(source.read_text())
    book["cells"][0]["metadata"]["tags"] = ["parameters"]
    source.write_text(json.dumps(book))
    papermill.execute_notebook(
        source, tmp_path / "out.ipynb", {"name": "ada"}, engine_name="aicourse", progress_bar=False
    )
    done = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    nbformat.validate(done)
    assert done.cells[2].outputs[0].text == "ada /student/work\n"
    assert done.cells[2].outputs[1].data == {"text/plain": "42"}
    assert done.metadata.papermill.exception is None


def ended(path: Path) -> list[tuple[str, str]]:
    """Per code cell its status, and what it printed or the name of its error."""
    done = nbformat.read(path, as_version=4)
    return [
        (cell.metadata.papermill.status, "".join(one.get("text") or one.ename for one in cell.outputs))
        for cell in done.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["aicourse", None])
def test_papermill_stops_at_an_error_as_its_own_engine_does(
    engine: str | None, papermill: Any, tmp_path: Path
) -> None:
    source, out = (
        write(tmp_path / "in.ipynb", "print(1)", "1 / 0", "print(2)", "1 / 0"),
        tmp_path / "out.ipynb",
    )
    book = json.loads(source.read_text())
    book["cells"][1]["metadata"]["tags"] = ["raises-exception"]
    source.write_text(json.dumps(book))
    with pytest.raises(papermill.PapermillExecutionError, match="ZeroDivisionError"):
        papermill.execute_notebook(source, out, engine_name=engine, progress_bar=False)
    assert [text for _, text in ended(out)] == ["1\n", "ZeroDivisionError", "2\n", "ZeroDivisionError"]
    book["cells"][1]["metadata"] = {}
    source.write_text(json.dumps(book))
    with pytest.raises(papermill.PapermillExecutionError, match="ZeroDivisionError"):
        papermill.execute_notebook(source, out, engine_name=engine, progress_bar=False)
    error = ("failed", "ZeroDivisionError")
    assert ended(out) == [("completed", "1\n"), error, ("pending", ""), ("pending", "")]


@pytest.mark.slow
def test_papermill_calls_a_timeout_a_timeout(papermill: Any, tmp_path: Path) -> None:
    """Its own engine raises the same error."""
    from nbclient.exceptions import CellTimeoutError

    source = write(tmp_path / "in.ipynb", "print(1)", "import time\ntime.sleep(60)", "print(2)")
    with pytest.raises(CellTimeoutError, match="Cell 2 ran longer than 2 seconds"):
        papermill.execute_notebook(
            source, tmp_path / "out.ipynb", engine_name="aicourse", progress_bar=False, execution_timeout=2
        )
    assert ended(tmp_path / "out.ipynb") == [
        ("completed", "1\n"),
        ("failed", "CellTimeoutError"),
        ("pending", ""),
    ]


def test_papermill_sets_parameters_of_a_notebook_that_says_nothing_of_itself(
    papermill: Any, tmp_path: Path
) -> None:
    """As the homework guide says: `-k python3 -l python`."""
    source = write(tmp_path / "in.ipynb", "count = 1", "print(count)")
    book = {**json.loads(source.read_text()), "metadata": {}}
    book["cells"][0]["metadata"]["tags"] = ["parameters"]
    source.write_text(json.dumps(book))
    named = {"kernel_name": "python3", "language": "python"}
    papermill.execute_notebook(
        source, tmp_path / "out.ipynb", {"count": 5}, engine_name="aicourse", progress_bar=False, **named
    )
    assert [text for _, text in ended(tmp_path / "out.ipynb")] == ["", "", "5\n"]


READS = "import os\nprint(sorted(os.listdir()), open('data.csv').read(), end='')"


@pytest.mark.slow
@pytest.mark.parametrize(("cwd", "read"), [(None, "beside"), ("other", "other")])
def test_papermill_reads_what_is_beside_the_notebook(
    cwd: str | None, read: str, papermill: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or in its `cwd`; it has no kernel's name, and is run from another folder."""
    (tmp_path / "book").mkdir()
    (tmp_path / "other").mkdir()
    source = write(tmp_path / "book" / "in.ipynb", READS)
    source.write_text(json.dumps({**json.loads(source.read_text()), "metadata": {}}))
    (tmp_path / "book" / "data.csv").write_text("beside")
    (tmp_path / "other" / "data.csv").write_text("other")
    for name in ("checks.py", ".env", "neighbour.ipynb"):
        (tmp_path / "book" / name).write_text("secret")
    monkeypatch.chdir(tmp_path)
    papermill.execute_notebook(
        "book/in.ipynb", "out.ipynb", engine_name="aicourse", progress_bar=False, cwd=cwd
    )
    assert ended(tmp_path / "out.ipynb") == [("completed", f"['data.csv'] {read}")]


@pytest.mark.parametrize(
    ("metadata", "size", "sentence"),
    [
        (
            {"kernelspec": {"name": "ir", "language": "R\n", "display_name": "R"}},
            1,
            "runs Python, not R\ufffd",
        ),
        ({"language_info": {"name": "julia"}}, 1, "runs Python, not julia"),
        ({}, 65 << 20, "holds more than 64 MB or 4,096 files. Name a smaller folder with --cwd"),
    ],
)
def test_papermill_refuses_by_name(
    metadata: dict[str, Any], size: int, sentence: str, papermill: Any, tmp_path: Path
) -> None:
    source = write(tmp_path / "in.ipynb", "1")
    source.write_text(json.dumps({**json.loads(source.read_text()), "metadata": metadata}))
    with open(tmp_path / "data.bin", "wb") as file:
        file.truncate(size)
    with pytest.raises(SandboxError, match=sentence):
        papermill.execute_notebook(source, tmp_path / "out.ipynb", engine_name="aicourse", progress_bar=False)


@pytest.fixture
def manager() -> Iterator[Any]:
    skip_without("L3")
    from jupyter_client.manager import KernelManager

    from aicourse.tooling.grading.sandbox import provisioner

    manager = KernelManager(kernel_name="python3")
    identity = "sandboxed"
    manager.kernel_id = identity
    manager.provisioner = provisioner.SandboxProvisioner(
        kernel_id=identity, kernel_spec=manager.kernel_spec, parent=manager
    )
    yield manager
    while provisioner._zygotes:
        provisioner._zygotes.pop().close()


def test_a_jupyter_client_starts_its_kernel_in_the_sandbox(manager: Any, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("beside")
    manager.provisioner.folder = str(tmp_path)
    manager.start_kernel()
    folder = Path(manager.connection_file).parent
    shown: list[dict[str, Any]] = []
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        source = "import os\nprint(os.getpid(), open('data.txt').read())"
        done = client.execute_interactive(
            source, output_hook=lambda message: shown.append(message["content"])
        )
        assert done["content"]["status"] == "ok"
        assert "1 beside\n" in [content.get("text") for content in shown]
        assert manager.is_alive()
        request = client.execute("import time\nprint('begun', flush=True)\nwhile True: time.sleep(0.01)")
        while client.get_iopub_msg(timeout=30)["content"].get("text") != "begun\n":
            continue
        manager.interrupt_kernel()
        interrupted = client.get_shell_msg(timeout=30)
        assert interrupted["parent_header"]["msg_id"] == request
        assert interrupted["content"]["ename"] == "KeyboardInterrupt"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert not manager.is_alive()
    assert not folder.exists()


@pytest.mark.slow
def test_connecting_to_no_model_costs_nothing_earned() -> None:
    for sandbox in open_sandbox():
        execution = run(
            sandbox,
            HONEST,
            "import aicourse\nclient = aicourse.connect()",
            calls=[StudentCall("double", (2,))],
        )
        assert execution.answers[0].value == 4
