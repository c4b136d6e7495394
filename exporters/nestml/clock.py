"""Regime machines on a grid: a number that says which regime is active, or a count of steps to wait.

A machine of two regimes, one of which only waits for a fixed time, is a refractory period: a countdown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ...canonical_model.expr import (
    TIME,
    ZERO,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    free_names,
)
from ...canonical_model.model import (
    INTEGER,
    Assign,
    Component,
    DerivedParameter,
    If,
    Integrate,
    Regime,
    RegimeMachine,
    Statement,
    StateVariable,
    Transition,
)
from ...canonical_model.query import bodies, conditions, nested, odes, statics

Fresh = Callable[[str], str]


@dataclass(slots=True)
class Machine:
    """How one regime machine is kept: `state` is its number, or with `counter` the steps to wait in
    regime `waits`; `clock` is a state that is then not needed any more."""

    name: str
    regimes: tuple[Regime, ...]
    state: str
    counter: bool = False
    waits: int = -1
    pause: str = ""
    clock: str = ""
    unused: tuple[str, ...] = ()
    states: list[StateVariable] = field(default_factory=list)
    statics: list[DerivedParameter] = field(default_factory=list)

    def regime(self, name: str) -> Regime:
        """The regime of that name."""
        return next(item for item in self.regimes if item.name == name)

    def test(self, number: int) -> Expr:
        """True while the regime is active."""
        if self.counter:
            return Binary(">" if number == self.waits else "==", Name(self.state), ZERO)
        return Binary("==", Name(self.state), Number(float(number)))

    def enter(self, name: str) -> list[Statement]:
        """What makes the regime active."""
        number = [item.name for item in self.regimes].index(name)
        if self.counter:
            value: Expr = Name(self.pause) if number == self.waits else ZERO
        else:
            value = Number(float(number))
        return [Assign(target=self.state, value=value)]

    def kept(self, body: tuple[Statement, ...]) -> tuple[Statement, ...]:
        """A body without what only set the clock."""
        return tuple(
            item for item in body if not (isinstance(item, Assign) and item.target in self.unused)
        )

    def moving(self) -> list[str]:
        """States with an equation in some regime."""
        return list(dict.fromkeys(o.variable for r in self.regimes for o in r.odes))

    def order(self) -> list[int]:
        """Regimes so that the initial one is tested last: nobody passes through two in one step."""
        initial = RegimeMachine(name=self.name, regimes=self.regimes).initial
        numbers = range(len(self.regimes))
        return sorted(numbers, key=lambda k: self.regimes[k].name == initial)

    def choose(self, values: Mapping[int, Expr]) -> Expr:
        """The value of the active regime; one value for all if they agree."""
        distinct = list(dict.fromkeys(values.values()))
        if len(distinct) == 1:
            return distinct[0]
        *first, last = sorted(values, key=lambda k: (k != self.waits, k))
        if self.counter:
            cases = tuple((self.test(number), values[number]) for number in first)
        else:
            cases = tuple(
                (Binary("<", Name(self.state), Number(number + 1.0)), values[number])
                for number in first
            )
        return Conditional(cases, values[last])


def plan_machines(component: Component, fresh: Fresh) -> list[Machine]:
    """Each machine's form, with the states and constants that it adds."""
    found = []
    for machine in component.machines:
        label = f"{machine.name}_" if machine.name else ""
        found.append(
            _countdown(component, machine, label, fresh) or _numbered(machine, label, fresh)
        )
    return found


def _numbered(machine: RegimeMachine, label: str, fresh: Fresh) -> Machine:
    state = fresh(f"{label}regime")
    names = [item.name for item in machine.regimes]
    listed = ", ".join(f"{number}: {name}" for number, name in enumerate(names))
    initial = Number(float(names.index(machine.initial)))
    variable = StateVariable(
        name=state, kind=INTEGER, initial=initial, description=f"active regime ({listed})"
    )
    return Machine(machine.name, machine.regimes, state, states=[variable])


