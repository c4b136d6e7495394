"""Components built by hand that use what only time-step languages have, and expressions full of traps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from interspike.canonical_model.diagnostics import Level, Log
from interspike.canonical_model.expr import (
    ONE,
    ZERO,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    Unary,
)
from interspike.canonical_model.expr_text import parse_expr
from interspike.canonical_model.model import (
    BOOLEAN,
    INTEGER,
    AnalogInput,
    Argument,
    Assign,
    Check,
    Component,
    Declare,
    DerivedParameter,
    DerivedVariable,
    Emit,
    EventPort,
    Exposure,
    For,
    Function,
    If,
    Integrate,
    Kernel,
    Ode,
    OnCondition,
    OnEvent,
    Parameter,
    Report,
    Return,
    StateVariable,
    While,
)
from interspike.canonical_model.units import (
    CAPACITANCE,
    CONDUCTANCE,
    CURRENT,
    FREQUENCY,
    NONE,
    TIME,
    VOLTAGE,
    Dimension,
    Quantity,
    Unit,
)
from interspike.exporters.nestml.emit import component_text

MV = Unit("mV", VOLTAGE, 1e-3)
MS = Unit("ms", TIME, 1e-3)
PA = Unit("pA", CURRENT, 1e-12)
PF = Unit("pF", CAPACITANCE, 1e-12)
NS = Unit("nS", CONDUCTANCE, 1e-9)
PER_S = Unit("1/s", FREQUENCY)


def quantity(name: str, value: float, unit: Unit, description: str = "") -> Parameter:
    """A parameter in the unit given."""
    return Parameter(
        name=name, dimension=unit.dimension, value=Quantity(value, unit), description=description
    )


def port_value(name: str) -> Expr:
    """What NESTML means by the name of a spike port in `update`."""
    return Binary("*", Call("arrived", (Name(name),)), Number(1.0, PER_S))


def arrived_charge(unit: Unit) -> Expr:
    """`weight * 1 unit` in a handler."""
    return Binary("*", Name("weight"), Number(1.0, unit))


def psc_alpha() -> Component:
    """A leaky neuron with an alpha kernel of second order, a function and a check."""
    tau = Name("tau_syn")
    inverse = NONE / TIME
    kernel = Kernel(
        name="K",
        odes=(
            Ode(variable="K", rhs=Name("K__d")),
            Ode(
                variable="K__d",
                rhs=parse_expr("-2 * K__d / tau_syn - K / tau_syn^2"),
            ),
        ),
        initial=(
            StateVariable(name="K", initial=ZERO),
            StateVariable(name="K__d", dimension=inverse, initial=Binary("/", Name("e1"), tau)),
        ),
        description="alpha function",
    )
    current = Binary(
        "+",
        Binary("*", Call("convolve", (Name("K"), Name("exc_spikes"))), Number(1.0, PA)),
        Name("I_stim"),
    )
    return Component(
        name="psc_alpha_neuron",
        description='Leaky neuron.\n\nSecond paragraph with "quotes" and a # sign.',
        parameters=(
            quantity("C_m", 250, PF, "capacitance"),
            quantity("tau_m", 10, MS),
            quantity("tau_syn", 2, MS),
            quantity("t_ref", 2, MS),
            quantity("V_th", 15, MV, "threshold\nabove rest"),
            Parameter(name="count", kind=INTEGER, value=Quantity(3)),
            Parameter(name="noisy", kind=BOOLEAN, value=Quantity(0)),
        ),
        derived_parameters=(
            DerivedParameter(name="e1", value=Number(2.718281828459045)),
            DerivedParameter(
                name="RefractoryCounts", kind=INTEGER, value=Call("steps", (Name("t_ref"),))
            ),
            DerivedParameter(name="V_half", dimension=VOLTAGE, value=parse_expr("V_th / 2")),
        ),
        state_variables=(
            StateVariable(name="V_m", dimension=VOLTAGE, initial=ZERO, description="membrane"),
            StateVariable(name="r", kind=INTEGER, initial=ZERO),
            StateVariable(name="fired", kind=BOOLEAN, initial=ZERO),
        ),
        derived_variables=(DerivedVariable(name="I_syn", dimension=CURRENT, value=current),),
        odes=(Ode(variable="V_m", rhs=parse_expr("-V_m / tau_m + I_syn / C_m")),),
        kernels=(kernel,),
        functions=(
            Function(
                name="softened",
                arguments=(Argument(name="x", dimension=VOLTAGE), Argument(name="n", kind=INTEGER)),
                dimension=VOLTAGE,
                body=(
                    Declare(name="y", dimension=VOLTAGE, value=Name("x")),
                    For(
                        variable="k",
                        start=ZERO,
                        stop=Name("n"),
                        step=ONE,
                        body=(Assign(target="y", value=parse_expr("y * 0.5")),),
                    ),
                    If(
                        branches=(
                            (Binary(">", Name("y"), Number(1.0, MV)), (Return(value=Name("y")),)),
                        )
                    ),
                    Return(value=ZERO),
                ),
                description="half, n times",
            ),
        ),
        checks=(Check(test=Binary(">", Name("tau_m"), Number(0.0, MS))),),
        event_inputs=(
            EventPort(name="exc_spikes", payload=("weight",), sign="excitatory"),
            EventPort(name="inh_spikes", payload=("weight",), sign="inhibitory"),
        ),
        event_outputs=(EventPort(name="spike"),),
        analog_inputs=(AnalogInput(name="I_stim", dimension=CURRENT, reduce="add"),),
        exposures=(
            Exposure(name="V_m", variable="V_m", dimension=VOLTAGE),
            Exposure(name="I_syn", variable="I_syn", dimension=CURRENT),
        ),
        update=(
            If(
                branches=((parse_expr("r == 0"), (Integrate(variables=("V_m",)),)),),
                otherwise=(Assign(target="r", value=parse_expr("r - 1")),),
            ),
            Declare(
                name="kick",
                dimension=VOLTAGE,
                value=Binary(
                    "+",
                    Number(0.0, MV),
                    Binary("*", Number(0.25, MV), Call("normal")),
                ),
            ),
            If(
                branches=((Name("noisy"), (Assign(target="V_m", value=parse_expr("V_m + kick")),)),)
            ),
            While(
                test=parse_expr("r > 100 or (r < -5 and not fired)"),
                body=(Assign(target="r", value=ZERO),),
            ),
        ),
        on_events=(
            OnEvent(port="exc_spikes", body=(Assign(target="fired", value=ZERO),), priority=2),
            OnEvent(
                port="inh_spikes",
                body=(
                    Assign(
                        target="V_m",
                        value=Binary(
                            "-", Name("V_m"), Binary("*", arrived_charge(MV), Number(0.1))
                        ),
                    ),
                ),
                priority=1,
            ),
        ),
        on_conditions=(
            OnCondition(
                test=parse_expr("r == 0 and V_m > V_th"),
                body=(
                    Assign(target="V_m", value=Call("softened", (Name("V_half"), Number(2.0)))),
                    Assign(target="r", value=Name("RefractoryCounts")),
                    Assign(target="fired", value=ONE),
                    Report(text='fired at {V_m} "mV"', level="info"),
                    Emit(port="spike"),
                ),
            ),
        ),
        extras={"unit:C_m": "pF", "unit:V_m": "mV", "parameter:V_half": "settable"},
    )


def synapse() -> Component:
    """A synapse with a trace that decays between updates, and a weight that is sent."""
    return Component(
        name="trace_synapse",
        parameters=(quantity("tau", 20, MS), Parameter(name="rate", value=Quantity(0.1))),
        state_variables=(
            StateVariable(name="w", initial=ONE),
            StateVariable(name="trace", initial=ZERO),
        ),
        odes=(Ode(variable="trace", rhs=parse_expr("-trace / tau")),),
        event_inputs=(
            EventPort(name="pre_spikes", payload=("weight",), role="pre"),
            EventPort(name="post_spikes", payload=("weight",), role="post"),
        ),
        event_outputs=(EventPort(name="spike"),),
        update=(Integrate(),),
        on_events=(
            OnEvent(
                port="post_spikes",
                body=(Assign(target="w", value=parse_expr("min(max(w + rate * trace, 0), 5)")),),
                priority=1,
            ),
            OnEvent(
                port="pre_spikes",
                body=(
                    Assign(target="trace", value=parse_expr("trace + 1")),
                    Emit(port="spike", weight=Name("w")),
                ),
                priority=2,
            ),
        ),
    )


def beta() -> Component:
    """A kernel of two coupled equations, a delayed state and a delta train."""
    return Component(
        name="beta_neuron",
        parameters=(quantity("tau", 10, MS), quantity("tau_1", 2, MS), quantity("d", 1, MS)),
        state_variables=(
            StateVariable(name="V", dimension=VOLTAGE, initial=ZERO),
            StateVariable(name="U", dimension=VOLTAGE, initial=ZERO),
        ),
        kernels=(
            Kernel(
                name="g",
                odes=(
                    Ode(variable="g", rhs=parse_expr("(h - g) / tau_1")),
                    Ode(variable="h", rhs=parse_expr("-h / tau")),
                ),
                initial=(
                    StateVariable(name="g", initial=ZERO),
                    StateVariable(name="h", initial=ONE),
                ),
            ),
            Kernel(name="k", value=parse_expr("exp(-t / tau)")),
        ),
        derived_variables=(
            DerivedVariable(
                name="drive",
                dimension=VOLTAGE,
                value=parse_expr("1 mV * convolve(g, spikes) + convolve(k, spikes) * 2 mV"),
            ),
        ),
        odes=(
            Ode(variable="V", rhs=parse_expr("(drive - V) / tau + convolve(delta, spikes) * 1 mV")),
            Ode(variable="U", rhs=parse_expr("(delayed(V, d) - U) / tau")),
        ),
        event_inputs=(EventPort(name="spikes", payload=("weight",)),),
        update=(Integrate(),),
    )


def traps() -> Component:
    """Expressions at which NESTML 9.0.0 stumbles when they are written as they come."""
    volts = {name: VOLTAGE for name in ("a1", "a2", "a3", "a4")}
    values: dict[str, Expr] = {
        "a1": Binary("+", Name("v"), Binary("*", Number(1.0, MV), Name("x"))),
        "a2": Binary(
            "*",
            Number(1.0, MV),
            Call("exp", (Binary("/", Unary("-", Number(1.0, MS)), Name("tau")),)),
        ),
        "a3": Conditional(
            (
                (Binary(">", Name("v"), Binary("*", Number(-3.0, MV), Name("x"))), ZERO),
                (parse_expr("x > 1 and (x < 2 or x > 3)"), Number(1.0, MV)),
            ),
            Number(-2.0, MV),
        ),
        "a4": Call("max", (Name("v"), ZERO)),
        "b1": parse_expr("sqrt(abs(x)) + (-x)^2 - (-(x^2)) - x^(-2) - (x - (1 - x))"),
        "b2": parse_expr("atan(x) + asin(x / 2) + acos(x / 2) + sign(x) + heaviside(x - 1)"),
        "b3": parse_expr("exprel(x) + factorial(3) + x % 3 + trunc(x / 7) + erf(x) + log(x)"),
        "b4": Binary("*", Call("sign", (Name("v"),)), Binary("-", ZERO, Number(-2.0))),
        "b5": Call("max", (Call("min", (Name("x"), ONE)), Number(-1.0))),
    }
    return Component(
        name="traps",
        parameters=(quantity("tau", 10, MS), Parameter(name="x", value=Quantity(0.5))),
        state_variables=(
            StateVariable(name="v", dimension=VOLTAGE, initial=Number(-65.0, MV)),
            StateVariable(name="mV", initial=ZERO),
            StateVariable(name="while", initial=ONE),
            StateVariable(name="e", initial=ONE, description="not Euler's number"),
        ),
        derived_variables=tuple(
            DerivedVariable(name=name, dimension=volts.get(name, NONE), value=value)
            for name, value in values.items()
        ),
        exposures=tuple(
            Exposure(name=name, variable=name, dimension=volts.get(name, NONE)) for name in values
        ),
        odes=(
            Ode(variable="v", rhs=parse_expr("(a1 + a2 + a3 + a4 - v) / tau")),
            Ode(variable="mV", rhs=parse_expr("(b1 + b2 + b3 + b4 + b5 - mV) / tau")),
        ),
        on_conditions=(
            OnCondition(
                test=parse_expr("mV > 3 and not (e == 2 or while < 0)"),
                body=(
                    Assign(target="while", value=parse_expr("while + e * uniform()")),
                    Assign(target="e", value=Call("bitand", (Number(6.0), Number(3.0)))),
                    Emit(port="out"),
                ),
            ),
        ),
        event_outputs=(EventPort(name="out"),),
    )


def odd_dimensions() -> Component:
    """A dimensionally wrong model, as LEMS files have them: numbers are meant in SI."""
    return Component(
        name="odd_dimensions",
        parameters=(quantity("tau", 10, MS), quantity("v0", -65, MV)),
        state_variables=(StateVariable(name="v", dimension=VOLTAGE, initial=Name("v0")),),
        odes=(Ode(variable="v", rhs=parse_expr("(v0 - v + 1 + t) / 10")),),
    )


def dimensions() -> Component:
    """One parameter for each of many dimensions."""
    exponents = (
        Dimension(t=-1), Dimension(l=2), Dimension(m=-1, l=-4, t=3, i=2), Dimension(n=1, l=-3),
        Dimension(m=1, l=2, t=-3, i=-2), Dimension(k=1), Dimension(t=1, i=1), Dimension(l=-2, i=1),
        Dimension(m=1, l=2, t=-2), Dimension(t=-0.5), Dimension(m=2, l=4, t=-6, i=-2),
        Dimension(l=1, t=-1), Dimension(j=1),
    )  # fmt: skip
    return Component(
        name="dimensions",
        parameters=tuple(
            Parameter(name=f"p{k}", dimension=d, value=Quantity(2.0, Unit("", d)))
            for k, d in enumerate(exponents)
        ),
        derived_variables=tuple(
            DerivedVariable(name=f"d{k}", dimension=d, value=parse_expr(f"2 * p{k} + p{k}"))
            for k, d in enumerate(exponents)
        ),
        exposures=tuple(
            Exposure(name=f"d{k}", variable=f"d{k}", dimension=d) for k, d in enumerate(exponents)
        ),
    )


EVERY = (psc_alpha, synapse, beta, traps, odd_dimensions, dimensions)


def written(component: Component) -> tuple[str, Log]:
    """The text of a component, and the report."""
    log = Log()
    return component_text(component, log, taken=set())[1], log


def test_nestml_accepts_every_one(
    nestml_complaints: Callable[[Mapping[str, str]], dict[str, list[str]]],
) -> None:
    texts = {make.__name__: written(make())[0] for make in EVERY}
    assert nestml_complaints(texts) == {name: [] for name in texts}


def lines(component: Component) -> set[str]:
    """The lines of the text without indentation."""
    return {line.strip() for line in written(component)[0].splitlines()}


def test_a_program_is_written_as_its_author_wrote_it() -> None:
    found = lines(psc_alpha())
    assert {
        '# Second paragraph with "quotes" and a # sign.',
        "K' 1/ms = e1 / tau_syn",
        "kernel K'' = -2 * K' / tau_syn - K / tau_syn**2",
        "recordable inline I_syn pA = convolve(K, exc_spikes) * 1 pA + I_stim",
        "tau_m ms = 10 ms [[ tau_m > 0 ms ]]",
        "# above rest",
        "V_half mV = V_th / 2",
        "RefractoryCounts integer = steps(t_ref)",
        "exc_spikes <- excitatory spike",
        "I_stim pA <- continuous",
        "function softened(x mV, n integer) mV:",
        "for k in 0 ... n step 1:",
        "integrate_odes(V_m)",
        "kick mV = random_normal(0.0 mV, 0.25 mV)",
        "while r > 100 or (r < -5 and (not fired)):",
        "onReceive(exc_spikes, priority=2):",
        "V_m -= inh_spikes * (1 s) * (1 mV) * 0.1",
        "onCondition(r == 0 and V_m > V_th):",
        'info("fired at {V_m} \\"mV\\"")',
    } <= found


def test_a_synapse_sends_its_weight() -> None:
    found = lines(synapse())
    assert {
        "model trace_synapse:",
        "emit_spike(w)",
        "w = min(max(w + rate * trace, 0.0), 5.0)",
    } <= found


def test_coupled_kernels_delta_trains_and_delays() -> None:
    found = lines(beta())
    assert {"kernel g' = (h - g) / tau_1,", "h' = -h / tau", "U' = (V(t - d) - U) / tau"} <= found
    assert "V' = (drive - V) / tau + spikes * 1 mV" in found


def test_words_of_the_language_are_no_names() -> None:
    text, _ = written(traps())
    assert "mV_ real = 0    # ('mV' in the source)" in text
    assert "while_ real = 1    # ('while' in the source)" in text
    assert "not Euler's number ('e' in the source)" in text


def test_wrong_dimensions_are_told_and_written_in_si() -> None:
    text, log = written(odd_dimensions())
    assert [(i.code, i.level) for i in log] == [("N208", Level.DROPPED)]
    assert "tau real = 0.01" in text and "v0 real = -0.065" in text and "/ 1 s" in text


@pytest.mark.parametrize("make", EVERY)
def test_the_same_model_gives_the_same_text(make: Callable[[], Component]) -> None:
    assert written(make()) == written(make())
