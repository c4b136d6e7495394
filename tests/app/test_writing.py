"""Output is whole or absent, and never replaces what is not ours."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from interspike.app import writing
from interspike.canonical_model.diagnostics import ModelError
from interspike.exporters.artifact import Artifact

FACTS = {"interspike": "0", "target": "fake"}


def put(folder: Path, **files: str) -> None:
    artifacts = [Artifact(name.replace("__", "/"), text.encode()) for name, text in files.items()]
    writing.write(folder, artifacts, FACTS, ("build",))


def code(action: pytest.ExceptionInfo[ModelError]) -> str:
    return action.value.issues[0].code


def test_writes_files_and_a_manifest_with_their_hashes(tmp_path: Path) -> None:
    put(tmp_path / "out", a="one", sub__b="two")
    assert (tmp_path / "out/sub/b").read_text() == "two"
    manifest = json.loads((tmp_path / "out/interspike.json").read_text())
    assert set(manifest["files"]) == {"a", "sub/b"}
    assert sorted(item.name for item in tmp_path.iterdir()) == ["out"]


def test_replaces_its_own_output_with_build_files_in_it(tmp_path: Path) -> None:
    put(tmp_path / "out", a="one", old="gone")
    (tmp_path / "out/build").mkdir()
    (tmp_path / "out/build/x.o").write_text("object")
    put(tmp_path / "out", a="two")
    assert sorted(item.name for item in (tmp_path / "out").iterdir()) == ["a", "interspike.json"]
    assert (tmp_path / "out/a").read_text() == "two"
    assert os.listdir(tmp_path) == ["out"]


def test_replaces_by_two_renames_where_exchange_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_exchange", lambda first, second: False)
    put(tmp_path / "out", a="one")
    put(tmp_path / "out", a="two")
    assert (tmp_path / "out/a").read_text() == "two"
    assert os.listdir(tmp_path) == ["out"]


def test_a_folder_of_somebody_else_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("years of work")
    with pytest.raises(ModelError) as problem:
        put(tmp_path / "out", a="one")
    assert code(problem) == "A021"
    assert not problem.value.refused
    assert os.listdir(tmp_path / "out") == ["thesis.tex"]
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("name", ["a", "notes.txt"])
def test_our_folder_stays_when_somebody_worked_in_it(tmp_path: Path, name: str) -> None:
    put(tmp_path / "out", a="one")
    (tmp_path / "out" / name).write_text("edited")
    with pytest.raises(ModelError) as problem:
        put(tmp_path / "out", a="two")
    assert code(problem) == "A022"
    assert name in problem.value.issues[0].message
    assert (tmp_path / "out" / name).read_text() == "edited"


def test_a_file_or_link_in_the_way_stays(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("file", "link"):
        with pytest.raises(ModelError) as problem:
            put(tmp_path / name, a="one")
        assert code(problem) == "A020"


@pytest.mark.parametrize(
    "path",
    ["../x", "/x", "a/../../x", "a\\b", "C:x", "", "x\0y", "a\nb", "interspike.json"],
)
def test_unsafe_paths_are_a_fault_of_the_exporter(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="artifact path"):
        writing.write(tmp_path / "out", [Artifact(path, b"")], FACTS)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("paths", [("a", "a"), ("a", "A"), ("a", "a/b")])
def test_paths_that_collide(tmp_path: Path, paths: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="artifact path"):
        writing.write(tmp_path / "out", [Artifact(path, b"") for path in paths], FACTS)


def test_nothing_is_left_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "out", a="one")

    def full_disk(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(ModelError, match="No space left") as problem:
        put(tmp_path / "out", a="two")
    assert code(problem) == "A023"
    assert (tmp_path / "out/a").read_text() == "one"
    assert os.listdir(tmp_path) == ["out"]


def test_modes_follow_the_umask(tmp_path: Path) -> None:
    put(tmp_path / "out", a="one")
    writing.write_file(tmp_path / "single", b"x")
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o777 & ~mask
    assert (tmp_path / "single").stat().st_mode & 0o777 == 0o666 & ~mask


def test_write_file_replaces_and_reports_trouble(tmp_path: Path) -> None:
    writing.write_file(tmp_path / "r.json", b"1")
    writing.write_file(tmp_path / "r.json", b"2")
    assert (tmp_path / "r.json").read_bytes() == b"2"
    with pytest.raises(ModelError, match="cannot be written"):
        writing.write_file(tmp_path / "r.json/below", b"")
    assert os.listdir(tmp_path) == ["r.json"]
