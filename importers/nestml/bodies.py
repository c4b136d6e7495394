"""Questions about bodies of statements, before and after lowering."""

from __future__ import annotations

from ...canonical_model import model
from ...canonical_model.diagnostics import Span
from ...canonical_model.expr import Binary, Number
from . import syntax
from .collect import walk


def always_returns(body: tuple[model.Statement, ...]) -> bool:
    """True if every path through a body ends in a return."""
    for statement in body:
        match statement:
            case model.Return():
                return True
            case model.If(branches=branches, otherwise=otherwise):
                paths = [inner for _, inner in branches]
                if otherwise and all(always_returns(p) for p in (*paths, otherwise)):
                    return True
    return False


def word(statement: syntax.Statement) -> str:
    """The word that opens a statement with a body, "" for any other."""
    return statement.line.word if isinstance(statement.line, syntax.Header) else ""


def indexes(body: tuple[syntax.Statement, ...], name: str) -> bool:
    """True if `name` is part of an index somewhere in a body."""
    waiting = list(body)
    while waiting:
        statement = waiting.pop()
        waiting.extend(statement.body)
        for expr in expressions(statement.line):
            for node in walk(expr):
                if isinstance(node, syntax.Variable) and node.index is not None:
                    inner = walk(node.index)
                    if any(
                        isinstance(part, syntax.Variable) and part.name == name for part in inner
                    ):
                        return True
    return False


def expressions(line: syntax.StatementLine) -> list[syntax.Expr]:
    """The expressions of a line."""
    match line:
        case syntax.Assignment(target, _, value, _):
            return [target, value]
        case syntax.Declaration(value=value) if value is not None:
            return [value]
        case syntax.CallStatement(call, _):
            return [call]
        case syntax.ReturnLine(value, _) if value is not None:
            return [value]
        case syntax.Header(_, test, _) if test is not None:
            return [test]
        case syntax.ForHeader(_, start, stop, by, _):
            return [start, stop, by]
    return []


def scoped(body: list[model.Statement], span: Span) -> list[model.Statement]:
    """Unrolled bodies that declare locals get a scope each, so that names do not meet."""
    if not any(isinstance(item, model.Declare) for item in body):
        return body
    always = Binary("==", Number(1.0), Number(1.0))
    return [model.If(branches=((always, tuple(body)),), span=span)]
