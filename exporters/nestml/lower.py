"""From a hybrid system to the program of a time step: regimes become guards, lists of times become loops.

What is found at one instant of continuous time is met at the nearest end of a step. The result has
an update program, at most one handler for each port, and neither regimes nor timed events.
"""

from __future__ import annotations

from dataclasses import replace

from ...canonical_model.diagnostics import refuse
from ...canonical_model.expr import (
    TIME,
    ZERO,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Unary,
    free_names,
    substitute,
)
from ...canonical_model.model import (
    INTEGER,
    Argument,
    Assign,
    Component,
    DerivedVariable,
    EventPort,
    Function,
    If,
    Ode,
    OnCondition,
    OnEvent,
    Return,
    Statement,
    StateVariable,
    Transition,
    While,
)
from ...canonical_model.passes.timegrid import slackened, timers
from ...canonical_model.query import bodies, declared, later_ways, nested
from ...canonical_model.units import TIME as TIME_DIMENSION
from ...canonical_model.units import si_quantity
from .choices import strict_choices
from .clock import Machine, guarded, plan_machines
from .extrema import sampled_extrema
from .held import hold_inputs
from .lowering import HALF, Lowering
from .starts import first_values, plain_initial, random_start

MAX_TIMES = 2000
WEIGHT = "weight"


def lower(component: Component) -> Component:
    """The flat component as a program of one step. A component that has a program stays as it is.

    Raises ModelError N303 for lists of more than 2000 times.
    """
    if component.update is not None:
        return component
    names = {item.name for item in declared(component)}
    names |= {item.name for item in component.analog_inputs}
    names |= {port.name for port in component.event_inputs}
    low = Lowering(first_values(component), names | {HALF})
    random_start(low)
    plain_initial(low)
    low.component, samples = sampled_extrema(low.component, low.fresh)
    low.start += samples
    low.component = hold_inputs(low.component, low)
    machines = plan_machines(low.component, low.fresh)
    _timed(low)
    core = _integrate(low.component, machines)
    return _assemble(low, machines, core)


def _assemble(low: Lowering, machines: list[Machine], core: tuple[Statement, ...]) -> Component:
    c = low.component
    conditions = [_condition(low, item, machines, None) for item in c.on_conditions]
    for machine in machines:
        for number in machine.order():
            if machine.counter and number == machine.waits:
                continue
            items = machine.regimes[number].on_conditions
            conditions += _of_regime(low, items, machines, machine.test(number))
    update = (*low.start, *core, *low.finish)
    return replace(
        c,
        derived_parameters=(
            *c.derived_parameters,
            *low.statics,
            *(p for m in machines for p in m.statics),
        ),
        state_variables=(
            *(s for s in c.state_variables if not any(s.name in m.unused for m in machines)),
            *low.states,
            *(s for m in machines for s in m.states),
        ),
        derived_variables=tuple(
            replace(d, value=strict_choices(d.value))
            for d in (*c.derived_variables, *_regime_values(machines))
        ),
        odes=tuple(
            replace(o, rhs=strict_choices(o.rhs)) for o in (*c.odes, *_regime_odes(machines))
        ),
        on_conditions=tuple(conditions),
        on_events=_handlers(c, machines),
        event_inputs=tuple(_port(p, low) for p in c.event_inputs),
        functions=(*c.functions, *low.functions),
        timed_events=(),
        machines=(),
        exposures=tuple(
            e for e in c.exposures if not any(e.variable in m.unused for m in machines)
        ),
        update=update,
    )


def _port(port: EventPort, low: Lowering) -> EventPort:
    """In a program every event carries a weight, be it read or not."""
    return port if port.payload or WEIGHT in low.taken else replace(port, payload=(WEIGHT,))


