"""Turn LEMS and NeuroML elements into `syntax`: every element read, nothing resolved yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from ...canonical_model.diagnostics import Level, Log, Span, error, suggest
from ...canonical_model.expr import Expr
from ...canonical_model.units import Dimension, Unit
from ...lems_types import syntax
from ...lems_types.definitions import Definitions
from ...lems_types.expressions import parse_expression
from ..xml import Element

T = TypeVar("T")

IGNORED = frozenset({
    "notes", "annotation", "property", "About", "Meta", "Assertion", "description", "Notes",
})  # fmt: skip
MEMBER_KINDS = frozenset({
    "Parameter", "IndexParameter", "DerivedParameter", "PathParameter", "Property", "Requirement",
    "ComponentRequirement", "InstanceRequirement", "Exposure", "Child", "Children", "Link",
    "ComponentReference", "ComponentTypeReference", "Collection", "PairCollection", "Location",
    "Fixed", "Constant", "Attachments", "EventPort", "Path", "Text",
})  # fmt: skip
HANDLERS = frozenset({"OnStart", "OnEntry", "OnEvent", "OnCondition"})
ACTIONS = {"StateAssignment": "variable", "EventOut": "port", "Transition": "regime"}
NETWORK_TAGS = frozenset({"network", "networkWithTemperature"})


@dataclass(slots=True)
class Document(Definitions):
    """All definitions of a main file and its includes, in order of first occurrence."""

    target: str = ""
    target_span: Span | None = None
    networks: dict[str, Element] = field(default_factory=dict)
    simulations: dict[str, Element] = field(default_factory=dict)
    pending_units: list[Element] = field(default_factory=list)


def parse_documents(elements: Iterable[Element], log: Log) -> Document:
    """The definitions found in the root elements. User mistakes are gathered and raised together."""
    document = Document()
    for root in elements:
        if root.tag.lower() not in ("lems", "neuroml"):
            raise error(
                "L005",
                f"the root element is <{root.tag}>, which is neither LEMS nor NeuroML2",
                root.span,
                hint="a LEMS file starts with <Lems>, a NeuroML2 document with <neuroml>",
            )
        for element in root.children:
            with log.gather():
                _top_level(element, document, log)
    for element in document.pending_units:
        with log.gather():
            _unit(element, document)
    document.pending_units.clear()
    log.stop_on_error()
    return document


def _top_level(element: Element, document: Document, log: Log) -> None:
    tag = element.tag
    if tag in IGNORED or tag in ("Include", "include"):
        return
    if tag == "Target":
        document.target = need(element, "component")
        document.target_span = element.span
    elif tag == "Dimension":
        _dimension(element, document)
    elif tag == "Unit":
        document.pending_units.append(element)
    elif tag == "Constant":
        name = element.attributes.get("symbol") or need(element, "name")
        dimension = element.attributes.get("dimension", "none")
        document.constants[name] = (need(element, "value"), dimension, element.span)
    elif tag == "ComponentType":
        component_type = parse_type(element, log)
        _define(document.types, component_type.name, component_type, element, "component type")
    elif tag in NETWORK_TAGS or element.attributes.get("type") in NETWORK_TAGS:
        _define(document.networks, need(element, "id"), element, element, "component")
    elif tag == "Simulation" or element.attributes.get("type") == "Simulation":
        _define(document.simulations, need(element, "id"), element, element, "component")
    else:
        component = parse_component(element)
        if not component.id:
            message = f"the top-level component <{tag}> has no id"
            raise error("L110", message, element.span, hint='give it id="..."')
        _define(document.components, component.id, component, element, "component")


def _define(table: dict[str, T], name: str, value: T, element: Element, what: str) -> None:
    known = table.get(name)
    if known is not None:
        first = getattr(known, "span", None)
        raise error(
            "L111", f"the {what} '{name}' is defined twice", element.span, hint=f"first at {first}"
        )
    table[name] = value


def need(element: Element, name: str) -> str:
    """A required attribute. Raises ModelError (L112)."""
    value = element.attributes.get(name)
    if value is None:
        hint = suggest(name, element.attributes)
        raise error("L112", f"<{element.tag}> lacks the attribute '{name}'", element.span, "", hint)
    return value


def _dimension(element: Element, document: Document) -> None:
    exponents = []
    for base in "mltiknj":
        text = element.attributes.get(base, "0")
        try:
            exponents.append(float(int(text)))
        except ValueError:
            message = f"the exponent {base}='{text}' is not an integer"
            raise error("L113", message, element.attribute_span(base)) from None
    document.dimensions[need(element, "name")] = Dimension(*exponents)


def _unit(element: Element, document: Document) -> None:
    from ...lems_types.library_reader import standard_dimensions

    symbol, name = need(element, "symbol"), need(element, "dimension")
    dimension = document.dimensions.get(name) or standard_dimensions().get(name)
    if dimension is None:
        known = [*document.dimensions, *standard_dimensions()]
        message = f"the unit '{symbol}' has the unknown dimension '{name}'"
        span = element.attribute_span("dimension")
        raise error("L114", message, span, hint=suggest(name, known))
    power = _number(element, "power", "0")
    scale = _number(element, "scale", "1") * float(f"1e{int(power)}")
    document.units[symbol] = Unit(symbol, dimension, scale, _number(element, "offset", "0") * scale)


def _number(element: Element, name: str, default: str) -> float:
    text = element.attributes.get(name, default)
    try:
        return float(text)
    except ValueError:
        message = f"'{text}' is not a number"
        raise error("L113", message, element.attribute_span(name)) from None


def parse_component(element: Element) -> syntax.Component:
    """A component and what is nested in it, with NeuroML's notes and the properties of annotations."""
    attributes = {
        name: syntax.Text(text, element.span)
        for name, text in element.attributes.items()
        if name not in ("id", "type", "extends")
    }
    children = tuple(
        parse_component(child) for child in element.children if child.tag not in IGNORED
    )
    return syntax.Component(
        tag=element.tag,
        id=element.attributes.get("id", ""),
        type=element.attributes.get("type", ""),
        extends=element.attributes.get("extends", ""),
        attributes=attributes,
        children=children,
        notes="\n".join(child.text.strip() for child in element.all("notes")),
        properties={
            item.attributes["tag"]: item.attributes.get("value", "")
            for holder in (element, *element.all("annotation"))
            for item in holder.all("property")
            if "tag" in item.attributes
        },
        span=element.span,
    )


