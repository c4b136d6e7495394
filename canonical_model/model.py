"""The canonical component: a hybrid dynamical system as frozen, typed, plain data.

A *composite* component has children, selects and requirements as its author wrote them; `flatten`
turns it into a *flat* one: parameters, states, ODEs, conditions and events only, every name resolved.
All names inside expressions are names of the same component (or `t`). No behaviour lives here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from .diagnostics import Span
from .expr import Expr
from .network import Network
from .pairing import Pairing
from .units import NONE, Dimension, Quantity

NO_EXTRAS: Mapping[str, str] = {}

# kinds of values; everything but text and truth is float64, integers are rounded toward zero when assigned
REAL, INTEGER, BOOLEAN, TEXT = "real", "integer", "boolean", "string"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A value fixed during a run that an instance may override; `value` None means it must be given."""

    name: str
    dimension: Dimension = NONE
    value: Quantity | None = None
    kind: str = REAL
    description: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A value that belongs to the type and is never overridden."""

    name: str
    dimension: Dimension = NONE
    value: Quantity
    kind: str = REAL
    description: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedParameter:
    """Computed once from parameters, constants and other derived parameters."""

    name: str
    dimension: Dimension = NONE
    value: Expr
    kind: str = REAL
    description: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateVariable:
    """A quantity with memory; `initial` is evaluated at start (None: zero)."""

    name: str
    dimension: Dimension = NONE
    initial: Expr | None = None
    kind: str = REAL
    description: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedVariable:
    """An algebraic function of the present state, time, inputs and other derived variables."""

    name: str
    dimension: Dimension = NONE
    value: Expr
    description: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ode:
    """d(variable)/dt = rhs. A state without an ODE is piecewise constant."""

    variable: str
    rhs: Expr
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """target := value, now."""

    target: str
    value: Expr
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Emit:
    """Send an event out of `port`, now. Within a composite the port may be a child's (`spikes[3]/out`).

    `weight` is what the event carries (synapses in languages that send it explicitly).
    """

    port: str
    weight: Expr | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """Enter `regime`; its `on_entry` runs at once. `machine` names the regime group (flat components
    made of several regime machines have more than one)."""

    regime: str
    machine: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class If:
    """The statements of the first branch whose condition holds, else `otherwise`."""

    branches: tuple[tuple[Expr, tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declare:
    """A local quantity of the enclosing body, from here to its end."""

    name: str
    dimension: Dimension = NONE
    kind: str = REAL
    value: Expr
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrate:
    """Advance the ODEs of `variables` (none named: all) by one step; the others are held meanwhile."""

    variables: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class While:
    """Statements as long as `test` holds."""

    test: Expr
    body: tuple[Statement, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class For:
    """Statements for `variable` from `start` up (or down) to but not including `stop`."""

    variable: str
    start: Expr
    stop: Expr
    step: Expr
    body: tuple[Statement, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Tell the user something during a run; `{name}` in `text` stands for a quantity."""

    text: str
    level: str = "info"
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """The value of the enclosing function."""

    value: Expr
    span: Span | None = field(default=None, compare=False, repr=False)


