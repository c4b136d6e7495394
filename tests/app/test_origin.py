"""A -> B -> A: an unchanged file comes back as the model that it was made from, whatever B can hold."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import pytest
from interspike.app import cli
from interspike.app.convert import convert
from interspike.app.load import load
from interspike.app.origin import END, MARK
from interspike.canonical_model.compare import differences
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.serial import loads

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SOURCES = {
    "nestml": "nestml/adaptive_lif_neuron.nestml",
    "lems": "lems/adex.xml",
    "nineml": "nineml/balanced.yml",
}


@pytest.mark.parametrize("via", ["nestml", "lems", "nineml", "nineml-xml", "canonical"])
@pytest.mark.parametrize("own", SOURCES)
def test_there_and_back_is_equal_in_canonical_form(own: str, via: str, tmp_path: Path) -> None:
    source = FIXTURES / SOURCES[own]
    there = convert(source, to=via, output=tmp_path / via)
    paths = [tmp_path / via / item.path for item in there.artifacts]
    found = loads(convert(paths, to="canonical").artifacts[0].data.decode())
    assert [d for d in differences(load(source), found) if not d.startswith("provenance")] == []
    if via == "canonical":  # which says itself where it came from
        return
    # and written in its own language it is what a direct way writes
    again = convert(paths, to=own, output=tmp_path / "own")
    assert again.artifacts == convert(source, to=own).artifacts


def test_what_was_edited_is_read_as_it_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = convert(FIXTURES / SOURCES["nestml"], to="lems", output=tmp_path / "there")
    path = tmp_path / "there" / there.artifacts[0].path
    text = path.read_text()
    assert 'C_m="250pF"' in text
    path.write_text(text.replace('C_m="250pF"', 'C_m="120pF"'))
    log = Log()
    found = convert(path, to="canonical", log=log)
    assert "A251" in {issue.code for issue in log}
    assert "120" in found.text(found.artifacts[0].path)
    # as written on request, though nothing was changed
    path.write_text(text)
    capsys.readouterr()
    out = tmp_path / "out"
    code = cli.main(["convert", str(path), "--to", "canonical", "--as-written", "-o", str(out)])
    told = capsys.readouterr().err
    assert code == 0 and "A250" not in told
    assert cli.main(["convert", str(path), "--to", "canonical", "-o", str(out)]) == 0
    assert "A250" in capsys.readouterr().err


def test_what_a_stranger_packs_is_not_believed(tmp_path: Path) -> None:
    """An origin that is not what the file says, or a bomb, changes nothing."""
    there = convert(FIXTURES / SOURCES["nestml"], to="lems")
    data = there.artifacts[0].data
    head, _, rest = data.rpartition(MARK)
    first = rest.splitlines()[0]
    packed = b"".join(line for line in rest.splitlines()[1:] if line not in (END, b"-->"))
    lie = zlib.decompress(base64.b64decode(packed)).replace(b"250 pF", b"999 pF")
    assert b"999 pF" in lie
    for text in (lie, b" " * 50_000_000, b"{}", b"\xff"):
        inside = base64.b64encode(zlib.compress(text, 9))
        path = tmp_path / "model.xml"
        path.write_bytes(head + MARK + first + b"\n" + inside + b"\n" + END + b"\n-->\n")
        log = Log()
        found = convert(path, to="canonical", log=log)
        assert "A251" in {issue.code for issue in log}
        assert "999" not in found.text(found.artifacts[0].path)


def test_options_of_an_origin_that_are_none(tmp_path: Path) -> None:
    data = convert(FIXTURES / SOURCES["nestml"], to="lems").artifacts[0].data
    head, _, rest = data.rpartition(MARK)
    _, _, packed = rest.partition(b"\n")
    path = tmp_path / "model.xml"
    for made in (b"5", b"[]", b'{"target": 5}', b'{"target": "lems", "dt": [1]}', b"{"):
        path.write_bytes(head + MARK + made + b"\n" + packed)
        log = Log()
        convert(path, to="canonical", log=log)
        assert "A251" in {issue.code for issue in log}


def test_networks_come_back_from_a_set_of_files(tmp_path: Path) -> None:
    """NESTML has no networks: its files hold one together, a single one of them only its cell."""
    there = convert(FIXTURES / SOURCES["nineml"], to="nestml", output=tmp_path / "set")
    paths = [tmp_path / "set" / item.path for item in there.artifacts]
    assert len(paths) > 1
    log = Log()
    one = convert(paths[0], to="canonical", log=log, output=tmp_path / "one")
    assert load(tmp_path / "one" / one.artifacts[0].path).network is None
    assert "A251" in {issue.code for issue in log}


def test_no_origin_on_request_nor_in_large_files() -> None:
    plain = convert(FIXTURES / SOURCES["nestml"], to="lems", origin=False)
    assert MARK not in plain.artifacts[0].data
