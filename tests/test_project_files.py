"""The files around the code agree with pyproject.toml, with each other, and with the command line."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from aicourse.llm import catalog
from aicourse.tooling.cli import reference
from aicourse.tooling.course import pythons

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
SUPPORTED = [
    line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", line)
]
SYSTEMS = {
    "Linux": ("linux", "Linux", "x86_64", "posix"),
    "macOS": ("darwin", "Darwin", "arm64", "posix"),
    "Windows": ("win32", "Windows", "AMD64", "nt"),
}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def environment(system: str, python: str) -> dict[str, str]:
    names = ("sys_platform", "platform_system", "platform_machine", "os_name")
    return {
        **dict(zip(names, SYSTEMS[system], strict=True)),
        "python_version": python,
        "python_full_version": f"{python}.9",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def locked(system: str, python: str) -> dict[str, str]:
    """Name -> version of what `requirements.lock` installs there; two versions of one name fail."""
    found: dict[str, str] = {}
    for line in read("requirements.lock").splitlines():
        if not re.match(r"[a-z0-9]", line):
            continue
        need = Requirement(line.removesuffix("\\").strip())
        if need.marker is None or need.marker.evaluate(environment(system, python)):
            assert need.name not in found, f"{need.name} is locked twice for {system}, Python {python}"
            found[need.name] = next(iter(need.specifier)).version
    return found


# ------------------------------------------------------------ requirements.lock


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", SUPPORTED)
def test_the_lock_satisfies_pyproject(system: str, python: str) -> None:
    versions = locked(system, python)
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    for line in [*wanted, *PYPROJECT["build-system"]["requires"]]:
        need = Requirement(line)
        if need.marker is None or need.marker.evaluate(environment(system, python)):
            name = re.sub(r"[-_.]+", "-", need.name).lower()
            assert name in versions, f"requirements.lock lacks {name}; run: make lock"
            assert need.specifier.contains(versions[name]), f"{line} is not met; run: make lock"


def test_every_line_of_the_lock_has_a_hash_and_none_an_address() -> None:
    blocks = re.split(r"(?m)^(?=[a-z0-9])", read("requirements.lock"))[1:]
    assert len(blocks) > 100
    for block in blocks:
        assert "--hash=sha256:" in block, block.splitlines()[0]
    assert not re.search(r"://| @ |^-|/home/|/Users/|/tmp/", read("requirements.lock"), re.MULTILINE)


def test_the_lock_says_how_it_was_written() -> None:
    assert read("requirements.lock").splitlines()[1] == "#    make lock"
    assert "make lock" in read("CONTRIBUTING.md")


# ------------------------------------------------------------ environment.yml


def test_conda_installs_python_pip_and_this_project_alone() -> None:
    specification = yaml.safe_load(read("environment.yml"))
    python, *others = specification["dependencies"]
    assert specification["name"] == PROJECT["name"]
    assert others == ["pip", {"pip": ["-e ."]}]  # so its content is pyproject's, on Binder as well
    version = re.fullmatch(r"python=(3\.\d+)", python)  # repo2docker reads only this form
    assert version
    assert version[1] in SUPPORTED


# ------------------------------------------------------------ Python versions


def test_all_files_name_the_same_pythons() -> None:
    matrix = workflow()["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == SUPPORTED
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert SpecifierSet(PROJECT["requires-python"]) == SpecifierSet(f">={SUPPORTED[0]}")
    assert PYPROJECT["tool"]["mypy"]["python_version"] == SUPPORTED[0]
    assert f"--python-version {SUPPORTED[0]}" in read("Makefile")
    assert all(f"python{version}" in read("Makefile") for version in SUPPORTED)
    assert [f"{major}.{minor}" for major, minor in pythons.SUPPORTED] == SUPPORTED


# ------------------------------------------------------------ Makefile and CI


def make_targets() -> set[str]:
    return set(re.findall(r"(?m)^([a-z-]+):", read("Makefile")))


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_help_lists_every_target() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"(?m)^  make ([a-z-]+) +\S", shown)) == make_targets()


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_can_plan_every_target_without_a_warning() -> None:
    command = ["make", "--dry-run", *sorted(make_targets())]
    planned = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert planned.stderr == ""
    assert "-m aicourse run --all" in planned.stdout


def test_documents_name_only_targets_that_exist() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"):
        assert set(re.findall(r"`make ([a-z-]+)", read(name))) <= make_targets(), name


def workflow() -> dict[str, Any]:
    return yaml.safe_load(read(".github/workflows/ci.yml"))  # type: ignore[no-any-return]


def test_ci_runs_what_make_test_runs() -> None:
    steps = workflow()["jobs"]["test"]["steps"]
    commands = "\n".join(step.get("run", "") for step in steps)
    assert "make test" in commands
    assert "-m aicourse test" in commands  # Windows
    assert "-m aicourse) test\n" in read("Makefile").replace("$(AICOURSE)", "$(VENV_PYTHON) -m aicourse)")
    assert read(".ci/run").rstrip().endswith("make test\nmake test-newest")


def test_ci_may_only_read() -> None:
    assert workflow()["permissions"] == {"contents": "read"}


def test_ci_names_its_actions_by_commit() -> None:
    used = re.findall(r"uses: (\S+)(.*)", read(".github/workflows/ci.yml"))
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v[\d.]+", comment), action


def test_no_command_of_ci_hides_the_failure_of_another() -> None:
    """PowerShell ends a step with the exit code of its last command."""
    steps = [step for job in workflow()["jobs"].values() for step in job["steps"] if "run" in step]
    assert all("\n" not in step["run"].strip() for step in steps)
    assert not any("PYTHONUTF8" in str(step) for step in steps)


def test_every_commit_on_main_keeps_its_run() -> None:
    group = workflow()["concurrency"]["group"]
    assert "github.event_name == 'pull_request' && github.ref || github.run_id" in group


def test_newest_dependencies_and_the_long_checks_have_a_job() -> None:
    jobs = workflow()["jobs"]
    assert not any(
        "requirements.lock" in step.get("run", "") for step in jobs["newest-dependencies"]["steps"]
    )
    assert "make test-all" in [step.get("run") for step in jobs["everything"]["steps"]]


# ------------------------------------------------------------ documents


def test_readme_lists_the_commands_as_the_command_line_has_them() -> None:
    assert reference.table() in read("README.md"), "Run: python -m aicourse.tooling.cli.reference"


def test_env_example_names_every_key_and_sets_none() -> None:
    example = read(".env.example")
    for provider in catalog.providers().values():
        assert provider.key_variable is None or f"# {provider.key_variable}=\n" in example
    assert all(line.startswith("#") for line in example.splitlines() if line)


def test_licences_are_complete() -> None:
    assert "WITHOUT WARRANTY OF ANY KIND" in read("LICENSE")
    assert "CC0 1.0" in read("datasets/LICENSE")
