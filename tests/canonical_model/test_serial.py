"""The canonical text form: lossless, the same bytes every time, safe on any input."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interspike.canonical_model.compare import differences, equal
from interspike.canonical_model.diagnostics import ModelError, Span
from interspike.canonical_model.display import describe_model
from interspike.canonical_model.expr import Name
from interspike.canonical_model.model import (
    Child,
    Component,
    Model,
    Ode,
    Parameter,
    StateVariable,
)
from interspike.canonical_model.network import Network, Projection
from interspike.canonical_model.serial import dumps, loads
from interspike.canonical_model.units import VOLTAGE, Quantity, Unit
from interspike.canonical_model.verify import verify_model

SMALL = Model(
    name="m",
    components=(
        Component(
            name="c",
            parameters=(Parameter(name="g", value=Quantity(1.5)),),
            state_variables=(StateVariable(name="x", dimension=VOLTAGE),),
            odes=(Ode(variable="x", rhs=Name("x", Span("f.xml", 7, 2)), span=Span("f.xml", 7, 2)),),
            span=Span("a:b.xml", 3),
        ),
    ),
)
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_round_trip(models, data):
    model = data.draw(models)
    text = dumps(model)
    again = loads(text)
    assert differences(model, again) == []
    assert dumps(again) == text
    assert text.isascii()
    with_spans = dumps(model, with_spans=True)
    assert dumps(loads(with_spans), with_spans=True) == with_spans


def test_structural_equality_without_a_network():
    assert loads(dumps(SMALL)) == SMALL


def test_spans_are_written_on_request():
    assert "f.xml" not in dumps(SMALL)
    component = loads(dumps(SMALL, with_spans=True)).components[0]
    assert component.span == Span("a:b.xml", 3, 0)
    assert component.odes[0].rhs.span == Span("f.xml", 7, 2)


def test_arrays_are_bit_exact():
    weight = np.random.default_rng(1).normal(size=1000)
    weight[:4] = [np.nan, -0.0, np.inf, 5e-324]
    index = np.arange(1000) * 2**50
    projection = Projection(
        name="p", source="a", target="b", pre=index, post=index[:3], weight=weight, delay=weight[:4]
    )
    again = loads(dumps(Model(name="m", network=Network(name="n", projections=(projection,)))))
    found = again.network.projections[0]
    assert found.weight.tobytes() == weight.tobytes()
    assert found.delay.tobytes() == weight[:4].tobytes()
    assert found.pre.dtype == np.int64
    assert found.pre.tobytes() == index.tobytes()
    assert found.post.tolist() == index[:3].tolist()
    found.weight[0] = 1.0  # a loaded array can be written to


def test_people_can_read_it():
    unit = Unit("mV", VOLTAGE, 1e-3)
    model = replace(
        SMALL,
        components=(
            Component(
                name="c",
                parameters=(Parameter(name="v", dimension=VOLTAGE, value=Quantity(-65.0, unit)),),
            ),
        ),
    )
    assert '{"name": "v", "dimension": "voltage", "value": "-65 mV"}' in dumps(model)
    assert max(map(len, dumps(SMALL).splitlines())) <= 100


def whole(component: str) -> str:
    return f'{{"interspike": 1, "model": {{"name": "m", "components": [{component}]}}}}'


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("", "M101", "not JSON"),
        ('{"interspike": 1,\n "model": }', "M101", "m.json:2:11"),
        ('{"interspike": 1, "model": {"name": NaN}}', "M101", "NaN"),
        ('{"interspike": 1, "interspike": 1}', "M101", "twice"),
        ('{"interspike": 1, "model": ' + "9" * 5000 + "}", "M101", "digits"),
        ("[]", "M102", "not a canonical model"),
        ('{"interspike": 2, "model": {}}', "M102", "version"),
        ('{"interspike": true, "model": {}}', "M102", "version"),
        ('{"interspike": 1}', "M103", "'model' is missing"),
        ('{"interspike": 1, "model": {}}', "M103", "'name' is missing"),
        (whole('{"name": 3}'), "M103", "model.components[0].name: text is expected"),
        (whole('{"name": "c", "odez": []}'), "M103", "did you mean 'odes'"),
        (whole('{"name": "c", "odes": {}}'), "M103", "a list is expected"),
        (whole('{"name": "c", "odes": [{"variable": "v", "rhs": "1 +"}]}'), "M120", "odes[0].rhs"),
        (whole('{"name": "c", "odes": [{"variable": "v", "rhs": 1}]}'), "M103", "quotation"),
        (whole('{"name": "c", "parameters": [{"name": "p", "value": "x"}]}'), "M120", "number"),
        (whole('{"name": "c", "parameters": [{"name": "p", "dimension": "voltag"}]}'), "M103",
         "did you mean 'voltage'"),
        (whole('{"name": "c", "on_events": [{"port": "in", "body": [{"kind": "x"}]}]}'), "M103",
         "not a statement"),
        (whole('{"name": "c", "span": "x"}'), "M103", "file:line:column"),
        (whole('{"name": "c", "texts": {"a": 1}}'), "M103", "texts.a"),
        (whole("null"), "M103", "braces"),
        ("[" * 100_000, "M104", "nested"),
        (whole('{"name": "c", "children": [' + '{"name": "a", "id": "b", "component": '
               + '{"name": "c", "children": [{"name": "a", "id": "b", "component": ' * 90
               + '{"name": "x"}' + "}]}" * 90 + "}]}"), "M104", "nesting"),
    ],
)  # fmt: skip
def test_mistakes_are_named(text, code, part):
    with pytest.raises(ModelError) as caught:
        loads(text, "m.json")
    assert [issue.code for issue in caught.value.issues] == [code]
    assert part in str(caught.value)


@pytest.mark.parametrize(
    "array",
    [
        '{"shape": [1000000000000], "base64": ""}',
        '{"shape": [2], "base64": "AAAA"}',
        '{"shape": [-1], "values": []}',
        '{"shape": [true], "values": [1]}',
        '{"shape": [], "values": [1]}',
        '{"shape": [1], "values": [9223372036854775808]}',
        '{"shape": [1], "values": {"shape": [1], "values": [[1]]}}',
        "[1.5]",
        "[[1]]",
        '["nan"]',
    ],
)
def test_hostile_arrays_are_refused(array):
    text = f"""{{"interspike": 1, "model": {{"name": "m", "network": {{"name": "n", "inputs": [
        {{"name": "i", "component": "c", "population": "p", "index": {array}}}]}}}}}}"""
    with pytest.raises(ModelError, match="M103"):
        loads(text)


def test_damaged_text_never_gives_another_exception():
    text = dumps(SMALL, with_spans=True)
    rng = random.Random(1)
    for _ in range(300):
        cut = sorted(rng.randrange(len(text)) for _ in range(2))
        damaged = text[: cut[0]] + rng.choice(['"', "{", "]", "1e999", "null"]) + text[cut[1] :]
        try:
            loads(damaged)
        except ModelError:
            continue


def test_what_cannot_be_read_back_is_not_written():
    component = Component(name="c")
    for _ in range(90):
        component = Component(name="c", children=(Child(name="a", id="b", component=component),))
    with pytest.raises(ModelError, match="M104"):
        dumps(Model(name="m", components=(component,)))


def test_the_deepest_text_that_is_written_can_be_read_compared_and_shown():
    component = Component(name="c")
    for _ in range(65):
        component = Component(name="c", children=(Child(name="a", id="b", component=component),))
    model = Model(name="m", components=(component,))
    again = loads(dumps(model))
    assert differences(model, again) == []
    assert verify_model(again) == []
    assert "1 inner component" in describe_model(again)


def test_a_field_with_another_value_is_another_text():
    other = replace(SMALL, name="other")
    assert not equal(SMALL, other)
    assert json.loads(dumps(other))["model"]["name"] == "other"
