"""NESTML: what the exporter writes."""

from __future__ import annotations

from ...canonical_model.abilities import full, lossy, none
from ..format import Exporter

FORMAT = Exporter(
    name="nestml",
    title="NESTML 9 models",
    export="interspike.exporters.nestml.emit:export",
    takes="model",
    comment=("", "# ", ""),
    together="interspike.exporters.nestml.prepare:together",
    abilities={
        "units": full("in NEST's system: mV, ms, pA, nS, pF"),
        "odes": full(),
        "programs": full(),
        "statements": full(),
        "functions": full(),
        "conditions": full("tested once a step"),
        "regimes": full("as guarded updates, a refractory period as a countdown"),
        "derived": full("as inline expressions"),
        "kinetic_schemes": full("as differential equations"),
        "events": lossy("one output port; events within a step are summed"),
        "timed_events": full("as a function of a counter, up to 2000 times"),
        "random": full("with the simulator's generator"),
        "networks": none("cells only, connections are reported as dropped"),
        "weights_delays": none("belong to connections"),
        "inputs": full("as part of the cell that they are attached to"),
        "short_term_plasticity": full("as ports and states of the cell"),
        "pairs": full("as options of NESTML, in pairs.json"),
        "electrical": none("the cell keeps a continuous input"),
        "graded": none("the cell keeps a continuous input"),
        "channels": full(),
        "morphology": none(),
        "experiment": none("length, step and recordings are reported as dropped"),
        "text": full("as comments"),
    },
)
