"""Cell types from any model of the hub: `native_cell_type("cell.xml")`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pyNN import errors
from pyNN.models import BaseCellType

from ...canonical_model.circuit import AnalogLink, Circuit, Group
from ...canonical_model.diagnostics import Log, error, refuse, suggest
from ...canonical_model.model import AnalogInput, Component, Model
from ...canonical_model.network import Network, Population, Projection
from ...canonical_model.passes.fuse import fuse
from ...canonical_model.passes.wire import wire
from ...canonical_model.units import CURRENT
from .build import SPIKE_SOURCE
from .units import usual_unit
from .waves import step_component

CELL, SENDER, INJECTOR = "cell", "interspike_sender", "interspike_injector"


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A flat cell with its receptors: port by receptor type, values of parameters in SI."""

    component: Component
    ports: Mapping[str, str]
    values: Mapping[str, float]


class NativeCellType(BaseCellType):
    """Base of generated cell types. Parameters and states are in PyNN's units; see `units`."""

    prepared: _Prepared
    units: Mapping[str, str] = {}
    factors: Mapping[str, float] = {}
    output = ""
    injection = ""

    def check(self, values: Mapping[str, Any]) -> None:
        """Raises InvalidParameterValueError for a parameter that the model wants to be given."""
        for name, value in values.items():
            if np.any(np.isnan(np.asarray(value, dtype=float))):
                raise errors.InvalidParameterValueError(f"{name} has no default and must be given")

    def component(self, is_injected: bool) -> Component:
        """The flat component: inputs for currents are always there."""
        del is_injected
        return self.prepared.component

    def component_name(self, name: str) -> str:
        """Names are the model's own."""
        return name

    def si_factor(self, name: str) -> float:
        """What PyNN's unit of a parameter, state or derived variable is in SI."""
        return self.factors.get(name, 1.0)

    def port(self, receptor_type: str) -> str:
        """The event port behind a receptor type."""
        return self.prepared.ports[receptor_type]

    def start_value(self, name: str) -> float:
        """The initial value of a state with default parameters, in PyNN's unit."""
        from ...solvers.compile import compile_circuit
        from ...solvers.discrete import start

        values = {key: np.array([value]) for key, value in self.prepared.values.items()}
        group = Group(name=CELL, component=self.prepared.component, size=1, parameters=values)
        machine = start(compile_circuit(Circuit(name=CELL, groups=(group,)), 1))
        return float(machine.y[machine.engine.groups[0].slices[name]][0]) / self.si_factor(name)


def native_cell_type(
    source: str | Path | Model,
    component: str | None = None,
    *,
    receptors: Mapping[str, str] | None = None,
    name: str | None = None,
) -> type[NativeCellType]:
    """A PyNN cell type for the cell `component` of a model or file in any language of the hub.

    `receptors` maps receptor types to synapse components of the same model, which are built into the cell;
    without it the receptor types are the cell's own event ports. Weights are multipliers of what the
    synapse (or port) takes. Raises ModelError for what cannot be read or has no flat form.
    """
    if not isinstance(source, Model):
        from ...app.load import load

        model: Model = load(source)
    else:
        model = source
    chosen = _choose(model, component)
    prepared = _prepare(model, chosen, receptors or {})
    return _make(name or "".join(c if c.isalnum() else "_" for c in chosen), prepared)


def _choose(model: Model, wanted: str | None) -> str:
    names = [item.name for item in model.components]
    if wanted is None:
        if len(names) == 1:
            return names[0]
        hint = f"choose one of {', '.join(names[:12])}" if names else ""
        raise error("Y204", f"the model has {len(names)} components", hint=hint)
    if wanted not in names:
        raise error("Y204", f"there is no component '{wanted}'", hint=suggest(wanted, names))
    return wanted


def _prepare(model: Model, chosen: str, receptors: Mapping[str, str]) -> _Prepared:
    """Wire one cell with one synapse of each kind and fuse them."""
    first = np.zeros(1, dtype=np.int64)
    sender = replace(SPIKE_SOURCE, name=SENDER)
    quantities = model.network.quantities if model.network else {}
    network = Network(
        name="native",
        populations=(
            Population(name=CELL, component=chosen, size=1),
            *((Population(name=SENDER, component=SENDER, size=1),) if receptors else ()),
        ),
        projections=tuple(
            Projection(
                name=label, source=SENDER, target=CELL, pre=first, post=first, synapse=synapse
            )
            for label, synapse in receptors.items()
        ),
        quantities=quantities,
    )
    whole = replace(model, components=(*model.components, sender), network=network)
    circuit = fuse(_with_injector(wire(whole, Log())))
    group = circuit.group(CELL)
    unfused = [item.name for item in circuit.groups if item.name not in (CELL, SENDER, INJECTOR)]
    if unfused:
        message = (
            f"'{unfused[0]}' keeps instances of its own and cannot be a receptor of '{chosen}'"
        )
        raise refuse("Y306", message)
    ports = {
        label: link.target_port for label, link in zip(receptors, circuit.event_links, strict=True)
    }
    if not receptors:
        ports = {port.name: port.name for port in group.component.event_inputs}
    values = {n: float(np.ravel(v)[0]) for n, v in group.parameters.items()}
    return _Prepared(group.component, ports, values)


def _with_injector(circuit: Circuit) -> Circuit:
    """The circuit with a current into the cell, so that fusing leaves an input for one."""
    inputs = [i.name for i in circuit.group(CELL).component.analog_inputs if _is_current(i)]
    if not inputs:
        return circuit
    first = np.zeros(1, dtype=np.int64)
    source = Group(name=INJECTOR, component=step_component([0], [0.0], 1.0), size=1)
    link = AnalogLink(
        source=INJECTOR, variable="i", target=CELL, input=inputs[0], pre=first, post=first
    )
    return replace(
        circuit,
        groups=(*circuit.groups, source),
        analog_links=(*circuit.analog_links, link),
    )


def _is_current(item: AnalogInput) -> bool:
    """True for an input that sums currents."""
    return bool(item.reduce) and item.dimension == CURRENT


def _make(name: str, prepared: _Prepared) -> type[NativeCellType]:
    component = prepared.component
    units: dict[str, str] = {}
    factors: dict[str, float] = {}
    visible: list[Any] = [
        *component.parameters,
        *component.state_variables,
        *component.derived_variables,
    ]
    for item in visible:
        units[item.name], factors[item.name] = usual_unit(item.dimension)
    defaults = {}
    for item in component.parameters:
        default = item.value.si if item.value is not None else float("nan")
        defaults[item.name] = prepared.values.get(item.name, default) / factors[item.name]
    inputs = [item for item in component.analog_inputs if _is_current(item)]
    outputs = [port.name for port in component.event_outputs]
    recordable = ["spikes"] if outputs else []
    shown: list[Any] = [*component.state_variables, *component.derived_variables]
    # names with two underlines are the hub's own
    recordable += [item.name for item in shown if "__" not in item.name]
    members = {
        "__doc__": component.description or f"`{component.name}`, made by interspike.",
        "prepared": prepared,
        "default_parameters": defaults,
        "default_initial_values": {},
        "units": units,
        "factors": factors,
        "recordable": recordable,
        "receptor_types": list(prepared.ports),
        "injectable": bool(inputs),
        "injection": inputs[0].name if inputs else "",
        "output": outputs[0] if outputs else "",
        "conductance_based": any("erev" in key.lower().replace("_", "") for key in defaults),
    }
    return type(name, (NativeCellType,), members)
