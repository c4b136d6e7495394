"""NineML: what the importer reads."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...canonical_model.abilities import full, none
from ..format import Importer

OPTIONS: Mapping[str, str] = {
    "strict": "yes: spellings outside the 1.0 text are errors (default no)",
    "regime": "the regime at start, NAME or COMPONENT:NAME, several with commas",
    "offsets": "apply or ignore the offsets of units such as degC (default ignore)",
    "seed": "a whole number from which connections and random values are drawn (default 1)",
}
_ROOT = re.compile(
    rb"<\s*(?:[\w.-]+:)?NineML[\s>/]"  # XML
    rb"|(?:^(?:\xef\xbb\xbf)?|[{,])\s*[\"']?NineML[\"']?\s*:"  # YAML, JSON
    rb"|^\?\s*!!binary\s*\|?\s*TmluZU1M\s*$",  # YAML as the library writes it on Python 3
    re.MULTILINE,
)


def sniff(head: bytes) -> bool:
    """True for a NineML root in XML, YAML (plain or base64) or JSON.

    >>> sniff(b"NineML:\\n  '@namespace': x")
    True
    """
    return bool(_ROOT.search(head.replace(b"\0", b"")))


_SAMPLE = b"""<NineML xmlns="http://nineml.net/9ML/1.0"><ComponentClass name="Sample">
<Parameter name="tau" dimension="time"/><AnalogSendPort name="x" dimension="dimensionless"/>
<Dynamics><StateVariable name="x" dimension="dimensionless"/><Regime name="only">
<TimeDerivative variable="x"><MathInline>-x/tau</MathInline></TimeDerivative></Regime></Dynamics>
</ComponentClass><Component name="sample"><Definition>Sample</Definition>
<Property name="tau" units="ms"><SingleValue>1.0</SingleValue></Property>
<Initial name="x" units="unitless"><SingleValue>1.0</SingleValue></Initial></Component>
<Dimension name="dimensionless"/><Dimension name="time" t="1"/>
<Unit symbol="unitless" dimension="dimensionless"/>
<Unit symbol="ms" dimension="time" power="-3"/></NineML>"""

FORMAT = Importer(
    name="nineml",
    title="NineML 1.0 (YAML, XML, JSON)",
    endings=(".yml", ".yaml", ".xml", ".json"),
    read="interspike.importers.nineml.reader:read",
    sniff=sniff,
    options=OPTIONS,
    sample=_SAMPLE,
    abilities={
        "units": full("checked in every equation, zero included"),
        "odes": full(),
        "statements": full(),
        "functions": full(),
        "conditions": full(),
        "regimes": full("the regime at start is an option, since NineML does not hold it"),
        "derived": full("aliases, also those of one regime"),
        "kinetic_schemes": none("no such thing in NineML"),
        "events": full(),
        "timed_events": none("no such thing in NineML"),
        "random": full(
            "distributions: uniform, normal, exponential, poisson, binomial of few trials"
        ),
        "networks": full("rules are kept; what is drawn of them depends on a stated seed"),
        "weights_delays": full(),
        "inputs": full("as populations that send"),
        "short_term_plasticity": full("as a component between source and response"),
        "electrical": none("no such thing in NineML"),
        "graded": full("analog ports between cells"),
        "channels": full("as sub-components of multi-dynamics"),
        "morphology": none("no such thing in NineML"),
        "experiment": none("no such thing in NineML"),
        "text": full("annotations are kept"),
    },
)
