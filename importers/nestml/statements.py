"""Statements of update, handlers and functions in canonical terms.

Codes: N020, N030 to N032, N034, N037,
N045 vectors, N047 a function that ends without a value, N065 a loop over a state, N069 a loop without end.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from ...canonical_model import model
from ...canonical_model.diagnostics import Level, Span, error
from ...canonical_model.expr import Binary, Expr, Name, Number
from . import symbols as kinds
from . import syntax
from .bodies import indexes, scoped, word
from .declarations import value_kind, zero
from .effects import Effects
from .expressions import Expressions
from .symbols import Names, Place, Symbol, derivative
from .types import STRING, T_VOID, UNKNOWN, VOID, Type, Typed


@dataclass(slots=True)
class Statements:
    """Lowers one program; `block` names it in the keys of comments."""

    names: Names
    expressions: Expressions
    block: str
    extras: dict[str, str]
    has_output: bool = True
    count: int = 0

    def body(
        self, statements: tuple[syntax.Statement, ...], place: Place
    ) -> tuple[model.Statement, ...]:
        """The statements of a body; every mistake is reported, and costs its statement only."""
        found: list[model.Statement] = []
        position = 0
        while position < len(statements):
            statement = statements[position]
            position += 1
            branches = [statement]
            if word(statement) == "if":
                while position < len(statements) and word(statements[position]) in (
                    "elif",
                    "else",
                ):
                    branches.append(statements[position])
                    position += 1
            self.comments(statement)
            with self.names.log.gather():
                found.extend(self.statement(branches, place))
        return tuple(found)

    def comments(self, statement: syntax.Statement) -> None:
        """Comments are kept by the number of the canonical statement that they stand at, counting
        nested ones, in the order written."""
        key = f"comments:{self.block}:{self.count}"
        for text, suffix in ((statement.before, ""), (statement.beside, ":beside")):
            if text and key + suffix not in self.extras:
                self.extras[key + suffix] = "\n".join(text)
        if statement.after:
            self.extras[f"{key}:after"] = "\n".join(statement.after)

    def statement(self, branches: list[syntax.Statement], place: Place) -> list[model.Statement]:
        """One statement, an `if` with all its branches."""
        first = branches[0]
        match first.line:
            case syntax.Assignment():
                return self.assignment(first.line, place)
            case syntax.Header(word="if"):
                return self.choice(branches, place)
            case syntax.CallStatement(call, _):
                return Effects(self).call(call, place)
            case syntax.Declaration():
                return self.local(first.line, place)
            case syntax.Header(word="while", test=test):
                return self.repeat(first, test, place)
            case syntax.ForHeader():
                return self.loop(first, first.line, place)
            case syntax.ReturnLine():
                return self.result(first.line, place)
            case syntax.Header(word, _, at):
                message = f"this '{word}' belongs to no 'if'"
                raise error("N020", message, self.names.span(at))

    # --- assignments and locals

    def target(self, variable: syntax.Variable, place: Place) -> Symbol:
        """What is assigned to. Raises ModelError N030, N034."""
        span = self.names.span(variable.at)
        symbol = place.locals.get(variable.name) or self.names.symbols.get(variable.name)
        if symbol is None:
            names = chain(place.locals, self.names.symbols)
            message = f"'{variable.name}' is assigned to, but it is not declared"
            if variable.name in kinds.PREDEFINED:
                message = f"'{variable.name}' cannot be assigned to"
            raise error("N030", message, span, hint=self.names.near(variable.name, names))
        if symbol.kind not in (kinds.STATE, kinds.LOCAL, kinds.ARGUMENT) and symbol.type.kind:
            message = f"'{variable.name}' is {kinds.one(symbol.kind)} and cannot be assigned to"
            hint = "what changes is declared in the state" if symbol.kind != kinds.SPIKE else ""
            raise error("N034", message, span, hint=hint)
        if place.kind == kinds.IN_FUNCTION and symbol.kind == kinds.STATE:
            message = f"the function '{place.function}' assigns to the state '{variable.name}'"
            raise error("N034", message, span, hint="return a value and assign it outside")
        if variable.name in place.constants:
            message = (
                f"the loop over '{variable.name}' was unrolled; it cannot be assigned to inside"
            )
            raise error("N045", message, span)
        return symbol

    def assignment(self, line: syntax.Assignment, place: Place) -> list[model.Statement]:
        """`=`, and `x += y` as `x = x + (y)`; vectors element by element."""
        symbol = self.target(line.target, place)
        if symbol.size is None or line.target.index is not None:
            return self.one_assignment(line, symbol, place)
        found: list[model.Statement] = []
        self.names.generate(symbol.size, self.names.span(line.at))
        for index in range(symbol.size):
            found += self.one_assignment(line, symbol, place.at_element(index))
        return found

    def one_assignment(
        self, line: syntax.Assignment, symbol: Symbol, place: Place
    ) -> list[model.Statement]:
        """To a scalar or one element."""
        variable, span = line.target, self.names.span(line.at)
        current = self.expressions.quantity(variable, symbol, place)
        found = self.expressions.lower(line.value, place)
        if line.op != "=":
            found = self.compound(line.op[:-1], current, found, line)
        value = self.names.casts.store(found, current.type, span, f"'{variable.shown}'")
        if isinstance(current.expr, Name):
            self.count += 1
            return [model.Assign(target=current.expr.id, value=value, span=span)]
        return self.indexed(variable, symbol, value, place, span)

    def indexed(
        self, variable: syntax.Variable, symbol: Symbol, value: Expr, place: Place, span: Span
    ) -> list[model.Statement]:
        """An element that only the run tells: a chain of tests."""
        assert variable.index is not None and symbol.size is not None
        index = self.expressions.lower(variable.index, place).expr
        branches = []
        self.names.generate(symbol.size, span)
        for number in range(symbol.size):
            name = derivative(self.names.element(symbol.name, number), variable.order)
            chosen = model.Assign(target=name, value=value, span=span)
            test = Binary("==", index, Number(float(number), None, span), span)
            branches.append((test, (chosen,)))
        self.count += 1 + len(branches)
        return [model.If(branches=tuple(branches), span=span)]

    def compound(self, op: str, left: Typed, right: Typed, line: syntax.Assignment) -> Typed:
        """The value of `x op= y`."""
        at = line.at
        span = self.names.span(at)
        if op in ("+", "-"):
            why = f"the sides of '{line.op}'"
            one, other, kind = self.names.casts.agree(left, right, span, why)
            return Typed(Binary(op, one.expr, other.expr, span), kind)
        if op == "//":
            return self.expressions.operators.whole_quotient(left, right, at, compound=True)
        infix = syntax.Infix(op, line.target, line.value, at, 1)
        return self.expressions.operators.multiply(op, left, right, infix)

    def local(self, line: syntax.Declaration, place: Place) -> list[model.Statement]:
        """Declarations of locals."""
        found: list[model.Statement] = []
        kind = self.local_type(line, place)
        for variable in line.variables:
            span = self.names.span(variable.at)
            if variable.order:
                raise error("N031", "a local variable has no derivatives", span)
            size = self.local_size(variable, place)
            own = self.local_name(variable, place)
            symbol = Symbol(own, kinds.LOCAL, kind, variable.at, size)
            if size is not None:
                self.names.elements.setdefault(own, self.names.fresh(own, size))
            for index in range(size) if size is not None else (None,):
                inner = place.at_element(index)
                value = zero(kind)
                if line.value is not None:
                    typed = self.expressions.lower(line.value, inner)
                    what = f"'{variable.name}'"
                    value = self.names.casts.store(typed, kind, span, what)
                name = own if index is None else self.names.element(own, index)
                self.count += 1
                found.append(
                    model.Declare(
                        name=name, dimension=kind.dimension, kind=value_kind(kind), value=value,
                        span=span,
                    )
                )  # fmt: skip
            place.locals[variable.name] = symbol
            if kind.unit is not None:
                self.extras.setdefault(f"unit:{self.block}:{own}", kind.unit.symbol)
        return found

    def local_name(self, variable: syntax.Variable, place: Place) -> str:
        """The name of a local in the component: another one where it hides a quantity of the model."""
        if place.prefix:
            return self.names.inlined_name(place.prefix, variable.name)
        hidden = self.names.symbols.get(variable.name)
        if hidden is None:
            return variable.name
        message = f"the local variable '{variable.name}' hides the {hidden.kind} of that name"
        hint = "leave out the type if the other one is meant; choose another name if not"
        span = self.names.span(variable.at)
        self.names.log.add("N031", Level.WARNING, message, span, hint=hint)
        name = f"{variable.name}_local"
        while name in self.names.symbols or name in self.names.locals_seen or name in place.locals:
            name += "_"
        return name

    def local_type(self, line: syntax.Declaration, place: Place) -> Type:
        """The type of a local; its name is known even where the rest is wrong."""
        from .collect import Collector

        kind: Type | None = None
        try:
            kind = Collector(self.names, self.expressions).type_of(line.type)
            for variable in line.variables:
                other = place.locals.get(variable.name)
                span = self.names.span(variable.at)
                if variable.name in kinds.PREDEFINED:
                    message = f"'{variable.name}' has a fixed meaning and cannot be declared"
                    raise error("N032", message, span)
                if other is not None:
                    message = f"'{variable.name}' is declared already, as {other.kind}"
                    hint = "choose another name; leave out the type to assign to it"
                    raise error("N031", message, span, hint=hint)
                if kind.kind in (VOID, STRING):
                    raise error("N052", f"a local variable cannot be {kind}", span)
        finally:
            for variable in line.variables:
                if variable.name not in place.locals:
                    unknown = Symbol(variable.name, kinds.LOCAL, kind or Type(UNKNOWN), variable.at)
                    place.locals[variable.name] = unknown
        for variable in line.variables:
            place.locals.pop(variable.name, None)
        return kind

    def local_size(self, variable: syntax.Variable, place: Place) -> int | None:
        """The size of a local vector. Raises ModelError N045."""
        if variable.index is None:
            return None
        span = self.names.span(variable.at)
        value = self.expressions.constant(variable.index, place)
        if value is None or value != int(value) or not 1 <= value <= kinds.MAX_SIZE:
            message = f"the size of '{variable.name}' must be a number from 1 to {kinds.MAX_SIZE}"
            raise error("N045", message, span)
        self.names.generate(int(value), span)
        return int(value)

    # --- control

    def choice(self, branches: list[syntax.Statement], place: Place) -> list[model.Statement]:
        """if, elif, else."""
        self.count += 1
        cases: list[tuple[Expr, tuple[model.Statement, ...]]] = []
        otherwise: tuple[model.Statement, ...] = ()
        ended = False
        span = self.names.span(branches[0].line.at)
        for branch in branches:
            header = branch.line
            assert isinstance(header, syntax.Header)
            if ended:
                message = f"'{header.word}' cannot follow 'else'"
                raise error("N020", message, self.names.span(header.at))
            if branch is not branches[0]:
                self.comments(branch)
            test: Expr | None = None
            if header.test is not None:
                with self.names.log.gather():
                    test = self.expressions.test(header.test, place, f"the test of '{header.word}'")
            body = self.body(branch.body, place.inner())
            if header.word == "else":
                otherwise, ended = body, True
            elif test is not None:
                cases.append((test, body))
        return [model.If(branches=tuple(cases), otherwise=otherwise, span=span)] if cases else []

    def repeat(
        self, statement: syntax.Statement, test: syntax.Expr | None, place: Place
    ) -> list[model.Statement]:
        """while."""
        assert test is not None
        self.count += 1
        condition: Expr | None = None
        with self.names.log.gather():
            condition = self.expressions.test(test, place, "the test of 'while'")
        body = self.body(statement.body, place.inner())
        span = self.names.span(statement.line.at)
        return [model.While(test=condition, body=body, span=span)] if condition is not None else []

    def loop(
        self, statement: syntax.Statement, header: syntax.ForHeader, place: Place
    ) -> list[model.Statement]:
        """for; unrolled where its variable is the index of a vector and its bounds are known."""
        span = self.names.span(header.at)
        variable = syntax.Variable(header.variable, header.at)
        symbol = place.locals.get(header.variable) or self.names.symbols.get(header.variable)
        if symbol is None:
            message = f"the loop variable '{header.variable}' is not declared"
            hint = f"declare it above: '{header.variable} integer = 0'"
            raise error("N030", message, span, hint=hint)
        self.target(variable, place)
        if symbol.kind == kinds.STATE:
            message = (
                f"the loop counts in the state '{header.variable}'; NESTML 9 cannot compile that"
            )
            hint = "count in a local variable"
            self.names.log.add("N065", Level.NOTE, message, span, hint=hint)
        by = self.expressions.constant(header.by, place)
        if by == 0:
            raise error("N069", "this loop never ends: its step is 0", span)
        if symbol.kind == kinds.LOCAL and indexes(statement.body, header.variable):
            bounds = [
                self.expressions.constant(part, place) for part in (header.start, header.stop)
            ]
            if None not in bounds and by is not None:
                start, stop = (float(bound or 0) for bound in bounds)
                return self.unrolled(statement, header.variable, (start, stop, by), place)
        return self.counted(statement, header, symbol, place, span)

    def counted(
        self, statement: syntax.Statement, header: syntax.ForHeader, symbol: Symbol, place: Place,
        span: Span,
    ) -> list[model.Statement]:  # fmt: skip
        """A loop that stays one."""
        values = []
        for part in (header.start, header.stop, header.by):
            typed = self.expressions.lower(part, place)
            what = f"a bound of the loop over '{header.variable}'"
            if typed.type.unit is None and symbol.type.unit is None:
                typed = self.names.casts.to_number(typed, span, what)
                values.append(typed.expr)
            else:
                values.append(self.names.casts.store(typed, symbol.type, span, what))
        self.count += 1
        body = self.body(statement.body, place.inner())
        return [
            model.For(
                variable=symbol.name, start=values[0], stop=values[1], step=values[2], body=body,
                span=span,
            )
        ]  # fmt: skip

    def unrolled(
        self, statement: syntax.Statement, name: str, bounds: tuple[float, float, float], place: Place
    ) -> list[model.Statement]:  # fmt: skip
        """The body once for each value."""
        start, stop, by = bounds
        found: list[model.Statement] = []
        value = start
        span = self.names.span(statement.line.at)
        while (value < stop) if by > 0 else (value > stop):
            self.names.generate(1 + len(statement.body), span)
            inner = place.inner()
            inner.constants[name] = value
            found += scoped(list(self.body(statement.body, inner)), span)
            value += by
        final = Number(value, None, span)
        self.count += 1
        own = place.locals[name].name
        found.append(model.Assign(target=own, value=final, span=span))
        return found

    def result(self, line: syntax.ReturnLine, place: Place) -> list[model.Statement]:
        """return."""
        span = self.names.span(line.at)
        if place.prefix:  # the last line of a function without a value
            if line.value is None:
                return []
            message = f"'{place.prefix}' declares no type of what it returns"
            raise error("N047", message, span, hint="write the type behind its arguments")
        if place.kind != kinds.IN_FUNCTION or place.result is None:
            message = "'return' stands in functions only"
            raise error("N037", message, span)
        if line.value is None:
            if place.result != T_VOID:
                message = f"'{place.function}' returns {place.result}, but nothing is given here"
                raise error("N047", message, span)
            return []
        if place.result == T_VOID:
            message = f"'{place.function}' declares no type of what it returns"
            raise error("N047", message, span, hint="write the type behind its arguments")
        typed = self.expressions.lower(line.value, place)
        what = f"what '{place.function}' returns"
        value = self.names.casts.store(typed, place.result, span, what)
        self.count += 1
        return [model.Return(value=value, span=span)]