Statement: TypeAlias = (
    Assign | Emit | Transition | If | Declare | Integrate | While | For | Report | Return
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCondition:
    """Statements that run when `test` becomes true (continuous) or is true at a step's end (grid).

    `rising`: a test that holds already when its regime is entered, or at the start, has to be false before
    it can count, and then counts once, on a grid as well (`passes/arming.py`).
    """

    test: Expr
    body: tuple[Statement, ...]
    rising: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnEvent:
    """Statements that run when an event arrives at `port`; they may read the port's payload names.

    Of handlers that are due together the one of higher `priority` runs first, else the one written first.
    """

    port: str
    body: tuple[Statement, ...]
    priority: int = 0
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """One mode of a regime machine; its ODEs, conditions and event handlers hold while it is active."""

    name: str
    initial: bool = False
    odes: tuple[Ode, ...] = ()
    derived_variables: tuple[DerivedVariable, ...] = ()
    on_entry: tuple[Statement, ...] = ()
    on_conditions: tuple[OnCondition, ...] = ()
    on_events: tuple[OnEvent, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeMachine:
    """A group of regimes of which exactly one is active. A component has none, one, or after
    flattening several (each named by the path of the child that it came from)."""

    name: str = ""
    regimes: tuple[Regime, ...] = ()

    @property
    def initial(self) -> str:
        """The regime that is active at start: the one marked initial, else the first."""
        marked = [regime.name for regime in self.regimes if regime.initial]
        return marked[0] if marked else self.regimes[0].name


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPort:
    """A port of discrete events. `payload` names what an arriving event carries (`weight`).

    `sign`: events of positive weight only (`excitatory`), of negative weight, made positive
    (`inhibitory`), or all (""). `role`: what a synapse's port hears (`pre`, `post`, `modulator`).
    """

    name: str
    payload: tuple[str, ...] = ()
    sign: str = ""
    role: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalogInput:
    """A quantity that comes from outside.

    `reduce` is `add` where several sources are summed (none: `default`), or "" for a single source:
    the host's quantity of that name (LEMS Requirement), or the peer's.
    """

    name: str
    dimension: Dimension = NONE
    reduce: str = ""
    default: float = 0.0
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """A variable that others may read or record under `name`."""

    name: str
    variable: str
    dimension: Dimension = NONE
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedEvents:
    """At each of `times` (seconds, ascending) the statements run: a list of spike times."""

    times: tuple[float, ...]
    body: tuple[Statement, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A convolution kernel: a function of `t` since the event, or linear ODEs with initial values.

    Used as `convolve(kernel, port)`: the sum over all events of weight times kernel. `value` is given,
    or `odes` (states of the kernel, the kernel's own name first, each of which can be convolved) with
    `initial`.
    """

    name: str
    dimension: Dimension = NONE
    value: Expr | None = None
    odes: tuple[Ode, ...] = ()
    initial: tuple[StateVariable, ...] = ()
    description: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """What a function takes."""

    name: str
    dimension: Dimension = NONE
    kind: str = REAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function that expressions of the component may call; it sees its arguments and statics only."""

    name: str
    arguments: tuple[Argument, ...] = ()
    dimension: Dimension = NONE
    kind: str = REAL
    body: tuple[Statement, ...] = ()
    description: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What must hold of the parameters that a user gives."""

    test: Expr
    message: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A named list to which other components (synapses, inputs) are attached at run time."""

    name: str
    type: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A component inside a component, in the single slot or the list `name`; `id` is its own name.

    `texts` holds its text attributes, on which selects may filter (`channels[ion='ca']/i`).
    """

    name: str
    id: str
    component: Component
    is_list: bool = False
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRoute:
    """Inside a composite: events from `source` path's port go to `target` path's port at once.

    Paths are relative (`""` is the component itself, `plasticityMechanism` a child).
    """

    source: str
    source_port: str
    target: str
    target_port: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A neuron, synapse, channel, input or any other hybrid system. See the module's text.

    `update` is the program of one time step, for languages that write one; None stands for a lone
    `Integrate()`. A component with a program has a meaning on a grid only (`passes/raising.py` recovers
    regimes). `arrived(port)` in it is the sum of weights that arrived in the step. `traces` are states that
    advance in every step after the event handlers, whatever the program integrates. Order of evaluation
    never depends on order of declaration, except statements within a body and `on_conditions`, which
    are tested in the order written.
    """

    name: str
    type: str = ""
    bases: tuple[str, ...] = ()
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    constants: tuple[Constant, ...] = ()
    derived_parameters: tuple[DerivedParameter, ...] = ()
    state_variables: tuple[StateVariable, ...] = ()
    derived_variables: tuple[DerivedVariable, ...] = ()
    odes: tuple[Ode, ...] = ()
    on_conditions: tuple[OnCondition, ...] = ()
    on_events: tuple[OnEvent, ...] = ()
    timed_events: tuple[TimedEvents, ...] = ()
    machines: tuple[RegimeMachine, ...] = ()
    update: tuple[Statement, ...] | None = None
    kernels: tuple[Kernel, ...] = ()
    functions: tuple[Function, ...] = ()
    traces: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    event_inputs: tuple[EventPort, ...] = ()
    event_outputs: tuple[EventPort, ...] = ()
    analog_inputs: tuple[AnalogInput, ...] = ()
    exposures: tuple[Exposure, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    children: tuple[Child, ...] = ()
    event_routes: tuple[EventRoute, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    extras: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False, repr=False)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from .display import component_html

        return component_html(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a model came from: source path as given, language, version, SHA-256 of the main file."""

    source: str = ""
    language: str = ""
    version: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What an importer returns: components by name, a network over them, where it came from.

    `pairings` say which neurons are made together with which synapses.
    """

    name: str
    components: tuple[Component, ...] = ()
    network: Network | None = None
    provenance: Provenance = Provenance()
    pairings: tuple[Pairing, ...] = ()

    def component(self, name: str) -> Component:
        """The component called `name`; KeyError if there is none."""
        for component in self.components:
            if component.name == name:
                return component
        raise KeyError(name)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from .display import model_html

        return model_html(self)
