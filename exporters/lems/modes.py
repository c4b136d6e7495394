"""Regimes as a state that counts them, where jLEMS's regimes cannot see what their conditions read.

What is inside of a regime sees parameters, `t` and states only: a condition that reads an input or a draw has
to stand among the common ones, guarded by the state. Where there are regimes, jLEMS (0.12, measured) gives
events to the active one only, never to a common handler.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ...canonical_model.expr import (
    ONE,
    TIME,
    ZERO,
    Binary,
    Conditional,
    Expr,
    Name,
    Number,
    Select,
    free_names,
    walk,
)
from ...canonical_model.model import (
    Assign,
    Component,
    DerivedVariable,
    If,
    Ode,
    OnCondition,
    OnEvent,
    Regime,
    RegimeMachine,
    Statement,
    StateVariable,
    Transition,
)
from ...canonical_model.passes.entries import Analysis
from ...canonical_model.query import declared, expressions, nested
from ...canonical_model.units import TIME as TIME_DIMENSION


def must_be_modes(component: Component, *, is_lems: bool = False) -> bool:
    """Does a condition of a regime read more than parameters, states and time, or do regimes differ
    in what they call by one name? Are there events that jLEMS would not handle?

    What comes from LEMS (`is_lems`) has the handlers that its author knows.
    """
    if not component.machines:
        return False
    if _has_two_meanings(component):
        return True
    if component.on_events and not is_lems:
        return True
    derived = {d.name: d.value for d in component.derived_variables}
    seen = {TIME, *(s.name for s in component.state_variables)}
    seen |= {p.name for p in component.parameters} | {p.name for p in component.constants}
    seen |= {p.name for p in component.derived_parameters}
    for machine in component.machines:
        for regime in machine.regimes:
            own = derived | {d.name: d.value for d in regime.derived_variables}
            for condition in regime.on_conditions:
                if not _is_seen(condition.test, own, seen):
                    return True
            if not is_lems and not _reads(regime) <= seen:
                return True
    return False


def _reads(regime: Regime) -> set[str]:
    """What the bodies of a regime read."""
    bodies = [regime.on_entry, *(item.body for item in regime.on_conditions)]
    bodies += [item.body for item in regime.on_events]
    read = (expr for body in bodies for item in nested(body) for expr in expressions(item))
    return set().union(*(free_names(expr) for expr in read))


def _has_two_meanings(component: Component) -> bool:
    """Do regimes define different variables of one name?"""
    known: dict[str, Expr] = {}
    return any(
        known.setdefault(item.name, item.value) != item.value
        for machine in component.machines
        for regime in machine.regimes
        for item in regime.derived_variables
    )


def _is_seen(expr: Expr, derived: dict[str, Expr], seen: set[str]) -> bool:
    waiting, done = [expr], set[str]()
    while waiting:
        current = waiting.pop()
        if any(isinstance(node, Select) for node in walk(current)):
            return False
        for name in free_names(current) - done:
            done.add(name)
            if name in seen:
                continue
            if name not in derived:
                return False
            waiting.append(derived[name])
    return True


def modes_to_state(component: Component) -> Component:
    """The one machine of a component as a state, guards and choices."""
    (machine,) = component.machines
    taken = {item.name for item in declared(component)}
    mode = _fresh("mode", taken)
    waiting = _passed(component, machine)
    entered = {name: _fresh(f"entered_{name}", taken) for name in waiting}
    numbers = {regime.name: float(k) for k, regime in enumerate(machine.regimes)}
    entries = {regime.name: regime.on_entry for regime in machine.regimes}
    start = Number(numbers[machine.initial])

    def body(items: tuple[Statement, ...]) -> tuple[Statement, ...]:
        found: list[Statement] = []
        for item in items:
            match item:
                case Transition(regime=name):
                    found.append(Assign(target=mode, value=Number(numbers[name])))
                    if name in entered:
                        found.append(Assign(target=entered[name], value=Name(TIME)))
                    found.extend(body(entries[name]))
                case If(branches=branches, otherwise=otherwise):
                    changed = tuple((test, body(inner)) for test, inner in branches)
                    found.append(replace(item, branches=changed, otherwise=body(otherwise)))
                case _:
                    found.append(item)
        return tuple(found)

    def active(regime: Regime) -> Expr:
        number = numbers[regime.name]
        low = Binary(">", Name(mode), Number(number - 0.5))
        return Binary("and", low, Binary("<", Name(mode), Number(number + 0.5)))

    def guard(regime: Regime, condition: OnCondition) -> Expr:
        if condition not in waiting.get(regime.name, ()):
            return active(regime)
        since = Binary(">", Name(TIME), Name(entered[regime.name]))
        return Binary("and", active(regime), since)

    guarded = tuple(
        replace(c, test=Binary("and", guard(r, c), c.test), body=body(c.body))
        for r in machine.regimes
        for c in r.on_conditions
    )
    ports = dict.fromkeys(e.port for r in machine.regimes for e in r.on_events)
    events = {e.port: e for e in component.on_events}
    for port in ports:
        branches = tuple(
            (active(r), body(e.body))
            for r in machine.regimes
            for e in r.on_events
            if e.port == port
        )
        own = body(events[port].body) if port in events else ()
        events[port] = OnEvent(port=port, body=(*own, If(branches=branches)))
    states = [StateVariable(name=mode, initial=start)]
    states += [StateVariable(name=name, dimension=TIME_DIMENSION) for name in entered.values()]
    return replace(
        component,
        machines=(),
        state_variables=(*component.state_variables, *states),
        derived_variables=(
            *component.derived_variables,
            *_variables(component, active),
            *_rates(component, active),
        ),
        odes=(
            *(o for o in component.odes if o.variable not in _moved(component)),
            *_common(component),
            *(Ode(variable=v, rhs=Name(_rate(component, v))) for v in _moved(component)),
        ),
        on_conditions=(
            *(replace(c, body=body(c.body)) for c in component.on_conditions),
            *guarded,
        ),
        on_events=tuple(
            replace(e, body=body(e.body)) if e.port not in ports else e for e in events.values()
        ),
    )


def _fresh(wanted: str, taken: set[str]) -> str:
    while wanted in taken:
        wanted += "_"
    taken.add(wanted)
    return wanted


def _passed(component: Component, machine: RegimeMachine) -> dict[str, list[OnCondition]]:
    """By regime the conditions that may hold at once where a condition before them leads into it: one step
    would go through two regimes."""
    analysis = Analysis(component)
    entries = {r.name: list(analysis.entries(machine, r)) for r in machine.regimes}
    facts = analysis.flow(machine, entries)
    found: dict[str, list[OnCondition]] = {}
    before = set[str]()
    for regime in machine.regimes:
        ways = [e for e in entries[regime.name] if e.source in before and e.test != ONE]
        for item in regime.on_conditions if ways else ():
            leaves = replace(
                item, body=(Transition(regime=""),)
            )  # what its own body does is no matter
            if not analysis.is_plain(leaves, regime, ways, facts):
                found.setdefault(regime.name, []).append(item)
        before.add(regime.name)
    return found


def _variables(component: Component, active: Callable[[Regime], Expr]) -> list[DerivedVariable]:
    """The variables of regimes; one that several define is what the active one says."""
    regimes = [regime for machine in component.machines for regime in machine.regimes]
    found: dict[str, list[tuple[Regime, DerivedVariable]]] = {}
    for regime in regimes:
        for item in regime.derived_variables:
            found.setdefault(item.name, []).append((regime, item))
    merged = []
    for several in found.values():
        first = several[0][1]
        if any(item.value != first.value for _, item in several):
            cases = tuple((active(regime), item.value) for regime, item in several)
            everywhere = len(several) == len(regimes)
            last = cases[-1][1] if everywhere else ZERO
            first = replace(first, value=Conditional(cases[:-1] if everywhere else cases, last))
        merged.append(first)
    return merged


def _moved(component: Component) -> list[str]:
    """States that some regime moves, and not all of them alike."""
    machines = [m.regimes for m in component.machines]
    found = (
        o for regimes in machines for r in regimes for o in r.odes if o not in _common(component)
    )
    return list(dict.fromkeys(o.variable for o in found))


def _common(component: Component) -> tuple[Ode, ...]:
    """What every regime of the machine does alike."""
    (machine,) = component.machines
    first, *others = (regime.odes for regime in machine.regimes)
    always = {o.variable for o in component.odes}
    return tuple(o for o in first if o.variable not in always and all(o in odes for odes in others))


def _rate(component: Component, variable: str) -> str:
    return _fresh(f"{variable}_rate", {item.name for item in declared(component)})


def _rates(component: Component, active: Callable[[Regime], Expr]) -> list[DerivedVariable]:
    """For each state that regimes move its rate in the active one."""
    dimensions = {s.name: s.dimension for s in component.state_variables}
    always = {o.variable: o.rhs for o in component.odes}
    found = []
    for variable in _moved(component):
        base = always.get(variable)
        cases = tuple(
            (active(r), o.rhs if base is None else Binary("+", base, o.rhs))
            for m in component.machines
            for r in m.regimes
            for o in r.odes
            if o.variable == variable
        )
        found.append(
            DerivedVariable(
                name=_rate(component, variable),
                dimension=dimensions[variable] / TIME_DIMENSION,
                value=Conditional(cases, base or ZERO),
            )
        )
    return found


__all__ = ["modes_to_state", "must_be_modes"]
