"""Networks and experiments: populations, projections, inputs, what to record, how long to run.

Connectivity is held in numpy arrays (one element per connection), never as one object per synapse, or as
a `Rule` from which `draw.drawn` makes the arrays when somebody needs them. Times are in seconds,
weights are pure numbers, parameter values are in SI units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from .diagnostics import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Values that are not drawn yet: `kind` is a distribution of `draw.SAMPLERS` with its `arguments`.

    `constant` has one argument, `array` one for each value. Each number is multiplied by `scale`, then
    `offset` is added: SI. What is drawn depends on `seed`, `key`, kind, arguments and count alone.
    """

    kind: str = "constant"
    arguments: tuple[float, ...] = ()
    scale: float = 1.0
    offset: float = 0.0
    seed: int = 1
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which cells are joined, as a rule: `draw.drawn` is the one place that draws from it.

    `kind` is `all_to_all`, `one_to_one`, `probabilistic` (every pair with `probability`), `fan_in`
    (every target has `number` different sources) or `fan_out`. It counts over all cells of `sources` and
    `targets` (populations, in order): a projection with a rule is the part of it between its own two
    populations. `key` names the whole; what is drawn depends on `seed`, `key` and the rule alone.
    `weight`, `delay` (s), `parameters` and `initial` are those of Projection, one value for each
    connection of the whole, target by target (`fan_out`: source by source).
    """

    kind: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    probability: float = 1.0
    number: int = 0
    seed: int = 1
    key: str = ""
    weight: Spread | None = None
    delay: Spread | None = None
    parameters: Mapping[str, Spread] = field(default_factory=dict)
    initial: Mapping[str, Spread] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Population:
    """`size` instances of the component named `component`.

    `parameters` and `initial` map a name to one value per cell (SI); those of `spread_parameters` and
    `spread_initial` are still to be drawn. `positions` is (size, 3) in
    metres or None. `ids` are the cells' ids in the source where they are not 0..size-1.
    """

    name: str
    component: str
    size: int
    parameters: Mapping[str, Floats] = field(default_factory=dict)
    initial: Mapping[str, Floats] = field(default_factory=dict)
    spread_parameters: Mapping[str, Spread] = field(default_factory=dict)
    spread_initial: Mapping[str, Spread] = field(default_factory=dict)
    positions: Floats | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    is_list: bool = False
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortLink:
    """What leaves one part's port goes to a port of another, in each connection: events, or a quantity.

    Parts are the cells `pre` and `post` and the connection's own `synapse`.
    """

    source: str
    source_port: str
    target: str
    target_port: str
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Projection:
    """Connections between two populations; element k of each array is connection k.

    `kind` is `event` (spikes through a synapse at the target), `electrical` (one synapse at each end,
    each reading its peer) or `continuous` (`pre_synapse` at the source, `synapse` at the target,
    each reading its peer). `synapse` "" means the event goes straight to the target's `target_port`.
    `weight` None means 1, `delay` (s) None means 0. `attachment` is the target's list ("" the only one).

    Where `links` are given they say all about ports, and neither attachments nor `weight` are used: what
    comes from `pre` arrives after `delay`. `parameters` and `initial` map names of the synapse's component
    to one value per connection (SI).

    Where there is a `rule`, the arrays are empty (weight and delay None) until `draw.drawn` fills them.
    """

    name: str
    source: str
    target: str
    pre: Ints
    post: Ints
    kind: str = "event"
    synapse: str = ""
    pre_synapse: str = ""
    source_port: str = ""
    target_port: str = ""
    attachment: str = ""
    weight: Floats | None = None
    delay: Floats | None = None
    links: tuple[PortLink, ...] = ()
    parameters: Mapping[str, Floats] = field(default_factory=dict)
    initial: Mapping[str, Floats] = field(default_factory=dict)
    rule: Rule | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Input:
    """Component `component` attached once to each of the cells `index` of `population`."""

    name: str
    component: str
    population: str
    index: Ints
    weight: Floats | None = None
    attachment: str = ""
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A quantity by its path in the source (`pop[0]/v`), and where it is to be written.

    `scale` divides the SI value for display (1: SI as in an output file).
    """

    path: str
    label: str = ""
    file: str = ""
    scale: float = 1.0
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecording:
    """Events of a port by path (`pop[0]`, port `spike`), and where they are to be written."""

    path: str
    port: str = "spike"
    label: str = ""
    file: str = ""
    format: str = "ID_TIME"
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """How to run a network: length and step in seconds, seed, what to record."""

    name: str = "sim"
    length: float = 0.0
    step: float = 0.0
    seed: int | None = None
    recordings: tuple[Recording, ...] = ()
    events: tuple[EventRecording, ...] = ()
    displays: tuple[Recording, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """Populations, what connects them and what drives them.

    `quantities` are values that every cell may require from the network (temperature), in SI.
    """

    name: str
    populations: tuple[Population, ...] = ()
    projections: tuple[Projection, ...] = ()
    inputs: tuple[Input, ...] = ()
    quantities: Mapping[str, float] = field(default_factory=dict)
    experiment: Experiment | None = None
    span: Span | None = None

    def population(self, name: str) -> Population:
        """The population called `name`; KeyError if there is none."""
        for population in self.populations:
            if population.name == name:
                return population
        raise KeyError(name)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from .display import network_html

        return network_html(self)
