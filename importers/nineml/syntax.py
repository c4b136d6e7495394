"""What a NineML document says, and no more: one class for each kind of thing in it.

The 1.0 and 2.0 layouts become the same objects. References are names; `url` "" means this document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ...canonical_model.diagnostics import Span
from ...canonical_model.expr import Expr
from ...canonical_model.units import Dimension, Unit


@dataclass(frozen=True, slots=True)
class Declared:
    """A name with the name of its dimension: parameter, state variable, analog port."""

    name: str
    dimension: str
    span: Span
    kind: str = ""  # for ports: send, receive, reduce


@dataclass(frozen=True, slots=True)
class EventPort:
    """A port of events; `kind` is send or receive."""

    name: str
    kind: str
    span: Span


@dataclass(frozen=True, slots=True)
class Assignment:
    """A variable with an expression: alias, time derivative or state assignment."""

    name: str
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Constant:
    """A named number with the symbol of its unit."""

    name: str
    value: float
    units: str
    span: Span
    units_span: Span


@dataclass(frozen=True, slots=True)
class Transition:
    """On a condition (`trigger`) or an event (`port`): assignments at once, events, a new regime.

    `target` "" means that the regime stays.
    """

    trigger: Expr | None
    port: str
    target: str
    assignments: tuple[Assignment, ...]
    outputs: tuple[tuple[str, Span], ...]
    span: Span
    target_span: Span


@dataclass(frozen=True, slots=True)
class Regime:
    """One regime with the derivatives that hold in it."""

    name: str
    derivatives: tuple[Assignment, ...]
    aliases: tuple[Assignment, ...]
    on_conditions: tuple[Transition, ...]
    on_events: tuple[Transition, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Dynamics:
    """A component class of the kind dynamics."""

    name: str
    parameters: tuple[Declared, ...]
    analog_ports: tuple[Declared, ...]
    event_ports: tuple[EventPort, ...]
    states: tuple[Declared, ...]
    regimes: tuple[Regime, ...]
    aliases: tuple[Assignment, ...]
    constants: tuple[Constant, ...]
    annotations: str
    notes: Mapping[str, str]
    span: Span


@dataclass(frozen=True, slots=True)
class Library:
    """A connection rule or random distribution of the standard library; `url` names it."""

    name: str
    kind: str  # rule, distribution
    url: str
    parameters: tuple[Declared, ...]
    span: Span
    url_span: Span


@dataclass(frozen=True, slots=True)
class Link:
    """A connection of ports; the ends are sub-components or roles of a projection."""

    sender: str
    send_port: str
    receiver: str
    receive_port: str
    span: Span


@dataclass(frozen=True, slots=True)
class Exposed:
    """A port of a sub-component that is a port of the whole under `name`; `kind` as in the tag."""

    kind: str
    name: str
    sub: str
    port: str
    span: Span


@dataclass(frozen=True, slots=True)
class Multi:
    """Several dynamics joined; `subs` maps each name to a reference or an inline definition.

    `class_name` is that of the whole without values.
    """

    name: str
    subs: tuple[tuple[str, Reference], ...]
    links: tuple[Link, ...]
    exposures: tuple[Exposed, ...]
    annotations: str
    span: Span
    class_name: str
    is_properties: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reference:
    """A name, where it is to be found, or the thing itself."""

    name: str
    span: Span
    url: str = ""
    inline: Thing | None = None
    document: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A property's or initial value: one number, one for each index, or a distribution."""

    name: str
    units: str
    span: Span
    units_span: Span
    single: float | None = None
    array: tuple[float, ...] | None = None
    random: Reference | None = None


@dataclass(frozen=True, slots=True)
class Properties:
    """A component: a class (`definition`), or another component (`prototype`), with values."""

    name: str
    definition: Reference | None
    prototype: Reference | None
    properties: tuple[Value, ...]
    initials: tuple[Value, ...]
    annotations: str
    span: Span
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Population:
    """`size` cells of a component; component arrays are the same."""

    name: str
    size: int
    cell: Reference
    span: Span
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Selection:
    """Populations or selections one after another."""

    name: str
    items: tuple[Reference, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Projection:
    """Connections; ends of links are `pre`, `post`, `response`, `plasticity`."""

    name: str
    source: Reference
    destination: Reference
    connectivity: Reference
    response: Reference
    plasticity: Reference | None
    delay: Value | None
    links: tuple[Link, ...]
    span: Span
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """A connection group of the library: one port to one port."""

    name: str
    source: Reference
    source_port: str
    destination: Reference
    destination_port: str
    connectivity: Reference
    delay: Value | None
    span: Span


@dataclass(frozen=True, slots=True)
class Network:
    """What belongs to a network, by name or inline."""

    name: str
    members: tuple[Reference, ...]
    span: Span


Thing: TypeAlias = (
    Dynamics | Library | Multi | Properties | Population | Selection | Projection | Group | Network
)


@dataclass(frozen=True, slots=True)
class Document:
    """Everything of one file by name, units by symbol. `version` is 1 or 2."""

    file: str
    version: int
    things: Mapping[str, Thing] = field(default_factory=dict)
    dimensions: Mapping[str, Dimension] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)
    annotations: str = ""
