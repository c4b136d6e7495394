"""NEST: what the exporter writes."""

from __future__ import annotations

from ...canonical_model.abilities import full, lossy, none
from ..format import Exporter

FORMAT = Exporter(
    name="nest",
    title="NEST extension modules (C++) and PyNEST scripts",
    export="interspike.exporters.nest.emit:export",
    takes="model",
    run="interspike.nest.run:run",
    run_synapse="interspike.nest.synapse_run:run_synapse",
    together="interspike.exporters.nest.network_plan:together",
    integrates="interspike.exporters.nest.network_plan:integrates",
    order="interspike.exporters.nest.network_plan:order",
    backends=("pynest", "pynn"),
    index="interspike.exporters.nest.index:index",
    build="interspike.nest.build:build",
    solvers=("gsl",),
    abilities={
        "units": full("mV, ms, pA, nS, pF in the status dictionary"),
        "odes": full(),
        "programs": full(),
        "statements": full(),
        "functions": full(),
        "conditions": full("tested once a step"),
        "regimes": full(),
        "derived": full(),
        "kinetic_schemes": full("as differential equations"),
        "events": full("one kind of spike a neuron"),
        "timed_events": full(),
        "random": lossy("NEST's generator, another than the reference simulator's"),
        "networks": full(),
        "weights_delays": lossy("delays are whole steps, at least one"),
        "inputs": full(),
        "short_term_plasticity": lossy("as many synapses of a kind on a cell as fit one model"),
        "pairs": full("co-generated, under the names that NESTML gives"),
        "electrical": full("values of the last step, as in the reference simulator's grid mode"),
        "graded": full("values of the last step"),
        "channels": full(),
        "morphology": none(),
        "experiment": full(),
        "text": lossy("descriptions are kept as comments"),
    },
)
