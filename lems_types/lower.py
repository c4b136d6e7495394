"""Lower LEMS components to canonical composites: values, children, routes of events, kinetic schemes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ..canonical_model import model
from ..canonical_model.diagnostics import Level, Log, Span, error, suggest
from ..canonical_model.expr import Expr, Select
from ..canonical_model.passes.composite import name_all, resolve, tree, walk
from ..canonical_model.units import NONE, PURE, Dimension, Quantity, si_quantity
from . import syntax
from .annotations import remembered, said
from .dynamics import LoweredDynamics, lower_dynamics
from .expressions import parse_expression
from .kinetic import kinetic_odes
from .types import ResolvedType, Types

MAX_DEPTH = 60
TEXT_KINDS = frozenset({
    "Text", "Path", "Link", "ComponentReference", "ComponentTypeReference", "PathParameter",
    "IndexParameter", "Collection", "PairCollection", "Location",
})  # fmt: skip
SEGMENTS = "neuroml.segments"  # extras key: number of segments of a cell's morphology


@dataclass(slots=True)
class Lowering:
    """Lowers the components of one document; types and referenced components are done once."""

    types: Types
    log: Log
    _dynamics: dict[str, LoweredDynamics] = field(default_factory=dict)
    _blanks: dict[str, model.Component] = field(default_factory=dict)
    _components: dict[str, model.Component] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def by_id(self, name: str, span: Span | None = None) -> model.Component:
        """The top-level component called `name`, lowered. Raises ModelError L140, L141."""
        found = self._components.get(name)
        if found is not None:
            return found
        written = self.types.document.components.get(name)
        if written is None:
            hint = suggest(name, self.types.document.components)
            raise error("L140", f"there is no component '{name}'", span, hint=hint)
        if name in self._open:
            path = " -> ".join([*self._open, name])
            raise error("L141", f"components contain each other: {path}", written.span)
        self._open.append(name)
        try:
            found = self.lower(written, written.type or written.tag)
        finally:
            self._open.pop()
        self._components[name] = found
        return found

    def dynamics(self, resolved: ResolvedType) -> LoweredDynamics:
        """The type's dynamics, lowered once."""
        found = self._dynamics.get(resolved.name)
        if found is None:
            found = self._dynamics[resolved.name] = lower_dynamics(resolved, self.types, self.log)
        return found

    def lower(self, written: syntax.Component, type_name: str, depth: int = 0) -> model.Component:
        """One component with everything in it."""
        if depth > MAX_DEPTH:
            message = f"components are nested more than {MAX_DEPTH} deep"
            raise error("L142", message, written.span)
        written = self._with_base(written)
        resolved = self.types.resolve(type_name, written.span)
        dynamics = self.dynamics(resolved)
        parameters, texts = self.values(written, resolved)
        children = [*self._children(written, resolved, depth), *self._references(written, resolved)]
        component = replace(
            self._blank(resolved),
            name=written.id or written.tag,
            description=resolved.description or written.notes,
            parameters=tuple(parameters),
            children=tuple(children),
            event_routes=_routes(resolved, texts),
            texts=texts,
            extras={**self._extras(children, resolved), **said(written, resolved)},
            span=written.span,
        )
        component = remembered(component)
        component = _timed(component) if "spike" in resolved.lineage else component
        if not resolved.is_standard:
            self._check_selects(component)
        for scheme in dynamics.schemes:
            component = kinetic_odes(component, scheme)
        return component

    def _blank(self, resolved: ResolvedType) -> model.Component:
        """What all components of a type have in common, lowered once."""
        found = self._blanks.get(resolved.name)
        if found is not None:
            return found
        dynamics = self.dynamics(resolved)
        found = self._blanks[resolved.name] = model.Component(
            name=resolved.name,
            type=resolved.name,
            bases=resolved.lineage[1:],
            constants=tuple(self._constants(resolved)),
            derived_parameters=tuple(self._derived_parameters(resolved)),
            state_variables=dynamics.state_variables,
            derived_variables=dynamics.derived_variables,
            odes=dynamics.odes,
            on_conditions=dynamics.on_conditions,
            on_events=dynamics.on_events,
            machines=dynamics.machines,
            event_inputs=_ports(resolved, "in"),
            event_outputs=_ports(resolved, "out"),
            analog_inputs=tuple(self._requirements(resolved)),
            exposures=dynamics.exposures,
            attachments=tuple(
                model.Attachment(name=member.name, type=member.type, span=member.span)
                for member in resolved.of_kind("Attachments")
            ),
        )
        return found

    def _check_selects(self, component: model.Component) -> None:
        """A required select must lead somewhere (own types; standard cells leave out what they lack)."""
        selects = [
            (item, item.value)
            for item in component.derived_variables
            if isinstance(item.value, Select) and not item.value.reduce and item.value.required
        ]
        if not selects:
            return
        root = tree(component)
        name_all(list(walk(root)))
        for item, select in selects:
            found = resolve(root, select.path)
            if not found.names and not found.input:
                known = [child.id for child in component.children]
                message = f"'{item.name}' of '{component.type}' selects '{select.path}', which does not exist"
                hint = suggest(select.path.split("/")[0], known) or f"children: {', '.join(known)}"
                self.log.add("L150", Level.ERROR, message, item.span, hint=hint)

    def _with_base(self, written: syntax.Component) -> syntax.Component:
        """A component that extends another one takes over its values and children."""
        seen = [written.id]
        while written.extends:
            base = self.types.document.components.get(written.extends)
            if base is None or base.id in seen:
                what = "itself" if base else f"'{written.extends}', which does not exist"
                raise error("L143", f"component '{written.id}' extends {what}", written.span)
            seen.append(base.id)
            written = replace(
                written,
                type=written.type or base.type or base.tag,
                extends=base.extends,
                attributes={**base.attributes, **written.attributes},
                children=base.children + written.children,
            )
        return written

    def values(
        self, written: syntax.Component, resolved: ResolvedType
    ) -> tuple[list[model.Parameter], dict[str, str]]:
        """Parameters and properties with their values, and the text attributes."""
        fixed = {member.name: member for member in resolved.of_kind("Fixed")}
        given = dict(written.attributes)
        parameters, texts = [], {}
        for member in resolved.members:
            if member.kind in TEXT_KINDS:
                if member.name in given:
                    texts[member.name] = given.pop(member.name).text
            elif member.kind in ("Parameter", "Property"):
                text = given.pop(member.name, None)
                pinned = fixed.get(member.name)
                if pinned is not None:
                    value = self._quantity(pinned.value, member, pinned.span)
                elif text is not None:
                    value = self._quantity(text.text, member, text.span)
                elif member.kind == "Property":
                    value = self._quantity(member.value or "0", member, member.span)
                else:
                    self._missing(member, written, resolved)
                    continue
                parameters.append(_parameter(member, value, self.types))
        self._left_over(given, written, resolved)
        return parameters, texts

    def _quantity(self, text: str, member: syntax.Member, span: Span | None) -> Quantity:
        if member.dimension == "*":
            return self.types.quantity(text, None, span)
        expected = self.types.dimension(member.dimension, member.span)
        return self.types.quantity(text, expected, span)

    def _missing(
        self, member: syntax.Member, written: syntax.Component, resolved: ResolvedType
    ) -> None:
        name = written.id or written.tag
        message = f"component '{name}' ({resolved.name}) lacks the parameter '{member.name}'"
        hint = suggest(member.name, written.attributes) or f"its dimension is {member.dimension}"
        self.log.add("L144", Level.ERROR, message, written.span, hint=hint)

    def _left_over(
        self, given: dict[str, syntax.Text], written: syntax.Component, resolved: ResolvedType
    ) -> None:
        known = [member.name for member in resolved.members]
        exempt = {"name", "neuroLexId", "metaid", "description"}
        exempt |= {member.name for member in resolved.of_kind("Child")}
        for name, text in given.items():
            if name in exempt or ":" in name:
                continue
            message = f"'{resolved.name}' has no parameter '{name}'; it is ignored"
            self.log.add("L145", Level.WARNING, message, text.span, hint=suggest(name, known))

    def _constants(self, resolved: ResolvedType) -> Iterator[model.Constant]:
        for member in resolved.of_kind("Constant"):
            dimension = self.types.dimension(member.dimension, member.span)
            value = self._constant(member.value, dimension, member.span)
            yield model.Constant(
                name=member.name, dimension=dimension, value=value,
                description=member.description, span=member.span,
            )  # fmt: skip
        own = {member.name for member in resolved.of_kind("Constant", "Parameter", "Property")}
        for name, (text, dimension_name, span) in self.types.document.constants.items():
            if name not in own and not resolved.is_standard:
                dimension = self.types.dimension(dimension_name, span)
                value = self._constant(text, dimension, span)
                yield model.Constant(name=name, dimension=dimension, value=value, span=span)

    def _constant(self, text: str, dimension: Dimension, span: Span | None) -> Quantity:
        """A constant's value; without a unit it is in SI, as jLEMS reads it, with a warning."""
        value = self.types.quantity(text, None, span)
        if value.unit == PURE and dimension != NONE:
            message = f"the constant '{text}' has no unit; it is read in SI units"
            self.log.add("L126", Level.WARNING, message, span)
            return si_quantity(value.value, dimension)
        return self.types.quantity(text, dimension, span)

    def _derived_parameters(self, resolved: ResolvedType) -> Iterator[model.DerivedParameter]:
        for member in resolved.of_kind("DerivedParameter"):
            dimension = self.types.dimension(member.dimension, member.span)
            value: Expr = (
                Select(member.select, span=member.span)
                if member.select
                else parse_expression(member.value, member.span)
            )
            yield model.DerivedParameter(
                name=member.name, dimension=dimension, value=value,
                description=member.description, span=member.span,
            )  # fmt: skip

    def _requirements(self, resolved: ResolvedType) -> Iterator[model.AnalogInput]:
        for member in resolved.of_kind("Requirement"):
            dimension = self.types.dimension(member.dimension, member.span)
            yield model.AnalogInput(name=member.name, dimension=dimension, span=member.span)
        for member in resolved.of_kind("InstanceRequirement"):
            # a peer: `select="peer/x"` becomes the input `peer_x` when the component is flattened
            yield model.AnalogInput(name=member.name, reduce="peer", span=member.span)

    def _extras(self, children: list[model.Child], resolved: ResolvedType) -> dict[str, str]:
        segments = sum(1 for child in children if "segment" in _lineage(child.component))
        inner = [child.component.extras.get(SEGMENTS) for child in children]
        counts = [segments, *(int(count) for count in inner if count)]
        return {SEGMENTS: str(max(counts))} if max(counts) else {}

    def _children(
        self, written: syntax.Component, resolved: ResolvedType, depth: int
    ) -> Iterator[model.Child]:
        slots = {member.name: member for member in resolved.of_kind("Child")}
        lists = list(resolved.of_kind("Children"))
        used: set[str] = set()
        for number, child in enumerate(written.children):
            slot = slots.get(child.tag)
            if slot is not None:
                type_name = child.type or slot.type
                component = self.lower(child, type_name, depth + 1)
                yield model.Child(name=slot.name, id=child.id or slot.name, component=component)
                continue
            place = self._list_for(child, lists, slots)
            if place is None:
                known = [*slots, *(member.name for member in lists)]
                message = f"<{child.tag}> has no place in '{resolved.name}' and is ignored"
                hint = suggest(child.tag, known)
                self.log.add("L146", Level.WARNING, message, child.span, hint=hint)
                continue
            name, type_name = place
            component = self.lower(child, type_name, depth + 1)
            identity = child.id or f"{child.tag}{number}"
            if identity in used:
                # cells name a species once for each group of segments
                first, identity = identity, f"{identity}_{number + 1}"
                message = f"two children of '{written.id or written.tag}' are called '{first}'"
                hint = f"this one is known as '{identity}' here"
                self.log.add("L148", Level.WARNING, message, child.span, hint=hint)
            used.add(identity)
            is_list = name not in slots
            yield model.Child(
                name=name, id=identity, component=component, is_list=is_list, texts=component.texts
            )

    def _list_for(
        self,
        child: syntax.Component,
        lists: list[syntax.Member],
        slots: dict[str, syntax.Member],
    ) -> tuple[str, str] | None:
        """The list (or single slot) that takes a nested element, and the element's type."""
        for member in lists:
            if child.tag == member.name and self.types.find(child.type or member.type):
                return member.name, child.type or member.type
        type_name = child.type or child.tag
        if self.types.find(type_name) is None:
            return None
        for member in [*lists, *slots.values()]:
            if self.types.is_a(type_name, member.type):
                return member.name, type_name
        return None

    def _references(
        self, written: syntax.Component, resolved: ResolvedType
    ) -> Iterator[model.Child]:
        """Referenced components that become children.

        `ChildInstance component="ref"`, and a child given as an attribute (`morphology="m1"`, NeuroML 2.3).
        """
        for slot in resolved.of_kind("Child"):
            text = written.attributes.get(slot.name)
            if text is not None and not any(c.tag == slot.name for c in written.children):
                component = self.by_id(text.text, text.span)
                yield model.Child(name=slot.name, id=text.text, component=component)
        for build in resolved.structure:
            if build.tag != "ChildInstance":
                continue
            reference = build.attributes.get("component", "")
            text = written.attributes.get(reference)
            if text is None:
                if any(child.tag == reference for child in written.children):
                    continue
                message = f"'{written.id or written.tag}' lacks the reference '{reference}'"
                raise error("L144", message, written.span)
            component = self.by_id(text.text, text.span)
            yield model.Child(name=reference, id=text.text, component=component)


