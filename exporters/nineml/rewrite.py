"""Functions that NineML lacks in terms of those that it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...canonical_model.diagnostics import Level, Log, refuse
from ...canonical_model.dimensions import Lookup, infer, same
from ...canonical_model.expr import (
    ONE,
    ZERO,
    Binary,
    Call,
    Conditional,
    Expr,
    Number,
    Unary,
    expm1_by_tanh,
    rebuild,
)
from ...canonical_model.units import NONE, Dimension, Quantity, si_quantity

HALF = Number(0.5)
BINOMIAL = "binomial"  # not a canonical function: stands between rewriting and printing only
KEPT = frozenset({
    "exp", "sin", "cos", "log", "log10", "sinh", "cosh", "tanh", "sqrt", "atan", "asin", "acos",
    "uniform", "normal", "poisson",
})  # fmt: skip


@dataclass(slots=True)
class Rewriter:
    """Rewrites the expressions of one component; `constant` gives a name for a quantity."""

    lookup: Lookup
    constant: Callable[[Quantity], Expr]
    log: Log
    owner: str
    noted: set[str] = field(default_factory=set)

    def plain(self, expr: Expr) -> Expr:
        """`expr` with NineML's functions only; conditionals may appear. Raises ModelError X301."""
        match expr:
            case Conditional(((Binary("<", Call("uniform"), chance), Number(1.0)),), Number(0.0)):
                # one trial, as the importer reads `random.binomial`
                return Call(BINOMIAL, (ONE, self.plain(chance)))
        inner = rebuild(expr, self.plain)
        match inner:
            case Call(function) if function in KEPT:
                return inner
            case Call(function, args):
                return self.call(inner, function, args)
            case Binary("%", _, _):
                raise self.refused("the remainder '%'", inner)
            case Binary("==" | "!=", _, _):
                self.note_equality()
                return inner
            case _:
                return inner

    def refused(self, what: str, expr: Expr) -> Exception:
        """An X301 refusal."""
        message = f"NineML has no word for {what}, which '{self.owner}' uses"
        return refuse("X301", message, getattr(expr, "span", None))

    def note_equality(self) -> None:
        """Equality of real numbers holds at single points: NineML cannot test it."""
        if "==" not in self.noted:
            self.noted.add("==")
            message = (
                f"'{self.owner}' tests equality, which NineML cannot: taken as never true, "
                "which differs at single points only"
            )
            self.log.add("X302", Level.APPROXIMATED, message)

    def call(self, expr: Expr, function: str, args: tuple[Expr, ...]) -> Expr:
        """One function that NineML lacks."""
        match function, args:
            case "tan", (x,):
                return Binary("/", Call("sin", (x,)), Call("cos", (x,)))
            case "expm1", (x,):
                return expm1_by_tanh(x)
            case "exprel", (x,):
                # no cancellation; undefined at 0 only, where its limit is 1
                if "exprel" not in self.noted:
                    self.noted.add("exprel")
                    message = (
                        f"(exp(x) - 1)/x in '{self.owner}' has no value at x = 0 in NineML, where "
                        "it is 1"
                    )
                    self.log.add("X303", Level.APPROXIMATED, message)
                return Binary("/", expm1_by_tanh(x), x)
            case "abs", (x,):
                return self.size(x)
            case "max" | "min", (x, y):
                sign = "+" if function == "max" else "-"
                gap = self.size(Binary("-", x, y))
                return Binary("*", HALF, Binary(sign, Binary("+", x, y), gap))
            case "heaviside", (x,):
                zero = self.zero_like(x)
                half = (Binary("==", x, zero), HALF)
                return Conditional(((Binary(">", x, zero), ONE), half), ZERO)
            case "sign", (x,):
                zero = self.zero_like(x)
                cases = ((Binary(">", x, zero), ONE), (Binary("<", x, zero), Number(-1.0)))
                return Conditional(cases, ZERO)
        raise self.refused(f"'{function}'", expr)

    def dimension(self, expr: Expr) -> Dimension:
        """The dimension of a part, dimensionless if unknown."""
        return infer(expr, self.lookup, free_zero=True) or NONE

    def zero_like(self, expr: Expr) -> Expr:
        """A zero of the dimension of `expr`."""
        dimension = self.dimension(expr)
        if same(dimension, NONE):
            return ZERO
        return self.constant(si_quantity(0.0, dimension))

    def size(self, x: Expr) -> Expr:
        """|x| as a root of a square, made dimensionless first."""
        dimension = self.dimension(x)
        if same(dimension, NONE):
            return Call("sqrt", (Binary("*", x, x),))
        one = self.constant(si_quantity(1.0, dimension))
        ratio = Binary("/", x, one)
        return Binary("*", one, Call("sqrt", (Binary("*", ratio, ratio),)))


def dimensioned(
    expr: Expr,
    expected: Dimension | None,
    lookup: Lookup,
    constant: Callable[[Quantity], Expr],
) -> Expr:
    """`expr` with every literal that has a unit, and every bare zero that stands for a quantity,
    replaced by a constant: to NineML a number is dimensionless, zero as well."""

    def known(part: Expr) -> Dimension | None:
        return infer(part, lookup, free_zero=True)

    def change(part: Expr, wanted: Dimension | None) -> Expr:
        match part:
            case Number(value, unit) if unit is not None:
                if unit.dimension == NONE:
                    return Number(Quantity(value, unit).si)
                return constant(Quantity(value, unit))
            case Number(value, None):
                if value == 0 and wanted is not None and not same(wanted, NONE):
                    return constant(si_quantity(0.0, wanted))
                return part
            case Unary("-", operand):
                return Unary("-", change(operand, wanted))
            case Binary("+" | "-" | "<" | "<=" | ">" | ">=" | "==" | "!=" as op, left, right):
                outer = wanted if op in "+-" else None
                side = known(left) or known(right)
                side = known(right) if side is None else side
                side = outer if side is None else side
                return Binary(op, change(left, side), change(right, side))
            case Binary("*" | "/", _, _) if _vanishes(part) and wanted not in (None, NONE):
                return change(ZERO, wanted)
            case Conditional(cases, otherwise):
                values = [known(v) for _, v in cases] + [known(otherwise)]
                side = next((v for v in values if v is not None), wanted)
                changed = tuple((change(t, None), change(v, side)) for t, v in cases)
                return Conditional(changed, change(otherwise, side))
            case _:
                return rebuild(part, lambda inner: change(inner, None))

    return change(expr, expected)


def _vanishes(expr: Expr) -> bool:
    """A product with a bare zero in it."""
    match expr:
        case Number(0.0, None):
            return True
        case Binary("*", left, right):
            return _vanishes(left) or _vanishes(right)
        case Binary("/", left, _):
            return _vanishes(left)
        case _:
            return False


__all__ = ["BINOMIAL", "Rewriter", "dimensioned"]
