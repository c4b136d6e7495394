"""Formats by name, by content, and from other packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from interspike.app import registry
from interspike.canonical_model.diagnostics import ModelError

PLUGIN = """
from interspike.exporters.format import Exporter
FORMAT = Exporter(name={name!r}, title="t", export="{module}:export", takes="model")
"""


def install(folder: Path, name: str, package: str, value: str = "") -> None:
    """A package as pip would leave it: a module and its metadata."""
    module = package.replace("-", "_")
    (folder / f"{module}.py").write_text(PLUGIN.format(name=name, module=module))
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    target = value or f"{module}:FORMAT"
    (info / "entry_points.txt").write_text(f"[interspike.exporters]\n{name} = {target}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def code(problem: pytest.ExceptionInfo[ModelError]) -> str:
    return problem.value.issues[0].code


def test_built_in_formats_have_the_names_they_are_listed_under() -> None:
    assert [registry.importer(name).name for name in registry.IMPORTERS] == list(registry.IMPORTERS)
    assert [registry.exporter(name).name for name in registry.EXPORTERS] == list(registry.EXPORTERS)


def test_unknown_names_suggest() -> None:
    with pytest.raises(ModelError) as problem:
        registry.exporter("spinaker2")
    assert code(problem) == "A004"
    assert "spinnaker2" in problem.value.issues[0].hint
    with pytest.raises(ModelError) as problem:
        registry.importer("nothing")
    assert code(problem) == "A003"


def test_a_plugin_is_found_by_name(site: Path) -> None:
    install(site, "fancy", "fancy-plugin")
    assert registry.exporter("fancy").name == "fancy"
    assert ("fancy", "fancy-plugin") in [(f.name, origin) for f, origin in registry.exporters()]


def test_a_plugin_is_not_asked_for_built_in_names(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_outside", lambda *_: pytest.fail("looked outside"))
    assert registry.exporter("spinnaker2").name == "spinnaker2"


def test_two_plugins_of_one_name_are_an_error_with_both_origins(site: Path) -> None:
    install(site, "fancy", "first-plugin")
    install(site, "fancy", "second-plugin")
    with pytest.raises(ModelError) as problem:
        registry.exporter("fancy")
    assert code(problem) == "A008"
    assert "first-plugin" in str(problem.value)
    assert "second-plugin" in str(problem.value)


def test_a_plugin_may_not_take_a_built_in_name(site: Path) -> None:
    install(site, "spinnaker2", "usurper")
    with pytest.raises(ModelError) as problem:
        registry.exporters()
    assert code(problem) == "A008"
    assert "interspike itself" in str(problem.value)


@pytest.mark.parametrize("value", ["no_such_module:FORMAT", "sys:path"])
def test_a_broken_plugin_is_named(site: Path, value: str) -> None:
    install(site, "broken", "broken-plugin", value)
    with pytest.raises(ModelError) as problem:
        registry.exporter("broken")
    assert code(problem) == "A009"
    assert "broken-plugin" in str(problem.value)


def test_a_missing_dependency_names_what_to_install(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "needy_module.py").write_text("import absent_library\n")
    with pytest.raises(ModelError) as problem:
        registry.load_function("needy_module:go", {"absent_library": "absent-library[all]"}, "x")
    assert code(problem) == "A007"
    assert "pip install absent-library[all]" in problem.value.issues[0].hint
    assert "needy_module" not in sys.modules


@pytest.mark.parametrize(
    "head",
    [
        b"<Lems>",
        b'<?xml version="1.0"?>\n<!-- c -->\n<Lems x="y">',
        b'<neuroml xmlns="http://www.neuroml.org/schema/neuroml2">',
        b"\x89HDF\r\n\x1a\n",
        "<Lems>".encode("utf-16"),
    ],
)
def test_lems_is_recognised_by_content(head: bytes) -> None:
    assert registry.recognise(head, "x").name == "lems"


@pytest.mark.parametrize("head", [b"", b"  \n", b"<html>", b"\0\1\2", b"{}"])
def test_other_content_is_bad_input(head: bytes) -> None:
    with pytest.raises(ModelError) as problem:
        registry.recognise(head, "x")
    assert code(problem) == "A005"
    assert not problem.value.refused