def _timed(component: model.Component) -> model.Component:
    """A standard `spike` fires once at a known time: a timed event instead of a state machine."""
    times = [item.value.si for item in component.parameters if item.name == "time" and item.value]
    emit = model.TimedEvents(times=tuple(times), body=(model.Emit(port="spike"),))
    return replace(
        component,
        parameters=(),
        state_variables=(),
        odes=(),
        on_conditions=(),
        exposures=(),
        timed_events=(emit,),
    )


def _lineage(component: model.Component) -> tuple[str, ...]:
    return (component.type, *component.bases)


def _parameter(member: syntax.Member, value: Quantity, types: Types) -> model.Parameter:
    is_any = member.dimension == "*"
    dimension = value.dimension if is_any else types.dimension(member.dimension, member.span)
    return model.Parameter(
        name=member.name, dimension=dimension, value=value, description=member.description,
        span=member.span,
    )  # fmt: skip


def _ports(resolved: ResolvedType, direction: str) -> tuple[model.EventPort, ...]:
    return tuple(
        model.EventPort(name=member.name, span=member.span)
        for member in resolved.of_kind("EventPort")
        if member.direction == direction
    )


def _routes(resolved: ResolvedType, texts: dict[str, str]) -> tuple[model.EventRoute, ...]:
    """EventConnections of a Structure between a component and its relatives (no receiver, no delay)."""
    places: dict[str, str] = {}
    routes = []
    for build in resolved.structure:
        attributes = build.attributes
        if build.tag == "With" and "instance" in attributes:
            places[attributes.get("as", "")] = _relative(attributes["instance"], texts)
        elif build.tag == "EventConnection" and "receiver" not in attributes:
            source, target = attributes.get("from", ""), attributes.get("to", "")
            if source in places and target in places and "delay" not in attributes:
                routes.append(
                    model.EventRoute(
                        source=places[source],
                        source_port=attributes.get("sourcePort", ""),
                        target=places[target],
                        target_port=attributes.get("targetPort", ""),
                    )
                )
    return tuple(routes)


def _relative(instance: str, texts: dict[str, str]) -> str:
    """A With instance as a path relative to the component: "" itself, ".." its parent."""
    if instance == "this":
        return ""
    if instance == "parent":
        return ".."
    return texts.get(instance, instance).removeprefix("./")
