"""Receptors of point neurons as fragments of a canonical component.

Each has one event port; an event adds its weight, in PyNN's unit of weights, to a state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .fragments import Fragment, fragment

KINDS = ("current_exp", "current_alpha", "conductance_exp", "conductance_alpha", "voltage_delta")


@dataclass(frozen=True, slots=True)
class Receptor:
    """A receptor: its port, the kind (one of KINDS) and the names of its state and parameters."""

    port: str
    kind: str
    state: str = ""
    tau: str = ""
    reversal: str = ""

    @property
    def current(self) -> str:
        """The current into the cell, as an expression; empty for voltage steps."""
        if self.kind.startswith("current"):
            return self.state
        if self.kind.startswith("conductance"):
            return f"{self.state} * ({self.reversal} - v)"
        return ""

    @property
    def states(self) -> Mapping[str, str]:
        """The states and their unit words."""
        if self.kind == "voltage_delta":
            return {}
        unit = "nA" if self.kind.startswith("current") else "uS"
        names = [self.state] + ([self._rise] if self.kind.endswith("alpha") else [])
        return dict.fromkeys(names, unit)

    @property
    def _rise(self) -> str:
        return f"{self.state}_rise"

    def build(self) -> Fragment:
        """The receptor's part of the component."""
        if self.kind == "voltage_delta":
            return fragment()
        unit = next(iter(self.states.values()))
        parameters = {self.tau: "ms"}
        if self.reversal:
            parameters[self.reversal] = "mV"
        if self.kind.endswith("exp"):
            rates = {self.state: f"-{self.state} / {self.tau}"}
            target = self.state
        else:
            # weight * (t/tau) * exp(1 - t/tau): peaks at the weight after tau
            rates = {
                self.state: f"(E_EULER * {self._rise} - {self.state}) / {self.tau}",
                self._rise: f"-{self._rise} / {self.tau}",
            }
            target = self._rise
        arrival = {self.port: {target: f"{target} + weight * ONE_{unit}"}}
        return fragment(
            parameters=parameters, states=dict(self.states), rates=rates, arrivals=arrival
        )


def pair(kind: str) -> tuple[Receptor, Receptor]:
    """The excitatory and the inhibitory receptor of PyNN's standard cells."""
    if kind == "voltage_delta":
        return Receptor("excitatory", kind), Receptor("inhibitory", kind)
    letter = "i" if kind.startswith("current") else "g"
    reversal = ("e_rev_E", "e_rev_I") if letter == "g" else ("", "")
    return (
        Receptor("excitatory", kind, f"{letter}syn_exc", "tau_syn_E", reversal[0]),
        Receptor("inhibitory", kind, f"{letter}syn_inh", "tau_syn_I", reversal[1]),
    )
