"""A canonical component made ready: flat, one set of regimes, NineML's functions, constants for literals."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from ...canonical_model.diagnostics import Level, Log, refuse
from ...canonical_model.expr import (
    TIME,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Select,
    Unary,
    free_names,
    is_random,
    rebuild,
    walk,
)
from ...canonical_model.model import (
    BOOLEAN,
    TEXT,
    Component,
    Constant,
    DerivedVariable,
    Regime,
    Transition,
)
from ...canonical_model.passes.conditionals import conditionals_to_regimes, opposite
from ...canonical_model.passes.edging import levels_to_edges
from ...canonical_model.passes.flatten import flatten
from ...canonical_model.passes.levels import levels_to_algebra
from ...canonical_model.passes.product import one_machine
from ...canonical_model.passes.raising import raise_program
from ...canonical_model.passes.truths import truths_to_numbers
from ...canonical_model.query import declared, regimes
from ...canonical_model.scope import scope
from ...canonical_model.units import NONE, Dimension, Quantity
from .counts import equal_counts, exact_counts
from .locals import locals_written_out
from .mapped import mapped
from .rewrite import BINOMIAL, Rewriter, dimensioned
from .settled import settled
from .together import together

DEFAULT_REGIME = "sole"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is left to be written: `regimes` hold all equations, the first is the one at start."""

    component: Component
    regimes: tuple[Regime, ...]
    aliases: tuple[DerivedVariable, ...]
    constants: tuple[Constant, ...]
    original: Component  # flat, with all its functions: what initial values are computed from


def prepare(component: Component, log: Log, step: float | None = None) -> Prepared:
    """Make a component ready. Raises ModelError X300 (no word in NineML), X301 to X305, R120 to R124,
    K1xx (a time-step program that cannot be raised to regimes)."""
    flat = _flat(component)
    if flat.update is not None or flat.kernels or flat.functions:
        flat = raise_program(flat, log, step)
    flat = truths_to_numbers(locals_written_out(flat))
    _refuse(flat)
    _note(flat, log)
    flat = equal_counts(settled(flat, log))
    original = flat
    # NineML computes every alias anew; that some never change makes no difference
    flat = replace(
        flat, derived_parameters=(),
        derived_variables=(*_static_aliases(flat), *flat.derived_variables),
    )  # fmt: skip
    work = _Preparation(flat, log)
    flat = work.rewritten(flat)
    flat = conditionals_to_regimes(flat, lambda test: _initially(flat, test))
    flat = levels_to_edges(_one_set(flat), log, "X327")
    flat = work.dimensioned(flat)
    found = together(flat, _connected(_all_regimes(exact_counts(flat))))
    aliases = flat.derived_variables
    constants = (*flat.constants, *work.constants.values())
    _refuse_draws(flat, found, aliases)
    return Prepared(flat, found, aliases, constants, original)


def _refuse(component: Component) -> None:
    """What NineML has no word for, by name."""
    if component.timed_events:
        message = f"'{component.name}' has a list of event times, which NineML has no word for"
        raise refuse("X300", message, component.span, hint="send them from another population")
    for item in declared(component):
        if getattr(item, "kind", "real") in (TEXT, BOOLEAN):
            message = f"'{item.name}' of '{component.name}' is no number"
            raise refuse("X300", message, item.span)
    for source in component.analog_inputs:
        if source.reduce not in ("", "add"):
            message = f"'{source.name}' of '{component.name}' is reduced by '{source.reduce}'"
            raise refuse("X300", f"{message}; NineML can only add", source.span)


def _flat(component: Component) -> Component:
    """Composites become flat; what is flat stays as it is written, but for what LEMS sets again and again."""
    has_select = any(
        isinstance(node, Select)
        for item in component.derived_variables
        for node in walk(item.value)
    )
    if component.children or component.event_routes or has_select:
        return flatten(component).component
    return levels_to_algebra(component)


