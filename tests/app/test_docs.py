"""Pages that must agree with the code."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import interspike
import pytest
from interspike.app import registry
from interspike.app.commands.formats import markdown

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    "app",
    "canonical_model",
    "exporters",
    "importers",
    "lems_types",
    "nest",
    "solvers",
    "spinnaker2",
)
CODE = re.compile(r"""["']([A-Z]\d{3})["']""")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])


def test_every_code_is_explained() -> None:
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    used = {code for file in files for code in CODE.findall(file.read_text(encoding="utf-8"))}
    text = (ROOT / "docs/codes.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| ([A-Z]\d{3}) \|", text, re.MULTILINE)
    assert len(explained) == len(set(explained))
    assert used - set(explained) == set(), "used in the code, not in docs/codes.md"
    assert set(explained) - used == set(), "in docs/codes.md, not used in the code"


def test_the_table_of_formats_is_current() -> None:
    rows = [
        *(("from", resolve(path), "interspike") for path in registry.IMPORTERS.values()),
        *(("to", resolve(path), "interspike") for path in registry.EXPORTERS.values()),
    ]
    page = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
    assert page == markdown(rows), "run `make docs`"


def resolve(path: str):  # type: ignore[no-untyped-def]
    return registry.resolve(path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def modules() -> list[str]:
    found = pkgutil.walk_packages(interspike.__path__, "interspike.")
    outside = ("interspike.tests", "interspike.benchmarks", "interspike.setup", "interspike.build")
    names = [item.name for item in found if not item.name.startswith(outside)]
    return [name for name in names if not name.endswith("__main__")]


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
