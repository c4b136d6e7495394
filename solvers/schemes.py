"""Numerical one-step schemes as straight-line code: explicit Runge-Kutta, exponential Euler, ROS2."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..canonical_model.algebra import divide, minus, plus, times
from ..canonical_model.diagnostics import error
from ..canonical_model.expr import ONE, ZERO, Call, Expr, Name, Number
from ..canonical_model.units import NEURO, NONE, UnitSystem
from .builder import Builder, Stage
from .plan import STEP
from .system import System

MAX_IMPLICIT = 16
H = Name(STEP)


@dataclass(frozen=True, slots=True)
class Tableau:
    """Butcher's coefficients of an explicit Runge-Kutta method; `error` for an embedded one."""

    nodes: tuple[float, ...]
    stages: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    error: tuple[float, ...] = ()


EULER = Tableau((0.0,), ((),), (1.0,))
RK4 = Tableau(
    (0.0, 0.5, 0.5, 1.0),
    ((), (0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)),
    (1 / 6, 1 / 3, 1 / 3, 1 / 6),
)
# Fehlberg 1969, NASA TR R-315, formula 2: order 5 is carried on, the order-4 result estimates the error
RKF45 = Tableau(
    (0.0, 1 / 4, 3 / 8, 12 / 13, 1.0, 1 / 2),
    (
        (),
        (1 / 4,),
        (3 / 32, 9 / 32),
        (1932 / 2197, -7200 / 2197, 7296 / 2197),
        (439 / 216, -8.0, 3680 / 513, -845 / 4104),
        (-8 / 27, 2.0, -3544 / 2565, 1859 / 4104, -11 / 40),
    ),
    (16 / 135, 0.0, 6656 / 12825, 28561 / 56430, -9 / 50, 2 / 55),
    (1 / 360, 0.0, -128 / 4275, -2197 / 75240, 1 / 50, 2 / 55),
)
TABLEAUS: Mapping[str, Tableau] = {"euler": EULER, "rk4": RK4, "rkf45": RKF45}
# a step of rkf45 is accepted when its error is below RELATIVE * |x|, with a floor (mV, pA, ..) for x near 0
RELATIVE = 1e-4
FLOOR = 1e-6

At = Callable[[float], Mapping[str, Expr]]


def explicit(
    tableau: Tableau,
    names: tuple[str, ...],
    system: System,
    builder: Builder,
    exact_at: At,
    units: UnitSystem = NEURO,
) -> tuple[dict[str, Expr], tuple[str, ...]]:
    """New values of the states `names`, and the locals that hold the scaled errors.

    `units` are those in which the states are computed.
    """
    slopes: list[dict[str, Expr]] = []
    for number, (node, row) in enumerate(zip(tableau.nodes, tableau.stages, strict=True)):
        values: dict[str, Expr] = {**exact_at(node)}
        for name in names:
            moved = _combine(row, slopes, name)
            values[name] = (
                Name(name)
                if moved == ZERO
                else builder.let(f"{name}_at{number}", plus(Name(name), times(H, moved)))
            )
        stage = builder.stage(values, node, f"_k{number}" if number else "")
        slopes.append(
            {
                name: builder.let(f"k{number}_{name}", stage.value(system.rates[name]))
                for name in names
            }
        )
    new = {
        name: builder.let(
            f"{name}_new", plus(Name(name), times(H, _combine(tableau.weights, slopes, name)))
        )
        for name in names
    }
    return new, tuple(_errors(tableau, slopes, new, builder, _floors(system, names, units)))


def _combine(row: tuple[float, ...], slopes: list[dict[str, Expr]], name: str) -> Expr:
    """sum of row[j] * k_j, equal weights factored out."""
    total: Expr = ZERO
    for weight, slope in zip(row, slopes, strict=False):
        if weight:
            total = plus(total, times(Number(weight), slope[name]))
    return total


def _floors(system: System, names: tuple[str, ...], units: UnitSystem) -> dict[str, float]:
    """FLOOR of each state's unit of the field (mV, pA, ...), in `units`."""
    known = {item.name: item.dimension for item in system.component.state_variables}
    sizes = {name: known.get(name, NONE) for name in names}
    return {n: FLOOR * NEURO.size(d) / units.size(d) for n, d in sizes.items()}


def _errors(
    tableau: Tableau,
    slopes: list[dict[str, Expr]],
    new: Mapping[str, Expr],
    builder: Builder,
    floors: Mapping[str, float],
) -> list[str]:
    found = []
    for name, floor in floors.items() if tableau.error else ():
        estimate = times(H, _combine(tableau.error, slopes, name))
        size = Call("max", (Call("abs", (Name(name),)), Call("abs", (new[name],))))
        scale = plus(times(Number(RELATIVE), size), Number(floor))
        local = builder.let(f"err_{name}", divide(estimate, scale))
        if isinstance(local, Name):  # a constant slope has no error
            found.append(local.id)
    return found


