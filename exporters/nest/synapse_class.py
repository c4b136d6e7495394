"""The header of one synapse: a connection model of NEST.

A synapse without a neuron of its own reads the spikes of its target from the history that every neuron of
NEST keeps, so that it goes with any neuron. A paired one reads those, and the values around them, from what
its neuron keeps for it.
"""

from __future__ import annotations

from ...canonical_model.passes.partners import weight_of
from .body_code import draws
from .model_code import documentation, solver_header
from .names import string
from .plan import ModelPlan, expressions
from .printer import literal
from .shared_code import shared_struct, state_checks
from .synapse_code import (
    MODULATOR,
    POST,
    PRE,
    handlers_of,
    own_inputs,
    priority,
    synapse_functions,
    traces_of_target,
)


def synapse_header(plan: ModelPlan, head: str) -> str:
    """The whole header file."""
    plan.place = ""  # coefficients depend on the time that has passed: they are locals
    guard = f"INTERSPIKE_{plan.name.upper()}_H"
    parts = [
        f"{head}#ifndef {guard}\n#define {guard}\n",
        '#include "interspike_nest.h"',
        *solver_header(plan),
        *(['#include "interspike_modulator.h"'] if plan.is_modulated else []),
        *([f'#include "{plan.neuron.title}.h"'] if plan.neuron else []),
        "",
        documentation(plan),
        "namespace INTERSPIKE_NAMESPACE INTERSPIKE_LOCAL\n{\n",
        shared_struct(plan),
        *synapse_functions(plan),
        _class(plan),
        "}\n",
        "#endif\n",
    ]
    return "\n".join(parts)


def _class(plan: ModelPlan) -> str:
    weight = weight_of(plan.component)
    place = f"s_.{plan.fields[weight]} = w;" if _in_state(plan, weight) else "(void)w;"
    marks = {
        "FOLLOW": _follow(plan),
        "TRIGGER": _TRIGGER if plan.is_modulated else "",
        "COMMON": "interspike::Modulated" if plan.is_modulated else "nest::CommonSynapseProperties",
        "REGISTER": _register(plan),
        "TARGET": _target(plan),
        "RNG": _random(plan),
        "GET": _get(plan),
        "SET": _set(plan),
        "WEIGHT": place,
        "DELAY": _delay(plan),
        "HEARD": "  size_t heard_ = 0;\n" if plan.is_modulated else "",
        "CP": " cp" if plan.is_modulated else "",
        "SPIKES": "cp.spikes(), " if plan.is_modulated else "",
        "HEAR": "const std::vector< nest::spikecounter >& spikes,\n    "
        if plan.is_modulated
        else "",
        "VALUES": f"\n    Host_{plan.name} host;" if plan.reads else "",
        "MS": plan.step_in_ms,
        "NAME": plan.name,
    }
    text = _CLASS
    for mark, value in marks.items():
        text = text.replace(f"@{mark}@", value)
    return text


def _random(plan: ModelPlan) -> str:
    random = draws(plan, [e for i in plan.component.on_events for e in expressions(i.body)])
    random = random or draws(plan, expressions(plan.component.update or ()))
    return "nest::get_vp_specific_rng( thread )" if random else "nullptr"


def _delay(plan: ModelPlan) -> str:
    """The connection's delay, where the model asks for it."""
    fields = [plan.fields[name] for name in own_inputs(plan)]
    return "".join(f"\n    s_.{field} = get_delay()@MS@;" for field in fields)


def _follow(plan: ModelPlan) -> str:
    """How the spikes of all ends are taken up in order."""
    has_post, has_pre = bool(handlers_of(plan, POST)), bool(handlers_of(plan, PRE))
    host = "host, " if plan.reads else ""
    # at equal times the end of higher priority goes first, else the target
    is_pre_first = priority(plan, PRE) > priority(plan, POST)
    lines = _modulator_lines(plan)
    if plan.neuron:
        lines += _PAIRED
    elif has_post:
        lines += _POSTS
    if has_post:
        lines += [
            "for ( ; post != last and post->t_ + get_delay() < t_ms - 1e-6; ++post )",
            "{",
            "  reach( post->t_ + get_delay() );",
            *(f"  {line}" for line in _post_values(plan)),
            f"  on_post( s_, *q_, {host}post->t_@MS@, rng, 1.0, ignore );",
            "}",
        ]
    lines.append("reach( t_ms );")
    if has_post:
        tie = _tie(plan, host)
        own = [] if is_pre_first or not has_pre else traces_of_target(plan)
        pre = _pre_lines(plan, host) if has_pre else []
        pre = ["if ( is_pre )", "{", *(f"  {line}" for line in _seen_before(plan, own, pre)), "}"]
        lines += [*pre, *tie] if is_pre_first else [*_saved(plan, own), *tie, *pre]
    elif has_pre:
        lines += ["if ( is_pre )", "{", *(f"  {line}" for line in _pre_lines(plan, host)), "}"]
    lines.append("begin_ms_ = t_ms;")
    return "\n".join(f"    {line}" for line in lines)


