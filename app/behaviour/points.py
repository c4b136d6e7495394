"""One flat component evaluated at many points at once: rates, conditions and what events do.

The points are instances of one group of the reference simulator, so that both sides of a comparison are
computed by the code that defines their meaning.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise, product
from typing import TYPE_CHECKING, Any

from ...canonical_model.diagnostics import Issue, Level, ModelError
from ...canonical_model.expr import TIME, Name, Number, free_names, walk
from ...canonical_model.model import (
    Assign,
    Component,
    Constant,
    Declare,
    DerivedVariable,
    Emit,
    If,
    Parameter,
    Report,
    StateVariable,
)
from ...canonical_model.passes.change import all_expressions
from ...canonical_model.query import bodies, conditions, handlers, nested, odes
from ...canonical_model.units import NONE, VOLTAGE, Dimension, si_quantity
from ...canonical_model.units import TIME as SECONDS
from ..sensitivity import draws_numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NOW = 0.123  # s: the time at which everything is evaluated
MAX_COMBINATIONS = 16
MAX_MOMENTS = 40

Combination = tuple[int, ...]  # the active regime of each machine


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What conditions or an event do at each point: states and regimes after it, events sent by port, the sum
    of what those carry where they carry something."""

    states: Mapping[str, Floats]
    regimes: tuple[Floats, ...]
    sent: Mapping[str, Floats]
    carried: Mapping[str, Floats]


@dataclass(slots=True, eq=False)
class Subject:
    """A flat component made ready: inputs and constants are parameters, so that each may be varied.

    `states` are those that matter (see `relevant`), `statics` the values of parameters in SI, `shown` what
    others see of it (see `shown`).
    """

    component: Component
    inputs: dict[str, Dimension]
    states: dict[str, Dimension]
    statics: dict[str, float]
    dimensions: dict[str, Dimension]
    ports: tuple[str, ...]
    outputs: tuple[str, ...]
    carriers: frozenset[str]
    combinations: tuple[Combination, ...]
    shown: dict[str, Dimension] = field(default_factory=dict)
    start: Combination = ()
    initial: dict[str, float] = field(default_factory=dict)

    def machine(self, count: int, values: Mapping[str, Any]) -> Any:
        """A simulator machine of `count` instances; `values` (SI) replace parameters and inputs."""
        import numpy as np

        from ...canonical_model.circuit import Circuit, Group
        from ...solvers.compile import compile_circuit
        from ...solvers.discrete import start

        given = {k: np.broadcast_to(np.asarray(v, float), (count,)) for k, v in values.items()}
        group = Group(name="c", component=self.component, size=count, parameters=given)
        with np.errstate(all="ignore"):
            machine = start(compile_circuit(Circuit(name="points", groups=(group,)), 1))
        machine.t = NOW
        return machine

    def place(self, machine: Any, states: Mapping[str, Floats], combination: Combination) -> None:
        """Put the machine to the points."""
        item = machine.engine.groups[0]
        for name, values in states.items():
            machine.y[item.slices[name]] = values
        for number, regime in enumerate(combination):
            machine.regimes[0][number][:] = regime
        machine.spikes.clear()
        machine.carried.clear()
        machine.dirty()

    def rates(self, machine: Any) -> dict[str, Floats]:
        """d/dt of each state that matters."""
        import numpy as np

        dy = np.zeros_like(machine.y)
        with np.errstate(all="ignore"):
            machine.engine.rhs(machine.t, machine.y, dy, machine.regimes)
        item = machine.engine.groups[0]
        return {name: dy[item.slices[name]] for name in self.states}

    def values(self, machine: Any) -> dict[str, Floats]:
        """What others see, where the machine stands."""
        import numpy as np

        item = machine.engine.groups[0]
        everyone = np.arange(item.size)
        with np.errstate(all="ignore"):
            found = {x: machine.value(item, Name(x), everyone, {}) for x in self.shown}
        return {x: np.broadcast_to(np.asarray(v, float), (item.size,)) for x, v in found.items()}

    def settle(self, machine: Any) -> Effect:
        """What the conditions do that hold at the points, each tested once in the order written."""
        import numpy as np

        item = machine.engine.groups[0]
        everyone = np.arange(item.size)
        before = [values.copy() for values in machine.regimes[0]]
        for condition in self.component.on_conditions:
            self._fire(machine, condition, everyone)
        for number, regimes in enumerate(self.component.machines):
            for index, regime in enumerate(regimes.regimes):
                where = everyone[before[number] == index]
                for condition in regime.on_conditions if len(where) else ():
                    self._fire(machine, condition, where)
        return self._effect(machine)

    def deliver(self, machine: Any, port: str, weight: Floats) -> Effect:
        """What an event of `weight` at `port` does."""
        import numpy as np

        item = machine.engine.groups[0]
        with np.errstate(all="ignore"):
            machine.deliver(item, port, np.arange(item.size), weight)
        return self._effect(machine)

    def _fire(self, machine: Any, condition: Any, where: Any) -> None:
        import numpy as np

        item = machine.engine.groups[0]
        truth = np.asarray(machine.value(item, condition.test, where, {}), dtype=bool)
        ready = where[np.broadcast_to(truth, where.shape)]
        if len(ready):
            with np.errstate(all="ignore"):
                machine.run(item, condition.body, ready)

    def _effect(self, machine: Any) -> Effect:
        import numpy as np

        item = machine.engine.groups[0]
        sent = {port: np.zeros(item.size) for port in self.outputs}
        for (_, port), events in machine.spikes.items():
            for _, where in events:
                sent[port][where] += 1
        carried = {port: np.zeros(item.size) for port in self.carriers}
        for (_, port), weights in machine.carried.items():
            for where, weight in weights:
                carried[port][where] += weight
        states = {name: machine.y[item.slices[name]].copy() for name in self.states}
        regimes = tuple(np.asarray(values, float) for values in machine.regimes[0])
        return Effect(states, regimes, sent, carried)


