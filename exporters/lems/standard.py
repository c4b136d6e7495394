"""Components that are what a NeuroML type says, equation by equation: written as that type's element.

The test is to write the element, read it with the library's definition of the type, and compare.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import isclose

from ...canonical_model.diagnostics import Log, ModelError
from ...canonical_model.model import Child, Component, Model
from ...canonical_model.units import NONE, Quantity, si_quantity
from ...lems_types import syntax
from ...lems_types.definitions import Definitions
from ...lems_types.library_reader import standard_type, standard_units
from ...lems_types.lower import Lowering
from ...lems_types.types import ResolvedType, Types
from .markup import number
from .quantities import Quantities

TOLERANCE = 1e-12
SPIKE = "spike"


@dataclass(slots=True)
class Standards:
    """Tells standard components from others; `plain` writes values in NeuroML's units only."""

    lowering: Lowering = field(init=False)
    plain: Quantities = field(default_factory=Quantities)

    def __post_init__(self) -> None:
        self.lowering = Lowering(Types(Definitions()), Log())

    def know(self, model: Model) -> None:
        """Let elements refer to the model's components."""
        for component in model.components:
            if standard_type(component.type) is not None:
                try:
                    written = self.written(component, component.type, component.name)
                except ModelError:
                    continue
                self.lowering.types.document.components[component.name] = written

    def resolved(self, name: str) -> ResolvedType:
        """A standard type with what it inherits."""
        return self.lowering.types.resolve(name)

    def whole(self, component: Component) -> bool:
        """Is the component, with all that is in it, what its standard type says?"""
        return self._matches(component, with_children=True)

    def shell(self, component: Component) -> bool:
        """The same without regard to its children."""
        return self._matches(component, with_children=False)

    def _matches(self, component: Component, with_children: bool) -> bool:
        if standard_type(component.type) is None:
            return False
        try:
            written = self.written(component, component.type, component.name)
            if not with_children:
                written = replace(written, children=())
            log = Log()
            lowering = Lowering(self.lowering.types, log)
            found = lowering.lower(written, component.type)
        except ModelError:
            return False
        if any(issue.level.value == "error" for issue in log):
            return False
        if not with_children:
            component = replace(component, children=(), extras=found.extras)
            found = replace(found, children=())
        return alike(found, component)

    def written(self, component: Component, tag: str, identity: str) -> syntax.Component:
        """The element of a component of a standard type."""
        resolved = self.resolved(component.type)
        return syntax.Component(
            tag=tag,
            id=identity,
            type=component.type if tag != component.type else "",
            attributes={
                name: syntax.Text(text)
                for name, text in self.attributes(component, resolved, self.plain_text).items()
            },
            children=tuple(
                self.written(child.component, *place(child, resolved))
                for child in component.children
                if standard_type(child.component.type) is not None
                and not is_reference(child, component)
            ),
        )

    def attributes(
        self, component: Component, resolved: ResolvedType, show: Callable[[Quantity], str]
    ) -> dict[str, str]:
        """Values and texts, without those that the type fixes or has by default."""
        if resolved.name == SPIKE and component.timed_events:
            times = component.timed_events[0].times
            return {"time": seconds_text(times[0])} if times else {}
        members = {m.name: m for m in resolved.of_kind("Parameter", "Property")}
        fixed = {m.name for m in resolved.of_kind("Fixed")}
        found: dict[str, str] = {}
        for item in component.parameters:
            member = members.get(item.name)
            if item.value is None or item.name in fixed:
                continue
            is_property = member is not None and member.kind == "Property"
            if is_property and member and item.value.si == float(member.value or "0"):
                continue
            found[item.name] = show(item.value)
        return found | dict(component.texts)

    def plain_text(self, quantity: Quantity) -> str:
        """A quantity in NeuroML's units."""
        unit = quantity.unit
        if standard_units().get(unit.symbol) == unit or unit.dimension == NONE:
            return self.plain.text(quantity)
        return self.plain.text(si_quantity(quantity.si, quantity.dimension))


def seconds_text(value: float) -> str:
    """A time that reads back as the same number of seconds, in ms where that is exact."""
    scaled = round(value * 1e3, 9)
    return f"{number(scaled)}ms" if scaled * 1e-3 == value else f"{number(value)}s"


def place(child: Child, resolved: ResolvedType) -> tuple[str, str]:
    """Tag and id of a child's element."""
    slots = {member.name: member for member in resolved.of_kind("Child")}
    name = child.component.name
    if child.name in slots:
        return child.name, "" if name == child.name else name
    if is_unnamed(child):
        return name, ""
    return child.component.type, "" if name == child.component.type else name


def is_unnamed(child: Child) -> bool:
    """A child in a list whose id was made from its element's name and place."""
    name = child.component.name
    return (
        child.is_list
        and child.id != name
        and re.fullmatch(re.escape(name) + r"\d+", child.id) is not None
    )


def is_reference(child: Child, component: Component) -> bool:
    """A child that an attribute of its parent refers to."""
    return component.texts.get(child.name) == child.id


def alike(found: Component, wanted: Component) -> bool:
    """Equal but for units and rounding of values."""
    if len(found.parameters) != len(wanted.parameters):
        return False
    own = {item.name: item for item in found.parameters}
    for item in wanted.parameters:
        other = own.get(item.name)
        if other is None or (other.value is None) != (item.value is None):
            return False
        if item.value is not None and other.value is not None:
            close = isclose(item.value.si, other.value.si, rel_tol=TOLERANCE, abs_tol=0.0)
            if not close or item.value.dimension != other.value.dimension:
                return False
    if len(found.children) != len(wanted.children):
        return False
    for one, two in zip(found.children, wanted.children, strict=True):
        same_place = (one.name, one.id, one.is_list) == (two.name, two.id, two.is_list)
        if not same_place or not alike(one.component, two.component):
            return False
    bare = {"parameters": (), "children": (), "description": ""}
    return replace(found, **bare) == replace(wanted, **bare)  # type: ignore[arg-type]


__all__ = ["Standards", "alike", "is_reference", "is_unnamed", "place", "seconds_text"]
