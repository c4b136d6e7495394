"""What of a model becomes NESTML: one flat component for each distinct cell, the rest reported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ...canonical_model.diagnostics import Level, Log
from ...canonical_model.expr import Expr, Name, Number, free_names, substitute
from ...canonical_model.model import Component, Model, Parameter
from ...canonical_model.passes.arming import arm
from ...canonical_model.passes.bound import bound_growth
from ...canonical_model.passes.change import change_expressions
from ...canonical_model.passes.flatten import flatten
from ...canonical_model.passes.fuse import fuse
from ...canonical_model.passes.wire import wire
from ...canonical_model.query import (
    bodies,
    conditions,
    expressions,
    handlers,
    nested,
    odes,
    regimes,
)
from ...canonical_model.rules import share
from ...canonical_model.units import NONE, Quantity, Unit, si_quantity

if TYPE_CHECKING:
    from ...canonical_model.circuit import Circuit, Group
    from ...canonical_model.network import Floats

LISTED = 8


def components_of(model: Model, log: Log) -> list[Component]:
    """The flat components to write. What a set of NESTML models cannot hold is told to `log`.

    Raises ModelError W2xx where the network does not fit together.
    """
    if model.network is None:
        return [_flat(item, log) for item in model.components]
    circuit = cells_of(model, log)
    _tell_network(model, circuit, log)
    found: list[Component] = []
    natives = _natives(model)
    for group in circuit.groups:
        if group.host:
            _tell_attached(group, log)
            continue
        native = natives.get(group.name)
        if native is not None:
            found += [native] if native not in found else []
            continue
        component = cell_component(group, circuit, log)
        if not any(replace(known, name=component.name) == component for known in found):
            found.append(component)
    return found


def cells_of(model: Model, log: Log) -> Circuit:
    """The model's network with synapses and inputs fused into their cells.

    Raises ModelError W2xx where the network does not fit together.
    """
    circuit = together(wire(model, log, large=0))
    log.stop_on_error()
    return circuit


def together(circuit: Circuit) -> Circuit:
    """Synapses and inputs as part of their cells."""
    return fuse(circuit, sources=True, peers=True)


def cell_component(group: Group, circuit: Circuit, log: Log) -> Component:
    """What is written for a group of cells."""
    return _pruned(bound_growth(_specialised(group, circuit, log)), log)


def _natives(model: Model) -> dict[str, Component]:
    """Population -> its component, where that is a program as its author wrote it."""
    programs = {c.name: c for c in model.components if c.update is not None and not c.children}
    populations = model.network.populations if model.network is not None else ()
    return {p.name: programs[p.component] for p in populations if p.component in programs}


def _flat(component: Component, log: Log) -> Component:
    """A component on its own, its parts merged; a program is written as it is."""
    if component.update is not None and not component.children:
        return component
    return _pruned(bound_growth(arm(flatten(component, {}).component)), log)


def _tell_network(model: Model, circuit: Circuit, log: Log) -> None:
    """NESTML describes cells; who is connected to whom is left to the simulator."""
    network = model.network
    projections = network.projections if network else ()
    links = sum(round(share(network, item)) for item in projections) if network else 0
    cells = sum(group.size for group in circuit.groups if not group.host)
    if links or cells > 1:
        message = (
            f"NESTML has no networks: the {cells} cells of '{network.name if network else ''}' and "
            f"their {links} connections are left out, with weights and delays"
        )
        hint = "create and connect the cells in the simulator"
        log.add("N201", Level.DROPPED, message, hint=hint)
    if model.network is not None and model.network.experiment is not None:
        message = "NESTML has no experiments: length, step and recordings are left out"
        log.add("N202", Level.DROPPED, message)


def _tell_attached(group: Group, log: Log) -> None:
    component = group.component
    inputs = [item.name for item in component.analog_inputs if item.name.startswith("peer_")]
    if inputs:
        why = "it reads a quantity of another cell, for which NESTML has no port"
    elif component.machines:
        why = "it has regimes of its own beside those of its cell"
    else:
        why = "a cell has several of them, and their states cannot be added"
    message = (
        f"'{component.name}' ({component.type}) at '{group.host}' is left out: {why}; "
        "the cell keeps a continuous input for it"
    )
    log.add("N203", Level.DROPPED, message, component.span)


def _specialised(group: Group, circuit: Circuit, log: Log) -> Component:
    """The group's component with the values that all its cells share as defaults."""
    component = group.component
    uneven = [n for n, v in {**group.parameters, **group.initial}.items() if not _even(v)]
    if uneven:
        names = ", ".join(f"'{name}'" for name in uneven[:LISTED])
        message = f"cells of '{group.name}' differ in {names}; the model holds the default"
        log.add("N204", Level.DROPPED, message, component.span, hint="set them in the simulator")
    fixed = {n: float(v[0]) for n, v in group.parameters.items() if n not in uneven and len(v)}
    first = {n: float(v[0]) for n, v in group.initial.items() if n not in uneven and len(v)}
    several = _crowded(group, circuit)
    if several:
        names = ", ".join(f"'{name}'" for name in several)
        message = (
            f"several events that reach {names} of '{group.name}' within one step count as one"
        )
        log.add("N205", Level.APPROXIMATED, message, component.span)
    return replace(
        component,
        parameters=tuple(_parameter(p, fixed) for p in component.parameters),
        state_variables=tuple(
            replace(s, initial=_number(first[s.name], s.dimension)) if s.name in first else s
            for s in component.state_variables
        ),
    )