def _note(component: Component, log: Log) -> None:
    """Losses that hold for the whole component."""
    for port in component.event_inputs:
        if port.sign:
            message = (
                f"that the port '{port.name}' of '{component.name}' takes {port.sign} events only is "
                "kept in an annotation: NineML's events have no sign, a network chooses the port"
            )
            log.add("X309", Level.NOTE, message, port.span)
    if component.checks:
        message = f"the checks of parameters of '{component.name}' have no place in NineML"
        log.add("X307", Level.DROPPED, message, component.span)
    for source in component.analog_inputs:
        if source.default:
            message = (
                f"'{source.name}' of '{component.name}' is {source.default:g} where nothing is "
                "connected; in NineML it is zero"
            )
            log.add("X308", Level.DROPPED, message, source.span)


def _initially(component: Component, test: Expr) -> bool:
    """The truth of a test at t = 0, as far as values are known; else False."""
    from ...canonical_model.diagnostics import ModelError
    from ...solvers.evaluate import evaluate

    try:
        values = initial_values(component)
        return bool(evaluate(test, values))
    except (ModelError, KeyError, ArithmeticError):
        return False


def initial_values(component: Component) -> dict[str, float]:
    """Statics, states and what can be computed of derived variables at t = 0, in SI."""
    import numpy as np

    from ...solvers.evaluate import evaluate, parameter_values

    known = {name: np.float64(value) for name, value in parameter_values(component).items()}
    values: dict[str, float] = {**known, TIME: 0.0}
    values.update({item.name: item.default for item in component.analog_inputs})
    pending = {s.name: s.initial for s in component.state_variables if s.initial is not None}
    values.update({s.name: 0.0 for s in component.state_variables if s.initial is None})
    pending.update({d.name: d.value for d in component.derived_variables})
    for machine in component.machines:
        active = next(r for r in machine.regimes if r.name == machine.initial)
        pending.update({d.name: d.value for d in active.derived_variables})
    changed = True
    while pending and changed:
        ready = [
            n for n, e in pending.items() if free_names(e) <= values.keys() and not is_random(e)
        ]
        changed = bool(ready)
        for name in ready:
            try:
                value = float(evaluate(pending.pop(name), values))
            except ArithmeticError:
                continue
            if math.isfinite(value):
                values[name] = value
    return values


def _one_set(component: Component) -> Component:
    """One machine, or none; no entry actions."""
    has_more = len(component.machines) > 1 or any(r.on_entry for r in regimes(component))
    has_own = component.odes or component.on_conditions or component.on_events
    if has_more or (component.machines and has_own):
        return one_machine(component)
    return component


def _all_regimes(component: Component) -> tuple[Regime, ...]:
    """All equations by regime, that at the start first."""
    if not component.machines:
        name = component.extras.get("nineml.regime", DEFAULT_REGIME)
        return (
            Regime(
                name=name,
                initial=True,
                odes=component.odes,
                on_conditions=component.on_conditions,
                on_events=component.on_events,
            ),
        )
    (machine,) = component.machines
    start = machine.initial
    return tuple(replace(r, initial=r.name == start) for r in machine.regimes)


def _connected(found: tuple[Regime, ...]) -> tuple[Regime, ...]:
    """Regimes that some way of transitions joins with that at the start, in order: NineML takes no others."""
    ways: dict[str, set[str]] = {regime.name: set() for regime in found}
    for regime in found:
        bodies = [c.body for c in regime.on_conditions] + [e.body for e in regime.on_events]
        for body in bodies:
            for step in body:
                if isinstance(step, Transition):
                    ways[regime.name].add(step.regime)
                    ways[step.regime].add(regime.name)
    reached = [regime.name for regime in found if regime.initial]
    for name in reached:
        reached += sorted(ways[name] - set(reached))
    return tuple(regime for regime in found if regime.name in reached)


def _static_aliases(component: Component) -> tuple[DerivedVariable, ...]:
    """Derived parameters are aliases like others."""
    return tuple(
        DerivedVariable(name=item.name, dimension=item.dimension, value=item.value, span=item.span)
        for item in component.derived_parameters
    )


