"""Calls: predefined functions, functions of the model, convolutions and delayed variables.

Codes: N030 unknown function, N035 a convolution that is none, N036 a random draw outside of a program,
N037 a function that cannot stand here, N042 a wrong number of arguments, N043 a delay that cannot be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...canonical_model.diagnostics import Level, Span, error
from ...canonical_model.expr import Binary, Call, Expr, Name, Number
from . import symbols as kinds
from . import syntax
from .symbols import Place, Symbol, derivative
from .types import T_INTEGER, T_REAL, T_UNKNOWN, T_VOID, UNKNOWN, Typed, quantity_type, shown
from .units import atom

if TYPE_CHECKING:
    from .expressions import Expressions

# pure functions of pure numbers -> canonical name
PURE = {
    "exp": "exp", "ln": "log", "log10": "log10", "expm1": "expm1", "sin": "sin", "cos": "cos",
    "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "erf": "erf", "erfc": "erfc",
}  # fmt: skip
ROUNDING = ("ceil", "floor", "round")
ARGUMENTS = {
    **dict.fromkeys(PURE, 1), **dict.fromkeys(ROUNDING, 1), "abs": 1, "min": 2, "max": 2, "clip": 3,
    "pow": 2, "random_normal": 2, "random_uniform": 2, "random_poisson": 1, "resolution": 0,
    "timestep": 0, "steps": 1, "convolve": 2, "delta": 1,
}  # fmt: skip
STATEMENTS = ("integrate_odes", "emit_spike", "print", "println", "info", "warning")
RANDOM = ("random_normal", "random_uniform", "random_poisson")
_OTHERS = {"log": "ln", "sqrt": "pow", "fabs": "abs", "rand": "random_uniform"}


@dataclass(slots=True)
class Calls:
    """Lowers calls that stand at one place."""

    parent: Expressions
    place: Place

    def span(self, apply: syntax.Apply) -> Span:
        """Where the call stands."""
        return self.parent.names.span(apply.at)

    def call(self, apply: syntax.Apply) -> Typed:
        """Any call. Raises ModelError N030, N035, N036, N037, N042, N043."""
        names = self.parent.names
        own = names.functions.get(apply.name)
        if own is not None:
            return self.own(apply, own)
        if apply.name in STATEMENTS:
            message = f"'{apply.name}' is a statement and has no value"
            raise error("N037", message, self.span(apply))
        symbol = names.symbols.get(apply.name)
        if symbol is not None and apply.name not in ARGUMENTS:
            return self.delayed(apply, symbol)
        wanted = ARGUMENTS.get(apply.name)
        if wanted is None:
            self.unknown(apply)
        if wanted != len(apply.args):
            message = f"'{apply.name}' takes {wanted} argument(s), not {len(apply.args)}"
            raise error("N042", message, self.span(apply))
        if apply.name == "convolve":
            return self.convolve(apply)
        if apply.name == "delta":
            message = "'delta' stands in a kernel only: 'kernel d = delta(t)'"
            raise error("N037", message, self.span(apply))
        if apply.name in RANDOM:
            return self.random(apply)
        if apply.name in ("resolution", "timestep", "steps"):
            return self.grid(apply)
        return self.function(apply)

    def unknown(self, apply: syntax.Apply) -> None:
        """Raises ModelError N030."""
        known = [*self.parent.names.functions, *ARGUMENTS, *STATEMENTS]
        near = _OTHERS.get(apply.name)
        hint = f"did you mean '{near}'?" if near else self.parent.names.near(apply.name, known)
        if apply.name == "sqrt":
            hint = "write 'x**0.5'"
        raise error("N030", f"there is no function '{apply.name}'", self.span(apply), hint=hint)

    def arguments(self, apply: syntax.Apply) -> list[Typed]:
        """The arguments lowered."""
        return [self.parent.lower(arg, self.place) for arg in apply.args]

    def own(self, apply: syntax.Apply, symbol: Symbol) -> Typed:
        """A function that the model defines."""
        span = self.span(apply)
        if symbol.type.kind == UNKNOWN:
            return Typed(Call(symbol.target, (), span), T_UNKNOWN)
        if len(symbol.arguments) != len(apply.args):
            message = (
                f"'{symbol.name}' takes {len(symbol.arguments)} argument(s), not {len(apply.args)}"
            )
            raise error("N042", message, span)
        if symbol.type == T_VOID:
            raise error("N037", f"'{symbol.name}' gives no value", span)
        args = []
        pairs = zip(self.arguments(apply), symbol.arguments, apply.args, strict=True)
        for number, (value, wanted, written) in enumerate(pairs, 1):
            what = f"argument {number} of '{symbol.name}'"
            place = self.parent.names.span(written.at)
            args.append(self.parent.names.casts.store(value, wanted, place, what))
        return Typed(Call(symbol.target, tuple(args), span), symbol.type)

    def function(self, apply: syntax.Apply) -> Typed:
        """Predefined mathematical functions."""
        name, span = apply.name, self.span(apply)
        casts = self.parent.names.casts
        args = self.arguments(apply)
        if name in PURE:
            number = casts.to_number(args[0], span, f"'{name}'")
            return Typed(Call(PURE[name], (number.expr,), span), T_REAL)
        if name == "pow":
            return self.parent.operators.power(args[0], args[1], apply.at)
        if name == "abs":
            value = args[0] if args[0].type.unit else casts.to_number(args[0], span, "'abs'")
            return Typed(Call("abs", (value.expr,), span), value.type)
        if name in ROUNDING:
            return self.rounding(name, args[0], span)
        why = f"the arguments of '{name}'"
        one, other, kind = casts.agree(args[0], args[1], span, why)
        if name != "clip":
            return Typed(Call(name, (one.expr, other.expr), span), kind)
        _, high, kind = casts.agree(Typed(one.expr, kind), args[2], span, why)
        above = Call("max", (one.expr, other.expr), span)
        return Typed(Call("min", (above, high.expr), span), kind)

    def rounding(self, name: str, value: Typed, span: Span) -> Typed:
        """Rounding counts a quantity in the engine's unit, and gives it back."""
        number = self.parent.names.casts.to_number(value, span, f"'{name}'")
        rounded = Call(name, (number.expr,), span)
        if value.type.unit is None:
            return Typed(rounded, number.type)
        counted = value.type.unit.cast()
        unit = Number(1.0, counted.unit(), span)
        return Typed(Binary("*", rounded, unit, span), quantity_type(counted))

    def grid(self, apply: syntax.Apply) -> Typed:
        """The step, and times counted in steps."""
        span = self.span(apply)
        millisecond = atom("ms")
        assert millisecond is not None
        if apply.name == "steps":
            value = self.arguments(apply)[0]
            time = quantity_type(millisecond)
            if value.type.kind != UNKNOWN and value.type.unit is None:
                message = f"'steps' needs a time, but {shown(value.expr)} has no unit"
                raise error("N055", message, span, hint="multiply it by '1 ms'")
            expr = self.parent.names.casts.store(value, time, span, "the argument of 'steps'")
            return Typed(Call("steps", (expr,), span), T_INTEGER)
        if apply.name == "timestep" and self.place.kind != kinds.UPDATE:
            hint = "use resolution()" if self.place.kind == kinds.STATICS else ""
            raise error("N037", "'timestep' stands in 'update' only", span, hint=hint)
        return Typed(Call(apply.name, (), span), quantity_type(millisecond))

    def random(self, apply: syntax.Apply) -> Typed:
        """Random draws, made of draws from the standard distributions."""
        span = self.span(apply)
        if self.place.kind not in kinds.PROGRAMS:
            message = f"'{apply.name}' stands in update, onReceive and onCondition only"
            raise error("N036", message, span)
        args = self.arguments(apply)
        casts = self.parent.names.casts
        if apply.name == "random_poisson":
            mean = casts.to_number(args[0], span, "'random_poisson'")
            return Typed(Call("poisson", (mean.expr,), span), T_INTEGER)
        why = f"the arguments of '{apply.name}'"
        offset, scale, kind = casts.agree(args[0], args[1], span, why)
        draw = Call("normal" if apply.name == "random_normal" else "uniform", (), span)
        spread = Binary("*", scale.expr, draw, span)
        kind = T_REAL if kind == T_INTEGER else kind
        return Typed(Binary("+", offset.expr, spread, span), kind)

    def convolve(self, apply: syntax.Apply) -> Typed:
        """`convolve(kernel, port)`, in either order. Raises ModelError N035, N037."""
        span, names = self.span(apply), self.parent.names
        if self.place.kind != kinds.EQUATIONS:
            message = "'convolve' stands in equations only"
            hint = "give it a name with an inline expression and use that"
            raise error("N037", message, span, hint=hint)
        found: dict[str, tuple[syntax.Variable, Symbol]] = {}
        for arg in apply.args:
            bare = arg.inner if isinstance(arg, syntax.Group) else arg
            if isinstance(bare, syntax.Variable):
                symbol = names.symbols.get(bare.name)
                if symbol is not None:
                    own = symbol.kind == kinds.KERNEL_STATE
                    found[kinds.KERNEL if own else symbol.kind] = (bare, symbol)
                elif bare.name not in names.symbols:
                    known = [s.name for s in names.symbols.values()]
                    hint = self.parent.names.near(bare.name, known)
                    message = f"'{bare.name}' is not declared"
                    raise error("N030", message, names.span(bare.at), hint=hint)
        if kinds.KERNEL not in found or kinds.SPIKE not in found:
            message = "'convolve' takes a kernel and a spike port"
            known = [
                s.name for s in names.symbols.values() if s.kind in (kinds.KERNEL, kinds.SPIKE)
            ]
            hint = f"there are {', '.join(known)}" if known else ""
            raise error("N035", message, span, hint=hint)
        variable, symbol = found[kinds.SPIKE]
        port = self.parent.port(variable, symbol, self.place)
        value = self.convolution(*found[kinds.KERNEL], port, span)
        if symbol.event_unit is None:
            return value
        scaled = self.parent.times_unit(value.expr, symbol.event_unit, apply.at)
        unit = value.type.value_unit * symbol.event_unit
        return Typed(scaled.expr, quantity_type(unit))

    def convolution(
        self, variable: syntax.Variable, kernel: Symbol, port: str, span: Span
    ) -> Typed:
        """A kernel's response; that to a Dirac kernel is a pure number to NESTML, counted per ms."""
        if variable.order and variable.order not in kernel.derivatives:
            message = f"the state declares no {variable.shown}, which is convolved here"
            raise error("N035", message, span)
        if not kernel.delta:
            name = derivative(kernel.name, variable.order)
            call: Expr = Call("convolve", (Name(name, span), Name(port, span)), span)
            unit = self.parent.names.kernel_units.get(name)
            if unit is not None:
                call = Binary("*", call, Number(1.0, unit.unit(), span), span)
            return Typed(call, self.parent.order_type(variable, kernel))
        train = Call("convolve", (Name("delta", span), Name(port, span)), span)
        millisecond = atom("ms")
        assert millisecond is not None
        pure: Expr = Binary("*", train, Number(1.0, millisecond.unit(), span), span)
        factor = self.parent.names.factors.get(kernel.name)
        if factor is not None:
            pure = Binary("*", factor, pure, span)
        return Typed(pure, T_REAL)

    def delayed(self, apply: syntax.Apply, symbol: Symbol) -> Typed:
        """`x(t - d)`. Raises ModelError N043."""
        span, names = self.span(apply), self.parent.names
        if symbol.kind not in (kinds.STATE, kinds.INLINE) or symbol.size is not None:
            message = f"'{symbol.name}' is {kinds.one(symbol.kind)}, not a function"
            raise error("N043", message, span, hint="a product is written with '*'")
        argument = apply.args[0] if len(apply.args) == 1 else None
        while isinstance(argument, syntax.Group):
            argument = argument.inner
        match argument:
            case syntax.Infix("-", syntax.Variable("t", _, None, 0), delay, _, _):
                pass
            case _:
                message = f"a delayed variable is written '{symbol.name}(t - delay)'"
                raise error(
                    "N043", message, span, hint="write 'x(t - delay)', or a product with '*'"
                )
        value = self.parent.lower(delay, self.place)
        millisecond = atom("ms")
        assert millisecond is not None
        what = f"the delay of '{symbol.name}'"
        expr = names.casts.store(value, quantity_type(millisecond), names.span(delay.at), what)
        self.same_delay(symbol, expr, span)
        call = Call("delayed", (Name(derivative(symbol.name, 0), span), expr), span)
        return Typed(call, symbol.type)

    def same_delay(self, symbol: Symbol, delay: Expr, span: Span) -> None:
        """NESTML keeps one delay for each variable; ours keeps what is written."""
        names = self.parent.names
        message = f"'{symbol.name}' is its initial value until the delay has passed; NESTML 9 takes 0 there"
        names.once(f"delayed:{symbol.name}", "N043", Level.NOTE, message, span, "")
        text = shown(delay)
        known = names.delayed.setdefault(symbol.name, text)
        if known != text:
            message = (
                f"'{symbol.name}' is delayed by {known} and by {text}; NESTML 9 keeps one only"
            )
            names.log.add("N043", Level.NOTE, message, span)
