"""Networks that LEMS models build with their own Structure elements."""

from __future__ import annotations

import numpy as np
import pytest
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.passes.wire import wire
from interspike.importers.lems.reader import read
from interspike.solvers.simulate import simulate

HEAD = """<Lems><Target component="sim"/>
<Dimension name="voltage" m="1" l="2" t="-3" i="-1"/><Dimension name="time" t="1"/>
<Dimension name="current" i="1"/><Dimension name="conductance" m="-1" l="-2" t="3" i="2"/>
<Dimension name="capacitance" m="-1" l="-2" t="4" i="2"/>
<Unit symbol="mV" dimension="voltage" power="-3"/><Unit symbol="ms" dimension="time" power="-3"/>
<Unit symbol="nS" dimension="conductance" power="-9"/><Unit symbol="pF" dimension="capacitance" power="-12"/>
<ComponentType name="leaky"><Property name="level" dimension="none" defaultValue="1"/>
 <Property name="start" dimension="voltage" defaultValue="0mV"/><Parameter name="tau" dimension="time"/>
 <Exposure name="v" dimension="voltage"/>
 <Dynamics><StateVariable name="v" exposure="v" dimension="voltage"/>
 <OnStart><StateAssignment variable="v" value="start"/></OnStart>
 <TimeDerivative variable="v" value="(start * level - v) / tau"/></Dynamics></ComponentType>
"""
TAIL = """<ComponentType name="runner"><Parameter name="length" dimension="time"/>
 <Parameter name="step" dimension="time"/><ComponentReference name="target" type="net"/></ComponentType>
<Simulation id="sim" length="2ms" step="0.1ms" target="n"><OutputFile id="o" fileName="o.dat">
%s</OutputFile></Simulation></Lems>"""


def simulated(body: str, *paths: str):
    columns = "".join(f'<OutputColumn id="c{k}" quantity="{p}"/>' for k, p in enumerate(paths))
    log = Log()
    text = (HEAD + body + TAIL % columns).encode()
    model = read(None, text, file="test.xml", log=log)
    return simulate(wire(model, log))


POPULATION = """<ComponentType name="pop"><Parameter name="size" dimension="none"/>
 <Parameter name="base" dimension="voltage"/><ComponentReference name="component" type="leaky"/>
 <Structure><MultiInstantiate number="size" component="component" indexVariable="i">
 <Assign property="start" value="base * (i + 1)"/><Assign property="level" value="i ^ 2"/>
 </MultiInstantiate></Structure></ComponentType>
 <ComponentType name="net"><Children name="pops" type="pop"/></ComponentType>
 <leaky id="c" tau="5ms"/><net id="n"><pop id="p" size="3" base="10mV" component="c"/></net>"""


def test_instances_get_their_properties_from_the_index() -> None:
    paths = [f"p[{k}]/v" for k in range(3)]
    run = simulated(POPULATION, *paths)
    for k, path in enumerate(paths):
        start = 0.01 * (k + 1)
        exact = start * (k**2 + (1 - k**2) * np.exp(-run.times / 5e-3))
        assert np.allclose(run.traces[path], exact, rtol=1e-7, atol=1e-12)


def test_an_unknown_property_is_named() -> None:
    with pytest.raises(ModelError, match="no property 'strat'") as caught:
        simulated(POPULATION.replace('property="start"', 'property="strat"'))
    assert "start" in caught.value.issues[0].hint


def test_an_expression_that_needs_what_is_not_there_is_refused() -> None:
    with pytest.raises(ModelError, match="'j' is not known"):
        simulated(POPULATION.replace("i ^ 2", "j ^ 2"))


TUNNEL = """<ComponentType name="junction"><Parameter name="g" dimension="conductance"/>
 <Requirement name="v" dimension="voltage"/>
 <InstanceRequirement name="peer" type="junction"/>
 <Exposure name="i" dimension="current"/><Exposure name="vown" dimension="voltage"/>
 <Dynamics><DerivedVariable name="vown" exposure="vown" dimension="voltage" value="v"/>
 <DerivedVariable name="vpeer" dimension="voltage" select="peer/vown"/>
 <DerivedVariable name="i" exposure="i" dimension="current" value="g * (vpeer - v)"/></Dynamics>
</ComponentType>
<ComponentType name="cell"><Parameter name="C" dimension="capacitance"/>
 <Parameter name="v0" dimension="voltage"/><Exposure name="v" dimension="voltage"/>
 <Attachments name="gaps" type="junction"/>
 <Dynamics><StateVariable name="v" exposure="v" dimension="voltage"/>
 <DerivedVariable name="itot" dimension="current" select="gaps[*]/i" reduce="add"/>
 <OnStart><StateAssignment variable="v" value="v0"/></OnStart>
 <TimeDerivative variable="v" value="itot / C"/></Dynamics></ComponentType>
<ComponentType name="pop"><Parameter name="size" dimension="none"/>
 <ComponentReference name="component" type="cell"/>
 <Structure><MultiInstantiate number="size" component="component"/></Structure></ComponentType>
<ComponentType name="joined"><Link name="a" type="pop"/><Link name="b" type="pop"/>
 <ComponentReference name="synapse" type="junction"/>
 <Structure><With instance="../a" as="one"/><With instance="../b" as="two"/>
 <Tunnel name="t" endA="one" endB="two" componentA="synapse" componentB="synapse"/></Structure>
</ComponentType>
<ComponentType name="net"><Children name="pops" type="pop"/>
 <Children name="js" type="joined"/></ComponentType>
<junction id="j" g="2nS"/><cell id="left" C="10pF" v0="-70mV"/><cell id="right" C="10pF" v0="-50mV"/>
<net id="n"><pop id="l" size="1" component="left"/><pop id="r" size="1" component="right"/>
 <joined id="gap" a="l" b="r" synapse="j"/></net>"""


def test_a_tunnel_joins_two_cells() -> None:
    run = simulated(TUNNEL, "l[0]/v", "r[0]/v")
    # the difference decays with C / (2 g), the mean stays
    half = 0.01 * np.exp(-run.times * 2 * 2e-9 / 10e-12)
    assert np.allclose(run.traces["l[0]/v"], -0.06 - half, rtol=1e-8)
    assert np.allclose(run.traces["r[0]/v"], -0.06 + half, rtol=1e-8)


SPECIES = """<Lems><Include file="NeuroML2CoreTypes.xml"/>
<fixedFactorConcentrationModel id="pool" ion="ca" restingConc="1e-4mM" decayConstant="20ms"
  rho="1e-3mol_per_m_per_A_per_s"/>
<intracellularProperties id="inside">%s</intracellularProperties></Lems>"""


def test_children_of_one_name_are_told_apart() -> None:
    one = '<species id="ca" ion="ca" concentrationModel="pool" initialConcentration="1e-4mM" '
    one += 'initialExtConcentration="2mM"%s/>'
    log = Log()
    text = SPECIES % (one % ' segmentGroup="soma"' + one % ' segmentGroup="axon"')
    model = read(None, text.encode(), file="test.xml", log=log)
    inside = next(c for c in model.components if c.name == "inside")
    assert [child.id for child in inside.children] == ["ca", "ca_2"]
    assert [child.component.name for child in inside.children] == ["ca", "ca"]
    assert "L148" in [issue.code for issue in log]