def subject(flat: Component) -> Subject:
    """The component made ready. Raises ModelError A240 (random), A241 (no value), A242 (too many regimes)."""
    if draws_numbers(flat):
        raise _undecided("A240", f"'{flat.name}' draws random numbers")
    if flat.update is not None:
        raise _undecided("A243", f"'{flat.name}' is a time-step program")
    for item in flat.parameters:
        if item.value is None:
            raise _undecided("A241", f"parameter '{item.name}' of '{flat.name}' has no value")
    active = tuple(product(*(range(len(machine.regimes)) for machine in flat.machines)))
    if len(active) > MAX_COMBINATIONS:
        raise _undecided("A242", f"'{flat.name}' has {len(active)} combinations of regimes")
    ready = _all_parameters(flat)
    states = relevant(flat)
    given: list[Parameter | Constant] = [*flat.parameters, *flat.constants]
    made = Subject(
        component=ready,
        inputs={item.name: item.dimension for item in flat.analog_inputs},
        states={s.name: s.dimension for s in flat.state_variables if s.name in states},
        statics={item.name: item.value.si for item in given if item.value is not None},
        dimensions={item.name: item.dimension for item in given},
        ports=tuple(port.name for port in flat.event_inputs if _is_heard(flat, port.name, states)),
        outputs=tuple(port.name for port in flat.event_outputs),
        carriers=carriers(flat),
        combinations=active,
        shown=shown(flat),
    )
    machine = made.machine(1, {})
    made.start = tuple(int(values[0]) for values in machine.regimes[0])
    slices = machine.engine.groups[0].slices
    made.initial = {name: float(machine.y[slices[name]][0]) for name in made.states}
    return made


def offered(flat: Component) -> dict[str, Dimension]:
    """What a component without a membrane offers to others: a synapse its current, say."""
    if any(state.dimension == VOLTAGE for state in flat.state_variables):
        return {}
    named = {item.variable for item in flat.exposures}
    inner = (d for m in flat.machines for r in m.regimes for d in r.derived_variables)
    items: list[DerivedVariable | StateVariable]
    items = [*flat.derived_variables, *inner, *flat.state_variables]
    return {d.name: d.dimension for d in items if d.name in named}


def shown(flat: Component) -> dict[str, Dimension]:
    """What it offers in every regime beside states, which are compared as such."""
    common = {item.name for item in flat.derived_variables}
    return {name: d for name, d in offered(flat).items() if name in common}


def moments(*flats: Component) -> tuple[float, ...]:
    """Times (s) at which all may differ that depends on time: between those that the components name."""
    named: set[float] = set()
    for flat in flats:
        every = [node for expr in all_expressions(flat) for node in walk(expr)]
        if Name(TIME) not in every:
            continue
        given: list[Parameter | Constant] = [*flat.parameters, *flat.constants]
        named |= {p.value.si for p in given if p.dimension == SECONDS and p.value is not None}
        named |= {
            node.value * node.unit.scale
            for node in every
            if isinstance(node, Number) and node.unit and node.unit.dimension == SECONDS
        }
    named = {abs(time) for time in named if math.isfinite(time)}
    edges = sorted(
        {0.0, *named, *(one + other for one, other in combinations(sorted(named)[:8], 2))}
    )
    between = [(one + other) / 2 for one, other in pairwise(edges)] + [1.1 * edges[-1]]
    return (NOW, *between[:MAX_MOMENTS]) if named else (NOW,)


