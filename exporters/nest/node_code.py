"""What NEST asks of a node besides its update: connections, status, buffers."""

from __future__ import annotations

from ...canonical_model.model import BOOLEAN, INTEGER
from .kept_code import past_prepare_lines, prepare_lines
from .names import status_key, string
from .plan import ModelPlan
from .ports import SpikePort
from .shared_code import state_checks

READERS = {INTEGER: "read_integer", BOOLEAN: "read_boolean"}


def methods(plan: ModelPlan) -> str:
    """The definitions of all of them."""
    parts = [
        _recordables(plan),
        _constructors(plan),
        _connections(plan),
        _get_status(plan),
        _set_status(plan),
        _hooks(plan),
    ]
    return "\n".join(parts)


def regime_keys(plan: ModelPlan) -> list[str]:
    """Status keys of the active regimes, one a machine."""
    taken = {*plan.keys.values(), *plan.recordables}
    found = []
    for machine in plan.component.machines:
        key = status_key(f"{machine.name}_regime" if machine.name else "regime")
        while key in taken:
            key += "_"
        taken.add(key)
        found.append(key)
    return found


def _recordables(plan: ModelPlan) -> str:
    name = plan.name
    entries = [
        f"  insert_( {string(key)}, &INTERSPIKE_NAMESPACE::{name}::get_{number} );"
        for number, key in enumerate(plan.recordables)
    ]
    entries += [
        f"  insert_( {string(key)}, &INTERSPIKE_NAMESPACE::{name}::get_regime_{k} );"
        for k, key in enumerate(regime_keys(plan))
    ]
    # the specialisation has to stand in NEST's own namespace
    return "\n".join(
        [
            f"inline nest::RecordablesMap< {name} > {name}::recordables_;",
            "}",
            "",
            "namespace nest",
            "{",
            "template <>",
            "inline void",
            f"RecordablesMap< INTERSPIKE_NAMESPACE::{name} >::create()",
            "{",
            *entries,
            "}",
            "}",
            "",
            "namespace INTERSPIKE_NAMESPACE INTERSPIKE_LOCAL",
            "{",
            "",
        ]
    )


def _constructors(plan: ModelPlan) -> str:
    name = plan.name
    milliseconds = plan.step_in_ms
    return f"""\
inline double
{name}::step_length()
{{
  return nest::Time::get_resolution().get_ms(){milliseconds};
}}

inline {name}::{name}()
  : ArchivingNode()
  , q_( interspike::Pool< Shared >::get( Given(), step_length() ) )
  , b_( *this )
{{
  if ( recordables_.empty() )
  {{
    recordables_.create();
  }}
  initialise( s_, *q_ );
}}

inline {name}::{name}( const {name}& other )
  : ArchivingNode( other )
  , q_( other.q_ )
  , s_( other.s_ )
  , was_set_( other.was_set_ )
  , b_( *this )
{{
}}
"""


def _connections(plan: ModelPlan) -> str:
    name = plan.name
    parts = [
        f"""\
inline size_t
{name}::send_test_event( nest::Node& target, size_t receptor, nest::synindex, bool )
{{
  nest::SpikeEvent e;
  e.set_sender( *this );
  return target.handles_test_event( e, receptor );
}}

inline size_t
{name}::handles_test_event( nest::DataLoggingRequest& request, size_t receptor )
{{
  if ( receptor != 0 )
  {{
    throw nest::UnknownReceptorType( receptor, get_name() );
  }}
  b_.is_recorded = true;
  return b_.logger.connect_logging_device( request, recordables_ );
}}

inline void
{name}::handle( nest::DataLoggingRequest& e )
{{
  b_.logger.handle( e );
}}
"""
    ]
    if plan.ports.spikes:
        parts.append(_spikes(plan))
    if plan.ports.currents:
        parts.append(_currents(plan))
    if plan.ports.peers:
        parts.append(_peers(plan))
    return "\n".join(parts)


SLOT = """\
  const size_t slot = nest::kernel().event_delivery_manager.get_modulo(
    e.get_rel_delivery_steps( nest::kernel().simulation_manager.get_slice_origin() ) );"""


