"""The PyNEST script of a network, with large arrays in a file beside it."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...canonical_model.lazy import np
from .names import comment
from .network_plan import NetworkPlan
from .pynn_code import pynn_script

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_INLINE = 64
DATA = "network.npz"

SCRIPT = '''\
"""@TITLE@, built and run in PyNEST. Made by interspike. Times in ms, weights as the model has them.

    python network.py [--length MS] [--threads N] [--seed N] [--output FILE.npz]

The module must be built first: `interspike convert ... --build`, or CMake (see README.md).
"""

import argparse
from pathlib import Path

import nest
import numpy as np

HERE = Path(__file__).resolve().parent
MODULE = @MODULE@
RESOLUTION = @STEP@  # ms
LENGTH = @LENGTH@  # ms
SEED = @SEED@

# name, model, size, values (one number, or one a cell)
POPULATIONS = [
@POPULATIONS@]
# source, target, indices (or a rule and none), receptor, weights, delays, synapse
CONNECTIONS = [
@CONNECTIONS@]
# what is read of another cell begins with that cell's initial value: target, key, cells, source, key, cells
STARTS = [
@STARTS@]
# label, population, cell, recordable, what its unit is in SI
TRACES = [
@TRACES@]
# label, population, cell
EVENTS = [
@EVENTS@]

_data = np.load(HERE / "network.npz") if (HERE / "network.npz").exists() else {}


def array(item):
    """An array given in place, or by its name in network.npz."""
    return np.asarray(_data[item] if isinstance(item, str) else item)


def build(threads=1, seed=SEED, module=None):
    """A fresh kernel with the network in it: nodes, recorders."""
    nest.ResetKernel()
    nest.resolution = RESOLUTION
    nest.local_num_threads = threads
    nest.rng_seed = seed
    nest.Install(str(module or HERE / "build" / MODULE))
    nodes = {}
    for name, model, size, values in POPULATIONS:
        nodes[name] = nest.Create(model, size)
        for key, value in values:
            value = value if isinstance(value, float) else array(value).tolist()
            setattr(nodes[name], key, value)
    ids = {name: np.array(cells.tolist()) for name, cells in nodes.items()}
    for source, target, pre, post, receptor, weight, delay, synapse in CONNECTIONS:
        if isinstance(pre, dict):
            spec = {"synapse_model": synapse, "receptor_type": receptor}
            spec |= {"weight": weight[0], "delay": delay[0]}
            once = {"allow_multapses": False} if pre["rule"].startswith("fixed") else {}
            nest.Connect(nodes[source], nodes[target], {**pre, **once}, spec)
            continue
        pre, post = array(pre), array(post)
        spec = {"synapse_model": synapse, "receptor_type": np.full(len(pre), receptor)}
        spec["weight"] = np.broadcast_to(array(weight), pre.shape).astype(float)
        spec["delay"] = np.broadcast_to(array(delay), pre.shape).astype(float)
        nest.Connect(ids[source][pre], ids[target][post], "one_to_one", spec)
    for target, key, post, source, variable, pre in STARTS:
        first = np.array(nodes[source].get(variable)).ravel()[array(pre)]
        for cell, value in zip(array(post).tolist(), first.tolist()):
            setattr(nodes[target][cell], key, value)
    return nodes, _meters(nodes), _recorders(nodes)


def _meters(nodes):
    """One multimeter a population, for what is recorded of it."""
    meters = {}
    for name in dict.fromkeys(item[1] for item in TRACES):
        keys = list(dict.fromkeys(item[3] for item in TRACES if item[1] == name))
        cells = sorted({item[2] for item in TRACES if item[1] == name})
        meters[name] = nest.Create(
            "multimeter", params={"record_from": keys, "interval": RESOLUTION}
        )
        for cell in cells:
            nest.Connect(meters[name], nodes[name][cell])
    return meters


def _recorders(nodes):
    recorders = {}
    for name in dict.fromkeys(item[1] for item in EVENTS):
        recorders[name] = nest.Create("spike_recorder")
        for cell in sorted({item[2] for item in EVENTS if item[1] == name}):
            nest.Connect(nodes[name][cell], recorders[name])
    return recorders


def run(length=LENGTH, threads=1, seed=SEED, module=None):
    """Simulate; returns times (s), traces and spike times (SI) by label."""
    nodes, meters, recorders = build(threads, seed, module)
    nest.Simulate(round(length / RESOLUTION) * RESOLUTION)
    times, traces, events = np.zeros(0), {}, {}
    read = {name: meter.get("events") for name, meter in meters.items()}
    for label, name, cell, key, unit in TRACES:
        found = read[name]
        mine = found["senders"] == nodes[name][cell].tolist()[0]
        order = np.argsort(found["times"][mine], kind="stable")
        times = found["times"][mine][order] * 1e-3
        traces[label] = found[key][mine][order] * unit
    heard = {name: _by_sender(recorder.get("events")) for name, recorder in recorders.items()}
    for label, name, cell in EVENTS:
        events[label] = heard[name].get(nodes[name][cell].tolist()[0], np.zeros(0)) * 1e-3
    return times, traces, events


def _by_sender(found):
    """Ascending times for each cell that sent."""
    order = np.lexsort((found["times"], found["senders"]))
    senders, times = found["senders"][order], found["times"][order]
    cells, starts = np.unique(senders, return_index=True)
    return dict(zip(cells.tolist(), np.split(times, starts[1:])))


def main(run=run):
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\\n")[0])
    parser.add_argument("--length", type=float, default=LENGTH, help="ms")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--module", help="path of the built module, without .so")
    parser.add_argument("--output", help="write times, traces and spikes to this .npz file")
    given = parser.parse_args()
    times, traces, events = run(given.length, given.threads, given.seed, given.module)
    if given.output:
        arrays = {"times": times}
        arrays.update({f"trace/{label}": values for label, values in traces.items()})
        arrays.update({f"event/{label}": values for label, values in events.items()})
        np.savez(given.output, **arrays)
    for label, spikes in events.items():
        shown = " ".join(f"{time * 1e3:.6g}" for time in spikes[:12])
        print(f"{label}: {len(spikes)} spikes {shown}")


if __name__ == "__main__":
    main()
'''


def network_files(plan: NetworkPlan, module: str, seed: int | None) -> dict[str, bytes]:
    """`network.py`, the same for PyNN and, where arrays are large, `network.npz`."""
    arrays: dict[str, NDArray[Any]] = {}
    populations = [
        _row(
            name,
            item.model.title,
            item.group.size,
            [
                [key, value if isinstance(value, float) else _put(arrays, f"{name}/{key}", value)]
                for key, value in item.values.items()
            ],
        )
        for name, item in plan.populations.items()
    ]
    connections = [
        _row(
            item.source,
            item.target,
            dict(item.rule) if item.rule else _put(arrays, f"{k}/pre", item.pre),
            [] if item.rule else _put(arrays, f"{k}/post", item.post),
            item.receptor,
            _put(arrays, f"{k}/weight", _one(item.weight)),
            _put(arrays, f"{k}/delay", _one(item.delay)),
            item.model,
        )
        for k, item in enumerate(plan.connections)
    ]
    traces = [_row(t.label, t.population, t.index, t.key, t.si) for t in plan.traces]
    events = [
        _row(probe.label, probe.group, probe.index)
        for probe in plan.circuit.event_probes
        if probe.variable == plan.populations[probe.group].model.ports.output
    ]
    texts = {
        "TITLE": comment(plan.circuit.name).replace("'", " "),
        "MODULE": json.dumps(module),
        "STEP": repr(float(f"{plan.step * 1e3:.15g}")),
        "LENGTH": repr(float(f"{plan.length * 1e3:.15g}")),
        "SEED": str(max(1, abs(seed or 1)) % 2**31),
        "POPULATIONS": "".join(populations),
        "CONNECTIONS": "".join(connections),
        "STARTS": "".join(_starts(plan, arrays)),
        "TRACES": "".join(traces),
        "EVENTS": "".join(events),
    }
    script = SCRIPT
    for key, text in texts.items():
        script = script.replace(f"@{key}@", text, 1)
    pynn = pynn_script(texts["TITLE"])
    files = {"network.py": script.encode(), "network_pynn.py": pynn.encode()}
    if arrays:
        stream = io.BytesIO()
        np.savez(stream, **arrays)  # type: ignore[arg-type]
        files[DATA] = stream.getvalue()
    return files


def _starts(plan: NetworkPlan, arrays: dict[str, NDArray[Any]]) -> list[str]:
    rows = []
    for k, link in enumerate(plan.circuit.analog_links):
        source, target = plan.populations[link.source], plan.populations[link.target]
        if link.variable in source.model.keys:
            rows.append(
                _row(
                    link.target,
                    target.model.keys[link.input],
                    _put(arrays, f"start {k}/post", link.post),
                    link.source,
                    source.model.keys[link.variable],
                    _put(arrays, f"start {k}/pre", link.pre),
                )
            )
    return rows


def _one(values: NDArray[Any]) -> Any:
    """A single value where all are equal."""
    return values[:1] if len(values) and np.all(values == values[0]) else values


def _put(arrays: dict[str, NDArray[Any]], name: str, values: Sequence[Any] | NDArray[Any]) -> Any:
    """Short arrays as lists, long ones by name in the file of data."""
    found = np.asarray(values)
    if len(found) <= MAX_INLINE:
        return found.tolist()
    arrays[name] = found
    return name


def _row(*items: Any) -> str:
    """A line of a table; JSON of these is Python too, and escapes whatever stands in a name."""
    return f"    ({', '.join(json.dumps(item) for item in items)}),\n"
