"""Products and sums taken apart into factors and terms, and put together again."""

from __future__ import annotations

from ...canonical_model.expr import (
    Binary,
    Expr,
    Name,
    Number,
    Unary,
    add,
    multiply,
)

ONE = Number(1.0)


def times(a: Expr, b: Expr) -> Expr:
    """a * b without factors of 1."""
    return b if a == ONE else (a if b == ONE else Binary("*", a, b))


def number_of(expr: Expr) -> float | None:
    """The value of arithmetic on plain numbers, None of anything else."""
    match expr:
        case Number(value, None):
            return value
        case Unary("-", operand):
            inner = number_of(operand)
            return None if inner is None else -inner
        case Binary("+" | "-" | "*" | "/" as op, left, right):
            a, b = number_of(left), number_of(right)
            if a is None or b is None or (op == "/" and b == 0.0):
                return None
            return {"+": a + b, "-": a - b, "*": a * b, "/": a / (b or 1.0)}[op]
    return None


def is_power(expr: Expr) -> bool:
    match expr:
        case Binary("^", Name(), Number(exponent)):
            return exponent == int(exponent) and exponent > 1
    return False


def base_of(expr: Expr) -> str:
    """The name that a factor is a whole power of, or nothing."""
    match expr:
        case Name(name):
            return name
        case Binary("^", Name(name), Number()) if is_power(expr):
            return name
    return ""


def without(expr: Expr, name: str) -> Expr:
    """A product divided by one factor `name`."""
    above: list[Expr] = []
    below: list[Expr] = []
    factors_of(expr, above, below)
    place = next(k for k, e in enumerate(above) if base_of(e) == name)
    match above[place]:
        case Binary("^", base, Number(exponent)):
            lower = base if exponent == 2 else Binary("^", base, Number(exponent - 1))
            above[place] = lower
        case _:
            del above[place]
    return Binary("/", multiply(above), multiply(below)) if below else multiply(above)


def factors_of(expr: Expr, above: list[Expr], below: list[Expr]) -> None:
    match expr:
        case Binary("*", left, right):
            factors_of(left, above, below)
            factors_of(right, above, below)
        case Binary("/", left, right):
            factors_of(left, above, below)
            factors_of(right, below, above)
        case Unary("-", operand) if not isinstance(operand, Number):
            above.append(Number(-1.0))
            factors_of(operand, above, below)
        case _:
            above.append(expr)


def terms_of(expr: Expr, sign: int, found: list[tuple[int, Expr]]) -> None:
    match expr:
        case Binary("+", left, right):
            terms_of(left, sign, found)
            terms_of(right, sign, found)
        case Binary("-", left, right):
            terms_of(left, sign, found)
            terms_of(right, -sign, found)
        case _:
            found.append((sign, expr))


def total_of(terms: list[tuple[int, Expr]]) -> Expr:
    """A sum of signed terms, plus signs first."""
    positive = [e for sign, e in terms if sign > 0]
    result = add(positive) if positive else None
    for sign, term in terms:
        if sign < 0:
            result = Unary("-", term) if result is None else Binary("-", result, term)
    assert result is not None
    return result
