"""A canonical component made ready for a ComponentType: no program, LEMS's functions, actions for bodies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...canonical_model.diagnostics import Log
from ...canonical_model.dimensions import infer, same
from ...canonical_model.expr import (
    TIME,
    ZERO,
    Binary,
    Conditional,
    Expr,
    Name,
    Select,
    free_names,
    is_random,
    rebuild,
    walk,
)
from ...canonical_model.model import (
    Component,
    Constant,
    DerivedParameter,
    DerivedVariable,
    Ode,
    OnCondition,
    OnEvent,
    Statement,
    StateVariable,
)
from ...canonical_model.passes.arming import arm
from ...canonical_model.passes.product import one_machine
from ...canonical_model.passes.raising import raise_program
from ...canonical_model.query import declared, regimes
from ...canonical_model.scope import scope
from ...canonical_model.units import NONE, Dimension, Quantity, si_quantity
from ...canonical_model.units import TIME as TIME_DIMENSION
from .modes import modes_to_state, must_be_modes
from .names import RESERVED, Names
from .order import by_start, late_names, sorted_statics, sorted_variables
from .recast import gathered, note_losses, one_handler_a_port, refuse_unsayable
from .rewrite import Rewriter
from .selects import select_dimension
from .statements import Actions, Lowering


@dataclass(frozen=True, slots=True)
class Handler:
    """OnCondition (`test`) or OnEvent (`port`) with its actions."""

    actions: Actions
    test: Expr | None = None
    port: str = ""


@dataclass(frozen=True, slots=True)
class Mode:
    """A regime; its derived variables stand with the common ones."""

    name: str
    initial: bool
    odes: tuple[Ode, ...]
    entry: Actions
    handlers: tuple[Handler, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be written. `variables` and `statics` are in an order in which each can be computed;
    those in `late` come after all others, as jLEMS computes choices."""

    component: Component
    constants: tuple[Constant, ...]
    statics: tuple[DerivedParameter, ...]
    states: tuple[StateVariable, ...]
    starts: tuple[tuple[str, Expr], ...]
    variables: tuple[DerivedVariable, ...]
    late: frozenset[str]
    odes: tuple[Ode, ...]
    handlers: tuple[Handler, ...]
    modes: tuple[Mode, ...]
    names: Names


def prepare(
    component: Component,
    log: Log,
    called: Mapping[str, str] | None = None,
    *,
    is_lems: bool = False,
    step: float | None = None,
) -> Prepared:
    """Make a component ready; `called` are names of its quantities that are settled already.

    What comes from LEMS (`is_lems`) keeps its conditions where they stand; programs count in steps of `step`.

    Raises ModelError P201 to P206 (no word in LEMS), K1xx (a program that cannot be raised to regimes).
    """
    if component.update is not None or component.kernels or component.functions:
        component = raise_program(component, log, step)
    component = arm(component)
    refuse_unsayable(component)
    note_losses(component, log)
    if len(component.machines) > 1:
        component = one_machine(component)
    component = one_handler_a_port(component)
    if must_be_modes(component, is_lems=is_lems):
        component = modes_to_state(component)
    if not is_lems:
        component = gathered(component)
    work = _Preparation(component, log)
    for name, wanted in (called or {}).items():
        work.names.given[name] = wanted
        work.names.taken.add(wanted)
    return work.run()


