"""What is written for components and networks of other languages, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from interspike.app.load import load_bytes
from interspike.app.simulate import simulate
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.expr import Binary, Call, Conditional, Expr, Name, Number, Unary
from interspike.canonical_model.model import (
    AnalogInput,
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
    Regime,
    RegimeMachine,
    StateVariable,
    Transition,
)
from interspike.canonical_model.network import (
    EventRecording,
    Experiment,
    Network,
    Population,
    PortLink,
    Projection,
    Recording,
)
from interspike.canonical_model.units import CURRENT, TIME, VOLTAGE, Dimension, Quantity, Unit
from interspike.exporters.lems.emit import write_document
from interspike.exporters.lems.markup import to_xml
from interspike.exporters.lems.math_text import math_text
from interspike.lems_types.expressions import parse_expression

MS, MV, PA = Unit("ms", TIME, 1e-3), Unit("mV", VOLTAGE, 1e-3), Unit("pA", CURRENT, 1e-12)
a, b, c = Name("a"), Name("b"), Name("c")


def _op(op: str, left: Expr, right: Expr) -> Expr:
    return Binary(op, left, right)


@pytest.mark.parametrize(
    "expr",
    [
        _op("/", _op("*", a, b), c),
        _op("*", a, _op("/", b, c)),
        _op("-", a, _op("+", b, c)),
        _op("-", _op("-", a, b), c),
        _op("^", _op("^", a, b), c),
        _op("^", a, _op("^", b, c)),
        Unary("-", _op("*", a, b)),
        _op("*", Unary("-", a), b),
        _op("-", a, Unary("-", b)),
        _op("+", Unary("-", a), b),
        _op("*", Number(-2.0), _op("^", a, Number(2.0))),
        _op("and", _op(">", a, b), _op("or", _op("==", b, c), _op("<=", a, c))),
        _op(">", _op("-", a, Number(1e-12)), Unary("-", b)),
        Call("exp", (Unary("-", _op("/", a, b)),)),
    ],
)
def test_expressions_read_back_as_the_same_tree(expr: Expr) -> None:
    assert parse_expression(math_text(expr)) == expr


def _written(model: Model) -> tuple[bytes, Log]:
    log = Log()
    return to_xml(write_document(model, log)), log


def _back(model: Model) -> Model:
    return load_bytes(_written(model)[0], file="again.xml", log=Log())


def _cell(**more: object) -> Component:
    cell = Component(
        name="cell",
        parameters=(
            Parameter(name="tau", dimension=TIME, value=Quantity(10.0, MS)),
            Parameter(name="top", dimension=VOLTAGE, value=Quantity(-50.0, MV)),
        ),
        state_variables=(
            StateVariable(name="V", dimension=VOLTAGE, initial=Number(-70.0, MV)),
            StateVariable(name="extra", initial=Number(0.0)),
        ),
        odes=(
            Ode(variable="V", rhs=_op("/", _op("-", Number(-40.0, MV), Name("V")), Name("tau"))),
        ),
        on_conditions=(
            OnCondition(
                test=_op(">", Name("V"), Name("top")),
                body=(Assign(target="V", value=Number(-70.0, MV)), Emit(port="out")),
            ),
        ),
        event_outputs=(EventPort(name="out"),),
        exposures=(Exposure(name="V", variable="V", dimension=VOLTAGE),),
    )
    return replace(cell, **more)  # type: ignore[arg-type]


def test_a_cell_extends_what_fits_and_shows_its_potential() -> None:
    data, _ = _written(Model(name="m", components=(_cell(),)))
    assert b'extends="baseCellMembPot"' in data
    assert b'<EventPort name="spike" direction="out"/>' in data
    assert b'<Exposure name="V" dimension="voltage"/>' in data
    assert b'<DerivedVariable name="v" dimension="voltage" exposure="v" value="V"/>' in data
    assert b'value="-70mV"' in data


def test_literals_with_units_become_constants_and_new_units_are_declared() -> None:
    odd = Unit("furlong/fortnight", Dimension(l=1, t=-1), 1.66e-4)
    item = Parameter(name="speed", dimension=odd.dimension, value=Quantity(2.0, odd))
    cell = _cell()
    model = Model(name="m", components=(replace(cell, parameters=(*cell.parameters, item)),))
    found = _back(model).component("cell")
    speed = next(p for p in found.parameters if p.name == "speed")
    assert speed.value is not None
    assert speed.value.si == pytest.approx(2 * 1.66e-4)


def test_choices_are_computed_after_what_they_read() -> None:
    choice = Conditional(((_op("<", Name("extra"), Number(0.5)), Number(1.0)),), Number(2.0))
    cell = _cell(
        derived_variables=(
            DerivedVariable(name="last", value=_op("+", Name("chosen"), Number(1.0))),
            DerivedVariable(name="chosen", value=choice),
            DerivedVariable(name="first", value=_op("*", Name("extra"), Number(2.0))),
        )
    )
    text = _written(Model(name="m", components=(cell,)))[0].decode()
    assert text.index('"first"') < text.index('"chosen"') < text.index('"last"')
    assert '<ConditionalDerivedVariable name="last"' in text


def test_a_regime_whose_condition_reads_an_input_becomes_a_state() -> None:
    regimes = (
        Regime(
            name="low",
            initial=True,
            on_conditions=(
                OnCondition(
                    test=_op(">", Name("u"), Number(1.0)), body=(Transition(regime="high"),)
                ),
            ),
        ),
        Regime(
            name="high",
            odes=(Ode(variable="extra", rhs=_op("/", Number(1.0), Name("tau"))),),
            on_conditions=(
                OnCondition(
                    test=_op("<", Name("u"), Number(1.0)), body=(Transition(regime="low"),)
                ),
            ),
        ),
    )
    cell = _cell(
        machines=(RegimeMachine(regimes=regimes),),
        analog_inputs=(AnalogInput(name="u", reduce="add"),),
    )
    text = _written(Model(name="m", components=(cell,)))[0].decode()
    assert "<Regime" not in text
    assert '<StateVariable name="mode" dimension="none"/>' in text


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"odes": (Ode(variable="extra", rhs=Call("erf", (Name("extra"),))),)}, "P201"),
        (
            {"parameters": (Parameter(name="odd", dimension=Dimension(l=0.5),
                                      value=Quantity(1.0, Unit("q", Dimension(l=0.5)))),
                            *_cell().parameters)},
            "P202",
        ),
        ({"parameters": (Parameter(name="text", kind="string"), *_cell().parameters)}, "P205"),
    ],
)  # fmt: skip
def test_refusals_name_what_cannot_be_held(change: dict[str, object], code: str) -> None:
    with pytest.raises(ModelError) as caught:
        _written(Model(name="m", components=(_cell(**change),)))
    assert [issue.code for issue in caught.value.issues] == [code]
    assert caught.value.refused


def _synapse() -> Component:
    """An exponential current that reads the cell's potential."""
    return Component(
        name="syn",
        parameters=(
            Parameter(name="tau", dimension=TIME, value=Quantity(4.0, MS)),
            Parameter(name="size", dimension=CURRENT, value=Quantity(50.0, PA)),
            Parameter(name="range", dimension=VOLTAGE, value=Quantity(20.0, MV)),
        ),
        state_variables=(StateVariable(name="s", initial=Number(0.0)),),
        derived_variables=(
            DerivedVariable(
                name="current", dimension=CURRENT,
                value=_op("*", _op("*", Name("size"), Name("s")),
                          Call("exp", (_op("/", Name("host"), Name("range")),))),
            ),
        ),
        odes=(Ode(variable="s", rhs=_op("/", Unary("-", Name("s")), Name("tau"))),),
        on_events=(
            OnEvent(port="arrive", body=(Assign(target="s", value=_op("+", Name("s"), Number(1.0))),)),
        ),
        event_inputs=(EventPort(name="arrive"),),
        analog_inputs=(AnalogInput(name="host", dimension=VOLTAGE),),
        exposures=(Exposure(name="current", variable="current", dimension=CURRENT),),
    )  # fmt: skip


