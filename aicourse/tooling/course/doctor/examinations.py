"""The examinations of doctor: one generator of diagnoses for each subject, in the order of `EXAMINATIONS`.

An examination reads and tries things out; it changes nothing but folders of its own that are missing, and it
reaches no other machine. A warning costs comfort or one feature; a problem keeps lessons from running.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from aicourse import paths
from aicourse.errors import AicourseError
from aicourse.llm import catalog, keys
from aicourse.llm.replay import choose_mode
from aicourse.tooling import localmodel
from aicourse.tooling.course.doctor.diagnosis import Diagnosis

INSTALL = "Run: make setup  (or: python -m pip install -e .)"
NATIVE_PACKAGES = {
    "xllamacpp": "the embedded model",
    "onnxruntime": "embeddings",
}


@dataclass(frozen=True)
class Examination:
    """A look at one subject; `needed` if every lesson depends on it."""

    subject: str
    needed: bool
    examine: Callable[[], Iterator[Diagnosis]]


def examine_python() -> Iterator[Diagnosis]:
    """Python, in a version that the course promises to support."""
    described = importlib.metadata.metadata("aicourse")
    tried = {
        line.rpartition(" ")[2] for line in described.get_all("Classifier", []) if " Python :: 3." in line
    }
    version = ".".join(str(part) for part in sys.version_info[:3])
    if version not in SpecifierSet(described["Requires-Python"]):
        fix = "Install a newer Python, then: make setup PYTHON=/path/to/it"
        yield Diagnosis("Python", "problem", f"{version} is older than {described['Requires-Python']}", fix)
    elif ".".join(version.split(".")[:2]) not in tried:
        fix = f"If something fails, use one of {', '.join(sorted(tried))}."
        yield Diagnosis("Python", "warning", f"{version} was never tried with this course", fix)
    else:
        yield Diagnosis("Python", "ok", f"{version} on {platform.system()} {platform.machine()}")


def examine_packages() -> Iterator[Diagnosis]:
    """Each dependency, in a version that the course was tested with or a newer one."""
    wanted = [Requirement(line) for line in importlib.metadata.requires("aicourse") or ()]
    wanted = [need for need in wanted if need.marker is None or need.marker.evaluate({"extra": ""})]
    faults = [fault for need in wanted if (fault := _fault(need))]
    for fault in faults:
        yield Diagnosis("Packages", "problem", fault, INSTALL)
    if not faults:
        yield Diagnosis(
            "Packages",
            "ok",
            f"all {len(wanted)} installed, aicourse {importlib.metadata.version('aicourse')}",
        )


def _fault(need: Requirement) -> str | None:
    try:
        version = importlib.metadata.version(need.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{need.name} is not installed"
    if need.specifier.contains(version, prereleases=True):
        return None
    return f"{need.name} {version} is installed, the course needs {need.specifier}"


def examine_course_files() -> Iterator[Diagnosis]:
    """Notebooks and datasets, where this process looks for them."""
    try:
        folder = paths.course_dir()
    except AicourseError as error:
        yield Diagnosis("Course files", "problem", *_split_sentence(error.message))
    else:
        yield Diagnosis("Course files", "ok", _shown(folder))


def _split_sentence(message: str) -> tuple[str, str]:
    """The fault and its remedy: in our messages one sentence each."""
    wrong, _, fix = message.partition(". ")
    return wrong, fix


def examine_folders() -> Iterator[Diagnosis]:
    """Folders for models and progress, which this user must be able to write."""
    folders = {"AICOURSE_CACHE": paths.cache_dir(), "AICOURSE_STATE": paths.state_dir()}
    for variable, folder in folders.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            message = f"{_shown(folder)} cannot be written ({error.strerror})"
            yield Diagnosis("Folders", "problem", message, f"Set {variable} to a folder that you may write.")
        else:
            yield Diagnosis("Folders", "ok", _shown(folder))


def examine_kernel() -> Iterator[Diagnosis]:
    """JupyterLab's default kernel, which must run the Python that has the course installed."""
    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        yield Diagnosis("Jupyter kernel", "problem", "there is no kernel called python3", INSTALL)
        return
    # jupyter_client itself replaces these names by the interpreter it runs in
    own_names = {"python", "python3", f"python3.{sys.version_info.minor}"}
    interpreter = spec.argv[0] if spec.argv[0] not in own_names else sys.executable
    if _bin_folder(interpreter) == _bin_folder(sys.executable):
        yield Diagnosis("Jupyter kernel", "ok", f"{spec.display_name} runs this Python")
    else:
        message = f"{spec.display_name} runs {_shown(Path(interpreter))}, which is not this Python"
        fix = "Remove the kernel that hides this one: python -m jupyter kernelspec remove python3"
        yield Diagnosis("Jupyter kernel", "problem", message, fix)


def _bin_folder(interpreter: str) -> str:
    """The folder of an interpreter, not resolved: two virtual environments may link to one Python."""
    return os.path.normcase(Path(shutil.which(interpreter) or interpreter).absolute().parent)


