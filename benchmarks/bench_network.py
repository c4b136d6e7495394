"""Read a large NeuroML network, from XML and from HDF5, each in a process of its own.

The network is that of the published comparison: two populations with positions, four projections of
connections with weight and delay. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from pathlib import Path

from measure import Cost, best

READ = """
import sys, interspike
network = interspike.load(sys.argv[1]).network
cells = sum(population.size for population in network.populations)
connections = sum(len(projection.pre) for projection in network.projections)
assert (cells, connections) == (int(sys.argv[2]), int(sys.argv[3])), (cells, connections)
"""
WIRE = """
import sys, interspike
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.passes.wire import wire
circuit = wire(interspike.load(sys.argv[1]), Log())
assert sum(len(link.pre) for link in circuit.event_links) == int(sys.argv[3])
"""
LIBNEUROML = """
import sys
from neuroml.loaders import NeuroMLLoader
NeuroMLLoader.load(sys.argv[1])
"""
LIBNEUROML_HDF5 = """
import sys
from neuroml.loaders import NeuroMLHdf5Loader
NeuroMLHdf5Loader.load(sys.argv[1], optimized=True)
"""
COMPONENTS = """    <iafCell id="cell" leakReversal="-65mV" thresh="-50mV" reset="-65mV" C="0.2nF" \
leakConductance="0.01uS"/>
    <expOneSynapse id="synapse" gbase="0.1nS" erev="0mV" tauDecay="5ms"/>
"""
ROOT = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="large">\n'
POPULATIONS = ("excitatory", "inhibitory")


def main() -> None:
    """Generate, measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cells", type=int, default=10_000)
    options.add_argument("--connections", type=int, default=1_000_000)
    options.add_argument("--times", type=int, default=1, help="runs of which the best counts")
    options.add_argument(
        "--peers", action="store_true", help="libNeuroML too (half a minute, 2.4 GB)"
    )
    chosen = options.parse_args()
    cells, connections = chosen.cells // 2 * 2, chosen.connections // 4 * 4
    with tempfile.TemporaryDirectory() as place:
        xml, hdf5 = Path(place) / "network.net.nml", Path(place) / "network.net.nml.h5"
        write_xml(xml, cells, connections)
        write_hdf5(hdf5, cells, connections)
        rows = [
            (f"Interspike, {name}", measure(code, path, cells, connections, chosen.times))
            for name, code, path in (
                ("XML", READ, xml),
                ("HDF5", READ, hdf5),
                ("XML, read and wired", WIRE, xml),
            )
        ]
        if chosen.peers and importlib.util.find_spec("neuroml"):
            rows += [
                ("libNeuroML, XML", measure(LIBNEUROML, xml, cells, connections, 1)),
                ("libNeuroML, HDF5 arrays", measure(LIBNEUROML_HDF5, hdf5, cells, connections, 1)),
            ]
        size = f"{xml.stat().st_size / 1e6:.0f} MB XML, {hdf5.stat().st_size / 1e6:.0f} MB HDF5"
    print(f"{cells} cells, {connections} connections, {size}\n")
    print("| reader | CPU s | peak MB |\n|---|---|---|")
    for name, cost in rows:
        print(f"| {name} | {cost.cpu:.2f} | {cost.peak:.0f} |")


def measure(code: str, path: Path, cells: int, connections: int, times: int) -> Cost:
    """The cost of one reader in a fresh process."""
    command = [sys.executable, "-P", "-c", code, str(path), str(cells), str(connections)]
    return best(command, times=times)


def projections(cells: int, connections: int) -> list[tuple[str, str, int]]:
    """Source, target and number of connections of each of the four projections."""
    return [(pre, post, connections // 4) for pre in POPULATIONS for post in POPULATIONS]


def pair(index: int, cells: int) -> tuple[int, int, float, float]:
    """Connection number `index`: source, target, weight, delay in ms; a fixed scatter."""
    return (
        index * 7919 % (cells // 2),
        index * 104_729 % (cells // 2),
        1 + index % 7 / 8,
        1 + index % 16 / 8,
    )


def write_xml(path: Path, cells: int, connections: int) -> None:
    """The network as a NeuroML document, written as it is made."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write(f'{ROOT}{COMPONENTS}    <network id="net">\n')
        for name in POPULATIONS:
            stream.write(
                f'        <population id="{name}" component="cell" size="{cells // 2}" '
                'type="populationList">\n'
            )
            for n in range(cells // 2):
                stream.write(
                    f'            <instance id="{n}"><location x="{n % 100}" y="{n // 100}" z="0"/>'
                    "</instance>\n"
                )
            stream.write("        </population>\n")
        for pre, post, count in projections(cells, connections):
            stream.write(
                f'        <projection id="{pre}_{post}" presynapticPopulation="{pre}" '
                f'postsynapticPopulation="{post}" synapse="synapse">\n'
            )
            for n in range(count):
                source, target, weight, delay = pair(n, cells)
                stream.write(
                    f'            <connectionWD id="{n}" preCellId="../{pre}/{source}/cell" '
                    f'postCellId="../{post}/{target}/cell" weight="{weight}" delay="{delay}ms"/>\n'
                )
            stream.write("        </projection>\n")
        stream.write("    </network>\n</neuroml>\n")


def write_hdf5(path: Path, cells: int, connections: int) -> None:
    """The same network as tables, in the layout of NeuroML's HDF5 form."""
    import h5py
    import numpy as np

    with h5py.File(path, "w") as file:
        root = file.create_group("neuroml")
        root.attrs.update(id="large", neuroml_top_level=f"{ROOT}{COMPONENTS}</neuroml>")
        network = root.create_group("network")
        network.attrs["id"] = "net"
        for name in POPULATIONS:
            group = network.create_group(f"population_{name}")
            group.attrs.update(id=name, component="cell", size=cells // 2, type="populationList")
            cell = np.arange(cells // 2)
            table = np.stack([cell % 100, cell // 100, cell * 0], axis=1).astype(np.float32)
            columns(group.create_dataset(name, data=table), "x", "y", "z")
        for pre, post, count in projections(cells, connections):
            name = f"{pre}_{post}"
            group = network.create_group(f"projection_{name}")
            group.attrs.update(
                id=name, type="projection", synapse="synapse",
                presynapticPopulation=pre, postsynapticPopulation=post,
            )  # fmt: skip
            rows = np.array([pair(n, cells) for n in range(count)], dtype=np.float32)
            data = group.create_dataset(name, data=rows, chunks=True, compression="gzip")
            columns(data, "pre_cell_id", "post_cell_id", "weight", "delay")


def columns(data: object, *names: str) -> None:
    """Name the columns of a table as NeuroML does."""
    for number, name in enumerate(names):
        data.attrs[f"column_{number}"] = name  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
