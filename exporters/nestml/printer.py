"""Expressions in NESTML 9, written so that NESTML 9.0.0 compiles what the language means.

It prints operators flat and reads `1 mV * x` as a unit first, so `and`/`or`/`not`/bit operators are
always bracketed and a literal with unit before `*` or `/` stands in parentheses.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...canonical_model.diagnostics import refuse
from ...canonical_model.dimensions import infer
from ...canonical_model.expr import (
    COMPARISONS,
    LOGICAL,
    TIME,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    Select,
    Unary,
    is_boolean,
)
from ...canonical_model.expr_print import (
    ATOM,
    COMPARE,
    POWER,
    PRODUCT,
    SIGN,
    InfixPrinter,
    Printed,
    PrinterTable,
    bracket,
)
from ...canonical_model.model import BOOLEAN, INTEGER, REAL
from ...canonical_model.units import FREQUENCY, NONE, Dimension, Unit
from .functions import BIT_OPERATORS, BUILT_IN, HELPERS, TEMPLATES
from .names import Names, split_words
from .unit_text import coherent_value, real_text, tidy, unit_for, written_unit

LOWEST, AND, NOT = 0, 2, 3
DELTA = "delta"
_CONSTANTS = {math.e: "e", math.pi: "pi"}
SI_TIME = "0.001 * (t / 1 ms)"
_OPEN, _CLOSE = "\x02", "\x03"  # around literals with unit, until the whole text is known
_LITERAL = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}(?= *[*/])")
_OPERATORS = PrinterTable(
    {
        **{op: f" {op} " for op in (*COMPARISONS, *LOGICAL, "+", "-", "*", "/")},
        "^": "**", "not": "not ", "negate": "-",
    }
)  # fmt: skip
_SPECIAL = split_words(
    "sqrt bitnot uniform normal arrived convolve delayed resolution timestep steps"
)
_WHOLE = frozenset({"steps", "poisson", "bitnot", *BIT_OPERATORS})
_SAME = frozenset({"min", "max", "abs"})
ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(slots=True)
class Context:
    """What expressions of one model may refer to, and how it is written.

    `payloads`: what events carry, by port. `delta`: the name of a kernel that is a Dirac pulse.
    `plain`: no dimensions, all numbers in SI (for equations whose dimensions do not agree).
    `as_written`: literals keep their author's units. `primes`: states that are derivatives of others.
    """

    names: Names
    dimensions: Mapping[str, Dimension | None]
    kinds: Mapping[str, str] = field(default_factory=dict)
    primes: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    helpers: dict[str, str] = field(default_factory=dict)
    payloads: Mapping[str, str] = field(default_factory=dict)
    delta: str = ""
    plain: bool = False
    as_written: bool = False

    def helper(self, name: str) -> str:
        """The name of a function block for `name`, which the model then contains."""
        from .functions import NEEDS

        for needed in (*NEEDS.get(name, ()), name):
            if needed not in self.helpers:
                self.helpers[needed] = self.names.fresh(needed)
        return self.helpers[name]


class NestmlPrinter(InfixPrinter):
    """Prints for one place of a model: `port` is the handler's port, whose value is the weight."""

    table = _OPERATORS

    def __init__(
        self, context: Context, port: str = "", local: Mapping[str, str] | None = None
    ) -> None:
        self.context = context
        self.port = port
        self.local = local or {}  # kinds of local quantities

    def text(self, expr: Expr) -> str:
        """The expression as text, literals bracketed where they need it."""
        text = _LITERAL.sub(r"(\1)", super().text(expr))
        return text.replace(_OPEN, "").replace(_CLOSE, "")

    def number(self, node: Number) -> Printed:
        """A literal; with a unit it is marked until its surroundings are known."""
        return self._literal(node.value, node.unit)

    def _literal(self, value: float, unit: Unit | None, whole: bool = True) -> Printed:
        context = self.context
        if unit is None or unit.dimension == NONE or context.plain:
            scaled = value if unit is None else value * unit.scale + unit.offset
            if scaled in _CONSTANTS:
                return _CONSTANTS[scaled], ATOM
            text = real_text(scaled, whole)
            return text, SIGN if text.startswith("-") else ATOM
        symbol = unit_for(unit.dimension)
        if context.as_written and not unit.offset:
            symbol = written_unit(unit)
        else:
            value = tidy(coherent_value(value, unit))
        text = real_text(value, whole)
        if "inf" in text:
            return f"{text} * {_OPEN}1 {symbol}{_CLOSE}", PRODUCT
        return f"{_OPEN}{text} {symbol}{_CLOSE}", SIGN

    def name(self, name: str) -> Printed:
        """A quantity; the weight that arrived is the port's value times a second."""
        if name == TIME:
            return (SI_TIME, PRODUCT) if self.context.plain else (TIME, ATOM)
        if self.port and name == self.context.payloads.get(self.port):
            return f"{self.context.names[self.port]} * {_OPEN}1 s{_CLOSE}", PRODUCT
        base, order = self.context.primes.get(name, (name, 0))
        return self.context.names[base] + "'" * order, ATOM

    def node(self, expr: Expr, parts: tuple[Printed, ...]) -> Printed:
        """One node; a few shapes are what the language has one word for."""
        idiom = self._idiom(expr)
        if idiom is not None:
            return idiom
        match expr:
            case Call():
                return self._call(expr, parts)
            case Binary(op, left, right) if op in LOGICAL:
                one = _logical(op, left, parts[0], is_right=False)
                return f"{one} {op} {_logical(op, right, parts[1], is_right=True)}", AND
            case Binary(op, left, Number(limit, None)) if (
                op in ORDER and self.kind(left) == BOOLEAN
            ):
                return _side(op, limit, parts[0])
            case Binary(op, left, right) if op in COMPARISONS:
                one = self._truth(left, right) or _compared(parts[0])
                return f"{one} {op} {self._truth(right, left) or _compared(parts[1])}", COMPARE
            case Binary("%"):
                if self.kind(expr) == INTEGER:
                    return f"{bracket(parts[0], PRODUCT)} % {bracket(parts[1], POWER)}", PRODUCT
                return self._helper("modulo", parts)
            case Binary("+" | "-" as op):
                text = parts[1][0]
                if text.lstrip(_OPEN).startswith("-"):
                    return super().binary(op, parts[0], (f"({text})", ATOM))
            case Unary("-"):
                text, level = parts[0]
                is_loose = level < SIGN or text.lstrip(_OPEN).startswith("-")
                return f"-({text})" if is_loose else f"-{text}", SIGN
            case Unary("not"):
                text = parts[0][0] if parts[0][1] == ATOM else f"({parts[0][0]})"
                return f"not {text}", NOT
            case Select():
                raise refuse("N305", f"'{expr.path}' selects from parts of a composite", expr.span)
        return super().node(expr, parts)

    def conditional(self, parts: tuple[Printed, ...]) -> Printed:
        """`test ? value : (test ? value : otherwise)`; every inner choice in parentheses."""
        text, level = parts[-1]
        for k in range(len(parts) - 3, -1, -2):
            test, value = parts[k], parts[k + 1]
            rest = bracket((text, level), AND)
            text = f"{bracket(test, COMPARE)} ? {bracket(value, AND)} : {rest}"
            level = LOWEST
        return text, level

    def kind(self, expr: Expr) -> str:
        """Whether NESTML takes the expression for an integer, a boolean or a real number."""
        match expr:
            case Number(value, None):
                return INTEGER if value == value and value in (int_part(value),) else REAL
            case Name(name):
                return self.local.get(name) or self.context.kinds.get(name, REAL)
            case Unary("-", operand):
                return self.kind(operand)
            case Binary("+" | "-" | "*" | "%", left, right):
                both = self.kind(left) == INTEGER == self.kind(right)
                return INTEGER if both else REAL
            case Call(function, args):
                if function in _SAME:
                    both = all(self.kind(arg) == INTEGER for arg in args)
                    return INTEGER if both else REAL
                return INTEGER if function in _WHOLE else self.context.functions.get(function, REAL)
            case Conditional(cases, otherwise):
                kinds = {self.kind(value) for _, value in cases} | {self.kind(otherwise)}
                return kinds.pop() if len(kinds) == 1 else REAL
        return BOOLEAN if is_boolean(expr) else REAL

    def _idiom(self, expr: Expr) -> Printed | None:
        match expr:
            case Binary("*", Name(name), Number(1.0, Unit() as unit)) if self.port:
                known = self.context.payloads.get(self.port) == name
                return self._port_value(self.port, unit) if known else None
            case Binary("*", Call("convolve", (Name("delta"), Name(port))), Number(1.0, unit)):
                if not self.context.delta or unit is None or unit.scale != 1e-3:
                    return None
                names = self.context.names
                return f"convolve({names[self.context.delta]}, {names[port]})", ATOM
            case Binary("*", Call("arrived", (Name(port),)), Number(1.0, Unit() as unit)):
                return self._port_value(port, unit)
            case Binary("+", mean, Binary("*", spread, Call("normal"))):
                return self._draw("random_normal", mean, spread)
            case Binary("+", low, Binary("*", width, Call("uniform"))):
                return self._draw("random_uniform", low, width)
            case Call("trunc", (Binary("/", left, right),)) if self.context.as_written:
                above, below = self._bare(left), self._bare(right)
                return f"{above} // {below}", PRODUCT
        return None

    def _truth(self, expr: Expr, other: Expr) -> str:
        """`true` or `false` for a number that is compared with a truth value."""
        if isinstance(expr, Number) and expr.unit is None and self.kind(other) == BOOLEAN:
            return "true" if expr.value else "false"
        return ""

    def _bare(self, expr: Expr) -> str:
        text = super().text(expr)
        return text if isinstance(expr, Name | Call | Number) else f"({text})"

    def _port_value(self, port: str, unit: Unit) -> Printed | None:
        """A port used as a value is a train of Dirac pulses, in 1/s."""
        if unit.dimension != FREQUENCY or unit.scale != 1.0 or self.context.plain:
            return None
        return self.context.names[port], ATOM

    def _draw(self, function: str, first: Expr, second: Expr) -> Printed | None:
        """A draw whose two arguments have one dimension, else None."""
        lookup = self.context.dimensions.get
        kinds = [NONE if self.context.plain else infer(part, lookup) for part in (first, second)]
        if kinds[0] is None or kinds[0] != kinds[1]:
            return None
        args = [self._argument(part, REAL) for part in (first, second)]
        return f"{function}({', '.join(args)})", ATOM

    def _dimension(self, expr: Expr) -> Dimension | None:
        if self.context.plain:
            return NONE
        return infer(expr, self.context.dimensions.get, free_zero=True)

    def _argument(self, expr: Expr, kind: str) -> str:
        """An argument of a function whose arguments have one type: whole literals get a point."""
        if isinstance(expr, Number) and kind == REAL:
            return self._literal(expr.value, expr.unit, whole=False)[0]
        if isinstance(expr, Unary) and isinstance(expr.operand, Number) and kind == REAL:
            return f"-{self._argument(expr.operand, kind)}"
        text = super().text(expr)
        return f"1.0 * ({text})" if kind == REAL and self.kind(expr) == INTEGER else text

    def _call(self, expr: Call, parts: tuple[Printed, ...]) -> Printed:
        function, args = expr.function, [text for text, _ in parts]
        if function in self.context.functions:
            return f"{self.context.names[function]}({', '.join(args)})", ATOM
        if function in BIT_OPERATORS:
            symbol = BIT_OPERATORS[function]
            return f"({self._bare(expr.args[0])} {symbol} {self._bare(expr.args[1])})", ATOM
        if function in _SPECIAL:
            special: Printed = getattr(self, f"_{function}")(expr, parts)
            return special
        if function in HELPERS:
            return self._helper(function, self._pure(expr, parts))
        if function in TEMPLATES:
            args = [self._argument(arg, self.kind(expr)) for arg in expr.args]
        known = BUILT_IN.get(function)
        if known is None:
            message = f"NESTML has no function '{function}' and none can be written in it"
            raise refuse("N304", message, expr.span)
        return f"{known}({', '.join(args)})", ATOM

    def _helper(self, name: str, parts: tuple[Printed, ...]) -> Printed:
        return f"{self.context.helper(name)}({', '.join(text for text, _ in parts)})", ATOM

    def _pure(self, expr: Call, parts: tuple[Printed, ...]) -> tuple[Printed, ...]:
        """The argument as a pure number: the sign of a quantity is that of its number."""
        dimension = self._dimension(expr.args[0])
        if dimension in (None, NONE):
            return parts
        unit = f"{_OPEN}1 {unit_for(dimension)}{_CLOSE}"
        return ((f"{bracket(parts[0], PRODUCT)} / {unit}", PRODUCT),)

    def _sqrt(self, expr: Call, parts: tuple[Printed, ...]) -> Printed:
        return f"{bracket(parts[0], ATOM)}**0.5", POWER

    def _bitnot(self, expr: Call, parts: tuple[Printed, ...]) -> Printed:
        return f"(~{self._bare(expr.args[0])})", ATOM

    def _uniform(self, expr: Call, parts: tuple[Printed, ...]) -> Printed:
        return "random_uniform(0.0, 1.0)", ATOM

    def _normal(self, expr: Call, parts: tuple[Printed, ...]) -> Printed:
        return "random_normal(0.0, 1.0)", ATOM

    def _arrived(self, expr: Call, parts: tuple[Printed, ...]) -> Printed:
        return f"{self.context.names[_name(expr.args[0])]} * {_OPEN}1 s{_CLOSE}", PRODUCT

    def _convolve(self, expr: Call, parts: tuple[Printed, ...]) -> Printed:
        kernel, port = _name(expr.args[0]), _name(expr.args[1])
        if kernel == DELTA:
            return self.context.names[port], ATOM
        return f"convolve({self.name(kernel)[0]}, {self.context.names[port]})", ATOM

    def _delayed(self, expr: Call, parts: tuple[Printed, ...]) -> Printed:
        if not isinstance(expr.args[1], Name | Number):
            raise refuse("N304", "NESTML takes a delay that is a literal or a name", expr.span)
        return f"{self.context.names[_name(expr.args[0])]}(t - {parts[1][0]})", ATOM

    def _resolution(self, expr: Call, parts: tuple[Printed, ...]) -> Printed:
        return self._time(f"{expr.function}()")

    _timestep = _resolution

    def _time(self, text: str) -> Printed:
        return (f"0.001 * ({text} / 1 ms)", PRODUCT) if self.context.plain else (text, ATOM)

    def _steps(self, expr: Call, parts: tuple[Printed, ...]) -> Printed:
        if not self.context.plain:
            return f"steps({parts[0][0]})", ATOM
        return f"steps({bracket(parts[0], PRODUCT)} * 1000 ms)", ATOM


def _side(op: str, limit: float, flag: Printed) -> Printed:
    """`flag > 0.5`, where a truth value came as a number, as `flag`; on the other side `not flag`."""
    fails, holds = (ORDER[op](value, limit) for value in (0.0, 1.0))
    if fails == holds:
        return ("true" if holds else "false"), ATOM
    if holds:
        return flag
    return f"not {flag[0] if flag[1] == ATOM else f'({flag[0]})'}", NOT


def _logical(op: str, expr: Expr, part: Printed, *, is_right: bool) -> str:
    """An operand of `and` or `or`: everything but a comparison, a name or the same chain in brackets."""
    is_chain = isinstance(expr, Binary) and expr.op == op and not is_right
    return part[0] if is_chain or part[1] >= COMPARE else f"({part[0]})"


def _compared(part: Printed) -> str:
    return f"({part[0]})" if part[1] <= COMPARE else part[0]


def _name(expr: Expr) -> str:
    if not isinstance(expr, Name):
        raise refuse("N305", "a name is expected here", getattr(expr, "span", None))
    return expr.id


def int_part(value: float) -> float:
    """The number without its fraction; infinity is no whole number."""
    return float(int(value)) if abs(value) < 2**53 else float("nan")
