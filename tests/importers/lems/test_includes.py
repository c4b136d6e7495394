"""Includes: where they are looked for, what is refused, cycles and repeats."""

from __future__ import annotations

from pathlib import Path

import pytest
from interspike.canonical_model.diagnostics import Issue, Level, Log, ModelError
from interspike.importers.lems.includes import Documents, load_documents


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in files.items():
        (folder / f"{name}.nml").write_text(f"<neuroml>\n{body}\n</neuroml>")


def inc(*names: str) -> str:
    return "\n".join(f'<include href="{name}"/>' for name in names)


def load(path: Path, *search: Path) -> tuple[Documents, Log]:
    log = Log()
    return load_documents(path, None, search, log), log


def refused(path: Path, *search: Path) -> Issue:
    with pytest.raises(ModelError) as caught:
        load(path, *search)
    return caught.value.issues[0]


def files(documents: Documents) -> list[str]:
    return [element.span.file for element in documents.all]


def test_included_first_and_each_once(tmp_path: Path) -> None:
    write(tmp_path, main=inc("b.nml", "c.nml"), b=inc("d.nml"), c=inc("d.nml", "./b.nml"), d="")
    documents, log = load(tmp_path / "main.nml")
    assert files(documents) == ["d.nml", "b.nml", "c.nml", "main.nml"]
    assert not list(log)


def test_both_spellings(tmp_path: Path) -> None:
    write(tmp_path, main='<Include file="a.nml"/>', a="")
    assert files(load(tmp_path / "main.nml")[0]) == ["a.nml", "main.nml"]


def test_subfolder_includes_relative_to_itself(tmp_path: Path) -> None:
    write(tmp_path, main=inc("sub/a.nml"))
    write(tmp_path / "sub", a=inc("b.nml"), b="")
    assert files(load(tmp_path / "main.nml")[0]) == ["sub/b.nml", "sub/a.nml", "main.nml"]


@pytest.mark.parametrize("name", ["Cells.xml", "Networks.xml", "NeuroML2CoreTypes/Cells.xml"])
def test_core_files_are_built_in(tmp_path: Path, name: str) -> None:
    write(tmp_path, main=inc(name))
    documents, log = load(tmp_path / "main.nml")
    assert files(documents) == ["main.nml"]
    assert not list(log)


def test_shadowed_core_file_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path, main=inc("Cells.xml"))
    (tmp_path / "Cells.xml").write_text("<Lems/>")
    documents, log = load(tmp_path / "main.nml")
    assert files(documents) == ["Cells.xml", "main.nml"]
    assert [(i.code, i.level) for i in log] == [("L011", Level.WARNING)]


def test_missing_file_suggests_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, main=inc("chanel.nml"), channel="")
    found = refused(tmp_path / "main.nml")
    assert found.code == "L010"
    assert found.hint.startswith("did you mean 'channel.nml'?")
    assert found.span is not None
    assert (found.span.line, found.span.column) == (2, 16)


def test_cycles(tmp_path: Path) -> None:
    write(tmp_path, main=inc("a.nml"), a=inc("b.nml"), b=inc("a.nml"), own=inc("own.nml"))
    found = refused(tmp_path / "main.nml")
    assert found.code == "L013"
    assert "a.nml -> b.nml -> a.nml" in found.message
    assert refused(tmp_path / "own.nml").code == "L013"


@pytest.mark.parametrize("name", ["http://h/a.nml", "https://h/a.nml", "file:///etc/passwd"])
def test_urls(tmp_path: Path, name: str) -> None:
    write(tmp_path, main=inc(name))
    assert refused(tmp_path / "main.nml").code == "L014"


def test_escapes(tmp_path: Path) -> None:
    deep = tmp_path / "1" / "2" / "3"
    write(tmp_path, secret="")
    for name in ("../../../secret.nml", str(tmp_path / "secret.nml"), "/etc/passwd"):
        write(deep, main=inc(name))
        assert refused(deep / "main.nml").code == "L012", name
    (tmp_path / "1" / "password").write_text("<neuroml/>")
    write(deep, main=inc("../../password"))
    assert refused(deep / "main.nml").code == "L012"


def test_escape_by_symbolic_link(tmp_path: Path) -> None:
    outside, inside = tmp_path / "out" / "x", tmp_path / "a" / "b" / "c"
    write(outside, secret="")
    write(inside, main=inc("link.nml"))
    (inside / "link.nml").symlink_to(outside / "secret.nml")
    assert refused(inside / "main.nml").code == "L012"


def test_sibling_folders_and_search_path(tmp_path: Path) -> None:
    write(tmp_path / "channels", na="")
    write(tmp_path / "cells", main=inc("../channels/na.nml"), far=inc("lib.nml"))
    assert len(load(tmp_path / "cells" / "main.nml")[0].all) == 2
    write(tmp_path / "else" / "where", lib="")
    assert refused(tmp_path / "cells" / "far.nml").code == "L010"
    documents, _ = load(tmp_path / "cells" / "far.nml", tmp_path / "else" / "where")
    assert files(documents) == ["lib.nml", "far.nml"]


def test_include_without_a_name(tmp_path: Path) -> None:
    write(tmp_path, main="<include/>")
    assert refused(tmp_path / "main.nml").code == "L112"


def test_malformed_include_is_reported_in_its_own_file(tmp_path: Path) -> None:
    write(tmp_path, main=inc("bad.nml"), bad="<a>")
    found = refused(tmp_path / "main.nml")
    assert found.span is not None
    assert (found.code, found.span.file, found.span.line) == ("L002", "bad.nml", 3)


def test_long_chain_of_includes(tmp_path: Path) -> None:
    write(tmp_path, **{f"f{k}": inc(f"f{k + 1}.nml") for k in range(300)}, f300="")
    documents, _ = load(tmp_path / "f0.nml")
    assert len(documents.all) == 301


def test_document_from_memory_has_no_folder() -> None:
    with pytest.raises(ModelError, match="L010"):
        load_documents(None, b'<neuroml><include href="a.nml"/></neuroml>', (), Log())