def _pre_lines(plan: ModelPlan, host: str) -> list[str]:
    """A spike of the source."""
    return [*_pre_values(plan), f"on_pre( s_, *q_, {host}t, rng, 1.0, send );"]


def _tie(plan: ModelPlan, host: str) -> list[str]:
    """A spike of the target that has come back just now."""
    return [
        "if ( post != last )",
        "{",
        *(f"  {line}" for line in _post_values(plan)),
        f"  on_post( s_, *q_, {host}post->t_@MS@, rng, 1.0, ignore );",
        "}",
    ]


def _saved(plan: ModelPlan, own: list[str]) -> list[str]:
    return [f"const double before_{k} = s_.{plan.fields[name]};" for k, name in enumerate(own)]


def _seen_before(plan: ModelPlan, own: list[str], body: list[str]) -> list[str]:
    """The body with the target's own traces as they were before its spike."""
    lines = []
    for k, name in enumerate(own):
        place = f"s_.{plan.fields[name]}"
        lines += [f"const double after_{k} = {place};", f"{place} = before_{k};"]
    return [*lines, *body, *(f"s_.{plan.fields[n]} = after_{k};" for k, n in enumerate(own))]


def _modulator_lines(plan: ModelPlan) -> list[str]:
    """`reach`: advance, with the events of a modulator on the way."""
    if not plan.is_modulated:
        return [
            "const auto reach = [ & ]( const double until_ms )",
            "{",
            "  advance( s_, *q_, until_ms@MS@, rng );",
            "};",
        ]
    host = "host, " if plan.reads else ""
    run: list[str] = []
    if handlers_of(plan, MODULATOR):
        run = [
            "    for ( long k = 0; k < std::lround( spike.multiplicity_ ); ++k )",
            "    {",
            f"      on_modulator( s_, *q_, {host}spike.spike_time_@MS@, rng, 1.0, ignore );",
            "    }",
        ]
    return [
        "const auto reach = [ & ]( const double until_ms )",
        "{",
        "  for ( ; heard_ < spikes.size() and spikes[ heard_ ].spike_time_ < until_ms + 1e-6; ++heard_ )",
        "  {",
        "    [[maybe_unused]] const nest::spikecounter& spike = spikes[ heard_ ];",
        "    advance( s_, *q_, spike.spike_time_@MS@, rng );",
        *run,
        "  }",
        "  advance( s_, *q_, until_ms@MS@, rng );",
        "};",
    ]


def _values(plan: ModelPlan, trace: str, after: str, sample: str) -> list[str]:
    """The neuron's values in the synapse's units; the texts read number `{k}`."""
    if plan.neuron is None or plan.neuron.kept is None:
        return []
    kept = plan.neuron.kept
    lines = []
    for name, (quantity, is_after) in plan.reads.items():
        if quantity in kept.traces:
            text = (after if is_after else trace).format(k=kept.traces.index(quantity))
        else:
            text = sample.format(k=kept.samples.index(quantity))
        dimension = plan.neuron.dimension(quantity)
        factor = plan.neuron.units.size(dimension) / plan.units.size(dimension)
        scale = "" if factor == 1.0 else f" * {literal(factor)}"
        lines.append(f"host.{plan.fields[name]} = {text}{scale};")
    return lines


def _post_values(plan: ModelPlan) -> list[str]:
    """At a spike of the target: around the spike, and when it has come back."""
    return _values(
        plan, "post->before[ {k} ]", "post->after[ {k} ]", "post->sample( get_delay_steps(), {k} )"
    )


def _pre_values(plan: ModelPlan) -> list[str]:
    """At a spike of the source: a dendritic delay ago, and now."""
    return _values(
        plan, "kept.trace( step - get_delay_steps(), {k} )", "0.0", "kept.sample( step, {k} )"
    )


