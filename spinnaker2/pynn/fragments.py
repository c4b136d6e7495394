"""Parts of canonical components in a short notation: names, unit words and expressions as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...canonical_model.expr import Expr
from ...canonical_model.expr_parse import parse_expr
from ...canonical_model.model import (
    AnalogInput,
    Assign,
    Component,
    Constant,
    DerivedVariable,
    Emit,
    EventPort,
    Exposure,
    Ode,
    OnCondition,
    OnEvent,
    Parameter,
    Regime,
    RegimeMachine,
    Statement,
    StateVariable,
    TimedEvents,
    Transition,
)
from ...canonical_model.query import bodies, conditions, odes
from ...canonical_model.units import CURRENT, TIME, VOLTAGE, Quantity, Unit
from .units import WORDS

SPIKE = "spike"
INJECTED = "i_inj"

# constants that turn numbers into quantities; only those that a component uses are kept
_ONES = {
    "ONE_nA": "nA", "ONE_uS": "uS", "ONE_mV": "mV", "ONE_ms": "ms", "ONE_Hz": "Hz",
}  # fmt: skip
CONSTANTS: dict[str, Quantity] = {
    **{name: Quantity(1.0, Unit(word, *WORDS[word])) for name, word in _ONES.items()},
    "E_EULER": Quantity(math.e),
    "IZHIKEVICH_GAIN": Quantity(1e12, Unit("mV/ms/pA", VOLTAGE / TIME / CURRENT)),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One mode of a cell in short notation: rates, then conditions with what they do.

    An action is `spike`, `-> regime`, or `name = expression`.
    """

    name: str
    rates: Mapping[str, str] = field(default_factory=dict)
    when: Sequence[tuple[str, Sequence[str]]] = ()
    arrivals: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fragment:
    """Parameters and states with unit words, initial values, rates, arrivals, conditions, regimes."""

    parameters: Mapping[str, str]
    states: Mapping[str, str]
    initial: Mapping[str, str]
    rates: Mapping[str, str]
    derived: Mapping[str, tuple[str, str]]
    arrivals: Mapping[str, Mapping[str, str]]
    when: Sequence[tuple[str, Sequence[str]]]
    regimes: Sequence[Step]


def fragment(
    *,
    parameters: Mapping[str, str] | None = None,
    states: Mapping[str, str] | None = None,
    initial: Mapping[str, str] | None = None,
    rates: Mapping[str, str] | None = None,
    derived: Mapping[str, tuple[str, str]] | None = None,
    arrivals: Mapping[str, Mapping[str, str]] | None = None,
    when: Sequence[tuple[str, Sequence[str]]] = (),
    regimes: Sequence[Step] = (),
) -> Fragment:
    """A fragment; everything is optional."""
    return Fragment(
        parameters or {}, states or {}, initial or {}, rates or {}, derived or {}, arrivals or {},
        when, regimes,
    )  # fmt: skip


def assemble(
    name: str,
    parts: Sequence[Fragment],
    *,
    ports: Sequence[str] = (),
    is_injectable: bool = False,
    defaults: Mapping[str, float] | None = None,
    description: str = "",
    timed: Sequence[TimedEvents] = (),
) -> Component:
    """One flat component of all parts, with the event port SPIKE and, if asked for, INJECTED."""
    component = Component(
        name=name,
        description=description,
        parameters=tuple(
            _parameter(n, word, (defaults or {}).get(n))
            for part in parts
            for n, word in part.parameters.items()
        ),
        state_variables=tuple(
            _state(part, n, word) for part in parts for n, word in part.states.items()
        ),
        derived_variables=tuple(
            DerivedVariable(name=n, dimension=WORDS[word][0], value=parse_expr(text))
            for part in parts
            for n, (word, text) in part.derived.items()
        ),
        odes=tuple(_ode(v, text) for part in parts for v, text in part.rates.items()),
        on_conditions=tuple(_condition(*item) for part in parts for item in part.when),
        on_events=tuple(i for part in parts for i in _arrivals(part.arrivals)),
        timed_events=tuple(timed),
        machines=tuple(
            RegimeMachine(name="", regimes=tuple(_regime(step) for step in part.regimes))
            for part in parts
            if part.regimes
        ),
        event_inputs=tuple(EventPort(name=port, payload=("weight",)) for port in ports),
        event_outputs=(EventPort(name=SPIKE),),
        analog_inputs=(AnalogInput(name=INJECTED, dimension=CURRENT, reduce="add"),)
        if is_injectable
        else (),
        exposures=tuple(
            Exposure(name=n, variable=n, dimension=WORDS[word][0])
            for part in parts
            for n, word in part.states.items()
        ),
    )
    return with_constants(component)


def _parameter(name: str, word: str, value: float | None) -> Parameter:
    unit = Unit(word, *WORDS[word])
    quantity = None if value is None else Quantity(float(value), unit)
    return Parameter(name=name, dimension=unit.dimension, value=quantity)


def _state(part: Fragment, name: str, word: str) -> StateVariable:
    text = part.initial.get(name)
    return StateVariable(
        name=name, dimension=WORDS[word][0], initial=parse_expr(text) if text else None
    )


def _ode(variable: str, text: str) -> Ode:
    return Ode(variable=variable, rhs=parse_expr(text))


def _arrivals(table: Mapping[str, Mapping[str, str]]) -> tuple[OnEvent, ...]:
    return tuple(
        OnEvent(
            port=port, body=tuple(Assign(target=n, value=parse_expr(t)) for n, t in body.items())
        )
        for port, body in table.items()
    )


def _condition(test: str, actions: Sequence[str]) -> OnCondition:
    return OnCondition(test=parse_expr(test), body=tuple(action(text) for text in actions))


def action(text: str) -> Statement:
    """`spike`, `-> regime` or `name = expression` as a statement."""
    if text == "spike":
        return Emit(port=SPIKE)
    if text.startswith("-> "):
        return Transition(regime=text[3:])
    target, value = text.split(" = ", 1)
    return Assign(target=target, value=parse_expr(value))


def _regime(step: Step) -> Regime:
    return Regime(
        name=step.name,
        odes=tuple(_ode(v, text) for v, text in step.rates.items()),
        on_conditions=tuple(_condition(*item) for item in step.when),
        on_events=_arrivals(step.arrivals),
    )


def with_constants(component: Component) -> Component:
    """The component with the constants that its expressions name and that it does not have yet."""
    from dataclasses import replace

    from ...canonical_model.expr import free_names

    values: list[Expr] = [item.rhs for item in odes(component)]
    values += [item.test for item in conditions(component)]
    values += [item.value for item in component.derived_variables]
    values += [item.initial for item in component.state_variables if item.initial is not None]
    values += [s.value for body in bodies(component) for s in body if isinstance(s, Assign)]
    used = {name for value in values for name in free_names(value)}
    found = tuple(
        Constant(name=n, dimension=q.dimension, value=q)
        for n, q in CONSTANTS.items()
        if n in used - {item.name for item in component.constants}
    )
    return replace(component, constants=(*component.constants, *found))
