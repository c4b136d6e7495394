"""What a format can hold, as data: one table per format, read by refusals, documentation and tests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Support(Enum):
    """How far a format carries a feature: whole, with a stated loss, or not at all."""

    FULL = "full"
    LOSSY = "lossy"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Ability:
    """One row of a format's table; `note` says what is lost, or in which form it is held."""

    support: Support
    note: str = ""


# feature -> what a person calls it; the order is that of the printed tables
FEATURES: dict[str, str] = {
    "units": "physical dimensions and units",
    "odes": "ordinary differential equations",
    "conditions": "conditions with assignments (thresholds, resets)",
    "regimes": "regimes (refractory periods, phases)",
    "programs": "statements of every time step",
    "statements": "loops and branches within an event",
    "functions": "functions and operators",
    "derived": "derived and conditional variables",
    "kinetic_schemes": "kinetic schemes",
    "events": "event inputs and outputs",
    "timed_events": "lists of spike times",
    "random": "random draws",
    "networks": "populations and projections",
    "weights_delays": "weights and delays",
    "inputs": "current, conductance and spike inputs",
    "short_term_plasticity": "short-term plasticity, voltage-dependent block",
    "pairs": "neurons and synapses that share state",
    "electrical": "gap junctions",
    "graded": "graded (continuous) synapses",
    "channels": "ion channels, pools, reversal potentials of a single compartment",
    "morphology": "multi-compartment morphologies",
    "experiment": "length, step and recordings of an experiment",
    "text": "notes and annotations",
}


def full(note: str = "") -> Ability:
    """The feature is carried whole."""
    return Ability(Support.FULL, note)


def lossy(note: str) -> Ability:
    """The feature is carried with the loss that `note` states."""
    return Ability(Support.LOSSY, note)


def none(note: str = "") -> Ability:
    """The feature is refused."""
    return Ability(Support.NONE, note)
