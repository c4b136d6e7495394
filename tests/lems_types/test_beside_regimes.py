"""What stands beside regimes: jLEMS 0.12 was run on each kind, and leaves two of them out."""

from __future__ import annotations

from interspike.app.load import load_bytes
from interspike.canonical_model.diagnostics import Log

CELL = """<Lems><Include file="Cells.xml"/>
<ComponentType name="latch" extends="baseSynapse">
  <Parameter name="tau" dimension="time"/>
  <Dynamics>
    <StateVariable name="i" dimension="current" exposure="i"/>
    <StateVariable name="n" dimension="none"/>
    <OnStart><StateAssignment variable="n" value="7"/></OnStart>
    <TimeDerivative variable="n" value="1 / tau"/>
    {common}
    <Regime name="low" initial="true">
      <OnEvent port="in"><Transition regime="high"/></OnEvent>
    </Regime>
    <Regime name="high">
      <OnCondition test="n .gt. 5"><Transition regime="low"/></OnCondition>
    </Regime>
  </Dynamics>
</ComponentType>
<latch id="one" tau="1ms"/></Lems>"""


def _warned(common: str) -> list[int]:
    log = Log()
    load_bytes(CELL.replace("{common}", common).encode(), file="latch.xml", log=log)
    return [issue.span.line for issue in log if issue.code == "L137" and issue.span]


def test_what_jlems_leaves_out_is_said_with_its_place() -> None:
    event = '<OnEvent port="in"><StateAssignment variable="n" value="n + 1"/></OnEvent>'
    jump = '<OnCondition test="n .gt. 30"><Transition regime="high"/></OnCondition>'
    assert _warned(event) == [9]
    assert _warned(jump) == [9]


def test_what_jlems_runs_needs_no_word() -> None:
    plain = '<OnCondition test="n .gt. 30"><StateAssignment variable="n" value="0"/></OnCondition>'
    assert _warned(plain) == []
    assert _warned("") == []