def _refuse_draws(
    component: Component, found: tuple[Regime, ...], aliases: tuple[DerivedVariable, ...]
) -> None:
    exprs = [a.value for a in aliases] + [o.rhs for regime in found for o in regime.odes]
    exprs += [d.value for regime in found for d in regime.derived_variables]
    exprs += [c.test for regime in found for c in regime.on_conditions]
    for regime in found:
        for condition in regime.on_conditions:
            if isinstance(condition.test, Number) and condition.test.value:
                message = (
                    f"a condition of '{component.name}' holds all the time that a regime lasts, and "
                    "NineML's triggers fire on a change"
                )
                raise refuse("X301", message, condition.span or component.span)
    for expr in exprs:
        for node in walk(expr):
            if isinstance(node, Binary) and node.op in ("==", "!="):
                message = f"a condition of '{component.name}' tests equality, which NineML cannot"
                raise refuse("X301", message, node.span or component.span)
    if any(_draws(expr) for expr in exprs):
        message = f"'{component.name}' draws random numbers outside of events"
        raise refuse("X300", message, component.span, hint="NineML draws in state assignments only")


def _draws(expr: Expr) -> bool:
    trials = (node for node in walk(expr) if isinstance(node, Call))
    return is_random(expr) or any(node.function == BINOMIAL for node in trials)


@dataclass(slots=True)
class _Preparation:
    """Rewrites all expressions of one component; constants are made as they are needed."""

    component: Component
    log: Log
    constants: dict[Quantity, Constant] = field(default_factory=dict)
    taken: set[str] = field(init=False)

    def __post_init__(self) -> None:
        items = (*declared(self.component), *self.component.analog_inputs)
        self.taken = {item.name.lower() for item in items}
        self.taken |= {port.name.lower() for port in self.component.event_inputs}

    def constant(self, quantity: Quantity) -> Expr:
        """The name of a constant with this value."""
        known = {name: c for c in self.component.constants for name in (c.name,)}
        for name, item in known.items():
            if item.value == quantity:
                return Name(name)
        if quantity not in self.constants:
            number = 1
            while f"const{number}" in self.taken:
                number += 1
            self.taken.add(f"const{number}")
            self.constants[quantity] = Constant(
                name=f"const{number}", dimension=quantity.dimension, value=quantity
            )
        return Name(self.constants[quantity].name)

    def rewritten(self, component: Component) -> Component:
        """NineML's functions only; conditionals are still there."""
        names = self.names(component)
        rewriter = Rewriter(names.get, self.constant, self.log, component.name)
        return mapped(component, lambda expr, wanted: rewriter.plain(expr), names)

    def dimensioned(self, component: Component) -> Component:
        """Literals with units, and zeros of quantities, as constants; negations pushed inward."""
        names = self.names(component)

        def change(expr: Expr, wanted: Dimension | None) -> Expr:
            return dimensioned(_inward(expr), wanted, names.get, self.constant)

        return mapped(component, change, names)

    def names(self, component: Component) -> dict[str, Dimension | None]:
        """Dimensions of all names, those of regimes and of what events carry as well."""
        found = dict(scope(component))
        found.update({d.name: d.dimension for r in regimes(component) for d in r.derived_variables})
        found.update({c.name: c.dimension for c in self.constants.values()})
        for port in component.event_inputs:
            found.update(dict.fromkeys(port.payload, NONE))
        return found


def _inward(expr: Expr) -> Expr:
    """`not (a < b)` as `a > b`: readers differ in what they make of a negation."""
    match expr:
        case Unary("not", operand):
            return _negated(operand)
        case _:
            return rebuild(expr, _inward)


def _negated(expr: Expr) -> Expr:
    match expr:
        case Unary("not", operand):
            return _inward(operand)
        case Binary("and", left, right):
            return Binary("or", _negated(left), _negated(right))
        case Binary("or", left, right):
            return Binary("and", _negated(left), _negated(right))
        case _:
            return opposite(expr)