def _spikes(plan: ModelPlan) -> str:
    name, table = plan.name, plan.ports.receptors()
    first, last = min(table), max(table)
    lines = [
        "inline size_t",
        f"{name}::handles_test_event( nest::SpikeEvent&, size_t receptor )",
        "{",
        f"  if ( {_outside('receptor', first, last)} )",
        "  {",
        "    throw nest::UnknownReceptorType( receptor, get_name() );",
        "  }",
        "  return receptor;",
        "}",
        "",
        "inline void",
        f"{name}::handle( nest::SpikeEvent& e )",
        "{",
        SLOT,
        "  [[maybe_unused]] const double count = e.get_multiplicity();",
        "  const double weight = e.get_weight() * count;",
    ]
    if len(table) == 1:
        lines += _receive(next(iter(table.values())), "  ")
    else:
        lines += ["  switch ( e.get_rport() )", "  {"]
        for number, ports in table.items():
            lines += [f"  case {number}:", *_receive(ports, "    "), "    break;"]
        lines.append("  }")
    return "\n".join([*lines, "}", ""])


def _outside(what: str, first: int, last: int) -> str:
    high = f"{what} > {last}" if last else f"{what} != 0"
    return f"{what} < {first} or {high}" if first else high


def _receive(ports: list[SpikePort], indent: str) -> list[str]:
    """Add an event to its channel; signed partners each take theirs."""
    if len(ports) == 1:
        return _add(ports[0], "weight", indent)
    lines = []
    for item in ports:
        is_excitatory = item.port.sign == "excitatory"
        test, value = ("weight >= 0.0", "weight") if is_excitatory else ("weight < 0.0", "-weight")
        lines += [f"{indent}if ( {test} )", f"{indent}{{"]
        lines += [*_add(item, value, f"{indent}  "), f"{indent}}}"]
    return lines


def _add(port: SpikePort, value: str, indent: str) -> list[str]:
    lines = [f"{indent}b_.input.add_value( slot, {port.channel}, {value} );"]
    if port.count >= 0:
        lines.append(f"{indent}b_.input.add_value( slot, {port.count}, count );")
    return lines


def _currents(plan: ModelPlan) -> str:
    name, ports = plan.name, plan.ports
    last = len(ports.currents) - 1
    lines = [
        "inline size_t",
        f"{name}::handles_test_event( nest::CurrentEvent&, size_t receptor )",
        "{",
        f"  if ( {_outside('receptor', 0, last)} )",
        "  {",
        "    throw nest::UnknownReceptorType( receptor, get_name() );",
        "  }",
        "  return receptor;",
        "}",
        "",
        "inline void",
        f"{name}::handle( nest::CurrentEvent& e )",
        "{",
        SLOT,
        f"  b_.input.add_value( slot, {ports.channels} + e.get_rport(), e.get_weight() * e.get_current() );",
        "}",
        "",
    ]
    return "\n".join(lines)


def _peers(plan: ModelPlan) -> str:
    """Values that other neurons send in every step: the newest is held until the next comes."""
    name, ports = plan.name, plan.ports
    first = ports.channels + len(ports.currents)
    lines = [
        "inline size_t",
        f"{name}::handles_test_event( nest::DelayedRateConnectionEvent&, size_t receptor )",
        "{",
        f"  if ( {_outside('receptor', 0, len(ports.peers) - 1)} )",
        "  {",
        "    throw nest::UnknownReceptorType( receptor, get_name() );",
        "  }",
        "  return receptor;",
        "}",
        "",
        "inline void",
        f"{name}::handle( nest::DelayedRateConnectionEvent& e )",
        "{",
        f"  const size_t place = {first} + 2 * e.get_rport();",
        "  long lag = e.get_delay_steps() - nest::kernel().connection_manager.get_min_delay();",
        "  auto it = e.begin();",
        "  while ( it != e.end() )",
        "  {",
        "    const size_t slot = nest::kernel().event_delivery_manager.get_modulo( lag );",
        "    b_.input.add_value( slot, place, e.get_weight() * e.get_coeffvalue( it ) );",
        "    b_.input.add_value( slot, place + 1, 1.0 );",
        "    ++lag;",
        "  }",
        "}",
        "",
    ]
    return "\n".join(lines)


def _get_status(plan: ModelPlan) -> str:
    lines = [
        "inline void",
        f"{plan.name}::get_status( interspike::Dict& d ) const",
        "{",
        "  nest::ArchivingNode::get_status( d );",
    ]
    for item in plan.quantities:
        if item.name not in plan.keys:
            continue
        place = _place(plan, item.name)
        value = {INTEGER: f"static_cast< long >( {place} )", BOOLEAN: f"{place} != 0.0"}
        text = value.get(item.kind, place)
        lines.append(f"  interspike::write( d, {string(plan.keys[item.name])}, {text} );")
    for name in plan.ports.peers:
        place = f"s_.{plan.fields[name]}"
        lines.append(f"  interspike::write( d, {string(plan.keys[name])}, {place} );")
    for k, key in enumerate(regime_keys(plan)):
        lines.append(f"  interspike::write( d, {string(key)}, static_cast< long >( s_.r_{k} ) );")
    if plan.ports.names:
        listed = ", ".join(f"{{ {string(key)}, {number} }}" for key, number in plan.ports.names)
        lines.append(f"  interspike::write_receptors( d, {{ {listed} }} );")
    lines.append("  interspike::write_recordables( d, recordables_ );")
    return "\n".join([*lines, "}", ""])


