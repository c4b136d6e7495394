"""LEMS and NeuroML2: what the exporter writes."""

from __future__ import annotations

from ...canonical_model.abilities import full, lossy, none
from ..format import Exporter

FORMAT = Exporter(
    name="lems",
    title="LEMS and NeuroML2 (XML)",
    export="interspike.exporters.lems.emit:export",
    takes="model",
    comment=("<!--\n", "", "\n-->"),
    index="interspike.exporters.lems.index:index",
    abilities={
        "units": full("NeuroML's own, and declared ones"),
        "odes": full(),
        "conditions": full("branches become values that depend on flags"),
        "regimes": full("as a state where a condition reads an input; several machines become one"),
        "programs": lossy(
            "integration, counters, timers, decays, crossings and what follows from states; refused: "
            "random draws in every step, the value of the step before, any other assignment in every step"
        ),
        "statements": lossy("branches as values that depend on tests; refused: loops"),
        "functions": lossy("those of LEMS, others as far as they follow from them"),
        "derived": full("sorted; choices and what reads them as conditional variables"),
        "kinetic_schemes": full("as part of standard gates, else as differential equations"),
        "events": lossy(
            "without weights of their own; connections set the weight of their synapse"
        ),
        "timed_events": full("as spikeArray"),
        "random": lossy("uniform and normal"),
        "networks": full(),
        "weights_delays": full(),
        "inputs": full(),
        "short_term_plasticity": full(),
        "electrical": full(),
        "graded": full(),
        "channels": full(),
        "morphology": none("standard cells of one segment only"),
        "experiment": full(),
        "text": lossy("descriptions of types and what they declare"),
    },
)
