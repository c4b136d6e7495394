"""A sub-component of multi-dynamics under its names in the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...canonical_model import model
from ...canonical_model.expr import rename
from .syntax import Multi


def inner(sub: str, port: str) -> str:
    """The name of a port of a sub-component, which no port of the whole can have."""
    return f"{sub}/{port}"


@dataclass(slots=True)
class Renaming:
    """Renames a component: quantities get `names`, ports and machines the sub-component's path."""

    multi: Multi
    sub: str
    names: Mapping[str, str]

    def component(self, item: model.Component) -> model.Component:
        """Everything renamed."""
        names = self.names
        return replace(
            item,
            parameters=tuple(replace(p, name=names[p.name]) for p in item.parameters),
            constants=tuple(replace(c, name=names[c.name]) for c in item.constants),
            state_variables=tuple(
                replace(s, name=names[s.name],
                        initial=None if s.initial is None else rename(s.initial, names))
                for s in item.state_variables
            ),
            derived_variables=self.derived(item.derived_variables),
            odes=self.odes(item.odes),
            on_conditions=self.conditions(item.on_conditions),
            on_events=self.handlers(item.on_events),
            machines=tuple(self.machine(m) for m in item.machines),
        )  # fmt: skip

    def machine(self, item: model.RegimeMachine) -> model.RegimeMachine:
        """A machine named after its sub-component."""
        return model.RegimeMachine(
            name=self.machine_name(item.name),
            regimes=tuple(
                replace(
                    r,
                    odes=self.odes(r.odes),
                    derived_variables=self.derived(r.derived_variables),
                    on_entry=self.body(r.on_entry),
                    on_conditions=self.conditions(r.on_conditions),
                    on_events=self.handlers(r.on_events),
                )
                for r in item.regimes
            ),
        )

    def machine_name(self, own: str) -> str:
        """The path of a machine."""
        return f"{own}__{self.sub}" if own else self.sub

    def derived(
        self, items: tuple[model.DerivedVariable, ...]
    ) -> tuple[model.DerivedVariable, ...]:
        """Derived variables."""
        return tuple(
            replace(d, name=self.names[d.name], value=rename(d.value, self.names)) for d in items
        )

    def odes(self, items: tuple[model.Ode, ...]) -> tuple[model.Ode, ...]:
        """Differential equations."""
        return tuple(
            replace(o, variable=self.names[o.variable], rhs=rename(o.rhs, self.names))
            for o in items
        )

    def conditions(self, items: tuple[model.OnCondition, ...]) -> tuple[model.OnCondition, ...]:
        """Conditions."""
        return tuple(
            replace(c, test=rename(c.test, self.names), body=self.body(c.body)) for c in items
        )

    def handlers(self, items: tuple[model.OnEvent, ...]) -> tuple[model.OnEvent, ...]:
        """Handlers at the inner port, and at each outer port that leads to it."""
        found = []
        for item in items:
            body = self.body(item.body)
            outer = [
                e.name for e in self.multi.exposures
                if e.kind == "EventReceive" and e.sub == self.sub and e.port == item.port
            ]  # fmt: skip
            for port in (inner(self.sub, item.port), *outer):
                found.append(replace(item, port=port, body=body))
        return tuple(found)

    def body(self, body: tuple[model.Statement, ...]) -> tuple[model.Statement, ...]:
        """Statements."""
        found: list[model.Statement] = []
        for item in body:
            match item:
                case model.Assign(target=target, value=value):
                    found.append(
                        replace(item, target=self.names[target], value=rename(value, self.names))
                    )
                case model.Transition(machine=machine):
                    found.append(replace(item, machine=self.machine_name(machine)))
                case model.Emit(port=port):
                    found.append(replace(item, port=inner(self.sub, port)))
                    found += [
                        replace(item, port=e.name) for e in self.multi.exposures
                        if e.kind == "EventSend" and e.sub == self.sub and e.port == port
                    ]  # fmt: skip
                case model.If(branches=branches, otherwise=otherwise):
                    found.append(
                        replace(
                            item,
                            branches=tuple(
                                (rename(t, self.names), self.body(b)) for t, b in branches
                            ),
                            otherwise=self.body(otherwise),
                        )
                    )
        return tuple(found)


__all__ = ["Renaming", "inner"]
