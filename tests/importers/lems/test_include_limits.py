"""Includes at their limits: depth, impossible names, no word about files outside, search path."""

from __future__ import annotations

from pathlib import Path

import pytest
from interspike.canonical_model.diagnostics import Issue, Log, ModelError
from interspike.importers.lems.includes import load_documents
from interspike.importers.xml import read_xml


def write(path: Path, include: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<Lems><Include file="{include}"/></Lems>' if include else "<Lems/>")
    return path


def refused(path: Path, *search_path: Path) -> Issue:
    with pytest.raises(ModelError) as caught:
        load_documents(path, None, search_path, Log())
    return caught.value.issues[0]


def test_endless_nesting_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    for k in range(800):
        write(tmp_path / f"c{k}.xml", f"c{k + 1}.xml")
    assert refused(tmp_path / "c0.xml").code == "L015"


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    assert refused(write(tmp_path / "main.xml", "a" * 5000)).code == "L010"
    (tmp_path / "loop.xml").symlink_to("loop.xml")
    assert refused(write(tmp_path / "main.xml", "loop.xml")).code == "L010"


def test_messages_do_not_tell_whether_a_file_outside_exists(tmp_path: Path) -> None:
    folder = tmp_path / "1" / "2" / "3" / "4"
    write(tmp_path / "there.xml")
    found = []
    for name in ("../../../../there.xml", "../../../../away.xml"):
        issue = refused(write(folder / "main.xml", name))
        found.append((issue.code, issue.message.replace(name, ""), issue.hint))
    assert found[0] == found[1]
    assert found[0][0] == "L012"


def test_folders_above_the_search_path_are_closed(tmp_path: Path) -> None:
    main = write(tmp_path / "models" / "a" / "b" / "main.xml", "../secret.xml")
    library = tmp_path / "other" / "lib"
    library.mkdir(parents=True)
    write(tmp_path / "other" / "secret.xml")
    assert refused(main, library).code == "L012"
    assert len(load_documents(main, None, (tmp_path / "other", library), Log()).all) == 2


def test_missing_file_lists_the_places_searched(tmp_path: Path) -> None:
    main = write(tmp_path / "a" / "main.xml", "nowhere.xml")
    issue = refused(main, tmp_path / "lib")
    assert str(tmp_path / "a") in issue.hint
    assert str(tmp_path / "lib") in issue.hint


def test_hdf5_from_a_stream() -> None:
    with pytest.raises(ModelError, match="L040"):
        load_documents(None, b"\x89HDF\r\n\x1a\n" + bytes(100), (), Log())


def test_depth_counts_inside_rows_too() -> None:
    with pytest.raises(ModelError, match="L003"):
        read_xml(b"<projection><connection>" + b"<a>" * 1000, "x")
