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
        "units": lossy(
            "powers of ten; others are converted to SI; refused: broken exponents, no finite value"
        ),
        "odes": lossy("kernels as equations; refused: kernels that are no sum of linear ones"),
        "conditions": lossy(
            "branches in them become regimes; refused: two of one trigger, the first with unknown effect "
            "on the second"
        ),
        "regimes": lossy(
            "entry actions move to the transitions; several machines become one; refused: more than 16 ways "
            "through a program, 8 tests in equations"
        ),
        "programs": lossy(
            "integration, counters, timers, decays, crossings and what follows from states; refused: "
            "random draws in every step, the value of the step before, any other assignment in every step"
        ),
        "statements": lossy("branches as regimes; refused: loops, draws used twice"),
        "functions": lossy(
            "those that NineML lacks as far as they follow from those that it has; refused: remainders, "
            "rounding, equality, factorials, error functions, delayed values"
        ),
        "derived": full("conditional ones become regimes"),
        "kinetic_schemes": full("as differential equations"),
        "events": lossy("without weights of their own: ports that carry one become analog ports"),
        "timed_events": none("no such thing in NineML"),
        "random": lossy("in events only; uniform, normal, exponential, poisson"),
        "networks": lossy(
            "rules as rules, lists as explicit connections of up to 2,000,000; refused: more"
        ),
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

# the row of the table that says so, for each code with which something is refused
REFUSALS = {
    "K100": "odes",
    "K101": "odes",
    "K110": "functions",
    "K120": "programs",
    "K121": "regimes",
    "K140": "functions",
    "R120": "regimes",
    "R121": "events",
    "R122": "regimes",
    "R123": "regimes",
    "R124": "random",
    "X300": "timed_events",
    "X301": "functions",
    "X304": "statements",
    "X305": "random",
    "X310": "units",
    "X311": "units",
    "X313": "conditions",
    "X325": "experiment",
    "X326": "units",
    "X330": "networks",
    "X332": "networks",
}
