"""What a model holds: flat components with equations, how each system would be solved, the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..canonical_model.diagnostics import Issue, ModelError
from ..canonical_model.model import Component, Model, Regime
from ..canonical_model.network import Network
from ..canonical_model.rules import share
from ..canonical_model.units import dimension_name
from .convert import DEFAULT_STEP

if TYPE_CHECKING:
    from ..solvers.plan import Block


@dataclass(frozen=True, slots=True)
class Inspected:
    """A component in flat form with the solution of each of its systems of equations.

    `trouble` says why it cannot stand or be solved alone; the component is then as written.
    """

    component: Component
    blocks: tuple[Block, ...] = ()
    trouble: tuple[Issue, ...] = ()


def inspect(model: Model, scheme: str = "auto", step: float = DEFAULT_STEP) -> list[Inspected]:
    """Flatten and plan every component of `model`, with `scheme` and a step in seconds."""
    quantities = dict(model.network.quantities) if model.network else {}
    return [_inspect(component, quantities, scheme, step) for component in model.components]


def _inspect(
    component: Component, quantities: dict[str, float], scheme: str, step: float
) -> Inspected:
    from ..canonical_model.passes.flatten import flatten
    from ..solvers.planner import plan_update

    try:
        flat = flatten(component, quantities).component
    except ModelError as problem:
        return Inspected(component, trouble=problem.issues)
    try:
        # a program is shown as it was written, and planned as it is lowered
        shown = flat if component.update is None else component
        return Inspected(shown, plan_update(flat, scheme, step=step).blocks)
    except ModelError as problem:
        return Inspected(flat, trouble=problem.issues)


def describe_blocks(item: Inspected) -> str:
    """How the equations are solved and why, a line a system; "" where there is nothing to solve."""
    lines = []
    for block in item.blocks:
        if not block.states:
            continue
        where = f" in regime {', '.join(block.regimes)}" if any(block.regimes) else ""
        lines.append(f"  {', '.join(block.states)}{where}: {block.kind}")
        lines.append(f"    {block.scheme}: {block.reason}")
    return "\n".join(["solved by", *lines]) if lines else ""


def to_json(model: Model, inspected: list[Inspected]) -> dict[str, Any]:
    """Everything as JSON-ready data."""
    return {
        "name": model.name,
        "language": model.provenance.language,
        "sha256": model.provenance.sha256,
        "components": [_component(item) for item in inspected],
        "network": _network(model.network) if model.network else None,
    }


def _component(item: Inspected) -> dict[str, Any]:
    from ..canonical_model.expr_text import print_expr

    component = item.component
    return {
        "name": component.name,
        "type": component.type,
        "parameters": [
            {
                "name": parameter.name,
                "value": parameter.value.value if parameter.value else None,
                "unit": parameter.value.unit.symbol if parameter.value else None,
                "dimension": dimension_name(parameter.dimension),
            }
            for parameter in component.parameters
        ],
        "states": [
            {"name": state.name, "dimension": dimension_name(state.dimension)}
            for state in component.state_variables
        ],
        "derived": {item.name: print_expr(item.value) for item in component.derived_variables},
        "equations": {ode.variable: print_expr(ode.rhs) for ode in component.odes},
        "conditions": [print_expr(item.test) for item in component.on_conditions],
        "regimes": list(_regimes(component)),
        "event_inputs": [port.name for port in component.event_inputs],
        "event_outputs": [port.name for port in component.event_outputs],
        "analog_inputs": [port.name for port in component.analog_inputs],
        "solved": [
            {
                "states": list(block.states),
                "regimes": list(block.regimes),
                "kind": block.kind,
                "scheme": block.scheme,
                "reason": block.reason,
            }
            for block in item.blocks
        ],
        "issues": [issue.to_json() for issue in item.trouble],
    }


def _regimes(component: Component) -> Iterator[dict[str, Any]]:
    for machine in component.machines:
        for regime in machine.regimes:
            yield _regime(machine.name, regime, regime.name == machine.initial)


def _regime(machine: str, regime: Regime, initial: bool) -> dict[str, Any]:
    from ..canonical_model.expr_text import print_expr

    return {
        "machine": machine,
        "name": regime.name,
        "initial": initial,
        "equations": {ode.variable: print_expr(ode.rhs) for ode in regime.odes},
        "conditions": [print_expr(item.test) for item in regime.on_conditions],
    }


def _network(network: Network) -> dict[str, Any]:
    experiment = network.experiment
    return {
        "name": network.name,
        "populations": [
            {"name": item.name, "component": item.component, "size": item.size}
            for item in network.populations
        ],
        "projections": [
            {
                "name": item.name,
                "source": item.source,
                "target": item.target,
                "kind": item.kind,
                "synapse": item.synapse,
                "connections": round(share(network, item)),
                "rule": item.rule.kind if item.rule else "",
            }
            for item in network.projections
        ],
        "inputs": [
            {
                "name": item.name,
                "component": item.component,
                "population": item.population,
                "cells": len(item.index),
            }
            for item in network.inputs
        ],
        "experiment": experiment
        and {
            "name": experiment.name,
            "length_s": experiment.length,
            "step_s": experiment.step,
            "seed": experiment.seed,
            "recordings": [item.path for item in experiment.recordings],
            "events": [f"{item.path}/{item.port}" for item in experiment.events],
        },
    }
