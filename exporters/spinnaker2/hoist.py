"""Move what is fixed during a run out of the chip's expressions: the host computes it once, in float64.

Products and sums are regrouped so that their fixed parts come together, and a division by something fixed
becomes a multiplication.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ...canonical_model.expr import (
    PORT_FUNCTIONS,
    RANDOM_FUNCTIONS,
    TIME,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Unary,
    children,
    free_names,
    is_boolean,
    is_random,
    multiply,
    rebuild,
    substitute,
    walk,
)
from ...canonical_model.model import Component
from ...canonical_model.passes.change import change_bodies, change_statement
from ...canonical_model.query import declared, statics
from ...solvers.plan import STEP, Coefficient, Program, UpdatePlan
from .factors import (
    ONE,
    base_of,
    factors_of,
    is_power,
    number_of,
    terms_of,
    times,
    total_of,
    without,
)

MAX_INLINED = 400  # nodes of an expression that is moved to where it is used


@dataclass(slots=True)
class _Hoist:
    """Names that are fixed, and the coefficients made so far by their expressions."""

    fixed: set[str]
    taken: set[str]
    made: dict[Expr, str] = field(default_factory=dict)

    def is_fixed(self, expr: Expr) -> bool:
        """True if the expression has the same value in every step."""
        stack = [expr]
        while stack:
            node = stack.pop()
            if isinstance(node, Name):
                if node.id not in self.fixed:
                    return False
            elif isinstance(node, Binary):
                stack += (node.left, node.right)
            elif isinstance(node, Call) and node.function in RANDOM_FUNCTIONS:
                return False
            elif not (isinstance(node, Call) and node.function in PORT_FUNCTIONS):
                stack.extend(children(node))
        return True

    def name(self, expr: Expr) -> Expr:
        """The expression as one number: itself if it is one, else a coefficient."""
        if isinstance(expr, Number | Name):
            return expr
        value = number_of(expr)
        if value is not None:
            return Number(value)
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
        factors_of(expr, above, below)
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
        """Moving terms grouped by their fixed factors and by what they share; fixed terms come together."""
        terms: list[tuple[int, Expr]] = []
        self._spread(expr, 1, ONE, terms)
        terms = self._opened(terms)
        fixed = [(sign, e) for sign, e in terms if self.is_fixed(e)]
        moving = [(sign, e) for sign, e in terms if not self.is_fixed(e)]
        if not moving:
            return self.name(total_of(fixed))
        grouped = self._shared(self._alike(moving))
        parts = [(sign, self._part(e)) for sign, e in grouped]
        if fixed:
            whole = self.name(total_of(fixed))
            if isinstance(whole, Number) and whole.value < 0:
                parts.append((-1, Number(-whole.value)))
            elif whole != Number(0.0):
                parts.append((1, whole))
        bare = [
            k for k, (_, e) in enumerate(parts) if isinstance(e, Name) and e.id not in self.fixed
        ]
        if len(bare) == 1 and len(parts) > 2:
            # small increments are added up before they meet the state, whose rounding is coarser
            sign, last = parts.pop(bare[0])
            return Binary("+" if sign > 0 else "-", total_of(parts), last)
        return total_of(parts)

    def _opened(self, terms: list[tuple[int, Expr]]) -> list[tuple[int, Expr]]:
        """k * (x + c) as k * x + k * c where the fixed part joins another one for free."""
        if not any(self.is_fixed(e) for _, e in terms):
            return terms
        result: list[tuple[int, Expr]] = []
        for sign, term in terms:
            factor, rest = self._split(term)
            inner: list[tuple[int, Expr]] = []
            if factor != ONE and isinstance(rest, Binary) and rest.op in "+-":
                terms_of(rest, sign, inner)
            if len(inner) == 2 and sum(self.is_fixed(e) for _, e in inner) == 1:
                result += [(s, times(factor, e)) for s, e in inner]
            else:
                result.append((sign, term))
        return result

    def _part(self, expr: Expr) -> Expr:
        """A term after grouping: sums are not taken apart again."""
        match expr:
            case Binary("*" | "/"):
                return self._product(expr)
        return self.change(expr)

    def _spread(self, expr: Expr, sign: int, factor: Expr, found: list[tuple[int, Expr]]) -> None:
        """The terms of a sum times `factor`; a fixed factor goes into a sum if that costs nothing."""
        match expr:
            case Binary("+", left, right):
                self._spread(left, sign, factor, found)
                self._spread(right, sign, factor, found)
                return
            case Binary("-", left, right):
                self._spread(left, sign, factor, found)
                self._spread(right, -sign, factor, found)
                return
            case Unary("-", operand):
                self._spread(operand, -sign, factor, found)
                return
            case Binary("*" | "/"):
                inner = self._inner_sum(expr)
                if inner is not None:
                    own, rest = inner
                    self._spread(own, sign, times(factor, rest), found)
                    return
        found.append((sign, times(factor, expr)))

    def _inner_sum(self, expr: Expr) -> tuple[Expr, Expr] | None:
        """(sum, fixed factor) of a product of the two, where no term of the sum is bare."""
        above: list[Expr] = []
        below: list[Expr] = []
        factors_of(expr, above, below)
        moving = [e for e in above if not self.is_fixed(e)]
        if len(moving) != 1 or not isinstance(moving[0], Binary) or moving[0].op not in "+-":
            return None
        if not all(self.is_fixed(e) for e in below):
            return None
        terms: list[tuple[int, Expr]] = []
        terms_of(moving[0], 1, terms)
        if any(not self.is_fixed(e) and self._split(e)[0] == ONE for _, e in terms):
            return None
        factor = multiply([e for e in above if self.is_fixed(e)])
        return moving[0], Binary("/", factor, multiply(below)) if below else factor

    def _split(self, expr: Expr) -> tuple[Expr, Expr]:
        """(fixed factor, rest) of a term."""
        above: list[Expr] = []
        below: list[Expr] = []
        factors_of(expr, above, below)
        fixed = multiply([e for e in above if self.is_fixed(e)])
        under = [e for e in below if self.is_fixed(e)]
        rest = multiply([e for e in above if not self.is_fixed(e)])
        for divisor in below:
            if not self.is_fixed(divisor):
                rest = Binary("/", rest, divisor)
        return (Binary("/", fixed, multiply(under)) if under else fixed), rest

    def _alike(self, terms: list[tuple[int, Expr]]) -> list[tuple[int, Expr]]:
        """c * a + c * b as c * (a + b); all terms in one quantity as that times a number."""
        split = [(sign, *self._split(e)) for sign, e in terms]
        if len(split) > 1 and len({rest for _, _, rest in split}) == 1:
            return [(1, times(total_of([(sign, f) for sign, f, _ in split]), split[0][2]))]
        result: list[tuple[int, Expr]] = []
        done: set[int] = set()
        for k, (sign, factor, rest) in enumerate(split):
            if k in done:
                continue
            alike = [j for j in range(k, len(split)) if split[j][1] == factor and j not in done]
            if factor == ONE or len(alike) == 1:
                result.append((sign, times(factor, rest)))
                continue
            done.update(alike)
            inner = total_of([(sign * split[j][0], split[j][2]) for j in alike])
            result.append((sign, Binary("*", factor, inner)))
        return result

    def _shared(self, terms: list[tuple[int, Expr]]) -> list[tuple[int, Expr]]:
        """Horner's rule: what two or more terms with factors share is taken out once."""
        counts: dict[str, list[int]] = {}
        for k, (_, term) in enumerate(terms):
            above: list[Expr] = []
            factors_of(term, above, [])
            if len(above) > 1 or is_power(term):
                for name in {base_of(e) for e in above} - {""}:
                    counts.setdefault(name, []).append(k)
        best = max(counts, key=lambda name: len(counts[name]), default="")
        if not best or len(counts[best]) < 2 or best in self.fixed:
            return terms
        chosen = counts[best]
        inner = [(sign, without(term, best)) for k, (sign, term) in enumerate(terms) if k in chosen]
        taken = Binary("*", total_of(self._shared(inner)), Name(best))
        rest = [(sign, term) for k, (sign, term) in enumerate(terms) if k not in chosen]
        return [(1, taken), *rest]


