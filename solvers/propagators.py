"""Exact updates of linear systems with constant coefficients.

x' = A x + B u + c with u held over the step has x(h) = P x + Q (B u + c), P = exp(A h), Q its integral.
For triangular A the elements are sums over dependency paths of the product of the off-diagonal
coefficients times a divided difference of exp (Opitz 1964; Parlett 1976 for the recurrence), which has no
singularity at equal time constants. Coupled systems use the matrix exponential of [[A, I], [0, 0]].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from ..canonical_model.algebra import Linear, minus, plus, times
from ..canonical_model.diagnostics import error
from ..canonical_model.expr import (
    ONE,
    ZERO,
    Call,
    Expr,
    Name,
    Number,
    free_names,
    is_random,
    substitute,
    walk,
)
from .builder import Names, Stage
from .graph import components
from .plan import STEP, Coefficient, MatrixExponential
from .system import System

Table: TypeAlias = dict[tuple[str, str], Expr]

MAX_PATHS = 200
MAX_COUPLED = 40
MAX_FIXED = 10_000  # nodes of a derived variable that never changes


@dataclass(slots=True)
class ExactSystem:
    """The exactly solvable states: x' = A x + sum_k G_k u_k + c + rest, rest evaluated at the start."""

    states: tuple[str, ...]
    matrix: dict[str, dict[str, Expr]]
    gains: dict[str, dict[str, Expr]]
    constants: dict[str, Expr]
    rests: dict[str, Expr]


@dataclass(slots=True)
class Coefficients:
    """Collects the coefficients of a plan; equal expressions share one."""

    names: Names
    items: list[Coefficient] = field(default_factory=list)
    matrices: list[MatrixExponential] = field(default_factory=list)
    _known: dict[Expr, str] = field(default_factory=dict)

    def let(self, wanted: str, value: Expr) -> Expr:
        """A coefficient with this value; literals stay literals."""
        if isinstance(value, Number):
            return value
        if value not in self._known:
            self._known[value] = self.names.fresh(wanted)
            self.items.append(Coefficient(name=self._known[value], value=value))
        return Name(self._known[value])


def exact_system(system: System) -> ExactSystem:
    """The largest set of states that constant-coefficient linear theory solves."""
    fixed = _fixed(system)
    forms = {name: _form(system, name, fixed) for name in system.rates}
    chosen = {name for name, form in forms.items() if form is not None}
    changed = True
    while changed:
        changed = False
        for name in sorted(chosen):
            form = forms[name]
            assert form is not None
            if any(other not in chosen for other in form.coefficients):
                chosen.discard(name)
                changed = True
    states = tuple(name for name in system.rates if name in chosen)
    matrix, gains, constants, rests = {}, {}, {}, {}
    for name in states:
        form = forms[name]
        assert form is not None
        matrix[name] = {n: c for n, c in form.coefficients.items() if c != ZERO}
        gains[name], constants[name], rests[name] = _split(system, form.rest, fixed)
    return ExactSystem(states, matrix, gains, constants, rests)


def _fixed(system: System) -> dict[str, Expr]:
    """Derived variables that never change, in terms of statics: coefficients are computed before any
    derived variable is. Those of absurd size are left out."""
    found: dict[str, Expr] = {}
    sizes: dict[str, int] = {}
    for name in system.order:
        value = system.definitions.values[name]
        if not system.is_static(value):
            continue
        nodes = list(walk(value))
        size = len(nodes) + sum(sizes.get(n.id, 0) for n in nodes if isinstance(n, Name))
        if size <= MAX_FIXED and not free_names(value) & system.definitions.values.keys() - found:
            found[name] = substitute(value, found)
            sizes[name] = size
    return found


def _form(system: System, name: str, fixed: Mapping[str, Expr]) -> Linear | None:
    """The rate as a linear form with static coefficients and a held rest, or None."""
    form = system.definitions.linear(system.rates[name], system.states)
    if form is None or not system.is_held(form.rest):
        return None
    if not all(system.is_static(value) for value in form.coefficients.values()):
        return None
    coefficients = {other: substitute(c, fixed) for other, c in form.coefficients.items()}
    if any(free_names(c) - system.static for c in coefficients.values()):
        return None
    return Linear(coefficients, substitute(form.rest, fixed))


def obstacle(system: System, name: str) -> str:
    """Why `name` has no exact solution: a sentence for the modeller."""
    form = system.definitions.linear(system.rates[name], system.states)
    if form is None:
        return f"d{name}/dt is not linear in the states"
    for other, value in form.coefficients.items():
        if not system.is_static(value):
            return f"the coefficient of {other} in d{name}/dt changes during the run"
    if not system.is_held(form.rest):
        return f"d{name}/dt depends on time or chance directly"
    return f"d{name}/dt depends on a state that has no exact solution"


def _split(
    system: System, rest: Expr, fixed: Mapping[str, Expr]
) -> tuple[dict[str, Expr], Expr, Expr]:
    """rest = sum gains[u] * u + constant + remainder, u over held names, gains and constant static."""
    if system.is_static(rest):
        return ({}, rest, ZERO) if free_names(rest) <= system.static else ({}, ZERO, rest)
    form = system.definitions.linear(rest, system.held)
    if form is None:
        return {}, ZERO, rest
    gains = {name: substitute(value, fixed) for name, value in form.coefficients.items()}
    constant = substitute(form.rest, fixed)
    if all(
        free_names(value) <= system.static for value in (*gains.values(), constant)
    ) and not is_random(rest):
        return gains, constant, ZERO
    return {}, ZERO, rest


