"""The header of one model: a node class with shared values, state, receptors and its update."""

from __future__ import annotations

from ...canonical_model.expr import ZERO, Expr, Name, free_names, is_random
from ...canonical_model.model import INTEGER, Parameter, StateVariable
from ...canonical_model.units import NEURO, NONE, Dimension, dimension_name
from .body_code import Scope, derived_lines, draws, node_names, statements_code
from .integrate_code import integrate_code, trials
from .kept_code import kept_type
from .names import comment
from .node_code import methods
from .plan import AMOUNTS, GSL, ModelPlan, expressions
from .printer import literal, print_cpp
from .shared_code import shared_struct
from .update_code import update_method

# what a user of NEST calls the units of the coherent set
UNIT_NAMES = {
    "voltage": "mV", "time": "ms", "current": "pA", "conductance": "nS", "capacitance": "pF",
    "resistance": "GOhm", "per_time": "1/ms", "length": "um", "concentration": "mM",
    "temperature": "K", "none": "1", "mol": "mmol",
}  # fmt: skip


def unit_of(plan: ModelPlan, dimension: Dimension) -> str:
    """The unit that users give and see: `mV`."""
    name = dimension_name(dimension)
    if plan.units in (NEURO, AMOUNTS):
        return UNIT_NAMES.get(name, name)
    return "1" if dimension == NONE else str(dimension)


def model_header(plan: ModelPlan, head: str) -> str:
    """The whole header file."""
    guard = f"INTERSPIKE_{plan.name.upper()}_H"
    parts = [
        f"{head}#ifndef {guard}\n#define {guard}\n",
        '#include "interspike_nest.h"',
        *solver_header(plan),
        *(['#include "interspike_pair.h"'] if plan.kept else []),
        *(['#include "interspike_past.h"'] if plan.delays else []),
        "",
        documentation(plan),
        "namespace INTERSPIKE_NAMESPACE INTERSPIKE_LOCAL\n{\n",
        shared_struct(plan),
        _class(plan),
        methods(plan),
        _initialise(plan),
        _getters(plan),
        update_method(plan),
        "}\n",
        "#endif\n",
    ]
    return "\n".join(parts)


def solver_header(plan: ModelPlan) -> list[str]:
    """What to include for the adaptive solver, if there is one."""
    if not plan.adaptive:
        return []
    return [f'#include "interspike_{"gsl" if plan.library == GSL else "rkf45"}.h"']


def documentation(plan: ModelPlan) -> str:
    """What a user can set, record and send, as a comment."""
    component = plan.component
    lines = [f"{plan.title}: {comment(plan.source.type or plan.source.name)}", ""]
    lines += [f"  {comment(line)}" for line in plan.source.description.splitlines()[:60]]
    rows = [(plan.keys[p.name], _default(p), p) for p in plan.parameters if p.name in plan.keys]
    for title, entries in (
        ("Parameters", rows),
        ("State", [(plan.keys[s.name], "", s) for s in component.state_variables]),
    ):
        lines += ["", f"{title}:"]
        for key, value, item in entries:
            unit = unit_of(plan, plan.dimension(item.name))
            what = comment(" ".join(item.description.split()), 100)
            lines.append(f"  {key:<24} {value:>14} {comment(unit):<10} {what}".rstrip())
    if plan.ports.spikes:
        lines += ["", "Spikes:"]
        for port in plan.ports.spikes:
            sign = f" ({port.port.sign})" if port.port.sign else ""
            lines.append(f"  receptor {port.receptor}: {comment(port.port.name)}{sign}")
    if plan.ports.currents and not plan.is_synapse:
        lines += ["", "Currents:"]
        for number, name in enumerate(plan.ports.currents):
            lines.append(f"  receptor {number}: {comment(name)}")
    lines += ["", f"Recordables: {comment(', '.join(plan.recordables), 2000)}"]
    lines += ["", "How it is solved:"]
    for block in plan.update.blocks:
        scheme = block.scheme
        if plan.adaptive and scheme != "exact":
            scheme = f"rkf45{' of GSL' if plan.library else ''}, adaptive"
        where = f" in {', '.join(block.regimes)}" if block.regimes else ""
        states = comment(f"{', '.join(block.states)}{where}")
        lines.append(f"  {states}: {scheme}")
    body = "\n".join(f"   {line}".rstrip() for line in lines)
    return f"/*\n{body}\n*/"


