"""What kind of system each block of states is, and how stiff the numbers make it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..canonical_model.expr import TIME, Call, Expr, Number, rebuild
from ..canonical_model.units import SI, VOLTAGE, UnitSystem
from ..canonical_model.units import TIME as TIME_DIMENSION
from .evaluate import evaluate, parameter_values
from .system import System, is_time_dependent

if TYPE_CHECKING:
    from .numeric import Array

    Slope: TypeAlias = Callable[[Sequence[float] | Array], Sequence[float]]

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


# an action potential in rough strokes: the membrane depolarised by this much, for this long
DEPOLARISED = 0.08  # V
TRIAL = 2e-3  # s
FINER = 8
BOUND = 3.0


def survives(
    system: System,
    names: tuple[str, ...],
    step: float,
    units: UnitSystem = SI,
    bare: UnitSystem = SI,
    implicit: bool = False,
) -> bool:
    """Does RK4 with `step` (s), or ROS2, stay near a run of RK4 with steps FINER times smaller, at rest and
    in a spike? `bare` as in `plan_update`.

    Rates at rest say little about a spike (Hodgkin-Huxley: 120/ms in it). Models that grow without
    bounds until they are reset grow in both runs, and pass.
    """
    import numpy as np

    try:
        values = start_values(system, units)
        slope_in = _slope(system, names, values)
    except (KeyError, ArithmeticError, ValueError, TypeError):
        return True
    volts = {s.name for s in system.component.state_variables if s.dimension == VOLTAGE}
    spike = DEPOLARISED / units.size(VOLTAGE) / bare.size(VOLTAGE)
    up = [spike if name in volts else 0.0 for name in names]
    # where a spike begins ROS2 may follow the slope out of all bounds, though it holds at its top
    shares = (0.0, 0.375, 0.5, 1.0) if implicit else (0.0, 1.0)
    h = step / units.size(TIME_DIMENSION)
    count = max(1, min(200, math.ceil(TRIAL / (step * bare.size(TIME_DIMENSION)))))
    for share in shares if any(up) else (0.0,):
        start = [values[name] + share * more for name, more in zip(names, up, strict=True)]
        with np.errstate(all="ignore"):
            try:
                stays = _stays(slope_in(float), start, h, count, implicit)
            except (ArithmeticError, TypeError, ValueError):
                # Python's floats are faster, but only numpy's divide by zero and overflow as C does
                numpy = [np.float64(x) for x in start]
                stays = _stays(slope_in(np.float64), numpy, h, count, implicit)
        if not stays:
            return False
    return True


def _stays(slope: Slope, start: Sequence[float], h: float, count: int, implicit: bool) -> bool:
    """True if the coarse run grows no more than the fine one, by RK4 or ROS2."""
    sizes = (_largest_implicit if implicit else _largest)(slope, start, h, count)
    # what stays near its start needs no finer run, and others only until it is as large
    finer = _growth(slope, start, h / FINER, count * FINER)
    return any(_is_near(sizes, largest) for largest in finer)


def _is_near(sizes: Sequence[float], largest: Sequence[float]) -> bool:
    if not all(map(math.isfinite, largest)):
        return True
    return all(a <= BOUND * b + 1e-12 for a, b in zip(sizes, largest, strict=True))


def _largest(slope: Slope, start: Sequence[float], h: float, count: int) -> Sequence[float]:
    """The largest absolute values that RK4 reaches in `count` steps."""
    *_, last = _growth(slope, start, h, count)
    return last


def _growth(slope: Slope, start: Sequence[float], h: float, count: int) -> Iterator[list[float]]:
    """The largest absolute values so far, at the start and after each step of RK4; ends at infinity."""
    # a few numbers one by one: several times faster than arrays of them
    y = list(start)
    largest = [abs(x) for x in y]
    half, sixth, places = h / 2, h / 6, range(len(y))
    yield largest
    for _ in range(count):
        a = slope(y)
        b = slope([y[k] + half * a[k] for k in places])
        c = slope([y[k] + half * b[k] for k in places])
        d = slope([y[k] + h * c[k] for k in places])
        y = [y[k] + sixth * (a[k] + 2 * b[k] + 2 * c[k] + d[k]) for k in places]
        if not all(map(math.isfinite, y)):
            yield [math.inf] * len(y)
            return
        largest = [max(largest[k], abs(y[k])) for k in places]
        yield largest


def _largest_implicit(
    slope: Slope, start: Sequence[float], h: float, count: int
) -> Sequence[float]:
    """The same as `_largest` of ROS2, with the Jacobian from differences."""
    import numpy as np

    def rates(at: Array) -> Array:
        return np.array(slope(at), dtype=float)

    y = np.array(start, dtype=float)
    largest = np.abs(y)
    gamma = 1.0 + 1.0 / math.sqrt(2.0)
    for _ in range(count):
        rate = rates(y)
        shifts = 1e-7 * (np.abs(y) + 1e-6)
        columns = [
            (rates(y + shift * unit) - rate) / shift
            for shift, unit in zip(shifts, np.eye(len(y)), strict=True)
        ]
        matrix = np.eye(len(y)) - gamma * h * np.array(columns).T
        if not np.isfinite(matrix).all():
            return [math.inf] * len(y)
        try:
            a = np.linalg.solve(matrix, rate)
            b = np.linalg.solve(matrix, rates(y + h * a) - 2 * a)
        except np.linalg.LinAlgError:
            return [math.inf] * len(y)
        y = y + h * (1.5 * a + 0.5 * b)
        largest = np.maximum(largest, np.abs(y))
    return list(largest)


def _slope(
    system: System, names: tuple[str, ...], values: dict[str, float]
) -> Callable[[type[float]], Slope]:
    """dy/dt of the states `names`, everything else as at the start, in numbers of a kind."""
    import numpy as np

    from . import numeric
    from .numpy_printer import print_numpy

    own = {name: f"y[{k}]" for k, name in enumerate(names)}
    table = {name: own.get(name, f"v[{name!r}]") for name in values}
    needed: frozenset[str] = frozenset()
    for name in names:
        needed |= system.definitions.depends(system.rates[name])
    lines = []
    for k, name in enumerate(n for n in system.order if n in needed):
        lines.append(f"x{k} = {print_numpy(system.definitions.values[name], table)}")
        table[name] = f"x{k}"
    rates = ", ".join(print_numpy(system.rates[name], table) for name in names)
    body = "\n    ".join([*lines, f"return [{rates}]"])
    code = compile(f"def slope(y):\n    {body}\n", "<slope>", "exec")

    def in_numbers(kind: type[float]) -> Slope:
        known = {name: kind(value) for name, value in values.items()}
        scope: dict[str, object] = {"np": np, "nm": numeric, "v": known, "bool": bool}
        exec(code, scope)
        found = scope["slope"]
        assert callable(found)
        return found

    return in_numbers


def _number(system: System, expr: Expr, values: dict[str, float]) -> float:
    known = dict(values)
    needed = system.definitions.depends(expr)
    for name in system.order:
        if name in needed:
            known[name] = float(evaluate(_expected(system.definitions.values[name]), known))
    return float(evaluate(_expected(expr), known))


def _expected(expr: Expr) -> Expr:
    """Random draws replaced by their means."""
    inner = rebuild(expr, _expected)
    match inner:
        case Call("uniform"):
            return Number(0.5)
        case Call("normal"):
            return Number(0.0)
        case Call("poisson", (mean,)):
            return mean
    return inner


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