def _timed(low: Lowering) -> None:
    """A list of times is a function of a counter; the counter runs through it."""
    for item in low.component.timed_events:
        count = len(item.times)
        if not count:
            continue
        if count > MAX_TIMES:
            message = f"a list of {count} times is too long for a program in NESTML"
            raise refuse("N303", message, item.span, hint="give the spikes to the simulator")
        counter, function = low.fresh("next_event"), low.fresh("event_time")
        unit = si_quantity(0.0, TIME_DIMENSION).unit
        branches = tuple(
            (
                Binary("==", Name("k"), Number(float(number))),
                (Return(value=Number(time, unit)),),
            )
            for number, time in enumerate(item.times[:-1])
        )
        last = Return(value=Number(item.times[-1], unit))
        body: tuple[Statement, ...] = (If(branches=branches), last) if branches else (last,)
        low.functions.append(
            Function(
                name=function,
                arguments=(Argument(name="k", kind=INTEGER),),
                dimension=TIME_DIMENSION,
                body=body,
                description="when the event of number k happens",
            )
        )
        due = low.fresh("next_time")
        low.states += [
            StateVariable(
                name=counter, kind=INTEGER, initial=ZERO, description="events that have happened"
            ),
            StateVariable(
                name=due, dimension=TIME_DIMENSION, initial=Number(item.times[0], unit),
                description="when the next one is due",
            ),
        ]  # fmt: skip
        reached = Binary(">=", Name(TIME), Binary("-", Name(due), low.half_step()))
        test = Binary("and", Binary("<", Name(counter), Number(float(count))), reached)
        step: tuple[Statement, ...] = (
            Assign(target=counter, value=Binary("+", Name(counter), Number(1.0))),
            Assign(target=due, value=Call(function, (Name(counter),))),
        )
        low.finish.append(While(test=test, body=(*item.body, *step)))


def _integrate(component: Component, machines: list[Machine]) -> tuple[Statement, ...]:
    """`integrate_odes` of what moves in the active regimes."""
    always = [ode.variable for ode in component.odes]
    every = list(dict.fromkeys([*always, *(v for m in machines for v in m.moving())]))
    return guarded(machines, always, every)


def _condition(
    low: Lowering, item: OnCondition, machines: list[Machine], guard: Expr | None
) -> OnCondition:
    """A condition on the grid: a time is reached at the nearest end of a step."""
    test = _timely(low, item.test)
    if guard is not None:
        test = Binary("and", guard, test)
    return replace(item, test=test, body=_entered(item.body, machines))


def _of_regime(
    low: Lowering, items: tuple[OnCondition, ...], machines: list[Machine], guard: Expr
) -> list[OnCondition]:
    """The conditions of a regime: all that hold at the end of a step act, but it is left once.

    What stands after one that leaves is a choice in the same handler, where the regime is not asked again.
    """
    leaves = [any(isinstance(step, Transition) for step in nested(item.body)) for item in items]
    first = leaves.index(True) if True in leaves else len(items)
    if first >= len(items) - 1:
        return [_condition(low, item, machines, guard) for item in items]
    alone = [_condition(low, item, machines, guard) for item in items[:first]]
    rest = [_condition(low, item, machines, None) for item in items[first:]]
    some = rest[0].test
    for item in rest[1:]:
        some = Binary("or", some, item.test)
    body = tuple(
        If(branches=((Binary("and", guard, item.test) if is_later else item.test, item.body),))
        for item, is_later in zip(rest, later_ways(items)[first:], strict=True)
    )
    return [*alone, replace(rest[0], test=Binary("and", guard, some), body=body)]


