"""`models.json`: what a program (PyNN) has to know of each model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ...canonical_model.units import CONDUCTANCE, CURRENT
from .model_code import unit_of
from .plan import ModelPlan


def facts_text(plans: Sequence[ModelPlan]) -> str:
    """Kind, parameters, states, recordables with units, receptors, by model."""
    return json.dumps({plan.title: _facts(plan) for plan in plans}, indent=1, sort_keys=True) + "\n"


def _facts(plan: ModelPlan) -> dict[str, Any]:
    states = [item.name for item in plan.component.state_variables]
    dimensions = {d.name: d.dimension for d in plan.component.derived_variables}
    units = {}
    for key, name in plan.recordables.items():
        units[key] = unit_of(plan, dimensions.get(name) or plan.dimension(name))
    inputs = {item.name: item.dimension for item in plan.component.analog_inputs}
    currents = [name for name in plan.ports.currents if inputs[name] == CURRENT]
    return {
        "kind": "synapse" if plan.is_synapse else "neuron",
        "parameters": {
            plan.keys[item.name]: unit_of(plan, plan.dimension(item.name))
            for item in plan.parameters
            if item.name in plan.keys
        },
        "states": [plan.keys[name] for name in states],
        "recordables": units,
        "receptors": dict(plan.ports.names),
        "receives": bool(plan.ports.spikes),
        "injectable": bool(currents),
        "conductance_based": _is_conductance_based(plan),
        "sends": bool(plan.ports.output),
    }


def _is_conductance_based(plan: ModelPlan) -> bool:
    """True if what a spike changes is a conductance: by dimension, or by the custom of calling it g."""
    component = plan.component
    moved = [item.dimension for item in component.derived_variables]
    moved += [item.dimension for item in component.state_variables]
    return CONDUCTANCE in moved or any(
        item.name.startswith("g_") for item in component.state_variables
    )
