"""The header of one synapse: a connection model that advances from event to event.

Everything happens in the synapse's own time, in which a spike of the target counts when it has travelled
back along the dendrite. The target's spikes are read from the history that every neuron of NEST keeps, so
that a synapse goes with any neuron.
"""

from __future__ import annotations

from dataclasses import replace

from ...canonical_model.expr import ZERO, Expr, Number, free_names
from ...canonical_model.model import INTEGER, Assign, Emit, Integrate, OnEvent, Statement
from ...canonical_model.passes.kernels import LAST
from ...canonical_model.query import nested
from .body_code import Scope, derived_lines, draws, node_names, statements_code
from .integrate_code import integrate_code, trials
from .model_code import documentation, solver_header
from .names import string
from .plan import ModelPlan, expressions, weight_of
from .printer import print_cpp
from .shared_code import coefficient_lines, shared_struct, state_checks

PRE, POST = "pre", "post"


def synapse_header(plan: ModelPlan, head: str) -> str:
    """The whole header file."""
    plan.place = ""  # coefficients depend on the time that has passed: they are locals
    guard = f"INTERSPIKE_{plan.name.upper()}_H"
    parts = [
        f"{head}#ifndef {guard}\n#define {guard}\n",
        '#include "interspike_nest.h"',
        *solver_header(plan),
        "",
        documentation(plan),
        "namespace INTERSPIKE_NAMESPACE INTERSPIKE_LOCAL\n{\n",
        shared_struct(plan),
        _state(plan),
        _initialise(plan),
        _advance(plan),
        *_all_handlers(plan),
        _class(plan),
        "}\n",
        "#endif\n",
    ]
    return "\n".join(parts)


def _state(plan: ModelPlan) -> str:
    states = [f"  double {plan.fields[s.name]} = 0.0;" for s in plan.component.state_variables]
    if plan.adaptive:
        states += [f"  double trial_{k} = 0.0;" for k in range(len(trials(plan)))]
    lines = [f"struct State_{plan.name}", "{", *states, "  double reached = 0.0;", "};", ""]
    return "\n".join(lines)


def _arguments(plan: ModelPlan, extra: str = "") -> str:
    return (
        f"[[maybe_unused]] State_{plan.name}& s, [[maybe_unused]] const Shared_{plan.name}& q"
        f"{extra}, [[maybe_unused]] const nest::RngPtr rng"
    )


def _scope(plan: ModelPlan, weight: str = "0.0") -> Scope:
    names = node_names(plan)
    names["resolution()"] = "q.h"
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


def _handlers(plan: ModelPlan, role: str) -> list[OnEvent]:
    """What a spike of that end does, traces last."""
    ports = [item.name for item in plan.component.event_inputs if item.role == role]
    items = [item for item in plan.component.on_events if item.port in ports]
    return sorted(items, key=lambda item: -item.priority)


def _all_handlers(plan: ModelPlan) -> list[str]:
    """Functions for the handlers of each end; the target's in two parts as well."""
    parts = []
    if _handlers(plan, PRE):
        parts.append(_handler(plan, PRE, _handlers(plan, PRE)))
    post = _handlers(plan, POST)
    if post:
        own = _traces_of_target(plan)
        first = [replace(i, body=tuple(s for s in i.body if not _is_of(s, own))) for i in post]
        rest = [replace(i, body=tuple(s for s in i.body if _is_of(s, own))) for i in post]
        parts.append(_handler(plan, POST, post))
        parts.append(_handler(plan, "post_first", first))
        parts.append(_handler(plan, "post_rest", rest))
    return parts


def _is_of(statement: Statement, names: set[str]) -> bool:
    return isinstance(statement, Assign) and statement.target in names


def _traces_of_target(plan: ModelPlan) -> set[str]:
    """States that only the target's spikes move: a spike of the source at the same time sees them as
    they were before, as it would see a trace that the neuron itself keeps."""
    component = plan.component
    rates = {ode.variable: free_names(ode.rhs) for ode in component.odes}
    states = {item.name for item in component.state_variables}
    heard = {
        role: [s for item in _handlers(plan, role) for s in nested(item.body)]
        for role in (PRE, POST)
    }
    moved = {s.target for s in heard[PRE] if isinstance(s, Assign)}
    found = {s.target for s in heard[POST] if isinstance(s, Assign)} & states - moved
    changed = True
    while changed:
        changed = False
        for name in sorted(found):
            used = set(rates.get(name, ()))
            for s in heard[POST]:
                if isinstance(s, Assign) and s.target == name:
                    used |= free_names(s.value)
            if (used & states) - found:
                found.discard(name)
                changed = True
    return found


