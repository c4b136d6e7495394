"""The ODE system of a flat component in one combination of regimes, ready to be analysed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from ..canonical_model.algebra import Definitions
from ..canonical_model.diagnostics import error
from ..canonical_model.expr import TIME, Expr, is_random
from ..canonical_model.model import Component, Regime
from ..canonical_model.query import statics
from .graph import components, topological

MAX_COMBINATIONS = 16
DERIVATIVE = "__d"  # x__d is dx/dt as a state of its own


@dataclass(frozen=True, slots=True)
class System:
    """States with their rates; `order` lists the derived variables in order of dependence.

    `static` names never change during a run, `held` names stay constant over a step.
    """

    component: Component
    regimes: tuple[str, ...]
    rates: dict[str, Expr]
    definitions: Definitions
    order: tuple[str, ...]
    static: frozenset[str]
    held: frozenset[str]

    @property
    def states(self) -> frozenset[str]:
        """The states that have an ODE here."""
        return frozenset(self.rates)

    def is_static(self, expr: Expr) -> bool:
        """True if the value is fixed once parameters are known."""
        leaves = self.definitions.depends(expr) - self.definitions.values.keys()
        return leaves <= self.static and not is_random(expr)

    def is_held(self, expr: Expr) -> bool:
        """True if the value stays the same over a step."""
        leaves = self.definitions.depends(expr) - self.definitions.values.keys()
        return leaves <= self.static | self.held and not self.is_random(expr)

    def is_random(self, expr: Expr) -> bool:
        """True if random numbers enter, directly or through derived variables."""
        names = self.definitions.depends(expr) & self.definitions.values.keys()
        return is_random(expr) or any(is_random(self.definitions.values[n]) for n in names)

    def blocks(self) -> list[list[str]]:
        """The states in strongly connected sets, each after those it depends on."""
        graph = {
            name: self.definitions.depends(rate) & self.states for name, rate in self.rates.items()
        }
        return components(graph)


def systems(component: Component) -> Iterator[System]:
    """One system per combination of active regimes. Raises ModelError S204, S210."""
    machines = [machine.regimes for machine in component.machines]
    count = 1
    for regimes in machines:
        count *= len(regimes)
    if count > MAX_COMBINATIONS:
        message = (
            f"'{component.name}' has {count} combinations of regimes, more than {MAX_COMBINATIONS}"
        )
        raise error("S204", message, component.span)
    for combination in product(*machines):
        yield _system(component, combination)


def _system(component: Component, regimes: tuple[Regime, ...]) -> System:
    derived = {item.name: item.value for item in component.derived_variables}
    rates = {ode.variable: ode.rhs for ode in component.odes}
    for regime in regimes:
        derived.update({item.name: item.value for item in regime.derived_variables})
        rates.update({ode.variable: ode.rhs for ode in regime.odes})
    definitions = Definitions(derived)
    graph = {name: definitions.depends(value) & derived.keys() for name, value in derived.items()}
    order, circle = topological(graph)
    if circle:
        names = ", ".join(circle)
        message = f"derived variables of '{component.name}' depend on each other: {names}"
        raise error("S210", message, component.span)
    static = {item.name for item in statics(component)}
    inputs = {item.name for item in component.analog_inputs}
    still = {item.name for item in component.state_variables} - rates.keys()
    return System(
        component=component,
        regimes=tuple(regime.name for regime in regimes),
        rates=rates,
        definitions=definitions,
        order=tuple(order),
        static=frozenset(static),
        held=frozenset(inputs | still),
    )


def is_time_dependent(system: System, expr: Expr) -> bool:
    """True if `t` itself enters."""
    return TIME in system.definitions.depends(expr)


def restricted(component: Component, variables: tuple[str, ...]) -> System:
    """The system of `Integrate(variables)`: other states are held, traces move without being asked.

    A variable stands for its higher derivatives (`x__d`, `x__d__d`) too; no variables for all but traces.
    """
    whole = _system(component, ())
    chosen = {name for name in whole.rates if is_selected(component, name, variables)}
    rates = {
        name: rate
        for name, rate in whole.rates.items()
        if name in chosen or name in component.traces
    }
    still = whole.rates.keys() - rates.keys()
    return replace(whole, rates=rates, held=whole.held | still)


def is_selected(component: Component, name: str, variables: tuple[str, ...]) -> bool:
    """Does `Integrate(variables)` advance the state `name`?"""
    if not variables:
        return name not in component.traces
    while name.endswith(DERIVATIVE) and name not in variables:
        name = name.removesuffix(DERIVATIVE)
    return name in variables