def _default(item: Parameter) -> str:
    return "-" if item.value is None else f"{item.value.value:g}"


def _class(plan: ModelPlan) -> str:
    name, ports = plan.name, plan.ports
    lines = [
        f"class {name} : public nest::ArchivingNode",
        "{",
        "public:",
        f"  {name}();",
        f"  {name}( const {name}& );",
        "",
        "  using nest::Node::handle;",
        "  using nest::Node::handles_test_event;",
        "  using nest::Node::sends_secondary_event;",
        "",
        "  size_t send_test_event( nest::Node&, size_t, nest::synindex, bool ) override;",
    ]
    if ports.spikes:
        lines += [
            "  void handle( nest::SpikeEvent& ) override;",
            "  size_t handles_test_event( nest::SpikeEvent&, size_t ) override;",
        ]
    if ports.currents:
        lines += [
            "  void handle( nest::CurrentEvent& ) override;",
            "  size_t handles_test_event( nest::CurrentEvent&, size_t ) override;",
        ]
    if ports.peers:
        lines += [
            "  void handle( nest::DelayedRateConnectionEvent& ) override;",
            "  size_t handles_test_event( nest::DelayedRateConnectionEvent&, size_t ) override;",
        ]
    if plan.sent:
        lines.append(
            "  void sends_secondary_event( nest::DelayedRateConnectionEvent& ) override {}"
        )
    lines += [
        "  void handle( nest::DataLoggingRequest& ) override;",
        "  size_t handles_test_event( nest::DataLoggingRequest&, size_t ) override;",
        "  void get_status( interspike::Dict& ) const override;",
        "  void set_status( const interspike::Dict& ) override;",
        *_kept(plan),
        "",
        "private:",
        f"  friend class nest::RecordablesMap< {name} >;",
        f"  friend class nest::UniversalDataLogger< {name} >;",
        "",
        "  void init_buffers_() override;",
        "  void pre_run_hook() override;",
        "  void update( nest::Time const&, const long, const long ) override;",
        "",
        *_state(plan),
        "  struct Buffers",
        "  {",
        f"    explicit Buffers( {name}& node ) : logger( node ) {{}}",
        f"    nest::UniversalDataLogger< {name} > logger;",
    ]
    if ports.width:
        lines.append(f"    nest::MultiChannelInputBuffer< {ports.width} > input;")
    lines += [f"    interspike::Past past_{k};" for k in range(len(plan.delays))]
    lines += [
        "    bool is_recorded = false;",
        "  };",
        "",
        f"  using Given = Shared_{name}::Given;",
        f"  using Shared = Shared_{name};",
        "",
        "  static double step_length();",
        "  void initialise( State&, const Shared& ) const;",
        "  void begin();",
        *(f"  double get_{k}() const;" for k in range(len(plan.recordables))),
        *(f"  double get_regime_{k}() const;" for k in range(len(plan.component.machines))),
        "",
        "  std::shared_ptr< const Shared > q_;",
        "  State s_;",
        f"  std::bitset< {max(1, len(plan.component.state_variables))} > was_set_;",
        "  bool has_begun_ = false;",
        *(["  Kept kept_;"] if plan.kept else []),
        "  Buffers b_;",
        f"  static nest::RecordablesMap< {name} > recordables_;",
        "};",
        "",
    ]
    return "\n".join(lines)


def _kept(plan: ModelPlan) -> list[str]:
    """What paired synapses read."""
    if plan.kept is None:
        return []
    return [
        "",
        f"  using Kept = {kept_type(plan)};",
        "  Kept&",
        "  kept()",
        "  {",
        "    return kept_;",
        "  }",
    ]


def _state(plan: ModelPlan) -> list[str]:
    component = plan.component
    lines = ["  struct State", "  {"]
    for item in component.state_variables:
        unit = comment(unit_of(plan, item.dimension))
        lines.append(f"    double {plan.fields[item.name]} = 0.0; /* {unit} */")
    for analog in component.analog_inputs:
        lines.append(f"    double {plan.fields[analog.name]} = {literal(analog.default)};")
    for k, machine in enumerate(component.machines):
        names = [regime.name for regime in machine.regimes]
        lines.append(f"    int r_{k} = {names.index(machine.initial)};")
    lines += [f"    size_t next_{k} = 0;" for k in range(len(component.timed_events))]
    if plan.adaptive:
        lines += [f"    double trial_{k} = 0.0;" for k in range(len(trials(plan)))]
    if lines[-1].endswith("{"):
        lines.append("    double unused = 0.0;")
    return [*lines, "  };", ""]


