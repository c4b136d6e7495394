"""The names of a model, what they are, and where an expression stands.

Codes: N014 more is generated than is sound, N031 a name given twice, N032 a predefined name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...canonical_model.diagnostics import Level, Log, Span, error, suggest
from ...canonical_model.expr import FUNCTIONS, Expr
from . import syntax
from .tokens import At
from .types import T_UNKNOWN, Casts, Type
from .units import UnitValue

PARAMETER, INTERNAL, STATE, INLINE = "parameter", "internal", "state variable", "inline expression"
SPIKE, CONTINUOUS, KERNEL, FUNCTION = "spike port", "continuous port", "kernel", "function"
ARGUMENT, LOCAL, KERNEL_STATE = "argument", "local variable", "variable of a kernel"
PREDEFINED = ("t", "e", "pi")
MAX_SIZE = 1000  # elements of a vector
MAX_SEARCHES = 50
MAX_GENERATED = 50_000  # items that vectors and unrolled loops may make of one model

# where an expression stands
STATICS, INITIAL, GUARD, EQUATIONS, IN_KERNEL = (
    "parameters", "state", "guard", "equations", "kernel",
)  # fmt: skip
UPDATE, RECEIVE, CONDITION, IN_FUNCTION = "update", "onReceive", "onCondition", "function"
PROGRAMS = (UPDATE, RECEIVE, CONDITION)


def one(kind: str) -> str:
    """A kind with its article.

    >>> one(INTERNAL), one(STATE)
    ('an internal', 'a state variable')
    """
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


@dataclass(slots=True)
class Symbol:
    """What a name of the model stands for; `size` is a vector's, `order` the number of derivatives kept."""

    name: str
    kind: str
    type: Type
    at: At
    size: int | None = None
    order: int = 0
    derivatives: dict[int, Type] = field(default_factory=dict)
    event_unit: UnitValue | None = None  # of typed spike ports
    arguments: tuple[Type, ...] = ()
    target: str = ""  # the canonical name of a function; the factor's owner of a delta kernel
    delta: bool = False
    position: int = 0  # in the order of declaration
    ode: bool = False


@dataclass(slots=True)
class Names:
    """All names of one model, with what its lowering shares."""

    file: str
    log: Log
    symbols: dict[str, Symbol] = field(default_factory=dict)
    functions: dict[str, Symbol] = field(default_factory=dict)
    casts: Casts = field(init=False)
    payload: str = "weight"
    generated: int = 0
    searches: int = 0
    remarked: set[str] = field(default_factory=set)
    locals_seen: frozenset[str] = frozenset()
    sizes: dict[str, int] = field(default_factory=dict)  # constants that sizes and bounds may name
    delayed: dict[str, str] = field(default_factory=dict)
    factors: dict[str, Expr] = field(default_factory=dict)  # of delta kernels
    kernel_units: dict[str, UnitValue] = field(default_factory=dict)  # of variables of kernels
    voids: dict[str, syntax.Block] = field(default_factory=dict)  # functions without a value
    inlined: set[str] = field(default_factory=set)  # names of their locals at the places of calls
    called: list[str] = field(default_factory=list)  # of those whose calls are open
    elements: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.casts = Casts(self.log)

    def span(self, at: At) -> Span:
        """The place for messages."""
        return Span(self.file, *at)

    def once(self, key: str, code: str, level: Level, message: str, span: Span, hint: str) -> None:
        """A remark that a model gets only once."""
        if key not in self.remarked:
            self.remarked.add(key)
            self.log.add(code, level, message, span, hint=hint)

    def add(self, symbol: Symbol) -> None:
        """A new name. Raises ModelError N031, N032."""
        table = self.functions if symbol.kind == FUNCTION else self.symbols
        span = self.span(symbol.at)
        if symbol.name in PREDEFINED:
            message = f"'{symbol.name}' has a fixed meaning and cannot be declared"
            raise error("N032", message, span, hint="choose another name")
        other = table.get(symbol.name)
        if other is not None:
            message = f"'{symbol.name}' is declared twice: first as {other.kind}"
            where = f"the first declaration is in line {other.at[0]}"
            raise error("N031", message, span, hint=where)
        symbol.position = len(table)
        table[symbol.name] = symbol

    def unknown(self, name: str, kind: str, at: At) -> None:
        """A name whose declaration is wrong: known, so that its uses are not reported too."""
        if name not in self.symbols and name not in PREDEFINED:
            self.symbols[name] = Symbol(name, kind, T_UNKNOWN, at)

    def near(self, name: str, known: Iterable[str]) -> str:
        """A hint that names the candidate nearest to `name`; for the first mistakes of a file only, since
        each search takes time."""
        self.searches += 1
        return suggest(name, known) if self.searches <= MAX_SEARCHES else ""

    def generate(self, count: int, span: Span) -> None:
        """Account for generated items. Raises ModelError N014."""
        self.generated += count
        if self.generated > MAX_GENERATED:
            message = "vectors and loops over them make too much of this model"
            raise error("N014", message, span, hint="use smaller vectors")

    def element(self, name: str, index: int) -> str:
        """The canonical name of an element of a vector."""
        known = self.elements.get(name)
        if known is None:
            size = self.symbols[name].size if name in self.symbols else None
            known = self.elements[name] = self.fresh(name, size or MAX_SIZE)
        return known[index]

    def inlined_name(self, function: str, name: str) -> str:
        """A name for a local of a function at the place of a call."""
        wanted = f"{function}_{name}"
        number = 1
        while wanted in self.inlined or self.taken(wanted):
            number += 1
            wanted = f"{function}_{name}_{number}"
        self.inlined.add(wanted)
        return wanted

    def taken(self, name: str) -> bool:
        """True if the model uses a name."""
        return name in self.symbols or name in self.locals_seen

    def fresh(self, name: str, size: int) -> tuple[str, ...]:
        """Names for the elements of a vector that nothing else bears."""
        joint = "_"
        every = range(size)
        while any(self.taken(f"{name}{joint}{index}") for index in every):
            joint += "_"
        return tuple(f"{name}{joint}{index}" for index in range(size))


def derivative(name: str, order: int) -> str:
    """The canonical name of a derivative."""
    return name + "__d" * order


def function_name(name: str) -> str:
    """The canonical name of a model's function: one of ours keeps its meaning."""
    return f"{name}_" if name in FUNCTIONS else name


@dataclass(slots=True)
class Place:
    """Where an expression or statement stands; `element` is the element that vectors are meant at."""

    kind: str
    port: str = ""  # the port whose events a handler receives
    locals: dict[str, Symbol] = field(default_factory=dict)
    element: int | None = None
    constants: dict[str, float] = field(default_factory=dict)
    result: Type | None = None  # of the enclosing function
    function: str = ""
    prefix: str = ""  # before the names of locals: the function whose call stands here
    position: int = -1  # of the declaration that is being read: later ones are forward references

    def inner(self) -> Place:
        """The same for a nested body."""
        return Place(
            self.kind, self.port, dict(self.locals), self.element, dict(self.constants),
            self.result, self.function, self.prefix,
        )  # fmt: skip

    def at_element(self, element: int | None) -> Place:
        """The same for one element of a vector equation."""
        if element is None:
            return self
        return Place(
            self.kind, self.port, self.locals, element, self.constants, self.result, self.function,
            self.prefix, self.position,
        )  # fmt: skip