def _number(value: float, dimension: object) -> Number:
    from ...canonical_model.units import Dimension

    unit = si_quantity(value, dimension).unit if isinstance(dimension, Dimension) else None
    return Number(value, None if unit is None or unit.dimension == NONE else unit)


def _parameter(item: Parameter, fixed: dict[str, float]) -> Parameter:
    if item.name not in fixed:
        return item
    own = item.value
    if own is not None and abs(own.si - fixed[item.name]) <= 1e-12 * abs(own.si):
        return item
    unit: Unit = si_quantity(0.0, item.dimension).unit
    return replace(item, value=Quantity(fixed[item.name], unit))


def _even(values: Floats) -> bool:
    return bool((values == values[0]).all()) if len(values) else True


def _crowded(group: Group, circuit: Circuit) -> list[str]:
    """Ports without weight at which several connections end: their events cannot be summed."""
    import numpy as np

    found = []
    for port in group.component.event_inputs:
        handled = any(h.port == port.name and h.body for h in group.component.on_events)
        if port.payload or not handled:
            continue
        links = [
            link
            for link in circuit.event_links
            if link.target == group.name and link.target_port == port.name
        ]
        ends = np.concatenate([link.post for link in links]) if links else np.zeros(0, dtype=int)
        # a rule that is not drawn stands for any number of connections
        if any(link.rule for link in links) or len(np.unique(ends)) < len(ends):
            found.append(port.name)
    return found


def _pruned(component: Component, log: Log) -> Component:
    """The component without quantities that neither its behaviour nor its exposures need."""
    component = _without_aliases(component)
    derived = {item.name: item.value for item in component.derived_variables}
    statics = {item.name: item.value for item in component.derived_parameters}
    table: dict[str, Expr] = {**statics, **derived}
    waiting = [e.variable for e in component.exposures]
    waiting += [name for expr in _roots(component) for name in free_names(expr)]
    needed: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            if name in table:
                waiting.extend(free_names(table[name]))
    gone = [n for n in statics if n not in needed]
    gone += [p.name for p in component.parameters if p.name not in needed]
    gone += [c.name for c in component.constants if c.name not in needed]
    silent = [
        port.name
        for port in component.event_inputs
        if not any(item.port == port.name and item.body for item in handlers(component))
    ]
    gone += [name for name in silent if component.update is None]
    if gone:
        names = ", ".join(f"'{name}'" for name in gone[:LISTED])
        more = f" and {len(gone) - LISTED} more" if len(gone) > LISTED else ""
        message = f"'{component.name}': nothing depends on {names}{more}; left out"
        log.add("N206", Level.NOTE, message, component.span)
    return replace(
        component,
        event_inputs=tuple(p for p in component.event_inputs if p.name not in gone),
        parameters=_kept(component.parameters, needed),
        constants=tuple(c for c in component.constants if c.name in needed),
        derived_parameters=tuple(d for d in component.derived_parameters if d.name in needed),
        derived_variables=tuple(d for d in component.derived_variables if d.name in needed),
    )


def _without_aliases(component: Component) -> Component:
    """The component without derived variables that only give another quantity a second name."""
    shown = {item.variable for item in component.exposures}
    aliases: dict[str, Expr] = {
        d.name: d.value
        for d in component.derived_variables
        if isinstance(d.value, Name) and d.name not in shown
    }
    if not aliases:
        return component

    def settled(expr: Expr) -> Expr:
        for _ in range(len(aliases)):
            if not free_names(expr) & aliases.keys():
                break
            expr = substitute(expr, aliases)
        return expr

    kept = tuple(d for d in component.derived_variables if d.name not in aliases)
    return change_expressions(replace(component, derived_variables=kept), settled)


def _kept(items: Iterable[Parameter], needed: set[str]) -> tuple[Parameter, ...]:
    return tuple(item for item in items if item.name in needed)


def _roots(component: Component) -> list[Expr]:
    """Every expression that behaviour depends on directly."""
    found: list[Expr] = [ode.rhs for ode in odes(component)]
    found += [item.test for item in conditions(component)]
    found += [item.test for item in component.checks]
    found += [s.initial for s in component.state_variables if s.initial is not None]
    found += [d.value for regime in regimes(component) for d in regime.derived_variables]
    for kernel in component.kernels:
        found += [kernel.value] if kernel.value is not None else []
        found += [ode.rhs for ode in kernel.odes]
        found += [s.initial for s in kernel.initial if s.initial is not None]
    for body in (*bodies(component), *(f.body for f in component.functions)):
        found += [expr for item in nested(body) for expr in expressions(item)]
    return found
