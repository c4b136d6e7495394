"""Recover regimes from a time-step program: what it integrates, and when, are modes of a hybrid system.

Each way through the branches around `Integrate` is a regime whose ODEs are the variables integrated on it;
the tests on the way are the transitions. A branch that integrates nothing is an event. A counter of steps
becomes a clock. Statements that act in every step have no counterpart in continuous time and are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product

from .. import model
from ..algebra import negative
from ..diagnostics import ModelError, refuse
from ..expr import (
    GRID_FUNCTIONS,
    ONE,
    TIME,
    ZERO,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Unary,
    free_names,
    is_random,
    rebuild,
    walk,
)
from ..query import expressions, nested
from ..units import TIME as TIME_DIMENSION
from .change import Body, all_expressions, change_expressions, change_statement
from .inline import inline_functions
from .kernels import lower_kernels

MAX_REGIMES = 16
DERIVATIVE = "__d"
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True, slots=True)
class _Mode:
    """One way through the program: the tests that lead there, what it integrates and what it counts down."""

    tests: tuple[Expr, ...] = ()
    integrated: tuple[str, ...] = ()
    everything: bool = False
    counted: tuple[str, ...] = ()


@dataclass(slots=True)
class _Raised:
    """What is found on the walk through the program."""

    component: model.Component
    conditions: list[model.OnCondition] = field(default_factory=list)
    counters: dict[str, None] = field(default_factory=dict)


def raise_program(component: model.Component) -> model.Component:
    """The same behaviour as regimes, conditions and event handlers.

    A component without a program is only rid of its kernels and functions.

    Raises ModelError K120 (a statement that stands in the way, with its place), K121 (too many regimes),
    K1xx of kernels and functions.
    """
    if component.update is None:
        return lower_kernels(inline_functions(component))
    component = inline_functions(component)
    found = _Raised(component)
    _find_counters(found)
    update = _without_locals(component.update or ())
    modes = _modes(found, update)
    component = _without_steps(replace(component, update=None), found)
    conditions = tuple(_condition(found, item) for item in found.conditions)
    jumps = _jumping(component)
    lowered = lower_kernels(component)
    lowered = replace(lowered, on_conditions=(*conditions, *lowered.on_conditions), traces=())
    always = {ode.variable for ode in lowered.odes} - {ode.variable for ode in component.odes}
    raised = _with_regimes(lowered, modes, always, found, jumps)
    _refuse_steps(raised)
    return raised


def _refuse_steps(component: model.Component) -> None:
    for expr in all_expressions(component):
        for node in walk(expr):
            if isinstance(node, Call) and node.function in GRID_FUNCTIONS:
                message = f"'{node.function}' has no meaning in continuous time"
                raise refuse("K120", message, node.span or component.span)


def _fail(statement: model.Statement, why: str) -> ModelError:
    message = f"a statement of the update program cannot become part of a regime: {why}"
    return refuse("K120", message, statement.span)


def _find_counters(found: _Raised) -> None:
    """Whole-numbered states that only lose 1 per step or are set: clocks in disguise."""
    states = {s.name for s in found.component.state_variables if s.kind == model.INTEGER}
    bodies = [found.component.update or ()]
    for item in nested(bodies[0]):
        if isinstance(item, model.Assign) and item.target in states and _is_decrement(item):
            found.counters[item.target] = None


def _is_decrement(item: model.Assign) -> bool:
    return item.value in (
        Binary("-", Name(item.target), ONE),
        Binary("+", Name(item.target), Unary("-", ONE)),
        Binary("+", Name(item.target), Number(-1.0)),
    )


def _without_locals(body: Body) -> Body:
    """Locals that are never assigned again are substituted."""
    assigned = {s.target for s in nested(body) if isinstance(s, model.Assign)}
    values: dict[str, Expr] = {}

    def change(items: Body) -> Body:
        kept: list[model.Statement] = []
        for item in items:
            if isinstance(item, model.Declare) and item.name not in assigned:
                values[item.name] = _substituted(item.value, values)
                continue
            kept.append(change_statement(item, lambda expr: _substituted(expr, values)))
        return tuple(kept)

    return change(body)


def _substituted(expr: Expr, values: dict[str, Expr]) -> Expr:
    if isinstance(expr, Name):
        return values.get(expr.id, expr)
    return rebuild(expr, lambda part: _substituted(part, values))


def _integrates(found: _Raised, body: Body) -> bool:
    """Does the body integrate, or count steps?"""
    return any(
        isinstance(item, model.Integrate)
        or (
            isinstance(item, model.Assign) and item.target in found.counters and _is_decrement(item)
        )
        for item in nested(body)
    )


def _modes(found: _Raised, body: Body) -> list[_Mode]:
    """The modes of a body: every combination of the choices in it."""
    choices: list[list[_Mode]] = []
    for item in body:
        match item:
            case model.Integrate(variables=variables):
                choices.append([_Mode(integrated=variables, everything=not variables)])
            case model.Assign(target=target) if target in found.counters and _is_decrement(item):
                choices.append([_Mode(counted=(target,))])
            case model.If() if _integrates(found, (item,)):
                choices.append(_branches(found, item))
            case model.If():
                _events(found, item)
            case model.Report():
                continue
            case model.Assign(target=target):
                raise _fail(item, f"'{target}' is assigned to in every step")
            case _:
                name = type(item).__name__.lower()
                raise _fail(item, f"'{name}' is done in every step")
    modes = []
    for combination in product(*choices):
        modes.append(
            _Mode(
                tests=tuple(test for mode in combination for test in mode.tests),
                integrated=tuple(dict.fromkeys(v for m in combination for v in m.integrated)),
                everything=any(mode.everything for mode in combination),
                counted=tuple(dict.fromkeys(v for m in combination for v in m.counted)),
            )
        )
        if len(modes) > MAX_REGIMES:
            message = f"the update program has more than {MAX_REGIMES} ways through it"
            raise refuse("K121", message, found.component.span)
    return modes


def _branches(found: _Raised, item: model.If) -> list[_Mode]:
    """The modes of each branch, with the test that leads to it and the negations of those before."""
    modes: list[_Mode] = []
    before: list[Expr] = []
    for test, body in (*item.branches, (None, item.otherwise)):
        own = (*before, *(() if test is None else (test,)))
        for mode in _modes_of_branch(found, body, own):
            modes.append(replace(mode, tests=(*own, *mode.tests)))
        if test is not None:
            before.append(negation(test))
    return modes


def _modes_of_branch(found: _Raised, body: Body, tests: tuple[Expr, ...]) -> list[_Mode]:
    """As `_modes`; what a branch does besides integrating must be an event of that branch."""
    count = len(found.conditions)
    modes = _modes(found, body)
    guard = _all(tests)
    for k in range(count, len(found.conditions)):
        condition = found.conditions[k]
        both = Binary("and", guard, condition.test) if guard is not None else condition.test
        found.conditions[k] = replace(condition, test=both)
    return modes


def _events(found: _Raised, item: model.If) -> None:
    """Branches without integration: each is an event."""
    before: list[Expr] = []
    for test, body in item.branches:
        guard = _all((*before, test))
        assert guard is not None
        for statement in nested(body):
            if any(is_random(expr) for expr in expressions(statement)):
                raise _fail(statement, "it draws a random number in every step")
        found.conditions.append(model.OnCondition(test=guard, body=body, span=item.span))
        before.append(negation(test))
    if item.otherwise:
        raise _fail(item.otherwise[0], "it is done in every step in which a test does not hold")


def _all(tests: tuple[Expr, ...]) -> Expr | None:
    guard: Expr | None = None
    for test in tests:
        guard = test if guard is None else Binary("and", guard, test)
    return guard


def negation(test: Expr) -> Expr:
    """`not test`, as a comparison where that is possible."""
    match test:
        case Binary(op, left, right) if op in _OPPOSITE:
            return Binary(_OPPOSITE[op], left, right)
        case Binary("and", left, right):
            return Binary("or", negation(left), negation(right))
        case Binary("or", left, right):
            return Binary("and", negation(left), negation(right))
        case Unary("not", inner):
            return inner
    return Unary("not", test)


def _condition(found: _Raised, item: model.OnCondition) -> model.OnCondition:
    """A condition in clocks instead of counters."""
    body = tuple(change_statement(s, lambda e: _clocked(e, found)) for s in item.body)
    return replace(item, test=_clocked(item.test, found), body=body)


def _clocked(expr: Expr, found: _Raised) -> Expr:
    """A counter as a clock: `steps(x)` is x, and whole numbers of steps beside it are steps of time."""
    if isinstance(expr, Call) and expr.function == "steps":
        return expr.args[0]
    match expr:
        # a clock runs through 0, it does not stop there
        case Binary("==", Name(name), limit) if name in found.counters and limit == ZERO:
            return Binary("<=", Name(name), ZERO, expr.span)
        case Binary("!=", Name(name), limit) if name in found.counters and limit == ZERO:
            return Binary(">", Name(name), ZERO, expr.span)
    return rebuild(expr, lambda part: _clocked(part, found))


def _without_steps(component: model.Component, found: _Raised) -> model.Component:
    """Counters become clocks of dimension time, counts of steps become times."""
    if found.counters:
        _check_counters(component, found)
    counted = _counting(component)
    changed = change_expressions(component, lambda expr: _clocked(expr, found))
    states = tuple(
        replace(s, kind=model.REAL, dimension=TIME_DIMENSION, initial=s.initial)
        if s.name in found.counters
        else s
        for s in changed.state_variables
    )
    derived = tuple(
        replace(p, kind=model.REAL, dimension=TIME_DIMENSION) if p.name in counted else p
        for p in changed.derived_parameters
    )
    return replace(changed, state_variables=states, derived_parameters=derived)


def _counting(component: model.Component) -> set[str]:
    """Derived parameters that are numbers of steps."""
    return {
        p.name
        for p in component.derived_parameters
        if isinstance(p.value, Call) and p.value.function == "steps"
    }


def _check_counters(component: model.Component, found: _Raised) -> None:
    """A counter may be compared with 0 and set to a number of steps; nothing else has a meaning in time."""
    counting = _counting(component)
    bodies = [handler.body for handler in component.on_events]
    bodies += [condition.body for condition in (*component.on_conditions, *found.conditions)]
    for body in bodies:
        for item in nested(body):
            if isinstance(item, model.Assign) and item.target in found.counters:
                value = item.value
                is_steps = isinstance(value, Call) and value.function == "steps"
                if not (is_steps or value == ZERO or free_names(value) <= counting):
                    raise _fail(item, f"'{item.target}' counts steps but is set to something else")


def _jumping(component: model.Component) -> dict[str, set[str]]:
    """Variables that spikes move directly, with the ports."""
    found: dict[str, set[str]] = {}
    for ode in component.odes:
        for node in walk(ode.rhs):
            if (
                isinstance(node, Call)
                and node.function == "convolve"
                and node.args[0] == Name("delta")
            ):
                port = node.args[1]
                assert isinstance(port, Name)
                found.setdefault(ode.variable, set()).add(port.id)
    return found


def _with_regimes(
    component: model.Component,
    modes: list[_Mode],
    always: set[str],
    found: _Raised,
    jumps: dict[str, set[str]],
) -> model.Component:
    """A regime for each mode; what every mode shares stays outside."""
    own_odes = [ode for ode in component.odes if ode.variable not in always]
    shared = [ode for ode in component.odes if ode.variable in always]
    active = [[ode for ode in own_odes if _is_active(ode.variable, mode)] for mode in modes]
    if len(modes) == 1:
        clocks = _clock_odes(modes[0])
        return replace(component, odes=(*active[0], *shared, *clocks))
    common = [ode for ode in own_odes if all(ode in odes for odes in active)]
    regimes = []
    names = _names(modes, active)
    jump_handlers = [h for h in component.on_events if _moves(h, jumps)]
    for mode, odes, name in zip(modes, active, names, strict=True):
        variables = {ode.variable for ode in odes}
        regimes.append(
            model.Regime(
                name=name,
                initial=mode is modes[_initial(component, modes)],
                odes=(*(ode for ode in odes if ode not in common), *_clock_odes(mode)),
                on_conditions=tuple(
                    model.OnCondition(
                        test=_clocked(_all(other.tests) or ONE, found),
                        body=(model.Transition(regime=target),),
                    )
                    for other, target in zip(modes, names, strict=True)
                    if other is not mode
                ),
                on_events=tuple(h for h in jump_handlers if _targets(h) <= variables),
            )
        )
    handlers = tuple(h for h in component.on_events if h not in jump_handlers)
    return replace(
        component,
        odes=(*common, *shared),
        on_events=handlers,
        machines=(model.RegimeMachine(regimes=tuple(regimes)),),
    )


def _targets(handler: model.OnEvent) -> set[str]:
    return {item.target for item in handler.body if isinstance(item, model.Assign)}


def _moves(handler: model.OnEvent, jumps: dict[str, set[str]]) -> bool:
    """A handler that stands for an impulse in an ODE: it is lost while the variable is held."""
    return any(
        variable in jumps and handler.port in jumps[variable] and len(handler.body) == 1
        for variable in _targets(handler)
    )


def _is_active(variable: str, mode: _Mode) -> bool:
    while variable.endswith(DERIVATIVE) and variable not in mode.integrated:
        variable = variable.removesuffix(DERIVATIVE)
    return mode.everything or variable in mode.integrated


def _clock_odes(mode: _Mode) -> tuple[model.Ode, ...]:
    return tuple(model.Ode(variable=name, rhs=negative(ONE)) for name in mode.counted)


def _names(modes: list[_Mode], active: list[list[model.Ode]]) -> list[str]:
    """`integrating` where most is integrated, `refractory` for a lone other one, else numbered."""
    most = max(range(len(modes)), key=lambda k: len(active[k]) - len(modes[k].counted))
    other = "refractory" if len(modes) == 2 else "mode_{}"
    return ["integrating" if k == most else other.format(k) for k in range(len(modes))]


def _initial(component: model.Component, modes: list[_Mode]) -> int:
    """The mode whose tests hold at the initial values; the one without countdown if that is not known."""
    values: dict[str, Expr | None] = {s.name: s.initial for s in component.state_variables}
    for k, mode in enumerate(modes):
        if all(_holds(test, values) for test in mode.tests):
            return k
    return min(range(len(modes)), key=lambda k: len(modes[k].counted))


def _holds(test: Expr, values: dict[str, Expr | None]) -> bool:
    """Is a comparison of a state with a literal true at the start?"""
    match test:
        case Binary("and", left, right):
            return _holds(left, values) and _holds(right, values)
        case Binary("or", left, right):
            return _holds(left, values) or _holds(right, values)
        case Binary(op, Name(name), Number(limit)) if name in values and name != TIME:
            initial = values[name]
            if initial is None:
                start: float | None = 0.0
            else:
                start = initial.value if isinstance(initial, Number) else None
            if start is None:
                return False
            table = {
                "<": start < limit, "<=": start <= limit, ">": start > limit,
                ">=": start >= limit, "==": start == limit, "!=": start != limit,
            }  # fmt: skip
            return table.get(op, False)
    return False
