"""Dynamics classes to canonical components, and the values of the user layer into them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...canonical_model import model
from ...canonical_model.diagnostics import Level, Log, suggest
from ...canonical_model.expr import Expr, Number, free_names, rename, substitute
from ...canonical_model.units import NONE, Dimension, Quantity
from .assignments import sequence
from .check_dynamics import PI, Checked
from .syntax import Assignment, Dynamics, Regime, Transition

CLASS = "nineml.class"
REGIME = "nineml.regime"
ANNOTATIONS = "nineml.annotations"
HELPERS = "nineml.helpers"  # states that only keep a value during a transition
INITIAL_REGIME = "initial_regime"  # in our annotations
PAYLOAD = "payload"  # `port=analog=name`: analog ports that stand for what events carry
DESCRIPTION = "description"
SIGNS = "signs"  # `port=sign` pairs
ALLOWED = ("excitatory", "inhibitory")
DESCRIBES = "about_"  # and a name: what is said of it
TEXTS = (INITIAL_REGIME, PAYLOAD, DESCRIPTION, SIGNS, DESCRIBES, "initial_", "part", "class")


@dataclass(slots=True)
class Lowering:
    """One class on its way to a component."""

    checked: Checked
    log: Log
    taken: set[str] = field(default_factory=set)
    extra: dict[str, model.StateVariable] = field(default_factory=dict)

    @property
    def dynamics(self) -> Dynamics:
        """The class."""
        return self.checked.dynamics

    def component(self) -> model.Component:
        """The class as a component whose parameters have no values.

        A single regime is no machine: what it holds stands at the level of the component.
        """
        dynamics, checked = self.dynamics, self.checked
        self.taken = {*checked.names, *(p.name for p in dynamics.event_ports)}
        local = self.local_aliases()
        regimes = tuple(self.regime(regime, local) for regime in dynamics.regimes)
        single = regimes[0] if len(regimes) == 1 else None
        shared = tuple(a for a in dynamics.aliases if a.name not in local)
        derived = self.derived(shared, checked.names)
        extras = {CLASS: dynamics.name}
        if single:
            extras[REGIME] = single.name
        if dynamics.annotations:
            extras[ANNOTATIONS] = dynamics.annotations
        if self.extra:
            extras[HELPERS] = " ".join(self.extra)
        extras.update(
            {f"nineml.{k}": text for k, text in dynamics.notes.items() if not k.startswith(TEXTS)}
        )
        return model.Component(
            name=dynamics.name,
            type=dynamics.name,
            description=dynamics.notes.get(DESCRIPTION, ""),
            parameters=self.parameters(),
            constants=self.constants(),
            state_variables=(*self.states(), *self.extra.values()),
            derived_variables=derived + (single.derived_variables if single else ()),
            odes=single.odes if single else (),
            on_conditions=single.on_conditions if single else (),
            on_events=single.on_events if single else (),
            machines=() if single else (self.machine(regimes),),
            event_inputs=self.event_inputs(),
            event_outputs=tuple(model.EventPort(name=name) for name in checked.event_outputs),
            analog_inputs=self.analog_inputs(),
            exposures=tuple(
                model.Exposure(name=port.name, variable=port.name, span=port.span,
                               dimension=checked.names.get(port.name, NONE))
                for port in dynamics.analog_ports
                if port.kind == "send"
            ),
            extras=extras,
            span=dynamics.span,
        )  # fmt: skip

    def local_aliases(self) -> set[str]:
        """Aliases that some regime defines for itself, and those that depend on them: they must
        stand in every regime."""
        found = {a.name for regime in self.dynamics.regimes for a in regime.aliases}
        changed = bool(found)
        while changed:
            more = {a.name for a in self.dynamics.aliases if free_names(a.value) & found}
            changed = not more <= found
            found |= more
        return found

    def said(self, name: str) -> str:
        """The description of a quantity, which our annotations hold."""
        return self.dynamics.notes.get(f"{DESCRIBES}{name}", "")

    def plain(self, expr: Expr) -> Expr:
        """`expr` with the number pi in place of its name, where the class has no such name."""
        if PI in self.checked.names:
            return expr
        return substitute(expr, {PI: Number(math.pi)})

    def derived(
        self, aliases: tuple[Assignment, ...], names: Mapping[str, Dimension]
    ) -> tuple[model.DerivedVariable, ...]:
        """Aliases as derived variables."""
        return tuple(
            model.DerivedVariable(name=item.name, dimension=names[item.name], span=item.span,
                                  value=self.plain(item.value), description=self.said(item.name))
            for item in aliases
        )  # fmt: skip

    def parameters(self) -> tuple[model.Parameter, ...]:
        """Parameters without values; those that stand for what events carry are left out."""
        spans = {item.name: item.span for item in self.dynamics.parameters}
        return tuple(
            model.Parameter(
                name=name, dimension=dimension, description=self.said(name), span=spans.get(name)
            )
            for name, dimension in self.checked.parameters.items()
        )

    def constants(self) -> tuple[model.Constant, ...]:
        """Constants in the units in which they are written."""
        found = []
        for item in self.dynamics.constants:
            unit = self.checked.document.units[item.units]
            value = Quantity(item.value, unit)
            found.append(
                model.Constant(
                    name=item.name,
                    dimension=unit.dimension,
                    value=value,
                    description=self.said(item.name),
                    span=item.span,
                )
            )
        return tuple(found)

    def states(self) -> tuple[model.StateVariable, ...]:
        """State variables; initial values come with a component."""
        return tuple(
            model.StateVariable(
                name=item.name,
                dimension=self.checked.names[item.name],
                span=item.span,
                description=self.said(item.name),
            )
            for item in self.dynamics.states
        )

    def payload(self) -> dict[str, tuple[str, str]]:
        """Analog port -> event port whose events carry it, and its name there; from our annotations."""
        parts = [part.split("=") for part in self.dynamics.notes.get(PAYLOAD, "").split()]
        return {part[1]: (part[0], part[2]) for part in parts if len(part) == 3}

    def event_inputs(self) -> tuple[model.EventPort, ...]:
        """Event receive ports."""
        carried = self.payload()
        parts = [part.split("=") for part in self.dynamics.notes.get(SIGNS, "").split()]
        signs = {part[0]: part[1] for part in parts if len(part) == 2 and part[1] in ALLOWED}
        return tuple(
            model.EventPort(
                name=name,
                payload=tuple(n for port, n in carried.values() if port == name),
                sign=signs.get(name, ""),
            )
            for name in self.checked.event_inputs
        )

    def analog_inputs(self) -> tuple[model.AnalogInput, ...]:
        """Receive ports have one source, reduce ports add."""
        carried = self.payload()
        return tuple(
            model.AnalogInput(
                name=port.name,
                dimension=self.checked.names[port.name],
                reduce="add" if port.kind == "reduce" else "",
                span=port.span,
            )
            for port in self.dynamics.analog_ports
            if port.kind != "send" and port.name not in carried
        )

    def regime(self, regime: Regime, local: set[str]) -> model.Regime:
        """One regime; its own aliases hide those of the class."""
        own = {a.name for a in regime.aliases}
        shared = tuple(a for a in self.dynamics.aliases if a.name in local and a.name not in own)
        names = self.checked.regime_names[regime.name]
        aliases = {a.name: a.value for a in (*self.dynamics.aliases, *regime.aliases)}
        return model.Regime(
            name=regime.name,
            odes=tuple(
                model.Ode(variable=item.name, rhs=self.plain(item.value), span=item.span)
                for item in regime.derivatives
            ),
            derived_variables=self.derived((*shared, *regime.aliases), names),
            on_conditions=tuple(
                model.OnCondition(
                    test=self.plain(item.trigger),
                    body=self.body(item, regime, aliases),
                    rising=True,
                    span=item.span,
                )
                for item in regime.on_conditions
                if item.trigger is not None
            ),
            on_events=tuple(
                model.OnEvent(
                    port=e.port,
                    body=self.carried(e.port, self.body(e, regime, aliases)),
                    span=e.span,
                )
                for e in regime.on_events
            ),
            span=regime.span,
        )

    def body(
        self, item: Transition, regime: Regime, aliases: Mapping[str, Expr]
    ) -> tuple[model.Statement, ...]:
        """Assignments as if at once, then events, then the new regime."""
        found: list[model.Statement] = [
            model.Assign(target=step.target, value=self.plain(step.value), span=step.span)
            for step in sequence(
                item.assignments, aliases, self.checked.names, self.taken, self.extra
            )
        ]
        found += [model.Emit(port=port, span=span) for port, span in item.outputs]
        if item.target and item.target != regime.name:
            found.append(model.Transition(regime=item.target, span=item.target_span))
        return tuple(found)

    def carried(self, port: str, body: tuple[model.Statement, ...]) -> tuple[model.Statement, ...]:
        """Statements of a handler with what its events carry under its name there."""
        names = {own: name for own, (owner, name) in self.payload().items() if owner == port}
        return tuple(
            replace(item, value=rename(item.value, names))
            if names and isinstance(item, model.Assign)
            else item
            for item in body
        )

    def machine(self, regimes: tuple[model.Regime, ...]) -> model.RegimeMachine:
        """All regimes, none marked as the initial one: see `with_initial_regime`."""
        return model.RegimeMachine(regimes=regimes)


def with_initial_regime(
    component: model.Component, notes: Mapping[str, str], asked: str, log: Log
) -> model.Component:
    """The component with its regime at start marked: as `asked`, as our annotation says, else the one with
    most derivatives (of equals the one written first), with a note (X130).

    Joined components have been marked part by part. Adds X131 for a regime that does not exist.
    """
    is_marked = all(any(r.initial for r in m.regimes) for m in component.machines)
    if is_marked and not asked:
        return component
    machine, *others = component.machines or (model.RegimeMachine(),)
    names = [regime.name for regime in machine.regimes]
    chosen = asked or notes.get(INITIAL_REGIME, "")
    if chosen and (chosen not in names or others):
        message = f"'{component.name}' is to start in the regime '{chosen}', which does not exist"
        hint = suggest(chosen, names) or (f"regimes: {', '.join(names)}" if names else "")
        log.add("X131", Level.ERROR, message, component.span, hint=hint)
        return component
    if not chosen:
        best = max(machine.regimes, key=lambda regime: len(regime.odes))
        chosen = best.name
        message = (
            f"'{component.name}' starts in the regime '{chosen}': the file does not say in which, "
            "and it has the most derivatives"
        )
        hint = f"choose another with the option regime=NAME: {', '.join(names)}"
        log.add("X130", Level.NOTE, message, component.span, hint=hint)
    regimes = tuple(replace(r, initial=r.name == chosen) for r in machine.regimes)
    return replace(component, machines=(replace(machine, regimes=regimes),))
