"""Several regime machines become one: its regimes are the combinations that can be reached.

Entry actions move to the transitions that enter the regime, and events that stay inside of the component
are replaced by what their handlers do. For targets that know one set of regimes and no entry actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..diagnostics import refuse
from ..expr import Expr, free_names, substitute
from ..model import (
    Assign,
    Component,
    DerivedVariable,
    Emit,
    If,
    OnEvent,
    Regime,
    RegimeMachine,
    Statement,
    StateVariable,
    Transition,
)

MAX_REGIMES = 400
MAX_RELAYS = 20
MAX_STATEMENTS = 20_000

Context = tuple[str, ...]  # the active regime of each machine


def one_machine(
    component: Component,
    internal: Mapping[str, tuple[str, ...]] | None = None,
    separator: str = "___",
) -> Component:
    """The flat component with one machine at most, without entry actions and inner events.

    `internal` maps an output port to the input ports that its events reach at once; ports that are not
    declared by the component vanish. A regime's name joins those of its parts.

    Raises ModelError R120 (too many combinations), R121 (events go round in a circle), R122 (an entry
    action at the start that is no assignment).
    """
    work = _Product(component, dict(internal or {}), separator)
    return work.run()


def has_entries(component: Component) -> bool:
    """Does some regime do something when it is entered?"""
    return any(regime.on_entry for machine in component.machines for regime in machine.regimes)


@dataclass(slots=True)
class _Product:
    component: Component
    internal: dict[str, tuple[str, ...]]
    separator: str
    regimes: list[dict[str, Regime]] = field(init=False)
    machines: dict[str, int] = field(init=False)
    found: list[Context] = field(default_factory=list)
    statements: int = 0

    def __post_init__(self) -> None:
        machines = self.component.machines
        self.regimes = [{regime.name: regime for regime in m.regimes} for m in machines]
        self.machines = {machine.name: k for k, machine in enumerate(machines)}

    def run(self) -> Component:
        """Follow the transitions from the initial combination."""
        component = self.component
        start = tuple(machine.initial for machine in component.machines)
        self.found.append(start)
        regimes = []
        for context in self.found:
            regimes.append(self.regime(context, is_initial=context == start))
            if len(self.found) > MAX_REGIMES:
                message = f"'{component.name}' has more than {MAX_REGIMES} combinations of regimes"
                raise refuse("R120", message, component.span)
        states = self.started(start)
        if not component.machines:
            (only,) = regimes
            return replace(
                component, on_conditions=only.on_conditions, on_events=only.on_events,
                state_variables=states,
            )  # fmt: skip
        inner = {name for regime in regimes for name in _own(regime)}
        inner = _dependents(component, inner)
        shared = tuple(d for d in component.derived_variables if d.name not in inner)
        return replace(
            component,
            state_variables=states,
            derived_variables=shared,
            odes=(),
            on_conditions=(),
            on_events=(),
            machines=(RegimeMachine(regimes=tuple(self.lowered(r, inner) for r in regimes)),),
        )

    def lowered(self, regime: Regime, inner: set[str]) -> Regime:
        """The regime with those shared quantities that depend on its own ones."""
        more = tuple(
            d for d in self.component.derived_variables if d.name in inner and d.name not in
            _own(regime)
        )  # fmt: skip
        return replace(regime, derived_variables=(*more, *regime.derived_variables))

    def name(self, context: Context) -> str:
        """What a combination is called."""
        return self.separator.join(context)

    def parts(self, context: Context) -> list[Regime]:
        """The regimes of a combination."""
        return [self.regimes[k][name] for k, name in enumerate(context)]

    def regime(self, context: Context, is_initial: bool) -> Regime:
        """One combination: what holds always, and what holds in each part."""
        component, parts = self.component, self.parts(context)
        conditions = [*component.on_conditions, *(c for p in parts for c in p.on_conditions)]
        handlers = [*component.on_events, *(e for p in parts for e in p.on_events)]
        declared = {port.name for port in component.event_inputs}
        derived: list[DerivedVariable] = [d for part in parts for d in part.derived_variables]
        return Regime(
            name=self.name(context),
            initial=is_initial,
            odes=(*component.odes, *(ode for part in parts for ode in part.odes)),
            derived_variables=tuple(derived),
            on_conditions=tuple(
                replace(c, body=self.body(c.body, context))
                for c in conditions
            ),
            on_events=tuple(
                OnEvent(port=e.port, body=self.body(e.body, context), priority=e.priority,
                        span=e.span)
                for e in handlers
                if e.port in declared
            ),
            span=parts[0].span if len(parts) == 1 else None,
        )  # fmt: skip

    def body(self, body: tuple[Statement, ...], context: Context) -> tuple[Statement, ...]:
        """Statements of a combination, with one transition at the end where the combination changes."""
        return tuple(self.translate(list(body), context, context, 0))

    def translate(
        self, body: list[Statement], start: Context, now: Context, depth: int
    ) -> list[Statement]:
        """`body` run from `now`; `start` is the combination in which the whole began."""
        if depth > MAX_RELAYS:
            message = f"events inside of '{self.component.name}' go round in a circle"
            raise refuse("R121", message, self.component.span)
        result: list[Statement] = []
        rest = list(body)
        while rest:
            self.statements += 1
            if self.statements > MAX_STATEMENTS:
                message = f"'{self.component.name}' has too many combinations of regimes"
                raise refuse("R120", message, self.component.span)
            item = rest.pop(0)
            match item:
                case Transition(regime=regime, machine=machine):
                    k = self.machines.get(machine, 0)
                    now = (*now[:k], regime, *now[k + 1 :])
                    rest = [*self.regimes[k][regime].on_entry, *rest]
                    depth += 1 if self.regimes[k][regime].on_entry else 0
                    if depth > MAX_RELAYS:
                        return self.translate([], start, now, depth)
                case Emit(port=port):
                    if port in {p.name for p in self.component.event_outputs}:
                        result.append(item)
                    heard = self.handlers(port, now)
                    if heard:
                        return [*result, *self.translate([*heard, *rest], start, now, depth + 1)]
                case If(branches=branches, otherwise=otherwise) if _branches_matter(item):
                    # what follows depends on the branch: it is copied into each
                    parts = tuple(
                        (test, tuple(self.translate([*inner, *rest], start, now, depth)))
                        for test, inner in branches
                    )
                    last = tuple(self.translate([*otherwise, *rest], start, now, depth))
                    return [*result, replace(item, branches=parts, otherwise=last)]
                case _:
                    result.append(item)
        if now != start:
            if now not in self.found:
                self.found.append(now)
            result.append(Transition(regime=self.name(now)))
        return result

    def handlers(self, port: str, context: Context) -> list[Statement]:
        """What the events of an inner port do at once."""
        found: list[Statement] = []
        for target in self.internal.get(port, ()):
            inner = (event for part in self.parts(context) for event in part.on_events)
            for event in (*self.component.on_events, *inner):
                if event.port == target:
                    found.extend(event.body)
        return found

    def started(self, start: Context) -> tuple[StateVariable, ...]:
        """State variables after the entry actions of the initial regimes."""
        initial: dict[str, Expr | None] = {
            state.name: state.initial for state in self.component.state_variables
        }
        for part in self.parts(start):
            for item in part.on_entry:
                if not isinstance(item, Assign):
                    message = (
                        f"'{self.component.name}' does more than assign when it starts in "
                        f"'{part.name}'"
                    )
                    raise refuse("R122", message, item.span or self.component.span)
                known = {name: value for name, value in initial.items() if value is not None}
                initial[item.target] = substitute(item.value, known)
        return tuple(
            replace(state, initial=initial[state.name]) for state in self.component.state_variables
        )


def _branches_matter(item: If) -> bool:
    """Does a branch change regimes or send events?"""
    waiting: list[Statement] = [item]
    while waiting:
        statement = waiting.pop()
        if isinstance(statement, Transition | Emit):
            return True
        if isinstance(statement, If):
            waiting.extend(inner for _, body in statement.branches for inner in body)
            waiting.extend(statement.otherwise)
    return False


def _own(regime: Regime) -> set[str]:
    return {item.name for item in regime.derived_variables}


def _dependents(component: Component, names: set[str]) -> set[str]:
    """`names` and the shared derived variables that depend on them."""
    found = set(names)
    changed = bool(found)
    while changed:
        more = {d.name for d in component.derived_variables if free_names(d.value) & found}
        changed = not more <= found
        found |= more
    return found