def exponential_euler(
    names: tuple[str, ...], system: System, builder: Builder, start: Stage
) -> dict[str, Expr]:
    """x + h exprel(h J) f with J = df/dx of each state alone: exact where f is linear in x, the rest frozen.

    Rosenbrock-Euler with the diagonal of the Jacobian (Hochbruck and Ostermann 2010, section 2.4).
    """
    new: dict[str, Expr] = {}
    for name in names:
        rate = builder.let(f"k_{name}", start.value(system.rates[name]))
        slope = system.definitions.derivative(system.rates[name], name)
        factor: Expr = H
        if slope != ZERO:
            local = builder.let(f"j_{name}", times(H, start.value(slope)))
            factor = times(H, Call("exprel", (local,)))
        new[name] = builder.let(f"{name}_new", plus(Name(name), times(rate, factor)))
    return new


def exponential_midpoint(
    names: tuple[str, ...], system: System, builder: Builder, start: Stage, exact_at: At
) -> dict[str, Expr]:
    """Exponential Euler to the middle of the step, then over all of it with the others held as there.

    Of order 2 where each rate is linear in its own state: f(x) = f(x_half) + J (x - x_half).
    """
    half: dict[str, Expr] = {}
    for name in names:
        rate = builder.let(f"k_{name}", start.value(system.rates[name]))
        slope = system.definitions.derivative(system.rates[name], name)
        factor: Expr = times(Number(0.5), H)
        if slope != ZERO:
            local = builder.let(f"j_{name}", times(factor, start.value(slope)))
            factor = times(factor, Call("exprel", (local,)))
        half[name] = builder.let(f"{name}_half", plus(Name(name), times(rate, factor)))
    middle = builder.stage({**exact_at(0.5), **half}, 0.5, "_m")
    new: dict[str, Expr] = {}
    for name in names:
        rate = builder.let(f"km_{name}", middle.value(system.rates[name]))
        slope = system.definitions.derivative(system.rates[name], name)
        if slope == ZERO:
            new[name] = builder.let(f"{name}_new", plus(Name(name), times(H, rate)))
            continue
        j = builder.let(f"jm_{name}", middle.value(slope))
        moved = builder.let(f"own_{name}", plus(rate, times(j, minus(Name(name), half[name]))))
        local = builder.let(f"hj_{name}", times(H, j))
        factor = times(H, Call("exprel", (local,)))
        new[name] = builder.let(f"{name}_new", plus(Name(name), times(moved, factor)))
    return new


def rosenbrock(
    names: tuple[str, ...], system: System, builder: Builder, start: Stage, exact_at: At
) -> dict[str, Expr]:
    """ROS2, L-stable of order 2, with the analytic Jacobian (Verwer et al. 1999, SIAM J. Sci. Comput. 20).

    Raises ModelError S203 for systems too large for straight-line elimination.
    """
    if len(names) > MAX_IMPLICIT:
        message = (
            f"{len(names)} coupled states are more than {MAX_IMPLICIT} for the implicit scheme"
        )
        raise error("S203", message, system.component.span, hint="choose --solver expeuler or rk4")
    gamma = Number(1.0 + 1.0 / math.sqrt(2.0))
    scale = builder.let("gh", times(gamma, H))
    matrix: list[list[Expr]] = []
    for row in names:
        line = []
        for column in names:
            slope = start.value(system.definitions.derivative(system.rates[row], column))
            entry = minus(ONE if row == column else ZERO, times(scale, slope))
            line.append(builder.let(f"m_{row}_{column}", entry))
        matrix.append(line)
    factors = _factorise(matrix, builder)
    first = _solve(factors, [start.value(system.rates[name]) for name in names], builder, "r1")
    values = {
        name: builder.let(f"{name}_at1", plus(Name(name), times(H, k)))
        for name, k in zip(names, first, strict=True)
    }
    end = builder.stage({**exact_at(1.0), **values}, 1.0, "_k1")
    right = [
        minus(end.value(system.rates[name]), times(Number(2.0), k))
        for name, k in zip(names, first, strict=True)
    ]
    second = _solve(factors, right, builder, "r2")
    return {
        name: builder.let(
            f"{name}_new",
            plus(
                Name(name),
                times(H, plus(times(Number(1.5), a), times(Number(0.5), b))),
            ),
        )
        for name, a, b in zip(names, first, second, strict=True)
    }


def _factorise(matrix: list[list[Expr]], builder: Builder) -> list[list[Expr]]:
    """LU without pivoting (I - gamma h J is diagonally dominant for the h of interest)."""
    size = len(matrix)
    lu = [list(row) for row in matrix]
    for k in range(size):
        for i in range(k + 1, size):
            if lu[i][k] == ZERO:
                continue
            lu[i][k] = builder.let(f"l_{i}_{k}", divide(lu[i][k], lu[k][k]))
            for j in range(k + 1, size):
                if lu[k][j] != ZERO:
                    changed = minus(lu[i][j], times(lu[i][k], lu[k][j]))
                    lu[i][j] = builder.let(f"u_{i}_{j}", changed)
    return lu


def _solve(lu: list[list[Expr]], right: list[Expr], builder: Builder, label: str) -> list[Expr]:
    size = len(lu)
    y: list[Expr] = []
    for i in range(size):
        value = right[i]
        for j in range(i):
            value = minus(value, times(lu[i][j], y[j]))
        y.append(builder.let(f"{label}_y{i}", value))
    x: list[Expr] = [ZERO] * size
    for i in reversed(range(size)):
        value = y[i]
        for j in range(i + 1, size):
            value = minus(value, times(lu[i][j], x[j]))
        x[i] = builder.let(f"{label}_x{i}", divide(value, lu[i][i]))
    return x
