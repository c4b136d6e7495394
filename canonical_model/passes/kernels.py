"""Lower convolutions to states: a kernel becomes linear ODEs, a spike a jump of their states.

States are called `<kernel>__X__<port>`, as NEST's generated models show them. A convolution with `delta` in
an ODE becomes a jump at the end of each integration of that variable.
"""

from __future__ import annotations

from dataclasses import replace

from .. import model
from ..algebra import Definitions, plus, times
from ..diagnostics import refuse
from ..expr import ONE, ZERO, Call, Expr, Name, add, rename, substitute, walk
from ..kernel_form import Chain, chain, decompose
from ..query import weight_name
from ..units import TIME, Dimension
from .change import all_expressions, change_expressions, replace_calls, rewrite

DELTA = "delta"
LAST = -(2**31)  # traces take their spikes after every handler
Use = tuple[str, str]


def lower_kernels(component: model.Component, show: bool = False) -> model.Component:
    """The component without kernels and convolutions.

    With `show`, convolutions of kernels given as functions of t, and their derivatives up to the order of
    the kernel's ODE less one (`__d`, `__d__d`, ...), are exposed.

    Raises ModelError K100 (a kernel that is no finite set of linear ODEs), K101 (delta used nonlinearly).
    """
    uses = _uses(component)
    if not uses:
        return replace(component, kernels=()) if component.kernels else component
    kernels = {state.name: item for item in component.kernels for state in item.initial}
    kernels |= {item.name: item for item in component.kernels}
    lowered = _Lowered(show, {p.name: carried(component, p.name) for p in component.event_inputs})
    for kernel, port in uses:
        if kernel != DELTA:
            lowered.use(kernels[kernel], kernel, port)
    component = change_expressions(
        component,
        lambda expr: replace_calls(expr, "convolve", lambda call: _state_of(call, lowered.names)),
    )
    component = _impulses(component)
    return replace(
        component,
        kernels=(),
        state_variables=(*component.state_variables, *lowered.states),
        derived_variables=(*component.derived_variables, *lowered.derived),
        odes=(*component.odes, *lowered.odes),
        on_events=(*component.on_events, *lowered.handlers),
        exposures=(*component.exposures, *lowered.exposures),
        traces=(*component.traces, *(state.name for state in lowered.states)),
    )


def _uses(component: model.Component) -> list[Use]:
    """(kernel, port) of every convolution, in order of appearance."""
    found: dict[Use, None] = {}
    for expr in all_expressions(component):
        for node in walk(expr):
            if isinstance(node, Call) and node.function == "convolve":
                found[_use(node)] = None
    return list(found)


def _use(call: Call) -> Use:
    kernel, port = call.args
    assert isinstance(kernel, Name) and isinstance(port, Name)
    return kernel.id, port.id


def _state_of(call: Call, names: dict[Use, str]) -> Expr:
    """The state of a convolution; those with delta stay."""
    name = names.get(_use(call))
    return call if name is None else Name(name, call.span)


class _Lowered:
    """What the kernels become."""

    def __init__(self, show: bool, weights: dict[str, Expr]) -> None:
        self.show = show
        self.weights = weights  # by port
        self.exposures: list[model.Exposure] = []
        self.names: dict[Use, str] = {}
        self.states: list[model.StateVariable] = []
        self.derived: list[model.DerivedVariable] = []
        self.odes: list[model.Ode] = []
        self.handlers: list[model.OnEvent] = []

    def use(self, kernel: model.Kernel, variable: str, port: str) -> None:
        """One variable of a kernel at one port."""
        if (kernel.name, port) not in self.names:
            self.add(kernel, port)
        if variable != kernel.name:
            self.names[variable, port] = _of_port(variable, kernel.name, port)

    def add(self, kernel: model.Kernel, port: str) -> None:
        """One kernel at one port."""
        name = f"{kernel.name}__X__{port}"
        self.names[kernel.name, port] = name
        if kernel.value is None:
            self._add_odes(kernel, port, name)
            return
        modes = decompose(kernel.value)
        if modes is None:
            message = (
                f"the kernel '{kernel.name}' is not a sum of powers of t times exponentials, sines "
                "and cosines of t"
            )
            hint = "write it as an ODE: kernel x'' = ..."
            raise refuse("K100", message, kernel.span, hint=hint)
        self._add_chain(kernel, port, name, chain(modes))

    def _add_odes(self, kernel: model.Kernel, port: str, name: str) -> None:
        own = {item.name: _of_port(item.name, kernel.name, port) for item in kernel.initial}
        jumps: list[tuple[str, Expr]] = []
        for item in kernel.initial:
            state = own[item.name]
            self.states.append(model.StateVariable(name=state, dimension=item.dimension))
            if item.initial is not None:
                jumps.append((state, rename(item.initial, own)))
        self.odes += [
            model.Ode(variable=own[o.variable], rhs=rename(o.rhs, own), span=o.span)
            for o in kernel.odes
        ]
        self._handler(port, jumps)

    def _add_chain(self, kernel: model.Kernel, port: str, name: str, found: Chain) -> None:
        first = name if found.is_lone else f"{name}__0"
        names = [first, *(f"{name}__{k}" for k in range(1, len(found.rates)))]
        for k, state in enumerate(names):
            base = kernel.dimension if found.is_lone else Dimension()
            dimension = base * TIME ** found.orders[k]
            self.states.append(model.StateVariable(name=state, dimension=dimension))
            parts = [times(factor, Name(names[j])) for j, factor in found.rates[k].items()]
            rate = add(parts)
            self.odes.append(model.Ode(variable=state, rhs=rate, span=kernel.span))
        self._handler(port, list(zip(names, found.jumps, strict=True)))
        if not found.is_lone:
            read = [times(factor, Name(n)) for n, factor in zip(names, found.reads, strict=True)]
            total = add([part for part in read if part != ZERO])
            self.derived.append(
                model.DerivedVariable(name=name, dimension=kernel.dimension, value=total)
            )
        if self.show:
            self._show(kernel, name, names, found)

    def _show(self, kernel: model.Kernel, name: str, names: list[str], found: Chain) -> None:
        """The convolution and its derivatives, each a sum of the states of its chain."""
        row: dict[int, Expr] = {0: ONE} if found.is_lone else dict(enumerate(found.reads))
        dimension = kernel.dimension
        for order in range(len(names)):
            shown = name + order * "__d"
            if order:
                row = _derivative(row, found)
                dimension = dimension / TIME
                total = add([times(factor, Name(names[j])) for j, factor in row.items()])
                self.derived.append(
                    model.DerivedVariable(name=shown, dimension=dimension, value=total)
                )
            self.exposures.append(model.Exposure(name=shown, variable=shown, dimension=dimension))

    def _handler(self, port: str, jumps: list[tuple[str, Expr]]) -> None:
        body = tuple(
            model.Assign(target=state, value=plus(Name(state), times(jump, self.weights[port])))
            for state, jump in jumps
            if jump != ZERO
        )
        self.handlers.append(model.OnEvent(port=port, body=body, priority=LAST))


