"""SpiNNaker2: what the exporter writes."""

from __future__ import annotations

from ...canonical_model.abilities import full, lossy, none
from ..format import Exporter

FORMAT = Exporter(
    name="spinnaker2",
    title="SpiNNaker2 C with Python classes",
    export="interspike.exporters.spinnaker2.emit:export",
    takes="circuit",
    run="interspike.spinnaker2.emulator:run",
    together="interspike.exporters.spinnaker2.emit:together",
    backends=("host", "qemu"),
    index="interspike.exporters.spinnaker2.index:index",
    abilities={
        "units": full("removed by scaling to one consistent set, stated in the header"),
        "odes": full("single precision, fixed step"),
        "programs": full(),
        "statements": full(),
        "functions": full(),
        "conditions": full("tested once a step"),
        "regimes": full(),
        "derived": full(),
        "kinetic_schemes": full("as differential equations"),
        "events": full(),
        "timed_events": full(),
        "random": lossy("another generator than the reference simulator's"),
        "networks": full("as far as the memories hold them"),
        "weights_delays": lossy("delays are rounded to whole steps"),
        "inputs": full(),
        "short_term_plasticity": full(),
        "electrical": full(),
        "graded": full(),
        "channels": full(),
        "morphology": none(),
        "experiment": full(),
        "text": none("not part of the code"),
    },
)
