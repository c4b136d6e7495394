"""What the ways through a time-step program are made of, and what decides between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .. import model
from ..algebra import times
from ..diagnostics import ModelError, refuse
from ..expr import (
    Expr,
    Name,
    free_names,
    is_random,
    reads,
    substitute,
)
from ..query import nested
from .change import Body, change_statement
from .counters import counted
from .idioms import decay_rate, ramp
from .intervals import Known
from .stepped import Steps, Timers


@dataclass(frozen=True, slots=True)
class Happening:
    """A condition that a way through the program meets, how far each timer has come there, and what is held
    by then."""

    item: model.OnCondition
    moved: Mapping[str, int]
    held: tuple[model.Assign, ...] = ()


@dataclass(frozen=True, slots=True)
class Mode:
    """One way through the program: the tests that lead there, as they are at the start of its step, what it
    integrates and what it counts."""

    tests: tuple[Expr, ...] = ()
    integrated: tuple[str, ...] = ()
    everything: bool = False
    rates: tuple[
        model.Ode, ...
    ] = ()  # of counters, decays and timers that the program steps by hand
    held: tuple[model.Assign, ...] = ()  # what is set anew after each step: a clamped potential
    moved: Mapping[str, int] = field(default_factory=dict)  # timers, in steps
    met: tuple[Happening, ...] = ()

    @property
    def counted(self) -> tuple[str, ...]:
        """The timers that run in this mode only."""
        return tuple(self.moved)


@dataclass(slots=True)
class Found:
    """What is found on the walk through the program."""

    component: model.Component
    timers: Timers
    steps: Steps
    known: Known
    early: dict[model.OnCondition, None] = field(default_factory=dict)
    samples: dict[str, str] = field(default_factory=dict)
    derived: dict[str, Expr] = field(default_factory=dict)
    events: list[model.OnEvent] = field(default_factory=list)
    depth: int = 0  # of branches around the statement that is looked at

    @property
    def ratio(self) -> Known:
        """The step alone: what holds whatever the parameters are."""
        return {n: b for n, b in self.known.items() if n == self.steps.name}


def in_the_way(statement: model.Statement, why: str) -> ModelError:
    message = f"a statement of the update program cannot become part of a regime: {why}"
    return refuse("K120", message, statement.span)


def without_locals(found: Found, body: Body) -> Body:
    """Locals that are never assigned again are substituted; one that holds a state of before the
    integration is a sample of it. Raises ModelError K120 where it holds more than the state itself."""
    assigned = {s.target for s in nested(body) if isinstance(s, model.Assign)}
    moving = {ode.variable for ode in found.component.odes}
    values: dict[str, Expr] = {}

    def change(items: Body) -> Body:
        kept: list[model.Statement] = []
        for place, item in enumerate(items):
            if isinstance(item, model.Declare) and item.name not in assigned:
                value = substitute(item.value, values)
                later = any(isinstance(s, model.Integrate) for s in nested(items[place + 1 :]))
                if later and free_names(value) & moving:
                    if not isinstance(value, Name):
                        why = f"'{item.name}' keeps a value of before the integration"
                        raise in_the_way(item, why)
                    found.samples[item.name] = value.id
                    continue
                values[item.name] = value
                continue
            kept.append(change_statement(item, lambda expr: substitute(expr, values)))
        return tuple(kept)

    return change(body)


def does_integrate(found: Found, body: Body) -> bool:
    """Does the body integrate, count steps, or step something by hand?"""
    return any(
        isinstance(item, model.Integrate)
        or (
            isinstance(item, model.Assign)
            and (
                (item.target in found.timers.counters and counted(item))
                or rate_of(found, item) is not None
            )
        )
        for item in nested(body)
    )


def rate_of(found: Found, item: model.Assign) -> Expr | None:
    """The rate of change of what a program steps by hand; None for anything else."""
    if any(ode.variable == item.target for ode in found.component.odes):
        return None
    rate = decay_rate(found.component, item)
    return times(rate, Name(item.target)) if rate is not None else ramp(found.component, item)


def may_hold(found: Found, test: Expr | None, body: Body) -> bool:
    """Does a branch do nothing but set what moves to fixed values, over and over while its test holds?"""
    moving = {ode.variable for ode in found.component.odes}
    read = read_by(found.component, test) if test is not None else set()
    return bool(body) and all(
        isinstance(item, model.Assign)
        and item.target in moving - read
        and _is_static(found.component, item.value)
        for item in body
    )


def _is_static(component: model.Component, value: Expr) -> bool:
    """Is a value fixed while the model runs?"""
    static = {item.name for item in component.parameters}
    static |= {item.name for item in component.derived_parameters}
    static |= {item.name for item in component.constants}
    return free_names(value) <= static and not is_random(value)


def read_by(component: model.Component, test: Expr) -> set[str]:
    """The names that a test depends on, through derived variables too."""
    values = {item.name: item.value for item in component.derived_variables}
    return reads(test, values)


def is_way(found: Found, test: Expr | None, body: Body) -> bool:
    return does_integrate(found, body) or may_hold(found, test, body)


def has_modes(found: Found, item: model.If) -> bool:
    """Does what is integrated or held depend on the tests?"""
    branches = (*item.branches, (None, item.otherwise))
    return does_integrate(found, (item,)) or any(may_hold(found, *branch) for branch in branches)


def done_by(found: Found, mode: Mode) -> set[str]:
    """What the mode's equations have moved so far."""
    if mode.everything:
        return {ode.variable for ode in found.component.odes}
    return set(mode.integrated)
