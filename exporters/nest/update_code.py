"""The loop over the steps of a slice, in the order that NEST's own models keep.

A step ends at t_n: integrate (or run the model's program), take what arrived for t_n, test conditions,
send a spike stamped t_n, read currents for the next step, record.
"""

from __future__ import annotations

from ...canonical_model.expr import Expr, Name
from ...canonical_model.model import Integrate, OnCondition, OnEvent
from ...canonical_model.passes.kernels import LAST
from ...canonical_model.query import bodies, conditions, later_ways
from .body_code import Scope, derived_lines, draws, node_names, statements_code
from .integrate_code import integrate_code
from .kept_code import before_lines, leading, past_lines, record_lines
from .names import identifier
from .plan import ModelPlan, expressions
from .ports import SpikePort
from .printer import literal, print_condition

SLACK = 1e-9  # of a step: timed events due within it count as due


def update_method(plan: ModelPlan) -> str:
    """The method `update`."""
    component = plan.component
    lines = [
        *_timed_tables(plan),
        "inline void",
        f"{plan.name}::update( nest::Time const& origin, const long from, const long to )",
        "{",
        "  [[maybe_unused]] const Shared& q = *q_;",
        "  [[maybe_unused]] const double h = q.h;",
        "  const long begin_steps = origin.get_steps();",
        "  State s = s_;",
    ]
    if draws(plan, _all_expressions(plan)):
        lines.append("  const nest::RngPtr rng = nest::get_vp_specific_rng( get_thread() );")
    if plan.sent:
        lines.append(
            "  std::vector< double > sent( nest::kernel().connection_manager.get_min_delay(), 0.0 );"
        )
    lines += ["  for ( long lag = from; lag < to; ++lag )", "  {"]
    lines += [f"    {text}" for text in _arrivals(plan)]
    lines += past_lines(plan)
    lines.append("    [[maybe_unused]] long emitted = 0;")
    if plan.kept:
        lines.append("    Kept::TraceValues before;")
    is_program = component.update is not None
    code = _program(plan)
    if code:
        lines += ["    {", *_times("lag + 1" if is_program else "lag"), *code, "    }"]
    rest = [*([] if is_program else _events(plan, plan.component.on_events))]
    rest += [*_conditions(plan), *_timed(plan)]
    if rest:
        lines.append("    [[maybe_unused]] const double t = ( begin_steps + lag + 1 ) * h;")
        lines += rest
    if plan.ports.output:
        lines += [*_send(), *_read_currents(plan)]
    else:
        lines += _read_currents(plan)
    if plan.sent:
        scope = _scope(plan)
        needed = derived_lines(scope, [Name(plan.sent)], "      ")
        lines += ["    {", *needed, f"      sent[ lag ] = {scope.names[plan.sent]};", "    }"]
    lines += record_lines(plan)
    lines += [
        "    if ( b_.is_recorded )",
        "    {",
        "      s_ = s;",
        "      b_.logger.record_data( begin_steps + lag );",
        "    }",
        "  }",
        "  s_ = s;",
        *(_SEND_VALUES if plan.sent else []),
        "}",
        "",
    ]
    return "\n".join(lines)


_SEND_VALUES = (
    "  nest::DelayedRateConnectionEvent values;",
    "  values.set_coeffarray( sent );",
    "  nest::kernel().event_delivery_manager.send_secondary( *this, values );",
)


def _times(steps: str) -> list[str]:
    """Time where code stands, and where the integration of its step begins."""
    return [
        f"      [[maybe_unused]] const double t = ( begin_steps + {steps} ) * h;",
        "      [[maybe_unused]] const double t_begin = ( begin_steps + lag ) * h;",
    ]


def _program(plan: ModelPlan) -> list[str]:
    """The program of a step, handlers, traces and what they take; or the integration of all ODEs."""
    component = plan.component
    if component.update is None:
        return integrate_code(Integrate(), _scope(plan), "      ") + before_lines(plan, "      ")
    body, traces = component.update, component.traces
    if traces:
        body = body[:-1]
    early = tuple(item for item in component.on_events if item.priority != LAST)
    late = tuple(item for item in component.on_events if item.priority == LAST)
    first = leading(plan, body)
    lines = statements_code(_scope(plan), body[:first], "      ") + before_lines(plan, "      ")
    lines += statements_code(_scope(plan), body[first:], "      ")
    lines += _events(plan, early)
    if traces:
        lines += integrate_code(Integrate(variables=traces), _scope(plan), "      ")
    return lines + _events(plan, late)


def _scope(plan: ModelPlan) -> Scope:
    """A fresh scope that knows what arrived in the step."""
    names = node_names(plan)
    for item in plan.ports.spikes:
        names[f"arrived({item.port.name})"] = f"w_{item.channel}"
    return Scope(plan, names, integrate_code)


def _all_expressions(plan: ModelPlan) -> list[Expr]:
    """Everything that an update may evaluate."""
    component = plan.component
    found: list[Expr] = [item.test for item in conditions(component)]
    for body in bodies(component):
        found += expressions(body)
    for program in plan.update.all_programs():
        found += [item.value for item in program.instructions]
    return found


def _arrivals(plan: ModelPlan) -> list[str]:
    """What the ring buffer holds for this step, read once and cleared."""
    ports = plan.ports
    count = ports.width
    if not count:
        return []
    lines = [
        "const size_t slot = nest::kernel().event_delivery_manager.get_modulo( lag );",
        f"const std::array< double, {count} > arrived = b_.input.get_values_all_channels( slot );",
        "b_.input.reset_values_all_channels( slot );",
    ]
    for item in ports.spikes:
        lines.append(f"[[maybe_unused]] const double w_{item.channel} = arrived[ {item.channel} ];")
    for number, name in enumerate(ports.peers):
        place = ports.channels + len(ports.currents) + 2 * number
        field = f"s.{plan.fields[name]}"
        lines.append(f"{field} = arrived[ {place + 1} ] > 0.0 ? arrived[ {place} ] : {field};")
    return lines


