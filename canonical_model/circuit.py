"""A circuit: a network wired into groups of flat components and links between them.

This is what the reference simulator and every code generator run. Each group is `size` instances of
one flat component; links carry events or analog quantities between instances by index arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .model import Component

if TYPE_CHECKING:
    from .network import Floats, Ints, Rule


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """`size` instances of a flat component; per-instance overrides in SI, arrays of shape (size,).

    `host` names the population for synapse and input groups that were attached to cells ("" else).
    """

    name: str
    component: Component
    size: int
    parameters: Mapping[str, Floats] = field(default_factory=dict)
    initial: Mapping[str, Floats] = field(default_factory=dict)
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventLink:
    """Events of `source`'s port reach `target`'s port: connection k joins pre[k] to post[k].

    `weight` (None: 1) is delivered as the payload `weight`; `delay` is in seconds (None: 0).
    `factor` names a variable of the sending instance that multiplies the weight when the event is sent;
    such links have no delay. With `rule` the engine that runs the circuit is to draw: the arrays are empty
    and the rule counts between these two groups (`wire` leaves rules only where it is asked to).
    """

    source: str
    source_port: str
    target: str
    target_port: str
    pre: Ints
    post: Ints
    weight: Floats | None = None
    delay: Floats | None = None
    factor: str = ""
    rule: Rule | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnalogLink:
    """`variable` of source instance pre[k] feeds `input` of target instance post[k].

    Inputs with `reduce="add"` sum over all k that share post[k]; others have one source each.
    """

    source: str
    variable: str
    target: str
    input: str
    pre: Ints
    post: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventTrain:
    """Events that are known beforehand: instance index[k] of `group` sends from `port` at times[k].

    Times are in seconds and ascending; what is due at or before 0 is sent when the run starts.
    """

    group: str
    port: str
    times: Floats
    index: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Where a recorded quantity lives: variable (or event port) of instance `index` of `group`."""

    label: str
    group: str
    index: int
    variable: str
    file: str = ""
    scale: float = 1.0
    format: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Circuit:
    """Groups, links, known events and what to record; length and step in seconds (0: not given)."""

    name: str
    groups: tuple[Group, ...]
    event_links: tuple[EventLink, ...] = ()
    analog_links: tuple[AnalogLink, ...] = ()
    trains: tuple[EventTrain, ...] = ()
    probes: tuple[Probe, ...] = ()
    event_probes: tuple[Probe, ...] = ()
    length: float = 0.0
    step: float = 0.0
    seed: int | None = None

    def group(self, name: str) -> Group:
        """The group called `name`; KeyError if there is none."""
        for group in self.groups:
            if group.name == name:
                return group
        raise KeyError(name)
