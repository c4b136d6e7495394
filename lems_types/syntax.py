"""The LEMS language as written: component types, components, structure and simulation.

A faithful layer below `lower`: inheritance is not resolved here, expressions are parsed but have no
meaning yet. Field names follow the LEMS element and attribute names (neuroml.org/lems).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..canonical_model.diagnostics import Span
from ..canonical_model.expr import Expr


@dataclass(frozen=True, slots=True)
class Text:
    """An attribute's text that is an expression, quantity or path, and where it stands."""

    text: str
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What a component type declares by name: Parameter, Requirement, Exposure, Property, Child, ...

    `kind` is the LEMS element name. `dimension` is a dimension's name; `type` a component type's.
    `value` is the expression of a DerivedParameter, the quantity of a Constant or Fixed, the
    default of a Property; `select` the path of a selecting DerivedParameter; `direction` of an EventPort;
    `local` of a ComponentReference to a sibling by id.
    """

    kind: str
    name: str
    dimension: str = "none"
    type: str = ""
    value: str = ""
    select: str = ""
    direction: str = ""
    local: bool = False
    description: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateVariable:
    """A state variable and the exposure that publishes it ("" none)."""

    name: str
    dimension: str = "none"
    exposure: str = ""
    description: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedVariable:
    """Exactly one of `value`, `select`, `cases` is given; a case without condition has None."""

    name: str
    dimension: str = "none"
    exposure: str = ""
    value: Expr | None = None
    select: str = ""
    reduce: str = ""
    required: bool = True
    cases: tuple[tuple[Expr | None, Expr], ...] = ()
    description: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """StateAssignment (`target`, `value`), EventOut (`target` is the port), Transition (the regime)."""

    kind: str
    target: str
    value: Expr | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """OnStart, OnEntry, OnEvent (`port`) or OnCondition (`test`) with its actions in order."""

    kind: str
    actions: tuple[Action, ...]
    port: str = ""
    test: Expr | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KineticScheme:
    """Transitions (`edges`) between states (`nodes`), both Children lists of the component."""

    name: str
    nodes: str
    edges: str
    state_variable: str
    edge_source: str
    edge_target: str
    forward_rate: str
    reverse_rate: str
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """A named mode of the dynamics."""

    name: str
    initial: bool = False
    state_variables: tuple[StateVariable, ...] = ()
    derived_variables: tuple[DerivedVariable, ...] = ()
    derivatives: tuple[tuple[str, Expr], ...] = ()
    derivative_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    handlers: tuple[Handler, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamics:
    """Behaviour of a component type. `derivatives` are (variable, rate) pairs."""

    state_variables: tuple[StateVariable, ...] = ()
    derived_variables: tuple[DerivedVariable, ...] = ()
    derivatives: tuple[tuple[str, Expr], ...] = ()
    derivative_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    handlers: tuple[Handler, ...] = ()
    regimes: tuple[Regime, ...] = ()
    schemes: tuple[KineticScheme, ...] = ()
    extends_super: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One element of a Structure or Simulation block: its tag, attributes and nested elements."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: tuple[Build, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentType:
    """A LEMS ComponentType, or a NeuroML2 standard type from `library/`."""

    name: str
    extends: str = ""
    description: str = ""
    members: tuple[Member, ...] = ()
    dynamics: Dynamics | None = None
    structure: tuple[Build, ...] = ()
    simulation: tuple[Build, ...] = ()
    is_standard: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A component as written: tag (or type), attributes, nested components in order.

    `tag` is the element name; `type` what the `type` attribute says ("" none); `notes` what its author
    says of it, `properties` the tags and values of its annotations.
    """

    tag: str
    id: str = ""
    type: str = ""
    extends: str = ""
    attributes: Mapping[str, Text] = field(default_factory=dict)
    children: tuple[Component, ...] = ()
    notes: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False, repr=False)