def _events(plan: ModelPlan, general: tuple[OnEvent, ...]) -> list[str]:
    """Handlers of what arrived: those that always hear, higher priority first, then those of regimes.

    One event after another: an event is heard in the regime to which the one before has led.
    """
    lines: list[str] = []
    for item in sorted(general, key=lambda entry: -entry.priority):
        port = plan.ports.spike(item.port)
        body = _handler(plan, port, item)
        if body:
            lines += [_guard(port), "    {", *body, "    }"]
    for m, machine in enumerate(plan.component.machines):
        heard = [(r, item) for r, regime in enumerate(machine.regimes) for item in regime.on_events]
        for name in dict.fromkeys(item.port for _, item in heard):
            port = plan.ports.spike(name)
            choices: dict[int, list[str]] = {}
            for r, item in heard:
                if item.port == name:
                    choices.setdefault(r, []).extend(_handler(plan, port, item))
            inner: list[str] = []
            for r, body in choices.items():
                word = "else if" if inner else "if"
                inner += [f"      {word} ( heard == {r} )", "      {", *body, "      }"]
            start = f"      const int heard = s.r_{m};"
            lines += [_guard(port), "    {", start, *inner, "    }"]
    return lines


def _handler(plan: ModelPlan, port: SpikePort, item: OnEvent) -> list[str]:
    """What a handler does."""
    scope = _scope(plan)
    for name in port.port.payload:
        scope.names[name] = f"w_{port.channel}"
    return statements_code(scope, item.body, "      ")


def _guard(port: SpikePort) -> str:
    """When the handlers of a port run."""
    label = f" /* {identifier(port.port.name)} */"
    if port.mode == "repeat":
        return f"    for ( long k = 0; k < std::lround( arrived[ {port.count} ] ); ++k ){label}"
    if port.mode == "once":
        return f"    if ( arrived[ {port.count} ] > 0.0 ){label}"
    return f"    {label.strip()}"


def _condition(plan: ModelPlan, item: OnCondition, indent: str, guard: str = "") -> list[str]:
    scope = _scope(plan)
    needed = derived_lines(scope, [item.test], f"{indent}  ")
    deep = f"{indent}  " if needed else indent
    test = print_condition(item.test, scope.names)
    lines = [
        f"{deep}if ( {f'{guard} and ( {test} )' if guard else test} )",
        f"{deep}{{",
        *statements_code(_scope(plan), item.body, f"{deep}  "),
        f"{deep}}}",
    ]
    return [f"{indent}{{", *needed, *lines, f"{indent}}}"] if needed else lines


def _conditions(plan: ModelPlan) -> list[str]:
    """Conditions in the order written; those of a regime if it was active before the first one."""
    component = plan.component
    lines: list[str] = []
    with_tests = [
        (m, r, regime)
        for m, machine in enumerate(component.machines)
        for r, regime in enumerate(machine.regimes)
        if regime.on_conditions
    ]
    own: list[str] = []
    for item in component.on_conditions:
        own += _condition(plan, item, "    ")
    for m in sorted({m for m, _, _ in with_tests}):
        lines.append(f"    const int active_{m} = s.r_{m};")
    lines = [*own, *lines]
    for m, r, regime in with_tests:
        lines += [f"    if ( active_{m} == {r} ) /* {identifier(regime.name)} */", "    {"]
        items = regime.on_conditions
        for item, is_later in zip(items, later_ways(items), strict=True):
            guard = f"s.r_{m} == {r}" if is_later else ""
            lines += _condition(plan, item, "      ", guard)
        lines.append("    }")
    return lines


def _timed_tables(plan: ModelPlan) -> list[str]:
    lines: list[str] = []
    for k, item in enumerate(plan.component.timed_events):
        times = ", ".join(literal(time) for time in item.times)
        lines += [f"inline const std::vector< double > {plan.name}_times_{k} = {{ {times} }};", ""]
    return lines


def _timed(plan: ModelPlan) -> list[str]:
    """Lists of times: what is due at the end of this step, never before the first."""
    lines = []
    for k, item in enumerate(plan.component.timed_events):
        table = f"{plan.name}_times_{k}"
        lines += [
            f"    while ( s.next_{k} < {table}.size() and {table}[ s.next_{k} ] <= t + {SLACK} * h )",
            "    {",
            f"      ++s.next_{k};",
            *statements_code(_scope(plan), item.body, "      "),
            "    }",
        ]
    return lines


def _send() -> list[str]:
    return [
        "    if ( emitted > 0 )",
        "    {",
        "      set_spiketime( nest::Time::step( begin_steps + lag + 1 ) );",
        "      nest::SpikeEvent e;",
        "      e.set_multiplicity( emitted );",
        "      nest::kernel().event_delivery_manager.send( *this, e, lag );",
        "    }",
    ]


def _read_currents(plan: ModelPlan) -> list[str]:
    lines = []
    defaults = {item.name: item.default for item in plan.component.analog_inputs}
    for number, name in enumerate(plan.ports.currents):
        place = plan.ports.channels + number
        own = f"{literal(defaults[name])} + " if defaults[name] else ""
        lines.append(f"    s.{plan.fields[name]} = {own}arrived[ {place} ];")
    return lines
