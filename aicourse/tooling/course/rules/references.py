"""Rules about what a lesson points to: files, headings, addresses, models, and names of this package.

Addresses outside are checked for their form only; nothing here touches the network.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aicourse
from aicourse.errors import LessonError
from aicourse.llm import catalog
from aicourse.tooling.course.notebooks import read_notebook
from aicourse.tooling.course.rules import Breach, LintRule, Subject

_LINK = re.compile(
    r"""(?<!\\) \[ [^\]]* \] \( \s* <? ([^)\s>]+) >? (?:\s+"[^"]*")? \s* \)  # [words](target "title")
    | (?:href|src) = ["'] ([^"']+) ["']""",
    re.VERBOSE,
)
_SCHEMES = ("mailto", "data", "attachment")
_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$|\bid=[\"']([^\"']+)[\"']", re.MULTILINE)


def _links(subject: Subject) -> Iterator[Breach]:
    for cell in subject.notebook.cells:
        if cell.is_markdown:
            for target, fault in dead_links(cell.source, subject.lesson.path):
                yield Breach(cell, f"The link {target} {fault}.", "Correct it, or take it out.")


def dead_links(source: str, file: Path) -> Iterator[tuple[str, str]]:
    """The links and pictures of Markdown in `file` that lead nowhere, each with the reason."""
    for found in _LINK.finditer(_CODE.sub("", source)):
        target = found[1] or found[2]
        if fault := _link_fault(target, file):
            yield target, fault


def _link_fault(target: str, origin: Path) -> str | None:
    try:
        parts = urlsplit(target)
    except ValueError:
        return "is not an address"
    if parts.scheme in ("http", "https"):
        return None if "." in (parts.hostname or "") else "has no host"
    if parts.scheme:
        return None if parts.scheme in _SCHEMES else f"has an unknown scheme {parts.scheme}"
    file = (origin.parent / unquote(parts.path)).resolve() if parts.path else origin
    if not file.exists():
        return "leads to no file"
    if not parts.fragment or file.suffix not in (".ipynb", ".md"):
        return None
    return None if unquote(parts.fragment) in _anchors(file) else "leads to no heading"


def _anchors(file: Path) -> set[str]:
    """The headings of a file as JupyterLab and GitHub address them."""
    if file.suffix == ".ipynb":
        try:
            cells = read_notebook(file).cells
        except LessonError:
            return set()
        source = "\n\n".join(cell.source for cell in cells if cell.is_markdown)
    else:
        source = file.read_text(encoding="utf-8")
    headings = [(found[1], found[2]) for found in _HEADING.finditer(source)]
    lab = {title.replace(" ", "-") for title, _ in headings if title}
    github = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title, _ in headings if title}
    return lab | github | {name for _, name in headings if name}


def _next(subject: Subject) -> Iterator[Breach]:
    lessons = sorted(path.name for path in subject.lesson.path.parent.glob("[0-9][0-9]-*.ipynb"))
    following = next((name for name in lessons if name[:2] > subject.lesson.number), None)
    recaps = [cell for cell in subject.notebook.cells if re.search(r"(?m)^#+ Recap\b", cell.source)]
    for cell in recaps if following else ():
        if following not in (found[1] for found in _LINK.finditer(cell.source)):
            fix = f"Write: Next: […]({following})"
            yield Breach(cell, "The recap does not lead to the next lesson.", fix)


def _retired_model(subject: Subject) -> Iterator[Breach]:
    for cell in subject.notebook.cells:
        for notice in ending_models(cell.source if cell.is_code else "\n".join(_CODE.findall(cell.source))):
            yield Breach(
                cell, f"The lesson uses a model that ends: {notice}", "Use its successor, and record."
            )


def ending_models(source: str) -> Iterator[str]:
    """The notices of models in code that are retired, or soon will be: in quotes, or a word of a command."""
    for model in catalog.models().values():
        notice = catalog.retirement_notice(model, date.today())
        if notice and re.search(rf"(?<![\w./-]){re.escape(model.name)}(?![\w./-])", source):
            yield notice


def _imports(subject: Subject) -> Iterator[Breach]:
    for cell in subject.notebook.code_cells:
        for module, name in _imported(cell.source):
            if any(part.startswith("_") for part in (*module.split("."), name)):
                yield Breach(cell, f"{module}.{name} is private.", "Use a public name, or make one.")
            elif module == "aicourse" and not _is_public(name):
                yield Breach(cell, f"aicourse has no public name {name!r}.", "See aicourse.__all__.")


def _tooling(subject: Subject) -> Iterator[Breach]:
    fix = "Use what aicourse itself offers, or give the taught part the name that is missing."
    for cell in subject.notebook.code_cells:
        if any(_is_tooling(module, name) for module, name in _imported(cell.source)):
            yield Breach(cell, "The cell imports tooling, which students never meet.", fix)
    checks = subject.lesson.checks
    if checks.is_file() and any(_is_tooling(*found) for found in _imported(checks.read_text("utf-8"))):
        yield Breach(None, f"{checks.name} imports tooling, which students never meet.", fix)


def _is_tooling(module: str, name: str) -> bool:
    return f"{module}.{name}.".startswith("aicourse.tooling.")


def _imported(source: str) -> Iterator[tuple[str, str]]:
    """(module, name) of what a cell imports from this package; nothing when magics make it unreadable."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "aicourse":
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.split(".")[0] == "aicourse")


def _is_public(name: str) -> bool:
    folder = Path(aicourse.__file__).parent
    return name in aicourse.__all__ or (folder / name).is_dir() or (folder / f"{name}.py").is_file()


RULES = (
    LintRule("links", "Links lead to files and headings that exist.", _links),
    LintRule("next", "The recap links to the next lesson.", _next),
    LintRule("retired-model", "No model that is retired or soon will be.", _retired_model),
    LintRule("imports", "Only public names of aicourse.", _imports),
    LintRule("tooling", "Nothing of aicourse.tooling, in the lesson and in its checks.", _tooling),
)
