"""Neurons and the synapses that share state with them, as data; `passes/cogenerate.py` acts on it.

A synapse may hear the spikes of its target and read its quantities. Written down here is which neuron is
meant by that, for targets where both are made together; the components stay as their authors wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A synapse of a pairing, and what its ports mean.

    `post` are the spike ports that hear the neuron, `modulators` those that hear a third party (none
    named: those of that role), `reads` maps analog inputs to quantities of the neuron. `keep` are states
    that stay in the synapse in any case. `weight` and `delay` name the quantities that are the
    connection's weight and delay ("": by custom, or none).
    """

    synapse: str
    post: tuple[str, ...] = ()
    modulators: tuple[str, ...] = ()
    reads: Mapping[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    weight: str = ""
    delay: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """A neuron made together with synapses. Without a `neuron`, the synapses' ports are described only."""

    neuron: str
    synapses: tuple[Partner, ...]