def _target(plan: ModelPlan) -> str:
    if plan.neuron is None:
        return "get_target( thread )"
    return f"static_cast< {plan.neuron.name}* >( get_target( thread ) )"


def _register(plan: ModelPlan) -> str:
    """What the target is told when a connection is made."""
    lines = []
    if plan.is_modulated:
        message = string(f"{plan.title} needs a volume_transmitter (SetDefaults or CopyModel)")
        lines += ["if ( not cp.is_heard() )", "{", f"  throw nest::BadProperty( {message} );", "}"]
    if plan.neuron:
        message = string(f"{plan.title} ends at {plan.neuron.title} only: they were made together")
        lines += [
            f"auto* neuron = dynamic_cast< {plan.neuron.name}* >( &t );",
            "if ( not neuron )",
            "{",
            f"  throw nest::IllegalConnection( {message} );",
            "}",
            "const long delay = get_delay_steps();",
            "neuron->kept().connect( interspike::steps_of( begin_ms_ ) - delay, delay );",
        ]
    elif handlers_of(plan, POST):
        lines.append("t.register_stdp_connection( begin_ms_ - get_delay(), get_delay() );")
    return "".join(f"\n    {line}" for line in lines)


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


_POSTS = (
    "std::deque< nest::histentry >::iterator post;",
    "std::deque< nest::histentry >::iterator last;",
    "target->get_history( begin_ms_ - get_delay(), t_ms - get_delay(), &post, &last );",
)

_PAIRED = (
    "auto& kept = target->kept();",
    "[[maybe_unused]] const long step = interspike::steps_of( t_ms );",
    "[[maybe_unused]] auto [ post, last ] =",
    "  kept.range( interspike::steps_of( begin_ms_ ) - get_delay_steps(), step - get_delay_steps() );",
)

_TRIGGER = """
  void
  trigger_update_weight( const size_t thread,
    const std::vector< nest::spikecounter >& spikes,
    const double t_ms,
    const CommonPropertiesType& )
  {
    auto* target = @TARGET@;
    [[maybe_unused]] const nest::RngPtr rng = @RNG@;
    follow( target, t_ms, spikes, rng, false, []( double ) {} );
    /* the transmitter begins its list anew */
    heard_ = 0;
  }
"""

_CLASS = """\
template < typename targetidentifierT >
class @NAME@ : public nest::Connection< targetidentifierT >
{
public:
  using CommonPropertiesType = @COMMON@;
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
  check_connection( nest::Node& s, nest::Node& t, size_t receptor, const CommonPropertiesType&@CP@ )
  {
    ConnTestDummyNode dummy;
    ConnectionBase::check_connection_( dummy, s, t, receptor );
    if ( q_->h != step_length() )
    {
      q_ = interspike::Pool< Shared >::get( q_->given, step_length() );
    }@REGISTER@
  }

  bool
  send( nest::Event& e, const size_t thread, const CommonPropertiesType&@CP@ )
  {
    auto* target = @TARGET@;
    [[maybe_unused]] const nest::RngPtr rng = @RNG@;
    bool was_sent = false;
    const auto send = [ & ]( const double w )
    {
      e.set_receiver( *target );
      e.set_weight( w );
      e.set_delay_steps( get_delay_steps() );
      e.set_rport( get_rport() );
      e();
      was_sent = true;
    };
    follow( target, e.get_stamp().get_ms(), @SPIKES@rng, true, send );
    return was_sent;
  }
@TRIGGER@
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

  /* all that happens up to and at `t_ms`; a spike of the source then goes on by `send` */
  template < typename Target, typename Send >
  void
  follow( [[maybe_unused]] Target* target,
    const double t_ms,
    @HEAR@[[maybe_unused]] const nest::RngPtr rng,
    [[maybe_unused]] const bool is_pre,
    [[maybe_unused]] Send send )
  {
    [[maybe_unused]] const double t = t_ms@MS@;
    [[maybe_unused]] const auto ignore = []( double ) {};@VALUES@@DELAY@
@FOLLOW@
  }

  static double
  step_length()
  {
    return nest::Time::get_resolution().get_ms()@MS@;
  }

  std::shared_ptr< const Shared > q_;
  State s_;
  double begin_ms_ = 0.0;
@HEARD@};
"""