@dataclass(slots=True)
class _Preparation:
    component: Component
    log: Log
    names: Names = field(default_factory=lambda: Names(RESERVED))
    made: dict[Quantity, Constant] = field(default_factory=dict)
    known: dict[str, Dimension | None] = field(default_factory=dict)
    extra: list[DerivedVariable] = field(default_factory=list)

    def run(self) -> Prepared:
        """Names, then every expression, then orders."""
        component = self.component
        symbols = [item.name for item in declared(component)]
        symbols += [item.name for item in component.analog_inputs]
        for name in dict.fromkeys(symbols):
            self.names.get(name)
        # a variable may hide the time; nothing new is called so
        self.names.taken.add(TIME)
        for port in component.event_inputs:
            for name in port.payload:
                self.names.get(name)
        self.known = dict(scope(component))
        self.known |= {d.name: d.dimension for r in regimes(component) for d in r.derived_variables}
        for port in component.event_inputs:
            self.known |= {name: NONE for name in port.payload if name not in self.known}
        rewriter = Rewriter(self.lookup, self.constant, component.name)
        lowering = Lowering(component, self.fresh, self.log, rewriter.flags)
        fixed = {p.name for p in component.parameters} | {c.name for c in component.constants}
        statics: list[DerivedParameter] = []
        moved: list[DerivedParameter] = []
        for item in component.derived_parameters:
            (statics if self.is_static(item, fixed) else moved).append(item)
        starts = tuple(
            (s.name, rewriter.flat(rewriter.value(s.initial)))
            for s in by_start(component)
            if s.initial is not None
        )
        variables = [
            replace(
                item, value=self.continuous(rewriter.value(item.value), item.name, item.dimension)
            )
            for item in (
                *(_as_variable(item) for item in moved),
                *component.derived_variables,
                *{d.name: d for r in regimes(component) for d in r.derived_variables}.values(),
            )
        ]
        odes = tuple(self.ode(item, rewriter) for item in component.odes)
        handlers = self.handlers(component.on_conditions, component.on_events, rewriter, lowering)
        modes = tuple(
            Mode(
                regime.name,
                regime.name == machine.initial,
                tuple(self.ode(item, rewriter) for item in regime.odes),
                self.actions(regime.on_entry, rewriter, lowering),
                self.handlers(regime.on_conditions, regime.on_events, rewriter, lowering),
            )
            for machine in component.machines
            for regime in machine.regimes
        )
        flagged = self.handlers(tuple(lowering.flagged), (), rewriter, lowering)
        every = sorted_variables(tuple((*variables, *self.extra)), component)
        values = {item.name: item.value for item in every}
        modes = tuple(self.inline(mode, values, rewriter) for mode in modes)
        fixed_values = sorted_statics(
            tuple(replace(s, value=rewriter.flat(rewriter.value(s.value))) for s in statics)
        )
        return Prepared(
            component=component,
            constants=(*component.constants, *self.made.values()),
            statics=fixed_values,
            states=(*component.state_variables, *lowering.states),
            starts=starts,
            variables=every,
            late=late_names(every),
            odes=odes,
            handlers=(*handlers, *flagged),
            modes=modes,
            names=self.names,
        )

    def lookup(self, name: str) -> Dimension | None:
        return TIME_DIMENSION if name == TIME else self.known.get(name)

    def fresh(self, wanted: str) -> str:
        """A name that nothing of the component has."""
        name = self.names.fresh(wanted)
        self.names.given[name] = name
        self.known[name] = NONE
        return name

    def is_static(self, item: DerivedParameter, fixed: set[str]) -> bool:
        """May a derived parameter be written as one? Not if it reads what is not fixed."""
        if any(isinstance(node, Select) for node in walk(item.value)):
            return True
        static = {p.name for p in self.component.derived_parameters} | fixed
        return free_names(item.value) <= static - {"weight"} and not is_random(item.value)

    def constant(self, quantity: Quantity) -> Expr:
        """The name of a constant with this value."""
        if quantity not in self.made:
            name = self.fresh(f"const{len(self.made) + 1}")
            self.known[name] = quantity.dimension
            self.made[quantity] = Constant(name=name, dimension=quantity.dimension, value=quantity)
        return Name(self.made[quantity].name)

    def ode(self, item: Ode, rewriter: Rewriter) -> Ode:
        """A rate without choices; those become variables of their own."""
        dimension = self.lookup(item.variable)
        rate = None if dimension is None else dimension / TIME_DIMENSION
        value = rewriter.value(item.rhs)
        if isinstance(value, Conditional):
            return replace(item, rhs=self.lifted(value, f"{item.variable}_rate", rate))
        return replace(item, rhs=self.continuous(value, f"{item.variable}_rate", rate))

    def continuous(self, expr: Expr, owner: str, dimension: Dimension | None) -> Expr:
        """A derived variable's value: a choice or select stands alone, inner ones are lifted out."""

        def inner(part: Expr, wanted: Dimension | None) -> Expr:
            match part:
                case Conditional() | Select():
                    return self.lifted(part, owner, wanted)
                case Binary("+" | "-", left, right):
                    return Binary(part.op, inner(left, wanted), inner(right, wanted), part.span)
                case _:
                    return rebuild(part, lambda below: inner(below, None))

        match expr:
            case Select():
                return expr
            case Conditional(cases, otherwise):
                changed = [(inner(t, None), inner(v, dimension)) for t, v in cases]
                if changed[0][1] == ZERO and not same(dimension or NONE, NONE):
                    # jLEMS takes the first case's dimension for that of the variable
                    zero = self.constant(si_quantity(0.0, dimension or NONE))
                    changed[0] = (changed[0][0], zero)
                return Conditional(tuple(changed), inner(otherwise, dimension), expr.span)
            case _:
                return inner(expr, dimension)

    def lifted(self, expr: Expr, owner: str, dimension: Dimension | None) -> Expr:
        """A new derived variable for a choice or select inside an expression."""
        if isinstance(expr, Select):
            dimension = select_dimension(self.component, expr.path) or dimension
        else:
            dimension = infer(expr, self.lookup, free_zero=True) or dimension
        for item in self.extra:
            if item.value == expr:
                return Name(item.name)
        name = self.fresh(f"{owner}_part")
        self.known[name] = dimension
        value = self.continuous(expr, owner, dimension)
        self.extra.append(DerivedVariable(name=name, dimension=dimension or NONE, value=value))
        return Name(name)

    def actions(
        self, body: tuple[Statement, ...], rewriter: Rewriter, lowering: Lowering
    ) -> Actions:
        """A body whose choices are sums."""
        found = lowering.actions(body)
        found.assignments = [
            (name, rewriter.flat(rewriter.value(value))) for name, value in found.assignments
        ]
        return found

    def handlers(
        self,
        conditions: tuple[OnCondition, ...],
        events: tuple[OnEvent, ...],
        rewriter: Rewriter,
        lowering: Lowering,
    ) -> tuple[Handler, ...]:
        """Events first, as canonical steps deliver before they test."""
        found = [
            Handler(self.actions(item.body, rewriter, lowering), port=item.port) for item in events
        ]
        found += [
            Handler(self.actions(item.body, rewriter, lowering), test=rewriter.test(item.test))
            for item in conditions
        ]
        return tuple(found)

    def inline(self, mode: Mode, values: dict[str, Expr], rewriter: Rewriter) -> Mode:
        """Conditions of a regime see parameters and states only: derived variables are written out."""
        states = {s.name for s in self.component.state_variables}

        def outer(expr: Expr, depth: int = 0) -> Expr:
            if isinstance(expr, Name) and expr.id in values and expr.id not in states:
                return outer(values[expr.id])
            return rebuild(expr, outer)

        handlers = tuple(
            handler
            if handler.test is None
            else replace(handler, test=rewriter.test(outer(handler.test)))
            for handler in mode.handlers
        )
        return replace(mode, handlers=handlers)


def _as_variable(item: DerivedParameter) -> DerivedVariable:
    return DerivedVariable(
        name=item.name, dimension=item.dimension, value=item.value,
        description=item.description, span=item.span,
    )  # fmt: skip


__all__ = ["Handler", "Mode", "Prepared", "prepare"]
