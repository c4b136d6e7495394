"""NeuroML HDF5: files of libNeuroML equal the XML of the same document; hostile files are refused."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interspike.canonical_model.diagnostics import Issue, Log, ModelError
from interspike.canonical_model.model import Model
from interspike.importers.lems.reader import read

h5py = pytest.importorskip("h5py")
n = pytest.importorskip("neuroml")


def document() -> Any:
    """A libNeuroML document with every form that its HDF5 writer supports."""
    doc = n.NeuroMLDocument(id="doc")
    doc.iaf_cells.append(
        n.IafCell(id="iaf", leak_reversal="-50mV", thresh="-55mV", reset="-70mV", C="0.2nF",
                  leak_conductance="0.01uS")
    )  # fmt: skip
    doc.exp_one_synapses.append(n.ExpOneSynapse(id="syn", gbase="1nS", erev="0mV", tau_decay="2ms"))
    doc.gap_junctions.append(n.GapJunction(id="gj", conductance="1nS"))
    doc.silent_synapses.append(n.SilentSynapse(id="silent"))
    doc.graded_synapses.append(
        n.GradedSynapse(id="graded", conductance="5pS", delta="5mV", Vth="-55mV", k="0.025per_ms",
                        erev="0mV")
    )  # fmt: skip
    doc.pulse_generators.append(
        n.PulseGenerator(id="pg", delay="1ms", duration="5ms", amplitude="1nA")
    )
    net = n.Network(id="net", type="networkWithTemperature", temperature="6.3degC")
    doc.networks.append(net)
    listed = n.Population(id="P", component="iaf", type="populationList")
    listed.properties.append(n.Property(tag="color", value="1 0 0"))
    for k in range(3):
        location = n.Location(x=k, y=2.5, z=-3)
        listed.instances.append(n.Instance(id=k, location=location))
    net.populations += [listed, n.Population(id="Q", component="iaf", size=2)]
    add_projections(net)
    plain = n.InputList(id="il", component="pg", populations="P")
    plain.input.append(n.Input(id=0, target="../P/1/iaf", destination="synapses"))
    weighted = n.InputList(id="iw", component="pg", populations="Q")
    weighted.input_ws.append(n.InputW(id=0, target="../Q[1]", destination="synapses", weight=0.5))
    net.input_lists += [plain, weighted]
    return doc


def add_projections(net: Any) -> None:
    ends = {"presynaptic_population": "P", "postsynaptic_population": "Q"}
    plain = n.Projection(id="a", synapse="syn", **ends)
    plain.connections.append(n.Connection(id=0, pre_cell_id="../P/2/iaf", post_cell_id="../Q[0]"))
    delayed = n.Projection(id="b", synapse="syn", **ends)
    for k, delay in enumerate(["2ms", "0.1ms", "1.7ms"]):
        delayed.connection_wds.append(
            n.ConnectionWD(id=k, pre_cell_id=f"../P/{k}/iaf", post_cell_id="../Q[1]",
                           weight=0.5 * k, delay=delay)
        )  # fmt: skip
    net.projections += [plain, delayed]
    electrical = n.ElectricalProjection(id="c", **ends)
    electrical.electrical_connection_instance_ws.append(
        n.ElectricalConnectionInstanceW(id=0, pre_cell="../P/1/iaf", post_cell="../Q/0/iaf",
                                        synapse="gj", weight=2)
    )  # fmt: skip
    net.electrical_projections.append(electrical)
    continuous = n.ContinuousProjection(id="d", **ends)
    continuous.continuous_connection_instances.append(
        n.ContinuousConnectionInstance(id=0, pre_cell="../P/1/iaf", post_cell="../Q/0/iaf",
                                       pre_component="silent", post_component="graded")
    )  # fmt: skip
    net.continuous_projections.append(continuous)


def write_hdf5(doc: Any, path: Path, embed: bool = True) -> None:
    pytest.importorskip("tables")
    import neuroml.utils
    import neuroml.writers

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        neuroml.writers.NeuroMLHdf5Writer.write(doc, str(path), embed_xml=embed)


def write_xml(doc: Any, path: Path) -> None:
    import neuroml.writers

    neuroml.writers.NeuroMLWriter.write(doc, str(path))


def load(path: Path) -> Model:
    log = Log()
    model = read(path, None, log=log)
    assert not list(log)
    return model


def refused(path: Path) -> Issue:
    with pytest.raises(ModelError) as caught:
        read(path, None, log=Log())
    return caught.value.issues[0]


def same(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    if isinstance(left, np.ndarray):
        return left.shape == right.shape and np.allclose(left, right, rtol=1e-6, atol=0)
    return bool(left == right)


def assert_equal(left: Model, right: Model) -> None:
    assert left.network is not None
    assert right.network is not None
    assert left.network.name == right.network.name
    assert left.network.quantities == right.network.quantities
    assert {c.name for c in left.components} == {c.name for c in right.components}
    for part, fields in {
        "populations": ("component", "size", "positions", "properties", "is_list"),
        "projections": ("source", "target", "pre", "post", "kind", "synapse", "pre_synapse",
                        "weight", "delay"),
        "inputs": ("component", "population", "index", "weight"),
    }.items():  # fmt: skip
        ours = {item.name: item for item in getattr(left.network, part)}
        theirs = {item.name: item for item in getattr(right.network, part)}
        assert ours.keys() == theirs.keys()
        for name in ours:
            for field in fields:
                pair = getattr(ours[name], field), getattr(theirs[name], field)
                assert same(*pair), (name, field, pair)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("hdf5")
    write_xml(document(), place / "net.nml")
    write_hdf5(document(), place / "net.h5")
    return place


def test_main_file_equals_xml(folder: Path) -> None:
    assert_equal(load(folder / "net.h5"), load(folder / "net.nml"))


def test_float32_delays_are_the_decimals_that_were_written(folder: Path) -> None:
    network = load(folder / "net.h5").network
    assert network is not None
    delay = next(p for p in network.projections if p.name == "b").delay
    assert delay is not None
    assert list(delay) == [2 * 1e-3, 0.1 * 1e-3, 1.7 * 1e-3]


def test_included_file_gives_network_and_components(folder: Path) -> None:
    (folder / "main.nml").write_text('<neuroml id="m"><include href="net.h5"/></neuroml>')
    assert_equal(load(folder / "main.nml"), load(folder / "net.nml"))


def test_network_apart_from_its_components(folder: Path) -> None:
    """The other layout: XML has the components and includes an HDF5 file without any."""
    doc = document()
    write_hdf5(doc, folder / "bare.h5", embed=False)
    doc.networks = []
    doc.includes.append(n.IncludeType("bare.h5"))
    write_xml(doc, folder / "split.nml")
    assert_equal(load(folder / "split.nml"), load(folder / "net.nml"))


def test_simulation_of_an_included_hdf5_network(folder: Path) -> None:
    (folder / "LEMS.xml").write_text(
        '<Lems><Target component="sim"/><Include file="Simulation.xml"/><Include file="net.h5"/>'
        '<Simulation id="sim" length="10ms" step="0.1ms" target="net"/></Lems>'
    )
    model = load(folder / "LEMS.xml")
    assert model.network is not None
    assert model.network.experiment is not None
    assert model.network.name == "net"
    assert model.network.experiment.length == pytest.approx(0.01)


def test_embedded_text_may_include_files(folder: Path) -> None:
    doc = document()
    cell = doc.iaf_cells.pop()
    write_xml(doc_of(cell), folder / "cell.nml")
    doc.includes.append(n.IncludeType("cell.nml"))
    write_hdf5(doc, folder / "split.h5")
    assert_equal(load(folder / "split.h5"), load(folder / "net.nml"))


def doc_of(cell: Any) -> Any:
    doc = n.NeuroMLDocument(id="cell")
    doc.iaf_cells.append(cell)
    return doc


def test_cycle_through_hdf5(folder: Path) -> None:
    make(folder / "cycle.h5", top='<neuroml><include href="cycle.h5"/></neuroml>')
    assert refused(folder / "cycle.h5").code == "L013"


TOP = '<neuroml><izhikevichCell id="c" v0="-70mV" thresh="30mV" a="0.02" b="0.2" c="-65" d="6"/>'
TOP += '<expOneSynapse id="s" gbase="1nS" erev="0mV" tauDecay="2ms"/></neuroml>'


def make(
    path: Path,
    rows: Any = ((0, 1),),
    columns: tuple[str, ...] = ("pre_cell_id", "post_cell_id"),
    top: str = TOP,
    edit: Callable[[Any, Any], object] | None = None,
    array_attributes: bool = False,
    **attributes: str,
) -> None:
    """A file written with h5py directly; `edit` gets the open file and its network group."""

    def kept(value: str) -> object:
        return np.array([value.encode()]) if array_attributes else value

    with h5py.File(path, "w") as stream:
        root = stream.create_group("neuroml")
        root.attrs["neuroml_top_level"] = kept(top)
        network = root.create_group("network")
        network.attrs["id"] = kept("n")
        cells = network.create_group("population_P")
        cells.attrs["id"], cells.attrs["component"], cells.attrs["size"] = kept("P"), kept("c"), 2
        group = network.create_group("projection_p")
        texts = {"id": "p", "type": "projection", "presynapticPopulation": "P",
                 "postsynapticPopulation": "P", "synapse": "s", **attributes}  # fmt: skip
        for key, value in texts.items():
            group.attrs[key] = kept(value)
        table = group.create_dataset("p", data=np.array(rows, dtype="f4"))
        for k, name in enumerate(columns):
            table.attrs[f"column_{k}"] = kept(name)
        if edit:
            edit(stream, network)


@pytest.mark.parametrize("array_attributes", [False, True])
def test_attributes_alone_or_in_arrays(tmp_path: Path, array_attributes: bool) -> None:
    make(tmp_path / "a.h5", array_attributes=array_attributes)
    network = load(tmp_path / "a.h5").network
    assert network is not None
    assert [(p.name, list(p.pre), list(p.post)) for p in network.projections] == [("p", [0], [1])]


def test_population_ids_and_unnamed_columns(tmp_path: Path) -> None:
    def edit(stream: Any, network: Any) -> None:
        rows = np.array([[5, 1, 2, 3], [9, 4, 5, 6]], dtype="f4")
        network["population_P"].create_dataset("P", data=rows)

    make(tmp_path / "a.h5", rows=[(9, 5)], columns=(), edit=edit)
    network = load(tmp_path / "a.h5").network
    assert network is not None
    assert (list(network.projections[0].pre), list(network.projections[0].post)) == ([1], [0])
    assert network.populations[0].positions == pytest.approx(
        np.array([[1, 2, 3], [4, 5, 6]]) * 1e-6
    )


COLUMNS = ("pre_cell_id", "post_cell_id", "weight", "delay")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"rows": [(0, 2)]}, "L031"),
        ({"rows": [(-1, 0)]}, "L031"),
        ({"rows": [(0.5, 0)]}, "L040"),
        ({"rows": [(float("nan"), 0)]}, "L040"),
        ({"rows": [(1e30, 0)]}, "L040"),
        ({"presynapticPopulation": "PP"}, "L030"),
        ({"synapse": ""}, "L112"),
        ({"type": "strangeProjection"}, "L040"),
        ({"columns": ("pre_cell_id", "weight")}, "L040"),
        ({"columns": ("pre_cell_id", "pre_cell_id")}, "L040"),
        ({"columns": ("a", "b", "c")}, "L040"),
        ({"rows": [(0, 0, 1, -2)], "columns": COLUMNS}, "L172"),
        ({"rows": [(0, 0, float("inf"), 2)], "columns": COLUMNS}, "L123"),
        ({"rows": [0, 1]}, "L040"),
        ({"top": "<neuroml><broken></neuroml>"}, "L002"),
        ({"top": '<!DOCTYPE a [<!ENTITY b "c">]><neuroml/>'}, "L001"),
    ],
)
def test_bad_contents(tmp_path: Path, change: dict[str, Any], code: str) -> None:
    make(tmp_path / "a.h5", **change)
    found = refused(tmp_path / "a.h5")
    assert found.code == code, found
    assert found.span is not None
    assert found.span.file.startswith("a.h5")


def _link(stream: Any, network: Any) -> None:
    network["population_X"] = h5py.ExternalLink("other.h5", "/neuroml")


def _soft(stream: Any, network: Any) -> None:
    network["population_X"] = h5py.SoftLink("/neuroml")


def _external(stream: Any, network: Any) -> None:
    group = network["population_P"]
    group.create_dataset("P", (2, 3), "f4", external=[("/etc/passwd", 0, 24)])


def _bomb(stream: Any, network: Any) -> None:
    network["population_P"].create_dataset("P", (10**11, 3), "f4", chunks=(1000, 3))


def _thin_bomb(stream: Any, network: Any) -> None:
    network["population_P"].create_dataset("P", (90_000_000, 3), "f4", chunks=(1000, 3))


def _texts(stream: Any, network: Any) -> None:
    network["population_P"].create_dataset("P", data=[["a", "b"]], dtype=h5py.string_dtype())


def _junk(stream: Any, network: Any) -> None:
    network.create_group("something")


def _two(stream: Any, network: Any) -> None:
    network["projection_p"].create_dataset("q", data=np.zeros((1, 2)))


def _no_group(stream: Any, network: Any) -> None:
    del stream["neuroml/network"]
    stream["neuroml/network"] = 3


@pytest.mark.parametrize(
    "edit", [_link, _soft, _external, _bomb, _thin_bomb, _texts, _junk, _two, _no_group]
)
def test_hostile_structure(tmp_path: Path, edit: Callable[[Any, Any], object]) -> None:
    make(tmp_path / "a.h5", edit=edit)
    assert refused(tmp_path / "a.h5").code == "L040"


def test_not_hdf5(tmp_path: Path) -> None:
    for data in (b"", b"text", b"\x89HDF\r\n\x1a\n" + b"\0" * 100):
        (tmp_path / "a.h5").write_bytes(data)
        found = refused(tmp_path / "a.h5")
        assert found.code == "L040"
        assert "a.h5" in found.message
    assert refused(tmp_path / "absent.h5").code in ("L010", "L040")


def test_truncated_or_damaged(tmp_path: Path, folder: Path) -> None:
    whole = (folder / "net.h5").read_bytes()
    random = np.random.default_rng(1)
    for part in (100, len(whole) // 4, len(whole) // 2, len(whole) - 8):
        (tmp_path / "t.h5").write_bytes(whole[:part])
        assert refused(tmp_path / "t.h5").code == "L040"
    for _ in range(30):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 20):
            damaged[place] ^= 0xFF
        (tmp_path / "d.h5").write_bytes(bytes(damaged))
        with contextlib.suppress(ModelError):
            read(tmp_path / "d.h5", None, log=Log())


def test_a_foreign_file_is_no_model(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as stream:
        stream["data"] = np.arange(3)
    assert refused(tmp_path / "a.h5").code == "L040"
