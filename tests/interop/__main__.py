"""Every client library against the embedded model's server; writes docs/clients.md.

    python tests/interop                        all of them, over the live model
    python tests/interop litellm llm            these
    python tests/interop --scripted             over a scripted model behind the same routes: faster

The page is written when build/interop/results has a report of every library; a live one comes first.
A library that is not in the project's lock gets a venv of its own in build/interop (made once; delete it for
newer releases). What a library asks of another machine goes to proxies that lead nowhere.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "interop"
PAGE = ROOT / "docs" / "clients.md"
# the library whose version counts, and what is installed to try it; nothing: the lock has it
LIBRARIES: dict[str, tuple[str, ...]] = {
    "openai": (),
    "anthropic": (),
    "pydantic-ai-slim": (),
    "openai-agents": ("openai-agents",),
    "litellm": ("litellm",),
    "instructor": ("instructor", "anthropic"),
    "langchain-openai": ("langchain-openai",),
    "llama-index-llms-openai-like": ("llama-index-llms-openai-like", "llama-index-embeddings-openai-like"),
    "llm": ("llm",),
}
FILES = {"pydantic-ai-slim": "test_pydantic_ai.py", "llama-index-llms-openai-like": "test_llama_index.py"}
FEATURES = (
    "chat", "stream", "structured_output", "tools", "tool_round_trip", "built_in_tools",
    "multi_turn", "images", "embeddings", "async", "errors",
)  # fmt: skip
NOWHERE = "http://127.0.0.1:9"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
QUIET = {
    **dict.fromkeys(PROXIES, NOWHERE),
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
    "DO_NOT_TRACK": "1",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LANGSMITH_TRACING": "false",
}  # fmt: skip


def main() -> None:
    """The command: run, then write the page; ends with 1 when a library fails."""
    parser = argparse.ArgumentParser(prog="python tests/interop", description=__doc__.splitlines()[0])
    parser.add_argument("libraries", nargs="*", metavar="LIBRARY", help=", ".join(LIBRARIES))
    parser.add_argument("--scripted", action="store_true", help="a scripted model; writes nothing")
    arguments = parser.parse_args()
    chosen = arguments.libraries or list(LIBRARIES)
    if unknown := set(chosen) - set(LIBRARIES):
        parser.error(f"no {', '.join(sorted(unknown))} here; choose from {', '.join(LIBRARIES)}")
    results, model = BUILD / "results", "scripted" if arguments.scripted else "live"
    results.mkdir(parents=True, exist_ok=True)
    with _server(arguments.scripted) as address:
        reports = {library: results / f"{library}.{model}.xml" for library in chosen}
        failed = [library for library, report in reports.items() if not _run(library, address, report)]
    if missing := [library for library in LIBRARIES if not report_of(library, results)]:
        print(f"{PAGE.relative_to(ROOT)} stays as it is: not tried yet: {', '.join(missing)}")
    else:
        PAGE.write_text(page(results), encoding="utf-8")
        print(f"Written: {PAGE.relative_to(ROOT)}")
    sys.exit(f"Failed: {', '.join(failed)}" if failed else 0)


@contextmanager
def _server(scripted: bool) -> Iterator[dict[str, str]]:
    """The server's address, as the tests' conftest reads it."""
    if scripted:
        sys.path.insert(0, str(HERE))
        from conftest import served_by_script

        with served_by_script() as url:
            yield {"INTEROP_URL": url, "INTEROP_TOKEN": "t"}
        return
    os.environ["AICOURSE_STATE"] = str(BUILD / "state")  # a server of this code, not one that runs already
    from aicourse.tooling.localmodel import process, pull

    pull("qwen2.5-coder-0.5b")
    pull("all-minilm-l6-v2")
    address = process.ensure_running()
    try:
        yield {"INTEROP_URL": address.url, "INTEROP_TOKEN": address.token}
    finally:
        process.stop()


def _run(library: str, address: dict[str, str], report: Path) -> bool:
    """Run one library's tests; their report says which version and when."""
    report.unlink(missing_ok=True)
    print(f"== {library}", flush=True)
    command = [str(_python(library)), "-m", "pytest", str(file_of(library)), "-q", "--tb=short"]
    command += ["-p", "no:cacheprovider", "--confcutdir", str(HERE)]
    command += ["-o", "addopts=--import-mode=importlib", "-o", "filterwarnings="]
    keys = ("_API_KEY", "_BASE_URL")
    environment = {name: value for name, value in os.environ.items() if not name.endswith(keys)}
    suite = f"junit_suite_name={library} {_version(library)}"
    command += [f"--junitxml={report}", "-o", suite]
    done = subprocess.run(command, cwd=ROOT, env=environment | QUIET | address)
    return done.returncode == 0


