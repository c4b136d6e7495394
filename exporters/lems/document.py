"""The document under construction: types, components, and what each component became."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...canonical_model.diagnostics import Issue, Level, Log, ModelError, refuse
from ...canonical_model.model import Child, Component, Model
from ...canonical_model.passes.probes import split_path
from ...canonical_model.passes.raising import raise_program
from ...lems_types.library_reader import standard_files, standard_type, standard_type_names
from .annotations import annotate
from .joints import Joints, named
from .kinetic import find_scheme
from .markup import Node
from .names import Names
from .prepare import prepare
from .quantities import Quantities
from .recognise import Recognised, recognise
from .roles import Fitting, Role, fit, placed, roles
from .selects import empty_lists, named_slots
from .standard import Standards, is_reference, is_unnamed, place
from .types import Place, Writer, is_property

PYNN = "PyNN.xml"
LEMS = ("LEMS", "NeuroML2")
EMPTY = "baseStandalone"  # what a list takes of which nothing is known


@dataclass(frozen=True, slots=True)
class Written:
    """What a component became: the names under which others meet its parts."""

    id: str
    role: Role
    fitting: Fitting | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[str, ...] = ()
    is_standard: bool = False
    component: Component | None = None

    def port(self, name: str) -> str:
        """The document's name of an event port."""
        return self.fitting.ports.get(name, name) if self.fitting else name

    def has(self, inner: str) -> bool:
        """Is there such a quantity? Of standard and composite ones that is not known here."""
        if self.is_standard and self.fitting is not None:
            return inner in self.names
        if self.fitting is None or self.component is None or "/" in inner or ":" in inner:
            return True
        return inner in {e.name for e in self.component.exposures} or inner in self.names

    def path(self, inner: str) -> str:
        """The document's path of a quantity inside of the component."""
        if self.fitting is None or "/" in inner:
            return inner
        known = {e.name for e in self.component.exposures} if self.component else set()
        return inner if inner in known else self.names.get(inner, inner)


