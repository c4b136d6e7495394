"""Expressions: a small frozen tree, written once, printed per target.

Names refer to quantities of a component by name; `t` is the model time. Numbers are pure unless they
carry a unit. Equality is structural and ignores source spans.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from .diagnostics import Span
from .units import Unit

TIME = "t"
LONG_CHAIN = 64

# what a comparison is when its sides change places, and when it is denied
MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}

# function name -> number of arguments; angles in radians, `log` is the natural logarithm,
# `heaviside(0)` is 0.5 (LEMS), `uniform()` draws from [0, 1), `normal()` from N(0, 1);
# `exprel(x)` is expm1(x)/x; `expdd(a, b, ...)` the divided difference of exp (-1: any number);
# `%` has the sign of the dividend, `trunc` rounds toward zero, `round` halves away from zero;
# `poisson(m)` draws a count of mean m; bitwise functions work on whole numbers;
# on a grid: `resolution()` is the step, `timestep()` what has passed since the last update, `steps(x)` the
# number of steps in x, `arrived(port)` the weights that came in this step; `delayed(x, d)` is x at t - d;
# `convolve(kernel, port)` needs a kernel of the component, or `delta`
FUNCTIONS: dict[str, int] = {
    "sin": 1, "cos": 1, "tan": 1, "asin": 1, "acos": 1, "atan": 1,
    "sinh": 1, "cosh": 1, "tanh": 1, "exp": 1, "expm1": 1, "log": 1, "log10": 1, "sqrt": 1,
    "abs": 1, "sign": 1, "ceil": 1, "floor": 1, "round": 1, "factorial": 1, "heaviside": 1,
    "erf": 1, "erfc": 1, "exprel": 1, "min": 2, "max": 2, "uniform": 0, "normal": 0, "expdd": -1,
    "trunc": 1, "poisson": 1, "bitand": 2, "bitor": 2, "bitxor": 2, "bitnot": 1, "shiftleft": 2,
    "shiftright": 2, "resolution": 0, "timestep": 0, "steps": 1, "arrived": 1, "delayed": 2,
    "convolve": 2,
}  # fmt: skip
RANDOM_FUNCTIONS = frozenset({"uniform", "normal", "poisson"})
PORT_FUNCTIONS = frozenset({"arrived", "convolve"})  # their arguments name kernels and ports
GRID_FUNCTIONS = frozenset({"resolution", "timestep", "steps", "arrived"})

ARITHMETIC = frozenset({"+", "-", "*", "/", "^", "%"})
COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
LOGICAL = frozenset({"and", "or"})


@dataclass(frozen=True, slots=True)
class Number:
    """A literal; `unit` is None for a pure number."""

    value: float
    unit: Unit | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A reference to a quantity of the component, or `t`."""

    id: str
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x` or `not x`."""

    op: str
    operand: Expr
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator of ARITHMETIC, COMPARISONS or LOGICAL between two expressions."""

    op: str
    left: Expr
    right: Expr
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of FUNCTIONS, or one that the component defines, applied to its arguments."""

    function: str
    args: tuple[Expr, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Conditional:
    """The value of the first case whose condition holds, else `otherwise`."""

    cases: tuple[tuple[Expr, Expr], ...]
    otherwise: Expr
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Select:
    """Composites only: a quantity of descendants, by path (`bioPhys/channels[*]/i`), reduced to one.

    `reduce` is `add`, `multiply` or `""` (exactly one is meant). `required=False` lets a missing
    path be the neutral element. `flatten` replaces every Select.
    """

    path: str
    reduce: str = ""
    required: bool = True
    span: Span | None = field(default=None, compare=False, repr=False)


Expr: TypeAlias = Number | Name | Unary | Binary | Call | Conditional | Select

ZERO = Number(0.0)
ONE = Number(1.0)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct sub-expressions, left to right."""
    # the busiest function of a conversion: frequent kinds first, and no patterns
    if isinstance(expr, Name):
        return ()
    if isinstance(expr, Binary):
        return (expr.left, expr.right)
    if isinstance(expr, Number):
        return ()
    if isinstance(expr, Call):
        return expr.args
    if isinstance(expr, Unary):
        return (expr.operand,)
    if isinstance(expr, Conditional):
        return (*(part for case in expr.cases for part in case), expr.otherwise)
    return ()


def walk(expr: Expr) -> Iterator[Expr]:
    """Every node, parents first, without recursion."""
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(children(node)[::-1])


def depth(expr: Expr) -> int:
    """How many nodes the longest way from the root to a leaf has."""
    return _longest(expr, chains=True)


def nesting(expr: Expr) -> int:
    """The same with `a + b - c` and `a * b / c` counted once: how deep parentheses go."""
    return _longest(expr, chains=False)


def _longest(expr: Expr, chains: bool) -> int:
    deepest = 0
    stack = [(expr, 1)]
    while stack:
        node, level = stack.pop()
        deepest = max(deepest, level)
        for part in children(node):
            is_link = not chains and continues(node, part)
            stack.append((part, level if is_link else level + 1))
    return deepest


def continues(node: Expr, part: Expr) -> bool:
    """True if `part` needs no parentheses as the left operand of `node`: a chain of one precedence."""
    return (
        isinstance(node, Binary)
        and isinstance(part, Binary)
        and part is node.left
        and any({node.op, part.op} <= level for level in ({"+", "-"}, {"*", "/"}))
    )


def rebuild(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The same node with `change` applied to each direct sub-expression."""
    match expr:
        case Unary(op, operand, span):
            return Unary(op, change(operand), span)
        case Binary(op, left, right, span):
            return Binary(op, change(left), change(right), span)
        case Call(function, args, span):
            return Call(function, tuple(change(arg) for arg in args), span)
        case Conditional(cases, otherwise, span):
            changed = tuple((change(test), change(value)) for test, value in cases)
            return Conditional(changed, change(otherwise), span)
        case _:
            return expr


def substitute(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """Every `Name` found in `values` replaced, all at once."""
    return _change_names(expr, values, lambda name: values[name.id])


def rename(expr: Expr, names: Mapping[str, str]) -> Expr:
    """Every name found in `names` renamed, spans kept."""
    return _change_names(expr, names, lambda name: Name(names[name.id], name.span))


def _change_names(expr: Expr, known: Container[str], change: Callable[[Name], Expr]) -> Expr:
    """The tree with every known name changed; no recursion, since sums may have thousands of terms."""
    order = list(walk(expr))
    done: dict[int, Expr] = {
        id(node): change(node) for node in order if isinstance(node, Name) and node.id in known
    }
    if not done:
        return expr
    for node in reversed(order):
        # what holds no changed name stays what it is
        if any(id(part) in done for part in children(node)):
            done[id(node)] = rebuild(node, lambda part: done.get(id(part), part))
    return done.get(id(expr), expr)


def place_of(name: str, expr: Expr) -> Span | None:
    """Where `name` first stands in `expr`, as far as that is known."""
    return next((n.span for n in walk(expr) if isinstance(n, Name) and n.id == name), None)


def free_names(expr: Expr) -> frozenset[str]:
    """The names of quantities that occur, `t` included; kernels and ports are no quantities."""
    found: set[str] = set()
    stack = [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, Name):
            found.add(node.id)
        elif isinstance(node, Binary):
            stack += (node.left, node.right)
        elif not (isinstance(node, Call) and node.function in PORT_FUNCTIONS):
            stack.extend(children(node))
    return frozenset(found)


def reads(expr: Expr, aliases: Mapping[str, Expr]) -> set[str]:
    """The names that `expr` depends on, also through aliases."""
    found: set[str] = set()
    waiting = [*free_names(expr)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += free_names(aliases[name]) if name in aliases else ()
    return found


def is_boolean(expr: Expr) -> bool:
    """True for comparisons and logical combinations."""
    match expr:
        case Unary("not", _):
            return True
        case Binary(op, _, _):
            return op in COMPARISONS or op in LOGICAL
        case _:
            return False


def is_random(expr: Expr) -> bool:
    """True if evaluating the expression draws random numbers."""
    stack = [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, Call) and node.function in RANDOM_FUNCTIONS:
            return True
        stack.extend(children(node))
    return False


def add(terms: list[Expr] | tuple[Expr, ...]) -> Expr:
    """The sum of the terms, 0 if there are none."""
    return _chain("+", terms, ZERO)


def multiply(factors: list[Expr] | tuple[Expr, ...]) -> Expr:
    """The product of the factors, 1 if there are none."""
    return _chain("*", factors, ONE)


def expm1_by_tanh(x: Expr) -> Expr:
    """exp(x) - 1 as tanh(x/2) (exp(x) + 1): no cancellation near 0 and no overflow below it."""
    return Binary(
        "*", Call("tanh", (Binary("/", x, Number(2.0)),)), Binary("+", Call("exp", (x,)), ONE)
    )


def _chain(op: str, parts: list[Expr] | tuple[Expr, ...], neutral: Expr) -> Expr:
    if not parts:
        return neutral
    if len(parts) > LONG_CHAIN:
        # in halves, so that no pass has to go thousands of levels deep
        middle = len(parts) // 2
        return Binary(op, _chain(op, parts[:middle], neutral), _chain(op, parts[middle:], neutral))
    total = parts[0]
    for part in parts[1:]:
        total = Binary(op, total, part)
    return total
