"""What each rule of the grammar makes of its parts: methods named as the alternatives of `grammar.lark`.

Codes: N021 an expression nested too deeply, N022 a unit whose numerator is a number other than 1,
N024 mixed operators whose order is easily mistaken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...canonical_model.diagnostics import Level, Log, Span, error
from . import syntax
from .chains import FAMILIES, MAX_CHAIN
from .syntax import Expr
from .tokens import At, Token

MAX_DEPTH = 200  # operators and parentheses inside each other
MAX_EXPONENT = 50.0
BIT_OPERATORS = frozenset({"&", "|", "^", "<<", ">>"})
COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})


def depth(expr: Expr) -> int:
    """How deep an expression is."""
    return getattr(expr, "depth", 1)


@dataclass(slots=True)
class Builder:
    """Makes syntax nodes; every method takes the parts of its rule."""

    file: str
    log: Log

    def span(self, at: At) -> Span:
        """The place for messages."""
        return Span(self.file, *at)

    def deeper(self, at: At, *parts: Expr) -> int:
        """The depth of a node over `parts`. Raises ModelError N021."""
        found = 1 + max(depth(part) for part in parts)
        if found > MAX_DEPTH:
            message = f"an expression is more than {MAX_DEPTH} levels deep"
            hint = "name a part of it with an inline expression or a local variable"
            raise error("N021", message, self.span(at), hint=hint)
        return found

    def ambiguous(self, at: At, what: str) -> None:
        """Remark on an order that NESTML 9 or a reader may take differently."""
        message = f"{what}: readers and NESTML 9 may group this differently"
        hint = "add parentheses"
        self.log.add("N024", Level.WARNING, message, self.span(at), hint=hint)

    # --- lists and empty parts

    def same(self, part: Any) -> Any:
        return part

    def first(self, part: Any) -> list[Any]:
        return [part]

    def more(self, parts: list[Any], _: Token, part: Any) -> list[Any]:
        parts.append(part)  # the list is new and known to nobody else: linear in its length
        return parts

    def more_text(self, parts: list[str], part: Token) -> list[str]:
        parts.append(part.text)
        return parts

    def empty(self) -> list[Any]:
        return []

    def nothing(self) -> None:
        return None

    def nothing_of(self, *_: Any) -> None:
        return None

    def second(self, _: Token, part: Any, *__: Any) -> Any:
        return part

    # --- headers

    def model_line(self, word: Token, name: Token, _: Token) -> syntax.BlockHeader:
        return syntax.BlockHeader("model", word.at, name.text)

    def block(self, word: Token, _: Token) -> syntax.BlockHeader:
        return syntax.BlockHeader(word.text, word.at)

    def on_receive(
        self, word: Token, _: Token, variable: syntax.Variable, keys: Any, *__: Token
    ) -> syntax.BlockHeader:
        return syntax.BlockHeader("onReceive", word.at, variable=variable, keys=tuple(keys))

    def on_condition(
        self, word: Token, _: Token, test: Expr, keys: Any, *__: Token
    ) -> syntax.BlockHeader:
        return syntax.BlockHeader("onCondition", word.at, test=test, keys=tuple(keys))

    def key(self, keys: Any, _: Token, name: Token, __: Token, value: Expr) -> Any:
        keys.append((name.text, value, name.at))
        return keys

    def argument(self, name: Token, kind: syntax.TypeName) -> syntax.Argument:
        return syntax.Argument(name.text, kind, name.at)

    def function_plain(self, word: Token, name: Token, *_: Token) -> syntax.BlockHeader:
        return syntax.BlockHeader("function", word.at, name.text)

    def function_typed(
        self, word: Token, name: Token, _: Token, __: Token, kind: syntax.TypeName, ___: Token
    ) -> syntax.BlockHeader:
        return syntax.BlockHeader("function", word.at, name.text, type=kind)

    def function_args(
        self, word: Token, name: Token, _: Token, arguments: Any, *__: Token
    ) -> syntax.BlockHeader:
        return syntax.BlockHeader("function", word.at, name.text, arguments=tuple(arguments))

    def function_args_typed(
        self, word: Token, name: Token, _: Token, arguments: Any, __: Token, kind: syntax.TypeName,
        ___: Token,
    ) -> syntax.BlockHeader:  # fmt: skip
        return syntax.BlockHeader(
            "function", word.at, name.text, arguments=tuple(arguments), type=kind
        )

    # --- declarations, equations, ports

    def declaration(
        self, names: list[syntax.Variable], kind: syntax.TypeName, value: Expr | None,
        guard: Expr | None, decorators: list[str],
    ) -> syntax.Declaration:  # fmt: skip
        return syntax.Declaration(tuple(names), kind, value, guard, tuple(decorators), names[0].at)

    def recordable(self, _: Token, declaration: syntax.Declaration) -> syntax.Declaration:
        return replace(declaration, recordable=True)

    def inline(self, _: Token, declaration: syntax.Declaration, *__: Any) -> syntax.Declaration:
        return replace(declaration, inline=True)

    def recordable_inline(
        self, _: Token, __: Token, declaration: syntax.Declaration, *___: Any
    ) -> syntax.Declaration:
        return replace(declaration, inline=True, recordable=True)

    def local_inline(self, _: Token, declaration: syntax.Declaration) -> syntax.Declaration:
        return declaration

    def decorator(self, found: list[str], _: Token, name: Token) -> list[str]:
        found.append(name.text)
        return found

    def decorator_scoped(
        self, found: list[str], _: Token, scope: Token, __: Token, ___: Token, name: Token
    ) -> list[str]:
        found.append(f"{scope.text}::{name.text}")
        return found

    def kernel(self, word: Token, equations: Any, _: None) -> syntax.KernelLine:
        return syntax.KernelLine(tuple(equations), word.at)

    def ode(self, target: syntax.Variable, _: Token, value: Expr, *__: Any) -> syntax.Equation:
        return syntax.Equation(target, value, target.at)

    def equation(self, target: syntax.Variable, _: Token, value: Expr) -> syntax.Equation:
        return syntax.Equation(target, value, target.at)

    def spike_port(self, name: syntax.Variable, _: Token, signs: Any, __: Token) -> syntax.Port:
        return syntax.Port(name, None, tuple(signs), False, name.at)

    def typed_spike_port(
        self, name: syntax.Variable, kind: syntax.TypeName, _: Token, signs: Any, __: Token
    ) -> syntax.Port:
        return syntax.Port(name, kind, tuple(signs), False, name.at)

    def continuous_port(
        self, name: syntax.Variable, kind: syntax.TypeName, *_: Token
    ) -> syntax.Port:
        return syntax.Port(name, kind, (), True, name.at)

    def untyped_continuous_port(self, name: syntax.Variable, *_: Token) -> syntax.Port:
        return syntax.Port(name, None, (), True, name.at)

    def output(self, word: Token, *_: Token) -> syntax.Output:
        return syntax.Output(word.text == "continuous", (), word.at)

    def output_attributes(self, word: Token, _: Token, arguments: Any, __: Token) -> syntax.Output:
        return syntax.Output(False, tuple(item.name for item in arguments), word.at)

    # --- statements

    def assignment(self, target: syntax.Variable, op: Token, value: Expr) -> syntax.Assignment:
        return syntax.Assignment(target, op.text, value, target.at)

    def local(self, declaration: syntax.Declaration) -> syntax.Declaration:
        return declaration

    def call_statement(self, call: syntax.Apply) -> syntax.CallStatement:
        return syntax.CallStatement(call, call.at)

    def local_in_parentheses(self, call: syntax.Apply, equals: Token, value: Expr) -> Any:
        """`x (mV/ms) = ...` looks like a call until its unit is read."""
        unit = self.unit_of(call.args[0]) if len(call.args) == 1 else None
        if unit is None:
            message = f"'{call.name}(...)' cannot be assigned to"
            raise error("N020", message, self.span(equals.at))
        variable = syntax.Variable(call.name, call.at)
        kind = syntax.TypeName("", unit, unit.at)
        return syntax.Declaration((variable,), kind, value, None, (), call.at)

    def unit_of(self, expr: Expr) -> syntax.Unit | None:
        """The unit that an expression spells, None for any other expression."""
        match expr:
            case syntax.Group(inner, _, _):
                return self.unit_of(inner)
            case syntax.Variable(name, at, None, 0):
                return syntax.Unit((syntax.Factor(name, 1.0, at),), name, at)
            case syntax.Literal("1", at, None):
                return syntax.Unit((), "1", at)
            case syntax.Infix("*" | "/" as op, left, right, at, _) if not is_long(expr):
                one, other = self.unit_of(left), self.unit_of(right)
                if one is None or other is None:
                    return None
                return _combined(one, op, other)
        return None

    def if_line(self, word: Token, test: Expr, _: Token) -> syntax.Header:
        return syntax.Header(word.text, test, word.at)

    elif_line = if_line
    while_line = if_line

    def else_line(self, word: Token, _: Token) -> syntax.Header:
        return syntax.Header("else", None, word.at)

    def for_line(
        self, word: Token, name: Token, _: Token, start: Expr, __: Token, stop: Expr, ___: Token,
        by: Expr, ____: Token,
    ) -> syntax.ForHeader:  # fmt: skip
        return syntax.ForHeader(name.text, start, stop, by, word.at)

    def for_without_step(
        self, word: Token, name: Token, _: Token, start: Expr, __: Token, stop: Expr, end: Token
    ) -> syntax.ForHeader:
        message = "NESTML 9 wants 'step' in every for loop; 1 is taken"
        self.log.add("N026", Level.NOTE, message, self.span(end.at), hint="add 'step 1'")
        return syntax.ForHeader(name.text, start, stop, syntax.Literal("1", end.at), word.at)

    def return_nothing(self, word: Token) -> syntax.ReturnLine:
        return syntax.ReturnLine(None, word.at)

    def return_value(self, word: Token, value: Expr) -> syntax.ReturnLine:
        return syntax.ReturnLine(value, word.at)

    # --- variables, types, units

    def variable(self, name: Token) -> syntax.Variable:
        return syntax.Variable(name.text, name.at)

    def element(self, name: Token, _: Token, index: Expr, __: Token) -> syntax.Variable:
        return syntax.Variable(name.text, name.at, index, 0, self.deeper(name.at, index))

    def prime(self, variable: syntax.Variable, mark: Token) -> syntax.Variable:
        if variable.order >= 20:
            raise error("N021", "a derivative of more than 20th order", self.span(mark.at))
        return replace(variable, order=variable.order + 1)

    def plain_type(self, word: Token) -> syntax.TypeName:
        return syntax.TypeName(word.text, None, word.at)

    def unit_type(self, unit: syntax.Unit) -> syntax.TypeName:
        return syntax.TypeName("", unit, unit.at)

    def unit_name(self, name: Token) -> syntax.Unit:
        return syntax.Unit((syntax.Factor(name.text, 1.0, name.at),), name.text, name.at)

    def unit_group(self, _: Token, unit: syntax.Unit, __: Token) -> syntax.Unit:
        return unit

    def unit_times(self, left: syntax.Unit, _: Token, right: syntax.Unit) -> syntax.Unit:
        return _combined(left, "*", right)

    def unit_over(self, left: syntax.Unit, _: Token, right: syntax.Unit) -> syntax.Unit:
        return _combined(left, "/", right)

    def one_over(self, one: Token, _: Token, right: syntax.Unit) -> syntax.Unit:
        if one.text != "1":
            message = f"a unit has 1 as its only number, not {one.text}"
            raise error("N022", message, self.span(one.at), hint="put the number before the unit")
        return _combined(syntax.Unit((), "1", one.at), "/", right)

    def unit_raised(self, unit: syntax.Unit, _: Token, power: float) -> syntax.Unit:
        if abs(power) > MAX_EXPONENT:
            raise error("N022", "this exponent of a unit is too large", self.span(unit.at))
        return raised(unit, power)

    def exponent(self, number: syntax.Literal) -> float:
        return float(number.text)

    def minus_exponent(self, _: Token, number: syntax.Literal) -> float:
        return -float(number.text)

    def ratio(self, over: syntax.Literal, slash: Token, under: syntax.Literal) -> float:
        if float(under.text) == 0:
            raise error("N022", "an exponent divides by zero", self.span(slash.at))
        return float(over.text) / float(under.text)

    def minus_ratio(self, _: Token, *parts: Any) -> float:
        return -self.ratio(*parts)

    # --- expressions

    def number(self, token: Token) -> syntax.Literal:
        return syntax.Literal(token.text, token.at)

    def negative(self, minus: Token, number: syntax.Literal) -> Expr:
        return syntax.Prefix("-", number, minus.at, 2)

    def quantity(self, token: Token) -> Expr:
        value: Expr = token.value  # type: ignore[assignment]
        return value

    def infinity(self, token: Token) -> Expr:
        return syntax.Infinity(token.at)

    def truth(self, token: Token) -> Expr:
        return syntax.Truth(token.text in ("true", "True"), token.at)

    def string(self, token: Token) -> Expr:
        return syntax.Text(unescape(token.text[1:-1]), token.at)

    def attribute(self, variable: syntax.Variable, _: Token, name: Token) -> Expr:
        return syntax.Attribute(variable, name.text, variable.at)

    def call_plain(self, name: Token, *_: Token) -> syntax.Apply:
        return syntax.Apply(name.text, (), name.at, 1)

    def call_args(self, name: Token, _: Token, args: list[Expr], __: Token) -> syntax.Apply:
        return syntax.Apply(name.text, tuple(args), name.at, self.deeper(name.at, *args))

    def group(self, opening: Token, inner: Expr, _: Token) -> Expr:
        return syntax.Group(inner, opening.at, self.deeper(opening.at, inner))

    def prefix(self, op: Token, operand: Expr) -> Expr:
        if op.text == "not" and isinstance(operand, syntax.Infix):
            self.ambiguous(op.at, f"'not' stands before a bare '{operand.op}'")
        return syntax.Prefix(op.text, operand, op.at, self.deeper(op.at, operand))

    def infix(self, left: Expr, op: Token, right: Expr) -> Expr:
        text = "!=" if op.text == "<>" else op.text
        inner = [part.op for part in (left, right) if isinstance(part, syntax.Infix)]
        if text == "or" and "and" in inner:
            self.ambiguous(op.at, "'and' and 'or' are mixed without parentheses")
        elif text in BIT_OPERATORS or text in COMPARISONS:
            mixed = [o for o in inner if o in BIT_OPERATORS and o != text]
            if mixed:
                self.ambiguous(op.at, f"'{mixed[0]}' and '{text}' are mixed without parentheses")
        if not isinstance(left, syntax.Infix) or not continues(text, left):
            return syntax.Infix(text, left, right, op.at, self.deeper(op.at, left, right))
        if left.links >= MAX_CHAIN:
            message = f"an expression has more than {MAX_CHAIN} terms in one line"
            hint = "name a part of it with an inline expression or a local variable"
            raise error("N021", message, self.span(op.at), hint=hint)
        deep = max(left.depth, self.deeper(op.at, right))
        return syntax.Infix(text, left, right, op.at, deep, left.links + 1)

    def choice(self, test: Expr, mark: Token, yes: Expr, _: Token, no: Expr) -> Expr:
        for part in (yes, no):
            if isinstance(part, syntax.Choice):
                self.ambiguous(part.at, "a choice stands inside another without parentheses")
        return syntax.Choice(test, yes, no, mark.at, self.deeper(mark.at, test, yes, no))


def continues(op: str, left: syntax.Infix) -> bool:
    """True where `left op x` goes on with the chain of `left`."""
    return op in FAMILIES and FAMILIES[op] == FAMILIES.get(left.op)


def is_long(expr: Expr) -> bool:
    """True for chains that are followed by a loop only: such are no units, sizes or factors."""
    return isinstance(expr, syntax.Infix) and expr.links > MAX_DEPTH


def _combined(left: syntax.Unit, op: str, right: syntax.Unit) -> syntax.Unit:
    """The product or quotient of two units."""
    sign = 1.0 if op == "*" else -1.0
    other = tuple(replace(f, exponent=f.exponent * sign) for f in right.factors)
    bare = op == "*" or len(right.factors) == 1
    text = f"{left.text}{op}{right.text if bare else f'({right.text})'}"
    return syntax.Unit((*left.factors, *other), text, left.at)


def raised(unit: syntax.Unit, power: float) -> syntax.Unit:
    """A unit to a power."""
    factors = tuple(replace(f, exponent=f.exponent * power) for f in unit.factors)
    base = unit.text if unit.text.isidentifier() else f"({unit.text})"
    return syntax.Unit(factors, f"{base}**{power:g}", unit.at)


def unescape(text: str) -> str:
    """A string's meaning."""
    if "\\" not in text:
        return text
    known = {"n": "\n", "t": "\t", "\\": "\\", '"': '"'}
    parts, position = [], 0
    while (found := text.find("\\", position)) >= 0 and found + 1 < len(text):
        parts.append(text[position:found])
        parts.append(known.get(text[found + 1], text[found : found + 2]))
        position = found + 2
    return "".join([*parts, text[position:]])
