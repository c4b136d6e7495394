"""NESTML: what the importer reads."""

from __future__ import annotations

import re

from ...canonical_model.abilities import full, none
from ..format import Importer

_HEAD = re.compile(
    rb"^[ \t]*(?:model|neuron|synapse)[ \t]+[A-Za-z_$][\w$]*[ \t]*:[ \t\r]*(?:#[^\n]*)?$", re.M
)


def sniff(head: bytes) -> bool:
    """True where a line opens a model, by today's keyword or an older one.

    >>> sniff(b"# text" + bytes([10]) + b"model lif_neuron:")
    True
    """
    return bool(_HEAD.search(head.replace(b"\r", b"\n")))


_SAMPLE = b"""model sample_neuron:
    state:
        V_m mV = 0 mV
    equations:
        V_m' = -V_m / tau
    parameters:
        tau ms = 10 ms
    output:
        spike
    update:
        integrate_odes()
    onCondition(V_m > 1 mV):
        V_m = 0 mV
        emit_spike()
"""

FORMAT = Importer(
    name="nestml",
    title="NESTML (9, and the older forms since 2)",
    endings=(".nestml",),
    read="interspike.importers.nestml.reader:read",
    sniff=sniff,
    sample=_SAMPLE,
    abilities={
        "units": full("checked in every expression; silent casts are made explicit"),
        "odes": full("also of higher order"),
        "programs": full(),
        "statements": full(),
        "functions": full(),
        "conditions": full(),
        "regimes": full("as a program of one time step"),
        "derived": full("inline expressions"),
        "kinetic_schemes": none("not in the language"),
        "events": full(),
        "timed_events": none("not in the language"),
        "random": full(),
        "networks": none("not in the language"),
        "weights_delays": none("not in the language"),
        "inputs": full("continuous ports"),
        "short_term_plasticity": full(),
        "pairs": full("by the option --pair, or a file of NESTML's options"),
        "electrical": full(),
        "graded": full(),
        "channels": full(),
        "morphology": none("not read"),
        "experiment": none("not in the language"),
        "text": full(),
    },
)
