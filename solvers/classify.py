"""What kind of system each block of states is, and how stiff the numbers make it."""

from __future__ import annotations

from dataclasses import dataclass

from ..canonical_model.expr import TIME, Expr
from ..canonical_model.units import SI, UnitSystem
from ..canonical_model.units import TIME as TIME_DIMENSION
from .evaluate import evaluate, parameter_values
from .system import System, is_time_dependent

# |lambda| h beyond this makes fourth-order Runge-Kutta inaccurate well before it is unstable (2.78)
STIFF = 0.5


@dataclass(frozen=True, slots=True)
class Stiffness:
    """The fastest rate (1/s) at the initial state; 0 where it cannot be estimated."""

    fastest: float

    def is_stiff(self, step: float | None) -> bool:
        """True if the step is too long for an explicit method."""
        return step is not None and self.fastest * step > STIFF


def kind_of(system: System, block: list[str]) -> str:
    """The class of a block in one phrase."""
    rates = {name: system.rates[name] for name in block}
    if any(system.is_random(rate) for rate in rates.values()):
        return "stochastic"
    forms = [system.definitions.linear(rate, system.states) for rate in rates.values()]
    prefix = "time-dependent " if any(is_time_dependent(system, r) for r in rates.values()) else ""
    if all(form is not None for form in forms):
        fixed = all(
            system.is_static(value)
            for form in forms
            if form
            for value in form.coefficients.values()
        )
        if fixed:
            return f"{prefix}linear with constant coefficients"
        return f"{prefix}linear with changing coefficients"
    if all(is_conditionally_linear(system, name) for name in block):
        return f"{prefix}conditionally linear"
    own = frozenset(block)
    if all(system.definitions.linear(rate, own) is not None for rate in rates.values()):
        return f"{prefix}linear in its own states"
    return f"{prefix}nonlinear"


def is_conditionally_linear(system: System, name: str) -> bool:
    """True if dx/dt = a + b x with a and b free of x."""
    return system.definitions.linear(system.rates[name], frozenset({name})) is not None


def stiffness(system: System, names: tuple[str, ...], units: UnitSystem = SI) -> Stiffness:
    """The spectral radius of the Jacobian at the initial state, with default parameters.

    `units` are those in which the literals of the equations are to be read.
    """
    import numpy as np

    try:
        values = start_values(system, units)
        jacobian = [
            [
                _number(system, system.definitions.derivative(system.rates[r], c), values)
                for c in names
            ]
            for r in names
        ]
        matrix = np.array(jacobian, dtype=float)
    except (KeyError, ArithmeticError, ValueError, TypeError):
        return Stiffness(0.0)
    if not np.all(np.isfinite(matrix)):
        return Stiffness(0.0)
    # rows and columns have different units; balancing by the eigenvalues themselves is unit-free
    fastest = float(np.max(np.abs(np.linalg.eigvals(matrix))))
    return Stiffness(fastest / units.size(TIME_DIMENSION))


def _number(system: System, expr: Expr, values: dict[str, float]) -> float:
    known = dict(values)
    needed = system.definitions.depends(expr)
    for name in system.order:
        if name in needed:
            known[name] = float(evaluate(system.definitions.values[name], known))
    return float(evaluate(expr, known))


def start_values(system: System, units: UnitSystem = SI) -> dict[str, float]:
    """Parameters and initial states in `units`; inputs at their defaults, unknown states at 0 first."""
    component = system.component
    values = {
        name: float(value) for name, value in parameter_values(component, units=units).items()
    }
    values[TIME] = 0.0
    values.update({item.name: item.default for item in component.analog_inputs})
    values.update({item.name: 0.0 for item in component.state_variables})
    for _ in range(2):
        for item in component.state_variables:
            if item.initial is not None:
                values[item.name] = _number(system, item.initial, values)
    return values