def hoist(component: Component, update: UpdatePlan) -> tuple[Component, UpdatePlan]:
    """Component and plan with fixed parts as further coefficients `k_0`, `k_1`, ..."""
    known = {item.name for item in statics(component)}
    known |= {item.name for item in update.coefficients}
    known |= {name for m in update.matrices for row in m.names for name in row if name}
    taken = known | {item.name for item in declared(component)}
    taken |= {item.name for item in component.analog_inputs}
    taken |= {i.target for p in update.all_programs() for i in p.instructions}
    work = _Hoist({*known, STEP}, taken | {TIME})
    programs = tuple((key, _program(p, work)) for key, p in update.programs)
    integrations = tuple((key, _program(p, work)) for key, p in update.integrations)
    changed = _component(component, work.change)
    made = tuple(Coefficient(name=name, value=expr) for expr, name in work.made.items())
    plan = replace(
        update,
        programs=programs,
        integrations=integrations,
        coefficients=(*update.coefficients, *made),
    )
    return changed, plan


def _program(program: Program, work: _Hoist) -> Program:
    """Instructions used once go where they are used; fixed factors go to the users."""
    program = _pulled(_inlined(program), work)
    return replace(
        program,
        instructions=tuple(replace(i, value=work.change(i.value)) for i in program.instructions),
    )


