"""What a component is to NeuroML: cell, synapse, input or a part of one; and the base type that fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ...canonical_model.model import AnalogInput, Component, Model
from ...canonical_model.network import Network
from ...canonical_model.query import declared
from ...canonical_model.units import CURRENT, NONE, VOLTAGE, Dimension


class Role(Enum):
    """Where instances of a component stand."""

    CELL = "cell"
    SYNAPSE = "synapse"
    INPUT = "input"


@dataclass(frozen=True, slots=True)
class Fitting:
    """A base type, and what the parts of the component are called under it.

    `inputs` maps an analog input to (list, quantity, type of what the list takes); `held` gives values
    to inputs that nothing feeds.
    """

    base: str
    inputs: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    ports: Mapping[str, str] = field(default_factory=dict)
    exposures: Mapping[str, str] = field(default_factory=dict)
    held: Mapping[str, float] = field(default_factory=dict)
    quantity: str = ""  # what lists of cells add up of an attached part


def roles(model: Model) -> dict[str, Role]:
    """The role of each component: as the network uses it, else as it looks."""
    found = placed(model.network) if model.network is not None else {}
    for component in model.components:
        found.setdefault(component.name, _look(component))
    return found


def placed(network: Network) -> dict[str, Role]:
    """The components that the network has instances of, by the role that they have there."""
    found = {item.component: Role.INPUT for item in network.inputs}
    for projection in network.projections:
        for name in (projection.synapse, projection.pre_synapse):
            if name:
                found[name] = Role.SYNAPSE
    found |= {item.component: Role.CELL for item in network.populations}
    return found


def _look(component: Component) -> Role:
    """The role by what goes in and out."""
    if component.event_outputs:
        return Role.CELL
    sizes = dimensions(component)
    gives = [e for e in component.exposures if sizes.get(e.variable) == CURRENT]
    moves_potential = any(sizes.get(ode.variable) == VOLTAGE for ode in component.odes)
    if gives and not moves_potential and not component.machines:
        return Role.SYNAPSE if component.event_inputs else Role.INPUT
    return Role.CELL


def dimensions(component: Component) -> dict[str, Dimension]:
    """Of everything that a component declares."""
    found = {item.name: item.dimension for item in declared(component)}
    return found | {item.name: item.dimension for item in component.analog_inputs}


def fit(
    component: Component,
    role: Role,
    lists: Mapping[str, tuple[str, str, str]],
    shown: Mapping[str, str],
    read: Mapping[str, str],
    *,
    is_placed: bool = True,
) -> Fitting:
    """The base type and the names that its users expect, for a component that has none of its own.

    `lists`, `shown` and `read` are what the network has settled for its inputs, exposures and requirements.
    A cell that `is_placed` in a network which feeds it nothing takes defaults; alone it keeps requirements.
    """
    if role is Role.CELL:
        return _cell(component, lists, is_placed)
    return _attached(component, role, shown, read)


def cell_names(component: Component) -> dict[str, str]:
    """Exposures of a cell that have another name in NeuroML."""
    if component.bases or component.type:
        return {}
    sizes = dimensions(component)
    return _potential(
        component, {e.name: sizes.get(e.variable, e.dimension) for e in component.exposures}
    )


def _cell(
    component: Component, lists: Mapping[str, tuple[str, str, str]], is_placed: bool
) -> Fitting:
    sizes = dimensions(component)
    shown = {e.name: sizes.get(e.variable, e.dimension) for e in component.exposures}
    ports, exposures = _spike(component), _potential(component, shown)
    names = {exposures.get(name, name): size for name, size in shown.items()}
    if component.event_outputs and names.get("v") == VOLTAGE:
        base = "baseCellMembPot"
    elif component.event_outputs and names.get("V") == NONE and "V" in names:
        base = "baseCellMembPotDL"
    elif component.event_outputs:
        base = "baseSpikingCell"
    else:
        base = "baseCell"
    inputs, held = {}, {}
    for item in component.analog_inputs:
        if item.reduce:
            inputs[item.name] = lists.get(item.name) or default_list(component, item)
        elif is_placed:
            held[item.name] = item.default
    return Fitting(base, inputs, ports, exposures, held)


def _spike(component: Component) -> dict[str, str]:
    """A cell's one output is called spike."""
    names = [port.name for port in component.event_outputs]
    return {names[0]: "spike"} if len(names) == 1 and names[0] != "spike" else {}


def _potential(component: Component, shown: Mapping[str, Dimension]) -> dict[str, str]:
    """The one exposed state that is a voltage is also what NeuroML calls v."""
    if "v" in shown:
        return {}
    moved = {ode.variable for ode in component.odes}
    moved |= {o.variable for m in component.machines for r in m.regimes for o in r.odes}
    found = [
        e.name for e in component.exposures if e.variable in moved and shown[e.name] == VOLTAGE
    ]
    return {found[0]: "v"} if len(found) == 1 else {}


def default_list(component: Component, item: AnalogInput) -> tuple[str, str, str]:
    """The list of attachments that feeds an input."""
    for slot in component.attachments:
        if item.name.startswith(f"{slot.name}_"):
            return slot.name, item.name[len(slot.name) + 1 :], slot.type
    first = next(i for i in component.analog_inputs if i.reduce and i.dimension == item.dimension)
    if item.dimension == CURRENT:
        name = "synapses" if first is item else f"{item.name}_sources"
        return name, "i", "basePointCurrent"
    if item.dimension == NONE:
        name = "synapses" if first is item else f"{item.name}_sources"
        return name, "I", "basePointCurrentDL"
    return f"{item.name}_sources", item.name, ""


def _attached(
    component: Component, role: Role, given: Mapping[str, str], read: Mapping[str, str]
) -> Fitting:
    sizes = dimensions(component)
    shown = {e.name: sizes.get(e.variable, e.dimension) for e in component.exposures}
    needs = {i.name: i.dimension for i in component.analog_inputs if not i.reduce}
    currents = [name for name, size in shown.items() if size == CURRENT]
    pure = [name for name, size in shown.items() if size == NONE]
    ports = {}
    names = [port.name for port in component.event_inputs]
    if role is Role.SYNAPSE and len(names) == 1 and names[0] != "in":
        ports = {names[0]: "in"}
    called = {read.get(name, name): size for name, size in needs.items()}
    has_v = called.get("v") == VOLTAGE
    exposures = {old: new for old, new in given.items() if old != new}
    visible = {exposures.get(name, name): size for name, size in shown.items()}
    if not given and currents and "i" not in visible:
        exposures, visible = {currents[0]: "i"}, {**visible, "i": CURRENT}
    elif not given and not currents and pure and "I" not in visible:
        exposures, visible = {pure[0]: "I"}, {**visible, "I": NONE}
    if visible.get("i") == CURRENT:
        if role is Role.SYNAPSE:
            base = "baseVoltageDepSynapse" if has_v else "baseCurrentBasedSynapse"
        else:
            base = "baseVoltageDepPointCurrent" if has_v else "basePointCurrent"
    else:
        base = "basePointCurrentDL" if visible.get("I") == NONE else ""
    return Fitting(base, {}, ports, exposures, quantity=next(iter(given.values()), ""))


__all__ = ["Fitting", "Role", "cell_names", "default_list", "dimensions", "fit", "roles"]
