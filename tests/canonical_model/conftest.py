"""Random expressions, components and models; drawn with `data.draw(expressions)`."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import strategies as st
from interspike.canonical_model import model as m
from interspike.canonical_model import network as net
from interspike.canonical_model.diagnostics import Span
from interspike.canonical_model.expr import (
    ARITHMETIC,
    COMPARISONS,
    FUNCTIONS,
    LOGICAL,
    Binary,
    Call,
    Conditional,
    Name,
    Number,
    Select,
    Unary,
)
from interspike.canonical_model.expr_text import COMMON_UNITS
from interspike.canonical_model.units import PURE, VOLTAGE, Dimension, Quantity, Unit

NUMBERS = st.floats(allow_nan=False)
ANY_NUMBERS = st.floats()
TEXTS = st.text(max_size=12)
NAMES = st.sampled_from(["v", "tau_m", "ch.m.q", "and", "if", "inf", "sum", "exp", "t"]) | TEXTS
EXPONENTS = st.integers(-4, 4) | st.sampled_from([0.5, -1.5])
DIMENSIONS = st.builds(Dimension, *[EXPONENTS] * 7) | st.just(VOLTAGE)
ODD_UNITS = st.builds(Unit, TEXTS, DIMENSIONS, NUMBERS, NUMBERS)
UNITS = st.sampled_from([*COMMON_UNITS.values(), PURE]) | ODD_UNITS
LEAVES = (
    st.builds(Number, NUMBERS, st.none() | UNITS)
    | st.builds(Name, NAMES)
    | st.builds(Select, TEXTS, st.sampled_from(["", "add", "multiply"]), st.booleans())
)


def _larger(inner):
    operators = st.sampled_from(sorted(ARITHMETIC | COMPARISONS | LOGICAL))
    calls = st.sampled_from(sorted(FUNCTIONS)).flatmap(
        lambda name: st.builds(
            Call,
            st.just(name),
            st.lists(
                inner,
                min_size=max(FUNCTIONS[name], 0),
                max_size=FUNCTIONS[name] if FUNCTIONS[name] >= 0 else 3,
            ).map(tuple),
        )
    )
    cases = st.lists(st.tuples(inner, inner), max_size=2).map(tuple)
    return (
        st.builds(Unary, st.sampled_from(["-", "not"]), inner)
        | st.builds(Binary, operators, inner, inner)
        | calls
        | st.builds(Conditional, cases, inner)
    )


EXPRESSIONS = st.recursive(LEAVES, _larger, max_leaves=12)
SMALL = LEAVES | st.builds(Binary, st.sampled_from(["+", "^", "and"]), LEAVES, LEAVES)
SPANS = st.builds(Span, TEXTS, st.integers(0, 10**6), st.integers(0, 999))


def some(strategy, most=2):
    return st.lists(strategy, max_size=most).map(tuple)


def _records(kind, **given):
    """Records of a data class; fields that are not given keep their default, or get any text."""
    names = {item.name for item in fields(kind)}
    common = {"name": NAMES, "description": TEXTS, "dimension": DIMENSIONS, "span": SPANS}
    chosen = {name: strategy for name, strategy in common.items() if name in names}
    return st.builds(kind, **{**chosen, **given})


QUANTITIES = st.builds(Quantity, NUMBERS, UNITS)
SIMPLE = (
    st.builds(m.Assign, target=NAMES, value=SMALL)
    | st.builds(m.Emit, port=NAMES)
    | st.builds(m.Transition, regime=NAMES, machine=TEXTS)
)
STATEMENTS = SIMPLE | st.builds(
    m.If, branches=some(st.tuples(SMALL, some(SIMPLE))), otherwise=some(SIMPLE)
)
BODIES = some(STATEMENTS)
ODES = st.builds(m.Ode, variable=NAMES, rhs=SMALL)
DERIVED = _records(m.DerivedVariable, value=SMALL)
CONDITIONS = st.builds(m.OnCondition, test=SMALL, body=BODIES)
EVENTS = st.builds(m.OnEvent, port=NAMES, body=BODIES)
REGIMES = _records(
    m.Regime, initial=st.booleans(), odes=some(ODES), derived_variables=some(DERIVED, 1),
    on_entry=BODIES, on_conditions=some(CONDITIONS, 1), on_events=some(EVENTS, 1),
)  # fmt: skip
TEXT_MAPS = st.dictionaries(TEXTS, TEXTS, max_size=2)


def _component(**more):
    return _records(
        m.Component, type=TEXTS, bases=some(TEXTS),
        parameters=some(_records(m.Parameter, value=st.none() | QUANTITIES)),
        constants=some(_records(m.Constant, value=QUANTITIES), 1),
        derived_parameters=some(_records(m.DerivedParameter, value=SMALL), 1),
        state_variables=some(_records(m.StateVariable, initial=st.none() | SMALL)),
        derived_variables=some(DERIVED), odes=some(ODES), on_conditions=some(CONDITIONS, 1),
        on_events=some(EVENTS, 1),
        timed_events=some(st.builds(m.TimedEvents, times=some(ANY_NUMBERS, 3), body=BODIES), 1),
        machines=some(st.builds(m.RegimeMachine, name=NAMES, regimes=some(REGIMES)), 1),
        event_inputs=some(_records(m.EventPort, payload=some(NAMES))),
        analog_inputs=some(_records(m.AnalogInput, reduce=TEXTS, default=NUMBERS), 1),
        exposures=some(_records(m.Exposure, variable=NAMES), 1), texts=TEXT_MAPS,
        attachments=some(_records(m.Attachment, type=TEXTS), 1), extras=TEXT_MAPS, **more,
    )  # fmt: skip


CHILDREN = st.builds(
    m.Child, name=NAMES, id=NAMES, component=_component(), is_list=st.booleans(), texts=TEXT_MAPS
)
ROUTES = st.builds(m.EventRoute, source=TEXTS, source_port=TEXTS, target=TEXTS, target_port=TEXTS)
COMPONENTS = _component(children=some(CHILDREN, 1), event_routes=some(ROUTES, 1))
LENGTHS = st.sampled_from([0, 1, 3, 65, 200])


def _floats(size, seed):
    values = np.random.default_rng(seed).normal(size=size)
    values.flat[: min(3, values.size)] = [np.nan, np.inf, -0.0][: min(3, values.size)]
    return values


@st.composite
def networks(draw):
    size, count = draw(LENGTHS), draw(LENGTHS)
    seed = draw(st.integers(0, 99))
    population = net.Population(
        name=draw(NAMES), component=draw(NAMES), size=size,
        parameters={draw(TEXTS): _floats(size, seed)},
        positions=draw(st.sampled_from([None, _floats((size, 3), seed)])), span=draw(SPANS),
    )  # fmt: skip
    projection = net.Projection(
        name=draw(NAMES), source=draw(NAMES), target=draw(NAMES), kind=draw(TEXTS),
        pre=np.arange(count), post=np.arange(count)[::-1] - 2**40,
        weight=draw(st.sampled_from([None, _floats(count, seed)])),
    )  # fmt: skip
    source = net.Input(
        name=draw(NAMES), component=draw(NAMES), population=draw(NAMES), index=np.arange(count)
    )
    recordings = some(st.builds(net.Recording, path=TEXTS, label=TEXTS, scale=NUMBERS))
    experiment = st.builds(
        net.Experiment, length=NUMBERS, step=NUMBERS, recordings=recordings,
        seed=st.none() | st.integers(0, 2**62), events=some(st.builds(net.EventRecording, path=TEXTS)),
    )  # fmt: skip
    return net.Network(
        name=draw(NAMES), populations=(population,), projections=(projection,), inputs=(source,),
        quantities={draw(TEXTS): draw(ANY_NUMBERS)}, experiment=draw(st.none() | experiment),
    )  # fmt: skip


MODELS = st.builds(
    m.Model, name=NAMES, components=some(COMPONENTS), network=st.none() | networks(),
    provenance=st.builds(m.Provenance, source=TEXTS, notes=some(TEXTS)),
)  # fmt: skip


@pytest.fixture(scope="session")
def expressions():
    return EXPRESSIONS


@pytest.fixture(scope="session")
def dimensions():
    return DIMENSIONS


@pytest.fixture(scope="session")
def components():
    return COMPONENTS


@pytest.fixture(scope="session")
def models():
    return MODELS
