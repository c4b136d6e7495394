"""PyNN's spike sources, and the spike trains that are drawn before a run.

A train is drawn cell by cell from a generator of its own, so that a longer run begins with the same
spikes as a shorter one, on every back end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pyNN import errors
from pyNN.standardmodels import cells

from .celltypes import _same

CHUNK = 64  # intervals drawn at a time


class Source:
    """What the circuit builder asks of a spike source: times of one cell from its parameters.

    `intervals(parameters, rng, n)` gives n intervals in ms; None: `spike_times` are given.
    """

    intervals: Callable[[dict[str, Any], Any, int], Any] | None = None

    def check(self, values: dict[str, Any]) -> None:
        """Raises InvalidParameterValueError where spike times do not ascend."""
        for item in values.get("spike_times", ()):
            if np.any(np.diff(item.value) < 0):
                raise errors.InvalidParameterValueError(
                    "Spike times given to SpikeSourceArray must be in increasing order"
                )


def _rate(parameters: dict[str, Any]) -> float:
    return max(float(parameters["rate"]), 1e-12) * 1e-3


def _poisson(parameters: dict[str, Any], rng: Any, n: int) -> Any:
    return rng.exponential(1.0 / _rate(parameters), n)


def _dead_time(parameters: dict[str, Any], rng: Any, n: int) -> Any:
    pause = float(parameters["tau_refrac"])
    mean = 1.0 / _rate(parameters) - pause
    if mean <= 0:
        raise errors.InvalidParameterValueError(
            f"A rate of {parameters['rate']} Hz leaves no room for tau_refrac = {pause} ms"
        )
    return pause + rng.exponential(mean, n)


def _gamma(parameters: dict[str, Any], rng: Any, n: int) -> Any:
    return rng.gamma(float(parameters["alpha"]), 1e3 / float(parameters["beta"]), n)


class SpikeSourceArray(Source, cells.SpikeSourceArray):
    __doc__ = cells.SpikeSourceArray.__doc__
    translations = _same("spike_times")


class SpikeSourcePoisson(Source, cells.SpikeSourcePoisson):
    __doc__ = cells.SpikeSourcePoisson.__doc__
    translations = _same(*cells.SpikeSourcePoisson.default_parameters)
    intervals = staticmethod(_poisson)


class SpikeSourcePoissonRefractory(Source, cells.SpikeSourcePoissonRefractory):
    __doc__ = cells.SpikeSourcePoissonRefractory.__doc__
    translations = _same(*cells.SpikeSourcePoissonRefractory.default_parameters)
    intervals = staticmethod(_dead_time)


class SpikeSourceGamma(Source, cells.SpikeSourceGamma):
    __doc__ = cells.SpikeSourceGamma.__doc__
    translations = _same(*cells.SpikeSourceGamma.default_parameters)
    intervals = staticmethod(_gamma)


class SpikeSourceInhGamma(Source, cells.SpikeSourceInhGamma):
    __doc__ = cells.SpikeSourceInhGamma.__doc__
    translations = _same(*cells.SpikeSourceInhGamma.default_parameters)


@dataclass(slots=True)
class Drawing:
    """The spikes of a population of sources up to `until` (ms), one generator per cell."""

    celltype: Any
    size: int
    seed: tuple[int, ...]
    dt: float
    until: float = 0.0
    version: int = -1
    rngs: list[Any] = field(default_factory=list)
    following: list[Any] = field(default_factory=list)
    cells: list[Any] = field(default_factory=list)
    times: list[Any] = field(default_factory=list)

    def extend(self, end: float, values: dict[str, Any], version: int) -> None:
        """Draw up to `end` ms with parameters that hold since `until`."""
        if end <= self.until:
            return
        if not self.rngs:
            self.rngs = [np.random.default_rng((*self.seed, k)) for k in range(self.size)]
        is_new = version != self.version
        if is_new:
            self.following = [None] * self.size
        self.version = version
        for cell in range(self.size):
            parameters = {name: value[cell] for name, value in values.items()}
            found = self._cell(cell, parameters, end)
            self.cells.append(np.full(len(found), cell, dtype=np.int64))
            self.times.append(found)
        self.until = end

    def _cell(self, cell: int, parameters: dict[str, Any], end: float) -> Any:
        """Times in (until, end]; what was drawn beyond `end` is kept for later."""
        begin = float(parameters["start"])
        stop = begin + float(parameters["duration"])
        kept = self.following[cell]
        if kept is None:
            kept = self._draw(cell, parameters, max(begin, self.until))
        while kept[-1] <= min(end, stop):
            kept = np.concatenate([kept, self._draw(cell, parameters, kept[-1])])
        count = int(np.searchsorted(kept, end, side="right"))
        self.following[cell] = kept[count:]
        due = kept[:count]
        return due[(due > self.until) & (due < stop)]

    def _draw(self, cell: int, parameters: dict[str, Any], origin: float) -> Any:
        if self.celltype.intervals is None:
            return _thinned(parameters, self.rngs[cell], origin)
        return origin + np.cumsum(self.celltype.intervals(parameters, self.rngs[cell], CHUNK))

    def events(self) -> tuple[Any, Any]:
        """Cells and times in ms of everything drawn, by time."""
        cells_ = np.concatenate(self.cells) if self.cells else np.zeros(0, dtype=np.int64)
        times = np.concatenate(self.times) if self.times else np.zeros(0)
        order = np.argsort(times, kind="stable")
        return cells_[order], times[order]


def _thinned(parameters: dict[str, Any], rng: Any, origin: float) -> Any:
    """The next spike of an inhomogeneous gamma process after one at `origin` (thinning; Muller 2007)."""
    from scipy.stats import gamma

    bins = np.asarray(parameters["tbins"].value, dtype=float)
    shape = np.asarray(parameters["a"].value, dtype=float)
    scale = np.asarray(parameters["b"].value, dtype=float)
    if np.any(shape < 1.0) or np.any(scale <= 0.0):
        raise errors.InvalidParameterValueError("SpikeSourceInhGamma needs a >= 1 and b > 0")
    # the hazard of a gamma interval grows toward 1/b for a >= 1
    highest = float(np.max(1.0 / scale))
    t = origin
    while True:
        t += rng.exponential(1e3 / highest)
        k = max(0, int(np.searchsorted(bins, t, side="right")) - 1)
        age = (t - origin) * 1e-3
        surviving = gamma.sf(age, shape[k], scale=scale[k])
        hazard = gamma.pdf(age, shape[k], scale=scale[k]) / surviving if surviving > 0 else highest
        if rng.random() < hazard / highest:
            return np.array([t])