def _inlined(program: Program) -> Program:
    kept = {local for _, local in (*program.commits, *program.carried)} | set(program.error)
    uses: dict[str, int] = {}
    for item in program.instructions:
        for node in walk(item.value):
            if isinstance(node, Name):
                uses[node.id] = uses.get(node.id, 0) + 1
    values: dict[str, Expr] = {}
    instructions = []
    for item in program.instructions:
        value = substitute(item.value, values) if values else item.value
        once = uses.get(item.target, 0) == 1 and item.target not in kept
        if once and sum(1 for _ in walk(value)) <= MAX_INLINED and not is_random(value):
            values[item.target] = value
        else:
            instructions.append(replace(item, value=value))
    return replace(program, instructions=tuple(instructions))


def _pulled(program: Program, work: _Hoist) -> Program:
    """Take fixed factors out of instructions whose users multiply by something fixed anyway."""
    kept = {local for _, local in (*program.commits, *program.carried)} | set(program.error)
    items = list(program.instructions)
    names = [free_names(item.value) for item in items]
    for k, item in enumerate(items):
        if item.target in kept or is_random(item.value):
            continue
        factor, rest = work._split(item.value)
        if factor == ONE or rest == ONE:
            continue
        users = [j for j in range(k + 1, len(items)) if item.target in names[j]]
        if not all(_absorbs(items[j].value, item.target, work) for j in users):
            continue
        items[k] = replace(item, value=rest)
        scaled = {item.target: Binary("*", factor, Name(item.target))}
        for j in users:
            items[j] = replace(items[j], value=substitute(items[j].value, scaled))
            names[j] |= free_names(factor)
    return replace(program, instructions=tuple(items))


def _absorbs(expr: Expr, name: str, work: _Hoist) -> bool:
    """True if `name` occurs only in products with a fixed factor."""
    match expr:
        case Binary("*"):
            above: list[Expr] = []
            below: list[Expr] = []
            factors_of(expr, above, below)
            if Name(name) in above and not any(_mentions(e, name) for e in below):
                rest = list(above)
                rest.remove(Name(name))
                return any(work.is_fixed(e) for e in rest) and not any(
                    _mentions(e, name) for e in rest
                )
            return all(_absorbs(e, name, work) for e in (*above, *below))
        case Binary("+" | "-", left, right):
            return _absorbs(left, name, work) and _absorbs(right, name, work)
    return not _mentions(expr, name)


def _mentions(expr: Expr, name: str) -> bool:
    return name in free_names(expr)


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