def parse_type(element: Element, log: Log) -> syntax.ComponentType:
    """A ComponentType with its dynamics, structure and simulation blocks."""
    members: list[syntax.Member] = []
    blocks: dict[str, Element] = {}
    name = need(element, "name")
    for child in element.children:
        if child.tag in MEMBER_KINDS:
            members.append(_member(child))
        elif child.tag in ("Dynamics", "Structure", "Simulation"):
            blocks[child.tag] = child
        elif child.tag not in IGNORED and child.tag not in ("Geometry", "Procedure", "Equilibrium"):
            hint = suggest(child.tag, [*MEMBER_KINDS, "Dynamics", "Structure", "Simulation"])
            message = f"<{child.tag}> is not part of a ComponentType ('{name}')"
            raise error("L115", message, child.span, hint=hint)
        elif child.tag in ("Geometry", "Procedure", "Equilibrium"):
            message = f"<{child.tag}> of '{name}' has no meaning for a simulation and is left out"
            log.add("L116", Level.NOTE, message, child.span)
    structure = blocks.get("Structure")
    simulation = blocks.get("Simulation")
    return syntax.ComponentType(
        name=name,
        extends=element.attributes.get("extends", ""),
        description=element.attributes.get("description", ""),
        members=tuple(members),
        dynamics=parse_dynamics(blocks["Dynamics"], log) if "Dynamics" in blocks else None,
        structure=tuple(parse_build(child) for child in structure.children) if structure else (),
        simulation=tuple(parse_build(c) for c in simulation.children) if simulation else (),
        span=element.span,
    )


def _member(element: Element) -> syntax.Member:
    attributes = element.attributes
    kind = element.tag
    name = attributes.get("symbol" if kind == "Constant" and "symbol" in attributes else "name")
    if name is None:
        name = need(element, "parameter" if kind == "Fixed" else "name")
    return syntax.Member(
        kind=kind,
        name=name,
        dimension=attributes.get("dimension", "none"),
        type=attributes.get("type", ""),
        value=attributes.get("defaultValue" if kind == "Property" else "value", ""),
        select=attributes.get("select", ""),
        direction=attributes.get("direction", ""),
        local=attributes.get("local") == "true",
        description=attributes.get("description", ""),
        span=element.span,
    )


def parse_build(element: Element) -> syntax.Build:
    """One element of a Structure or Simulation block, with everything nested in it."""
    return syntax.Build(
        tag=element.tag,
        attributes=dict(element.attributes),
        children=tuple(parse_build(child) for child in element.children),
        span=element.span,
    )


def expression(element: Element, name: str) -> Expr:
    """The expression in attribute `name`, spans pointing into the attribute's text."""
    return parse_expression(need(element, name), element.attribute_span(name))


def parse_dynamics(element: Element, log: Log) -> syntax.Dynamics:
    """A Dynamics block."""
    states, derived, derivatives, handlers = _behaviour(element, log)
    regimes, schemes = [], []
    extends_super = False
    for child in element.children:
        if child.tag == "Regime":
            regimes.append(_regime(child, log))
        elif child.tag == "KineticScheme":
            schemes.append(_scheme(child))
        elif child.tag == "Super":
            extends_super = True
    return syntax.Dynamics(
        state_variables=states,
        derived_variables=derived,
        derivatives=derivatives,
        derivative_spans=tuple(child.span for child in element.all("TimeDerivative")),
        handlers=handlers,
        regimes=tuple(regimes),
        schemes=tuple(schemes),
        extends_super=extends_super,
        span=element.span,
    )


