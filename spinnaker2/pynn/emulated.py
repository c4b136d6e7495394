"""The chip's program as PyNN's engine: exported, built and run on the emulator.

The program always starts at t = 0. A later run() repeats what was before, bit by bit, and goes on.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...canonical_model.circuit import Circuit, Probe
from ...canonical_model.diagnostics import refuse
from ...canonical_model.model import Provenance
from .build import Builder, output_port
from .simulator import State

NOTHING = np.zeros(0, dtype=np.int64)


class Emulated:
    """Runs the exported program with `spinnaker2.emulator`."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.reset()

    def reset(self) -> None:
        """Forget records; spikes are drawn anew."""
        self.builder = Builder(self.state, replays=True)
        self.fired: dict[int, tuple[Any, Any]] = {}
        self.traces: dict[tuple[int, str], tuple[Any, Any]] = {}
        self.currents: dict[int, Any] = {}
        self.structure = (0, 0, 0)

    def advance(self, end: int) -> None:
        """Run from t = 0 up to tick `end`. Raises ModelError T3xx, S2xx, E1xx, Y3xx."""
        self._check_structure()
        circuit = self.builder.build(end)
        probes, events = self._probes()
        circuit = replace(circuit, probes=tuple(probes), event_probes=tuple(events))
        result = self._run(circuit)
        self._keep(result)

    def _check_structure(self) -> None:
        """What is added between two runs would have been there from the start. Raises ModelError Y307."""
        known = self.state.registry
        injections = sum(len(source._targets) for source in known.current_sources)
        now = (len(known.populations), len(known.projections), injections)
        if self.state.tick and now != self.structure:
            message = "cells, connections or current sources were added after the first run"
            raise refuse(
                "Y307", message, hint="call reset() first, or use setup(backend='reference')"
            )
        self.structure = now

    def _run(self, circuit: Circuit) -> Any:
        from ...exporters.spinnaker2.emit import export
        from .. import emulator

        options = self.state.options
        artifacts = export(
            circuit,
            scheme=options.solver,
            step=circuit.step,
            source=Provenance(source="PyNN", language="pynn"),
            log=self.state.log,
            name="network",
        )
        folder = Path(options.folder or tempfile.mkdtemp(prefix="interspike_pynn_"))
        try:
            for artifact in artifacts:
                place = folder / artifact.path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(artifact.data)
            return emulator.run(folder, backend=options.backend)
        finally:
            if options.folder is None:
                shutil.rmtree(folder, ignore_errors=True)

    def _probes(self) -> tuple[list[Probe], list[Probe]]:
        """What is recorded: values of cells and currents, spikes of cells."""
        probes, events = [], []
        for population in self.state.registry.populations:
            recorder, number = population.recorder, population._number
            group = self.builder.group_name(population)
            for name in recorder.variables():
                own = population.celltype.component_name(name)
                for cell in recorder.recorded_cells(name).tolist():
                    label = f"{number}/{cell}/{name}"
                    probes.append(Probe(label=label, group=group, index=cell, variable=own))
            port = output_port(population)
            for cell in recorder.recorded_cells("spikes").tolist():
                label = f"{number}/{cell}"
                events.append(Probe(label=label, group=group, index=cell, variable=port))
        for source in self.state.registry.current_sources:
            if source._is_recorded and source._targets and not source.is_waveform_known:
                group = self.builder.current_name(source)
                label = f"current/{source._number}"
                probes.append(Probe(label=label, group=group, index=0, variable="i"))
        return probes, events

    def _keep(self, result: Any) -> None:
        """Sort the records into arrays by population."""
        step = self.state.dt * 1e-3
        for population in self.state.registry.populations:
            recorder, number = population.recorder, population._number
            cells = recorder.recorded_cells("spikes").tolist()
            if cells:
                times = [result.events[f"{number}/{cell}"] for cell in cells]
                who = np.repeat(cells, [len(t) for t in times])
                when = np.rint(np.concatenate(times) / step).astype(np.int64)
                order = np.argsort(when, kind="stable")
                self.fired[number] = (who[order], when[order])
            for name in recorder.variables():
                columns = recorder.recorded_cells(name)
                rows = [result.traces[f"{number}/{cell}/{name}"] for cell in columns.tolist()]
                table = np.stack(rows, axis=1) / population.celltype.si_factor(name)
                self.traces[number, name] = (columns, table)
        for source in self.state.registry.current_sources:
            found = result.traces.get(f"current/{source._number}")
            if found is not None:
                self.currents[source._number] = found * 1e9

    def spikes(self, population: Any) -> tuple[Any, Any]:
        """Cells and ticks of all recorded spikes, by tick."""
        return self.fired.get(population._number, (NOTHING, NOTHING))

    def trace(self, population: Any, variable: str, cells: Any, first: int) -> Any:
        """Rows from tick `first` on, in PyNN's unit."""
        table = np.full((max(0, self.state.tick + 1 - first), len(cells)), np.nan)
        known = self.traces.get((population._number, variable))
        if known is not None:
            columns, rows = known
            _, where, source = np.intersect1d(cells, columns, return_indices=True)
            part = rows[first:, source]
            table[: len(part), where] = part
        return table

    def current(self, source: Any) -> Any:
        """The current of a source at every tick, in nA."""
        return self.currents.get(source._number, np.zeros(self.state.tick + 1))

    def weights(self, projection: Any) -> Any:
        """Raises ModelError Y304: weights that were learned stay on the chip."""
        message = f"the weights that '{projection.label}' learned cannot be read back from the chip"
        raise refuse("Y304", message, hint="use setup(backend='reference')")