def _timely(low: Lowering, test: Expr) -> Expr:
    """Comparisons in which `t` stands against what does not move count `t` half a step later; those of
    timers, which are rounded in every step, hold to half a step."""
    c = low.component
    moving = {o.variable for o in c.odes} | {v.name for v in c.derived_variables}
    moving |= {o.variable for m in c.machines for r in m.regimes for o in r.odes}
    moving |= {i.name for i in c.analog_inputs}
    clocks = timers(c)
    derived = {v.name: v.value for v in c.derived_variables if TIME in free_names(v.value)}
    # what is after a time that is noted is not at that time
    noted = {
        Name(item.target)
        for body in bodies(c)
        for item in nested(body)
        if isinstance(item, Assign) and item.value == Name(TIME)
    }

    def change(expr: Expr) -> Expr:
        match expr:
            case Binary("<" | "<=" | ">" | ">=" as op, left, right):
                plain = Binary(op, substitute(left, derived), substitute(right, derived), expr.span)
                names = free_names(plain)
                if TIME not in names and names & clocks and not names & moving - clocks:
                    return slackened(Binary(op, left, right, expr.span), low.half_step())
                if TIME not in names or names & moving:
                    return expr
                if op == ">" and plain.left == Name(TIME) and plain.right in noted:
                    return Binary(op, plain.left, Binary("+", plain.right, low.half_step()))
                if plain.left == Name(TIME):
                    return Binary(op, plain.left, Binary("-", plain.right, low.half_step()))
                later = Binary("+", Name(TIME), low.half_step())
                return substitute(plain, {TIME: later})
            case Binary("and" | "or" as op, left, right):
                return Binary(op, change(left), change(right), expr.span)
            case Unary("not", operand):
                return Unary("not", change(operand), expr.span)
        return expr

    return change(test)


def _entered(
    body: tuple[Statement, ...], machines: list[Machine], depth: int = 0
) -> tuple[Statement, ...]:
    """A body with transitions replaced by what they do."""
    result: list[Statement] = []
    for item in body:
        match item:
            case Transition(regime=regime, machine=name):
                machine = next(m for m in machines if m.name == name)
                result += machine.enter(regime)
                entry = machine.regime(regime).on_entry
                if depth < 10:
                    result += _entered(machine.kept(entry), machines, depth + 1)
            case If(branches=branches, otherwise=otherwise):
                changed = tuple((t, _entered(b, machines, depth)) for t, b in branches)
                result.append(
                    replace(item, branches=changed, otherwise=_entered(otherwise, machines, depth))
                )
            case _:
                result.append(item)
    return tuple(result)


def _handlers(component: Component, machines: list[Machine]) -> tuple[OnEvent, ...]:
    """One handler for each port; what regimes do with the event is a choice, so that only one hears it."""
    found: dict[str, OnEvent] = {}
    for item in component.on_events:
        _heard_too(found, item, _entered(item.body, machines))
    for machine in machines:
        choices: dict[str, dict[int, list[OnEvent]]] = {}
        for number, regime in enumerate(machine.regimes):
            for item in regime.on_events:
                choices.setdefault(item.port, {}).setdefault(number, []).append(item)
        for chosen in choices.values():
            branches = []
            for number, items in chosen.items():
                body = tuple(step for item in items for step in _entered(item.body, machines))
                if body:
                    branches.append((machine.test(number), body))
            items = [item for found_here in chosen.values() for item in found_here]
            first = replace(items[0], priority=max(item.priority for item in items))
            _heard_too(found, first, (If(branches=tuple(branches)),) if branches else ())
    return tuple(item for item in found.values() if item.body)


def _heard_too(found: dict[str, OnEvent], item: OnEvent, body: tuple[Statement, ...]) -> None:
    """Add what one more handler of a port does."""
    known = found.get(item.port)
    if known is None:
        found[item.port] = replace(item, body=body)
    else:
        priority = max(known.priority, item.priority)
        found[item.port] = replace(known, body=(*known.body, *body), priority=priority)


def _regime_odes(machines: list[Machine]) -> list[Ode]:
    """The equations of regimes: one for each state, with a choice where they differ."""
    result: list[Ode] = []
    for machine in machines:
        for variable in machine.moving():
            rhs = machine.choose({
                number: ode.rhs
                for number, regime in enumerate(machine.regimes)
                for ode in regime.odes
                if ode.variable == variable
            })  # fmt: skip
            result.append(Ode(variable=variable, rhs=rhs))
    return result


def _regime_values(machines: list[Machine]) -> list[DerivedVariable]:
    result: list[DerivedVariable] = []
    for machine in machines:
        items = {d.name: d for regime in machine.regimes for d in regime.derived_variables}
        for name, item in items.items():
            value = machine.choose({
                number: d.value
                for number, regime in enumerate(machine.regimes)
                for d in regime.derived_variables
                if d.name == name
            })  # fmt: skip
            result.append(replace(item, value=value))
    return result