def carriers(flat: Component) -> frozenset[str]:
    """The ports whose events carry something."""
    return frozenset(emit.port for emit in _sent(flat) if emit.weight is not None)


def _sent(flat: Component) -> Iterator[Emit]:
    return (s for body in bodies(flat) for s in nested(body) if isinstance(s, Emit))


def _undecided(code: str, message: str) -> ModelError:
    return ModelError(Issue(code, Level.NOTE, message))


def _all_parameters(flat: Component) -> Component:
    constants = tuple(
        Parameter(name=item.name, dimension=item.dimension, value=item.value)
        for item in flat.constants
    )
    inputs = tuple(
        Parameter(
            name=item.name,
            dimension=item.dimension,
            value=si_quantity(item.default, item.dimension),
        )
        for item in flat.analog_inputs
    )
    parameters = (*flat.parameters, *constants, *inputs)
    return replace(flat, parameters=parameters, constants=(), analog_inputs=(), kernels=())


def _is_heard(flat: Component, port: str, states: set[str]) -> bool:
    """Do events at the port change anything that matters?"""
    return any(
        statement.target in states
        if isinstance(statement, Assign)
        else not isinstance(statement, Declare | If | Report)
        for handler in handlers(flat)
        if handler.port == port
        for statement in nested(handler.body)
    )


def relevant(flat: Component) -> set[str]:
    """The states on which voltages and sent events depend; all where there is neither.

    What only keeps a record (the time of the last spike, which nothing reads) does not count.
    """
    names = {state.name for state in flat.state_variables}
    needs = _needs(flat)
    wanted = {s.name for s in flat.state_variables if s.dimension == VOLTAGE}
    for condition in conditions(flat):
        if any(isinstance(s, Emit) for s in nested(condition.body)):
            wanted |= free_names(condition.test)
    for emit in _sent(flat):
        wanted |= free_names(emit.weight) if emit.weight is not None else frozenset()
    wanted |= shown(flat).keys()
    if not wanted:
        return names
    regimes_matter = bool(flat.machines)
    if regimes_matter:
        for condition in conditions(flat):
            wanted |= free_names(condition.test)
    open_names = list(wanted)
    while open_names:
        for name in needs.get(open_names.pop(), ()):
            if name not in wanted:
                wanted.add(name)
                open_names.append(name)
    return wanted & names or names


def _needs(flat: Component) -> dict[str, set[str]]:
    """For each name the names that its value, its rate and its assignments read."""
    needs: dict[str, set[str]] = {}

    def add(name: str, others: frozenset[str]) -> None:
        needs.setdefault(name, set()).update(others)

    for fixed in flat.derived_parameters:
        add(fixed.name, free_names(fixed.value))
    for item in flat.derived_variables:
        add(item.name, free_names(item.value))
    for machine in flat.machines:
        for regime in machine.regimes:
            for derived in regime.derived_variables:
                add(derived.name, free_names(derived.value))
    for ode in odes(flat):
        add(ode.variable, free_names(ode.rhs))
    for condition in conditions(flat):
        for statement in nested(condition.body):
            if isinstance(statement, Assign):
                add(statement.target, free_names(statement.value) | free_names(condition.test))
    for body in bodies(flat):
        for statement in nested(body):
            if isinstance(statement, Assign):
                add(statement.target, free_names(statement.value))
    return needs


def dependencies(flat: Component) -> dict[str, set[str]]:
    """For each state the states that its rate and assignments depend on, through derived variables."""
    needs = _needs(flat)
    states = {state.name for state in flat.state_variables}
    found: dict[str, set[str]] = {}
    for state in states:
        seen: set[str] = set()
        open_names = list(needs.get(state, ()))
        while open_names:
            name = open_names.pop()
            if name not in seen:
                seen.add(name)
                if name not in states:
                    open_names.extend(needs.get(name, ()))
        found[state] = seen & states
    return found


__all__ = [
    "NONE",
    "Effect",
    "Subject",
    "dependencies",
    "moments",
    "offered",
    "relevant",
    "shown",
    "subject",
]