def examine_loopback() -> Iterator[Diagnosis]:
    """Loopback, over which kernels and the embedded model's server talk."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
    except OSError as error:
        fix = "Allow programs to listen on 127.0.0.1 in your firewall or sandbox."
        yield Diagnosis("Loopback", "problem", f"127.0.0.1 does not answer ({error})", fix)
    else:
        yield Diagnosis("Loopback", "ok", "127.0.0.1 answers")


def examine_native_packages() -> Iterator[Diagnosis]:
    """The compiled parts, loaded in a process of their own, because a wrong binary ends the process."""
    for name, purpose in NATIVE_PACKAGES.items():
        done = subprocess.run(
            [sys.executable, "-c", f"import {name}"], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            yield Diagnosis("Compiled parts", "ok", f"{name} {importlib.metadata.version(name)} ({purpose})")
            continue
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        fix = "Recorded replies, providers with a key and Ollama work without it."
        yield Diagnosis("Compiled parts", "warning", f"{name} ({purpose}) does not load: {reason}", fix)


def examine_models() -> Iterator[Diagnosis]:
    """Model files that were pulled, still whole, and room for the default model."""
    for model in catalog.models().values():
        if not model.files:
            continue
        folder = paths.models_dir() / model.name
        sizes = {file.name: _size(folder / file.name) for file in model.files}
        if all(sizes[file.name] == file.size for file in model.files):
            yield Diagnosis("Models", "ok", f"{model.name} is here ({_megabytes(sum(sizes.values()))})")
        elif any(sizes[file.name] not in (0, file.size) for file in model.files):
            fix = f"Run: aicourse model remove {model.name}, then: aicourse model pull {model.name}"
            yield Diagnosis("Models", "problem", f"{model.name} is damaged: a file has the wrong size", fix)
        elif model.name == catalog.DEFAULT_MODEL:
            yield from _examine_room(model)


def _examine_room(model: catalog.Model) -> Iterator[Diagnosis]:
    size = sum(file.size for file in model.files)
    existing = next(folder for folder in (paths.cache_dir(), *paths.cache_dir().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < 2 * size:  # the file, and what it is put together from
        message = f"{_megabytes(free)} free where models are kept; {model.name} needs {_megabytes(2 * size)}"
        yield Diagnosis(
            "Models", "warning", message, "Free some disk space, or set AICOURSE_CACHE to another disk."
        )
    else:
        message = f"{model.name} is not here; the first changed prompt fetches it ({_megabytes(size)})"
        yield Diagnosis("Models", "ok", message)


def examine_server() -> Iterator[Diagnosis]:
    """The embedded model's server, if it runs."""
    address = localmodel.running()
    if address is None:
        yield Diagnosis("Server", "ok", "not running; it starts by itself when a reply is not recorded")
    else:
        yield Diagnosis("Server", "ok", f"running at {address.url} (process {address.pid})")


def examine_keys() -> Iterator[Diagnosis]:
    """Providers' keys and where they are set; of a key only its length is told."""
    settings = keys.settings()
    given = [
        one for one in catalog.providers().values() if one.key_variable and settings.get(one.key_variable)
    ]
    for provider in given:
        variable = str(provider.key_variable)
        place = "the environment" if os.environ.get(variable) else ".env"
        told = f"{variable} is set in {place} ({len(settings[variable])} characters)"
        try:
            keys.find_key(provider)
        except AicourseError as error:
            yield Diagnosis("Keys", "problem", *_split_sentence(error.message))
            continue
        if len(settings[variable]) < keys.SHORTEST_KEY:
            fix = "If it is real, copy it anew: so short a key cannot be told from a word, nor be masked."
            yield Diagnosis("Keys", "warning", told, fix)
        else:
            yield Diagnosis("Keys", "ok", told)
    if not given:
        yield Diagnosis("Keys", "ok", "none set, and none needed: recorded replies, then the embedded model")


def examine_settings() -> Iterator[Diagnosis]:
    """The variables that steer the course, whose values it must know."""
    for sentence in keys.misspelt_settings():
        yield Diagnosis("Settings", "warning", *_split_sentence(sentence))
    settings = keys.settings()
    if name := settings.get("AICOURSE_PROVIDER"):
        try:
            keys.find_key(catalog.provider(name))
        except AicourseError as error:
            yield Diagnosis("Settings", "problem", *_split_sentence(error.message))
        else:
            yield Diagnosis("Settings", "ok", f"AICOURSE_PROVIDER is {name}")
    try:
        choose_mode(None)
    except AicourseError as error:
        yield Diagnosis("Settings", "problem", *_split_sentence(error.message))


def _shown(path: Path) -> str:
    """`path` without the user's name, so that a report can be shared."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except ValueError:
        return str(path)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


EXAMINATIONS = (
    Examination("Python", True, examine_python),
    Examination("Packages", True, examine_packages),
    Examination("Course files", True, examine_course_files),
    Examination("Folders", True, examine_folders),
    Examination("Jupyter kernel", True, examine_kernel),
    Examination("Loopback", True, examine_loopback),
    Examination("Compiled parts", False, examine_native_packages),
    Examination("Models", False, examine_models),
    Examination("Server", False, examine_server),
    Examination("Keys", False, examine_keys),
    Examination("Settings", False, examine_settings),
)
