"""Tests within bodies in terms of what was before the body, so that they can be known when it begins.

`n = n + 1`, then `if n >= 4`: known beforehand is `n + 1 >= 4`. What follows a branch that sets what a later
test reads is done in each branch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from ..diagnostics import refuse
from ..expr import ZERO, Conditional, Expr, free_names, reads, rebuild, substitute, walk
from ..model import Assign, Component, Emit, If, Statement
from ..query import nested, regimes
from .change import change_bodies

MAX_NODES = 2_000
MAX_STATEMENTS = 5_000

Body = tuple[Statement, ...]


def foreseen(component: Component) -> Component:
    """The flat component with every test of a branch, or in a value of a body, as it is at its beginning.

    Raises ModelError R123 where that grows beyond bounds.
    """
    aliases = {item.name: item.value for item in component.derived_variables}
    for regime in regimes(component):
        aliases |= {item.name: item.value for item in regime.derived_variables}
    work = _Work(component, aliases)
    return change_bodies(component, lambda body: work.body(body, {}))


class _Work:
    def __init__(self, component: Component, aliases: Mapping[str, Expr]) -> None:
        self.component = component
        self.aliases = aliases
        self.count = 0

    def body(self, body: Body, values: Mapping[str, Expr]) -> Body:
        """`body` after what was assigned: `values` in terms of what was before."""
        known = dict(values)
        found: list[Statement] = []
        for place, item in enumerate(body):
            self.count += 1
            if self.count > MAX_STATEMENTS:
                raise self.too_much()
            match item:
                case Assign(target=target, value=value):
                    found.append(replace(item, value=self.tests(value, known)))
                    known[target] = substitute(value, known)
                case Emit(weight=weight) if weight is not None:
                    found.append(replace(item, weight=self.tests(weight, known)))
                case If():
                    rest = body[place + 1 :]
                    inner = [*(branch for _, branch in item.branches), item.otherwise]
                    if _assigned(inner) & self.read(rest):
                        inner, rest = [(*branch, *rest) for branch in inner], ()
                        found.append(self.branches(item, inner, known))
                        return tuple(found)
                    found.append(self.branches(item, inner, known))
                case _:
                    found.append(item)
        return tuple(found)

    def branches(self, item: If, inner: list[Body], known: Mapping[str, Expr]) -> If:
        """A choice with these bodies."""
        bodies = [self.body(branch, known) for branch in inner]
        tests = [self.before(test, known) for test, _ in item.branches]
        return replace(item, branches=tuple(zip(tests, bodies, strict=False)), otherwise=bodies[-1])

    def tests(self, expr: Expr, known: Mapping[str, Expr]) -> Expr:
        """`expr`, read where it stands, but the tests in it as they are before."""
        if not known:
            return expr
        if isinstance(expr, Conditional):
            cases = tuple(
                (self.before(test, known), self.tests(value, known)) for test, value in expr.cases
            )
            return replace(expr, cases=cases, otherwise=self.tests(expr.otherwise, known))
        return rebuild(expr, lambda part: self.tests(part, known))

    def before(self, test: Expr, known: Mapping[str, Expr]) -> Expr:
        """A test in terms of what was before."""
        plain = self.plain(test, frozenset(known))
        changed = substitute(plain, known)
        if sum(1 for _ in islice(walk(changed), MAX_NODES)) == MAX_NODES:
            raise self.too_much()
        return changed

    def plain(self, expr: Expr, wanted: frozenset[str]) -> Expr:
        """`expr` with derived variables written out that depend on `wanted`."""
        table = {
            name: self.plain(self.aliases[name], wanted)
            for name in free_names(expr) & self.aliases.keys()
            if self.depends(name) & wanted
        }
        return substitute(expr, table) if table else expr

    def depends(self, name: str) -> set[str]:
        """All that a derived variable reads, also through others."""
        return reads(self.aliases.get(name, ZERO), self.aliases)

    def read(self, body: Body) -> set[str]:
        """What tests in a body read, also through derived variables and what it assigns."""
        found: set[str] = set()
        for item in body:
            match item:
                case Assign(value=value):
                    found |= free_names(value)
                case Emit(weight=weight) if weight is not None:
                    found |= free_names(weight)
                case If(branches=branches, otherwise=otherwise):
                    for test, branch in branches:
                        found |= free_names(test) | self.read(branch)
                    found |= self.read(otherwise)
        if not any(isinstance(item, If) or _chooses(item) for item in body):
            return set()
        return found.union(*(self.depends(name) for name in found & self.aliases.keys()))

    def too_much(self) -> Exception:
        """An R123 error."""
        message = f"'{self.component.name}' has choices that depend on too much that happens before"
        return refuse("R123", message, self.component.span)


def _assigned(bodies: list[Body]) -> set[str]:
    """What is assigned in bodies, at any depth."""
    return {item.target for body in bodies for item in nested(body) if isinstance(item, Assign)}


def _chooses(item: Statement) -> bool:
    """Is there a choice in a value of a statement?"""
    value = item.value if isinstance(item, Assign) else getattr(item, "weight", None)
    return value is not None and any(isinstance(node, Conditional) for node in walk(value))
