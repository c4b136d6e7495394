"""The names of a model before anything is lowered: what is declared where, with types and sizes.

Codes: N031, N032, N033 a state that an equation needs is missing or has no initial value, N045 a size that
makes no vector, N048 two blocks of one kind, N049 a port that is none, N068 a size that is now fixed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...canonical_model.diagnostics import Level, error
from . import symbols as kinds
from . import syntax
from .expressions import Expressions
from .symbols import MAX_SIZE, Names, Place, Symbol, function_name
from .types import T_INTEGER, T_REAL, T_UNKNOWN, T_VOID, Type, quantity_type
from .units import COMMON, atom, value_of

_UNIQUE = ("parameters", "internals", "state", "equations", "input", "output", "update")
_PLAIN_TYPES = {
    "real": T_REAL, "integer": T_INTEGER, "boolean": Type("boolean"), "string": Type("string"),
    "void": T_VOID,
}  # fmt: skip


@dataclass(slots=True)
class Collector:
    """Fills `names` from the blocks of a model; what is wrong goes to the log."""

    names: Names
    expressions: Expressions
    kernel_names: dict[str, bool] = field(default_factory=dict)  # name -> is it the kernel itself

    def collect(self, model: syntax.ModelSyntax) -> None:
        """Every name of the model."""
        seen: dict[str, syntax.Block] = {}
        for block in model.blocks:
            word = block.header.word
            if word in seen and word in _UNIQUE and word != "state":
                line = seen[word].header.at[0]
                message = f"a model has one block '{word}'; the first is in line {line}"
                span = self.names.span(block.header.at)
                self.names.log.add("N048", Level.ERROR, message, span, hint="join the two")
            seen.setdefault(word, block)
        self.sizes(model)
        self.kernels(model)
        for block in model.blocks:
            self.block(block)

    def block(self, block: syntax.Block) -> None:
        """The names that one block declares."""
        if block.header.word == "function":
            with self.names.log.gather():
                self.function(block.header)
        for commented in block.items:
            item = commented.item
            with self.names.log.gather():
                if isinstance(item, syntax.Declaration):
                    self.declaration(item, block.header.word)
                elif isinstance(item, syntax.Port):
                    self.port(item)
        if block.header.word == "equations":
            for equation in equations(block):
                symbol = self.names.symbols.get(equation.target.name)
                if symbol is not None:
                    symbol.ode = True

    # --- types and sizes

    def type_of(self, written: syntax.TypeName) -> Type:
        """A declared type. Raises ModelError N040."""
        if written.unit is None:
            return _PLAIN_TYPES[written.word]
        found = value_of(written.unit, self.names.file)
        self.expressions.remark_unit(
            syntax.Unit(
                tuple(f for f in written.unit.factors if f.name not in self.names.symbols),
                written.unit.text,
                written.unit.at,
            )
        )
        return quantity_type(found)

    def sizes(self, model: syntax.ModelSyntax) -> None:
        """The values of those names that are the size of something."""
        wanted: set[str] = set()
        for block in model.blocks:
            for variable in _variables(block):
                if isinstance(variable.index, syntax.Variable):
                    wanted.add(variable.index.name)
        if not wanted:
            return
        for block in model.blocks:
            if block.header.word not in ("parameters", "internals"):
                continue
            for commented in block.items:
                item = commented.item
                if isinstance(item, syntax.Declaration) and item.value is not None:
                    value = self.expressions.constant(item.value, Place(kinds.STATICS))
                    for variable in item.variables if value is not None else ():
                        if variable.name in wanted and value is not None:
                            self.names.sizes[variable.name] = int(value)

    def size(self, variable: syntax.Variable) -> int | None:
        """The number of elements, None for a scalar. Raises ModelError N045."""
        if variable.index is None:
            return None
        span = self.names.span(variable.index.at)
        value = self.expressions.constant(variable.index, Place(kinds.STATICS))
        if value is None:
            message = f"the size of '{variable.name}' is not known"
            hint = "use a number, or a parameter whose value is a number"
            raise error("N045", message, span, hint=hint)
        if value != int(value) or value < 1:
            raise error("N045", f"a size is a positive integer, not {value:g}", span)
        if value > MAX_SIZE:
            raise error("N045", f"a vector has at most {MAX_SIZE} elements", span)
        if isinstance(variable.index, syntax.Variable):
            name = variable.index.name
            message = f"'{name}' is the size of a vector; it is fixed at {value:g} from here on"
            self.names.once(f"size:{name}", "N068", Level.NOTE, message, span, "")
        self.names.generate(int(value), span)
        return int(value)

    # --- declarations

    def declaration(self, item: syntax.Declaration, block: str) -> None:
        """Variables of the state, parameters, internals and inlines."""
        kind = {"parameters": kinds.PARAMETER, "state": kinds.STATE}.get(block, kinds.INTERNAL)
        if item.inline:
            kind = kinds.INTERNAL if block in ("parameters", "internals") else kinds.INLINE
        try:
            found = self.type_of(item.type)
        except Exception:
            for variable in item.variables:
                self.names.unknown(variable.name, kind, variable.at)
            raise
        for variable in item.variables:
            with self.names.log.gather():
                self.variable(variable, found, kind)

    def variable(self, variable: syntax.Variable, found: Type, kind: str) -> None:
        """One name, or one derivative of it. Raises ModelError N031, N032, N033, N045."""
        span = self.names.span(variable.at)
        if variable.order:
            base = self.names.symbols.get(variable.name)
            if base is None or base.kind not in (kinds.STATE, kinds.KERNEL, kinds.KERNEL_STATE):
                message = f"{variable.shown} is declared without '{variable.name}'"
                hint = f"declare '{variable.name}' first, in the state"
                raise error("N033", message, span, hint=hint)
            if variable.order in base.derivatives:
                raise error("N031", f"{variable.shown} is declared twice", span)
            base.derivatives[variable.order] = found
            return
        try:
            size = self.size(variable)
        except Exception:
            self.names.unknown(variable.name, kind, variable.at)
            raise
        own = self.names.symbols.get(variable.name)
        if kind == kinds.STATE and own is not None and own.at == (0, 0):
            own.type, own.at, own.size = found, variable.at, size  # the state of a kernel
            return
        self.names.add(Symbol(variable.name, kind, found, variable.at, size))
        if variable.name in COMMON and len(variable.name) > 1:
            message = f"'{variable.name}' is a unit too: where it stands alone, the {kind} is meant"
            hint = "another name would be safer"
            self.names.log.add("N041", Level.WARNING, message, span, hint=hint)

    def kernels(self, model: syntax.ModelSyntax) -> None:
        """Kernels, and the state variables that belong to them."""
        for block in model.blocks:
            for commented in block.items:
                item = commented.item
                if not isinstance(item, syntax.KernelLine):
                    continue
                first = True
                for equation in item.equations:
                    with self.names.log.gather():
                        self.kernel(equation, first)
                    first = first and not equation.target.order

    def kernel(self, equation: syntax.Equation, first: bool) -> None:
        """One equation of a kernel: those after the first ODE are variables of the same kernel."""
        target = equation.target
        if target.order:
            kind = kinds.KERNEL if first else kinds.KERNEL_STATE
            self.names.add(Symbol(target.name, kind, T_UNKNOWN, (0, 0), ode=True))
            return
        symbol = Symbol(target.name, kinds.KERNEL, T_REAL, target.at)
        symbol.delta = any(
            isinstance(part, syntax.Apply) and part.name == "delta" for part in walk(equation.value)
        )
        self.names.add(symbol)

    # --- ports and functions

    def port(self, port: syntax.Port) -> None:
        """An input port. Raises ModelError N031, N045, N049."""
        variable, span = port.variable, self.names.span(port.at)
        if variable.order:
            raise error("N049", f"'{variable.shown}' cannot be the name of a port", span)
        try:
            found = self.type_of(port.type) if port.type is not None else T_REAL
            size = self.size(variable)
        except Exception:
            kind = kinds.CONTINUOUS if port.continuous else kinds.SPIKE
            self.names.unknown(variable.name, kind, variable.at)
            raise
        if port.continuous:
            if port.type is None:
                unit = atom("pA")
                assert unit is not None
                found = quantity_type(unit)
                message = f"the port '{variable.name}' names no unit; pA is taken"
                self.names.log.add("N049", Level.WARNING, message, span)
            self.names.add(Symbol(variable.name, kinds.CONTINUOUS, found, variable.at, size))
            return
        rate = atom("s")
        assert rate is not None
        symbol = Symbol(variable.name, kinds.SPIKE, quantity_type(rate**-1.0), variable.at, size)
        if port.type is not None:
            message = "spike ports have no type since 6.0 (an older form, read as such)"
            self.names.once("typed", "N090", Level.NOTE, message, span, "")
            symbol.event_unit = found.value_unit
        self.names.add(symbol)

    def function(self, header: syntax.BlockHeader) -> None:
        """A function with the types of its arguments. Raises ModelError N031, N040."""
        name = header.name
        symbol = Symbol(name, kinds.FUNCTION, T_UNKNOWN, header.at, target=function_name(name))
        self.names.add(symbol)
        symbol.arguments = tuple(self.type_of(item.type) for item in header.arguments)
        symbol.type = self.type_of(header.type) if header.type is not None else T_VOID


def equations(block: syntax.Block) -> Iterator[syntax.Equation]:
    """The ODEs of a block."""
    for commented in block.items:
        if isinstance(commented.item, syntax.Equation):
            yield commented.item


def _variables(block: syntax.Block) -> Iterator[syntax.Variable]:
    for commented in block.items:
        if isinstance(commented.item, syntax.Declaration):
            yield from commented.item.variables
        elif isinstance(commented.item, syntax.Port):
            yield commented.item.variable
    waiting = list(block.statements)
    while waiting:
        statement = waiting.pop()
        waiting.extend(statement.body)
        if isinstance(statement.line, syntax.Declaration):
            yield from statement.line.variables


def walk(expr: syntax.Expr) -> Iterator[syntax.Expr]:
    """Every node of an expression."""
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        yield node
        match node:
            case syntax.Infix(_, left, right, _, _):
                waiting += [left, right]
            case syntax.Prefix(_, inner, _, _) | syntax.Group(inner, _, _):
                waiting.append(inner)
            case syntax.Apply(_, args, _, _):
                waiting += args
            case syntax.Choice(test, yes, no, _, _):
                waiting += [test, yes, no]
            case syntax.Variable(_, _, index, _, _) if index is not None:
                waiting.append(index)
