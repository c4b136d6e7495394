"""PyNN's current sources."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyNN.parameters import ParameterSpace, Sequence
from pyNN.standardmodels import electrodes

from ...canonical_model.model import Component
from .celltypes import _same
from .history import History
from .populations import parts_of
from .simulator import state
from .waves import ac_component, noise_component, step_component


class CurrentSource:
    """A source of current in nA: one instance that any number of cells may share."""

    default_parameters: Any
    is_waveform_known = True
    is_stepwise = True

    def __init__(self, **parameters: Any) -> None:
        object.__setattr__(self, "_history", History({}))
        self._targets: list[Any] = []
        self._is_recorded = False
        super().__init__(**parameters)
        space = ParameterSpace(self.default_parameters, self.get_schema(), shape=(1,))  # type: ignore[attr-defined]
        space.update(**parameters)
        self.set_native_parameters(self.translate(space))  # type: ignore[attr-defined]
        self._number = len(state.registry.current_sources)
        state.registry.current_sources.append(self)

    def set_native_parameters(self, parameters: Any) -> None:
        """New values from now on. Raises ValueError for times that make no sense."""
        parameters.evaluate(simplify=True)
        values = {
            name: value.value if isinstance(value, Sequence) else float(value)
            for name, value in parameters.items()
        }
        self._history.change(state.tick, self._checked(values))  # type: ignore[attr-defined]

    def get_native_parameters(self) -> Any:
        """The present values."""
        return ParameterSpace(dict(self._history.present))  # type: ignore[attr-defined]

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        return values

    def inject_into(self, cells: Any) -> None:
        """Inject into the cells of a population, view, assembly or list of cells."""
        members = cells if hasattr(cells, "all_cells") else [cell.as_view() for cell in cells]
        for part in [members] if hasattr(members, "all_cells") else members:
            for population, indices in parts_of(part):
                if not population.celltype.injectable:
                    raise TypeError("Can't inject current into a spike source.")
                self._targets.append((population, indices))

    def record(self) -> None:
        """Keep the current for get_data()."""
        self._is_recorded = True

    def _forget_history(self) -> None:
        self._history.forget()  # type: ignore[attr-defined]

    def _get_data(self) -> tuple[Any, Any]:
        """Times in ms and the current in nA that flows in the step from each time on."""
        times = np.arange(state.tick + 1) * state.dt
        if self.is_waveform_known:
            return times, self.wave(np.arange(state.tick + 1), state.dt)
        return times, state.running_engine().current(self)

    def wave(self, ticks: Any, dt: float) -> Any:
        """The current in nA at ticks, by the parameters that held at each."""
        history: History = self._history  # type: ignore[attr-defined]
        values = dict(history.start)
        found = self._amplitude(ticks * dt, values, dt)
        for tick, changed in history.changes:
            values.update(changed)
            found = np.where(ticks < tick, found, self._amplitude(ticks * dt, values, dt))
        return found

    def _amplitude(self, t: Any, values: dict[str, Any], dt: float) -> Any:
        raise NotImplementedError

    def component(self, end: int, dt: float) -> Component:
        """A canonical component with the variable `i`, good up to tick `end`; dt in ms."""
        ticks = self._switches(end, dt)
        return step_component(ticks, self.wave(ticks, dt), dt)

    def _switches(self, end: int, dt: float) -> Any:
        """Ticks at which a stepwise current may change, from 0 on."""
        history: History = self._history  # type: ignore[attr-defined]
        values = dict(history.start)
        ticks = [0, *(tick for tick, _ in history.changes)]
        for changed in ({}, *(changed for _, changed in history.changes)):
            values.update(changed)
            ticks += [_tick(t, dt) for t in self._times(values)]
        return np.unique([tick for tick in ticks if 0 <= tick <= end])

    def _times(self, values: dict[str, Any]) -> list[float]:
        return [values["start"], values["stop"]]


def _tick(t: float, dt: float) -> int:
    return int(min(max(round(t / dt), -1), 2**53))


def _within(t: Any, values: dict[str, Any], dt: float) -> Any:
    """True from start to before stop, both rounded to steps."""
    slack = 0.5 * dt
    return (t >= values["start"] - slack) & (t < values["stop"] - slack)


class DCSource(CurrentSource, electrodes.DCSource):
    __doc__ = electrodes.DCSource.__doc__
    translations = _same("amplitude", "start", "stop")

    def _amplitude(self, t: Any, values: dict[str, Any], dt: float) -> Any:
        return np.where(_within(t, values, dt), values["amplitude"], 0.0)


class StepCurrentSource(CurrentSource, electrodes.StepCurrentSource):
    __doc__ = electrodes.StepCurrentSource.__doc__
    translations = _same("amplitudes", "times")

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        """Times on the grid; of several that fall on one step the last counts."""
        whole = {**self._history.present, **values}
        times, amplitudes = np.asarray(whole["times"]), np.asarray(whole["amplitudes"])
        if np.any(times < 0):
            raise ValueError("Step current cannot accept negative timestamps.")
        if np.any(np.diff(times) < 0):
            raise ValueError("Step current timestamps should be monotonically increasing.")
        if len(times) != len(amplitudes):
            return values
        ticks = np.rint(times / state.dt).astype(np.int64)
        last = np.flatnonzero(np.r_[np.diff(ticks) > 0, True]) if len(ticks) else np.zeros(0, int)
        return {"times": ticks[last] * state.dt, "amplitudes": np.asarray(amplitudes, float)[last]}

    def _amplitude(self, t: Any, values: dict[str, Any], dt: float) -> Any:
        levels = np.r_[0.0, values["amplitudes"]]
        return levels[np.searchsorted(values["times"], np.asarray(t) + 0.5 * dt, side="right")]

    def _times(self, values: dict[str, Any]) -> list[float]:
        return list(values["times"])


class ACSource(CurrentSource, electrodes.ACSource):
    __doc__ = electrodes.ACSource.__doc__
    translations = _same("amplitude", "start", "stop", "frequency", "offset", "phase")
    is_stepwise = False

    def _amplitude(self, t: Any, values: dict[str, Any], dt: float) -> Any:
        angle = 2e-3 * np.pi * values["frequency"] * (t - values["start"])
        sine = np.sin(angle + np.radians(values["phase"]))
        return np.where(_within(t, values, dt), values["offset"] + values["amplitude"] * sine, 0.0)

    def component(self, end: int, dt: float) -> Component:
        """The sine as a function of time."""
        del end
        return ac_component(dt)


class NoisyCurrentSource(CurrentSource, electrodes.NoisyCurrentSource):
    __doc__ = electrodes.NoisyCurrentSource.__doc__
    translations = _same("mean", "start", "stop", "stdev", "dt")
    is_waveform_known = False
    is_stepwise = False

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        interval = values.get("dt")
        if interval is not None and abs(interval / state.dt - round(interval / state.dt)) > 1e-6:
            raise ValueError("dt of a NoisyCurrentSource must be a multiple of the time step.")
        return values

    def component(self, end: int, dt: float) -> Component:
        """A value drawn anew at the end of each interval."""
        del end
        return noise_component(dt)
