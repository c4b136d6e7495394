"""Any component that NineML can hold comes back the same: structure where it is kept, values everywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from interspike.canonical_model.compare import differences
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.expr import (
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Unary,
    free_names,
    walk,
)
from interspike.canonical_model.model import (
    Assign,
    Component,
    DerivedVariable,
    Emit,
    EventPort,
    Exposure,
    Model,
    Ode,
    OnCondition,
    OnEvent,
    Parameter,
    Provenance,
    Regime,
    RegimeMachine,
    Statement,
    StateVariable,
    Transition,
)
from interspike.canonical_model.units import FREQUENCY, NONE, Quantity, Unit
from interspike.canonical_model.verify import verify_model
from interspike.exporters.nineml.emit import export_json, export_xml, export_yaml
from interspike.importers.nineml.reader import read
from interspike.solvers.evaluate import evaluate

PER_MS = Unit("per_ms", FREQUENCY, 1e3)
UNIT = Unit("unitless", NONE)
PARAMETERS, STATES = ("a", "b", "no", "E"), ("x", "y", "n")
FUNCTIONS = ("exp", "sin", "cosh", "sqrt", "atan", "tan", "abs", "expm1", "max")
NUMBERS = st.floats(0.001, 1000).map(lambda value: float(f"{value:.4g}"))


def _pure(names: tuple[str, ...]) -> st.SearchStrategy[Expr]:
    """Dimensionless expressions over `names`."""
    leaves: st.SearchStrategy[Expr] = st.one_of(
        st.sampled_from(names).map(Name), NUMBERS.map(Number)
    )

    def call(function: str, x: Expr, y: Expr) -> Expr:
        return Call(function, (x, y) if function == "max" else (x,))

    def grow(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
        return st.one_of(
            st.builds(Binary, st.sampled_from("+-*/"), inner, inner),
            st.builds(lambda x, k: Binary("^", x, Number(float(k))), inner, st.integers(2, 3)),
            st.builds(lambda x: Unary("-", x), inner),
            st.builds(call, st.sampled_from(FUNCTIONS), inner, inner),
        )

    return st.recursive(leaves, grow, max_leaves=6)


# shrinking takes minutes where reading and writing takes milliseconds
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
ALL = (*PARAMETERS, *STATES)


@st.composite
def components(draw: st.DrawFn) -> Component:
    """States with rates, aliases, one or two regimes, events in and out."""
    aliases = (DerivedVariable(name="q", value=draw(_pure(ALL))),)
    names = (*ALL, "q")

    def rate(state: str) -> Ode:
        return Ode(variable=state, rhs=Binary("*", Name("rate"), draw(_pure(names))))

    def body(*more: Statement) -> tuple[Statement, ...]:
        found = [
            Assign(target=state, value=draw(_pure(names)))
            for state in draw(st.permutations(STATES))[: draw(st.integers(0, 3))]
        ]
        return (*found, *more)

    def test() -> Expr:
        sign = draw(st.sampled_from("<>"))
        return Binary(sign, Name(draw(st.sampled_from(STATES))), draw(_pure(PARAMETERS)))

    def regime(name: str, other: str, is_initial: bool) -> Regime:
        leave = OnCondition(test=test(), body=body(Emit(port="out"), Transition(regime=other)))
        return Regime(
            name=name,
            initial=is_initial,
            odes=tuple(rate(state) for state in STATES[: draw(st.integers(1, 3))]),
            on_conditions=(leave,),
            on_events=(OnEvent(port="arrival", body=body()),),
        )

    parts: dict[str, object] = {}
    if draw(st.booleans()):
        parts["machines"] = (
            RegimeMachine(regimes=(regime("up", "down", True), regime("down", "up", False))),
        )
    else:
        parts["odes"] = tuple(rate(state) for state in STATES)
        parts["on_conditions"] = (OnCondition(test=test(), body=body(Emit(port="out"))),)
        parts["on_events"] = (OnEvent(port="arrival", body=body()),)
    return Component(
        name="any",
        parameters=(
            *(Parameter(name=n, value=Quantity(draw(NUMBERS), UNIT)) for n in PARAMETERS),
            Parameter(name="rate", dimension=FREQUENCY, value=Quantity(draw(NUMBERS), PER_MS)),
        ),
        state_variables=tuple(StateVariable(name=n, initial=Number(draw(NUMBERS))) for n in STATES),
        derived_variables=aliases,
        event_inputs=(EventPort(name="arrival"),),
        event_outputs=(EventPort(name="out"),),
        exposures=(Exposure(name="x", variable="x"), Exposure(name="q", variable="q")),
        **parts,  # type: ignore[arg-type]
    )


def back(component: Component, form: int) -> Component:
    export = (export_yaml, export_xml, export_json)[form]
    model = Model(name="m", components=(component,))
    (artifact,) = export(
        model, scheme="auto", step=1e-4, source=Provenance(), log=Log(), name="model"
    )
    found = read(None, artifact.data, file=artifact.path, log=Log(), options={"strict": "yes"})
    assert not verify_model(found)
    return found.component("any")


def values(expr: Expr, component: Component, at: dict[str, float]) -> float:
    """`expr` with its derived variables, parameters and constants, at a state."""
    known: dict[str, object] = {
        p.name: np.float64(p.value.si) for p in component.parameters if p.value
    }
    known |= {c.name: np.float64(c.value.si) for c in component.constants}
    known |= {name: np.float64(value) for name, value in at.items()}
    pending = {d.name: d.value for d in component.derived_variables}
    while pending:
        ready = [n for n, e in pending.items() if not free_names(e) & pending.keys()]
        for name in ready:
            known[name] = np.float64(evaluate(pending.pop(name), known))  # type: ignore[arg-type]
    return float(evaluate(expr, known))  # type: ignore[arg-type]


def parts(expr: Expr, component: Component) -> Iterator[Expr]:
    """Every part of `expr` and of the derived variables that has a value."""
    for whole in (expr, *(d.value for d in component.derived_variables)):
        yield from (part for part in walk(whole) if not isinstance(part, Name | Number))
    yield expr


def equations(component: Component) -> dict[tuple[str, str], Expr]:
    holders = [r for m in component.machines for r in m.regimes] or [component]
    return {
        ("" if isinstance(h, Component) else h.name, ode.variable): ode.rhs
        for h in holders
        for ode in h.odes
    }


@settings(
    max_examples=20, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.too_slow]
)
@given(components(), st.integers(0, 2), st.tuples(*[st.floats(0.1, 2)] * 3))
def test_equations_keep_their_values(
    component: Component, form: int, place: tuple[float, float, float]
) -> None:
    found = back(component, form)
    ours, theirs = equations(component), equations(found)
    assert ours.keys() == theirs.keys()
    assert [m.initial for m in component.machines] == [m.initial for m in found.machines]
    at = dict(zip(STATES, place, strict=True))
    for key, expr in ours.items():
        try:
            wanted = values(expr, component, at)
            largest = max(abs(values(part, component, at)) for part in parts(expr, component))
        except ArithmeticError:
            assume(False)
        # a maximum is written as a sum and a root of a square: its digits are those of its parts
        if math.isfinite(wanted) and largest < 1e9:
            got = values(theirs[key], found, at)
            assert math.isclose(wanted, got, rel_tol=1e-6, abs_tol=1e-6 * (1 + abs(wanted)))


@settings(
    max_examples=12, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.too_slow]
)
@given(components(), st.integers(0, 2))
def test_a_second_round_changes_nothing(component: Component, form: int) -> None:
    once = back(component, form)
    assert not differences(once, back(once, 2 - form))
