"""Types of expressions, and the casts that NESTML makes in silence, written out.

Codes: N050 a quantity cast to a number, N051 a number taken as a quantity, N052 truth and numbers mixed,
N053 a cast between truth and number, N055 different units, N056 a number where a quantity is declared, N057
a real number stored as an integer, N060 the engine applies a prefix twice here.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...canonical_model.diagnostics import Level, Log, Span, error
from ...canonical_model.expr import ONE, ZERO, Binary, Call, Conditional, Expr, Number, Unary
from ...canonical_model.expr_print import ATOM, SIGN, InfixPrinter, Printed, number_text
from ...canonical_model.units import NONE, Dimension
from .units import NO_UNIT, UnitValue, sound

_WHOLE = ("ceil", "floor", "round", "trunc")
REAL, INTEGER, BOOLEAN, STRING, VOID, UNKNOWN = "real", "integer", "boolean", "string", "void", ""


@dataclass(frozen=True, slots=True)
class Type:
    """What a value is; a quantity is real and has a unit."""

    kind: str
    unit: UnitValue | None = None

    @property
    def dimension(self) -> Dimension:
        """That of the unit."""
        return NONE if self.unit is None else self.unit.dimension

    @property
    def number(self) -> bool:
        """True for real and integer, with or without unit."""
        return self.kind in (REAL, INTEGER)

    @property
    def value_unit(self) -> UnitValue:
        """The unit, 1 where there is none."""
        return self.unit or NO_UNIT

    @property
    def described(self) -> str:
        """For sentences: `in mV`, `a number without unit`."""
        if self.unit is not None:
            return f"in {self.unit.symbol}"
        return "a number without unit" if self.number else f"a {self.kind}"

    def __str__(self) -> str:
        return self.unit.symbol if self.unit is not None else self.kind or "unknown"


T_REAL, T_INTEGER, T_BOOLEAN = Type(REAL), Type(INTEGER), Type(BOOLEAN)
T_STRING, T_VOID, T_UNKNOWN = Type(STRING), Type(VOID), Type(UNKNOWN)


@dataclass(frozen=True, slots=True)
class Typed:
    """A canonical expression with its NESTML type."""

    expr: Expr
    type: Type


def quantity_type(unit: UnitValue) -> Type:
    """A quantity, or a plain real where nothing of the unit is left."""
    return T_REAL if unit.dimension == NONE else Type(REAL, unit)


def is_zero(expr: Expr) -> bool:
    """True for a literal 0 without unit."""
    return isinstance(expr, Number) and expr.unit is None and expr.value == 0


class _Shown(InfixPrinter):
    """Expressions as a modeller writes them, nearly."""

    def number(self, node: Number) -> Printed:
        """A literal with the symbol of its unit."""
        text = number_text(node.value)
        level = SIGN if text.startswith("-") else ATOM
        return (f"{text} {node.unit.symbol}", SIGN) if node.unit is not None else (text, level)

    def name(self, name: str) -> Printed:
        """Derivatives with primes."""
        bare = name
        while bare.endswith("__d"):
            bare = bare[: -len("__d")]
        return bare + "'" * name[len(bare) :].count("__d"), ATOM


_SHOWN = _Shown()


def shown(expr: Expr) -> str:
    """A short text of an expression for messages."""
    text = _SHOWN.text(expr)
    return f"'{text if len(text) <= 40 else text[:37] + '...'}'"


@dataclass(slots=True)
class Casts:
    """Casts with their remarks."""

    log: Log

    def to_number(self, value: Typed, span: Span, why: str) -> Typed:
        """A pure number: what the engine counts of a quantity, 1 or 0 of a truth value."""
        kind = value.type
        if kind.kind == UNKNOWN:
            return value
        if kind.kind == BOOLEAN:
            self.log.add("N053", Level.WARNING, f"{why} takes a truth value as 1 or 0", span)
            return Typed(Conditional(((value.expr, ONE),), ZERO, span), T_INTEGER)
        if not kind.number:
            raise error("N052", f"{why} needs a number, but {shown(value.expr)} is {kind}", span)
        if kind.unit is None:
            return value
        counted = kind.unit.cast()
        message = (
            f"{why} needs a number, but {shown(value.expr)} is in {kind}; "
            f"its value in {counted.symbol} is taken"
        )
        hint = f"divide it by '1 {counted.symbol}'"
        self.log.add("N050", Level.WARNING, message, span, hint=hint)
        return Typed(Binary("/", value.expr, _unit_number(counted, span), span), T_REAL)

    def to_unit(self, value: Typed, unit: UnitValue, span: Span, why: str) -> Typed:
        """A number taken as a quantity of `unit`'s dimension, as the engine counts it."""
        if isinstance(value.expr, Number) and value.expr.unit is None:
            counted = unit.cast()
            exact = Number(value.expr.value, counted.unit(), value.expr.span)
            if not is_zero(value.expr):
                self._taken(value, counted, span, why)
            return Typed(exact, quantity_type(counted))
        number = self.to_number(value, span, why) if value.type.kind == BOOLEAN else value
        counted = unit.cast()
        self._taken(value, counted, span, why)
        expr = Binary("*", number.expr, _unit_number(counted, span), span)
        return Typed(expr, quantity_type(counted))

    def _taken(self, value: Typed, counted: UnitValue, span: Span, why: str) -> None:
        message = (
            f"{why}: {shown(value.expr)} has no unit beside {counted.symbol}; "
            f"it is taken in {counted.symbol}"
        )
        hint = f"write it with its unit, or multiply it by '1 {counted.symbol}'"
        self.log.add("N051", Level.WARNING, message, span, hint=hint)

    def to_truth(self, value: Typed, span: Span, why: str) -> Expr:
        """A condition."""
        kind = value.type
        if kind.kind in (BOOLEAN, UNKNOWN):
            if isinstance(value.expr, Number):  # a literal true or false
                return Binary("==", value.expr, ONE, span)
            return value.expr
        if kind.number and kind.unit is None:
            message = f"{why} is a number, not true or false; 'different from 0' is taken"
            self.log.add("N053", Level.WARNING, message, span, hint="compare it: 'x != 0'")
            return Binary("!=", value.expr, ZERO, span)
        message = f"{why} must be true or false, but {shown(value.expr)} is {kind}"
        raise error("N052", message, span, hint="compare it with a quantity of its unit")

    def agree(self, one: Typed, other: Typed, span: Span, why: str) -> tuple[Typed, Typed, Type]:
        """Both sides with one dimension, and the common type. Raises ModelError N055."""
        if UNKNOWN in (one.type.kind, other.type.kind):
            return one, other, T_UNKNOWN
        if one.type == other.type and one.type.kind != VOID:
            return one, other, one.type
        if STRING in (one.type.kind, other.type.kind):
            message = f"{why}: {one.type} and {other.type} do not go together"
            raise error("N052", message, span)
        left, right = one.type.unit, other.type.unit
        if left is None and right is None:
            one, other = self.to_number(one, span, why), self.to_number(other, span, why)
            whole = one.type.kind == other.type.kind == INTEGER
            return one, other, T_INTEGER if whole else T_REAL
        if left is None and right is not None:
            return self.to_unit(one, right, span, why), other, other.type
        if right is None and left is not None:
            return one, self.to_unit(other, left, span, why), one.type
        assert left is not None and right is not None
        if left.dimension != right.dimension:
            message = (
                f"{why} have different units: {shown(one.expr)} is in {one.type}, "
                f"{shown(other.expr)} is in {other.type}"
            )
            raise error("N055", message, span)
        self.prefixes(left, right, span)
        return one, other, one.type

    def prefixes(self, left: UnitValue, right: UnitValue, span: Span) -> None:
        """Remark where the engine would apply the factor between two prefixes twice."""
        if not left.same_size(right):
            message = (
                f"{left.symbol} and {right.symbol} meet here: this is converted once; "
                "NESTML 9 applies the factor twice"
            )
            self.log.add("N060", Level.NOTE, message, span)

    def store(self, value: Typed, target: Type, span: Span, what: str) -> Expr:
        """`value` as something of type `target`. Raises ModelError N052, N055, N056."""
        kind = value.type
        if UNKNOWN in (kind.kind, target.kind) or kind == target:
            return value.expr
        if target.kind == BOOLEAN or target.kind == STRING or kind.kind in (STRING, VOID):
            message = f"{what} is {target}, but {shown(value.expr)} is {kind}"
            raise error("N052", message, span)
        if target.unit is None:
            found = self.to_number(value, span, what)
            whole = isinstance(found.expr, Call) and found.expr.function in _WHOLE
            if target.kind == INTEGER and found.type.kind == REAL and not whole:
                message = f"{what} is an integer: the fraction of {shown(value.expr)} is cut off"
                self.log.add("N057", Level.NOTE, message, span)
            return found.expr
        if kind.unit is None:
            return self._number_into_unit(value, target, span, what)
        if kind.unit.dimension != target.unit.dimension:
            message = f"{what} is in {target}, but {shown(value.expr)} is in {kind}"
            raise error("N055", message, span)
        self.prefixes(kind.unit, target.unit, span)
        return value.expr

    def _number_into_unit(self, value: Typed, target: Type, span: Span, what: str) -> Expr:
        assert target.unit is not None
        bare = value.expr.operand if isinstance(value.expr, Unary) else value.expr
        if is_zero(bare) or _is_infinite(bare):
            message = f"{what} is in {target}, but {shown(value.expr)} has no unit"
            self.log.add("N051", Level.NOTE, message, span, hint=f"write '0 {target}'")
            return self.to_unit(value, target.unit, span, what).expr
        message = f"{what} is in {target}, but {shown(value.expr)} is a number without unit"
        raise error("N056", message, span, hint=f"multiply it by '1 {target}'")


def product(one: Type, other: Type, span: Span, over: bool = False) -> Type:
    """The type of a product or quotient. Raises ModelError N055."""
    if UNKNOWN in (one.kind, other.kind):
        return T_UNKNOWN
    if one.unit is None and other.unit is None:
        whole = one.kind == other.kind == INTEGER and not over
        return T_INTEGER if whole else T_REAL
    left, right = one.value_unit, other.value_unit
    return checked(left / right if over else left * right, span)


def checked(unit: UnitValue, span: Span) -> Type:
    """The type of a unit that was worked out. Raises ModelError N055 where it is beyond all numbers."""
    if not sound(unit):
        raise error("N055", "the unit of this expression has too high powers", span)
    return quantity_type(unit)


def _unit_number(unit: UnitValue, span: Span) -> Number:
    return Number(1.0, unit.unit(), span)


def _is_infinite(expr: Expr) -> bool:
    return isinstance(expr, Number) and expr.unit is None and expr.value in (float("inf"),)