def file_of(library: str) -> Path:
    """The file of a library's tests."""
    return HERE / FILES.get(library, f"test_{library.replace('-', '_')}.py")


def _python(library: str) -> Path:
    """The interpreter that has the library, in a venv that is made when it is not there."""
    if not LIBRARIES[library]:
        return Path(sys.executable)
    folder = BUILD / library
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / ".installed").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, "pytest", *LIBRARIES[library]], check=True)
        (folder / ".installed").touch()
    return python


def _version(library: str) -> str:
    code = f"from importlib.metadata import version; print(version({library!r}))"
    done = subprocess.run([_python(library), "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def report_of(library: str, results: Path) -> Path | None:
    """The report of a library's tests: over the live model, else over the scripted one."""
    reports = (results / f"{library}.{model}.xml" for model in ("live", "scripted"))
    return next((report for report in reports if report.exists()), None)


def page(results: Path) -> str:
    """The page, from the reports of all libraries that were tried."""
    rows: list[list[str]] = []
    notes: list[str] = []
    for library in LIBRARIES:
        if (report := report_of(library, results)) is None:
            continue
        suite = ElementTree.parse(report).getroot().find("testsuite")
        assert suite is not None
        day = suite.get("timestamp", "")[:10]
        tried: dict[str, dict[str, ElementTree.Element]] = {}
        for case in suite.iter("testcase"):
            tried.setdefault(case.get("classname", ""), {})[case.get("name", "")] = case
        for name, cases in tried.items():
            cells = [_cell(cases.get(f"test_{feature}"), notes) for feature in FEATURES]
            tried_over = f"{report.suffixes[-2][1:]}, {day}"
            rows.append([suite.get("name", ""), name.rpartition(".Test")[2], tried_over, *cells])
    header = ["Library", "through", "model, day", *(feature.replace("_", " ") for feature in FEATURES)]
    table = [header, ["---"] * len(header), *rows]
    lines = [f"| {' | '.join(row)} |" for row in table]
    footnotes = [f"{number}. {note}" for number, note in enumerate(notes, 1)]
    return "\n".join([INTRODUCTION, *lines, "", *footnotes, ""])


def _cell(case: ElementTree.Element | None, notes: list[str]) -> str:
    if case is None:
        return "**not tried**"
    if case.find("failure") is not None or case.find("error") is not None:
        return "**fails**"
    if (skipped := case.find("skipped")) is not None:
        return f"–{_note(skipped.get('message', '').removeprefix('not offered: '), notes)}"
    told = {entry.get("name"): entry.get("value", "") for entry in case.iter("property")}
    if "refused" in told:
        return "refused by name"
    return f"passes{_note(told['note'], notes)}" if "note" in told else "passes"


def _note(text: str, notes: list[str]) -> str:
    if text not in notes:
        notes.append(text)
    return f"<sup>{notes.index(text) + 1}</sup>"


INTRODUCTION = """# Clients of the embedded model

`aicourse serve` prints a base URL and a token; these libraries were pointed at them, unchanged, with their
telemetry off and proxies that lead nowhere. Written by `python tests/interop`: every cell is a test. *live*
is the model `qwen2.5-coder-0.5b` itself; it says that the protocol holds, not that so small a model answers
well. *scripted* is the same server over a model that says what the test expects.

*passes*: works as with the hosted API. *–*: the library does not offer it. *refused by name*: an error 400
that says what this server cannot do, which the library raises as its own exception: tools that a provider
would run itself, and likewise several choices, stored conversations, token numbers instead of text.
"""

if __name__ == "__main__":
    main()
