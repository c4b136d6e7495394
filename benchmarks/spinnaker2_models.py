"""The models of the comparison with hand-written programs, in the canonical form."""

from __future__ import annotations

from interspike.canonical_model import model as m
from interspike.canonical_model import units as u
from interspike.canonical_model.circuit import Circuit, EventLink, Group, Probe
from interspike.canonical_model.expr_text import parse_expr
from interspike.canonical_model.units import Dimension, si_quantity

SIZE = 128


def _parameter(name: str, value: float, dimension: Dimension = u.NONE) -> m.Parameter:
    return m.Parameter(name=name, dimension=dimension, value=si_quantity(value, dimension))


def _state(name: str, initial: str = "", dimension: Dimension = u.NONE) -> m.StateVariable:
    return m.StateVariable(
        name=name, dimension=dimension, initial=parse_expr(initial) if initial else None
    )


def _set(target: str, value: str) -> m.Assign:
    return m.Assign(target=target, value=parse_expr(value))


def _ode(variable: str, rate: str) -> m.Ode:
    return m.Ode(variable=variable, rhs=parse_expr(rate))


def _adds(port: str, target: str, amount: str) -> m.OnEvent:
    return m.OnEvent(port=port, body=(_set(target, f"{target} + {amount}"),))


SPIKE = m.Emit(port="spike")
PORTS = (m.EventPort(name="exc", payload=("weight",)), m.EventPort(name="inh", payload=("weight",)))
OUT = (m.EventPort(name="spike"),)


def lif() -> m.Component:
    """Leaky integrate-and-fire, exponential synaptic currents, 2 ms of rest after a spike."""
    return m.Component(
        name="lif",
        parameters=(
            _parameter("C", 2e-10, u.CAPACITANCE),
            _parameter("tau", 0.02, u.TIME),
            _parameter("tau_exc", 0.005, u.TIME),
            _parameter("tau_inh", 0.01, u.TIME),
            _parameter("drive", 3e-10, u.CURRENT),
            _parameter("threshold", 0.015, u.VOLTAGE),
            _parameter("unit", 1e-12, u.CURRENT),
        ),
        state_variables=(
            _state("v", dimension=u.VOLTAGE),
            _state("exc", dimension=u.CURRENT),
            _state("inh", dimension=u.CURRENT),
            m.StateVariable(name="rest", kind=m.INTEGER),
        ),
        odes=(
            _ode("v", "-v / tau + (exc - inh + drive) / C"),
            _ode("exc", "-exc / tau_exc"),
            _ode("inh", "-inh / tau_inh"),
        ),
        update=(
            m.If(
                branches=(
                    (
                        parse_expr("rest > 0"),
                        (_set("rest", "rest - 1"), m.Integrate(variables=("exc", "inh"))),
                    ),
                ),
                otherwise=(m.Integrate(),),
            ),
        ),
        on_conditions=(
            m.OnCondition(
                test=parse_expr("v > threshold"),
                body=(_set("v", "0 * v"), _set("rest", "20"), SPIKE),
            ),
        ),
        on_events=(_adds("exc", "exc", "weight * unit"), _adds("inh", "inh", "weight * unit")),
        event_inputs=PORTS,
        event_outputs=OUT,
    )


def izhikevich() -> m.Component:
    """Izhikevich (2003), without dimensions; time in ms through `ms`."""
    return m.Component(
        name="izhikevich",
        parameters=(
            _parameter("ms", 1e-3, u.TIME),
            _parameter("a", 0.02),
            _parameter("b", 0.2),
            _parameter("c", -65.0),
            _parameter("d", 8.0),
            _parameter("drive", 10.0),
        ),
        state_variables=(_state("v", "-65"), _state("u", "b * v")),
        odes=(
            _ode("v", "(0.04 * v^2 + 5 * v + 140 - u + drive) / ms"),
            _ode("u", "a * (b * v - u) / ms"),
        ),
        on_conditions=(
            m.OnCondition(
                test=parse_expr("v >= 30"), body=(_set("v", "c"), _set("u", "u + d"), SPIKE)
            ),
        ),
        on_events=(_adds("exc", "v", "weight"), _adds("inh", "v", "-weight")),
        event_inputs=PORTS,
        event_outputs=OUT,
    )


