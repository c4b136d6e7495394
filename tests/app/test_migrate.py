"""A folder of models to several targets: what is found, what is written, what is told."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from interspike.app.migrate.find import find, folders
from interspike.app.migrate.ledger import Ledger
from interspike.app.migrate.options import Options, Row
from interspike.app.migrate.page import page
from interspike.app.migrate.run import migrate
from interspike.app.migrate.summary import Summary, text
from interspike.canonical_model.diagnostics import ModelError

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
TARGETS = ("spinnaker2", "nestml")
TYPES = """<Lems>
<Dimension name="time" t="1"/><Unit symbol="ms" dimension="time" power="-3"/>
<ComponentType name="decay"><Parameter name="tau" dimension="time"/><Exposure name="x" dimension="none"/>
<Dynamics><StateVariable name="x" dimension="none" exposure="x"/>
<TimeDerivative variable="x" value="-x/tau"/></Dynamics></ComponentType>
</Lems>
"""
USER = """<Lems><Target component="{name}"/><Include file="{include}"/>
<decay id="{name}" tau="{tau} ms"/></Lems>
"""
# sound only where a model that includes it brings the type
FRAGMENT = """<Lems><decay id="part" tau="3 ms"/></Lems>
"""


def options(tmp_path: Path, **changes: object) -> Options:
    base: dict[str, object] = {
        "source": tmp_path / "source", "output": tmp_path / "out", "targets": TARGETS, "jobs": 2,
    }  # fmt: skip
    return Options(**{**base, **changes})  # type: ignore[arg-type]


def fill(source: Path) -> None:
    """Good models in three languages, an include file, bad ones and foreign ones."""
    (source / "lems/lib").mkdir(parents=True)
    (source / "nestml").mkdir()
    (source / "lems/lib/types.xml").write_text(TYPES)
    for name, tau in (("one", 1), ("two", 2)):
        text = USER.format(name=name, tau=tau, include="lib/types.xml")
        (source / f"lems/{name}.xml").write_text(text)
    shutil.copy(FIXTURES / "lems/iaf.xml", source / "lems/iaf.xml")
    shutil.copy(FIXTURES / "nestml/adaptive_lif_neuron.nestml", source / "nestml")
    shutil.copy(FIXTURES / "nineml/balanced.yml", source)
    for name in ("malformed", "entity_bomb", "deep_nesting", "external_entity", "cyclic_include"):
        shutil.copy(FIXTURES / f"lems/invalid/{name}.xml", source / f"bad_{name}.xml")
    (source / "bad.nestml").write_text("not a model at all")
    (source / "README.md").write_text("# models")
    (source / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    (source / "empty.xml").write_bytes(b"")


def rows(output: Path) -> dict[tuple[str, str], dict[str, object]]:
    data = json.loads((output / "migration.json").read_text())
    return {(row["source"], row["target"]): row for row in data["files"]}


def tree(output: Path) -> dict[str, bytes]:
    """All that a user sees: relative path to bytes."""
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in sorted(output.rglob("*"))
        if path.is_file() and ".interspike" not in path.parts
    }


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Options, Summary]:
    place = tmp_path_factory.mktemp("migration")
    fill(place / "source")
    chosen = options(place)
    return chosen, migrate(chosen)


def test_every_good_model_is_converted_and_every_bad_one_has_its_reason(
    migrated: tuple[Options, Summary],
) -> None:
    chosen, summary = migrated
    found = rows(chosen.output)
    for source in (
        "lems/one.xml",
        "lems/two.xml",
        "lems/iaf.xml",
        "nestml/adaptive_lif_neuron.nestml",
    ):
        for target in TARGETS:
            row = found[source, target]
            assert row["status"] in ("exact", "lossy"), row
            folder = chosen.output / str(row["folder"])
            assert (folder / "interspike.json").is_file()
            assert folder == chosen.output / target / Path(source).with_suffix("")
    bad = [name for name, _ in found if name.startswith("bad")]
    assert len(set(bad)) == 6
    for (source, _), row in found.items():
        if source.startswith("bad"):
            assert row["status"] == "failed"
        if row["status"] not in ("exact", "lossy"):
            assert row["reasons"], source
    assert found["bad.nestml", ""]["reasons"][0]["code"] == "A214"  # type: ignore[index]
    for name in ("README.md", "image.png", "empty.xml"):
        assert found[name, ""]["status"] == "skipped"
    assert summary.exit_code == 1


def test_include_files_are_no_failures(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "types.xml").write_text(TYPES)
    (source / "part.xml").write_text(FRAGMENT)
    user = USER.format(name="whole", tau=5, include="types.xml").replace(
        '<decay id="whole"', '<Include file="part.xml"/><decay id="whole"'
    )
    (source / "whole.xml").write_text(user)
    chosen = options(tmp_path)
    summary = migrate(chosen)
    found = rows(chosen.output)
    assert {found["types.xml", t]["status"] for t in TARGETS} == {"included"}
    assert {found["part.xml", t]["status"] for t in TARGETS} == {"included"}
    assert "whole.xml" in str(found["part.xml", "spinnaker2"]["reasons"])
    assert summary.exit_code == 0


def test_an_include_that_nobody_can_use_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/part.xml").write_text(FRAGMENT)
    assert migrate(options(tmp_path)).exit_code == 1


def test_resume_converts_only_what_changed(tmp_path: Path) -> None:
    fill(tmp_path / "source")
    chosen = options(tmp_path)
    migrate(chosen)
    before = tree(chosen.output)
    done: list[int] = []
    migrate(chosen, resume=True, on_progress=lambda progress: done.append(progress.total))
    assert done == []
    assert tree(chosen.output) == before
    types = tmp_path / "source/lems/lib/types.xml"
    types.write_text(types.read_text().replace("-x/tau", "-2*x/tau"))
    migrate(chosen, resume=True, on_progress=lambda progress: done.append(progress.total))
    # the two that include it and the file itself
    assert set(done) == {3}
    assert tree(chosen.output) != before
    (tmp_path / "source/lems/two.xml").unlink()
    migrate(chosen, resume=True)
    assert not (chosen.output / "spinnaker2/lems/two").exists()
    fresh = options(tmp_path, output=tmp_path / "fresh")
    migrate(fresh)
    assert tree(fresh.output) == tree(chosen.output)


def test_a_missing_include_that_appears_heals_a_failure(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/one.xml").write_text(USER.format(name="one", tau=1, include="types.xml"))
    chosen = options(tmp_path)
    assert migrate(chosen).exit_code == 1
    (tmp_path / "source/types.xml").write_text(TYPES)
    assert migrate(chosen, resume=True).exit_code == 0


def test_a_result_that_somebody_changed_is_kept_and_told(tmp_path: Path) -> None:
    fill(tmp_path / "source")
    chosen = options(tmp_path)
    migrate(chosen)
    readme = chosen.output / "spinnaker2/lems/iaf/README.md"
    readme.write_text("my notes")
    migrate(chosen, resume=True)
    assert readme.read_text() == "my notes"
    row = rows(chosen.output)["lems/iaf.xml", "spinnaker2"]
    assert row["status"] == "failed"
    assert "A022" in str(row["reasons"])


def test_a_result_that_was_deleted_comes_back(tmp_path: Path) -> None:
    fill(tmp_path / "source")
    chosen = options(tmp_path)
    migrate(chosen)
    before = tree(chosen.output)
    shutil.rmtree(chosen.output / "nestml/lems")
    migrate(chosen, resume=True)
    assert tree(chosen.output) == before


def test_order_and_number_of_jobs_do_not_matter(
    tmp_path: Path, migrated: tuple[Options, Summary]
) -> None:
    fill(tmp_path / "source")
    migrate(options(tmp_path, jobs=1))
    assert tree(tmp_path / "out") == tree(migrated[0].output)


def test_folders_and_output_are_checked(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    with pytest.raises(ModelError, match="A200"):
        migrate(options(tmp_path, source=tmp_path / "nowhere"))
    with pytest.raises(ModelError, match="A004"):
        migrate(options(tmp_path, targets=("nowhere",)))
    with pytest.raises(ModelError, match="A202"):
        migrate(options(tmp_path, output=tmp_path / "source"))
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/file").write_text("mine")
    with pytest.raises(ModelError, match="A021"):
        migrate(options(tmp_path, output=tmp_path / "taken"))
    migrate(options(tmp_path))
    with pytest.raises(ModelError, match="A201"):
        migrate(options(tmp_path))


def small(tmp_path: Path, *names: str) -> None:
    """Models of one decaying value."""
    (tmp_path / "source").mkdir(exist_ok=True)
    (tmp_path / "source/types.xml").write_text(TYPES)
    for k, name in enumerate(names, 1):
        text = USER.format(name=name, tau=k, include="types.xml")
        (tmp_path / f"source/{name}.xml").write_text(text)


def test_a_ledger_that_is_damaged_or_foreign(tmp_path: Path) -> None:
    small(tmp_path, "one", "two")
    chosen = options(tmp_path, targets=("nestml",))
    migrate(chosen)
    before = tree(chosen.output)
    ledger = chosen.state / "ledger.sqlite"
    base = sqlite3.connect(ledger)
    base.execute("UPDATE done SET rows = '[{}]' WHERE source = 'one.xml'")
    base.execute("UPDATE done SET inputs = '[' WHERE source = 'two.xml'")
    base.commit()
    base.close()
    assert migrate(chosen, resume=True).exit_code == 0
    assert tree(chosen.output) == before
    for damage in (b"no database " * 100, ledger.read_bytes()[:5000] + b"?" * 9000):
        ledger.write_bytes(damage)
        with pytest.raises(ModelError, match="A205"):
            migrate(chosen, resume=True)
    ledger.unlink()
    base = sqlite3.connect(ledger)
    base.execute("CREATE TABLE done(a TEXT)")
    base.close()
    with pytest.raises(ModelError, match=r"A205.*\n.*--resume"):
        migrate(chosen, resume=True)
    # the way out that the hint names
    ledger.unlink()
    assert migrate(chosen, resume=True).exit_code == 0
    assert tree(chosen.output) == before


def test_an_index_goes_with_the_last_model(tmp_path: Path) -> None:
    small(tmp_path, "one")
    chosen = options(tmp_path, targets=("nest", "spinnaker2", "lems", "nestml"))
    migrate(chosen)
    assert (chosen.output / "spinnaker2/interspike_cells").is_dir()
    (tmp_path / "source/one.xml").unlink()
    migrate(chosen, resume=True)
    fresh = options(tmp_path, targets=chosen.targets, output=tmp_path / "fresh")
    migrate(fresh)
    assert tree(chosen.output) == tree(fresh.output)
    assert [item.name for item in chosen.output.iterdir() if item.is_dir()] == [".interspike"]


def test_other_targets_stay_and_are_told(tmp_path: Path) -> None:
    small(tmp_path, "one")
    migrate(options(tmp_path))
    before = tree(tmp_path / "out/nestml")
    summary = migrate(options(tmp_path, targets=("spinnaker2",)), resume=True)
    assert summary.kept == ("nestml",)
    assert "left as they were: results for nestml" in text(summary, ["spinnaker2"], tmp_path)
    assert tree(tmp_path / "out/nestml") == before


def test_a_kill_leaves_nothing_beside_the_summaries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(tmp_path, "one")
    places: list[Path] = []
    make = tempfile.mkstemp

    def seen(prefix: str, dir: Path) -> tuple[int, str]:
        places.append(dir)
        return make(prefix=prefix, dir=dir)

    monkeypatch.setattr(tempfile, "mkstemp", seen)
    chosen = options(tmp_path, targets=("nestml",))
    migrate(chosen)
    assert set(places) == {chosen.state / "staging"}


def test_failures_are_counted_by_file(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/part.xml").write_text(FRAGMENT)
    counts: list[int] = []
    migrate(options(tmp_path), on_progress=lambda progress: counts.append(progress.failed))
    assert counts == [1]


def test_a_solver_of_one_target_only(tmp_path: Path) -> None:
    small(tmp_path, "one")
    assert migrate(options(tmp_path, targets=("nest",), solver="gsl")).exit_code == 0
    with pytest.raises(ModelError, match="A012"):
        migrate(options(tmp_path, solver="gsl"), resume=True)


def test_an_include_beside_the_source_folder_is_an_input(tmp_path: Path) -> None:
    small(tmp_path, "one")
    (tmp_path / "source/types.xml").rename(tmp_path / "types.xml")
    model = tmp_path / "source/one.xml"
    model.write_text(model.read_text().replace('"types.xml"', '"../types.xml"'))
    chosen = options(tmp_path, targets=("nestml",))
    assert migrate(chosen).exit_code == 0
    before = tree(chosen.output)
    (tmp_path / "types.xml").write_text(TYPES.replace("-x/tau", "-2*x/tau"))
    migrate(chosen, resume=True)
    assert tree(chosen.output) != before


def test_links_fifos_and_large_files(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "below").mkdir(parents=True)
    (source / "below/loop").symlink_to(source)
    (source / "link.xml").symlink_to(FIXTURES / "lems/iaf.xml")
    (source / "dangling.xml").symlink_to("nowhere")
    os.mkfifo(source / "pipe.xml")
    shutil.copy(FIXTURES / "lems/iaf.xml", source / "large.xml")
    (source / os.fsdecode(b"\xff.xml")).write_text("")
    found = {item.path: item for item in find(options(tmp_path, max_size=100))}
    codes = {path: item.issue.code for path, item in found.items() if item.issue}
    assert codes == {
        "below/loop": "A211", "link.xml": "A211", "dangling.xml": "A211", "pipe.xml": "A211",
        "large.xml": "A213", "'\\udcff.xml'": "A212",
    }  # fmt: skip


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "source/closed").mkdir(parents=True)
    (tmp_path / "source/closed").chmod(0)
    try:
        (found,) = find(options(tmp_path))
    finally:
        (tmp_path / "source/closed").chmod(0o700)
    assert found.issue is not None
    assert found.issue.code == "A210"


def test_names_that_would_meet_keep_apart() -> None:
    names = ["a.xml", "a.nml", "A.h5", "b/c.xml", "b.xml", "interspike_cells.xml", "x y.xml"]
    chosen = folders(names)
    assert len({name.casefold() for name in chosen.values()}) == len(names)
    assert chosen["b/c.xml"] == "b/c"
    assert chosen["b.xml"] == "b_xml"
    assert chosen["x y.xml"] == "x_y"
    assert chosen["interspike_cells.xml"] != "interspike_cells"


def test_limits_stop_one_model_only(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(FIXTURES / "lems/izhikevich_network.xml", source)
    # no time at all: what is not done at the first look at the clock is stopped, and told
    chosen = options(tmp_path, seconds=1e-4)
    summary = migrate(chosen)
    assert summary.exit_code == 1
    lost = [row for row in rows(chosen.output).values() if row["status"] == "crashed"]
    assert lost
    assert {row["reasons"][0]["code"] for row in lost} == {"A224"}  # type: ignore[index]
    assert migrate(options(tmp_path), resume=True).exit_code == 0
    # less memory than the program itself has
    chosen = options(tmp_path, output=tmp_path / "small", memory=1 << 20)
    migrate(chosen)
    codes = {row["reasons"][0]["code"] for row in rows(chosen.output).values()}  # type: ignore[index]
    assert codes <= {"A222", "A225"}


def test_tables_agree_and_nothing_in_them_is_code(
    migrated: tuple[Options, Summary], tmp_path: Path
) -> None:
    chosen, summary = migrated
    with (chosen.output / "migration.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    data = json.loads((chosen.output / "migration.json").read_text())
    assert len(table) == len(data["files"]) == sum(summary.counts.values())
    evil = Row(
        source='<script>alert("x")</script>.xml', target="nest", status="failed", counts={},
        reasons=({"code": "A223", "level": "error", "message": "<img src=x>\u202e", "hint": ""},),
    )  # fmt: skip
    text = page("<b>", {"nest": {"failed": 1}}, [evil]).decode()
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "\u202e" not in text


def test_the_page_needs_nothing_from_outside(migrated: tuple[Options, Summary]) -> None:
    text = (migrated[0].output / "index.html").read_text()
    assert not re.findall(r"\b(?:src|href)=|url\(|@import|fetch\(|XMLHttp", text)
    assert "default-src &#x27;none&#x27;" in text
    assert len(re.findall("<tr data-status=", text)) == sum(migrated[1].counts.values())


def test_indices_lead_to_the_results(
    migrated: tuple[Options, Summary], monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    output = migrated[0].output
    monkeypatch.syspath_prepend(str(output / "spinnaker2"))
    cells = importlib.import_module("interspike_cells")
    assert cells.CLASSES
    for name in cells.CLASSES:
        assert isinstance(getattr(cells, name).default_parameters, dict)
    with pytest.raises(AttributeError):
        _ = cells.nowhere
    listed = (output / "nestml/index.txt").read_text().split()
    assert listed
    assert all((output / "nestml" / path).is_file() for path in listed)
    cited = (output / "CITATION.md").read_text()
    assert "lems/iaf.xml" in cited
    assert "README.md" in cited


def test_the_ledger_survives_what_was_written(tmp_path: Path) -> None:
    row = Row(source="a", target="b", status="exact", counts={"exact": 1})
    with Ledger(tmp_path / "ledger") as ledger:
        ledger.record("a", "b", "key", {"a": "hash"}, [row])
    with Ledger(tmp_path / "ledger") as ledger:
        assert ledger.find("a", "b") == ("key", {"a": "hash"}, [row])
        assert ledger.find("a", "c") is None
        assert list(ledger.names()) == [("a", "b")]
    base = sqlite3.connect(tmp_path / "ledger")
    assert base.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    base.close()
