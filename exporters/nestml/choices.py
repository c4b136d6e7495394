"""Choices inside equations, in the one form that survives NESTML 9's analysis of them.

It splits an equation at `=`, so that `>=`, `<=` and `==` break it. `a >= b ? x : y` is `a < b ? y : x`,
and a test of several comparisons becomes choices inside choices: exact but for values that are no numbers.
"""

from __future__ import annotations

from ...canonical_model.expr import Binary, Conditional, Expr, Unary, rebuild, walk

_OPPOSITE = {">=": "<", "<=": ">"}
MAX_NODES = 20_000


def strict_choices(expr: Expr) -> Expr:
    """The expression with choices that test only `<` and `>`; other parts stay as they are."""
    if not any(isinstance(node, Conditional) for node in walk(expr)):
        return expr
    changed = _changed(expr)
    count = sum(1 for _ in zip(walk(changed), range(MAX_NODES), strict=False))
    return changed if count < MAX_NODES else expr


def _changed(expr: Expr) -> Expr:
    if not isinstance(expr, Conditional):
        return rebuild(expr, _changed)
    result = _changed(expr.otherwise)
    for test, value in reversed(expr.cases):
        result = _choose(test, _changed(value), result)
    return result


def _choose(test: Expr, yes: Expr, no: Expr) -> Expr:
    """`yes` where the test holds, else `no`."""
    match test:
        case Unary("not", operand):
            return _choose(operand, no, yes)
        case Binary("and", left, right):
            return _choose(left, _choose(right, yes, no), no)
        case Binary("or", left, right):
            return _choose(left, yes, _choose(right, yes, no))
        case Binary(">=" | "<=" as op, left, right):
            return _conditional(Binary(_OPPOSITE[op], left, right), no, yes)
        case Binary("==", left, right):
            above = _conditional(Binary(">", left, right), no, yes)
            return _conditional(Binary("<", left, right), no, above)
        case Binary("!=", left, right):
            return _choose(Binary("==", left, right), no, yes)
    return _conditional(test, yes, no)


def _conditional(test: Expr, yes: Expr, no: Expr) -> Expr:
    return yes if yes == no else Conditional(((test, yes),), no)
