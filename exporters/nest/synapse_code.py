"""What a synapse does: from event to event, at spikes of its source, its target and a modulator.

Everything happens in the synapse's own time, in which a spike of the target counts when it has travelled
back along the dendrite.
"""

from __future__ import annotations

from ...canonical_model.expr import ZERO, Expr, Number
from ...canonical_model.model import INTEGER, Emit, Integrate, OnEvent
from ...canonical_model.passes.kernels import LAST
from ...canonical_model.passes.movable import Uses, movable
from ...canonical_model.passes.partners import weight_of
from .body_code import Scope, derived_lines, draws, node_names, statements_code
from .integrate_code import integrate_code, trials
from .plan import ModelPlan
from .printer import print_cpp
from .shared_code import coefficient_lines

PRE, POST, MODULATOR = "pre", "post", "modulator"


def synapse_functions(plan: ModelPlan) -> list[str]:
    """State, initial values, the advance to a time, and what each kind of event does."""
    return [_state(plan), _host(plan), _initialise(plan), _advance(plan), *_all_handlers(plan)]


def _host(plan: ModelPlan) -> str:
    """What the neuron holds for the synapse at the time of an event."""
    if not plan.reads:
        return ""
    fields = [f"  double {plan.fields[name]} = 0.0;" for name in plan.reads]
    return "\n".join([f"struct Host_{plan.name}", "{", *fields, "};", ""])


def _state(plan: ModelPlan) -> str:
    states = [f"  double {plan.fields[s.name]} = 0.0;" for s in plan.component.state_variables]
    states += [f"  double {plan.fields[name]} = 0.0;" for name in own_inputs(plan)]
    if plan.adaptive:
        states += [f"  double trial_{k} = 0.0;" for k in range(len(trials(plan)))]
    lines = [f"struct State_{plan.name}", "{", *states, "  double reached = 0.0;", "};", ""]
    return "\n".join(lines)


def own_inputs(plan: ModelPlan) -> list[str]:
    """Inputs that are the connection's own: its delay."""
    return [item.name for item in plan.component.analog_inputs if item.name not in plan.reads]


def _arguments(plan: ModelPlan, extra: str = "") -> str:
    return (
        f"[[maybe_unused]] State_{plan.name}& s, [[maybe_unused]] const Shared_{plan.name}& q"
        f"{extra}, [[maybe_unused]] const nest::RngPtr rng"
    )


def _scope(plan: ModelPlan, weight: str = "0.0") -> Scope:
    names = node_names(plan)
    names["resolution()"] = "q.h"
    names.update({name: f"host.{plan.fields[name]}" for name in plan.reads})
    for item in plan.ports.spikes:
        names[f"arrived({item.port.name})"] = weight
        for payload in item.port.payload:
            names[payload] = weight
    return Scope(plan, names, integrate_code)


def _initialise(plan: ModelPlan) -> str:
    lines = [
        "inline void",
        f"initialise( {_arguments(plan)} )",
        "{",
        "  [[maybe_unused]] const double h = q.h;",
        "  [[maybe_unused]] const double t = 0.0;",
    ]
    for item in plan.component.state_variables:
        scope = _scope(plan)
        initial = item.initial or ZERO
        # a new connection is no neuron of a process yet: draws come with the first spike
        value = Number(0.0) if draws(plan, [initial]) else initial
        needed = derived_lines(scope, [value], "    ")
        text = print_cpp(value, scope.names)
        if item.kind == INTEGER:
            text = f"std::trunc( {text} )"
        lines += ["  {", *needed, f"    s.{plan.fields[item.name]} = {text};", "  }"]
    return "\n".join([*lines, "}", ""])


def _advance(plan: ModelPlan) -> str:
    """From the time reached to `t`: the model's program with the time between as its step."""
    component = plan.component
    lines = [
        "inline void",
        f"advance( {_arguments(plan, ', const double t')} )",
        "{",
        "  [[maybe_unused]] const double t_begin = s.reached;",
        "  [[maybe_unused]] const double h = t - t_begin;",
        "  if ( not( h > 0.0 ) )",
        "  {",
        "    return;",
        "  }",
        "  [[maybe_unused]] long emitted = 0;",
        *coefficient_lines(plan, node_names(plan), "[[maybe_unused]] const double "),
    ]
    body = (Integrate(),) if component.update is None else component.update
    if component.traces and component.update is not None:
        body = body[:-1]
    if component.update is None:
        lines += integrate_code(Integrate(), _scope(plan), "  ")
    else:
        lines += statements_code(_scope(plan), body, "  ")
    if component.traces:
        lines += integrate_code(Integrate(variables=component.traces), _scope(plan), "  ")
    return "\n".join([*lines, "  s.reached = t;", "}", ""])


def handlers_of(plan: ModelPlan, role: str) -> list[OnEvent]:
    """What a spike of that end does, traces last."""
    ports = [item.name for item in plan.component.event_inputs if item.role == role]
    items = [item for item in plan.component.on_events if item.port in ports]
    return sorted(items, key=lambda item: -item.priority)


def _all_handlers(plan: ModelPlan) -> list[str]:
    """Functions for the handlers of each end."""
    parts = []
    for role in (PRE, POST, MODULATOR):
        if handlers_of(plan, role):
            parts.append(_handler(plan, role, handlers_of(plan, role)))
    return parts


def traces_of_target(plan: ModelPlan) -> list[str]:
    """States that only the target's spikes decide about: a spike of the source at the same time sees them
    as they were before, as it would see a trace that the neuron itself keeps."""
    keep = {weight_of(plan.component)}
    found = movable(Uses(plan.component, frozenset(plan.reads)), keep)
    return [item.name for item in plan.component.state_variables if item.name in found]


def _handler(plan: ModelPlan, role: str, items: list[OnEvent]) -> str:
    """The handlers of one end at time `t`; `send` passes a spike on."""
    more = ", [[maybe_unused]] const double t"
    if plan.reads:
        more = f", [[maybe_unused]] const Host_{plan.name}& host{more}"
    lines = [
        "template < typename Send >",
        "inline void",
        f"on_{role}( {_arguments(plan, more)},",
        "  [[maybe_unused]] const double weight, [[maybe_unused]] Send send )",
        "{",
        "  [[maybe_unused]] const double h = q.h;",
    ]
    for item in items:
        scope = _scope(plan, "weight")
        own = Scope(plan, scope.names, integrate_code, scope.used, _send)
        lines += ["  {", *statements_code(own, item.body, "    "), "  }"]
    return "\n".join([*lines, "}", ""])


def _send(item: Emit, scope: Scope, indent: str) -> list[str]:
    """An event goes on with what it carries: the weight unless the model says."""
    name = weight_of(scope.plan.component)
    value: Expr = Number(1.0)
    if item.weight is not None:
        value = item.weight
    elif name:
        return [f"{indent}send( {scope.names[name]} );"]
    inner = scope.inner()
    needed = derived_lines(inner, [value], f"{indent}  ")
    return [
        f"{indent}{{",
        *needed,
        f"{indent}  send( {print_cpp(value, inner.names)} );",
        f"{indent}}}",
    ]


def priority(plan: ModelPlan, role: str) -> int:
    """The largest priority of what happens at the spikes of one end."""
    found = [item.priority for item in handlers_of(plan, role) if item.priority != LAST]
    return max(found, default=0)
