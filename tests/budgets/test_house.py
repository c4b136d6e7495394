"""The pipe has one direction: importers and exporters do not know each other, the model knows neither."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = {
    "canonical_model": {"app", "exporters", "importers", "lems_types", "solvers"},
    "exporters": {"app", "importers"},
    "importers": {"app", "exporters", "solvers"},
    "lems_types": {"app", "exporters", "importers", "solvers"},
    "solvers": {"app", "importers", "lems_types"},
}


def imported(path: Path) -> Iterator[str]:
    """Top-level folders of the package that a module imports, anywhere in it."""
    depth = len(path.relative_to(ROOT).parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            yield from (node.module or "").split(".")[:1]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("interspike."):
            yield str(node.module).split(".")[1]


@pytest.mark.parametrize("folder", sorted(FORBIDDEN))
def test_imports_go_one_way(folder: str) -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / folder).rglob("*.py")
        for name in imported(path)
        if name in FORBIDDEN[folder]
    }
    assert not found
