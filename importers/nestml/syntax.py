"""The syntax tree of NESTML: what a line says and no more. `at` is (line, column)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from .tokens import At


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, with the unit that stands behind it."""

    text: str
    at: At
    unit: Unit | None = None

    @property
    def whole(self) -> bool:
        """True for an integer literal."""
        return self.text.isdigit()


@dataclass(frozen=True, slots=True)
class Factor:
    """A unit's name raised to a power."""

    name: str
    exponent: float
    at: At


@dataclass(frozen=True, slots=True)
class Unit:
    """A product of factors; `text` as written, without blanks and outer parentheses."""

    factors: tuple[Factor, ...]
    text: str
    at: At


@dataclass(frozen=True, slots=True)
class Truth:
    """true or false."""

    value: bool
    at: At


@dataclass(frozen=True, slots=True)
class Infinity:
    """inf."""

    at: At


@dataclass(frozen=True, slots=True)
class Text:
    """A string without its quotes."""

    value: str
    at: At


@dataclass(frozen=True, slots=True)
class Variable:
    """A name with an index and primes."""

    name: str
    at: At
    index: Expr | None = None
    order: int = 0
    depth: int = 1

    @property
    def shown(self) -> str:
        """As written, the index left out."""
        return self.name + "'" * self.order


@dataclass(frozen=True, slots=True)
class Attribute:
    """`port.weight` of versions before 8.3."""

    variable: Variable
    name: str
    at: At
    depth: int = 2


@dataclass(frozen=True, slots=True)
class Prefix:
    """`-`, `+`, `~` or `not` before an expression."""

    op: str
    operand: Expr
    at: At
    depth: int


@dataclass(frozen=True, slots=True)
class Infix:
    """An operator between two expressions; `at` is the operator.

    `links` counts the operators of the chain `a + b - c` that ends here; a chain is one level deep.
    """

    op: str
    left: Expr
    right: Expr
    at: At
    depth: int
    links: int = 1


@dataclass(frozen=True, slots=True)
class Apply:
    """A call."""

    name: str
    args: tuple[Expr, ...]
    at: At
    depth: int


@dataclass(frozen=True, slots=True)
class Choice:
    """`test ? yes : no`."""

    test: Expr
    yes: Expr
    no: Expr
    at: At
    depth: int


@dataclass(frozen=True, slots=True)
class Group:
    """An expression in parentheses."""

    inner: Expr
    at: At
    depth: int


Expr: TypeAlias = (
    Literal
    | Truth
    | Infinity
    | Text
    | Variable
    | Attribute
    | Prefix
    | Infix
    | Apply
    | Choice
    | Group
)


@dataclass(frozen=True, slots=True)
class TypeName:
    """A declared type: one of the five words, or a unit."""

    word: str
    unit: Unit | None
    at: At


@dataclass(frozen=True, slots=True)
class Declaration:
    """`[recordable] [inline] names type [= value] [[[guard]]] [decorators]`."""

    variables: tuple[Variable, ...]
    type: TypeName
    value: Expr | None
    guard: Expr | None
    decorators: tuple[str, ...]
    at: At
    inline: bool = False
    recordable: bool = False


@dataclass(frozen=True, slots=True)
class Equation:
    """`x' = rhs`, in the equations block or inside a kernel; a kernel of order 0 is a function of t."""

    target: Variable
    value: Expr
    at: At


@dataclass(frozen=True, slots=True)
class KernelLine:
    """`kernel ...` with its equations."""

    equations: tuple[Equation, ...]
    at: At


@dataclass(frozen=True, slots=True)
class Port:
    """An input port; `signs` are its qualifiers."""

    variable: Variable
    type: TypeName | None
    signs: tuple[str, ...]
    continuous: bool
    at: At


@dataclass(frozen=True, slots=True)
class Output:
    """What the model sends."""

    continuous: bool
    attributes: tuple[str, ...]
    at: At


@dataclass(frozen=True, slots=True)
class Assignment:
    """`target op value`, op being `=`, `+=` and so on."""

    target: Variable
    op: str
    value: Expr
    at: At


@dataclass(frozen=True, slots=True)
class CallStatement:
    """A call for its effect."""

    call: Apply
    at: At


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """`return` with or without a value."""

    value: Expr | None
    at: At


@dataclass(frozen=True, slots=True)
class Header:
    """`if`, `elif`, `else` or `while`."""

    word: str
    test: Expr | None
    at: At


@dataclass(frozen=True, slots=True)
class ForHeader:
    """`for variable in start ... stop step by:`."""

    variable: str
    start: Expr
    stop: Expr
    by: Expr
    at: At


StatementLine: TypeAlias = (
    Assignment | Declaration | CallStatement | ReturnLine | Header | ForHeader
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement line with the statements inside it and its comments."""

    line: StatementLine
    body: tuple[Statement, ...]
    before: tuple[str, ...]
    beside: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Argument:
    """What a function takes."""

    name: str
    type: TypeName
    at: At


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """A line that opens a block of a model; only the fields that its word needs are set."""

    word: str
    at: At
    name: str = ""
    variable: Variable | None = None
    test: Expr | None = None
    keys: tuple[tuple[str, Expr, At], ...] = ()
    arguments: tuple[Argument, ...] = ()
    type: TypeName | None = None


@dataclass(frozen=True, slots=True)
class Commented:
    """A line of a declaring block with its comments: directly above or beside, and cut off by a blank."""

    item: Declaration | Equation | KernelLine | Port | Output
    description: str = ""
    loose: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a model: `items` of a declaring one, `statements` of a program."""

    header: BlockHeader
    items: tuple[Commented, ...] = ()
    statements: tuple[Statement, ...] = ()
    comments: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSyntax:
    """One model of a file."""

    name: str
    at: At
    keyword: str = "model"
    description: str = ""
    comments: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    names: frozenset[str] = field(default=frozenset(), compare=False)