def _linked(size: int = 3, **cells: object) -> Model:
    ohm = Unit("GOhm", VOLTAGE / CURRENT, 1e9)
    drive = Parameter(
        name="R",
        dimension=VOLTAGE / CURRENT,
        value=Quantity(0.5, ohm),
    )
    pull = _op("+", _op("-", Number(-40.0, MV), Name("V")), _op("*", Name("R"), Name("I_in")))
    target = _cell(
        name="target",
        parameters=(*_cell().parameters, drive),
        odes=(Ode(variable="V", rhs=_op("/", pull, Name("tau"))),),
        analog_inputs=(AnalogInput(name="I_in", dimension=CURRENT, reduce="add"),),
    )
    links = (
        PortLink(source="pre", source_port="out", target="synapse", target_port="arrive"),
        PortLink(source="synapse", source_port="current", target="post", target_port="I_in"),
        PortLink(source="post", source_port="V", target="synapse", target_port="host"),
    )
    network = Network(
        name="net",
        populations=(
            Population(name="first", component="cell", size=size, **cells),  # type: ignore[arg-type]
            Population(name="second", component="target", size=2),
        ),
        projections=(
            Projection(name="p", source="first", target="second", synapse="syn",
                       pre=np.arange(size), post=np.arange(size) % 2, links=links,
                       delay=np.full(size, 2e-3)),
        ),
        experiment=Experiment(
            length=0.08, step=1e-4,
            recordings=(Recording(path="second[1]/V", label="V", file="v.dat"),),
            events=(
                EventRecording(path="first[2]", port="out", label="a"),
                EventRecording(path="second[1]", port="out", label="b"),
            ),
        ),
    )  # fmt: skip
    return Model(name="net", components=(_cell(), target, _synapse()), network=network)


