"""What runs a circuit and keeps its records: the float64 reference, or the chip's program."""

from __future__ import annotations

from typing import Any, Protocol

from .simulator import State


class Engine(Protocol):
    """Advances the network and answers for what was recorded."""

    def advance(self, end: int) -> None:
        """Run up to tick `end`."""

    def reset(self) -> None:
        """Back to t = 0."""

    def spikes(self, population: Any) -> tuple[Any, Any]:
        """Cells and ticks of all recorded spikes, by tick."""

    def trace(self, population: Any, variable: str, cells: Any, first: int) -> Any:
        """Rows from tick `first` to now, a column for each of `cells`, in PyNN's unit; NaN: not recorded."""

    def current(self, source: Any) -> Any:
        """The current of a source at every tick, in nA."""

    def weights(self, projection: Any) -> Any:
        """The present weights of plastic connections; None if they have not changed yet."""


def make_engine(state: State) -> Engine:
    """The engine that setup() asked for."""
    if state.options.backend == "reference":
        from .reference import Reference

        return Reference(state)
    from .emulated import Emulated

    return Emulated(state)