def propagate(
    exact: ExactSystem, coefficients: Coefficients, fraction: float, start: Stage
) -> dict[str, Expr]:
    """The exact states after `fraction` of the step, as expressions of the start's values."""
    if not exact.states:
        return {}
    h: Expr = Name(STEP) if fraction == 1.0 else times(Number(fraction), Name(STEP))
    suffix = "" if fraction == 1.0 else "_half"
    homogeneous, integrals = _elements(exact, coefficients, h, suffix)
    result = {}
    for name in exact.states:
        total: Expr = ZERO
        for other in exact.states:
            element = homogeneous.get((name, other), ZERO)
            if element != ZERO:
                coefficient = coefficients.let(f"P_{name}_{other}{suffix}", element)
                total = plus(total, times(coefficient, start.value(Name(other))))
        total = plus(total, _driven(exact, name, integrals, coefficients, suffix, start))
        result[name] = total
    return result


def _driven(
    exact: ExactSystem,
    name: str,
    integrals: Table,
    coefficients: Coefficients,
    suffix: str,
    start: Stage,
) -> Expr:
    """The part of the update that comes from constants, held inputs and remainders."""
    by_input: dict[str, Expr] = {}
    constant: Expr = ZERO
    total: Expr = ZERO
    for other in exact.states:
        integral = integrals.get((name, other), ZERO)
        if integral == ZERO:
            continue
        constant = plus(constant, times(integral, exact.constants[other]))
        for held, gain in exact.gains[other].items():
            by_input[held] = plus(by_input.get(held, ZERO), times(integral, gain))
        if exact.rests[other] != ZERO:
            factor = coefficients.let(f"Q_{name}_{other}{suffix}", integral)
            total = plus(total, times(factor, start.value(exact.rests[other])))
    for held, gain in by_input.items():
        factor = coefficients.let(f"Q_{name}_{held}{suffix}", gain)
        total = plus(total, times(factor, start.value(Name(held))))
    if constant != ZERO:
        total = plus(total, coefficients.let(f"c_{name}{suffix}", constant))
    return total


def _elements(
    exact: ExactSystem, coefficients: Coefficients, h: Expr, suffix: str
) -> tuple[Table, Table]:
    """P and Q by (row, column); elements that are zero are left out."""
    graph = {name: exact.matrix[name].keys() - {name} for name in exact.states}
    if all(len(component) == 1 for component in components(graph)):
        paths = {name: list(_paths(exact, name)) for name in exact.states}
        if all(len(found) <= MAX_PATHS for found in paths.values()):
            return _by_paths(exact, paths, h)
    return _by_exponential(exact, coefficients, h, suffix)


def _paths(exact: ExactSystem, start: str) -> Iterator[tuple[str, ...]]:
    """Every dependency path from `start`, itself included, at most MAX_PATHS + 1."""
    stack: list[tuple[str, ...]] = [(start,)]
    count = 0
    while stack and count <= MAX_PATHS:
        path = stack.pop()
        count += 1
        yield path
        last = path[-1]
        stack.extend((*path, other) for other in exact.matrix[last] if other != last)


def _by_paths(
    exact: ExactSystem, paths: dict[str, list[tuple[str, ...]]], h: Expr
) -> tuple[Table, Table]:
    homogeneous: Table = {}
    integral: Table = {}
    for row, found in paths.items():
        for path in found:
            weight: Expr = ONE
            for here, there in pairwise(path):
                weight = times(weight, exact.matrix[here][there])
            points = [exact.matrix[name].get(name, ZERO) for name in path]
            key = (row, path[-1])
            term = times(weight, _divided(points, h))
            homogeneous[key] = plus(homogeneous.get(key, ZERO), term)
            term = times(weight, _divided([ZERO, *points], h))
            integral[key] = plus(integral.get(key, ZERO), term)
    return homogeneous, integral


def _divided(points: list[Expr], h: Expr) -> Expr:
    """h^k exp[x0 h, ..., xk h], in the cheapest form that loses no digits."""
    if len(points) == 1:
        return ONE if points[0] == ZERO else Call("exp", (times(points[0], h),))
    if len(points) == 2:
        a, b = points if points[1] == ZERO else (points[1], points[0])
        inner: Expr = ONE if a == b else Call("exprel", (times(minus(a, b), h),))
        outer = h if b == ZERO else times(h, Call("exp", (times(b, h),)))
        return times(outer, inner)
    total: Expr = Call("expdd", tuple(times(point, h) for point in points))
    for _ in points[1:]:
        total = times(h, total)
    return total


def _by_exponential(
    exact: ExactSystem, coefficients: Coefficients, h: Expr, suffix: str
) -> tuple[Table, Table]:
    """P and Q from exp of [[A, I], [0, 0]] h, computed with numbers on the host."""
    states = exact.states
    size = len(states)
    if size > MAX_COUPLED:
        message = f"{size} coupled linear equations are more than {MAX_COUPLED}"
        raise error("S205", message, hint="choose --solver rk4 or implicit")
    scale = ONE if h == Name(STEP) else Number(0.5)
    rows: list[tuple[Expr, ...]] = []
    names: list[tuple[str, ...]] = []
    homogeneous: Table = {}
    integral: Table = {}
    for i, row in enumerate(states):
        entries = [times(scale, exact.matrix[row].get(column, ZERO)) for column in states]
        unit = [scale if i == j else ZERO for j in range(size)]
        rows.append((*entries, *unit))
        own = []
        for prefix, table in (("P", homogeneous), ("Q", integral)):
            for column in states:
                name = coefficients.names.fresh(f"{prefix}_{row}_{column}{suffix}_m")
                table[row, column] = Name(name)
                own.append(name)
        names.append(tuple(own))
    for _ in states:
        rows.append((ZERO,) * (2 * size))
        names.append(("",) * (2 * size))
    coefficients.matrices.append(MatrixExponential(names=tuple(names), entries=tuple(rows)))
    return homogeneous, integral