def _initialise(plan: ModelPlan) -> str:
    """Initial values that need no chance; then, when a run begins, those that do, and entry actions."""
    fixed: list[tuple[int, StateVariable, Expr]] = []
    drawn: list[tuple[int, StateVariable, Expr]] = []
    for number, item in enumerate(plan.component.state_variables):
        initial = item.initial or ZERO
        target = drawn if draws(plan, [initial]) else fixed
        target.append((number, item, initial))
    lines = [
        "inline void",
        f"{plan.name}::initialise( [[maybe_unused]] State& s, [[maybe_unused]] const Shared& q ) const",
        "{",
        "  [[maybe_unused]] const double h = q.h;",
        "  [[maybe_unused]] const double t = 0.0;",
        *_initial_values(plan, fixed, "  "),
        "}",
        "",
        "inline void",
        f"{plan.name}::begin()",
        "{",
        "  [[maybe_unused]] const Shared& q = *q_;",
        "  [[maybe_unused]] State& s = s_;",
        "  [[maybe_unused]] const double h = q.h;",
        "  [[maybe_unused]] const double t = 0.0;",
        "  [[maybe_unused]] long emitted = 0;",
    ]
    entries = []
    for machine in plan.component.machines:
        first = next(r for r in machine.regimes if r.name == machine.initial)
        entries.append(first.on_entry)
    values: list[Expr] = [initial for _, _, initial in drawn]
    values += [value for entry in entries for value in expressions(entry)]
    if draws(plan, values):
        lines.append("  const nest::RngPtr rng = nest::get_vp_specific_rng( get_thread() );")
    lines += _initial_values(plan, drawn, "  ")
    for entry in entries:
        lines += statements_code(Scope(plan, node_names(plan), integrate_code), entry, "  ")
    return "\n".join([*lines, "}", ""])


def _initial_values(
    plan: ModelPlan, items: list[tuple[int, StateVariable, Expr]], indent: str
) -> list[str]:
    """Two rounds where values read states or derived variables: they may stand in any order."""
    states = {item.name for item in plan.component.state_variables}
    states |= {item.name for item in plan.component.derived_variables}
    plain = [entry for entry in items if not free_names(entry[2]) & states]
    rest = [entry for entry in items if free_names(entry[2]) & states]
    lines = []
    for number, item, initial in [*plain, *rest, *(rest if not _random(rest) else [])]:
        scope = Scope(plan, node_names(plan))
        lines.append(f"{indent}if ( not was_set_[ {number} ] )")
        lines.append(f"{indent}{{")
        lines += derived_lines(scope, [initial], f"{indent}  ")
        text = print_cpp(initial, scope.names)
        if item.kind == INTEGER:
            text = f"std::trunc( {text} )"
        lines += [f"{indent}  s.{plan.fields[item.name]} = {text};", f"{indent}}}"]
    return lines


def _random(items: list[tuple[int, StateVariable, Expr]]) -> bool:
    return any(is_random(initial) for _, _, initial in items)


def _getters(plan: ModelPlan) -> str:
    """Recordables: states as they are, derived variables computed when asked for."""
    lines = []
    for number, variable in enumerate(plan.recordables.values()):
        scope = Scope(plan, node_names(plan))
        needed = derived_lines(scope, [Name(variable)], "  ")
        lines += [
            "inline double",
            f"{plan.name}::get_{number}() const",
            "{",
            "  [[maybe_unused]] const Shared& q = *q_;",
            "  [[maybe_unused]] const State& s = s_;",
            "  [[maybe_unused]] const double h = q.h;",
            "  [[maybe_unused]] const double t ="
            " nest::kernel().simulation_manager.get_slice_origin().get_steps() * h;",
            *needed,
            f"  return {scope.names[variable]};",
            "}",
            "",
        ]
    for k in range(len(plan.component.machines)):
        lines += ["inline double", f"{plan.name}::get_regime_{k}() const", "{"]
        lines += [f"  return s_.r_{k};", "}", ""]
    return "\n".join(lines)
