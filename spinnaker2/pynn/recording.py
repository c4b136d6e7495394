"""Recorded data of a population, as PyNN's Recorder asks for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyNN import recording

from . import simulator


class Recorder(recording.Recorder):
    """Hands the engine's records over to PyNN, which makes Neo objects of them."""

    _simulator = simulator

    def _record(self, variable: Any, new_ids: Any, sampling_interval: float | None = None) -> None:
        if sampling_interval is not None:
            steps = sampling_interval / simulator.state.dt
            if abs(steps - round(steps)) > 1e-6 or steps < 0.5:
                raise ValueError("The sampling interval must be a multiple of the time step.")
            self.sampling_interval = sampling_interval

    def recorded_cells(self, name: str) -> Any:
        """The sorted indices of the cells of which `name` is recorded."""
        first = int(self.population.first_id)
        found = [ids for variable, ids in self.recorded.items() if variable.name == name]
        return np.array(sorted({int(i) - first for ids in found for i in ids}), dtype=np.int64)

    def variables(self) -> list[str]:
        """The recorded variables but for spikes."""
        return sorted({v.name for v, ids in self.recorded.items() if ids and v.name != "spikes"})

    @property
    def _start_tick(self) -> int:
        return round(float(self._recording_start_time) / simulator.state.dt)

    def _get_spiketimes(self, ids: Any, clear: bool = False) -> Any:
        del clear
        first = int(self.population.first_id)
        cells, ticks = simulator.state.running_engine().spikes(self.population)
        wanted = np.isin(cells, np.asarray(ids, dtype=np.int64) - first) & (
            ticks >= self._start_tick
        )
        return cells[wanted] + first, ticks[wanted] * simulator.state.dt

    def _get_all_signals(self, variable: Any, ids: Any, clear: bool = False) -> Any:
        del clear
        first = int(self.population.first_id)
        cells = np.asarray(ids, dtype=np.int64) - first
        every = round(self.sampling_interval / simulator.state.dt)
        engine = simulator.state.running_engine()
        return engine.trace(self.population, variable.name, cells, self._start_tick)[::every], None

    def _local_count(self, variable: Any, filter_ids: Any = None) -> dict[int, int]:
        ids = np.array(
            sorted(int(i) for i in self.filter_recorded(variable, filter_ids)), dtype=int
        )
        if not len(ids):
            return {}
        found, _ = self._get_spiketimes(ids)
        counts = np.bincount(found - ids[0], minlength=ids[-1] - ids[0] + 1)
        return {int(i): int(counts[i - ids[0]]) for i in ids}

    def _clear_simulator(self) -> None:
        """Nothing to do: data from before `_recording_start_time` is not handed out."""

    def _reset(self) -> None:
        """Nothing to do: what is recorded is read when a run starts."""
