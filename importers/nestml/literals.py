"""Join a number and the unit behind it into one token, before the grammar sees the line.

NESTML reads `1 mV*ms`, `1 (mV/ms)`, `1 1/ms` and `2 ms**-1` as one literal each. After the first unit
name, `* NAME` and `/ NAME` belong to the literal as long as the names are units that no variable of the
model bears; whatever follows is ordinary arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass

from . import syntax
from .builder import MAX_EXPONENT, _combined, raised
from .tokens import Token
from .units import is_unit

NUMBERS = ("INTEGER", "FLOAT")
MAX_NESTING = 20
# `x = 1 mV * y` and `max(1 mV * y, ..)` are read as meant; `z + 1 mV * y`, `exp(-1 ms / y)` and what
# stands in equations are not
_SAFE_BEFORE = (
    "ASSIGN", "PLUSEQ", "MINUSEQ", "TIMESEQ", "DIVEQ", "FLOOREQ", "COMMA", "TIMES", "DIV",
)  # fmt: skip
_EQUATIONS = ("INLINE", "RECORDABLE", "RETURN", "KERNEL")


def join_quantities(
    tokens: list[Token],
    declared: Container[str],
    remark: Callable[[Token, str], None] = lambda token, what: None,
    greedy: Callable[[Token, str], None] = lambda token, what: None,
) -> list[Token]:
    """The tokens with each literal that has a unit collapsed to one QUANTITY.

    `remark` is told about what reads differently than before version 9, `greedy` about names of variables
    that NESTML 9 takes for units first.
    """
    if not any(token.kind in NUMBERS for token in tokens):
        return tokens
    found: list[Token] = []
    position, count = 0, len(tokens)
    while position < count:
        token = tokens[position]
        position += 1
        if token.kind in NUMBERS and position < count:
            unit = _Units(tokens, declared).after_number(position)
            if unit is not None:
                parsed, position = unit
                if (
                    float(token.text) not in (0.0, 1.0)
                    and len(parsed.factors) == 1
                    and parsed.factors[0].exponent > 1
                ):
                    remark(token, parsed.text)
                if _is_swallowed(tokens, position, declared, found):
                    greedy(token, tokens[position + 1].text)
                literal = syntax.Literal(token.text, token.at, parsed)
                token = Token("QUANTITY", f"{token.text} {parsed.text}", *token.at, literal)
        found.append(token)
    return found


def _is_swallowed(
    tokens: list[Token], position: int, declared: Container[str], before: list[Token]
) -> bool:
    """True if a variable follows behind `1 mV *`, in a place where NESTML 9 does not find back."""
    if position + 1 >= len(tokens) or tokens[position].kind not in ("TIMES", "DIV"):
        return False
    name = tokens[position + 1]
    follows = tokens[position + 2].kind if position + 2 < len(tokens) else ""
    if name.kind != "NAME" or name.text not in declared or follows == "LPAR":
        return False
    in_equation = tokens[0].kind in _EQUATIONS or any(token.kind == "PRIME" for token in tokens[:2])
    return in_equation or not before or not _is_safe(before)


def _is_safe(before: list[Token]) -> bool:
    if before[-1].kind == "LPAR":  # of a call
        return len(before) > 1 and before[-2].kind == "NAME"
    return before[-1].kind in _SAFE_BEFORE


@dataclass(slots=True)
class _Units:
    """Reads units from a list of tokens; every method gives None where there is none."""

    tokens: list[Token]
    declared: Container[str]

    def kind(self, position: int) -> str:
        return self.tokens[position].kind if position < len(self.tokens) else ""

    def after_number(self, position: int) -> tuple[syntax.Unit, int] | None:
        """The unit that starts behind a number."""
        token = self.tokens[position]
        if token.kind == "INTEGER" and token.text == "1" and self.kind(position + 1) == "DIV":
            part = self.power(position + 2, 0)
            if part is None:
                return None
            start = _combined(syntax.Unit((), "1", token.at), "/", part[0])
            return self.product(start, part[1], 0)
        if token.kind == "NAME" and self.kind(position + 1) != "LPAR":
            # whatever it is, nothing but a unit can stand here
            start = syntax.Unit((syntax.Factor(token.text, 1.0, token.at),), token.text, token.at)
            return self.product(*self.raised(start, position + 1), 0)
        if token.kind == "LPAR":
            part = self.power(position, 0)
            return None if part is None else self.product(*part, 0)
        return None

    def product(self, unit: syntax.Unit, position: int, nesting: int) -> tuple[syntax.Unit, int]:
        """As many `* unit` and `/ unit` as there are."""
        while self.kind(position) in ("TIMES", "DIV"):
            part = self.power(position + 1, nesting)
            if part is None:
                break
            unit = _combined(unit, self.tokens[position].text, part[0])
            position = part[1]
            if len(unit.factors) > MAX_EXPONENT:
                break
        return unit, position

    def power(self, position: int, nesting: int) -> tuple[syntax.Unit, int] | None:
        """A unit's name or a group, with its exponent."""
        if self.kind(position) == "NAME":
            token = self.tokens[position]
            follows = self.kind(position + 1)
            if token.text in self.declared or follows in ("LPAR", "LBRACK", "PRIME", "DOT"):
                return None
            if not is_unit(token.text):
                return None
            unit = syntax.Unit((syntax.Factor(token.text, 1.0, token.at),), token.text, token.at)
            return self.raised(unit, position + 1)
        if self.kind(position) == "LPAR" and nesting < MAX_NESTING:
            return self.group(position + 1, nesting + 1)
        return None

    def group(self, position: int, nesting: int) -> tuple[syntax.Unit, int] | None:
        """A product in parentheses that holds nothing but units."""
        first = self.tokens[position] if position < len(self.tokens) else None
        if first is not None and first.kind == "INTEGER" and first.text == "1":
            if self.kind(position + 1) != "DIV":
                return None
            part = self.power(position + 2, nesting)
            if part is None:
                return None
            part = _combined(syntax.Unit((), "1", first.at), "/", part[0]), part[1]
        else:
            part = self.power(position, nesting)
        if part is None:
            return None
        unit, position = self.product(*part, nesting)
        if self.kind(position) != "RPAR":
            return None
        return self.raised(unit, position + 1)

    def raised(self, unit: syntax.Unit, position: int) -> tuple[syntax.Unit, int]:
        """The unit with a literal exponent, if one follows."""
        if self.kind(position) != "POWER":
            return unit, position
        exponent = self.exponent(position + 1)
        if exponent is None or abs(exponent[0]) > MAX_EXPONENT:
            return unit, position
        return raised(unit, exponent[0]), exponent[1]

    def exponent(self, position: int) -> tuple[float, int] | None:
        """`2`, `-1`, `0.5`, `(1/2)`, `(-1/2)`."""
        grouped = self.kind(position) == "LPAR"
        position += grouped
        sign = -1.0 if self.kind(position) == "MINUS" else 1.0
        position += sign < 0
        if self.kind(position) not in NUMBERS:
            return None
        value = sign * float(self.tokens[position].text)
        position += 1
        if not grouped:
            return value, position
        if self.kind(position) == "DIV" and self.kind(position + 1) in NUMBERS:
            under = float(self.tokens[position + 1].text)
            if under == 0:
                return None
            value, position = value / under, position + 2
        return (value, position + 1) if self.kind(position) == "RPAR" else None