def adex() -> m.Component:
    """Adaptive exponential integrate-and-fire (Brette and Gerstner 2005), exponential currents."""
    return m.Component(
        name="adex",
        parameters=(
            _parameter("C", 2.81e-10, u.CAPACITANCE),
            _parameter("g", 3e-8, u.CONDUCTANCE),
            _parameter("E", -0.0706, u.VOLTAGE),
            _parameter("VT", -0.0504, u.VOLTAGE),
            _parameter("DT", 0.002, u.VOLTAGE),
            _parameter("tau_w", 0.144, u.TIME),
            _parameter("a", 4e-9, u.CONDUCTANCE),
            _parameter("b", 8.05e-11, u.CURRENT),
            _parameter("peak", 0.0, u.VOLTAGE),
            _parameter("drive", 8e-10, u.CURRENT),
            _parameter("tau_exc", 0.005, u.TIME),
            _parameter("tau_inh", 0.01, u.TIME),
            _parameter("unit", 1e-12, u.CURRENT),
        ),
        state_variables=(
            _state("v", "E", u.VOLTAGE),
            _state("w", dimension=u.CURRENT),
            _state("exc", dimension=u.CURRENT),
            _state("inh", dimension=u.CURRENT),
        ),
        odes=(
            _ode("v", "(g * DT * exp((v - VT) / DT) - g * (v - E) + exc - inh + drive - w) / C"),
            _ode("w", "(a * (v - E) - w) / tau_w"),
            _ode("exc", "-exc / tau_exc"),
            _ode("inh", "-inh / tau_inh"),
        ),
        on_conditions=(
            m.OnCondition(
                test=parse_expr("v > peak"), body=(_set("v", "E"), _set("w", "w + b"), SPIKE)
            ),
        ),
        on_events=(_adds("exc", "exc", "weight * unit"), _adds("inh", "inh", "weight * unit")),
        event_inputs=PORTS,
        event_outputs=OUT,
    )


def hh() -> m.Component:
    """Hodgkin and Huxley (1952), time in ms and voltages in mV through `ms`."""
    return m.Component(
        name="hh",
        parameters=(_parameter("ms", 1e-3, u.TIME), _parameter("drive", 10.0)),
        state_variables=(
            _state("v", "-65"),
            _state("m", "0.053"),
            _state("n", "0.318"),
            _state("j", "0.596"),
            _state("above"),
        ),
        derived_variables=tuple(
            m.DerivedVariable(name=name, value=parse_expr(value))
            for name, value in (
                ("am", "1 / exprel(-(v + 40) / 10)"),
                ("bm", "4 * exp(-(v + 65) / 18)"),
                ("an", "0.1 / exprel(-(v + 55) / 10)"),
                ("bn", "0.125 * exp(-(v + 65) / 80)"),
                ("ah", "0.07 * exp(-(v + 65) / 20)"),
                ("bh", "1 / (1 + exp(-(v + 35) / 10))"),
                ("gna", "120 * m^3 * j"),
                ("gk", "36 * n^4"),
            )
        ),
        odes=(
            _ode("v", "(drive - gna * (v - 50) - gk * (v + 77) - 0.3 * (v + 54.4)) / ms"),
            _ode("m", "(am * (1 - m) - bm * m) / ms"),
            _ode("n", "(an * (1 - n) - bn * n) / ms"),
            _ode("j", "(ah * (1 - j) - bh * j) / ms"),
        ),
        on_conditions=(
            m.OnCondition(
                test=parse_expr("v >= 0 and above == 0"), body=(_set("above", "1"), SPIKE)
            ),
            m.OnCondition(test=parse_expr("v < 0"), body=(_set("above", "0"),)),
        ),
        on_events=(_adds("exc", "v", "weight"), _adds("inh", "v", "-weight")),
        event_inputs=PORTS,
        event_outputs=OUT,
    )


def population(component: m.Component, length: float, step: float) -> Circuit:
    """128 neurons whose ring buffers have two receptor types; the connections carry next to nothing."""
    import numpy as np

    everyone = np.arange(SIZE)
    links = tuple(
        EventLink(
            source="cells", source_port="spike", target="cells", target_port=port,
            pre=everyone, post=everyone, weight=np.full(SIZE, 1e-9), delay=np.full(SIZE, step),
        )
        for port in ("exc", "inh")
    )  # fmt: skip
    probe = Probe(label="first", group="cells", index=0, variable="spike")
    return Circuit(
        name=component.name,
        groups=(Group(name="cells", component=component, size=SIZE),),
        event_links=links,
        event_probes=(probe,),
        length=length,
        step=step,
    )