def _place(plan: ModelPlan, name: str) -> str:
    field = plan.fields[name]
    if any(item.name == name for item in plan.parameters):
        return f"q_->given.{field}"
    if any(item.name == name for item in plan.derived):
        return f"q_->{field}"
    return f"s_.{field}"


def _set_status(plan: ModelPlan) -> str:
    """All or nothing: values are kept only once every check has passed."""
    component = plan.component
    lines = [
        "inline void",
        f"{plan.name}::set_status( const interspike::Dict& d )",
        "{",
        "  Given given = q_->given;",
    ]
    for item in plan.parameters:
        if item.name not in plan.keys:
            continue
        reader, key = READERS.get(item.kind, "read"), string(plan.keys[item.name])
        lines.append(f"  interspike::{reader}( d, {key}, given.{plan.fields[item.name]}, this );")
    lines += [
        "  std::shared_ptr< const Shared > q = q_;",
        "  if ( std::memcmp( &given, &q->given, sizeof( Given ) ) != 0 )",
        "  {",
        "    q = interspike::Pool< Shared >::get( given, step_length() );",
        "    q->check();",
        "  }",
        "  State s = s_;",
    ]
    if component.update is None:
        # initial values follow the parameters until the run begins
        lines += ["  if ( not has_begun_ )", "  {", "    initialise( s, *q );", "  }"]
    lines.append("  auto was_set = was_set_;")
    for number, state in enumerate(component.state_variables):
        reader, key = READERS.get(state.kind, "read"), string(plan.keys[state.name])
        place = f"s.{plan.fields[state.name]}"
        lines += [
            f"  if ( interspike::{reader}( d, {key}, {place}, this ) )",
            "  {",
            f"    was_set.set( {number} );",
            "  }",
        ]
    for name in plan.ports.peers:
        place = f"s.{plan.fields[name]}"
        lines.append(f"  interspike::read( d, {string(plan.keys[name])}, {place}, this );")
    for k, key in enumerate(regime_keys(plan)):
        lines += _set_regime(plan, k, key)
    lines += state_checks(plan, "  ")
    lines += [
        "  nest::ArchivingNode::set_status( d );",
        "  q_ = q;",
        "  s_ = s;",
        "  was_set_ = was_set;",
    ]
    return "\n".join([*lines, "}", ""])


def _set_regime(plan: ModelPlan, number: int, key: str) -> list[str]:
    count = len(plan.component.machines[number].regimes)
    message = string(f"{key} must be from 0 to {count - 1}")
    return [
        f"  long regime_{number} = s.r_{number};",
        f"  if ( interspike::read( d, {string(key)}, regime_{number}, this ) )",
        "  {",
        f"    if ( regime_{number} < 0 or regime_{number} >= {count} )",
        "    {",
        f"      throw nest::BadProperty( {message} );",
        "    }",
        f"    s.r_{number} = static_cast< int >( regime_{number} );",
        "  }",
    ]


def _hooks(plan: ModelPlan) -> str:
    name = plan.name
    missing = [item for item in plan.parameters if item.value is None]
    lines = ["inline void", f"{name}::init_buffers_()", "{"]
    if plan.ports.width:
        lines.append("  b_.input.clear();")
    lines += [
        "  b_.logger.reset();",
        *(["  kept_.clear();"] if plan.kept else []),
        *(f"  b_.past_{k}.clear();" for k in range(len(plan.delays))),
        "  nest::ArchivingNode::clear_history();",
        "}",
        "",
        "inline void",
        f"{name}::pre_run_hook()",
        "{",
        "  b_.logger.init();",
        "  if ( q_->h != step_length() )",
        "  {",
        "    q_ = interspike::Pool< Shared >::get( q_->given, step_length() );",
        "  }",
    ]
    for item in missing:
        message = string(f"the parameter {plan.keys[item.name]} of {plan.title} must be given")
        place = f"q_->given.{plan.fields[item.name]}"
        lines += [f"  if ( std::isnan( {place} ) )", "  {"]
        lines += [f"    throw nest::BadProperty( {message} );", "  }"]
    lines += ["  if ( not has_begun_ )", "  {", "    has_begun_ = true;", "    begin();", "  }"]
    lines += [*past_prepare_lines(plan), *prepare_lines(plan)]
    return "\n".join([*lines, "}", ""])