def _countdown(
    component: Component, machine: RegimeMachine, label: str, fresh: Fresh
) -> Machine | None:
    """The machine as a countdown if one of its two regimes only waits, else None."""
    if len(machine.regimes) != 2 or len(component.machines) != 1:
        return None
    for number, regime in enumerate(machine.regimes):
        other = machine.regimes[1 - number]
        found = _wait(component, regime, other)
        if found is None or machine.initial == regime.name or other.on_entry:
            continue
        clock, pause = found
        readers = _readers(component, clock)
        steps = fresh(f"{label}{regime.name}_steps")
        state = fresh(f"{label}{regime.name}_count")
        parameter = DerivedParameter(
            name=steps, kind=INTEGER, value=Call("steps", (pause,)),
            description=f"length of the {regime.name} period in steps",
        )  # fmt: skip
        variable = StateVariable(
            name=state, kind=INTEGER, initial=ZERO,
            description=f"steps that the {regime.name} period still lasts",
        )  # fmt: skip
        unused = () if readers else (clock,)
        return Machine(
            machine.name, machine.regimes, state, True, number, steps, clock, unused,
            [variable], [parameter],
        )  # fmt: skip
    return None


def _wait(component: Component, regime: Regime, other: Regime) -> tuple[str, Expr] | None:
    """(clock, pause) if the regime is left when `t > clock + pause`, its entry setting `clock := t`."""
    if len(regime.on_conditions) != 1 or regime.on_events:
        return None
    condition = regime.on_conditions[0]
    if condition.body != (Transition(regime=other.name, machine=_machine_of(condition.body)),):
        return None
    clocks = [
        item.target
        for item in regime.on_entry
        if isinstance(item, Assign) and item.value == Name(TIME)
    ]
    fixed = {item.name for item in statics(component)}
    for clock in clocks:
        match condition.test:
            case Binary(">" | ">=", Name("t"), Binary("+", Name(name), pause)) if name == clock:
                pass
            case Binary(">" | ">=", Name("t"), Binary("+", pause, Name(name))) if name == clock:
                pass
            case Binary(">" | ">=", Binary("-", Name("t"), Name(name)), pause) if name == clock:
                pass
            case _:
                continue
        if free_names(pause) <= fixed:
            return clock, pause
    return None


def _machine_of(body: tuple[Statement, ...]) -> str:
    return next((item.machine for item in body if isinstance(item, Transition)), "")


def _readers(component: Component, clock: str) -> bool:
    """True if something besides the end of the wait reads the clock."""
    tests = [item.test for item in conditions(component)]
    values: list[Expr] = [item.value for item in component.derived_variables]
    values += [d.value for m in component.machines for r in m.regimes for d in r.derived_variables]
    values += [ode.rhs for ode in odes(component)]
    for body in bodies(component):
        for item in nested(body):
            values += [item.value] if isinstance(item, Assign) else []
    values += [e for e in (s.initial for s in component.state_variables) if e is not None]
    reading = sum(clock in free_names(expr) for expr in tests)
    return reading > 1 or any(clock in free_names(expr) for expr in values)


def guarded(
    machines: Sequence[Machine], moving: list[str], every: list[str]
) -> tuple[Statement, ...]:
    """Integration of what moves, by the active regimes of the machines, one after the other."""
    if not machines:
        if not moving:
            return ()
        return (Integrate(variables=() if set(moving) == set(every) else tuple(moving)),)
    machine, *rest = machines
    if not machine.counter and not machine.moving():
        return guarded(rest, moving, every)
    branches: list[tuple[Expr, tuple[Statement, ...]]] = []
    for number in _waiting_first(machine):
        own = [ode.variable for ode in machine.regimes[number].odes]
        inner = guarded(rest, list(dict.fromkeys([*moving, *own])), every)
        if machine.counter and number == machine.waits:
            count = Binary("-", Name(machine.state), Number(1.0))
            inner = (Assign(target=machine.state, value=count), *inner)
        branches.append((machine.test(number), inner))
    if len({body for _, body in branches}) == 1:
        return branches[0][1]
    return (_choice(branches),) if any(body for _, body in branches) else ()


def _choice(branches: list[tuple[Expr, tuple[Statement, ...]]]) -> Statement:
    """One branch for each distinct body; the last regime's is the rest, if every regime does something."""
    merged: dict[tuple[Statement, ...], Expr] = {}
    for test, body in branches:
        known = merged.get(body)
        merged[body] = test if known is None else Binary("or", known, test)
    idle = merged.pop((), None)
    found = [(test, body) for body, test in merged.items()]
    if idle is None and len(found) > 1:
        *first, (_, last) = found
        return If(branches=tuple(first), otherwise=last)
    return If(branches=tuple(found))


def _waiting_first(machine: Machine) -> list[int]:
    numbers = list(range(len(machine.regimes)))
    return sorted(numbers, key=lambda k: k != machine.waits) if machine.counter else numbers
