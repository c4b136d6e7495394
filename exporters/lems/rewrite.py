"""Functions, choices and truth values in terms of what LEMS expressions have."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from ...canonical_model.diagnostics import ModelError, refuse
from ...canonical_model.dimensions import Lookup, infer, same
from ...canonical_model.expr import (
    ONE,
    ZERO,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    Unary,
    expm1_by_tanh,
    is_boolean,
    rebuild,
)
from ...canonical_model.passes.conditionals import opposite
from ...canonical_model.units import NONE, Quantity, si_quantity

HALF = Number(0.5)
RANDOM = "random"  # not a canonical function: stands between rewriting and printing only
KEPT = frozenset({
    "sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "sqrt", "ceil", "log", "abs", "factorial",
})  # fmt: skip
_MIRROR = {"<": ">", "<=": ">="}


@dataclass(slots=True)
class Rewriter:
    """Rewrites the expressions of one component; `constant` gives a name for a quantity."""

    lookup: Lookup
    constant: Callable[[Quantity], Expr]
    owner: str
    flags: set[str] = field(default_factory=set)  # states that are 0 or 1

    def value(self, expr: Expr) -> Expr:
        """A number: LEMS functions only, truth values as 0 and 1; choices may appear.

        Raises ModelError P201 for a function that LEMS has no word for, P203 for a number that is not finite.
        """
        if is_boolean(expr):
            return Conditional(((self.test(expr), ONE),), ZERO)
        match expr:
            case Number(value, unit) if unit is not None:
                if unit.dimension == NONE:
                    return self.finite(Number(Quantity(value, unit).si), expr)
                return self.constant(Quantity(value, unit))
            case Number():
                return self.finite(expr, expr)
            case Binary("*", Call("uniform"), other):
                return Call(RANDOM, (self.value(other),))
            case Binary("%", left, right):
                x, y = self.value(left), self.value(right)
                whole = self.value(Call("trunc", (Binary("/", left, right),)))
                return Binary("-", x, Binary("*", y, whole))
            case Conditional(cases, otherwise):
                changed = tuple((self.test(test), self.value(value)) for test, value in cases)
                return Conditional(changed, self.value(otherwise), expr.span)
            case Call(function, args):
                return self.call(expr, function, tuple(self.value(arg) for arg in args))
            case _:
                return rebuild(expr, self.value)

    def finite(self, node: Number, written: Expr) -> Number:
        """A number that LEMS can write."""
        if not math.isfinite(node.value):
            message = f"'{self.owner}' uses the number {node.value}, which LEMS cannot write"
            raise refuse("P203", message, getattr(written, "span", None))
        return node

    def test(self, expr: Expr) -> Expr:
        """A condition: comparisons joined by and, or; negations pushed into them."""
        match expr:
            case Unary("not", operand):
                return self.negated(operand)
            case Binary("and" | "or" as op, left, right):
                return Binary(op, self.test(left), self.test(right), expr.span)
            case Binary("==" | "!=" as op, left, right) if is_boolean(left) or is_boolean(right):
                return Binary(op, self.flat(self.value(left)), self.flat(self.value(right)))
            case Binary() if is_boolean(expr):
                return rebuild(expr, lambda part: self.flat(self.value(part)))
            case _:
                return Binary(">", self.flat(self.value(expr)), HALF)

    def negated(self, expr: Expr) -> Expr:
        """The opposite of a test."""
        match expr:
            case Unary("not", operand):
                return self.test(operand)
            case Binary("and", left, right):
                return Binary("or", self.negated(left), self.negated(right))
            case Binary("or", left, right):
                return Binary("and", self.negated(left), self.negated(right))
            case Binary() if is_boolean(expr):
                return self.test(opposite(expr))
            case _:
                return Binary("<", self.flat(self.value(expr)), HALF)

    def flat(self, expr: Expr) -> Expr:
        """Choices as sums of their branches, each times 1 or 0."""
        match expr:
            case Conditional(cases, otherwise):
                total = self.flat(otherwise)
                for test, value in reversed(cases):
                    holds, chosen = self.indicator(test), self.flat(value)
                    total = _chosen(holds, chosen, total)
                return total
            case _:
                return rebuild(expr, self.flat)

    def indicator(self, test: Expr) -> Expr:
        """1 where a rewritten test holds, else 0, without any choice."""
        match test:
            case Binary("and", left, right):
                return Binary("*", self.indicator(left), self.indicator(right))
            case Binary("or", left, right):
                rest = Binary("*", _less(self.indicator(left)), _less(self.indicator(right)))
                return Binary("-", ONE, rest)
            case Binary("<" | "<=" as op, left, right):
                return self.indicator(Binary(_MIRROR[op], right, left))
            case Binary(">", Name(name), right) if name in self.flags and right == HALF:
                return Name(name)
            case Binary(">", left, right):
                gap = self.pure(Binary("-", self.flat(left), self.flat(right)))
                return Call("ceil", (Binary("-", Call("heaviside", (gap,)), HALF),))
            case Binary(">=", left, right):
                return _less(self.indicator(Binary(">", right, left)))
            case Binary("==", left, right):
                above, below = Binary(">=", left, right), Binary(">=", right, left)
                return Binary("*", self.indicator(above), self.indicator(below))
            case Binary("!=", left, right):
                return _less(self.indicator(Binary("==", left, right)))
        raise AssertionError(test)

    def pure(self, expr: Expr) -> Expr:
        """`expr` divided by one unit of its dimension."""
        try:
            dimension = infer(expr, self.lookup, free_zero=True) or NONE
        except ModelError:
            dimension = NONE
        if same(dimension, NONE):
            return expr
        return Binary("/", expr, self.constant(si_quantity(1.0, dimension)))

    def zero_like(self, expr: Expr) -> Expr:
        """A zero to compare `expr` with."""
        dimension = infer(expr, self.lookup, free_zero=True) or NONE
        return ZERO if same(dimension, NONE) else self.constant(si_quantity(0.0, dimension))

    def call(self, expr: Expr, function: str, args: tuple[Expr, ...]) -> Expr:
        """One function whose arguments are rewritten."""
        if function in KEPT or function == RANDOM:
            return Call(function, args)
        match function, args:
            case "heaviside", (x,):
                return Call("heaviside", (self.pure(x),))
            case "uniform", ():
                return Call(RANDOM, (ONE,))
            case "normal", ():
                size = Binary("*", Number(-2.0), Call("log", (_less(Call(RANDOM, (ONE,))),)))
                turn = Binary("*", Number(2 * math.pi), Call(RANDOM, (ONE,)))
                return Binary("*", Call("sqrt", (size,)), Call("cos", (turn,)))
            case "log10", (x,):
                return Binary("/", Call("log", (x,)), Number(math.log(10.0)))
            case "floor", (x,):
                return _floor(x)
            case "expm1", (x,):
                return expm1_by_tanh(x)
            case "exprel", (x,):
                ratio = Binary("/", expm1_by_tanh(x), x)
                return Conditional(((Binary("==", x, ZERO), ONE),), ratio)
            case "max", (x, y):
                return Conditional(((Binary(">", x, y), x),), y)
            case "min", (x, y):
                return Conditional(((Binary("<", x, y), x),), y)
            case "sign", (x,):
                zero = self.zero_like(x)
                cases = ((Binary(">", x, zero), ONE), (Binary("<", x, zero), Number(-1.0)))
                return Conditional(cases, ZERO)
            case "trunc", (x,):
                return Conditional(((Binary("<", x, ZERO), Call("ceil", (x,))),), _floor(x))
            case "round", (x,):
                below = Call("ceil", (Binary("-", x, HALF),))
                return Conditional(((Binary("<", x, ZERO), below),), _floor(Binary("+", x, HALF)))
        message = f"LEMS has no word for '{function}', which '{self.owner}' uses"
        raise refuse("P201", message, getattr(expr, "span", None))


def _less(expr: Expr) -> Expr:
    return Binary("-", ONE, expr)


def _floor(x: Expr) -> Expr:
    return Unary("-", Call("ceil", (Unary("-", x),)))


def _chosen(holds: Expr, value: Expr, other: Expr) -> Expr:
    """`value` where `holds` is 1, `other` where it is 0."""
    if other == ZERO:
        return holds if value == ONE else Binary("*", holds, value)
    if value == ZERO:
        return Binary("*", _less(holds), other)
    return Binary("+", Binary("*", holds, value), Binary("*", _less(holds), other))


__all__ = ["RANDOM", "Rewriter"]
