"""Operators: what they do to types, and what NESTML 9 makes of them.

Codes: N052 truth and numbers mixed, N055 units that do not fit, N061 integer division, N062 `//`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...canonical_model.diagnostics import Level, error
from ...canonical_model.expr import Binary, Call, Conditional, Expr, Number, Unary
from . import syntax
from .builder import continues
from .chains import SHORT, balanced
from .symbols import Place
from .tokens import At
from .types import (
    BOOLEAN,
    INTEGER,
    T_BOOLEAN,
    T_INTEGER,
    T_REAL,
    UNKNOWN,
    Typed,
    checked,
    product,
    shown,
)

if TYPE_CHECKING:
    from .expressions import Expressions

_BITS = {"&": "bitand", "|": "bitor", "^": "bitxor", "<<": "shiftleft", ">>": "shiftright"}


@dataclass(slots=True)
class Operators:
    """Lowers operators; their operands go through `parent`."""

    parent: Expressions

    def infix(self, expr: syntax.Infix, place: Place) -> Typed:
        """An operator between two expressions."""
        chain = [expr]
        while isinstance(chain[-1].left, syntax.Infix) and continues(chain[-1].op, chain[-1].left):
            chain.append(chain[-1].left)
        value = self.parent.lower(chain[-1].left, place)
        for link in reversed(chain):
            value = self.link(link, value, place)
        return Typed(balanced(value.expr), value.type) if len(chain) > SHORT else value

    def link(self, expr: syntax.Infix, left: Typed, place: Place) -> Typed:
        """One operator, of which the left side is lowered already."""
        op, span = expr.op, self.parent.names.span(expr.at)
        if op in ("and", "or"):
            before = self.parent.names.span(expr.left.at)
            why = f"the left side of '{op}'"
            first = self.parent.names.casts.to_truth(left, before, why)
            second = self.parent.test(expr.right, place, f"the right side of '{op}'")
            return Typed(Binary(op, first, second, span), T_BOOLEAN)
        right = self.parent.lower(expr.right, place)
        if op in ("*", "/"):
            return self.multiply(op, left, right, expr)
        if op == "**":
            return self.power(left, right, expr.at)
        if op in ("+", "-", "%"):
            why = f"the sides of '{op}'"
            one, other, kind = self.parent.names.casts.agree(left, right, span, why)
            return Typed(Binary(op, one.expr, other.expr, span), kind)
        if op == "//":
            return self.whole_quotient(left, right, expr.at)
        if op in _BITS:
            return self.bits(_BITS[op], (left, right), expr.at, op)
        return self.comparison(left, right, expr)

    def multiply(self, op: str, left: Typed, right: Typed, expr: syntax.Infix) -> Typed:
        """Products and quotients."""
        span = self.parent.names.span(expr.at)
        casts, why = self.parent.names.casts, f"'{op}'"
        one = left if left.type.unit else casts.to_number(left, span, why)
        other = right if right.type.unit else casts.to_number(right, span, why)
        both = one.type.kind == other.type.kind == INTEGER
        if op == "/" and both and not isinstance(other.expr, Number):
            message = "two integers are divided as real numbers; NESTML 9 cuts off the fraction"
            hint = "use '//' if the fraction is to be cut off"
            self.parent.names.log.add("N061", Level.NOTE, message, span, hint=hint)
        kind = product(one.type, other.type, span, over=op == "/")
        return Typed(Binary(op, one.expr, other.expr, span), kind)

    def power(self, base: Typed, exponent: Typed, at: At) -> Typed:
        """`base ** exponent`; a base with a unit needs a literal exponent. Raises ModelError N055."""
        span = self.parent.names.span(at)
        casts = self.parent.names.casts
        if exponent.type.unit is not None:
            message = (
                f"an exponent is a pure number, but {shown(exponent.expr)} is in {exponent.type}"
            )
            raise error("N055", message, span)
        raised = casts.to_number(exponent, span, "an exponent")
        if base.type.unit is None:
            number = casts.to_number(base, span, "'**'")
            whole = number.type.kind == raised.type.kind == INTEGER
            kind = T_INTEGER if whole and isinstance(raised.expr, Number) else T_REAL
            return Typed(Binary("^", number.expr, raised.expr, span), kind)
        value = literal_value(raised.expr)
        if value is None or abs(value) > 100:
            message = f"{shown(base.expr)} is in {base.type}, so that its exponent must be a literal number"
            raise error("N055", message, span, hint=f"divide it by '1 {base.type}' first")
        kind = checked(base.type.unit**value, span)
        return Typed(Binary("^", base.expr, raised.expr, span), kind)

    def whole_quotient(self, left: Typed, right: Typed, at: At, compound: bool = False) -> Typed:
        """`//` cuts off the fraction, toward zero; so does NESTML 9 in `//=`."""
        span = self.parent.names.span(at)
        if not compound:
            message = "'//' cuts off the fraction as documented; NESTML 9 divides as '/' does"
            self.parent.names.once("floor", "N062", Level.NOTE, message, span, "")
        one, other = left, right
        if left.type.unit is not None or right.type.unit is not None:
            if left.type.dimension != right.type.dimension:
                one = self.parent.names.casts.to_number(left, span, "'//'")
                other = self.parent.names.casts.to_number(right, span, "'//'")
        else:
            one, other, _ = self.parent.names.casts.agree(left, right, span, "the sides of '//'")
        whole = one.type.kind == other.type.kind == INTEGER
        quotient = Binary("/", one.expr, other.expr, span)
        return Typed(Call("trunc", (quotient,), span), T_INTEGER if whole else T_REAL)

    def bits(self, function: str, parts: tuple[Typed, ...], at: At, op: str) -> Typed:
        """Operators on the bits of whole numbers. Raises ModelError N052."""
        span = self.parent.names.span(at)
        for part in parts:
            if part.type.kind not in (INTEGER, UNKNOWN) or part.type.unit is not None:
                message = f"'{op}' needs integers, but {shown(part.expr)} is {part.type}"
                raise error("N052", message, span)
        return Typed(Call(function, tuple(part.expr for part in parts), span), T_INTEGER)

    def comparison(self, left: Typed, right: Typed, expr: syntax.Infix) -> Typed:
        """Comparisons do not chain."""
        op, span = expr.op, self.parent.names.span(expr.at)
        for part, written in ((left, expr.left), (right, expr.right)):
            if isinstance(written, syntax.Infix) and part.type.kind == BOOLEAN:
                message = f"comparisons do not chain: {shown(part.expr)} is true or false"
                raise error("N052", message, span, hint="write 'a < b and b < c'")
        if BOOLEAN in (left.type.kind, right.type.kind) and op not in ("==", "!="):
            raise error("N052", f"true and false cannot be compared by '{op}'", span)
        one, other, _ = self.parent.names.casts.agree(left, right, span, f"the sides of '{op}'")
        return Typed(Binary(op, one.expr, other.expr, span), T_BOOLEAN)

    def prefix(self, expr: syntax.Prefix, place: Place) -> Typed:
        """A sign, `~` or `not`."""
        op, span = expr.op, self.parent.names.span(expr.at)
        if op == "not":
            test = self.parent.test(expr.operand, place, "what 'not' negates")
            return Typed(Unary("not", test, span), T_BOOLEAN)
        operand = self.parent.lower(expr.operand, place)
        if op == "~":
            return self.bits("bitnot", (operand,), expr.at, "~")
        if operand.type.kind == BOOLEAN:
            operand = self.parent.names.casts.to_number(operand, span, f"'{op}'")
        return operand if op == "+" else Typed(Unary("-", operand.expr, span), operand.type)

    def choice(self, expr: syntax.Choice, place: Place) -> Typed:
        """`test ? yes : no`."""
        span = self.parent.names.span(expr.at)
        test = self.parent.test(expr.test, place, "what stands before '?'")
        yes, no = self.parent.lower(expr.yes, place), self.parent.lower(expr.no, place)
        one, other, kind = self.parent.names.casts.agree(yes, no, span, "the branches of '? :'")
        return Typed(Conditional(((test, one.expr),), other.expr, span), kind)


def literal_value(expr: Expr) -> float | None:
    """The value of a literal with sign, or of a quotient of such (`x**(1/2)`)."""
    match expr:
        case Number(value, None):
            return value
        case Unary("-", operand):
            inner = literal_value(operand)
            return None if inner is None else -inner
        case Binary("/", left, right):
            over, under = literal_value(left), literal_value(right)
            return over / under if over is not None and under else None
    return None
