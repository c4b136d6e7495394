"""Algebra on expression trees: light folding, linear forms and derivatives. No sympy, bounded work."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from .expr import (
    ONE,
    ZERO,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    Unary,
    children,
)

MINUS_ONE = Number(-1.0)


def _literals(a: Expr, b: Expr) -> tuple[float, float] | None:
    """Two pure numbers; literals with units are left as they stand, since a result would need one too."""
    if isinstance(a, Number) and isinstance(b, Number) and a.unit is None and b.unit is None:
        return a.value, b.value
    return None


def plus(a: Expr, b: Expr) -> Expr:
    """a + b, without zeros and with literals folded."""
    if a == ZERO:
        return b
    if b == ZERO:
        return a
    if both := _literals(a, b):
        return Number(both[0] + both[1])
    if isinstance(b, Unary) and b.op == "-":
        return minus(a, b.operand)
    return Binary("+", a, b)


def minus(a: Expr, b: Expr) -> Expr:
    """a - b, folded."""
    if b == ZERO:
        return a
    if a == ZERO:
        return negative(b)
    if both := _literals(a, b):
        return Number(both[0] - both[1])
    return Binary("-", a, b)


def times(a: Expr, b: Expr) -> Expr:
    """a * b, folded."""
    if ZERO in (a, b):
        return ZERO
    if a == ONE:
        return b
    if b == ONE:
        return a
    if both := _literals(a, b):
        return Number(both[0] * both[1])
    if a == MINUS_ONE:
        return negative(b)
    if b == MINUS_ONE:
        return negative(a)
    return Binary("*", a, b)


def divide(a: Expr, b: Expr) -> Expr:
    """a / b, folded."""
    if a == ZERO:
        return ZERO
    if b == ONE:
        return a
    if (both := _literals(a, b)) and both[1]:
        return Number(both[0] / both[1])
    return Binary("/", a, b)


def negative(a: Expr) -> Expr:
    """-a, folded."""
    if isinstance(a, Number):
        return Number(-a.value, a.unit)
    if isinstance(a, Unary) and a.op == "-":
        return a.operand
    return Unary("-", a)


def power(a: Expr, b: Expr) -> Expr:
    """a ^ b, folded for exponents 0 and 1."""
    if b == ZERO:
        return ONE
    return a if b == ONE else Binary("^", a, b)


@dataclass(frozen=True, slots=True)
class Linear:
    """rest + sum of coefficients[x] * x."""

    coefficients: Mapping[str, Expr]
    rest: Expr


@dataclass(slots=True)
class Definitions:
    """Derived variables by name; answers what an expression depends on, through all of them."""

    values: Mapping[str, Expr]
    _depends: dict[str, frozenset[str]] = field(default_factory=dict)
    _derivatives: dict[tuple[str, str], Expr] = field(default_factory=dict)
    _linear: dict[tuple[str, frozenset[str]], Linear | None] = field(default_factory=dict)

    def depends(self, expr: Expr) -> frozenset[str]:
        """All names that the value depends on, derived variables resolved (and named as well)."""
        found: set[str] = set()
        stack = [expr]
        while stack:
            node = stack.pop()
            if isinstance(node, Name):
                if node.id not in found:
                    found.add(node.id)
                    found |= self.of_name(node.id)
            else:
                stack.extend(children(node))
        return frozenset(found)

    def of_name(self, name: str) -> frozenset[str]:
        """What the derived variable `name` depends on (nothing for other names)."""
        known = self._depends.get(name)
        if known is None:
            self._depends[name] = frozenset()
            value = self.values.get(name)
            known = self._depends[name] = self.depends(value) if value is not None else frozenset()
        return known

    def linear(self, expr: Expr, variables: frozenset[str]) -> Linear | None:
        """`expr` as an affine form in `variables` (coefficients free of them), or None."""
        match expr:
            case Name(name) if name in variables:
                return Linear({name: ONE}, ZERO)
            case Name(name) if name in self.values and self.of_name(name) & variables:
                key = (name, variables)
                if key not in self._linear:
                    self._linear[key] = self.linear(self.values[name], variables)
                return self._linear[key]
            case Binary("+" | "-", left, right):
                return _add(self.linear(left, variables), self.linear(right, variables), expr.op)
            case Binary("*", left, right):
                return _multiply(self.linear(left, variables), self.linear(right, variables))
            case Binary("/", left, right):
                return self._quotient(left, right, variables)
            case Unary("-", operand):
                inner = self.linear(operand, variables)
                return inner and _scale(inner, negative)
        return None if self.depends(expr) & variables else Linear({}, expr)

    def _quotient(self, left: Expr, right: Expr, variables: frozenset[str]) -> Linear | None:
        if self.depends(right) & variables:
            return None
        top = self.linear(left, variables)
        return top and _scale(top, lambda part: divide(part, right))

    def derivative(self, expr: Expr, name: str) -> Expr:
        """d expr / d name, in terms of the same derived variables; 0 almost everywhere for steps."""
        if name not in self.depends(expr):
            return ZERO
        match expr:
            case Name(other):
                return ONE if other == name else self._of_derived(other, name)
            case Unary(_, operand):
                return negative(self.derivative(operand, name))
            case Binary("+", left, right):
                return plus(self.derivative(left, name), self.derivative(right, name))
            case Binary("-", left, right):
                return minus(self.derivative(left, name), self.derivative(right, name))
            case Binary("*", left, right):
                return plus(
                    times(self.derivative(left, name), right),
                    times(left, self.derivative(right, name)),
                )
            case Binary("/", left, right):
                a, b = self.derivative(left, name), self.derivative(right, name)
                return minus(divide(a, right), divide(times(left, b), times(right, right)))
            case Binary("^", left, right):
                return self._of_power(left, right, name)
            case Call(function, args):
                inner = [times(_outer(function, args, i), self.derivative(arg, name))
                         for i, arg in enumerate(args)]  # fmt: skip
                total = ZERO if not inner else inner[0]
                for term in inner[1:]:
                    total = plus(total, term)
                return total
            case Conditional(cases, otherwise):
                changed = tuple((test, self.derivative(value, name)) for test, value in cases)
                return Conditional(changed, self.derivative(otherwise, name))
        return ZERO

    def _of_derived(self, derived: str, name: str) -> Expr:
        key = (derived, name)
        if key not in self._derivatives:
            self._derivatives[key] = self.derivative(self.values[derived], name)
        return self._derivatives[key]

    def _of_power(self, base: Expr, exponent: Expr, name: str) -> Expr:
        outer = times(exponent, power(base, minus(exponent, ONE)))
        by_base = times(outer, self.derivative(base, name))
        by_exponent = self.derivative(exponent, name)
        if by_exponent == ZERO:
            return by_base
        return plus(
            by_base, times(times(Binary("^", base, exponent), Call("log", (base,))), by_exponent)
        )


def _add(a: Linear | None, b: Linear | None, op: str) -> Linear | None:
    if a is None or b is None:
        return None
    join = plus if op == "+" else minus
    names = dict.fromkeys([*a.coefficients, *b.coefficients])
    coefficients = {
        name: join(a.coefficients.get(name, ZERO), b.coefficients.get(name, ZERO)) for name in names
    }
    return Linear(coefficients, join(a.rest, b.rest))


def _multiply(a: Linear | None, b: Linear | None) -> Linear | None:
    if a is None or b is None or (a.coefficients and b.coefficients):
        return None
    if a.coefficients:
        return _scale(a, lambda part: times(part, b.rest))
    return _scale(b, lambda part: times(a.rest, part))


def _scale(form: Linear, change: object) -> Linear:
    assert callable(change)
    return Linear({n: change(c) for n, c in form.coefficients.items()}, change(form.rest))


def _outer(function: str, args: tuple[Expr, ...], index: int) -> Expr:
    """The partial derivative of a function by its argument `index`."""
    x = args[0] if args else ZERO
    call = Call(function, args)
    two = Number(2.0)
    if function in ("min", "max"):
        test = Binary("<" if function == "min" else ">", args[index], args[1 - index])
        return Conditional(((test, ONE),), ZERO)
    table: dict[str, Expr] = {
        "sin": Call("cos", (x,)),
        "cos": negative(Call("sin", (x,))),
        "tan": plus(ONE, power(call, two)),
        "asin": divide(ONE, Call("sqrt", (minus(ONE, power(x, two)),))),
        "acos": negative(divide(ONE, Call("sqrt", (minus(ONE, power(x, two)),)))),
        "atan": divide(ONE, plus(ONE, power(x, two))),
        "sinh": Call("cosh", (x,)),
        "cosh": Call("sinh", (x,)),
        "tanh": minus(ONE, power(call, two)),
        "exp": call,
        "expm1": Call("exp", (x,)),
        "log": divide(ONE, x),
        "log10": divide(ONE, times(x, Number(math.log(10.0)))),
        "sqrt": divide(Number(0.5), call),
        "abs": Call("sign", (x,)),
        "erf": times(Number(2 / math.sqrt(math.pi)), Call("exp", (negative(power(x, two)),))),
        "erfc": times(Number(-2 / math.sqrt(math.pi)), Call("exp", (negative(power(x, two)),))),
        "exprel": divide(minus(Call("exp", (x,)), call), x),
    }
    return table.get(function, ZERO)
