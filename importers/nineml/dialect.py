"""Spellings of NineML that are about but not in the 1.0 text: rewritten with a warning, or refused.

Source: drafts of 1.0 and the examples of other tools (`targetRegime`, `EventOut`, nested rules, ...).
"""

from __future__ import annotations

import math
from dataclasses import replace

from ...canonical_model.diagnostics import Level, Log, Span
from .schema import SCHEMA
from .tree import INTEGER, TEXT, TRUTH, Element, Scalar

RULES = "http://nineml.net/9ML/1.0/connectionrules/"
DISTRIBUTIONS = "http://www.uncertml.org/distributions/"
RULE_NAMES = ("AllToAll", "OneToOne", "Explicit", "Probabilistic", "RandomFanIn", "RandomFanOut")

_ATTRIBUTES = {
    "OnCondition": {"targetRegime": "target_regime", "target": "target_regime"},
    "OnEvent": {
        "targetRegime": "target_regime", "target": "target_regime", "src_port": "port",
        "srcPort": "port",
    },
    "ConnectionRule": {"standardLibrary": "standard_library"},
    "RandomDistribution": {"standardLibrary": "standard_library"},
    "AnalogReducePort": {"reduce_op": "operator"},
    "OutputEvent": {"port_name": "port"},
    "FromSource": {"sender": "send_port", "receiver": "receive_port"},
    "FromDestination": {"sender": "send_port", "receiver": "receive_port"},
    "FromPlasticity": {"sender": "send_port", "receiver": "receive_port"},
    "FromResponse": {"sender": "send_port", "receiver": "receive_port"},
}  # fmt: skip
# the 1.0 text itself has these, only the tables and the library differ
_BY_THE_TEXT = frozenset({"sender", "receiver"})
_TAGS = {"EventOut": "OutputEvent"}
_PORTS = {
    ("EventPort", "send"): "EventSendPort", ("EventPort", "recv"): "EventReceivePort",
    ("EventPort", "receive"): "EventReceivePort", ("AnalogPort", "send"): "AnalogSendPort",
    ("AnalogPort", "recv"): "AnalogReceivePort", ("AnalogPort", "receive"): "AnalogReceivePort",
    ("AnalogPort", "reduce"): "AnalogReducePort",
}  # fmt: skip
_NAMED = frozenset({"name", "symbol", "variable", "port", "dimension", "units", "target_regime"})


class Dialect:
    """Rewrites a tree; in strict mode every deviation is an error, else a warning (X020)."""

    def __init__(self, log: Log, strict: bool) -> None:
        self.log = log
        self.strict = strict

    def remark(self, message: str, span: Span | None, hint: str = "") -> None:
        """One deviation from the 1.0 text."""
        level = Level.ERROR if self.strict else Level.WARNING
        self.log.add("X020", level, message, span, hint=hint)

    def element(self, element: Element, parent: str = "") -> Element:
        """The element and everything in it in the spelling of 1.0."""
        if element.tag == "Annotations":
            return element
        element = self.port(element, parent)
        tag = _TAGS.get(element.tag, element.tag)
        if tag != element.tag and tag in SCHEMA.get(parent, SCHEMA["NineML"]).children:
            self.remark(f"'{element.tag}' is written '{tag}' in NineML 1.0", element.span)
            element = replace(element, tag=tag)
        element = self.attributes(element)
        if element.tag == "ConnectionRule":
            element = self.rule(element)
        if element.tag == "Regime" and "name" not in element.attributes and parent == "Dynamics":
            self.remark("a regime needs a name", element.span, "give it any name")
            name = Scalar(f"regime_line_{element.span.line}")
            element = replace(element, attributes={**element.attributes, "name": name})
        if element.tag == "Unit" and "scale" in element.attributes:
            element = self.scaled(element)
        children = tuple(self.element(child, element.tag) for child in element.children)
        return replace(element, children=children)

    def scaled(self, element: Element) -> Element:
        """A unit with a scale that is a power of ten; others stay, and are no part of NineML."""
        try:
            exponent = math.log10(float(element.get("scale")))
            power = int(element.get("power") or "0") + round(exponent)
        except (ValueError, OverflowError):
            return element
        if exponent != round(exponent):
            return element
        self.remark("the scale of a unit goes into its power in NineML 1.0", element.at("scale"))
        attributes = {name: value for name, value in element.attributes.items() if name != "scale"}
        return replace(element, attributes={**attributes, "power": Scalar(str(power), INTEGER)})

    def port(self, element: Element, parent: str) -> Element:
        """`EventPort mode="send"` and its kin."""
        tag = _PORTS.get((element.tag, element.get("mode")))
        if tag is None:
            return element
        message = f"'{element.tag}' with a mode is written '{tag}' in NineML 1.0"
        self.remark(message, element.span)
        attributes = {name: value for name, value in element.attributes.items() if name != "mode"}
        return replace(element, tag=tag, attributes=attributes)

    def attributes(self, element: Element) -> Element:
        """Attributes by their names in 1.0; truth values in disguise (`on`, `yes`) as the text they are."""
        known = _ATTRIBUTES.get(element.tag, {})
        found: dict[str, Scalar] = {}
        for name, value in element.attributes.items():
            proper = known.get(name, name)
            if proper != name and name not in _BY_THE_TEXT:
                self.remark(f"'{name}' is written '{proper}' in NineML 1.0", element.at(name))
            if proper in found:
                message = f"'{proper}' is given twice"
                self.log.add("X005", Level.ERROR, message, element.at(name))
            if proper in _NAMED and value.kind == TRUTH:
                message = f"'{value.text}' is a truth value to YAML and JSON, not a name"
                self.remark(message, element.at(name), f"put it in quotes: '{value.text}'")
                value = Scalar(value.text, TEXT, value.span)
            found[proper] = value
        return replace(element, attributes=found)

    def rule(self, element: Element) -> Element:
        """Connection rules by bare name or as an element inside."""
        inner = [child for child in element.children if child.tag in RULE_NAMES]
        if inner:
            self.remark(f"the rule '{inner[0].tag}' belongs into 'standard_library'", inner[0].span)
            rest = tuple(child for child in element.children if child not in inner)
            library = Scalar(RULES + inner[0].tag)
            attributes = {**element.attributes, "standard_library": library}
            return replace(element, attributes=attributes, children=rest)
        name = element.get("standard_library")
        if name in RULE_NAMES:
            message = f"'{name}' is written '{RULES}{name}' in NineML 1.0"
            self.remark(message, element.at("standard_library"))
            attributes = {**element.attributes, "standard_library": Scalar(RULES + name)}
            return replace(element, attributes=attributes)
        return element
