"""Invariants of statements and programs. Codes: V103, V106, V108, V115 unknown function, kernel or port in
an expression, V116 a statement where it cannot stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .diagnostics import Span, suggest
from .expr import FUNCTIONS, PORT_FUNCTIONS, Call, Expr, Name, walk
from .model import (
    Assign,
    Component,
    Declare,
    Emit,
    For,
    Function,
    If,
    Integrate,
    RegimeMachine,
    Return,
    Statement,
    Transition,
    While,
)
from .query import odes, statics
from .scope import Dimensions
from .units import NONE, Dimension
from .units import TIME as TIME_DIMENSION


class Checker(Protocol):
    """What checks of statements need of the check of a component."""

    component: Component

    def report(self, code: str, message: str, span: Span | None, hint: str = "") -> None:
        """Add an error."""

    def expr(
        self,
        expr: Expr,
        names: Dimensions,
        expected: Dimension | None,
        what: str,
        span: Span | None,
    ) -> None:
        """Check an expression."""

    def test(self, test: Expr, names: Dimensions, span: Span | None) -> None:
        """Check a condition."""


def check_body(
    check: Checker,
    body: tuple[Statement, ...],
    names: Dimensions,
    machine: RegimeMachine | None = None,
    function: Function | None = None,
) -> None:
    """Statements in order; locals are known from their declaration to the end of their body."""
    inner: dict[str, Dimension | None] = dict(names)
    for statement in body:
        span = statement.span
        match statement:
            case Declare(name=name, dimension=dimension, value=value):
                check.expr(value, inner, dimension, f"'{name}'", span)
                inner[name] = dimension
                inner[f"{name}="] = dimension  # it may be assigned to
            case Assign():
                _assign(check, statement, inner, function)
            case Emit():
                _emit(check, statement, inner)
            case Transition():
                _transition(check, statement, machine)
            case Integrate(variables=variables):
                _integrate(check, variables, function, span)
            case Return(value=value):
                if function is None:
                    check.report("V116", "there is a 'return' outside a function,", span)
                else:
                    check.expr(value, inner, function.dimension, f"'{function.name}'", span)
            case If(branches=branches, otherwise=otherwise):
                for test, chosen in branches:
                    check.test(test, inner, span)
                    check_body(check, chosen, inner, machine, function)
                check_body(check, otherwise, inner, machine, function)
            case While(test=test, body=repeated):
                check.test(test, inner, span)
                check_body(check, repeated, inner, machine, function)
            case For(variable=variable, start=start, stop=stop, step=step, body=repeated):
                own = {**inner, variable: inner.get(variable, NONE), f"{variable}=": NONE}
                for value in (start, stop, step):
                    check.expr(value, inner, own[variable], f"the range of '{variable}'", span)
                check_body(check, repeated, own, machine, function)


def check_programs(check: Checker, names: Dimensions) -> None:
    """The update program, kernels, functions and checks of a component."""
    component = check.component
    if component.update is not None:
        check_body(check, component.update, names)
    fixed = {item.name: names.get(item.name) for item in statics(component)}
    fixed |= {key: value for key, value in names.items() if key.endswith("()")}
    for kernel in component.kernels:
        own = {**fixed, **{item.name: item.dimension for item in kernel.initial}}
        what = f"the kernel '{kernel.name}'"
        if kernel.value is not None:
            check.expr(kernel.value, own, kernel.dimension, what, kernel.span)
        for ode in kernel.odes:
            dimension = own.get(ode.variable)
            rate = None if dimension is None else dimension / TIME_DIMENSION
            check.expr(ode.rhs, own, rate, what, ode.span or kernel.span)
    for function in component.functions:
        own = {**fixed, **{item.name: item.dimension for item in function.arguments}}
        own |= {f"{item.name}=": item.dimension for item in function.arguments}
        check_body(check, function.body, own, None, function)
    for guard in component.checks:
        check.test(guard.test, names, guard.span)


def check_calls(check: Checker, expr: Expr, what: str, span: Span | None) -> None:
    """Functions, kernels and ports that an expression names exist, with the right number of arguments."""
    component = check.component
    known = {item.name: len(item.arguments) for item in component.functions}
    for node in walk(expr):
        if not isinstance(node, Call):
            continue
        place = node.span or span
        if node.function in PORT_FUNCTIONS:
            _ports(check, node, what, place)
        wanted = FUNCTIONS.get(node.function, known.get(node.function))
        if wanted is None:
            near = suggest(node.function, [*FUNCTIONS, *known])
            message = f"{what} calls '{node.function}', which is not a function,"
            check.report("V115", message, place, near)
        elif wanted not in (-1, len(node.args)):
            message = f"'{node.function}' takes {wanted} argument(s), not {len(node.args)},"
            check.report("V115", message, place)


def _ports(check: Checker, call: Call, what: str, span: Span | None) -> None:
    component = check.component
    ports = [item.name for item in component.event_inputs]
    kernels = [*(item.name for item in component.kernels), "delta"]
    kernels += [state.name for item in component.kernels for state in item.initial]
    wanted = (kernels, ports) if call.function == "convolve" else (ports,)
    kinds = ("kernel", "input port") if call.function == "convolve" else ("input port",)
    for arg, choices, kind in zip(call.args, wanted, kinds, strict=False):
        name = arg.id if isinstance(arg, Name) else "?"
        if name not in choices:
            message = f"{what} uses '{name}', which is not a {kind},"
            check.report("V115", message, arg.span or span, suggest(name, choices))


def _assign(
    check: Checker, statement: Assign, names: Dimensions, function: Function | None
) -> None:
    """Only states and locals are assigned to; functions do not see states."""
    target = statement.target
    states: Mapping[str, Dimension | None] = {}
    if function is None:
        states = {item.name: item.dimension for item in check.component.state_variables}
    if target not in states and f"{target}=" not in names:
        what = "not a state variable" if target in names else "not declared"
        message = f"'{target}' is assigned to, but it is {what},"
        check.report("V103", message, statement.span, suggest(target, states))
    expected = states.get(target, names.get(f"{target}="))
    check.expr(statement.value, names, expected, f"'{target}' := ...", statement.span)


def _emit(check: Checker, statement: Emit, names: Dimensions) -> None:
    ports = [item.name for item in check.component.event_outputs]
    if statement.port not in ports and "/" not in statement.port:
        message = f"an event is sent from '{statement.port}', which is not an output port,"
        check.report("V106", message, statement.span, suggest(statement.port, ports))
    if statement.weight is not None:
        check.expr(statement.weight, names, None, "the weight of an event", statement.span)


def _integrate(
    check: Checker, variables: tuple[str, ...], function: Function | None, span: Span | None
) -> None:
    if function is not None:
        check.report("V116", "a function integrates,", span, "functions have no states")
    known = [ode.variable for ode in odes(check.component)]
    for name in variables:
        if name not in known:
            message = f"'{name}' is to be integrated, but it has no ODE,"
            check.report("V116", message, span, suggest(name, known))


def _transition(check: Checker, statement: Transition, own: RegimeMachine | None) -> None:
    """The regime exists in the machine that is named, else in the own or only one."""
    machines = {machine.name: machine for machine in check.component.machines}
    machine = machines.get(statement.machine)
    if machine is None and not statement.machine:
        machine = own or (next(iter(machines.values())) if len(machines) == 1 else None)
    if machine is None:
        message = f"a transition names the machine '{statement.machine}', which does not exist"
        check.report("V108", message, statement.span, suggest(statement.machine, machines))
        return
    regimes = [regime.name for regime in machine.regimes]
    if statement.regime not in regimes:
        message = f"a transition leads to the regime '{statement.regime}', which does not exist"
        check.report("V108", message, statement.span, suggest(statement.regime, regimes))
