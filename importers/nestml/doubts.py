"""What a sound model may not mean, and where NESTML 9 computes otherwise: found on the whole component.

Codes: N073 equal time constants, N074 a lone port with a sign, N075 a timer that rounding makes longer,
N076 a counter that runs below the value that is waited for. Values are those of the parameters' defaults.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ...canonical_model import model
from ...canonical_model.algebra import Definitions
from ...canonical_model.diagnostics import Level, Log, ModelError
from ...canonical_model.expr import Binary, Expr, Name, Number, Unary, walk
from ...canonical_model.expr_print import print_expr
from ...canonical_model.fixed import fixed_value, static_values
from ...canonical_model.passes.inline import inline_functions
from ...canonical_model.passes.kernels import lower_kernels
from ...canonical_model.query import nested
from ...canonical_model.units import TIME

NEAR = (
    1e-3  # relative gap of two rates below which a propagator in closed form loses half its digits
)
STEP = 1e-4  # s: NEST's own, for which timers are counted
MAX_ODES = 40
_ZERO_TESTS = {">": 0.0, ">=": 1.0, "!=": 0.0}


def doubts(component: model.Component, log: Log) -> None:
    """Remarks on a component that was read without error."""
    _lone_ports(component, log)
    _counters(component, log)
    if any(ode.rhs for ode in component.odes):
        values = static_values(component)
        _timers(component, values, log)
        _time_constants(component, values, log)


def _lone_ports(component: model.Component, log: Log) -> None:
    """NESTML pairs ports of opposite sign in their order; one that is left over hears everything."""
    ports = component.event_inputs
    for sign, other in (("excitatory", "inhibitory"), ("inhibitory", "excitatory")):
        own = [port for port in ports if port.sign == sign]
        for port in own[sum(item.sign == other for item in ports) :]:
            message = (
                f"'{port.name}' hears {sign} spikes only; without an {other} port beside it, NESTML 9 "
                "gives it all weights with their sign"
            )
            log.add("N074", Level.NOTE, message, port.span)


# --- counters


def _counters(component: model.Component, log: Log) -> None:
    """A counter that goes down without a look at it never comes back to 0."""
    whole = {item.name for item in component.state_variables if item.kind == model.INTEGER}
    if not whole:
        return
    bodies = [component.update or (), *(item.body for item in component.on_conditions)]
    tests = [item.test for item in component.on_conditions]
    tests += [
        test
        for body in bodies
        for item in nested(body)
        if isinstance(item, model.If)
        for test, _ in item.branches
    ]
    waited = {name for name in whole if any(_is_zero_test(node, name) for node in _nodes(tests))}
    for body in bodies:
        for name, statement in _unguarded(body, waited, ()):
            if _is_bounded(component, name):
                continue
            message = (
                f"'{name}' is counted down even where it is 0 already: the test '{name} == 0' may "
                "never hold again"
            )
            hint = f"count down only 'if {name} > 0', or test '{name} <= 0'"
            log.add("N076", Level.WARNING, message, statement.span, hint=hint)


def _nodes(tests: list[Expr]) -> Iterator[Expr]:
    for test in tests:
        yield from walk(test)


def _is_zero_test(node: Expr, name: str) -> bool:
    return (
        isinstance(node, Binary)
        and node.op == "=="
        and node.left == Name(name)
        and isinstance(node.right, Number)
        and node.right.value == 0
    )


def _unguarded(
    body: tuple[model.Statement, ...], names: set[str], guards: tuple[str, ...]
) -> Iterator[tuple[str, model.Assign]]:
    """Assignments `n = n - k` that no test of n alone protects."""
    for item in body:
        match item:
            case model.Assign(target=name, value=Binary("-", Name(own), Number(value))):
                if own == name and name in names and value > 0 and name not in guards:
                    yield name, item
            case model.If(branches=branches, otherwise=otherwise):
                passed = guards
                for test, inner in branches:
                    yield from _unguarded(inner, names, (*passed, *_positive(test)))
                    passed = (*passed, *_not_zero(test))
                yield from _unguarded(otherwise, names, passed)
            case model.While(test=test, body=inner):
                yield from _unguarded(inner, names, (*guards, *_positive(test)))


def _positive(test: Expr) -> list[str]:
    """The names that are at least 1 where the test holds."""
    match test:
        case Binary("and", left, right):
            return [*_positive(left), *_positive(right)]
        case Binary(op, Name(name), Number(value)) if op in _ZERO_TESTS:
            return [name] if value >= _ZERO_TESTS[op] else []
        case Unary("not", operand):
            return _not_zero(operand)
    return []


def _not_zero(test: Expr) -> list[str]:
    """The names that are not 0 where the test fails."""
    match test:
        case Binary("or", left, right):
            return [*_not_zero(left), *_not_zero(right)]
        case Binary("==" | "<=", Name(name), Number(0.0)):
            return [name]
        case Binary("<", Name(name), Number(1.0)):
            return [name]
    return []


def _is_bounded(component: model.Component, name: str) -> bool:
    """True if some other statement puts the counter back up, as `if n < 0: n = 0` or `max(n, 0)`."""
    bodies = [component.update or (), *(item.body for item in component.on_conditions)]
    tests = [item.test for item in component.on_conditions]
    for body in bodies:
        for item in nested(body):
            if isinstance(item, model.If):
                tests += [test for test, _ in item.branches]
            if isinstance(item, model.Assign) and item.target == name:
                if any(getattr(node, "function", "") == "max" for node in walk(item.value)):
                    return True
    return any(
        isinstance(node, Binary) and node.op == "<" and node.left == Name(name)
        for node in _nodes(tests)
    )


# --- timers


def _timers(component: model.Component, values: Mapping[str, Expr], log: Log) -> None:
    """A timer that loses a step in every step: its rounding errors may cost NESTML 9 one more."""
    timers = {
        ode.variable
        for ode in component.odes
        if (rate := fixed_value(ode.rhs, values)) is not None and abs(rate + 1.0) < 1e-9
    }
    timers &= {item.name for item in component.state_variables if item.dimension == TIME}
    if not timers:
        return
    bodies = [component.update or (), *(item.body for item in component.on_conditions)]
    bodies += [item.body for item in component.on_events]
    for body in bodies:
        for item in nested(body):
            if not isinstance(item, model.Assign) or item.target not in timers:
                continue
            pause = fixed_value(item.value, values)
            if pause is not None and _is_longer(pause):
                message = (
                    f"'{item.target}' runs for {pause * 1e3:g} ms: at steps of 0.1 ms rounding makes "
                    "that a step longer in NESTML 9; whole steps are counted here"
                )
                log.add("N075", Level.NOTE, message, item.span)


def _is_longer(pause: float) -> bool:
    """True if `x -= h` leaves something after pause / h steps; x in ms, as the engine counts."""
    rest, h = pause * 1e3, STEP * 1e3
    wanted = math.ceil(rest / h - 1e-6)
    if not 0 < wanted < 100_000:
        return False
    rest = float(f"{rest:.12g}")
    for _ in range(wanted):
        rest -= h
    return rest > 0.0


# --- time constants


def _time_constants(component: model.Component, values: Mapping[str, Expr], log: Log) -> None:
    """Rates of two coupled linear equations that are equal in value, but not in their text."""
    if len(component.odes) + len(component.kernels) < 2 or len(component.odes) > MAX_ODES:
        return
    try:
        lowered = lower_kernels(inline_functions(component))
    except ModelError:
        return  # what reads the component later says so
    derived = Definitions({item.name: item.value for item in lowered.derived_variables})
    rates = {ode.variable: ode.rhs for ode in lowered.odes}
    if len(rates) > MAX_ODES:
        return
    names = frozenset(rates)
    forms = {}
    for name, rhs in rates.items():
        form = derived.linear(rhs, names)
        if form is not None:
            found = {other: fixed_value(c, values) for other, c in form.coefficients.items()}
            if all(value is not None for value in found.values()):
                forms[name] = form
    for one, other in _coupled({name: set(form.coefficients) for name, form in forms.items()}):
        own = [forms[name].coefficients.get(name) for name in (one, other)]
        if own[0] is None or own[1] is None or own[0] == own[1]:
            continue
        first, second = (fixed_value(c, values) for c in own if c is not None)
        if first and second and abs(first / second - 1.0) < NEAR:
            _tell(one, other, own, first == second or abs(first / second - 1) < 1e-12, lowered, log)


def _coupled(graph: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Pairs of which the first depends on the second, directly or through others; one state of each
    kernel speaks for all of them."""
    for start in graph:
        seen, waiting = {start}, list(graph[start])
        while waiting:
            name = waiting.pop()
            if name in seen or name not in graph:
                continue
            seen.add(name)
            waiting.extend(graph[name])
            if start.split("__X__")[0] != name.split("__X__")[0]:
                yield start, name


def _tell(
    one: str, other: str, rates: list[Expr | None], is_equal: bool, component: model.Component, log: Log
) -> None:  # fmt: skip
    shown = " and ".join(f"{print_expr(rate)}" for rate in rates if rate is not None)
    how = "equal" if is_equal else "nearly equal"
    what = "gives NaN without a word" if is_equal else "loses digits"
    message = (
        f"'{one}' and '{other.split('__X__')[0]}' have {how} rates of decay ({shown}): NESTML 9 divides by "
        f"their difference and {what}; here the limit is taken"
    )
    span = next((ode.span for ode in component.odes if ode.variable == one), None)
    log.add("N073", Level.WARNING, message, span)