def test_links_of_ports_become_attachments() -> None:
    model = _linked()
    text = _written(model)[0].decode()
    assert '<Attachments name="synapses" type="basePointCurrent"/>' in text
    assert '<Requirement name="v" dimension="voltage"/>' in text
    assert 'extends="baseVoltageDepSynapse"' in text
    ours = simulate(model, mode="continuous").events
    theirs = simulate(_back(model), mode="continuous").events
    assert len(ours["b"]) > 2
    assert list(theirs["second[1]"]) == pytest.approx(list(ours["b"]), abs=1e-6)


def test_cells_that_differ_stand_in_populations_of_one_kind() -> None:
    model = _linked(parameters={"tau": np.array([8e-3, 12e-3, 8e-3])},
                    initial={"V": np.array([-0.07, -0.07, -0.07])})  # fmt: skip
    data, log = _written(model)
    assert [issue.code for issue in log if issue.code == "P231"] == ["P231"]
    text = data.decode()
    assert '<population id="first_0" component="cell_first_0" size="2"/>' in text
    ours = simulate(model, mode="continuous").events
    theirs = simulate(_back(model), mode="continuous").events
    assert list(theirs["first_0[1]"]) == pytest.approx(list(ours["a"]), abs=1e-6)
    assert list(theirs["second[1]"]) == pytest.approx(list(ours["b"]), abs=1e-6)


def test_weights_of_direct_events_are_refused() -> None:
    heard = OnEvent(port="hear", body=(Assign(target="extra", value=Name("weight")),))
    port = EventPort(name="hear", payload=("weight",))
    listener = _cell(name="target", event_inputs=(port,), on_events=(heard,))
    network = Network(
        name="net",
        populations=(
            Population(name="first", component="cell", size=1),
            Population(name="second", component="target", size=1),
        ),
        projections=(
            Projection(name="p", source="first", target="second", pre=np.array([0]),
                       post=np.array([0]), target_port="hear", weight=np.array([2.0])),
        ),
    )  # fmt: skip
    with pytest.raises(ModelError, match="P233"):
        _written(Model(name="net", components=(_cell(), listener), network=network))


def test_a_network_of_cells_without_values_is_refused() -> None:
    model = _linked()
    cell = model.component("cell")
    bare = tuple(replace(item, value=None) for item in cell.parameters)
    others = tuple(c for c in model.components if c.name != "cell")
    model = replace(model, components=(replace(cell, parameters=bare), *others))
    with pytest.raises(ModelError, match="P223"):
        _written(model)


def test_the_same_bytes_every_time() -> None:
    assert _written(_linked())[0] == _written(_linked())[0]


def test_a_first_case_of_nothing_has_the_variables_dimension() -> None:
    # jLEMS takes the first case's dimension for that of the variable, and refuses what reads it
    drive = Conditional(((_op(">", a, Number(3.0)), Number(0.0)),), Name("force"))
    component = Component(
        name="cell",
        parameters=(Parameter(name="force", dimension=CURRENT, value=Quantity(5.0, PA)),),
        state_variables=(StateVariable(name="a", initial=Number(0.0)),),
        odes=(Ode(variable="a", rhs=Number(0.1, Unit("per_ms", Dimension(t=-1), 1e3))),),
        derived_variables=(DerivedVariable(name="drive", dimension=CURRENT, value=drive),),
        exposures=(Exposure(name="drive", dimension=CURRENT, variable="drive"),),
    )
    text = to_xml(write_document(Model(name="m", components=(component,)), Log())).decode()
    assert '<Case condition="a .gt. 3" value="const1"/>' in text
    assert '<Constant name="const1" dimension="current" value="0' in text
