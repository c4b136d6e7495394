"""The rates that an adaptive solver evaluates, arranged so that an evaluation costs little.

What is the same at every stage of a step is computed before it, divisions by it become multiplications, and
exponentials whose arguments have commensurate slopes are made of one: all to within a few units of the last
place, far below what a solver's tolerance can see.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...canonical_model.algebra import divide, times
from ...canonical_model.expr import (
    ONE,
    TIME,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    is_random,
    rebuild,
    walk,
)
from ...solvers.system import System
from .body_code import Scope, local_name
from .flow import Flow
from .printer import print_cpp

INLINED = 200  # nodes of expressions: rates that are written out at each of their six calls
MAX_RATIO = 4
MAX_SHIFT = 30.0  # of exponents: a shared exponential must not overflow where its member would not


@dataclass(frozen=True, slots=True)
class Rates:
    """Lines before the solver is called, lines of an evaluation (dy from y, x, t), and its size."""

    before: list[str]
    inside: list[str]
    size: int

    @property
    def attribute(self) -> str:
        """How the evaluation is to be inlined."""
        return " INTERSPIKE_ALWAYS" if self.size <= INLINED else ""


@dataclass(slots=True)
class _Writer:
    """Collects the lines; `moving` names differ between the stages of a step."""

    system: System
    scope: Scope
    moving: frozenset[str]
    indents: tuple[str, str]
    before: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    size: int = 0
    held: dict[Expr, str] = field(default_factory=dict)
    shared: dict[Expr, Expr] = field(default_factory=dict)

    def moves(self, expr: Expr) -> bool:
        """True if the value differs between stages."""
        return bool(self.system.definitions.depends(expr) & self.moving) or self.system.is_random(
            expr
        )

    def text(self, expr: Expr) -> str:
        """C++ of an expression of an evaluation."""
        found = self.tidy(expr)
        self.size += sum(1 for _ in walk(found))
        return print_cpp(found, self.scope.names)

    def tidy(self, expr: Expr) -> Expr:
        """Cheaper, with the same value."""
        if expr in self.shared:
            return self.shared[expr]
        match expr:
            case Binary("/", left, right) if not self.moves(right) and self.moves(left):
                return times(self.tidy(left), self.reciprocal(right))
            case Binary("*", left, right):
                return times(self.tidy(left), self.tidy(right))
        return rebuild(expr, self.tidy)

    def reciprocal(self, expr: Expr) -> Expr:
        """1 / expr, where expr is the same at every stage."""
        if isinstance(expr, Number):
            if expr.value and math.isfinite(1.0 / expr.value):
                return divide(ONE, Number(expr.value))
            return Binary("/", ONE, expr)
        return Name(self.hold(Binary("/", ONE, expr)))

    def hold(self, expr: Expr) -> str:
        """The name of a value computed before the solver is called."""
        if expr not in self.held:
            name = f"held {len(self.held)}"
            local = local_name(self.scope, "held", "r_")
            self.before.append(
                f"{self.indents[0]}const double {local} = {print_cpp(expr, self.scope.names)};"
            )
            self.scope.names[name] = local
            self.held[expr] = name
        return self.held[expr]


def rates_code(
    system: System, flow: Flow, scope: Scope, names: Mapping[str, str], indents: tuple[str, str]
) -> Rates:
    """dy from y: derived variables in order of dependence, then the rates."""
    inner = scope.inner()
    inner.names[TIME] = "t"
    moving = frozenset({*flow.numeric, *flow.followed, TIME})
    writer = _Writer(system, inner, moving, indents)
    definitions = system.definitions
    rates = [system.rates[name] for name in flow.numeric]
    needed: set[str] = set()
    for rate in rates:
        needed |= definitions.depends(rate) & definitions.values.keys()
    order = [name for name in system.order if name in needed]
    late = [name for name in order if writer.moves(definitions.values[name])]
    for name in order:
        if name not in late:
            text = print_cpp(definitions.values[name], inner.names)
            _define(writer, name, text, writer.before, indents[0])
    inner.names.update(names)
    _share_exponentials(writer, [*(definitions.values[name] for name in late), *rates])
    for name in late:
        _define(writer, name, writer.text(definitions.values[name]), writer.inside, indents[1])
    for number, rate in enumerate(rates):
        writer.inside.append(f"{indents[1]}dy[ {number} ] = {writer.text(rate)};")
    return Rates(writer.before, writer.inside, writer.size)


def _define(writer: _Writer, name: str, text: str, lines: list[str], indent: str) -> None:
    local = local_name(writer.scope, name, "v_")
    lines.append(f"{indent}const double {local} = {text};")
    writer.scope.names[name] = local


def _share_exponentials(writer: _Writer, values: list[Expr]) -> None:
    """exp(a v + b) with literal a and b: those whose slopes are multiples of one are powers of it."""
    found: dict[str, dict[Expr, tuple[float, float]]] = {}
    for value in values:
        for node in walk(value):
            if isinstance(node, Call) and node.function == "exp" and not is_random(node):
                form = _line(writer, node.args[0])
                if form is not None:
                    found.setdefault(form[0], {})[node] = form[1:]
    for members in found.values():
        rest = sorted(members, key=lambda node: (abs(members[node][0]), members[node][1]))
        while rest:
            base = rest[0]
            group = [node for node in rest if _ratio(members[base], members[node])]
            if len(group) > 1:
                _share(writer, members, group)
            rest = [node for node in rest if node not in group]


def _line(writer: _Writer, argument: Expr) -> tuple[str, float, float] | None:
    """The argument as (v, a, b) of a v + b, or None."""
    form = writer.system.definitions.linear(argument, writer.moving)
    if form is None or not isinstance(form.rest, Number):
        return None
    lines = [
        (n, c.value) for n, c in form.coefficients.items() if isinstance(c, Number) and c.value
    ]
    if len(lines) != 1 or len(form.coefficients) != 1:
        return None
    return (*lines[0], form.rest.value)


def _ratio(base: tuple[float, float], other: tuple[float, float]) -> int:
    """How many times the slope of `base` the other slope is; 0 if the two cannot be shared."""
    ratio = other[0] / base[0]
    whole = round(ratio)
    if not 1 <= whole <= MAX_RATIO or abs(ratio - whole) > 1e-12:
        return 0
    return whole if abs(other[1] - whole * base[1]) <= MAX_SHIFT else 0


def _share(writer: _Writer, members: Mapping[Expr, tuple[float, float]], group: list[Expr]) -> None:
    """One local with the exponential of the smallest slope; each member a power of it."""
    base = group[0]
    # the derived variables that the argument reads come first
    assert isinstance(base, Call)
    argument = writer.tidy(_resolved(writer, base.args[0]))
    local = local_name(writer.scope, "exponential", "e_")
    name = f"shared {local}"
    text = print_cpp(Call("exp", (argument,)), writer.scope.names)
    writer.inside.append(f"{writer.indents[1]}const double {local} = {text};")
    writer.scope.names[name] = local
    for node in group:
        ratio = _ratio(members[base], members[node])
        factor = Number(math.exp(members[node][1] - ratio * members[base][1]))
        value: Expr = Name(name)
        if ratio > 1:
            value = Binary("^", value, Number(float(ratio)))
        writer.shared[node] = times(factor, value)


def _resolved(writer: _Writer, expr: Expr) -> Expr:
    """`expr` with derived variables that are not computed yet replaced by their values."""
    values = writer.system.definitions.values
    if isinstance(expr, Name) and expr.id in values and expr.id not in writer.scope.names:
        return _resolved(writer, values[expr.id])
    return rebuild(expr, lambda part: _resolved(writer, part))
