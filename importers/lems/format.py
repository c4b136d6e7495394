"""LEMS and NeuroML2: what the importer reads."""

from __future__ import annotations

import re

from ...canonical_model.abilities import full, lossy
from ..format import Importer

_ROOT = re.compile(rb"<\s*(?:\w+:)?(?:Lems|LEMS|lems|neuroml)[\s>/]")
_HDF5 = b"\x89HDF\r\n\x1a\n"


def sniff(head: bytes) -> bool:
    """True for a LEMS or NeuroML2 root element, and for HDF5 files.

    >>> sniff(b'<?xml version="1.0"?><Lems>')
    True
    """
    return head.startswith(_HDF5) or bool(_ROOT.search(head.replace(b"\0", b"")))


_SAMPLE = b"""<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="sample">
<iafCell id="cell" leakReversal="-60mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="0.01uS"/>
</neuroml>"""

FORMAT = Importer(
    name="lems",
    title="LEMS and NeuroML2 (XML and HDF5)",
    endings=(".xml", ".nml", ".h5"),
    read="interspike.importers.lems.reader:read",
    sniff=sniff,
    sample=_SAMPLE,
    abilities={
        "units": full("checked in every equation"),
        "odes": full(),
        "statements": full(),
        "functions": full(),
        "conditions": full(),
        "regimes": full(),
        "derived": full("in any order of declaration"),
        "kinetic_schemes": full("become differential equations"),
        "events": full(),
        "timed_events": full("spikeArray and its kin"),
        "random": full(),
        "networks": full(),
        "weights_delays": full(),
        "inputs": full(),
        "short_term_plasticity": full(),
        "electrical": full(),
        "graded": full(),
        "channels": full(),
        "morphology": lossy("read and kept; simulators and targets refuse it"),
        "experiment": full(),
        "text": lossy("notes and properties of components; other annotations are not kept"),
    },
)
