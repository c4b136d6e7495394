"""Inline expressions, kernels and ODEs in canonical terms.

Codes: N033 a state that an equation needs is missing, N035 a kernel that cannot be read, N055 the unit of a
rate of change, N064 an equation that is never integrated.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...canonical_model import model
from ...canonical_model.diagnostics import Level, Span, error
from ...canonical_model.expr import Expr, Name
from ...canonical_model.units import NONE, TIME, Dimension
from . import symbols as kinds
from . import syntax
from .builder import is_long
from .collect import walk
from .declarations import Declarations, Parts
from .expressions import Expressions
from .kernels import without_unit
from .symbols import Names, Place, Symbol, derivative
from .types import T_REAL, UNKNOWN, Type, Typed, shown
from .units import UnitValue, atom

_PLACE = Place(kinds.EQUATIONS)


@dataclass(slots=True)
class Equations:
    """Lowers the equations of one model into `parts`."""

    names: Names
    expressions: Expressions
    declarations: Declarations
    parts: Parts

    def item(self, commented: syntax.Commented) -> None:
        """One line of the equations block, an inline of an older form elsewhere included."""
        item = commented.item
        text = "\n".join(part for part in (*commented.inner, commented.description) if part)
        match item:
            case syntax.Declaration():
                self.inline(item, text)
            case syntax.KernelLine():
                self.kernel(item, text)
            case syntax.Equation():
                self.ode(item)
                if text:
                    self.parts.extras[f"comments:ode:{item.target.name}"] = text

    # --- inline expressions

    def inline(self, item: syntax.Declaration, text: str) -> None:
        """A derived variable, recordable or not. Raises ModelError N03x, N05x."""
        span = self.names.span(item.at)
        variable = item.variables[0]
        if len(item.variables) > 1 or variable.order or item.value is None:
            message = "an inline expression has one name and a value"
            raise error("N020", message, span)
        symbol = self.names.symbols.get(variable.name)
        if symbol is None or not symbol.type.kind or symbol.at != variable.at:
            return
        for name, element in self.declarations.targets(variable):
            typed = self.expressions.lower(item.value, _PLACE.at_element(element))
            value = self.names.casts.store(typed, symbol.type, span, f"'{variable.name}'")
            self.parts.derived_variables.append(
                model.DerivedVariable(
                    name=name, dimension=symbol.type.dimension, value=value, description=text,
                    span=span,
                )
            )  # fmt: skip
            if symbol.type.unit is not None:
                self.parts.extras[f"unit:{name}"] = symbol.type.unit.symbol
            elif symbol.type != T_REAL:
                self.parts.extras[f"type:{name}"] = symbol.type.kind
            if item.recordable:
                self.parts.exposures.append(
                    model.Exposure(
                        name=name, variable=name, dimension=symbol.type.dimension, span=span
                    )
                )

    # --- kernels

    def kernel(self, line: syntax.KernelLine, text: str) -> None:
        """Functions of t one by one; ODEs of a line are one kernel."""
        odes = [equation for equation in line.equations if equation.target.order]
        for equation in line.equations:
            if not equation.target.order:
                with self.names.log.gather():
                    self.function_kernel(equation, text)
        if odes:
            self.ode_kernel(odes, text)

    def function_kernel(self, equation: syntax.Equation, text: str) -> None:
        """`kernel k = f(t)`, or a multiple of `delta(t)`. Raises ModelError N035."""
        name, span = equation.target.name, self.names.span(equation.at)
        symbol = self.names.symbols.get(name)
        if symbol is None or symbol.at != equation.at:
            return
        if symbol.delta:
            self.delta(equation, symbol)
            if text:
                self.parts.extras[f"comments:kernel:{name}"] = text
            return
        typed = self.expressions.lower(equation.value, Place(kinds.IN_KERNEL))
        value = self.names.casts.store(typed, T_REAL, span, f"the kernel '{name}'")
        self.parts.kernels.append(model.Kernel(name=name, value=value, description=text, span=span))

    def delta(self, equation: syntax.Equation, symbol: Symbol) -> None:
        """A factor in front of `delta(t)` goes to where the kernel is used. Raises ModelError N035."""
        name = symbol.name
        rest = _without_delta(equation.value)
        self.parts.extras[f"kernel:{name}"] = "delta"
        if rest is None:
            message = f"the kernel '{name}' must be 'delta(t)' or a factor times it"
            raise error("N035", message, self.names.span(equation.at))
        if rest is equation.value:
            return
        typed = self.expressions.lower(rest, Place(kinds.STATICS))
        what = f"the factor of the kernel '{name}'"
        value = self.names.casts.store(typed, T_REAL, self.names.span(equation.at), what)
        self.names.factors[name] = value

    def ode_kernel(self, odes: list[syntax.Equation], text: str) -> None:
        """A kernel as linear ODEs with initial values from the state. Raises ModelError N033."""
        name, span = odes[0].target.name, self.names.span(odes[0].at)
        rates: list[model.Ode] = []
        initial: list[model.StateVariable] = []
        units: dict[str, Type] = {}
        dimension = None
        for equation in odes:
            states, types = self.chain(equation)
            found = [self.parts.kernel_states.pop(state, None) for state in states]
            if any(state is None for state in found):
                return  # its declaration is wrong and was reported
            initial += [state for state in found if state is not None]
            dimension = dimension or types[0].dimension
            units.update(zip(states, types, strict=True))
            place = Place(kinds.IN_KERNEL)
            rates += self.rates(equation, states, types, place, states)
        kernel = model.Kernel(
            name=name, dimension=dimension or T_REAL.dimension, odes=tuple(rates),
            initial=tuple(initial), description=text, span=span,
        )  # fmt: skip
        unit = self.names.symbols[name].type.unit
        pure = without_unit(kernel, unit, self.dimension) if unit is not None else None
        if pure is not None and unit is not None:
            message = f"the kernel '{name}' is in {unit.symbol}; kernels are pure numbers by now"
            hint = f"read as a number, each convolution with it times '1 {unit.symbol}'"
            self.names.once("kernel", "N090", Level.NOTE, message, span, hint)
            for state in initial:
                self.names.kernel_units[state.name] = unit
                self.parts.extras.pop(f"unit:{state.name}", None)
                rest = units[state.name].value_unit / unit
                if rest.dimension != NONE:
                    self.parts.extras[f"unit:{state.name}"] = rest.symbol
        self.parts.kernels.append(pure or kernel)

    def dimension(self, name: str) -> Dimension | None:
        """That of a quantity of the model."""
        symbol = self.names.symbols.get(name)
        return TIME if name == "t" else None if symbol is None else symbol.type.dimension

    # --- differential equations

    def ode(self, equation: syntax.Equation) -> None:
        """An equation of any order, for a scalar, a vector or one element of it."""
        target, span = equation.target, self.names.span(equation.at)
        if not target.order:
            message = f"'{target.name} = ...' is no differential equation"
            hint = (
                f"write '{target.name}' = ...' with a prime, or 'inline {target.name} real = ...'"
            )
            raise error("N020", message, span, hint=hint)
        symbol = self.names.symbols.get(target.name)
        if symbol is not None and not symbol.type.kind:
            return
        states, types = self.chain(equation)
        assert symbol is not None
        if symbol.size is None:
            self.parts.odes += self.rates(equation, states, types, _PLACE, states)
            return
        indices: list[int] = list(range(symbol.size))
        if target.index is not None:
            index = self.expressions.index(target, symbol, _PLACE)
            if not isinstance(index, int):
                raise error("N045", "which element is meant must be a number", span)
            indices = [index]
        for index in indices:
            base = self.names.element(target.name, index)
            names = [derivative(base, order) for order in range(target.order)]
            place = _PLACE.at_element(index)
            self.parts.odes += self.rates(equation, names, types, place, names)

    def chain(self, equation: syntax.Equation) -> tuple[list[str], list[Type]]:
        """The states x, x', .. of an equation, with their types. Raises ModelError N033."""
        target, span = equation.target, self.names.span(equation.at)
        symbol = self.names.symbols.get(target.name)
        wanted = (kinds.STATE, kinds.KERNEL, kinds.KERNEL_STATE)
        if symbol is None or symbol.kind not in wanted or symbol.at == (0, 0):
            states = [s.name for s in self.names.symbols.values() if s.kind == kinds.STATE]
            message = f"there is an equation for '{target.name}', but the state does not declare it"
            hint = (
                self.names.near(target.name, states) or f"add '{target.name} real = 0' to the state"
            )
            raise error("N033", message, span, hint=hint)
        types = [symbol.type]
        for order in range(1, target.order):
            found = symbol.derivatives.get(order)
            if found is None:
                message = f"the state does not declare {target.name + chr(39) * order}"
                raise error("N033", message, span, hint="each derivative needs an initial value")
            types.append(found)
        names = [derivative(target.name, order) for order in range(target.order)]
        return names, types

    def rates(
        self, equation: syntax.Equation, states: list[str], types: list[Type], place: Place,
        names: list[str],
    ) -> list[model.Ode]:  # fmt: skip
        """d(x)/dt = x', .. and the equation itself for the last."""
        span = self.names.span(equation.at)
        found: list[model.Ode] = []
        for order in range(len(states) - 1):
            value = Typed(Name(names[order + 1], span), types[order + 1])
            what = f"the derivative of '{names[order]}'"
            rate = self.rate(value, types[order], what, span)
            found.append(model.Ode(variable=names[order], rhs=rate, span=span))
        typed = self.expressions.lower(equation.value, place)
        rhs = self.rate(typed, types[-1], f"'{equation.target.shown}'", span)
        found.append(model.Ode(variable=names[-1], rhs=rhs, span=span))
        return found

    def rate(self, value: Typed, state: Type, what: str, span: Span) -> Expr:
        """A rate of change, in the unit of the state over ms up to a prefix. Raises ModelError N055."""
        if UNKNOWN in (value.type.kind, state.kind):
            return value.expr
        wanted = _per_ms(state)
        if value.type.dimension == state.dimension / TIME:
            return value.expr  # up to a prefix: rates differ in size, not in kind
        if value.type.unit is None and state.unit is None:
            typed = self.names.casts.to_number(value, span, what)
            return self.names.casts.to_unit(typed, wanted, span, what).expr
        message = (
            f"{what} must be in {wanted.symbol} (or another prefix of it), "
            f"but {shown(value.expr)} is {value.type.described}"
        )
        hint = ""
        if value.type.dimension == state.dimension:
            hint = "divide it by a time"
        raise error("N055", message, span, hint=hint)


