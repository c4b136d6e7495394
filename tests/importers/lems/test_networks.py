"""Networks in XML: every form of population, connection and input, and their mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from interspike.canonical_model.diagnostics import Issue, Log, ModelError
from interspike.canonical_model.network import Network
from interspike.importers.lems.reader import read

CELLS = """<neuroml id="doc">
<iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="0.01uS"/>
<expOneSynapse id="syn" gbase="1nS" erev="0mV" tauDecay="2ms"/>
<gapJunction id="gj" conductance="1nS"/> <silentSynapse id="silent"/>
<gradedSynapse id="graded" conductance="5pS" delta="5mV" Vth="-55mV" k="0.025per_ms" erev="0mV"/>
<pulseGenerator id="pg" delay="1ms" duration="5ms" amplitude="1nA"/>
"""
FIRST_LINE = CELLS.count("\n") + 2
POPULATIONS = """<population id="A" component="iaf" size="3"/>
<population id="B" component="iaf" type="populationList">
<property tag="color" value="1 0 0"/>
<instance id="7"><location x="1" y="2" z="3"/></instance>
<instance id="2"><location x="4" y="5" z="6"/></instance>
</population>
"""


def network(body: str, attributes: str = "", populations: str = POPULATIONS) -> tuple[Network, Log]:
    text = f'{CELLS}<network id="net" {attributes}>\n{populations}{body}</network></neuroml>'
    log = Log()
    found = read(None, text.encode(), file="m.nml", log=log).network
    assert found is not None
    return found, log


def refused(body: str, populations: str = POPULATIONS) -> Issue:
    with pytest.raises(ModelError) as caught:
        network(body, populations=populations)
    return caught.value.issues[0]


def projection(rows: str) -> str:
    ends = 'presynapticPopulation="A" postsynapticPopulation="B"'
    return f'<projection id="p" {ends} synapse="syn">\n{rows}\n</projection>'


def test_populations() -> None:
    net, _ = network("")
    a, b = net.populations
    assert (a.name, a.component, a.size, a.is_list, a.positions) == ("A", "iaf", 3, False, None)
    assert (b.size, b.is_list, b.properties) == (2, True, {"color": "1 0 0"})
    assert b.positions == pytest.approx(np.array([[1, 2, 3], [4, 5, 6]]) * 1e-6)


def test_connections() -> None:
    net, _ = network(
        projection(
            '<connection id="0" preCellId="../A/2/iaf" postCellId="../B/2/iaf"/>\n'
            '<connection id="1" preCellId="../A[0]" postCellId="../B[7]"/>'
        )
    )
    (only,) = net.projections
    assert (only.name, only.source, only.target, only.synapse) == ("p", "A", "B", "syn")
    assert (only.kind, only.weight, only.delay) == ("event", None, None)
    assert (list(only.pre), list(only.post)) == ([2, 0], [1, 0])


def test_connections_with_weight_and_delay() -> None:
    net, _ = network(
        projection(
            '<connectionWD id="0" preCellId="A/0" postCellId="B/7" weight="0.5" delay="2 ms"/>'
            '<connectionWD id="1" preCellId="A/1" postCellId="B/2" weight="-1e1" delay="0.003s"/>'
            '<connectionWD id="2" preCellId="A/1" postCellId="B/2" delay="0.1ms"/>'
            '<connectionWD id="3" preCellId="A/1" postCellId="B/2"/>'
        )
    )
    weight = np.concatenate(
        [np.ones(len(p.pre)) if p.weight is None else p.weight for p in net.projections]
    )
    delay = np.concatenate(
        [np.zeros(len(p.pre)) if p.delay is None else p.delay for p in net.projections]
    )
    assert weight == pytest.approx([0.5, -10, 1, 1])
    assert delay == pytest.approx([2e-3, 3e-3, 1e-4, 0])


def test_single_connections_and_inputs() -> None:
    net, _ = network(
        '<synapticConnection from="A[0]" to="B[2]" synapse="syn"/>'
        '<synapticConnection from="A[1]" to="B[7]" synapse="syn"/>'
        '<synapticConnectionWD from="A[2]" to="B[7]" synapse="syn" weight="3" delay="1ms"/>'
        '<explicitInput target="A[1]" input="pg"/><explicitInput target="A/2/iaf" input="pg"/>'
    )
    rows = [
        (int(p.pre[k]), int(p.post[k]), 1.0 if p.weight is None else float(p.weight[k]))
        for p in net.projections
        for k in range(len(p.pre))
    ]
    assert rows == [(0, 1, 1.0), (1, 0, 1.0), (2, 0, 3.0)]
    delays = [d for p in net.projections if p.delay is not None for d in p.delay]
    assert max(delays) == pytest.approx(1e-3)
    (only,) = net.inputs
    assert (only.population, only.component, list(only.index)) == ("A", "pg", [1, 2])


@pytest.mark.parametrize(
    ("row", "pre", "post", "weight"),
    [
        ('<electricalConnection id="0" preCell="1" postCell="7" synapse="gj"/>', 1, 0, None),
        ('<electricalConnectionInstance id="0" preCell="../A/1/iaf" postCell="../B/2/iaf" '
         'synapse="gj"/>', 1, 1, None),
        ('<electricalConnectionInstanceW id="0" preCell="../A/0/iaf" postCell="../B/2/iaf" '
         'synapse="gj" weight="2.5"/>', 0, 1, [2.5]),
    ],
)  # fmt: skip
def test_electrical(row: str, pre: int, post: int, weight: list[float] | None) -> None:
    ends = 'presynapticPopulation="A" postsynapticPopulation="B"'
    net, _ = network(f'<electricalProjection id="e" {ends}>{row}</electricalProjection>')
    (only,) = net.projections
    assert (only.kind, only.pre_synapse, only.synapse) == ("electrical", "gj", "gj")
    assert (list(only.pre), list(only.post)) == ([pre], [post])
    assert (None if only.weight is None else list(only.weight)) == weight


@pytest.mark.parametrize("form", ["", "Instance", "InstanceW"])
def test_continuous(form: str) -> None:
    ends = 'presynapticPopulation="A" postsynapticPopulation="B"'
    cells = 'preCell="0" postCell="2"' if not form else 'preCell="../A/0/iaf" postCell="../B/2/iaf"'
    weight = 'weight="4"' if form == "InstanceW" else ""
    row = (
        f'<continuousConnection{form} id="0" {cells} preComponent="silent" '
        f'postComponent="graded" {weight}/>'
    )
    net, _ = network(f'<continuousProjection id="c" {ends}>{row}</continuousProjection>')
    (only,) = net.projections
    assert (only.kind, only.pre_synapse, only.synapse) == ("continuous", "silent", "graded")
    assert (list(only.pre), list(only.post)) == ([0], [1])
    assert (only.weight is None) == (form != "InstanceW")


def test_input_lists() -> None:
    net, _ = network(
        '<inputList id="i" population="B" component="pg">'
        '<input id="0" target="../B/2/iaf" destination="synapses"/></inputList>'
        '<inputList id="j" population="A" component="pg">'
        '<inputW id="0" target="../A/2/iaf" destination="synapses" weight="0.25"/></inputList>'
    )
    first, second = net.inputs
    assert (first.population, list(first.index), first.weight) == ("B", [1], None)
    assert (second.population, list(second.index)) == ("A", [2])
    assert second.weight is not None
    assert list(second.weight) == [0.25]


def test_temperature() -> None:
    net, _ = network("", 'type="networkWithTemperature" temperature="6.3degC"')
    assert net.quantities["temperature"] == pytest.approx(279.45)


WD = '<connectionWD id="0" preCellId="../A/0/iaf" postCellId="../B/2/iaf" weight="1" delay="{}"/>'
ROW = '<connection id="0" preCellId="../{}" postCellId="../{}"/>'


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        (projection("").replace('"A"', '"AA"'), "L030", 7),
        ('<explicitInput target="C[0]" input="pg"/>', "L030", 7),
        (projection(ROW.format("A/3/iaf", "B/2/iaf")), "L031", 8),
        (projection("\n" + ROW.format("A/0/iaf", "B/0/iaf")), "L031", 9),
        ('<explicitInput target="A[3]" input="pg"/>', "L031", 7),
        (projection(ROW.format("B/7/iaf", "B/7/iaf")), "L036", 8),
        (projection(ROW.format("A", "B/7/iaf")), "L033", 8),
        ('<explicitInput target="A" input="pg"/>', "L033", 7),
        ('<explicitInput target="0" input="pg"/>', "L033", 7),
        (projection('<connection id="0" preCellId="../A/0/iaf"/>'), "L112", 8),
        (projection(WD.format("-1ms")), "L172", 8),
        (projection(WD.format("soon")), "L123", 8),
        (projection(WD.format("1")), "L125", 8),
        (projection(WD.format("1mV")), "L125", 8),
        (projection(WD.format("1parsec")), "L124", 8),
        (projection(WD.format("1e999ms")), "L123", 8),
        ('<population id="A" component="iaf" size="1"/>', "L032", 7),
        ('<population id="C" component="iaf" size="many"/>', "L123", 7),
        ('<population id="C" component="iaf" size="99999999999"/>', "L034", 7),
        ('<population id="C" component="iaf"><instance id="1"/><instance id="1"/></population>',
         "L032", 7),
        ('<explicitInput input="pg"/>', "L112", 7),
    ],
)  # fmt: skip
def test_mistakes(body: str, code: str, line: int) -> None:
    found = refused(body)
    assert found.code == code, found
    assert found.span is not None
    assert found.span.line == FIRST_LINE + line - 1, found


def test_unknown_population_has_a_suggestion() -> None:
    populations = '<population id="Pyramidal" component="iaf" size="2"/>'
    found = refused('<explicitInput target="pyramidals[0]" input="pg"/>', populations)
    assert (found.code, found.hint) == ("L030", "did you mean 'Pyramidal'?")


def test_segments_are_noted() -> None:
    row = '<connection id="0" preCellId="../A/0/iaf" postCellId="../B/2/iaf" postSegmentId="{}"/>'
    assert "L037" in [i.code for i in network(projection(row.format(3)))[1]]
    assert "L037" not in [i.code for i in network(projection(row.format(0)))[1]]