def _of_port(variable: str, kernel: str, port: str) -> str:
    """The state of one port for a variable of a kernel: derivatives keep their ending."""
    is_derivative = variable.startswith(kernel) and not variable[len(kernel) :].replace("__d", "")
    ending = variable[len(kernel) :] if is_derivative else ""
    return f"{kernel if is_derivative else variable}__X__{port}{ending}"


def _derivative(row: dict[int, Expr], found: Chain) -> dict[int, Expr]:
    """d/dt of a sum of the states of a chain: the factor of each state."""
    result: dict[int, Expr] = {}
    for k, factor in row.items():
        for j, rate in found.rates[k].items():
            part = times(factor, rate)
            result[j] = plus(result[j], part) if j in result else part
    return {j: factor for j, factor in result.items() if factor != ZERO}


def _impulses(component: model.Component) -> model.Component:
    """Jumps in place of `convolve(delta, port)` in ODEs, through derived variables as well."""
    ports = [port for kernel, port in _uses(component) if kernel == DELTA]
    if not ports:
        return component
    marks = {port: f"impulse of {port}" for port in ports}
    marked = change_expressions(
        component,
        lambda expr: replace_calls(
            expr, "convolve", lambda call: Name(marks[_use(call)[1]], call.span)
        ),
    )
    definitions = Definitions({item.name: item.value for item in marked.derived_variables})
    wanted = frozenset(marks.values())
    jumps: dict[str, list[tuple[str, Expr]]] = {}
    odes = []
    for ode in marked.odes:
        if not definitions.depends(ode.rhs) & wanted:
            odes.append(ode)
            continue
        form = definitions.linear(ode.rhs, wanted)
        if form is None:
            message = f"d{ode.variable}/dt depends on spikes in a way that is not linear"
            raise refuse("K101", message, ode.span)
        odes.append(replace(ode, rhs=form.rest))
        jumps[ode.variable] = [
            (port, form.coefficients[mark])
            for port, mark in marks.items()
            if mark in form.coefficients
        ]
    silent: dict[str, Expr] = {mark: ZERO for mark in marks.values()}
    marked = change_expressions(
        replace(marked, odes=tuple(odes)), lambda expr: substitute(expr, silent)
    )
    return _with_jumps(marked, jumps)


def _with_jumps(
    component: model.Component, jumps: dict[str, list[tuple[str, Expr]]]
) -> model.Component:
    """A jump after each integration of its variable; without a program, when the event comes."""
    if component.update is None:
        handlers = [
            model.OnEvent(port=port, body=(_jump(variable, factor, carried(component, port)),))
            for variable, found in jumps.items()
            for port, factor in found
        ]
        return replace(component, on_events=(*component.on_events, *handlers))

    def change(statement: model.Statement) -> tuple[model.Statement, ...]:
        if not isinstance(statement, model.Integrate):
            return (statement,)
        after = [
            _jump(variable, factor, Call("arrived", (Name(port),)))
            for variable, found in jumps.items()
            if not statement.variables or variable in statement.variables
            for port, factor in found
        ]
        return (statement, *after)

    return replace(component, update=rewrite(component.update, change))


def carried(component: model.Component, port: str) -> Expr:
    """The weight of an event at `port`, 1 where events carry none."""
    name = weight_name(component, port)
    return Name(name) if name else ONE


def _jump(variable: str, factor: Expr, weight: Expr) -> model.Assign:
    return model.Assign(target=variable, value=plus(Name(variable), times(factor, weight)))
