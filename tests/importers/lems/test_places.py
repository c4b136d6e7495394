"""Line and column of a mistake in an expression: those of the very word or operator."""

from __future__ import annotations

import pytest
from interspike.app.convert import convert
from interspike.canonical_model.diagnostics import Issue, ModelError

TEXT = """<Lems>
<Dimension name="time" t="1"/><Dimension name="voltage" m="1" l="2" t="-3" i="-1"/>
<Unit symbol="ms" dimension="time" power="-3"/><Unit symbol="mV" dimension="voltage" power="-3"/>
<ComponentType name="cell"><Parameter name="tau" dimension="time"/><Parameter name="E" dimension="voltage"/>
  <Exposure name="v" dimension="voltage"/>
  <Dynamics>
    <StateVariable name="v" dimension="voltage" exposure="v"/>
    <DerivedVariable name="d" dimension="none"
                     value="v / E"/>
    <TimeDerivative variable="v" value="(E - v)/tau"/>
  </Dynamics></ComponentType>
<cell id="m" tau="5 ms" E="20 mV"/>
</Lems>"""


def first(text: str, to: str) -> Issue:
    with pytest.raises(ModelError) as caught:
        convert("m.xml", data=text.encode(), to=to)
    return caught.value.issues[0]


@pytest.mark.parametrize(
    ("right", "wrong", "code", "to"),
    [
        ("(E - v)/tau", "(E - @w)/tau", "L130", "nest"),
        ("(E - v)/tau", "E @- v", "U204", "nest"),
        ("v / E", "v / @* E", "L101", "nest"),
        ("v / E", "v @+ 1", "U201", "nest"),
        ("v / E", "v / E * @ceil(v / E)", "X301", "nineml"),
    ],
)
def test_mistakes_are_found_where_they_stand(right: str, wrong: str, code: str, to: str) -> None:
    marked = TEXT.replace(right, wrong)
    place = marked.index("@")
    issue = first(marked.replace("@", ""), to)
    assert issue.code == code
    assert issue.span is not None
    line = marked.count("\n", 0, place) + 1
    assert (issue.span.line, issue.span.column) == (line, place - marked.rfind("\n", 0, place))