def _per_ms(state: Type) -> UnitValue:
    millisecond = atom("ms")
    assert millisecond is not None
    if state.unit is None:
        return millisecond**-1.0
    rate = state.unit / millisecond
    text = state.unit.symbol
    return UnitValue(rate.dimension, rate.scale, rate.one, rate.factors, f"{text}/ms")


def _without_delta(expr: syntax.Expr) -> syntax.Expr | None:
    """The factor of `delta(t)`; the expression itself if it is nothing but that, None if it is something
    else."""
    if is_long(expr):
        return None
    match expr:
        case syntax.Group(inner, _, _):
            found = _without_delta(inner)
            return expr if found is inner else found
        case syntax.Apply("delta", (syntax.Variable("t", _, None, 0),), _, _):
            return expr
        case syntax.Infix("*", left, right, at, depth):
            for one, other in ((left, right), (right, left)):
                if _has_delta(one) and not _has_delta(other):
                    found = _without_delta(one)
                    if found is None or found is one:
                        return other if found is not None else None
                    return syntax.Infix("*", other, found, at, depth)
        case syntax.Infix("/", left, right, at, depth) if not _has_delta(right):
            found = _without_delta(left)
            if found is None:
                return None
            over = syntax.Literal("1", at) if found is left else found
            return syntax.Infix("/", over, right, at, depth)
    return None


def _has_delta(expr: syntax.Expr) -> bool:
    return any(isinstance(node, syntax.Apply) and node.name == "delta" for node in walk(expr))