@dataclass(slots=True)
class Document:
    """Types and components written so far; `step` is what programs count in."""

    model: Model
    log: Log
    joints: Joints = field(default_factory=Joints)
    step: float | None = None
    quantities: Quantities = field(default_factory=Quantities)
    standards: Standards = field(default_factory=Standards)
    ids: Names = field(default_factory=Names)
    type_names: Names = field(default_factory=Names)
    types: list[Node] = field(default_factory=list)
    components: list[Node] = field(default_factory=list)
    written: dict[str, Written] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    stubs: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.standards.know(self.model)
        self.type_names.taken.update(standard_type_names())
        self.roles = roles(self.model)
        for component in self.model.components:
            self.ids.get(component.name, f"component {component.name}")

    @property
    def is_lems(self) -> bool:
        """Does the model come from LEMS, with types of its own?"""
        return self.model.provenance.language in LEMS

    def add(self, component: Component) -> None:
        """A top-level component with its type, if that is not NeuroML's. Raises ModelError P2xx, K1xx."""
        node = self.element(
            component, "", self.ids.get(component.name, f"component {component.name}")
        )
        if node is not None:
            self.components.append(node)

    def element(
        self, component: Component, tag: str, identity: str, is_whole: bool = False
    ) -> Node | None:
        """The element of a component, at the top level (`tag` "") or inside of another one.

        `is_whole`: it is part of one that is, with all in it, what its standard type says.
        """
        is_top = not tag
        is_whole = is_whole or self.standards.whole(component)
        if is_whole or self.standards.shell(component):
            self.used.add(component.type)
            node = self.standard(component, tag or component.type, identity, is_whole)
            if is_top:
                self.keep(component, Written(identity, self.role(component), is_standard=True,
                          attachments=tuple(a.name for a in component.attachments),
                          component=component))  # fmt: skip
            return node
        if is_top:
            found = self.recognised(component, identity)
            if found is not None:
                return found
        return self.own(component, tag, identity, is_top)

    def recognised(self, component: Component, identity: str) -> Node | None:
        """The element of the NeuroML type that the component's equations are; None if there is none."""
        if component.children or (component.update is not None and component.kernels):
            return None
        role = self.role(component)
        heard = Log()
        try:
            raised = raise_program(component, heard) if component.update is not None else component
        except ModelError:
            return None
        found = recognise(raised, role is Role.CELL)
        if found is None or not self.agrees(component, role, found):
            return None
        for issue in heard:
            self.log.add(*(getattr(issue, name) for name in Issue.__slots__))
        names = {port.name: "spike" for port in component.event_outputs}
        if role is not Role.CELL:
            names = {port.name: "in" for port in component.event_inputs}
        slots = tuple(a.name for a in found.component.attachments)
        self.used.add(found.type)
        fitting = Fitting("", ports=names)
        self.keep(component, Written(identity, role, fitting, dict(found.names), slots,
                  is_standard=True))  # fmt: skip
        pairs = ", ".join(f"'{a}' is '{b}'" for a, b in found.names.items() if a != b)
        message = f"'{component.name}' is NeuroML's {found.type}" + (f": {pairs}" if pairs else "")
        self.log.add("P226", Level.NOTE, message, component.span)
        node = Node(found.type, {"id": identity})
        for name, value in found.values.items():
            node.attributes[name] = self.quantities.text(value)
        if component.description:
            node.add(Node("notes", body=component.description))
        annotate(node, component, lambda n: found.names.get(n, n), lambda n: names.get(n, n))
        return node

    def agrees(self, component: Component, role: Role, found: Recognised) -> bool:
        """Are the parts that the network uses those that the type has?"""
        lists = [v for (c, _), v in self.joints.lists.items() if c == component.name]
        slots = {a.name for a in found.component.attachments}
        if any(slot not in slots or quantity not in ("i", "I") for slot, quantity, _ in lists):
            return False
        shown = {e.name for e in found.component.exposures}
        needs = {i.name for i in found.component.analog_inputs}
        gives = set(named(self.joints.shown, component.name).values())
        reads = set(named(self.joints.read, component.name).values())
        if not gives <= shown or not reads <= needs:
            return False
        return self.recorded(component.name) <= found.names.keys()

    def recorded(self, name: str) -> set[str]:
        """What the experiment records of instances of a component."""
        network = self.model.network
        if network is None or network.experiment is None:
            return set()
        experiment = network.experiment
        found = set()
        for item in (*experiment.recordings, *experiment.displays):
            place = split_path(item.path, network)
            if place is not None and network.population(place[0]).component == name:
                found.add(place[2])
        return found

    def keep(self, component: Component, written: Written) -> None:
        """Remember what a top-level component became."""
        self.written[component.name] = written

    def role(self, component: Component) -> Role:
        """Where instances of the component stand."""
        return self.roles.get(component.name, Role.CELL)

    def standard(self, component: Component, tag: str, identity: str, is_whole: bool) -> Node:
        """An element of a standard type; states of a kinetic scheme without what the scheme gives them."""
        kinetic = find_scheme(component)
        component = kinetic[0] if kinetic else component
        resolved = self.standards.resolved(component.type)
        node = Node(tag, {"id": identity} if identity else {})
        if tag != component.type:
            node.attributes["type"] = component.type
        node.attributes |= self.standards.attributes(component, resolved, self.quantities.text)
        if component.description:
            node.add(Node("notes", body=component.description))
        annotate(node, component, str, str)
        for child in component.children:
            if not is_reference(child, component):
                inner_tag, inner_id = place(child, resolved)
                self.inner(node, child, inner_tag, inner_id, is_whole)
        return node

    def inner(
        self, node: Node, child: Child, tag: str, identity: str, is_whole: bool = False
    ) -> None:
        """A child's element; one of an own type in a list is named by that type."""
        is_slot = tag == child.name and not child.is_list
        found = self.element(child.component, tag, identity, is_whole)
        if found is None:
            return
        kind = found.attributes.get("type", found.tag)
        if not is_slot and kind != found.tag and not is_unnamed(child):
            found.tag = kind
            found.attributes.pop("type", None)
        node.add(found)

    def own(self, component: Component, tag: str, identity: str, is_top: bool) -> Node | None:
        """An element of a type that the document defines."""
        kinetic = find_scheme(component)
        component = kinetic[0] if kinetic else named_slots(component)
        names = {} if not is_top else named(self.joints.read, component.name)
        prepared = prepare(component, self.log, names, is_lems=self.is_lems, step=self.step)
        children = [(c, self.child(c, component)) for c in component.children]
        fitting = None
        if component.bases:
            where = Place(base=self.base(component))
        elif self.is_lems or not is_top:
            where = Place()
        else:
            fitting = fit(
                prepared.component,
                self.role(component),
                {i: found for (c, i), found in self.joints.lists.items() if c == component.name},
                named(self.joints.shown, component.name),
                names,
                is_placed=self.model.network is not None,
            )
            if not fitting.base and fitting.quantity:
                fitting = replace(fitting, base=self.source_type(fitting.quantity))
            where = Place(base=fitting.base, inputs=fitting.inputs, ports=fitting.ports,
                          exposures=fitting.exposures, held=fitting.held)  # fmt: skip
        members: dict[tuple[str, str, str], None] = {}
        for child, _ in children:
            kind = self.common(component, child.name)
            members["Children" if child.is_list else "Child", child.name, kind] = None
        for name in empty_lists(component):
            members["Children", name, EMPTY] = None
        lists = [(a.name, self.list_type(a.type)) for a in component.attachments]
        known = {name for name, _ in lists}
        for slot, quantity, kind in where.inputs.values():
            if slot not in known:
                known.add(slot)
                lists.append((slot, kind or self.source_type(quantity)))
        where = replace(
            where, children=tuple(members), attachments=tuple(lists),
            scheme=kinetic[1] if kinetic else None,
        )  # fmt: skip
        wanted = component.type or f"{component.name}Type"
        body = Writer(prepared, where, self.quantities, self.log).run("")
        name = self.type(body, wanted)
        if is_top:
            self.keep(component, Written(identity, self.role(component), fitting,
                      dict(prepared.names.given), tuple(known), component=prepared.component))  # fmt: skip
        flat = prepared.component
        missing = [p.name for p in flat.parameters if p.value is None]
        if missing:
            message = f"'{component.name}' has no value for {', '.join(missing)}"
            if self.model.network is not None and component.name in placed(self.model.network):
                hint = "the network has instances of it: give the values"
                raise refuse(
                    "P223", f"{message}, and LEMS wants them all", component.span, hint=hint
                )
            message += ": only its type is written"
            self.log.add("P223", Level.DROPPED, message, component.span)
            return None
        element = Node(tag or name, {"id": identity} if identity else {})
        if tag:
            element.attributes["type"] = name
        for item in flat.parameters:
            if item.value is None or (is_property(item) and item.value.si == 1.0):
                continue
            element.attributes[prepared.names.get(item.name)] = self.quantities.text(item.value)
        element.attributes |= dict(component.texts)
        element.add(*(node for _, node in children))
        if where.base in standard_type_names() or component.bases:
            ports = where.ports
            annotate(element, component, prepared.names.get, lambda n: ports.get(n, n), flat)
        return element

    def child(self, child: Child, parent: Component) -> Node:
        """The element of a child of a component of an own type."""
        name = child.component.name
        if is_unnamed(child):
            node = self.element(child.component, name, "")
        else:
            node = self.element(child.component, child.name, "" if name == child.name else name)
        assert node is not None
        node.attributes.setdefault("type", child.component.type)
        return node

    def type(self, node: Node, wanted: str) -> str:
        """The name of an equal type, or of a new one."""
        for known in self.types:
            asked = self.type_names.given.get(wanted)
            if known.attributes["name"] == asked:
                node.attributes["name"] = asked
                if known == node or _differ_in_empty_lists(known, node):
                    return asked
        if wanted in self.type_names.given and wanted not in self.stubs:
            name = self.type_names.fresh(wanted)
            # a variant stands wherever the type stands
            node.attributes["extends"] = self.type_names.given[wanted]
        elif wanted in self.stubs:
            return self.filled(node, wanted)
        else:
            name = self.type_names.get(wanted)
        node.attributes["name"] = name
        self.types.append(node)
        return name

    def filled(self, node: Node, wanted: str) -> str:
        """The name of a type that so far was only a base of others."""
        self.stubs.discard(wanted)
        name = self.type_names.given[wanted]
        node.attributes["name"] = name
        index = next(k for k, known in enumerate(self.types) if known.attributes["name"] == name)
        self.types[index] = node
        return name

    def base(self, component: Component) -> str:
        """The name of the component's next base; own ones that hold no instances become empty types."""
        name = component.bases[0]
        if standard_type(name) is not None:
            self.used.add(name)
            return name
        if name not in self.type_names.given:
            self.stub(name, component.bases[1:])
        return self.type_names.given[name]

    def stub(self, name: str, bases: tuple[str, ...]) -> str:
        """An empty type of which others are a kind."""
        node = Node("ComponentType", {"name": self.type_names.get(name)})
        self.types.append(node)
        if bases:
            carrier = Component(name=name, bases=bases)
            node.attributes["extends"] = self.base(carrier)
            # a base stands before those who extend it
            self.types.remove(node)
            self.types.append(node)
        self.stubs.add(name)
        return self.type_names.given[name]

    def list_type(self, name: str) -> str:
        """The type of what a list takes."""
        if not name or standard_type(name) is not None:
            return name or "basePointCurrent"
        if name not in self.type_names.given:
            self.stub(name, ())
        return self.type_names.given[name]

    def source_type(self, quantity: str) -> str:
        """The type of what a list for an unusual quantity takes."""
        return self.list_type(f"{quantity}Source")

    def common(self, component: Component, slot: str) -> str:
        """The most general type of which all that stands in a slot or list is a kind.

        Own types go first, so that components whose parts differ are of one type.
        """
        lineages = [
            (c.component.type, *c.component.bases) for c in component.children if c.name == slot
        ]
        shared = [n for n in lineages[0] if all(n in other for other in lineages)]
        own = [name for name in shared if standard_type(name) is None]
        standard = [name for name in shared if name not in own and name != "baseStandalone"]
        if own:
            return self.list_type(own[-1])
        return standard[0] if standard else "baseStandalone"

    def direct_type(self, name: str, is_delayed: bool) -> None:
        """A type of connection that takes events straight to a port."""
        if name in self.type_names.given:
            return
        node = Node("ComponentType", {"name": self.type_names.get(name)})
        node.attributes["extends"] = "explicitConnection"
        node.add(
            Node("Path", {"name": "from"}),
            Node("Path", {"name": "to"}),
            Node("Text", {"name": "sourcePort"}),
            Node("Text", {"name": "targetPort"}),
        )
        ports = {"sourcePort": "sourcePort", "targetPort": "targetPort"}
        if is_delayed:
            node.add(Node("Parameter", {"name": "delay", "dimension": "time"}))
            ports["delay"] = "delay"
        node.add(
            Node("Structure").add(
                Node("With", {"instance": "from", "as": "a"}),
                Node("With", {"instance": "to", "as": "b"}),
                Node("EventConnection", {"from": "a", "to": "b", **ports}),
            )
        )
        self.types.append(node)

    def includes(self) -> list[str]:
        """The core files that the document needs."""
        own = set(standard_files()[PYNN]) - set(standard_files()["Cells.xml"])
        own -= set(standard_files()["Synapses.xml"])
        return ["NeuroML2CoreTypes.xml", *([PYNN] if own & self.used else []), "Simulation.xml"]


def _differ_in_empty_lists(known: Node, node: Node) -> bool:
    """Equal but for what a list takes that is empty in one of the two; `known` learns the better type."""
    if len(known.children) != len(node.children):
        return False
    learnt = []
    for one, two in zip(known.children, node.children, strict=True):
        if one == two:
            continue
        names = one.attributes.get("name"), two.attributes.get("name")
        kinds = one.attributes.get("type"), two.attributes.get("type")
        if (one.tag, two.tag) != ("Children", "Children") or names[0] != names[1]:
            return False
        if EMPTY not in kinds:
            return False
        learnt.append((one, next(kind for kind in kinds if kind != EMPTY)))
    if known.attributes != node.attributes:
        return False
    for one, kind in learnt:
        one.attributes["type"] = kind or EMPTY
    return True


__all__ = ["Document", "Written"]
