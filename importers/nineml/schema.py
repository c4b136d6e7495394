"""Which attributes, children and text each element of NineML may have, 1.0 and 2.0 draft in one table.

Source: the NineML 1.0 specification, and for Network, MultiDynamics, arrays and connection groups and the
2.0 draft the behaviour of the reference library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spec:
    """One element: required and optional attributes, single and repeatable children, own text.

    `flat` elements are written `key: value` in YAML and JSON since they have text only.
    """

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    one: frozenset[str] = frozenset()
    many: frozenset[str] = frozenset()
    has_body: bool = False

    @property
    def attributes(self) -> frozenset[str]:
        """All attributes."""
        return self.required | self.optional

    @property
    def children(self) -> frozenset[str]:
        """All children."""
        return self.one | self.many


def _spec(
    required: str = "", optional: str = "", one: str = "", many: str = "", body: bool = False
) -> Spec:
    return Spec(
        required=frozenset(required.split()),
        optional=frozenset(optional.split()),
        one=frozenset(one.split()),
        many=frozenset(many.split()),
        has_body=body,
    )


# elements of drafts, which `dialect.py` rewrites
DIALECT_TAGS = frozenset({"EventOut", "EventPort", "AnalogPort"})
FLAT = frozenset({"MathInline", "SingleValue", "Size"})
PORTS = "AnalogSendPort AnalogReceivePort AnalogReducePort EventSendPort EventReceivePort"
EXPOSURES = " ".join(f"{port}Exposure" for port in PORTS.split())
CONNECTIONS = "AnalogPortConnection EventPortConnection"
FROMS = "FromSource FromDestination FromPlasticity FromResponse"
VALUES = "SingleValue ArrayValue RandomDistributionValue ExternalArrayValue"
CLASSES = "ComponentClass Dynamics MultiDynamics ConnectionRule RandomDistribution"
PROPERTIES = (
    "Component DynamicsProperties ConnectionRuleProperties RandomDistributionProperties "
    "MultiDynamicsProperties"
)
GROUPS = "ComponentArray EventConnectionGroup AnalogConnectionGroup"
DOCUMENT = f"{CLASSES} {PROPERTIES} Population Projection Selection Network Dimension Unit {GROUPS}"

_PROPERTIES = _spec("name", "", "Definition Prototype Annotations", "Property Initial")
_LIBRARY = _spec("standard_library", "name", "Annotations", "Parameter")
_REFERENCE = _spec("", "name url", "Annotations", "", True)
_VALUE = _spec("name", "units", f"{VALUES} Quantity Annotations")
_ROLE = _spec("", "port", f"Reference {PROPERTIES} Annotations", FROMS)
_FROM = _spec("", "send_port receive_port sender receiver")
_EXPOSURE = _spec("sub_component port", "name", "Annotations")
_LINK = _spec(
    "send_port receive_port", "sender_name receiver_name sender_role receiver_role", "Annotations"
)
_GROUP = _spec("name", "", "Source Destination Connectivity Delay Annotations")
_ASSIGN = _spec("variable", "", "MathInline Annotations")
_TRANSITION = "StateAssignment OutputEvent"
_DIMENSIONED = _spec("name dimension", "", "Annotations")

SCHEMA: Mapping[str, Spec] = {
    "NineML": _spec("", "", "Annotations", DOCUMENT),
    "ComponentClass": _spec(
        "name", "", "Dynamics ConnectionRule RandomDistribution Annotations", f"Parameter {PORTS}"
    ),
    "Dynamics": _spec(
        "", "name", "Annotations", f"StateVariable Regime Alias Constant Parameter {PORTS}"
    ),
    "Parameter": _DIMENSIONED,
    "AnalogSendPort": _DIMENSIONED,
    "AnalogReceivePort": _DIMENSIONED,
    "AnalogReducePort": _spec("name dimension operator", "", "Annotations"),
    "EventSendPort": _spec("name", "", "Annotations"),
    "EventReceivePort": _spec("name", "", "Annotations"),
    "StateVariable": _DIMENSIONED,
    "Regime": _spec("name", "", "Annotations", "TimeDerivative OnCondition OnEvent Alias"),
    "TimeDerivative": _ASSIGN,
    "StateAssignment": _ASSIGN,
    "Alias": _spec("name", "", "MathInline Annotations"),
    "OnCondition": _spec("", "target_regime", "Trigger Annotations", _TRANSITION),
    "OnEvent": _spec("port", "target_regime", "Annotations", _TRANSITION),
    "Trigger": _spec("", "", "MathInline Annotations"),
    "OutputEvent": _spec("port", "", "Annotations"),
    "Constant": _spec("name units", "value", "Annotations", "", True),
    "MathInline": _spec(body=True),
    "ConnectionRule": _LIBRARY,
    "RandomDistribution": _LIBRARY,
    "Component": _PROPERTIES,
    "DynamicsProperties": _PROPERTIES,
    "ConnectionRuleProperties": _PROPERTIES,
    "RandomDistributionProperties": _PROPERTIES,
    "Definition": _REFERENCE,
    "Prototype": _REFERENCE,
    "Reference": _REFERENCE,
    "Property": _VALUE,
    "Initial": _VALUE,
    "Quantity": _spec("units", "", VALUES),
    "SingleValue": _spec(body=True),
    "ArrayValue": _spec("", "", "", "ArrayValueRow"),
    "ArrayValueRow": _spec("index", "value", "", "", True),
    "ExternalArrayValue": _spec("", "url mimeType columnName"),
    "RandomDistributionValue": _spec("", "", f"Reference {PROPERTIES}"),
    "Population": _spec("name", "", "Size Cell Annotations"),
    "Size": _spec(body=True),
    "Cell": _spec("", "", f"Reference {PROPERTIES} Annotations"),
    "Projection": _spec(
        "name", "",
        "Source Destination Pre Post Connectivity Response Plasticity Delay Annotations",
        CONNECTIONS,
    ),
    "Source": _ROLE,
    "Destination": _ROLE,
    "Response": _ROLE,
    "Plasticity": _ROLE,
    "Pre": _ROLE,
    "Post": _ROLE,
    "FromSource": _FROM,
    "FromDestination": _FROM,
    "FromPlasticity": _FROM,
    "FromResponse": _FROM,
    "Connectivity": _spec("", "", f"Reference {PROPERTIES} Annotations"),
    "Delay": _spec("", "units", f"{VALUES} Quantity Annotations"),
    "Selection": _spec("name", "", "Concatenate Annotations"),
    "Concatenate": _spec("", "", "", "Item"),
    "Item": _spec("index", "", f"Reference {PROPERTIES}"),
    "Dimension": _spec("name", "m l t i n k j", "Annotations"),
    "Unit": _spec("symbol dimension", "power offset", "Annotations"),
    "Network": _spec(
        "name", "", "Annotations", f"Reference Population Projection Selection {GROUPS}"
    ),
    "ComponentArray": _spec("name", "", f"Size Reference {PROPERTIES} Annotations"),
    "EventConnectionGroup": _GROUP,
    "AnalogConnectionGroup": _GROUP,
    "MultiDynamics": _spec("name", "", "Annotations", f"SubDynamics {CONNECTIONS} {EXPOSURES}"),
    "SubDynamics": _spec("name", "", f"Reference {CLASSES} Annotations"),
    "MultiDynamicsProperties": _spec(
        "name", "", "Definition Annotations",
        f"SubDynamicsProperties {CONNECTIONS} {EXPOSURES} Property Initial",
    ),
    "SubDynamicsProperties": _spec("name", "", f"Reference {PROPERTIES} Annotations"),
    "AnalogPortConnection": _LINK,
    "EventPortConnection": _LINK,
    **{name: _EXPOSURE for name in EXPOSURES.split()},
}  # fmt: skip

# exactly one of each group must be there
NEEDED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "ComponentClass": (("Dynamics", "ConnectionRule", "RandomDistribution"),),
    "TimeDerivative": (("MathInline",),),
    "StateAssignment": (("MathInline",),),
    "Alias": (("MathInline",),),
    "Trigger": (("MathInline",),),
    "OnCondition": (("Trigger",),),
    "Component": (("Definition", "Prototype"),),
    "DynamicsProperties": (("Definition", "Prototype"),),
    "ConnectionRuleProperties": (("Definition", "Prototype"),),
    "RandomDistributionProperties": (("Definition", "Prototype"),),
    "Property": ((*VALUES.split(), "Quantity"),),
    "Initial": ((*VALUES.split(), "Quantity"),),
    "Quantity": (tuple(VALUES.split()),),
    "Delay": ((*VALUES.split(), "Quantity"),),
    "RandomDistributionValue": (("Reference", *PROPERTIES.split()),),
    "Population": (("Size",), ("Cell",)),
    "Cell": (("Reference", *PROPERTIES.split()),),
    "Projection": (("Source", "Pre"), ("Destination", "Post"), ("Connectivity",), ("Response",)),
    "Response": (("Reference", *PROPERTIES.split()),),
    "Plasticity": (("Reference", *PROPERTIES.split()),),
    "Source": (("Reference",),),
    "Destination": (("Reference",),),
    "Pre": (("Reference",),),
    "Post": (("Reference",),),
    "Connectivity": (("Reference", *PROPERTIES.split()),),
    "Selection": (("Concatenate",),),
    "Item": (("Reference",),),
    "SubDynamics": (("Reference", *CLASSES.split()),),
    "SubDynamicsProperties": (("Reference", *PROPERTIES.split()),),
}
