"""Multi-dynamics: sub-components joined by ports become one flat component.

Names get `__sub`, as in the reference library. A connected receive port becomes a derived variable, a
reduce port a sum; events between sub-components are replaced by what they do at their target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...canonical_model import model
from ...canonical_model.assembly import Assembly, Joint, Shown, inside, keep
from ...canonical_model.diagnostics import error, refuse, suggest
from ...canonical_model.expr import Expr, Name, Number, add, free_names
from ...canonical_model.passes.product import MAX_RELAYS, one_machine
from ...canonical_model.query import declared, handlers, regimes
from ...canonical_model.scope import find_cycle
from ...canonical_model.units import NONE, Unit, dimension_name
from .kept import VALUES, values_text
from .lower import ANNOTATIONS, CLASS, with_initial_regime
from .renaming import Renaming, inner
from .syntax import Document, Dynamics, Exposed, Link, Multi

if TYPE_CHECKING:
    from .components import Components, Given, Instance

MAX_NESTING = 20
MAX_SUBS = 200
MAX_QUANTITIES = 2_000  # of the whole: nesting multiplies
BETWEEN = "___"  # regimes of parts in the name of their combination


def lower_multi(components: Components, multi: Multi, document: Document) -> model.Component:
    """Multi-dynamics as a component without values. Raises ModelError X14x."""
    subs: dict[str, model.Component] = {}
    asked = components.asked_by_name(multi.name)
    with _Opened(components, multi):
        for name, reference in multi.subs:
            thing, home = components.documents.find(reference)
            if not isinstance(thing, Dynamics | Multi):
                message = f"the sub-component '{name}' is no dynamics"
                raise error("X046", message, reference.span)
            own, asked = _part(asked, components.lowered(thing, home))
            subs[name] = components.bare(thing, home, own)
    _check_asked(asked, multi)
    return join(multi, subs)


def multi_instance(components: Components, multi: Multi, document: Document) -> Instance:
    """Multi-dynamics of components with values."""
    from .components import Instance

    subs: dict[str, model.Component] = {}
    properties: dict[str, Given] = {}
    initials: dict[str, Given] = {}
    asked = components.asked_by_name(multi.name)
    with _Opened(components, multi):
        for name, reference in multi.subs:
            inner: Instance = components.instance(reference)
            own, asked = _part(asked, inner.component)
            subs[name] = with_initial_regime(inner.component, {}, own, components.log)
            _suffixed(properties, inner.properties, name)
            _suffixed(initials, inner.initials, name)
    _check_asked(asked, multi)
    joined = join(multi, subs)
    kept = values_text(joined, properties, initials)
    if kept:
        joined = replace(joined, extras={**joined.extras, VALUES: kept})
    return Instance(joined, properties, initials)


def _suffixed(found: dict[str, Given], values: Mapping[str, Given], sub: str) -> None:
    found.update({inside(name, sub): given for name, given in values.items()})


def _check_asked(rest: str, multi: Multi) -> None:
    if rest:
        message = f"'{multi.name}' is to start in the regime '{rest}', which does not exist"
        hint = f"name a regime of each part, joined by '{BETWEEN}', in the order of the parts"
        raise error("X131", message, multi.span, hint=hint)


def _part(asked: str, component: model.Component) -> tuple[str, str]:
    """The part of a name of joined regimes that belongs to a sub-component, and the rest."""
    for machine in component.machines:
        for regime in sorted(machine.regimes, key=lambda r: -len(r.name)):
            if asked == regime.name or asked.startswith(regime.name + BETWEEN):
                return regime.name, asked[len(regime.name + BETWEEN) :]
    return "", asked


class _Opened:
    """Keeps count of what is being joined, so that a circle is seen."""

    def __init__(self, components: Components, multi: Multi) -> None:
        self.open, self.multi = components.open, multi

    def __enter__(self) -> None:
        if self.multi.name in self.open or len(self.open) >= MAX_NESTING:
            chain = " -> ".join([*self.open, self.multi.name])
            raise error("X140", f"multi-dynamics contain each other: {chain}", self.multi.span)
        self.open.append(self.multi.name)

    def __exit__(self, *_: object) -> None:
        self.open.pop()


def join(multi: Multi, subs: Mapping[str, model.Component]) -> model.Component:
    """The flat component. Raises ModelError X141 to X145."""
    if len(subs) != len(multi.subs) or len(subs) > MAX_SUBS:
        message = f"'{multi.name}' has a sub-component twice, or more than {MAX_SUBS}"
        raise error("X141", message, multi.span)
    count = sum(sum(1 for _ in declared(sub)) for sub in subs.values())
    if count > MAX_QUANTITIES:
        message = f"'{multi.name}' has {count} quantities with those of its parts"
        raise error("X141", message, multi.span, hint=f"at most {MAX_QUANTITIES}")
    shown: dict[tuple[bool, str], Exposed] = {}
    for item in multi.exposures:
        # a port that sends may be called as one that receives
        if shown.setdefault((item.kind.endswith("Send"), item.name), item) is not item:
            message = f"'{multi.name}' has two ports that are called '{item.name}'"
            raise error("X141", message, item.span, hint="give one of them another name")
    joined = _Join(multi, subs).run()
    if any(port.payload for sub in subs.values() for port in sub.event_inputs):
        return joined
    parts = Assembly(
        parts={name: _plain(sub) for name, sub in subs.items()},
        joints=tuple(Joint(k.sender, k.send_port, k.receiver, k.receive_port) for k in multi.links),
        shown=tuple(Shown(e.kind, e.name, e.sub, e.port) for e in multi.exposures),
    )  # fmt: skip
    return keep(joined, parts)


def _plain(sub: model.Component) -> model.Component:
    """A part without what is said of the values of its instances."""
    return replace(sub, extras={k: text for k, text in sub.extras.items() if k != VALUES})


@dataclass(slots=True)
class _Join:
    multi: Multi
    subs: Mapping[str, model.Component]
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    inputs: dict[str, model.AnalogInput] = field(default_factory=dict)
    routes: dict[str, list[str]] = field(default_factory=dict)

    def run(self) -> model.Component:
        """Rename the parts, bind their inputs, route their events."""
        multi = self.multi
        for sub, component in self.subs.items():
            own = [item.name for item in (*declared(component), *component.analog_inputs)]
            self.names[sub] = {name: inside(name, sub) for name in own}
        links = [link for link in multi.links if self.check(link)]
        bound = self.bind(links)
        parts = [self.renamed(sub, component) for sub, component in self.subs.items()]
        event_inputs, event_outputs = self.events(links)
        joined = model.Component(
            name=multi.name,
            type=multi.class_name,
            description=multi.notes.get("description", ""),
            parameters=tuple(i for part in parts for i in part.parameters),
            constants=tuple(i for part in parts for i in part.constants),
            state_variables=tuple(i for part in parts for i in part.state_variables),
            derived_variables=(*bound, *(i for part in parts for i in part.derived_variables)),
            odes=tuple(i for part in parts for i in part.odes),
            on_conditions=tuple(i for part in parts for i in part.on_conditions),
            on_events=tuple(i for part in parts for i in part.on_events),
            machines=tuple(i for part in parts for i in part.machines),
            event_inputs=event_inputs,
            event_outputs=event_outputs,
            analog_inputs=tuple(self.inputs.values()),
            exposures=self.exposures(),
            extras={CLASS: multi.class_name} | (
                {ANNOTATIONS: multi.annotations} if multi.annotations else {}
            ),
            span=multi.span,
        )  # fmt: skip
        internal = {port: tuple(targets) for port, targets in self.routes.items()}
        circle = find_cycle({d.name: free_names(d.value) for d in joined.derived_variables})
        if circle:
            shown = " -> ".join([*circle, circle[0]])
            message = f"in '{multi.name}' values need each other through ports: {shown}"
            hint = "a state variable on the way breaks the circle"
            raise error(
                "X113", message, multi.links[0].span if multi.links else multi.span, hint=hint
            )
        has_own = any(regime.derived_variables for regime in regimes(joined))
        known = {event.port for event in handlers(joined)}
        unheard = [port for targets in internal.values() for port in targets if port not in known]
        if unheard:
            message = f"nothing handles the events that reach '{unheard[0]}'"
            raise error("X143", message, joined.span)
        # a part that hears in one regime only needs no combination of regimes
        by_regime = {event.port for regime in regimes(joined) for event in regime.on_events}
        if has_own or any(by_regime & set(targets) for targets in internal.values()):
            return one_machine(joined, internal)
        return _relayed(joined, internal)

    def sub(self, name: str, link: Link | None, span: object = None) -> model.Component:
        """A sub-component by name."""
        if name not in self.subs:
            place = link.span if link else self.multi.span
            message = f"'{self.multi.name}' has no sub-component '{name}'"
            raise error("X142", message, place, hint=suggest(name, self.subs))
        return self.subs[name]

    def check(self, link: Link) -> bool:
        """Both ends exist and are of one kind and dimension."""
        sender, receiver = self.sub(link.sender, link), self.sub(link.receiver, link)
        sends = {e.name: e.dimension for e in sender.exposures}
        takes = {i.name: i.dimension for i in receiver.analog_inputs}
        outs = {port.name for port in sender.event_outputs}
        ins = {port.name for port in receiver.event_inputs}
        if link.send_port in sends and link.receive_port in takes:
            one, other = sends[link.send_port], takes[link.receive_port]
            if one != other:
                message = (
                    f"'{link.send_port}' is {dimension_name(one)}, "
                    f"'{link.receive_port}' takes {dimension_name(other)}"
                )
                raise error("X144", message, link.span)
            return True
        if link.send_port in outs and link.receive_port in ins:
            return True
        if link.send_port in {*sends, *outs} and link.receive_port in {*takes, *ins}:
            message = (
                f"'{link.send_port}' of '{link.sender}' and '{link.receive_port}' of '{link.receiver}' "
                "do not join: one port has values, the other events"
            )
            raise error("X143", message, link.span)
        known, wrong, owner = (
            ({*sends, *outs}, link.send_port, link.sender)
            if link.send_port not in {*sends, *outs}
            else ({*takes, *ins}, link.receive_port, link.receiver)
        )
        message = f"'{owner}' has no port '{wrong}' for this connection"
        raise error("X143", message, link.span, hint=suggest(wrong, known))

    def exposed(self, sub: str, port: str) -> list[str]:
        """The outer names of a sub-component's analog or event input."""
        kinds = ("AnalogReceive", "AnalogReduce", "EventReceive")
        return [
            e.name for e in self.multi.exposures
            if e.kind in kinds and e.sub == sub and e.port == port
        ]  # fmt: skip

    def bind(self, links: list[Link]) -> list[model.DerivedVariable]:
        """What every analog input of a sub-component is: the sum of its sources and outer ports."""
        found: list[model.DerivedVariable] = []
        for sub, component in self.subs.items():
            for item in component.analog_inputs:
                inner = self.names[sub][item.name]
                sources: list[Expr] = [
                    Name(self.variable(link.sender, link.send_port), link.span)
                    for link in links
                    if link.receiver == sub and link.receive_port == item.name
                ]
                outer = self.exposed(sub, item.name)
                for name in outer:
                    known = self.inputs.get(name)
                    if known is not None and known.dimension != item.dimension:
                        message = f"the exposed port '{name}' has two dimensions"
                        raise error("X144", message, self.multi.span)
                    self.inputs[name] = replace(item, name=name)
                    sources.append(Name(name))
                if not item.reduce and len(sources) != 1:
                    what = "several sources" if sources else "no source"
                    message = f"the receive port '{item.name}' of '{sub}' has {what}"
                    raise error("X145", message, self.multi.span)
                if outer == [inner] and len(sources) == 1:
                    continue
                if inner in self.inputs:
                    message = f"the port name '{inner}' is taken by a quantity of '{sub}'"
                    raise error("X141", message, self.multi.span)
                nothing = Number(0.0, Unit(str(item.dimension), item.dimension))
                value = add(sources) if sources else nothing if item.dimension != NONE else add([])
                found.append(
                    model.DerivedVariable(name=inner, dimension=item.dimension, value=value)
                )
        return found

    def variable(self, sub: str, port: str) -> str:
        """The flat name of the quantity behind a send port."""
        exposure = next(e for e in self.subs[sub].exposures if e.name == port)
        return self.names[sub].get(exposure.variable, exposure.variable)

    def exposures(self) -> tuple[model.Exposure, ...]:
        """Send ports of the whole."""
        found = []
        for item in self.multi.exposures:
            component = self.sub(item.sub, None)
            if item.kind == "AnalogSend":
                match = [e for e in component.exposures if e.name == item.port]
                if not match:
                    raise self.no_port(item.sub, item.port, [e.name for e in component.exposures])
                variable = self.variable(item.sub, item.port)
                found.append(
                    model.Exposure(name=item.name, variable=variable, span=item.span,
                                   dimension=match[0].dimension)
                )  # fmt: skip
            elif item.kind in ("AnalogReceive", "AnalogReduce"):
                known = [i.name for i in component.analog_inputs]
                if item.port not in known:
                    raise self.no_port(item.sub, item.port, known)
        return tuple(found)

    def no_port(self, sub: str, port: str, known: list[str]) -> Exception:
        """An X143 error about an exposure."""
        message = f"'{sub}' of '{self.multi.name}' has no port '{port}' to expose"
        return error("X143", message, self.multi.span, hint=suggest(port, known))

    def events(
        self, links: list[Link]
    ) -> tuple[tuple[model.EventPort, ...], tuple[model.EventPort, ...]]:
        """Outer event ports; `routes` says what inner events reach."""
        inputs: dict[str, model.EventPort] = {}
        outputs: dict[str, model.EventPort] = {}
        for link in links:
            outs = {port.name for port in self.subs[link.sender].event_outputs}
            if link.send_port in outs:
                target = inner(link.receiver, link.receive_port)
                self.routes.setdefault(inner(link.sender, link.send_port), []).append(target)
        for item in self.multi.exposures:
            component = self.sub(item.sub, None)
            if item.kind == "EventSend":
                if item.port not in {p.name for p in component.event_outputs}:
                    names = [p.name for p in component.event_outputs]
                    raise self.no_port(item.sub, item.port, names)
                outputs[item.name] = model.EventPort(name=item.name)
            elif item.kind == "EventReceive":
                match = [p for p in component.event_inputs if p.name == item.port]
                if not match:
                    raise self.no_port(item.sub, item.port,
                                       [p.name for p in component.event_inputs])  # fmt: skip
                inputs[item.name] = replace(match[0], name=item.name)
        return tuple(inputs.values()), tuple(outputs.values())

    def renamed(self, sub: str, component: model.Component) -> model.Component:
        """A sub-component with flat names; its event ports get names that are only used here."""
        return Renaming(self.multi, sub, self.names[sub]).component(component)


