"""What others see of a component without a membrane, and what only time or chance shows, is compared too."""

from __future__ import annotations

import pytest
from interspike.app.diff import DIFFERENT, SAME, diff
from interspike.app.load import load_bytes
from interspike.app.verify import verify
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.model import Model

TWO = '<expTwoSynapse id="syn" gbase="4nS" erev="0mV" tauRise="0.5ms" tauDecay="5ms"/>'
GRADED = """<gradedSynapse id="g" conductance="5nS" delta="5mV" Vth="-50mV" k="0.025per_ms"
 erev="0mV"/>"""
SINE = """<sineGenerator id="p" phase="0" delay="900ms" duration="100ms" amplitude="1nA"
 period="50ms"/>"""
CHANNEL = """<ionChannelHH id="k" conductance="10pS" species="k"><gateHHrates id="n" instances="4">
<forwardRate type="HHExpLinearRate" rate="0.1per_ms" midpoint="-55mV" scale="10mV"/>
<reverseRate type="HHExpRate" rate="0.125per_ms" midpoint="-65mV" scale="-80mV"/>
</gateHHrates></ionChannelHH>"""
ARRAY = (
    """<spikeArray id="s"><spike id="0" time="50 ms"/><spike id="1" time="960 ms"/></spikeArray>"""
)
LATE = """<ComponentType name="lateCell" extends="baseCellMembPot">
<Constant name="mV" dimension="voltage" value="1mV"/><Constant name="when" dimension="time" value="700ms"/>
<Dynamics><StateVariable name="v" dimension="voltage" exposure="v"/>
<OnCondition test="t .gt. when"><StateAssignment variable="v" value="5*mV"/></OnCondition>
</Dynamics></ComponentType><lateCell id="c"/>"""
RESTING = """<ionChannelHH id="k" conductance="1pS"/><pointCellCondBased id="c" C="10pF" v0="-65mV"
 thresh="0mV"><channelPopulation id="l" ionChannel="k" number="3000" erev="-54mV" ion="k"/>
</pointCellCondBased>"""
POISSON = '<spikeGeneratorPoisson id="s" averageRate="50 Hz"/>'


def _model(body: str) -> Model:
    text = f'<Lems><Include file="Cells.xml"/><Include file="Networks.xml"/>{body}</Lems>'
    return load_bytes(text.encode(), file="m.xml", log=Log())


@pytest.mark.parametrize(
    ("body", "old", "new"),
    [
        (TWO, 'erev="0mV"', 'erev="-70mV"'),
        (GRADED, "5nS", "6nS"),
        ('<gapJunction id="l" conductance="2nS"/>', "2nS", "3nS"),
        (SINE, 'period="50ms"', 'period="51ms"'),
        (SINE, "900ms", "950ms"),
        (CHANNEL, 'instances="4"', 'instances="3"'),
        (ARRAY, "960 ms", "961 ms"),
        (LATE, "700ms", "800ms"),
        (POISSON, "50 Hz", "51 Hz"),
        (RESTING, "0mV", "0.2mV"),
    ],
)
def test_a_change_that_others_see_is_a_difference(body: str, old: str, new: str) -> None:
    assert body.count(old) == 1
    assert diff(_model(body), _model(body.replace(old, new))).verdict == DIFFERENT
    assert diff(_model(body), _model(body)).verdict == SAME


def test_a_rate_under_other_names_is_counted_over_many_cells() -> None:
    own = """<ComponentType name="noise" extends="baseSpikeSource">
      <Parameter name="rate" dimension="per_time"/>
      <Dynamics><StateVariable name="left" dimension="time"/>
      <StateVariable name="tsince" dimension="time" exposure="tsince"/>
      <OnStart><StateAssignment variable="left" value="-1 * log(random(1)) / rate"/></OnStart>
      <TimeDerivative variable="left" value="-1"/>
      <OnCondition test="left .lt. 0"><EventOut port="spike"/>
      <StateAssignment variable="left" value="-1 * log(random(1)) / rate"/></OnCondition>
      </Dynamics></ComponentType><noise id="n" rate="{rate}"/>"""
    same, other = (_model(own.replace("{rate}", f"{rate} Hz")) for rate in (50, 80))
    assert diff(_model(POISSON), same).verdict == SAME
    assert diff(_model(POISSON), other).verdict == DIFFERENT


def test_an_input_that_follows_the_time_is_written_as_such() -> None:
    ramp = """<rampGenerator id="p" delay="300ms" duration="40ms" startAmplitude="1nA"
      finishAmplitude="3nA" baselineAmplitude="0nA"/>"""
    assert verify(_model(ramp), to="nineml").verdict == SAME
