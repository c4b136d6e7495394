"""Replace calls of a component's own functions by what they compute.

A function body is followed symbolically: locals are substituted, `if` becomes a conditional value, `for`
over literal bounds is unrolled. What cannot be followed (a loop of unknown length) is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .. import model
from ..diagnostics import ModelError, refuse
from ..expr import (
    FUNCTIONS,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    Unary,
    is_random,
    rebuild,
    substitute,
)
from .change import Body, change_expressions

MAX_LEAVES = 256
MAX_TURNS = 256
MAX_DEPTH = 20


def inline_functions(component: model.Component) -> model.Component:
    """The component without functions. Raises ModelError K110."""
    if not component.functions:
        return component
    inliner = _Inliner({item.name: item for item in component.functions})
    changed = change_expressions(component, lambda expr: inliner.expr(expr, 0))
    return replace(changed, functions=())


class _Inliner:
    def __init__(self, functions: Mapping[str, model.Function]) -> None:
        self.functions = functions
        self.leaves = 0

    def expr(self, expr: Expr, depth: int) -> Expr:
        """`expr` without calls of own functions."""
        expr = rebuild(expr, lambda part: self.expr(part, depth))
        if isinstance(expr, Call) and expr.function not in FUNCTIONS:
            return self.call(expr, depth + 1)
        return expr

    def call(self, call: Call, depth: int) -> Expr:
        function = self.functions.get(call.function)
        if function is None or len(function.arguments) != len(call.args):
            raise refuse(
                "K110", f"'{call.function}' is not a function of this component", call.span
            )
        if depth > MAX_DEPTH:
            raise self.fail(function, "it calls itself")
        known: dict[str, Expr] = {}
        for argument, value in zip(function.arguments, call.args, strict=True):
            if is_random(value):
                raise self.fail(function, "it is given a random number")
            known[argument.name] = value
        self.leaves = 0
        found = self.run(function, function.body, known, depth)
        if found is None:
            raise self.fail(function, "it may end without returning a value")
        return found

    def fail(self, function: model.Function, why: str) -> ModelError:
        message = f"the function '{function.name}' cannot be written as an expression: {why}"
        return refuse("K110", message, function.span)

    def run(
        self, function: model.Function, body: Body, known: Mapping[str, Expr], depth: int
    ) -> Expr | None:
        """What the body returns, or None if it runs off its end."""
        values = dict(known)
        for position, statement in enumerate(body):
            rest = body[position + 1 :]
            match statement:
                case model.Return(value=value):
                    return _whole(self.value(value, values, depth), function.kind)
                case model.Declare(name=name, value=value, kind=kind):
                    values[name] = _whole(self.value(value, values, depth), kind)
                case model.Assign(target=name, value=value):
                    values[name] = self.value(value, values, depth)
                case model.If():
                    return self.branches(function, statement, rest, values, depth)
                case model.For():
                    turns = self.turns(function, statement, values, depth)
                    return self.run(function, (*turns, *rest), values, depth)
                case model.Report():
                    continue
                case _:
                    raise self.fail(function, "it has a loop of unknown length")
        return None

    def value(self, expr: Expr, values: Mapping[str, Expr], depth: int) -> Expr:
        return substitute(self.expr(expr, depth), values)

    def branches(
        self,
        function: model.Function,
        statement: model.If,
        rest: Body,
        values: Mapping[str, Expr],
        depth: int,
    ) -> Expr | None:
        """A conditional over what each branch returns when what follows is appended to it."""
        self.leaves += len(statement.branches) + 1
        if self.leaves > MAX_LEAVES:
            raise self.fail(function, "it branches too often")
        cases = []
        for test, body in statement.branches:
            value = self.run(function, (*body, *rest), values, depth)
            if value is None:
                return None
            cases.append((self.value(test, values, depth), value))
        otherwise = self.run(function, (*statement.otherwise, *rest), values, depth)
        return None if otherwise is None else Conditional(tuple(cases), otherwise)

    def turns(
        self, function: model.Function, loop: model.For, values: Mapping[str, Expr], depth: int
    ) -> Body:
        """The statements of a loop over literal bounds, written out."""
        bounds = [self.value(e, values, depth) for e in (loop.start, loop.stop, loop.step)]
        numbers = [_literal(bound) for bound in bounds]
        if None in numbers or not numbers[2]:
            raise self.fail(function, "it has a loop of unknown length")
        start, stop, step = (float(n or 0.0) for n in numbers)
        body: list[model.Statement] = []
        for _ in range(MAX_TURNS):
            if (start >= stop) if step > 0 else (start <= stop):
                return tuple(body)
            body.append(model.Assign(target=loop.variable, value=Number(start)))
            body.extend(loop.body)
            start += step
        raise self.fail(function, f"a loop has more than {MAX_TURNS} turns")


def _literal(expr: Expr) -> float | None:
    if isinstance(expr, Unary) and isinstance(expr.operand, Number) and expr.op == "-":
        return -expr.operand.value
    return expr.value if isinstance(expr, Number) else None


def _whole(value: Expr, kind: str) -> Expr:
    """Integers take the whole part of what they are given, unless it is visibly whole."""
    if kind != model.INTEGER:
        return value
    if isinstance(value, Number) and value.value == int(value.value):
        return value
    names = isinstance(value, Name) or (isinstance(value, Call) and value.function == "trunc")
    return value if names else Call("trunc", (value,))
