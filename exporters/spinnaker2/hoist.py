"""Move what is fixed during a run out of the chip's expressions: the host computes it once, in float64.

Products and sums are regrouped so that their fixed parts come together, and a division by something fixed
becomes a multiplication.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ...canonical_model.expr import (
    TIME,
    Binary,
    Expr,
    Name,
    Number,
    Unary,
    add,
    free_names,
    is_boolean,
    is_random,
    multiply,
    rebuild,
)
from ...canonical_model.model import Component
from ...canonical_model.passes.change import change_bodies, change_statement
from ...canonical_model.query import declared, statics
from ...solvers.plan import STEP, Coefficient, Program, UpdatePlan

ONE = Number(1.0)


@dataclass(slots=True)
class _Hoist:
    """Names that are fixed, and the coefficients made so far by their expressions."""

    fixed: set[str]
    taken: set[str]
    made: dict[Expr, str] = field(default_factory=dict)

    def is_fixed(self, expr: Expr) -> bool:
        """True if the expression has the same value in every step."""
        names = free_names(expr)
        return names <= self.fixed and not is_random(expr)

    def name(self, expr: Expr) -> Expr:
        """The expression as one number: itself if it is one, else a coefficient."""
        if isinstance(expr, Number | Name):
            return expr
        if expr not in self.made:
            number = len(self.made)
            while f"k_{number}" in self.taken:
                number += 1
            self.taken.add(f"k_{number}")
            self.made[expr] = f"k_{number}"
        return Name(self.made[expr])

    def change(self, expr: Expr) -> Expr:
        """The expression with its fixed parts as numbers."""
        if is_boolean(expr):
            return rebuild(expr, self.change)
        if self.is_fixed(expr):
            return self.name(expr)
        match expr:
            case Binary("*" | "/"):
                return self._product(expr)
            case Binary("+" | "-"):
                return self._sum(expr)
        return rebuild(expr, self.change)

    def _product(self, expr: Expr) -> Expr:
        """Moving factors in their order, with one fixed factor in front; moving divisors stay."""
        above: list[Expr] = []
        below: list[Expr] = []
        _factors(expr, above, below)
        fixed_above = [e for e in above if self.is_fixed(e)]
        fixed_below = [e for e in below if self.is_fixed(e)]
        moving = [self.change(e) for e in above if not self.is_fixed(e)]
        factor = multiply(fixed_above)
        if fixed_below:
            factor = Binary("/", factor, multiply(fixed_below))
        one = self.name(factor)
        parts = moving if one == ONE else [one, *moving]
        result = multiply(parts)
        for divisor in below:
            if not self.is_fixed(divisor):
                result = Binary("/", result, self.change(divisor))
        return result

    def _sum(self, expr: Expr) -> Expr:
        """Moving terms in their order; the fixed ones come together at the place of the first."""
        terms: list[tuple[int, Expr]] = []
        _terms(expr, 1, terms)
        fixed = [(sign, e) for sign, e in terms if self.is_fixed(e)]
        if len(fixed) < 2:
            return rebuild(expr, self.change)
        whole = self.name(_total(fixed))
        moving = [(sign, self.change(e)) for sign, e in terms if not self.is_fixed(e)]
        return Binary("+", _total(moving), whole)


def _factors(expr: Expr, above: list[Expr], below: list[Expr]) -> None:
    match expr:
        case Binary("*", left, right):
            _factors(left, above, below)
            _factors(right, above, below)
        case Binary("/", left, right):
            _factors(left, above, below)
            _factors(right, below, above)
        case Unary("-", operand) if not isinstance(operand, Number):
            above.append(Number(-1.0))
            _factors(operand, above, below)
        case _:
            above.append(expr)


def _terms(expr: Expr, sign: int, found: list[tuple[int, Expr]]) -> None:
    match expr:
        case Binary("+", left, right):
            _terms(left, sign, found)
            _terms(right, sign, found)
        case Binary("-", left, right):
            _terms(left, sign, found)
            _terms(right, -sign, found)
        case _:
            found.append((sign, expr))


def _total(terms: list[tuple[int, Expr]]) -> Expr:
    """A sum of signed terms, plus signs first."""
    positive = [e for sign, e in terms if sign > 0]
    result = add(positive) if positive else None
    for sign, term in terms:
        if sign < 0:
            result = Unary("-", term) if result is None else Binary("-", result, term)
    assert result is not None
    return result


def hoist(component: Component, update: UpdatePlan) -> tuple[Component, UpdatePlan]:
    """Component and plan with fixed parts as further coefficients `k_0`, `k_1`, ..."""
    known = {item.name for item in statics(component)}
    known |= {item.name for item in update.coefficients}
    known |= {name for m in update.matrices for row in m.names for name in row if name}
    taken = known | {item.name for item in declared(component)}
    taken |= {item.name for item in component.analog_inputs}
    taken |= {i.target for p in update.all_programs() for i in p.instructions}
    work = _Hoist({*known, STEP}, taken | {TIME})
    programs = tuple((key, _program(p, work.change)) for key, p in update.programs)
    integrations = tuple((key, _program(p, work.change)) for key, p in update.integrations)
    changed = _component(component, work.change)
    made = tuple(Coefficient(name=name, value=expr) for expr, name in work.made.items())
    plan = replace(
        update,
        programs=programs,
        integrations=integrations,
        coefficients=(*update.coefficients, *made),
    )
    return changed, plan


def _program(program: Program, change: Callable[[Expr], Expr]) -> Program:
    return replace(
        program,
        instructions=tuple(replace(i, value=change(i.value)) for i in program.instructions),
    )


def _component(component: Component, change: Callable[[Expr], Expr]) -> Component:
    """Everything that is evaluated on the chip; equations and initial values stay for the host."""
    changed = replace(
        component,
        derived_variables=tuple(
            replace(item, value=change(item.value)) for item in component.derived_variables
        ),
        machines=tuple(
            replace(
                machine,
                regimes=tuple(
                    replace(
                        regime,
                        derived_variables=tuple(
                            replace(item, value=change(item.value))
                            for item in regime.derived_variables
                        ),
                    )
                    for regime in machine.regimes
                ),
            )
            for machine in component.machines
        ),
    )
    return change_bodies(
        changed, lambda body: tuple(change_statement(item, change) for item in body), change
    )
