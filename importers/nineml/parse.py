"""Elements to syntax objects: the names, numbers and expressions in them are read here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from ...canonical_model.diagnostics import Level, Log, Span, error
from . import syntax
from .annotations import annotation_text, own_notes
from .mathinline import FUNCTION_NAMES, parse_math
from .schema import CLASSES, CONNECTIONS, EXPOSURES, FROMS, PROPERTIES
from .tree import INTEGER, NUMBER, TRUTH, Element, Scalar

IDENTIFIER = re.compile(r"[A-Za-z](?:\w*[A-Za-z0-9])?", re.ASCII)
NUMERAL = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
# functions that the library takes, but that the 1.0 text does not name, are free as names
RESERVED = frozenset({"t", *FUNCTION_NAMES}) - {"min", "max", "fabs", "tan", "mod"}
MAX_SIZE = 10_000_000
# in this order, whichever layout says it
_RECEIVERS = {"pre": 0, "post": 1, "response": 2, "plasticity": 3}
CLASS_NAME = "class"  # in our annotations

T = TypeVar("T")

_CLASSES = tuple(CLASSES.split())
_PROPERTIES = tuple(PROPERTIES.split())
_EXPOSURES = tuple(EXPOSURES.split())
_ROLES = {
    "FromSource": "pre", "FromDestination": "post", "FromPlasticity": "plasticity",
    "FromResponse": "response",
}  # fmt: skip
_ANALOG = {
    "AnalogSendPort": "send", "AnalogReceivePort": "receive", "AnalogReducePort": "reduce",
}  # fmt: skip
_EVENT = {"EventSendPort": "send", "EventReceivePort": "receive"}


class Parser:
    """Reads the things of one document; mistakes inside a thing go to `log`."""

    def __init__(self, file: str, log: Log) -> None:
        self.file = file
        self.log = log
        self.readers: dict[str, Callable[[Element], syntax.Thing]] = {
            "ComponentClass": self.component_class, "Dynamics": self.dynamics,
            "ConnectionRule": partial(self.library, "rule"),
            "RandomDistribution": partial(self.library, "distribution"),
            "MultiDynamics": self.multi, "MultiDynamicsProperties": self.multi,
            **dict.fromkeys(_PROPERTIES[:4], self.properties),
            "Population": self.population, "ComponentArray": self.population,
            "Selection": self.selection, "Projection": self.projection,
            "EventConnectionGroup": self.group, "AnalogConnectionGroup": self.group,
            "Network": self.network,
        }  # fmt: skip

    def thing(self, element: Element) -> syntax.Thing:
        """Whatever stands at the level of the document, or inline."""
        return self.readers[element.tag](element)

    # --- names and numbers

    def name(self, element: Element, attribute: str = "name", *, symbol: bool = False) -> str:
        """A checked identifier; `symbol` ones may not be `t` or a function's name."""
        text = element.get(attribute)
        if not IDENTIFIER.fullmatch(text):
            message = f"'{text[:60]}' is not a name"
            hint = "a letter first, then letters, digits and '_', no '_' at the end"
            self.log.add("X030", Level.ERROR, message, element.at(attribute), hint=hint)
        elif symbol and text in RESERVED:
            message = f"'{text}' has a meaning of its own and cannot be declared"
            self.log.add("X031", Level.ERROR, message, element.at(attribute))
        return text

    def number(self, value: Scalar | None, span: Span, what: str) -> float:
        """A plain decimal number. Raises ModelError X032."""
        text = value.text.strip() if value else ""
        place = value.span if value and value.span else span
        if value is None or value.kind == TRUTH or not NUMERAL.fullmatch(text):
            hint = "a plain decimal number such as -65.0 or 1e-3"
            raise error("X032", f"{what} is '{text[:60]}', not a number", place, hint=hint)
        if value.kind == INTEGER and text.lstrip("+-")[:1] == "0" and len(text.lstrip("+-")) > 1:
            message = f"{what} is '{text[:60]}': some readers take a leading 0 for octal"
            raise error("X032", message, place, hint="leave the leading 0 out")
        found = float(text)
        if found in (float("inf"), float("-inf")):
            raise error("X032", f"{what} is too large: '{text[:60]}'", place)
        return found

    def integer(self, value: Scalar | None, span: Span, what: str) -> int:
        """A whole number. Raises ModelError X032."""
        found = self.number(value, span, what)
        if found != int(found):
            place = value.span if value and value.span else span
            raise error("X032", f"{what} is {found:g}, not a whole number", place)
        return int(found)

    # --- abstraction layer

    def component_class(self, element: Element) -> syntax.Thing:
        """A 1.0 class: what it is lies in its one body."""
        body = element.find("Dynamics", "ConnectionRule", "RandomDistribution")
        assert body is not None  # check_tree has made sure
        if body.tag != "Dynamics":
            return self.library("rule" if body.tag == "ConnectionRule" else "distribution",
                                body, element)  # fmt: skip
        return self.dynamics(body, element)

    def library(self, kind: str, body: Element, outer: Element | None = None) -> syntax.Library:
        """A connection rule or distribution; `outer` is the class around it in 1.0."""
        owner = outer or body
        return syntax.Library(
            name=self.name(owner),
            kind=kind,
            url=body.get("standard_library"),
            parameters=self.declared(owner.all("Parameter")),
            span=owner.span,
            url_span=body.at("standard_library"),
        )

    def dynamics(self, body: Element, outer: Element | None = None) -> syntax.Dynamics:
        """Dynamics; `outer` is the class around it in 1.0."""
        owner = outer or body
        name = self.name(owner)
        members = (*owner.children, *(body.children if outer else ()))
        ports = [child for child in members if child.tag in _ANALOG]
        for port in ports:
            if port.tag == "AnalogReducePort" and port.get("operator") not in ("+", "add"):
                message = f"the operator '{port.get('operator')}' of a reduce port is not '+'"
                hint = "inputs are added up: operator: '+'"
                self.log.add("X033", Level.ERROR, message, port.at("operator"), hint=hint)
        return syntax.Dynamics(
            name=name,
            parameters=self.declared(e for e in members if e.tag == "Parameter"),
            analog_ports=self.declared(ports),
            event_ports=tuple(
                syntax.EventPort(self.name(e), _EVENT[e.tag], e.span)
                for e in members
                if e.tag in _EVENT
            ),
            states=self.declared(body.all("StateVariable")),
            regimes=tuple(self.gathered(self.regime, body.all("Regime"))),
            aliases=self.assignments(body.all("Alias"), "name"),
            constants=tuple(self.gathered(self.constant, body.all("Constant"))),
            annotations=annotation_text(owner, body),
            notes=own_notes(owner, body),
            span=owner.span,
        )

    def gathered(self, read: Callable[[Element], T], elements: Iterable[Element]) -> Iterator[T]:
        """What `read` makes of each element; mistakes are kept and the element left out."""
        for element in elements:
            with self.log.gather():
                yield read(element)

    def declared(self, elements: Iterable[Element]) -> tuple[syntax.Declared, ...]:
        """Things with a name and a dimension."""
        return tuple(
            syntax.Declared(
                self.name(element, symbol=True),
                element.get("dimension"),
                element.span,
                _ANALOG.get(element.tag, ""),
            )
            for element in elements
        )

    def constant(self, element: Element) -> syntax.Constant:
        """A constant: its number is the text in 1.0, an attribute in 2.0."""
        name = self.name(element, symbol=True)
        value = element.attributes.get("value", element.body)
        number = self.number(value, element.span, f"the constant '{name}'")
        return syntax.Constant(
            name, number, element.get("units"), element.span, element.at("units")
        )

    def assignments(self, elements: list[Element], attribute: str) -> tuple[syntax.Assignment, ...]:
        """Aliases, derivatives or state assignments."""
        return tuple(self.gathered(partial(self.assignment, attribute), elements))

    def assignment(self, attribute: str, element: Element) -> syntax.Assignment:
        """One of them."""
        is_alias = attribute == "name"
        name = self.name(element, symbol=True) if is_alias else element.get(attribute)
        math = element.find("MathInline")
        assert math is not None
        return syntax.Assignment(name, parse_math(math.body, math.span), element.at(attribute))

    def regime(self, element: Element) -> syntax.Regime:
        """A regime."""
        return syntax.Regime(
            name=self.name(element),
            derivatives=self.assignments(element.all("TimeDerivative"), "variable"),
            aliases=self.assignments(element.all("Alias"), "name"),
            on_conditions=tuple(self.gathered(self.transition, element.all("OnCondition"))),
            on_events=tuple(self.gathered(self.transition, element.all("OnEvent"))),
            span=element.span,
        )

    def transition(self, element: Element) -> syntax.Transition:
        """An OnCondition or OnEvent."""
        trigger = element.find("Trigger")
        math = trigger.find("MathInline") if trigger else None
        return syntax.Transition(
            trigger=parse_math(math.body, math.span) if math else None,
            port=element.get("port"),
            target=element.get("target_regime"),
            assignments=self.assignments(element.all("StateAssignment"), "variable"),
            outputs=tuple((e.get("port"), e.at("port")) for e in element.all("OutputEvent")),
            span=element.span,
            target_span=element.at("target_regime"),
        )

    def multi(self, element: Element) -> syntax.Multi:
        """Joined dynamics, or joined components."""
        is_properties = element.tag == "MultiDynamicsProperties"
        tag = "SubDynamicsProperties" if is_properties else "SubDynamics"
        name, notes = self.name(element), own_notes(element)
        # what the library calls the class of joined components
        implied = notes.get(CLASS_NAME) or f"{name}_dynamics"
        return syntax.Multi(
            name=name,
            class_name=implied if is_properties else name,
            subs=tuple((self.name(sub), self.reference(sub)) for sub in element.all(tag)),
            links=tuple(self.link(e) for e in element.all(*CONNECTIONS.split())),
            exposures=tuple(
                syntax.Exposed(
                    kind=e.tag.removesuffix("PortExposure"),
                    name=e.get("name") or f"{e.get('port')}__{e.get('sub_component')}",
                    sub=e.get("sub_component"),
                    port=e.get("port"),
                    span=e.span,
                )
                for e in element.all(*_EXPOSURES)
            ),
            annotations=annotation_text(element),
            span=element.span,
            is_properties=is_properties,
            notes=notes,
        )

    def link(self, element: Element) -> syntax.Link:
        """An Analog- or EventPortConnection."""
        return syntax.Link(
            sender=element.get("sender_name") or element.get("sender_role"),
            send_port=element.get("send_port"),
            receiver=element.get("receiver_name") or element.get("receiver_role"),
            receive_port=element.get("receive_port"),
            span=element.span,
        )

    # --- user layer

    def reference(self, holder: Element) -> syntax.Reference:
        """What an element refers to, or holds inline."""
        inline = holder.find(*_PROPERTIES, *_CLASSES)
        if inline is not None:
            thing = self.thing(inline)
            return syntax.Reference(thing.name, inline.span, inline=thing, document=self.file)
        found = holder.find("Reference")
        if found is None:
            raise error("X015", f"'{holder.tag}' needs 'Reference'", holder.span)
        return self.pointer(found)

    def pointer(self, element: Element) -> syntax.Reference:
        """A Definition, Prototype or Reference: the name is the text in 1.0, an attribute in 2.0."""
        name = element.get("name") or element.text
        if not name:
            message = f"'{element.tag}' does not say what it refers to"
            hint = "YAML: {'@body': Name}"
            raise error("X034", message, element.span, hint=hint)
        return syntax.Reference(name, element.span, url=element.get("url"), document=self.file)

    def properties(self, element: Element) -> syntax.Properties:
        """A component of any kind."""
        definition, prototype = element.find("Definition"), element.find("Prototype")
        return syntax.Properties(
            name=self.name(element),
            definition=self.pointer(definition) if definition else None,
            prototype=self.pointer(prototype) if prototype else None,
            properties=tuple(self.gathered(self.value, element.all("Property"))),
            initials=tuple(self.gathered(self.value, element.all("Initial"))),
            annotations=annotation_text(element),
            span=element.span,
            notes=own_notes(element),
        )

    def value(self, element: Element) -> syntax.Value:
        """A Property, Initial or Delay in either layout."""
        name = element.get("name") or element.tag.lower()
        holder = element.find("Quantity") or element
        single, array = holder.find("SingleValue"), holder.find("ArrayValue")
        random, outside = holder.find("RandomDistributionValue"), holder.find("ExternalArrayValue")
        if outside is not None:
            message = f"'{name}' takes its values from another file, which is not supported"
            raise error("X035", message, outside.span, hint="write them as ArrayValue")
        if not holder.get("units"):
            raise error("X014", f"'units' of '{name}' is missing", element.span)
        number = self.number(single.body, single.span, f"'{name}'") if single else None
        return syntax.Value(
            name=name,
            units=holder.get("units"),
            span=element.span,
            units_span=holder.at("units"),
            single=number,
            array=self.array(array, name) if array else None,
            random=self.reference(random) if random else None,
        )

    def array(self, element: Element, name: str) -> tuple[float, ...]:
        """The values by index, which counts from 0 without gaps. Raises ModelError X036."""
        found: dict[int, float] = {}
        for row in element.children:
            index = self.integer(row.attributes.get("index"), row.span, "an index")
            if index in found:
                raise error("X036", f"the index {index} of '{name}' is given twice", row.span)
            value = row.attributes.get("value", row.body)
            found[index] = self.number(value, row.span, f"'{name}' at {index}")
        if not found or sorted(found) != list(range(len(found))):
            message = f"the indices of '{name}' are not 0 to {max(len(found) - 1, 0)}"
            raise error("X036", message, element.span)
        return tuple(found[index] for index in range(len(found)))

    def population(self, element: Element) -> syntax.Population:
        """A population or component array."""
        size = element.find("Size")
        if size is None:
            raise error("X015", f"'{element.tag}' needs 'Size'", element.span)
        number = self.integer(size.body, size.span, "the size of a population")
        if not 0 <= number <= MAX_SIZE:
            hint = f"a whole number from 0 to {MAX_SIZE}"
            raise error("X032", f"the size {number} is out of range", size.span, hint=hint)
        return syntax.Population(
            name=self.name(element),
            size=number,
            cell=self.reference(element.find("Cell") or element),
            span=element.span,
            notes=own_notes(element),
        )

    def selection(self, element: Element) -> syntax.Selection:
        """A selection: items in the order of their indices."""
        chain = element.find("Concatenate")
        items: dict[int, syntax.Reference] = {}
        for item in chain.children if chain else ():
            index = self.integer(item.attributes.get("index"), item.span, "an index")
            if index in items:
                raise error("X036", f"the index {index} is given twice", item.span)
            items[index] = self.reference(item)
        if sorted(items) != list(range(len(items))):
            message = f"the indices of a selection are not 0 to {len(items) - 1}"
            raise error("X036", message, element.span)
        ordered = tuple(items[index] for index in range(len(items)))
        return syntax.Selection(self.name(element), ordered, element.span)

    def projection(self, element: Element) -> syntax.Projection:
        """A projection in either layout; `From*` and connections with roles become links."""
        parts = {
            role: element.find(*tags)
            for role, tags in (
                ("pre", ("Source", "Pre")), ("post", ("Destination", "Post")),
                ("response", ("Response",)), ("plasticity", ("Plasticity",)),
            )
        }  # fmt: skip
        links = [self.link(e) for e in element.all(*CONNECTIONS.split())]
        for role, part in parts.items():
            for source in part.all(*FROMS.split()) if part else ():
                links.append(
                    syntax.Link(_ROLES[source.tag], source.get("send_port"), role,
                                source.get("receive_port"), source.span)
                )  # fmt: skip
        found = {role: self.reference(part) for role, part in parts.items() if part}
        connectivity, delay = element.find("Connectivity"), element.find("Delay")
        assert connectivity is not None
        return syntax.Projection(
            name=self.name(element),
            source=found["pre"],
            destination=found["post"],
            connectivity=self.reference(connectivity),
            response=found["response"],
            plasticity=found.get("plasticity"),
            delay=self.value(delay) if delay else None,
            links=tuple(sorted(links, key=lambda link: _RECEIVERS.get(link.receiver, 0))),
            span=element.span,
            notes=own_notes(element),
        )

    def group(self, element: Element) -> syntax.Group:
        """A connection group."""
        source, destination = element.find("Source"), element.find("Destination")
        connectivity, delay = element.find("Connectivity"), element.find("Delay")
        if source is None or destination is None or connectivity is None:
            message = f"'{element.tag}' needs 'Source', 'Destination' and 'Connectivity'"
            raise error("X015", message, element.span)
        return syntax.Group(
            name=self.name(element),
            source=self.reference(source),
            source_port=source.get("port"),
            destination=self.reference(destination),
            destination_port=destination.get("port"),
            connectivity=self.reference(connectivity),
            delay=self.value(delay) if delay else None,
            span=element.span,
        )

    def network(self, element: Element) -> syntax.Network:
        """A network: members by name, or inline."""
        members: list[syntax.Reference] = []
        for child in element.children:
            if child.tag == "Reference":
                members.append(self.pointer(child))
            elif child.tag != "Annotations":
                thing = self.thing(child)
                members.append(syntax.Reference(thing.name, child.span, inline=thing,
                                                document=self.file))  # fmt: skip
        return syntax.Network(self.name(element), tuple(members), element.span)


__all__ = ["IDENTIFIER", "INTEGER", "NUMBER", "Parser"]
