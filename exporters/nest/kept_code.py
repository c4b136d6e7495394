"""What a neuron keeps of its own past, for itself and for the synapses that were made together with it."""

from __future__ import annotations

from collections.abc import Sequence

from ...canonical_model.expr import Name
from ...canonical_model.model import Integrate, Statement
from ...canonical_model.passes.partners import NEURON, host_reads, moved_states
from .body_code import Scope, derived_lines, node_names
from .plan import Kept, ModelPlan
from .printer import print_cpp


def join_pairs(plans: Sequence[ModelPlan]) -> None:
    """Tell neurons what their synapses read, and synapses which neuron they go with."""
    neurons = {plan.source.name: plan for plan in plans if not plan.is_synapse}
    for plan in plans:
        neuron = neurons.get(plan.source.extras.get(NEURON, ""))
        if neuron is None:
            continue
        plan.neuron = neuron
        moved = moved_states(neuron.source)
        known = neuron.kept or Kept((), ())
        wanted = dict.fromkeys(quantity for quantity, _ in host_reads(plan.source).values())
        neuron.kept = Kept(
            tuple(dict.fromkeys([*known.traces, *(n for n in wanted if n in moved)])),
            tuple(dict.fromkeys([*known.samples, *(n for n in wanted if n not in moved)])),
        )


def kept_type(plan: ModelPlan) -> str:
    """The C++ type of what is kept."""
    assert plan.kept is not None
    return f"interspike::PairHistory< {len(plan.kept.traces)}, {len(plan.kept.samples)} >"


def leading(plan: ModelPlan, body: Sequence[Statement]) -> int:
    """How many statements advance what is kept: after them it stands as it was before a spike."""
    moved = set(moved_states(plan.source))
    first = body[0] if body else None
    return int(
        isinstance(first, Integrate) and bool(first.variables) and {*first.variables} <= moved
    )


def before_lines(plan: ModelPlan, indent: str) -> list[str]:
    """Traces as they are before any spike of the step."""
    if plan.kept is None:
        return []
    return [f"{indent}before = {_traces(plan)};"]


def _traces(plan: ModelPlan) -> str:
    assert plan.kept is not None
    return _array([f"s.{plan.fields[name]}" for name in plan.kept.traces])


def _array(values: Sequence[str]) -> str:
    return f"{{ {', '.join(values)} }}" if values else "{}"


def record_lines(plan: ModelPlan) -> list[str]:
    """The end of a step: values for synapses that will read them later."""
    if plan.kept is None:
        return []
    scope = Scope(plan, node_names(plan))
    needed = derived_lines(scope, [Name(name) for name in plan.kept.samples], "      ")
    samples = _array([scope.names[name] for name in plan.kept.samples])
    spiked = "emitted > 0" if plan.ports.output else "false"
    return [
        "    if ( kept_.is_read() )",
        "    {",
        "      [[maybe_unused]] const double t = ( begin_steps + lag + 1 ) * h;",
        *needed,
        f"      kept_.record( begin_steps + lag + 1, before, {_traces(plan)}, {samples}, {spiked} );",
        "    }",
    ]


def prepare_lines(plan: ModelPlan) -> list[str]:
    """Before a run: room for what may be asked for."""
    if plan.kept is None:
        return []
    scope = Scope(plan, node_names(plan))
    needed = derived_lines(scope, [Name(name) for name in plan.kept.samples], "    ")
    samples = _array([scope.names[name] for name in plan.kept.samples])
    return [
        "  {",
        "    [[maybe_unused]] const Shared& q = *q_;",
        "    [[maybe_unused]] const State& s = s_;",
        "    [[maybe_unused]] const double h = q.h;",
        "    const long now = nest::kernel().simulation_manager.get_slice_origin().get_steps();",
        "    [[maybe_unused]] const double t = now * h;",
        *needed,
        f"    kept_.prepare( now, {_traces(plan)}, {samples} );",
        "  }",
    ]


def past_prepare_lines(plan: ModelPlan) -> list[str]:
    """Before a run: rings as long as the delays."""
    lines = []
    for k, item in enumerate(plan.delays):
        scope = Scope(plan, node_names(plan))
        needed = derived_lines(scope, [Name(item.variable), item.delay], "    ")
        delay = print_cpp(item.delay, scope.names)
        lines += [
            "  {",
            "    [[maybe_unused]] const Shared& q = *q_;",
            "    [[maybe_unused]] const State& s = s_;",
            "    [[maybe_unused]] const double h = q.h;",
            "    [[maybe_unused]] const double t = 0.0;",
            *needed,
            f"    b_.past_{k}.prepare( ( {delay} ) / h, {scope.names[item.variable]} );",
            "  }",
        ]
    return lines


def past_lines(plan: ModelPlan) -> list[str]:
    """The beginning of a step: delayed variables move on."""
    lines = []
    for k, item in enumerate(plan.delays):
        scope = Scope(plan, node_names(plan))
        needed = derived_lines(scope, [Name(item.variable)], "      ")
        lines += [
            "    {",
            "      [[maybe_unused]] const double t = ( begin_steps + lag ) * h;",
            *needed,
            f"      s.{plan.fields[item.state]} = b_.past_{k}.shift( {scope.names[item.variable]} );",
            "    }",
        ]
    return lines
