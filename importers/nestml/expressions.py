"""Expressions: names resolved, units checked, silent casts written out, functions in canonical terms.

Codes: N028 a number too large, N030 an unknown name, N034 a name that cannot be read here, N041 a unit and
a variable of one name, N045 a vector used wrongly, N067 Hz in NESTML 9, N090.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import chain

from ...canonical_model.diagnostics import Level, error
from ...canonical_model.expr import Binary, Call, Conditional, Expr, Name, Number
from ...canonical_model.units import FREQUENCY, Unit
from . import symbols as kinds
from . import syntax
from .builder import is_long
from .calls import Calls
from .operators import Operators
from .symbols import Names, Place, Symbol, derivative
from .tokens import At
from .types import (
    INTEGER,
    T_BOOLEAN,
    T_INTEGER,
    T_REAL,
    T_UNKNOWN,
    UNKNOWN,
    Type,
    Typed,
    quantity_type,
    shown,
)
from .units import UnitValue, atom, value_of

PER_SECOND = Unit("1/s", FREQUENCY)
_RATES = ("Hz", "Bq", "hertz", "Hertz", "becquerel")
_USUAL = (
    "smVASFKCJNW"  # one-letter units that people wrote without a number; `u` or `d` are variables
)


@dataclass(slots=True)
class Expressions:
    """Turns expressions of one model into canonical ones."""

    names: Names
    operators: Operators = field(init=False)

    def __post_init__(self) -> None:
        self.operators = Operators(self)

    def lower(self, expr: syntax.Expr, place: Place) -> Typed:
        """The canonical form and type. Raises ModelError about the first thing that is wrong."""
        match expr:
            case syntax.Variable():
                return self.variable(expr, place)
            case syntax.Infix():
                return self.operators.infix(expr, place)
            case syntax.Literal():
                return self.literal(expr, place)
            case syntax.Group(inner, _, _):
                return self.lower(inner, place)
            case syntax.Apply():
                return Calls(self, place).call(expr)
            case syntax.Prefix():
                return self.operators.prefix(expr, place)
            case syntax.Choice():
                return self.operators.choice(expr, place)
            case syntax.Truth(value, at):
                return Typed(Number(float(value), None, self.names.span(at)), T_BOOLEAN)
            case syntax.Infinity(at):
                return Typed(Number(math.inf, None, self.names.span(at)), T_REAL)
            case syntax.Text(value, at):
                message = "a string cannot be used in an expression"
                raise error("N034", message, self.names.span(at))
            case syntax.Attribute():
                return self.attribute(expr, place)

    def test(self, expr: syntax.Expr, place: Place, why: str) -> Expr:
        """A condition."""
        found = self.lower(expr, place)
        return self.names.casts.to_truth(found, self.names.span(expr.at), why)

    # --- literals

    def literal(self, literal: syntax.Literal, place: Place) -> Typed:
        """A number, with its unit."""
        span = self.names.span(literal.at)
        value = float(literal.text)
        if math.isinf(value):
            raise error("N028", "this number is too large", span)
        if literal.unit is None:
            return Typed(Number(value, None, span), T_INTEGER if literal.whole else T_REAL)
        unit = value_of(literal.unit, self.names.file)
        self.remark_unit(literal.unit)
        if place.kind == kinds.EQUATIONS and value and not unit.same_size(unit.cast()):
            message = (
                f"in equations NESTML 9 takes '{literal.text} {unit.symbol}' for {literal.text} "
                f"{unit.cast().symbol}, without the factor between them"
            )
            hint = f"write it in {unit.cast().symbol}"
            self.names.once("factor", "N067", Level.NOTE, message, span, hint)
        return Typed(Number(value, unit.unit(), span), quantity_type(unit))

    def remark_unit(self, unit: syntax.Unit) -> None:
        """What a unit's name may be mistaken for, here or by NESTML 9."""
        for factor in unit.factors:
            if factor.name in self.names.symbols:
                message = f"'{factor.name}' behind a number is the unit, not the variable"
                hint = f"write '* {factor.name}' if the variable is meant"
                span = self.names.span(factor.at)
                self.names.log.add("N041", Level.WARNING, message, span, hint=hint)
            if factor.name.endswith(_RATES):
                message = (
                    f"'{factor.name}' is taken as what it is; NESTML 9 takes its number as it stands, "
                    "as if it were per ms"
                )
                span = self.names.span(factor.at)
                self.names.once("hertz", "N067", Level.NOTE, message, span, "")

    # --- names

    def variable(self, variable: syntax.Variable, place: Place) -> Typed:
        """What a name stands for."""
        name, span = variable.name, self.names.span(variable.at)
        if name in place.constants:
            return Typed(Number(place.constants[name], None, span), T_INTEGER)
        local = place.locals.get(name)
        if local is not None:
            return self.quantity(variable, local, place)
        symbol = self.names.symbols.get(name)
        if symbol is None:
            return self.predefined(variable)
        if symbol.type.kind == UNKNOWN and symbol.kind != kinds.KERNEL:
            return Typed(Name(name, span), T_UNKNOWN)
        self.readable(variable, symbol, place)
        if symbol.kind == kinds.SPIKE:
            return self.spikes(variable, symbol, place)
        return self.quantity(variable, symbol, place)

    def predefined(self, variable: syntax.Variable) -> Typed:
        """`t`, `e`, `pi`, a bare unit, or nothing that is known."""
        name, span = variable.name, self.names.span(variable.at)
        if not variable.order and variable.index is None:
            if name == "t":
                return Typed(Name("t", span), quantity_type(_unit("ms")))
            if name in ("e", "pi"):
                value = math.e if name == "e" else math.pi
                return Typed(Number(value, None, span), T_REAL)
            unit = atom(name) if len(name) > 1 or name in _USUAL else None
            if unit is not None:
                message = f"the unit '{name}' without a number is read as '1 {name}'"
                hint = "since 9.0 a number stands before every unit"
                self.names.once("bare", "N090", Level.NOTE, message, span, hint)
                return Typed(Number(1.0, unit.unit(), span), quantity_type(unit))
        known = chain(self.names.symbols, self.names.functions)
        if name in self.names.functions:
            raise error("N034", f"'{name}' is a function; it needs arguments", span)
        message = f"'{name}' is not declared"
        raise error("N030", message, span, hint=self.names.near(name, known))

    def readable(self, variable: syntax.Variable, symbol: Symbol, place: Place) -> None:
        """What may be read where. Raises ModelError N034."""
        span = self.names.span(variable.at)
        kind, name = symbol.kind, symbol.name
        is_kernel = kind in (kinds.KERNEL, kinds.KERNEL_STATE)
        own = is_kernel and symbol.ode and place.kind == kinds.IN_KERNEL
        if is_kernel and not own:
            hint = f"write 'convolve({name}, port)'" if kind == kinds.KERNEL else ""
            message = f"'{name}' is {kinds.one(kind)} and stands inside of convolve() only"
            raise error("N034", message, span, hint=hint)
        statics = (kinds.PARAMETER, kinds.INTERNAL)
        if place.kind == kinds.IN_FUNCTION and kind not in statics:
            message = f"the function '{place.function}' reads '{name}', {kinds.one(kind)}"
            raise error("N034", message, span, hint="pass it as an argument")
        if place.kind == kinds.IN_KERNEL and kind not in statics and not own:
            message = f"a kernel reads '{name}', {kinds.one(kind)}"
            raise error("N034", message, span, hint="kernels depend on parameters and t only")
        if place.kind in (kinds.STATICS, kinds.INITIAL, kinds.GUARD):
            self.static(variable, symbol, place)

    def static(self, variable: syntax.Variable, symbol: Symbol, place: Place) -> None:
        """Declarations read parameters and internals; initial values and guards states as well."""
        span = self.names.span(variable.at)
        if symbol.kind == kinds.STATE and place.kind == kinds.STATICS:
            message = (
                f"'{symbol.name}' is a state: its initial value is meant here; NESTML 9 may read it "
                "before it is set"
            )
            self.names.log.add("N059", Level.WARNING, message, span)
            return
        if symbol.kind not in (kinds.PARAMETER, kinds.INTERNAL, kinds.STATE):
            message = f"a declaration cannot read '{symbol.name}', {kinds.one(symbol.kind)}"
            hint = "what changes is an inline expression in 'equations'"
            raise error("N034", message, span, hint=hint)
        if place.position >= 0 and symbol.position >= place.position:
            message = f"'{symbol.name}' is declared later; NESTML 9 would read its value too early"
            hint = "move its declaration up; here the order does not matter"
            self.names.log.add("N066", Level.WARNING, message, span, hint=hint)

    def quantity(self, variable: syntax.Variable, symbol: Symbol, place: Place) -> Typed:
        """A variable with its index and primes."""
        span = self.names.span(variable.at)
        kind = self.order_type(variable, symbol)
        if symbol.size is None:
            if variable.index is not None:
                raise error("N045", f"'{symbol.name}' is no vector", span)
            return Typed(Name(derivative(symbol.name, variable.order), span), kind)
        index = self.index(variable, symbol, place)
        if isinstance(index, int):
            name = derivative(self.names.element(symbol.name, index), variable.order)
            return Typed(Name(name, span), kind)
        self.names.generate(symbol.size, span)
        every = [
            Name(derivative(self.names.element(symbol.name, i), variable.order), span)
            for i in range(symbol.size)
        ]
        cases = tuple(
            (Binary("==", index, Number(float(i)), span), item) for i, item in enumerate(every[:-1])
        )
        return Typed(Conditional(cases, every[-1], span) if cases else every[0], kind)

    def order_type(self, variable: syntax.Variable, symbol: Symbol) -> Type:
        """The type of a variable or its derivative. Raises ModelError N030."""
        if not variable.order:
            return symbol.type
        kind = symbol.derivatives.get(variable.order)
        if kind is None:
            message = f"{variable.shown} is not declared: the state holds no such derivative"
            raise error("N030", message, self.names.span(variable.at))
        return kind

    def index(self, variable: syntax.Variable, symbol: Symbol, place: Place) -> int | Expr:
        """Which element: a number where that is known. Raises ModelError N045."""
        assert symbol.size is not None
        span = self.names.span(variable.at)
        if variable.index is None:
            if place.element is None:
                message = f"'{symbol.name}' is a vector where a single value is needed"
                raise error("N045", message, span, hint=f"write '{symbol.name}[0]'")
            if place.element >= symbol.size:
                message = f"'{symbol.name}' has {symbol.size} elements, fewer than its counterpart"
                raise error("N045", message, span)
            return place.element
        constant = self.constant(variable.index, place)
        if constant is None:
            found = self.lower(variable.index, place)
            if found.type.kind not in (INTEGER, UNKNOWN) or found.type.unit is not None:
                message = f"an index is an integer, but {shown(found.expr)} is {found.type}"
                raise error("N045", message, span)
            return found.expr
        if constant != int(constant) or not 0 <= constant < symbol.size:
            message = f"'{symbol.name}' has the elements 0 to {symbol.size - 1}, not {constant:g}"
            raise error("N045", message, self.names.span(variable.index.at))
        return int(constant)

    def constant(self, expr: syntax.Expr, place: Place) -> float | None:
        """The value of an expression of literals, sizes and unrolled loop variables, else None."""
        match expr:
            case syntax.Literal(text, _, None):
                return float(text)
            case syntax.Group(inner, _, _):
                return self.constant(inner, place)
            case syntax.Variable(name, _, None, 0):
                if name in place.locals and name not in place.constants:
                    return None
                return place.constants.get(name, self.names.sizes.get(name))
            case syntax.Prefix("-", operand, _, _):
                value = self.constant(operand, place)
                return None if value is None else -value
            case syntax.Infix("+" | "-" | "*" as op, left, right, _, _) if not is_long(expr):
                one, other = self.constant(left, place), self.constant(right, place)
                if one is None or other is None:
                    return None
                return one + other if op == "+" else one - other if op == "-" else one * other
        return None

    def spikes(self, variable: syntax.Variable, symbol: Symbol, place: Place) -> Typed:
        """A spike port as a value: the train in an equation, this step's weights in a program."""
        span = self.names.span(variable.at)
        if variable.order:
            raise error("N034", f"'{variable.shown}': a port has no derivative", span)
        port = self.port(variable, symbol, place)
        if place.kind == kinds.EQUATIONS:
            train = Call("convolve", (Name("delta", span), Name(port, span)), span)
            if symbol.event_unit is None:
                return Typed(train, quantity_type(_unit("s") ** -1.0))
            pure = Binary("*", train, Number(1.0, _unit("ms").unit(), span), span)
            return self.times_unit(pure, symbol.event_unit, variable.at)
        return self.with_port_unit(self.arrived(port, place, variable.at), symbol, variable.at)

    def arrived(self, port: str, place: Place, at: At) -> Expr:
        """The weight of the events that came."""
        span = self.names.span(at)
        if place.kind == kinds.RECEIVE and port == place.port:
            return Name(self.names.payload, span)
        return Call("arrived", (Name(port, span),), span)

    def with_port_unit(self, weight: Expr, symbol: Symbol, at: At) -> Typed:
        """A weight in the unit of its port: 1/s, or what an older model declares."""
        if symbol.event_unit is not None:
            return self.times_unit(weight, symbol.event_unit, at)
        span = self.names.span(at)
        rate = quantity_type(_unit("s") ** -1.0)
        return Typed(Binary("*", weight, Number(1.0, PER_SECOND, span), span), rate)

    def times_unit(self, expr: Expr, unit: UnitValue, at: At) -> Typed:
        """`expr * 1 unit`."""
        if unit.dimension == T_REAL.dimension:
            return Typed(expr, T_REAL)
        span = self.names.span(at)
        return Typed(Binary("*", expr, Number(1.0, unit.unit(), span), span), quantity_type(unit))

    def port(self, variable: syntax.Variable, symbol: Symbol, place: Place) -> str:
        """The canonical name of a port or an element of a port vector."""
        span = self.names.span(variable.at)
        if symbol.size is None:
            if variable.index is not None:
                raise error("N045", f"'{symbol.name}' is no vector of ports", span)
            return symbol.name
        index = self.index(variable, symbol, place)
        if not isinstance(index, int):
            message = "which port is meant must be known before the run"
            raise error("N045", message, span, hint="use a number as index")
        return self.names.element(symbol.name, index)

    def attribute(self, attribute: syntax.Attribute, place: Place) -> Typed:
        """`port.weight` of version 8.2: a pure number."""
        variable = attribute.variable
        symbol = self.names.symbols.get(variable.name)
        span = self.names.span(attribute.at)
        if symbol is None or symbol.kind != kinds.SPIKE or attribute.name != "weight":
            message = f"'{variable.name}.{attribute.name}' is not known"
            raise error("N030", message, span, hint="only spike ports have '.weight'")
        message = "'port.weight' is 'port * 1 s' since 8.3 (an older form, read as such)"
        self.names.once("attribute", "N090", Level.NOTE, message, span, "")
        port = self.port(variable, symbol, place)
        if place.kind == kinds.EQUATIONS:
            train = Call("convolve", (Name("delta", span), Name(port, span)), span)
            return Typed(Binary("*", train, Number(1.0, _unit("s").unit(), span), span), T_REAL)
        return Typed(self.arrived(port, place, attribute.at), T_REAL)


def _unit(name: str) -> UnitValue:
    found = atom(name)
    assert found is not None
    return found
