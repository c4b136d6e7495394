"""Dimensions of expressions: inferred, and checked with errors as values.

A name of unknown dimension makes everything built on it unknown, and unknown is never complained
about: whoever resolves names reports it. A literal without unit is dimensionless, zero included.

Codes: U201 sides of a sum, comparison or choice differ; U202 a dimensional value where a pure number
is needed; U203 an exponent that cannot be checked; U204 not the dimension that was declared.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from . import units
from .diagnostics import Issue, Level, Span
from .expr import (
    COMPARISONS,
    FUNCTIONS,
    LOGICAL,
    TIME,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    Select,
    Unary,
    walk,
)
from .expr_print import fold, print_expr
from .units import NONE, Dimension, dimension_name

Lookup: TypeAlias = Callable[[str], Dimension | None]

# what each function does with dimensions; every other one takes and gives pure numbers
_KEEPS = frozenset({"abs"})
_AGREES = frozenset({"min", "max"})
_FORGETS = frozenset({"sign", "heaviside"})
_TESTS = frozenset({"and", "or", "not", "if"})
_TOLERANCE = 1e-6  # exponents are sums and products of literals such as 1/3
_TEXT_LIMIT = 120


def infer(expr: Expr, lookup: Lookup, *, free_zero: bool = False) -> Dimension | None:
    """The dimension of `expr`, or None where a name is unknown or the expression is inconsistent.

    `lookup` gives the dimension of a name, None if unknown; it is not asked for `t`. The component's own
    functions and kernels are looked up as `name()`. Truth values
    are dimensionless. With `free_zero` a bare literal 0 has any dimension (passes write it for an
    empty sum).

    >>> str(infer(Binary("/", Name("v"), Name("t")), {"v": units.VOLTAGE}.get))
    'kg m2 s-4 A-1'
    """
    return fold(expr, _Checker(lookup, free_zero).dimension)


def problems(
    expr: Expr, lookup: Lookup, expected: Dimension | None = None, *, free_zero: bool = False
) -> list[Issue]:
    """What is wrong with the dimensions of `expr`, innermost first; `expected` None: any result will do.

    Each issue carries the printed sub-expression as `text`, and its span where it has one.
    """
    checker = _Checker(lookup, free_zero)
    found = fold(expr, checker.dimension)
    if found is not None and expected is not None and not same(found, expected):
        checker.report(
            "U204",
            f"this value has dimension {dimension_name(found)} "
            f"where {dimension_name(expected)} is declared",
            expr,
            _literal_hint(expr, expected),
        )
    return checker.issues


def same(one: Dimension, other: Dimension) -> bool:
    """Equal up to rounding of fractional exponents."""
    if one == other:
        return True
    pairs = zip(one.exponents, other.exponents, strict=True)
    return all(abs(a - b) <= _TOLERANCE for a, b in pairs)


@dataclass(slots=True)
class _Checker:
    """Works out dimensions bottom up and notes what does not fit; None is unknown."""

    lookup: Lookup
    free_zero: bool
    issues: list[Issue] = field(default_factory=list)

    def report(self, code: str, message: str, expr: Expr, hint: str = "") -> None:
        """Add one issue about the sub-expression `expr`."""
        text = print_expr(expr)
        if len(text) > _TEXT_LIMIT:
            text = text[: _TEXT_LIMIT - 3] + "..."
        self.issues.append(Issue(code, Level.ERROR, message, _span(expr), text, hint))

    def dimension(self, expr: Expr, parts: tuple[Dimension | None, ...]) -> Dimension | None:
        """The dimension of one node from those of its parts."""
        match expr:
            case Number(value, unit):
                if unit is not None:
                    return unit.dimension
                return None if self.free_zero and value == 0 else NONE
            case Name(id):
                return units.TIME if id == TIME else self.lookup(id)
            case Unary(op, operand):
                return self.pure(expr, op, operand, parts[0]) if op == "not" else parts[0]
            case Binary():
                return self.binary(expr, parts[0], parts[1])
            case Call():
                return self.call(expr, parts)
            case Conditional():
                return self.conditional(expr, parts)
            case Select():
                return None

    def binary(
        self, expr: Binary, left: Dimension | None, right: Dimension | None
    ) -> Dimension | None:
        """Operators: products combine, powers scale, everything else needs equal sides."""
        match expr.op:
            case "*":
                return None if left is None or right is None else left * right
            case "/":
                return None if left is None or right is None else left / right
            case "^":
                return self.power(expr, left, right)
            case op if op in LOGICAL:
                self.pure(expr, op, expr.left, left)
                return self.pure(expr, op, expr.right, right)
            case op if op in COMPARISONS:
                self.agree(expr, f"the sides of '{op}'", (expr.left, expr.right), (left, right))
                return NONE
            case op:
                sides = (expr.left, expr.right)
                return self.agree(expr, f"the sides of '{op}'", sides, (left, right))

    def agree(
        self, expr: Expr, what: str, parts: tuple[Expr, ...], found: tuple[Dimension | None, ...]
    ) -> Dimension | None:
        """The common dimension of the parts; the first two that differ are reported."""
        known = [(part, item) for part, item in zip(parts, found, strict=True) if item is not None]
        if not known:
            return None
        first, dimension = known[0]
        for part, item in known[1:]:
            if not same(item, dimension):
                sides = f"{_is(first, dimension)}, {_is(part, item)}"
                message = f"{what} have different dimensions: {sides}"
                hint = _literal_hint(part, dimension) or _literal_hint(first, item)
                self.report("U201", message, expr, hint)
                return None
        return dimension

    def pure(self, expr: Expr, what: str, part: Expr, found: Dimension | None) -> Dimension:
        """Report a part that has a dimension where only a pure number makes sense."""
        if found is not None and not same(found, NONE):
            is_test = what in _TESTS
            needs = "a condition" if is_test else "a pure number"
            message = f"'{what}' needs {needs}, but {_is(part, found)}"
            verb = "compare it with" if is_test else "divide it by"
            hint = f"{verb} a quantity of dimension {dimension_name(found)}"
            self.report("U202", message, expr, hint)
        return NONE

    def power(
        self, expr: Binary, base: Dimension | None, exponent: Dimension | None
    ) -> Dimension | None:
        """base ^ exponent: a pure exponent, and a literal one where the base has a dimension."""
        if exponent is not None and not same(exponent, NONE):
            message = f"an exponent must be a pure number, but {_is(expr.right, exponent)}"
            self.report("U203", message, expr)
            return None
        if base is None or same(base, NONE):
            return base
        value = fold(expr.right, _constant)
        if value is None or not math.isfinite(value):
            message = (
                f"{_is(expr.left, base)}, so that the exponent "
                f"{_quote(expr.right)} must be a literal number"
            )
            hint = f"divide the base by a quantity of dimension {dimension_name(base)}"
            self.report("U203", message, expr, hint)
            return None
        return _raised(base, value)

    def call(self, expr: Call, parts: tuple[Dimension | None, ...]) -> Dimension | None:
        """Functions, by the tables at the top."""
        name = expr.function
        if name in ("resolution", "timestep"):
            return units.TIME
        if name == "steps":
            return self.steps(expr, parts[0])
        if name == "arrived":
            return NONE
        if name == "delayed":
            return parts[0]
        if name == "convolve":
            return self.convolution(expr)
        if name not in FUNCTIONS:
            return self.lookup(f"{name}()")
        if name == "sqrt" and len(parts) == 1:
            return None if parts[0] is None else _raised(parts[0], 0.5)
        if name in _KEEPS and len(parts) == 1:
            return parts[0]
        if name in _AGREES:
            return self.agree(expr, f"the arguments of '{name}'", expr.args, parts)
        if name not in _FORGETS:
            for arg, part in zip(expr.args, parts, strict=True):
                self.pure(expr, name, arg, part)
        return NONE

    def steps(self, expr: Call, found: Dimension | None) -> Dimension:
        """steps(x): a number of steps in a time."""
        if found is not None and not same(found, units.TIME):
            message = f"'steps' needs a time, but {_is(expr.args[0], found)}"
            self.report("U202", message, expr)
        return NONE

    def convolution(self, expr: Call) -> Dimension | None:
        """That of the kernel; a Dirac train is one per time."""
        kernel = expr.args[0] if expr.args else None
        if not isinstance(kernel, Name):
            return None
        return units.FREQUENCY if kernel.id == "delta" else self.lookup(f"{kernel.id}()")

    def conditional(
        self, expr: Conditional, parts: tuple[Dimension | None, ...]
    ) -> Dimension | None:
        """Conditions are truth values; all branches have one dimension."""
        for (test, _), found in zip(expr.cases, parts[0:-1:2], strict=True):
            self.pure(expr, "if", test, found)
        branches = (*(value for _, value in expr.cases), expr.otherwise)
        return self.agree(expr, "the branches", branches, (*parts[1:-1:2], parts[-1]))


def _raised(base: Dimension, power: float) -> Dimension:
    """base ^ power with exponents that are whole up to rounding made whole."""
    exact = (exponent * power for exponent in base.exponents)
    return Dimension(*(round(e) if abs(e - round(e)) < _TOLERANCE else e for e in exact))


def _constant(expr: Expr, parts: tuple[float | None, ...]) -> float | None:
    """The value of an expression made of literals, None for any other."""
    if isinstance(expr, Number) and (expr.unit is None or expr.unit.scale == 1.0):
        return expr.value
    values = [part for part in parts if part is not None]
    if len(values) != len(parts):
        return None
    try:
        match expr, values:
            case Unary("-"), [value]:
                return -value
            case Binary("+"), [left, right]:
                return left + right
            case Binary("-"), [left, right]:
                return left - right
            case Binary("*"), [left, right]:
                return left * right
            case Binary("/"), [left, right]:
                return left / right
            case Binary("^"), [left, right]:
                return math.pow(left, right)
    except (ArithmeticError, ValueError):
        return None
    return None


def _span(expr: Expr) -> Span | None:
    """The node's own place, else the first one found inside it."""
    return next((node.span for node in walk(expr) if node.span is not None), None)


def _quote(expr: Expr) -> str:
    text = print_expr(expr)
    return f"'{text if len(text) <= 40 else text[:37] + '...'}'"


def _is(expr: Expr, dimension: Dimension) -> str:
    """`'v' is voltage`."""
    word = "dimensionless" if same(dimension, NONE) else dimension_name(dimension)
    return f"{_quote(expr)} is {word}"


def _literal_hint(expr: Expr, wanted: Dimension) -> str:
    if isinstance(expr, Number) and expr.unit is None and not same(wanted, NONE):
        name = dimension_name(wanted)
        return f"a number without unit is a pure number; use a quantity of dimension {name}"
    return ""
