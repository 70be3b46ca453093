"""docs/clients.md as `python tests/interop` writes it: every library, every feature, nothing that fails."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def interop() -> Any:
    spec = importlib.util.spec_from_file_location("interop_main", HERE / "__main__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(page: str) -> dict[tuple[str, str], list[str]]:
    """The cells of each row, by the library's name and the API."""
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if "|" in line]
    return {(row[0].split()[0], row[1]): row[3:] for row in cells[2:]}


def tried_classes(file: Path) -> list[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [
        node.name for node in tree.body if isinstance(node, ast.ClassDef) and node.name.startswith("Test")
    ]


def test_the_page_shows_every_library_and_nothing_that_fails(interop: Any) -> None:
    page = rows(interop.PAGE.read_text(encoding="utf-8"))
    files = {library: interop.file_of(library) for library in interop.LIBRARIES}
    expected = {(name, kind[4:]) for name, file in files.items() for kind in tried_classes(file)}
    assert page.keys() == expected
    assert not [(row, cell) for row, cells in page.items() for cell in cells if "**" in cell]
    others = {HERE / "test_clients_page.py", *HERE.glob("test_evals_*.py")}
    assert set(HERE.glob("test_*.py")) - others == set(files.values())


def test_a_cell_says_what_its_test_said(interop: Any, tmp_path: Path) -> None:
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(suites, "testsuite", name="openai 3.54", timestamp="2026-11-26T02:00:00")
    for feature in interop.FEATURES[1:]:
        case = ElementTree.SubElement(suite, "testcase", classname="tests.TestChat", name=f"test_{feature}")
        if feature == "stream":
            ElementTree.SubElement(case, "failure", message="boom")
        if feature == "images":
            ElementTree.SubElement(case, "skipped", message="not offered: text only")
        if feature in ("tools", "embeddings"):
            told = {"tools": ("refused", "n=1"), "embeddings": ("note", "with a switch")}[feature]
            properties = ElementTree.SubElement(case, "properties")
            ElementTree.SubElement(properties, "property", name=told[0], value=told[1])
    ElementTree.ElementTree(suites).write(tmp_path / "openai.live.xml")
    page = interop.page(tmp_path)
    cells = dict(zip(interop.FEATURES, rows(page)[("openai", "Chat")], strict=True))
    assert cells["chat"] == "**not tried**"
    assert cells["stream"] == "**fails**"
    assert cells["tools"] == "refused by name"
    assert cells["multi_turn"] == "passes"
    assert cells["images"] == "–<sup>1</sup>"
    assert cells["embeddings"] == "passes<sup>2</sup>"
    assert "1. text only\n2. with a switch" in page
    assert "| openai 3.54 | Chat | live, 2026-11-26 |" in page