_Behaviour = tuple[
    tuple[syntax.StateVariable, ...],
    tuple[syntax.DerivedVariable, ...],
    tuple[tuple[str, Expr], ...],
    tuple[syntax.Handler, ...],
]


def _behaviour(element: Element, log: Log) -> _Behaviour:
    """What Dynamics and Regime have in common."""
    states: list[syntax.StateVariable] = []
    derived: list[syntax.DerivedVariable] = []
    derivatives: list[tuple[str, Expr]] = []
    handlers: list[syntax.Handler] = []
    for child in element.children:
        tag = child.tag
        if tag == "StateVariable":
            attributes = child.attributes
            states.append(
                syntax.StateVariable(
                    name=need(child, "name"),
                    dimension=attributes.get("dimension", "none"),
                    exposure=attributes.get("exposure", ""),
                    description=attributes.get("description", ""),
                    span=child.span,
                )
            )
        elif tag in ("DerivedVariable", "ConditionalDerivedVariable"):
            derived.append(_derived(child))
        elif tag == "TimeDerivative":
            derivatives.append((need(child, "variable"), expression(child, "value")))
        elif tag in HANDLERS:
            handlers.append(_handler(child))
        elif tag not in ("Regime", "KineticScheme", "Super") and tag not in IGNORED:
            _unknown_in_dynamics(child, log)
    return tuple(states), tuple(derived), tuple(derivatives), tuple(handlers)


def _unknown_in_dynamics(element: Element, log: Log) -> None:
    known = [
        "StateVariable", "DerivedVariable", "ConditionalDerivedVariable", "TimeDerivative",
        "Regime", "KineticScheme", *HANDLERS,
    ]  # fmt: skip
    if element.tag in ("StateScalarField", "DerivedScalarField", "DerivedPunctateField"):
        message = f"<{element.tag}> belongs to spatial models and is left out"
        log.add("L116", Level.DROPPED, message, element.span)
        return
    hint = suggest(element.tag, known)
    raise error("L115", f"<{element.tag}> is not part of Dynamics", element.span, hint=hint)


def _derived(element: Element) -> syntax.DerivedVariable:
    attributes = element.attributes
    cases = tuple(
        (expression(case, "condition") if "condition" in case.attributes else None,
         expression(case, "value"))
        for case in element.children
        if case.tag == "Case"
    )  # fmt: skip
    select = attributes.get("select", "")
    if not cases and not select and "value" not in attributes:
        message = (
            f"<{element.tag}> '{attributes.get('name')}' has neither value nor select nor Case"
        )
        raise error("L112", message, element.span)
    return syntax.DerivedVariable(
        name=need(element, "name"),
        dimension=attributes.get("dimension", ""),
        exposure=attributes.get("exposure", ""),
        value=expression(element, "value") if "value" in attributes else None,
        select=select,
        reduce=attributes.get("reduce", ""),
        required=attributes.get("required", "true") != "false",
        cases=cases,
        description=attributes.get("description", ""),
        span=element.span,
    )


def _handler(element: Element) -> syntax.Handler:
    actions = []
    for child in element.children:
        key = ACTIONS.get(child.tag)
        if key is None:
            if child.tag in IGNORED:
                continue
            hint = suggest(child.tag, ACTIONS)
            message = f"<{child.tag}> is not an action of <{element.tag}>"
            raise error("L115", message, child.span, hint=hint)
        value = expression(child, "value") if child.tag == "StateAssignment" else None
        actions.append(
            syntax.Action(kind=child.tag, target=need(child, key), value=value, span=child.span)
        )
    return syntax.Handler(
        kind=element.tag,
        actions=tuple(actions),
        port=need(element, "port") if element.tag == "OnEvent" else "",
        test=expression(element, "test") if element.tag == "OnCondition" else None,
        span=element.span,
    )


def _regime(element: Element, log: Log) -> syntax.Regime:
    states, derived, derivatives, handlers = _behaviour(element, log)
    return syntax.Regime(
        name=need(element, "name"),
        initial=element.attributes.get("initial", "").lower() == "true",
        state_variables=states,
        derived_variables=derived,
        derivatives=derivatives,
        derivative_spans=tuple(child.span for child in element.all("TimeDerivative")),
        handlers=handlers,
        span=element.span,
    )


def _scheme(element: Element) -> syntax.KineticScheme:
    values: Mapping[str, str] = {
        key: need(element, name)
        for key, name in (
            ("nodes", "nodes"), ("edges", "edges"), ("state_variable", "stateVariable"),
            ("edge_source", "edgeSource"), ("edge_target", "edgeTarget"),
            ("forward_rate", "forwardRate"), ("reverse_rate", "reverseRate"),
        )
    }  # fmt: skip
    name = element.attributes.get("name", "ks")
    return syntax.KineticScheme(name=name, span=element.span, **values)
