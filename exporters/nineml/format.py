"""NineML: what the exporter writes."""

from __future__ import annotations

from dataclasses import replace

from ...canonical_model.abilities import full, lossy, none
from ..format import Exporter

FORMAT = Exporter(
    name="nineml",
    title="NineML 1.0 in YAML",
    export="interspike.exporters.nineml.emit:export_yaml",
    takes="model",
    comment=("", "# ", ""),
    abilities={
        "units": full("powers of ten; others are converted to SI"),
        "odes": full(),
        "conditions": full("branches in them become regimes"),
        "regimes": full("entry actions move to the transitions; several machines become one"),
        "derived": full("conditional ones become regimes"),
        "kinetic_schemes": full("as differential equations"),
        "events": lossy("without weights of their own: ports that carry one become analog ports"),
        "timed_events": none("no such thing in NineML"),
        "random": lossy("in events only; uniform, normal, exponential, poisson"),
        "networks": full("rules as rules, lists as explicit connections"),
        "weights_delays": full(),
        "inputs": full("as populations"),
        "short_term_plasticity": full(),
        "electrical": none("no such thing in NineML"),
        "graded": none("no such thing in NineML"),
        "channels": full("as part of the flat cell"),
        "morphology": none("no such thing in NineML"),
        "experiment": none("no such thing in NineML"),
        "text": lossy(
            "descriptions of components and quantities as annotations; comments are lost"
        ),
    },
)
XML = replace(
    FORMAT,
    name="nineml-xml",
    title="NineML 1.0 in XML",
    export="interspike.exporters.nineml.emit:export_xml",
    comment=("<!--\n", "", "\n-->"),
)
JSON = replace(
    FORMAT,
    name="nineml-json",
    title="NineML 1.0 in JSON",
    export="interspike.exporters.nineml.emit:export_json",
    comment=None,
)