def _handler(plan: ModelPlan, role: str, items: list[OnEvent]) -> str:
    """The handlers of one end at time `t`; `send` passes a spike on."""
    lines = [
        "template < typename Send >",
        "inline void",
        f"on_{role}( {_arguments(plan, ', [[maybe_unused]] const double t')},",
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


def _priority(plan: ModelPlan, role: str) -> int:
    found = [item.priority for item in _handlers(plan, role) if item.priority != LAST]
    return max(found, default=0)


def _class(plan: ModelPlan) -> str:
    has_post = bool(_handlers(plan, POST))
    random = draws(plan, [e for i in plan.component.on_events for e in expressions(i.body)])
    random = random or draws(plan, expressions(plan.component.update or ()))
    rng = "nest::get_vp_specific_rng( thread )" if random else "nullptr"
    text = _CLASS.replace("@REGISTER@", _REGISTER if has_post else "")
    text = text.replace("@POSTS@", _POSTS if has_post else "")
    # at equal times the end of higher priority goes first, else the target
    is_pre_first = _priority(plan, PRE) > _priority(plan, POST)
    first, rest = ("", "post") if is_pre_first else ("post_first", "post_rest")
    text = text.replace("@FIRST@", _TIE.replace("@PART@", first) if first and has_post else "")
    text = text.replace("@REST@", _TIE.replace("@PART@", rest) if has_post else "")
    pre = "on_pre( s_, *q_, t, rng, 1.0, send );" if _handlers(plan, PRE) else ""
    text = text.replace("@PRE@", pre).replace("@RNG@", rng).replace("@MS@", plan.step_in_ms)
    text = text.replace("@GET@", _get(plan)).replace("@SET@", _set(plan))
    weight = weight_of(plan.component)
    place = f"s_.{plan.fields[weight]} = w;" if _in_state(plan, weight) else "(void)w;"
    return text.replace("@WEIGHT@", place).replace("@NAME@", plan.name)


def _in_state(plan: ModelPlan, name: str) -> bool:
    return any(item.name == name for item in plan.component.state_variables)


def _get(plan: ModelPlan) -> str:
    lines = []
    for item in plan.quantities:
        if item.name in plan.keys:
            lines.append(
                f"    interspike::write( d, {string(plan.keys[item.name])}, {_place(plan, item.name)} );"
            )
    weight = weight_of(plan.component)
    if weight and plan.keys.get(weight) != "weight":
        lines.append(f'    interspike::write( d, "weight", {_place(plan, weight)} );')
    return "\n".join(lines)


def _place(plan: ModelPlan, name: str) -> str:
    if _in_state(plan, name):
        return f"s_.{plan.fields[name]}"
    is_given = any(item.name == name for item in plan.parameters)
    return f"q_->{'given.' if is_given else ''}{plan.fields[name]}"


def _set(plan: ModelPlan) -> str:
    lines = []
    for item in plan.parameters:
        if item.name in plan.keys:
            key = string(plan.keys[item.name])
            lines.append(f"    interspike::read( d, {key}, given.{plan.fields[item.name]} );")
    lines += [
        "    auto q = q_;",
        "    if ( std::memcmp( &given, &q->given, sizeof( given ) ) != 0 )",
        "    {",
        "      q = interspike::Pool< Shared >::get( given, step_length() );",
        "      q->check();",
        "    }",
        "    State s = s_;",
    ]
    weight = weight_of(plan.component)
    for state in plan.component.state_variables:
        keys = [plan.keys[state.name]]
        if state.name == weight and keys[0] != "weight":
            keys.insert(0, "weight")
        place = f"s.{plan.fields[state.name]}"
        lines += [f"    interspike::read( d, {string(key)}, {place} );" for key in keys]
    lines += state_checks(plan, "    ")
    return "\n".join(lines)


_REGISTER = """
    t.register_stdp_connection( begin_ms_ - get_delay(), get_delay() );"""

_POSTS = """
    std::deque< nest::histentry >::iterator post;
    std::deque< nest::histentry >::iterator last;
    target->get_history( begin_ms_ - get_delay(), t_ms - get_delay(), &post, &last );
    const auto ignore = []( double ) {};
    for ( ; post != last and post->t_ + get_delay() < t_ms - 1e-6; ++post )
    {
      advance( s_, *q_, ( post->t_ + get_delay() )@MS@, rng );
      on_post( s_, *q_, post->t_@MS@, rng, 1.0, ignore );
    }"""

_TIE = """
    if ( post != last )
    {
      on_@PART@( s_, *q_, post->t_@MS@, rng, 1.0, ignore );
    }"""

_CLASS = """\
template < typename targetidentifierT >
class @NAME@ : public nest::Connection< targetidentifierT >
{
public:
  using CommonPropertiesType = nest::CommonSynapseProperties;
  using ConnectionBase = nest::Connection< targetidentifierT >;
  using ConnectionBase::get_delay;
  using ConnectionBase::get_delay_steps;
  using ConnectionBase::get_rport;
  using ConnectionBase::get_target;

  static constexpr nest::ConnectionModelProperties properties = nest::ConnectionModelProperties::HAS_DELAY
    | nest::ConnectionModelProperties::IS_PRIMARY | nest::ConnectionModelProperties::SUPPORTS_HPC
    | nest::ConnectionModelProperties::SUPPORTS_LBL;

  @NAME@()
    : ConnectionBase()
    , q_( interspike::Pool< Shared >::get( Given(), step_length() ) )
  {
    initialise( s_, *q_, nullptr );
  }

  @NAME@( const @NAME@& ) = default;
  @NAME@& operator=( const @NAME@& ) = default;

  class ConnTestDummyNode : public nest::ConnTestDummyNodeBase
  {
  public:
    using nest::ConnTestDummyNodeBase::handles_test_event;
    size_t
    handles_test_event( nest::SpikeEvent&, size_t ) override
    {
      return nest::invalid_port;
    }
  };

  void
  check_connection( nest::Node& s, nest::Node& t, size_t receptor, const CommonPropertiesType& )
  {
    ConnTestDummyNode dummy;
    ConnectionBase::check_connection_( dummy, s, t, receptor );
    if ( q_->h != step_length() )
    {
      q_ = interspike::Pool< Shared >::get( q_->given, step_length() );
    }@REGISTER@
  }

  bool
  send( nest::Event& e, const size_t thread, const CommonPropertiesType& )
  {
    nest::Node* target = get_target( thread );
    const double t_ms = e.get_stamp().get_ms();
    const double t = t_ms@MS@;
    [[maybe_unused]] const nest::RngPtr rng = @RNG@;
    bool was_sent = false;
    [[maybe_unused]] const auto send = [ & ]( const double w )
    {
      e.set_receiver( *target );
      e.set_weight( w );
      e.set_delay_steps( get_delay_steps() );
      e.set_rport( get_rport() );
      e();
      was_sent = true;
    };@POSTS@
    advance( s_, *q_, t, rng );@FIRST@
    @PRE@@REST@
    begin_ms_ = t_ms;
    return was_sent;
  }

  void
  get_status( interspike::Dict& d ) const
  {
    ConnectionBase::get_status( d );
@GET@
    interspike::write( d, "size_of", static_cast< long >( sizeof( *this ) ) );
  }

  void
  set_status( const interspike::Dict& d, nest::ConnectorModel& cm )
  {
    Given given = q_->given;
@SET@
    ConnectionBase::set_status( d, cm );
    q_ = q;
    s_ = s;
  }

  void
  set_weight( double w )
  {
    @WEIGHT@
  }

private:
  using Shared = Shared_@NAME@;
  using Given = Shared_@NAME@::Given;
  using State = State_@NAME@;

  static double
  step_length()
  {
    return nest::Time::get_resolution().get_ms()@MS@;
  }

  std::shared_ptr< const Shared > q_;
  State s_;
  double begin_ms_ = 0.0;
};
"""
