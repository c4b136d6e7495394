"""Counters reach their limit exactly, and names that NineML knows otherwise are changed everywhere."""

from __future__ import annotations

from pathlib import Path

from interspike.app.convert import convert
from interspike.app.verify import verify

# bursts of `num` events; the populations are called like units
BURSTS = """<Lems><Target component="sim"/><Include file="Cells.xml"/><Include file="Synapses.xml"/>
<Include file="Networks.xml"/><Include file="Simulation.xml"/>
<ComponentType name="burstGen"><Parameter name="isi" dimension="time"/>
<Parameter name="gap" dimension="time"/><Parameter name="num" dimension="none"/>
<EventPort name="spike" direction="out"/><Exposure name="n" dimension="none"/>
<Dynamics><StateVariable name="n" dimension="none" exposure="n"/>
<StateVariable name="next" dimension="time"/>
<OnStart><StateAssignment variable="next" value="gap"/></OnStart>
<OnCondition test="t .geq. next .and. n .lt. num"><StateAssignment variable="n" value="n+1"/>
<StateAssignment variable="next" value="next+isi"/><EventOut port="spike"/></OnCondition>
<OnCondition test="n .geq. num .and. t .gt. next+gap"><StateAssignment variable="n" value="0"/>
<StateAssignment variable="next" value="t"/></OnCondition></Dynamics></ComponentType>
<burstGen id="burst" isi="5ms" gap="15ms" num="3"/>
<expOneSynapse id="syn" gbase="2nS" erev="0mV" tauDecay="5ms"/>
<iafCell id="cell" leakConductance="10nS" leakReversal="-70mV" thresh="-55mV" reset="-70mV"
 C="0.2nF"/>
<network id="net"><population id="A" component="burst" size="1"/>
<population id="V" component="cell" size="1"/>
<projection id="p" presynapticPopulation="A" postsynapticPopulation="V" synapse="syn">
<connection id="0" preCellId="../A[0]" postCellId="../V[0]"/></projection></network>
<Simulation id="sim" length="100ms" step="0.05ms" target="net"/></Lems>
"""


def test_bursts_keep_their_number_of_events(tmp_path: Path) -> None:
    path = tmp_path / "bursts.xml"
    path.write_text(BURSTS)
    text = convert(path, to="nineml", origin=False).artifacts[0].data.decode()
    assert "!(n < num)" in text  # a counter may stand at its limit
    assert "(t > next" in text  # time only passes through
    found = verify(path, to="nineml")
    assert found.verdict == "same", found.to_json()
    counts = [d.spikes for trial in found.trials for d in trial.distances if d.name == "A[0]/spike"]
    assert counts and min(counts[0]) >= 9
