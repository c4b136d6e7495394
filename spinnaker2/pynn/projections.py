"""Projections: connectivity as arrays, one element per connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from pyNN import common, errors
from pyNN.parameters import LazyArray
from pyNN.space import Space

from . import simulator
from .history import History
from .populations import parts_of
from .synapsetypes import StaticSynapse

DEFAULT_SPACE = Space()
SLACK = 1e-6  # of a step: what rounding may do to a delay


class Connection(common.Connection):
    """One connection; weight and delay can be read and set."""

    def __init__(self, projection: Projection, number: int) -> None:
        self.projection = projection
        self.number = number

    @property
    def presynaptic_index(self) -> int:
        """The sender's index in the projection's `pre`."""
        return int(self.projection.pre_index[self.number])

    @property
    def postsynaptic_index(self) -> int:
        """The receiver's index in the projection's `post`."""
        return int(self.projection.post_index[self.number])

    @property
    def presynaptic_cell(self) -> Any:
        """The sending cell."""
        return self.projection.pre[self.presynaptic_index]

    @property
    def postsynaptic_cell(self) -> Any:
        """The receiving cell."""
        return self.projection.post[self.postsynaptic_index]

    def _get(self, name: str) -> float:
        return float(self.projection._values(name)[self.number])

    def _set(self, name: str, value: float) -> None:
        whole = self.projection._values(name).copy()
        whole[self.number] = value
        self.projection._store({name: whole})

    @property
    def weight(self) -> float:
        """In nA, uS or mV."""
        return self._get("weight")

    @weight.setter
    def weight(self, value: float) -> None:
        self._set("weight", value)

    @property
    def delay(self) -> float:
        """In ms."""
        return self._get("delay")

    @delay.setter
    def delay(self, value: float) -> None:
        self._set("delay", value)

    def as_tuple(self, *names: str) -> tuple[Any, ...]:
        """Attributes by name."""
        return tuple(getattr(self, name) for name in names)


class Projection(common.Projection):
    __doc__ = common.Projection.__doc__
    _simulator = simulator
    _static_synapse_class = StaticSynapse

    def __init__(
        self,
        presynaptic_population: Any,
        postsynaptic_population: Any,
        connector: Any,
        synapse_type: Any = None,
        source: str | None = None,
        receptor_type: str | None = None,
        space: Space = DEFAULT_SPACE,
        label: str | None = None,
    ) -> None:
        common.Projection.__init__(
            self, presynaptic_population, postsynaptic_population, connector, synapse_type,
            source, receptor_type, space, label,
        )  # fmt: skip
        self._parts: list[tuple[Any, int, dict[str, Any]]] = []
        self.pre_index = self.post_index = np.zeros(0, dtype=np.int64)
        self._attributes = History({})
        connector.connect(self)
        self._gather()
        self._number = len(simulator.state.registry.projections)
        simulator.state.registry.projections.append(self)

    def _convergent_connect(
        self,
        presynaptic_indices: Any,
        postsynaptic_index: int,
        location_selector: str | None = None,
        **connection_parameters: Any,
    ) -> None:
        """Called by PyNN's connectors for each receiving cell."""
        if location_selector is not None:
            raise errors.ConnectionError("cells here have one compartment, no locations")
        self._parts.append(
            (np.asarray(presynaptic_indices), int(postsynaptic_index), connection_parameters)
        )

    def _gather(self) -> None:
        """Join what the connector gave into one array per attribute."""
        names = list(self.synapse_type.native_parameters.keys())
        counts = np.array([len(pre) for pre, _, _ in self._parts], dtype=np.int64)
        if len(counts):
            self.pre_index = np.concatenate([pre for pre, _, _ in self._parts]).astype(np.int64)
            self.post_index = np.repeat([post for _, post, _ in self._parts], counts)
        values = {}
        for name in names:
            parts = [
                np.broadcast_to(np.asarray(given[name], dtype=float), (len(pre),))
                for pre, _, given in self._parts
            ]
            values[name] = np.concatenate(parts) if parts else np.zeros(0)
        self._parts = []
        self._check(values)
        self._attributes = History(values)

    def _check(self, values: dict[str, Any]) -> None:
        """Raises ConnectionError for delays outside of what setup() allows."""
        delay = values.get("delay")
        if delay is None or not len(delay):
            return
        state = simulator.state
        low = state.dt if state.wanted_min_delay == "auto" else float(state.wanted_min_delay)
        high = np.inf if state.wanted_max_delay == "auto" else float(state.wanted_max_delay)
        slack = SLACK * state.dt
        worst = delay.min() if delay.min() < low - slack else delay.max()
        if not low - slack <= worst <= high + slack:
            raise errors.ConnectionError(f"Delay ({worst:g}) is out of range [{low:g}, {high:g}]")

    def _values(self, name: str) -> Any:
        """An attribute of all connections; a weight that learns is read from the simulation."""
        if name == "weight" and self.synapse_type.is_plastic:
            engine = simulator.state.engine
            learned = engine.weights(self) if engine is not None and simulator.state.tick else None
            if learned is not None:
                return learned
        return self._attributes.present[name]

    def _store(self, values: dict[str, Any]) -> None:
        self._check(values)
        is_learning = self.synapse_type.is_plastic and simulator.state.tick > 0
        self._attributes.change(simulator.state.tick, values, is_event=is_learning)

    def _delay_range(self) -> tuple[float, float]:
        delay = np.rint(self._values("delay") / simulator.state.dt) * simulator.state.dt
        return float(delay.min()), float(delay.max())

    def _forget_history(self) -> None:
        self._attributes.forget()

    def __len__(self) -> int:
        return len(self.pre_index)

    def __getitem__(self, i: int | slice) -> Any:
        if isinstance(i, slice):
            return [Connection(self, k) for k in range(*i.indices(len(self)))]
        if not -len(self) <= i < len(self):
            raise IndexError(f"{i} of {len(self)} connections")
        return Connection(self, i % len(self))

    @property
    def connections(self) -> Iterator[Connection]:
        """All connections, one by one."""
        return (Connection(self, k) for k in range(len(self)))

    def _column(self, name: str) -> Any:
        if name == "presynaptic_index":
            return self.pre_index
        if name == "postsynaptic_index":
            return self.post_index
        single = name[:-1] if name.endswith("s") and name not in self._attributes.present else name
        return self._values(single)

    def _get_attributes_as_list(self, names: list[str]) -> list[tuple[Any, ...]]:
        columns = [self._column(name).tolist() for name in names]
        return list(zip(*columns, strict=True))

    def _get_attributes_as_arrays(
        self, names: list[str], multiple_synapses: str = "sum"
    ) -> list[Any]:
        return [self._as_array(self._column(name), multiple_synapses) for name in names]

    def _as_array(self, values: Any, multiple: str) -> Any:
        """Values as a matrix of senders by receivers, NaN where there is no connection."""
        table = np.full(self.shape, np.nan)
        place = (self.pre_index, self.post_index)
        if multiple == "last":
            table[place] = values
        elif multiple == "first":
            table[self.pre_index[::-1], self.post_index[::-1]] = values[::-1]
        else:
            start, join = {
                "sum": (0.0, np.add), "min": (np.inf, np.minimum), "max": (-np.inf, np.maximum),
            }[multiple]  # fmt: skip
            table[place] = start
            join.at(table, place, values)
        return table

    def _set_attributes(self, parameter_space: Any) -> None:
        """New values, given for all pairs of cells; only those of connections are drawn or kept."""
        changed = {}
        for name, value in parameter_space.items():
            changed[name] = self._chosen(value)
        self._store(changed)

    def _chosen(self, value: Any) -> Any:
        if isinstance(value, LazyArray) and value.is_homogeneous:
            return np.full(len(self), float(value.evaluate(simplify=True)))
        whole = (
            value.evaluate(simplify=False) if isinstance(value, LazyArray) else np.asarray(value)
        )
        return np.array(
            np.broadcast_to(whole, self.shape)[self.pre_index, self.post_index], dtype=float
        )

    def _set_initial_value_array(self, variable: str, initial_value: Any) -> None:
        raise errors.NonExistentParameterError(variable, type(self.synapse_type).__name__)

    def pieces(self) -> Iterator[tuple[Any, Any, Any, Any, Any]]:
        """Sending population, receiving population, and arrays: pre, post, connection number."""
        senders, receivers = parts_of(self.pre), parts_of(self.post)
        from_part, from_cell = _lookup(senders)
        to_part, to_cell = _lookup(receivers)
        for a, (source, _) in enumerate(senders):
            for b, (target, _) in enumerate(receivers):
                mask = (from_part[self.pre_index] == a) & (to_part[self.post_index] == b)
                chosen = np.flatnonzero(mask)
                if len(chosen):
                    pre, post = from_cell[self.pre_index[chosen]], to_cell[self.post_index[chosen]]
                    yield source, target, pre, post, chosen


def _lookup(parts: list[tuple[Any, Any]]) -> tuple[Any, Any]:
    """For each cell of an assembly: the number of its part and its index in that population."""
    number = np.concatenate([np.full(len(cells), k) for k, (_, cells) in enumerate(parts)])
    return number, np.concatenate([cells for _, cells in parts])
