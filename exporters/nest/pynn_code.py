"""The network of a module through PyNN: a script that takes its tables from `network.py`."""

from __future__ import annotations

SCRIPT = '''"""@TITLE@ through PyNN, on NEST. Made by interspike; needs interspike, PyNN and the built module.

    python network_pynn.py [--length MS] [--threads N] [--seed N] [--output FILE.npz]

Populations, connections and what is recorded are those of network.py.
"""

import json

import nest
import network as net
import numpy as np
import pyNN.nest as sim
from interspike.nest.pynn import cell_type, synapse_type

SCALE = 1e-3  # PyNN counts weights in nA or uS


def build(threads=1, seed=net.SEED, module=None):
    """Populations by name, connected, with recorders."""
    longest = max((float(np.max(net.array(row[6]))) for row in net.CONNECTIONS), default=1.0)
    sim.setup(timestep=net.RESOLUTION, min_delay=net.RESOLUTION,
              max_delay=max(longest, net.RESOLUTION), threads=threads, rng_seed=seed)
    nest.Install(str(module or net.HERE / "build" / net.MODULE))
    facts = json.loads((net.HERE / "models.json").read_text())
    cells = {}
    for name, model, size, values in net.POPULATIONS:
        given = {key: value if isinstance(value, float) else net.array(value) for key, value in values}
        own = {key: given[key] for key in given if key in facts[model]["parameters"]}
        first = {key: given[key] for key in given if key not in own}
        kind = cell_type(model, facts[model])
        cells[name] = sim.Population(size, kind(**own), initial_values=first, label=name)
    models = {name: model for name, model, _, _ in net.POPULATIONS}
    for source, target, pre, post, receptor, weight, delay, synapse in net.CONNECTIONS:
        receptors = {number: label for label, number in facts[models[target]]["receptors"].items()}
        connect = connector(pre, post)
        for label, chosen in ports(receptors.get(receptor), pre, net.array(weight)):
            kind = sim.StaticSynapse if synapse == "static_synapse" else synapse_type(synapse, facts[synapse])
            sim.Projection(cells[source], cells[target], connect(chosen, weight, delay),
                           kind(weight=float(net.array(weight)[0]) * SCALE, delay=float(net.array(delay)[0])),
                           receptor_type=label)
    start(cells)
    for name, population in cells.items():
        for index, key in sorted({(row[2], row[3]) for row in net.TRACES if row[1] == name}):
            population[index : index + 1].record(key)
        for index in sorted({row[2] for row in net.EVENTS if row[1] == name}):
            population[index : index + 1].record("spikes")
    return cells


def connector(pre, post):
    """What makes PyNN's connector of a rule, or of lists."""
    if isinstance(pre, dict):
        made = {
            "all_to_all": lambda: sim.AllToAllConnector(),
            "one_to_one": lambda: sim.OneToOneConnector(),
            "fixed_indegree": lambda: sim.FixedNumberPreConnector(pre["indegree"]),
            "fixed_outdegree": lambda: sim.FixedNumberPostConnector(pre["outdegree"]),
            "pairwise_bernoulli": lambda: sim.FixedProbabilityConnector(pre["p"]),
        }
        return lambda chosen, weight, delay: made[pre["rule"]]()
    rows = [net.array(pre), net.array(post)]

    def listed(chosen, weight, delay):
        columns = [*rows, net.array(weight) * SCALE, net.array(delay)]
        table = np.column_stack([np.broadcast_to(column, rows[0].shape) for column in columns])
        return sim.FromListConnector(table[chosen])

    return listed


def ports(label, pre, weight):
    """The receptor types of a connection, and their rows: where there is one port, signs choose."""
    if label is not None:
        return [(label, slice(None))]
    if isinstance(pre, dict):
        return [("inhibitory" if weight[0] < 0 else "excitatory", slice(None))]
    negative = np.broadcast_to(weight, net.array(pre).shape) < 0
    found = [("excitatory", ~negative), ("inhibitory", negative)]
    return [(name, chosen) for name, chosen in found if chosen.any()]


def start(cells):
    """What is read of another cell begins with that cell's initial value."""
    ids = {name: [int(cell) for cell in population.all_cells] for name, population in cells.items()}
    for target, key, post, source, variable, pre in net.STARTS:
        for one, other in zip(net.array(post).tolist(), net.array(pre).tolist()):
            value = nest.NodeCollection([ids[source][other]]).get(variable)
            nest.NodeCollection([ids[target][one]]).set({key: value})


def run(length=net.LENGTH, threads=1, seed=net.SEED, module=None):
    """Simulate; returns times (s), traces and spike times (SI) by label."""
    cells = build(threads, seed, module)
    sim.run(round(length / net.RESOLUTION) * net.RESOLUTION)
    times, traces, events = np.zeros(0), {}, {}
    curves, trains = {}, {}
    for name in {row[1] for row in (*net.TRACES, *net.EVENTS)}:
        data = cells[name].get_data().segments[-1]
        for signal in data.analogsignals:
            for k, index in enumerate(signal.array_annotations["channel_index"]):
                curves[name, int(index), signal.name] = signal.magnitude[:, k]
            times = signal.times.rescale("s").magnitude
        for train in data.spiketrains:
            trains[name, int(train.annotations["source_index"])] = train.rescale("s").magnitude
    for label, name, index, key, unit in net.TRACES:
        traces[label] = curves[name, index, key] * unit
    for label, name, index in net.EVENTS:
        events[label] = np.sort(trains.get((name, index), np.zeros(0)))
    return times, traces, events


if __name__ == "__main__":
    net.main(run)
'''


def pynn_script(title: str) -> str:
    """`network_pynn.py` of a network."""
    return SCRIPT.replace("@TITLE@", title, 1)


__all__ = ["pynn_script"]
