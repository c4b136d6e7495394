"""What the tests of the NESTML importer share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from interspike.canonical_model.diagnostics import Issue, Log, ModelError
from interspike.canonical_model.model import Component
from interspike.canonical_model.verify import verify_component
from interspike.importers.nestml.reader import read

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "nestml"
FRAME = """model probe:
    state:
        V mV = 0 mV
        w pA = 0 pA
        r real = 0
        n integer = 0
        m integer = 0
        ok boolean = false
        {state}
    parameters:
        tau ms = 10 ms
        C pF = 250 pF
        {parameters}
    internals:
        one real = 1
        {internals}
    equations:
        kernel K = exp(-t / tau)
        V' = -V / tau
        {equations}
    input:
        spikes <- spike
        I_in pA <- continuous
    output:
        spike
    update:
        integrate_odes(V)
        {update}
    {blocks}
"""


def frame(**parts: str) -> str:
    """A model with `parts` in its places; later lines of a part are indented by the caller."""
    names = ("state", "parameters", "internals", "equations", "update", "blocks")
    lines = FRAME.format(**{name: parts.get(name, "") for name in names}).split("\n")
    return "\n".join(line for line in lines if line.strip())


class Tools:
    """Reads models that a test gives in parts (of FRAME) or whole (`text`)."""

    fixtures = FIXTURES
    frame = staticmethod(frame)

    def load(self, text: str = "", log: Log | None = None, **parts: str) -> Component:
        """The first model, verified."""
        log = Log() if log is None else log
        source = (text or frame(**parts)).encode()
        component = read(None, source, file="probe.nestml", log=log).components[0]
        assert verify_component(component) == []
        return component

    def failures(self, text: str = "", **parts: str) -> list[Issue]:
        """The errors of a model that must not be read."""
        with pytest.raises(ModelError) as caught:
            self.load(text, **parts)
        return list(caught.value.issues)

    def remarks(self, text: str = "", **parts: str) -> list[str]:
        """The codes of what is remarked about a model that is read."""
        log = Log()
        self.load(text, log, **parts)
        return [issue.code for issue in log]

    def value(self, expr: str, kind: str = "real", **parts: str) -> Any:
        """The value in SI of an expression of literals and internals."""
        from interspike.solvers.evaluate import evaluate

        component = self.load(**{**parts, "update": f"probed {kind} = {expr}"})
        assert component.update is not None
        names = {item.name: item.value for item in component.derived_parameters}
        known = {name: evaluate(value, {}) for name, value in names.items()}
        known |= {p.name: p.value.si for p in component.parameters if p.value is not None}
        return float(evaluate(component.update[-1].value, known))  # type: ignore[union-attr]


@pytest.fixture
def nestml() -> Tools:
    """What the tests of the importer share."""
    return Tools()