def _relayed(
    component: model.Component, internal: Mapping[str, tuple[str, ...]]
) -> model.Component:
    """The component without inner ports: an event that stays inside is what its handlers do.

    Raises ModelError R121 for events that go round in a circle.
    """
    inputs = {port.name for port in component.event_inputs}
    outputs = {port.name for port in component.event_outputs}
    heard = {
        port: tuple(
            step
            for target in targets
            for event in component.on_events
            if event.port == target
            for step in event.body
        )
        for port, targets in internal.items()
    }

    def body(items: tuple[model.Statement, ...], depth: int = 0) -> tuple[model.Statement, ...]:
        if depth > MAX_RELAYS:
            message = f"events inside of '{component.name}' go round in a circle"
            raise refuse("R121", message, component.span)
        found: list[model.Statement] = []
        for item in items:
            if not isinstance(item, model.Emit) or item.port in outputs:
                found.append(item)
            if isinstance(item, model.Emit):
                found += body(heard.get(item.port, ()), depth + 1)
        return tuple(found)

    def conditions(items: tuple[model.OnCondition, ...]) -> tuple[model.OnCondition, ...]:
        return tuple(replace(item, body=body(item.body)) for item in items)

    def events(items: tuple[model.OnEvent, ...]) -> tuple[model.OnEvent, ...]:
        return tuple(replace(item, body=body(item.body)) for item in items if item.port in inputs)

    def regime(item: model.Regime) -> model.Regime:
        return replace(
            item,
            on_conditions=conditions(item.on_conditions),
            on_events=events(item.on_events),
        )

    return replace(
        component,
        on_conditions=conditions(component.on_conditions),
        on_events=events(component.on_events),
        machines=tuple(
            replace(machine, regimes=tuple(regime(item) for item in machine.regimes))
            for machine in component.machines
        ),
    )


__all__ = ["join", "lower_multi", "multi_instance"]
